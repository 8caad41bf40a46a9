"""WSPEventSelect and WSPEnumNetworkEvents, for FD_CONNECT and FD_ACCEPT (SAN-7.WSPEventSelect)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import (
    FD_ACCEPT,
    FD_ACCEPT_BIT,
    FD_CONNECT,
    FD_CONNECT_BIT,
    FD_MAX_EVENTS,
    NO_ERROR,
    WSAEFAULT,
    WSAEINVAL,
)
from wsknet.san.provider.answers import Failed, answers
from wsknet.san.provider.arguments import is_length
from wsknet.san.structures import WSANETWORKEVENTS

if TYPE_CHECKING:
    from wsknet.san.provider.process import Process

_BITS = {FD_ACCEPT: FD_ACCEPT_BIT, FD_CONNECT: FD_CONNECT_BIT}
"""The events that the switch asks a provider for (synchronizing-operations-on-a-san), and where their errors go."""
ALL_EVENTS = FD_ACCEPT | FD_CONNECT


class Selection:
    """The network events of one socket: which are wanted, and which have happened since they were last fetched."""

    def __init__(self) -> None:
        self.event: WSAEVENT | None = None
        self._wanted = 0
        self._happened: dict[int, int] = {}
        """Event and its error."""

    def happen(self, event: int, error: int = NO_ERROR) -> None:
        self._happened[event] = error
        if self._wanted & event and self.event is not None:
            self.event.SetEvent()

    def forget(self, event: int) -> None:
        self._happened.pop(event, None)

    def select(self, event: WSAEVENT | None, wanted: int) -> None:
        """In place of what was selected before.  What has happened already and nobody has fetched signals at once."""
        self.event, self._wanted = event, wanted
        if event is not None and any(wanted & happened for happened in self._happened):
            event.SetEvent()

    def fetch(self, into: WSANETWORKEVENTS) -> None:
        into.lNetworkEvents = 0
        into.iErrorCode = [NO_ERROR] * FD_MAX_EVENTS
        for event, error in list(self._happened.items()):
            if event & self._wanted:
                into.lNetworkEvents |= event
                into.iErrorCode[_BITS[event]] = error
                del self._happened[event]


@answers()
def WSPEventSelect(process: Process, s: int, hEventObject: WSAEVENT | None, lNetworkEvents: int) -> int:
    """Signal `hEventObject` when one of `lNetworkEvents` happens; 0 ends it.

    The socket does not block in any case.  WSAEINVAL for other events, or for events without an object to signal.
    """
    with process.host.pump:
        socket = process.socket(s)
        if not is_length(lNetworkEvents) or lNetworkEvents & ~ALL_EVENTS:
            raise Failed(WSAEINVAL)
        if lNetworkEvents and not isinstance(hEventObject, WSAEVENT):
            raise Failed(WSAEINVAL)
        socket.selection.select(hEventObject if lNetworkEvents else None, lNetworkEvents)
        if socket.listening is not None:
            socket.listening.announce(socket.selection)
    return NO_ERROR


@answers()
def WSPEnumNetworkEvents(
    process: Process,
    s: int,
    hEventObject: WSAEVENT | None,
    lpNetworkEvents: WSANETWORKEVENTS,
) -> int:
    """What has happened since the last call, and its errors.  `hEventObject` is reset, if given.

    FD_ACCEPT does not come again before WSPAccept was called.
    """
    with process.host.pump:
        socket = process.socket(s)
        if not isinstance(lpNetworkEvents, WSANETWORKEVENTS):
            raise Failed(WSAEFAULT)
        if hEventObject is not None and not isinstance(hEventObject, WSAEVENT):
            raise Failed(WSAEINVAL)
        if hEventObject is not None:
            hEventObject.ResetEvent()
        socket.selection.fetch(lpNetworkEvents)
    return NO_ERROR
