"""Sending: lent memory, segmentation, Nagle, silly windows, zero windows.  RFC 9293 3.7.4, 3.8.6."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import TcpLab, with_tcp
from tests.support.tcp_peer import ms, sec
from wsknet.behaviour import WINDOWS
from wsknet.errors import ErrorKind, LocalError
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.state import State
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
DATA = bytes(range(256)) * 400


# Lent memory


@FAMILIES
def test_send_returns_offsets_and_memory_is_lent_until_acknowledged(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected(mss=1000)
    first, second = bytearray(DATA[:1500]), bytearray(DATA[1500:1600])
    assert endpoint.send(first, lab.now) == 1500
    assert endpoint.send(second, lab.now, no_delay=True) == 1600
    assert (endpoint.acknowledged, endpoint.unacknowledged) == (0, 1600)
    lab.peer.expect(seq=1, data=DATA[:1000])
    lab.peer.expect(seq=1001, data=DATA[1000:1600])

    lab.peer.send(seq=1, ack=1001)
    assert (endpoint.acknowledged, endpoint.unacknowledged) == (1000, 600)
    assert lab.told(endpoint) == 0
    with pytest.raises(BufferError):
        first.append(0)
    lab.peer.send(seq=1, ack=1501)
    assert lab.told(endpoint) == Ready.SENT
    first.append(0)
    with pytest.raises(BufferError):
        second.append(0)
    lab.peer.send(seq=1, ack=1601)
    assert lab.told(endpoint) == Ready.SENT
    second.append(0)
    assert (endpoint.acknowledged, endpoint.unacknowledged) == (1600, 0)


def test_what_is_retransmitted_is_read_from_the_lent_memory() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    memory = bytearray(b"before")
    endpoint.send(memory, lab.now)
    lab.peer.expect(data=b"before")
    memory[:] = b"after."
    lab.peer.expect(data=b"after.", after=ms(300))


def test_many_small_sends_are_joined_into_full_segments() -> None:
    lab = TcpLab()
    endpoint = lab.connected(mss=1000)
    lab.send(endpoint, b"x")
    lab.peer.expect(data=b"x")
    for number in range(500):
        lab.send(endpoint, DATA[number * 5 : number * 5 + 5])
    found = lab.peer.drain()
    assert [len(segment.data) for segment in found] == [1000, 1000]
    lab.peer.send(seq=1, ack=2002)
    found += lab.peer.drain()
    assert b"".join(segment.data for segment in found) == DATA[:2500]


@pytest.mark.rule("RFC9293-3.9.1")
def test_push_marks_the_segment_that_empties_the_queue() -> None:
    lab = TcpLab()
    endpoint = lab.connected(mss=1000)
    lab.send(endpoint, bytes(2500), no_delay=True)
    assert [segment.flags for segment in lab.peer.drain()] == ["A", "A", "PA"]


def test_an_empty_send_is_no_event() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    assert lab.send(endpoint, b"") == 0
    lab.peer.expect_nothing(until=sec(1))


def test_gaps_in_lent_memory_are_refused() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    with pytest.raises(LocalError) as refused:
        endpoint.send(memoryview(bytes(10))[::2], lab.now)
    assert refused.value.kind is ErrorKind.INVALID_ARGUMENT


# Nagle


@pytest.mark.rule("RFC9293-3.7.4")
def test_nagle_holds_small_segments_while_something_is_in_flight() -> None:
    lab = TcpLab()
    endpoint = lab.connected(mss=1000)
    lab.send(endpoint, b"one")
    lab.peer.expect(data=b"one")
    lab.send(endpoint, b"two")
    lab.send(endpoint, b"three")
    lab.peer.expect_nothing()
    lab.peer.send(seq=1, ack=4)
    lab.peer.expect(seq=4, data=b"twothree")
    lab.send(endpoint, bytes(2000))
    lab.peer.expect(data=bytes(1000))
    lab.peer.expect(data=bytes(1000))
    lab.send(endpoint, b"rest")
    lab.peer.expect_nothing()


def test_nagle_can_be_switched_off_for_the_connection() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    assert not endpoint.no_delay
    endpoint.no_delay = True
    for word in (b"one", b"two", b"three"):
        lab.send(endpoint, word)
        lab.peer.expect(data=word)
    endpoint.no_delay = False
    lab.send(endpoint, b"four")
    lab.peer.expect_nothing()


def test_nagle_can_be_overridden_by_one_send_for_it_and_all_before() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.send(endpoint, b"one")
    lab.peer.expect(data=b"one")
    lab.send(endpoint, b"two")
    lab.send(endpoint, b"three", no_delay=True)
    lab.peer.expect(data=b"twothree")
    lab.send(endpoint, b"four")
    lab.peer.expect_nothing()


def test_a_fin_lets_the_rest_go() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.send(endpoint, b"one")
    lab.send(endpoint, b"two")
    lab.finish(endpoint)
    lab.peer.expect(data=b"one")
    lab.peer.expect(flags="FPA", data=b"two")


# Windows


@FAMILIES
@pytest.mark.rule("RFC9293-3.8.6", "RFC9293-3.4")
def test_no_more_is_in_flight_than_the_window_allows_and_it_slides(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected(window=3000, mss=1000)
    lab.send(endpoint, DATA[:10000])
    sent = lab.peer.drain()
    assert [(segment.seq, len(segment.data)) for segment in sent] == [(1, 1000), (1001, 1000), (2001, 1000)]
    lab.peer.send(seq=1, ack=1001, window=3000)
    lab.peer.expect(seq=3001, data=DATA[3000:4000])
    lab.peer.send(seq=1, ack=4001, window=2000)
    lab.peer.expect(seq=4001, data=DATA[4000:5000])
    lab.peer.expect(seq=5001, data=DATA[5000:6000])
    lab.peer.expect_nothing()
    lab.peer.send(seq=1, ack=4001, window=4000)  # a pure window update
    lab.peer.expect(seq=6001, data=DATA[6000:7000])
    lab.peer.expect(seq=7001, data=DATA[7000:8000])


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_an_older_segment_does_not_take_the_window_back() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=1000, mss=1000)
    lab.peer.send(seq=101, ack=1, data=b"later", window=3000)
    lab.peer.send(seq=1, ack=1, data=bytes(100), window=1000)
    lab.peer.drain()
    lab.send(endpoint, bytes(3000))
    assert len(lab.peer.drain()) == 3


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_neither_does_an_older_segment_that_is_repeated() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=1000, mss=1000)
    lab.peer.send(seq=1, ack=1, data=bytes(100), window=1000)
    lab.peer.send(seq=101, ack=1, data=bytes(100), window=3000)
    lab.peer.send(seq=1, ack=1, data=bytes(100), window=1000)
    lab.peer.drain()
    lab.send(endpoint, bytes(3000))
    assert len(lab.peer.drain()) == 3


@pytest.mark.rule("RFC9293-3.8.6.2.1")
def test_a_window_that_opens_a_little_is_not_used_for_a_small_segment() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=4000, mss=1000)
    lab.send(endpoint, bytes(20000))
    assert len(lab.peer.drain()) == 4
    lab.peer.send(seq=1, ack=4001, window=100)
    lab.peer.expect_nothing(until=ms(200))
    lab.peer.send(seq=1, ack=4001, window=1000)
    lab.peer.expect(seq=4001, data=bytes(1000))


@pytest.mark.rule("RFC9293-3.8.6.2.1")
def test_half_the_largest_window_is_enough_for_a_segment() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=600, mss=1000)
    lab.send(endpoint, bytes(2000))
    lab.peer.expect(data=bytes(600))
    lab.peer.send(seq=1, ack=601, window=300)
    lab.peer.expect(data=bytes(300))


@pytest.mark.rule("RFC9293-3.8.6.2.1")
def test_a_silly_window_is_used_in_the_end() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=4000, mss=1000)
    lab.send(endpoint, bytes(20000))
    lab.peer.drain()
    lab.peer.send(seq=1, ack=4001, window=100)
    lab.peer.expect(seq=4001, data=bytes(100), after=ms(300))
    lab.peer.expect(seq=4001, data=bytes(100), after=ms(300))  # now it is in flight like any other


@pytest.mark.rule("RFC9293-3.8.6.2.1")
def test_a_silly_window_after_a_probe_is_not_used_at_once() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=4000, mss=1000)
    lab.send(endpoint, bytes(20000))
    lab.peer.drain()
    lab.peer.send(seq=1, ack=4001, window=0)
    lab.peer.expect(seq=4001, data=bytes(1), after=ms(300))
    lab.peer.send(seq=1, ack=4001, window=100)
    lab.peer.expect_nothing()
    lab.peer.expect(seq=4001, data=bytes(100), after=ms(600))


@FAMILIES
@pytest.mark.rule("RFC9293-3.8.6.1")
def test_a_closed_window_is_probed_with_one_byte_ever_more_slowly_for_as_long_as_it_takes(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected(window=0, mss=1000)
    lab.send(endpoint, b"patience")
    pauses = [0.3, 0.6, 1.2, 2.4, 4.8, 9.6, 19.2, 38.4, 60, 60, 60]
    for pause in pauses:
        lab.peer.expect(seq=1, data=b"p", after=sec(pause))
        lab.peer.send(seq=1, ack=1, window=0)
    lab.peer.send(seq=1, ack=1, window=1000)
    lab.peer.expect(seq=1, data=b"patience")
    lab.peer.send(seq=1, ack=9, window=1000)
    assert lab.told(endpoint) == Ready.SENT
    lab.peer.expect_nothing(until=sec(300))


def test_a_probe_that_the_peer_takes_is_progress() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=0, mss=1000)
    lab.send(endpoint, b"abc")
    lab.peer.expect(data=b"a", after=ms(300))
    lab.peer.send(seq=1, ack=2, window=0)
    assert endpoint.acknowledged == 1
    lab.peer.expect(seq=2, data=b"b", after=ms(600))
    lab.peer.send(seq=1, ack=3, window=5)
    lab.peer.expect(seq=3, data=b"c")


def test_progress_forgives_earlier_probes_without_answer() -> None:
    lab = TcpLab(behaviour=with_tcp(WINDOWS, data_retries=3))
    endpoint = lab.connected(window=0)
    lab.send(endpoint, b"abc")
    for pause in (300, 600, 1200):
        lab.peer.expect(seq=1, data=b"a", after=ms(pause))
    lab.peer.send(seq=1, ack=2, window=0)
    for pause in (2400, 4800, 9600):
        lab.peer.expect(seq=2, data=b"b", after=ms(pause))
    assert endpoint.error is None


@pytest.mark.rule("RFC9293-3.8.6.1")
def test_probes_that_nobody_answers_end_the_connection() -> None:
    lab = TcpLab(behaviour=with_tcp(WINDOWS, data_retries=3))
    endpoint = lab.connected(window=0)
    lab.send(endpoint, b"x")
    lab.clock.advance(sec(60))
    assert [segment.flags for segment in lab.peer.drain()] == ["A", "A", "A", "A", "R"]
    assert lab.told(endpoint) == Ready.FAILED
    assert endpoint.error is ErrorKind.TIMED_OUT


def test_a_window_that_is_taken_back_under_data_in_flight_leads_to_probes() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=4000, mss=1000)
    lab.send(endpoint, DATA[:4000])
    assert len(lab.peer.drain()) == 4
    lab.peer.send(seq=1, ack=1001, window=0)
    lab.peer.expect_nothing(until=ms(299))
    lab.clock.advance(ms(1))
    lab.peer.expect_nothing()  # the timeout finds the window closed
    lab.peer.expect(seq=1001, data=DATA[1000:1001], after=ms(600))
    lab.peer.send(seq=1, ack=1001, window=4000)
    found = lab.peer.drain()
    assert found[0].seq == 1001
    assert len(found[0].data) == 1000


def test_while_a_closed_window_is_probed_the_other_direction_goes_on() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=0)
    lab.send(endpoint, b"stuck")
    lab.peer.expect(seq=1, data=b"s", after=ms(300))
    lab.peer.send(seq=1, ack=1, data=b"hello", window=0)
    found = lab.peer.expect(ack=6, after=ms(40))
    assert found.seq == 1, "an acknowledgement behind the probe would lie outside the peer's closed window"


# Congestion window


@pytest.mark.rule("RFC6928-2", "RFC5681-3.1")
def test_ten_segments_start_and_each_that_is_acknowledged_lets_two_out() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=65535, mss=1000)
    lab.send(endpoint, DATA[:50000])
    assert len(lab.peer.drain()) == 10
    lab.peer.send(seq=1, ack=2001)
    assert len(lab.peer.drain()) == 4
    lab.peer.send(seq=1, ack=3001)
    assert len(lab.peer.drain()) == 2


@pytest.mark.rule("RFC5681-4.1")
def test_after_an_idle_time_the_window_is_the_initial_one_again() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=65535, mss=1000)
    lab.send(endpoint, DATA[:40000])
    seq = 1
    while endpoint.unacknowledged:
        seq += sum(len(segment.data) for segment in lab.peer.drain())
        lab.peer.send(seq=1, ack=seq)
    lab.clock.advance(sec(2))
    lab.send(endpoint, DATA[:40000])
    assert len(lab.peer.drain()) == 10


def test_sending_in_close_wait_works_like_in_established() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=65535, mss=1000)
    lab.peer.send(flags="FA", seq=1, ack=1)
    lab.peer.drain()
    lab.send(endpoint, DATA[:30000])
    seq = 1
    received = b""
    while endpoint.unacknowledged:
        for segment in lab.peer.drain():
            received += segment.data
            seq += len(segment.data)
        lab.peer.send(seq=2, ack=seq)
    assert received == DATA[:30000]
    assert lab.state(endpoint) is State.CLOSE_WAIT
