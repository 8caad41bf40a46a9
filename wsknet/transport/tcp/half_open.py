"""Half-open connections of which nothing is kept: a SYN answered by a cookie, and what the cookie brings back.

Read RFC 4987 3.6 before editing; the cookie itself is in `syn_cookies`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import NetError
from wsknet.tcp_policy import OptionUse
from wsknet.trace import DropReason
from wsknet.transport.tcp.ecn import SETUP
from wsknet.transport.tcp.inspections import Request
from wsknet.transport.tcp.naming import ends
from wsknet.transport.tcp.receive import MAX_FIELD, scale_for
from wsknet.transport.tcp.segments import mss_to_offer, peer_mss, send_from_nowhere
from wsknet.transport.tcp.seq import MASK
from wsknet.transport.tcp.syn_cookies import granted, stamp
from wsknet.transport.tcp.timestamps import clock
from wsknet.wire import tcp, tcp_options
from wsknet.wire.tcp_options import Options

if TYPE_CHECKING:
    from wsknet.net.packet import Packet
    from wsknet.transport.tcp.endpoint import TcpEndpoint
    from wsknet.transport.tcp.protocol import TcpProtocol
    from wsknet.types import Instant


def send_cookie(protocol: TcpProtocol, endpoint: TcpEndpoint, request: Request, now: Instant) -> None:
    """Answer the SYN as a connection of the listening `endpoint` would."""
    local, remote, syn, _ = request
    interface = endpoint.unicast_interfaces[len(remote.address)]
    try:
        path = protocol.ip.path(remote.address, local.address, remote.zone or local.zone, None, interface)
    except NetError:
        protocol.trace.drop(DropReason.NO_ROUTE)
        return
    policy, flags = protocol.policy, tcp.SYN | tcp.ACK
    options = Options(mss=mss_to_offer(path))
    scale = scale_for(endpoint.receive_buffer, policy.window_scale)
    if syn.options.timestamps is not None and _may_have_timestamps(protocol, endpoint):
        has_ecn = policy.ecn is not OptionUse.OFF and syn.flags & SETUP == SETUP
        timestamp = clock(now, protocol.timestamp_offset(local, remote))
        told = _agreed(protocol, syn.options)
        options = options._replace(
            window_scale=None if told.window_scale is None else scale,
            sack_permitted=told.sack_permitted,
            timestamps=(stamp(timestamp, told, has_ecn), syn.options.timestamps[0]),
        )
        flags |= tcp.ECE * has_ecn
    number = protocol.syn_cookies.number(local, remote, syn.seq, peer_mss(syn.options.mss, remote.address), now)
    window = min(endpoint.receive_buffer, MAX_FIELD)
    packed = tcp_options.build(options, policy.option_order)
    send_from_nowhere(protocol, local, remote, number, syn.seq + 1, flags, now, window, interface, packed)


def request_of_cookie(
    protocol: TcpProtocol, endpoint: TcpEndpoint, packet: Packet, segment: tcp.Segment, now: Instant
) -> Request | None:
    """The SYN that `segment` must have followed; `None` if the number that it acknowledges is no cookie."""
    local, remote = ends(packet, segment.destination_port, segment.source_port)
    irs = segment.seq - 1 & MASK
    policy = protocol.policy
    mss = protocol.syn_cookies.check(local, remote, irs, segment.ack - 1 & MASK, now)
    if mss is None:
        return None
    options, flags = Options(mss=mss), tcp.SYN
    if segment.options.timestamps is not None and _may_have_timestamps(protocol, endpoint):
        value, echoed = segment.options.timestamps
        told, has_ecn = granted(echoed)
        options = _agreed(protocol, told)._replace(mss=mss, timestamps=(value, 0))
        if has_ecn and policy.ecn is not OptionUse.OFF:
            flags |= SETUP
    syn = tcp.Segment(segment.source_port, segment.destination_port, irs, 0, flags, segment.window, b"", options)
    return Request(local, remote, syn)


def _may_have_timestamps(protocol: TcpProtocol, endpoint: TcpEndpoint) -> bool:
    use = endpoint.settings.timestamps
    return (protocol.policy.timestamps if use is None else use) is not OptionUse.OFF


def _agreed(protocol: TcpProtocol, offered: Options) -> Options:
    """What of `offered` is granted along with timestamps.  Asked for a second time when the peer echoes it: the echo
    may be forged."""
    return Options(
        window_scale=offered.window_scale if protocol.config.window_scaling else None,
        sack_permitted=offered.sack_permitted and protocol.policy.sack,
    )
