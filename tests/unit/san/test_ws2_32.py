"""The functions that applications call: begin and end, errors for each thread, arguments of any kind."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from tests.support.san_ways import Way, san_world
from wsknet import Network
from wsknet.san.base import TcpipProvider
from wsknet.san.numbers import (
    AF_INET,
    INVALID_SOCKET,
    MAKEWORD,
    NO_ERROR,
    SO_LINGER,
    SOCK_STREAM,
    SOCKET_ERROR,
    SOL_SOCKET,
    WSA_WAIT_FAILED,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
    WSANOTINITIALISED,
    WSAVERNOTSUPPORTED,
)
from wsknet.san.structures import INT, LINGER, TIMEVAL, WSADATA
from wsknet.san.ws2_32 import Winsock

NOT_FUNCTIONS = ("WSAStartup", "WSACleanup", "WSAGetLastError", "WSASetLastError", "WSACreateEvent", "socket", "select")
FUNCTIONS = [
    name
    for name, function in inspect.getmembers(Winsock, inspect.isfunction)
    if not name.startswith("_") and name not in NOT_FUNCTIONS
]


def test_every_function_wants_wsastartup_first() -> None:
    with Network() as network:
        process = Winsock(network.host("a"))
        assert process.socket(AF_INET, SOCK_STREAM, 0) == INVALID_SOCKET
        assert process.WSAGetLastError() == WSANOTINITIALISED
        assert process.select(0, [1], None, None, None) == SOCKET_ERROR
        assert process.WSACleanup() == SOCKET_ERROR


@pytest.mark.parametrize(
    ("wanted", "told"), [((1, 0), (1, 0)), ((1, 9), (1, 1)), ((2, 0), (2, 0)), ((2, 2), (2, 2)), ((9, 9), (2, 2))]
)
def test_the_version_is_the_highest_that_both_know(wanted: tuple[int, int], told: tuple[int, int]) -> None:
    with Network() as network:
        data = WSADATA()
        assert Winsock(network.host("a"), TcpipProvider).WSAStartup(MAKEWORD(*wanted), data) == NO_ERROR
        assert (data.wVersion, data.wHighVersion) == (MAKEWORD(*told), MAKEWORD(2, 2))


def test_startup_refuses_by_its_result_and_is_counted() -> None:
    with Network() as network:
        process = Winsock(network.host("a"), TcpipProvider)
        assert process.WSAStartup(0, WSADATA()) == WSAVERNOTSUPPORTED
        assert process.WSAStartup(None, WSADATA()) == WSAVERNOTSUPPORTED
        assert process.WSAStartup(MAKEWORD(2, 2), None) == WSAEFAULT
        for _ in range(2):
            assert process.WSAStartup(MAKEWORD(2, 2), WSADATA()) == NO_ERROR
        s = process.socket(AF_INET, SOCK_STREAM, 0)
        assert process.WSACleanup() == NO_ERROR
        assert process.listen(s, 5) == SOCKET_ERROR
        assert process.WSAGetLastError() == WSAEINVAL
        assert process.WSACleanup() == NO_ERROR
        assert process.WSACleanup() == SOCKET_ERROR
        assert process.WSAStartup(MAKEWORD(2, 2), WSADATA()) == NO_ERROR
        assert process.listen(s, 5) == SOCKET_ERROR
        assert process.WSAGetLastError() == WSAENOTSOCK


def test_each_thread_has_its_own_last_error() -> None:
    with san_world(Way.TCPIP) as world:
        process = world.client
        told: list[int] = []

        def other() -> None:
            told.append(process.WSAGetLastError())
            process.WSASetLastError(7)

        assert process.closesocket(5) == SOCKET_ERROR
        world.network.driver.spawn(other, "other")
        world.network.run_for(1)
        assert told == [NO_ERROR]
        assert process.WSAGetLastError() == WSANOTINITIALISED


ODD = {"NULL": None, "negative": -1, "text": "text", "empty": b"", "object": object(), "huge": 1 << 70, "list": []}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_odd_arguments_are_refused_and_nothing_raises(function: str, odd: Any) -> None:
    with san_world(Way.SAN) as world:
        process = world.client
        assert process.WSAStartup(MAKEWORD(2, 2), WSADATA()) == NO_ERROR
        s = process.socket(AF_INET, SOCK_STREAM, 0)
        call = getattr(process, function)
        count = len(inspect.signature(call).parameters)
        for arguments in ((odd,) * count, (s, *(odd,) * (count - 1))):
            answer = call(*arguments)
            assert answer in (SOCKET_ERROR, INVALID_SOCKET, False, WSA_WAIT_FAILED, NO_ERROR)


def test_select_refuses_what_it_cannot_wait_for() -> None:
    with san_world(Way.SAN) as world:
        process = world.client
        process.WSAStartup(MAKEWORD(2, 2), WSADATA())
        s = process.socket(AF_INET, SOCK_STREAM, 0)
        refused: list[tuple[tuple[Any, ...], int]] = [
            ((None, None, None, None), WSAEINVAL),
            (([s], None, None, TIMEVAL(-1)), WSAEINVAL),
            (([s], None, None, 5), WSAEFAULT),
            (((s,), None, None, None), WSAEFAULT),
            (([s], [77], None, None), WSAENOTSOCK),
        ]
        for arguments, error in refused:
            assert process.select(0, *arguments) == SOCKET_ERROR
            assert process.WSAGetLastError() == error


def test_linger_is_read_back_as_it_was_set() -> None:
    with san_world(Way.SAN) as world:
        process, value = world.client, LINGER()
        process.WSAStartup(MAKEWORD(2, 2), WSADATA())
        s = process.socket(AF_INET, SOCK_STREAM, 0)
        assert process.setsockopt(s, SOL_SOCKET, SO_LINGER, LINGER(1, 300), 4) == NO_ERROR
        assert process.getsockopt(s, SOL_SOCKET, SO_LINGER, value, INT(4)) == NO_ERROR
        assert (value.l_onoff, value.l_linger) == (1, 300)
