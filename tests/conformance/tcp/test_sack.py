"""Selective acknowledgements: RFC 2018 (reports), RFC 2883 (duplicates), RFC 6675 (recovery by counting)."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import LINUX, WINDOWS
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
COUNTING = with_tcp(WINDOWS, rack=False)


@FAMILIES
@pytest.mark.rule("RFC2018-4", "RFC2018-3")
def test_islands_are_reported_the_latest_first(family: Family) -> None:
    script(
        """
        +0     established sackOK
        +0     < . 11:21(10) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 11:21>
        +0     < . 31:41(10) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 31:41 11:21>
        +0     < . 51:61(10) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 51:61 31:41 11:21>
        +0     < . 21:31(10) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 11:41 51:61>
        +0     < . 1:11(10) ack 1
        +0     > . 1:1(0) ack 41 <nop,nop,sack 51:61>
        +0     < . 41:51(10) ack 1
        +0     > . 1:1(0) ack 61 <>
        +0     read 60
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC2018-3", "RFC2018-4")
def test_four_blocks_fit_and_three_beside_timestamps(family: Family) -> None:
    script(
        """
        +0     established sackOK
        +0     < . 11:12(1) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 11:12>
        +0     < . 21:22(1) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 21:22 11:12>
        +0     < . 31:32(1) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 31:32 21:22 11:12>
        +0     < . 41:42(1) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 41:42 31:32 21:22 11:12>
        +0     < . 51:52(1) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 51:52 41:42 31:32 21:22>
        """,
        family,
    )
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +0     < S. 0:0(0) ack 1 <mss 1000,sackOK,TS val 9 ecr 0>
        +0     > . 1:1(0) ack 1 <nop,nop,TS val * ecr 9>
        +0     < . 11:12(1) ack 1 <nop,nop,TS val 9 ecr 0>
        +0     > . 1:1(0) ack 1 <nop,nop,TS val * ecr 9,nop,nop,sack 11:12>
        +0     < . 21:22(1) ack 1 <nop,nop,TS val 9 ecr 0>
        +0     > . 1:1(0) ack 1 <nop,nop,TS val * ecr 9,nop,nop,sack 21:22 11:12>
        +0     < . 31:32(1) ack 1 <nop,nop,TS val 9 ecr 0>
        +0     > . 1:1(0) ack 1 <nop,nop,TS val * ecr 9,nop,nop,sack 31:32 21:22 11:12>
        +0     < . 41:42(1) ack 1 <nop,nop,TS val 9 ecr 0>
        +0     > . 1:1(0) ack 1 <nop,nop,TS val * ecr 9,nop,nop,sack 41:42 31:32 21:22>
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC2883-4", "RFC2883-4.1")
def test_what_came_twice_is_reported_once_in_the_first_block(family: Family) -> None:
    script(
        """
        +0     established sackOK
        +0     < . 1:101(100) ack 1
        +.040  > . 1:1(0) ack 101
        +0     < . 1:101(100) ack 1
        +0     > . 1:1(0) ack 101 <nop,nop,sack 1:101>
        +0     < . 201:301(100) ack 1
        +0     > . 1:1(0) ack 101 <nop,nop,sack 201:301>
        +0     < . 201:301(100) ack 1
        +0     > . 1:1(0) ack 101 <nop,nop,sack 201:301 201:301>
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC6675-5", "RFC6675-4")
def test_three_reported_segments_above_a_hole_make_it_lost_and_it_alone_is_repeated(family: Family) -> None:
    script(
        """
        +0     established mss 1000 sackOK
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 2001
        +0     < . 1:1(0) ack 2001 <nop,nop,sack 3001:4001>
        +0     < . 1:1(0) ack 2001 <nop,nop,sack 3001:5001>
        +0     < . 1:1(0) ack 2001 <nop,nop,sack 3001:6001>
        +0     > . 2001:3001(1000) ack 1
        +0     < . 1:1(0) ack 2001 <nop,nop,sack 3001:10001>
        +.1    < . 1:1(0) ack 10001
        +3     nothing
        """,
        family,
        COUNTING,
    )


@FAMILIES
@pytest.mark.rule("RFC6675-5")
def test_several_holes_are_repeated_within_one_recovery(family: Family) -> None:
    script(
        """
        +0     established mss 1000 sackOK
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
        +0     < . 1:1(0) ack 1 <nop,nop,sack 3001:4001 1001:2001>
        +0     < . 1:1(0) ack 1 <nop,nop,sack 3001:10001 1001:2001>
        +0     > . 1:1001(1000) ack 1
        +0     > . 2001:3001(1000) ack 1
        +.1    < . 1:1(0) ack 10001
        +3     nothing
        """,
        family,
        COUNTING,
    )


@FAMILIES
@pytest.mark.rule("RFC2018-5", "RFC5961-5.2")
def test_blocks_about_what_was_never_sent_or_is_acknowledged_change_nothing(family: Family) -> None:
    script(
        """
        +0     established mss 1000 sackOK
        +0     write 4000
        +0     > P. 1:4001(4000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1001 <nop,nop,sack 9001:99001>
        +0     < . 1:1(0) ack 1001 <nop,nop,sack 1:1001>
        +0     < . 1:1(0) ack 1001 <nop,nop,sack 3001:2001>
        +0     < . 1:1(0) ack 4001
        +3     nothing
        """,
        family,
        COUNTING,
    )


@FAMILIES
@pytest.mark.rule("RFC2018-8", "RFC6675-5.1")
def test_after_a_timeout_what_was_reported_is_not_repeated(family: Family) -> None:
    script(
        """
        0      established mss 1000 sackOK
        0      write 4000
        0      > P. 1:4001(4000) ack 1 by 1000
        .1     < . 1:1(0) ack 1 <nop,nop,sack 2001:3001>
        *      > . 1:1001(1000) ack 1
        +.1    < . 1:1(0) ack 1001 <nop,nop,sack 2001:3001>
        +0     > . 1001:2001(1000) ack 1
        +0     > P. 3001:4001(1000) ack 1
        +.1    < . 1:1(0) ack 4001
        +3     nothing
        """,
        family,
        COUNTING,
    )


@FAMILIES
@pytest.mark.parametrize(("segments", "duplicates"), [(2, 1), (3, 2)])
@pytest.mark.rule("RFC5827-3.1")
def test_with_few_segments_in_flight_fewer_duplicates_have_to_do(
    family: Family, segments: int, duplicates: int
) -> None:
    script(
        "\n".join(
            [
                "+0 established mss 1000",
                f"+0 write {1000 * segments}",
                f"+0 > P. 1:{1000 * segments + 1} ack 1 by 1000",
                "+.1 nothing",
                *["+0 < . 1:1(0) ack 1"] * duplicates,
                "+0 > . 1:1001(1000) ack 1",
                f"+.1 < . 1:1(0) ack {1000 * segments + 1}",
                "+3 nothing",
            ]
        ),
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC5827-3.1", "RFC5681-2")
def test_a_single_segment_in_flight_is_not_repeated_for_a_duplicate(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     write 1000
        +0     > P. 1:1001(1000) ack 1
        +.1    < . 1:1(0) ack 1
        +.1    < . 1:1(0) ack 1001
        +3     nothing
        """,
        family,
    )
