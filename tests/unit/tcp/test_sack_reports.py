"""What we report of data out of order and twice, where it is not plain: RFC 2018 4, RFC 2883 4."""

from __future__ import annotations

import pytest

from tests.support.tcp_script import script
from wsknet.behaviour import LINUX
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC2018-4")
def test_islands_of_long_ago_are_told_again_when_there_is_room(family: Family) -> None:
    arrivals = [*range(20, 201, 20), *range(70, 191, 20)]  # ten islands, then the gaps between the last eight
    script(
        "\n".join(
            [
                "+0 established sackOK",
                *(f"+0 < . {start}:{start + 10}(10) ack 1\n+0 > . 1:1(0) ack 1 <...>" for start in arrivals[:-1]),
                "+0 < . 190:200(10) ack 1",
                "+0 > . 1:1(0) ack 1 <nop,nop,sack 60:210 20:30 40:50>",
            ]
        ),
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC2883-4")
def test_of_two_parts_that_came_twice_the_first_is_told(family: Family) -> None:
    script(
        """
        +0     established sackOK
        +0     < . 1:101(100) ack 1
        +.040  > . 1:1(0) ack 101 <>
        +0     < . 201:301(100) ack 1
        +0     > . 1:1(0) ack 101 <nop,nop,sack 201:301>
        +0     < . 51:251(200) ack 1
        +0     > . 1:1(0) ack 301 <nop,nop,sack 51:101>
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC2883-4", "RFC2883-4.2")
def test_a_part_that_came_twice_is_followed_by_the_island_that_holds_it(family: Family) -> None:
    script(
        """
        +0     established sackOK
        +0     < . 501:601(100) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 501:601>
        +0     < . 201:301(100) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 201:301 501:601>
        +0     < . 551:701(150) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 551:601 501:701 201:301>
        +0     < . 211:221(10) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 211:221 201:301 501:701>
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC2883-4", "RFC2018-3")
def test_beside_timestamps_what_came_twice_takes_the_place_of_the_third_island(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +0     < S. 0:0(0) ack 1 <mss 1000,sackOK,TS val 9 ecr 0>
        +0     > . 1:1(0) ack 1 <...>
        +0     < . 11:12(1) ack 1 <nop,nop,TS val 9 ecr 0>
        +0     > . 1:1(0) ack 1 <...>
        +0     < . 21:22(1) ack 1 <nop,nop,TS val 9 ecr 0>
        +0     > . 1:1(0) ack 1 <...>
        +0     < . 31:32(1) ack 1 <nop,nop,TS val 9 ecr 0>
        +0     > . 1:1(0) ack 1 <...>
        +0     < . 11:12(1) ack 1 <nop,nop,TS val 9 ecr 0>
        +0     > . 1:1(0) ack 1 <nop,nop,TS val * ecr 9,nop,nop,sack 11:12 11:12 31:32>
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC2018-3", "RFC9293-MUST-16")
def test_data_makes_room_for_reports_until_the_gap_is_closed(family: Family) -> None:
    script(
        """
        +0     established mss 1000 sackOK
        +0     < . 21:31(10) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 21:31>
        +0     write 1976
        +0     > . 1:989(988) ack 1 <nop,nop,sack 21:31>
        +0     > P. 989:1977(988) ack 1 <nop,nop,sack 21:31>
        +0     < . 1:21(20) ack 1977
        +0     > . 1977:1977(0) ack 31 <>
        +0     write 1000
        +0     > P. 1977:2977(1000) ack 31 <>
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC2018-3", "RFC9293-3.10.7.4")
def test_what_lay_behind_the_end_of_the_stream_is_neither_reported_nor_room_kept_for_it(family: Family) -> None:
    script(
        """
        +0     established mss 1000 sackOK
        +0     < . 21:31(10) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 21:31>
        +0     < F. 1:1(0) ack 1
        +0     > . 1:1(0) ack 2 <>
        +0     write 1000
        +0     > P. 1:1001(1000) ack 2 <>
        +0     readable 0
        +0     told PEER_FINISHED
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC2018-4", "RFC9293-3.10.7.4")
def test_an_island_in_which_the_stream_ends_is_cut_there(family: Family) -> None:
    script(
        """
        +0     established sackOK
        +0     < . 11:41(30) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 11:41>
        +0     < F. 21:21(0) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 11:22>    # the FIN has a number, too
        +0     < . 1:31(30) ack 1
        +0     > . 1:1(0) ack 22 <nop,nop,sack 11:21>
        +0     readable 20
        +0     told READABLE PEER_FINISHED
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC2018-3", "RFC2018-4")
def test_a_fin_that_waits_for_data_is_reported_with_the_data_before_it_or_alone(family: Family) -> None:
    script(
        """
        +0     established sackOK
        +0     < PF. 21:31(10) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 21:32>
        +0     < . 1:21(20) ack 1
        +0     > . 1:1(0) ack 32 <>
        """,
        family,
    )
    script(
        """
        +0     established sackOK
        +0     < F. 21:21(0) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 21:22>
        +0     < . 11:21(10) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 11:22>
        """,
        family,
    )
