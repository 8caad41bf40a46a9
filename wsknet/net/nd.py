"""Neighbour discovery on one link: RFC 4861 7.1 and 7.2, RFC 4862 5.4 (questions from nowhere)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.messages import NeighbourAdvertisement, NeighbourSolicitation
from wsknet.net.tables import ALL_NODES, solicited_node
from wsknet.trace import DropReason
from wsknet.types import Address, Family, Instant, Mac, Proto, is_multicast, is_unspecified

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.net.packet import Packet

_HOP_LIMIT = 255
"""No router has touched the packet (RFC 4861 3.1)."""


class NeighbourDiscovery:
    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._codec = ip.codec
        self._output = ip.output
        self._trace = ip.trace

    def input(self, packet: Packet, message: NeighbourSolicitation | NeighbourAdvertisement, now: Instant) -> None:
        """`message` has passed the codec: everything of RFC 4861 7.1 but the hop limit."""
        if packet.hop_limit != _HOP_LIMIT:
            self._trace.drop(DropReason.ND_BAD_HOP_LIMIT, packet.raw)
        elif isinstance(message, NeighbourSolicitation):
            self._solicited(packet, message, now)
        else:
            self._advertised(packet, message, now)

    def solicit(self, interface: Interface, target: Address, mac: Mac | None, preferred: Address | None) -> None:
        """Ask who has `target`; its last known owner alone if `mac` is given."""
        source = interface.source_towards(target, preferred)
        if source is None:
            return  # no IPv6 address left to ask with: the neighbour will be given up
        message = NeighbourSolicitation(target, interface.mac)
        if mac is None:
            group = solicited_node(target)
            payload = self._codec.encode_icmp(Family.IPV6, source, group, message)
            self._output.emit_multicast(interface, source, group, Proto.ICMPV6, payload)
        else:
            payload = self._codec.encode_icmp(Family.IPV6, source, target, message)
            self._output.emit_to(interface, mac, source, target, Proto.ICMPV6, payload)

    def _solicited(self, packet: Packet, message: NeighbourSolicitation, now: Instant) -> None:
        interface, target, sender = packet.interface, message.target, packet.source
        if target not in interface.addresses:
            self._trace.drop(DropReason.ND_NOT_FOR_US, packet.raw)
            return
        if is_unspecified(sender):  # duplicate address detection: the answer goes to everybody
            answer = NeighbourAdvertisement(target, is_override=True, target_mac=interface.mac)
            payload = self._codec.encode_icmp(Family.IPV6, target, ALL_NODES, answer)
            self._output.emit_multicast(interface, target, ALL_NODES, Proto.ICMPV6, payload)
            return
        if message.source_mac is not None:
            interface.neighbours.learn(sender, message.source_mac, now)
        answer = NeighbourAdvertisement(target, is_solicited=True, is_override=True, target_mac=interface.mac)
        payload = self._codec.encode_icmp(Family.IPV6, target, sender, answer)
        known = interface.neighbours.get(sender)
        if known is not None and known.mac is not None:
            self._output.emit_to(interface, known.mac, target, sender, Proto.ICMPV6, payload)
        else:
            self._ip.reply(sender, target, interface.index, Proto.ICMPV6, payload, now, _HOP_LIMIT)

    def _advertised(self, packet: Packet, message: NeighbourAdvertisement, now: Instant) -> None:
        interface, target = packet.interface, message.target
        if target in interface.addresses:
            self._trace.drop(DropReason.ADDRESS_CONFLICT, packet.raw)
            return
        is_solicited = message.is_solicited and not is_multicast(packet.destination)
        known = interface.neighbours.advertise(target, message.target_mac, is_solicited, message.is_override, now)
        if known is None:
            self._trace.drop(DropReason.ND_UNSOLICITED, packet.raw)
        else:
            known.is_router = message.is_router
