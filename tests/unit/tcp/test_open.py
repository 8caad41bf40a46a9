"""Handshakes from our side: RFC 9293 3.5, 3.10.1, 3.10.7.3."""

from __future__ import annotations

from random import Random

import pytest

from tests.support.tcp_lab import TcpLab, with_tcp
from tests.support.tcp_peer import OUR_ADDRESS, OUR_ISS, OUR_PORT, PEER_ADDRESS, PEER_ISS, ms, sec
from wsknet.behaviour import WINDOWS
from wsknet.config import TcpConfig
from wsknet.errors import ErrorKind
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.isn import InitialSequence
from wsknet.transport.tcp.state import State
from wsknet.types import Endpoint, Family, Instant

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC9293-3.5", "RFC9293-3.7.1")
def test_the_handshake_carries_mss_and_window_scale(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connecting()
    syn = lab.peer.expect(flags="S", seq=0, ack=0, window=65535)
    assert syn.options.mss == (1460 if family is Family.IPV4 else 1440)
    assert syn.options.window_scale == 8
    assert lab.state(endpoint) is State.SYN_SENT

    lab.peer.send(flags="SA", seq=0, ack=1, mss=1460, scale=7, window=1000)
    lab.peer.expect(flags="A", seq=1, ack=1, window=(1 << 20) >> 8)
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


def test_the_scale_is_that_of_the_syn_whatever_becomes_of_the_buffer() -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    endpoint.receive_buffer = 100_000
    assert lab.peer.expect(flags="S").options.window_scale == 8
    lab.peer.send(flags="SA", seq=0, ack=1, scale=0)
    lab.peer.expect(flags="A", window=100_000 >> 8)


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
    assert answer.options.window_scale == 8
    assert lab.told(endpoint) == 0

    lab.peer.send(flags="SA", seq=0, ack=1, mss=1400, scale=2)
    lab.peer.expect(flags="A", seq=1, ack=1)
    assert lab.state(endpoint) is State.ESTABLISHED
    assert lab.told(endpoint) == Ready.CONNECTED
    lab.peer.send(seq=1, ack=1, data=b"hello")
    assert lab.receive_all(endpoint) == b"hello"


def test_in_a_simultaneous_open_no_data_leaves_before_the_connection_exists() -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    lab.send(endpoint, b"eager", no_delay=True)
    lab.peer.send(flags="S", seq=0)
    lab.peer.drain()
    lab.peer.send(seq=100_000, ack=1, data=b"beyond the window")
    lab.peer.expect(seq=1, ack=1)
    assert lab.state(endpoint) is State.SYN_RECEIVED
    lab.peer.send(seq=1, ack=1)
    lab.peer.expect(seq=1, ack=1, data=b"eager")
    assert lab.state(endpoint) is State.ESTABLISHED


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
