"""Bulk transfers between programs that check what arrives: the protocol, and the kernel's two sides of it.

A client sends a `REQUEST`: TAKE and as many bytes as it says, which the server answers with their SHA-256, or GIVE, to
get that many.  Both sides make the same bytes, so that either can tell whether they have arrived as they were.

    python -m tools.benchmark.bulk serve PORT             both families; prints "ready", ends with its standard input
    python -m tools.benchmark.bulk push ADDRESS PORT BYTES
    python -m tools.benchmark.bulk pull ADDRESS PORT BYTES

Clients print one JSON object: bytes, seconds from the first segment to the last byte known to have arrived, whether
the data were identical, and the retransmissions of this side.
"""

from __future__ import annotations

import hashlib
import json
import signal
import socket
import sys
import time
from contextlib import suppress
from functools import lru_cache
from random import Random
from struct import Struct
from threading import Thread

REQUEST = Struct("!cQ")
TAKE, GIVE = b"T", b"G"

PORT = 5001

PATIENCE_SECONDS = 60
"""For one call of a socket: the longest silence of a connection that lives."""

CHUNK = 256 << 10

TCPI_TOTAL_RETRANS = Struct("=100xI")
"""Where struct tcp_info of linux/tcp.h has tcpi_total_retrans."""


@lru_cache(maxsize=1)
def content(size: int) -> bytes:
    """`size` bytes in which nothing repeats, so that a piece in the wrong place is seen.

    Kept: a server on which the clock runs makes them beforehand.
    """
    return Random(size).randbytes(size)


def use_cubic(connection: socket.socket) -> None:
    """A namespace cannot always choose the default, a socket can."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
    connection.settimeout(PATIENCE_SECONDS)


def push(address: str, port: int, size: int) -> dict[str, float]:
    data = content(size)
    started = time.monotonic()
    with _connected(address, port) as connection:
        connection.sendall(REQUEST.pack(TAKE, size))
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(CHUNK), b""))
        return _result(connection, size, time.monotonic() - started, answer == hashlib.sha256(data).digest())


def pull(address: str, port: int, size: int) -> dict[str, float]:
    expected = hashlib.sha256(content(size)).digest()
    started = time.monotonic()
    with _connected(address, port) as connection:
        connection.sendall(REQUEST.pack(GIVE, size))
        connection.shutdown(socket.SHUT_WR)
        digest, ended = hashlib.sha256(), started
        while data := connection.recv(CHUNK):
            digest.update(data)
            ended = time.monotonic()
        return _result(connection, size, ended - started, digest.digest() == expected)


def _connected(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    use_cubic(connection)
    connection.connect((address, port))
    return connection


def _result(connection: socket.socket, size: int, seconds: float, is_identical: bool) -> dict[str, float]:
    information = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCPI_TOTAL_RETRANS.size)
    (retransmissions,) = TCPI_TOTAL_RETRANS.unpack(information)
    return {
        "bytes": size, "seconds": seconds, "identical": is_identical, "retransmissions": retransmissions
    }  # fmt: skip


def serve(port: int) -> None:
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    Thread(target=_accept, args=(listener,), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


def _accept(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection, suppress(OSError):
        use_cubic(connection)
        kind, size = REQUEST.unpack(connection.recv(REQUEST.size, socket.MSG_WAITALL))
        if kind == GIVE:
            connection.sendall(content(size))
            connection.shutdown(socket.SHUT_WR)
            return
        digest = hashlib.sha256()
        while data := connection.recv(CHUNK):
            digest.update(data)
        connection.sendall(digest.digest())


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that started this, and ends it
    match sys.argv[1:]:
        case ["serve", port]:
            serve(int(port))
        case ["push", address, port, size]:
            print(json.dumps(push(address, int(port), int(size))))
        case ["pull", address, port, size]:
            print(json.dumps(pull(address, int(port), int(size))))
        case _:
            sys.exit("bulk: unusable arguments; they are listed at the top of bulk.py")


if __name__ == "__main__":
    main()
