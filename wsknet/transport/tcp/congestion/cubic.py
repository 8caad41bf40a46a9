"""CUBIC, RFC 9438: the window follows a cubic function of the time since the last congestion, whatever the round trip.

Where this leaves the letter of the RFC, it does as Linux's tcp_cubic:

- 4.4 and 4.5 add ``(target - cwnd) / cwnd`` per acknowledgement; here it is per segment acknowledged.  Only so does the
  window arrive at `target` after one round trip if the peer acknowledges every second segment.
- A curve whose W_max lies below the window it begins with begins at its plateau, as 4.8 and 4.10 have it for the cases
  without a W_max; the cube root of 4.2 would be negative and the curve steep from the start.
"""

from __future__ import annotations

from math import cbrt

from wsknet.transport.tcp.congestion.base import LARGEST_WINDOW, CongestionControl
from wsknet.transport.tcp.congestion.hystart import BURST_SEGMENTS, HyStart
from wsknet.types import SECOND, Duration, Instant

C = 0.4
"""RFC 9438 5.1, segments per second cubed."""
BETA = 0.7
"""RFC 9438 4.6, what is left of the window."""
ALPHA = 3 * (1 - BETA) / (1 + BETA)
"""RFC 9438 4.3, segments per round trip with which Reno would keep up if it fell to `BETA` only."""
_MOST_GROWTH = 1.5
"""RFC 9438 4.2: the target for the next round trip, in windows."""
_SMOOTHING = 8
"""RFC 6298 2.3: one part in eight of a new sample."""


class _Epoch:
    """One stage of congestion avoidance.  Sizes in bytes, fractions of them count."""

    __slots__ = ("_scale", "elapsed", "estimate", "is_drained", "last", "peak", "time_to_peak", "window")

    def __init__(self, window: float, peak: float, segment_size: int, now: Instant) -> None:
        self._scale = C * segment_size
        self.window = window
        self.peak = peak
        """W_max."""
        self.time_to_peak = cbrt((peak - window) / self._scale)
        """K, in seconds."""
        self.estimate = window
        """W_est, what Reno's window would be."""
        self.elapsed: Duration = 0
        """t: only while it is the window that limits (RFC 9438 4.2, 5.8)."""
        self.last = now
        """When an acknowledgement last moved or stopped the clock."""
        self.is_drained = False
        """That one left nothing in flight."""

    def advance(self, now: Instant, round_trip: Duration) -> None:
        """The window was the limit since the last acknowledgement, but for the time in which nothing was in flight:
        that is all beyond the one round trip which it takes to hear something again."""
        passed = now - self.last
        self.elapsed += min(passed, round_trip) if self.is_drained and round_trip else passed
        self.last = now

    def at(self, ahead: Duration) -> float:
        """W_cubic, `ahead` from now."""
        distance = (self.elapsed + ahead) / SECOND - self.time_to_peak
        return self.peak + self._scale * distance * distance * distance


class Cubic(CongestionControl):
    """Slow start counts all that was acknowledged, up to eight segments at once (RFC 9406 4.2).  That the peer delays
    acknowledgements does not slow it down then, as in Linux, where RFC 5681's one segment would.  After a timeout it is
    one segment, since an acknowledgement may then cover what had arrived long before (RFC 3465 2.3).

    `has_hystart`: the first slow start is HyStart++ (RFC 9406 4.3: later ones know their threshold).
    """

    __slots__ = ("_before_own", "_burst", "_epoch", "_hystart", "_peak", "_prior", "_round_trip")

    def __init__(self, segment_size: int, initial_segments: int, has_hystart: bool = True) -> None:
        super().__init__(segment_size, initial_segments)
        self._hystart = HyStart() if has_hystart else None
        self._epoch: _Epoch | None = None
        self._peak = 0.0
        """W_max for the next epoch; 0 if there is none, because there was no loss yet (RFC 9438 4.10) or a timeout
        (4.8).  Then it is the window that the epoch begins with."""
        self._prior = 0
        """cwnd_prior: the window before the latest reduction."""
        self._burst = BURST_SEGMENTS
        """Segments that one acknowledgement may add to the window in slow start."""
        self._round_trip: Duration = 0
        """Smoothed; 0 before the first sample."""
        self._before_own: tuple[_Epoch | None, HyStart | None, float, int, int] = (None, None, 0.0, 0, 0)
        """All of these from before the latest reduction."""

    def acknowledged(self, count: int, flight: int, now: Instant, round_trip: Duration | None) -> None:
        if count == flight and 2 * flight <= self.window and flight + self.segment_size < self.window:
            # The hot path of conversations: nothing is proved (see `is_limit`), and one sample is no round of HyStart.
            if self._epoch is not None:
                self._epoch.last = now
                self._epoch.is_drained = True
            return
        if round_trip is not None:
            smoothed = self._round_trip
            self._round_trip = smoothed + (round_trip - smoothed) // _SMOOTHING if smoothed else round_trip
        if self.is_limit(flight):
            left = self._slow_start(count) if self.window < self.threshold else count
            if left:
                self._avoid(left, now)
        elif self._epoch is not None:
            self._epoch.last = now
        if self._epoch is not None:
            self._epoch.is_drained = count >= flight
        if self._hystart is not None and self._hystart.acknowledged(count, flight, round_trip):
            self.threshold = max(self.window, 2 * self.segment_size)
            self._hystart = None

    def _slow_start(self, count: int) -> int:
        """Returns what is left for congestion avoidance."""
        if self._hystart is not None:
            growth = self._hystart.growth(count, self.segment_size)
        else:
            growth = min(count, self._burst * self.segment_size)
        room = self.threshold - self.window
        if growth < room:
            self.window += growth
            return 0
        self.window = self.threshold
        self._burst = BURST_SEGMENTS
        return growth - room

    def _avoid(self, count: int, now: Instant) -> None:
        epoch = self._epoch
        if epoch is None:
            epoch = self._epoch = self._begin(now)
        epoch.advance(now, self._round_trip)
        window = epoch.window
        share = min(count / window, 1.0)
        epoch.estimate += (1.0 if epoch.estimate >= self._prior else ALPHA) * share * self.segment_size
        if epoch.at(0) < epoch.estimate:
            window = max(window, epoch.estimate)
        else:
            target = min(max(epoch.at(self._round_trip), window), _MOST_GROWTH * window)
            window += (target - window) * share
        epoch.window = min(window, float(LARGEST_WINDOW))
        self.window = int(epoch.window)

    def _begin(self, now: Instant) -> _Epoch:
        window = self.window
        self._prior = self._prior or window
        self._peak = max(self._peak, float(window))
        return _Epoch(float(window), self._peak, self.segment_size, now)

    def set_segment_size(self, segment_size: int) -> None:
        super().set_segment_size(segment_size)
        self._epoch = None
        self._before_own = (None, *self._before_own[1:])

    def idle(self, now: Instant) -> None:
        window = self.window
        super().idle(now)
        if self._hystart is not None:
            self._hystart = HyStart()
        if self.window < window:
            self._epoch = None
        elif self._epoch is not None:
            self._epoch.last = now

    def _reduce(self, flight: int, is_timeout: bool) -> int:
        window = self.window
        self._prior = window
        self._epoch = self._hystart = None
        if is_timeout:
            self._peak = 0.0
            self._burst = 1
        else:
            # Fast convergence, RFC 9438 4.7: a flow that did not get as far as last time makes room.
            self._peak = window * (1 + BETA) / 2 if window < self._peak else float(window)
        return int(self._exposed(flight) * BETA)

    def _remember(self) -> None:
        super()._remember()
        self._before_own = (self._epoch, self._hystart, self._peak, self._prior, self._burst)

    def _restore(self, now: Instant) -> None:
        """RFC 9438 4.9.2.  The time since the reduction does not count: the window did not follow the curve in it."""
        self._epoch, self._hystart, self._peak, self._prior, self._burst = self._before_own
        if self._epoch is not None:
            self._epoch.last = now
