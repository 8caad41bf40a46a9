"""Changes of the tables: what comes with an address, what goes with it, and what is refused."""

from __future__ import annotations

import pytest

from tests.unit.net.lab import IF1, IF2, LO, A, Lab
from wsknet.behaviour import LINUX
from wsknet.net import changes
from wsknet.net.routes import Route
from wsknet.net.wording import prefix_text
from wsknet.text import parse_network
from wsknet.types import IfIndex


def routes_of(lab: Lab, index: IfIndex) -> list[str]:
    return [prefix_text(route.prefix, route.prefix_length) for route in lab.ip.routes if route.if_index == index]


def test_an_ipv4_address_brings_its_routes() -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24")

    assert routes_of(lab, IF1) == [
        "10.1.0.2/32", "10.1.0.255/32", "255.255.255.255/32", "10.1.0.0/24", "224.0.0.0/4",
    ]  # fmt: skip
    assert {route.metric for route in lab.ip.routes} == {256}


def test_an_ipv6_address_brings_its_routes() -> None:
    lab = Lab(LINUX)
    lab.interface(IF1, "2001:db8::2/64")

    assert routes_of(lab, IF1) == ["2001:db8::2/128", "2001:db8::/64", "ff00::/8"]
    assert {route.metric for route in lab.ip.routes} == {0}


@pytest.mark.rule("RFC3021-2.1")
@pytest.mark.parametrize(("cidr", "count"), [("10.1.0.2/31", 4), ("10.1.0.2/32", 3)])
def test_tiny_subnets_have_no_broadcast_address(cidr: str, count: int) -> None:
    lab = Lab()
    lab.interface(IF1, cidr)

    assert len(routes_of(lab, IF1)) == count
    assert "10.1.0.3/32" not in routes_of(lab, IF1)


def test_loopback_is_there_from_the_start() -> None:
    lab = Lab()

    assert lab.ip.interfaces[LO].is_loopback
    assert routes_of(lab, LO) == ["127.0.0.1/32", "127.0.0.0/8", "::1/128"]


def test_a_removed_address_takes_along_what_no_other_needs() -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24")
    before = routes_of(lab, IF1)
    lab.address(IF1, "10.1.0.3/24")
    lab.address(IF1, "10.9.0.3/16")
    lab.apply(changes.AddressRemoved(IF1, A("10.1.0.3")))
    lab.apply(changes.AddressRemoved(IF1, A("10.9.0.3")))

    assert routes_of(lab, IF1) == before
    lab.apply(changes.AddressRemoved(IF1, A("10.1.0.2")))
    assert routes_of(lab, IF1) == []


def test_a_route_added_by_hand_stays() -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24")
    lab.route("10.1.0.0/24", IF1, metric=5)
    lab.apply(changes.AddressRemoved(IF1, A("10.1.0.2")))

    assert routes_of(lab, IF1) == ["10.1.0.0/24"]


def test_an_address_added_again_may_change_its_prefix() -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24", "10.1.0.3/24")
    lab.address(IF1, "10.1.0.2/16")

    assert [entry.address for entry in lab.ip.interfaces[IF1].addresses.values()] == [A("10.1.0.2"), A("10.1.0.3")]
    assert "10.1.0.0/16" in routes_of(lab, IF1)
    assert "10.1.255.255/32" in routes_of(lab, IF1)


def test_a_local_route_put_back_by_hand_is_local_again() -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24")
    for prefix in ("10.1.0.2/32", "10.1.0.255/32"):
        lab.remove_route(prefix, IF1)
    assert not lab.ip.is_local(A("10.1.0.2"))

    for prefix in ("10.1.0.2/32", "10.1.0.255/32"):
        lab.route(prefix, IF1)

    assert lab.ip.is_local(A("10.1.0.2"))
    assert lab.path("10.1.0.255").is_broadcast


def test_a_route_with_the_same_next_hop_is_replaced_in_its_place() -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24")
    lab.interface(IF2, "10.2.0.2/24")
    lab.route("0.0.0.0/0", IF1, "10.1.0.1", metric=1)
    lab.route("0.0.0.0/0", IF2, "10.2.0.1", metric=2)
    lab.route("0.0.0.0/0", IF1, "10.1.0.1", metric=2)

    defaults = [route for route in lab.ip.routes if route.prefix_length == 0]
    assert defaults == [
        Route(A("0.0.0.0"), 0, IF1, A("10.1.0.1"), 2),
        Route(A("0.0.0.0"), 0, IF2, A("10.2.0.1"), 2),
    ]


def test_the_table_is_listed_ipv4_first_and_longest_prefix_first() -> None:
    lab = Lab()
    lab.interface(IF1, "2001:db8::2/64", "10.1.0.2/24")
    lab.route("0.0.0.0/0", IF1, "10.1.0.1")

    listed = [(len(route.prefix), -route.prefix_length) for route in lab.ip.routes]
    assert listed == sorted(listed)


def test_every_change_raises_the_generation() -> None:
    lab = Lab()
    seen = [lab.ip.generation]
    lab.interface(IF1, "10.1.0.2/24")
    for change in (
        changes.InterfaceChanged(IF1, metric=1),
        changes.RouteAdded(bytes(4), 0, IF1, A("10.1.0.1")),
        changes.RouteRemoved(bytes(4), 0, IF1, A("10.1.0.1")),
        changes.LinkDown(IF1),
        changes.LinkUp(IF1),
        changes.AddressRemoved(IF1, A("10.1.0.2")),
        changes.InterfaceRemoved(IF1),
    ):
        lab.apply(change)
        seen.append(lab.ip.generation)

    assert seen == sorted(set(seen))
    assert len(seen) == 8


@pytest.mark.parametrize(
    "change",
    [
        changes.LinkDown(IF2),
        changes.InterfaceRemoved(IF2),
        changes.InterfaceRemoved(LO),
        changes.InterfaceChanged(IF1, mtu=100),
        changes.InterfaceChanged(IF1, mtu=1400, metric=-1),
        changes.AddressAdded(IF2, A("10.1.0.3"), 24),
        changes.AddressAdded(IF1, A("10.1.0.3"), 33),
        changes.AddressAdded(IF1, A("2001:db8::1"), 129),
        changes.AddressAdded(IF1, b"\n\x01\0", 8),
        changes.AddressAdded(IF1, A("0.0.0.0"), 24),
        changes.AddressAdded(IF1, A("224.0.0.1"), 24),
        changes.AddressAdded(IF1, A("255.255.255.255"), 32),
        changes.AddressAdded(IF1, A("ff02::1"), 64),
        changes.AddressRemoved(IF1, A("10.1.0.3")),
        changes.RouteAdded(A("192.0.2.1"), 24, IF1),
        changes.RouteAdded(A("192.0.2.0"), 24, IF2),
        changes.RouteAdded(A("192.0.2.0"), 24, IF1, A("::1")),
        changes.RouteAdded(A("192.0.2.0"), 24, IF1, A("0.0.0.0")),
        changes.RouteAdded(A("192.0.2.0"), 24, IF1, A("224.0.0.1")),
        changes.RouteAdded(A("192.0.2.0"), 24, IF1, None, -1),
        changes.RouteRemoved(A("192.0.2.0"), 24, IF1),
    ],
)
def test_an_impossible_change_changes_nothing(change: changes.Change) -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24")
    generation, routes = lab.ip.generation, list(lab.ip.routes)

    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        lab.apply(change)

    interface = lab.ip.interfaces[IF1]
    assert (lab.ip.generation, list(lab.ip.routes)) == (generation, routes)
    assert (interface.mtu, interface.metric, interface.is_up, len(interface.addresses)) == (1500, 25, True, 1)


@pytest.mark.parametrize("metric", [0, 0xFFFFFFFF])
def test_a_metric_has_32_bits(metric: int) -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24")
    lab.route("192.0.2.0/24", IF1, metric=metric)

    assert metric in [route.metric for route in lab.ip.routes]
    with pytest.raises(ValueError, match="metric must be 0 to 4294967295"):
        lab.route("192.0.2.0/24", IF1, metric=0x100000000)


@pytest.mark.parametrize(("prefix", "least"), [("192.0.2.0/24", 68), ("2001:db8:9::/48", 1280)])
def test_the_mtu_of_a_route_is_from_what_its_family_must_carry_to_the_largest_packet(prefix: str, least: int) -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24", "2001:db8::2/64")
    for mtu in (0, least, 65535):
        lab.apply(changes.RouteAdded(*parse_network(prefix), IF1, mtu=mtu))
        route = lab.ip.routes.get(*parse_network(prefix), IF1)
        assert route is not None
        assert route.mtu == mtu
    for mtu in (least - 1, 65536):
        with pytest.raises(ValueError, match=f"the MTU of this route must be {least} to 65535"):
            lab.apply(changes.RouteAdded(*parse_network(prefix), IF1, mtu=mtu))


def test_an_interface_number_is_used_once() -> None:
    lab = Lab()
    lab.interface(IF1)
    with pytest.raises(ValueError, match="already there"):
        lab.interface(IF1)


def test_a_host_without_any_interface_talks_to_itself() -> None:
    lab = Lab()

    assert lab.where("127.0.0.1") == ("loopback", "127.0.0.1", "127.0.0.1")
    assert lab.where("::1") == ("loopback", "::1", "::1")
