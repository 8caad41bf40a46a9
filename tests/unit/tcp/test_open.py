"""Handshakes from our side: RFC 9293 3.5, 3.10.1, 3.10.7.3; deferred assignment (binding sheet 2)."""

from __future__ import annotations

from random import Random

import pytest

from tests.support.tcp_peer import (
    OUR_ADDRESS,
    OUR_ISS,
    OUR_PORT,
    PEER_ADDRESS,
    PEER_ISS,
    TcpLab,
    ms,
    sec,
    with_tcp,
)
from wsknet.behaviour import LINUX, WINDOWS
from wsknet.config import TcpConfig
from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net import changes
from wsknet.net.messages import IcmpErrorKind
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.isn import InitialSequence
from wsknet.transport.tcp.state import State
from wsknet.types import Cover, Endpoint, Family, IfIndex, Instant, LocalName

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC9293-3.5", "RFC9293-3.7.1")
def test_the_handshake_carries_mss_and_window_scale(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connecting()
    syn = lab.peer.expect(flags="S", seq=0, ack=0, window=65535)
    assert syn.options.mss == (1460 if family is Family.IPV4 else 1440)
    assert syn.options.window_scale == 5  # of a megabyte
    assert lab.state(endpoint) is State.SYN_SENT

    lab.peer.send(flags="SA", seq=0, ack=1, mss=1460, scale=7, window=1000)
    lab.peer.expect(flags="A", seq=1, ack=1, window=(1 << 20) >> 5)
    assert lab.state(endpoint) is State.ESTABLISHED
    assert lab.told(endpoint) == Ready.CONNECTED


def test_the_numbers_on_the_wire_start_just_below_the_wrap() -> None:
    assert OUR_ISS > 0xFFFFFFF0
    assert PEER_ISS > 0xFFFFFFF0


@pytest.mark.rule("RFC7323-2.2")
def test_a_peer_without_window_scale_gets_unscaled_windows() -> None:
    lab = TcpLab()
    lab.connecting()
    lab.peer.expect(flags="S")
    lab.peer.send(flags="SA", seq=0, ack=1, mss=1460, window=1000)
    lab.peer.expect(flags="A", seq=1, ack=1, window=65535)


@pytest.mark.rule("RFC7323-2.2")
def test_the_window_of_a_syn_ack_is_not_scaled_and_later_ones_are() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=100, scale=3)
    lab.send(endpoint, bytes(500), no_delay=True)
    lab.peer.expect(seq=1, data=bytes(100))
    lab.peer.send(seq=1, ack=101, window=30)
    lab.peer.expect(seq=101, data=bytes(240))


def test_window_scaling_can_be_switched_off() -> None:
    lab = TcpLab(tcp_config=TcpConfig(window_scaling=False))
    lab.connecting()
    assert lab.peer.expect(flags="S").options.window_scale is None
    lab.peer.send(flags="SA", seq=0, ack=1, scale=7, window=50)
    lab.peer.expect(flags="A", window=65535)


@pytest.mark.parametrize(
    ("family", "mss", "expected"),
    [
        (Family.IPV4, None, 536),
        (Family.IPV6, None, 1220),
        (Family.IPV4, 1000, 1000),
        (Family.IPV4, 9000, 1460),
        (Family.IPV6, 9000, 1440),
        (Family.IPV4, 1, 64),
    ],
)
@pytest.mark.rule("RFC9293-3.7.1")
def test_segments_are_as_large_as_peer_and_path_take(family: Family, mss: int | None, expected: int) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected(mss=mss)
    lab.send(endpoint, bytes(2 * expected))
    lab.peer.expect(seq=1, ack=1, data=bytes(expected))


@FAMILIES
@pytest.mark.rule("RFC9293-3.5")
def test_simultaneous_open(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connecting()
    lab.peer.expect(flags="S", seq=0)
    lab.peer.send(flags="S", seq=0, mss=1400, scale=2)
    assert lab.state(endpoint) is State.SYN_RECEIVED
    answer = lab.peer.expect(flags="SA", seq=0, ack=1)
    assert answer.options.window_scale == 5
    assert lab.told(endpoint) == 0

    lab.peer.send(flags="SA", seq=0, ack=1, mss=1400, scale=2)
    lab.peer.expect(flags="A", seq=1, ack=1)
    assert lab.state(endpoint) is State.ESTABLISHED
    assert lab.told(endpoint) == Ready.CONNECTED
    lab.peer.send(seq=1, ack=1, data=b"hello")
    assert lab.receive_all(endpoint) == b"hello"


def test_simultaneous_open_ends_with_a_plain_acknowledgement_too() -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    lab.peer.expect(flags="S")
    lab.peer.send(flags="S", seq=0)
    lab.peer.expect(flags="SA")
    lab.peer.send(flags="A", seq=1, ack=1)
    assert lab.state(endpoint) is State.ESTABLISHED


@FAMILIES
@pytest.mark.rule("BIND-41")
def test_a_socket_connected_to_itself_talks_to_itself(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.bound(OUR_PORT, OUR_ADDRESS[family])
    endpoint.connect(Endpoint(OUR_ADDRESS[family], OUR_PORT), lab.now)
    assert lab.told(endpoint) == Ready.CONNECTED
    lab.send(endpoint, b"echo")
    assert lab.receive_all(endpoint) == b"echo"
    lab.peer.expect_nothing(until=sec(1))


@pytest.mark.rule("RFC9293-3.10.7.3")
def test_an_acknowledgement_of_something_else_is_reset_and_the_syn_goes_on() -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    lab.peer.expect(flags="S")
    lab.peer.send(flags="SA", seq=0, ack=2)
    lab.peer.expect(flags="R", seq=2)
    lab.peer.send(flags="A", seq=0, ack=0)
    lab.peer.expect(flags="R", seq=0)
    lab.peer.send(flags="RA", seq=0, ack=0)
    lab.peer.expect_nothing()
    assert lab.state(endpoint) is State.SYN_SENT
    assert lab.stack.trace.drops[DropReason.TCP_BAD_ACK] == 3


@pytest.mark.rule("RFC9293-3.10.7.3")
@pytest.mark.parametrize("flags", ["R", "", "F", "P"])
def test_without_syn_and_without_an_acknowledgement_nothing_counts(flags: str) -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    lab.peer.expect(flags="S")
    lab.peer.send(flags=flags, seq=0)
    lab.peer.expect_nothing()
    assert lab.state(endpoint) is State.SYN_SENT


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.3", "RFC9293-3.5.3")
def test_a_reset_refuses_the_connection(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connecting()
    lab.peer.expect(flags="S")
    lab.peer.send(flags="RA", seq=0, ack=1)
    assert lab.told(endpoint) == Ready.FAILED
    assert endpoint.error is ErrorKind.REFUSED
    assert lab.state(endpoint) is State.CLOSED
    assert lab.stack.next_deadline() is None or not lab.stack.view().connections


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_a_reset_after_a_simultaneous_syn_refuses_as_well() -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    lab.peer.send(flags="S", seq=0)
    lab.peer.drain()
    lab.peer.send(flags="R", seq=1)
    assert lab.told(endpoint) == Ready.FAILED
    assert endpoint.error is ErrorKind.REFUSED


@pytest.mark.rule("RFC9293-3.10.7.3")
def test_data_on_the_syn_ack_is_taken() -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    lab.peer.expect(flags="S")
    lab.peer.send(flags="SA", seq=0, ack=1, data=b"early")
    lab.peer.expect(flags="A", seq=1, ack=6)
    assert lab.told(endpoint) == Ready.CONNECTED | Ready.READABLE
    assert lab.receive_all(endpoint) == b"early"


@pytest.mark.rule("RFC9293-3.10.2")
def test_data_given_while_connecting_waits_for_the_connection() -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    lab.peer.expect(flags="S")
    assert lab.send(endpoint, b"eager") == 5
    lab.peer.expect_nothing()
    lab.peer.send(flags="SA", seq=0, ack=1)
    lab.peer.expect(flags="A", seq=1, ack=1, data=b"eager")


@pytest.mark.rule("RFC6298-5.5", "RFC9293-3.8.3")
def test_an_unanswered_syn_is_repeated_with_growing_pauses_and_then_times_out() -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    lab.peer.expect(flags="S", seq=0)
    for pause in (1, 2, 4, 8):
        lab.peer.expect(flags="S", seq=0, after=sec(pause))
    lab.peer.expect_nothing(until=sec(16) - 1)
    assert lab.told(endpoint) == 0
    lab.clock.advance(1)
    assert lab.told(endpoint) == Ready.FAILED
    assert endpoint.error is ErrorKind.TIMED_OUT
    lab.peer.expect_nothing(until=sec(100))


def test_the_policy_says_how_often_a_syn_is_repeated() -> None:
    lab = TcpLab(behaviour=with_tcp(WINDOWS, syn_retries=1, initial_rto=ms(500)))
    endpoint = lab.connecting()
    lab.clock.advance(sec(10))
    assert [found.at - sec(10) for found in lab.peer.drain()] == [0, ms(500)]
    assert endpoint.error is ErrorKind.TIMED_OUT


@pytest.mark.rule("RFC6298-5.7", "RFC5681-3.1")
def test_after_a_repeated_syn_data_starts_with_one_segment_and_a_long_timeout() -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    lab.clock.advance(sec(1))
    lab.peer.send(flags="SA", seq=0, ack=1, mss=1000)
    lab.peer.drain()
    lab.send(endpoint, bytes(5000))
    lab.peer.expect(seq=1, data=bytes(1000))
    lab.peer.expect(seq=1, data=bytes(1000), after=sec(3))


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
    second = lab.bound(first.local.port)  # the wildcard beside a specific address is allowed (binding sheet 1.1)
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
        (IcmpErrorKind.TIME_EXCEEDED, ErrorKind.HOST_UNREACHABLE),
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


@pytest.mark.rule("RFC6528-3")
def test_initial_sequence_numbers_rise_with_the_clock_and_differ_between_peers() -> None:
    choose = InitialSequence(Random(5))
    now = Instant(sec(10))
    ours, theirs = Endpoint(OUR_ADDRESS[Family.IPV4], 1), Endpoint(PEER_ADDRESS[Family.IPV4], 80)
    first = choose(ours, theirs, now)
    later = choose(ours, theirs, Instant(now + sec(4)))
    assert (later - first) & 0xFFFFFFFF == 1_000_000
    assert abs(choose(ours, theirs._replace(port=81), now) - first) > 1000
    assert InitialSequence(Random(6))(ours, theirs, now) != first
    assert InitialSequence(Random(5))(ours, theirs, now) == first
