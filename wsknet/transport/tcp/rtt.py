"""Round-trip time and retransmission timeout: RFC 6298.  Karn's rule (section 3) is kept by `delivery`, which takes no
sample from a segment that was sent twice unless timestamps tell the copies apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.types import MILLISECOND, SECOND, Duration

if TYPE_CHECKING:
    from wsknet.tcp_policy import TcpPolicy

_RTO_AFTER_LOST_SYN = 3 * SECOND
"""RFC 6298 5.7."""
_MIN_PROBE_TIMEOUT = 10 * MILLISECOND
"""Of a tail loss probe: two round trips can be less than what it takes to schedule a process
(draft-dukkipati-tcpm-tcp-loss-probe-01 2, where RFC 8985 7.2 leaves it open)."""
_PROBE_TIMEOUT_BEFORE_SAMPLES = 1 * SECOND
"""RFC 8985 7.2."""


class RoundTrip:
    __slots__ = ("_max", "_min", "_min_variation", "first", "probe_timeout", "rto", "smoothed", "variation")

    def __init__(self, policy: TcpPolicy) -> None:
        self._min = policy.min_rto
        self._max = policy.max_rto
        self._min_variation = policy.min_rto_variation
        self.smoothed: Duration | None = None
        """SRTT; `None` before the first sample."""
        self.first: Duration | None = None
        """That sample, mostly of the handshake."""
        self.variation: Duration = 0
        self.rto: Duration = policy.initial_rto
        """Backed off until a new sample says otherwise (RFC 6298 5.5 and 5.7)."""
        self.probe_timeout: Duration = _PROBE_TIMEOUT_BEFORE_SAMPLES
        """PTO of RFC 8985 7.2, for more than one segment in flight."""

    def sample(self, measured: Duration) -> None:
        """RFC 6298 2.2 and 2.3.  `TcpPolicy.min_rto_variation` is in the place of the clock granularity G."""
        if self.smoothed is None:
            self.smoothed = self.first = measured
            self.variation = measured >> 1
        else:
            self.variation += (abs(self.smoothed - measured) - self.variation) >> 2
            self.smoothed += (measured - self.smoothed) >> 3
        variation = 4 * self.variation
        if variation < self._min_variation:  # noqa: PLR1730 - on the hot path
            variation = self._min_variation
        self.rto = min(max(self.smoothed + variation, self._min), self._max)
        self.probe_timeout = max(2 * self.smoothed, _MIN_PROBE_TIMEOUT)

    def back_off(self) -> None:
        self.rto = min(self.rto * 2, self._max)

    def syn_was_lost(self) -> None:
        """The handshake needed a retransmission, so there is no sample: start data with a longer timeout."""
        if self.smoothed is None:
            self.rto = max(_RTO_AFTER_LOST_SYN, self._min)
