"""How much goes out before anything is acknowledged, and after a pause: RFC 6928 2, RFC 5681 3.1 and 4.1."""

from __future__ import annotations

import pytest

from tests.support.tcp_script import script
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
SETS = pytest.mark.parametrize("behaviour", [WINDOWS, LINUX], ids=lambda behaviour: behaviour.name)


@FAMILIES
@pytest.mark.parametrize(
    ("size", "segments"),
    [
        (536, 10),
        (1220, 10),
        (1460, 10),  # 14600
        (1461, 9),  # no more than 14600 bytes
        (4000, 3),
        (7300, 2),
        (8900, 2),  # but two at least
    ],
)
@pytest.mark.rule("RFC6928-2")
def test_ten_segments_of_at_most_14600_bytes_or_two(family: Family, size: int, segments: int) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +.1    < S. 0:0(0) ack 1 <mss $size>
        +0     > . 1:1(0) ack 1
        +0     write 100000
        +0     > . 1:$end ack 1 by $size
        +.1    nothing
        """,
        family,
        mtu=9000,
        size=size,
        end=1 + size * segments,
    )


@FAMILIES
@pytest.mark.rule("RFC6928-2", "RFC9293-3.7.1")
def test_with_full_ethernet_frames_it_is_ten_of_them(family: Family) -> None:
    size = 1460 if family is Family.IPV4 else 1440
    script(
        """
        +0     established mss 1460
        +0     write 100000
        +0     > . 1:$end ack 1 by $size
        +.1    nothing
        """,
        family,
        size=size,
        end=1 + 10 * size,
    )


@FAMILIES
@SETS
@pytest.mark.rule("RFC6928-2", "RFC5681-3.1")
def test_who_accepted_starts_with_ten_segments_too(family: Family, behaviour: Behaviour) -> None:
    script(
        """
        +0     accepted mss 1000
        +0     write 20000
        +0     > . 1:10001(10000) ack 1 by 1000
        +.1    nothing
        """,
        family,
        behaviour,
    )


@FAMILIES
@pytest.mark.rule("RFC6928-2", "RFC5681-3.1", "RFC6298-5.7")
def test_after_a_lost_syn_one_segment_starts(family: Family) -> None:
    script(
        """
        0      connect
        0      > S 0:0(0) <...>
        1      > S 0:0(0) <...>
        1.1    < S. 0:0(0) ack 1 <mss 1000>
        1.1    > . 1:1(0) ack 1
        1.1    write 10000
        1.1    > . 1:1001(1000) ack 1
        1.2    < . 1:1(0) ack 1001
        1.2    > . 1001:3001(2000) ack 1 by 1000
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC6928-2", "RFC5681-3.1")
def test_after_a_lost_syn_ack_one_segment_starts(family: Family) -> None:
    script(
        """
        0      listen
        0      < S 0:0(0) <mss 1000>
        0      > S. 0:0(0) ack 1 <...>
        1      > S. 0:0(0) ack 1 <...>
        1.1    < . 1:1(0) ack 1
        1.1    accept
        1.1    write 10000
        1.1    > . 1:1001(1000) ack 1
        1.2    < . 1:1(0) ack 1001
        1.2    > . 1001:3001(2000) ack 1 by 1000
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC5681-4.1")
def test_a_pause_shorter_than_the_timeout_costs_nothing(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.01   < . 1:1(0) ack 10001
        +.29   write 20000                                  # MinRto is 0.3
        +0     > . 10001:28001(18000) ack 1 by 1000         # RFC 9406 4.2: one acknowledgement adds 8 segments
        """,
        family,
    )
    script(
        """
        +0     established mss 1000
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.01   < . 1:1(0) ack 10001
        +.31   write 20000
        +0     > . 10001:20001(10000) ack 1 by 1000
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC5681-4.1")
def test_after_an_idle_time_a_window_smaller_than_the_initial_one_stays_as_it_is(family: Family) -> None:
    script(
        """
        0      established mss 1000
        0      write 1000
        0      > P. 1:1001(1000) ack 1
        .3     > P. 1:1001(1000) ack 1
        .31    < . 1:1(0) ack 1001
        60     write 10000
        60     > . 1001:3001(2000) ack 1 by 1000
        """,
        family,
    )
