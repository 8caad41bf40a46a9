"""Datagrams with a source and an interface of their own, and what a socket receives from which interface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from tests.support.wsk_lab import Watch
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.errors import ErrorKind, NetError
from wsknet.host import Host, Network
from wsknet.text import format_address
from wsknet.text import parse_address as A
from wsknet.trace import DropReason
from wsknet.transport.datagram import Admission
from wsknet.transport.endpoint import PacketInfo
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import Cover, Endpoint, IfIndex, LocalName

IF1, IF2 = IfIndex(2), IfIndex(3)
PORT = 7


class Names(NamedTuple):
    cover: Cover
    first: str
    """Of the first interface, what routing would choose; `second` is another one there, `other` of the other one."""
    second: str
    other: str
    far: str
    """The peer on the first link; `far2` on the second."""
    far2: str
    foreign: str
    group: str


V4 = Names(Cover.IPV4, "10.1.0.2", "10.1.0.130", "10.2.0.2", "10.1.0.1", "10.2.0.1", "10.9.9.9", "239.1.2.3")
V6 = Names(
    Cover.IPV6, "2001:db8:1::2", "2001:db8:1::8002", "2001:db8:2::2", "2001:db8:1::1", "2001:db8:2::1",
    "2001:db8:9::9", "ff15::7",
)  # fmt: skip
families = pytest.mark.parametrize("names", [V4, V6], ids=["IPv4", "IPv6"])


class Lab:
    """A host with two links and a peer, a weak host, at the end of both."""

    def __init__(self, network: Network, behaviour: Behaviour) -> None:
        self.network = network
        self.here = network.host("here", behaviour)
        self.there = network.host("there", LINUX)
        self.wires: list[Watch] = []
        for number in (1, 2):
            own = self.here.interface(f"if{number}", f"10.{number}.0.2/24", f"2001:db8:{number}::2/64")
            other = self.there.interface(f"if{number}", f"10.{number}.0.1/24", f"2001:db8:{number}::1/64")
            network.link(own, other)
            assert own.device is not None
            self.wires.append(Watch(own.device))
            own.plug(self.wires[-1])
            if number == 1:
                own.add_address("10.1.0.130/24")
                own.add_address("2001:db8:1::8002/64")
        self.server = self.open(self.there, LocalName(Cover.DUAL, None, PORT))

    @staticmethod
    def open(host: Host, name: LocalName) -> UdpEndpoint:
        endpoint = host.stack.udp.open(name.cover)
        with host.pump as now:
            endpoint.bind(name, now)
        return endpoint

    def udp(self, names: Names, address: str | None = None, zone: int = 0) -> UdpEndpoint:
        return self.open(self.here, LocalName(names.cover, A(address) if address else None, 5000, zone))

    def send(self, endpoint: UdpEndpoint, to: str, info: PacketInfo | None = None, zone: int = 0) -> None:
        with self.here.pump as now:
            endpoint.send((b"data",), Endpoint(A(to), PORT, zone), now, info)
        self.network.run_for(0.1)

    def failure(self, endpoint: UdpEndpoint, to: str, info: PacketInfo, zone: int = 0) -> ErrorKind:
        with pytest.raises(NetError) as caught:
            self.send(endpoint, to, info, zone)
        assert not self.server.readable
        return caught.value.kind

    def arrival(self, endpoint: UdpEndpoint, to: str, info: PacketInfo | None) -> tuple[int, str]:
        self.send(endpoint, to, info)
        datagram = self.server.receive()
        assert datagram is not None
        return datagram.if_index, format_address(datagram.source.address)

    def answer(self, to: str, data: bytes = b"answer") -> None:
        with self.there.pump as now:
            self.server.send((data,), Endpoint(A(to), 5000), now)
        self.network.run_for(0.1)

    def sent(self, link: int) -> list[IP | IPv6]:
        frames = [Ether(frame).payload for frame in self.wires[link].frames if b"data" in frame]
        self.wires[link].frames.clear()
        return frames


def lab_of(behaviour: Behaviour) -> Iterator[Lab]:
    with Network(seed=1) as network:
        yield Lab(network, behaviour)


@pytest.fixture
def lab() -> Iterator[Lab]:
    yield from lab_of(WINDOWS)


@pytest.fixture
def weak() -> Iterator[Lab]:
    yield from lab_of(LINUX)


@pytest.mark.rule("BIND-4.5", "BIND-5")
@families
def test_one_datagram_has_the_source_that_is_asked_for(lab: Lab, names: Names) -> None:
    endpoint = lab.udp(names)
    usual = lab.arrival(endpoint, names.far, None)
    for source in (names.first, names.second):
        assert lab.arrival(endpoint, names.far, PacketInfo(A(source))) == (IF1, source)
    assert lab.arrival(endpoint, names.far, None) == lab.arrival(endpoint, names.far, PacketInfo()) == usual
    assert endpoint.local == LocalName(names.cover, None, 5000)


@pytest.mark.rule("BIND-4.5")
@families
@pytest.mark.parametrize("source", ["foreign", "group"])
def test_a_source_that_is_not_ours_is_refused(lab: Lab, names: Names, source: str) -> None:
    info = PacketInfo(A(getattr(names, source)))

    assert lab.failure(lab.udp(names), names.far, info) is ErrorKind.NOT_LOCAL


@pytest.mark.rule("BIND-4.5")
@families
def test_an_interface_is_left_through_or_nothing_is_sent(lab: Lab, weak: Lab, names: Names) -> None:
    endpoint = lab.udp(names)
    assert lab.arrival(endpoint, names.far, PacketInfo(None, IF1))[0] == IF1
    for info in (PacketInfo(None, IF2), PacketInfo(None, 99), PacketInfo(A(names.first), IF2)):
        assert lab.failure(endpoint, names.far, info) is ErrorKind.NO_ROUTE
    assert lab.failure(endpoint, names.far, PacketInfo(A(names.other))) is ErrorKind.NO_ROUTE

    assert weak.arrival(weak.udp(names), names.far, PacketInfo(A(names.other))) == (IF1, names.other)


@pytest.mark.rule("BIND-4.5")
@families
def test_it_goes_before_the_interface_of_the_socket(lab: Lab, names: Names) -> None:
    endpoint = lab.udp(names)
    endpoint.unicast_interfaces = {4: IF2, 16: IF2}
    assert lab.failure(endpoint, names.far, PacketInfo(A(names.first))) is ErrorKind.NO_ROUTE

    assert lab.arrival(endpoint, names.far, PacketInfo(A(names.first), IF1)) == (IF1, names.first)


@pytest.mark.rule("BIND-4.5")
@families
@pytest.mark.parametrize("behaviour", [WINDOWS, LINUX, BSD], ids=lambda behaviour: behaviour.name)
def test_whether_it_beats_the_address_of_the_socket_is_a_policy(behaviour: Behaviour, names: Names) -> None:
    for lab in lab_of(replace(behaviour, packet_info_beats_name=True)):
        info = PacketInfo(A(names.second))
        assert lab.arrival(lab.udp(names, names.first), names.far, info) == (IF1, names.second)
    for lab in lab_of(replace(behaviour, packet_info_beats_name=False)):
        endpoint = lab.udp(names, names.first)
        assert lab.failure(endpoint, names.far, info) is ErrorKind.INVALID_ARGUMENT
        assert lab.arrival(endpoint, names.far, PacketInfo(A(names.first))) == (IF1, names.first)
        wildcard = lab.open(lab.here, LocalName(names.cover, None, 5001))
        assert lab.arrival(wildcard, names.far, info) == (IF1, names.second)
    assert (WINDOWS.packet_info_beats_name, LINUX.packet_info_beats_name, BSD.packet_info_beats_name) == (
        True, True, False,
    )  # fmt: skip


@families
def test_a_source_of_another_family_is_refused(lab: Lab, names: Names) -> None:
    source = A((V6 if names is V4 else V4).first)
    for endpoint in (lab.udp(names), lab.open(lab.here, LocalName(Cover.DUAL, None, 0))):
        assert lab.failure(endpoint, names.far, PacketInfo(source)) is ErrorKind.INVALID_ARGUMENT


@families
def test_a_group_is_sent_through_the_interface_that_is_asked_for(lab: Lab, names: Names) -> None:
    endpoint = lab.udp(names)
    endpoint.multicast.if_index = IF1
    lab.send(endpoint, names.group, PacketInfo(None, IF2))
    assert (len(lab.sent(0)), len(lab.sent(1))) == (0, 1)
    lab.send(endpoint, names.group)
    assert (len(lab.sent(0)), len(lab.sent(1))) == (1, 0)

    assert lab.failure(endpoint, names.group, PacketInfo(None, IF2), IF1) is ErrorKind.NO_ROUTE


def test_a_link_local_source_is_meant_on_the_interface_that_is_asked_for(lab: Lab) -> None:
    for index in (IF1, IF2):
        own = [a for a in lab.here.stack.ip.interfaces[index].addresses if a[:2] == b"\xfe\x80"]
        peer = [a for a in lab.there.stack.ip.interfaces[index].addresses if a[:2] == b"\xfe\x80"]
        endpoint = lab.open(lab.here, LocalName(Cover.IPV6, None, 0))
        info = PacketInfo(own[0], index)
        assert lab.arrival(endpoint, format_address(peer[0]), info) == (index, format_address(own[0]))


@families
def test_one_datagram_has_its_traffic_class(lab: Lab, names: Names) -> None:
    endpoint = lab.udp(names)
    for info, expected in ((PacketInfo(None, 0, 0xB9), 0xB9), (None, 0)):
        lab.send(endpoint, names.far, info)
        [packet] = lab.sent(0)
        assert (packet.tos if IP in packet else packet.tc) == expected
        datagram = lab.server.receive()
        assert datagram is not None
        assert datagram.traffic_class == expected


# What is received


@pytest.mark.rule("BIND-4.7")
@families
def test_datagrams_are_received_from_listed_interfaces_alone(lab: Lab, names: Names) -> None:
    endpoint = lab.udp(names)
    length = len(A(names.first))
    for listed in ([], [IF1], [IF2], [IF1, IF2], None):
        endpoint.admission = None if listed is None else Admission({length: frozenset(listed)})
        lab.answer(names.first)
        lab.answer(names.other)
        got = [datagram.if_index for datagram in endpoint.peek()]
        assert got == ([IF1, IF2] if listed is None else listed)
        while endpoint.receive():
            pass
    assert lab.here.stack.trace.drops[DropReason.UDP_NOT_ADMITTED] == 4
    assert lab.server.take_error() is None
    endpoint.admission = Admission({20 - length: frozenset()})
    lab.answer(names.first)
    assert endpoint.readable == 1


@pytest.mark.rule("BIND-4.8")
def test_broadcasts_can_be_blocked(lab: Lab) -> None:
    endpoint = lab.udp(V4)
    lab.server.may_broadcast = True
    for takes_them in (True, False, True):
        endpoint.admission = Admission({}, takes_them)
        lab.answer("10.1.0.255")
        lab.answer(V4.first)
        assert len([endpoint.receive() for _ in range(endpoint.readable)]) == 1 + takes_them
    assert lab.here.stack.trace.drops[DropReason.UDP_NOT_ADMITTED] == 1


@pytest.mark.rule("BIND-65")
@families
def test_an_unreachable_port_is_told_unless_that_is_off(lab: Lab, names: Names) -> None:
    endpoint = lab.udp(names)
    with lab.there.pump as now:
        lab.server.close(now)
    for tells in (True, False, True):
        endpoint.tells_port_unreachable = tells
        lab.send(endpoint, names.far)
        assert endpoint.take_error() is (ErrorKind.PORT_UNREACHABLE if tells else None)
