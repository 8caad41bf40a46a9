"""The route table: longest prefix by one dict look-up per prefix length in use.

Read BIND-3.1 and BIND-3.3.  Which of several routes with one prefix wins is decided in `path`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsknet.net.changes import RouteOrigin
from wsknet.types import Address, Family, IfIndex, family_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class Route(NamedTuple):
    prefix: Address
    prefix_length: int
    if_index: IfIndex
    next_hop: Address | None = None
    """`None`: the destination itself is on the link."""
    metric: int = 0
    """The interface's metric is added to it."""
    is_local: bool = False
    """The prefix is one address, and that is ours."""
    is_broadcast: bool = False
    is_automatic: bool = False
    """Came with an address and goes with it."""
    mtu: int = 0
    """See `changes.RouteAdded`."""
    origin: RouteOrigin = RouteOrigin.MANUAL
    preferred_source: Address | None = None
    """See `changes.RouteAdded`."""


class RouteTable:
    """Iterating gives all routes: IPv4 first, then longest prefix, then first added."""

    def __init__(self) -> None:
        self._tables: dict[Family, dict[int, dict[int, list[Route]]]] = {Family.IPV4: {}, Family.IPV6: {}}
        """By family, prefix length and the bits of the prefix."""
        self._lengths: dict[Family, list[int]] = {Family.IPV4: [], Family.IPV6: []}
        """The prefix lengths in use, longest first."""

    def add(self, route: Route) -> None:
        """A route with the same prefix, interface and next hop is replaced and keeps its place."""
        family, key = _key(route.prefix, route.prefix_length)
        routes = self._tables[family].setdefault(route.prefix_length, {}).setdefault(key, [])
        for position, other in enumerate(routes):
            if other.if_index == route.if_index and other.next_hop == route.next_hop:
                routes[position] = route
                return
        routes.append(route)
        self._sort_lengths(family)

    def get(
        self, prefix: Address, prefix_length: int, if_index: IfIndex, next_hop: Address | None = None
    ) -> Route | None:
        family, key = _key(prefix, prefix_length)
        for route in self._tables[family].get(prefix_length, {}).get(key, ()):
            if route.if_index == if_index and route.next_hop == next_hop:
                return route
        return None

    def remove(self, route: Route) -> None:
        """Take out a route that is in the table."""
        family, key = _key(route.prefix, route.prefix_length)
        by_prefix = self._tables[family][route.prefix_length]
        routes = by_prefix[key]
        routes.remove(route)
        if not routes:
            del by_prefix[key]
            if not by_prefix:
                del self._tables[family][route.prefix_length]
                self._sort_lengths(family)

    def matching(self, destination: Address) -> Iterator[Route]:
        """Every route that contains `destination`: longest prefix first, then first added."""
        family = family_of(destination)
        number = int.from_bytes(destination, "big")
        bits = len(destination) * 8
        tables = self._tables[family]
        for length in self._lengths[family]:
            routes = tables[length].get(number >> bits - length)
            if routes is not None:  # most lengths have none, and an empty tuple takes longer to pass on
                yield from routes

    def __iter__(self) -> Iterator[Route]:
        for family, tables in self._tables.items():
            for length in self._lengths[family]:
                for routes in tables[length].values():
                    yield from routes

    def _sort_lengths(self, family: Family) -> None:
        self._lengths[family] = sorted(self._tables[family], reverse=True)


def _key(prefix: Address, prefix_length: int) -> tuple[Family, int]:
    return family_of(prefix), int.from_bytes(prefix, "big") >> len(prefix) * 8 - prefix_length


def network_of(address: Address, prefix_length: int) -> Address:
    """`address` with all bits after the prefix cleared."""
    shift = len(address) * 8 - prefix_length
    return (int.from_bytes(address, "big") >> shift << shift).to_bytes(len(address), "big")


def broadcast_of(address: Address, prefix_length: int) -> Address:
    """The directed broadcast address of an IPv4 subnet."""
    ones = (1 << 32 - prefix_length) - 1
    return (int.from_bytes(address, "big") | ones).to_bytes(4, "big")
