"""Interfaces, addresses and routes of the kernel, in the namespace of the calling thread, through pyroute2."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wsknet import text
from wsknet.errors import UsageError
from wsknet.types import Family, family_of

IFF_UP = 1
IFA_F_NODAD = 0x02
"""linux/if_addr.h: usable at once, without asking the link whether somebody else has it (RFC 4862 5.4)."""

INFINITE_LIFETIME = 0xFFFFFFFF
"""linux/if_addr.h."""

RT_TABLE_MAIN = 254
"""linux/rtnetlink.h: the table that `ip route` shows."""


def pyroute2() -> Any:
    try:
        import pyroute2
        import pyroute2.netns
    except ImportError:
        raise UsageError(
            "namespaces and TAPs are set up with pyroute2, which is missing: pip install pyroute2"
        ) from None
    return pyroute2


def has_link(name: str) -> bool:
    with connection(f"look for the interface {name}") as netlink:
        return bool(netlink.link_lookup(ifname=name))


def is_up(name: str) -> bool:
    with connection(f"look for the interface {name}") as netlink:
        return bool(netlink.get_links(index_of(netlink, name))[0]["flags"] & IFF_UP)


def operational() -> set[str]:
    """The interfaces that carry frames, by ifOperStatus (RFC 2863): the kernel has drawn its conclusions."""
    with connection("look for the state of interfaces") as netlink:
        links = netlink.get_links()
        return {str(link.get_attr("IFLA_IFNAME")) for link in links if link.get_attr("IFLA_OPERSTATE") == "UP"}
    raise AssertionError("unreachable: no error is tolerated here")


def mac_of(name: str) -> str:
    with connection(f"look for the interface {name}") as netlink:
        return str(netlink.get_links(index_of(netlink, name))[0].get_attr("IFLA_ADDRESS"))
    raise AssertionError("unreachable: no error is tolerated here")


def set_up(name: str) -> bool:
    with connection(f"bring up the interface {name}") as netlink:
        netlink.link("set", index=index_of(netlink, name), state="up")
    return True


def set_down(name: str) -> None:
    """Nothing if the interface is gone."""
    with connection(f"take down the interface {name}") as netlink:
        for index in netlink.link_lookup(ifname=name):
            netlink.link("set", index=index, state="down")


def add_address(name: str, cidr: str, *, metric: int = 0, is_deprecated: bool = False) -> bool:
    """Give the interface an address, usable at once; False if it has it already.

    `metric` is that of the route to its prefix, 0 for the kernel's own choice.
    """
    address, prefix_length = parse_cidr(cidr)
    extra: dict[str, Any] = {"flags": IFA_F_NODAD} if family_of(address) is Family.IPV6 else {}
    if metric:
        extra["IFA_RT_PRIORITY"] = metric
    if is_deprecated:
        extra |= {"preferred_lft": 0, "valid_lft": INFINITE_LIFETIME}
    with connection(f"give {name} the address {cidr}", errno.EEXIST) as netlink:
        netlink.addr(
            "add",
            index=index_of(netlink, name),
            address=text.format_address(address),
            prefixlen=prefix_length,
            **extra,
        )
        return True
    return False


def remove_address(name: str, cidr: str) -> None:
    """Nothing if the interface or the address is gone."""
    address, prefix_length = parse_cidr(cidr)
    with connection(f"take the address {cidr} from {name}", errno.EADDRNOTAVAIL, errno.ENODEV) as netlink:
        for index in netlink.link_lookup(ifname=name):
            netlink.addr("del", index=index, address=text.format_address(address), prefixlen=prefix_length)


def add_route(destination: str, via: str) -> bool:
    """False if the kernel has it already."""
    with connection(f"add the route to {destination} via {via}", errno.EEXIST) as netlink:
        netlink.route("add", **_route(destination, via))
        return True
    return False


def remove_route(destination: str, via: str) -> None:
    """Nothing if it is gone, as it is when its interface is."""
    with connection(f"remove the route to {destination}", errno.ESRCH, errno.ENODEV) as netlink:
        netlink.route("del", **_route(destination, via))


def parse_cidr(cidr: str) -> tuple[bytes, int]:
    try:
        return text.parse_cidr(cidr)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _route(destination: str, via: str) -> dict[str, Any]:
    try:
        network, prefix_length = text.parse_network(destination)
        gateway = text.parse_address(via)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return {"dst": f"{text.format_address(network)}/{prefix_length}", "gateway": text.format_address(gateway)}


def index_of(netlink: Any, name: str) -> int:
    found = netlink.link_lookup(ifname=name)
    if not found:
        raise UsageError(f"there is no interface {name}")
    return int(found[0])


@contextmanager
def connection(action: str, *harmless: int) -> Iterator[Any]:
    """A netlink socket for `action`.  Refusals with a number of `harmless` end the block quietly.

    One for each action: it belongs to the namespace and thread in which it is opened.
    """
    library = pyroute2()
    try:
        with library.IPRoute() as netlink:
            yield netlink
    except library.NetlinkError as error:
        if error.code in harmless:
            return
        if error.code in (errno.EPERM, errno.EACCES):
            raise UsageError(f"no right to {action}: run it as root") from None
        raise UsageError(f"cannot {action}: {error.args[1]}") from None
