"""What is left of a connection in TIME-WAIT: RFC 9293 3.6.1, 3.10.7.4; RFC 1122 4.2.2.13; RFC 1337; RFC 6191."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.tcp_policy import OddOpening, OptionUse
from wsknet.timers import Timer
from wsknet.trace import DropReason
from wsknet.transport.tcp.segments import send_from_nowhere
from wsknet.transport.tcp.seq import MASK, Position, is_before
from wsknet.transport.tcp.state import State
from wsknet.types import SECOND, Instant
from wsknet.wire import tcp

if TYPE_CHECKING:
    from wsknet.net.packet import Packet
    from wsknet.transport.ports import Reservation
    from wsknet.transport.tcp.protocol import TcpProtocol
    from wsknet.transport.tcp.timestamps import Timestamps
    from wsknet.types import Endpoint, LocalName

_REUSE_GAP = 0x10000
"""How far a reopened connection's first number lies behind the last of the old one, at least: old duplicates of our own
segments then fall before its window.  A little more than the largest window without scale, as in
`tcp_timewait_state_process` of Linux."""
_ANSWERS_PERIOD = SECOND // 2
"""Segments other than a FIN are answered once in this time, as an answer may cause the next;
net.ipv4.tcp_invalid_ratelimit of Linux."""


class TimeWait:
    """A quiet place for the 4-tuple.  Takes about a tenth of a connection's memory.

    It holds no port unless `time_wait_blocks_bind`: only the dynamic choice of ports passes by.
    """

    __slots__ = ("_answered", "_interface", "_protocol", "_reservation", "_shift", "_timer", "_window", "local", "name",
                 "nxt", "remote", "sent", "timestamps")  # fmt: skip

    state = State.TIME_WAIT
    pseudo: int | None = None

    def __init__(
        self,
        protocol: TcpProtocol,
        name: LocalName,
        local: Endpoint,
        remote: Endpoint,
        sent: Position,
        nxt: Position,
        window: int,
        shift: int,
        interface: int,
        reservation: Reservation | None = None,
        timestamps: Timestamps | None = None,
    ) -> None:
        self._interface = interface
        self._protocol = protocol
        self._timer = Timer(protocol.timers, self._expired)
        self._reservation = reservation
        """Shared by all who wait with one name; `None` where TIME-WAIT keeps nobody from binding."""
        self._answered: Instant | None = None
        self._window = window
        """As a field, which is shifted by `_shift`."""
        self._shift = shift
        self.name = name
        self.local = local
        self.remote = remote
        self.sent = sent
        """Ours: SND.NXT."""
        self.nxt = nxt
        """Theirs: RCV.NXT."""
        self.timestamps = timestamps
        """`None` if the connection had none."""

    def start(self, now: Instant) -> None:
        self._protocol.register(self)
        if self._reservation is None:
            self._protocol.ports.rest(self.local.port)
        self._timer.arm(Instant(now + self._protocol.policy.time_wait))

    @property
    def is_over(self) -> bool:
        return not self._timer.is_armed

    def arrive(self, packet: Packet, seq: int, ack: int, offset_flags: int, window: int, now: Instant) -> None:
        flags = offset_flags & 0xFF
        trace = self._protocol.trace
        if flags & tcp.RST:
            if seq == self.nxt & MASK and not self._protocol.policy.ignores_reset_in_time_wait:
                self.end()
            else:
                trace.drop(DropReason.TCP_BAD_RESET, packet.raw)
                if 0 < (seq - self.nxt) & MASK < self._window << self._shift:
                    self._answer_rarely(now)  # RFC 5961 3.2
        elif flags & (tcp.SYN | tcp.ACK) == tcp.SYN:
            self._take_syn(packet, now)
        elif flags & tcp.SYN:
            trace.drop(DropReason.TCP_BAD_FLAGS, packet.raw)
            self._answer_rarely(now)
        elif not flags & tcp.ACK:
            trace.drop(DropReason.TCP_BAD_FLAGS, packet.raw)
        elif self.timestamps is not None and self._is_old(self.timestamps, packet, seq, ack, now):
            trace.drop(DropReason.TCP_UNACCEPTABLE, packet.raw)
            self._answer_rarely(now)
        elif flags & tcp.FIN and is_before(seq, self.nxt):
            # The last acknowledgement was lost; the wait starts again (RFC 9293 3.10.7.4, eighth step).
            self._timer.arm(Instant(now + self._protocol.policy.time_wait))
            self._answer(now)
        elif seq != self.nxt & MASK or len(packet.payload) > offset_flags >> 10 & 60:
            trace.drop(DropReason.TCP_RECEIVE_CLOSED, packet.raw)
            self._answer_rarely(now)

    def _answer_rarely(self, now: Instant) -> None:
        if self._answered is None or now - self._answered >= _ANSWERS_PERIOD:
            self._answered = now
            self._answer(now)

    def _answer(self, now: Instant) -> None:
        protocol = self._protocol
        numbers = self.sent, self.nxt, tcp.ACK, now, self._window
        options = b"" if self.timestamps is None else self.timestamps.option(now)
        send_from_nowhere(protocol, self.local, self.remote, *numbers, self._interface, options)

    def _is_old(self, timestamps: Timestamps, packet: Packet, seq: int, ack: int, now: Instant) -> bool:
        """PAWS.  A newer timestamp is believed only with both numbers right: it decides about new connections."""
        segment = tcp.parse(packet.payload)
        if not isinstance(segment, tcp.Segment) or segment.options.timestamps is None:
            return False
        value = segment.options.timestamps[0]
        if timestamps.is_old(value, now):
            return True
        end = seq + len(segment.payload) + bool(segment.flags & tcp.FIN)
        if end & MASK == self.nxt & MASK and ack == self.sent & MASK:
            timestamps.take(value, self.nxt, self.nxt, now)
        return False

    def _take_syn(self, packet: Packet, now: Instant) -> None:
        """A new SYN may use the names again if somebody listens, and has room for it."""
        trace = self._protocol.trace
        segment = tcp.parse(packet.payload)
        if not isinstance(segment, tcp.Segment):
            trace.drop(segment, packet.raw)
        elif not self._may_reopen(segment):
            trace.drop(DropReason.TCP_BAD_FLAGS, packet.raw)
            self._answer_rarely(now)
        elif (listener := self._protocol.listener_for(self)) is None:
            trace.drop(DropReason.TCP_NO_ENDPOINT, packet.raw)
            self._answer_rarely(now)
        elif not listener.has_room:
            trace.drop(DropReason.TCP_SYN_QUEUE_FULL, packet.raw)
        else:
            self.end()
            listener.answer_syn(packet, segment, now, above=self.sent + _REUSE_GAP)

    def _may_reopen(self, syn: tcp.Segment) -> bool:
        """RFC 6191 2: the SYN is no old duplicate, by its timestamp if the new connection will have them, and by its
        number else.  Where that document drops it, RFC 9293 3.10.7.4 has an answer, as for any other SYN."""
        if syn.flags & tcp.FIN and self._protocol.policy.syn_fin is not OddOpening.ACCEPTED:
            return False
        is_behind = is_before(self.nxt, syn.seq)
        if syn.options.timestamps is None or self._protocol.policy.timestamps is OptionUse.OFF:
            return is_behind
        if self.timestamps is None:
            return True
        value, recent = syn.options.timestamps[0], self.timestamps.recent
        return is_behind if value == recent else is_before(recent, value)

    def end(self) -> None:
        self._timer.cancel()
        self._protocol.unregister(self)
        if self._reservation is None:
            self._protocol.ports.wake(self.local.port)
        else:
            self._protocol.ports.release(self._reservation)

    def _expired(self, now: Instant) -> None:
        self.end()
