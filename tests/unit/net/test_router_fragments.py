"""Packets that are larger than the next link of a router carries."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, UDP, IPOption_Router_Alert, IPOption_RR, defragment
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import Ether

from tests.unit.net.lab import IF1, IF2, IF3, Lab, datagram
from tests.unit.net.router_lab import FAR4, FAR6, PEER4, PEER6, assert_sound, error_numbers, families, router
from wsknet.net import changes
from wsknet.net.transit import cut
from wsknet.text import parse_network
from wsknet.trace import DropReason
from wsknet.wire import ipv4
from wsknet.wire.checksum import internet_checksum


@pytest.fixture
def lab() -> Lab:
    return router()


@pytest.mark.rule("RFC1191-4", "RFC4443-3.2")
@pytest.mark.parametrize(
    ("near", "far"), [(PEER4, "10.3.0.60"), (PEER6, "2001:db8:3::60")], ids=["IPv4", "IPv6"]
)  # fmt: skip
def test_a_packet_that_must_not_be_cut_is_answered_with_the_mtu(lab: Lab, near: str, far: str) -> None:
    fields: dict[str, Any] = {"flags": "DF"} if near == PEER4 else {}
    headers = 28 if near == PEER4 else 48
    lab.arrive(IF1, datagram(near, far, bytes(1280 - headers), **fields))
    assert len(lab.take_one(IF3).payload) == 1280

    lab.arrive(IF1, datagram(near, far, bytes(1281 - headers), **fields))
    frame = lab.take_one(IF1)
    if IP in frame:
        assert (frame[ICMP].type, frame[ICMP].code, frame[ICMP].nexthopmtu) == (3, 4, 1280)
    else:
        assert frame[ICMPv6PacketTooBig].mtu == 1280
    assert lab.drops == {DropReason.IP_TOO_BIG: 1}


@pytest.mark.parametrize(("near", "far", "prefix"), [(PEER4, FAR4, "10.2.0.0/24"), (PEER6, FAR6, "2001:db8:2::/64")])
def test_a_route_may_have_a_smaller_mtu_than_its_link(lab: Lab, near: str, far: str, prefix: str) -> None:
    lab.apply(changes.RouteAdded(*parse_network(prefix), IF2, metric=256, mtu=1400))
    lab.arrive(IF1, datagram(near, far, bytes(1400), **({"flags": "DF"} if near == PEER4 else {})))

    frame = lab.take_one(IF1)
    assert (frame[ICMP].nexthopmtu if IP in frame else frame[ICMPv6PacketTooBig].mtu) == 1400


@pytest.mark.rule("RFC791-3.2", "RFC1812-4.2.2.7")
def test_a_packet_that_may_be_cut_leaves_in_fragments(lab: Lab) -> None:
    packet = datagram(PEER4, "10.3.0.60", bytes(range(250)) * 6, id=77, tos=0x28, ttl=5)
    lab.arrive(IF1, packet)

    fragments = [frame[IP] for _, frame in lab.take()]
    assert [(len(f), f.frag, int(f.flags), f.id, f.tos, f.ttl) for f in fragments] == [
        (1276, 0, 1, 77, 0x28, 4),
        (272, 157, 0, 77, 0x28, 4),
    ]
    for fragment in fragments:
        assert_sound(Ether() / fragment)
    [whole] = defragment([f.copy() for f in fragments])
    assert bytes(whole[UDP]) == bytes(packet[UDP])


@pytest.mark.rule("RFC791-3.2")
def test_a_fragment_is_cut_again_at_its_place(lab: Lab) -> None:
    data = bytes(1400)
    lab.arrive(IF1, IP(src=PEER4, dst="10.3.0.60", id=7, frag=100, flags="MF", proto=17) / data)
    lab.arrive(IF1, IP(src=PEER4, dst="10.3.0.60", id=7, frag=275, proto=17) / data)

    assert [(frame[IP].frag, int(frame[IP].flags), len(frame[IP])) for _, frame in lab.take()] == [
        (100, 1, 1276),
        (257, 1, 164),
        (275, 1, 1276),
        (432, 0, 164),
    ]


@pytest.mark.rule("RFC791-3.1")
def test_only_options_marked_for_it_are_in_every_fragment(lab: Lab) -> None:
    options = [IPOption_RR(routers=["0.0.0.0"]), IPOption_Router_Alert()]
    lab.arrive(IF1, IP(src=PEER4, dst="10.3.0.60", id=7, proto=17, options=options) / bytes(1400))

    first, second = [frame[IP] for _, frame in lab.take()]
    assert [option.option for option in first.options] == [7, 20, 0]
    assert [option.option for option in second.options] == [20]
    assert second.ihl == 6
    assert first.frag + (len(first) - first.ihl * 4) // 8 == second.frag


@given(
    st.binary(min_size=60, max_size=4000),
    st.integers(68, 1500),
    st.lists(st.sampled_from([b"\x01", b"\x07\x07\x04\0\0\0\0", b"\x94\x04\0\0", b"\x82\x0b" + bytes(9)]), max_size=3),
    st.integers(0, 900),
    st.booleans(),
)
def test_the_parts_of_a_packet_are_the_packet(
    data: bytes, mtu: int, options: list[bytes], offset: int, more: bool
) -> None:
    if more:
        data = data[: len(data) & ~7]
    packet = IP(src=PEER4, dst=FAR4, id=3, frag=offset, flags="MF" if more else 0, proto=17, ihl=5)
    list_ = b"".join(options)
    list_ += bytes(-len(list_) % 4)
    header = bytearray(bytes(packet))
    header[0] = 0x45 + len(list_) // 4
    header[2:4] = (20 + len(list_) + len(data)).to_bytes(2, "big")
    header[10:12] = bytes(2)
    header += list_
    header[10:12] = internet_checksum(bytes(header)).to_bytes(2, "big")
    parts = [ipv4.parse(part) for part in cut(bytes(header) + data, mtu)]

    position = offset * 8
    carried = b""
    for part, raw in zip(parts, cut(bytes(header) + data, mtu), strict=True):
        assert isinstance(part, ipv4.Ipv4Header)
        assert len(raw) == part.total_length <= mtu
        assert part.fragment_offset == position
        position += part.total_length - part.header_length
        carried += raw[part.header_length :]
        is_last = position == offset * 8 + len(data)
        assert part.more_fragments == (more or not is_last)
    assert carried == data


@pytest.mark.rule("RFC1812-4.3.2.7")
def test_only_the_first_fragment_is_answered_in_ipv4(lab: Lab) -> None:
    lab.arrive(IF1, IP(src=PEER4, dst=FAR4, ttl=1, id=7, frag=100, proto=17) / bytes(80))
    assert lab.take() == []

    lab.arrive(IF1, IP(src=PEER4, dst=FAR4, ttl=1, id=7, flags="MF", proto=17) / bytes(80))
    assert [error_numbers(frame) for _, frame in lab.take()] == [(11, 0)]
    assert lab.drops == {DropReason.IP_HOP_LIMIT: 2}


@pytest.mark.rule("RFC4443-3.2", "RFC4443-3.3")
@pytest.mark.parametrize("offset", [0, 100])
def test_every_fragment_is_answered_in_ipv6(lab: Lab, offset: int) -> None:
    cut = IPv6ExtHdrFragment(offset=offset, m=1, id=7, nh=17)
    lab.arrive(IF1, IPv6(src=PEER6, dst=FAR6, hlim=1) / cut / bytes(80))
    lab.arrive(IF1, IPv6(src=PEER6, dst="2001:db8:3::60") / cut / bytes(1400))

    assert [error_numbers(frame) for _, frame in lab.take()] == [(3, 0), (2, 0)]
    assert lab.drops == {DropReason.IP_HOP_LIMIT: 1, DropReason.IP_TOO_BIG: 1}


@families
def test_fragments_for_others_are_passed_on_as_they_are(lab: Lab, near: str, far: str) -> None:
    """A router does not put together what is not for it."""
    for offset, more in ((0, 1), (10, 0)):
        if near == PEER4:
            packet = IP(src=near, dst=far, id=7, frag=offset, flags=more, proto=17) / bytes(80)
        else:
            packet = IPv6(src=near, dst=far) / IPv6ExtHdrFragment(offset=offset, m=more, id=7, nh=17) / bytes(80)
        lab.arrive(IF1, packet)
        assert bytes(lab.take_one(IF2).payload.payload) == bytes(packet.payload)
