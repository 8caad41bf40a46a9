"""Fragments that become packets: order, headers, links, congestion, and those of another implementation."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, fragment
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, PadN
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.unit.net.fragments import DATA, PEER, US, families, make_lab, part, three_parts
from tests.unit.net.lab import IF1, IF2, PEER_MAC, A, Lab, datagram, mac_of, ping
from wsknet.net import changes
from wsknet.net.packet import Cast
from wsknet.trace import DropReason
from wsknet.types import Family, FrameMeta


@pytest.fixture
def lab() -> Lab:
    return make_lab()


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
