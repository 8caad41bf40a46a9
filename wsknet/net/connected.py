"""The routes that come with an address and go with it: what `route print` of Windows shows as on-link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.changes import AddressOrigin
from wsknet.net.routes import Route, broadcast_of, network_of
from wsknet.net.well_known import LIMITED_BROADCAST
from wsknet.types import Family, family_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsknet.net.interface import Interface, InterfaceAddress

_IPV4_MULTICAST = bytes((224, 0, 0, 0))
_IPV6_MULTICAST = b"\xff" + bytes(15)


def connected_routes(interface: Interface, entry: InterfaceAddress, metric: int, ipv4_groups: bool) -> Iterator[Route]:
    """`ipv4_groups`: those for 224/4 and 255.255.255.255, too."""
    address, length = entry.address, entry.prefix_length
    index, bits = interface.index, len(entry.address) * 8
    yield Route(address, bits, index, None, metric, is_local=True, is_automatic=True)
    # RFC 5942 4: an address made from an advertised prefix does not say that the prefix is on the link.
    if length < bits and entry.origin is not AddressOrigin.ROUTER:
        yield Route(network_of(address, length), length, index, None, metric, is_automatic=True)
    if interface.is_loopback:
        return
    if family_of(address) is Family.IPV6:
        yield Route(_IPV6_MULTICAST, 8, index, None, metric, is_automatic=True)
        return
    if length < 31:  # RFC 3021: a subnet of two hosts has no broadcast address
        broadcast = broadcast_of(address, length)
        yield Route(broadcast, 32, index, None, metric, is_broadcast=True, is_automatic=True)
    if not ipv4_groups:
        return
    yield Route(LIMITED_BROADCAST, 32, index, None, metric, is_broadcast=True, is_automatic=True)
    yield Route(_IPV4_MULTICAST, 4, index, None, metric, is_automatic=True)
