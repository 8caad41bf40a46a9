"""What arrives: in tiny pieces, out of order, on top of each other, or against a program that does not read."""

from __future__ import annotations

from random import Random

from tests.conformance.attacks.common import assert_alive
from tests.conformance.attacks.table import attack
from tests.support.memory import growth
from tests.support.tcp_lab import TcpLab
from wsknet.config import TcpConfig
from wsknet.trace import DropReason
from wsknet.transport.tcp.reassembly import MAX_PIECES
from wsknet.types import Family

_WINDOW = 65535
_SMALL = 3000
"""A window that bytes fill soon; a whole object for each would take ten times as much."""
_PER_PIECE = 240
"""Bytes that one kept piece takes beside its data: a `bytes` object, a number, two places in lists."""


@attack(
    "one-byte segments out of order",
    "kept up to a number of pieces, refused and counted beyond it; the stream is whole in the end",
    "2048 pieces, whatever the window",
    "RFC9293-3.10.7.4",
    "RFC5681-4.2",
)
def _tiny_out_of_order(family: Family) -> None:
    lab = TcpLab(family, tcp_config=TcpConfig(receive_buffer=_WINDOW))
    endpoint = lab.connected()
    sent = MAX_PIECES + 500

    def every_second_byte() -> None:
        for number in range(sent):
            lab.peer.send(seq=2 + 2 * number, ack=1, data=b"x")
            lab.peer.segments.clear()
            lab.owners[endpoint].history.clear()

    assert growth(every_second_byte) < MAX_PIECES * _PER_PIECE
    assert lab.stack.trace.drops[DropReason.TCP_REASSEMBLY_FULL] == sent - MAX_PIECES
    assert endpoint.readable == 0
    lab.peer.send(seq=1, ack=1, data=b"y" * 1000)
    assert endpoint.readable == 1000
    for start in range(1001, 20_001, 1000):
        lab.peer.send(seq=start, ack=1, data=b"y" * 1000)
    assert endpoint.readable == 20_000


@attack(
    "one-byte segments in order, and nobody reads",
    "taken until the window is full, then refused and answered",
    "the receive buffer, and an eighth",
    "RFC9293-3.8.6",
)
def _tiny_in_order(family: Family) -> None:
    lab = TcpLab(family, tcp_config=TcpConfig(receive_buffer=_SMALL))
    endpoint = lab.connected()

    def send() -> None:
        for number in range(_SMALL + 500):
            lab.peer.send(seq=1 + number, ack=1, data=b"x")
            lab.peer.segments.clear()
            lab.owners[endpoint].history.clear()

    assert growth(send) < _SMALL * 9 // 8 + 4096
    assert endpoint.readable == _SMALL
    assert lab.receive_all(endpoint) == b"x" * _SMALL
    assert_alive(lab, endpoint, theirs=1 + _SMALL)


@attack(
    "overlapping segments that disagree",
    "of what waits for a gap to be filled, the first copy stays",
    "the window",
    "RFC9293-3.10.7.4",
)
def _overlaps(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    lab.peer.send(seq=11, ack=1, data=b"a" * 10)
    lab.peer.send(seq=6, ack=1, data=b"b" * 20)
    lab.peer.send(seq=1, ack=1, data=b"c" * 5)
    assert lab.receive_all(endpoint) == b"c" * 5 + b"b" * 5 + b"a" * 10 + b"b" * 5
    assert_alive(lab, endpoint, theirs=26)


@attack(
    "random pieces of a stream, many times over",
    "the stream is what was sent",
    "the window and 2048 pieces",
    "RFC9293-3.10.7.4",
)
def _random_pieces(family: Family) -> None:
    lab = TcpLab(family, tcp_config=TcpConfig(receive_buffer=_WINDOW))
    endpoint = lab.connected()
    rng = Random(1)
    stream = rng.randbytes(60_000)

    def send() -> None:
        for _ in range(2000):
            start, length = rng.randrange(1, 60_000), rng.choice((1, 1, 7, 1460))
            lab.peer.send(seq=1 + start, ack=1, data=stream[start : start + length])
            lab.peer.segments.clear()
            lab.owners[endpoint].history.clear()

    assert growth(send) < _WINDOW + MAX_PIECES * _PER_PIECE
    for start in range(0, 60_000, 1000):
        lab.peer.send(seq=1 + start, ack=1, data=stream[start : start + 1000])
    assert lab.receive_all(endpoint) == stream
    assert_alive(lab, endpoint, theirs=60_001)


@attack(
    "data beyond the window",
    "cut off at its edge, and answered with the number that is expected",
    "the receive buffer",
    "RFC9293-3.10.7.4",
)
def _beyond_the_window(family: Family) -> None:
    lab = TcpLab(family, tcp_config=TcpConfig(receive_buffer=5000))
    endpoint = lab.connected()
    for number in range(50):
        lab.peer.send(seq=1 + 1460 * number, ack=1, data=bytes(1460))
    assert endpoint.readable == 5000
    assert lab.peer.drain()[-1].ack == 5001
    assert lab.receive_all(endpoint) == bytes(5000)
    assert_alive(lab, endpoint, theirs=5001)
