"""Loss without the help of SACK: RFC 6298, RFC 5681, RFC 6582, RFC 3042, RFC 9293 3.8.1 to 3.8.3."""

from __future__ import annotations

import pytest

from tests.support.tcp_script import script
from wsknet.behaviour import LINUX
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC6298-5.5", "RFC9293-MUST-19", "RFC9293-MUST-20")
def test_data_is_repeated_with_doubled_pauses_and_given_up(family: Family) -> None:
    script(
        """
        0      established
        0      write 100
        0      > P. 1:101(100) ack 1
        .3     > P. 1:101(100) ack 1
        .9     > P. 1:101(100) ack 1
        2.1    > P. 1:101(100) ack 1
        4.5    > P. 1:101(100) ack 1
        9.3    > P. 1:101(100) ack 1
        18.9   > R 101:101(0)
        +0     told FAILED
        +0     error TIMED_OUT
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-SHLD-11", "RFC9293-MUST-21")
def test_with_the_rules_of_linux_a_connection_is_kept_for_more_than_a_hundred_seconds(family: Family) -> None:
    script(
        """
        0      established
        0      write 100
        0      > P. 1:101(100) ack 1
        .2     > P. 1:101(100) ack 1
        .6     > P. 1:101(100) ack 1
        1.4    > P. 1:101(100) ack 1
        3      > P. 1:101(100) ack 1
        6.2    > P. 1:101(100) ack 1
        12.6   > P. 1:101(100) ack 1
        25.4   > P. 1:101(100) ack 1
        51     > P. 1:101(100) ack 1
        102.2  > P. 1:101(100) ack 1
        +0     state ESTABLISHED
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC6298-2.2", "RFC6298-2.3")
def test_the_timeout_follows_the_round_trip(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +.5    < S. 0:0(0) ack 1 <mss 1000>
        +0     > . 1:1(0) ack 1
        +0     write 100
        +0     > P. 1:101(100) ack 1
        +.9    < . 1:1(0) ack 101
        +0     write 100
        +0     > P. 101:201(100) ack 1
        +1.7   > P. 101:201(100) ack 1        # RTTVAR 3/4 * 0.25 + 1/4 * 0.4, SRTT 7/8 * 0.5 + 1/8 * 0.9
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-18", "RFC6298-3")
def test_what_was_repeated_is_not_measured_and_the_doubled_timeout_stays_until_something_is(family: Family) -> None:
    script(
        """
        +0     established
        +0     write 100
        +0     > P. 1:101(100) ack 1
        +.3    > P. 1:101(100) ack 1
        +.010  < . 1:1(0) ack 101             # of which of the two?
        +0     write 100
        +0     > P. 101:201(100) ack 1
        +.6    > P. 101:201(100) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC5681-3.2", "RFC3042-2", "RFC6582-3.2")
def test_three_duplicates_repeat_the_first_segment_and_let_new_ones_out(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     write 12000
        +0     > . 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1
        +0     > . 10001:11001(1000) ack 1     # limited transmit
        +0     < . 1:1(0) ack 1
        +0     > P. 11001:12001(1000) ack 1
        +0     < . 1:1(0) ack 1
        +0     > . 1:1001(1000) ack 1          # fast retransmit
        +.1    < . 1:1(0) ack 12001
        +1     nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC6582-3.2")
def test_a_partial_acknowledgement_repeats_the_next_hole_at_once(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1
        +0     < . 1:1(0) ack 1
        +0     < . 1:1(0) ack 1
        +0     > . 1:1001(1000) ack 1
        +.1    < . 1:1(0) ack 4001
        +0     > . 4001:5001(1000) ack 1
        +.1    < . 1:1(0) ack 10001
        +1     nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC5681-3.1", "RFC6298-5.4")
def test_after_a_timeout_one_segment_is_repeated_and_slow_start_goes_on_from_there(family: Family) -> None:
    script(
        """
        0      established mss 1000
        0      write 10000
        0      > P. 1:10001(10000) ack 1 by 1000
        .3     > . 1:1001(1000) ack 1
        .4     < . 1:1(0) ack 1001
        .4     > . 1001:3001(2000) ack 1 by 1000
        .5     < . 1:1(0) ack 3001
        .5     > . 3001:6001(3000) ack 1 by 1000
        .6     < . 1:1(0) ack 10001
        +1     nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC6928-2", "RFC9293-MUST-19")
def test_ten_segments_start_and_every_acknowledgement_lets_one_more_out(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     write 15000
        +0     > . 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1001
        +0     > . 10001:12001(2000) ack 1 by 1000
        +0     < . 1:1(0) ack 3001
        +0     > P. 12001:15001(3000) ack 1 by 1000
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC5681-4.1", "RFC6928-2")
def test_after_an_idle_time_the_window_starts_again_with_ten_segments(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     write 15000
        +0     > . 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1001
        +0     > . 10001:12001(2000) ack 1 by 1000
        +0     < . 1:1(0) ack 2001
        +0     > . 12001:14001(2000) ack 1 by 1000
        +0     < . 1:1(0) ack 3001
        +0     > P. 14001:15001(1000) ack 1
        +.1    < . 1:1(0) ack 15001
        +0     write 12000
        +0     > P. 15001:27001(12000) ack 1 by 1000       # the window has grown
        +.1    < . 1:1(0) ack 27001
        +10    write 12000
        +0     > . 27001:37001(10000) ack 1 by 1000
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC5681-2", "RFC5681-3.2")
def test_what_carries_data_or_moves_the_window_is_no_duplicate(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1
        +0     < . 1:1(0) ack 1
        +0     < . 1:1(0) ack 1 win 60000
        +0     < P. 1:11(10) ack 1 win 60000
        +0     < . 11:11(0) ack 10001 win 60000
        +.040  > . 10001:10001(0) ack 11
        +1     nothing
        """,
        family,
    )
