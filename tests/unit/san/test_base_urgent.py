"""Out-of-band data on stream sockets of the TCP/IP provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.winsock_program import Lab
from wsknet.san.numbers import MSG_OOB, MSG_PEEK, SIOCATMARK, SO_OOBINLINE, WSAEINVAL, WSAEWOULDBLOCK
from wsknet.san.structures import INT


@pytest.fixture(name="lab")
def _lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def test_the_out_of_band_byte_is_received_apart(lab: Lab) -> None:
    client, server = lab.pair()
    lab.client.send(client, b"ab")
    lab.client.send(client, b"cX", flags=MSG_OOB)
    lab.client.send(client, b"de")
    lab.pause()

    assert lab.server.recv(server) == b"abc"
    assert lab.server.recv(server, flags=MSG_OOB | MSG_PEEK) == b"X"
    assert lab.server.recv(server, flags=MSG_OOB) == b"X"
    assert lab.server.recv(server) == b"de"
    lab.server.nonblocking(server)
    assert lab.server.recv(server, flags=MSG_OOB) == WSAEWOULDBLOCK


def test_the_out_of_band_byte_can_be_taken_before_what_is_ahead_of_it(lab: Lab) -> None:
    client, server = lab.pair()
    lab.client.send(client, b"abX", flags=MSG_OOB)
    lab.client.send(client, b"cd")
    lab.pause()

    assert lab.server.recv(server, flags=MSG_OOB) == b"X"
    assert lab.server.recv(server, 1) == b"a"
    assert lab.server.recv(server) == b"b"
    assert lab.server.recv(server) == b"cd"
    lab.server.nonblocking(server)
    assert lab.server.recv(server, flags=MSG_OOB) == WSAEWOULDBLOCK


def test_inline_the_byte_stays_in_its_place_behind_the_mark(lab: Lab) -> None:
    client, server = lab.pair()
    lab.server.set_option(server, SO_OOBINLINE, 1)
    lab.client.send(client, b"abX", flags=MSG_OOB)
    lab.client.send(client, b"cd")
    lab.pause()
    mark = INT()

    assert lab.server.recv(server, flags=MSG_OOB) == WSAEINVAL
    lab.server.ioctl(server, SIOCATMARK, out=mark, room=4)
    assert mark.Value == 0
    assert lab.server.recv(server) == b"ab"
    lab.server.ioctl(server, SIOCATMARK, out=mark, room=4)
    assert mark.Value == 1
    assert lab.server.recv(server) == b"X"
    assert lab.server.recv(server) == b"cd"


def test_a_receive_of_out_of_band_data_waits_for_it(lab: Lab) -> None:
    client, server = lab.pair()
    received: list[Any] = []
    lab.network.driver.spawn(lambda: received.append(lab.server.recv(server, flags=MSG_OOB)), "receive")
    lab.client.send(client, b"ordinary")
    lab.pause()
    assert received == []

    lab.client.send(client, b"X", flags=MSG_OOB)
    lab.pause()
    assert received == [b"X"]
    assert lab.server.recv(server) == b"ordinary"
