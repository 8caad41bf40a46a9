"""A host of the kernel from what a scenario says of it, and the changes that a scenario makes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet import text
from wsknet.behaviour import LINUX
from wsknet.errors import UsageError
from wsknet.host import link_local_address
from wsknet.machine.kernel_host import KernelRoute
from wsknet.scenario.terms import split_address
from wsknet.scenario.world import Failed
from wsknet.wire.ipv6 import MIN_MTU

if TYPE_CHECKING:
    from wsknet.machine.fabric import Fabric
    from wsknet.machine.kernel_host import KernelHost
    from wsknet.scenario.schema import Change, Host, Interface, Route

ON_LINK_METRIC = LINUX.connected_metric
"""Of the route that comes with an address, before that of the interface."""


def lacking(host: Host) -> str:
    """The first thing that the kernel cannot be told to do, or nothing."""
    for name, card in host.interfaces.items():
        if card.dhcp:
            return f"{name} has its address by DHCP, for which the kernel has no client"
        if card.autoconfiguration:
            return f"{name} gives itself an address, which the kernel does not"
        if card.weak_send is False or card.weak_receive is False:
            return f"{name} follows the strong host model, which the kernel has not"
        for words in card.addresses:
            for attribute in ("skip-as-source", "temporary"):
                if attribute in split_address(words)[1]:
                    return f"{name} has an address that is {attribute}, which the kernel has not"
    return ""


def settings_of(host: Host) -> dict[str, str]:
    """As sysctl(8) has them."""
    settings: dict[str, str] = {}
    if host.is_router:
        settings |= {"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"}
    if host.dynamic_ports:
        settings["net.ipv4.ip_local_port_range"] = host.dynamic_ports.replace("-", " ")
    if host.excluded_ports:
        settings["net.ipv4.ip_local_reserved_ports"] = host.excluded_ports
    return settings


def mac_of(card: Interface, number: int, position: int) -> bytes:
    """The one that the emulated host `number` would have, so that both have the same link-local addresses."""
    if card.mac:
        return text.parse_mac(card.mac)
    index = position + 2
    return bytes((2, index >> 8, 0, *number.to_bytes(2, "big"), index & 255))


class KernelBuilder:
    """One host, and what was said of it: Linux has no metrics of interfaces, so they are added to each route's."""

    def __init__(self, fabric: Fabric, described: Host, number: int) -> None:
        self.host: KernelHost = fabric.host(settings_of(described))
        self._fabric = fabric
        self._described = described
        self._number = number
        self._metrics = {name: card.metric for name, card in described.interfaces.items()}
        self._addresses: list[tuple[str, str]] = []
        """Interface and CIDR."""
        self._routes: list[tuple[str, Route]] = []
        """Each with the interface by which it leaves."""

    def build_cards(self) -> dict[str, str]:
        """Their ports by name."""
        ports = {}
        for position, (name, card) in enumerate(self._described.interfaces.items()):
            mac = mac_of(card, self._number, position)
            ports[name] = self._fabric.card(self.host, name, card.link, mac, card.mtu)
            if card.link_local and card.mtu >= MIN_MTU:
                self._add_address(name, f"{text.format_address(link_local_address(mac))}/64")
            for words in card.addresses:
                self._add_address(name, words)
            if not card.up:
                self._fabric.set_carrier(self.host, name, False)
        for words in self._described.loopback:
            self._add_address("lo", words)
        return ports

    def build_routes(self) -> None:
        for route in self._described.routes:
            self._add_route(route)

    def change(self, change: Change) -> None:
        """Raises `Failed` if the kernel refuses, or has no such thing."""
        try:
            self._change(change)
        except (UsageError, ValueError, KeyError) as error:
            raise Failed("invalid", str(error)) from None

    def _change(self, change: Change) -> None:
        match change:
            case _ if change.add_address:
                words, interface = _on(change.add_address)
                self._add_address(interface, words)
            case _ if change.remove_address:
                words, interface = _on(change.remove_address)
                self._remove_address(interface, words)
            case _ if change.add_route is not None:
                self._add_route(change.add_route)
            case _ if change.remove_route is not None:
                self._remove_route(change.remove_route)
            case _ if change.down:
                self._fabric.set_carrier(self.host, change.down, False)
            case _ if change.up:
                self._fabric.set_carrier(self.host, change.up, True)
            case _ if change.remove_interface:
                self.host.remove_interface(change.remove_interface)
                self._addresses = [known for known in self._addresses if known[0] != change.remove_interface]
                self._routes = [known for known in self._routes if known[0] != change.remove_interface]
            case _ if change.metric:
                metric, interface = _on(change.metric)
                self._set_metric(interface, int(metric))
            case _:
                raise Failed("not-supported", "the kernel has no such setting")

    def _add_address(self, interface: str, words: str) -> None:
        cidr, attributes = split_address(words)
        self.host.add_address(interface, cidr, self._on_link_metric(interface), "deprecated" in attributes)
        self._addresses.append((interface, cidr))

    def _remove_address(self, interface: str, address: str) -> None:
        wanted = text.parse_address(address)
        for known, cidr in self._addresses:
            if known == interface and text.parse_cidr(cidr)[0] == wanted:
                self.host.remove_address(interface, cidr)
                self._addresses.remove((known, cidr))
                return
        raise ValueError(f"{interface} has no address {address}")

    def _add_route(self, route: Route) -> None:
        through = self._out(route)
        self.host.add_route(self._kernel_route(through, route))
        self._routes.append((through, route))

    def _remove_route(self, route: Route) -> None:
        self.host.remove_route(KernelRoute(route.to, route.via, route.through))
        self._routes = [known for known in self._routes if (known[1].to, known[1].via) != (route.to, route.via)]

    def _set_metric(self, interface: str, metric: int) -> None:
        mine = [route for through, route in self._routes if through == interface]
        for route in mine:
            self.host.remove_route(self._kernel_route(interface, route))
        self._metrics[interface] = metric
        for known, cidr in self._addresses:
            if known == interface:
                self.host.set_address_metric(interface, cidr, self._on_link_metric(interface))
        for route in mine:
            self.host.add_route(self._kernel_route(interface, route))

    def _on_link_metric(self, interface: str) -> int:
        return max(1, ON_LINK_METRIC + self._metrics[interface]) if interface in self._metrics else 0

    def _kernel_route(self, through: str, route: Route) -> KernelRoute:
        # 0 would be the kernel's own choice, which is 1024 for IPv6.
        metric = max(1, self._metrics.get(through, 0) + route.metric)
        zone = route.via.partition("%")[2]
        given = route.through or zone
        return KernelRoute(route.to, route.via.partition("%")[0], given or ("" if route.via else through), metric,
                           route.source)  # fmt: skip

    def _out(self, route: Route) -> str:
        """The interface by which it leaves: given, or the one whose subnet holds the gateway."""
        via, _, zone = route.via.partition("%")
        if route.through or zone:
            return route.through or zone
        if not via:
            raise ValueError(f"the route to {route.to} needs via, through or both")
        gateway = text.parse_address(via)
        for interface, cidr in self._addresses:
            address, length = text.parse_cidr(cidr)
            if len(address) == len(gateway) and text.same_prefix(address, gateway, length):
                return interface
        raise ValueError(f"no interface is on the subnet of the gateway {via}")


def _on(words: str) -> tuple[str, str]:
    """``50 on if1``"""
    what, separator, interface = words.rpartition(" on ")
    if not separator:
        raise ValueError(f"{words!r} names no interface: write it with on, as in 10.1.0.9/24 on if1")
    return what, interface
