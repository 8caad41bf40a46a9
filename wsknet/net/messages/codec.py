"""What turns messages into bytes and back."""

from __future__ import annotations

from typing import Protocol, TypeAlias

from wsknet.net.messages.dhcp import DhcpMessage
from wsknet.net.messages.groups import GroupMessage
from wsknet.net.messages.icmp import EchoMessage, IcmpError
from wsknet.net.messages.neighbours import ArpMessage, NeighbourMessage
from wsknet.trace import DropReason
from wsknet.types import Address, Family

IcmpMessage: TypeAlias = EchoMessage | IcmpError | NeighbourMessage | GroupMessage


class Codec(Protocol):
    """Bytes to messages and back.  Decoding never raises, whatever the bytes."""

    def decode_arp(self, payload: bytes) -> ArpMessage | DropReason:
        """`payload` starts after the Ethernet header; what follows the 28 bytes of the message is padding."""

    def encode_arp(self, message: ArpMessage) -> bytes:
        """The 28 bytes of the message, without Ethernet header and padding."""

    def decode_icmp(
        self, family: Family, source: Address, destination: Address, payload: bytes
    ) -> IcmpMessage | DropReason:
        """`payload` is that of the IP packet, cut to the length the IP header gives.

        The checksum is checked, and of RFC 4861 6.1, 7.1 and 8.1 everything but the hop limit of 255 and the source of
        a router advertisement, which are the caller's.
        """

    def encode_icmp(self, family: Family, source: Address, destination: Address, message: IcmpMessage) -> bytes:
        """The payload of the IP packet, checksum set.

        Raises `ValueError` for a message that the family does not have, and for `IcmpErrorKind.OTHER`.
        """

    def decode_igmp(self, payload: bytes) -> GroupMessage | DropReason:
        """MLD is ICMPv6 and comes through `decode_icmp`."""

    def encode_igmp(self, message: GroupMessage) -> bytes:
        """Checksum set."""

    def decode_dhcp(self, payload: bytes) -> DhcpMessage | DropReason:
        """`payload` is that of the UDP datagram."""

    def encode_dhcp(self, message: DhcpMessage) -> bytes: ...
