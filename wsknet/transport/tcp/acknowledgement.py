"""What the acknowledgement in a segment tells: RFC 9293 3.10.7.4, the fifth step; RFC 5961 5.2 for forged ones, RFC
5681 2 for duplicates, RFC 2018, RFC 3168 and RFC 7323 for what comes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.delivery import acknowledged, reported
from wsknet.transport.tcp.opening import establish
from wsknet.transport.tcp.recovery import Phase
from wsknet.transport.tcp.segments import refuse
from wsknet.transport.tcp.seq import Position, unwrap
from wsknet.transport.tcp.state import Cause, State
from wsknet.wire.tcp import FIN, SYN, Segment

if TYPE_CHECKING:
    from wsknet.net.packet import Packet
    from wsknet.transport.tcp.connection import Connection
    from wsknet.types import Duration, Instant


def take_acknowledgement(
    connection: Connection, packet: Packet, segment: Segment, start: Position, now: Instant
) -> bool:
    """The fifth step.  False: the segment is done with, or the connection is."""
    sender = connection.sender
    ack = unwrap(segment.ack, sender.una)
    window = segment.window if segment.flags & SYN else segment.window << sender.shift
    if connection.state is State.SYN_RECEIVED and not _end_handshake(
        connection, packet, segment, start, ack, window, now
    ):
        return False
    if not sender.una - sender.max_window <= ack <= sender.sent:  # RFC 5961 5.2
        connection.protocol.trace.drop(DropReason.TCP_BAD_ACK, packet.raw)
        connection.challenge(now)
        return False
    sender.unanswered = 0
    if ack < sender.una:
        return True
    ready = 0
    blocks = _reports(connection, segment)
    if ack > sender.una:
        connection.take_soft_error(None)
        connection.confirm_path(now)
        if acknowledged(sender, ack, now, blocks, echo_of(connection, segment, now)):
            ready = Ready.SENT
    elif sender.nxt > ack or blocks or sender.tail_probe_end is not None:
        is_duplicate = window == sender.window and not segment.payload and not segment.flags & (SYN | FIN)
        if is_duplicate or blocks:
            reported(sender, now, blocks, is_duplicate)
    _take_congestion(connection, segment, now)
    if sender.window_seq < start or (sender.window_seq == start and sender.window_ack <= ack):
        sender.set_window(window)
        sender.window_seq, sender.window_ack = start, ack
    if sender.is_fin_acknowledged and connection.state in (State.FIN_WAIT_1, State.CLOSING, State.LAST_ACK):
        ready |= Ready.FINISHED
        connection.fin_acknowledged(now)
    if ready:
        connection.notify(ready)
    return connection.state is not State.CLOSED and connection.state is not State.TIME_WAIT


def _reports(connection: Connection, segment: Segment) -> list[tuple[Position, Position]]:
    """The SACK blocks, if both ends permit them."""
    if connection.receiver.reports is None or not segment.options.sack_blocks:
        return []
    una = connection.sender.una
    return [(unwrap(left, una), unwrap(right, una)) for left, right in segment.options.sack_blocks]


def echo_of(connection: Connection, segment: Segment, now: Instant) -> Duration | None:
    """The round trip by the timestamp that the segment echoes."""
    timestamps, stamps = connection.segments.timestamps, segment.options.timestamps
    if timestamps is None or stamps is None:
        return None
    echo = timestamps.round_trip(stamps[1], now)
    return echo if echo is not None and echo <= connection.protocol.policy.max_rto else None  # else it makes no sense


def _take_congestion(connection: Connection, segment: Segment, now: Instant) -> None:
    ecn, sender = connection.segments.ecn, connection.sender
    if segment.flags & SYN:
        return  # ECE means something else there: a SYN-ACK that is repeated grants ECN once more
    if ecn is not None and ecn.is_new_echo(segment.flags, sender.una):
        ecn.reduced(sender.nxt)
        if sender.recovery.phase is Phase.OPEN:
            sender.congestion.congestion_experienced(sender.nxt - sender.una, now)


def _end_handshake(
    connection: Connection,
    packet: Packet,
    segment: Segment,
    start: Position,
    ack: Position,
    window: int,
    now: Instant,
) -> bool:
    """The fifth step in SYN-RECEIVED; `window` is in bytes."""
    trace = connection.protocol.trace
    if not connection.sender.iss < ack <= connection.sender.sent:
        trace.drop(DropReason.TCP_BAD_ACK, packet.raw)
        refuse(connection.protocol, packet, segment, now)
        return False
    if connection.listener is not None and connection.listener.is_full and not connection.is_early:
        trace.drop(DropReason.TCP_BACKLOG_FULL, packet.raw)  # stays half open: SYN-ACK repeats
        return False
    establish(connection, Cause.ACK_OF_SYN, window, now, echo_of(connection, segment, now))
    connection.sender.window_seq = start
    return True
