"""Recovery with a peer that refuses SACK: RFC 6582, with the window halved as RFC 5681 3.2 says."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import WINDOWS
from wsknet.tcp_policy import CongestionAlgorithm
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
RENO = with_tcp(WINDOWS, congestion=CongestionAlgorithm.NEW_RENO)

THREE_DUPLICATES = """
        +0     established mss 1000
        +0     write 50000
        +0     > . 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1
        +0     > . 10001:11001(1000) ack 1
        +0     < . 1:1(0) ack 1
        +0     > . 11001:12001(1000) ack 1
        +0     < . 1:1(0) ack 1
        +0     > . 1:1001(1000) ack 1
"""


@FAMILIES
@pytest.mark.rule("RFC5681-3.2", "RFC6582-3.2")
def test_half_of_the_window_is_left_when_recovery_ends(family: Family) -> None:
    script(
        THREE_DUPLICATES
        + """
        +0     < . 1:1(0) ack 1                # 8 of 12 are thought to be in flight
        +0     < . 1:1(0) ack 1
        +0     < . 1:1(0) ack 1
        +0     < . 1:1(0) ack 1                # 5, which is the window
        +0     < . 1:1(0) ack 1
        +0     > . 12001:13001(1000) ack 1
        +0     < . 1:1(0) ack 1
        +0     > . 13001:14001(1000) ack 1
        +.1    < . 1:1(0) ack 12001            # all of it: three segments, as two are in flight
        +0     > . 14001:15001(1000) ack 1
        +.1    < . 1:1(0) ack 13001
        +0     > . 15001:17001(2000) ack 1 by 1000
        """,
        family,
        RENO,
    )


@FAMILIES
@pytest.mark.rule("RFC6582-3.2")
def test_each_partial_acknowledgement_repeats_one_segment_and_three_holes_are_one_loss(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1
        +0     < . 1:1(0) ack 1
        +0     < . 1:1(0) ack 1
        +0     > . 1:1001(1000) ack 1
        +.1    < . 1:1(0) ack 3001
        +0     > . 3001:4001(1000) ack 1
        +.1    < . 1:1(0) ack 7001
        +0     > . 7001:8001(1000) ack 1
        +.1    < . 1:1(0) ack 10001
        +0     write 10000
        +0     > . 10001:12001(2000) ack 1 by 1000     # RFC 6582 3.2 (3): no burst
        +.1    < . 1:1(0) ack 11001
        +0     > . 12001:14001(2000) ack 1 by 1000
        """,
        family,
        RENO,
    )


@FAMILIES
@pytest.mark.rule("RFC6582-3.2")
def test_duplicates_of_what_was_sent_before_a_timeout_start_no_second_recovery(family: Family) -> None:
    script(
        """
        0      established mss 1000
        0      write 5000
        0      > P. 1:5001(5000) ack 1 by 1000
        .3     > . 1:1001(1000) ack 1
        .4     < . 1:1(0) ack 2001
        .4     > . 2001:4001(2000) ack 1 by 1000
        .4     < . 1:1(0) ack 2001
        .4     < . 1:1(0) ack 2001
        .4     < . 1:1(0) ack 2001
        .4     < . 1:1(0) ack 2001
        .5     < . 1:1(0) ack 5001
        +3     nothing
        """,
        family,
        RENO,
    )


@FAMILIES
@pytest.mark.rule("RFC6582-3.2", "RFC6298-5.3")
def test_the_first_partial_acknowledgement_alone_restarts_the_timer(family: Family) -> None:
    script(
        """
        0      established mss 1000
        0      write 10000
        0      > P. 1:10001(10000) ack 1 by 1000
        .1     < . 1:1(0) ack 1
        .1     < . 1:1(0) ack 1
        .1     < . 1:1(0) ack 1
        .1     > . 1:1001(1000) ack 1
        .2     < . 1:1(0) ack 2001
        .2     > . 2001:3001(1000) ack 1
        .3     < . 1:1(0) ack 4001
        .3     > . 4001:5001(1000) ack 1
        .4     < . 1:1(0) ack 6001
        .4     > . 6001:7001(1000) ack 1
        .5     > . 6001:7001(1000) ack 1          # 0.3 after the first of them
        """,
        family,
        RENO,
    )
