"""Fine points of the events of connections: what becomes of those that are due when something else happens."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_datagrams import TO_FAR
from tests.support.wsk_lab import Lab, ok, start
from tests.support.wsk_tcp import send
from wsknet.net.changes import InterfaceRemoved
from wsknet.types import MILLISECOND
from wsknet.wsk import (
    NTSTATUS,
    STATUS_EVENT_PENDING,
    STATUS_INVALID_PARAMETER,
    STATUS_REQUEST_NOT_ACCEPTED,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_DISABLE,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_FLAG_ABORTIVE,
    WSK_FLAG_AT_DISPATCH_LEVEL,
    WSK_FLAG_CONNECTION_SOCKET,
    BugCheck,
    faults_of,
    simple,
)

GRACEFUL, ABORTIVE = WSK_FLAG_AT_DISPATCH_LEVEL, WSK_FLAG_AT_DISPATCH_LEVEL | WSK_FLAG_ABORTIVE


def bound(lab: Lab) -> Any:
    return lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)


def reset(Socket: Any) -> None:
    start(Socket.Dispatch.WskDisconnect, Socket, None, WSK_FLAG_ABORTIVE)


class Events:
    """The callbacks of a connection that one of the lab's hosts has."""

    def __init__(self, context: Any = "mine") -> None:
        self.told: list[Any] = []
        self.contexts: list[Any] = []
        self.sockets: list[Any] = []
        self.accepting: NTSTATUS = STATUS_SUCCESS
        self.clears = False
        self.dispatch = WSK_CLIENT_CONNECTION_DISPATCH(self.received, self.disconnected, None)

    def received(self, SocketContext: Any, Flags: int, Indication: Any, length: int, *out: Any) -> NTSTATUS:
        self.contexts.append(SocketContext)
        self.told.append(f"{length} bytes")
        return STATUS_SUCCESS

    def disconnected(self, SocketContext: Any, Flags: int) -> NTSTATUS:
        self.contexts.append(SocketContext)
        self.told.append(Flags)
        return STATUS_SUCCESS

    def accepted(self, Context: Any, Flags: int, Local: Any, Remote: Any, Socket: Any, Out: Any, Table: Any) -> Any:
        self.sockets.append(Socket)
        Table[0] = self.dispatch
        if self.clears:
            Out.clear()
        return self.accepting

    def listen(self, lab: Lab, events: int) -> None:
        listener = lab.listener(Dispatch=WSK_CLIENT_LISTEN_DISPATCH(self.accepted, None, None))
        assert simple.control_events(listener, events) == STATUS_SUCCESS


@pytest.fixture
def events() -> Events:
    return Events()


def late_callbacks(lab: Lab) -> None:
    """Of both hosts, so that something can happen before they are called."""
    for host in (lab.near, lab.far):
        faults_of(host).complete(delay=5 * MILLISECOND)


def test_without_a_table_there_is_nothing_to_enable(lab: Lab) -> None:
    near, _ = lab.pair(Dispatch=None)
    assert simple.control_events(near, WSK_EVENT_DISCONNECT) == STATUS_INVALID_PARAMETER


def test_a_reset_that_comes_before_the_end_was_told_is_told_after_it(lab: Lab, events: Events) -> None:
    near, far = lab.pair(Dispatch=events.dispatch, SocketContext="mine")
    simple.control_events(near, WSK_EVENT_DISCONNECT)
    late_callbacks(lab)
    start(far.Dispatch.WskDisconnect, far, None, 0)
    lab.run(0.001)
    reset(far)
    lab.run(0.001)
    assert events.told == []
    lab.run()

    assert (events.told, set(events.contexts)) == ([GRACEFUL, ABORTIVE], {"mine"})


def test_an_end_that_was_disabled_before_its_turn_is_told_once_it_is_enabled_again(lab: Lab, events: Events) -> None:
    near, far = lab.pair(Dispatch=events.dispatch)
    simple.control_events(near, WSK_EVENT_DISCONNECT)
    late_callbacks(lab)
    start(far.Dispatch.WskDisconnect, far, None, 0)
    lab.run(0.001)
    simple.control_events(near, WSK_EVENT_DISCONNECT | WSK_EVENT_DISABLE)
    lab.run()
    assert events.told == []
    simple.control_events(near, WSK_EVENT_DISCONNECT)
    lab.run()

    assert events.told == [GRACEFUL]


@pytest.mark.rule("R-295")
def test_a_reset_does_not_end_the_callback_that_is_due(lab: Lab, events: Events) -> None:
    near, far = lab.pair(Dispatch=events.dispatch)
    simple.control_events(near, WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT)
    late_callbacks(lab)
    start(far.Dispatch.WskSend, far, simple.buffer(b"data"), 0)
    lab.run(0.001)
    reset(far)
    lab.run(0.001)

    assert simple.control_events(near, WSK_EVENT_RECEIVE | WSK_EVENT_DISABLE) == STATUS_EVENT_PENDING
    lab.run()
    assert events.told == [ABORTIVE]


@pytest.mark.rule("R-161")
def test_a_connection_that_is_reset_before_it_is_accepted_is_told_so(lab: Lab, events: Events) -> None:
    events.listen(lab, WSK_EVENT_ACCEPT | WSK_EVENT_DISCONNECT)
    near = bound(lab)
    late_callbacks(lab)
    start(near.Dispatch.WskConnect, near, TO_FAR, 0)
    lab.run(0.003)
    reset(near)
    lab.run()

    assert (len(events.sockets), events.told) == (1, [ABORTIVE])


@pytest.mark.rule("D-23")
def test_a_connection_whose_interface_is_gone_before_it_is_accepted_hears_no_end(lab: Lab, events: Events) -> None:
    events.listen(lab, WSK_EVENT_ACCEPT | WSK_EVENT_DISCONNECT)
    near = bound(lab)
    late_callbacks(lab)
    start(near.Dispatch.WskConnect, near, TO_FAR, 0)
    lab.run(0.003)
    start(near.Dispatch.WskDisconnect, near, None, 0)
    lab.run(0.001)
    lab.far.apply(InterfaceRemoved(lab.far_interface.index))
    lab.run()

    assert (len(events.sockets), events.told) == (1, [])


def test_an_emptied_context_of_an_accepted_socket_is_null(lab: Lab, events: Events) -> None:
    events.clears = True
    events.listen(lab, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE)
    near = lab.connected()
    ok(simple.send(near, b"data"))
    lab.run()

    assert (events.told, events.contexts) == (["4 bytes"], [None])


@pytest.mark.rule("R-157", "R-257")
def test_a_connection_that_is_not_wanted_cannot_be_used(lab: Lab, events: Events) -> None:
    events.accepting = STATUS_REQUEST_NOT_ACCEPTED
    events.listen(lab, WSK_EVENT_ACCEPT)
    lab.connected()
    lab.run()

    with pytest.raises(BugCheck) as stop:
        send(events.sockets[0], b"data")
    assert stop.value.rule == "R-257"
