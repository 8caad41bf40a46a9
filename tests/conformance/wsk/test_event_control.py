"""SO_WSK_EVENT_CALLBACK: enabling and disabling of events, also while they run (wsk.md 5.3)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.support.wsk_lab import FAR, PORT, Lab, Request, ok, start
from wsknet.wsk import (
    GUID,
    IPPROTO_TCP,
    NPI_WSK_INTERFACE_ID,
    NT_SUCCESS,
    NTSTATUS,
    SO_WSK_EVENT_CALLBACK,
    SOL_SOCKET,
    STATUS_CANCELLED,
    STATUS_EVENT_PENDING,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_PENDING,
    STATUS_REQUEST_NOT_ACCEPTED,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_CALLBACK_CONTROL,
    WSK_EVENT_DISABLE,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_RECEIVE_FROM,
    WSK_EVENT_SEND_BACKLOG,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SOCKET,
    IoCancelIrp,
    WskGetOption,
    WskSetOption,
    simple,
)

ACCEPT, RECEIVE, DISCONNECT, RECEIVE_FROM, BACKLOG = (
    WSK_EVENT_ACCEPT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE_FROM,
    WSK_EVENT_SEND_BACKLOG,
)


def arguments_of(mask: int, NpiId: GUID | None = NPI_WSK_INTERFACE_ID, Level: int = SOL_SOCKET) -> tuple[Any, ...]:
    Control = WSK_EVENT_CALLBACK_CONTROL(NpiId, mask)
    return (WskSetOption, SO_WSK_EVENT_CALLBACK, Level, Control.SIZE, Control, 0, None, None)


def control(Socket: WSK_SOCKET, mask: int) -> NTSTATUS:
    return simple.control_events(Socket, mask)


def control_with_irp(Socket: WSK_SOCKET, mask: int) -> Request:
    return start(Socket.Dispatch.WskControlSocket, Socket, *arguments_of(mask))


class Running:
    """A socket of the near host with one event enabled, and what makes its callback run."""

    def __init__(self, lab: Lab, event: int) -> None:
        self.lab = lab
        self.event = event
        self.calls = 0
        self.inside: Callable[[], object] | None = None
        self.cause: Callable[[], object]
        dispatch: Any
        if event == RECEIVE_FROM:
            self.Socket = lab.datagram(lab.near, PORT, Dispatch=WSK_CLIENT_DATAGRAM_DISPATCH(self.called))
            peer = lab.datagram(lab.far)
            self.cause = lambda: simple.send_to(peer, b"data", simple.address("192.0.2.1", PORT))
        elif event == ACCEPT:
            dispatch = WSK_CLIENT_LISTEN_DISPATCH(self.called)
            self.Socket = lab.bound(lab.near, WSK_FLAG_LISTEN_SOCKET, "0.0.0.0", PORT, Dispatch=dispatch)
            self.cause = self.connect
        else:
            dispatch = WSK_CLIENT_CONNECTION_DISPATCH(self.called, self.called, None)
            self.Socket, far = lab.pair(Dispatch=dispatch)
            self.cause = lambda: simple.send(far, b"data") if event == RECEIVE else simple.disconnect(far)
        assert control(self.Socket, event) == STATUS_SUCCESS

    def connect(self) -> Any:
        Socket = self.lab.bound(self.lab.far, WSK_FLAG_CONNECTION_SOCKET)
        return simple.connect(Socket, simple.address("192.0.2.1", PORT), seconds=1.0)

    def called(self, *arguments: Any) -> NTSTATUS:
        self.calls += 1
        inside, self.inside = self.inside, None
        if inside is not None:
            inside()
        return STATUS_REQUEST_NOT_ACCEPTED if self.event == ACCEPT else STATUS_SUCCESS

    def run(self, inside: Callable[[], object] | None = None) -> None:
        self.inside = inside
        self.cause()
        self.lab.run()


EVENTS = pytest.mark.parametrize(
    "event", [ACCEPT, RECEIVE, DISCONNECT, RECEIVE_FROM], ids=["accept", "receive", "disconnect", "receive from"]
)
REPEATED = pytest.mark.parametrize("event", [ACCEPT, RECEIVE, RECEIVE_FROM], ids=["accept", "receive", "receive from"])


# Disabling


@pytest.mark.rule("R-293")
@EVENTS
@pytest.mark.parametrize("has_irp", [False, True])
def test_what_does_not_run_is_disabled_at_once(lab: Lab, event: int, has_irp: bool) -> None:
    running = Running(lab, event)
    if has_irp:
        request = control_with_irp(running.Socket, WSK_EVENT_DISABLE | event)
        assert (request.returned, request.completions) == (STATUS_SUCCESS, [(STATUS_SUCCESS, 0)])
    else:
        assert control(running.Socket, WSK_EVENT_DISABLE | event) == STATUS_SUCCESS
    running.run()
    assert running.calls == 0
    assert control(running.Socket, event) == STATUS_SUCCESS
    lab.run()
    assert running.calls == 1


@pytest.mark.rule("R-295", "R-296")
@EVENTS
def test_without_an_irp_a_running_event_is_pending_which_is_a_success(lab: Lab, event: int) -> None:
    running = Running(lab, event)
    returned: list[NTSTATUS] = []
    running.run(lambda: returned.append(control(running.Socket, WSK_EVENT_DISABLE | event)))

    assert returned == [STATUS_EVENT_PENDING]
    assert NT_SUCCESS(returned[0])
    assert control(running.Socket, WSK_EVENT_DISABLE | event) == STATUS_SUCCESS
    if event != DISCONNECT:
        running.run()
    assert running.calls == 1


@pytest.mark.rule("R-294")
@EVENTS
def test_with_irps_they_complete_when_the_callback_has_returned(lab: Lab, event: int) -> None:
    running = Running(lab, event)
    requests: list[Request] = []
    order: list[str] = []

    def inside() -> None:
        for _ in range(2):
            requests.append(control_with_irp(running.Socket, WSK_EVENT_DISABLE | event))
            requests[-1].then = lambda: order.append("completed")
        assert [(request.returned, request.is_done) for request in requests] == [(STATUS_PENDING, False)] * 2
        order.append("returns")

    running.run(inside)
    assert order == ["returns", "completed", "completed"]
    for request in requests:
        assert (request.completions, request.was_pending) == ([(STATUS_SUCCESS, 0)], [True])
    if event != DISCONNECT:
        running.run()
    assert running.calls == 1


@pytest.mark.rule("R-294")
def test_an_irp_waits_for_its_own_event_alone(lab: Lab) -> None:
    running = Running(lab, RECEIVE)
    assert control(running.Socket, DISCONNECT) == STATUS_SUCCESS
    order: list[int] = []

    def inside() -> None:
        for event in (RECEIVE, DISCONNECT):
            request = control_with_irp(running.Socket, WSK_EVENT_DISABLE | event)
            request.then = partial(order.append, event)

    running.run(inside)
    assert order == [DISCONNECT, RECEIVE]


@pytest.mark.rule("R-294")
@REPEATED
def test_it_can_be_enabled_again_before_the_callback_returns(lab: Lab, event: int) -> None:
    running = Running(lab, event)
    requests: list[Request] = []

    def inside() -> None:
        requests.append(control_with_irp(running.Socket, WSK_EVENT_DISABLE | event))
        assert control(running.Socket, event) == STATUS_SUCCESS

    running.run(inside)
    assert requests[0].completions == [(STATUS_SUCCESS, 0)]
    running.run()
    assert running.calls == 2


@pytest.mark.rule("R-294", "R-250")
@EVENTS
def test_a_close_meanwhile_cancels_the_irp_and_waits_for_the_callback(lab: Lab, event: int) -> None:
    running = Running(lab, event)
    Socket, requests = running.Socket, []  # type: tuple[Any, list[Request]]

    def inside() -> None:
        requests.append(control_with_irp(Socket, WSK_EVENT_DISABLE | event))
        requests.append(start(Socket.Dispatch.WskCloseSocket, Socket))
        assert not requests[1].is_done

    running.run(inside)
    assert [request.completions for request in requests] == [[(STATUS_CANCELLED, 0)], [(STATUS_SUCCESS, 0)]]


@pytest.mark.rule("R-294")
def test_disabling_cannot_be_cancelled(lab: Lab) -> None:
    running = Running(lab, RECEIVE)
    requests: list[Request] = []

    def inside() -> None:
        requests.append(control_with_irp(running.Socket, WSK_EVENT_DISABLE | RECEIVE))
        assert not IoCancelIrp(requests[0].Irp)

    running.run(inside)
    assert requests[0].completions == [(STATUS_SUCCESS, 0)]


@pytest.mark.rule("R-292", "D-15")
@pytest.mark.parametrize("has_irp", [False, True])
def test_one_event_is_disabled_at_a_time(lab: Lab, has_irp: bool) -> None:
    running = Running(lab, RECEIVE)
    mask = WSK_EVENT_DISABLE | RECEIVE | DISCONNECT
    status = control_with_irp(running.Socket, mask).status if has_irp else control(running.Socket, mask)
    running.run()

    assert (status, running.calls) == (STATUS_INVALID_PARAMETER, 1)


@pytest.mark.rule("R-293", "R-292")
def test_an_event_that_was_never_enabled_is_disabled_already(lab: Lab) -> None:
    near, _ = lab.pair()

    assert control(near, WSK_EVENT_DISABLE | BACKLOG) == STATUS_SUCCESS


@pytest.mark.rule("D-15")
def test_events_that_are_inherited_are_never_disabled_on_the_listening_socket(lab: Lab) -> None:
    received: list[Any] = []
    sockets: list[Any] = []

    def receive(*arguments: Any) -> NTSTATUS:
        received.append(arguments[3])
        return STATUS_SUCCESS

    connection = WSK_CLIENT_CONNECTION_DISPATCH(receive)

    def accept(*arguments: Any) -> NTSTATUS:
        sockets.append(arguments[4])
        arguments[6][0] = connection
        return STATUS_SUCCESS

    listener = lab.listener(Dispatch=WSK_CLIENT_LISTEN_DISPATCH(accept))
    assert control(listener, ACCEPT | RECEIVE) == STATUS_SUCCESS
    assert control(listener, WSK_EVENT_DISABLE | RECEIVE) == STATUS_INVALID_PARAMETER
    assert control(listener, WSK_EVENT_DISABLE | ACCEPT) == STATUS_SUCCESS
    near = lab.connected()
    assert not sockets
    assert control(listener, ACCEPT) == STATUS_SUCCESS
    ok(simple.send(near, b"data"))
    lab.run()

    assert received == [4]
    assert control(sockets[0], WSK_EVENT_DISABLE | RECEIVE) == STATUS_SUCCESS


# Enabling


@pytest.mark.rule("R-291", "D-15")
@pytest.mark.parametrize("has_irp", [False, True])
def test_of_a_mask_with_a_missing_function_nothing_is_enabled(lab: Lab, has_irp: bool) -> None:
    calls: list[Any] = []
    dispatch = WSK_CLIENT_CONNECTION_DISPATCH(lambda *arguments: calls.append(arguments), None, None)
    near, far = lab.pair(Dispatch=dispatch)
    mask = RECEIVE | DISCONNECT
    status = control_with_irp(near, mask).status if has_irp else control(near, mask)
    assert status == STATUS_INVALID_PARAMETER
    ok(simple.send(far, b"data"))
    lab.run()

    assert not calls
    assert ok(simple.receive(near)) == b"data"


@pytest.mark.rule("R-291")
def test_several_events_at_once_are_all_enabled_and_enabling_twice_changes_nothing(lab: Lab) -> None:
    calls: list[str] = []

    def callback(name: str) -> Callable[..., NTSTATUS]:
        def called(*arguments: object) -> NTSTATUS:
            calls.append(name)
            return STATUS_SUCCESS

        return called

    dispatch = WSK_CLIENT_CONNECTION_DISPATCH(callback("receive"), callback("disconnect"))
    near, far = lab.pair(Dispatch=dispatch)
    for _ in range(2):
        assert control(near, RECEIVE | DISCONNECT) == STATUS_SUCCESS
    ok(simple.send(far, b"data"))
    ok(simple.disconnect(far))
    lab.run()

    assert calls == ["receive", "disconnect"]


@pytest.mark.rule("R-297", "R-298", "D-15")
@pytest.mark.parametrize("has_irp", [False, True])
@pytest.mark.parametrize(
    ("Flags", "event"),
    [
        (WSK_FLAG_LISTEN_SOCKET, ACCEPT),
        (WSK_FLAG_CONNECTION_SOCKET, RECEIVE),
        (WSK_FLAG_STREAM_SOCKET, ACCEPT),
        (WSK_FLAG_STREAM_SOCKET, RECEIVE),
    ],
)
def test_before_bind_nothing_can_be_enabled(lab: Lab, Flags: int, event: int, has_irp: bool) -> None:
    Socket = lab.socket(lab.near, Flags)
    status = control_with_irp(Socket, event).status if has_irp else control(Socket, event)
    assert status == STATUS_INVALID_DEVICE_STATE


@pytest.mark.rule("R-300", "R-297")
def test_an_irp_is_completed_also_when_data_has_been_waiting(lab: Lab) -> None:
    running = Running(lab, RECEIVE_FROM)
    assert control(running.Socket, WSK_EVENT_DISABLE | RECEIVE_FROM) == STATUS_SUCCESS
    running.run()
    request = control_with_irp(running.Socket, RECEIVE_FROM)

    assert (request.completions, running.calls) == ([(STATUS_SUCCESS, 0)], 1)


@pytest.mark.rule("R-299", "D-15")
@pytest.mark.parametrize("mask", [0, 1, RECEIVE, WSK_EVENT_DISABLE | RECEIVE])
@pytest.mark.parametrize("NpiId", [NPI_WSK_INTERFACE_ID, GUID(1), None])
def test_a_basic_socket_has_no_events_without_an_extension(lab: Lab, mask: int, NpiId: GUID | None) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_BASIC_SOCKET)
    arguments = arguments_of(mask, NpiId)

    assert Socket.Dispatch.WskControlSocket(Socket, *arguments, None) == STATUS_INVALID_PARAMETER
    request = start(Socket.Dispatch.WskControlSocket, Socket, *arguments)
    assert request.completions == [(STATUS_INVALID_PARAMETER, 0)]


@pytest.mark.rule("R-299", "D-15")
@pytest.mark.parametrize("mask", [RECEIVE_FROM, WSK_EVENT_DISABLE | RECEIVE_FROM])
def test_the_interface_of_an_unknown_extension_changes_nothing(lab: Lab, mask: int) -> None:
    running = Running(lab, RECEIVE_FROM)
    Socket = running.Socket
    for NpiId in (GUID(1), None):
        arguments = arguments_of(mask, NpiId)
        assert Socket.Dispatch.WskControlSocket(Socket, *arguments, None) == STATUS_INVALID_PARAMETER
    running.run()

    assert running.calls == 1


@pytest.mark.rule("D-17")
def test_it_is_an_option_of_sol_socket_that_cannot_be_read(lab: Lab) -> None:
    Socket = lab.datagram(lab.near)
    other = start(Socket.Dispatch.WskControlSocket, Socket, *arguments_of(RECEIVE_FROM, Level=IPPROTO_TCP))
    read = (WskGetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, 0, None, 16, bytearray(16), None)

    assert other.status == STATUS_NOT_SUPPORTED
    assert start(Socket.Dispatch.WskControlSocket, Socket, *read).status == STATUS_NOT_SUPPORTED


@pytest.mark.rule("R-298")
def test_a_connection_that_is_being_made_has_no_events_yet(lab: Lab) -> None:
    dispatch = WSK_CLIENT_CONNECTION_DISPATCH(lambda *arguments: STATUS_SUCCESS)
    lab.cut()
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, Dispatch=dispatch)
    start(Socket.Dispatch.WskConnect, Socket, simple.address(FAR, PORT), 0)

    assert control(Socket, RECEIVE) == STATUS_INVALID_DEVICE_STATE
