"""ICMP errors about segments: RFC 9293 3.9.2.2, RFC 1122 4.2.3.9, RFC 5461, RFC 5927, RFC 1191, RFC 8201."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import LINUX, WINDOWS
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
SOFT = pytest.mark.parametrize(
    "kind", ["net_unreachable", "host_unreachable", "admin_prohibited", "time_exceeded", "param_problem"]
)
HARD = pytest.mark.parametrize(
    ("kind", "error"), [("port_unreachable", "PORT_UNREACHABLE"), ("proto_unreachable", "PROTOCOL_UNREACHABLE")]
)


@FAMILIES
@SOFT
@pytest.mark.rule("RFC9293-MUST-54", "RFC9293-MUST-56")
def test_soft_errors_end_no_connection(family: Family, kind: str) -> None:
    script(
        """
        +0     established
        +0     write 100
        +0     > P. 1:101(100) ack 1
        +.010  < [1:101(100)] icmp $kind
        +0     state ESTABLISHED
        +0     told nothing
        +.290  > P. 1:101(100) ack 1
        +.010  < . 1:1(0) ack 101
        +0     told SENT
        """,
        family,
        kind=kind,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-SHLD-25", "RFC1122-4.2.3.9")
def test_a_soft_error_is_the_reason_when_the_retries_are_used_up(family: Family) -> None:
    script(
        """
        0      established
        0      write 100
        0      > P. 1:101(100) ack 1
        .010   < [1:101(100)] icmp host_unreachable
        .3     > P. 1:101(100) ack 1
        .9     > R 101:101(0)
        +0     told FAILED
        +0     error HOST_UNREACHABLE
        """,
        family,
        with_tcp(WINDOWS, data_retries=1),
    )


@FAMILIES
@HARD
@pytest.mark.rule("RFC9293-SHLD-26", "RFC5927-5.2")
def test_hard_errors_end_an_attempt_to_connect_but_no_connection(family: Family, kind: str, error: str) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +.010  < [0:0(0)] icmp $kind
        +0     told FAILED
        +0     error $error
        """,
        family,
        kind=kind,
        error=error,
    )
    script(
        """
        +0     established
        +0     write 100
        +0     > P. 1:101(100) ack 1
        +.010  < [1:101(100)] icmp $kind
        +0     state ESTABLISHED
        +.290  > P. 1:101(100) ack 1
        """,
        family,
        kind=kind,
    )


@FAMILIES
@pytest.mark.rule("RFC5927-4.1")
def test_an_error_about_a_segment_that_is_not_in_flight_is_forged_or_late(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +.010  < [1:1(0)] icmp port_unreachable
        +0     drops ICMP_NO_ENDPOINT
        +0     state SYN_SENT
        +0     < S. 0:0(0) ack 1 <mss 1000>
        +0     > . 1:1(0) ack 1
        +0     < [0:0(0)] icmp port_unreachable
        +0     drops ICMP_NO_ENDPOINT
        +0     state ESTABLISHED
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC5461-4.1")
def test_with_the_rules_of_linux_a_soft_error_ends_an_attempt_to_connect(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +.010  < [0:0(0)] icmp host_unreachable
        +0     told FAILED
        +0     error HOST_UNREACHABLE
        """,
        family,
        LINUX,
    )
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +.010  < [0:0(0)] icmp host_unreachable
        +.990  > S 0:0(0) <...>
        """,
        family,
        WINDOWS,
    )


@pytest.mark.parametrize(
    ("family", "mtu", "size"), [(Family.IPV4, 1000, 960), (Family.IPV6, 1280, 1220)], ids=["IPV4", "IPV6"]
)
@pytest.mark.rule("RFC1191-6.4", "RFC8201-4", "RFC9293-SHLD-6")
def test_packet_too_big_makes_segments_smaller_and_repeats_what_was_lost(family: Family, mtu: int, size: int) -> None:
    length = 1500 - (40 if family is Family.IPV4 else 60)
    script(
        """
        +0     established mss $mss
        +0     write $length
        +0     > P. 1:$end ack 1
        +.010  < [1:$end($length)] icmp frag_needed mtu $hop
        +0     > . 1:$first ack 1
        +0     > P. $first:$end ack 1
        +.010  < . 1:1(0) ack $end
        +0     write $size
        +0     > P. $end:$next ack 1
        """,
        family,
        length=length,
        end=length + 1,
        first=size + 1,
        size=size,
        next=length + 1 + size,
        hop=mtu,
    )
