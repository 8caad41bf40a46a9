"""Cases 27, 28 and 60 of the binding catalogue and the problems of RFC 5220, as frames on the link.

The hosts are those of the catalogue: H4 has one interface and three addresses, V6 two interfaces.
"""

from __future__ import annotations

import sys

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6

from tests.unit.net.lab import IF1, IF2, PEER_MAC, A, Lab
from tests.unit.net.router_frames import TEMPORARY, advertise, following_lab, prefix
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.errors import ErrorKind, NetError
from wsknet.net.changes import InterfaceChanged
from wsknet.net.interface import is_in_prefix
from wsknet.net.routes import Route, network_of
from wsknet.trace import Decision
from wsknet.types import Address

GATEWAYS = ("10.1.0.129", "10.1.0.65", "10.1.0.126")


def h4(gateway: str = GATEWAYS[0], behaviour: Behaviour = WINDOWS) -> Lab:
    lab = Lab(behaviour)
    lab.interface(IF1, "10.1.0.2/24", "10.1.0.68/24", "10.1.0.127/24")
    lab.route("0.0.0.0/0", IF1, gateway)
    for neighbour in (*GATEWAYS, "10.1.0.70"):
        lab.know(IF1, neighbour)
    return lab


def v6(behaviour: Behaviour = WINDOWS) -> Lab:
    lab = Lab(behaviour)
    lab.interface(IF1, "fe80::a/64", "2001:db8:1::2/64")
    lab.interface(IF2, "fe80::b/64", "fd00:2::2/64")
    lab.route("::/0", IF1, "fe80::1")
    lab.know(IF1, "fe80::1")
    return lab


def source_on_the_link(lab: Lab, destination: str, bound: str | None = None) -> str:
    lab.take()
    lab.send(destination, source=bound)
    packet = lab.take_one()
    assert packet.dst == PEER_MAC
    return str(packet[IP if IP in packet else IPv6].src)


@pytest.mark.rule("BIND-27")
@pytest.mark.parametrize(
    ("gateway", "source"),
    [("10.1.0.129", "10.1.0.2"), ("10.1.0.65", "10.1.0.68"), ("10.1.0.126", "10.1.0.127")],
)
def test_the_source_of_what_leaves_the_link_depends_on_the_gateways_number(gateway: str, source: str) -> None:
    assert source_on_the_link(h4(gateway), "8.8.8.8") == source
    assert source_on_the_link(h4(gateway), "10.1.0.70") == "10.1.0.68"  # on the link: its own next hop


@pytest.mark.rule("BIND-27", "BIND-3.1.4")
def test_a_new_gateway_means_a_new_source() -> None:
    lab = h4(GATEWAYS[1])
    before = source_on_the_link(lab, "8.8.8.8")
    lab.remove_route("0.0.0.0/0", IF1, GATEWAYS[1])
    lab.route("0.0.0.0/0", IF1, GATEWAYS[2])

    assert (before, source_on_the_link(lab, "8.8.8.8")) == ("10.1.0.68", "10.1.0.127")


@pytest.mark.rule("BIND-27")
@pytest.mark.parametrize("gateway", GATEWAYS)
def test_linux_always_takes_the_first_address(gateway: str) -> None:
    assert source_on_the_link(h4(gateway, LINUX), "8.8.8.8") == "10.1.0.2"


@pytest.mark.rule("BIND-28")
def test_a_skipped_address_is_used_by_who_binds_it_only() -> None:
    lab = h4()
    lab.address(IF1, "10.1.0.2/24", skip_as_source=True)

    assert source_on_the_link(lab, "8.8.8.8") == "10.1.0.68"
    assert source_on_the_link(lab, "8.8.8.8", "10.1.0.2") == "10.1.0.2"


@pytest.mark.rule("BIND-28")
def test_who_asks_is_told_why_an_address_was_skipped() -> None:
    lab = h4()
    lab.address(IF1, "10.1.0.2/24", skip_as_source=True)
    why = Decision("path")

    lab.path("8.8.8.8", why=why)

    verdicts = {each.what: each.verdict for each in why.parts[1].candidates}
    assert verdicts["10.1.0.2/24 on if1"] == "flagged SkipAsSource: only for programs that bind it"


@pytest.mark.rule("BIND-60", "RFC5220-2.1.4")
@pytest.mark.parametrize("weak", [False, True], ids=["strong", "weak"])
def test_a_ula_is_addressed_from_the_global_address_of_the_outgoing_interface(weak: bool) -> None:
    lab = v6()
    lab.apply(InterfaceChanged(IF1, weak_send=weak))

    assert source_on_the_link(lab, "fd00:9::9") == "2001:db8:1::2"


@pytest.mark.rule("BIND-60")
def test_with_a_ula_of_its_own_the_outgoing_interface_sends_from_that() -> None:
    lab = v6()
    lab.address(IF1, "fd00:1::2/64")

    assert source_on_the_link(lab, "fd00:9::9") == "fd00:1::2"
    assert source_on_the_link(lab, "2001:db8:9::9") == "2001:db8:1::2"


@pytest.mark.rule("RFC5220-2.1.3")
def test_a_half_closed_network_is_used_for_what_it_reaches() -> None:
    """A prefix without the rest of the world is told by its route: the way out decides which interface's address."""
    lab = v6()
    lab.address(IF2, "2001:db8:c::2/64")
    lab.route("2001:db8:c00::/40", IF2, "fe80::2")

    assert lab.where("2001:db8:c01::9") == ("if2", "fe80::2", "2001:db8:c::2")
    assert lab.where("2001:db8:d01::9") == ("if1", "fe80::1", "2001:db8:1::2")


@pytest.mark.rule("RFC5220-2.1.5")
def test_after_renumbering_the_new_prefix_is_used_although_the_old_one_is_valid() -> None:
    lab = following_lab()
    advertise(lab, prefix("2001:db8:a::"))
    lab.pass_time(3)
    advertise(lab, prefix("2001:db8:a::", preferred=0), prefix("2001:db8:b::"))
    lab.pass_time(3)
    lab.know(IF1, "fe80::1")

    assert source_on_the_link(lab, "2001:db8:a:1::9").startswith("2001:db8:b:")
    assert source_on_the_link(lab, "2001:db8:9::9", "2001:db8:a::ff:fe00:2") == "2001:db8:a::ff:fe00:2"


@pytest.mark.rule("RFC5220-2.1.6")
@pytest.mark.parametrize(
    ("group", "source"), [("ff02::99", "fe80::a"), ("ff05::99", "2001:db8:1::2"), ("ff0e::99", "2001:db8:1::2")]
)
def test_the_scope_of_a_group_chooses_the_source(group: str, source: str) -> None:
    lab = v6()
    lab.route("ff00::/8", IF1)

    assert lab.where(group, zone=IF1)[2] == source


@pytest.mark.rule("RFC5220-2.1.7")
def test_a_temporary_address_is_preferred_to_the_lasting_one() -> None:
    lab = following_lab(auto=TEMPORARY)
    advertise(lab, prefix("2001:db8:a::"))
    lab.pass_time(3)
    temporary = [entry.address for entry in lab.ip.interfaces[IF1].addresses.values() if entry.is_temporary]

    assert [lab.path("2001:db8:9::9").source] == temporary


@pytest.mark.rule("BIND-3.1.4")
@pytest.mark.parametrize("destination", ["8.8.8.8", "2001:db8:9::9"])
def test_a_strong_host_lends_no_address_to_an_interface_without_one(destination: str) -> None:
    lab = Lab()
    lab.interface(IF1)
    lab.interface(IF2, "10.2.0.2/24", "2001:db8:2::2/64")
    lab.route("0.0.0.0/0", IF1)
    lab.route("::/0", IF1)

    with pytest.raises(NetError) as caught:
        lab.path(destination)
    assert caught.value.kind is ErrorKind.NO_ROUTE
    lab.apply(InterfaceChanged(IF1, weak_send=True))
    assert lab.where(destination)[0] == "if1"


def is_fitting(route: Route, destination: Address) -> bool:
    same_family = len(route.prefix) == len(destination)
    return same_family and is_in_prefix(destination, route.prefix, route.prefix_length)


@pytest.mark.rule("BIND-3.1.2")
@pytest.mark.parametrize("size", [4, 16], ids=["IPv4", "IPv6"])
def test_ten_thousand_routes_cost_one_look_up_for_each_prefix_length(size: int) -> None:
    """Counted, not timed: every call of `dict.get` while the routes that contain a destination are found."""
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24", "2001:db8:1::2/64")
    table = lab.ip.routes
    lengths = range(16, 32)
    for number in range(10_000):
        length = lengths[number % len(lengths)]
        bits = (number * 2_654_435_761 % 2**32).to_bytes(4, "big").ljust(16, b"\0")  # spread evenly
        table.add(Route(network_of(bits[:size], length), length, IF1, A("10.1.0.1" if size == 4 else "fe80::1")))
    prefixes = {(route.prefix, route.prefix_length) for route in table if len(route.prefix) == size}
    in_use = {length for _, length in prefixes}
    looked_up = 0

    def count(frame: object, event: str, called: object) -> None:
        nonlocal looked_up
        looked_up += event == "c_call" and getattr(called, "__name__", "") == "get"

    destination = bits[:size]  # the last one is in the table
    sys.setprofile(count)
    try:
        found = list(table.matching(destination))
    finally:
        sys.setprofile(None)

    assert len(prefixes) >= 10_000
    assert found
    assert 0 < looked_up <= len(in_use)
    assert found == [route for route in table if is_fitting(route, destination)]
