"""Groups, sources and queries in great numbers: reports are divided, floods bounded."""

from __future__ import annotations

import pytest

from tests.unit.net.group_lab import (
    ALLOW,
    IS_EX,
    TO_EX,
    V4,
    Side,
    families,
    hear,
    joined,
    link,
    listen,
    query,
    records,
    said,
)
from tests.unit.net.lab import IF1, A, Lab
from wsknet.errors import ErrorKind, NetError
from wsknet.net import changes
from wsknet.net.messages.groups import GroupRecord, RecordKind
from wsknet.net.multicast.groups import MAX_GROUPS, SourceFilter
from wsknet.net.multicast.reports import divided


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
