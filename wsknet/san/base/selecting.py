"""WSPEventSelect and WSPEnumNetworkEvents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.san.arguments import check_record, read_selection
from wsknet.san.calls import answers
from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import FD_ALL_EVENTS, SOCKET_ERROR

if TYPE_CHECKING:
    from wsknet.san.base.provider import TcpipProvider


class SelectFunctions:
    def __init__(self, provider: TcpipProvider) -> None:
        self._provider = provider
        self._sockets = provider.descriptors

    @answers(SOCKET_ERROR)
    def WSPEventSelect(self, s: Any, hEventObject: Any, lNetworkEvents: Any) -> int:
        """Makes the socket nonblocking, also with lNetworkEvents of 0, which ends the association.  What holds already
        is recorded at once."""
        socket = self._sockets.find(s)
        event, mask = read_selection(hEventObject, lNetworkEvents, FD_ALL_EVENTS)
        with self._provider.host.pump as now:
            socket.settings.is_nonblocking = True
            socket.events.select(event, mask)
            socket.settle(now)
        return 0

    @answers(SOCKET_ERROR)
    def WSPEnumNetworkEvents(self, s: Any, hEventObject: Any, lpNetworkEvents: Any) -> int:
        """The record is copied and cleared, and hEventObject reset if there is one, in one step."""
        socket = self._sockets.find(s)
        check_record(hEventObject, lpNetworkEvents)
        with self._provider.host.pump:
            if isinstance(hEventObject, WSAEVENT):
                hEventObject.ResetEvent()
            socket.events.take(lpNetworkEvents)
        return 0
