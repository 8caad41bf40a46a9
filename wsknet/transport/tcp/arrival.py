"""A segment that does not go the short way, in the order of RFC 9293 3.10.7.3 and 3.10.7.4; RFC 5961 for the answers
to segments that may be forged, RFC 5681 4.2 for when to acknowledge at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.acknowledgement import echo_of, take_acknowledgement
from wsknet.transport.tcp.ecn import SETUP
from wsknet.transport.tcp.fast_open import take_answer
from wsknet.transport.tcp.handshake import take_syn
from wsknet.transport.tcp.opening import establish, repeat_syn, respond_to_syn
from wsknet.transport.tcp.receive import AT_ONCE
from wsknet.transport.tcp.segments import refuse
from wsknet.transport.tcp.seq import Position, unwrap
from wsknet.transport.tcp.state import RECEIVING, Cause, State
from wsknet.wire.tcp import ACK, FIN, PSH, RST, SYN, URG, Segment

if TYPE_CHECKING:
    from wsknet.net.packet import Packet
    from wsknet.transport.tcp.connection import Connection
    from wsknet.transport.tcp.timestamps import Timestamps
    from wsknet.types import Instant


def arrive(connection: Connection, packet: Packet, segment: Segment, now: Instant) -> None:
    if connection.state is State.SYN_SENT:
        _in_syn_sent(connection, packet, segment, now)
    else:
        _after_syn(connection, packet, segment, now)


def _in_syn_sent(connection: Connection, packet: Packet, segment: Segment, now: Instant) -> None:
    """RFC 9293 3.10.7.3."""
    flags = segment.flags
    sender = connection.sender
    trace = connection.protocol.trace
    if flags & ACK and not sender.iss < unwrap(segment.ack, sender.una) <= sender.sent:
        trace.drop(DropReason.TCP_BAD_ACK, packet.raw)
        refuse(connection.protocol, packet, segment, now)
        return
    if flags & RST:
        if flags & ACK:
            connection.reset_by_peer(now)
        else:
            trace.drop(DropReason.TCP_BAD_RESET, packet.raw)
        return
    if not flags & SYN:
        trace.drop(DropReason.TCP_BAD_FLAGS, packet.raw)
        return
    if not flags & ACK:
        respond_to_syn(connection, segment, now)  # both sides opened; data in the SYN will come again
        return
    take_syn(connection, segment, now)
    establish(connection, Cause.SYN_ACK, segment.window, now, echo_of(connection, segment, now))
    take_answer(connection, segment, now)
    connection.receiver.unacknowledged = AT_ONCE
    _take_text(connection, packet, segment, connection.receiver.nxt, now)


def _after_syn(connection: Connection, packet: Packet, segment: Segment, now: Instant) -> None:
    """RFC 9293 3.10.7.4, its eight steps; the third (security) has nothing to do."""
    flags = segment.flags
    receiver = connection.receiver
    trace = connection.protocol.trace
    start = unwrap(segment.seq, receiver.nxt)
    timestamps = connection.segments.timestamps
    if timestamps is not None and not flags & RST and not _passes_paws(connection, packet, segment, timestamps, now):
        return
    if flags & RST:  # first and second
        _reset(connection, packet, start, now)
        return
    length = len(segment.payload) + bool(flags & SYN) + bool(flags & FIN)
    if not _is_acceptable(connection, start, length):  # first
        _unacceptable(connection, packet, segment, start, length, now)
        return
    if flags & SYN:  # fourth
        trace.drop(DropReason.TCP_BAD_FLAGS, packet.raw)
        if connection.state is State.SYN_RECEIVED and connection.listener is not None:
            connection.fail(ErrorKind.RESET, now)  # back to LISTEN
        else:
            connection.challenge(now)
        return
    if not flags & ACK:  # fifth
        trace.drop(DropReason.TCP_BAD_FLAGS, packet.raw)
        return
    connection.last_heard = now
    if take_acknowledgement(connection, packet, segment, start, now):
        if timestamps is not None and segment.options.timestamps is not None:
            timestamps.take(segment.options.timestamps[0], start, receiver.acknowledged, now)
        _take_urgent(connection, segment, start)  # sixth
        _take_text(connection, packet, segment, start, now)  # seventh and eighth


def _passes_paws(
    connection: Connection, packet: Packet, segment: Segment, timestamps: Timestamps, now: Instant
) -> bool:
    """RFC 7323 5.3 (R1), and 3.2: a segment without the option that was agreed on is dropped silently.

    But a SYN without it is challenged as any other is: its sender has restarted, and knows nothing of an agreement.
    """
    stamps = segment.options.timestamps
    if stamps is None:
        if segment.flags & SYN:
            return True
        connection.protocol.trace.drop(DropReason.TCP_NO_TIMESTAMP, packet.raw)
        return False
    if timestamps.is_old(stamps[0], now):
        connection.protocol.trace.drop(DropReason.TCP_OLD_TIMESTAMP, packet.raw)
        connection.challenge(now)
        return False
    return True


def _is_acceptable(connection: Connection, start: Position, length: int) -> bool:
    """The table of RFC 9293 3.10.7.4.

    An empty segment just behind the window passes, too: it comes from a peer that has filled the window while something
    was lost, and its acknowledgement must count.
    """
    nxt, edge = connection.receiver.nxt, connection.receiver.edge
    if length == 0:
        return nxt <= start <= edge
    return nxt < edge and start < edge and start + length > nxt


def _reset(connection: Connection, packet: Packet, start: Position, now: Instant) -> None:
    """RFC 9293 3.5.3, RFC 5961 3.2: only the exact number resets, another one in the window is asked back."""
    receiver = connection.receiver
    if start == receiver.nxt:
        connection.reset_by_peer(now)
        return
    connection.protocol.trace.drop(DropReason.TCP_BAD_RESET, packet.raw)
    if receiver.nxt < start < receiver.edge:
        connection.challenge(now)


def _unacceptable(
    connection: Connection, packet: Packet, segment: Segment, start: Position, length: int, now: Instant
) -> None:
    """Answered with an acknowledgement.  The acknowledgement *in* a repeated segment, or in one that comes while our
    window is closed, counts all the same (RFC 9293 3.10.7.4: "valid ACKs"); its data does not."""
    receiver = connection.receiver
    connection.protocol.trace.drop(DropReason.TCP_UNACCEPTABLE, packet.raw)
    if connection.state is State.SYN_RECEIVED:
        _unacceptable_while_half_open(connection, packet, segment, start, now)
        return
    if segment.flags & ACK and (start + length <= receiver.nxt or start == receiver.nxt):
        connection.last_heard = now
        if not take_acknowledgement(connection, packet, segment, start, now):
            return
        if start == receiver.nxt:
            _take_urgent(connection, segment, start)  # even while our window is closed
    if segment.payload or segment.flags & FIN:
        receiver.arrived_twice(start, min(start + len(segment.payload), receiver.nxt))
        receiver.unacknowledged = AT_ONCE
        connection.settle(0, now)
        return
    connection.settle(0, now)
    connection.challenge(now)  # may answer an answer of the peer: rate limited, so that no loop arises


def _unacceptable_while_half_open(
    connection: Connection, packet: Packet, segment: Segment, start: Position, now: Instant
) -> None:
    """In SYN-RECEIVED nothing in such a segment counts, except in the SYN-ACK that crosses ours when both sides have
    opened (RFC 9293 3.5, figure 7)."""
    opening = segment.flags & (SYN | ACK)
    if opening == SYN and start == connection.receiver.irs:
        if segment.flags & SETUP != SETUP:
            connection.segments.ecn = None  # the peer has tried once more without (RFC 3168 6.1.1)
        repeat_syn(connection, now)  # ours was lost
        return
    if opening == SYN | ACK and start == connection.receiver.irs and connection.listener is None:
        if not take_acknowledgement(connection, packet, segment, start, now):
            return
        connection.receiver.unacknowledged = AT_ONCE
        connection.settle(0, now)  # what was to be sent waited for this
        return
    connection.challenge(now)


def _take_urgent(connection: Connection, segment: Segment, start: Position) -> None:
    """The sixth step."""
    is_urgent = segment.flags & URG and connection.state in RECEIVING
    if is_urgent and connection.receiver.take_urgent(start + segment.urgent):
        connection.notify(Ready.URGENT)


def _take_text(connection: Connection, packet: Packet, segment: Segment, start: Position, now: Instant) -> None:
    """The seventh and eighth step, then whatever may be sent now.  `start` is that of the data, behind any SYN."""
    receiver = connection.receiver
    payload = segment.payload
    ready = 0
    ecn = connection.segments.ecn
    if payload:
        if ecn is not None and ecn.received(segment.flags, packet.traffic_class):
            receiver.unacknowledged += AT_ONCE
        if connection.state in RECEIVING:
            before = receiver.nxt
            had_gap = bool(receiver.reassembly)
            if not receiver.insert(start, payload, bool(segment.flags & PSH)):
                connection.protocol.trace.drop(DropReason.TCP_REASSEMBLY_FULL, packet.raw)
            if receiver.nxt > before:
                ready = Ready.READABLE
            elif start > before:
                receiver.reordered += len(payload)
            # RFC 5681 4.2: at once when something is missing, was missing, or was cut off; else every second segment.
            is_plain = ready and not had_gap and receiver.nxt == start + len(payload)
            receiver.unacknowledged += 1 if is_plain else AT_ONCE
        else:
            connection.protocol.trace.drop(DropReason.TCP_RECEIVE_CLOSED, packet.raw)
            receiver.unacknowledged = AT_ONCE
    if segment.flags & FIN and connection.state in RECEIVING:
        receiver.take_fin(start + len(payload))
        receiver.unacknowledged += AT_ONCE
    if receiver.reports is not None:
        connection.segments.reports_room = receiver.reports.room
    connection.update_prediction()
    if receiver.fin_at == receiver.nxt and connection.state in RECEIVING:
        ready |= Ready.PEER_FINISHED
        connection.peer_finished(now)
        if connection.state is State.TIME_WAIT:
            connection.notify(ready)
            return
    connection.settle(ready, now)
