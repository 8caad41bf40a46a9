"""What a connection can tell of itself (TCP_INFO_v0 of Windows, tcp_info of Linux)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wsknet.transport.tcp.connection import Connection
    from wsknet.transport.tcp.seq import Position
    from wsknet.transport.tcp.state import State
    from wsknet.types import Duration, Instant


class ConnectionInfo(NamedTuple):
    """Sizes in bytes."""

    state: State
    segment_size: int
    """Data in a full segment."""
    age: Duration
    """Since the first SYN."""
    has_timestamps: bool
    round_trip: Duration
    """Smoothed; 0 before the first sample."""
    least_round_trip: Duration
    """Of the handshake and the last five minutes (see `rack`); 0 before the first sample."""
    in_flight: int
    congestion_window: int
    send_window: int
    receive_window: int
    receive_buffer: int
    sent: int
    """Of the stream, each byte once."""
    received: int
    reordered: int
    """Received ahead of what was missing."""
    repeated: int
    fast_recoveries: int
    duplicate_acks: int
    timeouts: int
    """Without those that followed another one about the same segment."""
    repeated_syns: int


def info_of(connection: Connection, now: Instant) -> ConnectionInfo:
    sender, receiver, recovery = connection.sender, connection.receiver, connection.sender.recovery
    sent_to = _without_fin(sender.nxt, sender.fin_at)
    samples = [sample for sample in (sender.round_trip.first, recovery.least_round_trip) if sample is not None]
    return ConnectionInfo(
        connection.state,
        sender.mss,
        now - connection.syn_at,
        connection.segments.timestamps is not None,
        sender.round_trip.smoothed or 0,
        min(samples, default=0),
        max(sent_to - max(sender.una, sender.iss + 1), 0),
        sender.congestion.window,
        sender.window,
        receiver.window,
        receiver.limit,
        max(sent_to - sender.iss - 1, 0),
        max(_without_fin(receiver.nxt, receiver.fin_at) - receiver.irs - 1, 0),
        receiver.reordered,
        sender.repeated,
        recovery.fast_recoveries,
        recovery.duplicate_acks,
        recovery.timeouts,
        connection.repeated_syns,
    )


def _without_fin(end: Position, fin_at: Position | None) -> Position:
    """A FIN has a sequence number, as a SYN has, and is no byte of the stream."""
    return end if fin_at is None else min(end, fin_at)
