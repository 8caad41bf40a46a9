"""Every table and queue that a peer or a program can make grow has a bound, and a flood that reaches it.

Elsewhere: the receive buffer, what is out of order, incomplete packets, the SYN queue (rows of the attack table beside
this file); groups and their sources (`tests/unit/transport/test_multicast.py`); path MTUs
(`tests/unit/net/test_pmtu.py`); neighbours, routers, prefixes, redirects and leases
(`tests/scenarios/test_floods.py`).  ICMP errors are rationed by a bucket that is two numbers, and drops are counted by
a fixed set of reasons.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.attacks.common import stranger
from tests.support.memory import growth, growth_after
from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_ADDRESS, PEER_ADDRESS, sec
from wsknet.config import TcpConfig
from wsknet.errors import ErrorKind, NetError
from wsknet.net.layer import MAX_PATHS
from wsknet.trace import DropReason
from wsknet.transport.echo import MAX_ENDPOINTS, MAX_REMEMBERED
from wsknet.transport.endpoint import QUEUE_OVERHEAD
from wsknet.transport.tcp.state import State
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import Cover, Endpoint, Family, LocalName, Proto
from wsknet.wire import ipv4, ipv6, udp
from wsknet.wire.checksum import pseudo_sum
from wsknet.wire.ethernet import ETHERTYPE_IPV4, ETHERTYPE_IPV6, header

families = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


def datagram_socket(lab: TcpLab, port: int = 7) -> UdpEndpoint:
    cover = Cover(lab.family.value)
    endpoint = lab.stack.udp.open(cover)
    endpoint.bind(LocalName(cover, None, port), lab.now)
    return endpoint


def packet(lab: TcpLab, protocol: Proto, body: bytes) -> bytes:
    """A frame of the peer."""
    build, ethertype = (ipv4.build, ETHERTYPE_IPV4) if lab.family is Family.IPV4 else (ipv6.build, ETHERTYPE_IPV6)
    ours, theirs = OUR_ADDRESS[lab.family], PEER_ADDRESS[lab.family]
    return header(b"\2\0\0\0\0\1", b"\2\0\0\0\0\2", ethertype) + build(theirs, ours, protocol, len(body), 64) + body


@families
def test_the_queue_for_accept_takes_what_listen_allowed(family: Family) -> None:
    lab = TcpLab(family)
    listener = lab.listening(backlog=20)
    for number in range(200):
        lab.peer.send(flags="S", seq=0, mss=1460, port=1024 + number)
        lab.peer.send(seq=1, ack=1, port=1024 + number)
    found = 0
    while (endpoint := listener.accept(lab.now)) is not None:
        found += lab.state(endpoint) is State.ESTABLISHED
        lab.close(endpoint)
    assert found == 20
    assert list(lab.stack.tcp.connections()) == []


@families
def test_the_queue_of_a_datagram_socket_takes_no_more_memory_than_it_says(family: Family) -> None:
    """Empty datagrams: nothing but what is charged for each."""
    lab = TcpLab(family)
    endpoint = datagram_socket(lab)
    endpoint.receive_buffer = 1 << 20
    pseudo = pseudo_sum(OUR_ADDRESS[family], PEER_ADDRESS[family], Proto.UDP)
    frame = packet(lab, Proto.UDP, udp.build(9000, 7, 0, udp.checksum(pseudo, 9000, 7, ())))

    def flood() -> None:
        for _ in range(6000):
            lab.receive(frame)

    assert growth(flood) < 1 << 20
    assert endpoint.readable == (1 << 20) // QUEUE_OVERHEAD
    assert lab.stack.trace.drops == {DropReason.UDP_BUFFER_FULL: 6000 - endpoint.readable}


@families
def test_the_queue_of_a_neighbour_who_is_silent_is_bounded_by_packets_and_bytes(family: Family) -> None:
    lab = TcpLab(family, is_neighbour_silent=True)
    endpoint = datagram_socket(lab)
    limits = lab.stack.config.neighbours

    def flood() -> None:
        for _ in range(500):
            endpoint.send((bytes(1400),), Endpoint(PEER_ADDRESS[family], 9), lab.now)
            lab.settle()

    assert growth(flood) < limits.queue_packets * 4096 + 20_000
    assert lab.stack.trace.drops == {DropReason.NEIGHBOUR_QUEUE_FULL: 500 - limits.queue_packets}
    lab.clock.advance(sec(10))
    assert lab.stack.trace.drops[DropReason.NEIGHBOUR_FAILED] == limits.queue_packets


@families
def test_the_cache_of_paths_forgets_the_oldest(family: Family) -> None:
    lab = TcpLab(family)

    def ask(numbers: range) -> Callable[[], None]:
        def each() -> None:
            for number in numbers:
                lab.stack.ip.path(stranger(family, number), None)

        return each

    full = growth(ask(range(MAX_PATHS)))
    more = growth(ask(range(MAX_PATHS, 3 * MAX_PATHS)))
    assert more < full * 3 // 2


@families
def test_who_pings_remembers_so_many_requests_and_there_are_so_many_who_do(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.stack.echo.open()

    def ping(numbers: range) -> None:
        for number in numbers:
            endpoint.send(stranger(family, number), number, b"", lab.now)
            lab.settle()

    ping(range(MAX_REMEMBERED))
    assert not endpoint.has_sent(stranger(family, MAX_REMEMBERED), MAX_REMEMBERED)
    ping(range(MAX_REMEMBERED, 2 * MAX_REMEMBERED))
    assert not endpoint.has_sent(stranger(family, 0), 0)
    others = [lab.stack.echo.open() for _ in range(MAX_ENDPOINTS - 1)]
    with pytest.raises(NetError) as caught:
        lab.stack.echo.open()
    assert caught.value.kind is ErrorKind.NO_BUFFERS
    for other in others:
        other.close()
    assert lab.stack.echo.open() is not None


@families
def test_echo_replies_that_nobody_takes_are_bounded_by_bytes(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.stack.echo.open()
    endpoint.receive_buffer = 10 * QUEUE_OVERHEAD
    for sequence in range(50):
        endpoint.send(OUR_ADDRESS[family], sequence, b"", lab.now)
        lab.settle()
    taken = 0
    while endpoint.receive() is not None:
        taken += 1
    assert taken == 10
    assert lab.stack.trace.drops[DropReason.ECHO_BUFFER_FULL] == 40


@families
def test_lent_memory_is_not_copied_and_costs_a_view_each(family: Family) -> None:
    """How much a program lends is its own affair; it is given back when the connection ends, however it does."""
    lab = TcpLab(family)
    endpoint = lab.connected(window=0)
    lent = bytearray(100_000)

    def lend() -> None:
        for _ in range(1000):
            endpoint.send(lent, lab.now)

    assert growth(lend) < 1000 * 400
    assert endpoint.unacknowledged == 1000 * len(lent)
    lab.settle()
    lab.abort(endpoint)
    lab.peer.drain()
    lent.append(0)  # which cannot be while somebody has a view of it


@families
def test_a_connection_in_time_wait_takes_little_and_all_are_gone_in_time(family: Family) -> None:
    lab = TcpLab(family, tcp_config=TcpConfig(accept_backlog=1000))
    listener = lab.listening()

    def come_and_go() -> None:
        for number in range(500):
            port = 1024 + number
            lab.peer.send(flags="S", seq=0, mss=1460, port=port)
            lab.peer.send(seq=1, ack=1, port=port)
            endpoint = listener.accept(lab.now)
            assert endpoint is not None
            lab.finish(endpoint)
            lab.peer.send(flags="FA", seq=1, ack=2, port=port)
            lab.close(endpoint)
            lab.peer.segments.clear()

    assert growth(come_and_go) < 500 * 2500
    assert len(list(lab.stack.tcp.connections())) == 500
    lab.clock.advance(lab.stack.config.behaviour.tcp.time_wait)
    lab.close(listener)
    assert list(lab.stack.tcp.connections()) == []
    assert lab.stack.next_deadline() is None


@families
def test_cookies_of_so_many_peers_are_remembered(family: Family) -> None:
    """A peer has us connect to many others, each of which gives us a cookie of the greatest length."""
    lab = TcpLab(family)
    most = 1024

    def learn(numbers: range) -> None:
        for number in numbers:
            lab.stack.tcp.fast_open.learn(stranger(family, number), number.to_bytes(16, "big"), 1460)

    assert growth_after(lambda: learn(range(most)), lambda: learn(range(most, 4 * most))) < most * 100
    known = [number for number in range(4 * most) if lab.stack.tcp.fast_open.known(stranger(family, number))]
    assert known == list(range(3 * most, 4 * most))
