"""The network event record of a socket: WSPEventSelect, WSPEnumNetworkEvents, and when an event is told again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.numbers import FD_ALL_EVENTS, FD_MAX_EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsknet.san.events import WSAEVENT
    from wsknet.san.structures import WSANETWORKEVENTS


class NetworkEvents:
    """An event that was recorded is not recorded again before its re-enabling function is called; then at once, if what
    it tells of still holds (WSAEventSelect function, Remarks)."""

    __slots__ = ("_armed", "_errors", "_recorded", "event", "mask")

    def __init__(self) -> None:
        self.mask = 0
        self.event: WSAEVENT | None = None
        self._armed = 0
        self._recorded = 0
        self._errors = [0] * FD_MAX_EVENTS

    def select(self, event: WSAEVENT | None, mask: int) -> None:
        """From now on `event` is set for `mask`; what was recorded is forgotten."""
        self.event = event
        self.mask = mask
        self._armed = FD_ALL_EVENTS
        self._recorded = 0
        self._errors = [0] * FD_MAX_EVENTS

    def enable(self, events: int) -> None:
        self._armed |= events

    def look(self, conditions: Mapping[int, int]) -> int:
        """Record those of `conditions`, FD_* with the error of each, that are to be told; which they were."""
        told = 0
        for event, error in conditions.items():
            if event & self.mask & self._armed:
                told |= event
                self._errors[event.bit_length() - 1] = error
        if told:
            self._armed &= ~told
            self._recorded |= told
            if self.event is not None:
                self.event.SetEvent()
        return told

    def take(self, into: WSANETWORKEVENTS) -> None:
        into.lNetworkEvents = self._recorded
        into.iErrorCode = self._errors
        self._recorded = 0
        self._errors = [0] * FD_MAX_EVENTS
