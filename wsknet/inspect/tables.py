"""The tables of a host in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.interface import AddressState
from wsknet.text import format_address, format_endpoint, format_mac
from wsknet.types import Cover, Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsknet.net.interface import InterfaceAddress
    from wsknet.net.routes import Route
    from wsknet.transport.view import InterfaceView, View
    from wsknet.types import IfIndex, LocalName


def tables(view: View) -> list[str]:
    """One line per entry: ``print(*tables(host.stack.view()), sep="\\n")``.

    Routes to our own addresses and to broadcast addresses are left out, as are tables without entries.
    """
    lines = [line for interface in view.interfaces for line in interface_lines(interface)]
    for heading, entries in sections(view).items():
        if entries:
            lines.extend((heading, *(f"  {entry}" for entry in entries)))
    return lines


def sections(view: View) -> dict[str, list[str]]:
    """The lines of every table but those of the interfaces, by heading."""
    names = {interface.index: interface.name for interface in view.interfaces}
    routes = [_route(route, names) for route in view.routes if not (route.is_local or route.is_broadcast)]
    path_mtus = [f"{format_address(to, zone)} {mtu}" for to, zone, mtu in view.path_mtus]
    suspects = [f"{format_address(hop)} on {names[index]} did not answer" for index, hop in view.suspects]
    ports = [
        f"{protocol} {_local_name(name)}"
        for protocol, bound in (("TCP", view.tcp_ports), ("UDP", view.udp_ports))
        for name in bound
    ]
    raw = [f"protocol {number} {_raw_name(name)}" for number, name in view.raw_names]
    connections = [f"{format_endpoint(c.local)} to {format_endpoint(c.remote)} {c.state}" for c in view.connections]
    drops = [f"{count} x {reason.value}" for reason, count in view.drops.items()]
    return {
        "routes": routes,
        "path MTUs": path_mtus,
        "next hops": suspects,
        "ports": ports,
        "raw sockets": raw,
        "connections": connections,
        "dropped": drops,
    }


def interface_lines(interface: InterfaceView) -> Iterator[str]:
    state = "up" if interface.is_up else "down"
    router = ", forwarding" if interface.is_forwarding else ""
    yield f"{interface.name} {state}, {format_mac(interface.mac)}, MTU {interface.mtu}{router}"
    if interface.dhcp:
        yield f"  DHCP {interface.dhcp}"
    for entry in (*interface.address_states, *interface.unassigned):
        yield f"  address {_address(entry)}"
    for group in interface.groups:
        yield f"  group {format_address(group)}"
    for address, mac, reachability in interface.neighbours:
        yield f"  neighbour {format_address(address)} {format_mac(mac) if mac else 'unknown'} {reachability}"


def _address(entry: InterfaceAddress) -> str:
    state, holder = entry.state.value, format_mac(entry.holder) if entry.holder else ""
    if holder:
        state += f" ({holder})" if entry.state is AddressState.DUPLICATE else f", but claimed by {holder} too"
    temporary = ", temporary" if entry.is_temporary else ""
    return f"{format_address(entry.address)}/{entry.prefix_length} {state}, {entry.origin.value}{temporary}"


def _route(route: Route, names: dict[IfIndex, str]) -> str:
    via = f"via {format_address(route.next_hop)}" if route.next_hop else "on-link"
    mtu = f", MTU {route.mtu}" if route.mtu else ""
    source = f", source {format_address(route.preferred_source)}" if route.preferred_source else ""
    prefix = f"{format_address(route.prefix)}/{route.prefix_length}"
    origin = "with an address" if route.is_automatic else route.origin.value
    return f"{prefix} {via} on {names[route.if_index]}, metric {route.metric}, {origin}{mtu}{source}"


def _local_name(name: LocalName) -> str:
    wildcard = bytes(4 if name.cover is Cover.IPV4 else 16)
    shown = format_endpoint(Endpoint(name.address or wildcard, name.port, name.zone))
    return f"{shown}, IPv4 too" if name.cover is Cover.DUAL else shown


def _raw_name(name: LocalName) -> str:
    return format_address(name.address or bytes(4 if name.cover is Cover.IPV4 else 16), name.zone)
