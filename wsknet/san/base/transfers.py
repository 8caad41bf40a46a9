"""WSPSend, WSPSendTo, WSPRecv, WSPRecvFrom, WSPGetOverlappedResult."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.san.arguments import check_room, is_pointer_to_number, number, read_destination, store_name
from wsknet.san.base.arguments import read_overlapped, views_of
from wsknet.san.base.datagram_socket import DatagramSocket, destination_of
from wsknet.san.base.operations import Outcome, Way, perform
from wsknet.san.calls import WinsockError, answers
from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import (
    FD_OOB,
    FD_READ,
    FD_WRITE,
    MSG_OOB,
    SOCKET_ERROR,
    WSA_INVALID_HANDLE,
    WSA_IO_INCOMPLETE,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSS_OPERATION_IN_PROGRESS,
)
from wsknet.san.structures import INT, WSAOVERLAPPED

if TYPE_CHECKING:
    from wsknet.san.base.operations import Attempt
    from wsknet.san.base.provider import TcpipProvider
    from wsknet.san.base.sockets import Socket
    from wsknet.types import Endpoint, Instant


class TransferFunctions:
    def __init__(self, provider: TcpipProvider) -> None:
        self._provider = provider
        self._sockets = provider.descriptors

    @answers(SOCKET_ERROR)
    def WSPSend(
        self,
        s: Any,
        lpBuffers: Any,
        dwBufferCount: Any,
        lpNumberOfBytesSent: Any,
        dwFlags: Any,
        lpOverlapped: Any,
        lpCompletionRoutine: Any,
        lpThreadId: Any,
    ) -> int:
        socket = self._sockets.find(s)
        call = (lpBuffers, dwBufferCount, lpNumberOfBytesSent, dwFlags, lpOverlapped, lpCompletionRoutine)
        return _send(socket, "WSPSend", None, *call)

    @answers(SOCKET_ERROR)
    def WSPSendTo(
        self,
        s: Any,
        lpBuffers: Any,
        dwBufferCount: Any,
        lpNumberOfBytesSent: Any,
        dwFlags: Any,
        lpTo: Any,
        iTolen: Any,
        lpOverlapped: Any,
        lpCompletionRoutine: Any,
        lpThreadId: Any,
    ) -> int:
        """A stream socket has but one peer: lpTo is not looked at."""
        socket = self._sockets.find(s)
        to = read_destination(lpTo, iTolen) if lpTo is not None and isinstance(socket, DatagramSocket) else None
        call = (lpBuffers, dwBufferCount, lpNumberOfBytesSent, dwFlags, lpOverlapped, lpCompletionRoutine)
        return _send(socket, "WSPSendTo", destination_of(socket, to), *call)

    @answers(SOCKET_ERROR)
    def WSPRecv(
        self,
        s: Any,
        lpBuffers: Any,
        dwBufferCount: Any,
        lpNumberOfBytesRecvd: Any,
        lpFlags: Any,
        lpOverlapped: Any,
        lpCompletionRoutine: Any,
        lpThreadId: Any,
    ) -> int:
        socket = self._sockets.find(s)
        call = (lpBuffers, dwBufferCount, lpNumberOfBytesRecvd, lpFlags, lpOverlapped, lpCompletionRoutine)
        return _receive(socket, "WSPRecv", None, None, *call)

    @answers(SOCKET_ERROR)
    def WSPRecvFrom(
        self,
        s: Any,
        lpBuffers: Any,
        dwBufferCount: Any,
        lpNumberOfBytesRecvd: Any,
        lpFlags: Any,
        lpFrom: Any,
        lpFromlen: Any,
        lpOverlapped: Any,
        lpCompletionRoutine: Any,
        lpThreadId: Any,
    ) -> int:
        """The address is that of a datagram; of a stream socket lpFrom stays as it is."""
        socket = self._sockets.find(s)
        if isinstance(socket, DatagramSocket) and lpFrom is not None:
            check_room(lpFrom, lpFromlen)
        call = (lpBuffers, dwBufferCount, lpNumberOfBytesRecvd, lpFlags, lpOverlapped, lpCompletionRoutine)
        source: list[Endpoint] = []
        into = (lpFrom, lpFromlen) if lpFrom is not None else None
        return _receive(socket, "WSPRecvFrom", source, into, *call)

    @answers(False)
    def WSPGetOverlappedResult(self, s: Any, lpOverlapped: Any, lpcbTransfer: Any, fWait: Any, lpdwFlags: Any) -> bool:
        """With fWait the operation must have been given an event: WSA_INVALID_HANDLE."""
        self._sockets.find(s)
        if not isinstance(lpOverlapped, WSAOVERLAPPED):
            raise WinsockError(WSAEINVAL)
        if not isinstance(lpcbTransfer, INT) or not isinstance(lpdwFlags, INT):
            raise WinsockError(WSAEINVAL)
        if lpOverlapped.Internal == WSS_OPERATION_IN_PROGRESS:
            if not fWait:
                raise WinsockError(WSA_IO_INCOMPLETE)
            if not isinstance(lpOverlapped.hEvent, WSAEVENT):
                raise WinsockError(WSA_INVALID_HANDLE)
            driver = self._provider.host.driver
            driver.block(lambda: lpOverlapped.Internal != WSS_OPERATION_IN_PROGRESS, "WSPGetOverlappedResult", None)
        if lpOverlapped.Internal:
            raise WinsockError(lpOverlapped.Internal)
        lpcbTransfer.Value = lpOverlapped.InternalHigh
        lpdwFlags.Value = lpOverlapped.Offset
        return True


def _may_wait(socket: Socket, lpOverlapped: Any) -> bool:
    return not socket.settings.is_nonblocking or lpOverlapped is not None


def _check_count(lpNumber: Any, lpOverlapped: Any) -> None:
    """It may be NULL only for an overlapped call."""
    if not isinstance(lpNumber, INT) and (lpNumber is not None or lpOverlapped is None):
        raise WinsockError(WSAEFAULT)


def _send(
    socket: Socket,
    what: str,
    to: Endpoint | None,
    lpBuffers: Any,
    dwBufferCount: Any,
    lpNumberOfBytesSent: Any,
    dwFlags: Any,
    lpOverlapped: Any,
    lpCompletionRoutine: Any,
) -> int:
    lpOverlapped = read_overlapped(lpOverlapped, lpCompletionRoutine, is_overlapped=socket.is_overlapped)
    data = views_of(lpBuffers, dwBufferCount, are_filled=False)
    _check_count(lpNumberOfBytesSent, lpOverlapped)
    attempt = socket.sending(data, number(dwFlags), to, may_wait=_may_wait(socket, lpOverlapped))
    way = Way(what, lpOverlapped, lpCompletionRoutine, socket.settings.send_timeout)
    outcome = perform(socket, FD_WRITE, attempt, way)
    if outcome.error:
        raise WinsockError(outcome.error)
    if lpNumberOfBytesSent is not None:
        lpNumberOfBytesSent.Value = outcome.transferred
    return 0


def _receive(
    socket: Socket,
    what: str,
    source: list[Endpoint] | None,
    into: tuple[Any, Any] | None,
    lpBuffers: Any,
    dwBufferCount: Any,
    lpNumberOfBytesRecvd: Any,
    lpFlags: Any,
    lpOverlapped: Any,
    lpCompletionRoutine: Any,
) -> int:
    lpOverlapped = read_overlapped(lpOverlapped, lpCompletionRoutine, is_overlapped=socket.is_overlapped)
    views = views_of(lpBuffers, dwBufferCount, are_filled=True)
    _check_count(lpNumberOfBytesRecvd, lpOverlapped)
    if not is_pointer_to_number(lpFlags):
        raise WinsockError(WSAEFAULT)
    flags = lpFlags.Value
    attempt = socket.receiving(views, flags, source, may_wait=_may_wait(socket, lpOverlapped))
    if source is not None and into is not None:
        attempt = _telling(attempt, source, *into)
    way = Way(what, lpOverlapped, lpCompletionRoutine, socket.settings.receive_timeout, FD_READ | FD_OOB)
    outcome = perform(socket, FD_OOB if flags & MSG_OOB else FD_READ, attempt, way)
    if outcome.error not in (0, WSAEMSGSIZE):
        raise WinsockError(outcome.error)
    if lpNumberOfBytesRecvd is not None:
        lpNumberOfBytesRecvd.Value = outcome.transferred
    if outcome.error:
        raise WinsockError(outcome.error)
    lpFlags.Value = outcome.flags
    return 0


def _telling(attempt: Attempt, source: list[Endpoint], lpFrom: Any, lpFromlen: Any) -> Attempt:
    """Store the sender at the moment in which the datagram is received."""

    def tell(now: Instant) -> Outcome | None:
        outcome = attempt(now)
        if outcome is not None and source:
            store_name(lpFrom, lpFromlen, source[0])
        return outcome

    return tell
