"""Event objects of an application, and network events that set them (ws2_32)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wsknet.san.events import WSAEVENT, WSAWaitForMultipleEvents
from wsknet.san.numbers import (
    SOCKET_ERROR,
    WSA_INVALID_HANDLE,
    WSA_INVALID_PARAMETER,
    WSA_MAXIMUM_WAIT_EVENTS,
    WSA_WAIT_FAILED,
)

if TYPE_CHECKING:
    from wsknet.host import Host


class EventFunctions(ABC):
    host: Host

    @abstractmethod
    def _call(self, function: str, failed: int, *arguments: Any) -> int: ...

    @abstractmethod
    def _fail(self, error: int, answer: int = SOCKET_ERROR) -> int: ...

    def WSACreateEvent(self) -> WSAEVENT:
        """Manual-reset, not signalled."""
        return WSAEVENT(self.host)

    def WSACloseEvent(self, hEvent: Any) -> bool:
        """There is nothing to release.  WSA_INVALID_HANDLE."""
        return isinstance(hEvent, WSAEVENT) or bool(self._fail(WSA_INVALID_HANDLE, False))

    def WSASetEvent(self, hEvent: Any) -> bool:
        """WSA_INVALID_HANDLE."""
        if not isinstance(hEvent, WSAEVENT):
            return bool(self._fail(WSA_INVALID_HANDLE, False))
        hEvent.SetEvent()
        return True

    def WSAResetEvent(self, hEvent: Any) -> bool:
        """WSA_INVALID_HANDLE."""
        if not isinstance(hEvent, WSAEVENT):
            return bool(self._fail(WSA_INVALID_HANDLE, False))
        hEvent.ResetEvent()
        return True

    def WSAWaitForMultipleEvents(
        self, cEvents: Any, lphEvents: Any, fWaitAll: Any, dwTimeout: Any, fAlertable: Any
    ) -> int:
        """WSA_WAIT_EVENT_0 and the index of the first that is set, WSA_WAIT_TIMEOUT, or WSA_WAIT_FAILED with
        WSA_INVALID_PARAMETER or WSA_INVALID_HANDLE.

        Completion routines run whether or not the wait is alertable.
        """
        if not isinstance(cEvents, int) or not 0 < cEvents <= WSA_MAXIMUM_WAIT_EVENTS:
            return self._fail(WSA_INVALID_PARAMETER, WSA_WAIT_FAILED)
        if not isinstance(dwTimeout, int) or not 0 <= dwTimeout <= 0xFFFF_FFFF:
            return self._fail(WSA_INVALID_PARAMETER, WSA_WAIT_FAILED)
        if not isinstance(lphEvents, Sequence) or len(lphEvents) < cEvents:
            return self._fail(WSA_INVALID_HANDLE, WSA_WAIT_FAILED)
        events = lphEvents[:cEvents]
        if not all(isinstance(event, WSAEVENT) for event in events):
            return self._fail(WSA_INVALID_HANDLE, WSA_WAIT_FAILED)
        return WSAWaitForMultipleEvents(events, bool(fWaitAll), dwTimeout)

    def WSAEventSelect(self, s: Any, hEventObject: Any, lNetworkEvents: Any) -> int:
        """Makes the socket nonblocking."""
        return self._call("lpWSPEventSelect", SOCKET_ERROR, s, hEventObject, lNetworkEvents)

    def WSAEnumNetworkEvents(self, s: Any, hEventObject: Any, lpNetworkEvents: Any) -> int:
        return self._call("lpWSPEnumNetworkEvents", SOCKET_ERROR, s, hEventObject, lpNetworkEvents)
