"""Neighbour discovery on one link.

Read RFC 4861 7.1 and 7.2, RFC 4862 5.4 (questions from nowhere), RFC 4429 3.2 and 3.3 before editing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.interface import AddressState
from wsknet.net.messages.neighbours import NeighbourAdvertisement, NeighbourSolicitation
from wsknet.net.neighbour import Belief
from wsknet.net.well_known import ALL_NODES, solicited_node
from wsknet.trace import DropReason
from wsknet.types import Address, Family, Instant, Mac, Proto, is_multicast, is_unspecified

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.net.packet import Packet

_NOWHERE = bytes(16)
ND_HOP_LIMIT = 255
"""Of every message of neighbour discovery: no router has touched the packet (RFC 4861 3.1)."""


class NeighbourDiscovery:
    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._codec = ip.codec
        self._output = ip.output
        self._trace = ip.trace

    def input(self, packet: Packet, message: NeighbourSolicitation | NeighbourAdvertisement, now: Instant) -> None:
        """`message` has passed the codec: everything of RFC 4861 7.1 but the hop limit."""
        if packet.hop_limit != ND_HOP_LIMIT:
            self._trace.drop(DropReason.ND_BAD_HOP_LIMIT, packet.raw)
        elif packet.link_source == packet.interface.mac:
            self._trace.drop(DropReason.OWN_MESSAGE, packet.raw)  # RFC 4862 5.4.3, appendix A
        elif isinstance(message, NeighbourSolicitation):
            self._solicited(packet, message, now)
        else:
            self._advertised(packet, message, now)

    def solicit(self, interface: Interface, target: Address, mac: Mac | None, preferred: Address | None) -> None:
        """Ask who has `target`; its last known owner alone if `mac` is given."""
        source = _asker(interface, target, preferred)
        if source is None:
            return  # no IPv6 address to ask with, or none yet: in the end the neighbour will be given up
        message = NeighbourSolicitation(target, interface.mac)
        if mac is None:
            group = solicited_node(target)
            payload = self._codec.encode_icmp(Family.IPV6, source, group, message)
            self._output.emit_discovery(interface, source, group, payload)
        else:
            payload = self._codec.encode_icmp(Family.IPV6, source, target, message)
            self._output.emit_discovery(interface, source, target, payload, mac)

    def probe(self, interface: Interface, target: Address, comment: str) -> None:
        """Ask from nowhere whether anybody has `target` (RFC 4862 5.4.2)."""
        group = solicited_node(target)
        payload = self._codec.encode_icmp(Family.IPV6, _NOWHERE, group, NeighbourSolicitation(target))
        self._output.emit_discovery(interface, _NOWHERE, group, payload, comment=comment)

    def _solicited(self, packet: Packet, message: NeighbourSolicitation, now: Instant) -> None:
        interface, target, sender = packet.interface, message.target, packet.source
        entry = interface.addresses.get(target)
        is_optimistic = entry is not None and entry.state is AddressState.OPTIMISTIC
        if is_unspecified(sender) and (is_optimistic or target in interface.unassigned):
            self._conflict(packet, target, None, now, is_probe=True)  # two hosts check one address: neither gets it
        elif entry is None:
            self._trace.drop(DropReason.ND_NOT_FOR_US, packet.raw)  # tentative ones among them: RFC 4862 5.4.3
        elif is_unspecified(sender):  # duplicate address detection: the answer goes to everybody
            answer = NeighbourAdvertisement(
                target, is_router=interface.forwarding, is_override=True, target_mac=interface.mac
            )  # fmt: skip
            payload = self._codec.encode_icmp(Family.IPV6, target, ALL_NODES, answer)
            self._output.emit_discovery(interface, target, ALL_NODES, payload)
        else:
            if message.source_mac is not None:
                interface.neighbours.learn(sender, message.source_mac, now)
            # RFC 4429 3.3: an address that may be another's does not replace what the asker knows.
            self._answer(interface, target, sender, not is_optimistic, now)

    def _answer(self, interface: Interface, target: Address, asker: Address, is_override: bool, now: Instant) -> None:
        answer = NeighbourAdvertisement(
            target,
            is_router=interface.forwarding,
            is_solicited=True,
            is_override=is_override,
            target_mac=interface.mac,
        )
        payload = self._codec.encode_icmp(Family.IPV6, target, asker, answer)
        known = interface.neighbours.get(asker)
        if known is not None and known.mac is not None:
            self._output.emit_discovery(interface, target, asker, payload, known.mac)
        else:
            self._ip.reply(asker, target, interface.index, Proto.ICMPV6, payload, now, ND_HOP_LIMIT)

    def _advertised(self, packet: Packet, message: NeighbourAdvertisement, now: Instant) -> None:
        interface, target = packet.interface, message.target
        if interface.claims(target):
            self._conflict(packet, target, message.target_mac, now, is_probe=False)
            return
        is_solicited = message.is_solicited and not is_multicast(packet.destination)
        table = interface.neighbours
        belief = table.advertised(target, message.target_mac, is_solicited, message.is_override, now)
        known = table.get(target)
        if belief is Belief.UNWANTED:
            self._trace.drop(DropReason.ND_UNSOLICITED, packet.raw)
        elif belief is Belief.BELIEVED and known is not None:
            known.is_router = message.is_router
            if not message.is_router:
                self._ip.routers.no_longer_router(interface, target, now)

    def _conflict(self, packet: Packet, target: Address, mac: Mac | None, now: Instant, is_probe: bool) -> None:
        holder = mac or packet.link_source or bytes(6)
        self._ip.duplicates.heard(packet.interface, target, holder, now, is_probe)
        self._trace.drop(DropReason.ADDRESS_CONFLICT, packet.raw)


def _asker(interface: Interface, target: Address, preferred: Address | None) -> Address | None:
    """The source of a question; never an optimistic address, since others would learn its MAC (RFC 4429 3.2)."""
    source = interface.source_towards(target, preferred)
    if source is None or interface.addresses[source].state is not AddressState.OPTIMISTIC:
        return source
    for entry in interface.addresses_of(Family.IPV6):
        if entry.state is not AddressState.OPTIMISTIC:
            return entry.address
    return None
