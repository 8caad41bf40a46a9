"""What is let in: the MAC filter, martians, strong and weak hosts, and the filters of groups."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6ND_NS, IPv6, IPv6ExtHdrHopByHop
from scapy.layers.l2 import Ether

from tests.unit.net.lab import IF1, IF2, LO, PEER6, PEER_MAC, A, Lab, datagram, mac_of, two_links
from wsknet.behaviour import LINUX, WINDOWS, HostModel
from wsknet.config import AutoConfig
from wsknet.net import changes
from wsknet.net.multicast.groups import SourceFilter
from wsknet.net.packet import Cast
from wsknet.trace import DropReason
from wsknet.types import IfIndex

BROADCAST = "ff:ff:ff:ff:ff:ff"


@pytest.fixture
def lab() -> Lab:
    return two_links()


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


@pytest.mark.rule("RFC1122-3.2.1.3")
def test_igmp_without_a_source_to_our_own_address_opens_no_way_for_others(lab: Lab) -> None:
    lab.arrive(IF1, IP(src="0.0.0.0", dst="10.1.0.2", proto=2) / bytes.fromhex("1100eeff00000000"))
    lab.arrive(IF1, datagram("0.0.0.0", "10.1.0.2"))

    assert lab.udp.packets == []
    assert lab.drops == {DropReason.IP_MARTIAN_SOURCE: 2}


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
