"""select: which sockets are ready now, or as soon as one is (select function).

It asks the sockets themselves rather than the procedure table: WSPSelect is the one function that is about many sockets
at a time, and in Windows, too, switch and TCP/IP provider answer it together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from wsknet.san.base.stream_socket import StreamSocket
from wsknet.san.calls import WinsockError
from wsknet.san.numbers import (
    FD_ACCEPT,
    FD_CLOSE,
    FD_OOB,
    FD_READ,
    FD_WRITE,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
)
from wsknet.san.structures import TIMEVAL
from wsknet.types import SECOND, Duration, Instant

if TYPE_CHECKING:
    from wsknet.san.base.provider import TcpipProvider
    from wsknet.san.base.sockets import Socket

_MICROSECOND = 1_000
_READ = FD_READ | FD_ACCEPT | FD_CLOSE
_CONDITIONS = (_READ, FD_WRITE, FD_OOB)
"""What makes a socket of each set ready.  Of the third a connect that has failed, too."""

Sets: TypeAlias = tuple[Any, Any, Any]


def select(provider: TcpipProvider, sets: Sets, timeout: Any) -> int:
    """The number of sockets that are left in `sets`, or an error as a negative number.

    WSAEINVAL: no set has a socket, or the time is not one.  WSAENOTSOCK: also if a socket is closed meanwhile.
    """
    try:
        limit = _limit(timeout)
        return _Poll(provider, sets).wait(limit)
    except WinsockError as refusal:
        return -refusal.code


def _limit(timeout: Any) -> Duration | None:
    if timeout is None:
        return None
    if not isinstance(timeout, TIMEVAL) or not isinstance(timeout.tv_sec, int) or not isinstance(timeout.tv_usec, int):
        raise WinsockError(WSAEFAULT)
    if timeout.tv_sec < 0 or timeout.tv_usec < 0:
        raise WinsockError(WSAEINVAL)
    return Duration(timeout.tv_sec * SECOND + timeout.tv_usec * _MICROSECOND)


class _Poll:
    def __init__(self, provider: TcpipProvider, sets: Sets) -> None:
        self._provider = provider
        self._sets = sets
        for each in sets:
            if each is not None and not isinstance(each, list):
                raise WinsockError(WSAEFAULT)
        if not any(sets):
            raise WinsockError(WSAEINVAL)
        self._sockets: dict[int, Socket] = {s: provider.descriptors.find(s) for each in sets for s in each or ()}
        self._found: list[list[int]] | None = None
        self._is_lost = False

    def wait(self, limit: Duration | None) -> int:
        host = self._provider.host
        with host.pump as now:
            self.look()
            for socket in self._sockets.values():
                socket.polls.append(self.look)
        deadline = None if limit is None else Instant(now + limit)
        try:
            if limit != 0:
                host.driver.block(lambda: self._found is not None or self._is_lost, "select", deadline)
        finally:
            with host.pump:
                for socket in self._sockets.values():
                    socket.polls.remove(self.look)
        if self._is_lost:
            raise WinsockError(WSAENOTSOCK)
        found = self._found or [[], [], []]
        for each, ready in zip(self._sets, found, strict=True):
            if each is not None:
                each[:] = ready
        return sum(map(len, found))

    def look(self) -> None:
        """Driver lock held."""
        if self._found is not None:
            return
        if any(not socket.descriptors for socket in self._sockets.values()):
            self._is_lost = True
        found = [
            [s for s in each or () if self._is_ready(self._sockets[s], conditions)]
            for each, conditions in zip(self._sets, _CONDITIONS, strict=True)
        ]
        if any(found):
            self._found = found
        if self._found is not None or self._is_lost:
            self._provider.host.driver.wakeup()

    def _is_ready(self, socket: Socket, conditions: int) -> bool:
        if conditions == FD_OOB and isinstance(socket, StreamSocket) and socket.connect_error:
            return True
        return any(event & conditions for event in socket.conditions())
