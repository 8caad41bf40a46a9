"""Timestamps: RFC 7323 3 to 5."""

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
"""Our clock ticks in milliseconds; a segment holds 12 bytes less than the MSS says (RFC 6691)."""


@FAMILIES
@pytest.mark.rule("RFC7323-3.2", "RFC9293-MUST-16")
def test_every_segment_has_them_and_the_data_makes_room(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 2000
        +0     > . 1:989(988) ack 1 <nop,nop,TS val 100 ecr 700>
        +0     > . 989:1977(988) ack 1 <nop,nop,TS val 100 ecr 700>
        +.05   < . 1:1(0) ack 1977 <nop,nop,TS val 750 ecr 100>
        +0     > P. 1977:2001(24) ack 1 <nop,nop,TS val 150 ecr 750>
        +0     shutdown
        +0     > F. 2001:2001(0) ack 1 <nop,nop,TS val 150 ecr 750>
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-4.3")
def test_a_delayed_acknowledgement_echoes_the_first_segment(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     < . 1:11(10) ack 1 <nop,nop,TS val 710 ecr 100>
        +.010  < . 11:21(10) ack 1 <nop,nop,TS val 720 ecr 100>
        +0     > . 1:1(0) ack 21 <nop,nop,TS val 110 ecr 710>
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-4.3")
def test_a_segment_behind_a_hole_is_not_echoed_and_what_fills_the_hole_is(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     < . 11:21(10) ack 1 <nop,nop,TS val 710 ecr 100>
        +0     > . 1:1(0) ack 1 <nop,nop,TS val 100 ecr 700>
        +0     < . 1:11(10) ack 1 <nop,nop,TS val 705 ecr 100>
        +0     > . 1:1(0) ack 21 <nop,nop,TS val 100 ecr 705>
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-5.3")
def test_a_segment_from_long_ago_is_acknowledged_and_not_taken(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     < . 1:11(10) ack 1 <nop,nop,TS val 699 ecr 100>
        +0     > . 1:1(0) ack 1 <nop,nop,TS val 100 ecr 700>
        +0     readable 0
        +0     < . 1:11(10) ack 1 <nop,nop,TS val 700 ecr 100>
        +.040  > . 1:1(0) ack 11 <nop,nop,TS val 140 ecr 700>
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-5.2", "RFC7323-5.3")
def test_a_reset_is_not_judged_by_its_timestamp(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     < R 1:1(0) <nop,nop,TS val 1 ecr 100>
        +0     told CONNECTED FAILED
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-3.2")
def test_a_segment_without_them_is_dropped_unless_it_resets(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     < . 1:11(10) ack 1
        +.2    readable 0
        +0     < R 1:1(0)
        +0     told CONNECTED FAILED
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-4.1", "RFC6298-3")
def test_even_what_was_repeated_is_measured(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 100
        +0     > P. 1:101(100) ack 1 <nop,nop,TS val 100 ecr 700>
        +.3    > P. 1:101(100) ack 1 <nop,nop,TS val 400 ecr 700>
        +.1    < . 1:1(0) ack 101 <nop,nop,TS val 1100 ecr 400>
        +0     write 100
        +0     > P. 101:201(100) ack 1 <nop,nop,TS val 500 ecr 1100>
        +.2~+.3 > P. 101:201(100) ack 1 <...>          # not the doubled timeout
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-5.5")
def test_after_an_idle_time_of_weeks_any_timestamp_is_taken(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +2160000 < . 1:11(10) ack 1 <nop,nop,TS val 600 ecr 100>
        +.040  > . 1:1(0) ack 11 <nop,nop,TS val * ecr 600>
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.parametrize(
    ("value", "answer"), [(702, "> S. *:*(0) ack 2 <...>"), (600, "> . 2:2(0) ack 2 <...>")], ids=["newer", "older"]
)
@pytest.mark.rule("RFC6191-2", "RFC9293-SHLD-4")
def test_in_time_wait_a_syn_with_a_newer_timestamp_opens_whatever_its_number(
    family: Family, value: int, answer: str
) -> None:
    script(
        f"""
        +0     listen
        +0     < S 0:0(0) <mss 1000,sackOK,TS val 700 ecr 0>
        +0     > S. 0:0(0) ack 1 <...>
        +0     < . 1:1(0) ack 1 <nop,nop,TS val 700 ecr 0>
        +0     accept
        +0     shutdown
        +0     > F. 1:1(0) ack 1 <...>
        +0     < F. 1:1(0) ack 2 <nop,nop,TS val 701 ecr 0>
        +0     > . 2:2(0) ack 2 <...>
        +1     < S 1:1(0) <mss 1000,sackOK,TS val {value} ecr 0>
        +0     {answer}
        """,
        family,
        LINUX,
    )
