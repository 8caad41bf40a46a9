"""D-SACK, told and heard: RFC 2883 4 and 5, and what a sender learns from it (RFC 4015, RFC 3522)."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import WINDOWS
from wsknet.tcp_policy import CongestionAlgorithm
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
RENO = with_tcp(WINDOWS, rack=False, congestion=CongestionAlgorithm.NEW_RENO)


@FAMILIES
@pytest.mark.rule("RFC2883-4.1")
def test_what_came_twice_below_an_island_is_told_before_it(family: Family) -> None:
    script(
        """
        +0     established sackOK
        +0     < . 1:101(100) ack 1
        +.040  > . 1:1(0) ack 101
        +0     < . 301:401(100) ack 1
        +0     > . 1:1(0) ack 101 <nop,nop,sack 301:401>
        +0     < . 1:101(100) ack 1
        +0     > . 1:1(0) ack 101 <nop,nop,sack 1:101 301:401>
        +0     < . 101:201(100) ack 1                               # told once
        +0     > . 1:1(0) ack 201 <nop,nop,sack 301:401>
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC2883-4.2")
def test_a_part_that_came_twice_is_told_as_a_part(family: Family) -> None:
    script(
        """
        +0     established sackOK
        +0     < . 1:101(100) ack 1
        +.040  > . 1:1(0) ack 101
        +0     < . 51:151(100) ack 1
        +.040  > . 1:1(0) ack 151 <nop,nop,sack 51:101>
        +0     < . 201:301(100) ack 1
        +0     > . 1:1(0) ack 151 <nop,nop,sack 201:301>
        +0     < . 251:351(100) ack 1
        +0     > . 1:1(0) ack 151 <nop,nop,sack 251:301 201:351>
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC2883-4", "RFC2018-2")
def test_a_peer_that_did_not_permit_sack_is_told_of_no_duplicate(family: Family) -> None:
    script(
        """
        +0     established
        +0     < . 1:101(100) ack 1
        +.040  > . 1:1(0) ack 101 <>
        +0     < . 1:101(100) ack 1
        +0     > . 1:1(0) ack 101 <>
        """,
        family,
    )


@FAMILIES
@pytest.mark.parametrize(("report", "flight"), [(" <nop,nop,sack 1:1001>", 10), ("", 2)], ids=["needless", "needed"])
@pytest.mark.rule("RFC2883-4", "RFC4015-3.2")
def test_a_repeat_that_the_peer_calls_a_duplicate_costs_no_window(family: Family, report: str, flight: int) -> None:
    """Reordering looked like loss: once the repeat turns out to have been needless, the reduction is taken back."""
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +.1    < S. 0:0(0) ack 1 <mss 1000,nop,nop,sackOK>
        +0     > . 1:1(0) ack 1
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
        +0     > . 1:1001(1000) ack 1
        +.01   < . 1:1(0) ack 10001
        +.09   < . 1:1(0) ack 10001$report
        +0     write 30000
        +0     > . 10001:$to ack 1 by 1000
        """,
        family,
        RENO,
        report=report,
        to=10001 + 1000 * flight,
    )


@FAMILIES
@pytest.mark.rule("RFC2883-5", "RFC5681-2")
def test_a_duplicate_report_says_nothing_about_losses(family: Family) -> None:
    script(
        """
        +0     established mss 1000 sackOK
        +0     write 4000
        +0     > P. 1:4001(4000) ack 1 by 1000
        +.05   < . 1:1(0) ack 2001
        +.01   < . 1:1(0) ack 2001 <nop,nop,sack 1:1001>
        +.01   < . 1:1(0) ack 2001 <nop,nop,sack 1:1001>
        +.01   < . 1:1(0) ack 2001 <nop,nop,sack 1:1001>
        +.01   < . 1:1(0) ack 2001 <nop,nop,sack 1:1001>
        +.01   < . 1:1(0) ack 4001
        +3     nothing
        """,
        family,
        RENO,
    )
