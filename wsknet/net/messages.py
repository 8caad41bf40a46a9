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
    """TIME_EXCEEDED (0 in transit, 1 in reassembly), PARAMETER_PROBLEM and OTHER; NETWORK_UNREACHABLE sent over IPv6:
    2 for a source whose scope ends here (RFC 4443 3.1); 0 in all other kinds."""


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


@dataclass(frozen=True, slots=True)
class RouterSolicitation:
    source_mac: Mac | None = None


class Preference(IntEnum):
    """Of a router or an advertised route (RFC 4191 2.1)."""

    LOW = -1
    MEDIUM = 0
    HIGH = 1


@dataclass(frozen=True, slots=True)
class PrefixInformation:
    """RFC 4861 4.6.2.  Lifetimes in seconds as they stand in the message; 2^32 - 1 is for ever."""

    prefix: Address
    prefix_length: int
    is_on_link: bool
    is_autonomous: bool
    """Hosts may make addresses from it (RFC 4862 5.5.3)."""
    valid: int
    preferred: int


@dataclass(frozen=True, slots=True)
class RouteInformation:
    """RFC 4191 2.3.  The lifetime as in `PrefixInformation`."""

    prefix: Address
    prefix_length: int
    preference: Preference
    lifetime: int


@dataclass(frozen=True, slots=True)
class RouterAdvertisement:
    """RFC 4861 4.2.  0 in `hop_limit`, `reachable`, `retransmit` and `mtu`: the router does not say."""

    hop_limit: int
    is_managed: bool
    """Addresses come from DHCPv6."""
    is_other_managed: bool
    preference: Preference
    lifetime: int
    """Seconds; 0: not a default router."""
    reachable: int
    """Milliseconds."""
    retransmit: int
    """Milliseconds."""
    source_mac: Mac | None = None
    mtu: int = 0
    prefixes: tuple[PrefixInformation, ...] = ()
    routes: tuple[RouteInformation, ...] = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """Of both families (RFC 792, RFC 4861 4.5): what was sent to `destination` should go to `gateway` directly."""

    gateway: Address
    """The better router; over IPv6 the destination itself if that is on the link."""
    destination: Address
    """Over IPv4 taken from what is quoted."""
    quoted: bytes = b""
    """From the IP header on.  Sent over IPv6 it is cut so that the redirect fits into 1280 bytes."""
    gateway_mac: Mac | None = None
    """IPv6 only."""


NeighbourMessage: TypeAlias = (
    NeighbourSolicitation | NeighbourAdvertisement | RouterSolicitation | RouterAdvertisement | Redirect
)


class RecordKind(IntEnum):
    """What a group record says of the sources of a group (RFC 3376 4.2.12, RFC 3810 5.2.12)."""

    IS_INCLUDE = 1
    IS_EXCLUDE = 2
    TO_INCLUDE = 3
    TO_EXCLUDE = 4
    ALLOW_NEW = 5
    BLOCK_OLD = 6


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """IGMP and MLD.  `version` is that of IGMP (1 to 3); MLDv1 counts as 2, MLDv2 as 3."""

    version: int
    group: Address
    """Unspecified in a general query."""
    max_response: int
    """Milliseconds."""
    sources: tuple[Address, ...] = ()
    suppresses: bool = False
    robustness: int = 0
    """0 here and below: the querier does not say."""
    interval: int = 0
    """Seconds between general queries."""


@dataclass(frozen=True, slots=True)
class GroupRecord:
    kind: RecordKind
    group: Address
    sources: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupReport:
    """IGMPv3 and MLDv2."""

    records: tuple[GroupRecord, ...]


@dataclass(frozen=True, slots=True)
class OldGroupReport:
    """IGMPv1 and v2, MLDv1; `version` as in `GroupQuery`."""

    version: int
    group: Address


@dataclass(frozen=True, slots=True)
class GroupLeave:
    """IGMPv2's leave, MLDv1's done."""

    group: Address


GroupMessage: TypeAlias = GroupQuery | GroupReport | OldGroupReport | GroupLeave

IcmpMessage: TypeAlias = EchoMessage | IcmpError | NeighbourMessage | GroupMessage


class DhcpKind(IntEnum):
    """DHCP message type (RFC 2132 9.6)."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


@dataclass(frozen=True, slots=True)
class DhcpMessage:
    """RFC 2131 2 and the options of RFC 2132 that a host lives by.  `None`: the option is not there."""

    kind: DhcpKind
    transaction: int
    client_mac: Mac
    seconds: int = 0
    """Since the client began."""
    is_broadcast: bool = False
    """The answer has to be broadcast."""
    client_address: Address = bytes(4)
    your_address: Address = bytes(4)
    server: Address | None = None
    """Server identifier."""
    requested: Address | None = None
    lease: int | None = None
    """Seconds here and below; 2^32 - 1 is for ever."""
    renewal: int | None = None
    rebinding: int | None = None
    prefix_length: int | None = None
    """From the subnet mask."""
    routers: tuple[Address, ...] = ()
    routes: tuple[tuple[Address, int, Address | None], ...] = ()
    """Prefix, length and next hop of classless static routes (RFC 3442), which replace `routers`; `None`: on-link."""
    name_servers: tuple[Address, ...] = ()
    domain: str = ""
    host_name: str = ""
    mtu: int | None = None
    client_id: bytes = b""
    parameters: tuple[int, ...] = ()
    """Option numbers asked for."""
    text: str = ""
    """Why a server refused, or a client declined."""


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
