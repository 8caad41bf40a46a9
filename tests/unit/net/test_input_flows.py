"""What a handler is told of a packet, and that nothing is overlooked on a flow that is known."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import Ether

from tests.unit.net.lab import IF1, PEER_MAC, A, Lab, datagram, mac_of, two_links
from wsknet.net import changes
from wsknet.net.packet import Cast
from wsknet.trace import DropReason
from wsknet.types import Family


@pytest.fixture
def lab() -> Lab:
    return two_links()


@pytest.mark.parametrize("times", [1, 2], ids=["first look", "known flow"])
def test_an_ipv4_packet_is_handed_up_as_it_came(lab: Lab, times: int) -> None:
    packet = datagram("10.1.0.50", "10.1.0.2", b"x" * 5, ttl=77, tos=0xB9)
    for _ in range(times):
        lab.receive(IF1, bytes(Ether(dst=mac_of(IF1), src=PEER_MAC, type=0x0800) / packet) + b"padding")

    up = lab.udp.packets[-1]
    raw = bytes(packet)
    assert (up.family, up.source, up.destination) == (Family.IPV4, A("10.1.0.50"), A("10.1.0.2"))
    assert (up.hop_limit, up.traffic_class, up.zone, up.cast) == (77, 0xB9, 0, Cast.UNICAST)
    assert (up.payload, up.raw, up.interface.index) == (raw[20:], raw, IF1)
    assert not up.checksum_trusted
    assert len(lab.udp.packets) == times


@pytest.mark.parametrize("times", [1, 2], ids=["first look", "known flow"])
def test_an_ipv6_packet_is_handed_up_as_it_came(lab: Lab, times: int) -> None:
    packet = datagram("fe80::50", "fe80::a", b"x" * 5, hlim=77, tc=0xB9, fl=0x12345)
    for _ in range(times):
        lab.receive(IF1, bytes(Ether(dst=mac_of(IF1), src=PEER_MAC, type=0x86DD) / packet) + b"padding")

    up = lab.udp.packets[-1]
    raw = bytes(packet)
    assert (up.family, up.source, up.destination) == (Family.IPV6, A("fe80::50"), A("fe80::a"))
    assert (up.hop_limit, up.traffic_class, up.zone, up.cast) == (77, 0xB9, IF1, Cast.UNICAST)
    assert (up.payload, up.raw) == (raw[40:], raw)


@pytest.mark.rule("RFC1122-3.2.1.7")
@pytest.mark.parametrize("hop_limit", [0, 1])
def test_a_lifetime_that_is_used_up_does_not_matter_at_the_end(lab: Lab, hop_limit: int) -> None:
    lab.arrive(IF1, datagram("10.1.0.50", "10.1.0.2", ttl=hop_limit))
    lab.arrive(IF1, datagram("2001:db8:1::50", "2001:db8:1::2", hlim=hop_limit))

    assert [packet.hop_limit for packet in lab.udp.packets] == [hop_limit, hop_limit]


def test_changes_count_for_flows_that_were_accepted_before(lab: Lab) -> None:
    question = datagram("10.1.0.50", "10.1.0.2")
    for change in (
        None,
        changes.LinkDown(IF1),
        changes.LinkUp(IF1),
        changes.AddressRemoved(IF1, A("10.1.0.2")),
        changes.AddressAdded(IF1, A("10.1.0.2"), 24),
        changes.InterfaceRemoved(IF1),
    ):
        if change is not None:
            lab.apply(change)
        lab.arrive(IF1, question)
        lab.arrive(IF1, question)

    assert len(lab.udp.packets) == 6
    assert lab.drops == {DropReason.INTERFACE_DOWN: 4, DropReason.IP_NOT_LOCAL: 2}


@pytest.mark.parametrize(
    "packet",
    [
        datagram("10.1.0.50", "10.1.0.2", bytes(8), flags="MF"),
        datagram("10.1.0.50", "10.1.0.2", bytes(8), frag=3),
        IPv6(src="2001:db8:1::50", dst="2001:db8:1::2") / IPv6ExtHdrFragment(m=1) / UDP(sport=2000) / bytes(8),
        IPv6(src="2001:db8:1::50", dst="2001:db8:1::2") / IPv6ExtHdrFragment(offset=3, nh=17) / bytes(8),
    ],
    ids=["first", "later", "first, IPv6", "later, IPv6"],
)
def test_fragments_are_not_taken_for_packets_on_a_known_flow(lab: Lab, packet: Any) -> None:
    lab.arrive(IF1, datagram("10.1.0.50", "10.1.0.2"))
    lab.arrive(IF1, datagram("2001:db8:1::50", "2001:db8:1::2"))
    lab.arrive(IF1, packet)

    assert len(lab.udp.packets) == 2
    assert len(lab.ip.reassembly) == 1
    assert lab.drops == {}


def test_a_wrong_checksum_is_seen_on_a_known_flow_too(lab: Lab) -> None:
    good = datagram("10.1.0.50", "10.1.0.2")
    lab.arrive(IF1, good)
    bad = bytearray(bytes(good))
    bad[8] ^= 1

    lab.receive(IF1, bytes(Ether(dst=mac_of(IF1), src=PEER_MAC, type=0x0800)) + bytes(bad))

    assert len(lab.udp.packets) == 1
    assert lab.drops == {DropReason.IP_BAD_CHECKSUM: 1}


@pytest.mark.parametrize("version", [5, 7])
def test_a_wrong_version_is_seen_on_a_known_flow_too(lab: Lab, version: int) -> None:
    lab.arrive(IF1, datagram("2001:db8:1::50", "2001:db8:1::2"))
    lab.arrive(IF1, datagram("2001:db8:1::50", "2001:db8:1::2", version=version))

    assert len(lab.udp.packets) == 1
    assert lab.drops == {DropReason.IP_BAD_VERSION: 1}


@pytest.mark.parametrize(("source", "destination"), [("10.1.0.50", "10.1.0.2"), ("2001:db8:1::50", "2001:db8:1::2")])
def test_only_the_first_packet_of_a_flow_takes_the_long_way(lab: Lab, source: str, destination: str) -> None:
    """The long way alone knows who sent the frame."""
    for _ in range(3):
        lab.arrive(IF1, datagram(source, destination))

    peer = bytes.fromhex(PEER_MAC.replace(":", ""))
    assert [packet.link_source for packet in lab.udp.packets] == [peer, None, None]
