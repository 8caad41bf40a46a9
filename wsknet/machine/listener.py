"""Every frame that enters a port of the fabric, in order, with the kernel's time: packet(7)."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from wsknet.machine.namespace import Namespace

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_IGNORE_OUTGOING = 23
"""linux/if_packet.h: not what a bridge sends out of a port again."""
SO_TIMESTAMPNS = 35
"""Linux's asm-generic/socket.h: struct timespec of CLOCK_REALTIME with each frame."""

RECEIVE_BUFFER = 8 << 20
READ_SIZE = 14 + 4 + 65535


class Heard(NamedTuple):
    time: int
    """Nanoseconds since 1970."""
    port: str
    frame: bytes


class Listener:
    """One socket for all ports, so that frames of different ports stay in order.

    Open it before there are ports: what comes before its options are set may be told otherwise.
    """

    def __init__(self, namespace: Namespace) -> None:
        with namespace.entered():
            kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK
            self._socket = socket.socket(socket.AF_PACKET, kind, socket.htons(ETH_P_ALL))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            self._socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def wait(self, seconds: float) -> bool:
        """Until a frame is there; False if none came."""
        return bool(select.select((self._socket,), (), (), seconds)[0])

    def read(self) -> Iterator[Heard]:
        """What has come, bridges included, which repeat what is for everybody."""
        while True:
            try:
                frame, ancillary, _, address = self._socket.recvmsg(READ_SIZE, 64)
            except BlockingIOError:
                return
            except OSError:  # a port that was taken down tells so once
                continue
            yield Heard(_time(ancillary), address[0], frame)

    def close(self) -> None:
        self._socket.close()


def _time(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, value in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = struct.unpack("=qq", value)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return 0
