"""ARP: RFC 826, RFC 5227 (probes, announcements, conflicts), RFC 1122 2.3.2, RFC 1027 (answering for others).

A strong host answers for an address on the interface that owns it, a weak one on all (BIND-30).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.messages.neighbours import ArpMessage, ArpOperation
from wsknet.net.neighbour import NeighbourState
from wsknet.net.packet import Cast
from wsknet.net.route_choice import route_for_others
from wsknet.trace import DropReason
from wsknet.types import Address, Instant, Mac, is_link_local, is_loopback, is_multicast, is_unspecified
from wsknet.wire.ethernet import BROADCAST_MAC, ETHERTYPE_ARP, header

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer

_NO_MAC = bytes(6)
_ASKED = (NeighbourState.INCOMPLETE, NeighbourState.DELAY, NeighbourState.PROBE)


class Arp:
    def __init__(self, ip: IpLayer) -> None:
        self._codec = ip.codec
        self._output = ip.output
        self._tables = ip.tables
        self._trace = ip.trace
        self._duplicates = ip.duplicates

    def input(self, interface: Interface, payload: bytes, now: Instant) -> None:
        message = self._codec.decode_arp(payload)
        if isinstance(message, DropReason):
            self._trace.drop(message, payload)
        elif message.sender_mac == _NO_MAC or not _may_be_sender(interface, message.sender_address):
            self._trace.drop(DropReason.ARP_MALFORMED, payload)
        elif message.sender_mac == interface.mac:
            self._trace.drop(DropReason.OWN_MESSAGE, payload)
        elif self._is_claimed(interface, message.sender_address):
            self._duplicates.heard(interface, message.sender_address, message.sender_mac, now, is_probe=False)
            self._trace.drop(DropReason.ADDRESS_CONFLICT, payload)
        elif message.operation is ArpOperation.REPLY:
            self._reply_arrived(interface, message, payload, now)
        elif is_unspecified(message.sender_address):
            self._probe_arrived(interface, message, payload, now)
        else:
            self._request_arrived(interface, message, payload, now)

    def request(self, interface: Interface, target: Address, mac: Mac | None, preferred: Address | None) -> None:
        """Ask who has `target`; its last known owner alone if `mac` is given (RFC 1122 2.3.2.1)."""
        sender = interface.source_towards(target, preferred) or bytes(4)
        message = ArpMessage(ArpOperation.REQUEST, interface.mac, sender, mac or _NO_MAC, target)
        self._emit(interface, mac or BROADCAST_MAC, message)

    def probe(self, interface: Interface, target: Address, comment: str) -> None:
        """Ask whether anybody has `target`, without claiming it (RFC 5227 2.1.1)."""
        message = ArpMessage(ArpOperation.REQUEST, interface.mac, bytes(4), _NO_MAC, target)
        self._emit(interface, BROADCAST_MAC, message, comment)

    def announce(self, interface: Interface, address: Address, comment: str) -> None:
        """Tell everybody that `address` is ours (RFC 5227 2.3)."""
        message = ArpMessage(ArpOperation.REQUEST, interface.mac, address, _NO_MAC, address)
        self._emit(interface, BROADCAST_MAC, message, comment)

    def _probe_arrived(self, interface: Interface, message: ArpMessage, payload: bytes, now: Instant) -> None:
        """Another host wishes for an address; nothing is learned from it, and no proxy answers (RFC 5227 2.1.1)."""
        target = message.target_address
        if self._is_ours(interface, target):
            self._answer(interface, message)
        elif target in interface.unassigned:
            self._duplicates.heard(interface, target, message.sender_mac, now, is_probe=True)
            self._trace.drop(DropReason.ADDRESS_CONFLICT, payload)
        else:
            self._trace.drop(DropReason.ARP_NOT_FOR_US, payload)

    def _request_arrived(self, interface: Interface, message: ArpMessage, payload: bytes, now: Instant) -> None:
        sender = message.sender_address
        is_answered = self._is_ours(interface, message.target_address) or self._is_proxy_for(interface, message)
        # RFC 826's merge: what we know already is corrected by anybody's question, an announcement among them.
        if is_answered or interface.neighbours.get(sender) is not None:
            interface.neighbours.learn(sender, message.sender_mac, now)
        if is_answered:
            self._answer(interface, message)
        else:
            self._trace.drop(DropReason.ARP_NOT_FOR_US, payload)

    def _reply_arrived(self, interface: Interface, message: ArpMessage, payload: bytes, now: Instant) -> None:
        table, sender = interface.neighbours, message.sender_address
        known = table.get(sender)
        if known is None and not table.is_late(sender):
            self._trace.drop(DropReason.ARP_UNSOLICITED, payload)
            return
        is_awaited = known is None or known.state in _ASKED
        is_answer = is_awaited and self._is_ours(interface, message.target_address)
        table.advertised(sender, message.sender_mac, is_answer, True, now)

    def _is_claimed(self, interface: Interface, address: Address) -> bool:
        """Whether another host that sends from `address` is in conflict with us."""
        return interface.claims(address) or self._is_ours(interface, address)

    def _is_ours(self, interface: Interface, address: Address) -> bool:
        if address in interface.addresses:
            return True
        return interface.weak_receive and address in self._tables.local

    def _is_proxy_for(self, interface: Interface, message: ArpMessage) -> bool:
        """Whether the way to the target leads through us to another link (RFC 1027 2.2 to 2.4).

        A default route is no reason to answer: it says nothing about the target, and the asker would believe every
        address of the world to be on its link.  Only where we would pass packets on, or they were lost here.
        """
        target = message.target_address
        if not (interface.proxy_arp and interface.forwarding) or target == message.sender_address:
            return False
        if is_link_local(target) or is_multicast(target) or target in interface.unassigned:
            return False
        route = route_for_others(self._tables, target)
        if route is None or route.if_index == interface.index or not route.prefix_length:
            return False
        if route.is_local or route.is_broadcast:
            return False
        on_link = (other for other in self._tables.routes.matching(target) if other.if_index == interface.index)
        return not any(other.prefix_length >= route.prefix_length for other in on_link)

    def _answer(self, interface: Interface, asked: ArpMessage) -> None:
        message = ArpMessage(
            ArpOperation.REPLY, interface.mac, asked.target_address, asked.sender_mac, asked.sender_address
        )  # fmt: skip
        self._emit(interface, asked.sender_mac, message)

    def _emit(self, interface: Interface, destination: Mac, message: ArpMessage, comment: str | None = None) -> None:
        if is_link_local(message.sender_address):
            destination = BROADCAST_MAC  # RFC 3927 2.5: who has the same address hears of it soon
        frame = header(destination, interface.mac, ETHERTYPE_ARP) + self._codec.encode_arp(message)
        self._output.emit(interface, (frame,), comment)


def _may_be_sender(interface: Interface, sender: Address) -> bool:
    """A host's address, or 0.0.0.0 in a probe; the rest of 0/8 is nobody's (RFC 1122 3.2.1.3 (b))."""
    if sender[0] == 0:
        return is_unspecified(sender)
    return sender[0] < 224 and not is_loopback(sender) and interface.accepts.get(sender) is not Cast.BROADCAST
