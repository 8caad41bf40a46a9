"""Fragments that become packets, and those that must not: order, overlaps, lengths, time, bounds."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NS,
    ICMPv6ParamProblem,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    PadN,
)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.unit.net.lab import IF1, IF2, PEER_MAC, A, Lab, datagram, mac_of, ping
from wsknet.config import ReassemblyConfig, StackConfig
from wsknet.net import changes
from wsknet.net.packet import Cast
from wsknet.trace import DropReason
from wsknet.types import Family, FrameMeta

US = {Family.IPV4: "10.1.0.2", Family.IPV6: "2001:db8:1::2"}
PEER = {Family.IPV4: "10.1.0.50", Family.IPV6: "2001:db8:1::50"}
families = pytest.mark.parametrize("family", [Family.IPV4, Family.IPV6], ids=["IPv4", "IPv6"])
UDP_HEADER = bytes(UDP(sport=2000, dport=1000, len=0, chksum=0))
DATA = UDP_HEADER + bytes(range(92))
"""100 bytes of transport."""


def make_lab(reassembly: ReassemblyConfig | None = None) -> Lab:
    lab = Lab(config=StackConfig(reassembly=reassembly or ReassemblyConfig()))
    lab.interface(IF1, "10.1.0.2/24", "fe80::a/64", "2001:db8:1::2/64")
    lab.interface(IF2, "10.2.0.2/24", "fe80::b/64", "2001:db8:2::2/64")
    for peer in PEER.values():
        lab.know(IF1, peer)
    return lab


@pytest.fixture
def lab() -> Lab:
    return make_lab()


def part(
    family: Family, offset: int, data: bytes, has_more: bool = True, number: int = 7, protocol: int = 17, **fields: Any
) -> Any:
    """One fragment; `fields` are those of the IP header."""
    if family is Family.IPV4:
        header = IP(**{"src": PEER[family], "dst": US[family], **fields}, proto=protocol, id=number)
        header.frag, header.flags = offset // 8, "MF" if has_more else ""
        return header / Raw(data)
    header = IPv6(**{"src": PEER[family], "dst": US[family], **fields})
    return header / IPv6ExtHdrFragment(nh=protocol, offset=offset // 8, m=has_more, id=number) / Raw(data)


def three_parts(family: Family, **fields: Any) -> list[Any]:
    return [
        part(family, 0, DATA[:40], **fields),
        part(family, 40, DATA[40:80], **fields),
        part(family, 80, DATA[80:], has_more=False, **fields),
    ]


@families
@pytest.mark.rule("RFC791-3.2", "RFC8200-4.5", "RFC1122-3.3.2")
def test_the_order_of_arrival_does_not_matter(lab: Lab, family: Family) -> None:
    for order in permutations(three_parts(family)):
        for each in order:
            lab.arrive(IF1, each)

    assert [packet.payload for packet in lab.udp.packets] == [DATA] * 6
    assert (len(lab.ip.reassembly), lab.ip.reassembly.held_bytes) == (0, 0)
    assert lab.drops == {}


def test_the_packet_is_as_it_was_before_it_was_cut(lab: Lab) -> None:
    first, second, third = three_parts(Family.IPV4, tos=0xB8, options=b"\x94\x04\0\0")
    first.ttl, second.ttl, third.ttl = 61, 62, 63
    for each in (third, first, second):
        lab.arrive(IF1, each)

    [packet] = lab.udp.packets
    whole = IP(src=PEER[Family.IPV4], dst=US[Family.IPV4], ttl=61, tos=0xB8, id=7, proto=17, options=b"\x94\x04\0\0")
    assert packet.raw == bytes(whole / Raw(DATA))
    assert (packet.hop_limit, packet.traffic_class, packet.cast, packet.zone) == (61, 0xB8, Cast.UNICAST, 0)
    assert (packet.protocol, packet.interface.index, packet.checksum_trusted) == (17, IF1, False)


@pytest.mark.rule("RFC8200-4.5")
def test_the_headers_before_the_fragment_header_stay_and_it_goes(lab: Lab) -> None:
    rest = bytes(IPv6ExtHdrDestOpt(nh=17)) + DATA
    before = IPv6(src="fe80::50", dst="fe80::a", tc=0xB8, fl=0x12345, hlim=61) / IPv6ExtHdrDestOpt()
    # The next header of later fragments means nothing.
    for offset, end, protocol in ((40, 80, 59), (0, 40, 60), (80, 108, 6)):
        cut = IPv6ExtHdrFragment(nh=protocol, offset=offset // 8, m=end < len(rest), id=7)
        lab.arrive(IF1, before.copy() / cut / Raw(rest[offset:end]))

    [packet] = lab.udp.packets
    assert packet.raw == bytes(before / IPv6ExtHdrDestOpt(nh=17) / Raw(DATA))
    assert packet.payload == DATA
    assert (packet.protocol, packet.hop_limit, packet.traffic_class, packet.zone) == (17, 61, 0xB8, IF1)


@pytest.mark.rule("RFC8200-4.5")
@pytest.mark.parametrize("length", [0, 800], ids=["short", "longer than the packet"])
def test_the_headers_before_the_fragment_header_of_later_fragments_mean_nothing(lab: Lab, length: int) -> None:
    first, _, _ = three_parts(Family.IPV6)
    lab.arrive(IF1, first)
    padding = [PadN(optdata=bytes(98))] * (length // 100)
    before = IPv6(src=PEER[Family.IPV6], dst=US[Family.IPV6]) / IPv6ExtHdrDestOpt(options=padding) / IPv6ExtHdrDestOpt()
    lab.arrive(IF1, before / IPv6ExtHdrFragment(nh=6, offset=5, id=7) / Raw(DATA[40:]))

    [packet] = lab.udp.packets
    assert (packet.payload, packet.protocol) == (DATA, 17)
    assert packet.raw == bytes(IPv6(src=PEER[Family.IPV6], dst=US[Family.IPV6], nh=17) / Raw(DATA))


@families
def test_no_device_has_checked_the_checksum_of_the_whole(lab: Lab, family: Family) -> None:
    for each in three_parts(family):
        kind = 0x0800 if family is Family.IPV4 else 0x86DD
        lab.ip.receive(IF1, bytes(Ether(dst=mac_of(IF1), src=PEER_MAC, type=kind) / each), lab.now, FrameMeta(True))

    [packet] = lab.udp.packets
    assert not packet.checksum_trusted


@families
def test_what_was_put_together_is_handled_like_any_packet(lab: Lab, family: Family) -> None:
    question: Any
    if family is Family.IPV4:
        question = ping(PEER[family], US[family]) / bytes(100)
    else:
        question = IPv6(src=PEER[family], dst=US[family]) / ICMPv6EchoRequest(id=1, data=bytes(100))
    rest = bytes(question)[20 if family is Family.IPV4 else 40 :]
    protocol = 1 if family is Family.IPV4 else 58
    lab.arrive(IF1, part(family, 48, rest[48:], has_more=False, protocol=protocol))
    lab.arrive(IF1, part(family, 0, rest[:48], protocol=protocol))

    answer = lab.take_one()
    kind = ICMP if family is Family.IPV4 else ICMPv6EchoReply
    assert bytes(answer[kind])[4:] == rest[4:]


@families
def test_packets_are_told_apart(lab: Lab, family: Family) -> None:
    """By sender, receiver and number; in IPv4 by protocol, in IPv6 by the link of a link-local address."""
    other = "10.1.0.51" if family is Family.IPV4 else "2001:db8:1::51"
    lab.arrive(IF1, part(family, 0, DATA[:96]))
    for different in (
        part(family, 96, DATA[96:], has_more=False, number=8),
        part(family, 96, DATA[96:], has_more=False, src=other),
    ):
        lab.arrive(IF1, different)
    if family is Family.IPV4:
        lab.arrive(IF1, part(family, 96, DATA[96:], has_more=False, protocol=6))
    assert (lab.udp.packets, len(lab.ip.reassembly)) == ([], 4 if family is Family.IPV4 else 3)

    lab.arrive(IF1, part(family, 96, DATA[96:], has_more=False))
    assert len(lab.udp.packets) == 1


@pytest.mark.rule("RFC4007-6")
def test_the_same_link_local_addresses_on_two_links_are_different() -> None:
    lab = Lab()
    lab.interface(IF1, "fe80::a/64")
    lab.interface(IF2, "fe80::a/64")
    first, second, third = three_parts(Family.IPV6, src="fe80::50", dst="fe80::a")
    for index, each in ((IF1, first), (IF2, second), (IF1, third)):
        lab.arrive(index, each)

    assert (lab.udp.packets, len(lab.ip.reassembly)) == ([], 2)


def test_fragments_of_one_packet_may_come_over_two_links(lab: Lab) -> None:
    lab.apply(changes.InterfaceChanged(IF2, weak_receive=True))
    for index, each in zip((IF1, IF2, IF1), three_parts(Family.IPV4), strict=True):
        lab.arrive(index, each)

    assert len(lab.udp.packets) == 1


@families
def test_fragments_to_a_group_are_put_together(lab: Lab, family: Family) -> None:
    group, mac = ("224.0.0.1", "01:00:5e:00:00:01") if family is Family.IPV4 else ("ff02::1", "33:33:00:00:00:01")
    for each in three_parts(family, dst=group):
        lab.arrive(IF1, each, mac=mac)

    [packet] = lab.udp.packets
    assert (packet.cast, packet.destination) == (Cast.MULTICAST, A(group))


# Overlaps


@families
@pytest.mark.rule("RFC5722-4", "RFC8200-4.5", "RFC1858-4")
@pytest.mark.parametrize(("offset", "end"), [(32, 48), (32, 40), (40, 56), (0, 96), (48, 56), (72, 88)])
def test_an_overlap_voids_the_packet_and_all_that_still_comes_of_it(
    lab: Lab, family: Family, offset: int, end: int
) -> None:
    first, second, third = three_parts(family)
    for each in (first, second, part(family, offset, DATA[offset:end]), third):
        lab.arrive(IF1, each)
    assert lab.drops == {DropReason.FRAGMENT_OVERLAP: 2}

    for each in (first, second, third):
        lab.arrive(IF1, each)
    lab.pass_time(100)
    assert (lab.udp.packets, lab.take()) == ([], [])
    assert lab.drops == {DropReason.FRAGMENT_OVERLAP: 5}
    assert len(lab.ip.reassembly) == 0

    for each in (first, second, third):
        lab.arrive(IF1, each)
    assert len(lab.udp.packets) == 1


@families
@pytest.mark.rule("RFC8200-4.5")
def test_a_fragment_that_comes_twice_is_ignored(lab: Lab, family: Family) -> None:
    first, second, third = three_parts(family)
    for each in (first, first, third, third, second):
        lab.arrive(IF1, each)

    assert [packet.payload for packet in lab.udp.packets] == [DATA]
    assert lab.drops == {DropReason.FRAGMENT_DUPLICATE: 2}


@families
def test_other_data_for_the_same_place_is_an_overlap(lab: Lab, family: Family) -> None:
    first, second, third = three_parts(family)
    for each in (first, part(family, 0, DATA[:39] + b"!"), second, third):
        lab.arrive(IF1, each)

    assert lab.udp.packets == []
    assert lab.drops == {DropReason.FRAGMENT_OVERLAP: 3}


@families
@pytest.mark.parametrize(
    "lie",
    [(48, DATA[48:56], False), (104, b"beyond..", True), (104, b"beyond..", False)],
    ids=["an end in the middle", "beyond the end", "an end beyond the end"],
)
def test_an_end_that_is_none_voids_the_packet(lab: Lab, family: Family, lie: tuple[int, bytes, bool]) -> None:
    first, second, third = three_parts(family)
    for each in (third, part(family, *lie), first, second):
        lab.arrive(IF1, each)

    assert lab.udp.packets == []
    assert lab.drops == {DropReason.FRAGMENT_MALFORMED: 3}


@families
def test_an_end_before_what_has_come_voids_the_packet(lab: Lab, family: Family) -> None:
    first, second, _ = three_parts(family)
    for each in (second, part(family, 32, DATA[32:40], has_more=False), first):
        lab.arrive(IF1, each)

    assert lab.udp.packets == []
    assert lab.drops == {DropReason.FRAGMENT_MALFORMED: 2}


# Lengths


@families
@pytest.mark.parametrize("size", [1, 7, 9, 41])
def test_all_parts_but_the_last_have_a_multiple_of_8_bytes(lab: Lab, family: Family, size: int) -> None:
    lab.arrive(IF1, part(family, 8, bytes(size)))

    assert lab.drops == {DropReason.FRAGMENT_MALFORMED: 1}
    assert len(lab.ip.reassembly) == 0
    if family is Family.IPV4:
        assert lab.take() == []
    else:
        answer = lab.take_one()[ICMPv6ParamProblem]
        assert (answer.code, answer.ptr) == (0, 4)


@families
@pytest.mark.rule("RFC8200-4.5")
def test_no_packet_is_longer_than_its_length_field_can_tell(lab: Lab, family: Family) -> None:
    room = 65535 - (20 if family is Family.IPV4 else 0)
    last = room & ~7
    lab.arrive(IF1, part(family, last, bytes(room - last), has_more=False))
    assert lab.drops == {}

    lab.arrive(IF1, part(family, last, bytes(room - last + 1), has_more=False, number=8))
    assert lab.drops == {DropReason.FRAGMENT_MALFORMED: 1}
    if family is Family.IPV4:
        assert lab.take() == []
    else:
        answer = lab.take_one()[ICMPv6ParamProblem]
        assert (answer.code, answer.ptr) == (0, 42)


def test_headers_before_the_fragment_header_count_too(lab: Lab) -> None:
    cut = IPv6ExtHdrFragment(nh=17, offset=8190, id=7)
    lab.arrive(IF1, IPv6(src=PEER[Family.IPV6], dst=US[Family.IPV6]) / IPv6ExtHdrDestOpt() / cut / Raw(bytes(8)))

    answer = lab.take_one()[ICMPv6ParamProblem]
    assert (answer.code, answer.ptr) == (0, 50)
    assert lab.drops == {DropReason.FRAGMENT_MALFORMED: 1}


@families
def test_the_headers_of_the_first_fragment_count_for_the_length(lab: Lab, family: Family) -> None:
    """Later ones may have fewer, so that it is seen only in the end."""
    room = 65535 - (20 if family is Family.IPV4 else 0)
    if family is Family.IPV4:
        first = part(family, 0, UDP_HEADER + bytes(32760), options=b"\1\1\1\0")
    else:
        cut = IPv6ExtHdrFragment(nh=17, m=1, id=7)
        first = IPv6(src=PEER[family], dst=US[family]) / IPv6ExtHdrDestOpt() / cut / Raw(UDP_HEADER + bytes(32760))
    lab.arrive(IF1, part(family, 32768, bytes(room - 32768), has_more=False))
    lab.arrive(IF1, first)

    assert lab.udp.packets == []
    assert lab.drops == {DropReason.FRAGMENT_MALFORMED: 1}
    assert lab.ip.reassembly.held_bytes < 300


@families
@pytest.mark.parametrize("has_more", [True, False])
def test_a_fragment_of_nothing_is_none(lab: Lab, family: Family, has_more: bool) -> None:
    first, second, third = three_parts(family)
    for each in (first, second, part(family, 80, b"", has_more), third):
        lab.arrive(IF1, each)

    assert len(lab.udp.packets) == 1
    assert lab.drops == {DropReason.FRAGMENT_MALFORMED: 1}


# First fragments


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


# Time


@families
@pytest.mark.rule("RFC8200-4.5", "RFC1122-3.3.2")
def test_the_sender_hears_that_a_packet_was_never_complete(lab: Lab, family: Family) -> None:
    first, second, _ = three_parts(family)
    lab.arrive(IF1, second)
    lab.pass_time(30)
    lab.arrive(IF1, first)
    lab.pass_time(29.9)
    assert (lab.take(), lab.drops) == ([], {})

    lab.pass_time(0.2)
    answer = lab.take_one()
    if family is Family.IPV4:
        assert (answer[ICMP].type, answer[ICMP].code) == (11, 1)
        assert bytes(answer[ICMP].payload) == bytes(first)
    else:
        assert answer[ICMPv6TimeExceeded].code == 1
        assert bytes(answer[ICMPv6TimeExceeded].payload) == bytes(first)
    assert lab.drops == {DropReason.FRAGMENT_TIMEOUT: 1}
    assert (len(lab.ip.reassembly), lab.ip.reassembly.held_bytes) == (0, 0)


@families
def test_nobody_hears_of_a_packet_whose_beginning_never_came(lab: Lab, family: Family) -> None:
    for each in three_parts(family)[1:]:
        lab.arrive(IF1, each)
    lab.pass_time(61)

    assert lab.take() == []
    assert lab.drops == {DropReason.FRAGMENT_TIMEOUT: 1}


@families
def test_each_packet_has_its_own_time(lab: Lab, family: Family) -> None:
    for number in range(3):
        lab.arrive(IF1, three_parts(family, number=number)[0])
        lab.pass_time(20)
    assert lab.drops == {DropReason.FRAGMENT_TIMEOUT: 1}
    for each in three_parts(family, number=1)[1:]:
        lab.arrive(IF1, each)
    assert len(lab.udp.packets) == 1
    lab.pass_time(39.9)
    assert lab.drops == {DropReason.FRAGMENT_TIMEOUT: 1}
    lab.pass_time(0.2)
    assert lab.drops == {DropReason.FRAGMENT_TIMEOUT: 2}
    assert len(lab.ip.reassembly) == 0


@families
def test_no_time_is_waited_for_without_fragments(lab: Lab, family: Family) -> None:
    before = lab.timers.next_deadline()
    for each in three_parts(family):
        lab.arrive(IF1, each)

    assert lab.timers.next_deadline() == before


def test_the_time_can_be_set() -> None:
    lab = make_lab(ReassemblyConfig(timeout=2_000_000_000))
    lab.arrive(IF1, three_parts(Family.IPV4)[0])
    lab.pass_time(2)

    assert lab.drops == {DropReason.FRAGMENT_TIMEOUT: 1}


# Bounds


@families
def test_the_oldest_packet_makes_room(family: Family) -> None:
    lab = make_lab(ReassemblyConfig(max_packets=2))
    for number in range(3):
        lab.arrive(IF1, three_parts(family, number=number)[0])
    assert (len(lab.ip.reassembly), lab.drops) == (2, {DropReason.FRAGMENTS_FULL: 1})

    for number in (1, 2):
        for each in three_parts(family, number=number)[1:]:
            lab.arrive(IF1, each)
    assert len(lab.udp.packets) == 2
    assert lab.take() == []


@families
def test_the_bytes_of_all_packets_are_bounded(family: Family) -> None:
    lab = make_lab(ReassemblyConfig(max_bytes=10_000))
    for number in range(20):
        lab.arrive(IF1, part(family, 0, UDP_HEADER + bytes(1192), number=number))
        assert lab.ip.reassembly.held_bytes <= 10_000
    assert 0 < len(lab.ip.reassembly) < 9
    assert lab.drops == {DropReason.FRAGMENTS_FULL: 20 - len(lab.ip.reassembly)}


def test_headers_take_room_too() -> None:
    lab = make_lab(ReassemblyConfig(max_bytes=10_000))
    for number in range(20):
        options = IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(240))] * 5)
        cut = IPv6ExtHdrFragment(nh=17, m=1, id=number)
        lab.arrive(IF1, IPv6(src=PEER[Family.IPV6], dst=US[Family.IPV6]) / options / cut / Raw(UDP_HEADER))
    assert len(lab.ip.reassembly) == 6
    assert lab.drops == {DropReason.FRAGMENTS_FULL: 14}


@families
def test_a_packet_in_too_many_pieces_is_given_up(family: Family) -> None:
    lab = make_lab(ReassemblyConfig(max_fragments=3))
    for start in range(0, 40, 8):
        lab.arrive(IF1, part(family, start, DATA[start : start + 8]))

    assert lab.drops == {DropReason.FRAGMENTS_FULL: 2}
    assert lab.ip.reassembly.held_bytes < 200


@families
def test_a_lost_link_takes_its_fragments_with_it(lab: Lab, family: Family) -> None:
    other = {Family.IPV4: "10.2.0.2", Family.IPV6: "2001:db8:2::2"}[family]
    first, second, third = three_parts(family)
    lab.arrive(IF1, first)
    lab.arrive(IF2, part(family, 0, DATA[:40], dst=other))
    lab.apply(changes.LinkDown(IF1))
    assert (len(lab.ip.reassembly), lab.drops) == (1, {DropReason.INTERFACE_DOWN: 1})

    lab.apply(changes.LinkUp(IF1))
    for each in (second, third):
        lab.arrive(IF1, each)
    assert lab.udp.packets == []


# Congestion


NOT_ECT, ECT_1, ECT_0, CE = range(4)


@families
@pytest.mark.rule("RFC3168-5.3")
@pytest.mark.parametrize(
    ("codepoints", "expected"),
    [
        ((NOT_ECT, NOT_ECT, NOT_ECT), NOT_ECT),
        ((ECT_0, ECT_0, ECT_0), ECT_0),
        ((ECT_1, ECT_0, ECT_0), ECT_1),
        ((ECT_0, CE, ECT_0), CE),
        ((CE, ECT_1, ECT_1), CE),
        ((CE, CE, CE), CE),
        ((NOT_ECT, CE, NOT_ECT), None),
        ((CE, NOT_ECT, CE), None),
        ((ECT_0, ECT_0, NOT_ECT), None),
    ],
)
def test_congestion_that_one_fragment_met_all_met(
    lab: Lab, family: Family, codepoints: tuple[int, ...], expected: int | None
) -> None:
    for each, codepoint in zip(three_parts(family), codepoints, strict=True):
        if family is Family.IPV4:
            each.tos = 0xB8 | codepoint
        else:
            each.tc = 0xB8 | codepoint
        lab.arrive(IF1, each)

    if expected is None:
        assert (lab.udp.packets, lab.drops) == ([], {DropReason.FRAGMENT_ECN: 1})
    else:
        [packet] = lab.udp.packets
        header = (IP if family is Family.IPV4 else IPv6)(packet.raw)
        assert (header.tos if family is Family.IPV4 else header.tc) == packet.traffic_class == 0xB8 | expected


# Against another implementation


@pytest.mark.parametrize("size", [576, 68, 100, 1500])
def test_what_scapy_cuts_is_put_together(lab: Lab, size: int) -> None:
    packet = datagram(PEER[Family.IPV4], US[Family.IPV4], bytes(range(256)) * 8, id=99)
    for each in reversed(fragment(packet, size - 20)):
        lab.arrive(IF1, each, mac=mac_of(IF1))

    [up] = lab.udp.packets
    assert up.raw == bytes(packet)


@families
def test_as_many_bytes_as_are_allowed_are_kept(family: Family) -> None:
    for spare in (0, -1):
        lab = make_lab()
        lab.arrive(IF1, part(family, 0, DATA[:40]))
        lab = make_lab(ReassemblyConfig(max_bytes=lab.ip.reassembly.held_bytes + spare))
        lab.arrive(IF1, part(family, 0, DATA[:40]))
        assert len(lab.ip.reassembly) == 1 + spare
