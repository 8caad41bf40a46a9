"""One connection, from its SYN to its end: the transmission control block of RFC 9293 3.3.1.

The parts do the work: `send.Sender`, `receive.Receiver`, `segments.SegmentWriter`, `timers.ConnectionTimers`.  Here
they are joined, the state changes, and the common segment takes a short way; all others go through `arrival` in the
order of RFC 9293 3.10.7.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp import arrival, expiry
from wsknet.transport.tcp.delivery import acknowledged
from wsknet.transport.tcp.receive import AT_ONCE, Receiver
from wsknet.transport.tcp.segment_size import SegmentSize
from wsknet.transport.tcp.segments import SegmentWriter, mss_for, mss_to_offer
from wsknet.transport.tcp.send import Sender
from wsknet.transport.tcp.seq import MASK
from wsknet.transport.tcp.silence import Silence
from wsknet.transport.tcp.state import CONNECTING, Cause, State, following
from wsknet.transport.tcp.time_wait import TimeWait
from wsknet.transport.tcp.timers import ConnectionTimers
from wsknet.transport.tcp.timestamps import LENGTH as TIMESTAMPS_LENGTH
from wsknet.transport.tcp.timestamps import PREFIX as TIMESTAMPS_PREFIX
from wsknet.types import SECOND, Endpoint, Instant
from wsknet.wire import tcp

if TYPE_CHECKING:
    from wsknet.net.packet import Packet, Path
    from wsknet.transport.tcp.endpoint import TcpEndpoint
    from wsknet.transport.tcp.listener import Listener
    from wsknet.transport.tcp.protocol import TcpProtocol
    from wsknet.transport.tcp.timestamps import Timestamps
    from wsknet.types import LocalName

_PLAIN_MASK = 0xF037
_PLAIN = 0x5010
"""Data offset and flags of a segment without options that carries ACK, perhaps PSH, and none of URG, RST, SYN, FIN."""
_PLAIN_WITH_TIMESTAMPS = 0x8010
"""The same with twelve bytes of options."""
_unpack_timestamp = Struct("!II").unpack_from

_CHALLENGES = 10
_CHALLENGE_PERIOD = 5 * SECOND
"""RFC 5961 7: no more than so many answers to segments that may be forged."""

_RESET_ON_ABORT = frozenset(
    {State.SYN_RECEIVED, State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2, State.CLOSE_WAIT}
)
"""RFC 9293 3.10.5."""


class Connection:
    __slots__ = ("_challenged_since", "_challenges", "_confirm_at", "_header_length", "_plain", "ack_frequency",
                 "delayed_ack", "endpoint", "fast_open", "has_fast_open", "has_repeated_syn", "has_to_finish",
                 "is_early", "is_predicted", "keep_alive_probes", "last_heard", "listener", "local", "name",
                 "protocol", "pseudo", "receiver", "remains", "remote", "repeated_syns", "segments", "sender",
                 "soft_error", "state", "syn_at", "timers", "timestamps_use")  # fmt: skip

    def __init__(
        self,
        protocol: TcpProtocol,
        endpoint: TcpEndpoint,
        name: LocalName,
        remote: Endpoint,
        path: Path,
        iss: int,
    ) -> None:
        self.protocol = protocol
        self.endpoint = endpoint
        self.name = name
        """The local side as `demux` knows it."""
        self.local = Endpoint(path.source, name.port, name.zone)
        self.remote = remote
        self.state = State.CLOSED
        self.is_predicted = False
        """ESTABLISHED, nothing missing in the incoming stream, its end not known, no error remembered, no ECN, and no
        window told by a segment ahead: the short way is open."""
        self.listener: Listener | None = None
        """Whom to tell, as long as nobody has accepted the connection."""
        self.soft_error: ErrorKind | None = None
        """The latest ICMP error that did not end the connection (RFC 1122 4.2.3.9)."""
        self.remains: TimeWait | Silence | None = None
        """What took over in TIME-WAIT or silent mode."""
        self.last_heard = self.syn_at = Instant(0)
        self.keep_alive_probes = self.repeated_syns = 0
        self._plain, self._header_length = _PLAIN, 20
        self.has_repeated_syn = False
        self.has_fast_open = endpoint.fast_open
        self.fast_open: bytes | None = None
        """The option of our SYN: a cookie, or empty to ask for one."""
        self.is_early = False
        """The application has had the connection since its SYN came (RFC 7413 4.2.2)."""
        self.has_to_finish = False
        """A FIN waits for the end of the handshake."""
        self._confirm_at = self._challenged_since = Instant(0)
        self._challenges = 0
        policy, settings = protocol.policy, endpoint.settings
        self.delayed_ack = policy.delayed_ack
        self.ack_frequency = settings.ack_frequency
        self.timestamps_use = policy.timestamps if settings.timestamps is None else settings.timestamps
        self.timers = ConnectionTimers(
            protocol.timers, self._retransmission_expired, self._persist_expired, self._delayed_ack_expired
        )
        path, terms = endpoint.on_terms(path)
        mss = mss_for(path.mtu, remote.address)
        self.receiver = Receiver(endpoint.receive_buffer, mss_to_offer(path), policy.window_scale)
        self.segments = SegmentWriter(
            protocol, path, (name.port, remote.port), self.receiver, self.timers.delayed_ack, terms
        )
        self.pseudo = self.segments.pseudo
        congestion = protocol.congestion(mss, protocol.config.initial_window_segments)
        size = SegmentSize(len(remote.address), mss)
        self.sender = Sender(iss, size, policy, congestion, self.segments, self.timers)
        self.sender.no_delay = endpoint.no_delay
        self.sender.user_timeout = endpoint.user_timeout
        if settings.initial_rto is not None:
            self.sender.round_trip.rto = settings.initial_rto
        protocol.register(self)

    # Opening: `opening`

    def use_timestamps(self, timestamps: Timestamps) -> None:
        self.segments.timestamps = timestamps
        self._plain = _PLAIN_WITH_TIMESTAMPS
        self._header_length = 20 + TIMESTAMPS_LENGTH

    def timeout(self, now: Instant) -> Instant:
        """When the SYN that leaves now is repeated."""
        return self.sender.not_beyond_user_timeout(Instant(now + self.sender.round_trip.rto))

    @property
    def is_connecting(self) -> bool:
        """The application has no connection yet."""
        return self.state in CONNECTING and not self.is_early

    # Segments

    def arrive(self, packet: Packet, seq: int, ack: int, offset_flags: int, window: int, now: Instant) -> None:
        """A segment for this connection; its checksum is right."""
        receiver = self.receiver
        if self.is_predicted and offset_flags & _PLAIN_MASK == self._plain and seq == receiver.nxt & MASK:
            sender = self.sender
            payload = packet.payload
            length = len(payload) - self._header_length
            una = sender.una
            fresh = (ack - una) & MASK
            timestamps = self.segments.timestamps
            if (
                0 <= length <= receiver.edge - receiver.nxt
                and (fresh <= sender.sent - una and sender.board.is_clean if fresh else length)
                and (timestamps is None or self._take_timestamp(timestamps, payload, now))
            ):
                self.last_heard = now
                if now >= self._confirm_at:
                    self.confirm_path(now)
                ready = 0
                sender.window_seq = receiver.nxt
                sender.window_ack = una + fresh
                if length:
                    sender.unanswered = 0
                    receiver.buffer += payload[self._header_length :]
                    receiver.nxt += length
                    receiver.unacknowledged += 1
                    if offset_flags & tcp.PSH:
                        receiver.pushed_to = receiver.consumed + len(receiver.buffer)
                    ready = Ready.READABLE
                if fresh and acknowledged(sender, una + fresh, now):
                    ready |= Ready.SENT
                window <<= sender.shift
                if window != sender.window:
                    sender.set_window(window)
                self._settle(ready, now)
                return
        segment = tcp.parse(packet.payload)
        if isinstance(segment, tcp.Segment):
            arrival.arrive(self, packet, segment, now)
        else:
            self.protocol.trace.drop(segment, packet.raw)

    def _take_timestamp(self, timestamps: Timestamps, payload: bytes, now: Instant) -> bool:
        """For the short way: whether the options are a timestamp that is not old, and nothing else."""
        prefix, value = _unpack_timestamp(payload, 20)
        if prefix != TIMESTAMPS_PREFIX:
            return False
        if value != timestamps.recent:
            if timestamps.is_old(value, now):
                return False
            timestamps.take(value, self.receiver.nxt, self.receiver.acknowledged, now)
        return True

    def confirm_path(self, now: Instant) -> None:
        """Something new came in answer to what we sent: the next hop is alive (RFC 4861 7.3.1).

        The short way says so once a second.
        """
        self._confirm_at = Instant(now + SECOND)
        self.protocol.ip.confirm(self.segments.path, now)

    def _settle(self, ready: int, now: Instant) -> None:
        """After a segment: send what it allowed, then acknowledge it unless that did, then tell the owner."""
        sender = self.sender
        if sender.nxt < sender.queue.end or sender.board.lost:
            sender.output(now)
        pending = self.receiver.unacknowledged
        if pending:
            if pending >= self.ack_frequency:
                self.send_ack(now)
            elif self.timers.delayed_ack.deadline is None:
                self.timers.delayed_ack.arm(Instant(now + self.delayed_ack))
        if ready:
            self.protocol.notify(self.endpoint, ready)

    def settle(self, ready: int, now: Instant) -> None:
        """The same in any state, where a FIN may be waiting to be sent."""
        if self.sender.fin_at is not None:
            self.sender.output(now)
        self._settle(ready, now)

    def send_ack(self, now: Instant) -> None:
        """An empty segment at SND.NXT.  While a closed window is probed that is before the probe: the peer has not
        taken it, and would not take a segment behind it either."""
        sender = self.sender
        self.segments.send(sender.nxt if sender.probes else sender.sent, tcp.ACK, (), now)

    def challenge(self, now: Instant) -> None:
        """RFC 5961: let the peer prove with its next segment that it sent the last one.  Rate limited."""
        if now - self._challenged_since >= _CHALLENGE_PERIOD:
            self._challenged_since = now
            self._challenges = 0
        if self._challenges < _CHALLENGES:
            self._challenges += 1
            self.send_ack(now)

    def notify(self, ready: int) -> None:
        self.protocol.notify(self.endpoint, ready)

    # Closing

    def finish(self, now: Instant) -> None:
        """The application sends no more.  ESTABLISHED and CLOSE-WAIT; in SYN-RECEIVED the FIN waits."""
        if self.state is State.SYN_RECEIVED:
            self.has_to_finish = True
            return
        self.change(Cause.FINISH)
        self.sender.fin_at = self.sender.queue.end
        self.sender.output(now)

    def peer_finished(self, now: Instant) -> None:
        """The peer's FIN is next in the stream."""
        receiver = self.receiver
        receiver.finish()
        self.change(Cause.FIN)
        if self.state is State.TIME_WAIT:
            self.send_ack(now)
            self.become_time_wait(now)
        else:
            receiver.unacknowledged += AT_ONCE

    def fin_acknowledged(self, now: Instant) -> None:
        self.change(Cause.ACK_OF_FIN)
        if self.state is State.TIME_WAIT:
            self.become_time_wait(now)
        elif self.state is State.CLOSED:
            self._dismantle()

    def become_time_wait(self, now: Instant) -> None:
        """Only names and numbers stay behind in the tables; what was received stays readable."""
        reservation = self.endpoint.time_wait_reservation(self.name)
        self._dismantle()
        receiver = self.receiver
        window = min(receiver.window >> receiver.shift, 0xFFFF)
        self.remains = TimeWait(
            self.protocol,
            self.name,
            self.local,
            self.remote,
            self.sender.sent,
            receiver.nxt,
            window,
            receiver.shift,
            self.segments.path.pinned,
            reservation,
            self.segments.timestamps,
        )
        self.remains.start(now)

    def reset_by_peer(self, now: Instant) -> None:
        """An acceptable RST."""
        if self.is_early:
            self.protocol.fast_open.was_reset(now)
        self.fail(ErrorKind.REFUSED if self.is_connecting else ErrorKind.RESET, now)

    def fail(self, error: ErrorKind, now: Instant) -> None:
        """The connection is no more; lent memory is given back."""
        was_connecting = self.is_connecting
        self._delete()
        if self.listener is not None:
            self.listener.forget(self, now)
        else:
            self.endpoint.connection_failed(error, was_connecting)

    def abort(self, now: Instant) -> None:
        """RFC 9293 3.10.5.  Nobody is told; lent memory is given back.  Not in CLOSED or TIME-WAIT.

        Beyond that section a reset is sent in CLOSING and LAST-ACK, too, if data is missing at the peer: it would wait
        for ever for the rest.
        """
        sender = self.sender
        if self.state in _RESET_ON_ABORT or sender.iss < sender.una < sender.queue.end:
            self.send_reset(now)
        self._delete()

    def fall_silent(self) -> None:
        """Send nothing any more, and swallow what comes: `Silence` takes over."""
        state = self.state
        self._delete()
        self.remains = Silence(self.protocol, self, state)

    def send_reset(self, now: Instant) -> None:
        """With the number that the peer expects: a byte that probes its closed window has not been taken."""
        sender = self.sender
        timestamps = self.segments.timestamps
        options = b"" if timestamps is None else timestamps.option(now)  # RFC 7323 3.2
        self.segments.send_bare(sender.nxt if sender.probes else sender.sent, 0, tcp.RST, 0, now, options)

    def _delete(self) -> None:
        self.change(Cause.DELETE)
        self._dismantle()

    def _dismantle(self) -> None:
        self.is_predicted = False
        self.timers.stop()
        self.sender.queue.clear()
        self.sender.board.clear()
        self.receiver.reassembly.clear()
        self.protocol.unregister(self)
        self.endpoint.connection_ended()

    def change(self, cause: Cause) -> None:
        self.state = following(self.state, cause)
        self.update_prediction()

    def update_prediction(self) -> None:
        receiver = self.receiver
        self.is_predicted = (
            self.state is State.ESTABLISHED
            and receiver.fin_at is None
            and not receiver.reassembly
            and self.soft_error is None
            and self.segments.ecn is None
            and self.sender.window_seq <= receiver.nxt
        )

    def take_soft_error(self, error: ErrorKind | None) -> None:
        """Remember an ICMP error; `None` when something has got through all the same."""
        if error is not self.soft_error:
            self.soft_error = error
            self.update_prediction()

    # Timers

    def start_keep_alive(self) -> None:
        """Synchronized states only; the first probe is due when nothing has been heard for the idle time."""
        self.keep_alive_probes = 0
        deadline = Instant(self.last_heard + self.endpoint.keep_alive_settings.idle)
        self.timers.start_keep_alive(self._keep_alive_expired, deadline)

    def _keep_alive_expired(self, now: Instant) -> None:
        expiry.keep_alive(self, now)

    def _retransmission_expired(self, now: Instant) -> None:
        expiry.retransmission(self, now)

    def _persist_expired(self, now: Instant) -> None:
        expiry.persist(self, now)

    def _delayed_ack_expired(self, now: Instant) -> None:
        if self.receiver.unacknowledged:
            self.send_ack(now)
