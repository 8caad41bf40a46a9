"""Older routers and hosts on the link: what is spoken with them, for how long, and what is left unsaid."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.net.group_lab import (
    ALLOW,
    IS_EX,
    TO_EX,
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
from tests.unit.net.lab import IF1, A, Lab
from wsknet.net import changes
from wsknet.net.messages.groups import OldGroupReport
from wsknet.trace import DropReason

QUERIER_GONE = 2 * 125 + 10
"""Robustness times query interval plus the response time of the query (RFC 3376 8.12)."""


def with_old_querier(side: Side, version: int = 2) -> Lab:
    """A member of one group, on a link whose querier has just asked in an older version."""
    lab = joined(side)
    hear(lab, side, query(side, version=version))
    lab.pass_time(10)
    said(lab)
    return lab


def spoken(lab: Lab) -> list[tuple[str, str, str]]:
    """Destination, kind and group, without the solicited-node groups."""
    found = [(each.to, each.what, group) for each in said(lab) for _, group, _ in each.records]
    return [each for each in found if not each[2].startswith("ff02::1:ff")]


@families
@pytest.mark.rule("RFC3376-7.2.1", "RFC3810-8.2.1", "RFC2236-3")
def test_an_old_querier_is_answered_in_its_version_group_by_group(side: Side) -> None:
    lab = link(side)
    listen(lab, side.group)
    listen(lab, side.group2, only(side.sources[0]))
    settle(lab)
    hear(lab, side, query(side, version=2, seconds=4))
    lab.pass_time(4)
    assert sorted(spoken(lab)) == [
        (side.group, "version 2", side.group),
        (side.group2, "version 2", side.group2),
    ]
    lab.pass_time(100)
    assert said(lab) == []


@families
@pytest.mark.rule("RFC2236-3", "RFC2710-4")
def test_an_old_querier_may_ask_about_one_group(side: Side) -> None:
    lab = with_old_querier(side)
    listen(lab, side.group2)
    lab.pass_time(30)
    said(lab)
    hear(lab, side, query(side, side.group, version=2, seconds=1))
    lab.pass_time(1)
    assert spoken(lab) == [(side.group, "version 2", side.group)]


@families
@pytest.mark.rule("RFC3376-7.2.1")
def test_a_new_query_among_old_ones_is_answered_in_the_old_version(side: Side) -> None:
    lab = with_old_querier(side)
    hear(lab, side, query(side, side.group, side.sources[:1], seconds=1))
    lab.pass_time(1)
    assert spoken(lab) == [(side.group, "version 2", side.group)]


@pytest.mark.rule("RFC3376-7.2.1", "RFC1112-AppendixI")
def test_a_querier_of_version_1_is_answered_in_ten_seconds() -> None:
    lab = joined(V4)
    hear(lab, V4, query(V4, version=1), has_alert=False)
    lab.pass_time(10)
    assert spoken(lab) == [(V4.group, "version 1", V4.group)]


@families
@pytest.mark.rule("RFC2236-3", "RFC2236-8.10", "RFC2710-4")
def test_joins_and_leaves_are_told_in_the_old_version(side: Side) -> None:
    lab = with_old_querier(side)
    listen(lab, side.group2, only(side.sources[0]))
    assert spoken(lab) == [(side.group2, "version 2", side.group2)]
    listen(lab, side.group2, all_but(side.sources[1]))
    assert spoken(lab) == []
    lab.pass_time(10)
    assert spoken(lab) == [(side.group2, "version 2", side.group2)]
    listen(lab, side.group2, None)
    lab.pass_time(20)
    assert spoken(lab) == [(side.leaves_to, "leave", side.group2)]


@pytest.mark.rule("RFC3376-7.2.1", "RFC2236-4")
def test_version_1_has_no_leave() -> None:
    lab = with_old_querier(V4, version=1)
    listen(lab, V4.group, None)
    lab.pass_time(20)
    assert said(lab) == []


@families
@pytest.mark.rule("RFC2236-3", "RFC2710-4")
def test_a_report_of_another_host_makes_ours_unnecessary(side: Side) -> None:
    lab = with_old_querier(side)
    listen(lab, side.group2)
    lab.pass_time(30)
    said(lab)
    hear(lab, side, query(side, version=2, seconds=10))
    hear(lab, side, OldGroupReport(2, A(side.group)))
    lab.pass_time(10)
    assert spoken(lab) == [(side.group2, "version 2", side.group2)]
    assert lab.drops == {}


@pytest.mark.rule("RFC2236-2", "RFC2710-3")
@pytest.mark.parametrize(
    ("side", "fields"),
    [(V4, {"hops": 2}), (V6, {"hops": 2}), (V6, {"source": V6.routed_router})],
)
def test_a_report_from_beyond_the_link_is_ignored(side: Side, fields: dict[str, Any]) -> None:
    lab = with_old_querier(side)
    hear(lab, side, query(side, version=2, seconds=10))
    hear(lab, side, OldGroupReport(2, A(side.group)), **fields)
    lab.pass_time(10)
    assert (side.group, "version 2", side.group) in spoken(lab)
    assert lab.drops == {DropReason.GROUP_IGNORED: 1}


@pytest.mark.rule("RFC3590-4")
def test_a_host_that_has_no_address_yet_may_report() -> None:
    lab = with_old_querier(V6)
    hear(lab, V6, query(V6, version=2, seconds=10))
    hear(lab, V6, OldGroupReport(2, A(V6.group)), source="::")
    lab.pass_time(10)
    assert spoken(lab) == []


@families
@pytest.mark.rule("RFC2236-3")
def test_a_repeated_join_is_unnecessary_too(side: Side) -> None:
    lab = with_old_querier(side)
    listen(lab, side.group2)
    hear(lab, side, OldGroupReport(2, A(side.group2)))
    lab.pass_time(30)
    assert len(spoken(lab)) == 1


@families
@pytest.mark.rule("RFC2236-3", "RFC2710-4")
def test_only_the_last_to_report_says_that_it_leaves(side: Side) -> None:
    lab = with_old_querier(side)
    hear(lab, side, OldGroupReport(2, A(side.group)))
    listen(lab, side.group, None)
    lab.pass_time(20)
    assert said(lab) == []


def test_a_report_for_a_group_of_others_is_ignored() -> None:
    lab = with_old_querier(V4)
    hear(lab, V4, OldGroupReport(2, A("239.9.9.9")), to=V4.group)
    assert lab.drops == {DropReason.GROUP_IGNORED: 1}


@families
@pytest.mark.rule("RFC3376-8.12", "RFC3810-9.12")
def test_the_present_version_is_spoken_again_when_the_old_querier_is_gone(side: Side) -> None:
    lab = with_old_querier(side)
    lab.pass_time(QUERIER_GONE - 10 - 1)
    listen(lab, side.group2)
    assert spoken(lab) == [(side.group2, "version 2", side.group2)]
    lab.pass_time(2)
    said(lab)
    listen(lab, side.group2, only(side.sources[0]), member="another")
    listen(lab, side.group2, None)
    assert [kind for report in records(lab) for kind, _, _ in report] == ["TO_INCLUDE"]
    settle(lab)
    hear(lab, side, query(side, side.group, seconds=1))
    lab.pass_time(1)
    assert records(lab) == [((IS_EX, side.group, ()),)]


@families
@pytest.mark.rule("RFC3376-8.12", "RFC3376-4.1.7")
def test_the_interval_of_the_querier_says_how_long_an_old_one_counts(side: Side) -> None:
    lab = link(side)
    hear(lab, side, query(side, seconds=1, robustness=3, interval=20))
    lab.pass_time(5)
    hear(lab, side, query(side, version=2, seconds=4))
    lab.pass_time(3 * 20 + 3)
    said(lab)
    listen(lab, side.group)
    assert spoken(lab) == [(side.group, "version 2", side.group)]
    lab.pass_time(2)
    said(lab)
    listen(lab, side.group2)
    assert records(lab) == [((TO_EX, side.group2, ()),)]


@pytest.mark.rule("RFC3376-7.2.1")
def test_the_oldest_querier_decides() -> None:
    lab = with_old_querier(V4, version=1)
    lab.pass_time(20)
    hear(lab, V4, query(V4, version=2))
    lab.pass_time(10)
    said(lab)
    listen(lab, V4.group2)
    assert spoken(lab) == [(V4.group2, "version 1", V4.group2)]
    lab.pass_time(QUERIER_GONE - 40 + 1)
    said(lab)
    listen(lab, "239.7.7.7")
    assert spoken(lab) == [("239.7.7.7", "version 2", "239.7.7.7")]


@families
@pytest.mark.rule("RFC3376-7.2.1")
def test_only_a_general_query_shows_an_old_version(side: Side) -> None:
    lab = joined(side)
    hear(lab, side, query(side, side.group, version=2, seconds=1))
    lab.pass_time(1)
    assert records(lab) == [((IS_EX, side.group, ()),)]


@families
@pytest.mark.rule("RFC3376-7.2.1")
def test_what_was_to_be_said_in_the_other_version_is_not(side: Side) -> None:
    lab = link(side)
    listen(lab, side.group)
    hear(lab, side, query(side, seconds=100))
    said(lab)
    listen(lab, side.group2)
    listen(lab, side.group2, None)
    said(lab)
    hear(lab, side, query(side, version=2, seconds=0.5))
    lab.pass_time(200)
    assert [each.what for each in said(lab)] == ["version 2"] * (2 if side.is_ipv6 else 1)


@families
def test_a_new_link_begins_with_the_present_version(side: Side) -> None:
    lab = with_old_querier(side)
    lab.apply(changes.LinkDown(IF1))
    lab.apply(changes.LinkUp(IF1))
    assert records(lab) == [((TO_EX, side.group, ()),)]
    listen(lab, side.group2, only(side.sources[0]))
    assert records(lab) == [((ALLOW, side.group2, side.sources[:1]),)]


@families
def test_a_flood_of_old_queries_and_reports_has_one_answer(side: Side) -> None:
    lab = with_old_querier(side)
    for _ in range(500):
        hear(lab, side, query(side, version=2, seconds=10))
    lab.pass_time(10)
    assert len(spoken(lab)) == 1
    for _ in range(500):
        hear(lab, side, OldGroupReport(2, A(side.group)))
    lab.pass_time(10)
    assert said(lab) == []
