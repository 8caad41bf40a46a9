"""WSPBind, WSPConnect, WSPListen, WSPGetSockName, WSPGetPeerName.

Deferred assignment (BIND-2.1): the port is settled by bind, the address of a wildcard by connect, and both can be read
as soon as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import NetError
from wsknet.san.arguments import check_room, number, read_destination, store_name
from wsknet.san.base.arguments import read_own_name
from wsknet.san.base.datagram_socket import DatagramSocket
from wsknet.san.base.operations import Outcome, Way, perform
from wsknet.san.base.stream_socket import StreamSocket
from wsknet.san.calls import WinsockError, answers
from wsknet.san.numbers import (
    FD_CONNECT,
    SOCKET_ERROR,
    WSAEFAULT,
    WSAEWOULDBLOCK,
)
from wsknet.san.structures import WSABUF

if TYPE_CHECKING:
    from wsknet.san.base.provider import TcpipProvider
    from wsknet.types import Endpoint, Instant


class NamingFunctions:
    def __init__(self, provider: TcpipProvider) -> None:
        self._provider = provider
        self._sockets = provider.descriptors

    @answers(SOCKET_ERROR)
    def WSPBind(self, s: Any, name: Any, namelen: Any) -> int:
        """The order of the checks: descriptor, memory, family, already bound, address, sharing (BIND-1.3)."""
        socket = self._sockets.find(s)
        address = read_own_name(name, namelen).endpoint
        with self._provider.host.pump as now:
            socket.bind(address, now)
            socket.settle(now)
        return 0

    @answers(SOCKET_ERROR)
    def WSPConnect(
        self,
        s: Any,
        name: Any,
        namelen: Any,
        lpCallerData: Any,
        lpCalleeData: Any,
        lpSQOS: Any,
        lpGQOS: Any,
    ) -> int:
        """TCP carries no caller data and no callee data, and quality of service is not asked for: both are as if NULL
        had been given; the length of lpCalleeData becomes 0."""
        socket = self._sockets.find(s)
        remote = read_destination(name, namelen)
        if isinstance(lpCalleeData, WSABUF):
            lpCalleeData.len = 0
        elif lpCalleeData is not None:
            raise WinsockError(WSAEFAULT)
        if isinstance(socket, DatagramSocket):
            with self._provider.host.pump as now:
                socket.connect(remote, now)
            return 0
        assert isinstance(socket, StreamSocket)
        self._connect(socket, remote)
        return 0

    def _connect(self, socket: StreamSocket, remote: Endpoint) -> None:
        """An unbound socket is bound to the wildcard first."""
        with self._provider.host.pump as now:
            socket.start_connecting()
            try:
                socket.bind_implicitly(now)
            except NetError:
                socket.is_connecting = False
                raise
            is_nonblocking = socket.settings.is_nonblocking
        try:
            self._provider.open_path(socket, remote)
        except (WinsockError, NetError):
            with self._provider.host.pump:
                socket.is_connecting = False
            raise
        if is_nonblocking:
            raise WinsockError(WSAEWOULDBLOCK)

        def attempt(now: Instant) -> Outcome | None:
            return None if socket.is_connecting else Outcome(error=socket.connect_error)

        outcome = perform(socket, FD_CONNECT, attempt, Way("WSPConnect"))
        if outcome.error:
            raise WinsockError(outcome.error)

    @answers(SOCKET_ERROR)
    def WSPListen(self, s: Any, backlog: Any) -> int:
        socket = self._sockets.find_stream(s)
        self._provider.listening(socket, number(backlog))
        return 0

    @answers(SOCKET_ERROR)
    def WSPGetSockName(self, s: Any, name: Any, namelen: Any) -> int:
        """Of a wildcard that is not connected 0.0.0.0 and the port; the page allows WSAEINVAL there (BIND-C6)."""
        socket = self._sockets.find(s)
        check_room(name, namelen)
        with self._provider.host.pump:
            found = socket.name()
        store_name(name, namelen, found)
        return 0

    @answers(SOCKET_ERROR)
    def WSPGetPeerName(self, s: Any, name: Any, namelen: Any) -> int:
        socket = self._sockets.find(s)
        check_room(name, namelen)
        with self._provider.host.pump:
            found = socket.peer()
        store_name(name, namelen, found)
        return 0
