"""What a host makes of a router's word that a packet was too big."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6PacketTooBig, IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import Ether

from tests.unit.net.lab import IF1, IF2, PEER_MAC, Lab, Recorder, mac_of, ping
from wsknet.errors import NetError
from wsknet.net import changes
from wsknet.net.handler import Undelivered
from wsknet.net.pmtu import MAX_PATHS
from wsknet.text import parse_network
from wsknet.types import Instant, Proto
from wsknet.wire.checksum import internet_checksum

US4, US6 = "10.1.0.2", "2001:db8:1::2"
FAR4, FAR6 = "198.51.100.7", "2001:db8:ffff::7"
families = pytest.mark.parametrize("far", [FAR4, FAR6], ids=["IPv4", "IPv6"])


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24", "fe80::a/64", "2001:db8:1::2/64")
    lab.route("0.0.0.0/0", IF1, "10.1.0.1")
    lab.route("::/0", IF1, "fe80::1")
    for router in ("10.1.0.1", "fe80::1"):
        lab.know(IF1, router)
    return lab


def too_big(far: str, mtu: int, length: int = 1500, us: str | None = None, protocol: int = 17) -> Any:
    """What a router says of a packet of ours of `length` bytes."""
    if ":" in far:
        us = us or US6
        quoted = IPv6(src=us, dst=far, nh=protocol, plen=length - 40) / UDP(sport=1000, dport=2000)
        return IPv6(src="2001:db8:99::1", dst=us) / ICMPv6PacketTooBig(mtu=mtu) / quoted
    us = us or US4
    quoted = IP(src=us, dst=far, flags="DF", len=length, proto=protocol) / UDP(sport=1000, dport=2000)
    return IP(src="203.0.113.1", dst=us) / ICMP(type=3, code=4, nexthopmtu=mtu) / quoted


def send_segment(lab: Lab, size: int) -> None:
    """`size` bytes of TCP, which has DF by default."""
    lab.ip.send(lab.path(FAR4), Proto.TCP, bytes(20), (bytes(size - 20),), lab.now)


@pytest.mark.rule("RFC1191-6.3", "RFC8201-5.2")
@families
def test_later_packets_are_no_larger_than_the_router_said(lab: Lab, far: str) -> None:
    lab.send(far, bytes(1400))
    assert len(lab.take()) == 1
    lab.arrive(IF1, too_big(far, 1300))

    lab.send(far, bytes(1400))
    fragments = [frame.payload for _, frame in lab.take()]
    assert [len(packet) <= 1300 for packet in fragments] == [True, True]
    if far == FAR4:
        assert [(packet.frag, int(packet.flags)) for packet in fragments] == [(0, 1), (160, 0)]
    else:
        headers = [packet[IPv6ExtHdrFragment] for packet in fragments]
        assert [(header.offset, header.m) for header in headers] == [(0, 1), (156, 0)]
    with pytest.raises(NetError):
        lab.ip.send(lab.path(far), Proto.UDP, bytes(8), (bytes(1400),), lab.now, may_fragment=False)


@families
def test_a_path_that_somebody_holds_is_renewed(lab: Lab, far: str) -> None:
    path = lab.send(far, bytes(1400))
    lab.take()
    lab.arrive(IF1, too_big(far, 1300))
    lab.ip.send(path, Proto.UDP, bytes(8), (bytes(1400),), lab.now)

    assert len(lab.take()) == 2


@families
def test_only_the_path_to_that_destination_is_meant(lab: Lab, far: str) -> None:
    lab.arrive(IF1, too_big(far, 1300))

    assert lab.path(far).mtu == 1300
    assert lab.path(far[:-1] + "8").mtu == 1500


@pytest.mark.rule("RFC1191-3", "RFC8201-4")
@families
def test_an_error_never_raises_the_mtu(lab: Lab, far: str) -> None:
    lab.arrive(IF1, too_big(far, 1300))
    generation = lab.ip.generation
    for mtu in (1300, 1301, 1500, 9000):
        lab.arrive(IF1, too_big(far, mtu))
    assert lab.path(far).mtu == 1300
    assert lab.ip.generation == generation

    lab.arrive(IF1, too_big(far, 1290))
    assert lab.path(far).mtu == 1290


@families
def test_more_than_the_link_carries_is_no_news(lab: Lab, far: str) -> None:
    generation = lab.ip.generation
    lab.arrive(IF1, too_big(far, 1500))

    assert (lab.path(far).mtu, lab.ip.generation) == (1500, generation)
    assert lab.timers.next_deadline() is None


@pytest.mark.rule("RFC1191-6.3", "RFC8201-5.3")
@families
def test_after_ten_minutes_the_larger_mtu_is_tried_again(lab: Lab, far: str) -> None:
    other = far[:-1] + "8"
    lab.arrive(IF1, too_big(far, 1400))
    lab.pass_time(300)
    lab.arrive(IF1, too_big(other, 1350))
    lab.pass_time(100)
    lab.arrive(IF1, too_big(far, 1300))
    lab.pass_time(499)
    assert (lab.path(far).mtu, lab.path(other).mtu) == (1300, 1350)
    path = lab.path(other)
    lab.pass_time(1)
    assert (lab.path(far).mtu, lab.path(other).mtu) == (1300, 1500)
    assert path.generation != lab.ip.generation

    lab.pass_time(100)
    assert (lab.path(far).mtu, lab.path(other).mtu) == (1500, 1500)
    assert lab.timers.next_deadline() is None


@families
def test_what_no_endpoint_believes_is_not_learned(lab: Lab, far: str) -> None:
    class Doubter(Recorder):
        def icmp_error(self, error: Undelivered, now: Instant) -> bool:
            return False

    lab.ip.protocols[Proto.UDP] = Doubter()
    lab.arrive(IF1, too_big(far, 1300))
    lab.arrive(IF1, too_big(far, 1300, protocol=132))

    assert lab.path(far).mtu == 1500


@pytest.mark.rule("RFC1191-3")
def test_where_even_small_packets_are_cut_they_leave_without_the_order_not_to(lab: Lab) -> None:
    """A forged error cannot make us send 20 packets for one, a true one does not end the conversation."""
    send_segment(lab, 20)
    assert int(lab.take_one()[IP].flags) == 2
    lab.arrive(IF1, too_big(FAR4, 296))
    assert lab.path(FAR4).mtu == 552
    generation = lab.ip.generation
    lab.arrive(IF1, too_big(FAR4, 300))
    assert lab.ip.generation == generation

    for size in (20, 532):
        send_segment(lab, size)
        packet = lab.take_one()[IP]
        assert (len(packet), int(packet.flags), packet.frag) == (20 + size, 0, 0)
    send_segment(lab, 1000)
    packets = [frame[IP] for _, frame in lab.take()]
    assert [(len(packet) <= 552, int(packet.flags)) for packet in packets] == [(True, 1), (True, 0)]


@pytest.mark.rule("RFC1191-3")
def test_a_route_may_have_a_smaller_mtu_than_any_error_brings_about(lab: Lab) -> None:
    lab.apply(changes.RouteAdded(*parse_network("198.51.100.0/24"), IF1, bytes((10, 1, 0, 1)), mtu=300))
    assert lab.path(FAR4).mtu == 300
    send_segment(lab, 280)
    assert int(lab.take_one()[IP].flags) == 2
    lab.arrive(IF1, too_big(FAR4, 296))

    send_segment(lab, 280)
    assert [int(frame[IP].flags) for _, frame in lab.take()] == [0]


@pytest.mark.rule("RFC1191-7.1")
@pytest.mark.parametrize(
    ("length", "mtu"), [(1500, 1492), (1492, 1006), (1000, 552), (600, 552)]
)  # fmt: skip
def test_a_router_that_tells_no_mtu_means_the_next_lower_one_in_use(lab: Lab, length: int, mtu: int) -> None:
    lab.arrive(IF1, too_big(FAR4, 0, length))

    assert lab.path(FAR4).mtu == mtu


def test_link_local_neighbours_of_two_links_are_not_confused(lab: Lab) -> None:
    lab.interface(IF2, "fe80::b/64")
    lab.arrive(IF1, too_big("fe80::77", 1300, us="fe80::a"))

    assert lab.path("fe80::77", zone=IF1).mtu == 1300
    assert lab.path("fe80::77", zone=IF2).mtu == 1500


@families
def test_an_error_about_what_never_left_the_host_changes_nothing(lab: Lab, far: str) -> None:
    us = US4 if far == FAR4 else US6
    before = lab.path(us).mtu
    generation = lab.ip.generation
    lab.arrive(IF1, too_big(us, 1300))

    assert (lab.path(us).mtu, lab.ip.generation) == (before, generation)


def test_an_error_about_a_destination_without_a_route_is_harmless(lab: Lab) -> None:
    lab.remove_route("0.0.0.0/0", IF1, "10.1.0.1")
    lab.arrive(IF1, too_big(FAR4, 1300))

    assert lab.timers.next_deadline() is None


@pytest.mark.rule("RFC8201-4")
@families
def test_an_echo_reply_that_was_too_big_comes_in_fragments_the_next_time(lab: Lab, far: str) -> None:
    if far == FAR4:
        question = IP(src=far, dst=US4) / ICMP(type=8) / bytes(1400)
        error = IP(src="203.0.113.1", dst=US4) / ICMP(type=3, code=4, nexthopmtu=1300)
    else:
        question = IPv6(src=far, dst=US6) / ICMPv6EchoRequest(data=bytes(1400))
        error = IPv6(src="2001:db8:99::1", dst=US6) / ICMPv6PacketTooBig(mtu=1300)
    lab.arrive(IF1, question)
    reply = lab.take_one().payload
    lab.arrive(IF1, error / bytes(reply)[:500])
    lab.arrive(IF1, question)

    assert [len(frame.payload) <= 1300 for _, frame in lab.take()] == [True, True]
    assert lab.drops == {}


def test_an_echo_request_nobody_sent_is_not_believed_in(lab: Lab) -> None:
    lab.arrive(IF1, IP(src="203.0.113.1", dst=US4) / ICMP(type=3, code=4, nexthopmtu=1300) / ping(US4, FAR4))

    assert lab.path(FAR4).mtu == 1500


def test_a_flood_of_errors_costs_the_oldest_knowledge(lab: Lab) -> None:
    lab.arrive(IF1, too_big(FAR4, 1300))
    frame = bytes(Ether(dst=mac_of(IF1), src=PEER_MAC) / too_big("100.64.0.0", 1400))
    for number in range(MAX_PATHS):
        quoted = frame[42:58] + bytes((100, 64)) + number.to_bytes(2, "big") + frame[62:]
        message = frame[34:36] + bytes(2) + frame[38:42] + quoted
        checksum = internet_checksum(message).to_bytes(2, "big")
        lab.receive(IF1, frame[:34] + message[:2] + checksum + message[4:])

    assert len(lab.ip.tables.path_mtus) == MAX_PATHS
    assert lab.path(FAR4).mtu == 1500
    assert lab.path("100.64.0.0").mtu == 1400
    assert lab.drops == {}
