"""WskReceiveEvent that is disabled, or whose socket is closed, from outside and from inside (wsk.md 4.23)."""

from __future__ import annotations

import pytest

from tests.support.wsk_lab import Lab, Request, ok, start
from tests.support.wsk_receiver import Receiver, pair
from wsknet.wsk import (
    NPI_WSK_INTERFACE_ID,
    NTSTATUS,
    SO_WSK_EVENT_CALLBACK,
    SOL_SOCKET,
    STATUS_CANCELLED,
    STATUS_EVENT_PENDING,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_EVENT_CALLBACK_CONTROL,
    WSK_EVENT_DISABLE,
    WSK_EVENT_RECEIVE,
    WSK_SOCKET,
    WskSetOption,
    simple,
)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


def disable(Socket: WSK_SOCKET, event: int = WSK_EVENT_RECEIVE) -> NTSTATUS:
    return simple.control_events(Socket, WSK_EVENT_DISABLE | event)


def disable_with_irp(Socket: WSK_SOCKET) -> Request:
    Control = WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, WSK_EVENT_DISABLE | WSK_EVENT_RECEIVE)
    arguments = (WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, Control.SIZE, Control, 0, None, None)
    return start(Socket.Dispatch.WskControlSocket, Socket, *arguments)


@pytest.mark.rule("R-235", "R-293")
def test_no_event_after_it_has_been_disabled(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    assert disable(near) == STATUS_SUCCESS
    ok(simple.send(far, b"kept"))
    lab.run()

    assert receiver.got == []
    assert ok(simple.receive(near)) == b"kept"


@pytest.mark.rule("R-295", "R-235")
def test_disabling_inside_the_event_without_an_irp(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    returned: list[NTSTATUS] = []
    receiver.inside = lambda: returned.append(disable(near))
    ok(simple.send(far, b"one"))
    ok(simple.send(far, b"two"))
    lab.run()

    assert returned == [STATUS_EVENT_PENDING]
    assert receiver.got == [b"one"]


@pytest.mark.rule("R-294")
def test_disabling_inside_the_event_with_an_irp(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    requests: list[Request] = []
    done_inside: list[bool] = []

    def inside() -> None:
        requests.append(disable_with_irp(near))
        done_inside.append(requests[0].is_done)

    receiver.inside = inside
    ok(simple.send(far, b"one"))

    assert (requests[0].returned, done_inside) == (STATUS_PENDING, [False])
    assert (requests[0].status, requests[0].was_pending) == (STATUS_SUCCESS, [True])
    assert disable_with_irp(near).completions == [(STATUS_SUCCESS, 0)]


@pytest.mark.rule("R-251", "R-252")
def test_closing_inside_the_event_waits_for_its_return(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    requests: list[Request] = []
    done_inside: list[bool] = []

    def inside() -> None:
        requests.append(disable_with_irp(near))
        requests.append(start(near.Dispatch.WskCloseSocket, near))
        done_inside.append(requests[1].is_done)

    receiver.inside = inside
    start(far.Dispatch.WskSend, far, simple.buffer(b"one"), 0)
    lab.run()

    assert (requests[1].returned, done_inside) == (STATUS_PENDING, [False])
    assert requests[1].completions == [(STATUS_SUCCESS, 0)]
    assert requests[0].completions == [(STATUS_CANCELLED, 0)]
    assert receiver.got == [b"one"]
    assert receiver.ends == []
