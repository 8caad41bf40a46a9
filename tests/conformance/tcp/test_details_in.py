"""Small print of what comes in: bounds, flags and numbers that a careless change of the code gets wrong first."""

from __future__ import annotations

import pytest

from tests.support.tcp_script import script
from wsknet.transport.tcp.reassembly import Reassembly
from wsknet.transport.tcp.receive import Receiver
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC2883-4", "RFC9293-3.10.7.4")
def test_a_repeated_fin_without_data_is_acknowledged_without_an_empty_block(family: Family) -> None:
    script(
        """
        +0     established sackOK
        +0     < F. 1:1(0) ack 1
        +0     > . 1:1(0) ack 2 <>
        +0     < F. 1:1(0) ack 1
        +0     > . 1:1(0) ack 2 <>
        """,
        family,
    )


WITH_TIMESTAMPS = """
    +0     listen
    +0     < S 0:0(0) <mss 1000,TS val 1000 ecr 0>
    +0     > S. 0:0(0) ack 1 <mss $mss,nop,nop,TS val 0 ecr 1000>
    +0     < . 1:1(0) ack 1 <TS val 1000 ecr 0>
    +0     accept
"""


@FAMILIES
@pytest.mark.rule("RFC7323-5.5")
def test_a_timestamp_is_outdated_by_days_of_silence_and_not_by_the_age_of_the_connection(family: Family) -> None:
    script(
        f"""
        {WITH_TIMESTAMPS}
        2000000  < . 1:11(10) ack 1 <TS val 2000 ecr 0>
        +.04     > . 1:1(0) ack 11 <nop,nop,TS val * ecr 2000>
        2100000  < . 11:21(10) ack 1 <TS val 1999 ecr 0>
        +0       > . 1:1(0) ack 11 <nop,nop,TS val * ecr 2000>
        +0       drops TCP_OLD_TIMESTAMP
        4073599  < . 11:21(10) ack 1 <TS val 1999 ecr 0>
        +0       > . 1:1(0) ack 11 <nop,nop,TS val * ecr 2000>
        4073601  < . 11:21(10) ack 1 <TS val 1999 ecr 0>
        +.04     > . 1:1(0) ack 21 <nop,nop,TS val * ecr 1999>
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-5.3", "RFC7323-5.2")
def test_half_of_all_timestamps_are_old(family: Family) -> None:
    script(
        f"""
        {WITH_TIMESTAMPS}
        +0     < . 1:11(10) ack 1 <TS val 2147484648 ecr 0>
        +0     > . 1:1(0) ack 1 <nop,nop,TS val * ecr 1000>
        +0     drops TCP_OLD_TIMESTAMP
        +0     < . 1:11(10) ack 1 <TS val 2147484647 ecr 0>
        +.04   > . 1:1(0) ack 11 <nop,nop,TS val * ecr 2147484647>
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.7.1", "RFC2018-3")
def test_while_data_is_missing_segments_leave_room_for_the_reports(family: Family) -> None:
    script(
        """
        +0     established sackOK mss 1000
        +0     < . 11:21(10) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 11:21>
        +0     write 988
        +0     > P. 1:989(988) ack 1 <nop,nop,sack 11:21>
        +.01   < . 31:41(10) ack 989
        +0     > . 989:989(0) ack 1 <nop,nop,sack 31:41 11:21>
        +0     write 1000
        +0     > . 989:1969(980) ack 1 <nop,nop,sack 31:41 11:21>
        +.01   < . 1:1(0) ack 1969
        +0     > P. 1969:1989(20) ack 1 <nop,nop,sack 31:41 11:21>
        +.01   < . 1:11(10) ack 1989
        +0     > . 1989:1989(0) ack 21 <nop,nop,sack 31:41>
        +0     < . 21:31(10) ack 1989
        +0     > . 1989:1989(0) ack 41 <>
        +0     write 1000
        +0     > P. 1989:2989(1000) ack 41 <>
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.4")
def test_data_behind_a_fin_is_acknowledged_at_once_and_not_taken(family: Family) -> None:
    script(
        """
        +0     established
        +0     < F. 1:1(0) ack 1
        +0     > . 1:1(0) ack 2
        +0     < P. 2:12(10) ack 1
        +0     > . 1:1(0) ack 2
        +0     drops TCP_RECEIVE_CLOSED
        +0     readable 0
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC2018-2")
def test_reports_that_were_not_agreed_on_mean_nothing(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     write 3000
        +0     > . 1:1001(1000) ack 1
        +0     > . 1001:2001(1000) ack 1
        +0     > P. 2001:3001(1000) ack 1
        +.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:3001>
        *      > . 1:1001(1000) ack 1
        +.01   < . 1:1(0) ack 1001 <nop,nop,sack 1001:3001>
        +0     > . 1001:2001(1000) ack 1
        +0     > P. 2001:3001(1000) ack 1
        +.01   < . 1:1(0) ack 3001
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC1122-4.2.3.6")
def test_keep_alive_that_was_never_on_may_be_switched_off(family: Family) -> None:
    script(
        """
        +0     established
        +0     set keep_alive off
        +90000 nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-3.2", "RFC9293-3.10.7.4")
def test_in_time_wait_segments_without_timestamps_are_judged_by_their_numbers(family: Family) -> None:
    script(
        f"""
        {WITH_TIMESTAMPS}
        +0     shutdown
        +0     > F. 1:1(0) ack 1 <...>
        +0     < F. 1:1(0) ack 2 <TS val 1001 ecr 0>
        +0     > . 2:2(0) ack 2 <nop,nop,TS val * ecr 1001>
        +0     state TIME_WAIT
        +0     < . 2:2(0) ack 2
        +0     < . 2:2(0) ack 2 <opt 8 00>
        +100   < F. 1:1(0) ack 2
        +0     > . 2:2(0) ack 2 <nop,nop,TS val * ecr 1001>
        +119   state TIME_WAIT
        +2     state CLOSED
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.4", "RFC2018-4")
def test_data_behind_a_fin_that_waits_for_its_turn_is_not_kept(family: Family) -> None:
    script(
        """
        +0     established sackOK
        +0     < F. 11:21(10) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 11:22>
        +0     < . 31:61(30) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 11:22>
        +0     < . 1:11(10) ack 1
        +0     > . 1:1(0) ack 22
        +0     read 20
        """,
        family,
    )


@pytest.mark.rule("RFC7323-2.3")
def test_a_buffer_made_smaller_than_a_unit_of_the_window_holds_one_unit() -> None:
    side = Receiver(1 << 20, 1460, 8)
    side.set_limit(1)
    assert side.limit == 256


def test_nothing_is_left_of_what_waited_once_it_is_cleared() -> None:
    waiting = Reassembly()
    waiting.add(10, b"later")
    waiting.clear()
    assert not waiting
    assert waiting.first(1) == []


@pytest.mark.rule("RFC9293-3.9.1.2")
def test_a_push_that_came_before_its_turn_counts_when_its_turn_comes() -> None:
    side = Receiver(1000, 1460)
    side.start(0, 0)
    side.insert(11, bytes(10), True)
    assert not side.is_pushed
    side.insert(1, bytes(10), False)
    assert side.is_pushed
    side.consume(20)
    side.insert(31, bytes(10), False)
    side.insert(21, bytes(10), False)
    assert not side.is_pushed


@pytest.mark.rule("RFC7323-2.4", "RFC9293-3.8.6.2.2")
def test_what_the_scale_cuts_off_the_window_is_rounded_up_while_there_is_room() -> None:
    side = Receiver(1 << 20, 1460, 8)
    side.start(0, 8)
    assert side.offer() == 4096
    side.insert(1, bytes(100), False)
    assert side.offer() == 4095
    side.consume(100)
    assert side.offer() == 4096


@FAMILIES
@pytest.mark.rule("RFC2018-3")
def test_however_much_is_missing_reports_leave_room_for_data(family: Family) -> None:
    conversation = script("+0 established sackOK mss 1000", family)
    for start in (11, 31, 51, 71, 91):
        conversation.run(
            f"""
            +0     < . {start}:{start + 10}(10) ack 1
            +0     > . 1:1(0) ack 1 <...>
            """
        )
    conversation.run(
        """
        +0     write 2000
        +0     > . 1:965(964) ack 1 <nop,nop,sack 91:101 71:81 51:61 31:41>
        +0     > . 965:1929(964) ack 1 <nop,nop,sack 91:101 71:81 51:61 31:41>
        """
    )


@FAMILIES
@pytest.mark.rule("RFC3168-6.1.2")
def test_an_echo_with_what_was_in_flight_at_the_reduction_is_no_news(family: Family) -> None:
    script(
        """
        +0     listen
        +0     < SEW 0:0(0) <mss 1000>
        +0     > SE. 0:0(0) ack 1 <...>
        +0     < . 1:1(0) ack 1
        +0     accept
        +0     write 4000
        +0     > [ect0] . 1:3001(3000) ack 1 by 1000
        +0     > [ect0] P. 3001:4001(1000) ack 1
        +.1    < E. 1:1(0) ack 1001
        +.01   < . 1:1(0) ack 3001
        +0     write 10 nodelay
        +0     > [ect0] WP. 4001:4011(10) ack 1
        +.05   < E. 1:1(0) ack 4001
        +0     write 10 nodelay
        +0     > [ect0] P. 4011:4021(10) ack 1
        +.05   < E. 1:1(0) ack 4011
        +0     write 10 nodelay
        +0     > [ect0] WP. 4021:4031(10) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.5", "RFC9293-3.10.7.4")
def test_when_both_open_at_once_an_answer_with_another_number_opens_nothing(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +.1    < S 0:0(0) <mss 1000>
        +0     > S. 0:0(0) ack 1 <...>
        +.1    < S. 100000:100000(0) ack 1 <mss 1000>
        +0     > . 1:1(0) ack 1
        +0     state SYN_RECEIVED
        """,
        family,
    )


def test_what_lies_behind_the_end_of_the_stream_is_not_counted() -> None:
    waiting = Reassembly()
    for start in (10, 20, 30):
        waiting.add(start, b"later")
    waiting.cut(22)
    assert len(waiting) == 2
    waiting.cut(5)
    assert not waiting
