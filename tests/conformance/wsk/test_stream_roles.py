"""A stream socket does in each of its roles what a listening socket and a connection socket do (D-16)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import FAR, PORT, Lab, Request, ok, start
from wsknet.wsk import (
    NTSTATUS,
    SIO_ADDRESS_LIST_CHANGE,
    STATUS_CANCELLED,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_REQUEST_NOT_ACCEPTED,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_CLIENT_STREAM_DISPATCH,
    WSK_DATA_INDICATION,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_RECEIVE,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SOCKET,
    BugCheck,
    IoCancelIrp,
    MmGetSystemAddressForMdlSafe,
    WskIoctl,
    faults_of,
    simple,
    verify,
)

pytestmark = pytest.mark.rule("D-16")


class Events:
    """Callbacks of both roles, which note what they are told."""

    def __init__(self) -> None:
        self.contexts: list[Any] = []
        self.data = b""
        self.accepted: list[WSK_SOCKET | None] = []

    def accept(self, SocketContext: Any, Flags: int, Local: Any, Remote: Any, Accepted: Any, *out: Any) -> NTSTATUS:
        self.contexts.append(SocketContext)
        self.accepted.append(Accepted)
        return STATUS_REQUEST_NOT_ACCEPTED

    def receive(
        self, SocketContext: Any, Flags: int, Indication: WSK_DATA_INDICATION | None, length: int, *out: Any
    ) -> NTSTATUS:
        self.contexts.append(SocketContext)
        while Indication is not None:
            Buffer = Indication.Buffer
            assert Buffer.Mdl is not None
            memory = MmGetSystemAddressForMdlSafe(Buffer.Mdl, 0)
            assert memory is not None
            self.data += bytes(memory[Buffer.Offset : Buffer.Offset + Buffer.Length])
            Indication = Indication.Next
        return STATUS_SUCCESS

    @property
    def dispatch(self) -> WSK_CLIENT_STREAM_DISPATCH:
        return WSK_CLIENT_STREAM_DISPATCH(
            WSK_CLIENT_LISTEN_DISPATCH(self.accept), WSK_CLIENT_CONNECTION_DISPATCH(self.receive)
        )


@pytest.fixture
def events() -> Events:
    return Events()


def listening(lab: Lab, events: Events, port: int = PORT) -> WSK_SOCKET:
    options: dict[str, Any] = {"SocketContext": "the context", "Dispatch": events.dispatch}
    Socket = lab.bound(lab.far, WSK_FLAG_STREAM_SOCKET, port=port, **options)
    ok(simple.listen(Socket))
    return Socket


def connected(lab: Lab, events: Events) -> tuple[WSK_SOCKET, WSK_SOCKET]:
    """A stream socket of the near host and its peer."""
    listener = lab.listener()
    options: dict[str, Any] = {"SocketContext": "the context", "Dispatch": events.dispatch}
    Socket = lab.bound(lab.near, WSK_FLAG_STREAM_SOCKET, **options)
    ok(simple.connect(Socket, simple.address(FAR, PORT)))
    return Socket, ok(simple.accept(listener))


def accept(Socket: WSK_SOCKET) -> Request:
    return start(Socket.Dispatch.WskAccept, Socket, 0, None, None, None, None)


def receive(Socket: WSK_SOCKET) -> Request:
    return start(Socket.Dispatch.WskReceive, Socket, simple.buffer(bytearray(9)), 0)


def test_an_accept_can_be_cancelled(lab: Lab, events: Events) -> None:
    Socket = listening(lab, events)
    request = accept(Socket)
    IoCancelIrp(request.Irp)

    assert request.completions == [(STATUS_CANCELLED, 0)]
    assert accept(Socket).returned == STATUS_PENDING


def test_a_receive_and_a_connect_can_be_cancelled(lab: Lab, events: Events) -> None:
    Socket, peer = connected(lab, events)
    request = receive(Socket)
    assert request.returned == STATUS_PENDING
    IoCancelIrp(request.Irp)
    lab.run()
    assert request.completions == [(STATUS_CANCELLED, 0)]
    ok(simple.send(peer, b"later"))
    assert ok(simple.receive(Socket)) == b"later"

    lab.cut()
    other = lab.bound(lab.near, WSK_FLAG_STREAM_SOCKET)
    connect = start(other.Dispatch.WskConnect, other, simple.address(FAR, PORT), 0)
    IoCancelIrp(connect.Irp)
    lab.run()
    assert connect.completions == [(STATUS_CANCELLED, 0)]


def test_closing_cancels_the_requests_of_both_roles(lab: Lab, events: Events) -> None:
    Socket, _ = connected(lab, events)
    listener = listening(lab, events, PORT + 1)
    requests = [receive(Socket), accept(listener)]
    closes = [start(one.Dispatch.WskCloseSocket, one) for one in (Socket, listener)]
    lab.run()

    assert [request.completions for request in requests] == [[(STATUS_CANCELLED, 0)]] * 2
    assert [close.status for close in closes] == [STATUS_SUCCESS] * 2


def test_a_killed_socket_ends_the_requests_of_both_roles(lab: Lab, events: Events) -> None:
    Socket, _ = connected(lab, events)
    listener = listening(lab, events, PORT + 1)
    requests = [receive(Socket), accept(listener)]
    changes = [
        start(one.Dispatch.WskControlSocket, one, WskIoctl, SIO_ADDRESS_LIST_CHANGE, 0, 0, None, 0, None, None)
        for one in (Socket, listener)
    ]
    faults_of(lab.near).kill(Socket)
    faults_of(lab.far).kill(listener)
    lab.run()

    assert [request.status for request in (*requests, *changes)] == [STATUS_FILE_FORCED_CLOSED] * 4


def test_what_waits_is_indicated_when_the_event_is_enabled(lab: Lab, events: Events) -> None:
    Socket, peer = connected(lab, events)
    ok(simple.send(peer, b"waits"))
    lab.run()
    simple.control_events(Socket, WSK_EVENT_RECEIVE)
    lab.run()

    assert (events.data, events.contexts) == (b"waits", ["the context"])


def test_a_connection_that_waits_is_handed_out_when_the_event_is_enabled(lab: Lab, events: Events) -> None:
    Socket = listening(lab, events)
    lab.connected()
    assert events.accepted == []
    with lab.far.activate():
        simple.control_events(Socket, WSK_EVENT_ACCEPT)
    lab.run()

    assert len(events.accepted) == 1
    assert events.contexts == ["the context"]


def test_events_before_there_is_a_role_are_misuse(lab: Lab, events: Events) -> None:
    verify(lab.near)
    for Flags, table in (
        (WSK_FLAG_STREAM_SOCKET, events.dispatch),
        (WSK_FLAG_LISTEN_SOCKET, events.dispatch.Listen),
    ):
        Socket = lab.socket(lab.near, Flags, Dispatch=table)
        with pytest.raises(BugCheck) as stop:
            simple.control_events(Socket, WSK_EVENT_ACCEPT)
        assert (stop.value.code, stop.value.rule) == (0xC4, "R-297")


def test_without_a_client_dispatch_there_is_nothing_to_enable(lab: Lab) -> None:
    listener = lab.bound(lab.far, WSK_FLAG_STREAM_SOCKET, port=PORT)
    ok(simple.listen(listener))
    Socket = lab.bound(lab.near, WSK_FLAG_STREAM_SOCKET)
    ok(simple.connect(Socket, simple.address(FAR, PORT)))

    assert simple.control_events(Socket, WSK_EVENT_RECEIVE) == STATUS_INVALID_PARAMETER
    with lab.far.activate():
        assert simple.control_events(listener, WSK_EVENT_ACCEPT) == STATUS_INVALID_PARAMETER
