"""Options and control codes of the TCP/IP provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.winsock_program import Lab, shown, sockaddr
from wsknet.san.guids import WSAID_REGISTERMEMORY
from wsknet.san.numbers import (
    FIONBIO,
    FIONREAD,
    IPPROTO_TCP,
    SIO_ADDRESS_LIST_CHANGE,
    SIO_ADDRESS_LIST_QUERY,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SIO_GET_QOS,
    SIO_ROUTING_INTERFACE_QUERY,
    SIO_UDP_CONNRESET,
    SIOCATMARK,
    SO_ACCEPTCONN,
    SO_BROADCAST,
    SO_CONDITIONAL_ACCEPT,
    SO_CONNECT_TIME,
    SO_DEBUG,
    SO_DONTLINGER,
    SO_DONTROUTE,
    SO_ERROR,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_MAX_MSG_SIZE,
    SO_OOBINLINE,
    SO_RCVBUF,
    SO_RCVTIMEO,
    SO_SNDBUF,
    SO_SNDTIMEO,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_NODELAY,
    WSA_IO_PENDING,
    WSA_OPERATION_ABORTED,
    WSAEFAULT,
    WSAEINTR,
    WSAEINVAL,
    WSAENETUNREACH,
    WSAENOPROTOOPT,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAEWOULDBLOCK,
)
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT, SOCKET_ADDRESS_LIST, WSAOVERLAPPED

FLAGS = {
    SOCK_STREAM: (SO_DEBUG, SO_DONTROUTE, SO_KEEPALIVE, SO_OOBINLINE, SO_CONDITIONAL_ACCEPT),
    SOCK_DGRAM: (SO_DEBUG, SO_DONTROUTE, SO_BROADCAST),
}
NOT_OF = {
    SOCK_STREAM: (SO_BROADCAST, SO_MAX_MSG_SIZE),
    SOCK_DGRAM: (SO_KEEPALIVE, SO_LINGER, SO_DONTLINGER, SO_OOBINLINE, SO_ACCEPTCONN, SO_CONDITIONAL_ACCEPT),
}
BOTH = pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_DGRAM], ids=["stream", "datagram"])


@pytest.fixture(name="lab")
def _lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@BOTH
def test_flags_are_off_and_can_be_set(lab: Lab, kind: int) -> None:
    s = lab.client.socket(kind)
    for option in FLAGS[kind]:
        assert lab.client.option(s, option) == 0
        assert lab.client.set_option(s, option, 7) == 0
        assert lab.client.option(s, option) == 1
        assert lab.client.set_option(s, option, 0) == 0
        assert lab.client.option(s, option) == 0


@BOTH
def test_numbers_are_kept_as_they_are_set(lab: Lab, kind: int) -> None:
    s = lab.client.socket(kind)
    for option in (SO_SNDBUF, SO_RCVBUF, SO_SNDTIMEO, SO_RCVTIMEO):
        assert lab.client.set_option(s, option, 12_345) == 0
        assert lab.client.option(s, option) == 12_345
    assert lab.client.option(s, SO_TYPE) == kind
    assert lab.client.option(s, SO_ERROR) == 0


def test_a_receive_buffer_of_nothing_or_of_too_much_is_what_is_possible(lab: Lab) -> None:
    s = lab.client.socket()
    for wanted, given in ((0, 1), (0xFFFF_FFFF, 1 << 30)):
        assert lab.client.set_option(s, SO_RCVBUF, wanted) == 0
        assert lab.client.option(s, SO_RCVBUF) == given


def test_linger_and_its_opposite(lab: Lab) -> None:
    s = lab.client.socket()
    assert (lab.client.option(s, SO_LINGER), lab.client.option(s, SO_DONTLINGER)) == (0, 1)
    lab.client.set_option(s, SO_LINGER, 1 | 9 << 16)
    assert (lab.client.option(s, SO_LINGER), lab.client.option(s, SO_DONTLINGER)) == (1 | 9 << 16, 0)
    lab.client.set_option(s, SO_DONTLINGER, 0)
    assert lab.client.option(s, SO_LINGER) == 1 | 9 << 16
    lab.client.set_option(s, SO_DONTLINGER, 1)
    assert lab.client.option(s, SO_LINGER) == 0


def test_the_state_of_a_stream_can_be_asked_for(lab: Lab) -> None:
    client, _ = lab.pair()
    lab.pause(2.5)
    assert lab.client.option(client, SO_CONNECT_TIME) == 2
    assert lab.client.option(lab.client.socket(), SO_CONNECT_TIME) == 0xFFFF_FFFF
    assert lab.client.option(client, SO_ACCEPTCONN) == 0
    assert lab.server.option(lab.listener(9), SO_ACCEPTCONN) == 1
    assert lab.client.set_option(client, TCP_NODELAY, 1, IPPROTO_TCP) == 0
    assert lab.client.option(client, TCP_NODELAY, IPPROTO_TCP) == 1


@BOTH
def test_what_a_socket_does_not_have_is_refused(lab: Lab, kind: int) -> None:
    s, value = lab.client.socket(kind), bytearray(4)
    for option in (*NOT_OF[kind], 0x7777, None, "x"):
        assert lab.client.call("WSPSetSockOpt", s, SOL_SOCKET, option, value, 4) == WSAENOPROTOOPT
        assert lab.client.call("WSPGetSockOpt", s, SOL_SOCKET, option, value, INT(4)) == WSAENOPROTOOPT
    for option in (SO_TYPE, SO_ERROR):
        assert lab.client.set_option(s, option, 1) == WSAENOPROTOOPT
    for level in (77, None, "x"):
        assert lab.client.call("WSPSetSockOpt", s, level, SO_DEBUG, value, 4) == WSAEINVAL
        assert lab.client.call("WSPGetSockOpt", s, level, SO_DEBUG, value, INT(4)) == WSAEINVAL


def test_values_need_memory(lab: Lab) -> None:
    s = lab.client.socket()
    assert lab.client.set_option(3, SO_DEBUG, 1) == WSAENOTSOCK
    for value, length in ((None, 4), (bytes(4), 3), (bytes(3), 4), (bytes(4), None), (4, 4), (bytes(4), -1)):
        assert lab.client.call("WSPSetSockOpt", s, SOL_SOCKET, SO_DEBUG, value, length) == WSAEFAULT
    for place, size in (
        (None, INT(4)), (bytearray(4), INT(3)), (bytearray(3), INT(4)), (bytearray(4), None), (bytes(4), INT(4)),
        (bytearray(4), INT(None)),
    ):  # fmt: skip
        assert lab.client.call("WSPGetSockOpt", s, SOL_SOCKET, SO_DEBUG, place, size) == WSAEFAULT


# Control codes


def addresses(lab: Lab, s: int) -> list[tuple[str, int]]:
    found = SOCKET_ADDRESS_LIST()
    assert not lab.client.ioctl(s, SIO_ADDRESS_LIST_QUERY, out=found, room=1000)
    assert found.iAddressCount == len(found.Address)
    return [shown(address) for address in found.Address]


def test_the_address_list_has_what_can_be_bound(lab: Lab) -> None:
    s = lab.client.socket()
    lab.client.host.interface("eth1", "198.51.100.1/24", "2001:db8::1/64")
    assert addresses(lab, s) == [("192.0.2.1", 0), ("198.51.100.1", 0)]

    lab.cards[0].set_up(False)
    assert addresses(lab, s) == [("198.51.100.1", 0)]


def test_a_list_that_does_not_fit_tells_what_it_needs(lab: Lab) -> None:
    s, found, returned = lab.client.socket(), SOCKET_ADDRESS_LIST(), INT()
    call = (s, SIO_ADDRESS_LIST_QUERY, None, 0, found)
    assert lab.client.call("WSPIoctl", *call, 4, returned, None, None, None) == WSAEFAULT
    assert (returned.Value, found.iAddressCount) == (28, 0)
    assert lab.client.call("WSPIoctl", *call, 28, returned, None, None, None) == 0
    assert (returned.Value, found.iAddressCount) == (28, 1)
    assert lab.client.ioctl(s, SIO_ADDRESS_LIST_QUERY, out=INT(), room=1000) == WSAEFAULT


def test_an_overlapped_query_of_the_list_tells_its_end(lab: Lab) -> None:
    s, found, told = lab.client.socket(), SOCKET_ADDRESS_LIST(), []
    overlapped = WSAOVERLAPPED()
    call = (s, SIO_ADDRESS_LIST_QUERY, None, 0, found, 1000, None, overlapped, lambda *what: told.append(what[:2]))
    assert lab.client.call("WSPIoctl", *call, None) == 0
    assert told == [(0, 28)]
    assert lab.client.result(s, overlapped) == (28, 0)


@pytest.mark.parametrize("change", ["address", "cable"])
def test_an_overlapped_wait_ends_with_the_next_change(lab: Lab, change: str) -> None:
    s, event = lab.client.socket(SOCK_DGRAM), lab.event(lab.client)
    overlapped = WSAOVERLAPPED(event)
    call = (s, SIO_ADDRESS_LIST_CHANGE, None, 0, None, 0, None, overlapped, None, None)
    assert lab.client.call("WSPIoctl", *call) == WSA_IO_PENDING
    lab.client.host.interface("eth1")
    lab.pause()
    assert not event.is_set

    if change == "address":
        lab.cards[0].remove_address("192.0.2.1")
    else:
        lab.cards[0].set_up(False)
    assert event.is_set
    assert lab.client.result(s, overlapped) == (0, 0)
    assert addresses(lab, s) == []


def test_a_blocking_wait_for_a_change(lab: Lab) -> None:
    s, ended = lab.client.socket(), []
    for _ in range(2):
        run: Any = lambda: ended.append(lab.client.ioctl(s, SIO_ADDRESS_LIST_CHANGE))  # noqa: E731
        lab.network.driver.spawn(run, "wait")
    lab.pause()
    assert ended == []
    lab.cards[0].add_address("192.0.2.9/24")
    lab.pause()
    assert ended == [0, 0]


def test_closing_ends_a_wait_for_a_change(lab: Lab) -> None:
    s, ended = lab.client.socket(), []
    overlapped = WSAOVERLAPPED()
    told: list[Any] = []
    call = (s, SIO_ADDRESS_LIST_CHANGE, None, 0, None, 0, None, overlapped, lambda *what: told.append(what[0]), None)
    assert lab.client.call("WSPIoctl", *call) == WSA_IO_PENDING
    lab.network.driver.spawn(lambda: ended.append(lab.client.ioctl(s, SIO_ADDRESS_LIST_CHANGE)), "wait")
    lab.pause()
    lab.client.close(s)
    lab.pause()
    assert (told, ended) == ([WSA_OPERATION_ABORTED], [WSAEINTR])


def test_the_way_to_a_destination_tells_the_address_to_bind(lab: Lab) -> None:
    lab.client.host.interface("eth1", "198.51.100.1/24")
    s, found, returned = lab.client.socket(), SOCKADDR_IN(), INT()
    for there, here in (("192.0.2.2", "192.0.2.1"), ("198.51.100.7", "198.51.100.1"), ("127.0.0.1", "127.0.0.1")):
        assert lab.client.ioctl(s, SIO_ROUTING_INTERFACE_QUERY, sockaddr(there, 7), SIZE, found, SIZE) == 0
        assert shown(found) == (here, 0)
    unreachable = sockaddr("203.0.113.1", 7)
    assert lab.client.ioctl(s, SIO_ROUTING_INTERFACE_QUERY, unreachable, SIZE, found, SIZE) == WSAENETUNREACH
    call = (s, SIO_ROUTING_INTERFACE_QUERY, sockaddr("192.0.2.2", 7), SIZE, found, 8, returned, None, None, None)
    assert lab.client.call("WSPIoctl", *call) == WSAEFAULT
    assert returned.Value == SIZE
    assert lab.client.ioctl(s, SIO_ROUTING_INTERFACE_QUERY, None, SIZE, found, SIZE) == WSAEFAULT


def test_a_code_that_is_not_there_is_not_supported(lab: Lab) -> None:
    s, out = lab.client.socket(), INT()
    assert lab.client.ioctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, WSAID_REGISTERMEMORY, 16, out, 8) == WSAEOPNOTSUPP
    assert lab.client.ioctl(s, 0x12345678) == WSAEOPNOTSUPP
    assert lab.client.ioctl(s, None) == WSAEOPNOTSUPP  # type: ignore[arg-type]
    assert lab.client.ioctl(s, SIO_GET_QOS) == WSAENOPROTOOPT
    assert lab.client.ioctl(3, FIONBIO, INT(1), 4) == WSAENOTSOCK


def test_control_codes_need_their_buffers(lab: Lab) -> None:
    s, out = lab.client.socket(), INT()
    for given, size in ((None, 4), (INT(1), 3), (INT(None), 4), (bytes(3), 4), (bytes(4), 5), (INT(1), None)):
        assert lab.client.call("WSPIoctl", s, FIONBIO, given, size, None, 0, INT(), None, None, None) == WSAEFAULT
    assert lab.client.ioctl(s, FIONBIO, b"\1\0\0\0", 4) == 0
    assert lab.client.ioctl(s, SIO_ADDRESS_LIST_CHANGE) == WSAEWOULDBLOCK
    assert lab.client.call("WSPIoctl", s, FIONBIO, INT(1), 4, None, 0, None, None, None, None) == WSAEFAULT
    assert lab.client.call("WSPIoctl", s, FIONBIO, INT(1), 4, None, 0, INT(), 7, None, None) == WSAEFAULT
    assert lab.client.ioctl(s, FIONREAD, out=out, room=3) == WSAEFAULT
    assert lab.client.ioctl(s, FIONREAD, out=None, room=4) == WSAEFAULT
    assert lab.client.ioctl(s, SIO_UDP_CONNRESET, INT(1), 4) == WSAEINVAL
    assert lab.client.ioctl(lab.client.socket(SOCK_DGRAM), SIOCATMARK, out=out, room=4) == WSAEINVAL
    assert lab.client.ioctl(s, SIOCATMARK, out=out, room=4) == 0
    assert out.Value == 1
