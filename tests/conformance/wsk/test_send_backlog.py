"""WskSendBacklogEvent (wsk.md 4.26)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import Lab, Request, ok
from tests.support.wsk_tcp import bound, families, far_address, listener, pair, send, size_of
from wsknet.wsk import (
    DISPATCH_LEVEL,
    NTSTATUS,
    SIO_WSK_QUERY_IDEAL_SEND_BACKLOG,
    SIO_WSK_QUERY_RECEIVE_BACKLOG,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_DISABLE,
    WSK_EVENT_SEND_BACKLOG,
    WSK_FLAG_CONNECTION_SOCKET,
    KeGetCurrentIrql,
    KeLowerIrql,
    KeRaiseIrql,
    simple,
)

LEAST = 1 << 16


class Heard:
    """A WskSendBacklogEvent that writes down what it is told."""

    def __init__(self) -> None:
        self.values: list[int] = []
        self.contexts: list[object] = []
        self.running = 0
        self.then: Any = None
        self.Dispatch = WSK_CLIENT_CONNECTION_DISPATCH(None, None, self.event)

    def event(self, SocketContext: object, IdealBacklogSize: int) -> NTSTATUS:
        assert (self.running, KeGetCurrentIrql()) == (0, DISPATCH_LEVEL)
        self.running += 1
        self.values.append(IdealBacklogSize)
        self.contexts.append(SocketContext)
        if self.then is not None:
            self.then()
        self.running -= 1
        return STATUS_SUCCESS


def pump_through(lab: Lab, source: Any, sink: Any, total: int, piece: int = 20_000) -> None:
    """Send `total` bytes in pieces, several at a time, while the other end receives."""
    requests: list[Request] = []
    while total > 0 or requests:
        requests = [request for request in requests if not request.is_done]
        while total > 0 and len(requests) < 40:
            requests.append(send(source, bytes(piece)))
            total -= piece
        lab.run(0.005)
        while size_of(sink, SIO_WSK_QUERY_RECEIVE_BACKLOG):
            ok(simple.receive(sink, 1 << 16))


@families
@pytest.mark.rule("R-312")
def test_the_event_tells_the_ideal_backlog_when_it_changes(lab: Lab, family: int) -> None:
    heard = Heard()
    near, far = pair(lab, family, Dispatch=heard.Dispatch, SocketContext="mine")
    assert simple.control_events(near, WSK_EVENT_SEND_BACKLOG) == STATUS_SUCCESS
    assert heard.values == []
    pump_through(lab, near, far, 2_000_000)

    assert heard.values
    assert heard.values == sorted(set(heard.values))
    assert heard.values[0] > LEAST
    assert heard.values[-1] == size_of(near, SIO_WSK_QUERY_IDEAL_SEND_BACKLOG)
    assert set(heard.contexts) == {"mine"}
    assert len(heard.values) < 8  # of some thousand acknowledgements


@pytest.mark.rule("R-312")
def test_a_loss_that_shrinks_the_window_far_enough_is_told(lab: Lab) -> None:
    heard = Heard()
    near, far = pair(lab, Dispatch=heard.Dispatch)
    pump_through(lab, near, far, 2_000_000)
    largest = size_of(near, SIO_WSK_QUERY_IDEAL_SEND_BACKLOG)
    assert simple.control_events(near, WSK_EVENT_SEND_BACKLOG) == STATUS_SUCCESS
    lab.cut()
    lost = send(near, bytes(20_000))
    lab.run(3)
    lab.cut(False)
    lab.run(10)

    assert lost.status == STATUS_SUCCESS
    assert heard.values
    assert heard.values[0] <= largest // 4


@pytest.mark.rule("R-312")
def test_nobody_is_told_who_has_not_asked(lab: Lab) -> None:
    heard = Heard()
    near, far = pair(lab, Dispatch=heard.Dispatch)
    pump_through(lab, near, far, 1_000_000)
    assert heard.values == []
    assert simple.control_events(near, WSK_EVENT_SEND_BACKLOG) == STATUS_SUCCESS
    assert heard.values == []  # what it was before it was asked for is no change
    assert simple.control_events(near, WSK_EVENT_SEND_BACKLOG | WSK_EVENT_DISABLE) == STATUS_SUCCESS
    pump_through(lab, near, far, 4_000_000)

    assert heard.values == []


@pytest.mark.rule("R-312")
def test_what_changed_while_the_event_was_off_is_told_when_it_is_on_again(lab: Lab) -> None:
    heard = Heard()
    near, far = pair(lab, Dispatch=heard.Dispatch)
    assert simple.control_events(near, WSK_EVENT_SEND_BACKLOG) == STATUS_SUCCESS
    assert simple.control_events(near, WSK_EVENT_SEND_BACKLOG | WSK_EVENT_DISABLE) == STATUS_SUCCESS
    pump_through(lab, near, far, 2_000_000)
    assert heard.values == []
    assert simple.control_events(near, WSK_EVENT_SEND_BACKLOG) == STATUS_SUCCESS

    assert heard.values == [size_of(near, SIO_WSK_QUERY_IDEAL_SEND_BACKLOG)]


@pytest.mark.rule("R-312")
def test_a_callback_may_send_and_is_not_called_inside_itself(lab: Lab) -> None:
    heard = Heard()
    near, far = pair(lab, Dispatch=heard.Dispatch)
    requests = []
    heard.then = lambda: requests.append(send(near, bytes(50_000)))
    assert simple.control_events(near, WSK_EVENT_SEND_BACKLOG) == STATUS_SUCCESS
    pump_through(lab, near, far, 2_000_000)
    lab.run()
    while size_of(far, SIO_WSK_QUERY_RECEIVE_BACKLOG):
        ok(simple.receive(far, 1 << 16))
        lab.run(0.1)

    assert len(requests) == len(heard.values) > 1
    assert {request.status for request in requests} == {STATUS_SUCCESS}


@pytest.mark.rule("R-312")
def test_what_changes_before_a_call_has_returned_is_told_once_after_it(lab: Lab) -> None:
    heard = Heard()
    near, _ = pair(lab, Dispatch=heard.Dispatch)
    assert simple.control_events(near, WSK_EVENT_SEND_BACKLOG) == STATUS_SUCCESS
    before: list[int] = []
    KeRaiseIrql(DISPATCH_LEVEL, before)  # holds callbacks back
    try:
        for _ in range(80):
            send(near, bytes(5000))
        lab.run(5)
    finally:
        KeLowerIrql(before[0])

    assert len(heard.values) == 2
    assert heard.values[1] == size_of(near, SIO_WSK_QUERY_IDEAL_SEND_BACKLOG) > 2 * heard.values[0]


@pytest.mark.rule("R-312")
def test_the_event_is_inherited_by_accepted_sockets(lab: Lab) -> None:
    heard, accepted = Heard(), []

    def accept(Context: Any, Flags: int, Local: Any, Remote: Any, AcceptSocket: Any, Out: Any, Table: Any) -> NTSTATUS:
        accepted.append(AcceptSocket)
        Out[0], Table[0] = "accepted", heard.Dispatch
        return STATUS_SUCCESS

    listening = listener(lab, Dispatch=WSK_CLIENT_LISTEN_DISPATCH(accept, None, None))
    assert simple.control_events(listening, WSK_EVENT_ACCEPT | WSK_EVENT_SEND_BACKLOG) == STATUS_SUCCESS
    near = bound(lab, lab.near, WSK_FLAG_CONNECTION_SOCKET)
    ok(simple.connect(near, far_address(2)))
    lab.run(0.01)
    pump_through(lab, accepted[0], near, 2_000_000)

    assert heard.values[0] > LEAST
    assert set(heard.contexts) == {"accepted"}
