"""More of something than anybody needs: SYNs, connections that come and go, answers to answers."""

from __future__ import annotations

from random import Random

from tests.conformance.attacks.common import CHALLENGE_SECONDS, CHALLENGES, fill_paths, stranger
from tests.conformance.attacks.table import attack
from tests.support.memory import growth, growth_after
from tests.support.repair import repaired
from tests.support.tcp_lab import TcpLab
from tests.support.tcp_pair import Pair
from tests.support.tcp_peer import OUR_PORT, sec
from wsknet.behaviour import LINUX, WINDOWS
from wsknet.config import TcpConfig
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.types import MILLISECOND, Family

_ROOM = 1 << 20
"""Bytes for a thousand SYNs, four times as many for any number: flows and their labels, of which the latest 4096 are
kept (`interface.MAX_FLOWS`, `flow_label.MAX_FLOWS`), and tables that are built anew at another size now and then.  A
half-open connection takes 6 KiB."""
_CRUMBS = 300
"""Bytes for each connection that came and went: cancelled timers that have not been cleared away yet, and flow labels
of IPv6 (`flow_label.MAX_FLOWS`).  A connection takes twenty times as much."""

_FORGED = 1000
"""Bytes: more than the true data that follows, or that would bring them into step again."""
_REPETITIONS = 10
"""Of data, and their acknowledgements, until the connection is given up."""


def _flood(lab: TcpLab, numbers: range) -> None:
    for number in numbers:
        lab.peer.address = stranger(lab.family, number)
        lab.peer.send(flags="S", seq=number, mss=1460, scale=7, port=1024 + number % 60_000)
        lab.peer.segments.clear()


def _assert_connects(lab: TcpLab, listener: TcpEndpoint, number: int) -> None:
    """A caller like any other: it need not come first, nor try twice."""
    peer = lab.peer
    peer.address = stranger(lab.family, number)
    peer.drain()
    peer.send(flags="S", seq=0, mss=1460)
    answer = peer.expect(flags="SA", ack=1)
    peer.send(seq=1, ack=answer.seq + 1)
    peer.send(seq=1, ack=answer.seq + 1, data=b"let me in")
    while (endpoint := listener.accept(lab.now)) is not None:
        if endpoint.readable:
            assert lab.receive_all(endpoint) == b"let me in"
            lab.close(endpoint)
            return
        lab.close(endpoint)
    raise AssertionError("the caller's connection is not there")


def _syn_flood(family: Family, count: int, room: int) -> None:
    lab = TcpLab(family)
    listener = lab.listening()

    def fill() -> None:
        fill_paths(lab)
        _flood(lab, range(500))

    assert growth_after(fill, lambda: _flood(lab, range(500, 500 + count))) < room
    _assert_connects(lab, listener, (1 << 24) - 1)
    lab.clock.advance(sec(400))
    lab.close(listener)
    assert list(lab.stack.tcp.connections()) == []


@attack(
    "SYN flood, a sample of 1,000 sources",
    "who means it is answered and served all the time",
    "no memory beyond the full SYN queue and path cache",
    "RFC4987-3.6",
)
def _short_syn_flood(family: Family) -> None:
    _syn_flood(family, 1_000, _ROOM)


@attack(
    "SYN flood from 100,000 sources",
    "who means it is answered and served all the time",
    "no memory beyond the full SYN queue and path cache",
    "RFC4987-3.6",
    is_long=True,
)
def _long_syn_flood(family: Family) -> None:
    _syn_flood(family, 100_000, 4 * _ROOM)


@attack(
    "SYN flood as a mirror",
    "the forged source gets few SYN-ACKs, and none after its RST",
    "1 SYN-ACK and as many repetitions as the behaviour has; none after a RST",
    "RFC4987-2.2",
)
def _mirror(family: Family) -> None:
    for behaviour in (WINDOWS, LINUX):
        lab = TcpLab(family, behaviour=behaviour)
        lab.listening()
        lab.peer.send(flags="S", seq=0, mss=1460)
        lab.clock.advance(sec(600))
        assert len(lab.peer.drain()) == 1 + behaviour.tcp.syn_ack_retries
        lab.peer.send(flags="S", seq=0, mss=1460, port=81)
        lab.peer.expect(flags="SA")
        lab.peer.send(flags="R", seq=1, port=81)
        lab.peer.expect_nothing(until=sec(600))


@attack(
    "connections that are opened and reset at once",
    "nothing is left of them, and nobody is kept waiting",
    "no memory, no timer",
    "RFC9293-3.10.7.4",
)
def _open_and_reset(family: Family) -> None:
    lab = TcpLab(family)
    listener = lab.listening()

    def come_and_go(numbers: range) -> None:
        for number in numbers:
            lab.peer.send(flags="S", seq=0, mss=1460, port=1024 + number)
            lab.peer.send(seq=1, ack=1, port=1024 + number)
            lab.peer.send(seq=1, ack=1, port=1024 + number, data=b"x" * 100)
            lab.peer.send(flags="R", seq=101, port=1024 + number)
            lab.peer.segments.clear()

    assert growth_after(lambda: come_and_go(range(300)), lambda: come_and_go(range(300, 900))) < 600 * _CRUMBS
    while (endpoint := listener.accept(lab.now)) is not None:
        lab.close(endpoint)
    lab.close(listener)
    assert list(lab.stack.tcp.connections()) == []
    assert lab.stack.next_deadline() is None


@attack(
    "connections that are ended properly, so that TIME-WAIT is left to us",
    "the oldest end early, and who comes next is served",
    "max_time_wait connections",
    "RFC9293-3.6.1",
    "RFC1337-1",
)
def _time_waits(family: Family) -> None:
    lab = TcpLab(family, tcp_config=TcpConfig(max_time_wait=50))
    listener = lab.listening()

    def come_and_go(numbers: range) -> None:
        for number in numbers:
            port = 1024 + number
            lab.peer.send(flags="S", seq=0, mss=1460, port=port)
            lab.peer.send(seq=1, ack=1, port=port)
            endpoint = listener.accept(lab.now)
            assert endpoint is not None
            lab.finish(endpoint)
            lab.peer.send(flags="FA", seq=1, ack=2, port=port)
            lab.close(endpoint)
            lab.peer.segments.clear()

    assert growth_after(lambda: come_and_go(range(100)), lambda: come_and_go(range(100, 600))) < 500 * _CRUMBS
    left = [connection.remote.port for connection in lab.stack.tcp.connections()]
    assert left == list(range(1024 + 550, 1024 + 600)), "the latest wait"
    _assert_connects(lab, listener, 1)
    lab.clock.advance(lab.stack.config.behaviour.tcp.time_wait)
    lab.close(listener)
    assert list(lab.stack.tcp.connections()) == []
    assert lab.stack.next_deadline() is None


@attack(
    "FIN, RST and ACK flood at open and closed ports",
    "no connection comes of it, a listener stays as it was",
    "no memory; at most one RST for each",
    "RFC9293-3.10.7.1",
    "RFC9293-3.10.7.2",
)
def _stray(family: Family) -> None:
    lab = TcpLab(family)
    listener = lab.listening()
    rng = Random(1)

    def stray(count: int) -> None:
        for _ in range(count):
            flags = rng.choice(("F", "FA", "R", "RA", "A", "", "FPU", "PA"))
            port = rng.choice((OUR_PORT, 9))
            lab.peer.send(flags=flags, seq=rng.getrandbits(32), ack=rng.getrandbits(32), to=port, data=b"x")
            assert len(lab.peer.drain()) <= ("R" not in flags)

    stray(100)
    assert growth(lambda: stray(1000)) < 1000 * _CRUMBS
    assert list(lab.stack.tcp.connections()) == []
    assert lab.state(listener) is State.LISTEN


def _inject(pair: Pair, side: int) -> None:
    """Data that nobody sent, numbered rightly by one who listens in."""
    frame = bytearray(pair.latest[side])
    at = 34 if pair.family is Family.IPV4 else 54
    header = (frame[at + 12] >> 4) * 4
    length = len(frame) - at - header
    seq = int.from_bytes(frame[at + 4 : at + 8], "big") + length
    frame[at + 4 : at + 8] = (seq & 0xFFFFFFFF).to_bytes(4, "big")
    pair.deliver(side, repaired(bytes(frame[: at + header]) + bytes(_FORGED)))


@attack(
    "ACK storm between two hosts that were brought out of step",
    "both fall silent between repetitions, and the connection ends when these are used up",
    "10 segments in 5 s and direction, beside the repetitions of the data",
    "RFC5961-7",
    "RFC9293-3.10.7.4",
)
def _ack_storm(family: Family) -> None:
    pair = Pair(family, WINDOWS, MILLISECOND)
    with pair.network:
        for side in (0, 1):
            pair.send(side, b"hello")
            pair.network.driver.run()
        for side in (0, 1):
            _inject(pair, side)
        assert [endpoint.readable for endpoint in pair.ends] == [5 + _FORGED] * 2
        for side in (0, 1):
            pair.send(side, b"who are you?")
        before = pair.transmitted
        pair.network.run_for(60)
        assert pair.transmitted - before <= 2 * (CHALLENGES * 60 // CHALLENGE_SECONDS + CHALLENGES) + 2 * _REPETITIONS
        pair.network.run_for(3600)
        stacks = [host.stack for host in pair.hosts]
        assert [stack.next_deadline() for stack in stacks] == [None, None], "the storm never ends"
        assert [endpoint.error for endpoint in pair.ends].count(None) == 0
