"""ICMP and ICMPv6: echo, and errors about what we sent.

Read RFC 792, RFC 1122 3.2.2, RFC 4443 2.4 and 4, RFC 5927 before editing.  Bytes are the codec's business, errors that
we send are in `icmp_errors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net import quote
from wsknet.net.handler import Undelivered
from wsknet.net.icmp_errors import IcmpErrorSender
from wsknet.net.messages.groups import GroupLeave, GroupQuery, GroupReport, OldGroupReport
from wsknet.net.messages.icmp import EchoMessage, IcmpError, IcmpErrorKind
from wsknet.net.messages.neighbours import Redirect, RouterAdvertisement, RouterSolicitation
from wsknet.net.packet import Cast, Packet
from wsknet.net.pmtu import believable_mtu
from wsknet.trace import DropReason
from wsknet.types import ICMP, Address, Family, Instant, is_link_local

if TYPE_CHECKING:
    from wsknet.net.handler import EchoReceiver
    from wsknet.net.layer import IpLayer

_MIN_TRANSPORT = 8
"""RFC 792 quotes at least 64 bits: the ports of TCP and UDP."""

_ECHO_REQUESTS = (8, 128)
"""Types of ICMP and ICMPv6; the other protocol has no message of that number."""
_ECHO_REPLIES = (0, 129)

_DSCP_MASK = 0xFC


class Icmp:
    """The handler of both protocol numbers."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._codec = ip.codec
        self._trace = ip.trace
        self._discovery = ip.discovery
        self._errors = IcmpErrorSender(ip)
        self.echo: EchoReceiver | None = None
        """Who has sent echo requests; the stack sets it."""

    def input(self, packet: Packet, now: Instant) -> None:
        if packet.protocol != ICMP[packet.family]:
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
        elif isinstance(message, RouterAdvertisement):
            self._ip.routers.received(packet, message, now)
        elif isinstance(message, RouterSolicitation):
            self._ip.advertising.solicited(packet, now)
        elif isinstance(message, (GroupQuery, GroupReport, OldGroupReport, GroupLeave)):
            self._ip.groups.received(packet, message, now)
        else:
            self._discovery.input(packet, message, now)

    def icmp_error(self, error: Undelivered, now: Instant) -> bool:
        """An echo message of ours did not arrive.

        Nobody keeps what was replied, yet errors about it are believed, for the path MTU in them: the next reply is
        cut.  Whoever forges the error could have forged the request as well, and `pmtu` bounds what it does.
        """
        number = error.quoted[0]
        if number in _ECHO_REQUESTS:
            return self.echo is not None and self.echo.error(error, now)
        return number in _ECHO_REPLIES

    def send_error(
        self, kind: IcmpErrorKind, packet: Packet, now: Instant, code: int = 0, pointer: int = 0, mtu: int = 0
    ) -> None:
        """Tell the sender of `packet` why it was not taken, unless that is forbidden or the rate limit used up.

        The last three are those of `IcmpError`; the pointer of PROTOCOL_UNREACHABLE is found here.
        """
        self._errors.send(kind, packet, now, code, pointer, mtu)

    def send_redirect(self, packet: Packet, next_hop: Address, now: Instant) -> None:
        """Tell the sender of `packet`, a neighbour, that `next_hop` is a neighbour too and nearer to the destination.

        Not sent where it is forbidden or of no use, or the rate limit is used up.
        """
        self._errors.redirect(packet, next_hop, now)

    def _echo(self, packet: Packet, message: EchoMessage, now: Instant) -> None:
        if message.is_reply:
            if self.echo is None or not self.echo.reply(packet, message, now):
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
        code = message.code if packet.family in self._ip.config.behaviour.echo_repeats_code else 0
        reply = EchoMessage(True, message.identifier, message.sequence, message.data, code)
        payload = self._codec.encode_icmp(packet.family, source, packet.source, reply)
        zone = packet.zone or (packet.interface.index if is_link_local(source) else 0)
        # RFC 1122 3.2.2: the type of service of the request.  Its congestion mark was for the request alone (RFC 3168).
        traffic_class = packet.traffic_class & _DSCP_MASK
        self._ip.reply(
            packet.source, source, zone, ICMP[packet.family], payload, now, traffic_class=traffic_class
        )  # fmt: skip

    def _error(self, packet: Packet, error: IcmpError, now: Instant) -> None:
        quoted = quote.parse(packet.family, error.quoted)
        if (
            packet.cast is not Cast.UNICAST
            or quoted is None
            # An error goes to the sender of what it quotes, so one that arrives elsewhere is forged.
            or quoted.source != packet.destination
            or not quoted.is_first
            or len(error.quoted) < quoted.offset + _MIN_TRANSPORT
        ):
            self._trace.drop(DropReason.ICMP_BAD_QUOTE, packet.raw)
            return
        is_too_big = error.kind is IcmpErrorKind.PACKET_TOO_BIG
        mtu = believable_mtu(packet.family, error.mtu, quoted.total_length) if is_too_big else 0
        if mtu is None:
            self._trace.drop(DropReason.ICMP_BAD_MTU, packet.raw)
            return
        handler = self._ip.protocols.get(quoted.protocol)
        if handler is None:
            self._trace.drop(DropReason.ICMP_NO_ENDPOINT, packet.raw)
            return
        has_zone = is_link_local(quoted.source) or is_link_local(quoted.destination)
        undelivered = Undelivered(
            error.kind,
            quoted.source,
            quoted.destination,
            error.quoted[quoted.offset :],
            (packet.zone or packet.interface.index) if has_zone else 0,
            mtu,
            packet.source,
            error.code,
        )
        if handler.icmp_error(undelivered, now) and is_too_big:
            self._ip.path_mtus.learn(undelivered, now)
