"""Segments that fit the path: RFC 1191 and RFC 8201 where routers tell, RFC 4821 where they do not, RFC 5927 where they
lie.
"""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
HEADERS = {Family.IPV4: 40, Family.IPV6: 60}


@FAMILIES
@pytest.mark.rule("RFC1191-6.4", "RFC8201-5.4")
def test_what_was_too_big_is_repeated_in_smaller_pieces_at_once_and_the_window_stays(family: Family) -> None:
    full, room = 1500 - HEADERS[family], 1300 - HEADERS[family]
    script(
        """
        +0     established mss 1460
        +0     write $written
        +0     > P. 1:$end ack 1 by $full
        +.01   < . 1:1(0) ack $eight
        +0     < [$eight:$nine($full)] icmp frag_needed mtu 1300
        +0     > . $eight:$first ack 1
        +0     > . $first:$nine ack 1
        +0     > . $nine:$second ack 1
        +0     > P. $second:$end ack 1
        +.01   < . 1:1(0) ack $end
        +0     write 100000
        +0     > . $end:$to ack 1 by $room      # RFC 9406 4.2: ten, and eight for those acknowledged
        """,
        family,
        written=10 * full,
        full=full,
        room=room,
        eight=1 + 8 * full,
        nine=1 + 9 * full,
        end=1 + 10 * full,
        first=1 + 8 * full + room,
        second=1 + 9 * full + room,
        to=1 + 10 * full + room * (18 * full // room),
    )


@FAMILIES
@pytest.mark.rule("RFC1191-6.3", "RFC8201-5.3")
def test_after_ten_minutes_the_large_size_is_tried_again(family: Family) -> None:
    full, room = 1500 - HEADERS[family], 1300 - HEADERS[family]
    script(
        """
        0      established mss 1460
        0      write $full
        0      > P. 1:$end ack 1
        .01    < [1:$end($full)] icmp frag_needed mtu 1300
        .01    > . 1:$cut ack 1
        .01    > P. $cut:$end ack 1
        .02    < . 1:1(0) ack $end
        590    write $full
        590    > . $end:$shorter ack 1
        590.01 < . 1:1(0) ack $shorter
        590.01 > P. $shorter:$second ack 1
        590.02 < . 1:1(0) ack $second
        610    write 10
        610    > P. $second:$third ack 1
        610.01 < . 1:1(0) ack $third
        611    write $full
        611    > P. $third:$fourth ack 1
        """,
        family,
        full=full,
        cut=1 + room,
        end=1 + full,
        shorter=1 + full + room,
        second=1 + 2 * full,
        third=11 + 2 * full,
        fourth=11 + 3 * full,
    )


@FAMILIES
@pytest.mark.rule("RFC5927-4.1", "RFC5927-7.2")
def test_a_router_that_quotes_what_is_not_in_flight_is_not_believed(family: Family) -> None:
    script(
        """
        +0     established mss 1460
        +0     write 100
        +0     > P. 1:101(100) ack 1
        +.01   < . 1:1(0) ack 101
        +0     < [1:101(100)] icmp frag_needed mtu 1280
        +0     < [5001:6001(1000)] icmp frag_needed mtu 1280
        +0     write 20000
        +0     > . 101:$end ack 1 by $mss
        """,
        family,
        end=101 + 10 * (1500 - HEADERS[family]),
    )


@pytest.mark.rule("RFC1191-3", "RFC5927-7.1")
def test_no_router_makes_segments_tiny_over_ipv4() -> None:
    """As min_pmtu of Linux has it; RFC 1191 would go down to 68."""
    script(
        """
        +0     established mss 1460
        +0     write 1024
        +0     > P. 1:1025 ack 1
        +.01   < [1:1025(1024)] icmp frag_needed mtu 100
        +0     > P. 1:1025 ack 1 by 512
        +.01   < . 1:1(0) ack 1025
        +3     nothing
        """,
    )


@pytest.mark.rule("RFC8201-4")
def test_over_ipv6_a_router_that_tells_less_than_1280_is_not_believed_at_all() -> None:
    script(
        """
        +0     established mss 1460
        +0     write 1440
        +0     > P. 1:1441 ack 1
        +.01   < [1:1441(1440)] icmp frag_needed mtu 1279
        +.01   < . 1:1(0) ack 1441
        +0     write 1440
        +0     > P. 1441:2881 ack 1
        +.01   < [1441:2881(1440)] icmp frag_needed mtu 1280
        +0     > P. 1441:2881 ack 1 by 1220
        """,
        Family.IPV6,
    )


@FAMILIES
@pytest.mark.rule("RFC4821-7.7", "RFC4821-7.2")
def test_a_hole_that_nobody_tells_of_is_found_by_the_third_timeout(family: Family) -> None:
    """Windows; Linux and BSD leave it off, and give up."""
    base = 1024 - 40 if family is Family.IPV4 else 1280 - 60
    script(
        """
        0      established mss 1460
        0      write $mss
        0      > P. 1:$end ack 1
        .3     > P. 1:$end ack 1
        .9     > P. 1:$end ack 1
        2.1    > . 1:$cut ack 1
        2.2    < . 1:1(0) ack $cut
        2.2    > P. $cut:$end ack 1
        2.3    < . 1:1(0) ack $end
        +3     nothing
        """,
        family,
        end=1501 - HEADERS[family],
        cut=1 + base,
    )


@FAMILIES
@pytest.mark.parametrize(
    "behaviour", [LINUX, with_tcp(WINDOWS, black_hole_detection=False)], ids=["linux", "switched off"]
)
@pytest.mark.rule("RFC4821-7.7")
def test_where_it_is_off_the_size_stays(family: Family, behaviour: Behaviour) -> None:
    first = behaviour.tcp.min_rto / 1e9
    script(
        """
        0       established mss 1460
        0       write $mss
        0       > P. 1:$end ack 1
        +$one   > P. 1:$end ack 1
        +$two   > P. 1:$end ack 1
        +$four  > P. 1:$end ack 1
        +$eight > P. 1:$end ack 1
        """,
        family,
        behaviour,
        end=1501 - HEADERS[family],
        one=first,
        two=2 * first,
        four=4 * first,
        eight=8 * first,
    )


@FAMILIES
@pytest.mark.rule("RFC4821-7.7", "RFC5681-3.1")
def test_short_segments_that_time_out_are_no_hole(family: Family) -> None:
    script(
        """
        0      established mss 1460
        0      write 500
        0      > P. 1:501(500) ack 1
        .3     > P. 1:501(500) ack 1
        .9     > P. 1:501(500) ack 1
        2.1    > P. 1:501(500) ack 1
        2.2    < . 1:1(0) ack 501
        2.2    write $mss
        2.2    > P. 501:$end ack 1
        """,
        family,
        end=2001 - HEADERS[family],
    )
