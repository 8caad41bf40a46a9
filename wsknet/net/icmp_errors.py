"""ICMP errors and redirects that we send: to whom, when not, from where, how often.

Read RFC 1122 3.2.2, RFC 1812 4.3.2 and 5.2.7.2, RFC 4443 2.2 and 2.4, RFC 4861 8.2 before editing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import NetError
from wsknet.net import quote
from wsknet.net.messages.icmp import IcmpError, IcmpErrorKind
from wsknet.net.messages.neighbours import Redirect
from wsknet.net.packet import Cast
from wsknet.net.rate_limit import TokenBucket
from wsknet.trace import DropReason
from wsknet.types import ICMP, Address, Family, Instant, is_link_local, is_multicast, is_unspecified
from wsknet.wire import ipv4, ipv6
from wsknet.wire.fault import UNRECOGNIZED_OPTION

if TYPE_CHECKING:
    from wsknet.net.layer import IpLayer
    from wsknet.net.packet import Packet

_HEADER_LENGTH = 8
MAX_QUOTE = {
    Family.IPV4: 576 - ipv4.HEADER_LENGTH - _HEADER_LENGTH,
    Family.IPV6: ipv6.MIN_MTU - ipv6.HEADER_LENGTH - _HEADER_LENGTH,
}
"""Bytes, so that the error has at most 576 (RFC 1812 4.3.2.3) or what every link carries (RFC 4443 2.4 (c))."""

REDIRECTS_PER_SECOND = 10
"""And as many at once: what RFC 4443 2.4 (f) proposes for a small device.  Separate from errors: a host that follows no
redirects would be told with each packet, and nobody else of anything."""

INTERNETWORK_CONTROL = 0xC0
"""Precedence 6, which RFC 1812 4.3.2.5 gives a router's errors.  A host's have what `Behaviour` says, and all over IPv6
have 0: no RFC asks for more."""


class IcmpErrorSender:
    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._limit = TokenBucket(ip.config.icmp_errors_per_second, ip.config.icmp_errors_burst)
        self._redirects = TokenBucket(REDIRECTS_PER_SECOND, REDIRECTS_PER_SECOND)

    def send(
        self, kind: IcmpErrorKind, packet: Packet, now: Instant, code: int = 0, pointer: int = 0, mtu: int = 0
    ) -> None:
        """See `Icmp.send_error`."""
        quoted = quote.parse(packet.family, packet.raw)
        if quoted is None or not _is_answerable(packet, quoted):
            return
        is_special = packet.cast is not Cast.UNICAST or not quoted.is_first
        if is_special and not _is_told_all_the_same(kind, code, packet):
            return
        if not self._limit.take(now):
            self._ip.trace.drop(DropReason.ICMP_RATE_LIMITED, packet.raw)
            return
        family = packet.family
        if kind is IcmpErrorKind.PROTOCOL_UNREACHABLE and family is Family.IPV6:
            pointer = quoted.field
        error = IcmpError(kind, packet.raw[: self._most_quoted(family, quoted)], mtu, pointer, code)
        self._emit(packet, error, now)

    def _most_quoted(self, family: Family, quoted: quote.Quoted) -> int:
        """Bytes."""
        payload = self._ip.config.behaviour.icmp_quoted_payload
        if family is Family.IPV6 or payload is None:
            return MAX_QUOTE[family]
        return min(quoted.offset + payload, MAX_QUOTE[family])

    def redirect(self, packet: Packet, next_hop: Address, now: Instant) -> None:
        """See `Icmp.send_redirect`."""
        ip, family, interface = self._ip, packet.family, packet.interface
        source = interface.source_towards(packet.source, None)
        hop_limit, traffic_class = None, INTERNETWORK_CONTROL
        if family is Family.IPV6:
            # RFC 4861 4.5 and 8.1: from our link-local address, and routers are known by theirs.
            source = next(
                (entry.address for entry in interface.addresses_of(family) if is_link_local(entry.address)), None
            )
            if next_hop != packet.destination and not is_link_local(next_hop):
                return
            hop_limit, traffic_class = 255, 0
        quoted = quote.parse(family, packet.raw)
        if source is None or quoted is None or not quoted.is_first or not _is_answerable(packet, quoted):
            return
        if not self._redirects.take(now):
            return
        neighbour = interface.neighbours.get(next_hop)
        mac = neighbour.mac if neighbour is not None and family is Family.IPV6 else None
        message = Redirect(next_hop, packet.destination, packet.raw[: self._most_quoted(family, quoted)], mac)
        payload = ip.codec.encode_icmp(family, source, packet.source, message)
        ip.reply(packet.source, source, interface.index, ICMP[family], payload, now, hop_limit, traffic_class)

    def _emit(self, packet: Packet, error: IcmpError, now: Instant) -> None:
        """From the address that was asked if it is ours, else from one of the interface by which the error leaves
        (RFC 1812 4.3.2.4, RFC 4443 2.2)."""
        ip, family = self._ip, packet.family
        scope = packet.zone if is_link_local(packet.destination) else 0
        is_ours = ip.tables.find_local(packet.destination, scope) is not None
        try:
            path = ip.path(packet.source, packet.destination if is_ours else None, packet.zone)
            payload = ip.codec.encode_icmp(family, path.source, packet.source, error)
            traffic_class = 0
            if family is Family.IPV4:
                traffic_class = ip.config.behaviour.icmp_error_class if is_ours else INTERNETWORK_CONTROL
            ip.send(path, ICMP[family], b"", (payload,), now, None, traffic_class)
        except NetError:
            ip.trace.drop(DropReason.NO_ROUTE, packet.raw)


def _is_answerable(packet: Packet, quoted: quote.Quoted) -> bool:
    """It is no error itself, and its source is one host; broadcasts and the like input has not let through."""
    source = packet.source
    if is_unspecified(source) or is_multicast(source):
        return False
    return not quote.may_be_error(packet.family, packet.raw, quoted)


def _is_told_all_the_same(kind: IcmpErrorKind, code: int, packet: Packet) -> bool:
    """Whether an error may be about what a group got, or about a later fragment.

    RFC 1122 3.2.2 forbids both.  RFC 4443 2.4 (e.3) has exceptions for groups and none against fragments: a router must
    say what was too big or too old (3.2, 3.3), whichever part of a packet it was.
    """
    if packet.family is Family.IPV4:
        return False
    if packet.cast is Cast.UNICAST:
        return True
    is_unknown_option = kind is IcmpErrorKind.PARAMETER_PROBLEM and code == UNRECOGNIZED_OPTION
    return is_unknown_option or kind is IcmpErrorKind.PACKET_TOO_BIG
