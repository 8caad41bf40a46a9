"""HyStart++, RFC 9406: slow start ends when the delay grows, before the queue in the path overflows.

Windows does this (`HyStart` in `netsh interface tcp show global`), and Linux's CUBIC its own older form (`hystart`
of tcp_cubic).
"""

from __future__ import annotations

from wsknet.types import MILLISECOND, Duration

MIN_RTT_THRESHOLD = 4 * MILLISECOND
"""RFC 9406 4.3, MIN_RTT_THRESH; so are the others."""
MAX_RTT_THRESHOLD = 16 * MILLISECOND
MIN_RTT_DIVISOR = 8
SAMPLES = 8
"""N_RTT_SAMPLE: a round with fewer tells nothing.  With one sample per round trip, as without timestamps or RACK, slow
start is the usual one."""
CONSERVATIVE_DIVISOR = 4
"""CSS_GROWTH_DIVISOR."""
CONSERVATIVE_ROUNDS = 5
"""CSS_ROUNDS."""
BURST_SEGMENTS = 8
"""L, for a sender that does not pace: what one acknowledgement may add to the window."""


class HyStart:
    """One slow start.  It turns into conservative slow start (CSS) when a round's least delay is well above that of the
    round before, back if that was an error, and into congestion avoidance if not."""

    __slots__ = ("_baseline", "_last", "_least", "_left", "_rounds", "_samples")

    def __init__(self) -> None:
        self._left = 0
        """Bytes to be acknowledged until the round ends.  Stands for windowEnd: that is SND.NXT when a round begins."""
        self._last: Duration | None = None
        """lastRoundMinRTT."""
        self._least: Duration | None = None
        """currentRoundMinRTT."""
        self._samples = 0
        self._baseline: Duration | None = None
        """cssBaselineMinRtt; `None` outside of CSS."""
        self._rounds = 0
        """Of CSS, the one in which it began included."""

    def growth(self, count: int, segment_size: int) -> int:
        """What `count` bytes acknowledged at once add to the window."""
        credit = min(count, BURST_SEGMENTS * segment_size)
        return credit if self._baseline is None else credit // CONSERVATIVE_DIVISOR

    def acknowledged(self, count: int, flight: int, round_trip: Duration | None) -> bool:
        """Called for every acknowledgement in slow start, after the window has grown by `growth`; `flight` is from
        before it.  True: slow start is over."""
        if round_trip is not None:
            self._samples += 1
            self._least = round_trip if self._least is None else min(self._least, round_trip)
            if self._samples >= SAMPLES:
                self._judge(self._least)
        self._left -= count
        return self._left <= 0 and self._end_round(flight - count)

    def _judge(self, least: Duration) -> None:
        if self._baseline is not None:
            if least < self._baseline:
                self._baseline = None
        elif self._last is not None:
            rise = max(MIN_RTT_THRESHOLD, min(self._last // MIN_RTT_DIVISOR, MAX_RTT_THRESHOLD))
            if least >= self._last + rise:
                self._baseline = least
                self._rounds = 0

    def _end_round(self, flight: int) -> bool:
        self._left = flight
        self._last = self._least
        self._least = None
        self._samples = 0
        if self._baseline is None:
            return False
        self._rounds += 1
        return self._rounds >= CONSERVATIVE_ROUNDS
