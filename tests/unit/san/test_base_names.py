"""Names of sockets of the TCP/IP provider: bind, deferred addresses, implicit bind (BIND-1, BIND-2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.winsock_program import Lab, Program, sockaddr
from wsknet.san.numbers import (
    AF_INET6,
    SO_EXCLUSIVEADDRUSE,
    SO_REUSEADDR,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOMAXCONN,
    WSAEACCES,
    WSAEADDRINUSE,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAEALREADY,
    WSAECONNREFUSED,
    WSAEFAULT,
    WSAEINVAL,
    WSAEISCONN,
    WSAENETUNREACH,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAEWOULDBLOCK,
)
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT

BOTH = pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_DGRAM], ids=["stream", "datagram"])
DYNAMIC = range(49152, 65536)


@pytest.fixture(name="lab")
def _lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def dynamic(name: Any, address: str) -> bool:
    return bool(name[0] == address and name[1] in DYNAMIC)


@BOTH
@pytest.mark.rule("BIND-2.1.1")
def test_a_socket_without_a_name_has_none_to_show(lab: Lab, kind: int) -> None:
    s = lab.client.socket(kind)

    assert lab.client.name(s) == WSAEINVAL
    assert lab.client.peer(s) == WSAENOTCONN


@BOTH
def test_a_wildcard_has_its_port_from_bind_on_and_no_address(lab: Lab, kind: int) -> None:
    s = lab.client.socket(kind)

    assert lab.client.bind(s, "0.0.0.0", 0) == 0
    assert dynamic(lab.client.name(s), "0.0.0.0")


@BOTH
def test_connect_settles_the_address_of_a_wildcard_and_keeps_its_port(lab: Lab, kind: int) -> None:
    lab.listener(7)
    s = lab.client.socket(kind)
    lab.client.bind(s, "0.0.0.0", 5000)

    assert lab.client.connect(s, "192.0.2.2", 7) == 0
    assert lab.client.name(s) == ("192.0.2.1", 5000)
    assert lab.client.peer(s) == ("192.0.2.2", 7)


def test_each_destination_gets_the_address_that_routing_chooses(lab: Lab) -> None:
    lab.client.host.interface("eth1", "198.51.100.1/24")
    near, far, own = (lab.client.socket(SOCK_DGRAM) for _ in range(3))

    assert not lab.client.connect(near, "192.0.2.2", 7)
    assert not lab.client.connect(far, "198.51.100.2", 7)
    assert not lab.client.connect(own, "127.0.0.1", 7)

    assert dynamic(lab.client.name(near), "192.0.2.1")
    assert dynamic(lab.client.name(far), "198.51.100.1")
    assert dynamic(lab.client.name(own), "127.0.0.1")


@pytest.mark.rule("BIND-53")
def test_while_it_connects_a_socket_shows_the_address_of_its_syn(lab: Lab) -> None:
    s = lab.client.socket()
    lab.client.nonblocking(s)
    assert lab.client.connect(s, "192.0.2.77", 7) == WSAEWOULDBLOCK

    assert dynamic(lab.client.name(s), "192.0.2.1")
    assert lab.client.peer(s) == WSAENOTCONN
    assert lab.client.connect(s, "192.0.2.2", 7) == WSAEALREADY


def test_after_a_failed_connect_the_wildcard_is_back_and_another_may_follow(lab: Lab) -> None:
    s = lab.client.socket()
    lab.client.bind(s, "0.0.0.0", 5000)
    assert lab.client.connect(s, "192.0.2.2", 9) == WSAECONNREFUSED
    assert lab.client.name(s) == ("0.0.0.0", 5000)

    lab.listener(7)
    assert lab.client.connect(s, "192.0.2.2", 7) == 0
    assert lab.client.name(s) == ("192.0.2.1", 5000)
    assert lab.client.connect(s, "192.0.2.2", 7) == WSAEISCONN


def test_connect_binds_a_socket_that_is_not_bound(lab: Lab) -> None:
    s = lab.client.socket()
    assert lab.client.connect(s, "192.0.2.2", 9) == WSAECONNREFUSED

    assert dynamic(lab.client.name(s), "0.0.0.0")
    assert lab.client.bind(s, "0.0.0.0", 5000) == WSAEINVAL


def test_a_listener_keeps_the_wildcard_and_those_it_accepts_show_what_was_dialled(lab: Lab) -> None:
    lab.cards[1].add_address("192.0.2.20/24")
    listener, client = lab.listener(7), lab.client.socket()
    assert not lab.client.connect(client, "192.0.2.20", 7)
    accepted, _ = lab.server.accept(listener)

    assert lab.server.name(listener) == ("0.0.0.0", 7)
    assert lab.server.name(accepted) == ("192.0.2.20", 7)
    assert lab.server.peer(accepted) == lab.client.name(client)


def test_sendto_binds_to_the_wildcard_which_stays_one(lab: Lab) -> None:
    s = lab.client.socket(SOCK_DGRAM)
    assert lab.client.sendto(s, b"x", "192.0.2.2", 7) == 0

    before = lab.client.name(s)
    assert dynamic(before, "0.0.0.0")
    assert lab.client.sendto(s, b"x", "127.0.0.1", 7) == 0
    assert lab.client.name(s) == before


def test_a_datagram_socket_whose_peer_is_taken_back_has_its_wildcard_again(lab: Lab) -> None:
    s = lab.client.socket(SOCK_DGRAM)
    lab.client.bind(s, "0.0.0.0", 5000)
    assert not lab.client.connect(s, "192.0.2.2", 7)
    assert lab.client.name(s) == ("192.0.2.1", 5000)

    assert not lab.client.connect(s, "0.0.0.0", 0)
    assert lab.client.name(s) == ("0.0.0.0", 5000)
    assert lab.client.peer(s) == WSAENOTCONN


def test_bind_finds_faults_in_the_order_of_windows(lab: Lab) -> None:
    """Descriptor, memory, family, bound already, address, sharing: each hides those behind it."""
    program, bound = lab.client, lab.client.socket()
    program.bind(bound, "0.0.0.0", 5000)
    foreign = sockaddr("192.0.2.99", 5000)
    wrong_family = sockaddr("192.0.2.99", 5000)
    wrong_family.sin_family = AF_INET6

    assert program.call("WSPBind", 3, None, 0) == WSAENOTSOCK
    assert program.call("WSPBind", bound, bytes(wrong_family), SIZE - 1) == WSAEFAULT
    assert program.call("WSPBind", bound, wrong_family, SIZE) == WSAEFAULT
    assert program.call("WSPBind", bound, foreign, SIZE) == WSAEINVAL
    assert program.call("WSPBind", program.socket(), foreign, SIZE) == WSAEADDRNOTAVAIL
    assert program.bind(program.socket(), "0.0.0.0", 5000) == WSAEADDRINUSE


@BOTH
def test_a_name_that_cannot_be_read_is_a_fault(lab: Lab, kind: int) -> None:
    broken, long = SOCKADDR_IN(), SOCKADDR_IN()
    broken.sin_port = -1
    long.sin_addr = bytes(16)
    for name, length in ((None, SIZE), (7, SIZE), ("x" * 16, SIZE), (bytes(8), SIZE), (broken, SIZE), (long, SIZE)):
        s = lab.client.socket(kind)
        assert lab.client.call("WSPBind", s, name, length) == WSAEFAULT
        assert lab.client.call("WSPConnect", s, name, length, None, None, None, None) == WSAEFAULT
    for size in (SIZE - 1, 0, -1, None, "16"):
        s = lab.client.socket(kind)
        assert lab.client.call("WSPBind", s, sockaddr("0.0.0.0", 0), size) == WSAEFAULT
        assert lab.client.call("WSPGetSockName", s, SOCKADDR_IN(), INT(size)) == WSAEFAULT
        assert lab.client.call("WSPGetPeerName", s, SOCKADDR_IN(), INT(size)) == WSAEFAULT
    assert lab.client.call("WSPGetSockName", lab.client.socket(kind), None, INT(SIZE)) == WSAEFAULT
    assert lab.client.call("WSPGetSockName", lab.client.socket(kind), SOCKADDR_IN(), None) == WSAEFAULT


@BOTH
def test_a_family_that_nobody_knows_has_an_error_of_its_own(lab: Lab, kind: int) -> None:
    name = sockaddr("192.0.2.2", 5000)
    name.sin_family = 0xDEAD
    s = lab.client.socket(kind)

    assert lab.client.call("WSPBind", s, name, SIZE) == WSAEAFNOSUPPORT
    assert lab.client.call("WSPConnect", s, name, SIZE, None, None, None, None) == WSAEAFNOSUPPORT
    name.sin_family = AF_INET6
    assert lab.client.call("WSPConnect", s, name, SIZE, None, None, None, None) == WSAEAFNOSUPPORT


def _share(program: Program, address: str, option: int = 0) -> int:
    s = program.socket()
    if option:
        assert not program.set_option(s, option, 1)
    return program.bind(s, address, 80)


@pytest.mark.parametrize(
    ("first", "second", "same_user", "other_user"),
    [
        (("0.0.0.0", 0), ("0.0.0.0", 0), WSAEADDRINUSE, WSAEADDRINUSE),
        (("0.0.0.0", 0), ("0.0.0.0", SO_REUSEADDR), WSAEACCES, WSAEACCES),
        (("0.0.0.0", 0), ("192.0.2.1", 0), 0, WSAEACCES),
        (("0.0.0.0", SO_REUSEADDR), ("192.0.2.1", SO_REUSEADDR), 0, 0),
        (("0.0.0.0", SO_EXCLUSIVEADDRUSE), ("192.0.2.1", 0), WSAEACCES, WSAEACCES),
        (("192.0.2.1", 0), ("0.0.0.0", SO_EXCLUSIVEADDRUSE), WSAEADDRINUSE, WSAEADDRINUSE),
        (("192.0.2.1", SO_EXCLUSIVEADDRUSE), ("0.0.0.0", 0), 0, 0),
        (("192.0.2.1", SO_REUSEADDR), ("192.0.2.1", SO_REUSEADDR), 0, 0),
        (("192.0.2.1", 0), ("127.0.0.1", 0), 0, 0),
    ],
)
def test_ports_are_shared_by_the_table_of_winsock(
    first: tuple[str, int], second: tuple[str, int], same_user: int, other_user: int
) -> None:
    for account, expected in (("user", same_user), ("stranger", other_user)):
        with Lab() as fresh:
            assert _share(fresh.client, *first) == 0
            assert _share(Program(fresh.client.host, account), *second) == expected


def test_only_one_of_the_two_sharing_options_can_be_set(lab: Lab) -> None:
    for one, other in ((SO_REUSEADDR, SO_EXCLUSIVEADDRUSE), (SO_EXCLUSIVEADDRUSE, SO_REUSEADDR)):
        s = lab.client.socket()
        assert lab.client.set_option(s, one, 1) == 0
        assert lab.client.set_option(s, other, 1) == WSAEINVAL
        assert (lab.client.option(s, one), lab.client.option(s, other)) == (1, 0)
        assert lab.client.set_option(s, other, 0) == 0
        assert lab.client.option(s, one) == 1
        assert lab.client.set_option(s, one, 0) == 0
        assert lab.client.set_option(s, other, 1) == 0


def test_a_port_is_free_again_when_its_socket_is_closed(lab: Lab) -> None:
    s = lab.client.socket()
    lab.client.bind(s, "0.0.0.0", 5000)
    assert lab.client.close(s) == 0

    assert lab.client.bind(lab.client.socket(), "0.0.0.0", 5000) == 0
    assert lab.client.bind(s, "0.0.0.0", 5001) == WSAENOTSOCK


@BOTH
@pytest.mark.parametrize("address", ["192.0.2.99", "224.0.0.1", "255.255.255.255"])
def test_only_own_unicast_addresses_can_be_bound(lab: Lab, kind: int, address: str) -> None:
    assert lab.client.bind(lab.client.socket(kind), address, 5000) == WSAEADDRNOTAVAIL


def test_the_address_of_a_card_without_a_cable_cannot_be_bound(lab: Lab) -> None:
    lab.cards[0].set_up(False)
    assert lab.client.bind(lab.client.socket(), "192.0.2.1", 5000) == WSAEADDRNOTAVAIL

    lab.cards[0].set_up(True)
    assert lab.client.bind(lab.client.socket(), "192.0.2.1", 5000) == 0


@pytest.mark.parametrize(
    ("address", "port", "error"),
    [
        ("0.0.0.0", 7, WSAEADDRNOTAVAIL),
        ("192.0.2.2", 0, WSAEADDRNOTAVAIL),
        ("224.0.0.9", 7, WSAEADDRNOTAVAIL),
        ("192.0.2.255", 7, WSAEADDRNOTAVAIL),
        ("203.0.113.1", 7, WSAENETUNREACH),
    ],
)
@pytest.mark.parametrize("is_nonblocking", [False, True])
def test_a_stream_socket_cannot_connect_to_what_is_no_peer(
    lab: Lab, address: str, port: int, error: int, is_nonblocking: bool
) -> None:
    s = lab.client.socket()
    lab.client.nonblocking(s, is_nonblocking)

    assert lab.client.connect(s, address, port) == error
    lab.listener(7)
    assert lab.client.connect(s, "192.0.2.2", 7) == (WSAEWOULDBLOCK if is_nonblocking else 0)


def test_two_connections_cannot_have_the_same_two_ends(lab: Lab) -> None:
    lab.listener(7)
    first, second = lab.client.socket(), lab.client.socket()
    for s in (first, second):
        lab.client.set_option(s, SO_REUSEADDR, 1)
        assert lab.client.bind(s, "0.0.0.0", 5000) == 0

    assert lab.client.connect(first, "192.0.2.2", 7) == 0
    assert lab.client.connect(second, "192.0.2.2", 7) == WSAEADDRINUSE


def test_listen_needs_a_name_and_no_connection(lab: Lab) -> None:
    assert lab.server.listen(lab.server.socket()) == WSAEINVAL
    assert lab.server.listen(lab.server.socket(SOCK_DGRAM)) == WSAEOPNOTSUPP
    client, server = lab.pair()
    assert lab.client.listen(client) == WSAEISCONN
    assert lab.server.listen(server) == WSAEISCONN
    assert lab.server.call("WSPListen", server, None) == WSAEINVAL


def test_a_listening_socket_listens_again_without_effect_and_cannot_connect(lab: Lab) -> None:
    s = lab.listener(7, SOMAXCONN)

    assert lab.server.listen(s, 1) == 0
    assert lab.server.connect(s, "192.0.2.1", 9) == WSAEINVAL


def test_a_backlog_of_one_lets_one_connection_wait(lab: Lab) -> None:
    lab.listener(7, 1)

    assert lab.client.connect(lab.client.socket(), "192.0.2.2", 7) == 0
    assert lab.client.connect(lab.client.socket(), "192.0.2.2", 7) == WSAECONNREFUSED


def test_a_hint_stands_for_at_least_two_hundred_connections(lab: Lab) -> None:
    lab.listener(7, -1)

    assert [lab.client.connect(lab.client.socket(), "192.0.2.2", 7) for _ in range(3)] == [0, 0, 0]
