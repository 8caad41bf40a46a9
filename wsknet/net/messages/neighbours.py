"""ARP, neighbour discovery and redirects."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from wsknet.types import Address, Mac


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
