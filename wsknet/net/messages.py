"""Control messages as the state machines see them, and the codec that turns them into bytes and back.

What a message means per family is the codec's business (`wsknet.control`): a port unreachable is type 3 code 3 in
ICMPv4 and type 1 code 4 in ICMPv6, here it is one kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Protocol, TypeAlias

from wsknet.trace import DropReason
from wsknet.types import Address, Family, Mac


class ArpOperation(IntEnum):
    REQUEST = 1
    REPLY = 2


@dataclass(frozen=True, slots=True)
class ArpMessage:
    """IPv4 over Ethernet (RFC 826).  The target MAC of a request means nothing; six zero bytes are usual."""

    operation: ArpOperation
    sender_mac: Mac
    sender_address: Address
    target_mac: Mac
    target_address: Address


@dataclass(frozen=True, slots=True)
class EchoMessage:
    is_reply: bool
    identifier: int
    sequence: int
    data: bytes = b""


class IcmpErrorKind(Enum):
    NETWORK_UNREACHABLE = "network unreachable"
    HOST_UNREACHABLE = "host unreachable"
    PROTOCOL_UNREACHABLE = "protocol unreachable"
    PORT_UNREACHABLE = "port unreachable"
    PACKET_TOO_BIG = "packet too big"
    TIME_EXCEEDED = "time exceeded"
    PARAMETER_PROBLEM = "parameter problem"
    ADMIN_PROHIBITED = "administratively prohibited"
    OTHER = "other error"
    """An error type that RFC 4443 2.4 (a) wants handed up although nobody knows it.  Received only."""


@dataclass(frozen=True, slots=True)
class IcmpError:
    kind: IcmpErrorKind
    quoted: bytes
    """The packet it is about, from its IP header on, as far as it was quoted (or, sending, may be quoted)."""
    mtu: int = 0
    """PACKET_TOO_BIG only: the next hop's; 0 over IPv4 is a router older than RFC 1191."""
    pointer: int = 0
    """PARAMETER_PROBLEM, and PROTOCOL_UNREACHABLE over IPv6: offset of the offending byte in the packet."""
    code_number: int = 0
    """TIME_EXCEEDED (0 in transit, 1 in reassembly), PARAMETER_PROBLEM and OTHER; 0 in all other kinds."""


@dataclass(frozen=True, slots=True)
class NeighbourSolicitation:
    target: Address
    source_mac: Mac | None = None


@dataclass(frozen=True, slots=True)
class NeighbourAdvertisement:
    target: Address
    is_router: bool = False
    is_solicited: bool = False
    is_override: bool = False
    target_mac: Mac | None = None


IcmpMessage: TypeAlias = EchoMessage | IcmpError | NeighbourSolicitation | NeighbourAdvertisement


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

        The checksum is checked, and of RFC 4861 7.1 everything but the hop limit of 255, which is the caller's.
        """

    def encode_icmp(self, family: Family, source: Address, destination: Address, message: IcmpMessage) -> bytes:
        """The payload of the IP packet, checksum set.

        Raises `ValueError` for a message that the family does not have, and for `IcmpErrorKind.OTHER`.
        """
