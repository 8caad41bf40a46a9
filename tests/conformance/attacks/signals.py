"""Lies in the small fields: marks of congestion, urgent pointers, timestamps."""

from __future__ import annotations

from tests.conformance.attacks.common import accepted, assert_alive, data_in
from tests.conformance.attacks.table import attack
from tests.support.memory import growth
from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import ms, sec
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.state import State
from wsknet.types import Family
from wsknet.wire.tcp_options import Options

_MSS = 1000
_CE = 3
_MOST_RTO = 60


_PLAIN = Options(mss=_MSS)
_WITH_TIMESTAMPS = Options(mss=_MSS, timestamps=(1000, 0))


@attack(
    "ECN: congestion echoed for ever, whatever we say of our window",
    "the window goes down to a segment and no further; data goes on, a segment and more in each round trip",
    "one segment in flight at least",
    "RFC3168-6.1.2",
    "RFC9438-4.6",
)
def _echo_for_ever(family: Family) -> None:
    lab, endpoint, _ = accepted(family, _PLAIN, "SEC")
    lab.send(endpoint, bytes(100_000))
    ack, flights = 1, []
    for _ in range(150):
        segments = lab.peer.drain()
        assert segments, "nothing goes on"
        flights.append(data_in(segments))
        for segment in segments:
            ack = max(ack, segment.seq + len(segment.data))
        lab.clock.advance(ms(20))
        assert not lab.peer.segments
        lab.peer.send(flags="EA", seq=1, ack=ack)
        if ack == 100_001:
            break
    assert ack == 100_001
    assert flights[0] > 5 * _MSS
    assert max(flights[8:]) <= 2 * _MSS
    lab.send(endpoint, b"and more")
    assert data_in(lab.peer.drain()) == 8


@attack(
    "ECN: every segment marked, and the reduction never confirmed",
    "the echo goes with each acknowledgement until the peer says that it has slowed down, and that is all",
    "one acknowledgement for each segment",
    "RFC3168-6.1.3",
)
def _marks(family: Family) -> None:
    lab, endpoint, _ = accepted(family, _PLAIN, "SEC")
    for number in range(500):
        lab.peer.send(seq=1 + number, ack=1, data=b"x", traffic_class=_CE)
        lab.peer.send(seq=2 + number, ack=1, traffic_class=_CE)
    answers = lab.peer.drain()
    assert len(answers) <= 500
    assert all("E" in answer.flags for answer in answers)
    assert lab.receive_all(endpoint) == b"x" * 500
    for flags, echo in (("A", "E"), ("CA", "")):
        lab.peer.drain()
        lab.peer.send(flags=flags, seq=501 + (not echo), ack=1, data=b"x")
        lab.clock.advance(ms(40))
        assert lab.peer.next().flags.strip("AP") == echo
    assert lab.state(endpoint) is State.ESTABLISHED


@attack(
    "ECN bits where they were not agreed on",
    "neither echoed nor heeded",
    "none",
    "RFC3168-6.1.1",
)
def _not_agreed(family: Family) -> None:
    lab, endpoint, _ = accepted(family, _PLAIN)
    lab.send(endpoint, bytes(100_000))
    first = data_in(lab.peer.drain())
    lab.peer.send(flags="ECA", seq=1, ack=1 + first)
    assert data_in(lab.peer.drain()) > first, "the window has grown, not shrunk"
    lab.peer.send(flags="ECA", seq=1, ack=1 + first, data=b"x", traffic_class=_CE)
    lab.clock.advance(ms(40))
    assert all("E" not in segment.flags for segment in lab.peer.drain())


@attack(
    "a flood of urgent pointers",
    "the program hears of the farthest one; the stream stays what it is",
    "a number; no answer to a segment that is in order, and none beyond those to any other",
    "RFC9293-3.8.5",
    "RFC6093-6",
)
def _urgent_pointers(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    pointers = [number * 331 & 0xFFFF for number in range(1000)]
    farthest = max(pointers)

    def flood() -> None:
        for pointer in pointers:
            lab.peer.send(flags="UA", seq=1, ack=1, urgent=pointer)
            lab.owners[endpoint].history.clear()

    assert growth(flood) < 20_000
    assert lab.told(endpoint) & Ready.URGENT
    assert endpoint.urgent_to == farthest
    assert lab.peer.drain() == []
    for offset in (-1000, 1 << 20, 1 << 31):
        lab.peer.send(flags="UA", seq=1 + offset, ack=1, urgent=0xFFFF, data=b"forged")
    lab.peer.send(flags="UA", seq=1, ack=1 << 30, urgent=0xFFFF, data=b"forged")
    assert endpoint.urgent_to == farthest
    assert not lab.told(endpoint) & Ready.URGENT
    assert endpoint.readable == 0
    assert_alive(lab, endpoint)


@attack(
    "timestamps that echo what was never sent",
    "round trips of weeks, none and less than none do not move the timeout beyond its bounds",
    "MinRto to 60 s",
    "RFC7323-4.1",
    "RFC6298-2.5",
)
def _absurd_echoes(family: Family) -> None:
    for distance in (1, 1000, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 31) + 1, (1 << 32) - 1, 0):
        lab, endpoint, clock = accepted(family, _WITH_TIMESTAMPS)
        ours = 1
        for number in range(20):
            lab.send(endpoint, b"x", no_delay=True)
            lab.peer.expect(seq=ours, data=b"x")
            # A repetition, so that only the echo can tell how long it took.
            lab.clock.advance(sec(_MOST_RTO), until_sent=True)
            lab.peer.drain()
            ours += 1
            lab.peer.send(seq=1, ack=ours, timestamps=(2000 + number, (clock - distance) & 0xFFFFFFFF))
        lab.send(endpoint, b"x", no_delay=True)
        lab.peer.expect(seq=ours, data=b"x")
        sent = lab.now
        lab.clock.advance(sec(_MOST_RTO), until_sent=True)
        assert lab.peer.segments, f"nothing is repeated within a minute after an echo of {distance} before"
        assert lab.now - sent >= lab.stack.config.behaviour.tcp.min_rto
        lab.peer.drain()
        lab.peer.send(seq=1, ack=ours + 1, timestamps=(3000, clock))
        assert lab.state(endpoint) is State.ESTABLISHED


@attack(
    "timestamps that echo the future",
    "no sample is taken from them, and none of them undoes a reduction",
    "MinRto to 60 s",
    "RFC7323-4.1",
    "RFC3522-3.2",
)
def _future_echoes(family: Family) -> None:
    lab, endpoint, clock = accepted(family, _WITH_TIMESTAMPS)
    lab.send(endpoint, bytes(_MSS * 40), no_delay=True)
    first = lab.peer.drain()
    size = len(first[0].data)
    lab.clock.advance(sec(5), until_sent=True)
    lab.peer.drain()
    lab.clock.advance(sec(5), until_sent=True)
    lab.peer.drain()
    lab.peer.send(seq=1, ack=1 + size, timestamps=(2000, (clock + 1_000_000) & 0xFFFFFFFF))
    assert data_in(lab.peer.drain()) <= 2 * size, "slow start from one segment"


@attack(
    "forged timestamps in TIME-WAIT",
    "only a segment that is next in the stream moves the clock, as in any other state",
    "the peer may come again with its own timestamps",
    "RFC7323-5.3",
    "RFC6191-2",
)
def _poisoned_time_wait(family: Family) -> None:
    for seq, ack in ((-1000, 2), (-(1 << 30), 77), (2, 1 << 30)):
        lab, endpoint, clock = accepted(family, _WITH_TIMESTAMPS)
        lab.finish(endpoint)
        lab.peer.expect(flags="FA")
        lab.peer.send(flags="FA", seq=1, ack=2, timestamps=(1002, clock))
        lab.peer.expect(seq=2, ack=2)
        assert lab.state(endpoint) is State.TIME_WAIT
        lab.peer.send(seq=seq, ack=ack, timestamps=((1 << 30), 0))
        lab.clock.advance(sec(1))
        lab.peer.drain()
        lab.peer.send(flags="S", seq=50_000, mss=_MSS, timestamps=(2003, 0))
        lab.peer.expect(flags="SA", ack=50_001)
    assert not lab.stack.trace.drops[DropReason.TCP_BAD_FLAGS]
