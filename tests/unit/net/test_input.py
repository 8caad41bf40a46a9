"""What is let in: the MAC filter, martians, strong and weak hosts, and what a handler is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop
from scapy.layers.l2 import Ether

from tests.unit.net.lab import IF1, IF2, LO, PEER_MAC, A, Lab, datagram, mac_of
from wsknet.behaviour import LINUX, WINDOWS, HostModel
from wsknet.net import changes
from wsknet.net.packet import Cast
from wsknet.trace import DropReason
from wsknet.types import Family, IfIndex

BROADCAST = "ff:ff:ff:ff:ff:ff"


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24", "fe80::a/64", "2001:db8:1::2/64")
    lab.interface(IF2, "10.2.0.2/24", "fe80::b/64", "2001:db8:2::2/64")
    return lab


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


def test_options_and_extension_headers_are_skipped(lab: Lab) -> None:
    lab.arrive(IF1, datagram("10.1.0.50", "10.1.0.2", options=b"\x07\x07\x04\0\0\0\0\0"))
    chain = IPv6(src="2001:db8:1::50", dst="2001:db8:1::2") / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt()
    lab.arrive(IF1, chain / datagram("2001:db8:1::50", "2001:db8:1::2").payload)

    assert [packet.payload[8:] for packet in lab.udp.packets] == [b"hello", b"hello"]
    assert lab.drops == {}


@pytest.mark.parametrize(
    ("mac", "destination", "cast"),
    [
        (mac_of(IF1), "10.1.0.2", Cast.UNICAST),
        (BROADCAST, "10.1.0.255", Cast.BROADCAST),
        (BROADCAST, "255.255.255.255", Cast.BROADCAST),
        ("01:00:5e:00:00:01", "224.0.0.1", Cast.MULTICAST),
        ("33:33:00:00:00:01", "ff02::1", Cast.MULTICAST),
        ("33:33:ff:00:00:02", "ff02::1:ff00:2", Cast.MULTICAST),
    ],
)
def test_what_is_for_us_is_accepted(lab: Lab, mac: str, destination: str, cast: Cast) -> None:
    lab.arrive(IF1, datagram("2001:db8:1::50" if ":" in destination else "10.1.0.50", destination), mac=mac)

    [packet] = lab.udp.packets
    assert packet.cast is cast


@pytest.mark.parametrize(
    ("mac", "destination", "reason"),
    [
        (mac_of(IF2), "10.1.0.2", DropReason.FRAME_OTHER_HOST),
        ("01:00:5e:00:00:02", "224.0.0.2", DropReason.FRAME_OTHER_HOST),
        ("33:33:00:00:00:02", "ff02::2", DropReason.FRAME_OTHER_HOST),
        (BROADCAST, "10.2.0.255", DropReason.IP_NOT_LOCAL),
        (mac_of(IF1), "10.1.0.3", DropReason.IP_NOT_LOCAL),
        (mac_of(IF1), "224.0.0.2", DropReason.IP_NOT_LOCAL),
        (mac_of(IF1), "2001:db8:1::3", DropReason.IP_NOT_LOCAL),
        (BROADCAST, "10.1.0.2", DropReason.IP_LINK_BROADCAST),
        ("33:33:00:00:00:01", "2001:db8:1::2", DropReason.IP_LINK_BROADCAST),
        (mac_of(IF1), "127.0.0.1", DropReason.IP_MARTIAN_DESTINATION),
        (mac_of(IF1), "127.9.9.9", DropReason.IP_MARTIAN_DESTINATION),
        (mac_of(IF1), "0.0.0.0", DropReason.IP_MARTIAN_DESTINATION),
        (mac_of(IF1), "::1", DropReason.IP_MARTIAN_DESTINATION),
        (mac_of(IF1), "::", DropReason.IP_MARTIAN_DESTINATION),
        (mac_of(IF1), "ff01::1", DropReason.IP_MARTIAN_DESTINATION),
    ],
)
def test_what_is_not_for_us_is_dropped_by_name(lab: Lab, mac: str, destination: str, reason: DropReason) -> None:
    lab.arrive(IF1, datagram("2001:db8:1::50" if ":" in destination else "10.1.0.50", destination), mac=mac)

    assert lab.udp.packets == []
    assert lab.take() == []
    assert lab.drops == {reason: 1}


@pytest.mark.rule("BIND-43", "RFC1122-3.2.1.3")
@pytest.mark.parametrize(
    "source",
    ["127.0.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "240.0.0.1", "255.255.255.255", "10.1.0.255", "10.1.0.2",
     "10.2.0.2", "::1", "::", "ff02::1", "2001:db8:1::2", "::ffff:10.1.0.50", "::10.1.0.50"],
)  # fmt: skip
def test_sources_that_no_wire_may_carry_are_dropped(lab: Lab, source: str) -> None:
    lab.arrive(IF1, datagram(source, "2001:db8:1::2" if ":" in source else "10.1.0.2"))

    assert lab.udp.packets == []
    assert lab.drops == {DropReason.IP_MARTIAN_SOURCE: 1}


@pytest.mark.rule("BIND-31")
@pytest.mark.parametrize(
    ("source", "destination"), [("10.1.0.50", "10.2.0.2"), ("2001:db8:1::50", "2001:db8:2::2")], ids=["IPv4", "IPv6"]
)
def test_the_other_interfaces_address_is_ours_on_weak_hosts_only(lab: Lab, source: str, destination: str) -> None:
    lab.arrive(IF1, datagram(source, destination))
    assert lab.udp.packets == []
    assert lab.drops == {DropReason.IP_NOT_LOCAL: 1}

    lab.apply(changes.InterfaceChanged(IF1, weak_receive=True))
    lab.arrive(IF1, datagram(source, destination))
    [packet] = lab.udp.packets
    assert packet.interface.index == IF1

    lab.apply(changes.InterfaceChanged(IF1, weak_receive=False))
    lab.arrive(IF1, datagram(source, destination))
    assert len(lab.udp.packets) == 1


def test_a_link_local_address_belongs_to_its_link_on_weak_hosts_too() -> None:
    lab = Lab(LINUX)
    lab.interface(IF1, "fe80::a/64")
    lab.interface(IF2, "fe80::b/64")

    lab.arrive(IF1, datagram("fe80::50", "fe80::b"))

    assert lab.drops == {DropReason.IP_NOT_LOCAL: 1}


def test_the_host_model_is_a_policy_of_its_own() -> None:
    lab = Lab(replace(WINDOWS, host_receive=HostModel.WEAK))
    lab.interface(IF1, "10.1.0.2/24")
    lab.interface(IF2, "10.2.0.2/24")

    lab.arrive(IF1, datagram("10.1.0.50", "10.2.0.2"))

    assert len(lab.udp.packets) == 1


@pytest.mark.rule("BIND-2")
def test_a_service_address_on_loopback_is_reached_over_weak_interfaces_only(lab: Lab) -> None:
    lab.address(LO, "10.0.0.1/32")
    lab.arrive(IF1, datagram("10.1.0.50", "10.0.0.1"))
    lab.apply(changes.InterfaceChanged(IF1, weak_receive=True))
    lab.arrive(IF1, datagram("10.1.0.50", "10.0.0.1"))

    assert lab.drops == {DropReason.IP_NOT_LOCAL: 1}
    assert len(lab.udp.packets) == 1


@pytest.mark.rule("BIND-57")
def test_an_address_without_its_local_route_is_deaf_until_it_is_added_again(lab: Lab) -> None:
    question = datagram("10.1.0.50", "10.1.0.2")
    lab.arrive(IF1, question)
    for prefix in ("10.1.0.2/32", "10.1.0.0/24", "10.1.0.255/32"):
        lab.remove_route(prefix, IF1)
    lab.route("192.0.2.0/24", IF1)

    lab.arrive(IF1, question)
    assert lab.drops == {DropReason.IP_NOT_LOCAL: 1}
    assert lab.ip.bindable(A("10.1.0.2")) == 0

    lab.address(IF1, "10.1.0.2/24")
    lab.arrive(IF1, question)
    assert len(lab.udp.packets) == 2


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
        datagram("10.1.0.50", "10.1.0.2", flags="MF"),
        datagram("10.1.0.50", "10.1.0.2", frag=3),
    ],
    ids=["first", "later"],
)
def test_fragments_are_not_taken_for_packets(lab: Lab, packet: Any) -> None:
    lab.arrive(IF1, datagram("10.1.0.50", "10.1.0.2"))
    lab.arrive(IF1, packet)

    assert len(lab.udp.packets) == 1
    assert lab.drops == {DropReason.FRAGMENT_MALFORMED: 1}


def test_a_wrong_checksum_is_seen_on_a_known_flow_too(lab: Lab) -> None:
    good = datagram("10.1.0.50", "10.1.0.2")
    lab.arrive(IF1, good)
    bad = bytearray(bytes(good))
    bad[8] ^= 1

    lab.receive(IF1, bytes(Ether(dst=mac_of(IF1), src=PEER_MAC, type=0x0800)) + bytes(bad))

    assert len(lab.udp.packets) == 1
    assert lab.drops == {DropReason.IP_BAD_CHECKSUM: 1}


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (bytes(13), DropReason.FRAME_TRUNCATED),
        (b"", DropReason.FRAME_TRUNCATED),
        (bytes.fromhex("020000000002 020000000099 9000"), DropReason.FRAME_UNKNOWN_ETHERTYPE),
        (bytes.fromhex("020000000002 020000000099 0040") + bytes(64), DropReason.FRAME_UNKNOWN_ETHERTYPE),
        (bytes.fromhex("020000000002 020000000099 0800"), DropReason.IP_TRUNCATED),
        (bytes.fromhex("020000000002 020000000099 86dd") + b"\x45" + bytes(60), DropReason.IP_BAD_VERSION),
    ],
)
def test_frames_that_are_nothing_are_dropped_by_name(lab: Lab, frame: bytes, reason: DropReason) -> None:
    lab.receive(IF1, frame)

    assert lab.drops == {reason: 1}


def test_a_frame_for_an_interface_that_is_not_there(lab: Lab) -> None:
    lab.receive(IfIndex(9), datagram("10.1.0.50", "10.1.0.2"))

    assert lab.drops == {DropReason.INTERFACE_DOWN: 1}


def test_a_listener_hears_each_drop_with_its_bytes(lab: Lab) -> None:
    heard: list[tuple[DropReason, bytes]] = []
    lab.trace.on_drop = lambda reason, what: heard.append((reason, what))
    frame = bytes(Ether(dst=mac_of(IF1), src=PEER_MAC, type=0x0800) / IP(src="127.0.0.1", dst="10.1.0.2", proto=17))

    lab.receive(IF1, frame)

    assert heard == [(DropReason.IP_MARTIAN_SOURCE, frame)]
