"""Ports chosen at connect, and from acquired blocks: BIND-1.5.2 to 1.5.5 and case 50, through the endpoints."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scapy.layers.inet import UDP

from tests.conformance.binding.port_tables import FOUR
from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_ADDRESS, sec
from tests.unit.transport.bench import Bench
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.config import PortRange
from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net import changes
from wsknet.transport.endpoint import Ready
from wsknet.transport.ports import PortChoice, PortExcludedError, PortTable
from wsknet.transport.sharing import Sharing
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import Address, Cover, Endpoint, Family, IfIndex, LocalName, Proto

AT_CONNECT, SCALABLE = PortChoice.AT_CONNECT, PortChoice.SCALABLE
FOUR_PORTS = set(range(50000, 50004))
FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
SETS = pytest.mark.parametrize("behaviour", [WINDOWS, LINUX], ids=["windows", "linux"])
LOOPBACK = {Family.IPV4: bytes((127, 0, 0, 1)), Family.IPV6: bytes(15) + b"\1"}


def narrow(family: Family = Family.IPV4, behaviour: Behaviour = WINDOWS) -> TcpLab:
    """With four dynamic ports."""
    return TcpLab(family, replace(behaviour, ephemeral_ports=FOUR))


def bind(lab: TcpLab, choice: PortChoice = AT_CONNECT, address: Address | None = None, port: int = 0) -> TcpEndpoint:
    endpoint = lab.open()
    endpoint.bind(LocalName(Cover(lab.family.value), address, port), lab.now, choice=choice)
    return endpoint


def connect(lab: TcpLab, port: int = 80, endpoint: TcpEndpoint | None = None) -> int:
    """Our port of the connection to `port` of the peer, by an endpoint that chooses at connect unless given."""
    endpoint = endpoint or bind(lab)
    endpoint.connect(Endpoint(lab.peer.address, port), lab.now)
    lab.settle()
    assert endpoint.local is not None
    assert endpoint.local_endpoint is not None
    assert endpoint.local.port == endpoint.local_endpoint.port
    return endpoint.local.port


def port_of(endpoint: TcpEndpoint | UdpEndpoint) -> int:
    assert endpoint.local is not None
    return endpoint.local.port


def kind_of_failure(lab: TcpLab, port: int = 80) -> ErrorKind:
    with pytest.raises(NetError) as caught:
        connect(lab, port)
    return caught.value.kind


# At connect


@pytest.mark.rule("BIND-1.5.4")
@FAMILIES
@pytest.mark.parametrize("is_specific", [False, True])
def test_bind_fixes_no_port_and_connect_does(family: Family, is_specific: bool) -> None:
    lab = TcpLab(family)
    address = OUR_ADDRESS[family] if is_specific else None
    endpoint = bind(lab, address=address)
    assert endpoint.local == LocalName(Cover(family.value), address, 0)
    assert endpoint.local_endpoint is None
    assert not lab.stack.view().tcp_ports
    port = connect(lab, endpoint=endpoint)
    assert endpoint.local == LocalName(Cover(family.value), address, port)
    assert endpoint.local_endpoint == Endpoint(OUR_ADDRESS[family], port)
    assert lab.peer.segments[0].source_port == port
    assert lab.stack.view().tcp_ports == (LocalName(Cover(family.value), OUR_ADDRESS[family], port),)
    lab.close(endpoint)
    assert not lab.stack.view().tcp_ports


@pytest.mark.rule("BIND-50", "BIND-1.5.4")
@FAMILIES
@SETS
def test_ports_taken_at_connect_serve_another_destination_and_not_the_same_one(
    family: Family, behaviour: Behaviour
) -> None:
    lab = narrow(family, behaviour)
    assert {connect(lab) for _ in range(4)} == FOUR_PORTS
    assert kind_of_failure(lab) is ErrorKind.NO_PORTS
    assert {connect(lab, 81) for _ in range(4)} == FOUR_PORTS
    assert kind_of_failure(lab, 81) is ErrorKind.NO_PORTS
    assert len(lab.stack.view().connections) == 8


@pytest.mark.rule("BIND-50", "BIND-1.5.4")
def test_an_endpoint_that_found_no_port_is_as_bound_as_before() -> None:
    lab = narrow()
    for _ in range(4):
        connect(lab)
    endpoint = bind(lab)
    with pytest.raises(NetError):
        connect(lab, endpoint=endpoint)
    assert port_of(endpoint) == 0
    assert connect(lab, 81, endpoint) in FOUR_PORTS


@pytest.mark.rule("BIND-50")
@pytest.mark.parametrize("choice", [PortChoice.ORDINARY, PortChoice.RANDOM])
def test_four_explicit_binds_leave_nothing_for_an_implicit_connect(choice: PortChoice) -> None:
    lab = narrow()
    held = [bind(lab, choice) for _ in range(4)]
    assert {port_of(endpoint) for endpoint in held} == FOUR_PORTS
    with pytest.raises(NetError) as caught:
        bind(lab, choice)
    assert caught.value.kind is ErrorKind.NO_PORTS
    assert kind_of_failure(lab) is ErrorKind.NO_PORTS
    left = port_of(held[2])
    lab.close(held[2])
    assert connect(lab) == left


@pytest.mark.rule("BIND-50", "BIND-1.5.3")
@FAMILIES
def test_with_port_scalability_a_second_address_has_the_whole_range_again(family: Family) -> None:
    lab = narrow(family)
    for address in (OUR_ADDRESS[family], LOOPBACK[family]):
        assert {port_of(bind(lab, SCALABLE, address)) for _ in range(4)} == FOUR_PORTS
        with pytest.raises(NetError) as caught:
            bind(lab, SCALABLE, address)
        assert caught.value.kind is ErrorKind.NO_PORTS


@pytest.mark.rule("BIND-1.5.3")
@FAMILIES
def test_a_port_that_was_asked_for_by_name_is_not_chosen_for_a_second_address(family: Family) -> None:
    lab = TcpLab(family, replace(WINDOWS, ephemeral_ports=(50000, 50000)))
    bind(lab, SCALABLE, OUR_ADDRESS[family], 50000)
    with pytest.raises(NetError) as caught:
        bind(lab, SCALABLE, LOOPBACK[family])
    assert caught.value.kind is ErrorKind.NO_PORTS


@pytest.mark.rule("BIND-1.5.4")
def test_ports_taken_at_connect_are_not_given_to_a_bind() -> None:
    lab = narrow()
    taken = {connect(lab), connect(lab)}
    bound = {port_of(bind(lab, PortChoice.ORDINARY)) for _ in range(4 - len(taken))}
    assert bound == FOUR_PORTS - taken
    with pytest.raises(NetError):
        bind(lab, PortChoice.ORDINARY)
    with pytest.raises(NetError) as caught:
        bind(lab, address=OUR_ADDRESS[Family.IPV4], port=min(taken))
    assert caught.value.kind is ErrorKind.IN_USE
    assert connect(lab, 81) in taken


@pytest.mark.rule("BIND-1.5.4")
def test_a_shared_port_is_free_when_the_last_connection_has_gone() -> None:
    lab = TcpLab(behaviour=replace(WINDOWS, ephemeral_ports=(50000, 50000)))
    endpoints = [bind(lab), bind(lab)]
    for number, endpoint in enumerate(endpoints):
        assert connect(lab, 80 + number, endpoint) == 50000
    for endpoint in endpoints:
        with pytest.raises(NetError):
            bind(lab, PortChoice.ORDINARY)
        lab.close(endpoint)
    assert port_of(bind(lab, PortChoice.ORDINARY)) == 50000


@pytest.mark.rule("BIND-1.5.4", "BIND-49")
@SETS
def test_a_port_in_time_wait_serves_another_destination_at_once(behaviour: Behaviour) -> None:
    lab = TcpLab(behaviour=replace(behaviour, ephemeral_ports=(50000, 50000)))
    endpoint = bind(lab)
    connect(lab, endpoint=endpoint)
    lab.peer.send(flags="SA", seq=0, ack=1)
    lab.finish(endpoint)
    lab.peer.send(flags="FA", seq=1, ack=2)
    lab.close(endpoint)
    assert [connection.state for connection in lab.stack.view().connections] == ["TIME_WAIT"]
    assert kind_of_failure(lab) is ErrorKind.NO_PORTS
    assert connect(lab, 81) == 50000
    lab.clock.advance(behaviour.tcp.time_wait)
    assert connect(lab) == 50000


@pytest.mark.rule("BIND-1.5.4", "BIND-2.1.1")
@pytest.mark.parametrize("is_refused", [True, False])
def test_an_attempt_that_comes_to_nothing_gives_the_port_back(is_refused: bool) -> None:
    lab = narrow()
    endpoint = bind(lab)
    port = connect(lab, endpoint=endpoint)
    if is_refused:
        lab.peer.send(flags="RA", seq=0, ack=1, to=port)
        assert lab.told(endpoint) == Ready.FAILED
    else:
        lab.abort(endpoint)
    assert endpoint.local == LocalName(Cover.IPV4, None, 0)
    assert not lab.stack.view().tcp_ports
    assert connect(lab, 81, endpoint) in FOUR_PORTS


@pytest.mark.rule("BIND-1.5.4")
def test_the_source_that_routing_chose_counts() -> None:
    """Two addresses of ours, one port, one peer: two connections."""
    lab = TcpLab(behaviour=replace(WINDOWS, ephemeral_ports=(50000, 50000)))
    second = bytes((192, 0, 2, 9))
    lab.stack.apply(changes.AddressAdded(IfIndex(2), second, 24), lab.now)
    lab.clock.advance(sec(5))
    connect(lab, endpoint=bind(lab, address=second))
    assert connect(lab, endpoint=bind(lab, address=OUR_ADDRESS[Family.IPV4])) == 50000
    assert kind_of_failure(lab) is ErrorKind.NO_PORTS


@pytest.mark.rule("BIND-41", "BIND-1.5.4")
def test_who_may_not_connect_to_itself_still_finds_a_port_to_others() -> None:
    lab = narrow(behaviour=replace(WINDOWS, connects_to_itself=False))
    assert connect(lab) in FOUR_PORTS


def test_a_dual_stack_endpoint_takes_a_port_of_the_family_it_connects_over() -> None:
    lab = narrow()
    endpoint = lab.stack.tcp.open(Cover.DUAL)
    endpoint.bind(LocalName(Cover.DUAL, None, 0), lab.now, choice=AT_CONNECT)
    port = connect(lab, endpoint=endpoint)
    assert endpoint.local == LocalName(Cover.DUAL, None, port)
    assert lab.stack.view().tcp_ports == (LocalName(Cover.IPV4, OUR_ADDRESS[Family.IPV4], port),)


def test_listen_fixes_a_port_that_is_nobody_elses() -> None:
    lab = TcpLab(behaviour=replace(WINDOWS, ephemeral_ports=(50000, 50000)))
    endpoint = bind(lab)
    endpoint.listen(lab.now)
    assert port_of(endpoint) == 50000
    lab.peer.send(flags="S", seq=0)
    lab.peer.expect(flags="SA", seq=0, ack=1)
    assert kind_of_failure(lab) is ErrorKind.NO_PORTS


@pytest.mark.parametrize("port", [0, 5000])
def test_an_endpoint_is_bound_once_whenever_its_port_is_chosen(port: int) -> None:
    lab = TcpLab()
    endpoint = bind(lab, port=port)
    assert port_of(endpoint) == port
    with pytest.raises(LocalError):
        endpoint.bind(LocalName(Cover.IPV4, None, 0), lab.now)
    lab.close(endpoint)
    assert endpoint.local is None


# UDP


def datagrams(bench: Bench, choice: PortChoice = AT_CONNECT) -> UdpEndpoint:
    endpoint = bench.stack.udp.open(Cover(bench.family.value))
    endpoint.bind(LocalName(Cover(bench.family.value), None, 0), bench.now, choice=choice)
    return endpoint


@pytest.mark.rule("BIND-1.5.4")
@FAMILIES
@pytest.mark.parametrize("is_connected", [False, True])
def test_a_datagram_socket_has_its_port_from_the_first_send_or_connect_on(family: Family, is_connected: bool) -> None:
    bench = Bench(family, replace(WINDOWS, ephemeral_ports=FOUR))
    endpoint = datagrams(bench)
    assert port_of(endpoint) == 0
    assert not bench.stack.view().udp_ports
    if is_connected:
        endpoint.connect(None, bench.now)
        assert port_of(endpoint) == 0
        endpoint.connect(Endpoint(bench.far, 53), bench.now)
        assert port_of(endpoint) in FOUR_PORTS
    packet = bench.sent_by(endpoint)
    assert port_of(endpoint) == packet.sport
    assert packet.sport in FOUR_PORTS
    bench.sent_by(endpoint)
    if is_connected:
        endpoint.connect(None, bench.now)
    assert endpoint.local == LocalName(Cover(family.value), None, packet.sport)
    bench.arrive(bench.from_far(UDP(sport=99, dport=packet.sport) / b"answer"))
    answer = endpoint.receive()
    assert answer is not None
    assert answer.data == b"answer"
    endpoint.close(bench.now)
    assert not bench.stack.view().udp_ports


@pytest.mark.rule("BIND-50")
def test_a_datagram_socket_shares_no_port_and_stays_unfixed_when_there_is_none() -> None:
    bench = Bench(Family.IPV4, replace(WINDOWS, ephemeral_ports=(50000, 50000)))
    first, second = datagrams(bench), datagrams(bench)
    first.connect(Endpoint(bench.far, 53), bench.now)
    with pytest.raises(NetError) as at_connect:
        second.connect(Endpoint(bench.far, 54), bench.now)
    with pytest.raises(NetError) as at_send:
        second.send((b"x",), Endpoint(bench.far, 54), bench.now)
    assert at_connect.value.kind is at_send.value.kind is ErrorKind.NO_PORTS
    assert second.remote is None
    assert port_of(second) == 0
    first.close(bench.now)
    second.connect(Endpoint(bench.far, 54), bench.now)
    assert port_of(second) == 50000


def test_a_datagram_socket_without_a_port_yet_can_be_closed() -> None:
    bench = Bench(Family.IPV4)
    endpoint = datagrams(bench)
    endpoint.close(bench.now)
    assert endpoint.local is None


# Blocks


BLOCKS = pytest.mark.parametrize(("protocol", "family"), [(p, f) for p in (Proto.TCP, Proto.UDP) for f in Family])


def endpoint_of(lab: TcpLab, protocol: Proto) -> TcpEndpoint | UdpEndpoint:
    return lab.open() if protocol is Proto.TCP else lab.stack.udp.open(Cover(lab.family.value))


def table_of(lab: TcpLab, protocol: Proto) -> PortTable:
    return (lab.stack.tcp if protocol is Proto.TCP else lab.stack.udp).ports


def bind_in(lab: TcpLab, protocol: Proto, block: PortRange | None, port: int = 0) -> TcpEndpoint | UdpEndpoint:
    endpoint = endpoint_of(lab, protocol)
    endpoint.bind(LocalName(Cover(lab.family.value), None, port), lab.now, block=block)
    return endpoint


@pytest.mark.rule("BIND-1.5.5")
@BLOCKS
def test_an_acquired_block_is_for_those_who_bind_with_it(protocol: Proto, family: Family) -> None:
    lab = narrow(family)
    ports = table_of(lab, protocol)
    block = ports.acquire(family, 3)
    assert (block.first, block.last) == (50000, 50002)
    assert port_of(bind_in(lab, protocol, None)) == 50003
    with pytest.raises(NetError) as caught:
        bind_in(lab, protocol, None)
    assert caught.value.kind is ErrorKind.NO_PORTS
    with pytest.raises(PortExcludedError):
        bind_in(lab, protocol, None, 50001)
    held = [bind_in(lab, protocol, block, port) for port in (50001, 0, 0)]
    assert {port_of(endpoint) for endpoint in held} == {50000, 50001, 50002}
    with pytest.raises(NetError) as caught:
        bind_in(lab, protocol, block)
    assert caught.value.kind is ErrorKind.NO_PORTS
    held[0].close(lab.now)
    assert port_of(bind_in(lab, protocol, block)) == 50001


@pytest.mark.rule("BIND-1.5.5")
def test_a_block_that_was_given_back_serves_nobody_by_name_and_everybody_without() -> None:
    lab = narrow()
    ports = lab.stack.tcp.ports
    block = ports.acquire(Family.IPV4, 4)
    holder = bind_in(lab, Proto.TCP, block)
    ports.include(block)
    with pytest.raises(LocalError) as caught:
        bind_in(lab, Proto.TCP, block)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert {port_of(bind_in(lab, Proto.TCP, None)) for _ in range(3)} == FOUR_PORTS - {port_of(holder)}


@pytest.mark.rule("BIND-1.5.5")
def test_a_block_lies_where_nobody_holds_a_port() -> None:
    lab = narrow()
    ports = lab.stack.tcp.ports
    holder = ports.reserve(LocalName(Cover.IPV4, None, 50001))
    assert ports.acquire(Family.IPV4, 2) == PortRange(Proto.TCP, Family.IPV4, 50002, 50003)
    for count, kind in ((2, ErrorKind.NO_PORTS), (0, ErrorKind.INVALID_ARGUMENT), (-1, ErrorKind.INVALID_ARGUMENT)):
        with pytest.raises(NetError) as caught:
            ports.acquire(Family.IPV4, count)
        assert caught.value.kind is kind
    ports.release(holder)
    assert ports.acquire(Family.IPV4, 2) == PortRange(Proto.TCP, Family.IPV4, 50000, 50001)


@pytest.mark.rule("BIND-1.5.5")
def test_a_block_is_of_one_family_and_keeps_to_the_exclusions_of_the_other() -> None:
    ports = narrow().stack.tcp.ports
    block = ports.acquire(Family.IPV4, 2)
    with pytest.raises(LocalError):
        ports.reserve(LocalName(Cover.IPV6, None, 0), block=block)
    ports.exclude(Family.IPV6, 50000, 50000)
    assert ports.reserve(LocalName(Cover.DUAL, None, 0), block=block).name.port == 50001


@pytest.mark.rule("BIND-1.5.5")
def test_a_port_of_a_block_is_settled_at_bind_and_conflicts_like_any_other() -> None:
    lab = narrow()
    block = lab.stack.tcp.ports.acquire(Family.IPV4, 2)
    endpoint = lab.open()
    endpoint.bind(LocalName(Cover.IPV4, None, 0), lab.now, choice=AT_CONNECT, block=block)
    assert port_of(endpoint) == 50000
    with pytest.raises(NetError) as caught:
        bind_in(lab, Proto.TCP, block, 50000)
    assert caught.value.kind is ErrorKind.IN_USE
    other = lab.open()
    with pytest.raises(NetError):
        other.bind(LocalName(Cover.IPV4, None, 50000), lab.now, Sharing.REUSE, block=block)
    assert other.local is None


@FAMILIES
def test_a_port_that_was_given_back_with_the_peer_is_nobodys(family: Family) -> None:
    bench = Bench(family, replace(LINUX, ephemeral_ports=(50000, 50000)))
    first = datagrams(bench, PortChoice.ORDINARY)
    first.connect(Endpoint(bench.far, 53), bench.now)
    first.connect(None, bench.now)
    assert port_of(first) == 0
    second = datagrams(bench, PortChoice.ORDINARY)
    assert port_of(second) == 50000
    with pytest.raises(NetError) as caught:
        first.send((b"x",), Endpoint(bench.far, 53), bench.now)
    assert caught.value.kind is ErrorKind.NO_PORTS
    second.close(bench.now)
    assert bench.sent_by(first).sport == 50000
