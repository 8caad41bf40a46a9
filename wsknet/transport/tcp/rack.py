"""Time-based loss detection: RFC 8985 (RACK, section 6; the tail loss probe of section 7 is in `retransmission`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.types import MICROSECOND, SECOND, Duration, Instant

if TYPE_CHECKING:
    from wsknet.transport.tcp.scoreboard import Scoreboard, Sent
    from wsknet.transport.tcp.seq import Position

_DUPLICATES = 3
"""RFC 8985 6.2, step 4: DupThresh."""
_PERSISTS = 16
"""RFC 8985 6.2, step 4: recoveries for which a widened reordering window is kept."""
_MIN_ROUND_TRIP_AGE: Duration = 300 * SECOND
"""The least round trip is that of the last five minutes; tcp_min_rtt_wlen of Linux."""


class Rack:
    """A segment is lost when one that was sent sufficiently later has been delivered."""

    __slots__ = ("_farthest", "_has_seen_reordering", "_min_at", "_multiplier", "_persists", "_round_end", "at", "end",
                 "least_round_trip", "round_trip")  # fmt: skip

    def __init__(self, start: Position) -> None:
        self.at = Instant(0)
        """RACK.xmit_ts: when the segment was sent that is the latest among those delivered."""
        self.end: Position = start
        """RACK.end_seq: where that segment ended."""
        self.round_trip: Duration = 0
        """RACK.rtt: what it took."""
        self.least_round_trip: Duration | None = None
        self._min_at = Instant(0)
        self._farthest: Position = start
        """RACK.fack."""
        self._has_seen_reordering = False
        self._multiplier = 1
        self._persists = _PERSISTS
        self._round_end: Position | None = None
        """RACK.dsack_round: no further widening before this is acknowledged."""

    def delivered(self, record: Sent, now: Instant) -> None:
        """Steps 1 to 3 of section 6.2 for one segment that was acknowledged or reported for the first time."""
        taken = now - record.at
        if record.is_repeated:
            if self.least_round_trip is not None and taken < self.least_round_trip:
                return  # what has arrived is not the copy that was sent last
        else:
            if (
                self.least_round_trip is None
                or taken <= self.least_round_trip
                or now - self._min_at > _MIN_ROUND_TRIP_AGE
            ):
                self.least_round_trip = taken
                self._min_at = now
            if record.end < self._farthest:
                self._has_seen_reordering = True
        if record.end > self._farthest:  # noqa: PLR1730 - on the hot path
            self._farthest = record.end
        if record.at > self.at or (record.at == self.at and record.end > self.end):
            self.at = record.at
            self.end = record.end
            self.round_trip = taken

    def duplicate_reported(self, una: Position, nxt: Position) -> None:
        """A D-SACK: we repeated what was not lost.  Wait longer, once per round trip."""
        if self._round_end is not None and una >= self._round_end:
            self._round_end = None
        if self._round_end is None:
            self._round_end = nxt
            self._multiplier += 1
            self._persists = _PERSISTS

    def recovered(self) -> None:
        """A recovery has ended."""
        self._persists -= 1
        if self._persists <= 0:
            self._persists = _PERSISTS
            self._multiplier = 1

    def reordering_window(self, is_recovering: bool, reported: int, smoothed: Duration | None) -> Duration:
        """Step 4.  `reported` counts the segments that SACK blocks tell of."""
        if not self._has_seen_reordering and (is_recovering or reported >= _DUPLICATES):
            return 0
        window = self._multiplier * (self.least_round_trip or 0) // 4
        return window if smoothed is None else min(window, smoothed)

    def detect(self, board: Scoreboard, window: Duration, now: Instant) -> Duration:
        """Step 5: mark what is lost; the time after which to look again, 0 if that is not needed."""
        wait = 0
        for record in tuple(board.sent_before(self.at, self.end)):
            remaining = record.at + self.round_trip + window - now
            if remaining <= 0 and record.at < now:
                board.mark_lost(record)
            else:  # what has just gone out is not lost yet, even where a round trip takes no time
                wait = max(wait, remaining, MICROSECOND)
        return wait

    def timed_out(self, board: Scoreboard, window: Duration, now: Instant) -> None:
        """Section 6.3: the first segment is lost, and all that were sent long enough ago."""
        for index, record in enumerate(board.records):
            if record.is_sacked or record.is_lost:
                continue
            if index == 0 or record.at + self.round_trip + window <= now:
                board.mark_lost(record)
