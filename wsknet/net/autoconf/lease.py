"""A DHCP lease: what of a server's message is believed (RFC 2131 4.4, RFC 2132, RFC 3442), and what it brings along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsknet.net.autoconf.learned import Target, withdraw
from wsknet.net.changes import RouteAdded, RouteOrigin
from wsknet.net.routes import broadcast_of, network_of
from wsknet.types import SECOND, Address, Instant, is_loopback

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.net.messages.dhcp import DhcpMessage

MIN_LEASE = 20
"""Seconds.  Shorter ones are refused: they would keep us asking all the time (DHCP_MIN_LEASE of dhcpcd)."""

MAX_ROUTES = 64
"""Routes taken from one lease: what the 312 bytes of options that every client accepts hold (RFC 2131 2)."""

MIN_LEASED_MTU = 576
"""Bytes.  Less is ignored (RFC 2132 5.1 starts at 68): a forged tiny MTU makes every connection crawl."""

INFINITE = 0xFFFFFFFF
"""Seconds, as they stand in a message, that stand for no end (RFC 2131 3.3)."""

_ANYWHERE = (bytes(4), 0)


@dataclass(frozen=True, slots=True)
class Lease:
    address: Address
    prefix_length: int
    server: Address
    routers: tuple[Address, ...]
    """Default routers, best first; they count only where there are no classless routes (RFC 3442)."""
    routes: tuple[Target, ...]
    """What goes into the route table."""
    name_servers: tuple[Address, ...]
    domain: str
    mtu: int
    """Of IPv4 packets on this link, 0: not said."""
    obtained: Instant
    """When it was asked for: the server counts from a later moment (RFC 2131 4.4.1)."""
    renewal: Instant | None
    """T1, here and below `None`: never."""
    rebinding: Instant | None
    """T2."""
    expiry: Instant | None


def read_lease(message: DhcpMessage, asked_at: Instant) -> Lease | None:
    """What an offer or acknowledgement gives; `None` if nothing can be done with it."""
    address, server, seconds = message.your_address, message.server, message.lease
    length = _class_length(address) if message.prefix_length is None else message.prefix_length
    if server is None or not _is_host(server) or not _is_host(address) or not length:
        return None
    if length < 31 and address in (network_of(address, length), broadcast_of(address, length)):
        return None
    if seconds is None or seconds < MIN_LEASE:
        return None
    renewal, rebinding, expiry = _instants(message, seconds, asked_at)
    routers = tuple(router for router in message.routers if _is_host(router))[:MAX_ROUTES]
    classless = tuple(Target(*route) for route in message.routes if _is_useful(route[0], route[2]))[:MAX_ROUTES]
    return Lease(
        address,
        length,
        server,
        routers,
        classless if message.routes else tuple(Target(*_ANYWHERE, router) for router in routers),
        tuple(filter(_is_host, message.name_servers)),
        message.domain,
        message.mtu if message.mtu is not None and message.mtu >= MIN_LEASED_MTU else 0,
        asked_at,
        renewal,
        rebinding,
        expiry,
    )


def _instants(
    message: DhcpMessage, seconds: int, asked_at: Instant
) -> tuple[Instant | None, Instant | None, Instant | None]:
    """T1, T2 and the end.  Times that are not in this order are replaced by the defaults of RFC 2131 4.4.5."""
    if seconds == INFINITE:
        return None, None, None
    renewal, rebinding, expiry = message.renewal, message.rebinding, seconds * SECOND
    if renewal is not None and rebinding is not None and 0 < renewal < rebinding < seconds:
        first, second = renewal * SECOND, rebinding * SECOND
    else:
        first, second = expiry // 2, expiry * 7 // 8
    return Instant(asked_at + first), Instant(asked_at + second), Instant(asked_at + expiry)


def _is_host(address: Address) -> bool:
    """Whether it can be the address of a host: not of classes D and E, and not 0/8 (RFC 1122 3.2.1.3)."""
    return address[0] != 0 and address[0] < 224 and not is_loopback(address)


def _is_useful(prefix: Address, next_hop: Address | None) -> bool:
    """A route for hosts, through a host or on the link."""
    return prefix[0] < 224 and not is_loopback(prefix) and (next_hop is None or _is_host(next_hop))


def _class_length(address: Address) -> int:
    """For servers that send no mask (RFC 791 3.2)."""
    return 8 if address[0] < 128 else 16 if address[0] < 192 else 24


class LeaseSettings:
    """What a lease brings to its interface beside the address: routes and MTU.  A route that was there is left alone,
    now and at the end."""

    def __init__(self, ip: IpLayer, interface: Interface) -> None:
        self._ip = ip
        self._interface = interface
        self._installed: dict[Target, None] = {}

    def install(self, lease: Lease, now: Instant) -> None:
        """Replaces those of an earlier lease."""
        self._remove([route for route in self._installed if route not in lease.routes], now)
        index = self._interface.index
        for route in lease.routes:
            prefix, length, next_hop = route
            if self._ip.routes.get(prefix, length, index, next_hop) is None:
                self._ip.change(RouteAdded(prefix, length, index, next_hop, origin=RouteOrigin.DHCP), now)
                self._installed[route] = None
        self._set_mtu(lease.mtu)

    def withdraw(self, now: Instant) -> None:
        self._remove(list(self._installed), now)
        self._set_mtu(0)

    def _remove(self, routes: list[Target], now: Instant) -> None:
        for route in routes:
            del self._installed[route]
            withdraw(self._ip, self._interface, route, RouteOrigin.DHCP, now)

    def _set_mtu(self, mtu: int) -> None:
        if self._interface.leased_mtu != mtu:
            self._interface.leased_mtu = mtu
            self._ip.forget_paths()
