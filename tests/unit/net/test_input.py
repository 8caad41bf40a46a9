"""What is let in: the MAC filter, martians, strong and weak hosts, and what a handler is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
from scapy.layers.l2 import Ether

from tests.unit.net.lab import IF1, IF2, LO, PEER_MAC, A, Lab, datagram, mac_of
from wsknet.behaviour import LINUX, WINDOWS, HostModel
from wsknet.config import AutoConfig
from wsknet.net import changes
from wsknet.net.multicast.groups import SourceFilter
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
        ("01:00:5e:00:00:02", "224.0.0.2", DropReason.FRAME_OTHER_GROUP),
        ("33:33:00:00:00:02", "ff02::2", DropReason.FRAME_OTHER_GROUP),
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
     "10.2.0.2", "10.2.0.255", "::1", "::", "ff02::1", "2001:db8:1::2", "::ffff:10.1.0.50", "::10.1.0.50"],
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


@pytest.mark.rule("RFC1122-3.2.1.3")
def test_igmp_without_a_source_to_our_own_address_opens_no_way_for_others(lab: Lab) -> None:
    lab.arrive(IF1, IP(src="0.0.0.0", dst="10.1.0.2", proto=2) / bytes.fromhex("1100eeff00000000"))
    lab.arrive(IF1, datagram("0.0.0.0", "10.1.0.2"))

    assert lab.udp.packets == []
    assert lab.drops == {DropReason.IP_MARTIAN_SOURCE: 2}


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


@pytest.mark.rule("RFC1122-3.2.1.7")
@pytest.mark.parametrize("hop_limit", [0, 1])
def test_a_lifetime_that_is_used_up_does_not_matter_at_the_end(lab: Lab, hop_limit: int) -> None:
    lab.arrive(IF1, datagram("10.1.0.50", "10.1.0.2", ttl=hop_limit))
    lab.arrive(IF1, datagram("2001:db8:1::50", "2001:db8:1::2", hlim=hop_limit))

    assert [packet.hop_limit for packet in lab.udp.packets] == [hop_limit, hop_limit]


@pytest.mark.rule("RFC1122-3.2.1.3", "RFC2131-4.1")
def test_a_host_without_an_address_may_ask_everybody(lab: Lab) -> None:
    lab.arrive(IF1, datagram("0.0.0.0", "255.255.255.255"), mac=BROADCAST)
    lab.arrive(IF1, datagram("0.0.0.0", "10.1.0.255"), mac=BROADCAST)

    [packet] = lab.udp.packets
    assert (packet.source, packet.cast) == (bytes(4), Cast.BROADCAST)
    assert lab.drops == {DropReason.IP_MARTIAN_SOURCE: 1}


@pytest.mark.rule("RFC3376-4.2.13")
def test_a_host_without_an_address_may_report_its_groups(lab: Lab) -> None:
    lab.arrive(IF1, IP(src="0.0.0.0", dst="224.0.0.1", proto=2) / bytes(8), mac="01:00:5e:00:00:01")

    assert DropReason.IP_MARTIAN_SOURCE not in lab.drops


@pytest.mark.rule("RFC4862-5.4.2")
def test_from_nowhere_comes_only_icmpv6_to_groups_options_or_not(lab: Lab) -> None:
    plain = IPv6(src="::", dst="ff02::1", hlim=255)
    behind_options = plain / IPv6ExtHdrHopByHop()
    for packet in (plain / UDP(), behind_options / UDP()):
        lab.arrive(IF1, packet, mac="33:33:00:00:00:01")
    assert lab.drops == {DropReason.IP_MARTIAN_SOURCE: 2}

    lab.trace.drops.clear()
    question = ICMPv6ND_NS(tgt="2001:db8:1::77")
    for packet in (plain / question, behind_options / question):
        lab.arrive(IF1, packet, mac="33:33:00:00:00:01")
    assert DropReason.IP_MARTIAN_SOURCE not in lab.drops


def test_a_group_is_heard_from_whom_its_members_want(lab: Lab) -> None:
    group, wanted = "239.1.2.3", SourceFilter(is_exclude=False, sources=frozenset([A("10.1.0.50")]))
    lab.ip.groups.listen(lab.ip.interfaces[IF1], A(group), lab, wanted, lab.now)

    for source in ("10.1.0.50", "10.1.0.51"):
        lab.arrive(IF1, datagram(source, group), mac="01:00:5e:01:02:03")

    assert [packet.source for packet in lab.udp.packets] == [A("10.1.0.50")]
    assert lab.drops == {DropReason.GROUP_FILTERED: 1}


def test_an_address_of_ours_opens_its_solicited_node_group_for_everybody_and_closes_it_again(lab: Lab) -> None:
    group, wanted = "ff02::1:ff00:77", SourceFilter(is_exclude=False, sources=frozenset([A(PEER6)]))
    lab.ip.groups.listen(lab.ip.interfaces[IF1], A(group), lab, wanted, lab.now)

    def is_heard() -> bool:
        before = len(lab.udp.packets)
        lab.arrive(IF1, datagram("2001:db8:1::51", group), mac="33:33:ff:00:00:77")
        return len(lab.udp.packets) > before

    heard = [is_heard()]
    lab.address(IF1, "2001:db8:1::77/64")
    heard.append(is_heard())
    lab.apply(changes.AddressRemoved(IF1, A("2001:db8:1::77")))
    heard.append(is_heard())

    assert heard == [False, True, False]


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


def test_the_dhcp_client_is_shown_datagrams_to_addresses_that_are_not_ours_yet() -> None:
    lab = Lab()
    lab.interface(IF1, auto=AutoConfig(dhcp=True))
    offer = IP(src="10.1.0.1", dst="10.1.0.77") / UDP(sport=67, dport=68) / b"no message"
    lab.arrive(IF1, offer)
    assert lab.drops == {DropReason.DHCP_MALFORMED: 1}

    lab.trace.drops.clear()
    offer[UDP].dport = 69
    lab.arrive(IF1, offer)
    offer[UDP].dport, offer.flags = 68, "MF"
    lab.arrive(IF1, offer)
    assert lab.drops == {DropReason.IP_NOT_LOCAL: 2}


# What stands between the header and the upper protocol


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


PEER6, US6 = "2001:db8:1::50", "2001:db8:1::2"


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


# Packets for others


@pytest.fixture
def router(lab: Lab) -> Lab:
    lab.apply(changes.InterfaceChanged(IF1, forwarding=True))
    for neighbour in ("10.2.0.9", "2001:db8:2::9"):
        lab.know(IF2, neighbour)
    for neighbour in ("10.1.0.50", PEER6):
        lab.know(IF1, neighbour)
    return lab


@pytest.mark.parametrize(("source", "destination"), [("10.1.0.50", "10.2.0.9"), (PEER6, "2001:db8:2::9")])
def test_only_where_told_is_a_packet_passed_on(router: Lab, source: str, destination: str) -> None:
    router.arrive(IF1, datagram(source, destination))
    [(index, frame)] = router.take()
    assert (index, frame.payload.dst) == (IF2, destination)
    assert router.drops == {}

    router.apply(changes.InterfaceChanged(IF1, forwarding=False))
    router.arrive(IF1, datagram(source, destination))
    assert router.take() == []
    assert router.drops == {DropReason.IP_NOT_LOCAL: 1}


@pytest.mark.parametrize(
    ("packet", "mac", "reason"),
    [
        (datagram("10.1.0.50", "10.2.0.9"), BROADCAST, DropReason.IP_NOT_LOCAL),
        (datagram("10.1.0.50", "224.0.0.9"), mac_of(IF1), DropReason.IP_NOT_LOCAL),
        (datagram(PEER6, "ff05::9"), mac_of(IF1), DropReason.IP_NOT_LOCAL),
        (datagram("127.0.0.1", "10.2.0.9"), mac_of(IF1), DropReason.IP_MARTIAN_SOURCE),
        (datagram("10.2.0.2", "10.2.0.9"), mac_of(IF1), DropReason.IP_MARTIAN_SOURCE),
        (datagram("10.1.0.50", "10.2.0.9", options=b"\x07\x09\4\0"), mac_of(IF1), DropReason.IP_BAD_OPTIONS),
        (
            IPv6(src=PEER6, dst="2001:db8:2::9", nh=0) / bytes([17, 0, 0x9E, 4, 0, 0, 0, 0]) / b"datagram",
            mac_of(IF1),
            DropReason.IP_UNKNOWN_OPTION,
        ),
    ],
)
def test_what_is_not_to_be_passed_on_is_dropped_by_name(router: Lab, packet: Any, mac: str, reason: DropReason) -> None:
    router.arrive(IF1, packet, mac=mac)

    assert [frame for index, frame in router.take() if index == IF2] == []
    assert router.drops == {reason: 1}


@pytest.mark.rule("RFC8200-4")
def test_a_router_looks_at_no_header_that_is_for_the_destination(router: Lab) -> None:
    fragment = bytes([60, 0, 0, 1, 1, 2, 3, 4])
    for rest in (bytes([17, 0, 0x9E, 4, 0, 0, 0, 0]) + b"datagram", fragment):
        header = 44 if rest is fragment else 60
        router.arrive(IF1, IPv6(src=PEER6, dst="2001:db8:2::9", nh=header) / rest)
        [(_, frame)] = router.take()
        assert bytes(frame[IPv6].payload) == rest
    router.arrive(IF1, datagram("10.1.0.50", "10.2.0.9", b"x" * 8, frag=7, flags="MF"))
    [(_, frame)] = router.take()
    assert (frame[IP].frag, frame[IP].flags.MF) == (7, True)

    assert len(router.ip.reassembly) == 0
    assert router.drops == {}


@pytest.mark.rule("RFC1812-5.2.3")
@pytest.mark.parametrize(("source", "destination"), [("10.1.0.50", "10.2.0.2"), (PEER6, "2001:db8:2::2")])
def test_a_routers_addresses_are_its_own_on_every_side(router: Lab, source: str, destination: str) -> None:
    router.arrive(IF1, datagram(source, destination))

    [packet] = router.udp.packets
    assert packet.destination == A(destination)


@pytest.mark.rule("RFC1112-4", "RFC4291-2.7.1")
@pytest.mark.parametrize(
    ("mac", "source", "destination"),
    [("01:00:5e:00:00:02", "10.1.0.50", "224.0.0.2"), ("33:33:00:00:00:02", PEER6, "ff02::2")],
)
def test_a_router_hears_what_is_said_to_all_routers(router: Lab, mac: str, source: str, destination: str) -> None:
    router.arrive(IF1, datagram(source, destination), mac=mac)

    assert [packet.cast for packet in router.udp.packets] == [Cast.MULTICAST]
