"""What SIO_ROUTING_INTERFACE_CHANGE tells of: routes of a family, the way to a destination (wsk.md 5.4; BIND-4.12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_categories import C, D, L, S
from tests.support.wsk_lab import FAR, FAR6, PORT, Lab, ok, start
from tests.support.wsk_notifications import add_one, await_routing, families
from wsknet.net import changes
from wsknet.types import IfIndex
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IP_UNICAST_IF,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_V6ONLY,
    SIO_ROUTING_INTERFACE_CHANGE,
    SOCKADDR_IN6,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WskIoctl,
    htonl,
    simple,
)

REMOTE, REMOTE6 = "8.8.8.8", "2001:4860::8"


def two_links(lab: Lab) -> None:
    """Another link between the two hosts; both have a default route of the near one, the first is better."""
    near = lab.near.interface("eth1", "198.51.100.1/24", "2001:db8:2::1/64")
    far = lab.far.interface("eth1", "198.51.100.2/24", "2001:db8:2::2/64")
    lab.network.link(near, far)
    for default, gateways in (("0.0.0.0/0", (FAR, "198.51.100.2")), ("::/0", (FAR6, "2001:db8:2::2"))):
        for metric, gateway in enumerate(gateways):
            lab.near.route(default, via=gateway, metric=metric)


@pytest.mark.rule("BIND-4.12")
@families
def test_the_wildcard_stands_for_every_route_of_the_family(lab: Lab, family: int) -> None:
    two_links(lab)
    wildcard, other, other6 = ("0.0.0.0", "203.0.113.0/24", "2001:db8:9::/64") if family == AF_INET else (
        "::", "2001:db8:9::/64", "203.0.113.0/24",
    )  # fmt: skip
    Socket = lab.socket(lab.near, D, AddressFamily=family)
    via = {False: FAR, True: FAR6}
    steps: list[Callable[[], None]] = [
        lambda: lab.near.route(other, via=via[":" in other]),
        lambda: lab.near_interface.set_up(False),
        lambda: lab.near_interface.set_up(True),
        lambda: lab.near.apply(changes.InterfaceChanged(lab.near_interface.index, metric=7)),
        lambda: add_one(lab, family),
    ]
    for change in steps:
        request = await_routing(Socket, wildcard)
        assert request.returned == STATUS_PENDING
        lab.near.route(other6, via=via[":" in other6])
        lab.near.apply(changes.AutoconfigurationChanged(True))
        assert not request.is_done
        change()
        assert request.completions == [(STATUS_SUCCESS, 0)]


@pytest.mark.rule("BIND-4.12")
@pytest.mark.parametrize("Flags", [L, C, D, S])
@families
def test_a_destination_is_told_of_when_its_way_has_changed(lab: Lab, Flags: int, family: int) -> None:
    two_links(lab)
    remote, far, elsewhere, beyond = (
        (REMOTE, "198.51.100.2", "203.0.113.0/24", "8.8.8.0/24") if family == AF_INET
        else (REMOTE6, "2001:db8:2::2", "2001:db8:9::/64", "2001:4860::/64")
    )  # fmt: skip
    Socket = lab.socket(lab.near, Flags, AddressFamily=family)
    request, neighbour = await_routing(Socket, remote), await_routing(Socket, far)
    lab.near.route(elsewhere, via=far)
    assert not request.is_done
    lab.near.route(beyond, via=far)
    assert request.completions == [(STATUS_SUCCESS, 0)]
    assert not neighbour.is_done

    again = await_routing(Socket, remote)
    lab.near.apply(changes.InterfaceChanged(IfIndex(3), metric=1))
    assert not again.is_done
    lab.near.apply(changes.LinkDown(IfIndex(3)))
    assert again.status == neighbour.status == STATUS_SUCCESS


@pytest.mark.rule("BIND-4.12")
def test_a_destination_without_a_way_waits_for_one(lab: Lab) -> None:
    request = await_routing(lab.socket(lab.near, D), REMOTE)
    assert not request.is_done
    lab.near.route("0.0.0.0/0", via=FAR)

    assert request.status == STATUS_SUCCESS


def test_the_interface_of_the_socket_counts(lab: Lab) -> None:
    two_links(lab)
    Socket = lab.socket(lab.near, D)
    ok(simple.set_option(Socket, IPPROTO_IP, IP_UNICAST_IF, htonl(3)))
    request = await_routing(Socket, REMOTE)
    lab.near_interface.set_up(False)
    assert not request.is_done
    lab.near.apply(changes.LinkDown(IfIndex(3)))

    assert request.status == STATUS_SUCCESS


@pytest.mark.rule("BIND-4.12")
def test_a_dual_stack_socket_watches_both_families(lab: Lab) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=AF_INET6)
    mapped = simple.address(f"::ffff:{REMOTE}", 0)
    arguments = (WskIoctl, SIO_ROUTING_INTERFACE_CHANGE, 0, 28, mapped, 0, None, None)
    refused = start(Socket.Dispatch.WskControlSocket, Socket, *arguments)
    assert refused.status == STATUS_INVALID_ADDRESS_COMPONENT
    ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    everything, ipv4, one, ipv6 = (
        await_routing(Socket, to) for to in ("::", "::ffff:0.0.0.0", f"::ffff:{REMOTE}", REMOTE6)
    )
    lab.near.route("2001:4860::/32", via=FAR6)
    assert [request.is_done for request in (everything, ipv4, one, ipv6)] == [True, False, False, True]
    lab.near.route("0.0.0.0/0", via=FAR)
    assert ipv4.status == one.status == STATUS_SUCCESS

    again = await_routing(Socket, "::")
    lab.near.route("203.0.113.0/24", via=FAR)
    assert again.status == STATUS_SUCCESS


@pytest.mark.parametrize(
    ("size", "Input"),
    [(0, None), (16, None), (0, bytes(16)), (8, bytes(8)), (16, bytes(16)), (28, SOCKADDR_IN6(AF_INET6))],
)
def test_a_routing_change_needs_an_address_of_the_family(lab: Lab, size: int, Input: Any) -> None:
    Socket = lab.socket(lab.near, D)
    arguments = (WskIoctl, SIO_ROUTING_INTERFACE_CHANGE, 0, size, Input, 0, None, None)

    assert start(Socket.Dispatch.WskControlSocket, Socket, *arguments).completions == [(STATUS_INVALID_PARAMETER, 0)]


@families
def test_an_address_has_the_whole_length_of_its_structure(lab: Lab, family: int) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=family)
    address = simple.address(FAR if family == AF_INET else FAR6, PORT)
    arguments = (WskIoctl, SIO_ROUTING_INTERFACE_CHANGE, 0, len(bytes(address)) - 1, address, 0, None, None)

    assert start(Socket.Dispatch.WskControlSocket, Socket, *arguments).status == STATUS_INVALID_PARAMETER
