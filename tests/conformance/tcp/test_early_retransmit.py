"""Few segments in flight cannot cause three duplicates: RFC 5827, where RACK is off."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
COUNTING = pytest.mark.parametrize(
    "behaviour",
    [with_tcp(WINDOWS, rack=False), with_tcp(LINUX, rack=False)],
    ids=["windows", "linux"],
)


@FAMILIES
@COUNTING
@pytest.mark.rule("RFC5827-3.1", "RFC6675-4")
def test_of_two_segments_one_reported_makes_the_other_lost(family: Family, behaviour: Behaviour) -> None:
    script(
        """
        +0     established mss 1000 sackOK
        +0     write 2000
        +0     > P. 1:2001(2000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
        +0     > . 1:1001(1000) ack 1
        +.1    < . 1:1(0) ack 2001
        +3     nothing
        """,
        family,
        behaviour,
    )


@FAMILIES
@COUNTING
@pytest.mark.rule("RFC5827-3.1", "RFC6675-4")
def test_of_three_segments_two_have_to_be_reported(family: Family, behaviour: Behaviour) -> None:
    script(
        """
        +0     established mss 1000 sackOK
        +0     write 3000
        +0     > P. 1:3001(3000) ack 1 by 1000
        +.05   < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
        +.05   < . 1:1(0) ack 1 <nop,nop,sack 1001:3001>
        +0     > . 1:1001(1000) ack 1
        +.1    < . 1:1(0) ack 3001
        +3     nothing
        """,
        family,
        behaviour,
    )


@FAMILIES
@COUNTING
@pytest.mark.rule("RFC5827-3.1")
def test_of_four_segments_three(family: Family, behaviour: Behaviour) -> None:
    script(
        """
        +0     established mss 1000 sackOK
        +0     write 4000
        +0     > P. 1:4001(4000) ack 1 by 1000
        +.03   < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
        +.03   < . 1:1(0) ack 1 <nop,nop,sack 1001:3001>
        +.03   < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
        +0     > . 1:1001(1000) ack 1
        +.1    < . 1:1(0) ack 4001
        +3     nothing
        """,
        family,
        behaviour,
    )


@FAMILIES
@pytest.mark.rule("RFC5827-3.1", "RFC3042-2")
def test_while_there_is_new_data_that_goes_out_in_its_place(family: Family) -> None:
    script(
        """
        0      established mss 1000 sackOK win 2000
        0      write 4000
        0      > . 1:2001(2000) ack 1 by 1000
        .1     < . 1:1(0) ack 1 win 4000 <nop,nop,sack 1001:2001>
        .1     > P. 2001:4001(2000) ack 1 by 1000
        .2     < . 1:1(0) ack 1 win 4000 <nop,nop,sack 1001:3001>
        .2     < . 1:1(0) ack 1 win 4000 <nop,nop,sack 1001:4001>
        .2     > . 1:1001(1000) ack 1
        .3     < . 1:1(0) ack 4001 win 4000
        +3     nothing
        """,
        family,
        with_tcp(WINDOWS, rack=False),
    )
