"""Whatever a peer sends in whatever state: nothing raises, nothing grows without bound, nothing stays behind."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_ISS, OUR_PORT, ms, sec
from wsknet.config import TcpConfig
from wsknet.errors import NetError
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.transport.tcp.connection import Connection
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.reassembly import MAX_PIECES
from wsknet.transport.tcp.state import CONNECTING, State
from wsknet.types import Family

_START_STATES = ("SYN-SENT", "LISTEN", "SYN-RECEIVED", "ESTABLISHED", "accepted", "CLOSE-WAIT", "FIN-WAIT-1",
                 "FIN-WAIT-2", "CLOSING", "LAST-ACK", "TIME-WAIT", "sending", "window closed")  # fmt: skip


def in_state(lab: TcpLab, name: str) -> TcpEndpoint:
    peer = lab.peer
    if name == "SYN-SENT":
        return lab.connecting()
    if name == "LISTEN":
        return lab.listening()
    if name == "SYN-RECEIVED":
        endpoint = lab.connecting()
        peer.send(flags="S", seq=0)
        return endpoint
    if name == "accepted":
        return lab.accepted()
    endpoint = lab.connected(window=0 if name == "window closed" else 3000, mss=1000, scale=2)
    if name in ("sending", "window closed"):
        lab.send(endpoint, bytes(20_000))
    elif name in ("CLOSE-WAIT", "LAST-ACK"):
        peer.send(flags="FA", seq=1, ack=1)
        if name == "LAST-ACK":
            lab.finish(endpoint)
    elif name != "ESTABLISHED":
        lab.finish(endpoint)
        if name == "CLOSING":
            peer.send(flags="FA", seq=1, ack=1)
        elif name == "FIN-WAIT-2":
            peer.send(seq=1, ack=2)
        elif name == "TIME-WAIT":
            peer.send(flags="FA", seq=1, ack=2)
    return endpoint


def some_number(rng: Random, expected: int) -> int:
    """A relative sequence number near one that means something, or anywhere."""
    if rng.random() < 0.1:
        return rng.getrandbits(32)
    return expected + rng.choice((0, 0, 0, 0, 1, -1, 2, 10, -10, 500, 1000, 2999, 3000, 65535, 1 << 20))


def some_flags(rng: Random) -> str:
    usual = ("A", "A", "A", "A", "PA", "FA", "S", "SA", "R", "RA")
    return rng.choice(usual) if rng.random() < 0.9 else "".join(rng.sample("FSRPAUEC", rng.randrange(9)))


def send_something(lab: TcpLab, rng: Random) -> None:
    connections = [c for c in lab.stack.tcp.connections() if isinstance(c, Connection)]
    seq, ack = 1, 1
    if connections:
        connection = rng.choice(connections)
        seq = connection.receiver.nxt - lab.peer.iss if connection.state is not State.SYN_SENT else 0
        ack = rng.choice((connection.sender.una, connection.sender.nxt, connection.sender.sent)) - OUR_ISS
    lab.peer.send(
        flags=some_flags(rng),
        seq=some_number(rng, seq),
        ack=some_number(rng, ack),
        data=rng.randbytes(rng.choice((0, 0, 0, 1, 10, 1000, 1400))),
        window=rng.choice((0, 1, 100, 3000, 65535)),
        port=rng.choice((80, 80, 80, 80, 81)),
        options=rng.randbytes(4 * rng.randrange(11)) if rng.random() < 0.1 else None,
        mss=rng.choice((None, 0, 536, 1460)),
        scale=rng.choice((None, 0, 7, 255)),
    )


def send_icmp(lab: TcpLab, rng: Random) -> None:
    if lab.peer.segments:
        about = rng.choice(list(lab.peer.segments))
        kind = rng.choice([kind for kind in IcmpErrorKind if kind is not IcmpErrorKind.OTHER])
        lab.peer.send_icmp_error(kind, about, rng.choice((0, 68, 600, 1300, 65535)))


def act(lab: TcpLab, rng: Random, endpoints: list[TcpEndpoint]) -> None:
    """What an application may do, legal in this state or not."""
    endpoint = rng.choice(endpoints)
    try:
        match rng.randrange(8):
            case 0:
                endpoint.send(rng.randbytes(rng.choice((0, 1, 500, 5000))), lab.now, rng.random() < 0.3)
            case 1:
                endpoint.receive(rng.choice((1, 100, 1 << 20)), lab.now)
            case 2:
                endpoint.finish(lab.now)
            case 3:
                endpoint.abort(lab.now)
            case 4:
                accepted = endpoint.accept(lab.now)
                if accepted is not None:
                    endpoints.append(accepted)
            case 5:
                endpoint.connect(lab.peer.endpoint, lab.now)
            case 6:
                endpoint.keep_alive = not endpoint.keep_alive
            case 7:
                endpoint.no_delay = not endpoint.no_delay
    except NetError:
        pass
    lab.settle()


def check(lab: TcpLab) -> None:
    for connection in lab.stack.tcp.connections():
        if not isinstance(connection, Connection):
            continue
        sender, receiver, timers = connection.sender, connection.receiver, connection.timers
        assert sender.una <= sender.nxt <= sender.sent
        assert len(receiver.buffer) + receiver.window <= receiver.limit
        assert len(receiver.reassembly) <= MAX_PIECES
        assert 64 <= sender.mss <= 1460
        assert sender.congestion.window >= sender.mss
        is_retransmitting, is_probing = timers.retransmit.is_armed, timers.persist.is_armed
        assert not (is_retransmitting and is_probing)
        if connection.state in CONNECTING or sender.nxt > sender.una:
            # A probe may have carried the FIN beyond a closed window: then the persist timer repeats it.
            is_repeated = is_retransmitting or (is_probing and sender.pipe <= 0)
            assert is_repeated, f"nothing would ever repeat what is in flight in {connection.state}"
        elif sender.queue.end > sender.nxt or sender.fin_at == sender.nxt:
            assert is_probing, f"nothing would ever send what waits in {connection.state}"
        if connection.state is State.ESTABLISHED and receiver.unacknowledged:
            assert timers.delayed_ack.is_armed


def bombard(seed: int, family: Family, state: str, steps: int) -> None:
    rng = Random(seed)
    lab = TcpLab(family, tcp_config=TcpConfig(receive_buffer=rng.choice((100, 5000, 1 << 20)), accept_backlog=3))
    in_state(lab, state)
    endpoints = list(lab.owners)
    for _ in range(steps):
        choice = rng.random()
        if choice < 0.7:
            send_something(lab, rng)
        elif choice < 0.85:
            act(lab, rng, endpoints)
        elif choice < 0.9:
            send_icmp(lab, rng)
        else:
            lab.clock.advance(rng.choice((0, ms(40), ms(300), sec(5), sec(200))))
        check(lab)
        if len(lab.peer.segments) > 100:
            lab.peer.segments.clear()
    for endpoint in endpoints:
        lab.close(endpoint)
    lab.clock.advance(sec(10_000))
    assert list(lab.stack.tcp.connections()) == []
    assert lab.stack.view().tcp_ports == ()
    assert lab.stack.next_deadline() is None


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1 << 32), st.sampled_from(list(Family)), st.sampled_from(_START_STATES))
def test_random_segments_in_every_state(seed: int, family: Family, state: str) -> None:
    bombard(seed, family, state, 60)


@pytest.mark.long
@settings(max_examples=3000, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1 << 32), st.sampled_from(list(Family)), st.sampled_from(_START_STATES))
def test_many_more_random_segments_in_every_state(seed: int, family: Family, state: str) -> None:
    bombard(seed, family, state, 200)


@given(st.binary(max_size=80))
def test_random_bytes_as_a_segment(data: bytes) -> None:
    lab = TcpLab()
    lab.listening()
    lab.peer.send_segment(data)
    lab.peer.expect_nothing()


@pytest.mark.parametrize("name", _START_STATES)
def test_the_states_to_start_from_are_what_they_are_called(name: str) -> None:
    state = in_state(TcpLab(), name).state
    assert state.value == name or name in ("accepted", "sending", "window closed")
    assert state is not State.CLOSED


def test_a_truncated_segment_is_dropped_at_every_length() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    whole = bytes.fromhex("0050c350fffffff6fffffffb5018ffff12340000") + b"data that is cut"
    for length in range(len(whole)):
        lab.peer.send_segment(whole[:length])
    assert endpoint.state is State.ESTABLISHED
    assert endpoint.readable == 0
    assert endpoint.remote is not None
    assert endpoint.remote.port == 80
    assert endpoint.local is not None
    assert endpoint.local.port == OUR_PORT
    assert sum(lab.stack.trace.drops.values()) == len(whole)
