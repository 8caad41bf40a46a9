"""Exchanges of the IP layer for the golden captures: each runs in a virtual network and tells what it proves."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from wsknet import text
from wsknet.apps.ping import ping
from wsknet.config import AdvertisingConfig, AutoConfig
from wsknet.host import Host, Network
from wsknet.net.changes import AddressOrigin
from wsknet.net.interface import AddressState
from wsknet.wsk import WSK_FLAG_DATAGRAM_SOCKET, simple


class Exchange(NamedTuple):
    claim: str
    held: bool


def duplicate_address(network: Network) -> Exchange:
    """Two hosts with the same addresses; the second one asks first."""
    first, second = network.host("first"), network.host("second")
    taken = ("192.0.2.1/24", "2001:db8::1/64")
    near = first.interface("eth0", *taken)
    card = second.interface("eth0", *taken, auto=AutoConfig(duplicate_detection=True))
    network.link(near, card)
    network.run_for(10)
    entries = second.stack.ip.interfaces[card.index].unassigned.values()
    duplicates = [entry for entry in entries if entry.state is AddressState.DUPLICATE and entry.holder == near.mac]
    return Exchange(
        "An address that another host has is not used: it answers the probe (IPv4) or the solicitation (IPv6).",
        len(duplicates) == len(taken),
    )


def self_configuration(network: Network) -> Exchange:
    """A router that advertises, and a host that has nothing."""
    router, host = network.router("router"), network.host("host")
    near = router.interface("eth0", "2001:db8:5::1/64", advertising=AdvertisingConfig())
    card = host.interface("eth0", auto=AutoConfig(router_discovery=True))
    network.link(near, card)
    network.run_for(5)
    entries = host.stack.ip.interfaces[card.index].addresses.values()
    made = [entry.address for entry in entries if entry.origin is AddressOrigin.ROUTER]
    return Exchange(
        "A host makes its IPv6 addresses and finds its router by itself, and checks each address before it uses it.",
        len(made) == 1 and ping(host, "2001:db8:5::1", count=1).received == 1,
    )


def path_mtu(network: Network) -> Exchange:
    """host -- router -- far, the second link smaller."""
    host = _host_behind_a_router(network, mtu=1300)
    answers = []
    for destination in ("203.0.113.2", "2001:db8:f::2"):
        lost, found = (ping(host, destination, count=1, size=size, may_fragment=False) for size in (1400, 1200))
        answers.append((lost.errors[0].mtu, found.received, ping(host, destination, count=1, size=1400).received))
    return Exchange(
        "A router that may not cut a packet tells the MTU of the next link; what follows is cut by its sender to fit.",
        answers == [(1300, 1, 1)] * 2,
    )


def fragments(network: Network) -> Exchange:
    host = _host_behind_a_router(network, mtu=1300)
    received = ping(host, "203.0.113.2", count=1, size=3000).received
    return Exchange(
        "A router cuts the fragments of an IPv4 packet once more for a smaller link; the far host puts them together.",
        received == 1,
    )


def redirect(network: Network) -> Exchange:
    """Two routers on one link, and a host that knows only the wrong one."""
    host, far = network.host("host"), network.host("far")
    wrong, right = network.router("wrong"), network.router("right")
    link = [
        host.interface("eth0", "192.0.2.1/24"),
        wrong.interface("eth0", "192.0.2.253/24"),
        right.interface("eth0", "192.0.2.254/24"),
    ]
    network.link(*link)
    network.link(right.interface("eth1", "203.0.113.254/24"), far.interface("eth0", "203.0.113.2/24"))
    host.route("0.0.0.0/0", via="192.0.2.253")
    wrong.route("203.0.113.0/24", via="192.0.2.254")
    far.route("0.0.0.0/0", via="203.0.113.254")
    received = ping(host, "203.0.113.2", count=2).received
    path = host.stack.ip.path(text.parse_address("203.0.113.2"))
    return Exchange(
        "A router that sends a packet back to the link it came from tells the host the better next hop.",
        received == 2 and text.format_address(path.next_hop) == "192.0.2.254",
    )


def membership(network: Network) -> Exchange:
    """A socket joins and leaves; the switch hears of it."""
    host, switch = network.host("host"), network.host("switch")
    network.link(host.interface("eth0", "192.0.2.1/24"), switch.interface("eth0", "192.0.2.2/24"))
    with host.activate(), simple.Application() as application:
        _, socket = application.open(WSK_FLAG_DATAGRAM_SOCKET)
        simple.bind(socket, simple.address("0.0.0.0", 5000))
        joined, _ = simple.join_group(socket, "239.1.2.3", host.interfaces["eth0"].index)
        network.run_for(3)
        left, _ = simple.leave_group(socket, "239.1.2.3", host.interfaces["eth0"].index)
        network.run_for(3)
        simple.close(socket)
    return Exchange(
        "Joining and leaving a group is reported twice each, in case one is lost (IGMPv3).", joined == left == 0
    )


def _host_behind_a_router(network: Network, mtu: int) -> Host:
    """The near one of two; `mtu` is that of the other's link."""
    host, router, far = network.host("host"), network.router("router"), network.host("far")
    near = host.interface("eth0", "192.0.2.1/24", "2001:db8::1/64")
    network.link(near, router.interface("eth0", "192.0.2.254/24", "2001:db8::fe/64"))
    inner = router.interface("eth1", "203.0.113.254/24", "2001:db8:f::fe/64", mtu=mtu)
    network.link(inner, far.interface("eth0", "203.0.113.2/24", "2001:db8:f::2/64", mtu=mtu))
    host.route("0.0.0.0/0", via="192.0.2.254")
    host.route("::/0", via="2001:db8::fe")
    far.route("0.0.0.0/0", via="203.0.113.254")
    far.route("::/0", via="2001:db8:f::fe")
    return host


EXCHANGES: dict[str, Callable[[Network], Exchange]] = {
    "duplicate-address-is-not-used": duplicate_address,
    "host-configures-itself": self_configuration,
    "path-mtu-is-told-by-the-router": path_mtu,
    "fragments-are-cut-again-on-the-way": fragments,
    "redirect-shows-the-better-way": redirect,
    "group-membership-is-reported": membership,
}
