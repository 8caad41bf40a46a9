"""Own addresses, loopback and the unspecified address as destinations: cases 35 to 43 of the binding catalogue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.binding.multi_homed import (
    IF1,
    IF2,
    PEER_PORT,
    PORT,
    A,
    MultiHomed,
)
from tests.conformance.binding.outcomes import cover_of, error_of, everywhere, outcomes, talk
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.errors import ErrorKind
from wsknet.net.changes import InterfaceChanged
from wsknet.trace import DropReason
from wsknet.transport.ports import PortChoice
from wsknet.transport.tcp.state import State
from wsknet.types import Endpoint, LocalName

SETS = pytest.mark.parametrize("behaviour", [WINDOWS, LINUX, BSD], ids=lambda each: each.name)
BOTH_WEAK = pytest.mark.parametrize("behaviour", [LINUX, BSD], ids=lambda each: each.name)


@SETS
@pytest.mark.rule("BIND-35", "BIND-36")
@pytest.mark.parametrize(
    ("bound", "to", "source"),
    [
        (None, "10.1.0.2", "10.1.0.2"),
        ("10.1.0.2", "10.2.0.2", "10.1.0.2"),
        ("10.2.0.2", "10.1.0.2", "10.2.0.2"),
        (None, "2001:db8:1::2", "2001:db8:1::2"),
        ("2001:db8:1::2", "fd00:2::2", "2001:db8:1::2"),
    ],
)
def test_a_connection_to_an_address_of_ours_stays_inside(
    behaviour: Behaviour, bound: str | None, to: str, source: str
) -> None:
    lab = MultiHomed(behaviour)
    listener, client = lab.listening(cover=cover_of(to)), lab.tcp_on(bound, PEER_PORT, cover=cover_of(to))
    lab.connect(client, to, PORT)
    server = listener.accept(lab.now)

    assert server is not None
    assert client.local_endpoint == server.remote == Endpoint(A(source), PEER_PORT)
    assert client.remote == server.local_endpoint == Endpoint(A(to), PORT)
    talk(lab, client, server)
    assert lab.take() == []


@SETS
@pytest.mark.rule("BIND-35", "BIND-36")
@pytest.mark.parametrize(("bound", "to"), [("10.1.0.2", "10.2.0.2"), ("2001:db8:1::2", "fd00:2::2")])
def test_a_datagram_to_an_address_of_ours_stays_inside(behaviour: Behaviour, bound: str, to: str) -> None:
    lab = MultiHomed(behaviour)
    receiver, sender = lab.udp_on(to), lab.udp_on(bound, PEER_PORT)

    lab.send_to(sender, to, PORT)

    assert [datagram.source for datagram in receiver.peek()] == [Endpoint(A(bound), PEER_PORT)]
    assert lab.take() == []


@pytest.mark.rule("BIND-37")
@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [(WINDOWS, ErrorKind.NO_ROUTE), (LINUX, ErrorKind.INVALID_ARGUMENT), (BSD, ErrorKind.NOT_LOCAL)],
)
def test_a_loopback_source_goes_nowhere_else(behaviour: Behaviour, kind: ErrorKind) -> None:
    """Linux 6.18 says EINVAL to all three."""
    lab = MultiHomed(behaviour)

    assert outcomes(lab, "127.0.0.1", "10.1.0.50") == everywhere(kind)
    assert outcomes(lab, "::1", "2001:db8:1::50") == everywhere(ErrorKind.NO_ROUTE)
    assert lab.take() == []


@pytest.mark.rule("BIND-38")
@pytest.mark.parametrize(("behaviour", "works"), [(WINDOWS, False), (LINUX, True), (BSD, True)])
@pytest.mark.parametrize(("bound", "to"), [("10.1.0.2", "127.0.0.1"), ("2001:db8:1::2", "::1")])
def test_loopback_is_reached_from_the_address_of_an_interface_by_policy(
    behaviour: Behaviour, works: bool, bound: str, to: str
) -> None:
    lab = MultiHomed(behaviour)
    listener, client = lab.listening(to), lab.tcp_on(bound, PEER_PORT)
    if not works:
        assert error_of(lambda: lab.connect(client, to, PORT)) is ErrorKind.NOT_LOCAL
        assert outcomes(lab, bound, to) == everywhere(ErrorKind.NOT_LOCAL)
        lab = MultiHomed(replace(behaviour, loopback_takes_any_source=True))
        listener, client = lab.listening(to), lab.tcp_on(bound, PEER_PORT)
    lab.connect(client, to, PORT)
    server = listener.accept(lab.now)

    assert server is not None
    assert server.remote == Endpoint(A(bound), PEER_PORT)
    talk(lab, client, server)
    assert lab.take() == []


@pytest.mark.rule("BIND-39", "BIND-40")
@pytest.mark.parametrize("to", ["0.0.0.0", "::"])
def test_the_unspecified_address_is_no_destination_on_windows(to: str) -> None:
    assert outcomes(MultiHomed(), None, to) == everywhere(ErrorKind.NOT_LOCAL)


@BOTH_WEAK
@pytest.mark.rule("BIND-39", "BIND-40")
@pytest.mark.parametrize(
    ("bound", "to", "source", "meant"),
    [
        (None, "0.0.0.0", "127.0.0.1", "127.0.0.1"),
        ("10.1.0.2", "0.0.0.0", "10.1.0.2", "10.1.0.2"),
        ("10.1.0.255", "0.0.0.0", "127.0.0.1", "127.0.0.1"),
        (None, "::", "::1", "::1"),
        ("2001:db8:1::2", "::", "2001:db8:1::2", "::1"),
    ],
)
def test_elsewhere_it_means_this_host(
    behaviour: Behaviour, bound: str | None, to: str, source: str, meant: str
) -> None:
    """The addresses are those that Linux 6.18 shows."""
    lab = MultiHomed(behaviour)
    assert outcomes(lab, bound, to)["udp send"] is None
    listener, client = lab.listening(cover=cover_of(to)), lab.tcp_on(bound, PEER_PORT, cover=cover_of(to))
    lab.connect(client, to, PORT)
    server = listener.accept(lab.now)
    receiver, sender = lab.udp_on(None, cover=cover_of(to)), lab.udp_on(bound, PEER_PORT, cover=cover_of(to))
    lab.send_to(sender, to, PORT)
    lab.connect(sender, to, PORT)
    sender.send((b"again",), None, lab.now)
    lab.settle()

    assert server is not None
    assert (server.remote, client.remote) == (Endpoint(A(source), PEER_PORT), Endpoint(A(meant), PORT))
    assert [(datagram.source, datagram.destination) for datagram in receiver.peek()] == [
        (Endpoint(A(source), PEER_PORT), A(meant))
    ] * 2
    assert sender.remote == Endpoint(A(meant), PORT)
    assert lab.take() == []


@BOTH_WEAK
@pytest.mark.rule("BIND-39")
@pytest.mark.parametrize("to", ["0.0.0.0", "::"])
def test_where_nobody_listens_the_unspecified_address_refuses(behaviour: Behaviour, to: str) -> None:
    lab = MultiHomed(behaviour)
    client = lab.tcp_on(None, cover=cover_of(to))

    lab.connect(client, to)

    assert client.error is ErrorKind.REFUSED


@SETS
@pytest.mark.rule("BIND-41")
@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.0.2", "::1", "2001:db8:1::2"])
def test_a_socket_may_connect_to_itself(behaviour: Behaviour, address: str) -> None:
    lab = MultiHomed(behaviour)
    endpoint = lab.tcp_on(address)
    lab.connect(endpoint, address, PORT)

    assert endpoint.state is State.ESTABLISHED
    assert endpoint.local_endpoint == endpoint.remote == Endpoint(A(address), PORT)
    for data in (b"one", b"another"):
        endpoint.send(data, lab.now, no_delay=True)
        lab.settle()
        assert endpoint.receive(100, lab.now) == data
    endpoint.finish(lab.now)
    lab.settle()
    assert endpoint.peer_finished
    endpoint.close(lab.now)
    lab.pass_time(300)
    assert lab.stack.view().connections == ()
    assert lab.tcp_on(address).local is not None
    assert lab.take() == []


@pytest.mark.rule("BIND-41")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_socket_connected_to_itself_is_aborted_without_a_trace(address: str) -> None:
    lab = MultiHomed(LINUX)
    endpoint = lab.tcp_on(address)
    lab.connect(endpoint, address, PORT)
    endpoint.send(b"unread", lab.now, no_delay=True)

    endpoint.close(lab.now)
    lab.settle()
    lab.pass_time(1000)

    assert lab.stack.view().connections == ()
    assert lab.stack.view().tcp_ports == ()


@pytest.mark.rule("BIND-41")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_connecting_to_oneself_can_be_switched_off(address: str) -> None:
    lab = MultiHomed(replace(WINDOWS, connects_to_itself=False))
    endpoint = lab.tcp_on(address)

    assert error_of(lambda: lab.connect(endpoint, address, PORT)) is ErrorKind.REFUSED
    assert lab.stack.view().connections == ()
    assert endpoint.local is not None


@pytest.mark.rule("BIND-41")
@pytest.mark.parametrize(("may", "kind"), [(True, None), (False, ErrorKind.NO_PORTS)])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_port_that_is_chosen_at_connect_may_be_that_of_the_peer_by_the_same_policy(
    address: str, may: bool, kind: ErrorKind | None
) -> None:
    lab = MultiHomed(replace(WINDOWS, connects_to_itself=may, ephemeral_ports=(PORT, PORT)))
    endpoint = lab.stack.tcp.open(cover_of(address))
    endpoint.bind(LocalName(cover_of(address), None, 0), lab.now, choice=PortChoice.AT_CONNECT)

    assert error_of(lambda: lab.connect(endpoint, address, PORT)) is kind
    assert endpoint.state is (State.ESTABLISHED if may else State.CLOSED)


@pytest.mark.rule("BIND-42")
@pytest.mark.parametrize("behaviour", [WINDOWS, LINUX], ids=lambda each: each.name)
def test_listeners_on_two_loopback_addresses_are_two(behaviour: Behaviour) -> None:
    lab = MultiHomed(behaviour)
    lab.listening("127.0.0.1")
    client = lab.tcp_on(None, PEER_PORT)
    lab.connect(client, "127.0.0.2", PORT)
    assert client.error is ErrorKind.REFUSED

    other = lab.listening("127.0.0.2")
    lab.connect(client, "127.0.0.2", PORT)
    assert other.accept(lab.now) is not None
    wildcard = lab.listening(None, PORT + 1)
    second = lab.tcp_on("127.0.0.3", PEER_PORT + 1)
    lab.connect(second, "127.0.0.2", PORT + 1)
    assert wildcard.accept(lab.now) is not None


@pytest.mark.rule("BIND-42")
def test_the_other_loopback_addresses_are_nobodys_on_bsd() -> None:
    assert outcomes(MultiHomed(BSD), None, "127.0.0.2") == everywhere(ErrorKind.NO_ROUTE)


@SETS
@pytest.mark.rule("BIND-43")
@pytest.mark.parametrize(
    ("source", "destination", "reason"),
    [
        ("127.0.0.1", "10.1.0.2", DropReason.IP_MARTIAN_SOURCE),
        ("127.9.9.9", "10.1.0.2", DropReason.IP_MARTIAN_SOURCE),
        ("10.1.0.50", "127.0.0.1", DropReason.IP_MARTIAN_DESTINATION),
        ("10.1.0.50", "127.9.9.9", DropReason.IP_MARTIAN_DESTINATION),
        ("::1", "2001:db8:1::2", DropReason.IP_MARTIAN_SOURCE),
        ("2001:db8:1::50", "::1", DropReason.IP_MARTIAN_DESTINATION),
    ],
)
def test_loopback_addresses_from_the_wire_are_dropped_under_every_set(
    behaviour: Behaviour, source: str, destination: str, reason: DropReason
) -> None:
    lab = MultiHomed(behaviour)
    for index in (IF1, IF2):
        lab.apply(InterfaceChanged(index, weak_receive=True, weak_send=True))
    cover = cover_of(source)
    receiver, listener = lab.udp_on(None, cover=cover), lab.listening(cover=cover)

    lab.datagram(IF1, source, destination)
    lab.segment(IF1, source, destination)

    assert lab.drops == {reason: 2}
    assert (receiver.readable, listener.accept(lab.now)) == (0, None)
    assert lab.take() == []
