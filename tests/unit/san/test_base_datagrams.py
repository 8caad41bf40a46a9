"""Datagram sockets of the TCP/IP provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.winsock_program import Lab, shown, sockaddr
from wsknet.san.numbers import (
    FIONREAD,
    MSG_OOB,
    MSG_PEEK,
    SD_RECEIVE,
    SD_SEND,
    SIO_UDP_CONNRESET,
    SO_BROADCAST,
    SO_ERROR,
    SO_MAX_MSG_SIZE,
    SO_RCVTIMEO,
    SOCK_DGRAM,
    WSA_IO_PENDING,
    WSAEACCES,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAECONNRESET,
    WSAEDESTADDRREQ,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENETUNREACH,
    WSAENOTCONN,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT, WSABUF, WSAOVERLAPPED


@pytest.fixture(name="lab")
def _lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def bound(lab: Lab, port: int = 7) -> int:
    s = lab.server.socket(SOCK_DGRAM)
    assert not lab.server.bind(s, "0.0.0.0", port)
    return s


def test_a_datagram_comes_with_the_name_of_its_sender(lab: Lab) -> None:
    server, client = bound(lab), lab.client.socket(SOCK_DGRAM)
    lab.client.bind(client, "0.0.0.0", 5000)
    assert lab.client.sendto(client, b"hello", "192.0.2.2", 7) == 0

    assert lab.server.recvfrom(server) == (b"hello", ("192.0.2.1", 5000))
    assert lab.server.sendto(server, b"", "192.0.2.1", 5000) == 0
    assert lab.client.recvfrom(client) == (b"", ("192.0.2.2", 7))


def test_several_buffers_make_one_datagram(lab: Lab) -> None:
    server, client = bound(lab), lab.client.socket(SOCK_DGRAM)
    lab.client.connect(client, "192.0.2.2", 7)
    assert lab.client.send(client, b"ab", b"", b"cd") == (4, 0)
    parts, count = [bytearray(1), bytearray(8)], INT()
    buffers = [WSABUF(part) for part in parts]

    assert lab.server.call("WSPRecv", server, buffers, 2, count, INT(), None, None, None) == 0
    assert (count.Value, bytes(parts[0]), bytes(parts[1][:3])) == (4, b"a", b"bcd")


def test_what_does_not_fit_is_lost_and_told(lab: Lab) -> None:
    server, client = bound(lab), lab.client.socket(SOCK_DGRAM)
    for data in (b"abcdef", b"next"):
        lab.client.sendto(client, data, "192.0.2.2", 7)
    lab.pause()
    assert lab.server.recvfrom(server, 3, MSG_PEEK) == WSAEMSGSIZE
    room, count, sender = bytearray(3), INT(), SOCKADDR_IN()
    buffers = [WSABUF(room)]

    error = lab.server.call("WSPRecvFrom", server, buffers, 1, count, INT(), sender, INT(SIZE), None, None, None)
    assert (error, bytes(room), count.Value) == (WSAEMSGSIZE, b"abc", 3)
    assert shown(sender)[0] == "192.0.2.1"
    assert lab.server.recv(server) == b"next"


def test_peek_leaves_the_datagram_and_fionread_counts_all(lab: Lab) -> None:
    server, client, count = bound(lab), lab.client.socket(SOCK_DGRAM), INT()
    for data in (b"abc", b"defg"):
        lab.client.sendto(client, data, "192.0.2.2", 7)
    lab.pause()

    assert lab.server.recv(server, flags=MSG_PEEK) == b"abc"
    lab.server.ioctl(server, FIONREAD, out=count, room=4)
    assert count.Value == 7
    assert [lab.server.recv(server) for _ in range(2)] == [b"abc", b"defg"]


def test_a_fixed_peer_is_the_only_one_that_is_heard(lab: Lab) -> None:
    server, friend, stranger = bound(lab), *(lab.client.socket(SOCK_DGRAM) for _ in range(2))
    lab.client.bind(friend, "0.0.0.0", 5000)
    lab.server.connect(server, "192.0.2.1", 5000)
    lab.client.sendto(stranger, b"stranger", "192.0.2.2", 7)
    lab.client.sendto(friend, b"friend", "192.0.2.2", 7)
    assert lab.server.recv(server) == b"friend"

    assert lab.server.send(server, b"to the peer") == (11, 0)
    assert lab.client.recv(friend) == b"to the peer"


def test_what_waits_is_dropped_when_another_peer_is_fixed(lab: Lab) -> None:
    server, client = bound(lab), lab.client.socket(SOCK_DGRAM)
    lab.client.bind(client, "0.0.0.0", 5000)
    lab.server.connect(server, "192.0.2.1", 5000)
    lab.client.sendto(client, b"kept", "192.0.2.2", 7)
    lab.pause()
    lab.server.connect(server, "192.0.2.1", 5000)
    assert lab.server.recv(server) == b"kept"

    lab.client.sendto(client, b"dropped", "192.0.2.2", 7)
    lab.pause()
    lab.server.connect(server, "192.0.2.1", 5001)
    lab.server.nonblocking(server)
    assert lab.server.recv(server) == WSAEWOULDBLOCK


def test_without_its_peer_a_socket_only_sends_and_receives_by_name(lab: Lab) -> None:
    server, client = bound(lab), lab.client.socket(SOCK_DGRAM)
    lab.client.bind(client, "0.0.0.0", 5000)
    lab.client.connect(client, "192.0.2.2", 7)
    lab.client.connect(client, "0.0.0.0", 0)

    assert lab.client.send(client, b"x")[1] == WSAENOTCONN
    assert lab.client.recv(client) == WSAENOTCONN
    assert lab.client.sendto(client, b"x", "192.0.2.2", 7) == 0
    assert lab.server.recvfrom(server) == (b"x", ("192.0.2.1", 5000))
    lab.server.sendto(server, b"y", "192.0.2.1", 5000)
    assert lab.client.recvfrom(client) == (b"y", ("192.0.2.2", 7))


def test_where_a_datagram_cannot_go(lab: Lab) -> None:
    s = lab.client.socket(SOCK_DGRAM)
    assert lab.client.send(s, b"x")[1] == WSAENOTCONN
    nowhere = (s, [WSABUF(b"x")], 1, INT(), 0, None, 0, None, None, None)
    assert lab.client.call("WSPSendTo", *nowhere) == WSAEDESTADDRREQ
    assert lab.client.sendto(s, b"x", "0.0.0.0", 7) == WSAEADDRNOTAVAIL
    assert lab.client.sendto(s, b"x", "192.0.2.2", 0) == WSAEADDRNOTAVAIL
    assert lab.client.sendto(s, b"x", "203.0.113.1", 7) == WSAENETUNREACH
    assert lab.client.sendto(s, bytes(65_508), "192.0.2.2", 7) == WSAEMSGSIZE
    assert lab.client.option(s, SO_MAX_MSG_SIZE) == 65_507
    assert lab.client.sendto(s, b"x", "192.0.2.2", 7, flags=MSG_OOB) == WSAEOPNOTSUPP
    family = sockaddr("192.0.2.2", 7)
    family.sin_family = 23
    for name, length, error in (
        (family, SIZE, WSAEAFNOSUPPORT), (sockaddr("192.0.2.2", 7), 15, WSAEFAULT), ("name", SIZE, WSAEFAULT),
    ):  # fmt: skip
        call = (s, [WSABUF(b"x")], 1, INT(), 0, name, length, None, None, None)
        assert lab.client.call("WSPSendTo", *call) == error


@pytest.mark.parametrize("address", ["192.0.2.255", "255.255.255.255"])
def test_broadcasts_need_the_option(lab: Lab, address: str) -> None:
    server, client = bound(lab), lab.client.socket(SOCK_DGRAM)
    assert lab.client.sendto(client, b"x", address, 7) == WSAEACCES
    assert lab.client.connect(client, address, 7) == WSAEACCES

    lab.client.set_option(client, SO_BROADCAST, 1)
    assert lab.client.option(client, SO_BROADCAST) == 1
    assert lab.client.sendto(client, b"to all", address, 7) == 0
    assert lab.server.recv(server) == b"to all"


def test_a_receive_needs_a_name_and_can_wait(lab: Lab) -> None:
    assert lab.server.recv(lab.server.socket(SOCK_DGRAM)) == WSAEINVAL
    server = bound(lab)
    lab.server.set_option(server, SO_RCVTIMEO, 500)
    assert lab.server.recv(server) == WSAETIMEDOUT
    lab.server.nonblocking(server)
    assert lab.server.recvfrom(server) == WSAEWOULDBLOCK
    assert lab.server.recv(server, flags=MSG_OOB) == WSAEOPNOTSUPP


def test_an_overlapped_receive_tells_the_sender_when_it_is_complete(lab: Lab) -> None:
    server, client = bound(lab), lab.client.socket(SOCK_DGRAM)
    lab.client.bind(client, "0.0.0.0", 5000)
    data, sender, length, told = bytearray(9), SOCKADDR_IN(), INT(32), []
    overlapped = WSAOVERLAPPED()

    def routine(*what: Any) -> None:
        told.append((what[:2], shown(sender), length.Value))

    call = (server, [WSABUF(data)], 1, None, INT(), sender, length, overlapped, routine, None)
    assert lab.server.call("WSPRecvFrom", *call) == WSA_IO_PENDING
    lab.client.sendto(client, b"hello", "192.0.2.2", 7)
    lab.pause()
    assert told == [((0, 5), ("192.0.2.1", 5000), SIZE)]
    assert lab.server.result(server, overlapped) == (5, 0)


def test_a_port_that_nobody_has_is_told_as_a_reset(lab: Lab) -> None:
    s = lab.client.socket(SOCK_DGRAM)
    lab.client.sendto(s, b"x", "192.0.2.2", 9)
    assert lab.client.recv(s) == WSAECONNRESET

    lab.client.sendto(s, b"x", "192.0.2.2", 9)
    lab.pause()
    assert [lab.client.option(s, SO_ERROR) for _ in range(2)] == [WSAECONNRESET, 0]


def test_resets_can_be_turned_off(lab: Lab) -> None:
    s = lab.client.socket(SOCK_DGRAM)
    assert lab.client.ioctl(s, SIO_UDP_CONNRESET, INT(0), 4) == 0
    lab.client.nonblocking(s)
    lab.client.sendto(s, b"x", "192.0.2.2", 9)
    lab.pause()
    assert lab.client.recv(s) == WSAEWOULDBLOCK
    assert lab.client.ioctl(s, SIO_UDP_CONNRESET, INT(1), 4) == 0
    lab.client.sendto(s, b"x", "192.0.2.2", 9)
    lab.pause()
    assert lab.client.recv(s) == WSAECONNRESET


def test_shutdown_forbids_a_direction(lab: Lab) -> None:
    server, client = bound(lab), lab.client.socket(SOCK_DGRAM)
    assert lab.client.shutdown(client, SD_SEND) == 0
    assert lab.client.sendto(client, b"x", "192.0.2.2", 7) == WSAESHUTDOWN
    assert lab.server.shutdown(server, SD_RECEIVE) == 0
    assert lab.server.recv(server) == WSAESHUTDOWN
    assert lab.server.sendto(server, b"x", "192.0.2.1", 7) == 0


def test_the_senders_address_must_fit(lab: Lab) -> None:
    server = bound(lab)
    for sender, length in ((SOCKADDR_IN(), INT(8)), (7, INT(SIZE)), (SOCKADDR_IN(), None)):
        call = (server, [WSABUF(bytearray(1))], 1, INT(), INT(), sender, length, None, None, None)
        assert lab.server.call("WSPRecvFrom", *call) == WSAEFAULT
