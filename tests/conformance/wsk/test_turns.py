"""Callbacks and completions that are due but have not had their turn, because another has or because of the IRQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.wsk_lab import PORT, Lab, Request, ok, start
from wsknet.wsk import (
    DISPATCH_LEVEL,
    NTSTATUS,
    STATUS_CONNECTION_RESET,
    STATUS_EVENT_PENDING,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_DISABLE,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_ABORTIVE,
    WSK_FLAG_AT_DISPATCH_LEVEL,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_NODELAY,
    WSK_FLAG_WAITALL,
    WSK_SOCKET,
    IoAllocateMdl,
    KeLowerIrql,
    KeRaiseIrql,
    MmBuildMdlForNonPagedPool,
    simple,
)

LOOPBACK = "127.0.0.1"


@contextmanager
def held_back() -> Iterator[None]:
    """Nothing completes in this thread meanwhile."""
    level: list[int] = []
    KeRaiseIrql(DISPATCH_LEVEL, level)
    try:
        yield
    finally:
        KeLowerIrql(level[0])


class Connection:
    """Both ends of a connection of the near host with itself, and the calls of the callbacks of one."""

    def __init__(self, lab: Lab, events: int) -> None:
        self.calls: list[object] = []
        dispatch = WSK_CLIENT_CONNECTION_DISPATCH(self.received, self.disconnected, None)
        listener = lab.bound(lab.near, WSK_FLAG_LISTEN_SOCKET, LOOPBACK, PORT)
        self.end: WSK_SOCKET = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, LOOPBACK, Dispatch=dispatch)
        ok(simple.connect(self.end, simple.address(LOOPBACK, PORT)))
        self.peer: WSK_SOCKET = ok(simple.accept(listener))
        assert simple.control_events(self.end, events) == STATUS_SUCCESS

    def received(self, SocketContext: Any, Flags: int, DataIndication: Any, *counts: Any) -> NTSTATUS:
        self.calls.append(bytes(DataIndication.Buffer.Mdl.MappedSystemVa))
        return STATUS_SUCCESS

    def disconnected(self, SocketContext: Any, Flags: int) -> NTSTATUS:
        self.calls.append(Flags & ~WSK_FLAG_AT_DISPATCH_LEVEL)
        return STATUS_SUCCESS


@pytest.mark.rule("R-235", "R-295", "D-26")
def test_an_indication_that_is_disabled_before_its_turn_is_not_made(lab: Lab) -> None:
    connection = Connection(lab, WSK_EVENT_RECEIVE)
    with held_back():
        start(connection.peer.Dispatch.WskSend, connection.peer, simple.buffer(b"data"), 0)
        assert simple.control_events(connection.end, WSK_EVENT_DISABLE | WSK_EVENT_RECEIVE) == STATUS_EVENT_PENDING
    assert connection.calls == []
    simple.control_events(connection.end, WSK_EVENT_RECEIVE)

    assert connection.calls == [b"data"]


@pytest.mark.rule("R-247")
def test_a_disconnect_that_is_disabled_before_its_turn_is_told_later(lab: Lab) -> None:
    connection = Connection(lab, WSK_EVENT_DISCONNECT)
    with held_back():
        start(connection.peer.Dispatch.WskDisconnect, connection.peer, None, 0)
        simple.control_events(connection.end, WSK_EVENT_DISABLE | WSK_EVENT_DISCONNECT)
    assert connection.calls == []
    simple.control_events(connection.end, WSK_EVENT_DISCONNECT)

    assert connection.calls == [0]


def test_a_fin_and_a_reset_at_once_are_told_one_after_the_other(lab: Lab) -> None:
    connection = Connection(lab, WSK_EVENT_DISCONNECT)
    with held_back():
        start(connection.peer.Dispatch.WskDisconnect, connection.peer, None, 0)
        start(connection.peer.Dispatch.WskCloseSocket, connection.peer)

    assert connection.calls == [0, WSK_FLAG_ABORTIVE]


@pytest.mark.rule("R-252", "R-250")
def test_no_callback_begins_after_close_was_called(lab: Lab) -> None:
    connection = Connection(lab, WSK_EVENT_RECEIVE)
    with held_back():
        start(connection.peer.Dispatch.WskSend, connection.peer, simple.buffer(b"data"), 0)
        closing = start(connection.end.Dispatch.WskCloseSocket, connection.end)
        assert not closing.is_done

    assert closing.status == STATUS_SUCCESS
    assert connection.calls == []


def test_an_indication_goes_on_although_the_connection_is_reset_meanwhile(lab: Lab) -> None:
    connection = Connection(lab, WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT)
    with held_back():
        start(connection.peer.Dispatch.WskSend, connection.peer, simple.buffer(b"data"), 0)
        start(connection.peer.Dispatch.WskCloseSocket, connection.peer)

    assert connection.calls == [b"data", WSK_FLAG_ABORTIVE]
    assert simple.receive(connection.end)[0] == STATUS_CONNECTION_RESET


@pytest.mark.rule("R-216")
def test_a_receive_made_while_an_indication_is_due_waits_for_it(lab: Lab) -> None:
    connection = Connection(lab, WSK_EVENT_RECEIVE)
    memory = bytearray(100)
    with held_back():
        for data in (b"indicated, ", b"received"):
            start(connection.peer.Dispatch.WskSend, connection.peer, simple.buffer(data), WSK_FLAG_NODELAY)
        request = start(connection.end.Dispatch.WskReceive, connection.end, simple.buffer(memory), 0)
        assert request.returned == STATUS_PENDING

    assert connection.calls == [b"indicated, "]
    assert bytes(memory[: request.information]) == b"received"


@pytest.mark.rule("R-281")
def test_datagrams_that_are_disabled_before_their_turn(lab: Lab) -> None:
    got: list[object] = []

    def received(*arguments: object) -> NTSTATUS:
        got.append(arguments)
        return STATUS_SUCCESS

    dispatch = WSK_CLIENT_DATAGRAM_DISPATCH(received)
    Socket = lab.datagram(lab.near, PORT, LOOPBACK, Dispatch=dispatch)
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)
    arguments = (simple.buffer(b"x"), 0, simple.address(LOOPBACK, PORT), 0, None)
    with held_back():
        start(Socket.Dispatch.WskSendTo, Socket, *arguments)
        simple.control_events(Socket, WSK_EVENT_DISABLE | WSK_EVENT_RECEIVE_FROM)
    assert not got
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)

    assert len(got) == 1


class Listening:
    """A listening socket of the near host with a connection whose WskAcceptEvent has not had its turn."""

    def __init__(self, lab: Lab) -> None:
        self.calls: list[WSK_SOCKET] = []
        dispatch = WSK_CLIENT_LISTEN_DISPATCH(self.accepted)
        self.Socket = lab.bound(lab.near, WSK_FLAG_LISTEN_SOCKET, LOOPBACK, PORT, Dispatch=dispatch)
        self.client = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, LOOPBACK)
        simple.control_events(self.Socket, WSK_EVENT_ACCEPT)

    def accepted(self, *arguments: Any) -> NTSTATUS:
        self.calls.append(arguments[4])
        return STATUS_SUCCESS

    def run(self, then: Callable[[], object]) -> Request:
        with held_back():
            address = simple.address(LOOPBACK, PORT)
            request = start(self.client.Dispatch.WskConnect, self.client, address, 0)
            then()
        return request


@pytest.mark.rule("R-145", "R-153")
def test_a_connection_whose_event_is_disabled_before_its_turn_is_not_lost(lab: Lab) -> None:
    listening = Listening(lab)
    listening.run(lambda: simple.control_events(listening.Socket, WSK_EVENT_DISABLE | WSK_EVENT_ACCEPT))
    assert listening.calls == []
    far = ok(simple.accept(listening.Socket))
    ok(simple.send(far, b"hello"))

    assert ok(simple.receive(listening.client)) == b"hello"


def test_a_connection_whose_event_is_disabled_before_its_turn_comes_with_the_event(lab: Lab) -> None:
    listening = Listening(lab)
    listening.run(lambda: simple.control_events(listening.Socket, WSK_EVENT_DISABLE | WSK_EVENT_ACCEPT))
    simple.control_events(listening.Socket, WSK_EVENT_ACCEPT)

    assert len(listening.calls) == 1


@pytest.mark.parametrize("is_disabled", [False, True])
def test_a_connection_whose_listener_is_closed_before_its_turn_is_reset(lab: Lab, is_disabled: bool) -> None:
    listening = Listening(lab)
    if is_disabled:
        listening.run(lambda: simple.control_events(listening.Socket, WSK_EVENT_DISABLE | WSK_EVENT_ACCEPT))
        ok(simple.close(listening.Socket))
    else:
        listening.run(lambda: start(listening.Socket.Dispatch.WskCloseSocket, listening.Socket))

    assert listening.calls == []
    assert simple.receive(listening.client)[0] == STATUS_CONNECTION_RESET
    assert len(lab.near_application.provider.Client.sockets) == 1


# Long chains of completions


def test_receives_made_by_the_routine_of_the_one_before(lab: Lab) -> None:
    near, far = lab.pair()
    data = bytes(range(256)) * 40
    ok(simple.send(far, data))
    memory = bytearray(10)
    request, got = Request(), bytearray()

    def again() -> None:
        got.extend(memory[: request.completions[-1][1]])
        if len(got) < len(data):
            request.start(near.Dispatch.WskReceive, near, simple.buffer(memory), 0)

    request.then = again
    request.start(near.Dispatch.WskReceive, near, simple.buffer(memory), 0)

    assert got == data
    assert len(request.completions) == 1024


@pytest.mark.rule("R-207", "R-349")
def test_waitall_over_a_chain_and_many_segments(lab: Lab) -> None:
    near, far = lab.pair()
    pieces = [bytearray(70_000) for _ in range(4)]
    mdls = [IoAllocateMdl(piece, len(piece), False, False, None) for piece in pieces]
    for Mdl, following in zip(mdls, [*mdls[1:], None], strict=True):
        assert Mdl is not None
        MmBuildMdlForNonPagedPool(Mdl)
        Mdl.Next = following
    request = start(near.Dispatch.WskReceive, near, WSK_BUF(mdls[0], 0, 280_000), WSK_FLAG_WAITALL)
    data = bytes(range(250)) * 1200
    ok(simple.send(far, data))
    lab.run()

    assert request.information == 280_000
    assert b"".join(pieces) == data[:280_000]
    assert ok(simple.receive(near)) == data[280_000:]
