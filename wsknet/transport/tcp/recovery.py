"""What was lost, and how the congestion window answers: RFC 5681 3.2, RFC 6582 (NewReno), RFC 6675 (SACK), RFC 8985
(RACK), RFC 5827 (early retransmit), RFC 2883 (D-SACK), RFC 3522 (Eifel).

This marks segments on the scoreboard; `send` sends again what is marked.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from wsknet.transport.tcp.rack import Rack
from wsknet.transport.tcp.scoreboard import Scoreboard, Sent
from wsknet.types import Instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsknet.transport.tcp.congestion.base import CongestionControl
    from wsknet.transport.tcp.seq import Position
    from wsknet.types import Duration

_DUPLICATES = 3
"""RFC 5681 3.2: DupThresh."""
_EARLY = 4
"""RFC 5827 2: with fewer segments in flight, fewer duplicates have to do."""


class Phase(Enum):
    OPEN = "nothing is being recovered"
    FAST = "fast recovery: the window stays at the threshold until all is repaired"
    TIMEOUT = "after a timeout: slow start from one segment"


_OPEN = Phase.OPEN
"""Looked up for every acknowledgement, and members of an enum are slow to find."""


class Recovery:
    __slots__ = ("_board", "_congestion", "_duplicates", "_first_repeat_at", "_has_found", "_has_partial", "_has_sack",
                 "_is_undoable", "_rack", "_repeats", "duplicate_acks", "fast_recoveries", "has_duplicate_report",
                 "keeps_timer", "look_at", "must_repeat", "phase", "recover", "retries", "timeouts",
                 "uses_rack")  # fmt: skip

    def __init__(self, congestion: CongestionControl, board: Scoreboard, start: Position, uses_rack: bool) -> None:
        self._congestion = congestion
        self._board = board
        self._rack = Rack(start)
        self._has_sack = False
        self.uses_rack = uses_rack
        """The policy until SACK is settled; then whether RACK is in use."""
        self.phase = Phase.OPEN
        self.recover = start
        """What was sent up to when the last loss was noticed; until it is acknowledged the loss is being repaired."""
        self.retries = 0
        """How often the first unacknowledged segment has been repeated by timeout."""
        self._duplicates = 0
        """Duplicate acknowledgements in a row."""
        self.must_repeat = False
        """The first lost segment goes out whatever the window says (RFC 6675 5 (4.3), RFC 5681 3.2 (3))."""
        self._has_found = False
        """Duplicate acknowledgements have shown a loss."""
        self.look_at: Instant | None = None
        """When more may be known to be lost; `None` if time alone will not tell."""
        self._has_partial = False
        self.has_duplicate_report = False
        """The latest acknowledgement said that something arrived twice."""
        self.keeps_timer = False
        """Acknowledgements do not restart the retransmission timer: partial ones after the first (RFC 6582 3.2)."""
        self._is_undoable = False
        """The window was reduced, and may turn out to have been so for nothing."""
        self._repeats: dict[tuple[Position, Position], int] = {}
        """What was repeated since then, and how often, without what was reported as a duplicate."""
        self._first_repeat_at: Instant | None = None
        self.duplicate_acks = self.fast_recoveries = self.timeouts = 0
        """How often; of timeouts about one segment only the first."""

    @property
    def least_round_trip(self) -> Duration | None:
        return self._rack.least_round_trip

    def use_sack(self, is_granted: bool) -> None:
        self._has_sack = is_granted
        self.uses_rack = self.uses_rack and is_granted

    # What acknowledgements tell

    def delivered(self, record: Sent, now: Instant) -> None:
        self._rack.delivered(record, now)

    def take_reports(self, blocks: Sequence[tuple[Position, Position]], una: Position, nxt: Position) -> list[Sent]:
        """SACK blocks (RFC 2018 5): the segments that they tell of for the first time.

        Blocks about what was never sent, or is acknowledged, are not believed; a D-SACK (RFC 2883 4) comes first.
        """
        self.has_duplicate_report = bool(blocks) and self._is_duplicate_report(blocks, una)
        if self.has_duplicate_report:
            self._rack.duplicate_reported(una, nxt)
            self._repeat_was_needless(blocks[0])
            blocks = blocks[1:]
        fresh: list[Sent] = []
        for left, right in sorted(blocks):  # as they were sent: else they would seem to have overtaken each other
            if una <= left < right <= nxt:
                fresh += self._board.sack(left, right)
        return fresh

    @staticmethod
    def _is_duplicate_report(blocks: Sequence[tuple[Position, Position]], una: Position) -> bool:
        left, right = blocks[0]
        if right <= una:
            return left < right
        return len(blocks) > 1 and blocks[1][0] <= left < right <= blocks[1][1]

    def _repeat_was_needless(self, block: tuple[Position, Position]) -> None:
        """Only what was repeated whole since the reduction counts: not a tail loss probe from before it, nor what the
        network, or a liar, has doubled."""
        count = self._repeats.pop(block, 0)
        if count > 1:
            self._repeats[block] = count - 1

    def advanced(self, count: int, una: Position, nxt: Position, now: Instant, round_trip: Duration | None) -> None:
        """`count` new bytes were acknowledged, up to `una`; the scoreboard knows."""
        self.retries = 0
        congestion = self._congestion
        outstanding = nxt - una + count
        if self.phase is _OPEN:
            if self._duplicates or self._board.guessed:
                self._restart_counting()
            congestion.acknowledged(count, outstanding, now, round_trip)
            return
        if self.phase is Phase.TIMEOUT:
            congestion.acknowledged(count, outstanding, now, round_trip)
        elif una < self.recover and not self._has_sack:
            self._partial(count)
        if una >= self.recover:
            self._end(una, nxt, now)

    def _restart_counting(self) -> None:
        self._duplicates = 0
        if self._board.guessed:
            self._board.guess(0)

    def _end(self, una: Position, nxt: Position, now: Instant) -> None:
        was_fast = self.phase is Phase.FAST
        self.phase = Phase.OPEN
        self.must_repeat = self._has_partial = self.keeps_timer = False
        self._restart_counting()
        self._rack.recovered()
        if was_fast:
            self._congestion.recovered(nxt - una - self._board.gone, now)

    def _partial(self, count: int) -> None:
        """RFC 6582 3.2: what follows is lost, too.  Of the guessed bytes those leave that are acknowledged now."""
        board = self._board
        size = self._congestion.segment_size
        board.guess(max(board.guessed - max(count - size, 0), 0))
        if board.records and not board.records[0].is_lost:
            board.mark_lost(board.records[0])
        self.must_repeat = True
        self.keeps_timer = self._has_partial
        self._has_partial = True

    def duplicate(self, una: Position, nxt: Position, has_more: bool) -> None:
        """An acknowledgement that acknowledges nothing while data is in flight (RFC 5681 2).  With SACK the blocks tell
        more.  `has_more`: new data could be sent."""
        self.duplicate_acks += 1
        if self._has_sack:
            return
        self._duplicates += 1
        board = self._board
        if self.phase is Phase.TIMEOUT:
            return
        size = self._congestion.segment_size
        # No more than were in flight when the loss was noticed: duplicates may be forged (RFC 5681 3.2, step 4).
        most = self.recover - una - size if self.phase is Phase.FAST else _DUPLICATES * size
        board.guess(max(min(board.guessed + size, nxt - una - size, most), 0))
        enough = self._threshold(nxt - una, has_more)
        if self.phase is Phase.OPEN and self._duplicates >= enough and una >= self.recover:
            if not board.records[0].is_lost:
                board.mark_lost(board.records[0])
            self._has_found = True

    def _threshold(self, outstanding: int, has_more: bool) -> int:
        """RFC 5827 3.1, by bytes.  Of a lone segment nothing can tell."""
        segments = -(-outstanding // self._congestion.segment_size)
        return segments - 1 if 1 < segments < _EARLY and not has_more else _DUPLICATES

    # Finding losses

    def look(
        self,
        una: Position,
        nxt: Position,
        now: Instant,
        smoothed: Duration | None,
        has_more: bool,
        size_probe: Sent | None,
    ) -> None:
        """Mark what is known to be lost by now, and begin fast recovery if that is news.

        If `size_probe` alone is lost it was too long for the path, of which congestion knows nothing (RFC 4821 7.6).
        """
        board = self._board
        known = board.lost
        self.look_at = None
        if self.uses_rack:
            is_recovering = self.phase is not Phase.OPEN
            window = self._rack.reordering_window(is_recovering, board.reports, smoothed)
            wait = self._rack.detect(board, window, now)
            if wait:
                self.look_at = Instant(now + wait)
        elif self._has_sack and board.sacked:
            self._count_reports(nxt - una, has_more)
        if (self._has_found or board.lost > known) and self.phase is Phase.OPEN:
            if size_probe is not None and size_probe.is_lost and board.lost == size_probe.end - size_probe.start:
                self.must_repeat = True
                self.recover = nxt  # duplicates that are still to come tell of the same
            else:
                self._begin(una, nxt, now)
        self._has_found = False

    def _count_reports(self, outstanding: int, has_more: bool) -> None:
        """RFC 6675 4, IsLost(): enough was reported above it."""
        board = self._board
        size = self._congestion.segment_size
        enough = self._threshold(outstanding, has_more)
        segments = above = 0
        for record in reversed(board.records):
            if record.is_sacked:
                segments += 1
                above += record.end - record.start
                continue
            is_enough = segments >= enough or above > (_DUPLICATES - 1) * size
            if is_enough and not record.is_lost and not record.is_repeated:
                board.mark_lost(record)

    def _begin(self, una: Position, nxt: Position, now: Instant) -> None:
        self._congestion.loss_detected(nxt - una, now)
        self.fast_recoveries += 1
        self.phase = Phase.FAST
        self.recover = nxt
        self.must_repeat = True
        self._await_undo()

    def timed_out(self, una: Position, nxt: Position, now: Instant, smoothed: Duration | None) -> None:
        board = self._board
        self._congestion.timed_out(nxt - una, self.retries > 0, now)
        if self.retries == 0:
            self.timeouts += 1
            self._await_undo()
        self.retries += 1
        self.phase = Phase.TIMEOUT
        self.recover = nxt
        self._duplicates = 0
        self.look_at = None
        self.must_repeat = True
        self._has_partial = self.keeps_timer = False
        if board.guessed:
            board.guess(0)
        if board.records and board.records[0].is_sacked:
            board.forget_reports()
        if self.uses_rack:
            self._rack.timed_out(board, self._rack.reordering_window(True, 0, smoothed), now)
            return
        for record in board.unreported():
            board.mark_lost(record)

    def tail_was_lost(self, flight: int, pipe: int, now: Instant) -> None:
        """A tail loss probe has repaired the only loss (RFC 8985 7.4.2, step 4): nothing to recover, but congestion."""
        if self.phase is Phase.OPEN:
            self._is_undoable = False
            self._congestion.loss_detected(flight, now)
            self._congestion.recovered(pipe, now)

    # Being wrong

    def _await_undo(self) -> None:
        self._is_undoable = True
        self._repeats = {}
        self._first_repeat_at = None

    def repeated(self, record: Sent, now: Instant) -> None:
        """A segment went out again."""
        self.must_repeat = False
        if self._is_undoable:
            piece = record.start, record.end
            self._repeats[piece] = self._repeats.get(piece, 0) + 1
            if self._first_repeat_at is None:
                self._first_repeat_at = now

    def was_spurious(self, echoed: Instant | None) -> bool:
        """Whether nothing had been lost: the peer called each repeated segment a duplicate (RFC 2883), or it
        acknowledges one by what was sent before (RFC 3522: `echoed` is the end of the tick of the timestamp that it
        echoes, `None` if that tells nothing).

        Duplicates are reported only after the copies have arrived, when the recovery may be over.
        """
        first = self._first_repeat_at
        if not self._is_undoable or first is None:
            return False
        if echoed is not None and self.phase is not Phase.OPEN:
            if echoed <= first:
                return True
            self._is_undoable = False  # the copy was the first to arrive: that loss was real, whatever comes later
            return False
        return not self._repeats

    def undo(self, now: Instant) -> None:
        board = self._board
        self._is_undoable = False
        self._congestion.undo(now)
        if self.phase is Phase.OPEN:
            return
        self.phase = Phase.OPEN
        self.must_repeat = self._has_partial = self.keeps_timer = False
        for record in board.records:
            board.unmark_lost(record)
