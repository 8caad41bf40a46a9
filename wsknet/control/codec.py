"""The codec that a stack is given."""

from __future__ import annotations

from wsknet.control import arp, icmp4, icmp6
from wsknet.net.messages import ArpMessage, Codec, IcmpMessage
from wsknet.trace import DropReason
from wsknet.types import Address, Family


class ScapyCodec(Codec):
    """`net.messages.Codec` by way of Scapy.  Stateless: one may serve any number of stacks."""

    __slots__ = ()

    def decode_arp(self, payload: bytes) -> ArpMessage | DropReason:
        return arp.decode(payload)

    def encode_arp(self, message: ArpMessage) -> bytes:
        return arp.encode(message)

    def decode_icmp(
        self, family: Family, source: Address, destination: Address, payload: bytes
    ) -> IcmpMessage | DropReason:
        if family is Family.IPV4:
            return icmp4.decode(payload)
        return icmp6.decode(source, destination, payload)

    def encode_icmp(self, family: Family, source: Address, destination: Address, message: IcmpMessage) -> bytes:
        if family is Family.IPV4:
            return icmp4.encode(message)
        return icmp6.encode(source, destination, message)
