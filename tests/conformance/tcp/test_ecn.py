"""Explicit congestion notification: RFC 3168 6.1."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import WINDOWS
from wsknet.tcp_policy import OptionUse
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)

ASKED = """
    +0     listen
    +0     < [noecn] SEW 0:0(0) <mss 1000>
    +0     > [noecn] SE. 0:0(0) ack 1 <mss $mss>
    +0     < . 1:1(0) ack 1
    +0     accept
"""


@FAMILIES
@pytest.mark.rule("RFC3168-6.1.1", "RFC9293-SHLD-8")
def test_it_is_granted_to_a_peer_that_asks_and_to_no_other(family: Family) -> None:
    script(ASKED, family)
    for flags in ("S", "SE", "SW"):
        script(
            f"""
            +0     listen
            +0     < {flags} 0:0(0) <mss 1000>
            +0     > [noecn] S. 0:0(0) ack 1 <mss $mss>
            +0     < . 1:1(0) ack 1
            +0     accept
            +0     write 10
            +0     > [noecn] P. 1:11(10) ack 1
            """,
            family,
        )


@FAMILIES
@pytest.mark.rule("RFC3168-6.1.1", "RFC3168-6.1.1.1")
def test_it_is_asked_for_if_wanted_and_a_second_syn_does_without(family: Family) -> None:
    wanting = with_tcp(WINDOWS, ecn=OptionUse.ASK)
    script(
        """
        +0     connect
        +0     > [noecn] SEW 0:0(0) <...>
        +.1    < SE. 0:0(0) ack 1 <mss 1000>
        +0     > [noecn] . 1:1(0) ack 1
        +0     write 10
        +0     > [ect0] P. 1:11(10) ack 1
        """,
        family,
        wanting,
    )
    script(
        """
        +0     connect
        +0     > SEW 0:0(0) <...>
        +1     > S 0:0(0) <...>
        """,
        family,
        wanting,
    )


@FAMILIES
@pytest.mark.parametrize("flags", ["S.", "SEW."], ids=["refused", "reflected"])
@pytest.mark.rule("RFC3168-6.1.1")
def test_a_peer_that_does_not_grant_it_or_only_reflects_the_bits_gets_none(family: Family, flags: str) -> None:
    script(
        f"""
        +0     connect
        +0     > SEW 0:0(0) <...>
        +.1    < {flags} 0:0(0) ack 1 <mss 1000>
        +0     > [noecn] . 1:1(0) ack 1
        +0     write 10
        +0     > [noecn] P. 1:11(10) ack 1
        """,
        family,
        with_tcp(WINDOWS, ecn=OptionUse.ASK),
    )


@FAMILIES
@pytest.mark.rule("RFC3168-6.1.4", "RFC3168-6.1.5")
def test_new_data_is_marked_capable_and_acknowledgements_and_repeats_are_not(family: Family) -> None:
    script(
        f"""
        {ASKED}
        +0     write 100
        +0     > [ect0] P. 1:101(100) ack 1
        +.3    > [noecn] P. 1:101(100) ack 1
        +0     < . 1:1(0) ack 101
        +0     < [ect0] . 1:11(10) ack 101
        +.040  > [noecn] . 101:101(0) ack 11
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC3168-6.1.3")
def test_a_mark_is_echoed_until_the_peer_says_that_it_has_slowed_down(family: Family) -> None:
    script(
        f"""
        {ASKED}
        +0     < [ce] . 1:11(10) ack 1
        +0~+.040 > E. 1:1(0) ack 11
        +0     < [ect0] . 11:21(10) ack 1
        +.040  > E. 1:1(0) ack 21
        +0     < [ect0] W. 21:31(10) ack 1
        +.040  > . 1:1(0) ack 31
        +0     < [ce] W. 31:41(10) ack 1
        +0~+.040 > E. 1:1(0) ack 41
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC3168-6.1.2")
def test_an_echo_slows_us_down_once_per_round_trip_and_we_say_so(family: Family) -> None:
    script(
        f"""
        {ASKED}
        +0     write 30000
        +0     > [ect0] . 1:10001(10000) ack 1 by 1000
        +.1    < E. 1:1(0) ack 1001
        +0     < E. 1:1(0) ack 2001
        +0     < E. 1:1(0) ack 3001
        +0     < E. 1:1(0) ack 4001
        +0     < E. 1:1(0) ack 5001
        +0     > [ect0] W. 10001:11001(1000) ack 1
        +0     < E. 1:1(0) ack 6001
        +0     > [ect0] . 11001:12001(1000) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC3168-6.1.6")
def test_a_window_probe_is_not_marked(family: Family) -> None:
    script(
        f"""
        {ASKED}
        +0     < . 1:1(0) ack 1 win 0
        +0     write 100
        +.3    > [noecn] . 1:2(1) ack 1
        """,
        family,
    )
