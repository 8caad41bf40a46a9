"""What a query of IGMP or MLD is answered with, when, and which are ignored."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import IP

from tests.unit.net.group_lab import (
    IS_EX,
    IS_IN,
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
from tests.unit.net.lab import IF1, A
from wsknet.net.messages.groups import GroupRecord, GroupReport, OldGroupReport, RecordKind
from wsknet.trace import DropReason


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


@pytest.mark.rule("RFC3376-4")
def test_an_igmp_message_with_a_bad_checksum_is_counted() -> None:
    lab = link(V4)
    lab.arrive(
        IF1, IP(src=V4.router, dst=V4.everybody, ttl=1, proto=2) / b"\x11\x00\xff\xff\0\0\0\0", mac="01:00:5e:00:00:01"
    )
    assert said(lab) == []
    assert list(lab.drops.values()) == [1]
