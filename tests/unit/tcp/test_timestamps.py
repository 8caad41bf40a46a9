"""Timestamps where something is odd: RFC 7323 3.2, 4.3, 5.3."""

from __future__ import annotations

import pytest

from tests.support.tcp_script import script
from wsknet.behaviour import LINUX
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)

CONNECTED = """
    +0     connect
    +0     > S 0:0(0) <mss $mss,sackOK,TS val 0 ecr 0,nop,wscale 5>
    +.1    < S. 0:0(0) ack 1 <mss 1000,nop,nop,TS val 700 ecr 0>
    +0     > . 1:1(0) ack 1 <nop,nop,TS val 100 ecr 700>
"""


@FAMILIES
@pytest.mark.parametrize("number", [5, -5, 100_000], ids=["inside", "before", "behind"])
@pytest.mark.rule("RFC5961-4.2", "RFC7323-3.2")
def test_a_syn_of_a_peer_that_has_restarted_without_them_is_challenged(family: Family, number: int) -> None:
    script(
        f"""
        {CONNECTED}
        +1     < S {number}:{number}(0) <mss 1000>
        +0     > . 1:1(0) ack 1 <nop,nop,TS val 1100 ecr 700>
        +0     < R 1:1(0)
        +0     told CONNECTED FAILED
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-3.2", "RFC9293-3.10.7.4")
def test_a_syn_that_is_repeated_without_them_brings_the_answer_again(family: Family) -> None:
    script(
        """
        +0     listen
        +0     < S 0:0(0) <mss 1000,sackOK,TS val 700 ecr 0>
        +0     > S. 0:0(0) ack 1 <mss $mss,sackOK,TS val 0 ecr 700>
        +.1    < S 0:0(0) <mss 1000>
        +0     > S. 0:0(0) ack 1 <mss $mss,sackOK,TS val 100 ecr 700>
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-5.3", "RFC9293-3.10.7.4")
def test_what_lies_outside_the_window_is_not_echoed(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     < . 1:11(10) ack 1 <nop,nop,TS val 710 ecr 100>
        +.040  > . 1:1(0) ack 11 <nop,nop,TS val 140 ecr 710>
        +0     < . 1:11(10) ack 1 <nop,nop,TS val 720 ecr 140>
        +0     > . 1:1(0) ack 11 <nop,nop,TS val 140 ecr 710>
        +0     < . 9000011:9000021(10) ack 1 <nop,nop,TS val 730 ecr 140>
        +0     > . 1:1(0) ack 11 <nop,nop,TS val 140 ecr 710>
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-3.2", "RFC1122-4.2.3.6")
def test_keep_alive_probes_and_window_probes_have_them(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     keepalive 2s 500ms 3
        +2     > . 0:0(0) ack 1 <nop,nop,TS val 2100 ecr 700>
        +.010  < . 1:1(0) ack 1 win 0 <nop,nop,TS val 2700 ecr 2100>
        +0     write 10
        *      > . 1:2(1) ack 1 <nop,nop,TS val * ecr 2700>
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-4.3")
def test_after_a_lost_acknowledgement_the_repeat_is_not_echoed(family: Family) -> None:
    """Last.ACK.sent is what counts, not RCV.NXT: two segments wait for one acknowledgement."""
    script(
        f"""
        {CONNECTED}
        +0     < . 1:11(10) ack 1 <nop,nop,TS val 710 ecr 100>
        +.005  < . 1:21(20) ack 1 <nop,nop,TS val 715 ecr 100>
        +0     > . 1:1(0) ack 21 <nop,nop,TS val 105 ecr 715>
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-3.2")
def test_a_reset_has_timestamps_where_they_are_in_use(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     abort
        +0     > R 1:1(0) <nop,nop,TS val 100 ecr 700>
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.parametrize("data", ["1:1(0)", "1:11(10)"], ids=["empty", "data"])
@pytest.mark.rule("RFC7323-5.3", "RFC5961-5.2")
def test_a_forged_acknowledgement_from_the_future_is_not_echoed(family: Family, data: str) -> None:
    script(
        f"""
        {CONNECTED}
        +0     < . {data} ack 9999 <nop,nop,TS val 99999 ecr 100>
        +0     > . 1:1(0) ack 1 <nop,nop,TS val 100 ecr 700>
        +0     < . 1:11(10) ack 1 <nop,nop,TS val 701 ecr 100>
        +.040  > . 1:1(0) ack 11 <nop,nop,TS val 140 ecr 701>
        """,
        family,
        LINUX,
    )
