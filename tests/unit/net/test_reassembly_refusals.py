"""Fragments that void their packet or are no part of it: overlaps, ends and lengths that cannot be."""

from __future__ import annotations

import pytest
from scapy.layers.inet6 import ICMPv6ParamProblem, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment
from scapy.packet import Raw

from tests.unit.net.fragments import DATA, PEER, UDP_HEADER, US, families, make_lab, part, three_parts
from tests.unit.net.lab import IF1, Lab
from wsknet.trace import DropReason
from wsknet.types import Family


@pytest.fixture
def lab() -> Lab:
    return make_lab()


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
