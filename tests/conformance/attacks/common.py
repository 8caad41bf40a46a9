"""What several attacks need."""

from __future__ import annotations

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_ISS, Received
from wsknet.net.layer import MAX_PATHS
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.types import Duration, Family
from wsknet.wire import tcp_options
from wsknet.wire.tcp_options import Options

CHALLENGES = 10
"""Answers to forged segments in CHALLENGE_SECONDS and one connection: RFC 5961 7."""
CHALLENGE_SECONDS = 5

STRANGERS = {Family.IPV4: bytes((10, 0, 0, 0)), Family.IPV6: bytes.fromhex("20010db80bad") + bytes(10)}


def stranger(family: Family, number: int) -> bytes:
    """An address of its own for each number below 2^24, behind the router."""
    base = STRANGERS[family]
    return base[:-3] + number.to_bytes(3, "big")


def fill_paths(lab: TcpLab) -> None:
    """The cache of paths is full: else it would seem that memory grows."""
    for number in range(MAX_PATHS):
        lab.stack.ip.path(stranger(lab.family, (1 << 23) + number), None)


def assert_alive(lab: TcpLab, endpoint: TcpEndpoint, ours: int = 1, theirs: int = 1) -> None:
    """Data of both sides still passes; `ours` and `theirs` are the numbers that come next."""
    assert lab.state(endpoint) is State.ESTABLISHED
    lab.peer.drain()
    lab.receive_all(endpoint)
    lab.peer.send(seq=theirs, ack=ours, data=b"still there?")
    assert lab.receive_all(endpoint) == b"still there?"
    lab.peer.drain()
    lab.send(endpoint, b"yes", no_delay=True)
    lab.peer.expect(seq=ours, ack=theirs + 12, data=b"yes")
    lab.peer.send(seq=theirs + 12, ack=ours + 3)


def data_in(segments: list[Received]) -> int:
    """Bytes of data, repeated ones included."""
    return sum(len(segment.data) for segment in segments)


def blocks(*edges: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """SACK blocks of our numbers as they are on the wire."""
    return tuple(((OUR_ISS + left) & 0xFFFFFFFF, (OUR_ISS + right) & 0xFFFFFFFF) for left, right in edges)


def accepted(
    family: Family, options: Options, flags: str = "S", round_trip: Duration = 0
) -> tuple[TcpLab, TcpEndpoint, int]:
    """A connection that the peer has opened with these options, and what our clock showed in the SYN-ACK."""
    lab = TcpLab(family)
    listener = lab.listening()
    lab.peer.send(flags=flags, seq=0, options=tcp_options.build(options))
    stamps = lab.peer.next().options.timestamps
    clock = stamps[0] if stamps else 0
    given = options.timestamps
    lab.clock.advance(round_trip)
    lab.peer.send(seq=1, ack=1, timestamps=(given[0] + 1, clock) if given and stamps else None)
    return lab, lab.accept(listener), clock
