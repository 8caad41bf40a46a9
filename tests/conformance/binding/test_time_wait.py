"""What connections and TIME-WAIT keep a bind from: BIND-1.6, cases 48 and 49."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_ADDRESS, OUR_PORT, sec
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.errors import ErrorKind, NetError
from wsknet.transport.queries import BindQuery
from wsknet.transport.sharing import Sharing
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.types import Address, Cover, Endpoint, Family, LocalName, Proto

D, R, E = Sharing.DEFAULT, Sharing.REUSE, Sharing.EXCLUSIVE
LOOPBACK = {Family.IPV4: bytes((127, 0, 0, 1)), Family.IPV6: bytes(15) + b"\1"}
FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
TWO_PORTS = (OUR_PORT, OUR_PORT + 1)


def bind(lab: TcpLab, sharing: Sharing = D, address: Address | None = None, port: int = OUR_PORT) -> TcpEndpoint:
    endpoint = lab.open()
    endpoint.bind(LocalName(Cover(lab.family.value), address, port), lab.now, sharing)
    return endpoint


def kind_of_failure(
    lab: TcpLab, sharing: Sharing = D, address: Address | None = None, port: int = OUR_PORT
) -> ErrorKind | None:
    try:
        lab.close(bind(lab, sharing, address, port))
    except NetError as error:
        return error.kind
    return None


def accepted(lab: TcpLab, sharing: Sharing = D, address: Address | None = None) -> TcpEndpoint:
    """A connection whose listener has been closed."""
    listener = bind(lab, sharing, address)
    listener.listen(lab.now)
    lab.peer.send(flags="S", seq=0)
    lab.peer.send(seq=1, ack=1)
    endpoint = lab.accept(listener)
    lab.close(listener)
    lab.peer.drain()
    return endpoint


def leave_time_wait(lab: TcpLab, endpoint: TcpEndpoint) -> None:
    """We close first; nothing is left but TIME-WAIT."""
    lab.finish(endpoint)
    lab.peer.send(flags="FA", seq=1, ack=2)
    lab.close(endpoint)
    lab.peer.drain()
    assert [connection.state for connection in lab.stack.view().connections] == ["TIME_WAIT"]


# Case 48


@pytest.mark.rule("BIND-48", "BIND-1.6.1", "BIND-1.6.4")
@FAMILIES
@pytest.mark.parametrize("is_specific", [False, True])
@pytest.mark.parametrize(
    ("behaviour", "old", "new", "expected"),
    [
        (WINDOWS, D, D, None),
        (WINDOWS, D, E, None),
        (WINDOWS, E, D, None),
        (LINUX, D, D, ErrorKind.IN_USE),
        (LINUX, R, D, ErrorKind.IN_USE),
        (LINUX, D, R, ErrorKind.IN_USE),
        (LINUX, R, R, None),
        (BSD, D, D, ErrorKind.IN_USE),
        (BSD, R, R, None),
        (replace(WINDOWS, time_wait_blocks_bind=True), D, D, ErrorKind.IN_USE),
        (replace(LINUX, time_wait_blocks_bind=False), D, D, None),
    ],
)
def test_a_listener_binds_over_time_wait_where_it_may(
    behaviour: Behaviour, old: Sharing, new: Sharing, expected: ErrorKind | None, is_specific: bool, family: Family
) -> None:
    lab = TcpLab(family, behaviour)
    leave_time_wait(lab, accepted(lab, old))
    assert kind_of_failure(lab, new, OUR_ADDRESS[family] if is_specific else None) is expected
    assert kind_of_failure(lab, new, LOOPBACK[family]) is None
    lab.clock.advance(behaviour.tcp.time_wait)
    assert kind_of_failure(lab, new) is None


@pytest.mark.rule("BIND-48", "BIND-1.6.2")
@pytest.mark.parametrize(
    ("behaviour", "old", "new", "expected"),
    [
        (WINDOWS, D, D, None),
        (WINDOWS, D, R, None),
        (WINDOWS, E, D, ErrorKind.IN_USE),
        (WINDOWS, E, E, ErrorKind.IN_USE),
        (WINDOWS, E, R, ErrorKind.DENIED),
        (replace(WINDOWS, exclusive_waits_for_connections=False), E, E, None),
        (replace(WINDOWS, connections_hold_port=True), D, D, ErrorKind.IN_USE),
        (LINUX, D, D, ErrorKind.IN_USE),
        (LINUX, R, D, ErrorKind.IN_USE),
        (LINUX, R, R, None),
        (BSD, D, D, ErrorKind.IN_USE),
        (BSD, R, R, None),
    ],
)
def test_a_listener_binds_beside_the_connections_of_a_closed_one_where_it_may(
    behaviour: Behaviour, old: Sharing, new: Sharing, expected: ErrorKind | None
) -> None:
    lab = TcpLab(behaviour=behaviour)
    endpoint = accepted(lab, old)
    assert kind_of_failure(lab, new) is expected
    lab.abort(endpoint)
    lab.close(endpoint)
    assert kind_of_failure(lab, new) is None


@pytest.mark.rule("BIND-1.6.2")
def test_an_exclusive_port_is_free_once_its_last_connection_is_in_time_wait() -> None:
    lab = TcpLab()
    endpoint = accepted(lab, E)
    lab.finish(endpoint)
    assert kind_of_failure(lab, E) is ErrorKind.IN_USE
    lab.peer.send(flags="FA", seq=1, ack=2)
    lab.close(endpoint)
    assert kind_of_failure(lab, E) is None


@pytest.mark.rule("BIND-1.6.4")
@pytest.mark.parametrize("is_open", [False, True])
def test_on_linux_a_connection_holds_its_own_address_alone(is_open: bool) -> None:
    lab = TcpLab(behaviour=LINUX)
    endpoint = accepted(lab)
    if not is_open:
        leave_time_wait(lab, endpoint)
    assert kind_of_failure(lab, D, LOOPBACK[Family.IPV4]) is None
    assert kind_of_failure(lab, D, OUR_ADDRESS[Family.IPV4]) is ErrorKind.IN_USE


@pytest.mark.rule("BIND-48")
def test_a_new_listener_hears_new_peers_while_the_old_connection_goes_on() -> None:
    lab = TcpLab()
    old = accepted(lab)
    listener = lab.listening()
    lab.peer.send(flags="S", seq=0, port=1001)
    lab.peer.expect(flags="SA", seq=0, ack=1)
    lab.peer.send(seq=1, ack=1, port=1001)
    new = lab.accept(listener)
    assert new.remote == Endpoint(lab.peer.address, 1001)
    lab.peer.send(seq=1, ack=1, data=b"still here")
    assert lab.receive_all(old) == b"still here"


@pytest.mark.rule("BIND-48")
def test_a_refused_bind_is_explained_by_the_connection() -> None:
    lab = TcpLab(behaviour=LINUX)
    leave_time_wait(lab, accepted(lab))
    answer, why = lab.stack.explain(BindQuery(Proto.TCP, LocalName(Cover.IPV4, None, OUR_PORT)))
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.IN_USE
    assert "TIME-WAIT" in why.rule
    assert "inet_csk_bind_conflict" in why.reference


@pytest.mark.rule("BIND-48")
def test_a_peer_that_connects_again_from_the_same_port_ends_time_wait_and_its_hold() -> None:
    lab = TcpLab(behaviour=LINUX)
    leave_time_wait(lab, accepted(lab, R))
    listener = bind(lab, R)
    listener.listen(lab.now)
    lab.peer.send(flags="S", seq=100)
    lab.peer.drain()
    [connection] = lab.stack.view().connections
    assert connection.state == "SYN_RECEIVED"
    lab.close(listener)
    lab.peer.drain()
    assert kind_of_failure(lab) is None


# Port 0


def test_the_port_of_time_wait_is_chosen_again_like_any_other_when_that_is_over() -> None:
    lab = TcpLab(behaviour=replace(WINDOWS, ephemeral_ports=TWO_PORTS))

    def chosen() -> set[int]:
        ports = set()
        for _ in range(20):
            endpoint = bind(lab, port=0)
            assert endpoint.local is not None
            ports.add(endpoint.local.port)
            lab.close(endpoint)
        return ports

    leave_time_wait(lab, accepted(lab))
    assert chosen() == {OUR_PORT + 1}
    lab.clock.advance(WINDOWS.tcp.time_wait)
    assert chosen() == set(TWO_PORTS)


@pytest.mark.parametrize("behaviour", [WINDOWS, LINUX], ids=["windows", "linux"])
def test_port_0_never_becomes_that_of_a_connection(behaviour: Behaviour) -> None:
    lab = TcpLab(behaviour=replace(behaviour, ephemeral_ports=TWO_PORTS))
    endpoint = accepted(lab)
    for _ in range(20):
        assert kind_of_failure(lab, port=0) is None
        assert lab.stack.resolve(BindQuery(Proto.TCP, LocalName(Cover.IPV4, None, 0))).error is None
    assert bind(lab, port=0).local == LocalName(Cover.IPV4, None, OUR_PORT + 1)
    assert kind_of_failure(lab, port=0) is ErrorKind.NO_PORTS
    lab.abort(endpoint)
    lab.close(endpoint)
    assert bind(lab, port=0).local == LocalName(Cover.IPV4, None, OUR_PORT)


@pytest.mark.parametrize(("behaviour", "expected"), [(WINDOWS, None), (LINUX, ErrorKind.NO_PORTS)])
def test_port_0_becomes_that_of_time_wait_last_and_only_where_it_may_be_bound(
    behaviour: Behaviour, expected: ErrorKind | None
) -> None:
    lab = TcpLab(behaviour=replace(behaviour, ephemeral_ports=TWO_PORTS))
    leave_time_wait(lab, accepted(lab))
    assert bind(lab, port=0).local == LocalName(Cover.IPV4, None, OUR_PORT + 1)
    assert kind_of_failure(lab, port=0) is expected


# Case 49


@pytest.mark.rule("BIND-49", "BIND-1.6.3")
@FAMILIES
@pytest.mark.parametrize(
    ("behaviour", "sharing", "at_bind"),
    [(WINDOWS, D, None), (LINUX, D, ErrorKind.IN_USE), (LINUX, R, None), (BSD, D, ErrorKind.IN_USE), (BSD, R, None)],
)
def test_the_same_ends_cannot_be_connected_again_while_they_wait(
    behaviour: Behaviour, sharing: Sharing, at_bind: ErrorKind | None, family: Family
) -> None:
    lab = TcpLab(family, behaviour)
    first = bind(lab, sharing)
    first.connect(lab.peer.endpoint, lab.now)
    lab.peer.send(flags="SA", seq=0, ack=1)
    leave_time_wait(lab, first)
    assert kind_of_failure(lab, sharing) is at_bind
    if at_bind is not None:
        lab.clock.advance(sec(60))
        assert kind_of_failure(lab, sharing) is None
        return
    again = bind(lab, sharing)
    with pytest.raises(NetError) as caught:
        again.connect(lab.peer.endpoint, lab.now)
    assert caught.value.kind is ErrorKind.IN_USE
    again.connect(lab.peer.endpoint._replace(port=81), lab.now)
    lab.peer.expect(flags="S", seq=0)
