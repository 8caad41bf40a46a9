"""Interfaces, addresses and routes of the machine, read for people who ask what would happen on it.

Nothing is changed and no right is needed: rtnetlink(7) tells everybody.  What counts is the namespace of the calling
thread.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from socket import AF_INET, AF_INET6
from typing import Any

from wsknet import text
from wsknet.config import ETHERNET_MTU, MAX_MTU, MIN_INTERFACE_MTU, InterfaceConfig
from wsknet.errors import UsageError
from wsknet.machine.netlink import IFF_UP, RT_TABLE_MAIN, pyroute2
from wsknet.net import changes
from wsknet.net.changes import Change
from wsknet.net.routes import network_of
from wsknet.types import LOOPBACK_INDEX, Address, IfIndex, is_link_local, is_loopback
from wsknet.wire.ipv6 import MIN_MTU

# linux/if.h, linux/if_addr.h, linux/rtnetlink.h, linux/fib_rules.h
IFF_LOOPBACK = 0x8
IFF_LOWER_UP = 0x10000
IFA_F_TEMPORARY = 0x01
IFA_F_DADFAILED = 0x08
IFA_F_DEPRECATED = 0x20
IFA_F_TENTATIVE = 0x40
RTM_F_CLONED = 0x200
"""An exception that the kernel has noted, no route."""
RTN_UNICAST = 1
RTPROT_KERNEL = 2
STANDARD_RULES = {0, 32766, 32767}
"""Priorities of the rules that every machine has: local, main, default."""
FAMILIES = (AF_INET, AF_INET6)


@dataclass(frozen=True)
class Configuration:
    """What has to be done to a host without interfaces to make it like this machine."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()
    """Sentences for people: what is there and was left out."""


class _Reader:
    """Interfaces keep their numbers: 1 is the loopback interface in every namespace, as it is here."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.notes: list[str] = []
        self._cards: dict[int, tuple[str, bool]] = {}
        """By number: the name, and whether it carries IPv6."""
        self._subnets: set[tuple[IfIndex, Address, int]] = set()
        """Of the addresses; their routes come with them, here as there."""

    def links(self, links: Iterable[Any]) -> None:
        for link in links:
            name, flags = str(link.get_attr("IFLA_IFNAME")), link["flags"]
            if flags & IFF_LOOPBACK:
                self._cards[link["index"]] = (name, True)
                continue
            index = IfIndex(link["index"])
            mtu = min(max(link.get_attr("IFLA_MTU") or ETHERNET_MTU, MIN_INTERFACE_MTU), MAX_MTU)
            self._cards[index] = (name, mtu >= MIN_MTU)
            is_up = bool(flags & IFF_UP)
            self.changes.append(changes.InterfaceAdded(index, InterfaceConfig(name, _mac(link, index), mtu), is_up))
            if is_up and not flags & IFF_LOWER_UP:
                self.notes.append(f"{name} is up without a carrier (no cable, no peer), and counts as usable")

    def address(self, message: Any) -> None:
        known = self._cards.get(message["index"])
        if known is None:
            return
        index, (name, carries_ipv6) = IfIndex(message["index"]), known
        written = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
        address = text.parse_address(written)
        flags = message.get_attr("IFA_FLAGS") or message["flags"]
        if index == LOOPBACK_INDEX and is_loopback(address):
            return  # every host has them
        if len(address) == 16 and not carries_ipv6:
            self.notes.append(f"{written} on {name} is left out: its MTU is too small for IPv6")
        elif len(address) == 16 and flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED):
            self.notes.append(f"{written} on {name} is left out: it is not yet, or not, ours to use (ip address)")
        else:
            has_peer = written != message.get_attr("IFA_ADDRESS")
            length = len(address) * 8 if has_peer else message["prefixlen"]
            self._subnets.add((index, network_of(address, length), length))
            self.changes.append(_address_added(index, address, length, flags))

    def route(self, message: Any) -> None:
        table = message.get_attr("RTA_TABLE") or message["table"]
        if table != RT_TABLE_MAIN or message["flags"] & RTM_F_CLONED:
            return
        bits = 32 if message["family"] == AF_INET else 128
        prefix = text.parse_address(message.get_attr("RTA_DST") or ("0.0.0.0" if bits == 32 else "::"))
        shown = f"{text.format_address(prefix)}/{message['dst_len']}"
        if message["type"] != RTN_UNICAST:
            self.notes.append(f"the route to {shown} is left out: it is of a kind that sends nothing (ip route)")
            return
        for oif, gateway, is_foreign in _next_hops(message):
            known = self._cards.get(oif)
            if is_foreign or known is None:
                self.notes.append(f"the route to {shown} is left out: its next hop is of another kind (ip route)")
            elif oif != LOOPBACK_INDEX and (bits == 32 or known[1]):
                self._add_route(message, prefix, IfIndex(oif), gateway)

    def _add_route(self, message: Any, prefix: Address, index: IfIndex, gateway: Address | None) -> None:
        metric, length = message.get_attr("RTA_PRIORITY") or 0, message["dst_len"]
        is_of_address = message["proto"] == RTPROT_KERNEL and (index, prefix, length) in self._subnets
        if is_of_address and (not metric or len(prefix) == 16):
            return
        source = message.get_attr("RTA_PREFSRC")
        preferred = text.parse_address(source) if source and not is_of_address else None
        self.changes.append(changes.RouteAdded(prefix, length, index, gateway, metric, preferred_source=preferred))

    def rules(self, rules: Iterable[Any]) -> None:
        if any((rule.get_attr("FRA_PRIORITY") or 0) not in STANDARD_RULES for rule in rules):
            self.notes.append("this machine has routing rules of its own (ip rule): only the table main is looked at")


def read_configuration() -> Configuration:
    """`UsageError` if the kernel cannot be asked."""
    library = pyroute2()
    reader = _Reader()
    try:
        with library.IPRoute() as netlink:
            reader.links(netlink.get_links())
            for family in FAMILIES:
                for message in netlink.get_addr(family=family):
                    reader.address(message)
            for family in FAMILIES:
                for message in netlink.get_routes(family=family):
                    reader.route(message)
                reader.rules(netlink.get_rules(family=family))
    except (library.NetlinkError, OSError) as error:
        reason = error.args[1] if len(error.args) > 1 else errno.errorcode.get(error.args[0], str(error))
        raise UsageError(f"cannot read the interfaces of this machine: {reason}") from None
    return Configuration(tuple(reader.changes), tuple(dict.fromkeys(reader.notes)))


def _mac(link: Any, index: IfIndex) -> bytes:
    """Its own, or for a tunnel one that nobody has."""
    try:
        mac = text.parse_mac(str(link.get_attr("IFLA_ADDRESS")))
    except ValueError:
        mac = b"\1"
    return mac if not mac[0] & 1 else b"\x02\0\0\0" + index.to_bytes(2, "big")


def _address_added(index: IfIndex, address: Address, length: int, flags: int) -> changes.AddressAdded:
    """A secondary IPv4 address has the flag that a temporary IPv6 address has."""
    is_temporary = len(address) == 16 and bool(flags & IFA_F_TEMPORARY)
    origin = changes.AddressOrigin.LINK_LOCAL if is_link_local(address) else changes.AddressOrigin.MANUAL
    return changes.AddressAdded(
        index, address, length, is_deprecated=bool(flags & IFA_F_DEPRECATED), origin=origin, is_temporary=is_temporary
    )


def _next_hops(message: Any) -> Iterator[tuple[int, Address | None, bool]]:
    """Interface, gateway, and whether the gateway is of another family than the route."""
    hops = message.get_attr("RTA_MULTIPATH") or [message]
    for hop in hops:
        gateway = hop.get_attr("RTA_GATEWAY")
        interface = hop.get_attr("RTA_OIF") if hop is message else hop["oif"]
        yield interface or 0, text.parse_address(gateway) if gateway else None, bool(hop.get_attr("RTA_VIA"))
