"""What routers send, as Scapy makes it."""

from __future__ import annotations

from typing import Any

from scapy.layers.inet6 import (
    ICMPv6ND_RA,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptRouteInfo,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)

from tests.unit.net.lab import IF1, Lab
from wsknet.config import AutoConfig
from wsknet.errors import NetError
from wsknet.types import IfIndex

ROUTER, OTHER_ROUTER = "fe80::1", "fe80::2"
ROUTER_MAC, OTHER_ROUTER_MAC = "02:00:00:00:aa:01", "02:00:00:00:aa:02"
LINK_LOCAL = "fe80::ff:fe00:2"
"""What the interface IF1 makes for itself: modified EUI-64 of 02:00:00:00:00:02."""
ALL_NODES, ALL_NODES_MAC = "ff02::1", "33:33:00:00:00:01"
FAR = "2001:db8:ffff::1"
"""On no link of the lab."""
HIGH, MEDIUM, LOW = 1, 0, 3
FOREVER = 0xFFFFFFFF

FOLLOW = AutoConfig(router_discovery=True)
STABLE = AutoConfig(router_discovery=True, stable_identifiers=True)
TEMPORARY = AutoConfig(router_discovery=True, temporary_addresses=True)


def mac_option(mac: str = ROUTER_MAC) -> Any:
    return ICMPv6NDOptSrcLLAddr(type=1, len=1, lladdr=mac)


def mtu_option(mtu: int) -> Any:
    return ICMPv6NDOptMTU(type=5, len=1, res=0, mtu=mtu)


def prefix(text: str, length: int = 64, valid: int = 7200, preferred: int = 3600, L: int = 1, A: int = 1) -> Any:
    return ICMPv6NDOptPrefixInfo(
        type=3, len=4, prefixlen=length, L=L, A=A, R=0, res1=0, validlifetime=valid, preferredlifetime=preferred,
        res2=0, prefix=text,
    )  # fmt: skip


def route(text: str, length: int, lifetime: int = 600, prf: int = MEDIUM) -> Any:
    return ICMPv6NDOptRouteInfo(type=24, len=3, plen=length, res1=0, prf=prf, res2=0, rtlifetime=lifetime, prefix=text)


def advertisement(
    *options: Any, source: str = ROUTER, to: str = ALL_NODES, hlim: int = 255, lifetime: int = 1800, **fields: Any
) -> Any:
    """`fields` are those of Scapy's ICMPv6ND_RA; the MAC of the router is not told unless it is among `options`."""
    values = {"chlim": 0, "M": 0, "O": 0, "H": 0, "prf": MEDIUM, "P": 0, "res": 0, "reachabletime": 0}
    message = ICMPv6ND_RA(code=0, routerlifetime=lifetime, **{**values, "retranstimer": 0, **fields})
    packet = IPv6(src=source, dst=to, hlim=hlim) / message
    for option in options:
        packet /= option
    return packet


def advertise(lab: Lab, *options: Any, index: IfIndex = IF1, mac: str = ROUTER_MAC, **fields: Any) -> None:
    """To all nodes on the link of interface `index`."""
    lab.arrive(index, advertisement(*options, **fields), mac=ALL_NODES_MAC, peer=mac)


def following_lab(lab: Lab | None = None, index: IfIndex = IF1, *cidrs: str, auto: AutoConfig = FOLLOW) -> Lab:
    """With an interface that follows routers and has finished checking its link-local address; nothing sent yet."""
    lab = lab or Lab()
    lab.interface(index, *cidrs, auto=auto)
    lab.pass_time(3)
    lab.take()
    return lab


def is_reachable(lab: Lab, destination: str = FAR) -> bool:
    try:
        lab.path(destination)
    except NetError:
        return False
    return True
