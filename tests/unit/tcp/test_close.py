"""FIN in every order, and half-close: RFC 9293 3.6, 3.10.4, 3.10.7.4."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import TcpLab, with_tcp
from tests.support.tcp_peer import ms, sec
from wsknet.behaviour import WINDOWS
from wsknet.errors import ErrorKind, LocalError
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.state import State
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC9293-3.6.1", "RFC9293-3.10.4")
def test_we_close_first(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    lab.finish(endpoint)
    lab.peer.expect(flags="FA", seq=1, ack=1)
    assert lab.state(endpoint) is State.FIN_WAIT_1
    lab.peer.send(seq=1, ack=2)
    assert lab.state(endpoint) is State.FIN_WAIT_2
    assert lab.told(endpoint) == Ready.FINISHED
    lab.peer.expect_nothing(until=sec(60))
    lab.peer.send(flags="FA", seq=1, ack=2)
    lab.peer.expect(seq=2, ack=2)
    assert lab.state(endpoint) is State.TIME_WAIT
    assert lab.told(endpoint) == Ready.PEER_FINISHED
    lab.peer.expect_nothing(until=sec(119))
    assert lab.stack.view().connections
    lab.clock.advance(sec(1))
    assert lab.state(endpoint) is State.CLOSED
    assert not lab.stack.view().connections


@FAMILIES
@pytest.mark.rule("RFC9293-3.6", "RFC9293-3.10.7.4")
def test_the_peer_closes_first(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    lab.peer.send(flags="FA", seq=1, ack=1)
    lab.peer.expect(seq=1, ack=2)
    assert lab.state(endpoint) is State.CLOSE_WAIT
    assert lab.told(endpoint) == Ready.PEER_FINISHED
    assert endpoint.peer_finished
    lab.finish(endpoint)
    lab.peer.expect(flags="FA", seq=1, ack=2)
    assert lab.state(endpoint) is State.LAST_ACK
    lab.peer.send(seq=2, ack=2)
    assert lab.state(endpoint) is State.CLOSED
    assert lab.told(endpoint) == Ready.FINISHED
    assert endpoint.error is None
    assert not lab.stack.view().connections
    lab.peer.expect_nothing(until=sec(300))


@FAMILIES
@pytest.mark.rule("RFC9293-3.6", "RFC9293-3.10.7.4")
def test_both_close_at_the_same_time(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    lab.finish(endpoint)
    lab.peer.expect(flags="FA", seq=1, ack=1)
    lab.peer.send(flags="FA", seq=1, ack=1)
    lab.peer.expect(seq=2, ack=2)
    assert lab.state(endpoint) is State.CLOSING
    lab.peer.send(seq=2, ack=2)
    assert lab.state(endpoint) is State.TIME_WAIT
    assert lab.told(endpoint) == Ready.PEER_FINISHED | Ready.FINISHED


@FAMILIES
@pytest.mark.rule("RFC9293-3.6")
def test_after_we_have_finished_the_peer_may_go_on_sending(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    lab.finish(endpoint)
    lab.peer.expect(flags="FA")
    lab.peer.send(seq=1, ack=1, data=b"before our FIN was seen")
    lab.peer.send(seq=24, ack=2, data=b", and after")
    lab.peer.expect(seq=2, ack=35)
    assert lab.state(endpoint) is State.FIN_WAIT_2
    assert lab.receive_all(endpoint) == b"before our FIN was seen, and after"
    lab.peer.send(flags="FA", seq=35, ack=2, data=b"last")
    lab.peer.expect(seq=2, ack=40)
    assert lab.receive_all(endpoint) == b"last"
    assert endpoint.peer_finished


@FAMILIES
@pytest.mark.rule("RFC9293-3.6")
def test_after_the_peer_has_finished_we_may_go_on_sending(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    lab.peer.send(flags="FA", seq=1, ack=1, data=b"question")
    lab.peer.expect(seq=1, ack=10)
    lab.send(endpoint, b"answer")
    lab.peer.expect(seq=1, ack=10, data=b"answer")
    lab.peer.send(seq=10, ack=7)
    assert lab.told(endpoint) == Ready.READABLE | Ready.PEER_FINISHED | Ready.SENT
    lab.finish(endpoint)
    lab.peer.expect(flags="FA", seq=7, ack=10)
    lab.peer.send(seq=10, ack=8)
    assert lab.state(endpoint) is State.CLOSED
    assert lab.receive_all(endpoint) == b"question"


@pytest.mark.rule("RFC9293-3.10.4")
def test_finish_waits_for_all_queued_data_and_fin_rides_on_the_last_segment() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=1000, mss=1000)
    lab.send(endpoint, bytes(1500))
    lab.finish(endpoint)
    lab.peer.expect(flags="A", seq=1, data=bytes(1000))
    assert lab.state(endpoint) is State.FIN_WAIT_1
    lab.peer.send(seq=1, ack=1001, window=1000)
    lab.peer.expect(flags="FPA", seq=1001, data=bytes(500))
    lab.peer.send(seq=1, ack=1501, window=1000)
    assert lab.state(endpoint) is State.FIN_WAIT_1
    lab.peer.send(seq=1, ack=1502, window=1000)
    assert lab.state(endpoint) is State.FIN_WAIT_2
    with pytest.raises(LocalError):
        endpoint.send(b"more", lab.now)
    endpoint.finish(lab.now)
    lab.peer.expect_nothing()


def test_a_fin_counts_against_the_window_like_a_byte() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=500, mss=1000)
    lab.send(endpoint, bytes(500))
    lab.finish(endpoint)
    lab.peer.expect(flags="A", seq=1, data=bytes(500))
    lab.peer.send(seq=1, ack=501, window=0)
    lab.peer.expect_nothing(until=ms(299))
    lab.clock.advance(ms(1))
    lab.peer.expect(flags="FA", seq=501)  # as the probe of the closed window
    lab.peer.send(seq=1, ack=501, window=0)
    lab.peer.send(seq=1, ack=501, window=100)
    lab.peer.expect(flags="FA", seq=501)
    lab.peer.send(seq=1, ack=502, window=100)
    assert lab.state(endpoint) is State.FIN_WAIT_2


def test_a_fin_does_not_ride_on_a_segment_that_fills_the_window() -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=500, mss=1000)
    lab.send(endpoint, bytes(1000))
    lab.finish(endpoint)
    lab.peer.expect(flags="A", seq=1, data=bytes(500))
    lab.peer.send(seq=1, ack=501, window=500)
    lab.peer.expect(flags="A", seq=501, data=bytes(500))
    lab.peer.send(seq=1, ack=1001, window=500)
    lab.peer.expect(flags="FA", seq=1001)


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_a_fin_that_comes_before_data_waits_for_it() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.send(flags="FA", seq=6, ack=1, data=b"world")
    lab.peer.expect(seq=1, ack=1)
    assert lab.state(endpoint) is State.ESTABLISHED
    lab.peer.send(seq=1, ack=1, data=b"hello")
    lab.peer.expect(seq=1, ack=12)
    assert lab.state(endpoint) is State.CLOSE_WAIT
    assert lab.receive_all(endpoint) == b"helloworld"


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_a_repeated_fin_is_acknowledged_again_and_told_once() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    for _ in range(3):
        lab.peer.send(flags="FA", seq=1, ack=1)
        lab.peer.expect(seq=1, ack=2)
    assert lab.owners[endpoint].history.count(Ready.PEER_FINISHED) == 1


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_data_behind_a_fin_is_not_taken() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.send(flags="FA", seq=1, ack=1, data=b"end")
    lab.peer.expect(ack=5)
    lab.peer.send(seq=5, ack=1, data=b"more")
    lab.peer.expect(ack=5)
    assert lab.receive_all(endpoint) == b"end"
    assert lab.stack.trace.drops[DropReason.TCP_RECEIVE_CLOSED] == 1


@pytest.mark.parametrize("is_known_before", [True, False])
def test_data_behind_a_fin_that_came_early_is_not_taken_either(is_known_before: bool) -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    if is_known_before:
        lab.peer.send(seq=3, ack=1, data=b"dmo")
        lab.peer.send(seq=100, ack=1, data=b"beyond")
    lab.peer.drain()
    lab.peer.send(flags="FA", seq=4, ack=1)
    lab.peer.expect(seq=1, ack=1)
    lab.peer.send(seq=1, ack=1, data=b"endmore")
    assert lab.receive_all(endpoint) == b"end"
    assert endpoint.peer_finished
    assert lab.state(endpoint) is State.CLOSE_WAIT


@pytest.mark.rule("RFC6298-5.4")
def test_a_lost_fin_is_repeated_and_given_up_after_the_data_retries() -> None:
    lab = TcpLab(behaviour=with_tcp(WINDOWS, data_retries=2))
    endpoint = lab.connected()
    lab.finish(endpoint)
    lab.peer.expect(flags="FA", seq=1)
    lab.peer.expect(flags="FA", seq=1, after=ms(300))
    lab.peer.expect(flags="FA", seq=1, after=ms(600))
    lab.peer.expect(flags="R", after=ms(1200))
    assert lab.told(endpoint) == Ready.FAILED
    assert endpoint.error is ErrorKind.TIMED_OUT
