"""A sender that always has data, as a fluid: what a congestion control sees of it, without a network."""

from __future__ import annotations

from wsknet.transport.tcp.congestion.base import CongestionControl
from wsknet.types import MILLISECOND, SECOND, Duration, Instant


def ms(count: float) -> Duration:
    return int(count * MILLISECOND)


def sec(count: float) -> Duration:
    return int(count * SECOND)


class Flow:
    """Acknowledgements of `per_ack` segments each arrive evenly over the round trip; the window is always full."""

    def __init__(self, control: CongestionControl, round_trip: Duration, per_ack: int = 2) -> None:
        self.control = control
        self.round_trip = round_trip
        self.count = per_ack * control.segment_size
        self.now = Instant(5 * SECOND)

    @property
    def segments(self) -> float:
        return self.control.window / self.control.segment_size

    @property
    def flight(self) -> int:
        return self.control.window // self.control.segment_size * self.control.segment_size

    def acknowledge(self, flight: int | None = None, sample: Duration | None = None) -> None:
        before = self.flight if flight is None else flight
        self.control.acknowledged(min(self.count, before), before, self.now, sample or self.round_trip)

    def run(self, duration: Duration) -> None:
        end = self.now + duration
        while True:
            self.now = Instant(self.now + self.round_trip * self.count // self.control.window)
            if self.now > end:
                self.now = Instant(end)
                return
            self.acknowledge()

    def round(self, sample: Duration | None = None) -> None:
        """One flight is acknowledged, and another goes out in its place."""
        for _ in range(self.flight // self.count):
            self.acknowledge(sample=sample)
        self.now = Instant(self.now + self.round_trip)

    def lose(self) -> None:
        """One segment, repaired at once; then the first acknowledgement that opens congestion avoidance."""
        self.control.loss_detected(self.flight, self.now)
        self.control.recovered(self.flight, self.now)
        self.acknowledge()
