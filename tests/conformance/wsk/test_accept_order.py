"""Who gets which connection: queued WskAccept requests, WskAcceptEvent, and both at once (wsk.md 4.6, 4.21)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_inspecting import CATEGORIES, SIDES, Side
from tests.support.wsk_lab import PORT, RST, Lab, Request, ok, start
from wsknet.wsk import (
    DISPATCH_LEVEL,
    IPPROTO_IPV6,
    IPV6_V6ONLY,
    NTSTATUS,
    SOCKADDR_IN,
    SOCKADDR_IN6,
    STATUS_CANCELLED,
    STATUS_INVALID_PARAMETER,
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
    WSK_EVENT_SEND_BACKLOG,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SOCKET,
    IoCancelIrp,
    KeLowerIrql,
    KeRaiseIrql,
    simple,
)

LOOPBACK = "127.0.0.1"


class Server:
    """A socket of the near host that listens on its loopback, for clients there."""

    def __init__(self, lab: Lab, Flags: int = WSK_FLAG_LISTEN_SOCKET, events: int = WSK_EVENT_ACCEPT) -> None:
        self.lab = lab
        self.ports: list[int] = []
        """Of the clients that WskAcceptEvent has delivered."""
        self.sockets: list[Any] = []
        self.told: list[str] = []
        """By the callbacks of those sockets."""
        self.answer: Any = STATUS_SUCCESS
        self.inside: Callable[[WSK_SOCKET], object] | None = None
        self.depths: list[int] = []
        self._depth = 0
        self.connection = WSK_CLIENT_CONNECTION_DISPATCH(self.received, self.disconnected, None)
        table: Any = WSK_CLIENT_LISTEN_DISPATCH(self.accepted)
        if Flags == WSK_FLAG_STREAM_SOCKET:
            table = WSK_CLIENT_STREAM_DISPATCH(table, None)
        self.Socket: Any = lab.bound(lab.near, Flags, LOOPBACK, PORT, Dispatch=table)
        if Flags == WSK_FLAG_STREAM_SOCKET:
            ok(simple.listen(self.Socket))
        if events:
            assert simple.control_events(self.Socket, events) == STATUS_SUCCESS

    def accepted(self, Context: Any, Flags: int, Local: Any, Remote: Any, Socket: Any, Out: Any, Table: Any) -> Any:
        self._depth += 1
        self.depths.append(self._depth)
        self.ports.append(simple.host_and_port(Remote)[1])
        self.sockets.append(Socket)
        Table[0] = self.connection
        if self.inside is not None:
            self.inside(Socket)
        self._depth -= 1
        return self.answer

    def received(self, Context: Any, Flags: int, *arguments: Any) -> NTSTATUS:
        self.told.append("received")
        return STATUS_SUCCESS

    def disconnected(self, Context: Any, Flags: int) -> NTSTATUS:
        self.told.append("disconnected")
        return STATUS_SUCCESS

    def client(self, port: int) -> WSK_SOCKET:
        return self.lab.bound(self.lab.near, WSK_FLAG_CONNECTION_SOCKET, LOOPBACK, port)

    def connect(self, Socket: WSK_SOCKET) -> None:
        """The connection stands when this returns."""
        request = start(Socket.Dispatch.WskConnect, Socket, simple.address(LOOPBACK, PORT), 0)
        assert request.returned == STATUS_PENDING

    def dial(self, port: int) -> WSK_SOCKET:
        Socket = self.client(port)
        self.connect(Socket)
        return Socket

    def accept(self) -> Request:
        return start(self.Socket.Dispatch.WskAccept, self.Socket, 0, None, None, None, None)


def port_of(request: Request) -> int:
    assert request.status == STATUS_SUCCESS
    return simple.host_and_port(ok(simple.remote_address(request.information)))[1]


@CATEGORIES
@pytest.mark.rule("R-144", "D-12")
def test_requests_are_served_in_order_but_for_those_that_are_cancelled(lab: Lab, Flags: int) -> None:
    server = Server(lab, Flags, 0)
    first, second, third = (server.accept() for _ in range(3))
    assert IoCancelIrp(second.Irp)
    assert second.completions == [(STATUS_CANCELLED, 0)]
    for port in (6002, 6001, 6003):
        server.dial(port)

    assert [port_of(first), port_of(third), port_of(server.accept())] == [6002, 6001, 6003]


@CATEGORIES
@pytest.mark.rule("R-145", "R-152")
def test_what_waits_comes_with_the_event_in_order_and_one_by_one(lab: Lab, Flags: int) -> None:
    server = Server(lab, Flags, 0)
    for port in (6002, 6001, 6003):
        server.dial(port)
    late = server.client(6004)
    server.inside = lambda Socket: server.connect(late) if len(server.ports) == 1 else None
    simple.control_events(server.Socket, WSK_EVENT_ACCEPT)

    assert server.ports == [6002, 6001, 6003, 6004]
    assert set(server.depths) == {1}


@CATEGORIES
@pytest.mark.rule("R-151")
def test_the_event_comes_when_no_request_waits_any_more(lab: Lab, Flags: int) -> None:
    server = Server(lab, Flags)
    requests = [server.accept(), server.accept()]
    for port in (6000, 6001, 6002):
        server.dial(port)

    assert [port_of(request) for request in requests] == [6000, 6001]
    assert server.ports == [6002]


@CATEGORIES
@pytest.mark.rule("R-151", "R-145")
def test_a_request_that_comes_while_the_event_is_due_gets_the_next_connection(lab: Lab, Flags: int) -> None:
    server, level = Server(lab, Flags), [0]
    clients = [server.client(port) for port in (6000, 6001)]
    KeRaiseIrql(DISPATCH_LEVEL, level)
    try:
        for Socket in clients:
            server.connect(Socket)
        request, other = server.accept(), server.accept()
    finally:
        KeLowerIrql(level[0])

    assert server.ports == [6000]
    assert port_of(request) == 6001
    assert not other.is_done


@CATEGORIES
@pytest.mark.rule("R-151")
def test_a_request_made_inside_the_event_gets_the_next_connection(lab: Lab, Flags: int) -> None:
    server = Server(lab, Flags)
    requests: list[Request] = []
    server.inside = lambda Socket: requests.append(server.accept())
    for port in (6000, 6001, 6002):
        server.dial(port)

    assert server.ports == [6000, 6002]
    assert port_of(requests[0]) == 6001


@CATEGORIES
@pytest.mark.rule("R-153", "R-145")
def test_an_event_disabled_inside_itself_leaves_the_next_to_a_request(lab: Lab, Flags: int) -> None:
    server = Server(lab, Flags)
    statuses: list[NTSTATUS] = []
    late = server.client(6001)

    def disable(Socket: WSK_SOCKET) -> None:
        server.connect(late)
        statuses.append(simple.control_events(server.Socket, WSK_EVENT_DISABLE | WSK_EVENT_ACCEPT))

    server.inside = disable
    server.dial(6000)

    assert [status.name for status in statuses] == ["STATUS_EVENT_PENDING"]
    assert server.ports == [6000]
    assert port_of(server.accept()) == 6001


# What WskAcceptEvent returns


@CATEGORIES
@pytest.mark.rule("R-157")
@pytest.mark.parametrize("answer", [STATUS_REQUEST_NOT_ACCEPTED, STATUS_PENDING, STATUS_CANCELLED, 1, None])
def test_any_other_status_than_success_closes_the_socket(lab: Lab, Flags: int, answer: Any) -> None:
    """Only two are documented; the requests that the event has made on the socket are cancelled."""
    server = Server(lab, Flags, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT)
    server.answer = answer
    requests: list[Request] = []

    def receive(Socket: WSK_SOCKET) -> None:
        requests.append(start(Socket.Dispatch.WskReceive, Socket, simple.buffer(bytearray(4)), 0))

    server.inside = receive
    near = server.dial(6000)
    lab.run()

    assert requests[0].completions == [(STATUS_CANCELLED, 0)]
    assert simple.receive(near)[0].name == "STATUS_CONNECTION_RESET"
    assert server.told == []
    assert len(lab.near_application.provider.Client.sockets) == 2


@CATEGORIES
@pytest.mark.rule("R-157", "R-253")
@pytest.mark.parametrize("answer", [STATUS_SUCCESS, STATUS_REQUEST_NOT_ACCEPTED])
def test_a_socket_closed_inside_the_event_is_closed_once(lab: Lab, Flags: int, answer: NTSTATUS) -> None:
    server = Server(lab, Flags, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE)
    server.answer = answer
    requests: list[Request] = []
    server.inside = lambda Socket: requests.append(start(Socket.Dispatch.WskCloseSocket, Socket))
    server.dial(6000)
    lab.run()

    assert (requests[0].returned, requests[0].completions) == (STATUS_PENDING, [(STATUS_SUCCESS, 0)])
    assert len(lab.near_application.provider.Client.sockets) == 2
    assert server.accept().returned == STATUS_PENDING


@CATEGORIES
@pytest.mark.rule("R-157")
def test_an_event_that_raises_has_not_accepted(lab: Lab, Flags: int) -> None:
    server = Server(lab, Flags)

    def fault(Socket: WSK_SOCKET) -> None:
        server.inside = None
        raise ZeroDivisionError

    server.inside = fault
    with pytest.raises(ZeroDivisionError):
        server.dial(6000)
    server.dial(6001)

    assert server.ports == [6000, 6001]
    assert len(lab.near_application.provider.Client.sockets) == 4


# Inheritance


@CATEGORIES
@pytest.mark.rule("R-161", "R-150")
@pytest.mark.parametrize("events", [0, WSK_EVENT_RECEIVE, WSK_EVENT_DISCONNECT])
@pytest.mark.parametrize("is_by_event", [False, True])
def test_only_what_is_enabled_is_inherited_and_only_by_the_event(
    lab: Lab, Flags: int, events: int, is_by_event: bool
) -> None:
    server = Server(lab, Flags, WSK_EVENT_ACCEPT | events)
    request = Request()
    if not is_by_event:
        arguments = (server.Socket, 0, None, server.connection, None, None)
        request.start(server.Socket.Dispatch.WskAccept, *arguments)
    near = server.dial(6000)
    ok(simple.send(near, b"data"))
    ok(simple.close(near))
    lab.run()
    expected = {0: [], WSK_EVENT_RECEIVE: ["received"], WSK_EVENT_DISCONNECT: ["disconnected"]}

    assert server.told == (expected[events] if is_by_event else [])


@CATEGORIES
@pytest.mark.rule("R-162", "R-163")
@pytest.mark.parametrize("event", [WSK_EVENT_RECEIVE, WSK_EVENT_DISCONNECT, WSK_EVENT_SEND_BACKLOG])
def test_none_of_the_inherited_events_can_be_disabled(lab: Lab, Flags: int, event: int) -> None:
    server = Server(lab, Flags, WSK_EVENT_ACCEPT | event)
    assert simple.control_events(server.Socket, WSK_EVENT_DISABLE | event) == STATUS_INVALID_PARAMETER
    for mask in (WSK_EVENT_DISABLE | WSK_EVENT_ACCEPT, WSK_EVENT_ACCEPT):
        assert simple.control_events(server.Socket, mask) == STATUS_SUCCESS
    near = server.dial(6000)
    ok(simple.send(near, b"data"))
    ok(simple.close(near))
    expected = {WSK_EVENT_RECEIVE: ["received"], WSK_EVENT_DISCONNECT: ["disconnected"]}

    assert server.told == expected.get(event, [])


# Addresses


@SIDES
@pytest.mark.rule("R-146", "R-134", "R-155")
@pytest.mark.parametrize("is_by_event", [False, True])
def test_addresses_are_of_the_family_of_the_listener(lab: Lab, side: Side, is_by_event: bool) -> None:
    found: list[Any] = []

    def accepted(Context: Any, Flags: int, LocalAddress: Any, RemoteAddress: Any, *arguments: Any) -> NTSTATUS:
        found.extend([Context, LocalAddress, RemoteAddress, arguments[0]])
        return STATUS_SUCCESS

    options: dict[str, Any] = {"AddressFamily": side.listening, "SocketContext": "listener"}
    listener = lab.socket(lab.far, WSK_FLAG_LISTEN_SOCKET, Dispatch=WSK_CLIENT_LISTEN_DISPATCH(accepted), **options)
    if side.listening != side.dialling:
        ok(simple.set_option(listener, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    ok(simple.bind(listener, simple.address(side.wildcard, PORT)))
    kind = SOCKADDR_IN6 if ":" in side.wildcard else SOCKADDR_IN
    if is_by_event:
        simple.control_events(listener, WSK_EVENT_ACCEPT)
    wildcard = "::" if ":" in side.near else "0.0.0.0"
    near = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, wildcard, 6000, AddressFamily=side.dialling)
    ok(simple.connect(near, simple.address(side.far, PORT)))
    lab.run(0.01)
    if not is_by_event:
        local, remote = kind(), kind()
        request = start(listener.Dispatch.WskAccept, listener, 0, None, None, local, remote)
        found += ["listener", local, remote, request.information]

    assert found[0] == "listener"
    assert {type(address) for address in found[1:3]} == {kind}
    assert simple.host_and_port(found[1]) == side.dialled == simple.host_and_port(ok(simple.local_address(found[3])))
    peer = side.seen.format(side.near), 6000
    assert simple.host_and_port(found[2]) == peer == simple.host_and_port(ok(simple.remote_address(found[3])))
    assert not lab.far_wire.tcp_flags()[-1] & RST
