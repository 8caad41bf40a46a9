"""Round-trip time and retransmission timeout: RFC 6298, with Karn's rule (section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.types import SECOND, Duration, Instant

if TYPE_CHECKING:
    from wsknet.tcp_policy import TcpPolicy
    from wsknet.transport.tcp.seq import Position

_RTO_AFTER_LOST_SYN = 3 * SECOND
"""RFC 6298 5.7."""


class RoundTrip:
    """One segment at a time is timed, never one that was sent twice."""

    __slots__ = ("_max", "_min", "rto", "smoothed", "timed_from", "timed_to", "variation")

    def __init__(self, policy: TcpPolicy) -> None:
        self._min = policy.min_rto
        self._max = policy.max_rto
        self.smoothed: Duration | None = None
        """SRTT; `None` before the first sample."""
        self.variation: Duration = 0
        self.rto: Duration = policy.initial_rto
        """Backed off until a new sample says otherwise (RFC 6298 5.5 and 5.7)."""
        self.timed_to: Position | None = None
        """Acknowledging this position completes a sample; `None` while nothing is timed."""
        self.timed_from = Instant(0)

    def start(self, end: Position, now: Instant) -> None:
        """Time the segment that ends at `end`; legal while `timed_to` is None and for new data only."""
        self.timed_to = end
        self.timed_from = now

    def cancel(self) -> None:
        """Something was sent again: an acknowledgement could mean either copy."""
        self.timed_to = None

    def acknowledged(self, una: Position, now: Instant) -> None:
        if self.timed_to is not None and una >= self.timed_to:
            self.timed_to = None
            self.sample(now - self.timed_from)

    def sample(self, measured: Duration) -> None:
        """RFC 6298 2.2 and 2.3.  The clock granularity G is a nanosecond and vanishes beside the lower bound."""
        if self.smoothed is None:
            self.smoothed = measured
            self.variation = measured >> 1
        else:
            self.variation += (abs(self.smoothed - measured) - self.variation) >> 2
            self.smoothed += (measured - self.smoothed) >> 3
        self.rto = min(max(self.smoothed + 4 * self.variation, self._min), self._max)

    def back_off(self) -> None:
        self.rto = min(self.rto * 2, self._max)

    def syn_was_lost(self) -> None:
        """The handshake needed a retransmission, so there is no sample: start data with a longer timeout."""
        if self.smoothed is None:
            self.rto = max(_RTO_AFTER_LOST_SYN, self._min)
