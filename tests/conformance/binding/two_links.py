"""Host H1 of the binding catalogue, over either family: a card on each of two links and a peer at the end of each.

Both peers have the gateway's address of their link and `names.remote`, so whichever way a packet takes, it arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from tests.support.tcp_lab import Recorder
from tests.support.wsk_lab import Watch
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.errors import ErrorKind, NetError
from wsknet.host import Host, HostInterface, Network
from wsknet.net import changes
from wsknet.text import format_address, parse_address, parse_network
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import Cover, Endpoint, LocalName

PORT = 7000


class Names(NamedTuple):
    cover: Cover
    ours: tuple[str, str]
    """By link."""
    peers: tuple[str, str]
    gateways: tuple[str, str]
    length: int
    default: str
    remote: str
    """Beyond the gateways."""


V4 = Names(
    Cover.IPV4,
    ("10.1.0.2", "10.2.0.2"),
    ("10.1.0.50", "10.2.0.50"),
    ("10.1.0.1", "10.2.0.1"),
    24,
    "0.0.0.0/0",
    "8.8.8.8",
)
V6 = Names(
    Cover.IPV6,
    ("2001:db8:1::2", "2001:db8:2::2"),
    ("2001:db8:1::50", "2001:db8:2::50"),
    ("2001:db8:1::1", "2001:db8:2::1"),
    64,
    "::/0",
    "2001:db8:ffff::8",
)
families = pytest.mark.parametrize("names", [V4, V6], ids=["IPv4", "IPv6"])
sets = pytest.mark.parametrize("behaviour", [WINDOWS, LINUX, BSD], ids=lambda behaviour: behaviour.name)

A = parse_address


class H1:
    def __init__(self, network: Network, names: Names, behaviour: Behaviour = WINDOWS) -> None:
        self.network = network
        self.names = names
        self.host = network.host("host", behaviour)
        self.peers = [network.host("peer0"), network.host("peer1")]
        self.cards: list[HostInterface] = []
        self.wires: list[Watch] = []
        for link, peer in enumerate(self.peers):
            card = self.host.interface(f"eth{link}", self.cidr(link), metric=25 + 10 * link)
            there = (f"{address}/{names.length}" for address in (names.peers[link], names.gateways[link]))
            far = peer.interface("eth0", *there, f"{names.remote}/{32 if names.cover is Cover.IPV4 else 128}")
            network.link(card, far)
            assert card.device is not None
            watch = Watch(card.device)
            card.plug(watch)
            self.cards.append(card)
            self.wires.append(watch)
        self.add_default(0)
        self.owners: dict[TcpEndpoint, Recorder] = {}

    # Tables

    def cidr(self, link: int) -> str:
        return f"{self.names.ours[link]}/{self.names.length}"

    def apply(self, change: changes.Change) -> None:
        self.host.apply(change)

    def add_default(self, link: int) -> None:
        self.host.route(self.names.default, via=self.names.gateways[link], metric=0)

    def remove_default(self, link: int) -> None:
        prefix = parse_network(self.names.default)
        self.apply(changes.RouteRemoved(*prefix, self.cards[link].index, A(self.names.gateways[link])))

    def remove_address(self, link: int = 0) -> None:
        self.cards[link].remove_address(self.names.ours[link])

    def add_address(self, link: int = 0) -> None:
        self.cards[link].add_address(self.cidr(link))

    def remove_interface(self, link: int = 0) -> None:
        self.apply(changes.InterfaceRemoved(self.cards[link].index))

    def apply_on_link_route(self, link: int) -> None:
        """The subnet stays on the link although no address says so."""
        prefix, length = A(self.names.ours[link])[: self.names.length // 8], self.names.length
        prefix = prefix.ljust(len(A(self.names.ours[link])), b"\0")
        self.apply(changes.RouteAdded(prefix, length, self.cards[link].index))

    def run(self, seconds: float = 0.1) -> None:
        self.network.run_for(seconds)

    # Sockets

    def name(self, address: str | None, port: int = 0) -> LocalName:
        return LocalName(self.names.cover, A(address) if address else None, port)

    def call(self, operation: Callable[..., Any], *arguments: Any, host: Host | None = None) -> Any:
        """Enter the host with the time as last argument."""
        with (host or self.host).pump as now:
            return operation(*arguments, now)

    def kind_of_failure(self, operation: Callable[..., Any], *arguments: Any) -> ErrorKind:
        with pytest.raises(NetError) as caught:
            self.call(operation, *arguments)
        return caught.value.kind

    def udp(self, address: str | None = None, port: int = 0, host: Host | None = None) -> UdpEndpoint:
        endpoint = (host or self.host).stack.udp.open(self.names.cover)
        self.call(endpoint.bind, self.name(address, port), host=host)
        return endpoint

    def tcp(self, address: str | None = None, port: int = 0, host: Host | None = None) -> TcpEndpoint:
        recorder = Recorder()
        endpoint = (host or self.host).stack.tcp.open(self.names.cover, recorder)
        self.owners[endpoint] = recorder
        self.call(endpoint.bind, self.name(address, port), host=host)
        return endpoint

    def listener(self, address: str | None = None, host: Host | None = None) -> TcpEndpoint:
        endpoint = self.tcp(address, PORT, host)
        self.call(endpoint.listen, host=host)
        return endpoint

    def connect(self, endpoint: TcpEndpoint, to: str) -> State:
        """The state when there has been time for an answer."""
        self.call(endpoint.connect, Endpoint(A(to), PORT))
        self.run()
        return endpoint.state

    def connected(self, to: str | None = None, address: str | None = None) -> tuple[TcpEndpoint, TcpEndpoint]:
        """Our end and the peer's of a connection to `to`, on the first link unless given."""
        to = to or self.names.peers[0]
        link = 1 if to == self.names.peers[1] else 0
        listener = self.listener(host=self.peers[link])
        endpoint = self.tcp(address)
        assert self.connect(endpoint, to) is State.ESTABLISHED
        accepted = self.call(listener.accept, host=self.peers[link])
        self.call(listener.close, host=self.peers[link])
        return endpoint, accepted

    def dial(self, to: str, link: int = 0) -> TcpEndpoint:
        """A peer connects to us; its endpoint, when there has been time for an answer."""
        endpoint = self.tcp(None, 0, self.peers[link])
        self.call(endpoint.connect, Endpoint(A(to), PORT), host=self.peers[link])
        self.run()
        return endpoint

    def send(self, endpoint: UdpEndpoint, to: str | None, port: int = PORT, data: bytes = b"data") -> None:
        self.call(endpoint.send, (data,), Endpoint(A(to), port) if to else None)
        self.run()

    def reach(self, address: str, port: int, link: int = 0, data: bytes = b"hello", source: str | None = None) -> None:
        """A peer sends a datagram to us from `PORT`."""
        endpoint = self.udp(source or self.names.peers[link], PORT, self.peers[link])
        self.call(endpoint.send, (data,), Endpoint(A(address), port), host=self.peers[link])
        self.call(endpoint.close, host=self.peers[link])
        self.run()

    # Frames

    def sent(self, layer: Any = UDP) -> list[tuple[int, str]]:
        """Link and source of each packet of `layer` that left since the last time, link by link."""
        found = []
        for link, wire in enumerate(self.wires):
            for frame in map(Ether, wire.frames):
                if layer in frame:
                    found.append((link, str(frame[IP if IP in frame else IPv6].src)))
            wire.frames.clear()
        return found

    def segments(self) -> list[tuple[int, str]]:
        """Link and source of each TCP segment, once."""
        return list(dict.fromkeys(self.sent(TCP)))


def text(name: LocalName | Endpoint | None) -> str | None:
    """The address alone, `None` for the wildcard."""
    assert name is not None
    return None if name.address is None else format_address(name.address)


@contextmanager
def h1(names: Names, behaviour: Behaviour = WINDOWS) -> Iterator[H1]:
    with Network(seed=3) as network:
        yield H1(network, names, behaviour)
