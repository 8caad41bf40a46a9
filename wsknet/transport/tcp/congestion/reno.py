"""Slow start, congestion avoidance, and the halving of RFC 5681; the end of recovery of RFC 6582 is in `base`."""

from __future__ import annotations

from wsknet.transport.tcp.congestion.base import LARGEST_WINDOW, CongestionControl
from wsknet.types import Duration, Instant


class Reno(CongestionControl):
    """Slow start adds one segment per acknowledgement at most, as RFC 5681 3.1 demands: with acknowledgements of every
    second segment that makes half as much again per round trip.  Linux's counts all that was acknowledged (RFC 3465
    without its limit), here it is `Cubic` that comes close to Linux."""

    __slots__ = ("_counted", "_counted_before")

    def __init__(self, segment_size: int, initial_segments: int) -> None:
        super().__init__(segment_size, initial_segments)
        self._counted = self._counted_before = 0
        """Bytes acknowledged towards the next segment of growth in congestion avoidance."""

    def acknowledged(self, count: int, flight: int, now: Instant, round_trip: Duration | None) -> None:
        if not self.is_limit(flight):
            return
        window = self.window
        if window < self.threshold:
            self.window = min(window + min(count, self.segment_size), LARGEST_WINDOW)
            return
        self._counted += count
        if self._counted >= window:
            self._counted -= window
            self.window = min(window + self.segment_size, LARGEST_WINDOW)

    def _reduce(self, flight: int, is_timeout: bool) -> int:
        self._counted = 0
        return self._exposed(flight) // 2

    def _remember(self) -> None:
        super()._remember()
        self._counted_before = self._counted

    def _restore(self, now: Instant) -> None:
        self._counted = self._counted_before
