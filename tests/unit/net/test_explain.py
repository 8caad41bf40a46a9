"""Explaining is deciding: the same answer, over random tables; and what a decision tells."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.net.lab import A, Lab
from wsknet.behaviour import SETS
from wsknet.errors import NetError
from wsknet.net import changes
from wsknet.net.interface import is_in_prefix
from wsknet.net.path import summary
from wsknet.net.routes import network_of
from wsknet.net.well_known import LIMITED_BROADCAST
from wsknet.trace import Decision
from wsknet.types import Address, IfIndex

# Few distinct bits and lengths, so that prefixes overlap, tie and nest.
ipv4 = st.builds(lambda a, b, c: bytes((10, a, b, c)), *[st.integers(0, 2)] * 3)
ipv6 = st.builds(lambda a, b, c: bytes((0x20, 1, a, b)) + bytes(11) + bytes((c,)), *[st.integers(0, 2)] * 3)
special = st.sampled_from(
    [A(text) for text in ("fe80::1", "fe80::2", "fd00::1", "169.254.1.1", "127.0.0.1", "127.0.0.9", "::1", "0.0.0.0")]
    + [A(text) for text in ("255.255.255.255", "224.0.0.1", "ff02::1", "8.8.8.8", "2001:db8::1", "10.1.1.255")]
)
hosts = st.one_of(ipv4, ipv6, st.sampled_from([A("fe80::1"), A("fe80::2"), A("fd00::1"), A("169.254.1.1")]))
destinations = st.one_of(ipv4, ipv6, special)
indices = st.integers(2, 4).map(IfIndex)
is_usually = st.sampled_from([True, True, True, False])
LENGTHS = {4: (0, 8, 16, 24, 31), 16: (0, 16, 24, 64, 127)}

Question = tuple[Address, Address | None, int]


@dataclass
class World:
    behaviour: str
    interfaces: list[tuple[int, bool, bool]]
    addresses: list[tuple[IfIndex, Address, int, bool, bool]]
    routes: list[tuple[Address, int, IfIndex, Address | None, int]]
    asked: list[tuple[Address, int | None, int]]

    def build(self) -> Lab:
        lab = Lab(SETS[self.behaviour])
        for number, (metric, is_up, weak) in enumerate(self.interfaces):
            index = IfIndex(number + 2)
            lab.interface(index, metric=metric)
            lab.apply(changes.InterfaceChanged(index, weak_send=weak))
            if not is_up:
                lab.apply(changes.LinkDown(index))
        for index, address, length, skip, deprecated in self.addresses:
            lab.apply(changes.AddressAdded(index, address, LENGTHS[len(address)][length], skip, deprecated))
        for prefix, length, index, next_hop, metric in self.routes:
            cut = LENGTHS[len(prefix)][length]
            via = next_hop if next_hop is not None and len(next_hop) == len(prefix) else None
            lab.apply(changes.RouteAdded(network_of(prefix, cut), cut, index, via, metric))
        return lab

    def questions(self) -> list[Question]:
        """Half of them bound to an address of ours, if one is of the right family."""
        asked = []
        for destination, number, zone in self.asked:
            own = [address for _, address, *_ in self.addresses if len(address) == len(destination)]
            asked.append((destination, own[number % len(own)] if own and number is not None else None, zone))
        return asked


worlds = st.builds(
    World,
    st.sampled_from(sorted(SETS)),
    st.lists(st.tuples(st.integers(1, 2), is_usually, st.booleans()), min_size=3, max_size=3),
    st.lists(
        st.tuples(indices, hosts, st.integers(1, 4), is_usually.map(lambda often: not often), st.booleans()),
        min_size=4,
        max_size=10,
    ),
    st.lists(
        st.tuples(hosts, st.integers(0, 4), indices, st.none() | hosts, st.integers(0, 1)), min_size=2, max_size=10
    ),
    st.lists(
        st.tuples(destinations, st.none() | st.integers(0, 9), st.sampled_from([0, 0, 0, 2, 3])),
        min_size=4,
        max_size=10,
    ),
)


def answer(lab: Lab, question: Question, why: Decision | None) -> tuple[object, ...]:
    try:
        path = lab.ip.path(*question, why)
    except NetError as error:
        return error.kind, error.detail
    return (path.interface.index, path.next_hop, path.source, path.mtu, path.is_local, path.is_broadcast, path.zone)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(worlds)
def test_resolve_and_explain_agree(world: World) -> None:
    lab = world.build()
    for question in world.questions():
        why = Decision("why")

        assert answer(lab, question, None) == answer(lab, question, why)
        assert why.answer
        assert why.rule
        assert why.reference
        assert "\n" not in summary(why)
        for part in why.parts:
            assert sum(candidate.is_winner for candidate in part.candidates) <= 1


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(worlds)
def test_the_route_is_the_one_a_plain_search_finds(world: World) -> None:
    """Scan every route: the longest prefix, the lowest sum, the first added."""
    lab = world.build()
    for destination, _, _ in world.questions():
        why = Decision("why")
        try:
            path = lab.ip.path(destination, None, 0, why)
        except NetError:
            continue
        if path.is_local:
            continue
        best = None
        confined = (b"\xfe", b"\xa9") if lab.ip.config.behaviour.confines_ipv4_link_local else (b"\xfe",)
        for route in lab.ip.routes:
            interface = lab.ip.interfaces[route.if_index]
            if len(route.prefix) != len(destination) or not is_in_prefix(
                destination, route.prefix, route.prefix_length
            ):
                continue
            if not interface.is_up or interface.is_loopback or (route.next_hop and destination[:1] in confined):
                continue
            rank = (-route.prefix_length, route.metric + interface.metric)
            if best is None or rank < best[0]:
                best = (rank, route)

        assert best is not None
        next_hop = None if destination == LIMITED_BROADCAST else best[1].next_hop  # which is for the link itself
        assert (path.interface.index, path.next_hop) == (best[1].if_index, next_hop or destination)


def test_a_decision_tells_every_candidate_and_the_rule() -> None:
    lab = Lab()
    lab.interface(IfIndex(2), "10.1.0.2/24", "10.1.0.9/24", metric=25)
    lab.interface(IfIndex(3), "10.2.0.2/24", metric=35)
    lab.interface(IfIndex(4), "10.3.0.2/24")
    lab.route("0.0.0.0/0", IfIndex(2), "10.1.0.1")
    lab.route("0.0.0.0/0", IfIndex(3), "10.2.0.1")
    lab.route("8.8.0.0/16", IfIndex(4), "10.3.0.1")
    lab.apply(changes.LinkDown(IfIndex(4)))
    why = Decision("path to 8.8.8.8")

    lab.path("8.8.8.8", why=why)

    route, source = why.parts
    assert why.answer == "if1 via 10.1.0.1 from 10.1.0.2"
    assert [(candidate.what, candidate.verdict, candidate.is_winner) for candidate in route.candidates] == [
        ("0.0.0.0/0 via 10.1.0.1 on if1, metric 0+25", "chosen: lowest sum of route and interface metric", True),
        ("0.0.0.0/0 via 10.2.0.1 on if2, metric 0+35", "metric 35 is above 25", False),
        ("8.8.0.0/16 via 10.3.0.1 on if3, metric 0+25", "if3 is down", False),
    ]
    assert route.rule == "lowest sum of route and interface metric"
    assert route.reference == "The Cable Guy, September 2007"
    assert [(candidate.what, candidate.is_winner) for candidate in source.candidates] == [
        ("10.1.0.9/24 on if1", False),
        ("10.1.0.2/24 on if1", True),
    ]
    assert source.reference == "KB 969029"


@pytest.mark.rule("BIND-20")
def test_a_decision_tells_which_routes_a_bound_source_cannot_see() -> None:
    lab = Lab()
    lab.interface(IfIndex(2), "10.1.0.2/24")
    lab.interface(IfIndex(3), "10.2.0.2/24")
    lab.route("0.0.0.0/0", IfIndex(2), "10.1.0.1")
    lab.route("192.0.2.0/24", IfIndex(3), "10.2.0.1")
    why = Decision("path to 192.0.2.7")

    lab.path("192.0.2.7", "10.1.0.2", why=why)

    verdicts = {candidate.what.split(" via")[0]: candidate.verdict for candidate in why.parts[0].candidates}
    assert verdicts["192.0.2.0/24"] == "not on if1, which owns the bound address (strong host send)"
    assert why.parts[0].rule == "only usable route"
    assert why.parts[1].rule == "bound by the program"


@pytest.mark.parametrize(("behaviour", "model"), [("windows", "strong"), ("linux", "weak")])
def test_a_bound_source_is_told_with_the_host_model(behaviour: str, model: str) -> None:
    lab = Lab(SETS[behaviour])
    lab.interface(IfIndex(2), "10.1.0.2/24")
    why = Decision("path to 10.1.0.50")
    lab.path("10.1.0.50", "10.1.0.2", why=why)
    assert why.parts[1].reference == f"RFC 1122 3.3.4.2, {model} host send"


@pytest.mark.parametrize(
    ("destination", "rule"),
    [("192.0.2.7", "no route contains the destination"), ("198.51.100.7", "no usable route")],
)
def test_a_decision_tells_whether_there_is_no_route_or_none_that_can_be_used(destination: str, rule: str) -> None:
    lab = Lab()
    lab.interface(IfIndex(2), "10.1.0.2/24")
    lab.interface(IfIndex(3), "10.2.0.2/24")
    lab.route("198.51.100.0/24", IfIndex(3), "10.2.0.1")
    lab.apply(changes.LinkDown(IfIndex(3)))
    why = Decision("path")

    with pytest.raises(NetError):
        lab.path(destination, why=why)

    assert (why.parts[0].answer, why.parts[0].rule) == ("none", rule)


def test_a_decision_tells_of_each_silent_router_once() -> None:
    lab = Lab()
    lab.interface(IfIndex(2), "2001:db8::2/64")
    lab.route("::/0", IfIndex(2), "2001:db8::1", metric=1)
    lab.route("::/0", IfIndex(2), "2001:db8::9", metric=2)
    lab.route("2001:db8:f::/48", IfIndex(2), "2001:db8::1", metric=3)
    for _ in range(3):
        lab.send("2001:db8:f::1")
        lab.send("2001:db8:e::1")
        lab.pass_time(5)
    why = Decision("path to 2001:db8:f::1")

    lab.path("2001:db8:f::1", why=why)

    verdicts = [(candidate.what.split(",")[0], candidate.verdict) for candidate in why.parts[0].candidates]
    silent = "its router did not answer when last asked"
    assert verdicts == [
        ("2001:db8:f::/48 via 2001:db8::1 on if1", "chosen: longest prefix"),
        ("::/0 via 2001:db8::1 on if1", silent),
        ("::/0 via 2001:db8::9 on if1", silent),
    ]


def test_a_decision_tells_why_an_address_cannot_be_bound() -> None:
    why = Decision("bind 192.0.2.1")
    with pytest.raises(NetError):
        Lab().ip.bindable(A("192.0.2.1"), 0, why)

    assert (why.answer, why.reference) == ("address not local", "bind function (winsock2.h)")


def test_a_decision_tells_with_which_zone_an_address_is_bound() -> None:
    lab = Lab()
    lab.interface(IfIndex(2), "fe80::1/64")
    why = Decision("bind fe80::1")

    lab.ip.bindable(A("fe80::1"), 0, why)

    assert (why.answer, why.rule) == ("fe80::1%2", "an address of if1")


def test_a_route_as_long_that_cannot_be_used_does_not_make_the_other_the_longest() -> None:
    lab = Lab()
    lab.interface(IfIndex(2), "10.1.0.2/24")
    lab.interface(IfIndex(3), "10.1.0.3/24")
    lab.apply(changes.LinkDown(IfIndex(3)))
    why = Decision("")
    lab.path("10.1.0.9", why=why)

    assert why.parts[0].rule == "only usable route"
    assert any(candidate.verdict == "if2 is down" for candidate in why.parts[0].candidates)


def test_a_decision_about_our_own_address_names_it_and_where_it_is() -> None:
    lab = Lab()
    lab.interface(IfIndex(2), "10.1.0.2/24")
    why = Decision("")
    lab.path("10.1.0.2", why=why)

    assert [(each.what, each.verdict, each.is_winner) for each in why.candidates] == [
        ("10.1.0.2 local on if1", "chosen: our own address", True)
    ]
