"""Recovery by counting what SACK reports, where RACK is off: RFC 6675, and RFC 2018 8 on reports taken back."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.tcp_policy import CongestionAlgorithm, OptionUse
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
SETS = pytest.mark.parametrize(
    "behaviour",
    [with_tcp(WINDOWS, rack=False), with_tcp(LINUX, rack=False, timestamps=OptionUse.ANSWER)],
    ids=["windows", "linux"],
)
RENO = with_tcp(WINDOWS, rack=False, congestion=CongestionAlgorithm.NEW_RENO)


@FAMILIES
@SETS
@pytest.mark.rule("RFC6675-4", "RFC6675-5")
def test_two_reports_are_not_enough_and_time_alone_changes_nothing(family: Family, behaviour: Behaviour) -> None:
    script(
        """
        0      established mss 1000 sackOK
        0      write 10000
        0      > P. 1:10001(10000) ack 1 by 1000
        .1     < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
        .1     < . 1:1(0) ack 1 <nop,nop,sack 1001:3001>
        .19    nothing
        .19    < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
        .19    > . 1:1001(1000) ack 1
        .2     < . 1:1(0) ack 10001
        +3     nothing
        """,
        family,
        behaviour,
    )


@FAMILIES
@SETS
@pytest.mark.rule("RFC6675-4")
def test_a_hole_with_fewer_reports_above_it_is_left_alone_until_there_are_more(
    family: Family, behaviour: Behaviour
) -> None:
    script(
        """
        +0     established mss 1000 sackOK
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 1001:3001>
        +0     < . 1:1(0) ack 1 <nop,nop,sack 4001:5001 1001:3001>
        +0     > . 1:1001(1000) ack 1                                # 3001:4001 has one report above it
        +0     < . 1:1(0) ack 1 <nop,nop,sack 4001:6001 1001:3001>
        +0     < . 1:1(0) ack 1 <nop,nop,sack 4001:7001 1001:3001>
        +0     > . 3001:4001(1000) ack 1
        +.1    < . 1:1(0) ack 10001
        +3     nothing
        """,
        family,
        behaviour,
    )


@FAMILIES
@pytest.mark.rule("RFC6675-5", "RFC6675-2")
def test_lost_segments_go_before_new_ones_and_both_wait_for_room_in_the_window(family: Family) -> None:
    script(
        """
        +0     established mss 1000 sackOK
        +0     write 50000
        +0     > . 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 4001:7001>        # 1 to 4 are lost, 8 to 10 on their way
        +0     > . 1:1001(1000) ack 1
        +0     > . 1001:2001(1000) ack 1                        # five are in flight now
        +0     < . 1:1(0) ack 1 <nop,nop,sack 4001:8001>
        +0     > . 2001:3001(1000) ack 1
        +0     < . 1:1(0) ack 1 <nop,nop,sack 4001:9001>
        +0     > . 3001:4001(1000) ack 1
        +0     < . 1:1(0) ack 1 <nop,nop,sack 4001:10001>
        +0     > . 10001:11001(1000) ack 1
        +.1    < . 1:1(0) ack 1001 <nop,nop,sack 4001:10001>    # one more has left the network
        +0     > . 11001:12001(1000) ack 1
        """,
        family,
        RENO,
    )


@FAMILIES
@SETS
@pytest.mark.rule("RFC6675-5", "RFC6298-5.4")
def test_a_repeat_that_is_lost_too_waits_for_the_timeout(family: Family, behaviour: Behaviour) -> None:
    script(
        """
        0      established mss 1000 sackOK
        0      write 10000
        0      > P. 1:10001(10000) ack 1 by 1000
        .1     < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
        .1     > . 1:1001(1000) ack 1
        .11    < . 1:1(0) ack 1 <nop,nop,sack 1001:8001>
        .12    < . 1:1(0) ack 1 <nop,nop,sack 1001:9001>
        .13    < . 1:1(0) ack 1 <nop,nop,sack 1001:10001>
        *      > . 1:1001(1000) ack 1
        +.1    < . 1:1(0) ack 10001
        +3     nothing
        """,
        family,
        behaviour,
    )


@FAMILIES
@SETS
@pytest.mark.rule("RFC2018-8")
def test_a_peer_that_takes_its_report_back_gets_the_data_again_after_the_timeout(
    family: Family, behaviour: Behaviour
) -> None:
    script(
        """
        0      established mss 1000 sackOK
        0      write 3000
        0      > P. 1:3001(3000) ack 1 by 1000
        .01    < . 1:1(0) ack 1 <nop,nop,sack 1001:3001>
        .01    > . 1:1001(1000) ack 1
        .02    < . 1:1(0) ack 1001                              # and what has become of 1001:3001?
        *      > . 1001:2001(1000) ack 1
        +.01   < . 1:1(0) ack 2001
        +0     > P. 2001:3001(1000) ack 1
        +.01   < . 1:1(0) ack 3001
        +3     nothing
        """,
        family,
        behaviour,
    )
