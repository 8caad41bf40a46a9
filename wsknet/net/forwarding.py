"""Passing on packets for others: RFC 1812 5, RFC 8200 3 and 5, RFC 4291 2.5.6, RFC 2644, RFC 4861 8.2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net import transit
from wsknet.net.interface import is_in_prefix
from wsknet.net.messages.icmp import BEYOND_SCOPE, IcmpErrorKind
from wsknet.net.neighbours import Pending
from wsknet.net.path import link_mtu, summary
from wsknet.net.route_choice import route_for_others
from wsknet.net.wording import address_text
from wsknet.trace import Decision, DropReason
from wsknet.types import Address, Family, Instant, is_link_local

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.net.packet import Packet

MAX_TOLD = 4096
"""Destinations remembered, so that captures do not explain each packet."""


class Forwarding:
    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._tables = ip.tables
        self._trace = ip.trace
        self._told: dict[Address, int] = {}
        """Destinations whose route stands in the capture, with the generation of the tables that gave it."""

    def forward(self, packet: Packet, now: Instant) -> None:
        """`packet` is whole or a fragment, its header checked, unicast in a frame for us, and not for us.

        Its IPv4 options stay as they are: none is an order that we have to follow (RFC 7126).
        """
        source, destination = packet.source, packet.destination
        if _stays_on_link(source) or _stays_on_link(destination):
            self._trace.drop(DropReason.FORWARD_NOT_ALLOWED, packet.raw)
            if len(source) == 16 and is_link_local(source) and not _stays_on_link(destination):
                self._ip.icmp.send_error(IcmpErrorKind.NETWORK_UNREACHABLE, packet, now, code=BEYOND_SCOPE)
            return
        why = self._question(packet)
        route = route_for_others(self._tables, destination, why)
        if route is None:
            self._trace.drop(DropReason.FORWARD_NO_ROUTE, packet.raw)
            self._ip.icmp.send_error(IcmpErrorKind.NETWORK_UNREACHABLE, packet, now)
            return
        if route.is_broadcast or route.is_local:  # a directed broadcast (RFC 2644), or what input has refused to us
            self._trace.drop(DropReason.FORWARD_NOT_ALLOWED, packet.raw)
            return
        if packet.hop_limit <= 1:
            self._trace.drop(DropReason.IP_HOP_LIMIT, packet.raw)
            self._ip.icmp.send_error(IcmpErrorKind.TIME_EXCEEDED, packet, now)
            return
        interface = self._tables.interfaces[route.if_index]
        next_hop = route.next_hop or destination
        parts = self._fitting(packet, link_mtu(interface, route, packet.family), now)
        if parts:
            self._pass_on(packet, parts, interface, next_hop, now, summary(why) if why is not None else None)
            if interface is packet.interface and self._is_detour(packet, next_hop):
                self._ip.icmp.send_redirect(packet, next_hop, now)

    def _question(self, packet: Packet) -> Decision | None:
        """For the capture, if there is one: the first packet to each destination tells why it goes where it goes."""
        if not self._ip.annotate:
            return None
        destination, generation = packet.destination, self._tables.generation
        if self._told.get(destination) == generation:
            return None
        if len(self._told) >= MAX_TOLD:
            self._told.clear()
        self._told[destination] = generation
        return Decision(f"passed on to {address_text(destination)}")

    def _fitting(self, packet: Packet, mtu: int, now: Instant) -> tuple[bytes, ...]:
        """What leaves; nothing if the packet is too big and its sender has been told."""
        aged = transit.aged(packet.family, packet.raw)
        if len(aged) <= mtu:
            return (aged,)
        if transit.may_be_cut(packet.family, packet.raw):
            return transit.cut(aged, mtu)
        self._trace.drop(DropReason.IP_TOO_BIG, packet.raw)
        self._ip.icmp.send_error(IcmpErrorKind.PACKET_TOO_BIG, packet, now, mtu=mtu)
        return ()

    def _pass_on(
        self,
        packet: Packet,
        parts: tuple[bytes, ...],
        interface: Interface,
        next_hop: Address,
        now: Instant,
        comment: str | None,
    ) -> None:
        neighbour = interface.neighbours.use(next_hop, None, now)
        if neighbour.mac is None:
            pending = Pending(
                parts, 0, packet.protocol, packet.source, packet.destination, packet.zone, comment, packet
            )  # fmt: skip
            interface.neighbours.enqueue(neighbour, pending, now)
            return
        for part in parts:
            self._ip.output.emit(interface, (neighbour.link_header + part,), comment)
            comment = None

    def _is_detour(self, packet: Packet, next_hop: Address) -> bool:
        """A packet leaves as it came; whether its sender could have sent it to `next_hop` itself.

        IPv4 hosts use only routers of their own subnet (RFC 1812 5.2.7.2, RFC 1122 3.2.2.2).
        """
        if next_hop == packet.source:  # a router that believes we are nearer: it would be told of itself
            return False
        if packet.family is Family.IPV4:
            return any(
                is_in_prefix(packet.source, entry.address, entry.prefix_length)
                and is_in_prefix(next_hop, entry.address, entry.prefix_length)
                for entry in packet.interface.addresses_of(Family.IPV4)
            )
        back = route_for_others(self._tables, packet.source)
        return back is not None and back.next_hop is None and back.if_index == packet.interface.index


def _stays_on_link(address: Address) -> bool:
    """Neither to nor from such an address is anything passed on (RFC 1812 5.3.7, RFC 3927 7, RFC 4291 2.5.6).

    `Admission` has refused loopback, the unspecified address and groups: multicast routing is not done.
    """
    return is_link_local(address) or (len(address) == 4 and (address[0] == 0 or address[0] >= 240))
