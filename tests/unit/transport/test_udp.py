"""UDP endpoints on two hosts and a link, in virtual time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.host import Host, HostInterface, Network
from wsknet.net.packet import Cast
from wsknet.text import format_mac, parse_address
from wsknet.trace import DropReason
from wsknet.transport.endpoint import QUEUE_OVERHEAD
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import Cover, Endpoint, Family, FrameMeta, Instant, LocalName, family_of

NOW = Instant(0)
V4 = {"here": "192.0.2.1", "there": "192.0.2.2"}
V6 = {"here": "2001:db8::1", "there": "2001:db8::2"}
families = pytest.mark.parametrize("names", [V4, V6], ids=["IPv4", "IPv6"])


class Pair:
    """Two hosts on one cable."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.here, self.there = network.host("here"), network.host("there")
        self.near = self.here.interface("eth0", "192.0.2.1/24", "2001:db8::1/64")
        self.far = self.there.interface("eth0", "192.0.2.2/24", "2001:db8::2/64")
        network.link(self.near, self.far)

    def settle(self) -> None:
        self.network.run_for(0.1)

    def inject(self, frame: bytes, meta: FrameMeta | None = None) -> None:
        """A frame straight into `here`, as if it had come over the wire."""
        with self.here.pump as now:
            self.here.stack.receive(self.near.index, frame, now, meta)


@pytest.fixture
def pair() -> Iterator[Pair]:
    with Network(seed=1) as network:
        yield Pair(network)


def cover_of(address: bytes) -> Cover:
    return Cover.IPV4 if family_of(address) is Family.IPV4 else Cover.IPV6


def bound(host: Host, cover: Cover, port: int, address: bytes | None = None) -> UdpEndpoint:
    endpoint = host.stack.udp.open(cover)
    with host.pump as now:
        endpoint.bind(LocalName(cover, address, port), now)
    return endpoint


def send(host: Host, endpoint: UdpEndpoint, data: bytes, to: Endpoint | None) -> None:
    with host.pump as now:
        endpoint.send((data,), to, now)


@families
@pytest.mark.rule("R-101")
def test_a_datagram_arrives_with_its_source_and_the_address_it_was_sent_to(pair: Pair, names: dict[str, str]) -> None:
    here, there = parse_address(names["here"]), parse_address(names["there"])
    server = bound(pair.there, cover_of(there), 7)
    client = bound(pair.here, cover_of(here), 0)
    send(pair.here, client, b"hello", Endpoint(there, 7))
    pair.settle()
    datagram = server.receive()
    assert datagram is not None
    assert client.local is not None
    assert (datagram.data, datagram.source.address, datagram.source.port) == (b"hello", here, client.local.port)
    assert (datagram.destination, datagram.cast) == (there, Cast.UNICAST)
    assert client.local.address is None


@pytest.mark.rule("R-102", "BIND-1")
def test_the_wildcard_socket_sends_from_the_address_that_routing_chooses() -> None:
    with Network(seed=1) as network:
        multi = network.host("multi")
        servers = []
        for number, name in ((1, "left"), (2, "right")):
            card = multi.interface(f"eth{number}", f"10.{number}.0.1/24")
            other = network.host(name).interface("eth0", f"10.{number}.0.2/24")
            network.link(card, other)
            servers.append(bound(other.host, Cover.IPV4, 7))
        client = bound(multi, Cover.IPV4, 5000)
        sources = []
        for number, server in enumerate(servers, 1):
            send(multi, client, b"?", Endpoint(bytes((10, number, 0, 2)), 7))
            network.run_for(0.1)
            datagram = server.receive()
            assert datagram is not None
            sources.append(datagram.source)
            assert client.local == LocalName(Cover.IPV4, None, 5000)
        assert sources == [Endpoint(b"\x0a\1\0\1", 5000), Endpoint(b"\x0a\2\0\1", 5000)]


@families
@pytest.mark.rule("BIND-1.7.9")
def test_a_closed_port_is_reported_to_the_socket_that_asked(pair: Pair, names: dict[str, str]) -> None:
    there = parse_address(names["there"])
    client = bound(pair.here, cover_of(there), 0)
    send(pair.here, client, b"anyone?", Endpoint(there, 9))
    pair.settle()
    assert pair.there.stack.trace.drops[DropReason.UDP_NO_ENDPOINT] == 1
    assert client.take_error() is ErrorKind.PORT_UNREACHABLE
    assert client.take_error() is None


def udp_frame(interface: HostInterface, ip: IP | IPv6, udp: UDP, payload: bytes = b"data") -> bytes:
    return bytes(Ether(dst=format_mac(interface.mac), src="02:00:00:00:00:99") / ip / udp / payload)


def test_a_zero_checksum_is_none_over_ipv4_and_an_error_over_ipv6(pair: Pair) -> None:
    receiver = bound(pair.here, Cover.IPV4, 7)
    receiver6 = bound(pair.here, Cover.IPV6, 7)
    unsummed = UDP(sport=9, dport=7, chksum=0)
    pair.inject(udp_frame(pair.near, IP(src="192.0.2.2", dst="192.0.2.1"), unsummed))
    pair.inject(udp_frame(pair.near, IPv6(src="2001:db8::2", dst="2001:db8::1"), unsummed))
    assert (receiver.readable, receiver6.readable) == (1, 0)
    assert pair.here.stack.trace.drops[DropReason.UDP_BAD_CHECKSUM] == 1


def test_a_checksum_that_the_device_vouches_for_is_not_checked(pair: Pair) -> None:
    receiver = bound(pair.here, Cover.IPV4, 7)
    frame = udp_frame(pair.near, IP(src="192.0.2.2", dst="192.0.2.1"), UDP(sport=9, dport=7, chksum=0x1234))
    pair.inject(frame, FrameMeta())
    assert receiver.readable == 0
    pair.inject(frame, FrameMeta(is_checksum_trusted=True))
    assert receiver.readable == 1


@pytest.mark.parametrize(
    ("udp", "reason"),
    [
        (UDP(sport=9, dport=7, chksum=0x1234), DropReason.UDP_BAD_CHECKSUM),
        (UDP(sport=9, dport=7, len=200), DropReason.UDP_BAD_LENGTH),
        (UDP(sport=9, dport=7, len=7), DropReason.UDP_BAD_LENGTH),
    ],
)
def test_a_datagram_that_lies_is_dropped_with_a_reason(pair: Pair, udp: UDP, reason: DropReason) -> None:
    receiver = bound(pair.here, Cover.IPV4, 7)
    pair.inject(udp_frame(pair.near, IP(src="192.0.2.2", dst="192.0.2.1"), udp))
    assert receiver.readable == 0
    assert pair.here.stack.trace.drops == {reason: 1}


def test_the_receive_queue_is_bounded_by_bytes_and_the_drop_is_counted(pair: Pair) -> None:
    receiver = bound(pair.there, Cover.IPV4, 7)
    receiver.receive_buffer = 3 * (10 + QUEUE_OVERHEAD)
    client = bound(pair.here, Cover.IPV4, 0)
    for number in range(5):
        send(pair.here, client, b"%010d" % number, Endpoint(b"\xc0\0\2\2", 7))
    pair.settle()
    assert [d.data for d in receiver.peek()] == [b"%010d" % n for n in range(3)]
    assert pair.there.stack.trace.drops[DropReason.UDP_BUFFER_FULL] == 2
    receiver.receive()
    send(pair.here, client, b"room again", Endpoint(b"\xc0\0\2\2", 7))
    pair.settle()
    assert receiver.readable == 3


def test_a_port_held_for_another_address_or_family_is_closed(pair: Pair) -> None:
    pair.far.add_address("192.0.2.77/24")
    bound(pair.there, Cover.IPV4, 7, parse_address("192.0.2.77"))
    bound(pair.there, Cover.IPV6, 9)
    client = bound(pair.here, Cover.IPV4, 0)
    for port in (7, 9):
        send(pair.here, client, b"anyone?", Endpoint(parse_address(V4["there"]), port))
        pair.settle()
        assert client.take_error() is ErrorKind.PORT_UNREACHABLE


@pytest.mark.rule("BIND-1.7.8")
def test_a_socket_with_a_fixed_peer_takes_only_its_datagrams(pair: Pair) -> None:
    receiver = bound(pair.there, Cover.IPV4, 7)
    friend, stranger = bound(pair.here, Cover.IPV4, 5001), bound(pair.here, Cover.IPV4, 5002)
    with pair.there.pump as now:
        receiver.connect(Endpoint(b"\xc0\0\2\1", 5001), now)
    for client in (friend, stranger):
        send(pair.here, client, b"it is me", Endpoint(b"\xc0\0\2\2", 7))
    pair.settle()
    assert [d.source.port for d in receiver.peek()] == [5001]
    assert pair.there.stack.trace.drops[DropReason.UDP_OTHER_PEER] == 1
    send(pair.there, receiver, b"answer", None)
    pair.settle()
    assert friend.readable == 1
    with pair.there.pump as now:
        receiver.connect(None, now)
    send(pair.here, stranger, b"and now?", Endpoint(b"\xc0\0\2\2", 7))
    pair.settle()
    assert receiver.readable == 2


@pytest.mark.parametrize("cidrs", [("169.254.1.1/16", "169.254.1.2/16"), ("fe80::1/64", "fe80::2/64")])
def test_a_fixed_link_local_peer_is_heard_whether_its_zone_was_given_or_not(cidrs: tuple[str, str]) -> None:
    with Network(seed=1) as network:
        here, there = network.host("here"), network.host("there")
        network.link(here.interface("eth0", cidrs[0]), there.interface("eth0", cidrs[1]))
        address = parse_address(cidrs[1].split("/")[0])
        server = bound(there, cover_of(address), 7, address)
        for zone in (0, 2):
            client = bound(here, cover_of(address), 0)
            with here.pump as now:
                client.connect(Endpoint(address, 7, zone), now)
            assert client.remote == Endpoint(address, 7, 2)
            send(here, client, b"ping", None)
            network.run_for(0.1)
            question = server.receive()
            assert question is not None
            send(there, server, b"pong", question.source)
            network.run_for(0.1)
            assert [d.data for d in client.peek()] == [b"pong"]


def test_a_zone_means_nothing_to_a_global_peer(pair: Pair) -> None:
    client = bound(pair.here, Cover.IPV6, 5000)
    there = parse_address(V6["there"])
    server = bound(pair.there, Cover.IPV6, 7, there)
    with pair.here.pump as now:
        client.connect(Endpoint(there, 7, 9), now)
    send(pair.there, server, b"news", Endpoint(parse_address(V6["here"]), 5000))
    pair.settle()
    assert client.readable == 1


def test_a_socket_bound_on_one_link_does_not_send_to_another() -> None:
    with Network(seed=1) as network:
        host = network.host("host")
        for number in (0, 1):
            card = host.interface(f"eth{number}", "fe80::1/64")
            network.link(card, network.host(f"peer{number}").interface("eth0", "fe80::2/64"))
        client = host.stack.udp.open(Cover.IPV6)
        with host.pump as now:
            client.bind(LocalName(Cover.IPV6, parse_address("fe80::1"), 0, 2), now)
        with pytest.raises(NetError) as caught:
            send(host, client, b"?", Endpoint(parse_address("fe80::2"), 7, 3))
        assert caught.value.kind is ErrorKind.NO_ROUTE


def test_a_destination_of_a_family_that_the_name_does_not_cover_is_refused(pair: Pair) -> None:
    """A dual-stack socket bound to an IPv4 address included: it would send IPv6 packets from four bytes."""
    for name in (LocalName(Cover.IPV4, None, 5000), LocalName(Cover.IPV4, parse_address(V4["here"]), 5001)):
        client = pair.here.stack.udp.open(Cover.DUAL)
        with pair.here.pump as now:
            client.bind(name, now)
        there = Endpoint(parse_address(V6["there"]), 7)
        with pytest.raises(LocalError) as caught:
            send(pair.here, client, b"?", there)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        with pair.here.pump as now, pytest.raises(LocalError):
            client.connect(there, now)


@pytest.mark.rule("R-289")
def test_a_broadcast_needs_permission_and_reaches_every_socket_on_the_port(pair: Pair) -> None:
    first = bound(pair.there, Cover.IPV4, 7)
    client = bound(pair.here, Cover.IPV4, 0)
    everyone = Endpoint(b"\xc0\0\2\xff", 7)
    with pytest.raises(NetError) as caught:
        send(pair.here, client, b"all", everyone)
    assert caught.value.kind is ErrorKind.BROADCAST_DENIED
    client.may_broadcast = True
    send(pair.here, client, b"all", everyone)
    pair.settle()
    datagram = first.receive()
    assert datagram is not None
    assert datagram.cast is Cast.BROADCAST


@families
@pytest.mark.parametrize(
    ("port", "size", "kind"), [(0, 1, ErrorKind.NOT_LOCAL), (7, 70000, ErrorKind.MESSAGE_TOO_LONG)]
)
def test_a_send_that_cannot_be_says_why(
    pair: Pair, names: dict[str, str], port: int, size: int, kind: ErrorKind
) -> None:
    there = parse_address(names["there"])
    client = bound(pair.here, cover_of(there), 0)
    with pytest.raises(NetError) as caught:
        send(pair.here, client, bytes(size), Endpoint(there, port))
    assert caught.value.kind is kind


def test_without_a_route_the_send_fails_and_the_socket_goes_on(pair: Pair) -> None:
    client, server = bound(pair.here, Cover.IPV4, 0), bound(pair.there, Cover.IPV4, 7)
    with pytest.raises(NetError) as caught:
        send(pair.here, client, b"?", Endpoint(b"\x08\x08\x08\x08", 53))
    assert caught.value.kind is ErrorKind.NO_ROUTE
    send(pair.here, client, b"!", Endpoint(b"\xc0\0\2\2", 7))
    pair.settle()
    assert server.readable == 1


@pytest.mark.rule("R-106")
def test_an_unbound_socket_neither_sends_nor_connects_and_binds_once(pair: Pair) -> None:
    client = pair.here.stack.udp.open(Cover.IPV4)
    with pytest.raises(LocalError) as caught:
        client.send((b"?",), Endpoint(b"\xc0\0\2\2", 7), NOW)
    assert caught.value.kind is ErrorKind.INVALID_STATE
    with pytest.raises(LocalError):
        client.connect(Endpoint(b"\xc0\0\2\2", 7), NOW)
    client.bind(LocalName(Cover.IPV4, None, 0), NOW)
    with pytest.raises(LocalError):
        client.bind(LocalName(Cover.IPV4, None, 0), NOW)


def test_closing_frees_the_port_and_stops_delivery(pair: Pair) -> None:
    server = bound(pair.there, Cover.IPV4, 7)
    with pytest.raises(NetError):
        bound(pair.there, Cover.IPV4, 7)
    with pair.there.pump as now:
        server.close(now)
        server.close(now)
    bound(pair.there, Cover.IPV4, 7)
    assert [name.port for name in pair.there.stack.view().udp_ports] == [7]


def test_a_neighbour_that_never_answers_costs_the_datagram_and_is_counted(pair: Pair) -> None:
    client = bound(pair.here, Cover.IPV4, 0)
    send(pair.here, client, b"?", Endpoint(b"\xc0\0\2\x63", 7))
    pair.network.run_for(10)
    assert pair.here.stack.trace.drops[DropReason.NEIGHBOUR_FAILED] == 1
    assert client.take_error() is None
