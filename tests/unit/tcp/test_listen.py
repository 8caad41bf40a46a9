"""The passive side: RFC 9293 3.10.7.1, 3.10.7.2; RFC 1122 4.2.2.18."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_ADDRESS, OUR_PORT, PEER_ADDRESS, PEER_MAC, PEER_PORT, ms, sec
from wsknet.behaviour import BSD, LINUX, SETS, WINDOWS, Behaviour
from wsknet.net import changes
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.sharing import Sharing
from wsknet.transport.tcp.state import State
from wsknet.types import Cover, Endpoint, Family, IfIndex, LocalName, Proto
from wsknet.wire import ipv4, tcp
from wsknet.wire.checksum import pseudo_sum
from wsknet.wire.ethernet import ETHERTYPE_IPV4, header

BROADCAST = bytes((192, 0, 2, 255))

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.1", "RFC9293-3.5.2")
def test_a_segment_for_nobody_is_reset(family: Family) -> None:
    lab = TcpLab(family)
    lab.peer.send(flags="S", seq=0, data=b"four")
    lab.peer.expect(flags="RA", seq=-0xFFFFFFFA & 0xFFFFFFFF, ack=5)  # SEQ=0, SYN and data acknowledged
    lab.peer.send(flags="A", seq=100, ack=77)
    lab.peer.expect(flags="R", seq=77)
    lab.peer.send(flags="FA", seq=100, ack=78)
    lab.peer.expect(flags="R", seq=78)
    lab.peer.send(flags="R", seq=100)
    lab.peer.send(flags="RA", seq=100, ack=77)
    lab.peer.expect_nothing()
    assert lab.stack.trace.drops[DropReason.TCP_NO_ENDPOINT] == 5


def test_a_bound_socket_that_does_not_listen_refuses_too() -> None:
    lab = TcpLab()
    lab.bound()
    lab.peer.send(flags="S", seq=0)
    lab.peer.expect(flags="RA", ack=1)


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.2", "RFC9293-3.10.7.4")
def test_a_syn_starts_a_connection_that_accept_returns(family: Family) -> None:
    lab = TcpLab(family)
    listener = lab.listening()
    lab.peer.send(flags="S", seq=0, mss=1300, scale=4, window=2000)
    answer = lab.peer.expect(flags="SA", seq=0, ack=1, window=65535)
    assert answer.options.mss == (1460 if family is Family.IPV4 else 1440)
    assert answer.options.window_scale == 8
    assert lab.told(listener) == 0
    assert listener.accept(lab.now) is None

    lab.peer.send(seq=1, ack=1, window=2000 >> 4)
    assert lab.told(listener) == Ready.ACCEPTABLE
    endpoint = lab.accept(listener)
    ours = OUR_ADDRESS[family]
    assert endpoint.local == LocalName(Cover(family.value), ours, OUR_PORT)
    assert endpoint.local_endpoint == Endpoint(ours, OUR_PORT)
    assert endpoint.remote == Endpoint(lab.peer.address, PEER_PORT)
    assert lab.state(endpoint) is State.ESTABLISHED
    assert listener.local == LocalName(Cover(family.value), None, OUR_PORT)
    assert listener.state is State.LISTEN
    lab.send(endpoint, b"welcome")
    lab.peer.expect(seq=1, ack=1, data=b"welcome")


def test_no_scale_is_answered_to_a_syn_without_one() -> None:
    lab = TcpLab()
    lab.listening()
    lab.peer.send(flags="S", seq=0, mss=1300)
    assert lab.peer.expect(flags="SA").options.window_scale is None


def test_a_dual_stack_listener_hears_both_families() -> None:
    for family in Family:
        lab = TcpLab(family)
        listener = lab.stack.tcp.open(Cover.DUAL)
        listener.bind(LocalName(Cover.DUAL, None, OUR_PORT), lab.now)
        listener.listen(lab.now)
        lab.peer.send(flags="S", seq=0)
        lab.peer.expect(flags="SA")
        lab.peer.send(seq=1, ack=1)
        endpoint = listener.accept(lab.now)
        assert endpoint is not None
        assert endpoint.local == LocalName(Cover(family.value), OUR_ADDRESS[family], OUR_PORT)


@pytest.mark.rule("RFC9293-3.10.7.2")
def test_a_listener_ignores_resets_and_refuses_acknowledgements() -> None:
    lab = TcpLab()
    lab.listening()
    lab.peer.send(flags="R", seq=0)
    lab.peer.expect_nothing()
    lab.peer.send(flags="A", seq=0, ack=55)
    lab.peer.expect(flags="R", seq=55)
    lab.peer.send(flags="SA", seq=0, ack=56)
    lab.peer.expect(flags="R", seq=56)
    assert not lab.stack.view().connections


@pytest.mark.parametrize("behaviour", list(SETS.values()), ids=list(SETS))
@pytest.mark.rule("RFC9293-3.10.7.2")
def test_segments_that_open_nothing_are_answered_by_windows_and_dropped_by_others(behaviour: Behaviour) -> None:
    lab = TcpLab(behaviour=behaviour)
    lab.listening()
    for flags, length in (("", 0), ("F", 1), ("P", 0), ("FPU", 1)):
        lab.peer.send(flags=flags, seq=0)
        if behaviour is WINDOWS:
            lab.peer.expect(flags="RA", ack=length)
        lab.peer.expect_nothing()
    lab.peer.send(flags="SF", seq=0)
    if behaviour is not LINUX:
        lab.peer.expect(flags="RA" if behaviour is WINDOWS else "SA", ack=2 if behaviour is WINDOWS else 1)
    lab.peer.expect_nothing()
    assert lab.stack.trace.drops[DropReason.TCP_BAD_FLAGS] == (4 if behaviour is BSD else 5)
    assert len(lab.stack.view().connections) == (behaviour is BSD)


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_data_and_fin_on_the_acknowledgement_of_the_handshake_are_there_at_accept() -> None:
    lab = TcpLab()
    listener = lab.listening()
    lab.peer.send(flags="S", seq=0)
    lab.peer.expect(flags="SA")
    lab.peer.send(flags="FPA", seq=1, ack=1, data=b"all of it")
    lab.peer.expect(flags="A", seq=1, ack=11)
    endpoint = lab.accept(listener)
    assert lab.told(endpoint) == Ready.READABLE | Ready.PEER_FINISHED
    assert lab.state(endpoint) is State.CLOSE_WAIT
    assert lab.receive_all(endpoint) == b"all of it"
    assert endpoint.peer_finished


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_a_repeated_syn_is_answered_again() -> None:
    lab = TcpLab()
    lab.listening()
    lab.peer.send(flags="S", seq=0)
    lab.peer.expect(flags="SA", seq=0, ack=1)
    lab.peer.send(flags="S", seq=0)
    lab.peer.expect(flags="SA", seq=0, ack=1)
    assert len(lab.stack.view().connections) == 1


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_half_open_a_wrong_acknowledgement_is_reset_and_the_right_one_still_works() -> None:
    lab = TcpLab()
    listener = lab.listening()
    lab.peer.send(flags="S", seq=0)
    lab.peer.expect(flags="SA")
    lab.peer.send(seq=1, ack=2)
    lab.peer.expect(flags="R", seq=2)
    lab.peer.send(seq=1, ack=0)
    lab.peer.expect(flags="R", seq=0)
    lab.peer.send(seq=1, ack=1)
    assert lab.told(listener) == Ready.ACCEPTABLE


@pytest.mark.rule("RFC9293-3.10.7.4")
@pytest.mark.parametrize("flags", ["R", "S"])
def test_half_open_a_reset_or_a_new_syn_in_the_window_returns_to_listening(flags: str) -> None:
    lab = TcpLab()
    listener = lab.listening()
    lab.peer.send(flags="S", seq=0)
    lab.peer.expect(flags="SA")
    lab.peer.send(flags=flags, seq=1)
    lab.peer.expect_nothing(until=sec(60))
    assert not lab.stack.view().connections
    assert lab.told(listener) == 0

    lab.peer.send(flags="S", seq=5)
    lab.peer.expect(flags="SA", ack=6)


@pytest.mark.rule("RFC9293-3.8.3")
def test_half_open_connections_time_out() -> None:
    lab = TcpLab()
    listener = lab.listening()
    lab.peer.send(flags="S", seq=0)
    lab.peer.expect(flags="SA", seq=0, ack=1)
    for pause in (1, 2):
        lab.peer.expect(flags="SA", seq=0, ack=1, after=sec(pause))
    lab.peer.expect_nothing(until=sec(20))
    assert not lab.stack.view().connections
    assert lab.told(listener) == 0
    assert lab.stack.next_deadline() is None or lab.stack.next_deadline() > lab.now  # type: ignore[operator]


def test_accept_returns_the_oldest_first_and_tells_that_there_are_more() -> None:
    lab = TcpLab()
    listener = lab.listening()
    for port in (1001, 1002):
        lab.peer.send(flags="S", seq=0, port=port)
        lab.peer.send(seq=1, ack=1, port=port)
    assert lab.told(listener) == Ready.ACCEPTABLE
    first = lab.accept(listener)
    assert lab.told(listener) == Ready.ACCEPTABLE
    second = lab.accept(listener)
    assert lab.told(listener) == 0
    assert listener.accept(lab.now) is None
    assert (first.remote, second.remote) == (Endpoint(lab.peer.address, 1001), Endpoint(lab.peer.address, 1002))


def test_a_reset_before_accept_removes_the_connection_from_the_queue() -> None:
    lab = TcpLab()
    listener = lab.listening()
    lab.peer.send(flags="S", seq=0)
    lab.peer.send(seq=1, ack=1)
    lab.peer.send(flags="R", seq=1)
    assert listener.accept(lab.now) is None
    assert not lab.stack.view().connections


@pytest.mark.rule("RFC1122-4.2.2.18")
def test_the_same_port_can_connect_while_it_listens() -> None:
    lab = TcpLab()
    listener, client = lab.open(), lab.open()
    for endpoint in (listener, client):
        endpoint.bind(LocalName(Cover.IPV4, None, OUR_PORT), lab.now, Sharing.REUSE)
    listener.listen(lab.now)
    client.connect(Endpoint(lab.peer.address, PEER_PORT), lab.now)
    lab.peer.expect(flags="S", seq=0)
    lab.peer.send(flags="S", seq=0, port=1001)
    assert lab.peer.expect(flags="SA", ack=1).destination_port == 1001
    lab.peer.send(flags="SA", seq=0, ack=1)
    assert lab.peer.expect(flags="A", seq=1, ack=1).destination_port == PEER_PORT
    assert client.state is State.ESTABLISHED


def test_closing_a_listener_resets_what_was_not_accepted() -> None:
    lab = TcpLab()
    listener = lab.listening()
    lab.peer.send(flags="S", seq=0, port=1001)
    lab.peer.send(seq=1, ack=1, port=1001)
    lab.peer.send(flags="S", seq=0, port=1002)
    lab.peer.drain()
    lab.close(listener)
    assert {(found.flags, found.destination_port) for found in lab.peer.drain()} == {("R", 1001), ("R", 1002)}
    assert not lab.stack.view().connections
    assert not lab.stack.view().tcp_ports
    lab.peer.send(flags="S", seq=0, port=1003)
    lab.peer.expect(flags="RA")


def test_an_accepted_connection_outlives_the_listener() -> None:
    lab = TcpLab()
    listener = lab.listening()
    lab.peer.send(flags="S", seq=0)
    lab.peer.send(seq=1, ack=1)
    endpoint = lab.accept(listener)
    lab.close(listener)
    lab.peer.drain()
    lab.peer.send(seq=1, ack=1, data=b"still here")
    assert lab.receive_all(endpoint) == b"still here"


def test_accepted_connections_inherit_the_options_of_the_listener() -> None:
    lab = TcpLab()
    listener = lab.listening()
    listener.keep_alive = True
    listener.no_delay = True
    listener.receive_buffer = 5000
    lab.peer.send(flags="S", seq=0)
    lab.peer.expect(flags="SA", window=5000)
    lab.peer.send(seq=1, ack=1)
    endpoint = lab.accept(listener)
    assert (endpoint.keep_alive, endpoint.no_delay, endpoint.receive_buffer) == (True, True, 5000)
    lab.clock.advance(sec(7199))
    assert lab.peer.drain() == []
    lab.clock.advance(sec(1))
    lab.peer.expect(seq=0, ack=1, data=b"\0")


@pytest.mark.rule("RFC1122-4.2.3.10")
def test_a_syn_from_a_group_is_not_answered() -> None:
    lab = TcpLab()
    lab.listening()
    lab.peer.address = bytes((224, 0, 0, 9))
    lab.peer.send(flags="S", seq=0)
    lab.peer.expect_nothing(until=ms(10))
    assert not lab.stack.view().connections


@pytest.mark.rule("RFC1122-4.2.3.10")
def test_a_syn_to_a_broadcast_address_is_not_answered() -> None:
    lab = TcpLab()
    lab.listening()
    syn = tcp.build_checked(
        pseudo_sum(lab.peer.address, BROADCAST, Proto.TCP), PEER_PORT, OUR_PORT, 0, 0, tcp.SYN, 1000
    )
    packet = ipv4.build(lab.peer.address, BROADCAST, Proto.TCP, len(syn), 64) + syn
    lab.receive(header(b"\xff" * 6, PEER_MAC, ETHERTYPE_IPV4) + packet)
    lab.peer.expect_nothing(until=ms(10))
    assert lab.stack.trace.drops[DropReason.TCP_BAD_ADDRESS] == 1


def test_without_a_way_back_nothing_is_answered() -> None:
    lab = TcpLab()
    lab.stack.apply(changes.RouteRemoved(bytes(4), 0, IfIndex(2), PEER_ADDRESS[Family.IPV4]), lab.now)
    lab.listening()
    lab.peer.address = bytes((203, 0, 113, 9))
    lab.peer.send(flags="S", seq=0)
    lab.peer.send(flags="S", seq=0, to=OUR_PORT + 1)
    lab.peer.expect_nothing(until=sec(60))
    assert lab.stack.trace.drops[DropReason.NO_ROUTE] == 2
    assert not lab.stack.view().connections


def test_a_syn_with_options_that_lie_is_dropped() -> None:
    lab = TcpLab()
    lab.listening()
    for to in (OUR_PORT, OUR_PORT + 1):
        lab.peer.send(flags="S", seq=0, options=b"\2\50ab", to=to)
    lab.peer.expect_nothing()
    assert lab.stack.trace.drops[DropReason.TCP_BAD_OPTIONS] == 2
