"""Sockets that send through an interface of their choice: UDP per datagram, TCP per connection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.wsk_lab import Watch
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.devices.impair import Impairment
from wsknet.errors import ErrorKind, NetError
from wsknet.host import Network
from wsknet.net import changes
from wsknet.text import format_address, parse_address, parse_cidr
from wsknet.trace import DropReason
from wsknet.transport.queries import PathQuery
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import Cover, Endpoint, IfIndex, LocalName

IF1, IF2 = IfIndex(2), IfIndex(3)
FAR = Endpoint(parse_address("8.8.8.8"), 7)
FAR6 = Endpoint(parse_address("2001:4860::8"), 7)
FIRST = parse_address("10.1.0.2")
ALL = LocalName(Cover.DUAL, None, 0)
BOUND = LocalName(Cover.IPV4, FIRST, 0)


class Lab:
    """H2 of the binding catalogue and, on both its links, a host with the address that both default routes lead to."""

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
                for address in ("8.8.8.8/32", "2001:4860::8/128"):
                    other.add_address(address)
        for number in (1, 2):
            self.here.route("0.0.0.0/0", via=f"10.{number}.0.1", metric=number)
            self.here.route("::/0", via=f"2001:db8:{number}::1", metric=number)
        self.server = self.there.stack.udp.open(Cover.DUAL)
        self.listener = self.there.stack.tcp.open(Cover.DUAL)
        with self.there.pump as now:
            for endpoint in (self.server, self.listener):
                endpoint.bind(LocalName(Cover.DUAL, None, 7), now)
            self.listener.listen(now)

    def udp(self, name: LocalName = ALL, through: int = 0, through6: int = 0) -> UdpEndpoint:
        endpoint = self.here.stack.udp.open(name.cover)
        with self.here.pump as now:
            endpoint.bind(name, now)
        endpoint.unicast_interfaces = {4: through, 16: through6}
        return endpoint

    def tcp(self, name: LocalName = ALL, through: int = 0, through6: int = 0) -> TcpEndpoint:
        endpoint = self.here.stack.tcp.open(name.cover)
        with self.here.pump as now:
            endpoint.bind(name, now)
        endpoint.unicast_interfaces = {4: through, 16: through6}
        return endpoint

    def settle(self) -> None:
        self.network.run_for(0.5)

    def arrival(self, endpoint: UdpEndpoint, to: Endpoint = FAR) -> tuple[IfIndex, str]:
        """On which interface a datagram reaches the other host, and with which source."""
        with self.here.pump as now:
            endpoint.send((b"x",), to, now)
        self.settle()
        datagram = self.server.receive()
        assert datagram is not None
        return datagram.if_index, format_address(datagram.source.address)

    def connect(self, endpoint: TcpEndpoint, to: Endpoint = FAR) -> State:
        with self.here.pump as now:
            endpoint.connect(to, now)
        self.settle()
        return endpoint.state


def lab_of(behaviour: Behaviour) -> Iterator[Lab]:
    with Network(seed=1) as network:
        yield Lab(network, behaviour)


@pytest.fixture
def lab() -> Iterator[Lab]:
    yield from lab_of(WINDOWS)


@pytest.fixture
def weak() -> Iterator[Lab]:
    yield from lab_of(LINUX)


def segments_since(lab: Lab, counts: list[int]) -> list[int]:
    """TCP segments that have left by each interface since there were `counts`."""
    return [len(wire.tcp_flags()) - count for wire, count in zip(lab.wires, counts, strict=True)]


def segments(lab: Lab) -> list[int]:
    return segments_since(lab, [0, 0])


# UDP


@pytest.mark.rule("BIND-4.1", "BIND-4.2")
def test_a_datagram_leaves_through_the_interface_that_its_family_names(lab: Lab) -> None:
    endpoint = lab.udp()
    assert lab.arrival(endpoint) == (IF1, "10.1.0.2")
    endpoint.unicast_interfaces = {4: IF2, 16: 0}
    assert lab.arrival(endpoint) == (IF2, "10.2.0.2")
    assert lab.arrival(endpoint, FAR6) == (IF1, "2001:db8:1::2")
    endpoint.unicast_interfaces = {4: 0, 16: IF2}
    assert lab.arrival(endpoint) == (IF1, "10.1.0.2")
    assert lab.arrival(endpoint, FAR6) == (IF2, "2001:db8:2::2")


@pytest.mark.rule("BIND-33")
def test_a_socket_bound_elsewhere_sends_nothing_on_a_strong_host_and_its_own_source_on_a_weak_one(
    lab: Lab, weak: Lab
) -> None:
    with pytest.raises(NetError) as caught:
        lab.arrival(lab.udp(BOUND, through=IF2))
    assert caught.value.kind is ErrorKind.NO_ROUTE
    assert weak.arrival(weak.udp(BOUND, through=IF2)) == (IF2, "10.1.0.2")


@pytest.mark.rule("BIND-4.1")
@pytest.mark.parametrize("name", [LocalName(Cover.IPV4, None, 9), LocalName(Cover.IPV4, FIRST, 9)], ids=["any", "own"])
def test_what_is_received_does_not_depend_on_it(lab: Lab, name: LocalName) -> None:
    endpoint = lab.udp(name, through=IF2)
    with lab.there.pump as now:
        lab.server.send((b"in",), Endpoint(FIRST, 9), now)
    lab.settle()

    datagram = endpoint.receive()
    assert datagram is not None
    assert datagram.if_index == IF1


@pytest.mark.rule("RFC4007-6")
def test_a_link_local_peer_is_meant_on_that_link(lab: Lab) -> None:
    for number, host in ((1, lab.here), (2, lab.here)):
        host.apply(changes.AddressAdded(IfIndex(number + 1), *parse_cidr(f"fe80::{number}/64")))
    for through in (IF1, IF2):
        endpoint = lab.udp(LocalName(Cover.IPV6, None, 0), through6=through)
        with lab.here.pump as now:
            endpoint.connect(Endpoint(parse_address("fe80::99"), 7), now)
        assert endpoint.remote is not None
        assert endpoint.remote.zone == through


# TCP


@pytest.mark.rule("BIND-32")
@pytest.mark.parametrize(("to", "source"), [(FAR, "10.2.0.2"), (FAR6, "2001:db8:2::2")])
def test_connect_takes_the_source_of_the_interface(lab: Lab, to: Endpoint, source: str) -> None:
    endpoint = lab.tcp(through=IF2, through6=IF2)
    assert lab.connect(endpoint, to) is State.ESTABLISHED
    assert endpoint.local_endpoint is not None
    assert format_address(endpoint.local_endpoint.address) == source


@pytest.mark.rule("BIND-33")
def test_a_connect_without_a_legal_way_leaves_the_endpoint_as_bound_as_before(lab: Lab) -> None:
    endpoint = lab.tcp(BOUND, through=IF2)
    with pytest.raises(NetError) as caught:
        lab.connect(endpoint)
    assert caught.value.kind is ErrorKind.NO_ROUTE
    endpoint.unicast_interfaces = {4: 0, 16: 0}
    assert lab.connect(endpoint) is State.ESTABLISHED


@pytest.mark.rule("BIND-33")
def test_a_connection_keeps_to_its_interface_when_tables_and_option_change(weak: Lab) -> None:
    endpoint = weak.tcp(BOUND, through=IF2)
    assert weak.connect(endpoint) is State.ESTABLISHED
    endpoint.unicast_interfaces = {4: IF1, 16: 0}
    weak.here.route("192.0.2.0/24", via="10.1.0.1")
    before = segments(weak)
    with weak.here.pump as now:
        endpoint.send(b"data", now)
    weak.settle()

    assert segments_since(weak, before) == [0, 1]
    assert not endpoint.unacknowledged


def dial(lab: Lab, listener: TcpEndpoint) -> TcpEndpoint:
    """A connection of the other host to the first interface."""
    client = lab.there.stack.tcp.open(Cover.IPV4)
    with lab.here.pump as now:
        listener.listen(now)
    with lab.there.pump as now:
        client.bind(LocalName(Cover.IPV4, None, 0), now)
        client.connect(Endpoint(FIRST, 80), now)
    lab.settle()
    return client


@pytest.mark.rule("BIND-4.1")
def test_a_listener_answers_through_its_interface_and_hands_it_on_up_to_time_wait(weak: Lab) -> None:
    listener = weak.tcp(LocalName(Cover.IPV4, None, 80), through=IF2)
    client = dial(weak, listener)
    assert client.state is State.ESTABLISHED
    with weak.here.pump as now:
        accepted = listener.accept(now)
        assert accepted is not None
        accepted.finish(now)
    weak.settle()
    for wire in weak.wires:
        wire.inner.impairment = Impairment(loss=1)  # type: ignore[attr-defined]
    with weak.there.pump as now:
        client.finish(now)
    weak.settle()
    for wire in weak.wires:
        wire.inner.impairment = Impairment()  # type: ignore[attr-defined]
    assert accepted.state is State.TIME_WAIT
    weak.network.run_for(5)

    assert client.connection is not None
    assert client.connection.state is State.CLOSED
    assert segments(weak)[0] == 0


@pytest.mark.rule("BIND-33")
def test_a_strong_host_does_not_answer_a_connection_to_another_interface(lab: Lab) -> None:
    listener = lab.tcp(LocalName(Cover.IPV4, None, 80), through=IF2)

    assert dial(lab, listener).state is State.SYN_SENT
    assert segments(lab) == [0, 0]
    assert lab.here.stack.trace.drops[DropReason.NO_ROUTE] == 1


@pytest.mark.rule("BIND-32", "BIND-33", "BIND-4.16")
def test_a_query_says_what_such_a_socket_would_do(lab: Lab) -> None:
    stack = lab.here.stack
    path = stack.resolve(PathQuery(FAR.address, interface=IF2)).path
    assert path is not None
    assert path.interface.index == IF2
    answer, why = stack.explain(PathQuery(FAR.address, FIRST, interface=IF2))
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.NO_ROUTE
    assert why.question == "path to 8.8.8.8 from 10.1.0.2 through interface 3"
