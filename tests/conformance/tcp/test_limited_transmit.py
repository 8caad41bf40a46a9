"""New data for the first two duplicates, so that a third may come: RFC 3042."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import WINDOWS
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
COUNTING = with_tcp(WINDOWS, rack=False)


@FAMILIES
@pytest.mark.rule("RFC3042-2", "RFC5681-3.2")
def test_each_of_the_first_two_duplicates_lets_one_segment_out(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     write 50000
        +0     > . 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1
        +0     > . 10001:11001(1000) ack 1
        +.01   < . 1:1(0) ack 1
        +0     > . 11001:12001(1000) ack 1
        +.01   < . 1:1(0) ack 1
        +0     > . 1:1001(1000) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC3042-2")
def test_not_beyond_the_window_of_the_peer(family: Family) -> None:
    script(
        """
        +0     established mss 1000 win 10500
        +0     write 50000
        +0     > . 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 win 10500
        +0     < . 1:1(0) ack 1 win 10500
        +0     < . 1:1(0) ack 1 win 10500
        +0     > . 1:1001(1000) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC3042-2", "RFC6675-2")
def test_with_sack_only_what_tells_of_something_new_counts(family: Family) -> None:
    script(
        """
        +0     established mss 1000 sackOK
        +0     write 50000
        +0     > . 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1                                  # without any block
        +0     < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
        +0     > . 10001:11001(1000) ack 1
        +0     < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>         # known
        +0     < . 1:1(0) ack 1 <nop,nop,sack 1001:3001>
        +0     > . 11001:12001(1000) ack 1
        +0     < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
        +0     > . 1:1001(1000) ack 1
        """,
        family,
        COUNTING,
    )


@FAMILIES
@pytest.mark.rule("RFC3042-2")
def test_the_window_itself_has_not_grown_by_it(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     write 50000
        +0     > . 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1
        +0     > . 10001:11001(1000) ack 1
        +0     < . 1:1(0) ack 1
        +0     > . 11001:12001(1000) ack 1
        +0     < . 1:1(0) ack 2001               # only overtaken: slow start adds these two, to ten
        +0     > . 12001:14001(2000) ack 1 by 1000
        """,
        family,
    )
