"""WSPEventSelect and WSPEnumNetworkEvents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.san.base.arguments import number
from wsknet.san.base.calls import Refusal, answers
from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import FD_ALL_EVENTS, SOCKET_ERROR, WSAEFAULT, WSAEINVAL
from wsknet.san.structures import WSANETWORKEVENTS

if TYPE_CHECKING:
    from wsknet.san.base.provider import TcpipProvider


class SelectFunctions:
    def __init__(self, provider: TcpipProvider) -> None:
        self._provider = provider
        self._sockets = provider.descriptors

    @answers(SOCKET_ERROR)
    def WSPEventSelect(self, s: Any, hEventObject: Any, lNetworkEvents: Any, lpErrno: Any) -> int:
        """Makes the socket nonblocking, also with lNetworkEvents of 0, which ends the association.  What holds already
        is recorded at once."""
        socket = self._sockets.find(s)
        mask = number(lNetworkEvents)
        if mask & ~FD_ALL_EVENTS or (mask and not isinstance(hEventObject, WSAEVENT)):
            raise Refusal(WSAEINVAL)
        with self._provider.host.pump as now:
            socket.settings.is_nonblocking = True
            socket.events.select(hEventObject if mask else None, mask)
            socket.settle(now)
        return 0

    @answers(SOCKET_ERROR)
    def WSPEnumNetworkEvents(self, s: Any, hEventObject: Any, lpNetworkEvents: Any, lpErrno: Any) -> int:
        """The record is copied and cleared, and hEventObject reset if there is one, in one step."""
        socket = self._sockets.find(s)
        if hEventObject not in (None, 0) and not isinstance(hEventObject, WSAEVENT):
            raise Refusal(WSAEINVAL)
        if not isinstance(lpNetworkEvents, WSANETWORKEVENTS):
            raise Refusal(WSAEFAULT)
        with self._provider.host.pump:
            if isinstance(hEventObject, WSAEVENT):
                hEventObject.ResetEvent()
            socket.events.take(lpNetworkEvents)
        return 0
