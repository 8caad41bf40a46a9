"""STATUS_FILE_FORCED_CLOSED: what a WSK socket does whose interface was removed (D-23, wsk.md 3.7), and a removed
address, which is another matter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, PORT, Lab, Request, ok, start
from wsknet.net.changes import InterfaceRemoved
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    NTSTATUS,
    SIO_UDP_CONNRESET,
    SIO_WSK_SET_REMOTE_ADDRESS,
    SIO_WSK_SET_SENDTO_ADDRESS,
    SO_RCVBUF,
    SOL_SOCKET,
    STATUS_CANCELLED,
    STATUS_CONNECTION_ABORTED,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_CLIENT_STREAM_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_AT_DISPATCH_LEVEL,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SOCKET,
    WskGetOption,
    WskIoctl,
    simple,
)

families = pytest.mark.parametrize(
    ("family", "near", "far"), [(AF_INET, NEAR, FAR), (AF_INET6, NEAR6, FAR6)], ids=["IPv4", "IPv6"]
)
GONE = STATUS_FILE_FORCED_CLOSED


def remove_interface(lab: Lab) -> None:
    lab.near.apply(InterfaceRemoved(lab.near_interface.index))
    lab.run(0.01)


def requests(Socket: WSK_SOCKET, far: str) -> dict[str, Callable[[], Request]]:
    """One call of each function in the socket's table that takes an IRP, but for WskCloseSocket."""
    Dispatch, there = Socket.Dispatch, simple.address(far, PORT)
    room = bytearray(28)
    buffer = simple.buffer(bytearray(4))
    arguments: dict[str, tuple[Any, ...]] = {
        "WskControlSocket": (WskGetOption, SO_RCVBUF, SOL_SOCKET, 0, None, 4, bytearray(4), None),
        "WskBind": (there, 0),
        "WskConnect": (there, 0),
        "WskConnectEx": (there, None, 0),
        "WskListen": (),
        "WskAccept": (0, None, None, None, None),
        "WskGetLocalAddress": (room,),
        "WskGetRemoteAddress": (room,),
        "WskSend": (buffer, 0),
        "WskReceive": (buffer, 0),
        "WskDisconnect": (None, 0),
        "WskSendTo": (buffer, 0, there, 0, None),
        "WskReceiveFrom": (buffer, 0, None, None, None, None),
    }

    def call(name: str) -> Callable[[], Request]:
        return lambda: start(getattr(Dispatch, name), Socket, *arguments[name])

    return {name: call(name) for name in arguments if hasattr(Dispatch, name)}


def assert_forced_closed(Socket: WSK_SOCKET, far: str) -> None:
    for name, request in requests(Socket, far).items():
        made = request()
        assert (name, made.returned, made.status) == (name, GONE, GONE)
    assert ok(simple.close(Socket)) == 0


@pytest.mark.rule("D-23", "R-258", "BIND-1.3.14")
@pytest.mark.parametrize(
    "Flags",
    [WSK_FLAG_LISTEN_SOCKET, WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_DATAGRAM_SOCKET, WSK_FLAG_STREAM_SOCKET],
    ids=["listening", "connection", "datagram", "stream"],
)
@families
def test_a_socket_bound_to_an_address_of_the_interface_can_only_be_closed(
    lab: Lab, family: int, near: str, far: str, Flags: int
) -> None:
    Socket = lab.bound(lab.near, Flags, near, 5000, AddressFamily=family)
    elsewhere = lab.bound(lab.near, Flags, "0.0.0.0" if family == AF_INET else "::", 5001, AddressFamily=family)
    remove_interface(lab)
    if Flags == WSK_FLAG_DATAGRAM_SOCKET:
        arguments = (WskIoctl, SIO_UDP_CONNRESET, 0, 4, [0], 0, None, None)
        assert start(Socket.Dispatch.WskControlSocket, Socket, *arguments).status == GONE
    assert_forced_closed(Socket, far)
    assert simple.local_address(elsewhere)[0] == STATUS_SUCCESS


@pytest.mark.rule("D-23", "R-258")
@pytest.mark.parametrize("Flags", [WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_STREAM_SOCKET], ids=["connection", "stream"])
@families
def test_a_socket_connected_through_the_interface_can_only_be_closed(
    lab: Lab, family: int, near: str, far: str, Flags: int
) -> None:
    wildcard = "0.0.0.0" if family == AF_INET else "::"
    lab.listener(wildcard, AddressFamily=family)
    Socket = lab.bound(lab.near, Flags, wildcard, AddressFamily=family)
    ok(simple.connect(Socket, simple.address(far, PORT)))
    sent = len(lab.near_wire.frames)
    remove_interface(lab)
    assert_forced_closed(Socket, far)
    assert len(lab.near_wire.frames) == sent


@pytest.mark.rule("D-23", "R-258")
@pytest.mark.parametrize("code", [SIO_WSK_SET_REMOTE_ADDRESS, SIO_WSK_SET_SENDTO_ADDRESS], ids=["remote", "sendto"])
def test_a_fixed_remote_address_ties_a_datagram_socket_to_the_interface(lab: Lab, code: int) -> None:
    Socket = lab.datagram(lab.near)
    address = simple.address(FAR, PORT)
    control = (WskIoctl, code, 0, len(bytes(address)), address, 0, None, None)
    assert start(Socket.Dispatch.WskControlSocket, Socket, *control).status == STATUS_SUCCESS
    remove_interface(lab)
    expected = GONE if code == SIO_WSK_SET_REMOTE_ADDRESS else STATUS_SUCCESS
    assert simple.local_address(Socket)[0] == expected
    assert start(Socket.Dispatch.WskControlSocket, Socket, *control).status == expected


@pytest.mark.rule("D-23")
def test_requests_that_wait_complete_with_the_news(lab: Lab) -> None:
    near, _ = lab.pair()
    listener = lab.bound(lab.near, WSK_FLAG_LISTEN_SOCKET, NEAR, 5000)
    datagrams = lab.datagram(lab.near, 5001, NEAR)
    lab.cut()
    buffer = simple.buffer(bytearray(4))
    waiting = [
        start(near.Dispatch.WskReceive, near, buffer, 0),
        start(near.Dispatch.WskSend, near, buffer, 0),
        start(near.Dispatch.WskDisconnect, near, None, 0),
        start(listener.Dispatch.WskAccept, listener, 0, None, None, None, None),
        start(datagrams.Dispatch.WskReceiveFrom, datagrams, buffer, 0, None, None, None, None),
    ]
    remove_interface(lab)
    assert [request.status for request in waiting] == [GONE] * 5


@pytest.mark.rule("D-23", "BIND-2.3.4")
def test_an_attempt_to_connect_from_the_wildcard_fails_and_the_socket_is_as_bound_as_before(lab: Lab) -> None:
    lab.cut()
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, "0.0.0.0", 5000)
    connecting = start(Socket.Dispatch.WskConnect, Socket, simple.address(FAR, PORT), 0)
    remove_interface(lab)
    assert connecting.status == STATUS_CONNECTION_ABORTED
    assert simple.host_and_port(ok(simple.local_address(Socket))) == ("0.0.0.0", 5000)


@pytest.mark.rule("D-23")
def test_an_attempt_to_connect_from_an_address_of_the_interface_ends_the_socket(lab: Lab) -> None:
    lab.cut()
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, NEAR, 5000)
    connecting = start(Socket.Dispatch.WskConnect, Socket, simple.address(FAR, PORT), 0)
    remove_interface(lab)
    assert connecting.status == GONE
    assert_forced_closed(Socket, FAR)


# Callbacks


class Calls:
    """The callbacks of a socket, and what each was called with."""

    def __init__(self) -> None:
        self.made: list[tuple[Any, ...]] = []
        self.then: Callable[[], None] | None = None
        self.status: NTSTATUS = STATUS_SUCCESS
        self.connection = WSK_CLIENT_CONNECTION_DISPATCH(self.callback("receive"), self.callback("disconnect"), None)
        self.listen = WSK_CLIENT_LISTEN_DISPATCH(self.callback("accept"))
        self.datagram = WSK_CLIENT_DATAGRAM_DISPATCH(self.callback("receive from"))
        self.stream = WSK_CLIENT_STREAM_DISPATCH(self.listen, self.connection)

    def callback(self, name: str) -> Callable[..., NTSTATUS]:
        def called(Context: Any, Flags: int, *arguments: Any) -> NTSTATUS:
            self.made.append((name, Context, Flags, *arguments))
            then, self.then = self.then, None
            if then is not None:
                then()
            return self.status

        return called


FLAGS = WSK_FLAG_AT_DISPATCH_LEVEL
ACCEPT_NULL = ("accept", "context", FLAGS, None, None, None, [None], [None])
RECEIVE_NULL = ("receive", "context", FLAGS, None, 0, [0])
RECEIVE_FROM_NULL = ("receive from", "context", FLAGS, None)


@pytest.mark.rule("R-159", "R-160", "R-283")
@pytest.mark.parametrize(
    ("Flags", "table", "event", "told"),
    [
        (WSK_FLAG_LISTEN_SOCKET, "listen", WSK_EVENT_ACCEPT, ACCEPT_NULL),
        (WSK_FLAG_DATAGRAM_SOCKET, "datagram", WSK_EVENT_RECEIVE_FROM, RECEIVE_FROM_NULL),
    ],
    ids=["listening", "datagram"],
)
@pytest.mark.parametrize("is_enabled", [False, True])
def test_a_callback_hears_once_by_a_null_that_the_socket_is_dead(
    lab: Lab, Flags: int, table: str, event: int, told: tuple[Any, ...], is_enabled: bool
) -> None:
    calls = Calls()
    Socket = lab.bound(lab.near, Flags, NEAR, 5000, SocketContext="context", Dispatch=getattr(calls, table))
    if is_enabled:
        assert simple.control_events(Socket, event) == STATUS_SUCCESS
    remove_interface(lab)
    lab.run()
    assert calls.made == ([told] if is_enabled else [])
    ok(simple.close(Socket))


@pytest.mark.rule("R-233", "R-159")
@pytest.mark.parametrize("role", ["connection", "stream", "stream that listens"])
def test_so_does_that_of_a_connection_or_a_stream_socket_by_its_role(lab: Lab, role: str) -> None:
    calls = Calls()
    Flags = WSK_FLAG_CONNECTION_SOCKET if role == "connection" else WSK_FLAG_STREAM_SOCKET
    Dispatch = calls.connection if role == "connection" else calls.stream
    lab.listener()
    Socket = lab.bound(lab.near, Flags, NEAR, 5000, SocketContext="context", Dispatch=Dispatch)
    if role == "stream that listens":
        ok(simple.listen(Socket))
        simple.control_events(Socket, WSK_EVENT_ACCEPT)
    else:
        ok(simple.connect(Socket, simple.address(FAR, PORT)))
        simple.control_events(Socket, WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT)
    remove_interface(lab)
    lab.run()
    assert calls.made == [ACCEPT_NULL if role == "stream that listens" else RECEIVE_NULL]


@pytest.mark.rule("R-283", "R-233")
def test_the_null_waits_for_the_callback_that_runs_and_a_close_for_the_null(lab: Lab) -> None:
    calls = Calls()
    Socket = lab.datagram(lab.near, PORT, NEAR, SocketContext="context", Dispatch=calls.datagram)
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)
    calls.then = lambda: lab.near.apply(InterfaceRemoved(lab.near_interface.index))
    ok(simple.send_to(lab.datagram(lab.far), b"data", simple.address(NEAR, PORT)))
    lab.run()
    assert [(name, argument is None) for name, _, _, argument in calls.made] == [
        ("receive from", False),
        ("receive from", True),
    ]
    assert start(Socket.Dispatch.WskCloseSocket, Socket).status == STATUS_SUCCESS


@pytest.mark.rule("R-257", "R-283")
def test_after_close_no_null_is_told(lab: Lab) -> None:
    calls = Calls()
    Socket = lab.datagram(lab.near, PORT, NEAR, SocketContext="context", Dispatch=calls.datagram)
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)
    ok(simple.close(Socket))
    remove_interface(lab)
    assert calls.made == []


# An address alone


@pytest.mark.rule("BIND-5.2", "BIND-44")
@families
def test_a_removed_address_aborts_connections_and_leaves_sockets_bound(
    lab: Lab, family: int, near: str, far: str
) -> None:
    wildcard = "0.0.0.0" if family == AF_INET else "::"
    calls = Calls()
    lab.listener(wildcard, AddressFamily=family)
    connected = lab.bound(
        lab.near, WSK_FLAG_CONNECTION_SOCKET, wildcard, AddressFamily=family, Dispatch=calls.connection
    )
    ok(simple.connect(connected, simple.address(far, PORT)))
    simple.control_events(connected, WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT)
    receiving = start(connected.Dispatch.WskReceive, connected, simple.buffer(bytearray(4)), 0)
    bound = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, near, 5000, AddressFamily=family)
    datagrams = lab.datagram(lab.near, 5001, near, AddressFamily=family)

    lab.near_interface.remove_address(near)
    lab.run(0.01)
    assert receiving.status == STATUS_CONNECTION_ABORTED
    assert [made[0] for made in calls.made] == ["disconnect"]
    to = simple.address(far, PORT)
    assert simple.connect(bound, to)[0] == STATUS_INVALID_ADDRESS_COMPONENT
    assert simple.send_to(datagrams, b"data", to)[0] == STATUS_INVALID_ADDRESS_COMPONENT
    assert simple.receive_from(datagrams, seconds=0.1)[0] == STATUS_CANCELLED
    for Socket, port in ((bound, 5000), (datagrams, 5001)):
        assert simple.host_and_port(ok(simple.local_address(Socket))) == (near, port)

    lab.near_interface.add_address(f"{near}/{24 if family == AF_INET else 64}")
    assert simple.connect(bound, to)[0] == STATUS_SUCCESS
    assert simple.send_to(datagrams, b"data", to)[0] == STATUS_SUCCESS
