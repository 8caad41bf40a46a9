"""What is left of a connection in TIME-WAIT: RFC 9293 3.6.1, 3.10.7.4; RFC 1122 4.2.2.13."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    from wsknet.types import Endpoint, LocalName

_REUSE_GAP = 0x10000
"""How far a reopened connection's first number lies behind the last of the old one, at least: old duplicates of our own
segments then fall before its window."""
_ANSWERS_PERIOD = SECOND // 2
"""Segments other than a FIN are answered once in this time, as an answer may cause the next."""


class TimeWait:
    """A quiet place for the 4-tuple.  Takes about a tenth of a connection's memory.

    It holds no port unless `time_wait_blocks_bind`: only the dynamic choice of ports passes by.
    """

    __slots__ = ("_answered", "_interface", "_protocol", "_reservation", "_timer", "_window", "local", "name", "nxt",
                 "remote", "sent")  # fmt: skip

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
        interface: int,
        reservation: Reservation | None = None,
    ) -> None:
        self._interface = interface
        self._protocol = protocol
        self._timer = Timer(protocol.timers, self._expired)
        self._reservation = reservation
        """Shared by all who wait with one name; `None` where TIME-WAIT keeps nobody from binding."""
        self._answered: Instant | None = None
        self._window = window
        self.name = name
        self.local = local
        self.remote = remote
        self.sent = sent
        """Ours: SND.NXT."""
        self.nxt = nxt
        """Theirs: RCV.NXT."""

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
            if seq == self.nxt & MASK:
                self.end()
            else:
                trace.drop(DropReason.TCP_BAD_RESET, packet.raw)
        elif flags & (tcp.SYN | tcp.ACK) == tcp.SYN and is_before(self.nxt, seq):
            self._reopen(packet, now)
        elif flags & tcp.SYN:
            trace.drop(DropReason.TCP_BAD_FLAGS, packet.raw)
            self._answer_rarely(now)
        elif not flags & tcp.ACK:
            trace.drop(DropReason.TCP_BAD_FLAGS, packet.raw)
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
        send_from_nowhere(protocol, self.local, self.remote, *numbers, self._interface)

    def _reopen(self, packet: Packet, now: Instant) -> None:
        """A new SYN, numbered behind the old stream, may use the names again if somebody listens."""
        segment = tcp.parse(packet.payload)
        listener = self._protocol.listener_for(self)
        if isinstance(segment, tcp.Segment) and listener is not None:
            self.end()
            listener.answer_syn(packet, segment, now, above=self.sent + _REUSE_GAP)
        else:
            self._protocol.trace.drop(DropReason.TCP_NO_ENDPOINT, packet.raw)
            self._answer_rarely(now)

    def end(self) -> None:
        self._timer.cancel()
        self._protocol.unregister(self)
        if self._reservation is None:
            self._protocol.ports.wake(self.local.port)
        else:
            self._protocol.ports.release(self._reservation)

    def _expired(self, now: Instant) -> None:
        self.end()
