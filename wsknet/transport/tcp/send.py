"""The sending half of a connection: RFC 9293 3.8.6 (windows, silly windows, Nagle, zero window probes), 3.10.7.4.

`una <= nxt <= sent`: what is acknowledged, what goes out next, what has ever gone out.  After a timeout `nxt` goes back
to `una` and everything from there is sent again as the windows allow (go-back-N).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.transport.tcp.recovery import Recovery
from wsknet.transport.tcp.rtt import RoundTrip
from wsknet.transport.tcp.segments import mss_for
from wsknet.transport.tcp.send_queue import SendQueue
from wsknet.types import Instant
from wsknet.wire.tcp import ACK, FIN, PSH

if TYPE_CHECKING:
    from wsknet.tcp_policy import TcpPolicy
    from wsknet.transport.tcp.congestion.base import CongestionControl
    from wsknet.transport.tcp.segments import SegmentWriter
    from wsknet.transport.tcp.seq import Position
    from wsknet.transport.tcp.timers import ConnectionTimers
    from wsknet.types import Buffers


class Sender:
    __slots__ = ("_last_sent", "_max_rto", "_timers", "congestion", "fin_at", "iss", "max_window", "mss", "no_delay",
                 "no_delay_to", "nxt", "probes", "queue", "recovery", "round_trip", "segments", "sent", "shift", "una",
                 "unanswered", "window", "window_ack", "window_seq")  # fmt: skip

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
        self.recovery = Recovery(congestion, iss)
        self.round_trip = RoundTrip(policy)
        self.segments = segments
        segments.limit = self.limit_segments
        self.probes = 0
        """Zero window probes since the window closed."""
        self.unanswered = 0
        """Of these, since the peer was last heard."""
        self._timers = timers
        self._max_rto = policy.max_rto
        self._last_sent = Instant(0)

    @property
    def offset(self) -> int:
        """Stream offset up to which everything is acknowledged."""
        return max(min(self.una, self.queue.end) - self.iss - 1, 0)

    @property
    def is_fin_acknowledged(self) -> bool:
        return self.fin_at is not None and self.una > self.fin_at

    def output(self, now: Instant) -> None:
        """Send all that the windows and Nagle's algorithm allow.  Synchronized states only."""
        queue = self.queue
        while True:
            nxt = self.nxt
            waiting = queue.end - nxt
            fin_at = self.fin_at
            if waiting <= 0 and (fin_at is None or nxt > fin_at):
                return
            una = self.una
            usable = una + min(self.window, self.congestion.window + self.recovery.inflation) - nxt
            mss = self.mss
            if waiting >= mss and usable >= mss:
                length = mss
            else:
                length = self._short_length(waiting, usable)
                if length < 0:
                    if nxt == una:
                        self._wait_for_window(now)
                    return
            if nxt == una and now - self._last_sent > self.round_trip.rto:
                self.congestion.idle(now)
            self._send_next(length, now)

    def _short_length(self, waiting: int, usable: int) -> int:
        """How much to send in a segment that is not full; -1 to wait.  RFC 9293 3.8.6.2.1, 3.7.4."""
        if usable <= 0:
            return -1
        nxt = self.nxt
        if nxt < self.sent and not self.probes:
            return min(waiting, usable, self.mss)  # sent before: it was large enough then
        if waiting <= usable:
            is_last = self.fin_at is not None
            if self.no_delay or is_last or nxt == self.una or nxt < self.no_delay_to:
                return min(waiting, self.mss)
            return -1
        length = min(usable, self.mss)
        if length >= self.mss or (length * 2 >= self.max_window and (self.no_delay or nxt == self.una)):
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
        round_trip = self.round_trip
        if end > self.sent:
            if round_trip.timed_to is None and nxt >= self.sent:
                round_trip.timed_to = end
                round_trip.timed_from = now
            self.sent = end
        self.nxt = end
        self._last_sent = now
        timers = self._timers
        if timers.retransmit.deadline is None:
            timers.retransmit.arm(Instant(now + round_trip.rto))
            timers.persist.deadline = None
            self.probes = 0
        self.segments.send(nxt, flags, payload, now)

    def acknowledged(self, ack: Position, now: Instant) -> bool:
        """`ack` is new: ``una < ack <= sent``.  Returns whether lent memory was given back.

        The caller calls `output` afterwards, when it has dealt with the window of the segment.
        """
        count = ack - self.una
        self.una = ack
        self.unanswered = 0
        round_trip = self.round_trip
        if round_trip.timed_to is not None and ack >= round_trip.timed_to:
            round_trip.acknowledged(ack, now)
        recovery = self.recovery
        is_partial = recovery.acknowledged(ack, count, self.sent, now, round_trip.smoothed)
        given_back = self.queue.acknowledge(ack)
        retransmit = self._timers.retransmit
        if self.nxt <= ack:
            self.nxt = ack
            retransmit.deadline = None
        elif not is_partial or recovery.is_first_partial:
            retransmit.arm(Instant(now + round_trip.rto))
        if is_partial:
            recovery.is_first_partial = False
            self.repeat_first(now)
        return given_back

    def duplicate(self, now: Instant) -> None:
        """An acknowledgement of `una` that carries nothing else, while data is in flight (RFC 5681 2)."""
        if self.recovery.duplicate(self.una, self.sent, now):
            self.repeat_first(now)

    def repeat_first(self, now: Instant) -> None:
        """Send the first unacknowledged segment again."""
        una = self.una
        end = min(una + self.mss, self.queue.end, self.sent)
        length = max(end - una, 0)
        flags = ACK
        if una + length == self.queue.end:
            flags = ACK | PSH if length else ACK
            if una + length == self.fin_at and self.sent > self.fin_at:
                flags |= FIN
        self.round_trip.cancel()
        self._last_sent = now
        self.segments.send(una, flags, self.queue.take(una, length) if length else (), now)

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

    def go_back(self) -> None:
        """Send everything unacknowledged again as the windows allow."""
        self.nxt = self.una
        self.round_trip.cancel()

    def timed_out(self, now: Instant) -> None:
        """The retransmission timer expired (RFC 6298 5.4 to 5.6, RFC 5681 3.1)."""
        # Perhaps because the path has become one with a smaller MTU, of which no router tells when it is our own link.
        path = self.segments.path
        self.limit_segments(mss_for(path.mtu, path.destination))
        self.recovery.timed_out(self.una, self.sent, now)
        self.round_trip.back_off()
        self.go_back()
        self.output(now)

    def _wait_for_window(self, now: Instant) -> None:
        """Data waits, nothing is in flight, and the window is too small: ask again, RFC 9293 3.8.6.1."""
        timers = self._timers
        timers.retransmit.deadline = None
        if timers.persist.deadline is None:
            timers.persist.arm(Instant(now + min(self.round_trip.rto << min(self.probes, 16), self._max_rto)))

    def probe(self, now: Instant) -> None:
        """The persist timer expired: send what little the window takes, or one byte beyond it."""
        waiting = self.queue.end - self.nxt
        usable = self.una + self.window - self.nxt
        if waiting > 0 and usable > 0:
            self._send_next(min(waiting, usable, self.mss), now)
            return
        self.probes += 1
        self.unanswered += 1
        self.sent = max(self.sent, self.una + 1)
        self._wait_for_window(now)
        payload: Buffers = self.queue.take(self.una, 1) if waiting > 0 else ()
        self.round_trip.cancel()
        self.segments.send(self.una, ACK if waiting > 0 else ACK | FIN, payload, now)
