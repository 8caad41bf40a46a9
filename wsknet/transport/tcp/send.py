"""The sending half of a connection: RFC 9293 3.8.6 (windows, silly windows, Nagle, zero window probes), RFC 6675 5
(what goes out during recovery).

`una <= nxt`: what is acknowledged, what goes out next.  In between lies the scoreboard; what `recovery` marks there as
lost goes out again before anything new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.transport.tcp.recovery import Recovery
from wsknet.transport.tcp.retransmission import Alarm, schedule
from wsknet.transport.tcp.rtt import RoundTrip
from wsknet.transport.tcp.scoreboard import Scoreboard, Sent
from wsknet.transport.tcp.send_queue import SendQueue
from wsknet.types import Duration, Instant
from wsknet.wire.tcp import ACK, FIN, PSH

if TYPE_CHECKING:
    from wsknet.tcp_policy import TcpPolicy
    from wsknet.transport.tcp.congestion.base import CongestionControl
    from wsknet.transport.tcp.segment_size import SegmentSize
    from wsknet.transport.tcp.segments import SegmentWriter
    from wsknet.transport.tcp.seq import Position
    from wsknet.transport.tcp.timers import ConnectionTimers
    from wsknet.types import Buffers


_BEHIND_PROBE = 3
"""Segments that are to follow one that searches for a larger size, so that its loss is noticed without a timeout (RFC
4821 7.4): DupThresh."""


class Sender:
    __slots__ = ("_last_sent", "_max_rto", "alarm", "board", "congestion", "detects_black_holes", "fin_at", "iss",
                 "max_window", "mss", "no_delay", "no_delay_to", "nxt", "probes", "queue", "recovery", "repeated",
                 "round_trip", "sample_from", "segments", "sent", "shift", "size", "stalled_since", "tail_probe_end",
                 "tail_probe_was_repeat", "timeout_at", "timers", "una", "unanswered", "user_timeout", "window",
                 "window_ack", "window_seq")  # fmt: skip

    def __init__(
        self,
        iss: Position,
        size: SegmentSize,
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
        self.size = size
        self.mss = size.current
        """Bytes of data in a full segment."""
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
        self.repeated = 0
        """Bytes of data sent again."""
        self.segments = segments
        segments.path_changed = self.path_changed
        self.probes = 0
        """Zero window probes since the window closed."""
        self.unanswered = 0
        """Of these, since the peer was last heard."""
        self.alarm = Alarm.TIMEOUT
        self.timers = timers
        self._max_rto = policy.max_rto
        self.detects_black_holes = policy.black_hole_detection
        self.timeout_at = 0
        """When the retransmission timeout ends, whatever the timer is set to before."""
        self.sample_from: Position = iss
        """The next segment that is timed begins here or behind: one per round trip (RFC 6298 3)."""
        self.tail_probe_end: Position | None = None
        """TLP.end_seq: SND.NXT when the tail was probed; `None` when that is settled."""
        self.tail_probe_was_repeat = False
        """TLP.is_retrans."""
        self._last_sent = self.stalled_since = Instant(0)
        """Since when data waits without any of it being acknowledged."""
        self.user_timeout: Duration | None = None
        """How long it may (RFC 9293 3.9.1.1); `None`: as many repeats as the policy says."""

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

    @property
    def room(self) -> int:
        """Bytes of data in a full segment beside the SACK blocks that it carries now."""
        return self.mss - self.segments.reports_room

    def data_in(self, record: Sent) -> int:
        """Its bytes without any FIN."""
        return min(record.end, self.queue.end) - record.start

    # Out

    def output(self, now: Instant) -> None:
        """Send all that the windows and Nagle's algorithm allow, lost segments first.  Synchronized states only."""
        self.segments.refresh_path()
        board = self.board
        if board.lost and not self._repeat_lost(now):
            return
        queue = self.queue
        before = self.nxt
        if self.size.low is not None:
            self._try_longer(now)
        while True:
            nxt = self.nxt
            waiting = queue.end - nxt
            fin_at = self.fin_at
            if waiting <= 0 and (fin_at is None or nxt > fin_at):
                break
            una = self.una
            usable = una + self.window - nxt
            allowed = una + self.congestion.window + board.gone - nxt
            if allowed < usable:  # noqa: PLR1730 - on the hot path
                usable = allowed
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
            self.send_next(length, now)
        if self.nxt != before:
            schedule(self, now)

    def _short_length(self, waiting: int, usable: int, mss: int) -> int:
        """How much to send in a segment that is not full; -1 to wait.  RFC 9293 3.8.6.2.1, 3.7.4."""
        if usable <= 0:
            return -1
        nxt = self.nxt
        is_idle = nxt == self.una or nxt == self.iss + 1  # our SYN is no data
        if waiting <= usable:
            is_last = self.fin_at is not None
            if self.no_delay or is_last or is_idle or nxt < self.no_delay_to:
                return min(waiting, mss)
            return -1
        length = min(usable, mss)
        if length >= mss or (length * 2 >= self.max_window and (self.no_delay or is_idle)):
            return length
        return -1

    def send_next(self, length: int, now: Instant) -> None:
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
            self.stalled_since = now
            self.timeout_at = now + self.round_trip.rto
            self.timers.persist.deadline = None
            self.probes = 0
        self.nxt = end
        if end > self.sent:  # noqa: PLR1730 - on the hot path
            self.sent = end
        self._last_sent = now
        self.board.records.append(Sent(nxt, end, now))
        self.segments.send(nxt, flags, payload, now, True)

    def _try_longer(self, now: Instant) -> None:
        """RFC 4821 7.3 and 7.4: see whether a longer segment arrives, if what follows it will tell soon."""
        length = self.size.next_probe(now)
        if not length or not self.board.is_clean or self.segments.reports_room:
            return
        usable = self.una + min(self.window, self.congestion.window) - self.nxt
        if length + _BEHIND_PROBE * self.mss <= min(usable, self.queue.end - self.nxt):
            self.send_next(length, now)
            self.size.probe_sent(self.board.records[-1], length)

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
            # RFC 6675 6: the first repeat gets a whole timeout to be answered in.  RFC 6582 3.2 has it otherwise.
            restarts_timer = recovery.must_repeat and not recovery.keeps_timer
            self.repeat(index, now)
            if restarts_timer or not self.timers.retransmit.is_armed:
                self.timers.persist.deadline = None
                self.probes = 0
                self.timeout_at = now + self.round_trip.rto
                schedule(self, now)
        return True

    def repeat(self, index: int, now: Instant) -> None:
        """Send the segment at `index` of the scoreboard again, or as much of it as now fits into one."""
        board = self.board
        record = board.records[index]
        if record is self.size.probe:
            self.size.probe_was_lost(True, now)
        room = self.room
        if self.data_in(record) > room:
            board.split(index, record.start + room)
        elif record.is_lost:
            board.join(index, room)
        length = self.data_in(record)
        flags = ACK
        if length and record.start + length == self.queue.end:
            flags |= PSH
        if record.start + length < record.end:
            flags |= FIN
        self.repeated += length
        board.mark_repeated(record, now)
        self.recovery.repeated(record, now)
        self._last_sent = now
        payload: Buffers = self.queue.take(record.start, length) if length else ()
        self.segments.send(record.start, flags, payload, now)

    # Data in the SYN

    def syn_carried(self, length: int, now: Instant) -> None:
        """The SYN carried so many bytes of data."""
        if not length:
            return
        end = self.nxt + length
        self.board.records.append(Sent(self.nxt, end, now))
        self.nxt = self.sent = end

    def take_back(self) -> None:
        """What went out with the SYN was not taken: it has not been sent yet."""
        self.board.clear()
        self.nxt = self.sent = self.una
        self.timers.retransmit.cancel()

    # Windows and sizes

    def set_window(self, window: int) -> None:
        self.window = window
        self.max_window = max(self.max_window, window)

    def path_changed(self, mss: int) -> bool:
        """The path takes `mss` bytes in a segment, options included; whether segments become shorter."""
        before = self.mss
        self.size.path_takes(mss)
        self.resize()
        return self.mss < before

    def peer_takes(self, mss: int, overhead: int) -> None:
        """What the handshake has settled: `mss` without options, of which each segment carries `overhead` bytes."""
        self.size.peer = mss
        self.size.overhead = overhead
        self.resize()

    def resize(self) -> None:
        mss = self.size.current
        if mss != self.mss:
            self.mss = mss
            self.congestion.set_segment_size(mss)

    def repeat_too_long(self, now: Instant) -> None:
        """What was too long for the path is lost, and congestion had nothing to do with it (RFC 1191 6.4)."""
        board = self.board
        known = board.lost
        for record in board.unreported():
            if self.data_in(record) > self.mss:
                board.mark_lost(record)
        if board.lost > known:
            self.recovery.must_repeat = True
            self.output(now)

    def not_beyond_user_timeout(self, deadline: Instant) -> Instant:
        if self.user_timeout is None:
            return deadline
        return min(deadline, Instant(self.stalled_since + self.user_timeout))

    def is_overdue(self, now: Instant) -> bool:
        """The user timeout has passed."""
        return self.user_timeout is not None and now >= self.stalled_since + self.user_timeout

    def _wait_for_window(self, now: Instant) -> None:
        """Data waits, nothing is in flight, and the window is too small: ask again, RFC 9293 3.8.6.1."""
        timers = self.timers
        timers.retransmit.deadline = None
        if timers.persist.deadline is None:
            if not self.probes and self.nxt == self.una:
                self.stalled_since = now
            interval = min(self.round_trip.rto << min(self.probes, 16), self._max_rto)
            timers.persist.arm(self.not_beyond_user_timeout(Instant(now + interval)))

    def probe(self, now: Instant) -> None:
        """The persist timer expired: send what little the window takes, or one byte beyond it."""
        self.segments.refresh_path()
        waiting = self.queue.end - self.una
        usable = self.una + self.window - self.nxt
        if waiting > 0 and usable > 0 and self.nxt == self.una:
            self.send_next(min(waiting, usable, self.room), now)
            schedule(self, now)
            return
        self.probes += 1
        self.unanswered += 1
        self.sent = max(self.sent, self.una + 1)
        self._wait_for_window(now)
        payload: Buffers = self.queue.take(self.una, 1) if waiting > 0 else ()
        self.segments.send(self.una, ACK if waiting > 0 else ACK | FIN, payload, now)
