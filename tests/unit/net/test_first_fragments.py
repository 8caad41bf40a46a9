"""Fragments and the headers behind: what the first one has to hold, atomic ones, and what comes in none."""

from __future__ import annotations

import pytest
from scapy.layers.inet import TCP
from scapy.layers.inet6 import ICMPv6ND_NS, ICMPv6ParamProblem, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment

from tests.unit.net.fragments import DATA, UDP_HEADER, make_lab, part, three_parts
from tests.unit.net.lab import IF1, Lab
from wsknet.trace import DropReason
from wsknet.types import Family


@pytest.fixture
def lab() -> Lab:
    return make_lab()


@pytest.mark.rule("RFC1858-3")
@pytest.mark.parametrize(
    ("offset", "size", "protocol", "is_tiny"),
    [(0, 8, 6, True), (0, 16, 6, False), (8, 8, 6, True), (16, 8, 6, False), (0, 8, 17, False), (8, 8, 17, False)],
)
def test_tcp_flags_are_not_hidden_in_a_second_fragment(
    lab: Lab, offset: int, size: int, protocol: int, is_tiny: bool
) -> None:
    lab.arrive(IF1, part(Family.IPV4, offset, bytes(size), protocol=protocol))

    assert lab.drops == ({DropReason.FRAGMENT_TINY: 1} if is_tiny else {})
    assert lab.take() == []


@pytest.mark.rule("RFC7112-5", "RFC8200-4.5")
@pytest.mark.parametrize(
    ("headers", "protocol", "is_whole"),
    [
        (bytes(TCP())[:16], 6, False),
        (bytes(TCP()) + bytes(4), 6, True),
        (UDP_HEADER, 17, True),
        (bytes(IPv6ExtHdrDestOpt(nh=17)), 60, False),
        (bytes(IPv6ExtHdrDestOpt(nh=17)) + UDP_HEADER, 60, True),
        (bytes(IPv6ExtHdrDestOpt(nh=6)) + bytes(16), 60, False),
        (bytes(IPv6ExtHdrDestOpt(nh=60)) + b"\x11\1" + bytes(6), 60, False),
        (bytes(IPv6ExtHdrDestOpt(nh=200)) + bytes(8), 60, True),
        (bytes(IPv6ExtHdrDestOpt(nh=59)), 60, True),
    ],
)
def test_the_first_fragment_has_all_headers(lab: Lab, headers: bytes, protocol: int, is_whole: bool) -> None:
    lab.arrive(IF1, part(Family.IPV6, 0, headers, protocol=protocol))

    if is_whole:
        assert (lab.drops, len(lab.ip.reassembly)) == ({}, 1)
        return
    assert (lab.drops, len(lab.ip.reassembly)) == ({DropReason.FRAGMENT_TINY: 1}, 0)
    answer = lab.take_one()[ICMPv6ParamProblem]
    assert (answer.code, answer.ptr) == (3, 0)


@pytest.mark.rule("RFC6946-4")
def test_an_atomic_fragment_has_nothing_to_do_with_others(lab: Lab) -> None:
    first, second, third = three_parts(Family.IPV6)
    for each in (first, second):
        lab.arrive(IF1, each)
    atomic = part(Family.IPV6, 0, UDP_HEADER + b"alone", has_more=False)
    lab.arrive(IF1, atomic)
    lab.arrive(IF1, third)

    alone, together = lab.udp.packets
    assert (alone.payload, alone.raw) == (UDP_HEADER + b"alone", bytes(atomic))
    assert together.payload == DATA
    assert lab.drops == {}


@pytest.mark.rule("RFC6946-4")
@pytest.mark.parametrize("data", [b"", b"cut", bytes(8)])
def test_an_atomic_fragment_is_no_worse_than_a_packet(lab: Lab, data: bytes) -> None:
    lab.arrive(IF1, part(Family.IPV6, 0, data, has_more=False))

    assert [packet.payload for packet in lab.udp.packets] == [data]


def test_a_header_that_nobody_knows_is_pointed_at_behind_an_atomic_fragment_header(lab: Lab) -> None:
    lab.arrive(IF1, part(Family.IPV6, 0, b"whatever", has_more=False, protocol=200))

    answer = lab.take_one()[ICMPv6ParamProblem]
    assert (answer.code, answer.ptr) == (1, 40)


def test_a_fragment_of_a_fragment_is_refused(lab: Lab) -> None:
    inner = bytes(IPv6ExtHdrFragment(nh=17, id=9)) + DATA
    lab.arrive(IF1, part(Family.IPV6, 0, inner, has_more=False, protocol=44))
    lab.arrive(IF1, part(Family.IPV6, 0, inner[:48], protocol=44))
    lab.arrive(IF1, part(Family.IPV6, 48, inner[48:], protocol=44, has_more=False))

    assert lab.udp.packets == []
    assert lab.drops == {DropReason.FRAGMENT_MALFORMED: 2}
    answers = [frame[ICMPv6ParamProblem] for _, frame in lab.take()]
    assert [(answer.code, answer.ptr) for answer in answers] == [(0, 40), (0, 6)]


@pytest.mark.rule("RFC6980-5")
def test_neighbour_discovery_never_comes_in_fragments(lab: Lab) -> None:
    message = bytes(IPv6(src="fe80::50", dst="fe80::a", hlim=255) / ICMPv6ND_NS(tgt="fe80::a"))[40:]
    whole = part(Family.IPV6, 0, message, has_more=False, protocol=58, src="fe80::50", dst="fe80::a", hlim=255)
    cut = [
        part(Family.IPV6, 16, message[16:], False, protocol=58, src="fe80::50", dst="fe80::a", hlim=255),
        part(Family.IPV6, 0, message[:16], protocol=58, src="fe80::50", dst="fe80::a", hlim=255),
    ]
    for each in (whole, *cut):
        lab.arrive(IF1, each)

    assert lab.take() == []
    assert lab.drops == {DropReason.ND_MALFORMED: 2}


@pytest.mark.rule("RFC8200-4.2")
def test_options_behind_the_fragment_header_are_read_when_all_is_there(lab: Lab) -> None:
    rest = bytes([17, 0, 0x9E, 4, 0, 0, 0, 0]) + DATA
    lab.arrive(IF1, part(Family.IPV6, 48, rest[48:], has_more=False, protocol=60))
    lab.arrive(IF1, part(Family.IPV6, 0, rest[:48], protocol=60))

    answer = lab.take_one()[ICMPv6ParamProblem]
    assert (answer.code, answer.ptr) == (2, 42)
    assert bytes(answer.payload)[40:] == rest
    assert lab.drops == {DropReason.IP_UNKNOWN_OPTION: 1}
