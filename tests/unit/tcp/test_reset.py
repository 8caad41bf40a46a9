"""RST: RFC 9293 3.5.2, 3.5.3; RFC 5961."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import sec
from wsknet.errors import ErrorKind, NetError
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.state import State
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC5961-3.2", "RFC9293-3.10.7.4")
def test_a_reset_with_the_exact_number_ends_the_connection(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    memory = bytearray(10)
    endpoint.send(memory, lab.now)
    lab.peer.send(seq=1, ack=1, data=b"buffered")
    lab.peer.send(seq=100, ack=1, data=b"out of order, never to be read")
    lab.told(endpoint)
    lab.peer.drain()
    lab.peer.send(flags="R", seq=9)
    assert lab.told(endpoint) == Ready.FAILED
    assert endpoint.error is ErrorKind.RESET
    assert lab.state(endpoint) is State.CLOSED
    memory.append(0)
    with pytest.raises(NetError) as failed:
        endpoint.send(b"x", lab.now)
    assert failed.value.kind is ErrorKind.RESET
    assert lab.receive_all(endpoint) == b"buffered"
    assert endpoint.connection is not None
    assert len(endpoint.connection.receiver.reassembly) == 0
    lab.peer.expect_nothing(until=sec(300))
    assert lab.stack.next_deadline() is None or not lab.stack.view().connections


@FAMILIES
@pytest.mark.rule("RFC5961-3.2")
def test_a_reset_elsewhere_in_the_window_is_challenged(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    lab.peer.send(flags="R", seq=2)
    lab.peer.expect(seq=1, ack=1)
    lab.peer.send(flags="R", seq=60000)
    lab.peer.expect(seq=1, ack=1)
    assert lab.state(endpoint) is State.ESTABLISHED
    assert lab.stack.trace.drops[DropReason.TCP_BAD_RESET] == 2


@pytest.mark.rule("RFC5961-3.2")
@pytest.mark.parametrize("seq", [0, -100, 1 + 65535, 1 << 30])
def test_a_reset_outside_the_window_is_dropped(seq: int) -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.send(flags="R", seq=seq)
    lab.peer.expect_nothing()
    assert lab.state(endpoint) is State.ESTABLISHED


@pytest.mark.rule("RFC5961-4.2", "RFC9293-3.10.7.4")
@pytest.mark.parametrize("seq", [-5, 0, 1, 2, 1000, 1 << 30])
@pytest.mark.parametrize("flags", ["S", "SA"])
def test_a_syn_on_a_connection_is_challenged(flags: str, seq: int) -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.send(flags=flags, seq=seq, ack=1)
    lab.peer.expect(seq=1, ack=1)
    assert lab.state(endpoint) is State.ESTABLISHED


@pytest.mark.rule("RFC9293-3.5.1")
def test_a_peer_that_restarted_finds_out_by_the_challenge() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.send(flags="S", seq=5000)
    answer = lab.peer.expect(seq=1, ack=1)
    lab.peer.send(flags="R", seq=answer.ack)  # what a peer in SYN-SENT says to an acknowledgement of something else
    assert lab.told(endpoint) == Ready.FAILED
    assert endpoint.error is ErrorKind.RESET


@pytest.mark.rule("RFC5961-7")
def test_challenges_are_rate_limited() -> None:
    lab = TcpLab()
    lab.connected()
    for _ in range(100):
        lab.peer.send(flags="S", seq=100)
    assert len(lab.peer.drain()) == 10
    lab.clock.advance(sec(5))
    lab.peer.send(flags="S", seq=100)
    lab.peer.expect(seq=1, ack=1)


@pytest.mark.rule("RFC5961-5.2")
@pytest.mark.parametrize("ack", [2, 1000, 1 << 30, 1 - 65536, -(1 << 30)])
def test_an_acknowledgement_outside_the_acceptable_range_is_challenged_and_its_data_dropped(ack: int) -> None:
    lab = TcpLab()
    endpoint = lab.connected(window=65535)
    lab.peer.send(seq=1, ack=ack, data=b"injected")
    lab.peer.expect(seq=1, ack=1)
    assert endpoint.readable == 0
    assert lab.stack.trace.drops[DropReason.TCP_BAD_ACK] == 1


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_segments_without_an_acknowledgement_are_dropped() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    for flags in ("", "P", "F"):
        lab.peer.send(flags=flags, seq=1, data=b"x")
    lab.peer.expect_nothing(until=sec(1))
    assert endpoint.readable == 0
    assert lab.state(endpoint) is State.ESTABLISHED
    assert lab.stack.trace.drops[DropReason.TCP_BAD_FLAGS] == 3


@pytest.mark.rule("RFC9293-3.10.7.4")
@pytest.mark.parametrize("half", ["ours", "theirs", "both"])
def test_a_reset_ends_every_half_closed_state(half: str) -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    seq = 1
    if half != "ours":
        lab.peer.send(flags="FA", seq=1, ack=1)
        seq = 2
    if half != "theirs":
        lab.finish(endpoint)
    lab.told(endpoint)
    lab.peer.send(flags="R", seq=seq)
    assert lab.told(endpoint) == Ready.FAILED
    assert endpoint.error is ErrorKind.RESET
    assert not lab.stack.view().connections


def test_a_wrong_checksum_changes_nothing() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    good = bytes.fromhex("0050c350fffffff6fffffffb5010ffff0000000068656c6c6f")
    lab.peer.send_segment(good)
    lab.peer.expect_nothing(until=sec(1))
    assert endpoint.readable == 0
    assert lab.stack.trace.drops[DropReason.TCP_BAD_CHECKSUM] == 1
