"""What a socket keeps while one of its callbacks runs, what it gives back, and what stays with a dead one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import FAR, PORT, RST, Lab, Request, ok, start
from wsknet.types import MILLISECOND
from wsknet.wsk import (
    NPI_WSK_INTERFACE_ID,
    NTSTATUS,
    SIO_ADDRESS_LIST_CHANGE,
    SO_WSK_EVENT_CALLBACK,
    SOL_SOCKET,
    STATUS_CANCELLED,
    STATUS_EVENT_PENDING,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_STREAM_DISPATCH,
    WSK_DATA_INDICATION,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_CALLBACK_CONTROL,
    WSK_EVENT_DISABLE,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_FLAG_ABORTIVE,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SET_STATIC_EVENT_CALLBACKS,
    WSK_SOCKET,
    BugCheck,
    IoCancelIrp,
    IoFreeMdl,
    WskIoctl,
    WskSetOption,
    faults_of,
    simple,
    verify,
)

LOOPBACK = "127.0.0.1"
CONNECTING = pytest.mark.parametrize(
    "Flags", [WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_STREAM_SOCKET], ids=["connection", "stream"]
)


class Events:
    """The callbacks of a connection: what they hear, and what is done inside the one that receives."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.answer: Any = STATUS_SUCCESS
        self.inside: Any = None
        self.indications: list[WSK_DATA_INDICATION] = []

    def receive(self, SocketContext: Any, Flags: int, Indication: Any, length: int, *out: Any) -> NTSTATUS:
        self.told.append("receive")
        if Indication is not None:
            self.indications.append(Indication)
        if self.inside is not None:
            self.inside()
        self.told.append("received")
        return self.answer  # type: ignore[no-any-return]

    def disconnect(self, SocketContext: Any, Flags: int) -> NTSTATUS:
        self.told.append("disconnect")
        return STATUS_SUCCESS

    def dispatch(self, Flags: int) -> Any:
        table = WSK_CLIENT_CONNECTION_DISPATCH(self.receive, self.disconnect)
        return WSK_CLIENT_STREAM_DISPATCH(None, table) if Flags == WSK_FLAG_STREAM_SOCKET else table


def looped(lab: Lab, Flags: int, events: Events) -> tuple[WSK_SOCKET, WSK_SOCKET]:
    """A connection of the near host with itself, where everything arrives at once; the second end is a plain one."""
    listener = lab.bound(lab.near, WSK_FLAG_LISTEN_SOCKET, LOOPBACK, PORT)
    Socket = lab.bound(lab.near, Flags, LOOPBACK, Dispatch=events.dispatch(Flags))
    ok(simple.connect(Socket, simple.address(LOOPBACK, PORT)))
    return Socket, ok(simple.accept(listener))


def disable(Socket: WSK_SOCKET, event: int) -> Request:
    Control = WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, WSK_EVENT_DISABLE | event)
    arguments = (WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, Control.SIZE, Control, 0, None, None)
    return start(Socket.Dispatch.WskControlSocket, Socket, *arguments)


@CONNECTING
@pytest.mark.rule("R-294")
def test_disabling_one_event_does_not_wait_for_another_only(lab: Lab, Flags: int) -> None:
    events = Events()
    Socket, peer = looped(lab, Flags, events)
    simple.control_events(Socket, WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT)
    requests: list[Request] = []

    def inside() -> None:
        start(peer.Dispatch.WskDisconnect, peer, None, WSK_FLAG_ABORTIVE)
        requests.append(disable(Socket, WSK_EVENT_DISCONNECT))
        requests[0].then = lambda: events.told.append("disabled")

    events.inside = inside
    start(peer.Dispatch.WskSend, peer, simple.buffer(b"data"), 0)
    lab.run(0)

    assert requests[0].returned == STATUS_PENDING
    assert requests[0].completions == [(STATUS_SUCCESS, 0)]
    assert events.told == ["receive", "received", "disabled"]


@CONNECTING
@pytest.mark.rule("R-293", "R-295")
def test_the_events_of_a_connection_can_be_disabled(lab: Lab, Flags: int) -> None:
    events = Events()
    Socket, peer = looped(lab, Flags, events)
    simple.control_events(Socket, WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT)
    statuses: list[NTSTATUS] = []
    events.inside = lambda: statuses.append(simple.control_events(Socket, WSK_EVENT_DISABLE | WSK_EVENT_RECEIVE))
    ok(simple.send(peer, b"first"))
    ok(simple.send(peer, b"second"))
    for event in (WSK_EVENT_RECEIVE, WSK_EVENT_DISCONNECT):
        assert disable(Socket, event).completions == [(STATUS_SUCCESS, 0)]
    assert ok(simple.receive(Socket)) == b"second"
    ok(simple.disconnect(peer))
    lab.run()

    assert statuses == [STATUS_EVENT_PENDING]
    assert events.told == ["receive", "received"]


@pytest.mark.rule("D-23")
@pytest.mark.parametrize(
    "Flags",
    [
        WSK_FLAG_BASIC_SOCKET,
        WSK_FLAG_LISTEN_SOCKET,
        WSK_FLAG_CONNECTION_SOCKET,
        WSK_FLAG_DATAGRAM_SOCKET,
        WSK_FLAG_STREAM_SOCKET,
    ],
    ids=["basic", "listening", "connection", "datagram", "stream"],
)
def test_a_socket_that_dies_before_it_has_a_name_ends_what_pends(lab: Lab, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags)
    waits = (WskIoctl, SIO_ADDRESS_LIST_CHANGE, 0, 0, None, 0, None, None)
    change = start(Socket.Dispatch.WskControlSocket, Socket, *waits)
    cancelled = start(Socket.Dispatch.WskControlSocket, Socket, *waits)
    assert IoCancelIrp(cancelled.Irp)
    assert (cancelled.completions, change.completions) == ([(STATUS_CANCELLED, 0)], [])
    faults_of(lab.near).kill(Socket)
    lab.run(0)

    assert change.completions == [(STATUS_FILE_FORCED_CLOSED, 0)]
    assert start(Socket.Dispatch.WskControlSocket, Socket, *waits).status == STATUS_FILE_FORCED_CLOSED
    assert start(Socket.Dispatch.WskCloseSocket, Socket).status == STATUS_SUCCESS


@CONNECTING
@pytest.mark.rule("R-230")
@pytest.mark.parametrize("is_on", [True, False], ids=["verifier", "none"])
def test_an_indication_is_given_back_and_nothing_else_is(lab: Lab, Flags: int, is_on: bool) -> None:
    verify(lab.near, is_on)
    events = Events()
    Socket, peer = looped(lab, Flags, events)
    simple.control_events(Socket, WSK_EVENT_RECEIVE)
    events.answer = STATUS_PENDING
    ok(simple.send(peer, b"kept"))
    release = Socket.Dispatch.WskRelease
    foreign: Any = object()

    assert release(Socket, foreign) == STATUS_INVALID_PARAMETER
    events.indications[0].Next = foreign
    assert release(Socket, events.indications[0]) == STATUS_INVALID_PARAMETER
    events.indications[0].Next = None
    assert release(Socket, events.indications[0]) == STATUS_SUCCESS
    assert start(Socket.Dispatch.WskCloseSocket, Socket).status == STATUS_SUCCESS


@CONNECTING
@pytest.mark.rule("R-248")
def test_a_send_that_is_cancelled_resets_the_connection(lab: Lab, Flags: int) -> None:
    listener = lab.listener()
    Socket = lab.bound(lab.near, Flags)
    ok(simple.connect(Socket, simple.address(FAR, PORT)))
    ok(simple.accept(listener))
    request = start(Socket.Dispatch.WskSend, Socket, simple.buffer(b"never acknowledged"), 0)
    assert request.returned == STATUS_PENDING
    assert IoCancelIrp(request.Irp)
    lab.run(0)

    assert request.completions == [(STATUS_CANCELLED, 0)]
    assert lab.near_wire.tcp_flags()[-1] & RST


@CONNECTING
@pytest.mark.rule("R-252")
def test_a_callback_that_is_due_is_not_called_after_the_close(lab: Lab, Flags: int) -> None:
    events = Events()
    Socket, peer = looped(lab, Flags, events)
    simple.control_events(Socket, WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT)
    faults_of(lab.near).complete(delay=5 * MILLISECOND)
    start(peer.Dispatch.WskSend, peer, simple.buffer(b"data"), 0)
    start(peer.Dispatch.WskDisconnect, peer, None, WSK_FLAG_ABORTIVE)
    close = start(Socket.Dispatch.WskCloseSocket, Socket)
    lab.run(0.1)

    assert close.completions == [(STATUS_SUCCESS, 0)]
    assert events.told == []


@CONNECTING
def test_a_request_has_no_cancel_routine_any_more_when_it_completes(lab: Lab, Flags: int) -> None:
    Socket, peer = looped(lab, Flags, Events())
    request = start(Socket.Dispatch.WskReceive, Socket, simple.buffer(bytearray(4)), 0)
    assert request.Irp.CancelRoutine is not None
    seen: list[Any] = []
    request.then = lambda: seen.append(request.Irp.CancelRoutine)
    ok(simple.send(peer, b"data"))

    assert request.completions == [(STATUS_SUCCESS, 4)]
    assert seen == [None]


@CONNECTING
@pytest.mark.rule("R-351")
def test_a_chain_that_a_disconnect_has_is_not_to_be_freed(lab: Lab, Flags: int) -> None:
    verify(lab.near)
    listener = lab.listener()
    Socket = lab.bound(lab.near, Flags)
    ok(simple.connect(Socket, simple.address(FAR, PORT)))
    ok(simple.accept(listener))
    Buffer = simple.buffer(b"last words")
    assert Buffer.Mdl is not None
    request = start(Socket.Dispatch.WskDisconnect, Socket, Buffer, 0)
    assert request.returned == STATUS_PENDING
    with pytest.raises(BugCheck) as stop:
        IoFreeMdl(Buffer.Mdl)
    assert stop.value.rule == "R-351"

    lab.run()
    assert request.status == STATUS_SUCCESS
    IoFreeMdl(Buffer.Mdl)


@CONNECTING
def test_a_greeting_is_repeated_until_it_arrives(lab: Lab, Flags: int) -> None:
    listener = lab.listener()
    Socket = lab.bound(lab.near, Flags)
    greeted = start(Socket.Dispatch.WskConnectEx, Socket, simple.address(FAR, PORT), simple.buffer(b"hello"), 0)
    greeted.then = lab.cut
    lab.run(1)
    assert greeted.completions == [(STATUS_SUCCESS, 0)]
    lab.cut(False)
    lab.run(5)

    assert ok(simple.receive(ok(simple.accept(listener)))) == b"hello"


@pytest.mark.rule("R-330")
def test_a_stream_socket_that_connects_has_no_static_event_of_listeners(lab: Lab) -> None:
    events = Events()
    both = WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE)
    status = lab.near_application.control(WSK_SET_STATIC_EVENT_CALLBACKS, both.SIZE, both, 0, None, None)
    assert status == STATUS_SUCCESS
    Socket, peer = looped(lab, WSK_FLAG_STREAM_SOCKET, events)
    ok(simple.send(peer, b"data"))

    assert events.told == ["receive", "received"]
    assert start(Socket.Dispatch.WskCloseSocket, Socket).status == STATUS_SUCCESS
