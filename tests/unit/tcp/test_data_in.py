"""Receiving: order, windows, acknowledgements.  RFC 9293 3.8.6, 3.10.7.4; RFC 5681 4.2; RFC 1122 4.2.3.2."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import TcpLab, with_tcp
from tests.support.tcp_peer import ms, sec
from wsknet.behaviour import WINDOWS
from wsknet.config import TcpConfig
from wsknet.errors import LocalError
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.reassembly import MAX_PIECES
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
DATA = bytes(range(256)) * 20


def small(limit: int, mss: int = 1460) -> tuple[TcpLab, TcpEndpoint]:
    """A connection with a receive buffer of `limit` bytes."""
    lab = TcpLab(tcp_config=TcpConfig(receive_buffer=limit))
    return lab, lab.connected(mss=mss)


# Acknowledgements


@FAMILIES
@pytest.mark.rule("RFC1122-4.2.3.2", "RFC9293-3.8.6.3")
def test_one_segment_is_acknowledged_late_and_the_second_at_once(family: Family) -> None:
    lab = TcpLab(family)
    lab.connected()
    lab.peer.send(seq=1, ack=1, data=b"a" * 100)
    lab.peer.expect(seq=1, ack=101, after=ms(40))
    lab.peer.send(seq=101, ack=1, data=b"b" * 100)
    lab.peer.expect_nothing()
    lab.peer.send(seq=201, ack=1, data=b"c" * 100)
    lab.peer.expect(seq=1, ack=301)
    lab.peer.expect_nothing(until=sec(10))


def test_the_policy_says_how_late() -> None:
    lab = TcpLab(behaviour=with_tcp(WINDOWS, delayed_ack=ms(200)))
    lab.connected()
    lab.peer.send(seq=1, ack=1, data=b"a")
    lab.peer.expect(seq=1, ack=2, after=ms(200))


def test_the_delay_counts_from_the_first_segment_not_yet_acknowledged() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.send(seq=1, ack=1, data=b"a")
    lab.clock.advance(ms(30))
    lab.send(endpoint, b"answer")
    lab.peer.expect(seq=1, ack=2, data=b"answer")
    lab.peer.send(seq=2, ack=7, data=b"b")
    lab.peer.expect(seq=7, ack=3, after=ms(40))


@pytest.mark.rule("RFC1122-4.2.3.2")
def test_an_acknowledgement_from_the_peer_does_not_put_ours_off() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.send(endpoint, b"out")
    lab.peer.expect(data=b"out")
    lab.peer.send(seq=1, ack=1, data=b"in")
    lab.clock.advance(ms(30))
    lab.peer.send(seq=3, ack=4)
    lab.peer.expect(seq=4, ack=3, after=ms(10))


@pytest.mark.rule("RFC9293-3.8.6.3")
def test_data_carries_the_acknowledgement() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.send(seq=1, ack=1, data=b"question")
    lab.send(endpoint, b"answer")
    lab.peer.expect(seq=1, ack=9, data=b"answer")
    lab.peer.send(seq=9, ack=7)
    lab.peer.expect_nothing(until=sec(1))


# Order


@FAMILIES
@pytest.mark.rule("RFC5681-4.2", "RFC9293-3.10.7.4")
def test_data_out_of_order_is_kept_and_answered_at_once(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    lab.peer.send(seq=11, ack=1, data=b"second....")
    lab.peer.expect(seq=1, ack=1)
    lab.peer.send(seq=21, ack=1, data=b"third")
    lab.peer.expect(seq=1, ack=1)
    assert lab.told(endpoint) == 0
    lab.peer.send(seq=1, ack=1, data=b"first.....")
    lab.peer.expect(seq=1, ack=26)
    assert lab.told(endpoint) == Ready.READABLE
    assert lab.receive_all(endpoint) == b"first.....second....third"


@pytest.mark.rule("RFC5681-4.2")
def test_filling_a_part_of_a_gap_is_answered_at_once() -> None:
    lab = TcpLab()
    lab.connected()
    lab.peer.send(seq=21, ack=1, data=b"third")
    lab.peer.expect(seq=1, ack=1)
    lab.peer.send(seq=1, ack=1, data=b"first.....")
    lab.peer.expect(seq=1, ack=11)


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_overlaps_are_taken_once() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    for start, end in ((50, 120), (0, 30), (100, 200), (20, 60), (40, 41), (0, 200), (150, 250)):
        lab.peer.send(seq=1 + start, ack=1, data=DATA[start:end])
    assert lab.receive_all(endpoint) == DATA[:250]


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_old_data_is_acknowledged_again_and_its_acknowledgement_counts() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.send(seq=1, ack=1, data=b"hello")
    lab.send(endpoint, b"world")
    lab.peer.expect(ack=6, data=b"world")
    lab.peer.send(seq=1, ack=6, data=b"hello")
    lab.peer.expect(seq=6, ack=6)
    assert lab.receive_all(endpoint) == b"hello"
    assert endpoint.acknowledged == 5


@pytest.mark.rule("RFC9293-3.10.7.4")
@pytest.mark.parametrize("seq", [1 + 65535, 1 << 20, -(1 << 20)])
def test_data_outside_the_window_is_refused_with_an_acknowledgement(seq: int) -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.send(seq=seq, ack=1, data=b"far away")
    lab.peer.expect(seq=1, ack=1)
    assert endpoint.readable == 0
    assert lab.stack.trace.drops[DropReason.TCP_UNACCEPTABLE] == 1


def test_answers_to_empty_segments_outside_the_window_are_rate_limited() -> None:
    lab = TcpLab()
    lab.connected()
    for _ in range(100):
        lab.peer.send(seq=-5, ack=1)
    assert len(lab.peer.drain()) == 10


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_of_data_beyond_the_window_only_what_fits_is_taken() -> None:
    lab, endpoint = small(1000)
    lab.peer.send(seq=1, ack=1, data=DATA[:1200])
    assert endpoint.readable == 1000
    lab.peer.expect(seq=1, ack=1001, window=0)


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_out_of_order_data_is_bounded_by_the_window() -> None:
    lab, endpoint = small(1000)
    lab.peer.send(seq=2, ack=1, data=DATA[1:1400])
    lab.peer.send(seq=1001, ack=1, data=b"outside")
    lab.peer.drain()
    lab.peer.send(seq=1, ack=1, data=DATA[:1])
    assert lab.receive_all(endpoint) == DATA[:1000]


def test_out_of_order_data_is_bounded_in_the_number_of_pieces() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    for number in range(MAX_PIECES + 10):
        lab.peer.send(seq=3 + 2 * number, ack=1, data=b"x")
    assert lab.stack.trace.drops[DropReason.TCP_REASSEMBLY_FULL] == 10
    assert endpoint.connection is not None
    assert len(endpoint.connection.receiver.reassembly) == MAX_PIECES


# Windows


@pytest.mark.rule("RFC9293-3.8.6.2.2")
def test_the_window_shrinks_as_data_waits_and_closes_without_moving_its_edge_back() -> None:
    lab, endpoint = small(4000)
    edges = []
    seq = 1
    while seq < 4001:
        lab.peer.send(seq=seq, ack=1, data=DATA[:500])
        lab.peer.send(seq=seq + 500, ack=1, data=DATA[:500])
        found = lab.peer.expect(ack=seq + 1000)
        edges.append(found.ack + found.window)
        seq += 1000
    assert edges == [4001] * 4
    assert endpoint.readable == 4000


@pytest.mark.rule("RFC9293-3.8.6.2.2", "RFC9293-3.8.6.1")
def test_reading_opens_a_closed_window_when_that_is_worth_a_segment() -> None:
    lab, endpoint = small(6000, mss=1000)
    lab.peer.send(seq=1, ack=1, data=bytes(1460))
    lab.peer.send(seq=1461, ack=1, data=bytes(1460))
    lab.peer.send(seq=2921, ack=1, data=bytes(1460))
    lab.peer.send(seq=4381, ack=1, data=bytes(1460))
    lab.peer.send(seq=5841, ack=1, data=bytes(160))
    lab.clock.advance(ms(40))
    assert lab.peer.drain()[-1].window == 0

    endpoint.consume(1459, lab.now)
    lab.peer.expect_nothing()
    endpoint.consume(1, lab.now)
    lab.peer.expect(seq=1, ack=6001, window=1460)
    endpoint.consume(1459, lab.now)
    lab.peer.expect_nothing()
    endpoint.consume(1, lab.now)
    lab.peer.expect(ack=6001, window=2920)
    endpoint.consume(2000, lab.now)
    lab.peer.expect_nothing()


def test_reading_while_the_window_is_wide_sends_nothing() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.send(seq=1, ack=1, data=bytes(1460))
    lab.peer.send(seq=1461, ack=1, data=bytes(1460))
    lab.peer.expect(ack=2921)
    lab.receive_all(endpoint)
    lab.peer.expect_nothing(until=sec(1))


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_while_the_window_is_closed_probes_are_answered_and_acknowledgements_count() -> None:
    lab, endpoint = small(1000)
    lab.peer.send(seq=1, ack=1, data=bytes(1000))
    lab.clock.advance(ms(40))
    lab.peer.expect(ack=1001, window=0)
    lab.send(endpoint, b"out")
    lab.peer.expect(seq=1, ack=1001, data=b"out")
    lab.peer.send(seq=1001, ack=4, data=b"p")
    lab.peer.expect(seq=4, ack=1001, window=0)
    assert endpoint.acknowledged == 3
    assert endpoint.readable == 1000
    lab.peer.send(flags="R", seq=1001)
    assert lab.told(endpoint) & Ready.FAILED


def test_an_empty_segment_just_behind_the_window_counts() -> None:
    lab, endpoint = small(2000)
    lab.send(endpoint, b"out")
    lab.peer.expect(data=b"out")
    lab.peer.send(seq=1001, ack=1, data=bytes(1000))  # the first thousand bytes were lost
    lab.peer.expect(ack=1)
    lab.peer.send(seq=2001, ack=4)
    assert endpoint.acknowledged == 3


@pytest.mark.rule("RFC7323-2.3")
def test_the_whole_buffer_can_be_filled_through_a_scaled_window() -> None:
    lab = TcpLab()
    endpoint = lab.connected(scale=0)
    limit = 1 << 20
    seq, ack, edge = 1, 1, 65536
    while seq < 1 + limit:
        length = min(1460, edge - seq)
        assert length > 0
        lab.peer.send(seq=seq, ack=1, data=bytes(length))
        seq += length
        lab.clock.advance(ms(40))
        for found in lab.peer.drain():
            ack, edge = found.ack, max(edge, found.ack + (found.window << 8))
        assert ack == seq
    assert endpoint.readable == limit
    assert edge == limit + 1


@pytest.mark.rule("RFC9293-3.8.6")
def test_the_receive_buffer_can_be_changed_but_no_promise_is_taken_back() -> None:
    lab, endpoint = small(4000, mss=1000)
    endpoint.receive_buffer = 1000
    lab.peer.send(seq=1, ack=1, data=bytes(1000))
    lab.peer.send(seq=1001, ack=1, data=bytes(1000))
    lab.peer.expect(ack=2001, window=2000)
    lab.peer.send(seq=2001, ack=1, data=bytes(1000))
    lab.peer.send(seq=3001, ack=1, data=bytes(1000))
    lab.peer.expect(ack=4001, window=0)
    endpoint.consume(3400, lab.now)
    lab.peer.expect_nothing()
    endpoint.consume(100, lab.now)
    lab.peer.expect(ack=4001, window=500)
    endpoint.receive_buffer = 5000
    endpoint.consume(1, lab.now)
    lab.peer.expect(ack=4001, window=4501)


# What the application sees


def test_receive_peek_consume_and_push() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    assert (endpoint.readable, endpoint.pushed, endpoint.peek(10)) == (0, False, b"")
    lab.peer.send(flags="A", seq=1, ack=1, data=b"abcdef")
    assert not endpoint.pushed
    lab.peer.send(flags="PA", seq=7, ack=1, data=b"ghi")
    assert endpoint.pushed
    assert endpoint.peek(3) == b"abc"
    assert endpoint.receive(2, lab.now) == b"ab"
    target = bytearray(3)
    assert endpoint.receive_into(memoryview(target), lab.now) == 3
    assert target == b"cde"
    with pytest.raises(LocalError):
        endpoint.consume(5, lab.now)
    assert endpoint.readable == 4
    endpoint.consume(4, lab.now)
    assert not endpoint.pushed
    assert endpoint.receive_into(memoryview(target), lab.now) == 0


def test_urgent_data_stays_in_the_stream() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.send(flags="UA", seq=1, ack=1, data=b"urgent")
    assert lab.receive_all(endpoint) == b"urgent"


def test_segments_with_other_options_are_taken() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.send(seq=1, ack=1, data=b"abc", options=b"\1\1\1\0")
    lab.peer.send(seq=4, ack=1, data=b"def", options=b"\x1e\4ab")
    assert lab.receive_all(endpoint) == b"abcdef"
    lab.peer.send(seq=7, ack=1, data=b"lie", options=b"\x1e\x28ab")
    assert endpoint.readable == 0
    assert lab.stack.trace.drops[DropReason.TCP_BAD_OPTIONS] == 1
