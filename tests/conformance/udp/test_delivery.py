"""Who gets a copy, and how many wait: RFC 1112 7.1, RFC 1122 3.3.6 and 4.1.3.5, RFC 8085 3.1."""

from __future__ import annotations

import pytest

from tests.conformance.udp.udp_lab import BROADCASTS, GROUP, IF_INDEX, OURS, PEER, UdpLab
from wsknet.net.packet import Cast
from wsknet.trace import DropReason
from wsknet.transport.endpoint import QUEUE_OVERHEAD
from wsknet.types import Endpoint, Family


@pytest.mark.rule("RFC1122-4.1.3.5")
def test_a_datagram_comes_with_the_address_that_was_dialled(lab: UdpLab) -> None:
    endpoint = lab.bound(7)
    lab.datagram(b"hello")
    received = endpoint.receive()
    assert received is not None
    assert received.source == Endpoint(PEER[lab.family], 9000)
    assert (received.destination, received.cast, received.if_index) == (OURS[lab.family], Cast.UNICAST, IF_INDEX)


@pytest.mark.parametrize("destination", BROADCASTS, ids=["directed", "limited"])
@pytest.mark.rule("RFC1122-3.3.6")
def test_each_socket_on_the_port_gets_one_copy_of_a_broadcast(destination: bytes) -> None:
    lab = UdpLab(Family.IPV4)
    sockets = [lab.bound(7, is_shared=True) for _ in range(3)]
    deaf = lab.bound(8)
    lab.datagram(b"all", destination=destination)
    found = [[(each.data, each.cast) for each in socket.peek()] for socket in sockets]
    assert found == [[(b"all", Cast.BROADCAST)]] * 3
    assert deaf.readable == 0


@pytest.mark.rule("RFC1112-7.1")
def test_each_socket_that_joined_gets_one_copy_of_a_group(lab: UdpLab) -> None:
    sockets = [lab.bound(7, is_shared=True) for _ in range(3)]
    for socket in sockets[:2]:
        socket.multicast.join(GROUP[lab.family], IF_INDEX, lab.now)
    lab.datagram(b"all", destination=GROUP[lab.family])
    assert [socket.readable for socket in sockets] == [1, 1, 0]


def test_a_unicast_datagram_has_one_receiver(lab: UdpLab) -> None:
    sockets = [lab.bound(7, is_shared=True) for _ in range(3)]
    lab.datagram(b"one")
    assert sum(socket.readable for socket in sockets) == 1


def test_who_reads_too_slowly_costs_nobody_else(lab: UdpLab) -> None:
    slow, quick = lab.bound(7, is_shared=True), lab.bound(7, is_shared=True)
    slow.receive_buffer = QUEUE_OVERHEAD + 4
    for socket in (slow, quick):
        socket.multicast.join(GROUP[lab.family], IF_INDEX, lab.now)
    for _ in range(5):
        lab.datagram(b"data", destination=GROUP[lab.family])
    assert (slow.readable, quick.readable) == (1, 5)
    assert lab.stack.trace.drops[DropReason.UDP_BUFFER_FULL] == 4


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_the_queue_is_bounded_by_bytes_and_what_it_refuses_is_counted(lab: UdpLab, size: int) -> None:
    """Empty datagrams count as well: each takes memory of its own."""
    endpoint = lab.bound(7)
    endpoint.receive_buffer = 100_000
    room = 100_000 // (size + QUEUE_OVERHEAD)
    for _ in range(room + 10):
        lab.datagram(bytes(size))
    assert endpoint.readable == room
    assert lab.stack.trace.drops == {DropReason.UDP_BUFFER_FULL: 10}
    while endpoint.receive() is not None:
        continue
    lab.datagram(bytes(size))
    assert endpoint.readable == 1


def test_what_does_not_fit_does_not_stop_what_does(lab: UdpLab) -> None:
    endpoint = lab.bound(7)
    endpoint.receive_buffer = 2 * QUEUE_OVERHEAD + 100
    lab.datagram(bytes(90))
    lab.datagram(bytes(90))
    lab.datagram(bytes(10))
    assert [len(each.data) for each in endpoint.peek()] == [90, 10]


def test_a_closed_socket_gives_its_queue_back(lab: UdpLab) -> None:
    endpoint = lab.bound(7)
    lab.datagram()
    endpoint.close(lab.now)
    assert (endpoint.readable, endpoint.receive()) == (0, None)
    lab.sent()
    lab.datagram()
    assert len(lab.refusals()) == 1
