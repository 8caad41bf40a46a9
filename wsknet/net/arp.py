"""ARP: RFC 826, RFC 5227 (probes), RFC 1122 2.3.2.

A strong host answers for an address on the interface that owns it, a weak one on all (BIND-30).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.messages import ArpMessage, ArpOperation
from wsknet.net.neighbours import NeighbourState
from wsknet.net.packet import Cast
from wsknet.trace import DropReason
from wsknet.types import Address, Instant, Mac, is_loopback, is_unspecified
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

    def input(self, interface: Interface, payload: bytes, now: Instant) -> None:
        message = self._codec.decode_arp(payload)
        if isinstance(message, DropReason):
            self._trace.drop(message, payload)
            return
        sender = message.sender_address
        is_group = sender[0] >= 224 or interface.accepts.get(sender) is Cast.BROADCAST
        if message.sender_mac == _NO_MAC or is_loopback(sender) or is_group:
            self._trace.drop(DropReason.ARP_MALFORMED, payload)
        elif self._is_ours(interface, sender):
            self._trace.drop(DropReason.ADDRESS_CONFLICT, payload)
        elif message.operation is ArpOperation.REPLY:
            self._reply_arrived(interface, message, payload, now)
        else:
            self._request_arrived(interface, message, payload, now)

    def request(self, interface: Interface, target: Address, mac: Mac | None, preferred: Address | None) -> None:
        """Ask who has `target`; its last known owner alone if `mac` is given (RFC 1122 2.3.2.1)."""
        sender = interface.source_towards(target, preferred) or bytes(4)
        message = ArpMessage(ArpOperation.REQUEST, interface.mac, sender, mac or _NO_MAC, target)
        self._emit(interface, mac or BROADCAST_MAC, message)

    def _request_arrived(self, interface: Interface, message: ArpMessage, payload: bytes, now: Instant) -> None:
        sender = message.sender_address
        if not self._is_ours(interface, message.target_address):
            # RFC 826's merge: what we know already is corrected by anybody's question.
            if interface.neighbours.get(sender) is not None:
                interface.neighbours.learn(sender, message.sender_mac, now)
            self._trace.drop(DropReason.ARP_NOT_FOR_US, payload)
            return
        if not is_unspecified(sender):  # a probe (RFC 5227 2.1.1) is answered but teaches nothing
            interface.neighbours.learn(sender, message.sender_mac, now)
        reply = ArpMessage(
            ArpOperation.REPLY, interface.mac, message.target_address, message.sender_mac, sender
        )  # fmt: skip
        self._emit(interface, message.sender_mac, reply)

    def _reply_arrived(self, interface: Interface, message: ArpMessage, payload: bytes, now: Instant) -> None:
        known = interface.neighbours.get(message.sender_address)
        if known is None:
            self._trace.drop(DropReason.ARP_UNSOLICITED, payload)
            return
        is_answer = known.state in _ASKED and self._is_ours(interface, message.target_address)
        interface.neighbours.advertise(message.sender_address, message.sender_mac, is_answer, True, now)

    def _is_ours(self, interface: Interface, address: Address) -> bool:
        if address in interface.addresses:
            return True
        return interface.weak_receive and address in self._tables.local

    def _emit(self, interface: Interface, destination: Mac, message: ArpMessage) -> None:
        frame = header(destination, interface.mac, ETHERTYPE_ARP) + self._codec.encode_arp(message)
        self._output.emit(interface, (frame,))
