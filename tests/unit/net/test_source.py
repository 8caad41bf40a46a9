"""Source addresses: KB 969029 for Windows and IPv4, RFC 6724 for IPv6, the primary address for the others."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet6 import ICMPv6ND_NA, IPv6

from tests.unit.net.lab import IF1, IF2, A, Lab
from tests.unit.net.router_frames import (
    LINK_LOCAL,
    OTHER_ROUTER,
    ROUTER,
    advertise,
    advertisement,
    following_lab,
    mac_option,
    prefix,
)
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.config import StackConfig
from wsknet.errors import ErrorKind, NetError
from wsknet.net.changes import InterfaceChanged, LinkDown
from wsknet.net.routes import network_of
from wsknet.net.source import common_bits, scope
from wsknet.policy_table import RFC_6724, PolicyTable
from wsknet.text import format_address
from wsknet.trace import Decision


def h4(gateway: str, behaviour: Behaviour = WINDOWS) -> Lab:
    lab = Lab(behaviour)
    lab.interface(IF1, "10.1.0.68/24", "10.1.0.2/24", "10.1.0.127/24")
    lab.route("0.0.0.0/0", IF1, gateway)
    return lab


def ipv6(*addresses: str) -> Lab:
    lab = Lab()
    lab.interface(IF1, *addresses)
    lab.route("::/0", IF1, "fe80::1")
    return lab


def rule_of(lab: Lab, destination: str) -> tuple[str, str]:
    """The source and the rule that decided it."""
    why = Decision("test")
    path = lab.path(destination, why=why)
    return format_address(path.source), why.parts[1].rule


@pytest.mark.rule("BIND-27", "BIND-3.1.3")
def test_the_source_depends_on_the_gateways_number() -> None:
    assert rule_of(h4("10.1.0.65"), "8.8.8.8") == ("10.1.0.68", "c: longest match with the next hop")
    assert h4("10.1.0.129").where("8.8.8.8")[2] == "10.1.0.2"
    assert h4("10.1.0.126").where("8.8.8.8")[2] == "10.1.0.127"


@pytest.mark.rule("BIND-27")
def test_a_destination_on_the_link_is_its_own_next_hop() -> None:
    lab = h4("10.1.0.129")
    assert lab.where("10.1.0.70")[2] == "10.1.0.68"
    assert lab.where("10.1.0.3")[2] == "10.1.0.2"


def test_the_destination_decides_between_equal_matches_with_the_next_hop() -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24", "192.168.0.2/24")
    lab.route("0.0.0.0/0", IF1, "64.0.0.1")  # shares one bit with neither and as much with both
    assert rule_of(lab, "10.9.9.9")[0] == "10.1.0.2"
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24", "11.1.0.2/24")
    lab.route("0.0.0.0/0", IF1, "12.0.0.1")
    assert rule_of(lab, "11.9.9.9") == ("11.1.0.2", "d: longest match with the destination")
    assert rule_of(lab, "10.9.9.9") == ("10.1.0.2", "d: longest match with the destination")


def test_the_lowest_address_wins_a_tie() -> None:
    source, rule = rule_of(h4("10.1.0.129"), "8.8.8.8")
    assert source == "10.1.0.2"
    assert "lowest address" in rule


def test_a_tie_among_those_that_a_rule_has_left_is_told_as_a_tie() -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24", "10.1.0.66/24", "10.1.0.65/24")

    source, rule = rule_of(lab, "10.1.0.80")

    assert source == "10.1.0.65"
    assert "lowest address" in rule


def test_who_asks_is_told_that_there_is_no_address_to_send_from() -> None:
    lab = Lab()
    lab.interface(IF1)
    lab.address(IF1, "10.1.0.2/24", skip_as_source=True)
    why = Decision("test")

    with pytest.raises(NetError):
        lab.path("10.1.0.50", why=why)

    assert [(part.answer, part.rule) for part in why.parts[1:]] == [("none", "if1 has no usable IPV4 address")]


@pytest.mark.rule("BIND-28")
def test_skip_as_source_leaves_an_address_to_those_who_bind_it() -> None:
    lab = h4("10.1.0.129")
    lab.address(IF1, "10.1.0.2/24", skip_as_source=True)
    assert lab.where("8.8.8.8")[2] == "10.1.0.68"
    assert lab.where("8.8.8.8", "10.1.0.2")[2] == "10.1.0.2"
    assert lab.where("10.1.0.2")[2] == "10.1.0.2"


@pytest.mark.rule("BIND-28")
def test_if_all_are_skipped_nothing_can_be_sent_from_the_wildcard() -> None:
    lab = Lab()
    lab.interface(IF1)
    lab.address(IF1, "10.1.0.2/24", skip_as_source=True)
    lab.address(IF1, "2001:db8::2/64", skip_as_source=True)
    for destination in ("10.1.0.50", "2001:db8::50"):
        with pytest.raises(NetError) as caught:
            lab.path(destination)
        assert caught.value.kind is ErrorKind.NO_ROUTE


@pytest.mark.rule("BIND-27")
def test_linux_takes_the_first_address_of_the_next_hops_subnet() -> None:
    assert h4("10.1.0.65", LINUX).where("8.8.8.8")[2] == "10.1.0.68"
    lab = Lab(LINUX)
    lab.interface(IF1, "10.1.0.2/24", "192.168.0.2/24", "192.168.0.3/24")
    lab.route("0.0.0.0/0", IF1, "192.168.0.1")
    assert lab.where("8.8.8.8")[2] == "192.168.0.2"


def test_a_weak_host_lends_an_unnumbered_interface_another_ones_address() -> None:
    lab = Lab(LINUX)
    lab.interface(IF1)
    lab.interface(IF2, "10.2.0.2/24")
    lab.route("0.0.0.0/0", IF1)
    assert lab.where("8.8.8.8") == ("if1", "8.8.8.8", "10.2.0.2")


def test_no_address_is_lent_by_an_interface_that_is_down() -> None:
    lab = Lab(LINUX)
    lab.interface(IF1)
    lab.interface(IF2, "10.2.0.2/24")
    lab.route("0.0.0.0/0", IF1)
    lab.apply(LinkDown(IF2))
    with pytest.raises(NetError) as caught:
        lab.where("8.8.8.8")
    assert caught.value.kind is ErrorKind.NO_ROUTE


@pytest.mark.parametrize(
    ("addresses", "destination", "source", "rule"),
    [
        # RFC 6724 10.1 and the rules in order.
        (["2001:db8:1::1/64", "fe80::1:1/64"], "2001:db8:9::9", "2001:db8:1::1", "2"),
        (["2001:db8:1::1/64", "fe80::1:1/64"], "fe80::9", "fe80::1:1", "2"),
        (["2001:db8:1::1/64", "fe80::1:1/64"], "ff02::9", "fe80::1:1", "2"),
        (["2001:db8:1::1/64", "fe80::1:1/64"], "ff0e::9", "2001:db8:1::1", "2"),
        (["fec0::1:1/64", "fe80::1:1/64"], "2001:db8:9::9", "fec0::1:1", "2"),
        (["2001:db8:1::1/64", "fc00:1::1/64"], "fd00:9::9", "fc00:1::1", "6"),
        (["2002:c633:6401::1/48", "2001:db8:1::1/64"], "2002:c633:6402::9", "2002:c633:6401::1", "6"),
        (["2001:0:1::1/64", "2001:db8:1::1/64"], "2001:0:9::9", "2001:0:1::1", "6"),
        (["2001:db8:1::1/64", "2001:db8:3fff::1/64"], "2001:db8:3f44::9", "2001:db8:3fff::1", "8"),
        (["2001:db8:1::8/64", "2001:db8:1::1/64"], "2001:db8:1::9", "2001:db8:1::8", "equal"),
    ],
)
@pytest.mark.rule("RFC6724-5")
def test_ipv6_rules(addresses: list[str], destination: str, source: str, rule: str) -> None:
    for order in (addresses, addresses[::-1]):
        if rule == "equal" and order is not addresses:
            continue
        found, decided = rule_of(ipv6(*order), destination)
        assert (found, decided.split(":")[0].split()[0]) == (source, rule)


@pytest.mark.rule("RFC6724-5")
def test_a_deprecated_address_is_avoided_but_not_at_the_cost_of_scope() -> None:
    lab = ipv6("2001:db8:1::1/64")
    lab.address(IF1, "2001:db8:9::1/64", is_deprecated=True)
    assert rule_of(lab, "2001:db8:9::9") == ("2001:db8:1::1", "3: avoid deprecated addresses")
    lab = ipv6("fe80::1:1/64")
    lab.address(IF1, "2001:db8:9::1/64", is_deprecated=True)
    assert lab.where("2001:db8:9::9")[2] == "2001:db8:9::1"


@pytest.mark.rule("RFC6724-2.2")
def test_the_match_is_cut_at_the_sources_own_prefix() -> None:
    lab = ipv6("2001:db8:1::1/64", "2001:db8:1::8/64")
    assert lab.where("2001:db8:1::9")[2] == "2001:db8:1::1"


@pytest.mark.parametrize(
    ("address", "value"),
    [("fe80::1", 2), ("::1", 2), ("fec0::1", 5), ("2001:db8::1", 14), ("fd00::1", 14), ("ff02::1", 2), ("ff05::1", 5),
     ("10.1.0.2", 14), ("192.168.0.2", 14), ("169.254.1.1", 2), ("127.0.0.1", 2)],
)  # fmt: skip
@pytest.mark.rule("RFC6724-3.1", "RFC6724-3.2")
def test_scopes(address: str, value: int) -> None:
    assert scope(A(address)) == value


@pytest.mark.parametrize(
    ("one", "other", "bits"),
    [
        ("10.1.0.2", "10.1.0.129", 24),
        ("10.1.0.68", "10.1.0.65", 29),
        ("1.2.3.4", "1.2.3.4", 32),
        ("0.0.0.0", "128.0.0.0", 0),
        ("2001:db8::", "2001:db8:8000::", 32),
    ],
)
def test_common_bits(one: str, other: str, bits: int) -> None:
    assert common_bits(A(one), A(other)) == bits


@pytest.mark.rule("RFC6724-4", "BIND-3.5")
@pytest.mark.parametrize(
    ("weak", "source"), [(False, "fe80::1:1"), (True, "2001:db8:2::1")], ids=["strong host", "weak host"]
)
def test_only_a_weak_host_may_send_from_an_address_of_another_interface(weak: bool, source: str) -> None:
    lab = ipv6("fe80::1:1/64")
    lab.interface(IF2, "2001:db8:2::1/64")
    lab.apply(InterfaceChanged(IF1, weak_send=weak))

    assert lab.where("2001:db8:9::9") == ("if1", "fe80::1", source)


@pytest.mark.rule("RFC6724-4")
@pytest.mark.parametrize("destination", ["ff0e::9", "fe80::9"])
def test_a_weak_host_lends_nothing_to_groups_and_links(destination: str) -> None:
    lab = Lab(LINUX)
    lab.interface(IF1)
    lab.interface(IF2, "2001:db8:2::1/64")
    for text in ("::/0", "fe80::/64"):
        lab.route(text, IF1)

    assert lab.where("2001:db8:9::9")[2] == "2001:db8:2::1"
    with pytest.raises(NetError) as caught:
        lab.where(destination, zone=IF1)
    assert caught.value.detail == "if1 has no address to send from"


@pytest.mark.rule("BIND-3.5")
def test_the_outgoing_interface_counts_for_more_than_the_label() -> None:
    lab = ipv6("2001:db8:1::2/64")
    lab.interface(IF2, "fd00:2::2/64")
    lab.apply(InterfaceChanged(IF1, weak_send=True))

    assert rule_of(lab, "fd00:9::9") == ("2001:db8:1::2", "5: outgoing interface")


@pytest.mark.rule("RFC6724-2.1", "RFC6724-5")
def test_another_policy_table_chooses_another_source() -> None:
    """The label of ULAs is taken away, so that the longest match decides."""
    rows = tuple(row for row in RFC_6724.rows if row.label != 13)
    lab = Lab(config=StackConfig(policy_table=PolicyTable(rows)))
    lab.interface(IF1, "fd00:1::1/64", "c000::1/64")
    lab.route("::/0", IF1, "fe80::1")
    usual = ipv6("fd00:1::1/64", "c000::1/64")

    assert rule_of(lab, "f800::9") == ("fd00:1::1", "8: longest matching prefix")
    assert rule_of(usual, "f800::9") == ("c000::1", "6: matching label")


BEHIND_ONE, BEHIND_OTHER = "2001:db8:a:aa::9", "2001:db8:a:bb::9"


def told_by_two(behaviour: Behaviour = WINDOWS, last: str = OTHER_ROUTER) -> Lab:
    """RFC 5220 2.1.1: each of two routers of one link advertises the prefix of its own provider.

    Behind either lies a network whose number is nearer to the prefix of the first.
    """
    lab = following_lab(Lab(behaviour))
    told = [(ROUTER, prefix("2001:db8:a::")), (OTHER_ROUTER, prefix("2001:db8:b::"))]
    for router, option in told if last == OTHER_ROUTER else told[::-1]:
        advertise(lab, option, mac_option(), source=router)
    lab.pass_time(5)
    lab.route("2001:db8:a:aa::/64", IF1, ROUTER)
    lab.route("2001:db8:a:bb::/64", IF1, OTHER_ROUTER)
    return lab


def prefixes_used(lab: Lab) -> list[str]:
    sources = [lab.path(destination).source for destination in (BEHIND_ONE, BEHIND_OTHER)]
    return [format_address(network_of(source, 64)) for source in sources]


@pytest.mark.rule("RFC6724-5", "RFC5220-2.1.1")
@pytest.mark.parametrize("last", [ROUTER, OTHER_ROUTER])
def test_what_leaves_by_a_router_comes_from_a_prefix_that_it_advertised(last: str) -> None:
    lab = told_by_two(last=last)

    assert prefixes_used(lab) == ["2001:db8:a::", "2001:db8:b::"]
    assert rule_of(lab, BEHIND_OTHER)[1] == "5.5: address in a prefix that the next hop advertised"


@pytest.mark.rule("RFC6724-5")
def test_linux_does_not_ask_who_advertised_a_prefix() -> None:
    assert prefixes_used(told_by_two(LINUX)) == ["2001:db8:a::", "2001:db8:a::"]


@pytest.mark.rule("RFC6724-5")
@pytest.mark.parametrize(
    "end",
    [
        advertisement(prefix("2001:db8:b::", valid=0, preferred=0), source=OTHER_ROUTER),
        IPv6(src=OTHER_ROUTER, dst=LINK_LOCAL, hlim=255) / ICMPv6ND_NA(tgt=OTHER_ROUTER, R=0, S=0, O=0),
    ],
    ids=["the prefix", "being a router"],
)
def test_a_router_that_takes_its_word_back_is_asked_no_more(end: Any) -> None:
    """The other one advertises the prefix as well, so that it stays; so does the route given by hand."""
    lab = told_by_two()
    before = prefixes_used(lab)

    lab.arrive(IF1, end)
    advertise(lab, prefix("2001:db8:b::"))

    assert before == ["2001:db8:a::", "2001:db8:b::"]
    assert rule_of(lab, BEHIND_OTHER)[1] == "8: longest matching prefix"


def test_news_of_who_advertises_a_prefix_changes_paths_that_were_known() -> None:
    lab = told_by_two()
    before = prefixes_used(lab)
    advertise(lab, prefix("2001:db8:a::"), source=OTHER_ROUTER)  # new of this router, but nothing else is

    assert before == ["2001:db8:a::", "2001:db8:b::"]
    assert prefixes_used(lab) == ["2001:db8:a::", "2001:db8:a::"]


def test_what_was_advertised_is_forgotten_with_the_prefix() -> None:
    lab = told_by_two()
    lab.pass_time(8000)
    for text in ("2001:db8:a::9/64", "2001:db8:b::9/64"):
        lab.address(IF1, text)

    assert rule_of(lab, BEHIND_OTHER) == ("2001:db8:a::9", "8: longest matching prefix")
