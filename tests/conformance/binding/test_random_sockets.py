"""Sockets of two hosts over random histories: whatever happens to them and to their addresses, nothing stays behind."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import product
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour, SharingTable
from wsknet.errors import NetError
from wsknet.host import Host, HostInterface, Network
from wsknet.net import changes
from wsknet.text import parse_address as A
from wsknet.transport.endpoint import Ready
from wsknet.transport.ports import PortChoice
from wsknet.transport.queries import ArrivalQuery
from wsknet.transport.sharing import Sharing
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import SECOND, Cover, Endpoint, Family, Instant, LocalName, Proto

AnyEndpoint = TcpEndpoint | UdpEndpoint

CIDRS = [
    [[f"10.{link}.0.{host}/24", f"fd00:{link}::{host}/64", f"fe80::{host}/64"] for link in (1, 2)] for host in (1, 2)
]
"""By host and link.  A host has one link-local address on both links."""
OURS = sorted({cidr.partition("/")[0] for host in CIDRS for link in host for cidr in link})
PEER = "10.1.0.77"
DYNAMIC = (50000, 50003)
PORTS = (0, 80, 81, *DYNAMIC)
BEHAVIOURS = (
    WINDOWS,
    LINUX,
    BSD,
    replace(WINDOWS, listeners_share_port=False, connections_hold_port=True, removed_address_aborts=False),
    replace(LINUX, removed_address_aborts=True, removed_interface_closes_sockets=True),
    replace(BSD, sharing=SharingTable.WINSOCK_2003, time_wait_blocks_bind=False),
)
IS_HOST = IS_LINK = st.integers(0, 1)
NUMBERS = st.integers(0, 9)
MANNERS = st.sampled_from(["wait", "close after the peer", "close", "close if failed", "try again"])


def impatient(behaviour: Behaviour) -> Behaviour:
    """Few dynamic ports, and peers that have gone are given up soon."""
    tcp = replace(behaviour.tcp, syn_retries=2, data_retries=3, time_wait=20 * SECOND)
    return replace(behaviour, ephemeral_ports=DYNAMIC, tcp=tcp)


class Owner:
    """Does what it is told from within `on_ready`, a few times at most."""

    def __init__(self, endpoint: Any, manner: str) -> None:
        self.endpoint = endpoint
        self.manner = manner
        self.left = 3

    def on_ready(self, readiness: int, now: Instant) -> None:
        self.left -= 1
        endpoint = self.endpoint
        if self.manner == "close" or (self.manner == "close if failed" and readiness & Ready.FAILED):
            endpoint.close(now)
        elif self.manner == "close after the peer" and readiness & Ready.PEER_FINISHED:
            with suppress(NetError):
                endpoint.finish(now)
            endpoint.close(now)
        elif self.manner == "try again" and readiness & Ready.FAILED and self.left > 0:
            with suppress(NetError):
                endpoint.connect(Endpoint(A("10.1.0.2"), 80), now)


class RandomSockets(RuleBasedStateMachine):
    @initialize(behaviours=st.tuples(st.sampled_from(BEHAVIOURS), st.sampled_from(BEHAVIOURS)), seed=st.integers(0, 9))
    def start(self, behaviours: tuple[Behaviour, Behaviour], seed: int) -> None:
        self.network = Network(seed)
        self.hosts: list[Host] = []
        self.cards: list[list[HostInterface]] = []
        self.sockets: list[list[AnyEndpoint]] = [[], []]
        for number, behaviour in enumerate(behaviours):
            host = self.network.host(f"host{number}", impatient(behaviour))
            self.hosts.append(host)
            self.cards.append([host.interface(f"eth{i}", *CIDRS[number][i], link_local=False) for i in (0, 1)])
        for link in (0, 1):
            self.network.link(*(cards[link] for cards in self.cards))
        self.network.run_for(2)

    # Sockets

    def keep(self, host: int, endpoint: AnyEndpoint, manner: str) -> None:
        endpoint.owner = Owner(endpoint, manner)
        self.sockets[host].append(endpoint)

    @rule(
        host=IS_HOST,
        is_tcp=st.booleans(),
        address=st.sampled_from([None, None, *OURS, "127.0.0.1", "224.0.0.251"]),
        cover=st.sampled_from(Cover),
        port=st.sampled_from(PORTS),
        zone=st.sampled_from([0, 2, 3]),
        sharing=st.sampled_from(Sharing),
        choice=st.sampled_from(PortChoice),
        device=st.sampled_from([0, 0, 2]),
        manner=MANNERS,
    )
    def open(
        self, host: int, is_tcp: bool, address: str | None, cover: Cover, zone: int, port: int, sharing: Sharing,
        choice: PortChoice, device: int, manner: str,
    ) -> None:  # fmt: skip
        stack = self.hosts[host].stack
        if address is not None:
            cover = Cover.IPV6 if ":" in address else Cover.IPV4
        endpoint: Any = (stack.tcp if is_tcp else stack.udp).open(cover)
        name = LocalName(cover, A(address) if address else None, port, zone if address else 0)
        with self.hosts[host].pump as now, suppress(NetError):
            endpoint.bind(name, now, sharing, choice=choice, device=device)
        self.keep(host, endpoint, manner)

    @rule(
        host=IS_HOST,
        link=IS_LINK,
        kind=st.integers(0, 2),
        sharing=st.sampled_from(Sharing),
        choice=st.sampled_from(PortChoice),
        manner=MANNERS,
        is_accepted=st.booleans(),
        listener_stays=st.booleans(),
    )
    def dial(
        self, host: int, link: int, kind: int, sharing: Sharing, choice: PortChoice, manner: str, is_accepted: bool,
        listener_stays: bool,
    ) -> None:  # fmt: skip
        """A connection to a listener of its own, or to one that has the port already."""
        server, client = self.hosts[1 - host], self.hosts[host]
        address = A(CIDRS[1 - host][link][kind].partition("/")[0])
        listener, endpoint = server.stack.tcp.open(Cover.DUAL), client.stack.tcp.open(Cover.DUAL)
        with server.pump as now, suppress(NetError):
            listener.bind(LocalName(Cover.DUAL, None, 80), now, sharing)
            listener.listen(now)
        with client.pump as now, suppress(NetError):
            endpoint.bind(LocalName(Cover.DUAL, None, 0), now, choice=choice)
            endpoint.connect(Endpoint(address, 80, link + 2), now)
        self.keep(host, endpoint, manner)
        self.network.run_for(0.01)
        child = None
        with server.pump as now, suppress(NetError):
            if is_accepted:
                child = listener.accept(now)
            if not listener_stays:
                listener.close(now)
        self.keep(1 - host, listener, "wait")
        if child is not None:
            self.keep(1 - host, child, manner)

    @rule(host=IS_HOST, number=NUMBERS, link=IS_LINK, kind=st.integers(0, 2), port=st.sampled_from(PORTS[1:]))
    def connect(self, host: int, number: int, link: int, kind: int, port: int) -> None:
        address = CIDRS[1 - host][link][kind].partition("/")[0]
        self.call(host, number, "connect", Endpoint(A(address), port, link + 2))
        self.network.run_for(0.01)

    @rule(host=IS_HOST, number=NUMBERS, to=st.sampled_from(["0.0.0.0", "::1", "10.1.0.255", "fd00:9::9", *OURS]))
    def connect_to_anything(self, host: int, number: int, to: str) -> None:
        self.call(host, number, "connect", Endpoint(A(to), 80))

    @rule(host=IS_HOST, number=NUMBERS)
    def take_the_peer_back(self, host: int, number: int) -> None:
        self.call(host, number, "connect", None, kind=UdpEndpoint)

    @rule(host=IS_HOST, number=NUMBERS, to=st.sampled_from(OURS))
    def send_a_datagram(self, host: int, number: int, to: str) -> None:
        self.call(host, number, "send", (b"data",), Endpoint(A(to), 80, 2), kind=UdpEndpoint)

    @rule(host=IS_HOST, number=NUMBERS, manner=st.sampled_from(["wait", "close"]))
    def accept(self, host: int, number: int, manner: str) -> None:
        child = self.call(host, number, "accept", kind=TcpEndpoint)
        if child is not None:
            self.keep(host, child, manner)

    @rule(host=IS_HOST, number=NUMBERS, what=st.sampled_from(["listen", "finish", "abort", "close"]))
    def tell(self, host: int, number: int, what: str) -> None:
        self.call(host, number, what, kind=None if what == "close" else TcpEndpoint)

    @rule()
    def finish_all(self) -> None:
        for host, sockets in zip(self.hosts, self.sockets, strict=True):
            for endpoint in sockets:
                if isinstance(endpoint, TcpEndpoint):
                    with host.pump as now, suppress(NetError):
                        endpoint.finish(now)
        self.network.run_for(0.01)

    def call(self, host: int, number: int, what: str, *arguments: Any, kind: Any = None) -> Any:
        """On one of the sockets of `kind`; what it refuses must have no effect that shows in the end."""
        found = [each for each in self.sockets[host] if kind is None or isinstance(each, kind)]
        if found:
            with self.hosts[host].pump as now, suppress(NetError):
                return getattr(found[number % len(found)], what)(*arguments, now)
        return None

    # Tables

    @rule(host=IS_HOST, link=IS_LINK, kind=st.integers(0, 2), comes_back=st.booleans())
    def remove_an_address(self, host: int, link: int, kind: int, comes_back: bool) -> None:
        cidr = CIDRS[host][link][kind]
        with suppress(ValueError):
            self.cards[host][link].remove_address(cidr.partition("/")[0])
        if comes_back:
            with suppress(ValueError):
                self.cards[host][link].add_address(cidr)

    @rule(host=IS_HOST, link=IS_LINK, what=st.sampled_from([changes.InterfaceRemoved, changes.LinkDown]))
    def take_a_card_away(self, host: int, link: int, what: Any) -> None:
        with suppress(ValueError):
            self.hosts[host].apply(what(self.cards[host][link].index))

    @rule(host=IS_HOST)
    def put_all_back(self, host: int) -> None:
        for card, cidrs in zip(self.cards[host], CIDRS[host], strict=True):
            with suppress(ValueError):
                self.hosts[host].apply(changes.InterfaceAdded(card.index, card.config))
            card.set_up(True)
            for cidr in cidrs:
                card.add_address(cidr)

    @rule(seconds=st.sampled_from([0.01, 1, 25]))
    def wait(self, seconds: float) -> None:
        self.network.run_for(seconds)

    # The end

    def teardown(self) -> None:
        if not hasattr(self, "network"):
            return
        for host, sockets in zip(self.hosts, self.sockets, strict=True):
            for endpoint in sockets:
                with host.pump as now:
                    endpoint.close(now)
        self.network.run_for(600)
        for host in self.hosts:
            self.assert_empty(host)
        self.network.close()

    def assert_empty(self, host: Host) -> None:
        stack = host.stack
        view = stack.view()
        assert (view.tcp_ports, view.udp_ports, view.connections) == ((), (), ())
        for proto, protocol in ((Proto.TCP, stack.tcp), (Proto.UDP, stack.udp)):
            for address, port in product(OURS, PORTS[1:]):
                query = ArrivalQuery(proto, Endpoint(A(address), port, 2), Endpoint(A(PEER), 80))
                assert stack.resolve(query).receiver is None
            ports = protocol.ports
            for family in Family:  # none of them is held, and none rests
                ports.include(ports.acquire(family, 1 + DYNAMIC[1] - DYNAMIC[0]))
            for port in (80, 81):
                ports.reserve(LocalName(Cover.DUAL, None, port), Sharing.EXCLUSIVE)


TestRandomSockets = RandomSockets.TestCase
TestRandomSockets.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
