"""Flow control: RFC 9293 3.8.6 (windows, probes, silly windows on both sides), RFC 7323 2."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.config import TcpConfig
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC9293-3.8.6")
def test_no_more_is_in_flight_than_the_window_says_and_it_slides(family: Family) -> None:
    script(
        """
        +0     established win 3000 mss 1000
        +0     write 6000
        +0     > . 1:3001(3000) ack 1 by 1000
        +.010  < . 1:1(0) ack 1001 win 3000
        +0     > . 3001:4001(1000) ack 1
        +.010  < . 1:1(0) ack 2001 win 2000      # the right edge stays
        +.010  < . 1:1(0) ack 4001 win 2000
        +0     > P. 4001:6001(2000) ack 1 by 1000
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-1")
def test_the_window_field_has_no_sign(family: Family) -> None:
    script(
        """
        +0     established win 32768 mss 1000
        +0     write 100
        +0     > P. 1:101(100) ack 1
        +0     < . 1:1(0) ack 101 win 65535
        +0     write 100
        +0     > P. 101:201(100) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.parametrize(("behaviour", "least"), [(WINDOWS, 0.3), (LINUX, 0.2)], ids=["windows", "linux"])
@pytest.mark.rule("RFC9293-MUST-36", "RFC9293-SHLD-29", "RFC9293-SHLD-30")
def test_a_closed_window_is_probed_after_the_timeout_and_ever_more_slowly(
    family: Family, behaviour: Behaviour, least: float
) -> None:
    script(
        """
        +0       established win 0
        +0       write 100
        +$first  > . 1:2(1) ack 1
        +0       < . 1:1(0) ack 1 win 0
        +$second > . 1:2(1) ack 1
        +0       < . 1:1(0) ack 1 win 0
        +$third  > . 1:2(1) ack 1
        +0       < . 1:1(0) ack 1 win 500
        +0       > P. 1:101(100) ack 1
        """,
        family,
        behaviour,
        first=least,
        second=2 * least,
        third=4 * least,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-37", "RFC9293-MUST-35", "RFC9293-MAY-8")
def test_a_window_may_stay_closed_for_ever_as_long_as_probes_are_answered(family: Family) -> None:
    answered = "\n".join(["* > . 1:2(1) ack 1", "+0 < . 1:1(0) ack 1 win 0"] * 60)
    script(
        f"""
        +0 established win 0
        +0 write 100
        {answered}
        +0 state ESTABLISHED
        +0 < . 1:1(0) ack 1 win 500
        +0 > P. 1:101(100) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.8.6.1", "RFC9293-MUST-20")
def test_probes_that_nobody_answers_end_the_connection(family: Family) -> None:
    script(
        """
        0      established win 0
        0      write 100
        .3     > . 1:2(1) ack 1
        .9     > . 1:2(1) ack 1
        2.1    > . 1:2(1) ack 1
        *      > R *:*(0)
        +0     told FAILED
        +0     error TIMED_OUT
        """,
        family,
        with_tcp(WINDOWS, data_retries=2),
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-34", "RFC9293-SHLD-15", "RFC9293-SHLD-16")
def test_a_window_that_shrinks_stops_new_data_and_not_the_connection(family: Family) -> None:
    script(
        """
        +0     established win 4000 mss 1000
        +0     write 8000
        +0     > . 1:4001(4000) ack 1 by 1000
        +.010  < . 1:1(0) ack 1001 win 1000     # the edge moves from 4001 to 2001
        +.3    > . 1001:2001(1000) ack 1        # old data within the window
        +.010  < . 1:1(0) ack 4001 win 4000
        +0     > . 4001:6001(2000) ack 1 by 1000
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.4")
def test_an_older_segment_does_not_set_the_window(family: Family) -> None:
    script(
        """
        +0     established win 1000 mss 1000
        +0     < . 1:101(100) ack 1 win 1000
        +0     < . 101:201(100) ack 1 win 3000
        +0     > . 1:1(0) ack 201
        +0     < . 1:101(100) ack 1 win 500        # of before, repeated
        +0     > . 1:1(0) ack 201
        +0     write 3000
        +0     > P. 1:3001(3000) ack 201 by 1000
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-38", "RFC9293-3.8.6.2.1")
def test_a_window_that_opens_a_little_is_not_used(family: Family) -> None:
    script(
        """
        +0     established win 2000 mss 1000
        +0     write 5000
        +0     > . 1:2001(2000) ack 1 by 1000
        +.010  < . 1:1(0) ack 2001 win 100
        +.010  < . 1:1(0) ack 2001 win 900
        +.010  < . 1:1(0) ack 2001 win 1000
        +0     > . 2001:3001(1000) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-38", "RFC9293-3.8.6.2.1")
def test_half_of_the_largest_window_is_worth_a_segment_and_any_is_after_a_while(family: Family) -> None:
    script(
        """
        +0     established win 800 mss 1000
        +0     write 5000
        +0     > . 1:801(800) ack 1
        +.010  < . 1:1(0) ack 801 win 400
        +0     > . 801:1201(400) ack 1
        +.010  < . 1:1(0) ack 1201 win 399
        +.3    > . 1201:1600(399) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-39", "RFC9293-3.8.6.2.2")
def test_the_window_is_not_opened_by_little_steps(family: Family) -> None:
    script(
        """
        +0     established
        +0     < . 1:1001(1000) ack 1
        +0     < . 1001:2001(1000) ack 1
        +0     > . 1:1(0) ack 2001 win 2000
        +0     < . 2001:3001(1000) ack 1
        +0     < . 3001:4001(1000) ack 1
        +0     > . 1:1(0) ack 4001 win 0
        +0     read 1000
        +0     < . 4001:4002(1) ack 1             # probe
        +0     > . 1:1(0) ack 4001 win 0
        +0     read 1000                           # half of the buffer, or a segment
        +0     > . 1:1(0) ack 4001 win 2000
        +0     < P. 4001:4101(100) ack 1
        +.040  > . 1:1(0) ack 4101 win 1900
        """,
        family,
        tcp_config=TcpConfig(receive_buffer=4000),
    )


@FAMILIES
@pytest.mark.rule("RFC9293-SHLD-14", "RFC9293-3.8.6")
def test_the_window_never_shrinks_from_the_right(family: Family) -> None:
    script(
        """
        +0     established
        +0     < . 1:1001(1000) ack 1
        +.040  > . 1:1(0) ack 1001 win 3000
        +0     set receive_buffer 1000
        +0     < . 1001:2001(1000) ack 1
        +.040  > . 1:1(0) ack 2001 win 2000
        +0     < . 2001:3001(1000) ack 1
        +.040  > . 1:1(0) ack 3001 win 1000
        """,
        family,
        tcp_config=TcpConfig(receive_buffer=4000),
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-66", "RFC9293-3.10.7.4")
def test_while_our_window_is_closed_acknowledgements_and_resets_count(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     < . 1:1001(1000) ack 1
        +0     < . 1001:2001(1000) ack 1
        +0     > . 1:1(0) ack 2001 win 0
        +0     write 1000
        +0     > P. 1:1001(1000) ack 2001 win 0
        +0     < . 2001:2001(0) ack 1001
        +0     told READABLE SENT
        +0     < R 2002:2002(0)
        +0     drops TCP_BAD_RESET
        +0     < R 2001:2001(0)
        +0     told FAILED
        +0     error RESET
        +0     read 2000
        """,
        family,
        tcp_config=TcpConfig(receive_buffer=2000),
    )


@FAMILIES
@pytest.mark.rule("RFC7323-2.2", "RFC7323-2.3", "RFC9293-REC-1")
def test_windows_are_scaled_after_the_syns_alone(family: Family) -> None:
    script(
        """
        +0     established win 1000 mss 1000 wscale 4
        +0     write 8000
        +0     > . 1:1001(1000) ack 1           # the field of the SYN-ACK was bytes
        +0     < . 1:1(0) ack 1001 win 125      # 2000
        +0     > . 1001:3001(2000) ack 1 by 1000
        +0     < . 1:1(0) ack 3001 win 250      # 4000
        +0     > . 3001:7001(4000) ack 1 by 1000
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-2.2", "RFC9293-3.5")
def test_nor_is_the_window_of_a_syn_ack_that_crosses_ours_scaled(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +0     < S 0:0(0) win 1000 <mss 1000,wscale 4>
        +0     > S. 0:0(0) ack 1 <...>
        +0     < S. 0:0(0) ack 1 win 1000 <mss 1000,wscale 4>
        +0     > . 1:1(0) ack 1
        +0     write 8000
        +0     > . 1:1001(1000) ack 1
        +0     < . 1:1(0) ack 1001 win 125      # 2000
        +0     > . 1001:3001(2000) ack 1 by 1000
        """,
        family,
    )
