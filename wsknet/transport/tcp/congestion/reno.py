"""Slow start, congestion avoidance, and the halving of RFC 5681."""

from __future__ import annotations

from wsknet.transport.tcp.congestion.base import CongestionControl
from wsknet.types import Duration, Instant


class Reno(CongestionControl):
    __slots__ = ("_counted",)

    def __init__(self, segment_size: int, initial_segments: int) -> None:
        super().__init__(segment_size, initial_segments)
        self._counted = 0
        """Bytes acknowledged towards the next segment of growth in congestion avoidance."""

    def acknowledged(self, count: int, flight: int, now: Instant, round_trip: Duration | None) -> None:
        window = self.window
        if flight + self.segment_size < window:
            return  # the application, not the window, was the limit: it has proved nothing
        if window < self.threshold:
            self.window = window + min(count, self.segment_size)
            return
        self._counted += count
        if self._counted >= window:
            self._counted -= window
            self.window = window + self.segment_size

    def loss_detected(self, flight: int, now: Instant) -> None:
        self.window = self.threshold = self._half(flight)
        self._counted = 0

    def recovered(self, flight: int, now: Instant) -> None:
        # RFC 6582 3.2, step 3, option 1: no burst if little is in flight.
        self.window = min(self.threshold, max(flight, self.segment_size) + self.segment_size)

    def timed_out(self, flight: int, is_repeated: bool, now: Instant) -> None:
        if not is_repeated:
            self.threshold = self._half(flight)
        self.window = self.segment_size
        self._counted = 0

    def _half(self, flight: int) -> int:
        return max(flight // 2, 2 * self.segment_size)
