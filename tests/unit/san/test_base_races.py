"""What another thread may have done just before a function goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest

from tests.support.san_switch import san_world
from wsknet.san.calls import WinsockError
from wsknet.san.events import WSAEVENT
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


def test_the_count_of_descriptors_which_processes_share_is_changed_with_the_lock_held() -> None:
    with san_world(sans="") as world:
        client, other = world.program("a"), world.program("a")
        lock = world.network.driver.lock
        held: list[bool] = []

        class Shared:
            def __init__(self) -> None:
                self.count = 0

            @property
            def descriptors(self) -> int:
                held.append(lock.is_held)
                return self.count

            @descriptors.setter
            def descriptors(self, count: int) -> None:
                held.append(lock.is_held)
                self.count = count

        socket: Any = Shared()
        tables = [program.provider.descriptors for program in (client, other)]
        with world.hosts[0].pump:
            numbers = [table.add(socket) for table in tables]
        last = [table.remove(number) for table, number in zip(tables, numbers, strict=True)]
        assert last == [False, True]
        assert all(held)


@pytest.mark.parametrize("others", [10, 11])
def test_a_registered_wait_is_called_whoever_is_unregistered_meanwhile(others: int) -> None:
    """By another thread, between any two lines of SetEvent."""
    with san_world(sans="") as world:
        host = world.hosts[0]
        event = WSAEVENT(host)
        called: list[str] = []
        ends = [event.register(partial(called.append, "other")) for _ in range(others)]
        event.register(partial(called.append, "last"))

        def between(frame: FrameType, what: str, _: object) -> Callable[..., Any] | None:
            if frame.f_code is not WSAEVENT.SetEvent.__code__:
                return None
            if what == "line" and ends:
                ends.pop(0)()
            return between

        before = sys.gettrace()
        sys.settrace(between)
        try:
            event.SetEvent()
        finally:
            sys.settrace(before)
        with host.pump:
            """What was posted runs."""
        assert called.count("last") == 1
        assert len(ends) < others
        assert called.count("other") <= len(ends)
