"""Connections between a listening socket and the application: what becomes of them when nobody takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_inspecting import CATEGORIES, FAMILIES, Side, answers
from tests.support.wsk_lab import PORT, RST, Lab, Request, ok, start
from wsknet.types import MILLISECOND
from wsknet.wsk import (
    NTSTATUS,
    STATUS_EVENT_PENDING,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_PENDING,
    STATUS_REQUEST_NOT_ACCEPTED,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_CLIENT_STREAM_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_DISABLE,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SOCKET,
    faults_of,
    simple,
)


class Server:
    """A socket of the far host that listens, and its callbacks."""

    def __init__(self, lab: Lab, Flags: int, side: Side) -> None:
        self.lab, self.side = lab, side
        self.sockets: list[WSK_SOCKET | None] = []
        """By WskAcceptEvent."""
        self.told: list[Any] = []
        """By the callbacks of those sockets."""
        self.answer: Any = STATUS_SUCCESS
        self.inside: Callable[[WSK_SOCKET], object] = lambda Socket: None
        self.connection = WSK_CLIENT_CONNECTION_DISPATCH(self._received, self._disconnected, None)
        table: Any = WSK_CLIENT_LISTEN_DISPATCH(self._accepted)
        if Flags == WSK_FLAG_STREAM_SOCKET:
            table = WSK_CLIENT_STREAM_DISPATCH(table, None)
        options = {"Dispatch": table, "AddressFamily": side.listening}
        self.Socket: Any = lab.bound(lab.far, Flags, side.wildcard, PORT, **options)
        if Flags == WSK_FLAG_STREAM_SOCKET:
            ok(simple.listen(self.Socket))

    def _accepted(self, Context: Any, Flags: int, Local: Any, Remote: Any, Socket: Any, Out: Any, Table: Any) -> Any:
        self.sockets.append(Socket)
        if Socket is not None:
            Table[0] = self.connection
            self.inside(Socket)
        return self.answer

    def _received(self, Context: Any, Flags: int, Indication: Any, length: int, *out: Any) -> NTSTATUS:
        self.told.append(length)
        return STATUS_SUCCESS

    def _disconnected(self, Context: Any, Flags: int) -> NTSTATUS:
        self.told.append("disconnected")
        return STATUS_SUCCESS

    def enable(self, events: int = WSK_EVENT_ACCEPT) -> None:
        assert simple.control_events(self.Socket, events) == STATUS_SUCCESS
        self.lab.run(0)

    def dial(self) -> WSK_SOCKET:
        side, lab = self.side, self.lab
        Socket = lab.bound(
            lab.near, WSK_FLAG_CONNECTION_SOCKET, "::" if ":" in side.near else "0.0.0.0", AddressFamily=side.dialling
        )
        ok(simple.connect(Socket, simple.address(side.far, PORT)))
        lab.run(0.001)
        return Socket

    def accept(self) -> Request:
        return start(self.Socket.Dispatch.WskAccept, self.Socket, 0, None, None, None, None)

    def disable_what_is_due(self) -> None:
        """A connection has come and its event is disabled before that was called."""
        faults = faults_of(self.lab.far)
        faults.complete(delay=5 * MILLISECOND)
        self.dial()
        disabled = simple.control_events(self.Socket, WSK_EVENT_DISABLE | WSK_EVENT_ACCEPT)
        assert disabled == STATUS_EVENT_PENDING
        self.lab.run(0.1)
        faults.complete()
        assert self.sockets == []

    @property
    def resets(self) -> int:
        """That the far host has sent."""
        return sum(flags & RST != 0 for flags in answers(self.lab))


@pytest.fixture
def server(lab: Lab, Flags: int, side: Side) -> Server:
    return Server(lab, Flags, side)


@CATEGORIES
@FAMILIES
@pytest.mark.rule("R-145", "R-153")
def test_a_connection_whose_event_was_disabled_in_time_waits_for_a_request(lab: Lab, server: Server) -> None:
    server.enable()
    server.disable_what_is_due()
    later = server.dial()
    first, second, third = server.accept(), server.accept(), server.accept()

    assert (first.status, second.status, third.returned) == (STATUS_SUCCESS, STATUS_SUCCESS, STATUS_PENDING)
    local = simple.host_and_port(ok(simple.local_address(later)))
    assert simple.host_and_port(ok(simple.remote_address(second.information))) == (server.side.near, local[1])
    assert server.resets == 0


@CATEGORIES
@FAMILIES
@pytest.mark.rule("R-145", "R-151")
def test_a_connection_whose_event_was_disabled_in_time_comes_when_it_is_enabled_again(lab: Lab, server: Server) -> None:
    server.enable()
    server.disable_what_is_due()
    server.dial()
    server.enable()
    lab.run()

    assert len(server.sockets) == 2
    assert server.resets == 0


@CATEGORIES
@FAMILIES
def test_closing_resets_what_nobody_has_taken(lab: Lab, server: Server) -> None:
    server.enable()
    server.disable_what_is_due()
    server.dial()
    close = start(server.Socket.Dispatch.WskCloseSocket, server.Socket)
    lab.run(0.01)

    assert close.status == STATUS_SUCCESS
    assert server.resets == 2


@CATEGORIES
@FAMILIES
@pytest.mark.rule("D-23")
def test_a_listener_that_dies_resets_what_nobody_has_taken(lab: Lab, server: Server) -> None:
    server.enable()
    server.disable_what_is_due()
    server.dial()
    faults_of(lab.far).kill(server.Socket)
    lab.run(0.01)
    assert server.resets == 2

    assert server.accept().status == STATUS_FILE_FORCED_CLOSED
    assert start(server.Socket.Dispatch.WskCloseSocket, server.Socket).status == STATUS_SUCCESS
    lab.run(0.01)
    assert server.resets == 2


@CATEGORIES
@FAMILIES
@pytest.mark.rule("D-23")
def test_a_listener_that_dies_before_its_turn_resets_what_was_due(lab: Lab, server: Server) -> None:
    server.enable()
    faults_of(lab.far).complete(delay=5 * MILLISECOND)
    server.dial()
    simple.control_events(server.Socket, WSK_EVENT_DISABLE | WSK_EVENT_ACCEPT)
    faults_of(lab.far).kill(server.Socket)
    lab.run(0.1)

    assert server.sockets == []
    assert server.resets == 1


@CATEGORIES
@FAMILIES
@pytest.mark.rule("R-157")
def test_a_connection_that_is_refused_with_a_callback_due_hears_nothing(lab: Lab, server: Server) -> None:
    def enable(Socket: WSK_SOCKET) -> None:
        assert simple.control_events(Socket, WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT) == STATUS_SUCCESS

    near = server.dial()
    ok(simple.send(near, b"early"))
    server.inside, server.answer = enable, STATUS_REQUEST_NOT_ACCEPTED
    server.enable()
    lab.run()

    assert len(server.sockets) == 1
    assert server.told == []
    assert server.resets == 1
    assert start(server.Socket.Dispatch.WskCloseSocket, server.Socket).status == STATUS_SUCCESS
