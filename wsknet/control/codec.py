"""The codec that a stack is given."""

from __future__ import annotations

from wsknet.control import arp, dhcp4, icmp4, icmp6, igmp
from wsknet.net.messages.codec import Codec, IcmpMessage
from wsknet.net.messages.dhcp import DhcpMessage
from wsknet.net.messages.groups import GroupMessage
from wsknet.net.messages.neighbours import ArpMessage
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

    def decode_igmp(self, payload: bytes) -> GroupMessage | DropReason:
        return igmp.decode(payload)

    def encode_igmp(self, message: GroupMessage) -> bytes:
        return igmp.encode(message)

    def decode_dhcp(self, payload: bytes) -> DhcpMessage | DropReason:
        return dhcp4.decode(payload)

    def encode_dhcp(self, message: DhcpMessage) -> bytes:
        return dhcp4.encode(message)
