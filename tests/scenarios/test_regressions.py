"""Faults of TCP that were found from outside, each as its user met it: whole hosts on a link, in virtual time."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6ExtHdrFragment
from scapy.layers.l2 import Ether
from scapy.utils import RawPcapNgReader

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.host import Host, Network
from wsknet.net import changes
from wsknet.text import parse_address
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.types import Cover, Endpoint, Family, IfIndex, LocalName, family_of

PORT = 80


class Pair:
    """Two hosts on one cable."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.here, self.there = network.host("here"), network.host("there")
        self.near = self.here.interface("eth0", "192.0.2.1/24", "2001:db8::1/64")
        self.far = self.there.interface("eth0", "192.0.2.2/24", "2001:db8::2/64")
        network.link(self.near, self.far)

    def listen(self, address: str = "192.0.2.2", receive_buffer: int = 1 << 20) -> TcpEndpoint:
        """At the wildcard of the family of `address`."""
        listener = bound(self.there, cover_of(address), PORT)
        listener.receive_buffer = receive_buffer
        with self.there.pump as now:
            listener.listen(now)
        return listener

    def connect(self, listener: TcpEndpoint, address: str = "192.0.2.2") -> tuple[TcpEndpoint, TcpEndpoint]:
        client = bound(self.here, cover_of(address))
        connect(self.here, client, Endpoint(parse_address(address), PORT))
        self.network.run_for(0.01)
        with self.there.pump as now:
            server = listener.accept(now)
        assert server is not None
        return client, server

    def transfer(self, client: TcpEndpoint, server: TcpEndpoint, size: int, seconds: int) -> None:
        """`size` bytes arrive at `server` within the time."""
        with self.here.pump as now:
            client.send(bytes(size), now)
        received = 0
        for _ in range(seconds * 10):
            self.network.run_for(0.1)
            with self.there.pump as now:
                received += len(server.receive(1 << 30, now))
            if received == size:
                return
        raise AssertionError(f"{received} of {size} bytes in {seconds} s; {client.error}")

    def close(self, *endpoints: TcpEndpoint) -> None:
        for host, endpoint in zip((self.here, self.there, self.there), endpoints, strict=False):
            with host.pump as now:
                endpoint.close(now)


@pytest.fixture
def pair() -> Iterator[Pair]:
    with Network(seed=1) as network:
        yield Pair(network)


def cover_of(address: str) -> Cover:
    return Cover.IPV4 if family_of(parse_address(address)) is Family.IPV4 else Cover.IPV6


def bound(host: Host, cover: Cover, port: int = 0, address: str | None = None, zone: int = 0) -> TcpEndpoint:
    endpoint = host.stack.tcp.open(cover)
    with host.pump as now:
        endpoint.bind(LocalName(cover, parse_address(address) if address else None, port, zone), now)
    return endpoint


def connect(host: Host, endpoint: TcpEndpoint, remote: Endpoint) -> None:
    with host.pump as now:
        endpoint.connect(remote, now)


@pytest.mark.parametrize("address", ["192.0.2.2", "2001:db8::2"])
def test_a_thousand_short_connections_to_one_server_all_succeed_and_leave_nothing(pair: Pair, address: str) -> None:
    """A dynamic port was chosen again while its last connection was in TIME-WAIT, and the connect failed: IN_USE."""
    listener = pair.listen(address)
    for _ in range(1000):
        client, server = pair.connect(listener, address)
        for host, endpoint in ((pair.here, client), (pair.there, server)):
            with host.pump as now:
                endpoint.finish(now)
            pair.network.run_for(0.01)
        pair.close(client, server)
    assert len(pair.here.stack.view().connections) == 1000
    with pair.there.pump as now:
        listener.close(now)
    pair.network.run_for(200)
    for host in (pair.here, pair.there):
        view = host.stack.view()
        assert (view.connections, view.tcp_ports, host.stack.next_deadline()) == ((), (), None)


def test_an_address_bound_on_one_link_does_not_connect_on_another() -> None:
    """Both cards had the same link-local address, so the one that was bound did not keep to its link."""
    with Network(seed=1) as network:
        host = network.host("host")
        for number in (0, 1):
            card = host.interface(f"eth{number}", "fe80::1/64")
            network.link(card, network.host(f"peer{number}").interface("eth0", "fe80::2/64"))
        client = bound(host, Cover.IPV6, address="fe80::1", zone=2)
        with pytest.raises(NetError) as caught:
            connect(host, client, Endpoint(parse_address("fe80::2"), PORT, 3))
        assert caught.value.kind is ErrorKind.NO_ROUTE
        connect(host, client, Endpoint(parse_address("fe80::2"), PORT, 2))
        assert client.state is State.SYN_SENT


@pytest.mark.parametrize("address", ["192.0.2.2", "2001:db8::2"])
def test_a_connection_whose_own_link_got_a_smaller_mtu_sends_segments_that_fit(address: str, tmp_path: Path) -> None:
    """They kept their size and left in fragments, each."""
    with Network(seed=1) as network:
        network.capture(tmp_path / "link.pcapng")
        pair = Pair(network)
        client, server = pair.connect(pair.listen(address), address)
        pair.here.apply(changes.InterfaceChanged(IfIndex(2), mtu=1280))
        pair.transfer(client, server, 100_000, seconds=10)
    with RawPcapNgReader(str(tmp_path / "link.pcapng")) as reader:
        packets = [Ether(frame).payload for frame, _ in reader]
    assert max(len(packet) for packet in packets) == 1280
    cut = [p for p in packets if IPv6ExtHdrFragment in p or (IP in p and (p.frag or p.flags.MF))]
    assert len(cut) <= 2, "only the segment that was on its way when the link changed"


@pytest.mark.parametrize(("at_first", "later"), [(1 << 20, 1), (1 << 30, 5000)])
def test_a_receive_buffer_made_smaller_than_the_window_can_tell_does_not_close_it(
    pair: Pair, at_first: int, later: int
) -> None:
    client, server = pair.connect(pair.listen(receive_buffer=at_first))
    server.receive_buffer = later
    pair.transfer(client, server, 70_000, seconds=600)


def test_memory_with_gaps_is_refused_whatever_it_holds(pair: Pair) -> None:
    client, _ = pair.connect(pair.listen())
    for gaps in (memoryview(bytearray(10))[::2], memoryview(array("I", range(10)))[::2]):
        with pytest.raises(LocalError) as caught, pair.here.pump as now:
            client.send(gaps, now)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert client.unacknowledged == 0
