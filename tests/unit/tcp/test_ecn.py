"""Explicit congestion notification where something is odd: RFC 3168 6.1."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import WINDOWS
from wsknet.tcp_policy import OptionUse
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
ASKING = with_tcp(WINDOWS, ecn=OptionUse.ASK)

ASKED = """
    +0     listen
    +0     < [noecn] SEW 0:0(0) <mss 1000>
    +0     > [noecn] SE. 0:0(0) ack 1 <mss $mss>
    +0     < . 1:1(0) ack 1
    +0     accept
"""


@FAMILIES
@pytest.mark.rule("RFC3168-6.1.1", "RFC3168-6.1.2")
def test_a_syn_ack_that_is_repeated_is_no_sign_of_congestion(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > SEW 0:0(0) <...>
        +.1    < SE. 0:0(0) ack 1 <mss 1000>
        +0     > . 1:1(0) ack 1
        +1     < SE. 0:0(0) ack 1 <mss 1000>     # ours was lost
        +0     > . 1:1(0) ack 1
        +0     write 20000
        +0     > [ect0] . 1:10001(10000) ack 1 by 1000
        """,
        family,
        ASKING,
    )


@FAMILIES
@pytest.mark.rule("RFC3168-6.1.1", "RFC3168-6.1.1.1")
def test_a_peer_that_tries_again_without_is_answered_without(family: Family) -> None:
    script(
        """
        +0     listen
        +0     < SEW 0:0(0) <mss 1000>
        +0     > SE. 0:0(0) ack 1 <mss $mss>
        +.5    < S 0:0(0) <mss 1000>
        +0     > S. 0:0(0) ack 1 <mss $mss>
        +0     < . 1:1(0) ack 1
        +0     accept
        +0     write 10
        +0     > [noecn] P. 1:11(10) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC3168-6.1.1")
def test_a_peer_that_repeats_its_request_is_granted_it_again(family: Family) -> None:
    script(
        """
        +0     listen
        +0     < SEW 0:0(0) <mss 1000>
        +0     > SE. 0:0(0) ack 1 <mss $mss>
        +.5    < SEW 0:0(0) <mss 1000>
        +0     > SE. 0:0(0) ack 1 <mss $mss>
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC3168-6.1.4", "RFC3168-6.1.3")
def test_marks_and_answers_to_them_count_on_data_alone(family: Family) -> None:
    script(
        f"""
        {ASKED}
        +0     < [ce] . 1:1(0) ack 1
        +0     < [ect0] . 1:11(10) ack 1
        +.040  > . 1:1(0) ack 11
        +0     < [ce] . 11:21(10) ack 1
        +0     > E. 1:1(0) ack 21
        +0     < W. 21:21(0) ack 1
        +0     < [ect0] . 21:31(10) ack 1
        +.040  > E. 1:1(0) ack 31
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC3168-6.1.6", "RFC3168-6.1.5")
def test_a_mark_on_what_lies_outside_the_window_is_not_echoed(family: Family) -> None:
    script(
        f"""
        {ASKED}
        +0     < [ect0] . 1:11(10) ack 1
        +.040  > . 1:1(0) ack 11
        +0     < [ce] . 1:11(10) ack 1
        +0     > . 1:1(0) ack 11
        +0     < [ce] . 90011:90021(10) ack 1
        +0     > . 1:1(0) ack 11
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC3168-6.1.1", "RFC3168-6.1.1.1")
def test_who_has_repeated_its_syn_without_does_not_use_ecn(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > SEW 0:0(0) <...>
        +1     > S 0:0(0) <...>
        +.1    < SE. 0:0(0) ack 1 <mss 1000>
        +0     > . 1:1(0) ack 1
        +0     write 10
        +0     > [noecn] P. 1:11(10) ack 1
        """,
        family,
        ASKING,
    )
