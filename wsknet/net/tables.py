"""Interfaces, addresses and routes of one host, and what follows from them.

Read RFC 1122 3.3.4.2 and BIND-3.1 to 3.3, 5.  "Ours" is a route look-up: an address counts as local while
its local route is in the table and its interface is up (BIND-3.3, BIND-57).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.behaviour import Behaviour, HostModel
from wsknet.config import MAX_MTU, InterfaceConfig
from wsknet.net import changes
from wsknet.net.connected import connected_routes
from wsknet.net.interface import MIN_MTU, AddressState, Interface, InterfaceAddress
from wsknet.net.packet import Cast
from wsknet.net.routes import Route, RouteTable, network_of
from wsknet.net.well_known import (
    ALL_HOSTS,
    ALL_NODES,
    ALL_NODES_OF_HOST,
    IPV4_ROUTERS,
    IPV6_ROUTERS,
    LIMITED_BROADCAST,
    solicited_node,
)
from wsknet.net.wording import address_text, prefix_text
from wsknet.policy_table import RFC_6724
from wsknet.types import (
    LOOPBACK_INDEX,
    Address,
    Family,
    IfIndex,
    Mac,
    family_of,
    is_loopback,
    is_multicast,
    is_unspecified,
)
from wsknet.wire import ipv6

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wsknet.net.neighbours import NeighbourTable

# Metric and MTU of "Loopback Pseudo-Interface 1" in Get-NetIPInterface; its MTU of 2^32 - 1 is no packet length.
_LOOPBACK = InterfaceConfig("loopback", mac=b"\x02" + bytes(5), mtu=MAX_MTU, metric=75)


class Tables:
    """`generation` is raised by every change."""

    def __init__(self, behaviour: Behaviour, new_neighbours: Callable[[Interface], NeighbourTable]) -> None:
        self.behaviour = behaviour
        self.interfaces: dict[IfIndex, Interface] = {}
        self.routes = RouteTable()
        self.local: dict[Address, list[Interface]] = {}
        """Every local address on an interface that is up, with the interfaces that have it."""
        self.suspects: dict[tuple[IfIndex, Address], None] = {}
        """Next hops that did not answer when last asked: others are preferred (RFC 4861 6.3.6, RFC 1122 3.3.1.4)."""
        self.path_mtus: dict[tuple[Address, int], int] = {}
        """By destination and zone, where a packet was too big on the way.  Written by `pmtu`."""
        self.policy_table = RFC_6724
        self.advertised_by: dict[tuple[IfIndex, Address], dict[Address, None]] = {}
        """By interface and prefix: the routers that let us make addresses from it.  Written by `slaac`."""
        self.autoconfiguration = True
        """`IPAutoconfigurationEnabled` of the machine."""
        self.generation = 0
        self._new_neighbours = new_neighbours
        self._add_interface(changes.InterfaceAdded(LOOPBACK_INDEX, _LOOPBACK))
        self._add_address(changes.AddressAdded(LOOPBACK_INDEX, bytes((127, 0, 0, 1)), 8))
        self._add_address(changes.AddressAdded(LOOPBACK_INDEX, bytes(15) + b"\x01", 128))
        self.rebuild()

    def apply(self, change: changes.Change) -> None:
        """`ValueError`, with one line for people, if the change names what is not there; nothing has changed then."""
        match change:
            case changes.InterfaceAdded():
                self._add_interface(change)
            case changes.InterfaceChanged():
                self._change_interface(change)
            case changes.InterfaceRemoved(if_index):
                self._remove_interface(if_index)
            case changes.AutoconfigurationChanged(is_enabled):
                self.autoconfiguration = is_enabled
            case changes.LinkUp(if_index):
                self._interface(if_index).is_up = True
            case changes.LinkDown(if_index):
                self._interface(if_index).is_up = False
            case changes.AddressAdded():
                self._add_address(change)
            case changes.AddressRemoved(if_index, address):
                self._remove_address(self._interface(if_index), address)
            case changes.RouteAdded():
                self._add_route(change)
            case changes.RouteRemoved(prefix, length, if_index, next_hop):
                route = self.routes.get(prefix, length, if_index, next_hop)
                if route is None:
                    raise ValueError(
                        f"no route {prefix_text(prefix, length)} on interface {if_index} with that next hop"
                    )
                self.routes.remove(route)
        self.rebuild()

    def withhold(self, interface: Interface, entry: InterfaceAddress) -> None:
        """Keep an address that is not ours to use: its group is listened to, for questions about it (RFC 4862 5.4.2).

        If it was ours it is so no more.
        """
        if entry.address in interface.addresses:
            self._remove_address(interface, entry.address)
        interface.unassigned[entry.address] = entry
        self.rebuild()

    def set_state(self, interface: Interface, address: Address, state: AddressState) -> None:
        """Of an address that is ours; everything else about it stays."""
        interface.addresses[address] = interface.addresses[address]._replace(state=state)
        self.generation += 1

    def note_holder(self, interface: Interface, address: Address, holder: Mac) -> None:
        """Another host claims an address of ours.  For people to see; no path depends on it."""
        interface.addresses[address] = interface.addresses[address]._replace(holder=holder)

    def interface_for(self, change: changes.AddressAdded) -> Interface:
        """The one it names.  `ValueError`, with one line for people, if it is not there or the address is no host's."""
        interface, address = self._interface(change.if_index), change.address
        _check_prefix(address, change.prefix_length)
        if is_unspecified(address) or is_multicast(address) or address == LIMITED_BROADCAST:
            raise ValueError(f"{address_text(address)} cannot be the address of an interface: give a unicast address")
        if len(address) == 16 and not interface.carries_ipv6:
            raise ValueError(f"{interface.name} is too small for IPv6: give it an MTU of {ipv6.MIN_MTU} or more")
        return interface

    def find_local(self, destination: Address, zone: int = 0) -> Interface | None:
        """The interface whose address `destination` is; only interface `zone` if given."""
        for interface in self.local.get(destination, ()):
            if not zone or interface.index == zone:
                return interface
        return self._loopback_for(destination)

    def owner(self, address: Address, zone: int = 0) -> Interface | None:
        """The interface that has `address` configured; one that is up before one that is down."""
        owners = [i for i in self.interfaces.values() if address in i.addresses and (not zone or i.index == zone)]
        for interface in owners:
            if interface.is_up:
                return interface
        return owners[0] if owners else self._loopback_for(address)

    def _loopback_for(self, address: Address) -> Interface | None:
        """The loopback interface if all of 127/8 is its own and `address` is in it."""
        is_in_block = len(address) == 4 and is_loopback(address) and self.behaviour.loopback_block
        return self.interfaces[LOOPBACK_INDEX] if is_in_block else None

    def _interface(self, if_index: IfIndex) -> Interface:
        interface = self.interfaces.get(if_index)
        if interface is None:
            raise ValueError(f"no interface {if_index}")
        return interface

    def _add_interface(self, change: changes.InterfaceAdded) -> None:
        if change.if_index in self.interfaces:
            raise ValueError(f"interface {change.if_index} is already there")
        self.interfaces[change.if_index] = Interface(
            change.if_index,
            change.config,
            self.behaviour.host_send is HostModel.WEAK,
            self.behaviour.host_receive is HostModel.WEAK,
            self._new_neighbours,
        )
        self.interfaces[change.if_index].is_up = change.is_up

    def _change_interface(self, change: changes.InterfaceChanged) -> None:
        interface = self._interface(change.if_index)
        mtu = interface.mtu if change.mtu is None else change.mtu
        metric = interface.fixed_metric if change.metric is None else change.metric
        speed = interface.speed if change.speed is None else change.speed
        InterfaceConfig(interface.name, interface.mac, mtu, metric, speed=speed)  # raises if one is out of range
        if mtu < ipv6.MIN_MTU and any(len(address) == 16 for address in interface.addresses):
            raise ValueError(
                f"{interface.name} has IPv6 addresses, and IPv6 needs an MTU of {ipv6.MIN_MTU}: remove them first"
            )
        interface.mtu = mtu
        interface.set_metric(metric, speed)
        if change.auto is not None:
            interface.auto = change.auto
        if change.forwarding is not None:
            interface.forwarding = change.forwarding
        if change.proxy_arp is not None:
            interface.proxy_arp = change.proxy_arp
        if change.weak_send is not None:
            interface.weak_send = change.weak_send
        if change.weak_receive is not None:
            interface.weak_receive = change.weak_receive

    def _remove_interface(self, if_index: IfIndex) -> None:
        interface = self._interface(if_index)
        if interface.is_loopback:
            raise ValueError("the loopback interface cannot be removed")
        del self.interfaces[if_index]
        for route in [route for route in self.routes if route.if_index == if_index]:
            self.routes.remove(route)
        interface.is_up = False
        interface.accepts = {}
        interface.flows = {}

    def _add_address(self, change: changes.AddressAdded) -> None:
        interface, address = self.interface_for(change), change.address
        if address in interface.addresses:
            self._remove_routes_with(interface, interface.addresses[address])
        interface.unassigned.pop(address, None)
        interface.addresses[address] = InterfaceAddress.of(change)
        for route in self._routes_with(interface, interface.addresses[address]):
            present = self.routes.get(route.prefix, route.prefix_length, route.if_index)
            if present is None or present.origin is not changes.RouteOrigin.MANUAL:  # one that would end some time
                self.routes.add(route)

    def _remove_address(self, interface: Interface, address: Address) -> None:
        if interface.unassigned.pop(address, None) is not None:
            return
        entry = interface.addresses.get(address)
        if entry is None:
            raise ValueError(f"{interface.name} has no address {address_text(address)}")
        self._remove_routes_with(interface, entry)
        del interface.addresses[address]

    def _remove_routes_with(self, interface: Interface, entry: InterfaceAddress) -> None:
        """Those that came with an address and that no other address needs."""
        others = [other for other in interface.addresses.values() if other is not entry]
        needed = {route for other in others for route in self._routes_with(interface, other)}
        for route in self._routes_with(interface, entry):
            if route not in needed:
                present = self.routes.get(route.prefix, route.prefix_length, route.if_index)
                if present is not None and present.is_automatic:
                    self.routes.remove(present)

    def _routes_with(self, interface: Interface, entry: InterfaceAddress) -> Iterator[Route]:
        return connected_routes(interface, entry, self.behaviour.connected_metric, self.behaviour.ipv4_group_routes)

    def _add_route(self, change: changes.RouteAdded) -> None:
        prefix, length, next_hop = change.prefix, change.prefix_length, change.next_hop
        interface = self._interface(change.if_index)
        _check_prefix(prefix, length)
        if network_of(prefix, length) != prefix:
            raise ValueError(f"{prefix_text(prefix, length)} has bits set after the prefix: clear them")
        if next_hop is not None:
            if len(next_hop) != len(prefix):
                raise ValueError(f"next hop {address_text(next_hop)} is not of the family of the prefix")
            if is_unspecified(next_hop) or is_multicast(next_hop):
                raise ValueError(f"{address_text(next_hop)} cannot be a next hop: give a unicast address")
        if not 0 <= change.metric <= 0xFFFFFFFF:
            raise ValueError("metric must be 0 to 4294967295")
        if change.mtu and not MIN_MTU[family_of(prefix)] <= change.mtu <= MAX_MTU:
            raise ValueError(f"the MTU of this route must be {MIN_MTU[family_of(prefix)]} to {MAX_MTU}")
        source = change.preferred_source
        if source is not None and (len(source) != len(prefix) or self.owner(source) is None):
            raise ValueError(f"{address_text(source)} is not ours or not of the family of the prefix: no source for it")
        route = Route(
            prefix,
            length,
            change.if_index,
            next_hop,
            change.metric,
            mtu=change.mtu,
            origin=change.origin,
            preferred_source=source,
        )
        for entry in interface.addresses.values():  # a local or broadcast route put back by hand is one again
            for own in self._routes_with(interface, entry):
                if own[:4] == route[:4]:
                    route = route._replace(is_local=own.is_local, is_broadcast=own.is_broadcast)
        self.routes.add(route)

    def rebuild(self) -> None:
        """Derive who accepts what, after every change.  Changes are rare, packets are not."""
        self.generation += 1
        self.local = {}
        for interface in self.interfaces.values():
            interface.accepts = {}
            interface.group_macs = {}
            interface.flows = {}
            if interface.is_up and not interface.is_loopback:
                for group, cast in _GROUPS:
                    interface.accept(group, cast)
                for address in (*interface.addresses, *interface.unassigned):
                    if family_of(address) is Family.IPV6:
                        interface.accept(solicited_node(address), Cast.MULTICAST)
                for group in (IPV4_ROUTERS, IPV6_ROUTERS) if interface.forwarding else ():
                    interface.accept(group, Cast.MULTICAST)
                for group in interface.groups:
                    interface.accept(group, Cast.MULTICAST)
        for route in self.routes:
            interface = self.interfaces[route.if_index]
            if not interface.is_up:
                continue
            if route.is_local:
                self.local.setdefault(route.prefix, []).append(interface)
                interface.accept(route.prefix, Cast.UNICAST)
            elif route.is_broadcast:
                interface.accept(route.prefix, Cast.BROADCAST)


_GROUPS = (
    (LIMITED_BROADCAST, Cast.BROADCAST),
    (ALL_HOSTS, Cast.MULTICAST),
    (ALL_NODES, Cast.MULTICAST),
    (ALL_NODES_OF_HOST, Cast.MULTICAST),
)


def _check_prefix(prefix: Address, length: int) -> None:
    if len(prefix) not in (4, 16):
        raise ValueError("an address has 4 bytes (IPv4) or 16 (IPv6)")
    if not 0 <= length <= len(prefix) * 8:
        raise ValueError(f"prefix length {length} is not 0 to {len(prefix) * 8}")
