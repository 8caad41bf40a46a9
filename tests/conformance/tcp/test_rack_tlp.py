"""Losses found by time: RFC 8985."""

from __future__ import annotations

import pytest

from tests.support.tcp_script import script
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)

CONNECTED = """
    +0     connect
    +0     > S 0:0(0) <...>
    +.1    < S. 0:0(0) ack 1 <mss 1000,nop,nop,sackOK>
    +0     > . 1:1(0) ack 1
"""
"""With a round trip of 100 ms: RTO 300 ms, PTO 200 ms."""


@FAMILIES
@pytest.mark.rule("RFC8985-6.2")
def test_what_was_sent_a_quarter_of_a_round_trip_before_what_arrived_is_lost(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 3000
        +0     > P. 1:3001(3000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 2001:3001>
        +.025  > . 1:2001(2000) ack 1 by 1000
        +.1    < . 1:1(0) ack 3001
        +3     nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-6.2")
def test_segments_that_only_overtook_each_other_are_not_repeated(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 3000
        +0     > P. 1:3001(3000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 2001:3001>
        +.024  < . 1:1(0) ack 3001
        +3     nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-6.2")
def test_three_reported_segments_leave_no_time_to_wait(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 5000
        +0     > P. 1:5001(5000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 2001:5001>
        +0     > . 1:2001(2000) ack 1 by 1000
        +.1    < . 1:1(0) ack 5001
        +3     nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-7.2", "RFC8985-7.3")
def test_a_lost_tail_is_probed_after_two_round_trips_with_its_last_segment(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 3000
        +0     > P. 1:3001(3000) ack 1 by 1000
        +.2    > P. 2001:3001(1000) ack 1
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 2001:3001>
        *      > . 1:2001(2000) ack 1 by 1000
        +.1    < . 1:1(0) ack 3001
        +3     nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-7.3")
def test_a_probe_is_new_data_where_there_is_some(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 12000
        +0     > . 1:10001(10000) ack 1 by 1000       # all that the congestion window allows
        +.2    > . 10001:11001(1000) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-7.2")
def test_without_sack_nothing_is_probed(family: Family) -> None:
    script(
        f"""
        {CONNECTED.replace(",nop,nop,sackOK", "")}
        +0     write 3000
        +0     > P. 1:3001(3000) ack 1 by 1000
        +.3    > . 1:1001(1000) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-7.2")
def test_a_single_segment_gets_time_for_a_delayed_acknowledgement(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 1000
        +0     > P. 1:1001(1000) ack 1
        +.201~+.3 > P. 1:1001(1000) ack 1            # no later than the timeout
        +.1    < . 1:1(0) ack 1001 <nop,nop,sack 1:1001>
        +3     nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-7.2")
def test_a_single_segment_is_probed_when_that_time_is_over(family: Family) -> None:
    """Two round trips of 10 ms, and the 200 ms for which an acknowledgement may be delayed."""
    script(
        f"""
        {CONNECTED.replace("+.1 ", "+.01")}
        +0     write 1000
        +0     > P. 1:1001(1000) ack 1
        +.22   > P. 1:1001(1000) ack 1
        +.01   < . 1:1(0) ack 1001 <nop,nop,sack 1:1001>
        +3     nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-7.3", "RFC6298-5.5")
def test_a_probe_that_is_lost_too_is_followed_by_the_timeout_and_no_second_probe(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 3000
        +0     > P. 1:3001(3000) ack 1 by 1000
        +.2    > P. 2001:3001(1000) ack 1
        +.3    > . 1:1001(1000) ack 1                       # the timeout counts from the probe
        +.6    > . 1:1001(1000) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-6.2", "RFC8985-3.3")
def test_a_repeated_segment_that_was_lost_again_is_found_without_a_timeout(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 20000
        +0     > . 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 1001:5001>
        +0     > . 1:1001(1000) ack 1                       # lost again
        +0     > . 10001:11001(1000) ack 1                  # seven in flight, of ten
        +0     < . 1:1(0) ack 1 <nop,nop,sack 1001:10001>
        +0     > . 11001:16001(5000) ack 1 by 1000          # sent after it
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 1001:13001>
        +0     > . 1:1001(1000) ack 1
        +0     > . 16001:19001(3000) ack 1 by 1000
        """,
        family,
    )
