"""How long fragments wait for the others, and how much room they may take."""

from __future__ import annotations

import pytest
from scapy.layers.inet import ICMP
from scapy.layers.inet6 import ICMPv6TimeExceeded, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, PadN
from scapy.packet import Raw

from tests.unit.net.fragments import DATA, PEER, UDP_HEADER, US, families, make_lab, part, three_parts
from tests.unit.net.lab import IF1, IF2, Lab
from wsknet.config import ReassemblyConfig
from wsknet.net import changes
from wsknet.trace import DropReason
from wsknet.types import Family


@pytest.fixture
def lab() -> Lab:
    return make_lab()


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


@families
def test_as_many_bytes_as_are_allowed_are_kept(family: Family) -> None:
    for spare in (0, -1):
        lab = make_lab()
        lab.arrive(IF1, part(family, 0, DATA[:40]))
        lab = make_lab(ReassemblyConfig(max_bytes=lab.ip.reassembly.held_bytes + spare))
        lab.arrive(IF1, part(family, 0, DATA[:40]))
        assert len(lab.ip.reassembly) == 1 + spare
