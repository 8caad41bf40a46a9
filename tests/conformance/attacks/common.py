"""What several attacks need."""

from __future__ import annotations

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import Received
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.types import Family

CHALLENGES = 10
"""Answers to forged segments in CHALLENGE_SECONDS and one connection: RFC 5961 7."""
CHALLENGE_SECONDS = 5

STRANGERS = {Family.IPV4: bytes((10, 0, 0, 0)), Family.IPV6: bytes.fromhex("20010db80bad") + bytes(10)}


def stranger(family: Family, number: int) -> bytes:
    """An address of its own for each number below 2^24, behind the router."""
    base = STRANGERS[family]
    return base[:-3] + number.to_bytes(3, "big")


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
