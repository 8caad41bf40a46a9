"""What two SYNs settle: MSS (RFC 9293 3.7.1), window scale and timestamps (RFC 7323 2 and 3), SACK (RFC 2018 2), ECN
(RFC 3168 6.1.1), Fast Open (RFC 7413)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.tcp_policy import OptionUse
from wsknet.transport.tcp import fast_open
from wsknet.transport.tcp.ecn import SETUP, Ecn
from wsknet.transport.tcp.sack import Reports
from wsknet.transport.tcp.segments import peer_mss
from wsknet.transport.tcp.state import State
from wsknet.transport.tcp.timestamps import Timestamps, clock
from wsknet.wire import tcp, tcp_options
from wsknet.wire.tcp_options import Options

if TYPE_CHECKING:
    from wsknet.transport.tcp.connection import Connection
    from wsknet.types import Buffers, Instant


def take_syn(connection: Connection, segment: tcp.Segment, now: Instant) -> None:
    """The peer's SYN, or SYN-ACK, has come: what it offers and we offer is in use from now on."""
    options = segment.options
    policy = connection.protocol.policy
    sender, receiver = connection.sender, connection.receiver
    shift = 0
    if options.window_scale is not None and connection.protocol.config.window_scaling:
        sender.shift = options.window_scale
        shift = receiver.offered_shift
    receiver.start(segment.seq, shift)
    has_asked = sender.sent != sender.iss  # a SYN of ours is out already
    has_timestamps = options.timestamps is not None and _is_wanted(connection.timestamps_use, has_asked)
    if options.timestamps is not None and has_timestamps:
        connection.use_timestamps(Timestamps(_offset(connection), options.timestamps[0], now))
    has_sack = policy.sack and options.sack_permitted
    if has_sack:
        receiver.reports = Reports(receiver.reassembly, has_timestamps)
    sender.recovery.use_sack(has_sack)
    # A SYN that was repeated did not ask for ECN any more, and whichever was answered, one of ours was without.
    if _grants_ecn(segment) and _is_wanted(policy.ecn, has_asked) and not sender.recovery.retries:
        connection.segments.ecn = Ecn(sender.iss)
    sender.peer_takes(peer_mss(options.mss, connection.remote.address), connection.segments.overhead)
    sender.congestion.start(sender.mss)
    sender.set_window(segment.window)  # never scaled in a SYN
    sender.window_seq, sender.window_ack = segment.seq, sender.iss


def _offset(connection: Connection) -> int:
    return connection.protocol.timestamp_offset(connection.local, connection.remote)


def _is_wanted(use: OptionUse, has_asked: bool) -> bool:
    return use is OptionUse.ASK or (use is OptionUse.ANSWER and not has_asked)


def _grants_ecn(segment: tcp.Segment) -> bool:
    """RFC 3168 6.1.1: a SYN asks by both bits, a SYN-ACK grants by ECE alone."""
    return segment.flags & SETUP == (tcp.ECE if segment.flags & tcp.ACK else SETUP)


def send_syn(connection: Connection, now: Instant) -> None:
    """SYN, or SYN-ACK once the peer's SYN has come.  An answer has the options only that were there."""
    receiver, sender, segments = connection.receiver, connection.sender, connection.segments
    policy = connection.protocol.policy
    is_answer = connection.state is State.SYN_RECEIVED
    timestamps = segments.timestamps
    scale = None
    if connection.protocol.config.window_scaling and (not is_answer or receiver.shift or sender.shift):
        scale = receiver.offered_shift
    stamps = None
    flags = tcp.SYN
    if is_answer:
        flags |= tcp.ACK
        if timestamps is not None:
            stamps = clock(now, timestamps.offset), timestamps.recent
        if segments.ecn is not None:
            flags |= tcp.ECE
    else:
        if connection.timestamps_use is OptionUse.ASK:
            stamps = clock(now, _offset(connection)), 0
        if policy.ecn is OptionUse.ASK and not sender.recovery.retries:
            flags |= SETUP  # a SYN that is repeated does without: RFC 3168 6.1.1.1
    options = Options(
        mss=receiver.segment_size,
        window_scale=scale,
        sack_permitted=receiver.reports is not None if is_answer else policy.sack,
        timestamps=stamps,
    )
    ack = receiver.nxt if is_answer else 0
    data: Buffers = ()
    if connection.has_fast_open and not is_answer and not connection.has_repeated_syn:
        data = fast_open.prepare(connection)
    packed = tcp_options.build(options._replace(fast_open=connection.fast_open), policy.option_order)
    sender.timeout_at = connection.timeout(now)
    connection.timers.retransmit.arm(sender.timeout_at)
    segments.send_bare(sender.iss, ack, flags, receiver.syn_window(), now, packed, data)
    sender.syn_carried(sum(map(len, data)), now)
