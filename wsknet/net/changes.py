"""What may happen to the tables while the stack runs: the argument of `IpLayer.apply`.

Each takes effect at once and raises the generation, so no answer found before it is used again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from wsknet.config import AutoConfig, InterfaceConfig
from wsknet.types import Address, IfIndex, Mac


class AddressOrigin(Enum):
    """Who gave us an address; NL_PREFIX_ORIGIN of Windows."""

    MANUAL = "given by hand"
    DHCP = "leased by DHCP"
    ROUTER = "made from an advertised prefix"
    LINK_LOCAL = "made by ourselves for this link alone"


class RouteOrigin(Enum):
    """Who gave us a route; NL_ROUTE_ORIGIN and NL_ROUTE_PROTOCOL of Windows."""

    MANUAL = "by hand"
    DHCP = "by DHCP"
    ROUTER = "by a router advertisement"
    REDIRECT = "by a redirect"


@dataclass(frozen=True, slots=True)
class InterfaceAdded:
    """`if_index` is new and at least 2: number 1 is the loopback interface, always there."""

    if_index: IfIndex
    config: InterfaceConfig
    is_up: bool = True


@dataclass(frozen=True, slots=True)
class InterfaceChanged:
    """Settings of an interface; `None` leaves one as it is."""

    if_index: IfIndex
    metric: int | None = None
    """0: automatic."""
    mtu: int | None = None
    speed: int | None = None
    """As in `InterfaceConfig`."""
    weak_send: bool | None = None
    """Packets with this interface's addresses may leave through any interface."""
    weak_receive: bool | None = None
    """Packets for any address of the host are accepted here."""
    auto: AutoConfig | None = None
    forwarding: bool | None = None
    proxy_arp: bool | None = None


@dataclass(frozen=True, slots=True)
class AutoconfigurationChanged:
    """`IPAutoconfigurationEnabled` of the machine."""

    is_enabled: bool


@dataclass(frozen=True, slots=True)
class InterfaceRemoved:
    """Takes the interface's addresses and routes along; watchers hear of each address, then of the interface."""

    if_index: IfIndex


@dataclass(frozen=True, slots=True)
class LinkUp:
    if_index: IfIndex


@dataclass(frozen=True, slots=True)
class LinkDown:
    """Addresses and routes stay, unused; the neighbours are forgotten."""

    if_index: IfIndex


@dataclass(frozen=True, slots=True)
class AddressAdded:
    """Brings its routes along: the address itself, its prefix, broadcast and multicast.

    For an address that is already there: its attributes are replaced and missing routes put back.
    """

    if_index: IfIndex
    address: Address
    prefix_length: int
    skip_as_source: bool = False
    """Used only by programs that bind it (MSFT_NetIPAddress.SkipAsSource)."""
    is_deprecated: bool = False
    """RFC 4862 5.5.4: still ours, but no longer preferred as a source."""
    origin: AddressOrigin = AddressOrigin.MANUAL
    is_temporary: bool = False
    """RFC 8981."""


@dataclass(frozen=True, slots=True)
class AddressRemoved:
    if_index: IfIndex
    address: Address


@dataclass(frozen=True, slots=True)
class RouteAdded:
    """Replaces a route with the same prefix, interface and next hop, keeping its place among equals."""

    prefix: Address
    prefix_length: int
    if_index: IfIndex
    next_hop: Address | None = None
    """`None`: every address of the prefix is on the link."""
    metric: int = 0
    mtu: int = 0
    """Largest packet this way, if smaller than the interface's; 0: no such limit."""
    origin: RouteOrigin = RouteOrigin.MANUAL
    preferred_source: Address | None = None
    """Our address that packets this way get if the program named none, while it is ours: "src" of ip-route(8)."""


@dataclass(frozen=True, slots=True)
class RouteRemoved:
    """Any route, those that came with an address included (BIND-57)."""

    prefix: Address
    prefix_length: int
    if_index: IfIndex
    next_hop: Address | None = None


Change: TypeAlias = (
    InterfaceAdded
    | InterfaceChanged
    | InterfaceRemoved
    | AutoconfigurationChanged
    | LinkUp
    | LinkDown
    | AddressAdded
    | AddressRemoved
    | RouteAdded
    | RouteRemoved
)


@dataclass(frozen=True, slots=True)
class AddressRefused:
    """News, not to be applied: an address is `holder`'s and so not ours, or no longer."""

    if_index: IfIndex
    address: Address
    holder: Mac


News: TypeAlias = Change | AddressRefused
"""What watchers of the tables hear."""
