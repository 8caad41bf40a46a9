"""Membership in multicast groups: joins and leaves are told, queries answered, filters merged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
from tests.unit.net.lab import IF1, IF2, LO, A, Lab, datagram, mac_of
from wsknet.errors import ErrorKind, NetError
from wsknet.net import changes
from wsknet.net.messages.groups import GroupRecord, GroupReport, OldGroupReport, RecordKind
from wsknet.net.multicast.groups import MAX_GROUPS, SourceFilter
from wsknet.net.multicast.reports import divided
from wsknet.trace import DropReason

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


Change = tuple[Callable[..., SourceFilter] | None, tuple[int, ...]]


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


# The data path


@families
@pytest.mark.rule("RFC1112-7.2")
def test_a_group_is_let_in_while_somebody_listens(side: Side) -> None:
    lab = link(side)
    other = "01:00:5e:01:02:03" if not side.is_ipv6 else "33:33:00:00:00:01"

    def arrives() -> bool:
        lab.udp.packets.clear()
        lab.arrive(IF1, datagram(side.router, side.group), mac=other)
        return bool(lab.udp.packets)

    assert not arrives()
    listen(lab, side.group)
    assert arrives()
    listen(lab, side.group, None)
    assert not arrives()
    assert set(lab.drops) <= {DropReason.FRAME_OTHER_GROUP, DropReason.IP_NOT_LOCAL}


@families
def test_a_group_is_joined_on_one_interface_alone(side: Side) -> None:
    lab = link(side)
    lab.interface(IF2)
    listen(lab, side.group, index=IF2)
    assert A(side.group) in lab.ip.interfaces[IF2].accepts
    assert A(side.group) not in lab.ip.interfaces[IF1].accepts


@families
def test_groups_of_every_host_admit_everybody_whatever_a_socket_wants_of_them(side: Side) -> None:
    lab = link(side)
    interface = lab.ip.interfaces[IF1]
    for group in (side.everybody, "ff02::1:ff00:a") if side.is_ipv6 else (side.everybody,):
        listen(lab, group, only(side.sources[0]))
        assert lab.ip.groups.admits(interface, A(group), A(side.router))
        listen(lab, group, None)
        assert A(group) in interface.accepts
    assert lab.ip.groups.admits(interface, A(side.group), A(side.router))


def test_paths_known_before_a_join_are_still_good() -> None:
    lab = link(V4)
    path = lab.send("239.1.2.3")
    listen(lab, "239.1.2.3")
    lab.udp.packets.clear()
    lab.ip.send(path, 17, bytes(8), (b"data",), lab.now)
    lab.ip.deliver_looped(lab.now)
    assert len(lab.udp.packets) == 1
    assert lab.path("239.1.2.3").generation == lab.ip.generation


# Life of the interface


@families
@pytest.mark.rule("RFC3376-5.1")
def test_memberships_are_told_again_when_the_link_is_back(side: Side) -> None:
    lab = link(side)
    listen(lab, side.group)
    listen(lab, side.group2, only(side.sources[0]))
    said(lab)
    lab.apply(changes.LinkDown(IF1))
    lab.pass_time(100)
    listen(lab, side.group, all_but(side.sources[1]))
    assert said(lab) == []
    lab.apply(changes.LinkUp(IF1))
    assert records(lab) == [
        ((TO_EX, side.group, (side.sources[1],)),),
        ((ALLOW, side.group2, (side.sources[0],)),),
    ]


@families
def test_a_group_left_while_the_link_is_down_is_forgotten_in_silence(side: Side) -> None:
    lab = link(side)
    listen(lab, side.group)
    lab.apply(changes.LinkDown(IF1))
    listen(lab, side.group, None)
    said(lab)
    lab.apply(changes.LinkUp(IF1))
    lab.pass_time(10)
    assert said(lab) == []


@families
def test_an_interface_that_is_removed_takes_its_memberships_along(side: Side) -> None:
    lab = link(side)
    listen(lab, side.group, only(side.sources[0]))
    hear(lab, side, query(side))
    said(lab)
    lab.apply(changes.InterfaceRemoved(IF1))
    lab.pass_time(100)
    lab.interface(IF1, side.cidr)
    lab.pass_time(100)
    hear(lab, side, query(side, side.group))
    lab.pass_time(20)
    assert said(lab) == []
    assert lab.ip.groups.admits(lab.ip.interfaces[IF1], A(side.group), A(side.router))
    listen(lab, side.group)
    assert records(lab) == [((TO_EX, side.group, ()),)]


@families
def test_nothing_is_told_to_the_loopback_interface(side: Side) -> None:
    lab = link(side)
    listen(lab, side.group, index=LO)
    listen(lab, side.group, None, index=LO)
    lab.pass_time(5)
    assert lab.take() == []


# Queries


@families
@pytest.mark.rule("RFC3376-5.2", "RFC3810-6.2")
def test_a_general_query_is_answered_once_with_everything_in_time(side: Side) -> None:
    lab = link(side)
    listen(lab, side.group)
    listen(lab, side.group2, only(side.sources[0]))
    settle(lab)
    hear(lab, side, query(side, seconds=4))
    assert said(lab) == []
    lab.pass_time(4)
    [answer] = said(lab)
    told = [record for record in answer.records if record[1] != "ff02::1:ff00:a"]
    assert (answer.to, told) == (
        side.reports_to,
        [(IS_EX, side.group, ()), (IS_IN, side.group2, (side.sources[0],))],
    )


@families
@pytest.mark.rule("RFC3376-5.2")
def test_answers_come_at_a_time_of_chance(side: Side) -> None:
    times = set()
    lab = joined(side)
    for _ in range(10):
        start = lab.now
        hear(lab, side, query(side, seconds=10))
        deadline = lab.timers.next_deadline()
        assert deadline is not None
        assert 0 < deadline - start <= 10_000_000_000
        times.add(deadline - start)
        lab.pass_time(20)
    assert len(times) == 10


@families
@pytest.mark.rule("RFC3376-5.2")
@pytest.mark.parametrize(
    ("state", "asked", "answer"),
    [
        ((all_but, ()), (), (IS_EX, ())),
        ((all_but, (0,)), (), (IS_EX, (0,))),
        ((only, (0, 1)), (), (IS_IN, (0, 1))),
        ((only, (0, 1)), (1, 2), (IS_IN, (1,))),
        ((only, (0,)), (1, 2), None),
        ((all_but, (0,)), (0, 1), (IS_IN, (1,))),
        ((all_but, (0,)), (0,), None),
    ],
)
def test_a_query_about_a_group_is_answered_by_the_table(
    side: Side, state: Change, asked: tuple[int, ...], answer: tuple[str, tuple[int, ...]] | None
) -> None:
    lab = link(side)

    def of(numbers: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(side.sources[number] for number in numbers)

    make, numbers = state
    assert make is not None
    listen(lab, side.group, make(*of(numbers)))
    settle(lab)
    hear(lab, side, query(side, side.group, of(asked), seconds=1))
    lab.pass_time(1)
    assert records(lab) == ([((answer[0], side.group, of(answer[1])),)] if answer else [])


@families
@pytest.mark.rule("RFC3376-5.2")
def test_queries_that_ask_for_more_are_answered_together(side: Side) -> None:
    lab = joined(side)
    one, two, three = side.sources
    hear(lab, side, query(side, side.group, (one,), seconds=1))
    hear(lab, side, query(side, side.group, (three, two), seconds=1))
    lab.pass_time(1)
    assert records(lab) == [((IS_IN, side.group, (one, two, three)),)]
    hear(lab, side, query(side, side.group, (one,), seconds=1))
    hear(lab, side, query(side, side.group, seconds=1))
    hear(lab, side, query(side, side.group, (two,), seconds=1))
    lab.pass_time(1)
    assert records(lab) == [((IS_EX, side.group, ()),)]


@families
@pytest.mark.rule("RFC3376-5.2")
def test_an_answer_about_everything_that_comes_sooner_is_enough(side: Side) -> None:
    lab = joined(side)
    hear(lab, side, query(side, seconds=0.1))
    hear(lab, side, query(side, side.group, seconds=3000))
    hear(lab, side, query(side, seconds=3000))
    lab.pass_time(3001)
    assert len(said(lab)) == 1


@families
@pytest.mark.rule("RFC3376-5.2")
def test_a_group_nobody_listens_to_is_not_spoken_of(side: Side) -> None:
    lab = link(side)
    hear(lab, side, query(side, side.group), to=side.everybody)
    lab.pass_time(20)
    assert said(lab) == []
    assert lab.drops == {DropReason.GROUP_IGNORED: 1}


@families
@pytest.mark.rule("RFC3376-4.1.12")
def test_a_query_to_our_own_address_is_answered(side: Side) -> None:
    lab = joined(side)
    hear(lab, side, query(side, side.group, seconds=1), to=side.us)
    lab.pass_time(1)
    assert len(said(lab)) == 1


@pytest.mark.rule("RFC3810-6.2", "RFC3376-4")
@pytest.mark.parametrize(
    ("side", "fields"),
    [
        (V4, {"hops": 2}),
        (V4, {"hops": 255}),
        (V6, {"hops": 64}),
        (V6, {"has_alert": False}),
        (V6, {"source": V6.routed_router}),
    ],
)
def test_a_query_from_beyond_the_link_is_ignored(side: Side, fields: dict[str, Any]) -> None:
    lab = joined(side)
    hear(lab, side, query(side, seconds=1), **fields)
    lab.pass_time(2)
    assert said(lab) == []
    assert lab.drops == {DropReason.GROUP_IGNORED: 1}


def test_a_query_of_igmp_needs_no_router_alert() -> None:
    lab = joined(V4)
    hear(lab, V4, query(V4, seconds=1), has_alert=False)
    lab.pass_time(1)
    assert len(said(lab)) == 1


@families
@pytest.mark.rule("RFC3376-4.1.6", "RFC3376-8.1", "RFC3810-9.1")
def test_the_robustness_of_the_querier_is_adopted(side: Side) -> None:
    lab = link(side)
    hear(lab, side, query(side, seconds=1, robustness=4))
    lab.pass_time(2)
    said(lab)
    listen(lab, side.group)
    lab.pass_time(10)
    assert len(said(lab)) == 4
    hear(lab, side, query(side, seconds=1, robustness=0))
    lab.pass_time(2)
    said(lab)
    listen(lab, side.group, None)
    lab.pass_time(10)
    assert len(said(lab)) == 2


@families
@pytest.mark.rule("RFC3376-5", "RFC3376-7.2.2")
def test_reports_of_others_change_nothing_in_the_present_version(side: Side) -> None:
    lab = joined(side)
    hear(lab, side, query(side, side.group, seconds=10))
    report = GroupReport((GroupRecord(RecordKind.IS_EXCLUDE, A(side.group)),))
    hear(lab, side, report, to=side.everybody)
    hear(lab, side, OldGroupReport(2, A(side.group)))
    lab.pass_time(10)
    assert records(lab) == [((IS_EX, side.group, ()),)]
    assert lab.drops == {DropReason.GROUP_IGNORED: 2}


# Bounds


@families
def test_more_groups_than_a_packet_holds_are_reported_in_several(side: Side) -> None:
    lab = Lab()
    lab.interface(IF1, side.cidr, mtu=1280)
    for number in range(400):
        listen(lab, side.group[:-1] + (f"{number:x}" if side.is_ipv6 else str(number % 250)) if side.is_ipv6
               else f"239.7.{number // 250}.{number % 250}")  # fmt: skip
    lab.pass_time(5)
    lab.take()
    hear(lab, side, query(side, seconds=1))
    lab.pass_time(1)
    frames = lab.take()
    assert all(len(frame) <= 1280 + 14 for _, frame in frames)
    assert len(frames) == (7 if side.is_ipv6 else 3)


@families
@pytest.mark.rule("RFC3376-4.2.16", "RFC3810-5.2.15")
def test_more_sources_than_a_packet_holds_are_divided_or_cut_short(side: Side) -> None:
    lab = Lab()
    lab.interface(IF1, side.cidr, mtu=1280)
    prefix = A(side.sources[0])[:-2]
    sources = [prefix + number.to_bytes(2, "big") for number in range(1, 401)]
    listen(lab, side.group, SourceFilter(False, frozenset(sources)))
    parts = [record for report in records(lab) for record in report]
    assert {kind for kind, _, _ in parts} == {ALLOW}
    assert sum(len(found) for _, _, found in parts) == 400
    assert len(parts) == (6 if side.is_ipv6 else 2)
    listen(lab, side.group, SourceFilter(True, frozenset(sources)))
    [((kind, _, found),)] = records(lab)
    assert (kind, len(found)) == (TO_EX, 75 if side.is_ipv6 else 310)


@pytest.mark.parametrize(("room", "sizes"), [(24, [3, 3, 3, 1]), (23, [2, 2, 2, 2, 2]), (1000, [10])])
def test_every_report_is_filled_as_far_as_whole_records_go(room: int, sizes: list[int]) -> None:
    """Ten records of 8 bytes."""
    records_of_8 = [GroupRecord(RecordKind.TO_EXCLUDE, bytes((239, 1, 2, number))) for number in range(10)]
    reports = list(divided(records_of_8, room))
    assert [len(report) for report in reports] == sizes
    assert [record for report in reports for record in report] == records_of_8


@families
@pytest.mark.rule("RFC3376-9.1")
def test_a_flood_of_queries_has_one_answer_each_time(side: Side) -> None:
    lab = joined(side)
    for number in range(500):
        hear(lab, side, query(side, seconds=5))
        sources = (f"2001:db8:7::{number + 1:x}",) if side.is_ipv6 else (f"10.7.{number // 250}.{number % 250}",)
        hear(lab, side, query(side, side.group, sources, seconds=5))
    lab.pass_time(10)
    assert len(said(lab)) <= 2


@families
@pytest.mark.rule("RFC3376-9.1")
def test_sources_asked_for_are_remembered_up_to_a_bound_and_then_all_is_told(side: Side) -> None:
    lab = joined(side)
    for number in range(200):
        sources = (f"2001:db8:7::{number + 1:x}",) if side.is_ipv6 else (f"10.7.0.{number + 1}",)
        hear(lab, side, query(side, side.group, sources, seconds=1000))
    lab.pass_time(1000)
    assert records(lab) == [((IS_EX, side.group, ()),)]


@families
def test_a_flood_of_queries_that_want_an_answer_at_once_does_not_get_one_each(side: Side) -> None:
    lab = joined(side)
    for _ in range(1000):
        hear(lab, side, query(side, seconds=0))
        lab.pass_time(0.0001)
    lab.pass_time(1)
    assert 1 <= len(said(lab)) <= 12


def test_the_number_of_groups_is_bounded() -> None:
    lab = link(V4)
    lab.apply(changes.LinkDown(IF1))
    for number in range(MAX_GROUPS):
        listen(lab, f"239.7.{number // 250}.{number % 250}")
    with pytest.raises(NetError) as caught:
        listen(lab, "239.9.9.9")
    assert caught.value.kind is ErrorKind.NO_BUFFERS
    listen(lab, "239.7.0.0", member="another")
    listen(lab, "239.7.0.1", None)
    listen(lab, "239.9.9.9")


@families
def test_the_filter_of_a_group_that_was_left_keeps_nobody_out(side: Side) -> None:
    lab = link(side)
    interface, group, other = lab.ip.interfaces[IF1], A(side.group), A(side.sources[1])
    listen(lab, side.group, only(side.sources[0]))
    assert not lab.ip.groups.admits(interface, group, other)
    listen(lab, side.group, None)
    assert lab.ip.groups.admits(interface, group, other)


@pytest.mark.rule("RFC3376-4")
def test_an_igmp_message_with_a_bad_checksum_is_counted() -> None:
    lab = link(V4)
    lab.arrive(
        IF1, IP(src=V4.router, dst=V4.everybody, ttl=1, proto=2) / b"\x11\x00\xff\xff\0\0\0\0", mac="01:00:5e:00:00:01"
    )
    assert said(lab) == []
    assert list(lab.drops.values()) == [1]
