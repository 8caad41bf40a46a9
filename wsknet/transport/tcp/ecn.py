"""Explicit congestion notification: RFC 3168 5 and 6.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.wire.tcp import CWR, ECE

if TYPE_CHECKING:
    from wsknet.transport.tcp.seq import Position

ECT_0 = 0b10
"""In the traffic class: the transport at both ends understands ECN."""
CE = 0b11
"""A router is congested."""
SETUP = ECE | CWR
"""In a SYN that asks for ECN; a SYN-ACK grants it by ECE alone (RFC 3168 6.1.1)."""


class Ecn:
    """Of one connection on which both ends use it."""

    __slots__ = ("_has_reduced", "_is_echoing", "_reduced_at")

    def __init__(self, start: Position) -> None:
        self._is_echoing = False
        """CE was received, and the peer has not said since that it has reduced its window."""
        self._has_reduced = False
        """The next new segment says so of us."""
        self._reduced_at: Position = start
        """What was sent up to then: echoes before it is acknowledged tell nothing new."""

    def flags(self, is_new: bool) -> int:
        """For a segment that leaves now."""
        flags = ECE if self._is_echoing else 0
        if is_new and self._has_reduced:
            self._has_reduced = False
            flags |= CWR
        return flags

    def received(self, flags: int, traffic_class: int) -> bool:
        """A segment with data; whether it was marked, so that the peer should hear of it at once."""
        if flags & CWR:
            self._is_echoing = False
        if traffic_class & CE == CE:
            self._is_echoing = True
            return True
        return False

    def is_new_echo(self, flags: int, una: Position) -> bool:
        """Whether the segment demands a smaller window: once per round trip (RFC 3168 6.1.2)."""
        return bool(flags & ECE) and una > self._reduced_at

    def reduced(self, nxt: Position) -> None:
        self._reduced_at = nxt
        self._has_reduced = True
