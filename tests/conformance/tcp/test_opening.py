"""How connections begin: RFC 9293 3.5, 3.7.1, 3.8.3, 3.9.1; RFC 1122 4.2.3.9."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
_DEFAULT_MSS = {Family.IPV4: 536, Family.IPV6: 1220}


@FAMILIES
@pytest.mark.rule("RFC9293-3.5", "RFC9293-MUST-44")
def test_active_open(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) win 65535 <...>
        +.020  < S. 0:0(0) ack 1 <mss 1000>
        +0     > . 1:1(0) ack 1
        +0     told CONNECTED
        +0     state ESTABLISHED
        +60    nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.5", "RFC9293-MUST-45")
def test_passive_open(family: Family) -> None:
    script(
        """
        +0     listen
        +0     < S 0:0(0) <mss 1000>
        +0     > S. 0:0(0) ack 1 <mss $mss>
        +0     accept none
        +.020  < . 1:1(0) ack 1
        +0     told ACCEPTABLE
        +0     accept
        +0     state ESTABLISHED
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.5", "RFC9293-MUST-10")
def test_simultaneous_open(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +.010  < S 0:0(0) <mss 1000>
        +0     > S. 0:0(0) ack 1 <mss $mss>
        +0     state SYN_RECEIVED
        +.010  < S. 0:0(0) ack 1 <mss 1000>
        +0~+.2 > . 1:1(0) ack 1
        +0     told CONNECTED
        +0     write 100
        +0     > P. 1:101(100) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-11", "RFC9293-3.10.7.4")
def test_syn_received_remembers_where_it_came_from(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +0     < S 0:0(0) <mss 1000>
        +0     > S. 0:0(0) ack 1 <...>
        +0     < R 1:1(0)
        +0     told FAILED
        +0     error REFUSED
        """,
        family,
    )
    script(
        """
        +0     listen
        +0     < S 0:0(0) <mss 1000>
        +0     > S. 0:0(0) ack 1 <...>
        +0     < R 1:1(0)
        +0     told nothing
        +0     state LISTEN
        +0     connections 0
        +0     < S 1000:1000(0) <mss 1000>
        +0     > S. 0:0(0) ack 1001 <...>
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-15", "RFC9293-MUST-16")
def test_a_peer_without_mss_option_gets_the_default_of_the_family(family: Family) -> None:
    size = _DEFAULT_MSS[family]
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +0     < S. 0:0(0) ack 1
        +0     > . 1:1(0) ack 1
        +0     write $length
        +0     > P. 1:$end ack 1 by $size
        """,
        family,
        size=size,
        length=3 * size,
        end=3 * size + 1,
    )


@pytest.mark.parametrize(("mtu", "mss"), [(1500, 1460), (576, 536), (9000, 8960)])
@pytest.mark.rule("RFC9293-MUST-14", "RFC9293-MUST-67", "RFC9293-MUST-65")
def test_the_mss_option_says_what_our_link_takes_and_is_on_syns_alone(mtu: int, mss: int) -> None:
    script(
        """
        +0     listen
        +0     < S 0:0(0) <mss 1460>
        +0     > S. 0:0(0) ack 1 <mss $size>
        +0     < . 1:1(0) ack 1
        +0     accept
        +0     write 10
        +0     > P. 1:11(10) ack 1 <>
        """,
        mtu=mtu,
        size=mss,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-16", "RFC9293-SHLD-28")
def test_segments_are_as_large_as_the_smaller_of_both_sides_takes(family: Family) -> None:
    for theirs in (700, 5000):
        size = min(theirs, 1500 - (40 if family is Family.IPV4 else 60))
        script(
            """
            +0     established mss $theirs
            +0     write $length
            +0     > P. 1:$end ack 1 by $size
            """,
            family,
            theirs=theirs,
            size=size,
            length=3 * size,
            end=3 * size + 1,
        )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-6", "RFC9293-MUST-64", "RFC9293-MUST-5")
def test_unknown_options_are_skipped_in_every_segment_and_at_any_alignment(family: Family) -> None:
    script(
        """
        +0     listen
        +0     < S 0:0(0) <opt 253 0102030405,mss 1000,nop,opt 254>
        +0     > S. 0:0(0) ack 1 <mss $mss>
        +0     < . 1:1(0) ack 1 <opt 253 010203>
        +0     accept
        +0     < P. 1:6(5) ack 1 <nop,opt 77 00,eol> "hello"
        +0     read 5
        +.040  > . 1:1(0) ack 6
        +0     write 2000
        +0     > P. 1:2001(2000) ack 6 by 1000
        """,
        family,
    )


@pytest.mark.parametrize("option", ["opt 2 05", "opt 3", "opt 8 0102"], ids=["short MSS", "empty scale", "short TS"])
@pytest.mark.rule("RFC9293-MUST-7", "RFC9293-MUST-68")
def test_an_option_of_impossible_length_costs_the_segment_and_nothing_more(option: str) -> None:
    script(
        """
        +0     listen
        +0     < S 0:0(0) <$option>
        +0     drops TCP_BAD_OPTIONS
        +0     < S 0:0(0) <mss 1000>
        +0     > S. 0:0(0) ack 1 <...>
        """,
        option=option,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-22", "RFC6298-5.5", "RFC9293-MUST-20")
def test_a_syn_is_repeated_ever_more_slowly_and_given_up(family: Family) -> None:
    script(
        """
        0      connect
        0      > S 0:0(0) <...>
        1      > S 0:0(0) <...>
        3      > S 0:0(0) <...>
        7      > S 0:0(0) <...>
        15     > S 0:0(0) <...>
        30.999 told nothing
        31     told FAILED
        +0     error TIMED_OUT
        """,
        family,
    )


@pytest.mark.rule("RFC9293-MUST-21", "RFC9293-MUST-23")
def test_a_host_can_be_told_to_try_for_three_minutes() -> None:
    script(
        """
        0       connect
        0       > S 0:0(0) <...>
        1       > S 0:0(0) <...>
        3       > S 0:0(0) <...>
        7       > S 0:0(0) <...>
        15      > S 0:0(0) <...>
        31      > S 0:0(0) <...>
        63      > S 0:0(0) <...>
        123     > S 0:0(0) <...>     # 60 s, the most between two
        182.999 told nothing
        183     told FAILED
        """,
        behaviour=with_tcp(WINDOWS, syn_retries=7),
    )


@FAMILIES
@pytest.mark.parametrize("behaviour", [WINDOWS, LINUX], ids=lambda behaviour: behaviour.name)
@pytest.mark.rule("RFC6298-5.7", "RFC9293-MUST-18")
def test_no_round_trip_is_measured_with_a_syn_that_was_repeated(family: Family, behaviour: Behaviour) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +1     > S 0:0(0) <...>
        +.010  < S. 0:0(0) ack 1 <mss 1000>
        +0     > . 1:1(0) ack 1
        +0     write 100
        +0     > P. 1:101(100) ack 1
        +3     > P. 1:101(100) ack 1    # the timeout after a lost SYN, not 10 ms and a little
        """,
        family,
        behaviour,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.4")
def test_streams_cross_the_end_of_the_number_space_both_ways(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     write 4000
        +0     > P. 1:4001(4000) ack 1 by 1000
        +.010  < . 1:5(4) ack 4001
        +.040  > . 4001:4001(0) ack 5
        +0     < P. 5:2005(2000) ack 4001
        +.040  > . 4001:4001(0) ack 2005
        +0     read 2004
        +0     unacknowledged 0
        """,
        family,
    )
