"""Network events of the TCP/IP provider: what is recorded, when, and when again (WSAEventSelect function)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.winsock_program import Lab
from wsknet.san.events import WSAEVENT, WSAWaitForMultipleEvents
from wsknet.san.numbers import (
    CF_ACCEPT,
    CF_DEFER,
    FD_ACCEPT,
    FD_ADDRESS_LIST_CHANGE,
    FD_ALL_EVENTS,
    FD_CLOSE,
    FD_CONNECT,
    FD_OOB,
    FD_READ,
    FD_WRITE,
    FIONBIO,
    MSG_OOB,
    SD_SEND,
    SIO_ADDRESS_LIST_CHANGE,
    SO_ERROR,
    SO_LINGER,
    SO_OOBINLINE,
    SO_SNDBUF,
    SOCK_DGRAM,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
    WSAEWOULDBLOCK,
    WSATRY_AGAIN,
)
from wsknet.san.structures import INT, WSANETWORKEVENTS

QUIET: tuple[int, list[int]] = (0, [])


@pytest.fixture(name="lab")
def _lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def watched(lab: Lab) -> tuple[int, int, WSAEVENT]:
    """A connection, and the event of its server side, which has told that sending is possible."""
    client, server = lab.pair()
    event = lab.event(lab.server)
    assert not lab.server.select(server, event, FD_ALL_EVENTS)
    assert lab.server.events(server, event) == (FD_WRITE, [])
    return client, server, event


def test_select_makes_the_socket_nonblocking_and_only_its_end_lets_it_block(lab: Lab) -> None:
    _, server = lab.pair()
    lab.server.select(server, lab.event(lab.server), FD_READ)
    assert lab.server.recv(server) == WSAEWOULDBLOCK
    assert lab.server.ioctl(server, FIONBIO, INT(0), 4) == WSAEINVAL

    assert lab.server.select(server, None, 0) == 0
    assert lab.server.recv(server) == WSAEWOULDBLOCK
    assert lab.server.ioctl(server, FIONBIO, INT(0), 4) == 0


def test_a_connect_tells_its_success_once_with_the_room_to_send(lab: Lab) -> None:
    lab.listener(7)
    s, event = lab.client.socket(), lab.event(lab.client)
    lab.client.select(s, event, FD_ALL_EVENTS)
    assert lab.client.connect(s, "192.0.2.2", 7) == WSAEWOULDBLOCK
    assert WSAWaitForMultipleEvents([event], True, 1_000) == 0

    assert lab.client.events(s, event) == (FD_CONNECT | FD_WRITE, [])
    assert not event.is_set
    lab.client.select(s, event, FD_CONNECT)
    assert lab.client.events(s) == QUIET


def test_a_connect_tells_why_it_failed_and_each_attempt_tells_anew(lab: Lab) -> None:
    s, event = lab.client.socket(), lab.event(lab.client)
    lab.client.select(s, event, FD_ALL_EVENTS)
    for _ in range(2):
        assert lab.client.connect(s, "192.0.2.2", 9) == WSAEWOULDBLOCK
        lab.pause(5)
        assert lab.client.events(s, event) == (FD_CONNECT, [WSAECONNREFUSED])
        assert lab.client.option(s, SO_ERROR) == WSAECONNREFUSED
        assert lab.client.option(s, SO_ERROR) == 0


def test_the_outcome_of_a_blocking_connect_is_no_event(lab: Lab) -> None:
    client, _ = lab.pair()
    lab.client.select(client, lab.event(lab.client), FD_CONNECT | FD_WRITE)
    assert lab.client.events(client) == (FD_WRITE, [])


def test_data_is_told_once_until_it_is_received_and_again_while_some_is_left(lab: Lab) -> None:
    client, server, event = watched(lab)
    lab.client.send(client, b"abcd")
    lab.pause()
    assert lab.server.events(server, event) == (FD_READ, [])
    lab.client.send(client, b"ef")
    lab.pause()
    assert (lab.server.events(server), event.is_set) == (QUIET, False)

    assert lab.server.recv(server, 2) == b"ab"
    assert event.is_set
    assert lab.server.events(server, event) == (FD_READ, [])
    assert lab.server.recv(server) == b"cdef"
    assert lab.server.events(server) == QUIET


def test_a_receive_that_fails_re_enables_too(lab: Lab) -> None:
    client, server, event = watched(lab)
    lab.client.send(client, b"a")
    lab.pause()
    lab.server.events(server, event)
    lab.server.recv(server)
    assert lab.server.recv(server) == WSAEWOULDBLOCK

    lab.client.send(client, b"b")
    lab.pause()
    assert lab.server.events(server, event) == (FD_READ, [])


def test_room_to_send_is_told_after_a_send_that_would_have_blocked(lab: Lab) -> None:
    client, _ = lab.pair()
    event = lab.event(lab.client)
    lab.client.set_option(client, SO_SNDBUF, 4_000)
    lab.client.select(client, event, FD_WRITE)
    assert lab.client.events(client, event) == (FD_WRITE, [])
    assert lab.client.send(client, bytes(4_000)) == (4_000, 0)
    lab.pause()
    assert lab.client.events(client) == QUIET

    assert lab.client.send(client, bytes(4_000)) == (4_000, 0)
    assert lab.client.send(client, b"x") == (0, WSAEWOULDBLOCK)
    assert lab.client.events(client) == QUIET
    lab.pause()
    assert event.is_set
    assert lab.client.events(client, event) == (FD_WRITE, [])


def test_a_graceful_close_is_told_once_the_data_is_read(lab: Lab) -> None:
    client, server, event = watched(lab)
    lab.client.send(client, b"last")
    lab.client.shutdown(client, SD_SEND)
    lab.pause()
    assert lab.server.events(server, event) == (FD_READ, [])

    assert lab.server.recv(server) == b"last"
    assert lab.server.events(server, event) == (FD_CLOSE, [])
    assert lab.server.recv(server) == b""
    assert lab.server.events(server) == QUIET


def test_a_reset_is_a_close_with_its_error(lab: Lab) -> None:
    client, server, event = watched(lab)
    lab.client.set_option(client, SO_LINGER, 1)
    lab.client.close(client)
    lab.pause()

    assert lab.server.events(server, event) == (FD_CLOSE, [WSAECONNRESET])
    assert lab.server.option(server, SO_ERROR) == WSAECONNRESET


def test_out_of_band_data_is_an_event_of_its_own_unless_it_is_inline(lab: Lab) -> None:
    client, server, event = watched(lab)
    lab.client.send(client, b"X", flags=MSG_OOB)
    lab.pause()
    assert lab.server.events(server, event) == (FD_OOB, [])
    assert lab.server.recv(server, flags=MSG_OOB) == b"X"
    assert lab.server.events(server) == QUIET

    lab.server.set_option(server, SO_OOBINLINE, 1)
    lab.client.send(client, b"Y", flags=MSG_OOB)
    lab.pause()
    assert lab.server.events(server, event) == (FD_READ, [])
    assert lab.server.recv(server) == b"Y"


def test_connections_are_told_once_until_accept_and_again_while_some_wait(lab: Lab) -> None:
    listener, event = lab.listener(7), lab.event(lab.server)
    lab.server.select(listener, event, FD_ACCEPT)
    for _ in range(2):
        lab.client.connect(lab.client.socket(), "192.0.2.2", 7)
    lab.pause()
    assert lab.server.events(listener, event) == (FD_ACCEPT, [])
    lab.client.connect(lab.client.socket(), "192.0.2.2", 7)
    lab.pause()
    assert lab.server.events(listener) == QUIET

    for _ in range(2):
        lab.server.accept(listener)
        assert lab.server.events(listener, event) == (FD_ACCEPT, [])
    lab.server.accept(listener)
    assert lab.server.accept(listener)[1] == WSAEWOULDBLOCK
    assert lab.server.events(listener) == QUIET


def test_an_accept_that_is_deferred_does_not_re_enable(lab: Lab) -> None:
    listener, event = lab.listener(7), lab.event(lab.server)
    lab.server.select(listener, event, FD_ACCEPT)
    lab.client.connect(lab.client.socket(), "192.0.2.2", 7)
    lab.pause()
    assert lab.server.events(listener, event) == (FD_ACCEPT, [])

    assert lab.server.accept(listener, lambda *_: CF_DEFER)[1] == WSATRY_AGAIN
    assert lab.server.events(listener) == QUIET
    assert lab.server.accept(listener, lambda *_: CF_ACCEPT)[1] == 0


def test_an_accepted_socket_has_the_events_of_its_listener(lab: Lab) -> None:
    listener, event = lab.listener(7), lab.event(lab.server)
    lab.server.select(listener, event, FD_ACCEPT | FD_READ | FD_WRITE)
    client = lab.client.socket()
    lab.client.connect(client, "192.0.2.2", 7)
    lab.client.send(client, b"early")
    lab.pause()

    accepted, _ = lab.server.accept(listener)
    assert lab.server.events(accepted, event) == (FD_READ | FD_WRITE, [])


def test_what_holds_already_is_recorded_by_select_which_forgets_the_record(lab: Lab) -> None:
    client, server, event = watched(lab)
    lab.client.send(client, b"x")
    lab.pause()
    other = lab.event(lab.server)

    assert lab.server.select(server, other, FD_WRITE) == 0
    assert lab.server.events(server) == (FD_WRITE, [])
    assert lab.server.select(server, event, FD_READ) == 0
    assert event.is_set
    assert lab.server.events(server) == (FD_READ, [])


def test_datagram_sockets_can_send_and_tell_what_arrives(lab: Lab) -> None:
    s, event = lab.server.socket(SOCK_DGRAM), lab.event(lab.server)
    lab.server.select(s, event, FD_ALL_EVENTS)
    assert lab.server.events(s) == QUIET
    lab.server.bind(s, "0.0.0.0", 7)
    assert lab.server.events(s, event) == (FD_WRITE, [])

    lab.client.sendto(lab.client.socket(SOCK_DGRAM), b"hello", "192.0.2.2", 7)
    lab.pause()
    assert lab.server.events(s, event) == (FD_READ, [])


def test_a_change_of_addresses_is_told_once_to_who_has_asked(lab: Lab) -> None:
    s, event = lab.client.socket(), lab.event(lab.client)
    lab.client.select(s, event, FD_ADDRESS_LIST_CHANGE)
    lab.cards[0].add_address("192.0.2.30/24")
    assert lab.client.events(s) == QUIET

    for address in ("192.0.2.31", "192.0.2.32"):
        assert lab.client.ioctl(s, SIO_ADDRESS_LIST_CHANGE) == WSAEWOULDBLOCK
        assert lab.client.events(s) == QUIET
        lab.cards[0].add_address(f"{address}/24")
        assert lab.client.events(s, event) == (FD_ADDRESS_LIST_CHANGE, [])
        lab.cards[0].remove_address(address)
        assert lab.client.events(s) == QUIET


def test_arguments_that_are_none_are_refused(lab: Lab) -> None:
    s, event = lab.client.socket(), lab.event(lab.client)

    assert lab.client.select(3, event, FD_READ) == WSAENOTSOCK
    for wrong in (None, 7, "event"):
        assert lab.client.call("WSPEventSelect", s, wrong, FD_READ) == WSAEINVAL
    for mask in (None, -1, FD_ALL_EVENTS + 1, "1"):
        assert lab.client.call("WSPEventSelect", s, event, mask) == WSAEINVAL
    assert lab.client.call("WSPEnumNetworkEvents", 3, None, WSANETWORKEVENTS()) == WSAENOTSOCK
    assert lab.client.call("WSPEnumNetworkEvents", s, 7, WSANETWORKEVENTS()) == WSAEINVAL
    assert lab.client.call("WSPEnumNetworkEvents", s, None, None) == WSAEFAULT
