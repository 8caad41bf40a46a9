"""Peers that want us to send more, or in smaller pieces, than the network can bear.

S. Savage and others, "TCP Congestion Control with a Misbehaving Receiver", 1999; RFC 3465 and RFC 5681 3.1 and 3.2.
"""

from __future__ import annotations

from random import Random

from tests.conformance.attacks.common import CHALLENGES, assert_alive, data_in
from tests.conformance.attacks.table import attack
from tests.support.memory import growth
from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_ISS, ms, sec
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.types import Family
from wsknet.wire import tcp_options
from wsknet.wire.tcp_options import Options

MSS = 1400
"""Offered by the peer; no timestamps are asked for, so that segments are as long."""
_INITIAL = 10 * MSS
MUCH = 1 << 20


def bulk(family: Family, sack: bool = False) -> tuple[TcpLab, TcpEndpoint, int]:
    """A connection with more to send than the first window takes, a peer that offers a megabyte, and what was sent."""
    lab = TcpLab(family)
    endpoint = lab.connecting()
    lab.peer.expect(flags="S")
    options = tcp_options.build(Options(mss=MSS, window_scale=7, sack_permitted=sack))
    lab.peer.send(flags="SA", seq=0, ack=1, options=options)
    lab.peer.send(seq=1, ack=1, window=8192)
    lab.peer.drain()
    lab.send(endpoint, bytes(MUCH))
    return lab, endpoint, data_in(lab.peer.drain())


@attack(
    "ACK division: each segment acknowledged byte by byte",
    "the congestion window grows by what was acknowledged, not by how often",
    "as many bytes in flight as after one acknowledgement of all, and a segment",
    "RFC5681-3.1",
    "RFC3465-2.1",
)
def _ack_division(family: Family) -> None:
    lab, _, first = bulk(family)
    assert first == _INITIAL
    for count in range(1, MSS + 1):
        lab.peer.send(seq=1, ack=1 + count, window=8192)
    assert data_in(lab.peer.drain()) <= 3 * MSS


@attack(
    "duplicate ACK spoofing",
    "each duplicate stands for one segment that has left the network, and there are no more of them than were sent",
    "twice what was in flight when the first one came, and the three of fast retransmit",
    "RFC5681-3.2",
    "RFC5681-5",
)
def _spoofed_duplicates(family: Family) -> None:
    lab, endpoint, first = bulk(family)
    for _ in range(5000):
        lab.peer.send(seq=1, ack=1, window=8192)
    assert data_in(lab.peer.drain()) <= 2 * first + 3 * MSS
    assert lab.state(endpoint) is State.ESTABLISHED


@attack(
    "optimistic ACK of what was never sent",
    "not believed: nothing is given back, nothing more sent",
    "10 challenges in 5 s",
    "RFC5961-5.2",
    "RFC9293-3.10.7.4",
)
def _optimistic(family: Family) -> None:
    lab, endpoint, first = bulk(family)
    for beyond in (1, MSS, MUCH, 1 << 30):
        for _ in range(100):
            lab.peer.send(seq=1, ack=1 + first + beyond, window=8192)
    answers = lab.peer.drain()
    assert data_in(answers) == 0
    assert len(answers) <= CHALLENGES
    assert (endpoint.acknowledged, endpoint.unacknowledged) == (0, MUCH)


@attack(
    "an MSS of 1 offered",
    "segments of 64 bytes at least (CVE-2019-11479)",
    "at most one header for 64 bytes",
    "RFC9293-3.7.1",
)
def _tiny_mss(family: Family) -> None:
    for mss in (0, 1, 8, 48, 63):
        lab = TcpLab(family)
        endpoint = lab.connected(window=65535, mss=mss)
        lab.send(endpoint, bytes(640))
        segments = lab.peer.drain()
        assert segments
        assert all(len(segment.data) >= 64 for segment in segments)


@attack(
    "a window that shrinks, to nothing and below what is in flight",
    "nothing more is sent beyond it; all arrives when it opens again",
    "one probe at a time, further and further apart",
    "RFC9293-3.8.6",
    "RFC9293-3.8.6.1",
)
def _shrinking_window(family: Family) -> None:
    lab, endpoint, first = bulk(family)
    lab.peer.send(seq=1, ack=1 + MSS, window=0)
    lab.clock.advance(sec(30))
    while_closed = lab.peer.drain()
    assert all(segment.seq + len(segment.data) <= 1 + first + 1 for segment in while_closed)
    assert len(while_closed) <= 10
    arrived, ack = MSS, 1 + MSS
    for _ in range(2000):
        lab.peer.send(seq=1, ack=ack, window=8192)
        for segment in lab.peer.drain():
            if segment.seq <= ack < segment.seq + len(segment.data):
                arrived += segment.seq + len(segment.data) - ack
                ack = segment.seq + len(segment.data)
        if arrived == MUCH:
            break
        lab.clock.advance(sec(0.1))
    assert arrived == MUCH
    lab.peer.send(seq=1, ack=ack, window=8192)
    assert endpoint.acknowledged == MUCH


def _blocks(*edges: tuple[int, int]) -> bytes:
    """The SACK option with these blocks of our numbers."""
    numbers = [(OUR_ISS + edge) & 0xFFFFFFFF for block in edges for edge in block]
    body = b"".join(number.to_bytes(4, "big") for number in numbers)
    return b"\x01\x01\x05" + bytes((2 + len(body),)) + body


@attack(
    "many small SACK blocks",
    "each is taken for what it says; what was not acknowledged is sent again all the same",
    "no more memory than the data in flight has segments; two segments for each acknowledgement",
    "RFC2018-3",
    "RFC6675-4",
)
def _many_blocks(family: Family) -> None:
    lab, endpoint, first = bulk(family, sack=True)
    rng = Random(1)
    answers: list[int] = []

    def send(count: int) -> None:
        for _ in range(count):
            starts = [2 + 2 * rng.randrange(first // 2 - 1) for _ in range(4)]
            lab.peer.send(seq=1, ack=1, window=8192, options=_blocks(*((start, start + 1) for start in starts)))
            lab.clock.advance(ms(1))
            answers.append(len(lab.peer.drain()))

    assert growth(lambda: send(300)) < 300_000
    assert sum(answers) <= 2 * 300
    _assert_everything_arrives(lab, endpoint)


@attack(
    "SACK blocks beyond what was sent, upside down, empty, or behind the acknowledgement",
    "ignored",
    "nothing counts as arrived that was not acknowledged",
    "RFC2018-5",
    "RFC2883-4",
)
def _wrong_blocks(family: Family) -> None:
    lab, endpoint, first = bulk(family, sack=True)
    end = 1 + first
    wrong = [
        (end, end + MSS),
        (end + 1, end + MUCH),
        (5000, 4000),
        (3000, 3000),
        (-5000, -4000),
        (1, 1 << 31),
        (end, 2),
    ]
    for block in wrong:
        for _ in range(5):
            lab.peer.send(seq=1, ack=1, window=8192, options=_blocks(block))
    assert endpoint.acknowledged == 0
    _assert_everything_arrives(lab, endpoint)


@attack(
    "reneging: blocks that are taken back",
    "what was only selectively acknowledged is kept, and sent again after the time-out",
    "memory is given back by the acknowledgement alone",
    "RFC2018-8",
)
def _reneging(family: Family) -> None:
    lab, endpoint, _ = bulk(family, sack=True)
    for count in range(1, 10):
        lab.peer.send(seq=1, ack=1, window=8192, options=_blocks((1 + MSS, 1 + (count + 1) * MSS)))
    lab.peer.drain()
    assert endpoint.unacknowledged == MUCH
    _assert_everything_arrives(lab, endpoint)


def _assert_everything_arrives(lab: TcpLab, endpoint: TcpEndpoint) -> None:
    """From here on a peer that acknowledges only what is in order, and remembers nothing of what it has said."""
    lab.peer.drain()
    ack = 1
    for _ in range(3000):
        for segment in lab.peer.drain():
            if segment.seq <= ack < segment.seq + len(segment.data):
                ack = segment.seq + len(segment.data)
                lab.peer.send(seq=1, ack=ack, window=8192)
        if ack == 1 + MUCH:
            break
        if not lab.peer.segments:
            lab.clock.advance(sec(0.5))
    assert ack == 1 + MUCH
    assert endpoint.acknowledged == MUCH
    assert_alive(lab, endpoint, ours=ack)


@attack(
    "forged timestamps from the future (PAWS)",
    "a segment that is not acceptable otherwise does not move the clock of the connection",
    "the peer's own segments are taken as before",
    "RFC7323-4.3",
    "RFC7323-5.3",
)
def _future_timestamps(family: Family) -> None:
    lab = TcpLab(family)
    listener = lab.listening()
    lab.peer.send(flags="S", seq=0, mss=MSS, timestamps=(1000, 0))
    answer = lab.peer.expect(flags="SA", ack=1)
    assert answer.options.timestamps is not None, "timestamps are granted to who asks for them"
    echo = answer.options.timestamps[0]
    lab.peer.send(seq=1, ack=1, timestamps=(1001, echo))
    endpoint = lab.accept(listener)
    for distance in (1, 1 << 16, (1 << 31) - 2000):
        future = 1001 + distance
        lab.peer.send(seq=1 + (1 << 30), ack=1, data=b"outside", timestamps=(future, echo))
        lab.peer.send(seq=1, ack=1 << 30, data=b"acknowledges wrongly", timestamps=(future, echo))
        lab.peer.send(seq=500, ack=1, data=b"not in order", timestamps=(future, echo))
    lab.peer.send(seq=1, ack=1, data=b"the true one", timestamps=(1002, echo))
    assert lab.receive_all(endpoint) == b"the true one"
