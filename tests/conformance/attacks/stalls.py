"""Peers that hold on to a connection and do nothing with it: sockstress, slow readers, slowloris."""

from __future__ import annotations

from tests.conformance.attacks.common import data_in
from tests.conformance.attacks.table import attack
from tests.support.memory import growth, growth_after
from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import sec
from wsknet.behaviour import LINUX, WINDOWS
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.types import Family

_CONNECTIONS = 40
_PER_CONNECTION = 8192
"""Bytes, beside what the program lends."""
_SLACK = 20_000


def _accept_many(lab: TcpLab, listener: TcpEndpoint, window: int) -> list[TcpEndpoint]:
    endpoints = []
    for number in range(_CONNECTIONS):
        lab.peer.send(flags="S", seq=0, window=window, mss=1460, port=1024 + number)
        lab.peer.send(seq=1, ack=1, window=window, port=1024 + number)
        endpoints.append(lab.accept(listener))
    lab.peer.segments.clear()
    return endpoints


def _answer_probes(lab: TcpLab, seconds: int) -> int:
    """The peer has a window of zero for ever, and says so whenever it is asked.  How often it was asked."""
    end = lab.now + sec(seconds)
    asked = 0
    while lab.now < end:
        lab.clock.advance(sec(20))
        for segment in lab.peer.drain():
            asked += 1
            lab.peer.send(seq=1, ack=1, window=0, port=segment.destination_port)
    return asked


@attack(
    "sockstress: a window of zero for ever, on many connections",
    "they stay as long as their program wants them (RFC 9293 3.8.6.1), asked ever more rarely; closed, they go",
    "8 KiB each beside what was lent; one probe a minute; with the socket closed nothing",
    "RFC9293-3.8.6.1",
    "RFC6429-4",
)
def _sockstress(family: Family) -> None:
    for behaviour in (WINDOWS, LINUX):
        _starve(TcpLab(family, behaviour=behaviour))


def _starve(lab: TcpLab) -> None:
    listener = lab.listening()
    lent = bytes(100_000)
    endpoints: list[TcpEndpoint] = []

    def open_all() -> None:
        endpoints.extend(_accept_many(lab, listener, 0))
        for endpoint in endpoints:
            lab.send(endpoint, lent)

    assert growth(open_all) < _CONNECTIONS * _PER_CONNECTION
    assert growth_after(lambda: _answer_probes(lab, 600), lambda: _answer_probes(lab, 600)) < _SLACK
    assert _answer_probes(lab, 3600) <= _CONNECTIONS * (3600 // 60 + 1)
    assert all(lab.state(endpoint) is State.ESTABLISHED for endpoint in endpoints)
    for endpoint in endpoints:
        lab.close(endpoint)
    assert list(lab.stack.tcp.connections()) == []


@attack(
    "sockstress against what is left of a closed socket",
    "only the FIN is missing at the peer, whose window stays closed: it is given up",
    "as many probes as data is repeated",
    "RFC9293-3.8.6.1",
    "RFC6429-4",
)
def _orphans(family: Family) -> None:
    lab = TcpLab(family, behaviour=WINDOWS)
    endpoint = lab.connected(window=0)
    lab.peer.send(flags="FA", seq=1, ack=1, window=0)
    lab.finish(endpoint)
    lab.close(endpoint)
    for _ in range(200):
        lab.clock.advance(sec(5))
        for _ in lab.peer.drain():
            lab.peer.send(seq=2, ack=1, window=0)
    assert list(lab.stack.tcp.connections()) == []
    assert lab.stack.next_deadline() is None


@attack(
    "a reader who takes one byte at a time",
    "no segment is sent for a byte of window (silly windows): the persist timer decides",
    "no more segments than the persist timer allows",
    "RFC9293-3.8.6.2.1",
)
def _slow_reader(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected(window=20_000)
    lab.send(endpoint, bytes(100_000))
    ack = 1 + data_in(lab.peer.drain())
    lab.peer.send(seq=1, ack=ack, window=0)
    segments = 0
    for _ in range(600):
        lab.clock.advance(sec(0.1))
        found = lab.peer.drain()
        segments += len(found)
        ack = max(ack, *(each.seq + len(each.data) for each in found)) if found else ack
        lab.peer.send(seq=1, ack=ack, window=1)
    assert segments <= 60 * 4
    assert lab.state(endpoint) is State.ESTABLISHED


@attack(
    "slowloris: connections that say next to nothing",
    "they wait for their program, and cost it nothing but their place",
    "8 KiB each; no segment, no timer",
    "RFC1122-4.2.3.6",
)
def _slowloris(family: Family) -> None:
    lab = TcpLab(family)
    listener = lab.listening()
    endpoints: list[TcpEndpoint] = []
    assert growth(lambda: endpoints.extend(_accept_many(lab, listener, 65535))) < _CONNECTIONS * _PER_CONNECTION
    for number in range(_CONNECTIONS):
        lab.peer.send(seq=1, ack=1, data=b"G", port=1024 + number)
    lab.clock.advance(sec(1))
    lab.peer.drain()
    assert lab.stack.next_deadline() is None
    lab.peer.expect_nothing(until=sec(86_400))
    for endpoint in endpoints:
        assert lab.receive_all(endpoint) == b"G"
        lab.close(endpoint)
    lab.close(listener)
    assert list(lab.stack.tcp.connections()) == []
