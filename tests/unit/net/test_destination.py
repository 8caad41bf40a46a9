"""The order in which the addresses of a peer are tried: RFC 6724 6 and the examples of 10.2 and 10.3."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.net.lab import IF1, IF2, A, Lab
from tests.unit.net.test_explain import World, destinations, worlds
from wsknet.behaviour import LINUX
from wsknet.config import StackConfig
from wsknet.net.changes import LinkDown
from wsknet.policy_table import RFC_6724, Policy, PolicyTable
from wsknet.text import format_address
from wsknet.trace import Decision
from wsknet.types import Address, IfIndex


def host(*addresses: str, table: PolicyTable = RFC_6724, deprecated: str = "") -> Lab:
    lab = Lab(config=StackConfig(policy_table=table))
    lab.interface(IF1, *addresses)
    if deprecated:
        lab.address(IF1, deprecated, is_deprecated=True)
    lab.route("0.0.0.0/0", IF1)
    lab.route("::/0", IF1)
    return lab


def order(lab: Lab, *asked: str) -> tuple[list[str], str]:
    """What comes out, and the number of the rule that put the first before the second."""
    why = Decision("order")
    found = lab.ip.order_destinations([A(text) for text in asked], IF1, why)
    return [format_address(address) for address in found], why.rule.split(":")[0]


def with_policies(*changed: tuple[str, int, int, int]) -> PolicyTable:
    rows = {row[:2]: row for row in RFC_6724.rows}
    for text, length, precedence, label in changed:
        rows[A(text), length] = Policy(A(text), length, precedence, label)
    return PolicyTable(tuple(rows.values()))


@pytest.mark.rule("RFC6724-10.2", "RFC6724-6")
@pytest.mark.parametrize(
    ("own", "first", "second", "rule"),
    [
        (["2001:db8:1::2/64", "fe80::1/64", "169.254.13.78/16"], "2001:db8:1::1", "198.51.100.121", "2"),
        (["fe80::1/64", "198.51.100.117/24"], "198.51.100.121", "2001:db8:1::1", "2"),
        (["2001:db8:1::2/64", "fe80::1/64", "10.1.2.4/24"], "2001:db8:1::1", "10.1.2.3", "6"),
        (["2001:db8:1::2/64", "fe80::2/64"], "fe80::1", "2001:db8:1::1", "8"),
        (["2001:db8:1::2/48", "2001:db8:3f44::2/48", "fe80::2/64"], "2001:db8:1::1", "2001:db8:3ffe::1", "9"),
        (["2002:c633:6401::2/64", "fe80::2/64"], "2002:c633:6401::1", "2001:db8:1::1", "5"),
        (["2002:c633:6401::2/64", "2001:db8:1::2/64", "fe80::2/64"], "2001:db8:1::1", "2002:c633:6401::1", "6"),
    ],
)  # fmt: skip
def test_examples_of_the_rfc(own: list[str], first: str, second: str, rule: str) -> None:
    lab = host(*own)

    assert order(lab, first, second) == ([first, second], rule)
    assert order(lab, second, first) == ([first, second], rule)


@pytest.mark.rule("RFC6724-6")
def test_what_cannot_be_reached_comes_last_and_is_not_left_out() -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24")

    assert order(lab, "2001:db8:1::1", "192.0.2.1", "10.1.0.9") == (["10.1.0.9", "2001:db8:1::1", "192.0.2.1"], "1")


@pytest.mark.rule("RFC6724-6")
def test_a_destination_is_unusable_while_its_interface_is_down() -> None:
    lab = Lab()
    lab.interface(IF1, "2001:db8:1::2/64")
    lab.interface(IF2, "10.2.0.2/24")
    up = order(lab, "10.2.0.9", "2001:db8:1::9")
    lab.apply(LinkDown(IF1))

    assert up == (["2001:db8:1::9", "10.2.0.9"], "6")
    assert order(lab, "2001:db8:1::9", "10.2.0.9") == (["10.2.0.9", "2001:db8:1::9"], "1")


@pytest.mark.rule("RFC6724-6")
def test_a_destination_that_would_need_a_deprecated_source_comes_later() -> None:
    lab = host("10.1.2.4/24", deprecated="2001:db8:1::2/64")

    assert order(lab, "2001:db8:1::1", "10.1.2.3") == (["10.1.2.3", "2001:db8:1::1"], "3")


@pytest.mark.rule("RFC6724-10.3", "RFC6724-2.1")
def test_an_administrator_may_prefer_ipv4() -> None:
    lab = host("2001:db8:1::2/64", "10.1.2.4/24", table=with_policies(("::ffff:0:0", 96, 100, 4)))

    assert order(lab, "2001:db8:1::1", "10.1.2.3") == (["10.1.2.3", "2001:db8:1::1"], "6")


@pytest.mark.rule("RFC5220-2.2.2", "RFC5220-2.2.3")
def test_an_unreachable_site_behind_a_ula_is_tried_after_ipv4_and_global_addresses() -> None:
    lab = host("2001:db8:1::2/64", "fd00:1::2/64", "10.1.2.4/24")

    assert order(lab, "fd00:9::9", "10.9.9.9", "2001:db8:9::9")[0] == ["2001:db8:9::9", "10.9.9.9", "fd00:9::9"]
    assert order(host("fd00:1::2/64", "10.1.2.4/24"), "2001:db8:9::9", "10.9.9.9") == (
        ["10.9.9.9", "2001:db8:9::9"],
        "5",
    )


@pytest.mark.rule("RFC6724-6", "RFC6724-2.2")
def test_a_longer_match_counts_among_ipv4_addresses_up_to_the_subnet_of_the_source() -> None:
    lab = host("10.1.2.4/24")

    assert order(lab, "10.9.9.9", "10.1.2.200") == (["10.1.2.200", "10.9.9.9"], "9")
    assert order(lab, "10.1.2.200", "10.1.2.5") == (["10.1.2.200", "10.1.2.5"], "10")


@pytest.mark.rule("RFC6724-6")
def test_the_longest_match_never_decides_between_families() -> None:
    """With one precedence for all, the IPv4 address keeps its place and the others are ordered around it."""
    lab = host("2001:db8:1::2/64", "10.1.2.4/24", table=with_policies(("::ffff:0:0", 96, 40, 4)))

    assert order(lab, "2001:ff00::1", "10.1.2.3", "2001:db8:1::1") == (
        ["2001:db8:1::1", "10.1.2.3", "2001:ff00::1"], "10",
    )  # fmt: skip
    assert order(lab, "10.1.2.3", "2001:db8:1::1")[0] == ["10.1.2.3", "2001:db8:1::1"]


@pytest.mark.rule("RFC6724-6")
def test_equal_destinations_keep_their_order() -> None:
    lab = host("192.0.2.4/24")
    for asked in (["10.1.0.1", "10.1.0.2", "10.1.0.3"], ["10.1.0.3", "10.1.0.1", "10.1.0.2"]):
        assert order(lab, *asked) == (asked, "10")


@pytest.mark.rule("RFC6724-3.2")
def test_a_mapped_address_is_ordered_like_the_ipv4_address_and_comes_back_as_it_was() -> None:
    lab = host("2001:db8:1::2/64", "10.1.2.4/24")
    asked = ["::ffff:10.9.9.9", "::ffff:10.1.2.3", "2001:db8:1::1"]

    found = lab.ip.order_destinations([A(text) for text in asked])

    assert found == [A("2001:db8:1::1"), A("::ffff:10.1.2.3"), A("::ffff:10.9.9.9")]


@pytest.mark.rule("RFC6724-6")
def test_our_own_addresses_are_destinations_like_others() -> None:
    lab = host("10.1.2.4/24")

    assert order(lab, "10.1.2.9", "127.0.0.9", "::1")[0] == ["::1", "127.0.0.9", "10.1.2.9"]


def test_a_borrowed_source_counts_with_its_own_prefix() -> None:
    lab = Lab(LINUX)
    lab.interface(IF1)
    lab.interface(IF2, "10.2.0.2/24")
    lab.route("0.0.0.0/0", IF1)

    assert order(lab, "10.9.9.9", "10.2.1.9") == (["10.2.1.9", "10.9.9.9"], "9")


@pytest.mark.parametrize(("one", "other"), [(IF1, IF2), (IF2, IF1)])
def test_an_address_of_two_interfaces_counts_as_what_it_is_on_the_outgoing_one(one: IfIndex, other: IfIndex) -> None:
    lab = Lab()
    lab.interface(IF1)
    lab.interface(IF2)
    lab.address(one, "10.1.2.4/24")
    lab.address(other, "10.1.2.4/24", is_deprecated=True)
    lab.address(one, "2001:db8:1::2/64", is_deprecated=True)
    lab.route("0.0.0.0/0", one)

    assert order(lab, "2001:db8:1::1", "10.9.9.9")[1] == "3"


@pytest.mark.parametrize(("asked", "rule"), [([], "no destination"), (["10.1.2.3"], "only destination")])
def test_where_there_is_nothing_to_order_the_reason_says_so(asked: list[str], rule: str) -> None:
    assert order(host("10.1.2.4/24"), *asked) == (asked, rule)


def test_every_place_is_explained_and_every_path_behind_it() -> None:
    lab = host("2001:db8:1::2/64", "10.1.2.4/24")
    why = Decision("order")

    lab.ip.order_destinations([A("10.9.9.9"), A("10.1.2.3"), A("2001:db8:1::1")], why=why)

    assert [(each.what, each.verdict, each.is_winner) for each in why.candidates] == [
        ("2001:db8:1::1", "first: 6: prefer higher precedence", True),
        ("10.1.2.3", "after 2001:db8:1::1 by the rule: 6: prefer higher precedence", False),
        ("10.9.9.9", "after 10.1.2.3 by the rule: 9: use longest matching prefix", False),
    ]
    assert (why.answer, why.reference) == ("2001:db8:1::1, 10.1.2.3, 10.9.9.9", "RFC 6724 6")
    assert [part.answer for part in why.parts] == ["if1 from 10.1.2.4", "if1 from 10.1.2.4", "if1 from 2001:db8:1::2"]


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(worlds, st.lists(destinations, max_size=8))
def test_ordering_and_explaining_agree_and_lose_nothing(world: World, asked: list[Address]) -> None:
    lab = world.build()
    why = Decision("order")

    found = lab.ip.order_destinations(asked)

    assert found == lab.ip.order_destinations(asked, why=why)
    assert sorted(found) == sorted(asked)
    assert lab.ip.order_destinations(found) == found
    assert why.answer
    assert why.rule
    assert len(why.candidates) == len(why.parts) == len(asked)
    assert sum(each.is_winner for each in why.candidates) == bool(asked)
