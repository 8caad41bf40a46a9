"""What a router lets in and passes on, and what it drops by name."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6

from tests.unit.net.lab import IF1, IF2, PEER6, A, Lab, datagram, mac_of, two_links
from wsknet.net import changes
from wsknet.net.packet import Cast
from wsknet.trace import DropReason

BROADCAST = "ff:ff:ff:ff:ff:ff"


@pytest.fixture
def lab() -> Lab:
    return two_links()


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
