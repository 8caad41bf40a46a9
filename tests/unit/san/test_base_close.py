"""The end of sockets of the TCP/IP provider: WSPCloseSocket and SO_LINGER, WSPCleanup, WSPDuplicateSocket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.winsock_program import Lab, Program
from wsknet.san.numbers import (
    AF_INET,
    AF_INET6,
    FROM_PROTOCOL_INFO,
    INVALID_SOCKET,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SD_SEND,
    SO_LINGER,
    SO_OOBINLINE,
    SO_RCVBUF,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    WSA_FLAG_OVERLAPPED,
    WSAEAFNOSUPPORT,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOPROTOOPT,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAEPROTONOSUPPORT,
    WSAEPROTOTYPE,
    WSAESOCKTNOSUPPORT,
    WSAEWOULDBLOCK,
    WSANOTINITIALISED,
)
from wsknet.san.structures import INT, WSAPROTOCOL_INFOW

MANY = bytes(200_000)
HARD = 1
"""SO_LINGER: on, for 0 seconds."""


@pytest.fixture(name="lab")
def _lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def lingering(seconds: int) -> int:
    return 1 | seconds << 16


def drain(program: Program, s: int) -> int:
    """How much comes before the end."""
    total = 0
    while data := program.recv(s, 50_000):
        assert isinstance(data, bytes)
        total += len(data)
    return total


def states(lab: Lab) -> list[str]:
    found = []
    for program in (lab.client, lab.server):
        found += [connection.state for connection in program.host.stack.view().connections]
    return found


def test_close_returns_at_once_and_what_was_sent_arrives(lab: Lab) -> None:
    client, server = lab.pair()
    lab.server.set_option(server, SO_RCVBUF, 10_000)
    lab.client.nonblocking(client)
    taken, _ = lab.client.send(client, MANY)
    before = lab.network.driver.now()

    assert lab.client.close(client) == 0
    assert lab.network.driver.now() == before
    assert lab.client.send(client, b"x")[1] == WSAENOTSOCK
    assert taken > 10_000
    assert drain(lab.server, server) == taken


def test_both_sides_close_and_nothing_is_left(lab: Lab) -> None:
    client, server = lab.pair()
    lab.client.close(client)
    lab.pause()
    assert lab.server.recv(server) == b""
    lab.server.close(server)
    lab.pause()
    assert states(lab) == ["TIME_WAIT"]
    lab.pause(600)
    assert states(lab) == []


def test_who_sends_to_a_closed_socket_gets_a_reset(lab: Lab) -> None:
    client, server = lab.pair()
    lab.client.close(client)
    lab.pause()
    lab.server.send(server, b"too late")
    lab.pause()

    assert lab.server.recv(server) == WSAECONNRESET
    assert states(lab) == []


def test_data_that_nobody_has_read_makes_the_close_a_reset(lab: Lab) -> None:
    client, server = lab.pair()
    lab.client.send(client, b"unread")
    lab.pause()
    lab.server.close(server)
    lab.pause()
    assert lab.client.recv(client) == WSAECONNRESET


def test_all_that_was_sent_after_the_peer_has_finished_arrives(lab: Lab) -> None:
    client, server = lab.pair()
    lab.server.shutdown(server, SD_SEND)
    lab.pause()
    lab.server.set_option(server, SO_RCVBUF, 10_000)
    lab.client.nonblocking(client)
    taken, _ = lab.client.send(client, MANY)
    lab.client.close(client)
    assert drain(lab.server, server) == taken


def test_a_peer_that_never_finishes_is_given_up_after_four_minutes(lab: Lab) -> None:
    client, server = lab.pair()
    lab.client.close(client)
    lab.pause(239)
    assert states(lab) == ["FIN_WAIT_2", "CLOSE_WAIT"]
    lab.pause(2)
    assert lab.client.host.stack.view().connections == ()
    assert lab.server.recv(server) == WSAECONNRESET


@pytest.mark.parametrize("is_nonblocking", [False, True])
def test_linger_of_nothing_resets(lab: Lab, is_nonblocking: bool) -> None:
    client, server = lab.pair()
    lab.client.nonblocking(client, is_nonblocking)
    lab.client.set_option(client, SO_LINGER, HARD)
    assert lab.client.close(client) == 0
    lab.pause()
    assert lab.server.recv(server) == WSAECONNRESET


def test_linger_waits_until_the_peer_has_everything(lab: Lab) -> None:
    client, server = lab.pair()
    lab.server.set_option(server, SO_RCVBUF, 10_000)
    lab.client.nonblocking(client)
    taken, _ = lab.client.send(client, MANY)
    lab.client.nonblocking(client, 0)
    lab.client.set_option(client, SO_LINGER, lingering(30))
    closed: list[int] = []
    lab.network.driver.spawn(lambda: closed.append(lab.client.close(client)), "close")
    lab.pause(5)
    assert closed == []

    assert drain(lab.server, server) == taken
    lab.pause()
    assert closed == [0]


def test_linger_resets_when_its_time_is_over(lab: Lab) -> None:
    client, server = lab.pair()
    lab.server.set_option(server, SO_RCVBUF, 10_000)
    lab.client.nonblocking(client)
    lab.client.send(client, MANY)
    lab.client.nonblocking(client, 0)
    lab.client.set_option(client, SO_LINGER, lingering(3))
    before = lab.network.driver.now()

    assert lab.client.close(client) == 0
    assert lab.network.driver.now() - before == 3_000_000_000
    lab.pause(90)
    received: Any = b"x"
    while isinstance(received, bytes) and received:
        received = lab.server.recv(server)
    assert received == WSAECONNRESET


def test_a_nonblocking_socket_cannot_linger_and_stays_open(lab: Lab) -> None:
    client, _ = lab.pair()
    lab.client.nonblocking(client)
    lab.client.set_option(client, SO_LINGER, lingering(3))

    assert lab.client.close(client) == WSAEWOULDBLOCK
    assert lab.client.send(client, b"x") == (1, 0)
    lab.client.set_option(client, SO_LINGER, 0)
    assert lab.client.close(client) == 0


def test_closing_ends_a_connect_and_frees_its_port(lab: Lab) -> None:
    s = lab.client.socket()
    lab.client.bind(s, "0.0.0.0", 5000)
    lab.client.nonblocking(s)
    lab.client.connect(s, "192.0.2.77", 7)
    assert lab.client.close(s) == 0
    assert states(lab) == []
    assert lab.client.bind(lab.client.socket(), "0.0.0.0", 5000) == 0


def test_a_descriptor_is_closed_once(lab: Lab) -> None:
    s = lab.client.socket()
    assert lab.client.close(s) == 0
    assert lab.client.close(s) == WSAENOTSOCK
    wrongs: list[Any] = [None, -1, "256", 1.5, [], INVALID_SOCKET]
    for wrong in wrongs:
        assert lab.client.call("WSPCloseSocket", wrong) == WSAENOTSOCK


def test_disconnect_is_shutdown_without_data_of_its_own(lab: Lab) -> None:
    client, server = lab.pair()
    assert lab.client.call("WSPSendDisconnect", client, b"bye") == WSAENOPROTOOPT
    assert lab.client.call("WSPSendDisconnect", client, None) == 0
    assert lab.server.recv(server) == b""
    assert lab.server.call("WSPRecvDisconnect", server, None) == 0
    assert lab.client.call("WSPSendDisconnect", lab.client.socket(SOCK_DGRAM), None) == WSAEOPNOTSUPP


def test_cleanup_resets_what_is_open_and_ends_everything(lab: Lab) -> None:
    client, server = lab.pair()
    listener = lab.client.socket()
    lab.client.bind(listener, "0.0.0.0", 80)
    lab.client.listen(listener)

    assert lab.client.call("WSPCleanup") == 0
    lab.pause()
    assert lab.server.recv(server) == WSAECONNRESET
    assert lab.client.host.stack.view().tcp_ports == ()
    assert lab.client.make("WSPSocket", AF_INET, SOCK_STREAM, 0, None, 0, 0)[1] == WSANOTINITIALISED
    assert lab.client.send(client, b"x")[1] == WSANOTINITIALISED
    assert lab.client.call("WSPCleanup") == WSANOTINITIALISED
    lab.cards[0].add_address("192.0.2.50/24")  # nobody listens for it any more


# Making and duplicating


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ((AF_INET, SOCK_STREAM, IPPROTO_TCP), 0),
        ((AF_INET, SOCK_STREAM, 0), 0),
        ((AF_INET, 0, IPPROTO_UDP), 0),
        ((AF_INET6, SOCK_STREAM, 0), WSAEAFNOSUPPORT),
        ((0xDEAD, SOCK_STREAM, 0), WSAEAFNOSUPPORT),
        ((AF_INET, SOCK_RAW, 0), WSAESOCKTNOSUPPORT),
        ((AF_INET, 77, 0), WSAESOCKTNOSUPPORT),
        ((AF_INET, SOCK_STREAM, IPPROTO_UDP), WSAEPROTOTYPE),
        ((AF_INET, SOCK_DGRAM, IPPROTO_TCP), WSAEPROTOTYPE),
        ((AF_INET, SOCK_STREAM, 99), WSAEPROTONOSUPPORT),
        ((AF_INET, 0, 0), WSAEPROTONOSUPPORT),
        ((None, None, None), WSAEAFNOSUPPORT),
        ((FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO), WSAEINVAL),
    ],
)
def test_only_streams_over_tcp_and_datagrams_over_udp_are_made(
    lab: Lab, asked: tuple[int, int, int], error: int
) -> None:
    assert lab.client.make("WSPSocket", *asked, None, 0, WSA_FLAG_OVERLAPPED)[1] == error


def test_what_is_asked_for_can_be_left_to_the_protocol_info(lab: Lab) -> None:
    info = lab.client.provider.protocol_info
    three = (FROM_PROTOCOL_INFO,) * 3
    s, error = lab.client.make("WSPSocket", *three, info, 0, 0)

    assert error == 0
    assert lab.client.listen(s) == WSAEINVAL  # a stream socket, which is not bound
    assert lab.client.make("WSPSocket", *three, 7, 0, 0)[1] == WSAEFAULT
    assert lab.client.make("WSPSocket", *three, info, 0, 0x4000)[1] == WSAEINVAL
    assert lab.client.make("WSPSocket", *three, info, 0, None)[1] == WSAEINVAL


def test_a_duplicate_in_another_process_is_the_same_socket(lab: Lab) -> None:
    client, server = lab.pair()
    other, info = Program(lab.client.host), WSAPROTOCOL_INFOW()
    assert lab.client.call("WSPDuplicateSocket", client, 4321, info) == 0
    three = (FROM_PROTOCOL_INFO,) * 3
    copy, error = other.make("WSPSocket", *three, info, 0, 0)
    assert error == 0

    assert other.name(copy) == lab.client.name(client)
    lab.client.set_option(client, SO_OOBINLINE, 1)
    assert other.option(copy, SO_OOBINLINE) == 1
    lab.client.nonblocking(client)
    lab.client.set_option(client, SO_LINGER, lingering(3))
    assert lab.client.close(client) == 0  # it is not the last, and waits for nothing
    other.set_option(copy, SO_LINGER, HARD)
    assert other.send(copy, b"still open") == (10, 0)
    lab.pause()
    assert lab.server.recv(server) == b"still open"
    assert other.close(copy) == 0
    lab.pause()
    assert lab.server.recv(server) == WSAECONNRESET
    assert other.make("WSPSocket", *three, info, 0, 0)[1] == WSAEINVAL


def test_a_duplicate_needs_a_socket_and_a_place(lab: Lab) -> None:
    s = lab.client.socket()
    assert lab.client.call("WSPDuplicateSocket", 3, 1, WSAPROTOCOL_INFOW()) == WSAENOTSOCK
    assert lab.client.call("WSPDuplicateSocket", s, None, WSAPROTOCOL_INFOW()) == WSAEINVAL
    assert lab.client.call("WSPDuplicateSocket", s, 1, None) == WSAEFAULT


def test_the_error_goes_nowhere_if_there_is_no_place_for_it(lab: Lab) -> None:
    assert lab.client.table.lpWSPCloseSocket(3, None) == -1
    assert lab.client.table.lpWSPGetQOSByName(lab.client.socket(), None, None, None) is False
    error = INT()
    assert lab.client.table.lpWSPGetQOSByName(lab.client.socket(), None, None, error) is False
    assert error.Value == WSAEOPNOTSUPP
