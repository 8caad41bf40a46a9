"""A server of HTTP on the kernel's sockets, with the resources that the tests ask `wsknet serve http` for.

    python kernel_http.py PORT          both families; prints "ready", ends with its standard input

The programs that talk to wsknet talk to this as well: what they say of the one they have to say of the other.
"""

from __future__ import annotations

import hashlib
import re
import sys
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6, IPPROTO_IPV6, IPV6_V6ONLY
from threading import Thread

PERIOD = 1_048_573


@cache
def pattern(size: int) -> bytes:
    """What `wsknet serve http` promises at /bytes/N."""
    period = hashlib.shake_128(b"wsknet").digest(PERIOD)
    return (period * (size // PERIOD + 1))[:size]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # the head of an answer and its content are written together, as nginx does

    def do_GET(self) -> None:
        found = re.fullmatch(r"/bytes/(\d+)", self.path)
        if found is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        content = pattern(int(found[1]))
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if wanted is None:
            self._answer(HTTPStatus.OK, content)
            return
        first, last = int(wanted[1]), int(wanted[2])
        self._answer(
            HTTPStatus.PARTIAL_CONTENT,
            content[first : last + 1],
            ("Content-Range", f"bytes {first}-{last}/{len(content)}"),
        )

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(HTTPStatus.OK, f"{len(content)} {hashlib.sha256(content).hexdigest()}\n".encode())

    def log_message(self, *arguments: object) -> None:
        """Nobody reads it."""

    def _answer(self, status: HTTPStatus, content: bytes, *more: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*more, ("Content-Length", str(len(content)))):
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        elif self.request_version == "HTTP/1.0":
            self.send_header("Connection", "keep-alive")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


class Server(ThreadingHTTPServer):
    address_family = AF_INET6
    request_queue_size = 128

    def server_bind(self) -> None:
        self.socket.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0)
        super().server_bind()


def main() -> None:
    server = Server(("::", int(sys.argv[1])), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
