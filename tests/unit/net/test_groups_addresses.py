"""Solicited-node groups: told in answers always, unasked only where addresses are found automatically."""

from __future__ import annotations

import pytest

from tests.unit.net.group_lab import (
    IS_EX,
    TO_EX,
    TO_IN,
    V6,
    all_but,
    hear,
    link,
    listen,
    only,
    query,
    records,
    said,
    settle,
)
from tests.unit.net.lab import IF1, IF2, A, Lab
from wsknet.config import AutoConfig
from wsknet.net import changes
from wsknet.text import format_address, parse_cidr
from wsknet.types import IfIndex

NODE_A, NODE_B, NODE_C = "ff02::1:ff00:a", "ff02::1:ff00:b", "ff02::1:ff00:c"
DETECTING = AutoConfig(duplicate_detection=True)
FOLLOWING = AutoConfig(router_discovery=True)
automatic = pytest.mark.parametrize("auto", [DETECTING, FOLLOWING], ids=["detecting duplicates", "following routers"])


def told(lab: Lab) -> list[tuple[str, str]]:
    return [(kind, group) for report in records(lab) for kind, group, _ in report]


def answer(lab: Lab) -> list[tuple[str, str]]:
    """What is told when a router asks for everything."""
    lab.pass_time(10)
    said(lab)
    hear(lab, V6, query(V6, seconds=1))
    lab.pass_time(1)
    return told(lab)


def test_nothing_is_told_of_addresses_that_are_there_from_the_beginning() -> None:
    lab = link(V6)
    lab.address(IF1, "2001:db8::b/64")
    lab.address(IF1, "10.1.0.2/24")
    lab.apply(changes.AddressRemoved(IF1, A("2001:db8::b")))
    lab.apply(changes.LinkDown(IF1))
    lab.apply(changes.LinkUp(IF1))
    lab.pass_time(300)
    assert lab.take() == []


@pytest.mark.rule("RFC3810-6.2")
def test_an_answer_names_the_groups_of_the_addresses_there_are() -> None:
    lab = link(V6)
    lab.address(IF1, "2001:db8::b/64")
    assert answer(lab) == [(IS_EX, NODE_A), (IS_EX, NODE_B)]
    lab.apply(changes.AddressRemoved(IF1, A("2001:db8::b")))
    assert answer(lab) == [(IS_EX, NODE_A)]
    lab.address(IF1, "2001:db8::a/64")
    lab.apply(changes.AddressRemoved(IF1, A("fe80::a")))
    assert answer(lab) == [(IS_EX, NODE_A)]


@automatic
@pytest.mark.rule("RFC4861-7.2.1", "RFC4862-5.4.2", "RFC3810-6.1")
def test_addresses_found_automatically_join_their_group_unasked(auto: AutoConfig) -> None:
    lab = Lab()
    lab.interface(IF1, auto=auto)
    settle(lab)
    lab.address(IF1, "2001:db8::b/64")
    assert told(lab) == [(TO_EX, NODE_B)]
    lab.pass_time(5)
    assert told(lab) == [(TO_EX, NODE_B)]
    lab.apply(changes.AddressRemoved(IF1, A("2001:db8::b")))
    lab.pass_time(5)
    assert told(lab) == [(TO_IN, NODE_B)] * 2


@pytest.mark.rule("RFC4862-5.4.2")
def test_the_group_is_joined_before_the_question_in_it() -> None:
    lab = Lab()
    lab.interface(IF1, "fe80::a/64", auto=DETECTING)
    [report] = said(lab)
    assert (report.source, report.records) == ("::", ((TO_EX, NODE_A, ()),))
    lab.pass_time(1)
    kinds = [bytes(frame)[14 + 6] for _, frame in lab.take()]
    assert 58 in kinds


def test_an_address_that_is_not_ours_yet_is_in_the_answer() -> None:
    lab = Lab()
    lab.interface(IF1, auto=DETECTING)
    lab.address(IF1, "fe80::a/64")
    assert A("fe80::a") in lab.ip.interfaces[IF1].unassigned
    said(lab)
    hear(lab, V6, query(V6, seconds=0.01))
    lab.pass_time(0.02)
    assert (IS_EX, NODE_A) in told(lab)


@automatic
def test_what_was_not_told_is_told_once_addresses_are_found_automatically(auto: AutoConfig) -> None:
    lab = link(V6)
    lab.apply(changes.InterfaceChanged(IF1, auto=auto))
    assert (TO_EX, NODE_A) in told(lab)


@automatic
@pytest.mark.rule("RFC3810-6.1")
def test_the_groups_are_told_again_when_the_link_is_back(auto: AutoConfig) -> None:
    lab = Lab()
    lab.interface(IF1, auto=auto)
    lab.address(IF1, "fe80::a/64")
    lab.pass_time(10)
    lab.apply(changes.LinkDown(IF1))
    said(lab)
    lab.apply(changes.LinkUp(IF1))
    assert (TO_EX, NODE_A) in told(lab)


def test_a_program_may_join_such_a_group_too() -> None:
    lab = link(V6)
    listen(lab, NODE_A, only("2001:db8::1"))
    assert told(lab) == [(TO_EX, NODE_A)]
    listen(lab, NODE_A, None)
    lab.apply(changes.AddressRemoved(IF1, A("fe80::a")))
    lab.pass_time(5)
    assert told(lab).count((TO_IN, NODE_A)) == 2


def test_another_interface_has_groups_of_its_own() -> None:
    lab = link(V6)
    lab.interface(IF2, "fe80::b/64")
    listen(lab, V6.group, all_but(), index=IF2)
    settle(lab)
    for index, expected in ((IF1, [(IS_EX, NODE_A)]), (IF2, [(IS_EX, NODE_B), (IS_EX, V6.group)])):
        hear(lab, V6, query(V6, seconds=1), index=IfIndex(index))
        lab.pass_time(1)
        assert told(lab) == expected


def test_two_addresses_with_one_group_leave_it_together() -> None:
    lab = Lab()
    lab.interface(IF1, auto=FOLLOWING)
    for prefix in ("2001:db8:1::c/64", "2001:db8:2::c/64"):
        lab.address(IF1, prefix)
    lab.pass_time(5)
    assert [each for each in told(lab) if each[1] == NODE_C] == [(TO_EX, NODE_C)] * 2
    lab.apply(changes.AddressRemoved(IF1, parse_cidr("2001:db8:1::c/64")[0]))
    assert told(lab) == []
    lab.apply(changes.AddressRemoved(IF1, A("2001:db8:2::c")))
    assert (TO_IN, NODE_C) in told(lab)
    assert format_address(A(NODE_C)) == NODE_C
