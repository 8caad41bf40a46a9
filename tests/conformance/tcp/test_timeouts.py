"""The retransmission timer and what is measured for it: RFC 6298, with Karn's rule.

The numbers of the systems are in `test_number_sets`, the doubling in `test_retransmission`.
"""

from __future__ import annotations

import pytest

from tests.support.tcp_script import script
from wsknet.behaviour import LINUX
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC6298-5.3", "RFC6298-5.2")
def test_each_acknowledgement_of_new_data_starts_the_timer_anew_and_the_last_one_stops_it(family: Family) -> None:
    script(
        """
        0      established mss 1000
        0      write 2000
        0      > P. 1:2001(2000) ack 1 by 1000
        .25    < . 1:1(0) ack 1001              # SRTT 7/8 * 0 + 1/8 * 0.25, RTTVAR 3/4 * 0 + 1/4 * 0.25
        .53125 nothing                          # 0.25 + 0.03125 + 4 * 0.0625
        .549   nothing                          # 0.25 + 0.3, which is the least
        .55    > P. 1001:2001(1000) ack 1
        .6     < . 1:1(0) ack 2001
        +100   nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC6298-5.1")
def test_what_is_sent_while_the_timer_runs_does_not_put_it_off(family: Family) -> None:
    script(
        """
        0      established mss 1000
        0      set no_delay on
        0      write 100
        0      > P. 1:101(100) ack 1
        .2     write 100
        .2     > P. 101:201(100) ack 1
        .3     > P. 1:201(200) ack 1            # both fit into one segment
        .4     < . 1:1(0) ack 201
        +100   nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC6298-3", "RFC6298-5.5", "RFC9293-MUST-18")
def test_karn_the_answer_to_a_repeat_measures_nothing_and_the_next_one_does(family: Family) -> None:
    script(
        """
        0      established
        0      write 100
        0      > P. 1:101(100) ack 1
        .3     > P. 1:101(100) ack 1
        .9     > P. 1:101(100) ack 1
        1      < . 1:1(0) ack 101               # 1, 0.7 or 0.1 s?
        1      write 100
        1      > P. 101:201(100) ack 1
        2.2    > P. 101:201(100) ack 1          # the doubled timeout stays
        2.3    < . 1:1(0) ack 201
        2.3    write 100
        2.3    > P. 201:301(100) ack 1
        2.4    < . 1:1(0) ack 301               # 0.1 s: SRTT 0.0125, RTTVAR 0.025
        2.4    write 100
        2.4    > P. 301:401(100) ack 1
        2.7    > P. 301:401(100) ack 1          # no longer 2.4 s
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC6298-3", "RFC6298-2.2")
def test_karn_a_handshake_without_repeats_is_the_first_measurement(family: Family) -> None:
    script(
        """
        0      connect
        0      > S 0:0(0) <...>
        .4     < S. 0:0(0) ack 1 <mss 1000>
        .4     > . 1:1(0) ack 1
        .4     write 100
        .4     > P. 1:101(100) ack 1
        1.6    > P. 1:101(100) ack 1            # 0.4 + 4 * 0.2
        """,
        family,
    )
    script(
        """
        0      listen
        0      < S 0:0(0) <mss 1000>
        0      > S. 0:0(0) ack 1 <...>
        .4     < . 1:1(0) ack 1
        .4     accept
        .4     write 100
        .4     > P. 1:101(100) ack 1
        1.6    > P. 1:101(100) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC6298-3", "RFC7323-4.1")
def test_karn_does_not_hold_where_timestamps_tell_the_copies_apart(family: Family) -> None:
    script(
        """
        0      connect
        0      > S 0:0(0) <mss $mss,sackOK,TS val 0 ecr 0,nop,wscale 5>
        .1     < S. 0:0(0) ack 1 <mss 1000,TS val 7 ecr 0>
        .1     > . 1:1(0) ack 1 <nop,nop,TS val 100 ecr 7>
        .1     write 100
        .1     > P. 1:101(100) ack 1 <nop,nop,TS val 100 ecr 7>
        .4     > P. 1:101(100) ack 1 <nop,nop,TS val 400 ecr 7>      # 0.1 + 4 * 0.05
        .5     < . 1:1(0) ack 101 <nop,nop,TS val 8 ecr 400>         # 0.1 s, of the second
        .5     write 100
        .5     > P. 101:201(100) ack 1 <nop,nop,TS val 500 ecr 8>
        .8     > P. 101:201(100) ack 1 <nop,nop,TS val 800 ecr 8>    # 0.1 + 0.2, as 4 * 0.0375 is less; not 0.6
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC6298-5.7", "RFC6298-5.6")
def test_after_a_lost_syn_the_timeout_of_data_is_three_seconds(family: Family) -> None:
    script(
        """
        0      connect
        0      > S 0:0(0) <...>
        1      > S 0:0(0) <...>
        1.1    < S. 0:0(0) ack 1 <mss 1000>
        1.1    > . 1:1(0) ack 1
        1.1    write 100
        1.1    > P. 1:101(100) ack 1
        4.1    > P. 1:101(100) ack 1
        10.1   > P. 1:101(100) ack 1
        """,
        family,
    )
