"""ICMP and ICMPv6: echo, errors out, errors in.

Read RFC 792, RFC 1122 3.2.2, RFC 4443 2.4 and 4, RFC 5927 before editing.  Bytes are the codec's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.fragments import FRAGMENT_HEADER
from wsknet.net.handler import Undelivered
from wsknet.net.messages import (
    EchoMessage,
    GroupLeave,
    GroupQuery,
    GroupReport,
    IcmpError,
    IcmpErrorKind,
    OldGroupReport,
    Redirect,
    RouterAdvertisement,
    RouterSolicitation,
)
from wsknet.net.packet import Cast, Packet
from wsknet.trace import DropReason
from wsknet.types import SECOND, Address, Family, Instant, Proto, is_link_local, is_multicast, is_unspecified

if TYPE_CHECKING:
    from wsknet.net.layer import IpLayer

PROTOCOL = {Family.IPV4: Proto.ICMP, Family.IPV6: Proto.ICMPV6}

_MAX_QUOTE = {Family.IPV4: 576 - 20 - 8, Family.IPV6: 1280 - 40 - 8}
"""So that the error is a packet every link carries (RFC 1812 4.3.2.3, RFC 4443 2.4 (c))."""
_MIN_TRANSPORT = 8
"""RFC 792 quotes at least 64 bits: the ports of TCP and UDP."""

_IPV6_EXTENSIONS = (0, 43, 60)


class Icmp:
    """The handler of both protocol numbers."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._codec = ip.codec
        self._trace = ip.trace
        self._discovery = ip.discovery
        self._limit = RateLimit(ip.config.icmp_errors_per_second)

    def input(self, packet: Packet, now: Instant) -> None:
        if packet.protocol != PROTOCOL[packet.family]:
            self._ip.refuse(packet, now)
            return
        message = self._codec.decode_icmp(packet.family, packet.source, packet.destination, packet.payload)
        if isinstance(message, DropReason):
            self._trace.drop(message, packet.raw)
        elif isinstance(message, EchoMessage):
            self._echo(packet, message, now)
        elif isinstance(message, IcmpError):
            self._error(packet, message, now)
        elif isinstance(message, Redirect):
            self._ip.redirects.received(packet, message, now)
        elif isinstance(message, (RouterSolicitation, RouterAdvertisement)):
            self._ip.routers.received(packet, message, now)
        elif isinstance(message, (GroupQuery, GroupReport, OldGroupReport, GroupLeave)):
            self._ip.groups.received(packet, message, now)
        else:
            self._discovery.input(packet, message, now)

    def icmp_error(self, error: Undelivered, now: Instant) -> bool:
        """An echo reply of ours did not arrive.  Nobody waits to hear that."""
        return False

    def send_error(self, kind: IcmpErrorKind, packet: Packet, now: Instant) -> None:
        """Tell the sender of `packet` why it was not taken, unless RFC 1122 3.2.2 or RFC 4443 2.4 (e) forbid it."""
        source = packet.source
        if packet.cast is not Cast.UNICAST or is_unspecified(source) or is_multicast(source):
            return
        if not self._limit.allows(now):
            self._trace.drop(DropReason.ICMP_RATE_LIMITED, packet.raw)
            return
        family = packet.family
        pointer = 0
        if kind is IcmpErrorKind.PROTOCOL_UNREACHABLE and family is Family.IPV6:
            pointer = _next_header_offset(packet)
        error = IcmpError(kind, packet.raw[: _MAX_QUOTE[family]], pointer=pointer)
        payload = self._codec.encode_icmp(family, packet.destination, source, error)
        self._ip.reply(source, packet.destination, packet.zone, PROTOCOL[family], payload, now)

    def _echo(self, packet: Packet, message: EchoMessage, now: Instant) -> None:
        if message.is_reply:
            self._trace.drop(DropReason.ICMP_NO_ENDPOINT, packet.raw)
            return
        source: Address | None = packet.destination
        if packet.cast is not Cast.UNICAST:
            # RFC 4443 4.2: from a unicast address of the interface on which it came.  RFC 1122 3.2.2.6 leaves IPv4
            # the choice, and who answers a broadcast can be made to flood a third party.
            is_answered = packet.family is Family.IPV6
            source = packet.interface.source_towards(packet.source, None) if is_answered else None
        if source is None:
            self._trace.drop(DropReason.ICMP_BROADCAST_ECHO, packet.raw)
            return
        reply = EchoMessage(True, message.identifier, message.sequence, message.data)
        payload = self._codec.encode_icmp(packet.family, source, packet.source, reply)
        zone = packet.zone or (packet.interface.index if is_link_local(source) else 0)
        self._ip.reply(packet.source, source, zone, PROTOCOL[packet.family], payload, now)

    def _error(self, packet: Packet, error: IcmpError, now: Instant) -> None:
        quote = _parse_quote(packet.family, error.quoted)
        if packet.cast is not Cast.UNICAST or quote is None or quote[0] != packet.destination:
            # An error goes to the sender of what it quotes, so one that arrives elsewhere is forged.
            self._trace.drop(DropReason.ICMP_BAD_QUOTE, packet.raw)
            return
        source, destination, protocol, transport = quote
        handler = self._ip.protocols.get(protocol)
        if handler is None:
            self._trace.drop(DropReason.ICMP_NO_ENDPOINT, packet.raw)
            return
        has_zone = is_link_local(source) or is_link_local(destination)
        zone = packet.interface.index if has_zone else 0
        handler.icmp_error(Undelivered(error.kind, source, destination, transport, zone, error.mtu), now)


class RateLimit:
    """At most `count` in each second that starts with one."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._used = 0
        self._until = Instant(0)

    def allows(self, now: Instant) -> bool:
        if now >= self._until:
            self._until = Instant(now + SECOND)
            self._used = 0
        self._used += 1
        return self._used <= self._count


def _parse_quote(family: Family, quoted: bytes) -> tuple[Address, Address, int, bytes] | None:
    """Source, destination, protocol and transport header of the packet in an error.

    It was ours, so it has no options and no extension headers but that of a first fragment.
    """
    if family is Family.IPV4:
        if len(quoted) < 20 or quoted[0] >> 4 != 4:
            return None
        offset = (quoted[0] & 0x0F) * 4
        is_first = not int.from_bytes(quoted[6:8], "big") & 0x1FFF
        protocol, source, destination = quoted[9], quoted[12:16], quoted[16:20]
    else:
        if len(quoted) < 48 or quoted[0] >> 4 != 6:
            return None
        offset, is_first = 40, True
        protocol, source, destination = quoted[6], quoted[8:24], quoted[24:40]
        if protocol == FRAGMENT_HEADER:
            offset, protocol = 48, quoted[40]
            is_first = not int.from_bytes(quoted[42:44], "big") & 0xFFF8
    if offset < 20 or not is_first or len(quoted) < offset + _MIN_TRANSPORT:
        return None
    return source, destination, protocol, quoted[offset:]


def _next_header_offset(packet: Packet) -> int:
    """Where the IPv6 packet names the protocol that nobody takes.  The chain was checked when it was parsed."""
    raw, field, position = packet.raw, 6, 40
    while raw[field] in _IPV6_EXTENSIONS:
        field, position = position, position + 8 + raw[position + 1] * 8
    return field
