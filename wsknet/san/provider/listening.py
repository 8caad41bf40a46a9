"""WSPListen, and what a listening socket keeps (SAN-6.4)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from wsknet.san.calls import WinsockError, answers
from wsknet.san.numbers import FD_ACCEPT, NO_ERROR, SOCKET_ERROR, SOMAXCONN, WSAEINVAL, WSAEISCONN, WSAENETDOWN
from wsknet.san.provider.states import Cause, SocketState

if TYPE_CHECKING:
    from wsknet.san.provider.incoming import Incoming
    from wsknet.san.provider.process import Process
    from wsknet.san.provider.selecting import Selection


class Listening:
    """Requests that wait for WSPAccept, `backlog` at most."""

    def __init__(self, backlog: int) -> None:
        self.backlog = backlog
        self._requests: deque[Incoming] = deque()
        self._is_announcing = True
        """FD_ACCEPT may happen.  Once it has, only WSPAccept or WSPEventSelect allow it again."""

    @property
    def is_full(self) -> bool:
        return len(self._requests) >= self.backlog

    def add(self, request: Incoming, selection: Selection) -> None:
        self._requests.append(request)
        if self._is_announcing:
            self.announce(selection)

    def put_back(self, request: Incoming) -> None:
        """It is undecided yet, and the oldest."""
        self._requests.appendleft(request)

    def take(self) -> Incoming | None:
        return self._requests.popleft() if self._requests else None

    def remove(self, request: Incoming) -> None:
        if request in self._requests:
            self._requests.remove(request)

    @property
    def waiting(self) -> tuple[Incoming, ...]:
        return tuple(self._requests)

    def take_all(self) -> list[Incoming]:
        taken = list(self._requests)
        self._requests.clear()
        return taken

    def announce(self, selection: Selection) -> None:
        """FD_ACCEPT, if there is a request; else it may happen with the next."""
        self._is_announcing = not self._requests
        if self._requests:
            selection.happen(FD_ACCEPT)


@answers(SOCKET_ERROR)
def WSPListen(process: Process, s: int, backlog: int) -> int:
    """Take connection requests to the name of the socket.

    SOMAXCONN is `SanPolicy.backlog_limit`; of 0 and less it is 1.  Listening again changes nothing.  WSAEINVAL for a
    socket without a name, WSAEISCONN for one that is connected or about to be.  Never WSAEADDRINUSE: several sockets
    may listen on one name, and one of them receives (SAN-5.2).
    """
    with process.host.pump:
        socket = process.socket(s)
        if not isinstance(backlog, int):
            raise WinsockError(WSAEINVAL)
        if process.proxy.is_down:
            raise WinsockError(WSAENETDOWN)
        if socket.state is SocketState.LISTENING:
            return NO_ERROR
        if socket.state in (SocketState.UNBOUND, SocketState.HANDED_OVER):
            raise WinsockError(WSAEINVAL)
        if socket.state is not SocketState.BOUND or socket.name is None:
            raise WinsockError(WSAEISCONN)
        limit = process.policy.backlog_limit
        socket.change(Cause.LISTEN)
        socket.listening = Listening(limit if backlog == SOMAXCONN else max(1, min(backlog, limit)))
        process.proxy.names.listen(socket.name, socket)
    return NO_ERROR
