"""What a router tells a sender who could have taken a shorter way: RFC 1812 5.2.7.2, RFC 4861 8.2."""

from __future__ import annotations

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6ND_Redirect, ICMPv6NDOptDstLLAddr, ICMPv6NDOptRedirectedHdr, IPv6
from scapy.layers.l2 import Ether

from tests.unit.net.lab import IF1, OTHER_MAC, PEER_MAC, Lab, datagram
from tests.unit.net.router_lab import PEER4, PEER6, error_numbers, router, with_hop_limit
from wsknet.types import SECOND, Instant


@pytest.fixture
def lab() -> Lab:
    return router()


@pytest.mark.rule("RFC1812-5.2.7.2", "RFC1122-3.2.2.2")
def test_an_ipv4_sender_is_told_of_the_nearer_router_and_the_packet_goes_on(lab: Lab) -> None:
    lab.know(IF1, "10.1.0.254", OTHER_MAC)
    lab.route("203.0.113.0/24", IF1, "10.1.0.254")
    packet = datagram(PEER4, "203.0.113.5")
    lab.arrive(IF1, packet)

    [(_, passed), (_, redirect)] = lab.take()
    assert (passed[Ether].dst, passed[IP].dst) == (OTHER_MAC, "203.0.113.5")
    assert (redirect[IP].src, redirect[IP].dst, redirect[Ether].dst) == ("10.1.0.1", PEER4, PEER_MAC)
    assert (redirect[ICMP].type, redirect[ICMP].code, redirect[ICMP].gw) == (5, 1, "10.1.0.254")
    assert bytes(redirect[ICMP].payload) == bytes(packet)
    assert lab.drops == {}


@pytest.mark.rule("RFC4861-8.2", "RFC4861-4.5")
@pytest.mark.parametrize("is_neighbour", [False, True])
def test_an_ipv6_sender_is_told_of_the_nearer_hop(lab: Lab, is_neighbour: bool) -> None:
    target, destination = ("2001:db8:1::77",) * 2 if is_neighbour else ("fe80::254", "2001:db8:abc::5")
    lab.know(IF1, target, OTHER_MAC)
    if not is_neighbour:
        lab.route("2001:db8:abc::/48", IF1, "fe80::254")
    packet = datagram(PEER6, destination, bytes(1400))
    lab.arrive(IF1, packet)

    [(_, passed), (_, redirect)] = lab.take()
    assert passed[Ether].dst == OTHER_MAC
    assert (redirect[IPv6].src, redirect[IPv6].dst, redirect[IPv6].hlim) == ("fe80::1", PEER6, 255)
    message = redirect[ICMPv6ND_Redirect]
    assert (message.tgt, message.dst) == (target, destination)
    assert redirect[ICMPv6NDOptDstLLAddr].lladdr == OTHER_MAC
    assert redirect[ICMPv6NDOptRedirectedHdr].len * 8 > 1000
    assert len(redirect[IPv6]) <= 1280


@pytest.mark.parametrize(
    ("source", "destination", "via"),
    [
        (PEER4, "203.0.113.5", "10.9.0.254"),
        ("192.0.2.77", "203.0.113.5", "10.1.0.254"),
        (PEER6, "2001:db8:abc::5", "2001:db8:1::254"),
        ("2001:db8:77::7", "2001:db8:abc::5", "fe80::254"),
        ("10.1.0.254", "203.0.113.5", "10.1.0.254"),
    ],
    ids=[
        "router of another subnet",
        "sender elsewhere",
        "router not known by link-local",
        "IPv6 sender elsewhere",
        "it is that router",
    ],
)
def test_who_could_not_use_it_is_sent_no_redirect(lab: Lab, source: str, destination: str, via: str) -> None:
    lab.know(IF1, via, OTHER_MAC)
    lab.route("2001:db8:77::/64", IF1, "fe80::50")
    lab.route("203.0.113.0/24" if ":" not in via else "2001:db8:abc::/48", IF1, via)
    lab.arrive(IF1, datagram(source, destination))

    assert lab.take_one(IF1)[Ether].dst == OTHER_MAC


@pytest.mark.rule("RFC4861-8.2")
def test_redirects_are_rationed_apart_from_errors(lab: Lab) -> None:
    lab.know(IF1, "10.1.0.254", OTHER_MAC)
    lab.route("203.0.113.0/24", IF1, "10.1.0.254")
    for _ in range(30):
        lab.arrive(IF1, datagram(PEER4, "203.0.113.5"))
    assert sum(ICMP in frame for _, frame in lab.take()) == 10

    lab.arrive(IF1, with_hop_limit(datagram(PEER4, "203.0.113.5"), 1))
    assert error_numbers(lab.take_one(IF1)) == (11, 0)
    lab.now = Instant(lab.now + SECOND // 2)
    for _ in range(30):
        lab.arrive(IF1, datagram(PEER4, "203.0.113.5"))
    assert sum(ICMP in frame for _, frame in lab.take()) == 5


@pytest.mark.rule("RFC1812-5.2.7.2", "RFC1122-3.2.2.2")
def test_who_is_behind_another_router_of_the_link_is_sent_no_redirect_though_there_is_a_way_back(lab: Lab) -> None:
    lab.know(IF1, "10.1.0.254", OTHER_MAC)
    lab.route("203.0.113.0/24", IF1, "10.1.0.254")
    lab.route("192.0.2.0/24", IF1, "10.1.0.253")
    lab.know(IF1, "10.1.0.253")
    lab.arrive(IF1, datagram("192.0.2.77", "203.0.113.5"))

    assert [frame[IP].dst for _, frame in lab.take()] == ["203.0.113.5"]
