"""What connect decides, refuses and hears: BIND-2 (deferred assignment), RFC 1122 4.2.3.7 to 4.2.3.10."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_ADDRESS, OUR_PORT, PEER_ADDRESS, sec
from wsknet.behaviour import LINUX
from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net import changes
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.state import State
from wsknet.types import Cover, Endpoint, Family, IfIndex, LocalName

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


# Deferred assignment


@FAMILIES
@pytest.mark.rule("R-104", "R-131")
def test_a_wildcard_socket_has_its_port_from_bind_and_its_address_from_connect(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.bound(port=0)
    assert endpoint.local is not None
    port = endpoint.local.port
    assert 49152 <= port <= 65535
    assert endpoint.local.address is None
    assert endpoint.local_endpoint is None

    endpoint.connect(lab.peer.endpoint, lab.now)
    assert endpoint.local_endpoint == Endpoint(OUR_ADDRESS[family], port)
    assert endpoint.remote == lab.peer.endpoint
    assert endpoint.local.address is None
    syn = lab.peer.expect(flags="S")
    assert (syn.source, syn.source_port) == (OUR_ADDRESS[family], port)


def test_the_source_follows_the_route_of_the_moment_of_connect() -> None:
    lab = TcpLab()
    other = bytes((198, 51, 100, 7))
    endpoint = lab.bound()
    lab.stack.apply(changes.AddressAdded(IfIndex(2), other, 24), lab.now)
    endpoint.connect(Endpoint(bytes((198, 51, 100, 9)), 80), lab.now)
    assert endpoint.local_endpoint == Endpoint(other, OUR_PORT)


@pytest.mark.rule("BIND-47")
def test_without_a_route_nothing_changes_and_another_destination_may_be_tried() -> None:
    lab = TcpLab()
    lab.stack.apply(changes.RouteRemoved(bytes(4), 0, IfIndex(2), PEER_ADDRESS[Family.IPV4]), lab.now)
    endpoint = lab.bound()
    with pytest.raises(NetError) as failed:
        endpoint.connect(Endpoint(bytes((8, 8, 8, 8)), 80), lab.now)
    assert failed.value.kind is ErrorKind.NO_ROUTE
    assert lab.state(endpoint) is State.CLOSED
    assert endpoint.local == LocalName(Cover.IPV4, None, OUR_PORT)
    assert (endpoint.local_endpoint, endpoint.remote, endpoint.error) == (None, None, None)

    endpoint.connect(lab.peer.endpoint, lab.now)
    lab.peer.expect(flags="S")
    assert endpoint.local_endpoint == Endpoint(OUR_ADDRESS[Family.IPV4], OUR_PORT)


def test_after_a_refusal_the_wildcard_is_back_and_connect_may_be_called_again() -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    lab.peer.expect(flags="S")
    lab.peer.send(flags="RA", seq=0, ack=1)
    assert lab.told(endpoint) == Ready.FAILED
    assert (endpoint.local_endpoint, endpoint.remote) == (None, None)
    assert endpoint.local == LocalName(Cover.IPV4, None, OUR_PORT)

    endpoint.connect(lab.peer.endpoint, lab.now)
    assert endpoint.error is None
    lab.peer.expect(flags="S")
    lab.peer.send(flags="SA", seq=0, ack=1)
    assert lab.told(endpoint) == Ready.CONNECTED


@pytest.mark.rule("BIND-44")
def test_a_bound_address_that_was_removed_is_not_local_at_connect() -> None:
    lab = TcpLab()
    ours = OUR_ADDRESS[Family.IPV4]
    endpoint = lab.bound(address=ours)
    lab.stack.apply(changes.AddressRemoved(IfIndex(2), ours), lab.now)
    with pytest.raises(NetError) as failed:
        endpoint.connect(lab.peer.endpoint, lab.now)
    assert failed.value.kind is ErrorKind.NOT_LOCAL


@FAMILIES
def test_link_local_addresses_carry_their_zone(family: Family) -> None:
    lab = TcpLab(family)
    if family is Family.IPV4:
        ours, theirs = bytes((169, 254, 0, 1)), bytes((169, 254, 0, 2))
    else:
        ours, theirs = b"\xfe\x80" + bytes(13) + b"\1", b"\xfe\x80" + bytes(13) + b"\2"
    lab.stack.apply(changes.AddressAdded(IfIndex(2), ours, 16 if family is Family.IPV4 else 64), lab.now)
    endpoint = lab.bound()
    endpoint.connect(Endpoint(theirs, 80, 2), lab.now)
    assert endpoint.local_endpoint == Endpoint(ours, OUR_PORT, 2)
    assert endpoint.remote == Endpoint(theirs, 80, 2)
    other = lab.open()
    other.bind(LocalName(Cover(family.value), ours, OUR_PORT + 1), lab.now)
    assert other.local is not None
    assert other.local.zone == 2
    other.connect(Endpoint(theirs, 80), lab.now)
    assert other.remote == Endpoint(theirs, 80, 2)


def test_a_wildcard_connection_over_link_local_addresses_works_both_ways() -> None:
    lab = TcpLab(Family.IPV6)
    ours = b"\xfe\x80" + bytes(13) + b"\1"
    lab.stack.apply(changes.AddressAdded(IfIndex(2), ours, 64), lab.now)
    listener = lab.listening()
    endpoint = lab.bound(port=0)
    endpoint.connect(Endpoint(ours, OUR_PORT, 2), lab.now)
    assert lab.told(endpoint) == Ready.CONNECTED
    accepted = lab.accept(listener)
    assert accepted.local == LocalName(Cover.IPV6, ours, OUR_PORT, 2)
    lab.send(endpoint, b"zone")
    assert lab.receive_all(accepted) == b"zone"


# What connect refuses


@FAMILIES
@pytest.mark.rule("RFC1122-4.2.3.10", "BIND-39")
def test_some_addresses_cannot_be_peers(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.bound()
    if family is Family.IPV4:
        bad = [bytes(4), bytes((224, 0, 0, 1)), bytes((255, 255, 255, 255)), bytes((192, 0, 2, 255))]
    else:
        bad = [bytes(16), b"\xff\x02" + bytes(13) + b"\1"]
    for address in bad:
        with pytest.raises(NetError) as failed:
            endpoint.connect(Endpoint(address, 80, 2), lab.now)
        assert failed.value.kind is ErrorKind.NOT_LOCAL
    with pytest.raises(NetError) as failed:
        endpoint.connect(Endpoint(lab.peer.address, 0), lab.now)
    assert failed.value.kind is ErrorKind.NOT_LOCAL
    lab.peer.expect_nothing()


def test_a_pair_of_ends_exists_once() -> None:
    lab = TcpLab()
    first = lab.open()
    first.bind(LocalName(Cover.IPV4, OUR_ADDRESS[Family.IPV4], 0), lab.now)
    first.connect(lab.peer.endpoint, lab.now)
    assert first.local is not None
    second = lab.bound(first.local.port)  # the wildcard beside a specific address is allowed (BIND-1.1)
    with pytest.raises(NetError) as failed:
        second.connect(lab.peer.endpoint, lab.now)
    assert failed.value.kind is ErrorKind.IN_USE
    second.connect(Endpoint(lab.peer.address, 81), lab.now)
    assert second.local_endpoint == first.local_endpoint


def test_calls_in_the_wrong_state_are_refused_and_change_nothing() -> None:
    lab = TcpLab()
    unbound = lab.open()
    with pytest.raises(LocalError):
        unbound.connect(lab.peer.endpoint, lab.now)
    with pytest.raises(LocalError):
        unbound.listen(lab.now)
    with pytest.raises(LocalError):
        unbound.send(b"x", lab.now)
    with pytest.raises(LocalError):
        unbound.finish(lab.now)
    unbound.abort(lab.now)

    endpoint = lab.connecting()
    with pytest.raises(LocalError):
        endpoint.bind(LocalName(Cover.IPV4, None, 0), lab.now)
    with pytest.raises(LocalError):
        endpoint.connect(lab.peer.endpoint, lab.now)
    with pytest.raises(LocalError):
        endpoint.listen(lab.now)
    with pytest.raises(LocalError):
        endpoint.accept(lab.now)
    with pytest.raises(LocalError):
        endpoint.finish(lab.now)
    assert lab.state(endpoint) is State.SYN_SENT

    with pytest.raises(LocalError) as refused:
        lab.bound(1000).connect(Endpoint(PEER_ADDRESS[Family.IPV6], 80), lab.now)
    assert refused.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.rule("RFC9293-3.10.4")
def test_closing_while_connecting_forgets_the_attempt_without_a_word() -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    lab.peer.expect(flags="S")
    lab.close(endpoint)
    lab.peer.expect_nothing(until=sec(60))
    assert not lab.stack.view().tcp_ports
    lab.peer.send(flags="SA", seq=0, ack=1)
    lab.peer.expect(flags="R", seq=1)


# Errors on the way


@FAMILIES
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (IcmpErrorKind.PORT_UNREACHABLE, ErrorKind.PORT_UNREACHABLE),
        (IcmpErrorKind.PROTOCOL_UNREACHABLE, ErrorKind.PROTOCOL_UNREACHABLE),
    ],
)
@pytest.mark.rule("RFC1122-4.2.3.9")
def test_a_hard_icmp_error_ends_the_attempt(family: Family, kind: IcmpErrorKind, error: ErrorKind) -> None:
    lab = TcpLab(family)
    endpoint = lab.connecting()
    lab.peer.send_icmp_error(kind, lab.peer.expect(flags="S"))
    assert lab.told(endpoint) == Ready.FAILED
    assert endpoint.error is error


@FAMILIES
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (IcmpErrorKind.HOST_UNREACHABLE, ErrorKind.HOST_UNREACHABLE),
        (IcmpErrorKind.NETWORK_UNREACHABLE, ErrorKind.NO_ROUTE),
        (IcmpErrorKind.TIME_EXCEEDED, ErrorKind.HOP_LIMIT_EXCEEDED),
    ],
)
@pytest.mark.rule("RFC1122-4.2.3.9")
def test_a_soft_icmp_error_is_told_when_the_retries_are_used_up(
    family: Family, kind: IcmpErrorKind, error: ErrorKind
) -> None:
    lab = TcpLab(family)
    endpoint = lab.connecting()
    lab.peer.send_icmp_error(kind, lab.peer.expect(flags="S"))
    assert lab.told(endpoint) == 0
    lab.peer.expect(flags="S", after=sec(1))
    lab.clock.advance(sec(60))
    assert lab.told(endpoint) == Ready.FAILED
    assert endpoint.error is error


def test_a_soft_error_does_not_keep_a_connection_from_coming_about() -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    lab.peer.send_icmp_error(IcmpErrorKind.HOST_UNREACHABLE, lab.peer.expect(flags="S"))
    lab.peer.send(flags="SA", seq=0, ack=1)
    assert lab.told(endpoint) == Ready.CONNECTED


@FAMILIES
@pytest.mark.rule("D-29")
def test_a_silent_neighbour_times_out_with_windows_rules(family: Family) -> None:
    lab = TcpLab(family, is_neighbour_silent=True)
    endpoint = lab.connecting()
    lab.clock.advance(sec(31))
    assert lab.told(endpoint) == Ready.FAILED
    assert endpoint.error is ErrorKind.TIMED_OUT


@FAMILIES
@pytest.mark.rule("D-29")
def test_a_silent_neighbour_fails_at_once_with_linux_rules(family: Family) -> None:
    lab = TcpLab(family, behaviour=LINUX, is_neighbour_silent=True)
    endpoint = lab.connecting()
    lab.clock.advance(sec(4))
    assert lab.told(endpoint) == Ready.FAILED
    assert endpoint.error is ErrorKind.HOST_UNREACHABLE


@pytest.mark.rule("RFC5927-4.1")
def test_an_icmp_error_about_a_segment_that_is_not_in_flight_is_ignored() -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    syn = lab.peer.expect(flags="S")
    lab.peer.send_icmp_error(IcmpErrorKind.PORT_UNREACHABLE, syn._replace(seq=1))
    lab.peer.send_icmp_error(IcmpErrorKind.PORT_UNREACHABLE, syn._replace(seq=0xFFFFFFFF))
    assert lab.told(endpoint) == 0
    assert lab.stack.trace.drops[DropReason.ICMP_NO_ENDPOINT] == 2
