"""What stands between the IP header and the upper protocol: options, extension headers, source routes."""

from __future__ import annotations

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (
    ICMPv6ND_NS,
    ICMPv6ParamProblem,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)

from tests.unit.net.lab import IF1, PEER6, US6, A, Lab, datagram, two_links
from wsknet.net.multicast.groups import SourceFilter
from wsknet.trace import DropReason


@pytest.fixture
def lab() -> Lab:
    return two_links()


def test_options_and_extension_headers_are_skipped(lab: Lab) -> None:
    lab.arrive(IF1, datagram("10.1.0.50", "10.1.0.2", options=b"\x07\x07\x04\0\0\0\0\0"))
    chain = IPv6(src="2001:db8:1::50", dst="2001:db8:1::2") / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt()
    lab.arrive(IF1, chain / datagram("2001:db8:1::50", "2001:db8:1::2").payload)

    assert [packet.payload[8:] for packet in lab.udp.packets] == [b"hello", b"hello"]
    assert lab.drops == {}


def test_no_header_before_the_datagram_gets_it_past_the_filter(lab: Lab) -> None:
    group, wanted = "ff05::77", SourceFilter(is_exclude=False, sources=frozenset([A(PEER6)]))
    lab.ip.groups.listen(lab.ip.interfaces[IF1], A(group), lab, wanted, lab.now)
    lab.take()

    for header in (IPv6ExtHdrDestOpt(), IPv6ExtHdrFragment(), IPv6ExtHdrFragment(m=1)):
        for source in (PEER6, "2001:db8:1::51"):
            packet = IPv6(src=source, dst=group) / header.copy() / UDP(sport=2000) / bytes(8)
            lab.arrive(IF1, packet, mac="33:33:00:00:00:77")

    assert [packet.source for packet in lab.udp.packets] == [A(PEER6)] * 2
    assert len(lab.ip.reassembly) == 1
    assert lab.drops == {DropReason.GROUP_FILTERED: 3}


@pytest.mark.rule("RFC1122-3.2.2.5")
def test_malformed_options_are_pointed_at(lab: Lab) -> None:
    lab.know(IF1, "10.1.0.50")
    packet = datagram("10.1.0.50", "10.1.0.2", options=b"\1\x07\x09\0")
    lab.arrive(IF1, packet)

    answer = lab.take_one()
    assert (answer[IP].dst, answer[ICMP].type, answer[ICMP].code, answer[ICMP].ptr) == ("10.1.0.50", 12, 0, 22)
    assert bytes(answer[ICMP].payload) == bytes(packet)
    assert lab.udp.packets == []
    assert lab.drops == {DropReason.IP_BAD_OPTIONS: 1}


@pytest.mark.rule("RFC7126-4.3", "RFC7126-4.4")
@pytest.mark.parametrize("kind", [0x83, 0x89])
def test_source_routes_are_refused_in_silence(lab: Lab, kind: int) -> None:
    lab.know(IF1, "10.1.0.50")
    lab.arrive(IF1, datagram("10.1.0.50", "10.1.0.2", options=bytes([kind, 7, 8, 10, 1, 0, 9, 0])))

    assert (lab.udp.packets, lab.take()) == ([], [])
    assert lab.drops == {DropReason.IP_BAD_OPTIONS: 1}


@pytest.mark.rule("RFC8200-4.2", "RFC8200-4.4", "RFC5095-3")
@pytest.mark.parametrize(
    ("rest", "reason", "told"),
    [
        (bytes([17, 0, 0x5E, 4, 0, 0, 0, 0]), DropReason.IP_UNKNOWN_OPTION, None),
        (bytes([17, 0, 0x9E, 4, 0, 0, 0, 0]), DropReason.IP_UNKNOWN_OPTION, (2, 42)),
        (bytes([17, 0, 0, 0xDE, 3, 0, 0, 0]), DropReason.IP_UNKNOWN_OPTION, (2, 43)),
        (bytes([17, 0, 0xC2, 4, 0, 1, 0, 0]), DropReason.IP_JUMBO, (2, 42)),
        (bytes([0, 0, 1, 4, 0, 0, 0, 0]) * 2, DropReason.IP_BAD_EXTENSION, (1, 40)),
        (bytes([17, 9, 1, 4, 0, 0, 0, 0]), DropReason.IP_BAD_EXTENSION, (0, 41)),
        (bytes([59, 0, 1, 4, 0, 0, 0, 0]), DropReason.IP_UNKNOWN_PROTOCOL, None),
        (bytes([200, 0, 1, 4, 0, 0, 0, 0]), DropReason.IP_UNKNOWN_PROTOCOL, (1, 40)),
    ],
    ids=["discard", "report", "report to one", "jumbo", "hop-by-hop later", "too long", "nothing", "unknown protocol"],
)
def test_the_sender_hears_which_byte_was_wrong(
    lab: Lab, rest: bytes, reason: DropReason, told: tuple[int, int] | None
) -> None:
    lab.know(IF1, PEER6)
    packet = IPv6(src=PEER6, dst=US6, nh=60) / rest / b"datagram"
    lab.arrive(IF1, packet)

    assert lab.drops == {reason: 1}
    if told is None:
        assert lab.take() == []
    else:
        answer = lab.take_one()[ICMPv6ParamProblem]
        assert (answer.code, answer.ptr) == told
        assert bytes(answer.payload) == bytes(packet)


@pytest.mark.rule("RFC5095-3", "RFC8200-4.4")
@pytest.mark.parametrize("kind", [0, 2, 4])
def test_source_routes_end_at_a_host(lab: Lab, kind: int) -> None:
    lab.know(IF1, PEER6)
    route = IPv6ExtHdrRouting(type=kind, addresses=["2001:db8:9::9"])
    lab.arrive(IF1, IPv6(src=PEER6, dst=US6) / route / UDP())
    answer = lab.take_one()[ICMPv6ParamProblem]
    assert (answer.code, answer.ptr) == (0, 42)

    route.segleft = 0
    lab.arrive(IF1, IPv6(src=PEER6, dst=US6) / route / UDP())
    assert len(lab.udp.packets) == 1
    assert lab.drops == {DropReason.IP_BAD_EXTENSION: 1}


@pytest.mark.rule("RFC8200-4.2", "RFC4443-2.4")
@pytest.mark.parametrize(("option", "is_answered"), [(0x5E, False), (0x9E, True), (0xDE, False)])
def test_an_option_in_a_packet_to_a_group_says_itself_whether_the_sender_hears(
    lab: Lab, option: int, is_answered: bool
) -> None:
    lab.know(IF1, PEER6)
    packet = IPv6(src=PEER6, dst="ff02::1", nh=60) / bytes([17, 0, option, 4, 0, 0, 0, 0]) / b"datagram"
    lab.arrive(IF1, packet, mac="33:33:00:00:00:01")

    assert lab.drops == {DropReason.IP_UNKNOWN_OPTION: 1}
    answers = [(frame[IPv6].src, frame[ICMPv6ParamProblem].ptr) for _, frame in lab.take()]
    assert answers == ([(US6, 42)] if is_answered else [])


@pytest.mark.rule("RFC4443-2.4")
def test_a_question_from_nowhere_is_answered_by_no_error(lab: Lab) -> None:
    question = ICMPv6ND_NS(tgt="2001:db8:1::77")
    options = bytes([58, 0, 0x9E, 4, 0, 0, 0, 0])
    lab.arrive(IF1, IPv6(src="::", dst="ff02::1", hlim=255, nh=0) / options / question, mac="33:33:00:00:00:01")

    assert lab.take() == []
    assert lab.drops == {DropReason.IP_UNKNOWN_OPTION: 1}
