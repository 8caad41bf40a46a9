"""Many connections: what an idle one costs, and what is left of one that has ended."""

from __future__ import annotations

import gc

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import sec
from wsknet.transport.tcp.connection import Connection
from wsknet.transport.tcp.endpoint import TcpEndpoint

COUNT = 300


def establish(lab: TcpLab) -> list[TcpEndpoint]:
    listener = lab.listening(backlog=COUNT)
    for port in range(1000, 1000 + COUNT):
        lab.peer.send(flags="S", seq=0, port=port)
        lab.peer.send(seq=1, ack=1, port=port)
    lab.peer.drain()
    return [lab.accept(listener) for _ in range(COUNT)]


def living_connections() -> int:
    gc.collect()
    return sum(isinstance(thing, Connection) for thing in gc.get_objects())


def test_idle_connections_wait_for_no_time_to_pass() -> None:
    lab = TcpLab()
    endpoints = establish(lab)
    lab.clock.advance(sec(60))
    assert lab.stack.next_deadline() is None
    assert len(lab.stack.view().connections) == len(endpoints) == COUNT


def test_a_segment_arms_nothing_but_timers_of_its_own_connection() -> None:
    lab = TcpLab()
    establish(lab)
    lab.clock.advance(sec(60))
    lab.peer.send(seq=1, ack=1, data=b"x", port=1000)
    armed = [
        timer
        for connection in lab.stack.tcp.connections()
        if isinstance(connection, Connection)
        for timer in (connection.timers.retransmit, connection.timers.persist, connection.timers.delayed_ack)
        if timer.is_armed
    ]
    assert len(armed) == 1


def test_of_closed_connections_only_the_small_remains_stay_in_time_wait() -> None:
    lab = TcpLab()
    before = living_connections()
    for endpoint in establish(lab):
        lab.finish(endpoint)
        assert endpoint.remote is not None
        lab.peer.send(flags="FA", seq=1, ack=2, port=endpoint.remote.port)
        lab.close(endpoint)
    lab.owners.clear()
    del endpoint
    assert len(lab.stack.view().connections) == COUNT
    assert living_connections() == before
    lab.clock.advance(sec(120))
    assert not lab.stack.view().connections
    assert lab.stack.next_deadline() is None


def test_of_aborted_connections_nothing_stays() -> None:
    lab = TcpLab()
    before = living_connections()
    for endpoint in establish(lab):
        lab.send(endpoint, b"never acknowledged")
        lab.close(endpoint)
    lab.owners.clear()
    del endpoint
    assert living_connections() == before
