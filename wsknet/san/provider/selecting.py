"""WSPEventSelect and WSPEnumNetworkEvents, for FD_CONNECT and FD_ACCEPT (SAN-7.WSPEventSelect)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.arguments import check_record, read_selection
from wsknet.san.calls import answers
from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import (
    FD_ACCEPT,
    FD_ACCEPT_BIT,
    FD_CONNECT,
    FD_CONNECT_BIT,
    FD_MAX_EVENTS,
    NO_ERROR,
    SOCKET_ERROR,
)
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


@answers(SOCKET_ERROR)
def WSPEventSelect(process: Process, s: int, hEventObject: WSAEVENT | None, lNetworkEvents: int) -> int:
    """Signal `hEventObject` when one of `lNetworkEvents` happens; 0 ends it.

    The socket does not block in any case.  WSAEINVAL for other events, or for events without an object to signal.
    """
    with process.host.pump:
        socket = process.socket(s)
        socket.selection.select(*read_selection(hEventObject, lNetworkEvents, ALL_EVENTS))
        if socket.listening is not None:
            socket.listening.announce(socket.selection)
    return NO_ERROR


@answers(SOCKET_ERROR)
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
        check_record(hEventObject, lpNetworkEvents)
        if isinstance(hEventObject, WSAEVENT):
            hEventObject.ResetEvent()
        socket.selection.fetch(lpNetworkEvents)
    return NO_ERROR
