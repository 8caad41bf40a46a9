"""What was lost: duplicate acknowledgements and NewReno.  RFC 5681 3.2, RFC 6582, RFC 3042.

This decides only *when* the first unacknowledged segment goes out again; `send` does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsknet.transport.tcp.congestion.base import CongestionControl
    from wsknet.transport.tcp.seq import Position
    from wsknet.types import Duration, Instant

_DUPLICATES = 3
"""RFC 5681 3.2: DupThresh."""


class Recovery:
    __slots__ = ("_congestion", "duplicates", "inflation", "is_active", "is_first_partial", "recover", "retries")

    def __init__(self, congestion: CongestionControl, start: Position) -> None:
        self._congestion = congestion
        self.duplicates = 0
        self.inflation = 0
        """Bytes that may be in flight beyond the congestion window: one segment per duplicate, as each one says that a
        segment has left the network."""
        self.is_active = False
        """Fast recovery is under way."""
        self.is_first_partial = False
        """The next partial acknowledgement is the first one: only that restarts the retransmission timer."""
        self.recover = start
        """What was sent up to when the last loss was noticed; below it duplicates tell nothing new (RFC 6582 3.2)."""
        self.retries = 0
        """How often the first unacknowledged segment has been repeated by timeout."""

    def duplicate(self, una: Position, sent: Position, now: Instant) -> bool:
        """An acknowledgement told nothing new while data is in flight.  True: send the segment at `una` again."""
        size = self._congestion.segment_size
        if self.is_active:
            self.inflation += size
            return False
        self.duplicates += 1
        if self.duplicates < _DUPLICATES:
            self.inflation = self.duplicates * size  # limited transmit, RFC 3042
            return False
        if una < self.recover:
            return False
        self._congestion.loss_detected(sent - una, now)
        self.is_active = self.is_first_partial = True
        self.recover = sent
        self.inflation = _DUPLICATES * size
        return True

    def acknowledged(
        self, una: Position, count: int, sent: Position, now: Instant, round_trip: Duration | None
    ) -> bool:
        """`count` new bytes end at `una`.  True: a partial acknowledgement, the segment at `una` is lost, too."""
        self.retries = 0
        congestion = self._congestion
        if not self.is_active:
            if self.duplicates:
                self.duplicates = self.inflation = 0
            congestion.acknowledged(count, sent - una + count, now, round_trip)
            return False
        if una >= self.recover:
            self.is_active = False
            self.duplicates = self.inflation = 0
            congestion.recovered(sent - una, now)
            return False
        self.inflation = max(self.inflation - count, 0)
        if count >= congestion.segment_size:
            self.inflation += congestion.segment_size
        return True

    def timed_out(self, una: Position, sent: Position, now: Instant) -> None:
        self._congestion.timed_out(sent - una, self.retries > 0, now)
        self.retries += 1
        self.is_active = False
        self.duplicates = self.inflation = 0
        self.recover = sent
