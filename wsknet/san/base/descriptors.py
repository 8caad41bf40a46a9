"""Which socket a descriptor stands for, in one process; and what WSPDuplicateSocket hands to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.san.base.stream_socket import StreamSocket
from wsknet.san.calls import WinsockError
from wsknet.san.numbers import WSAENOTSOCK, WSAEOPNOTSUPP, WSANOTINITIALISED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsknet.host import Host
    from wsknet.san.base.sockets import Socket

FIRST = 0x100
STEP = 4
"""Handles of Windows are multiples of four."""


class Duplicates:
    """Of one host: the sockets that were handed out, by the number in dwServiceFlags2 of their WSAPROTOCOL_INFOW."""

    def __init__(self) -> None:
        self._numbers: dict[Socket, int] = {}
        self._last = 0

    @classmethod
    def of(cls, host: Host) -> Duplicates:
        found: Duplicates = host.faces.setdefault(cls, cls())
        return found

    def number_of(self, socket: Socket) -> int:
        if socket not in self._numbers:
            self._last += 1
            self._numbers[socket] = self._last
        return self._numbers[socket]

    def find(self, wanted: Any) -> Socket | None:
        return next((socket for socket, number in self._numbers.items() if number == wanted), None)

    def forget(self, socket: Socket) -> None:
        self._numbers.pop(socket, None)


class Descriptors:
    """Of one process."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._sockets: dict[int, Socket] = {}
        self._next = FIRST
        self.is_open = True
        """No WSPCleanup yet."""

    def add(self, socket: Socket) -> int:
        """Driver lock held."""
        self.check_open()
        descriptor = self._next
        self._next += STEP
        self._sockets[descriptor] = socket
        socket.descriptors += 1
        return descriptor

    def check_open(self) -> None:
        """WSANOTINITIALISED after WSPCleanup."""
        if not self.is_open:
            raise WinsockError(WSANOTINITIALISED)

    def find(self, s: Any) -> Socket:
        """WSAENOTSOCK."""
        self.check_open()
        socket = self._sockets.get(s) if isinstance(s, int) else None
        if socket is None:
            raise WinsockError(WSAENOTSOCK)
        return socket

    def find_stream(self, s: Any) -> StreamSocket:
        """WSAENOTSOCK, or WSAEOPNOTSUPP for a socket without connections."""
        socket = self.find(s)
        if not isinstance(socket, StreamSocket):
            raise WinsockError(WSAEOPNOTSUPP)
        return socket

    def remove(self, s: int) -> bool:
        """Whether this was the last descriptor of its socket, in all processes.  Driver lock not held.

        WSAENOTSOCK: another thread has closed it meanwhile.
        """
        with self._host.driver.lock:
            socket = self._sockets.pop(s, None)
            if socket is None:
                raise WinsockError(WSAENOTSOCK)
            socket.descriptors -= 1
            return not socket.descriptors

    def numbers(self) -> list[int]:
        return list(self._sockets)

    def sockets(self) -> Iterator[Socket]:
        """Each once for each descriptor."""
        return iter(list(self._sockets.values()))
