"""The sending half of a connection: RFC 9293 3.8.6 (windows, silly windows, Nagle, zero window probes), RFC 6675 5
(what goes out during recovery), RFC 6298 5 and RFC 8985 7 (its timers).

`una <= nxt`: what is acknowledged, what goes out next.  In between lies the scoreboard; what `recovery` marks there as
lost goes out again before anything new.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from wsknet.transport.tcp.recovery import Phase, Recovery
from wsknet.transport.tcp.rtt import RoundTrip
from wsknet.transport.tcp.scoreboard import Scoreboard, Sent
from wsknet.transport.tcp.segments import mss_for
from wsknet.transport.tcp.send_queue import SendQueue
from wsknet.types import MILLISECOND, Duration, Instant
from wsknet.wire.tcp import ACK, FIN, PSH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsknet.tcp_policy import TcpPolicy
    from wsknet.transport.tcp.congestion.base import CongestionControl
    from wsknet.transport.tcp.segments import SegmentWriter
    from wsknet.transport.tcp.seq import Position
    from wsknet.transport.tcp.timers import ConnectionTimers
    from wsknet.types import Buffers

_WORST_DELAYED_ACK = 200 * MILLISECOND
"""RFC 8985 7.2: how long the acknowledgement of a lone segment may be delayed."""


class Alarm(Enum):
    """What the retransmission timer stands for: one of these at a time (RFC 8985 8)."""

    TIMEOUT = "RTO"
    PROBE = "PTO, a tail loss probe"
    REORDER = "RACK, the end of the reordering window"


class Sender:
    __slots__ = ("_last_sent", "_max_rto", "_probe_end", "_probe_was_repeat", "_sample_from", "_timeout_at", "_timers",
                 "alarm", "board", "congestion", "fin_at", "iss", "max_window", "mss", "no_delay", "no_delay_to", "nxt",
                 "probes", "queue", "recovery", "round_trip", "segments", "sent", "shift", "una", "unanswered",
                 "window", "window_ack", "window_seq")  # fmt: skip

    def __init__(
        self,
        iss: Position,
        mss: int,
        policy: TcpPolicy,
        congestion: CongestionControl,
        segments: SegmentWriter,
        timers: ConnectionTimers,
    ) -> None:
        self.iss = iss
        self.una = self.nxt = self.sent = iss
        """`sent` is one further than `nxt` while a closed window is probed with a byte that nobody may have taken."""
        self.queue = SendQueue(iss + 1)
        self.fin_at: Position | None = None
        """Where our FIN stands, once the application has no more to send."""
        self.mss = mss
        """Bytes of data in a full segment: what both the peer and the path take."""
        self.window = 0
        """SND.WND in bytes."""
        self.max_window = 0
        """The largest the peer ever offered."""
        self.window_seq: Position = 0
        """SND.WL1 and SND.WL2: the segment that told of the window."""
        self.window_ack: Position = 0
        self.shift = 0
        """How far the peer's window fields are to be shifted."""
        self.no_delay = False
        """Nagle's algorithm is off."""
        self.no_delay_to = iss
        """Data before this position was sent with the request not to delay it."""
        self.congestion = congestion
        self.board = Scoreboard(iss)
        self.recovery = Recovery(congestion, self.board, iss, policy.rack)
        self.round_trip = RoundTrip(policy)
        self.segments = segments
        segments.limit = self.limit_segments
        self.probes = 0
        """Zero window probes since the window closed."""
        self.unanswered = 0
        """Of these, since the peer was last heard."""
        self.alarm = Alarm.TIMEOUT
        self._timers = timers
        self._max_rto = policy.max_rto
        self._last_sent = Instant(0)
        self._timeout_at = Instant(0)
        """When the retransmission timeout ends, whatever the timer is set to before."""
        self._sample_from: Position = iss
        """The next segment that is timed begins here or behind: one per round trip (RFC 6298 3)."""
        self._probe_end: Position | None = None
        """TLP.end_seq: SND.NXT when the tail was probed; `None` when that is settled."""
        self._probe_was_repeat = False
        """TLP.is_retrans."""

    @property
    def offset(self) -> int:
        """Stream offset up to which everything is acknowledged."""
        return max(min(self.una, self.queue.end) - self.iss - 1, 0)

    @property
    def is_fin_acknowledged(self) -> bool:
        return self.fin_at is not None and self.una > self.fin_at

    @property
    def pipe(self) -> int:
        """Bytes that are in the network as far as we know (RFC 6675 2)."""
        return self.nxt - self.una - self.board.gone

    # Out

    def output(self, now: Instant) -> None:
        """Send all that the windows and Nagle's algorithm allow, lost segments first.  Synchronized states only."""
        board = self.board
        if board.lost and not self._repeat_lost(now):
            return
        queue = self.queue
        before = self.nxt
        while True:
            nxt = self.nxt
            waiting = queue.end - nxt
            fin_at = self.fin_at
            if waiting <= 0 and (fin_at is None or nxt > fin_at):
                break
            una = self.una
            usable = min(una + self.window, una + self.congestion.window + board.gone) - nxt
            mss = self.mss - self.segments.reports_room
            if waiting >= mss and usable >= mss:
                length = mss
            else:
                length = self._short_length(waiting, usable, mss)
                if length < 0:
                    if nxt == una:
                        self._wait_for_window(now)
                    break
            if nxt == una and now - self._last_sent > self.round_trip.rto:
                self.congestion.idle(now)
            self._send_next(length, now)
        if self.nxt != before:
            self._schedule(now)

    def _short_length(self, waiting: int, usable: int, mss: int) -> int:
        """How much to send in a segment that is not full; -1 to wait.  RFC 9293 3.8.6.2.1, 3.7.4."""
        if usable <= 0:
            return -1
        nxt = self.nxt
        if waiting <= usable:
            is_last = self.fin_at is not None
            if self.no_delay or is_last or nxt == self.una or nxt < self.no_delay_to:
                return min(waiting, mss)
            return -1
        length = min(usable, mss)
        if length >= mss or (length * 2 >= self.max_window and (self.no_delay or nxt == self.una)):
            return length
        return -1

    def _send_next(self, length: int, now: Instant) -> None:
        """The segment at `nxt`; FIN rides on the last one."""
        nxt = self.nxt
        end = nxt + length
        payload: Buffers = self.queue.take(nxt, length) if length else ()
        flags = ACK
        if end == self.queue.end:
            flags = ACK | PSH if length else ACK
            if end == self.fin_at and end < self.una + self.window:
                flags |= FIN
                end += 1
        if nxt == self.una:
            self._timeout_at = Instant(now + self.round_trip.rto)
            self._timers.persist.deadline = None
            self.probes = 0
        self.nxt = end
        self.sent = max(self.sent, end)
        self._last_sent = now
        self.board.records.append(Sent(nxt, end, now))
        self.segments.send(nxt, flags, payload, now, True)

    def _repeat_lost(self, now: Instant) -> bool:
        """Send lost segments again; False if not all of them could be."""
        board, recovery = self.board, self.recovery
        while board.lost:
            index = board.first_lost()
            record = board.records[index]
            length = min(record.end - record.start, self.mss)
            if record.start >= self.una + self.window:  # the peer has taken its window back
                if self.pipe <= 0:
                    self._wait_for_window(now)
                return False
            pipe = self.pipe
            if pipe > 0 and pipe + length > self.congestion.window and not recovery.must_repeat:
                return False
            self._repeat(index, now)
            if not self._timers.retransmit.is_armed:
                self._timeout_at = Instant(now + self.round_trip.rto)
                self._schedule(now)
        return True

    def _repeat(self, index: int, now: Instant) -> None:
        """Send the segment at `index` of the scoreboard again, or as much of it as now fits into one."""
        board = self.board
        record = board.records[index]
        mss = self.mss - self.segments.reports_room
        if record.end - record.start - self._fin_in(record) > mss:
            board.split(index, record.start + mss)
        elif record.is_lost:
            board.join(index, mss)
        fin = self._fin_in(record)
        length = record.end - record.start - fin
        flags = ACK
        if record.start + length == self.queue.end:
            flags = ACK | PSH if length else ACK
            if fin:
                flags |= FIN
        board.mark_repeated(record, now)
        self.recovery.repeated(now)
        self._last_sent = now
        payload: Buffers = self.queue.take(record.start, length) if length else ()
        self.segments.send(record.start, flags, payload, now)

    def _fin_in(self, record: Sent) -> int:
        return 1 if self.fin_at is not None and record.end > self.fin_at else 0

    # In

    def acknowledged(
        self,
        ack: Position,
        now: Instant,
        blocks: Sequence[tuple[Position, Position]] = (),
        echo: Duration | None = None,
    ) -> bool:
        """`ack` is new: ``una < ack <= sent``.  Returns whether lent memory was given back.

        `echo` is the round trip by the timestamp of the segment (RFC 7323 4).  The caller calls `output` afterwards,
        when it has dealt with the window of the segment.
        """
        board = self.board
        recovery = self.recovery
        is_regular = board.is_clean and recovery.phase is Phase.OPEN and self._probe_end is None and not blocks
        count = ack - self.una
        self.una = ack
        self.unanswered = 0
        self.nxt = max(self.nxt, ack)  # a byte that probed a closed window was taken
        taken = board.take(ack)
        if is_regular:
            latest = None
            if taken:
                first = taken[0]
                latest = Instant(now - taken[-1].at)
                recovery.delivered(taken[-1], now)
                if first.start >= self._sample_from:
                    self._sample_from = self.nxt
                    self.round_trip.sample(now - first.at)
            recovery.advanced(count, ack, self.nxt, now, latest)
        else:
            self._take_news(taken, blocks, count, now, echo)
        given_back = self.queue.acknowledge(ack)
        if not recovery.keeps_timer:
            self._timeout_at = Instant(now + self.round_trip.rto)
        self._schedule(now)
        return given_back

    def reported(self, now: Instant, blocks: Sequence[tuple[Position, Position]], is_duplicate: bool) -> None:
        """An acknowledgement of `una` while data is in flight: a duplicate (RFC 5681 2), or one with SACK blocks."""
        if is_duplicate:
            has_more = self.queue.end > self.nxt and self.window > self.nxt - self.una
            self.recovery.duplicate(self.una, self.nxt, has_more)
        self._take_news([], blocks, 0, now, None, is_duplicate)
        self._schedule(now)

    def _take_news(
        self,
        taken: list[Sent],
        blocks: Sequence[tuple[Position, Position]],
        count: int,
        now: Instant,
        echo: Duration | None,
        is_duplicate: bool = False,
    ) -> None:
        """What is acknowledged or reported while something is missing, was repeated, or may have been."""
        recovery = self.recovery
        fresh = recovery.take_reports(blocks, self.una, self.nxt)
        delivered = [record for record in taken if not record.is_sacked] + fresh
        for record in delivered:
            recovery.delivered(record, now)
        # What arrived twice is acknowledged with the timestamp of what came before it, from long ago.
        is_told = count and not recovery.has_duplicate_report
        sample = self._sample(delivered, now, echo if is_told else None)
        has_repeats = any(record.is_repeated for record in taken)
        if recovery.phase is not Phase.OPEN and recovery.was_spurious(
            Instant(now - echo + MILLISECOND) if has_repeats and echo is not None else None
        ):
            recovery.undo(now)
        if count:
            recovery.advanced(count, self.una, self.nxt, now, sample)
        if self._probe_end is not None:
            self._settle_probe(blocks, is_duplicate, now)
        recovery.look(self.una, self.nxt, now, self.round_trip.smoothed, self.queue.end > self.nxt)

    def _sample(self, delivered: list[Sent], now: Instant, echo: Duration | None) -> Duration | None:
        """A round-trip sample, taken into account; Karn's rule: not from what was sent twice."""
        if delivered and not any(record.is_repeated for record in delivered):
            sample: Duration | None = now - min(record.at for record in delivered)
        else:
            sample = echo
        if sample is not None:
            self._sample_from = self.nxt
            self.round_trip.sample(sample)
        return sample

    # Timers

    def _schedule(self, now: Instant) -> None:
        """Set the timer for what is in flight: to the retransmission timeout, or to something before it."""
        retransmit = self._timers.retransmit
        outstanding = self.nxt - self.una
        if not outstanding:
            retransmit.deadline = None
            return
        recovery = self.recovery
        deadline: int = self._timeout_at
        self.alarm = Alarm.TIMEOUT
        if recovery.reorder_wait:
            if now + recovery.reorder_wait < deadline:
                self.alarm = Alarm.REORDER
                deadline = now + recovery.reorder_wait
        elif recovery.uses_rack and recovery.phase is Phase.OPEN and self._probe_end is None and not self.board.gone:
            at = now + self.round_trip.probe_timeout
            if outstanding <= self.mss:
                at += _WORST_DELAYED_ACK
            if at < deadline:
                self.alarm = Alarm.PROBE
                deadline = at
        elif self.pipe <= 0 and self._timers.persist.is_armed:
            return
        retransmit.arm(Instant(deadline))

    def reordering_ended(self, now: Instant) -> None:
        """RFC 8985 6.2, step 5: the timer of RACK."""
        self.recovery.look(self.una, self.nxt, now, self.round_trip.smoothed, self.queue.end > self.nxt)
        self._schedule(now)
        self.output(now)

    def probe_tail(self, now: Instant) -> None:
        """RFC 8985 7.3: send a new segment or the last one again, so that its acknowledgement tells what is missing."""
        nxt = self.nxt
        room = self.una + self.window - nxt
        waiting = self.queue.end - nxt
        self._probe_was_repeat = not (waiting > 0 and room >= min(waiting, self.mss))
        if self._probe_was_repeat:
            self._repeat(len(self.board.records) - 1, now)
        else:
            self._send_next(min(waiting, self.mss), now)
        self._probe_end = self.nxt
        self._timeout_at = Instant(now + self.round_trip.rto)
        self._schedule(now)

    def _settle_probe(self, blocks: Sequence[tuple[Position, Position]], is_duplicate: bool, now: Instant) -> None:
        """RFC 8985 7.4.2: whether the probe repaired a loss, which then has to be answered by the window."""
        end = self._probe_end
        if end is None or self.una < end:
            return
        if not self._probe_was_repeat:
            self._probe_end = None
        elif blocks and blocks[0][1] == end:
            self._probe_end = None  # D-SACK: both copies arrived
        elif self.una > end:
            self._probe_end = None
            if self.recovery.phase is Phase.OPEN:
                self.congestion.loss_detected(self.nxt - self.una, now)
                self.congestion.recovered(self.pipe, now)
        elif is_duplicate and not blocks:
            self._probe_end = None

    def timed_out(self, now: Instant) -> None:
        """The retransmission timer expired (RFC 6298 5.4 to 5.6, RFC 5681 3.1)."""
        # Perhaps because the path has become one with a smaller MTU, of which no router tells when it is our own link.
        path = self.segments.path
        self.limit_segments(mss_for(path.mtu, path.destination) - self.segments.overhead)
        self.recovery.timed_out(self.una, self.nxt, now, self.round_trip.smoothed)
        self._probe_end = None
        self.round_trip.back_off()
        self._timeout_at = Instant(now + self.round_trip.rto)
        self.output(now)
        self._schedule(now)

    # Windows and sizes

    def set_window(self, window: int) -> None:
        self.window = window
        self.max_window = max(self.max_window, window)

    def limit_segments(self, mss: int) -> bool:
        """The path takes segments of `mss` bytes at most; whether that is less than before."""
        if mss >= self.mss:
            return False
        self.mss = mss
        self.congestion.set_segment_size(mss)
        return True

    def repeat_too_long(self, now: Instant) -> None:
        """What was too long for the path is lost, and congestion had nothing to do with it (RFC 1191 6.4)."""
        board = self.board
        for record in board.unreported():
            if record.end - record.start > self.mss:
                board.mark_lost(record)
        self.recovery.must_repeat = True
        self.output(now)

    def _wait_for_window(self, now: Instant) -> None:
        """Data waits, nothing is in flight, and the window is too small: ask again, RFC 9293 3.8.6.1."""
        timers = self._timers
        timers.retransmit.deadline = None
        if timers.persist.deadline is None:
            timers.persist.arm(Instant(now + min(self.round_trip.rto << min(self.probes, 16), self._max_rto)))

    def probe(self, now: Instant) -> None:
        """The persist timer expired: send what little the window takes, or one byte beyond it."""
        waiting = self.queue.end - self.una
        usable = self.una + self.window - self.nxt
        if waiting > 0 and usable > 0 and self.nxt == self.una:
            self._send_next(min(waiting, usable, self.mss), now)
            self._schedule(now)
            return
        self.probes += 1
        self.unanswered += 1
        self.sent = max(self.sent, self.una + 1)
        self._wait_for_window(now)
        payload: Buffers = self.queue.take(self.una, 1) if waiting > 0 else ()
        self.segments.send(self.una, ACK if waiting > 0 else ACK | FIN, payload, now)
