"""Membership in multicast groups: reports on the wire, joins and leaves that are told, filters merged."""

from __future__ import annotations

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrHopByHop
from scapy.layers.l2 import Ether

from tests.unit.net.group_lab import (
    ALLOW,
    BLOCK,
    IS_EX,
    IS_IN,
    TO_EX,
    TO_IN,
    V4,
    V6,
    Change,
    Side,
    all_but,
    families,
    hear,
    joined,
    link,
    listen,
    only,
    query,
    records,
    said,
    settle,
)
from tests.unit.net.lab import IF1, A, Lab, mac_of

# What a report looks like


@pytest.mark.rule("RFC3376-4", "RFC3376-4.2.14", "RFC2113-2.1")
def test_a_report_of_igmp_on_the_wire() -> None:
    lab = link(V4)
    listen(lab, "239.1.2.3")
    frame = lab.take_one()
    packet = frame[IP]
    assert (frame[Ether].dst, frame[Ether].src) == ("01:00:5e:00:00:16", mac_of(IF1))
    assert (packet.src, packet.dst, packet.ttl, packet.tos, packet.proto) == ("10.1.0.2", "224.0.0.22", 1, 0xC0, 2)
    assert bytes(packet)[:1] + bytes(packet)[20:24] == bytes.fromhex("46 94040000")
    assert bytes(packet)[24:] == bytes.fromhex("2200 e8f9 0000 0001  0400 0000 ef010203")
    assert packet.len == len(bytes(packet))


@pytest.mark.rule("RFC3810-5", "RFC3810-5.2.14", "RFC2711-2.1")
def test_a_report_of_mld_on_the_wire() -> None:
    lab = link(V6)
    lab.address(IF1, "2001:db8::1/64")
    listen(lab, "ff15::1")
    frame = lab.take_one()
    packet = frame[IPv6]
    assert (frame[Ether].dst, frame[Ether].src) == ("33:33:00:00:00:16", mac_of(IF1))
    assert (packet.src, packet.dst, packet.hlim, packet.nh) == ("fe80::a", "ff02::16", 1, 0)
    assert bytes(packet)[40:48] == bytes.fromhex("3a00 0502 0000 0100")
    assert (packet[IPv6ExtHdrHopByHop].nh, bytes(packet)[48]) == (58, 143)
    assert bytes(packet)[52:] == bytes.fromhex("0000 0001  0400 0000") + A("ff15::1")


@pytest.mark.rule("RFC3376-4.2.13", "RFC3810-5.2.13", "RFC3590-4")
@pytest.mark.parametrize(("side", "addresses"), [(V4, ()), (V6, ()), (V6, ("2001:db8::1/64",))])
def test_without_a_proper_address_a_report_comes_from_none(side: Side, addresses: tuple[str, ...]) -> None:
    lab = Lab()
    lab.interface(IF1, *addresses)
    listen(lab, side.group)
    [report] = said(lab)
    assert report.source == side.unspecified


# State changes


@families
@pytest.mark.rule("RFC3376-5.1", "RFC3810-6.1")
def test_joining_is_told_at_once_and_again_within_a_second(side: Side) -> None:
    lab = link(side)
    listen(lab, side.group)
    join = ((TO_EX, side.group, ()),)
    [first] = said(lab)
    assert (first.to, first.records) == (side.reports_to, join)
    lab.pass_time(1)
    assert records(lab) == [join]
    lab.pass_time(300)
    assert said(lab) == []


@families
@pytest.mark.rule("RFC3376-5.1")
def test_leaving_is_told_as_often(side: Side) -> None:
    lab = joined(side)
    listen(lab, side.group, None)
    lab.pass_time(1)
    assert records(lab) == [((TO_IN, side.group, ()),)] * 2
    lab.pass_time(300)
    assert said(lab) == []


@families
@pytest.mark.rule("RFC3376-3.2")
def test_a_second_member_is_told_to_nobody_and_keeps_the_membership(side: Side) -> None:
    lab = link(side)
    listen(lab, side.group, member="one")
    lab.pass_time(2)
    said(lab)
    listen(lab, side.group, member="two")
    listen(lab, side.group, None, member="one")
    lab.pass_time(2)
    assert said(lab) == []
    listen(lab, side.group, None, member="two")
    assert records(lab) == [((TO_IN, side.group, ()),)]


@families
@pytest.mark.rule("RFC3376-5.1", "RFC3810-6.1")
@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ((only, (0,)), (only, (0, 1)), ((ALLOW, (1,)),)),
        ((only, (0, 1)), (only, (1, 2)), ((ALLOW, (2,)), (BLOCK, (0,)))),
        ((all_but, (0, 1)), (all_but, (1, 2)), ((ALLOW, (0,)), (BLOCK, (2,)))),
        ((only, (0,)), (all_but, (1,)), ((TO_EX, (1,)),)),
        ((all_but, (0,)), (only, (1, 2)), ((TO_IN, (1, 2)),)),
        ((None, ()), (only, (0, 1)), ((ALLOW, (0, 1)),)),
        ((only, (0, 1)), (None, ()), ((BLOCK, (0, 1)),)),
        ((all_but, (0,)), (None, ()), ((TO_IN, ()),)),
        ((only, (0,)), (only, ()), ((BLOCK, (0,)),)),
        ((all_but, (0,)), (all_but, (0,)), ()),
    ],
)
def test_a_change_is_told_as_the_table_says(
    side: Side, before: Change, after: Change, told: tuple[tuple[str, tuple[int, ...]], ...]
) -> None:
    lab = link(side)

    def become(change: Change) -> None:
        make, numbers = change
        listen(lab, side.group, make and make(*(side.sources[number] for number in numbers)))

    become(before)
    settle(lab)
    become(after)
    expected = tuple((kind, side.group, tuple(side.sources[number] for number in numbers)) for kind, numbers in told)
    assert records(lab) == ([expected] if told else [])


@families
@pytest.mark.rule("RFC3376-3.2", "RFC3810-4.2")
@pytest.mark.parametrize(
    ("one", "two", "merged"),
    [
        ((all_but, (0, 1)), (all_but, (1, 2)), (all_but, (1,))),
        ((all_but, (0, 1)), (only, (1, 2)), (all_but, (0,))),
        ((only, (0,)), (only, (1,)), (only, (0, 1))),
        ((all_but, ()), (only, (1,)), (all_but, ())),
        ((all_but, (0,)), (only, (0,)), (all_but, ())),
    ],
)
def test_filters_of_several_members_are_merged(side: Side, one: Change, two: Change, merged: Change) -> None:
    lab = link(side)
    for member, (make, numbers) in (("one", one), ("two", two)):
        assert make is not None
        listen(lab, side.group, make(*(side.sources[number] for number in numbers)), member)
    make, numbers = merged
    assert make is not None
    wanted = make(*(side.sources[number] for number in numbers))
    interface = lab.ip.interfaces[IF1]
    for source in (*side.sources, side.router):
        assert lab.ip.groups.admits(interface, A(side.group), A(source)) is wanted.admits(A(source))
    settle(lab)
    hear(lab, side, query(side, side.group, seconds=1))
    lab.pass_time(1)
    kind = IS_EX if wanted.is_exclude else IS_IN
    assert records(lab) == [((kind, side.group, tuple(side.sources[number] for number in numbers)),)]


@families
@pytest.mark.rule("RFC3376-5.1")
def test_changes_that_follow_each_other_are_told_together(side: Side) -> None:
    lab = link(side)
    one, two, _ = side.sources
    listen(lab, side.group, only(one))
    listen(lab, side.group, only(one, two))
    assert records(lab) == [((ALLOW, side.group, (one,)),), ((ALLOW, side.group, (one, two)),)]
    lab.pass_time(5)
    assert records(lab) == [((ALLOW, side.group, (two,)),)]


@families
@pytest.mark.rule("RFC3376-5.1")
def test_a_source_that_comes_and_goes_is_told_to_be_blocked_as_often(side: Side) -> None:
    lab = link(side)
    one, two, _ = side.sources
    listen(lab, side.group, only(one, two))
    listen(lab, side.group, only(two))
    lab.pass_time(5)
    assert records(lab)[1:] == [
        ((ALLOW, side.group, (two,)), (BLOCK, side.group, (one,))),
        ((BLOCK, side.group, (one,)),),
    ]


@families
@pytest.mark.rule("RFC3376-5.1")
def test_a_change_of_mode_is_told_twice_even_if_sources_change_meanwhile(side: Side) -> None:
    lab = link(side)
    one, two, _ = side.sources
    listen(lab, side.group, all_but(one))
    listen(lab, side.group, all_but(one, two))
    lab.pass_time(5)
    assert records(lab) == [
        ((TO_EX, side.group, (one,)),),
        ((TO_EX, side.group, (one, two)),),
        ((BLOCK, side.group, (two,)),),
    ]


@families
def test_a_group_rejoined_before_its_leave_was_repeated_is_only_joined(side: Side) -> None:
    lab = link(side)
    listen(lab, side.group)
    listen(lab, side.group, None)
    listen(lab, side.group)
    lab.pass_time(5)
    kinds = [report[0][0] for report in records(lab)]
    assert kinds == [TO_EX, TO_IN, TO_EX, TO_EX]


@families
@pytest.mark.rule("RFC3376-5", "RFC3810-6")
def test_what_no_router_cares_for_is_not_reported(side: Side) -> None:
    lab = link(side)
    groups = ("ff02::1", "ff01::1", "ff01::1234", "ff00::1") if side.is_ipv6 else ("224.0.0.1",)
    for group in groups:
        listen(lab, group)
    lab.pass_time(5)
    hear(lab, side, query(side))
    lab.pass_time(20)
    for group in groups:
        listen(lab, group, None)
    told = {group for report in records(lab) for _, group, _ in report}
    assert told <= {"ff02::1:ff00:a"}
