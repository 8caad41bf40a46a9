"""WSPShutdown, WSPSendDisconnect, WSPRecvDisconnect, WSPCloseSocket, WSPCleanup.

Read "Graceful Shutdown, Linger Options, and Socket Closure" before editing.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from wsknet.san.base.descriptors import Duplicates
from wsknet.san.base.operations import Outcome, Way, perform
from wsknet.san.base.stream_socket import StreamSocket
from wsknet.san.calls import WinsockError, answers
from wsknet.san.numbers import (
    FD_CLOSE,
    SD_BOTH,
    SD_RECEIVE,
    SD_SEND,
    SOCKET_ERROR,
    WSAEINVAL,
    WSAENOPROTOOPT,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)

if TYPE_CHECKING:
    from wsknet.san.base.provider import TcpipProvider
    from wsknet.san.base.sockets import Socket
    from wsknet.types import Instant

MILLISECONDS = 1_000
"""Of a second: SO_LINGER is in seconds."""


class CloseFunctions:
    def __init__(self, provider: TcpipProvider) -> None:
        self._provider = provider
        self._sockets = provider.descriptors

    @answers(SOCKET_ERROR)
    def WSPShutdown(self, s: Any, how: Any) -> int:
        """With SD_RECEIVE a connection that has, or gets, data which nobody will read is reset (shutdown function)."""
        socket = self._sockets.find(s)
        if how not in (SD_RECEIVE, SD_SEND, SD_BOTH):
            raise WinsockError(WSAEINVAL)
        with self._provider.host.pump as now:
            socket.shut(how != SD_SEND, how != SD_RECEIVE, now)
        return 0

    @answers(SOCKET_ERROR)
    def WSPSendDisconnect(self, s: Any, lpOutboundDisconnectData: Any) -> int:
        """WSPShutdown with SD_SEND.  TCP carries no disconnect data: WSAENOPROTOOPT."""
        return self._disconnect(s, lpOutboundDisconnectData, is_receive=False)

    @answers(SOCKET_ERROR)
    def WSPRecvDisconnect(self, s: Any, lpInboundDisconnectData: Any) -> int:
        """WSPShutdown with SD_RECEIVE; WSAENOPROTOOPT likewise."""
        return self._disconnect(s, lpInboundDisconnectData, is_receive=True)

    def _disconnect(self, s: Any, data: Any, *, is_receive: bool) -> int:
        socket = self._sockets.find_stream(s)
        if data is not None:
            raise WinsockError(WSAENOPROTOOPT)
        with self._provider.host.pump as now:
            socket.shut(is_receive, not is_receive, now)
        return 0

    @answers(SOCKET_ERROR)
    def WSPCloseSocket(self, s: Any) -> int:
        """At once and in the background, unless SO_LINGER says otherwise: with 0 seconds the connection is reset; with
        more the call waits until the peer has everything, and resets the connection when the time is over.

        A nonblocking socket cannot wait: WSAEWOULDBLOCK, and the descriptor stays valid (closesocket function).
        """
        socket = self._sockets.find(s)
        lingers = isinstance(socket, StreamSocket) and socket.stream is not None and socket.stream.error is None
        linger = socket.settings.linger if lingers and socket.descriptors == 1 else None
        if linger and socket.settings.is_nonblocking:
            raise WinsockError(WSAEWOULDBLOCK)
        if not self._sockets.remove(s):
            return 0
        self._provider.closing(socket)
        is_abortive = linger == 0
        if linger:
            assert isinstance(socket, StreamSocket)
            is_abortive = not self._linger(socket, linger)
        with self._provider.host.pump as now:
            self._release(socket, now, is_abortive=is_abortive)
        return 0

    def _reset(self, descriptor: int) -> None:
        socket = self._sockets.find(descriptor)
        if self._sockets.remove(descriptor):
            self._provider.closing(socket)
            with self._provider.host.pump as now:
                self._release(socket, now, is_abortive=True)

    def _release(self, socket: Socket, now: Instant, *, is_abortive: bool) -> None:
        Duplicates.of(self._provider.host).forget(socket)
        socket.release(now, is_abortive=is_abortive)

    def _linger(self, socket: StreamSocket, seconds: int) -> bool:
        """Whether the peer got everything in time."""
        with self._provider.host.pump as now:
            socket.is_send_shut = True
            socket.settle(now)

        def attempt(now: Instant) -> Outcome | None:
            is_over = socket.has_peer_our_end or socket.live.error is not None
            return Outcome() if is_over else None

        try:
            perform(socket, FD_CLOSE, attempt, Way("WSPCloseSocket", timeout=seconds * MILLISECONDS))
        except WinsockError as refusal:
            if refusal.code == WSAETIMEDOUT:
                return False
            raise
        return True

    @answers(SOCKET_ERROR)
    def WSPCleanup(self) -> int:
        """Sockets that are open are reset; those that were closed before finish what they have to send (WSACleanup
        function).  Afterwards every function answers WSANOTINITIALISED, this one included."""
        self._sockets.check_open()
        for descriptor in self._sockets.numbers():
            with suppress(WinsockError):  # a completion routine, or another thread, has closed it meanwhile
                self._reset(descriptor)
        with self._provider.host.pump:
            self._provider.address_lists.close()
            self._sockets.is_open = False
        return 0
