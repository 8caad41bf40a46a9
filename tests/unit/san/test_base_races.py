"""What another thread may have done just before a function goes on."""

from __future__ import annotations

import pytest

from tests.support.san_switch import san_world
from wsknet.san.calls import WinsockError
from wsknet.san.numbers import (
    WSA_IO_PENDING,
    WSA_OPERATION_ABORTED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAENOTSOCK,
    WSANOTINITIALISED,
)
from wsknet.san.structures import INT, WSABUF, WSAOVERLAPPED


def test_memory_that_was_released_is_a_fault() -> None:
    with san_world(sans="") as world:
        client, server = world.program("a"), world.program("b")
        s, _, _ = world.connected(client, server)
        memory = memoryview(bytearray(4))
        buffer = WSABUF(memory)
        memory.release()
        assert client.error("WSPSend", s, [buffer], 1, INT(), 0, None, None, None) == WSAEFAULT


def test_a_socket_that_is_closed_does_not_begin_to_connect() -> None:
    with san_world(sans="") as world:
        client = world.program("a")
        s = client.socket()
        socket = client.provider.descriptors.find_stream(s)
        client.close(s)
        with pytest.raises(WinsockError) as raised:
            socket.start_connecting()
        assert raised.value.code == WSAENOTSOCK


@pytest.mark.parametrize("sans", ["ab", ""], ids=["san", "tcpip"])
def test_cleanup_goes_on_where_a_completion_routine_closes_a_socket(sans: str) -> None:
    with san_world(sans=sans) as world:
        client, server = world.program("a"), world.program("b")
        s, accepted, _ = world.connected(client, server)
        other, last = client.socket(), client.listening()
        told: list[int] = []

        def routine(dwError: int, *rest: object) -> None:
            told.append(dwError)
            client.close(other)

        memory = [WSABUF(bytearray(4))]
        error = client.error("WSPRecv", s, memory, 1, None, INT(), WSAOVERLAPPED(), routine, None)
        assert (error, told) == (WSA_IO_PENDING, [])
        client.ok("WSPCleanup")
        assert told == [WSA_OPERATION_ABORTED]
        assert client.error("WSPListen", last, 1) == WSANOTINITIALISED
        assert world.do(server.receive_error, accepted) == WSAECONNRESET


def test_a_descriptor_is_removed_once() -> None:
    with san_world(sans="") as world:
        client = world.program("a")
        s = client.socket()
        client.provider.descriptors.remove(s)
        with pytest.raises(WinsockError) as raised:
            client.provider.descriptors.remove(s)
        assert raised.value.code == WSAENOTSOCK
