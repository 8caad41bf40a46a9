"""One host of the kernel: a namespace with settings, addresses and routes."""

from __future__ import annotations

import errno
from socket import AF_INET, AF_INET6
from typing import Any, NamedTuple

from wsknet import text
from wsknet.machine import netlink, sysctl
from wsknet.machine.namespace import Namespace
from wsknet.types import Family, family_of

RTNH_F_ONLINK = 4
"""linux/rtnetlink.h: the gateway is on the link whatever the addresses say."""

RT_SCOPE_LINK = 253

SETTINGS = {
    # The namespace takes over some of these from the machine: each is set, so that no run depends on it.
    "net.ipv4.conf.{}.rp_filter": "0",
    "net.ipv4.conf.{}.arp_ignore": "0",
    "net.ipv4.conf.{}.arp_announce": "0",
    "net.ipv4.conf.{}.accept_local": "0",
    "net.ipv4.conf.{}.route_localnet": "0",
    # As systemd sets it: without, an address takes the later ones of its subnet along.
    "net.ipv4.conf.{}.promote_secondaries": "1",
    # A route whose cable is out is not used, as after `ip link set down`, and comes back with the cable.
    "net.ipv4.conf.{}.ignore_routes_with_linkdown": "1",
    "net.ipv6.conf.{}.ignore_routes_with_linkdown": "1",
    "net.ipv6.conf.{}.disable_ipv6": "0",
    "net.ipv6.conf.{}.accept_dad": "0",
    "net.ipv6.conf.{}.accept_ra": "0",
    "net.ipv6.conf.{}.router_solicitations": "0",
    # What a host tells of its groups comes at once, and not at random within a second, in the middle of something else.
    "net.ipv6.conf.{}.mldv1_unsolicited_report_interval": "10",
    "net.ipv6.conf.{}.mldv2_unsolicited_report_interval": "10",
    "net.ipv4.conf.{}.igmpv2_unsolicited_report_interval": "10",
    "net.ipv4.conf.{}.igmpv3_unsolicited_report_interval": "10",
    # The link-local address is given like the others, or left out.
    "net.ipv6.conf.{}.addr_gen_mode": "1",
    "net.ipv6.bindv6only": "0",
    "net.ipv4.ip_nonlocal_bind": "0",
    "net.ipv6.ip_nonlocal_bind": "0",
}
"""`{}` stands for both ``all`` and ``default``."""

RECORDED = ("net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_unprivileged_port_start",
            "net.ipv4.tcp_congestion_control", "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_fin_timeout",
            "net.ipv4.ip_autobind_reuse", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")  # fmt: skip


class KernelRoute(NamedTuple):
    to: str
    via: str = ""
    through: str = ""
    metric: int = 0
    source: str = ""


class KernelHost:
    """Cards come from the fabric.  `UsageError` tells what the kernel refuses."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.namespace = Namespace.unnamed()
        self.cards: dict[str, str] = {}
        """Interface to its port on the fabric."""
        self.names: dict[int, str] = {}
        """Interfaces by number."""
        try:
            with self.namespace.entered():
                for key, value in (_expanded() | settings).items():
                    sysctl.write(key, value)
                netlink.set_up("lo")
            self.has_card("lo")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.namespace.close()

    def settings(self) -> dict[str, str]:
        """What decides between behaviours of this kernel, as it is now."""
        with self.namespace.entered():
            found = {}
            for key in (*_expanded(), *RECORDED):
                try:
                    found[key] = sysctl.read(key)
                except OSError:  # not every kernel has each
                    continue
            return found

    def has_card(self, name: str) -> None:
        """Bring up the interface `name`, which is there now."""
        with self.namespace.entered(), netlink.connection(f"bring up {name}") as kernel:
            index = netlink.index_of(kernel, name)
            kernel.link("set", index=index, state="up")
            self.names[index] = name

    def operational(self) -> set[str]:
        with self.namespace.entered():
            return netlink.operational()

    def index(self, name: str) -> int:
        """`KeyError` if there is no such interface."""
        return {known: index for index, known in self.names.items()}[name]

    def add_address(self, interface: str, cidr: str, metric: int, is_deprecated: bool = False) -> None:
        with self.namespace.entered():
            netlink.add_address(interface, cidr, metric=metric, is_deprecated=is_deprecated)

    def remove_address(self, interface: str, cidr: str) -> None:
        with self.namespace.entered():
            netlink.remove_address(interface, cidr)

    def set_address_metric(self, interface: str, cidr: str, metric: int) -> None:
        """Of the route to its prefix."""
        address, prefix_length = netlink.parse_cidr(cidr)
        with self.namespace.entered(), netlink.connection(f"change the metric of {cidr}") as kernel:
            kernel.addr("replace", index=self.index(interface), address=text.format_address(address),
                        prefixlen=prefix_length, IFA_RT_PRIORITY=metric)  # fmt: skip

    def add_route(self, route: KernelRoute) -> None:
        """Behind the routes to the same prefix with the same metric."""
        self._route("append", f"add the route to {route.to}", route)

    def remove_route(self, route: KernelRoute) -> None:
        """Also one that came with an address.  With metric 0, the first with that prefix and gateway."""
        self._route("del", f"remove the route to {route.to}", route)

    def remove_interface(self, name: str) -> None:
        with self.namespace.entered(), netlink.connection(f"remove the interface {name}", errno.ENODEV) as kernel:
            kernel.link("del", index=self.index(name))
        del self.cards[name]
        self.names = {index: known for index, known in self.names.items() if known != name}

    def _route(self, command: str, action: str, route: KernelRoute) -> None:
        network, prefix_length = text.parse_network(route.to)
        fields: dict[str, Any] = {
            "dst": f"{text.format_address(network)}/{prefix_length}",
            "family": AF_INET if family_of(network) is Family.IPV4 else AF_INET6,
            "priority": route.metric,
        }
        via, _, zone = route.via.partition("%")
        through = route.through or zone
        if via:
            fields["gateway"] = via
        if through:
            fields["oif"] = self.index(through)
        if via and through:
            fields["flags"] = RTNH_F_ONLINK
        if not via and len(network) == 4:
            fields["scope"] = RT_SCOPE_LINK
        if route.source:
            fields["prefsrc"] = route.source
        if command == "del":
            fields["proto"] = 0  # whoever has added it: those that came with an address, too
        with self.namespace.entered(), netlink.connection(action) as kernel:
            if command == "del" and not route.metric and len(network) == 16:
                fields["priority"] = _first_metric(kernel, network, prefix_length, via, fields.get("oif"))
            kernel.route(command, **fields)


def _first_metric(kernel: Any, network: bytes, prefix_length: int, via: str, index: int | None) -> int:
    """For IPv6, 0 stands for the default metric and not for any; 0 if there is no such route."""
    for known in kernel.get_routes(family=AF_INET6, table=netlink.RT_TABLE_MAIN, dst_len=prefix_length):
        if text.parse_address(known.get_attr("RTA_DST") or "::") != network:
            continue
        gateway = known.get_attr("RTA_GATEWAY") or ""
        if _same_gateway(gateway, via) and index in (None, known.get_attr("RTA_OIF")):
            return int(known.get_attr("RTA_PRIORITY"))
    return 0


def _same_gateway(one: str, other: str) -> bool:
    return one == other or (bool(one and other) and text.parse_address(one) == text.parse_address(other))


def _expanded() -> dict[str, str]:
    return {key.format(which): value for key, value in SETTINGS.items() for which in ("all", "default")}
