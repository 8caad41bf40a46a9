"""Listening, WskAccept and WskAcceptEvent (wsk.md 4.5, 4.6, 4.21)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import FAR, NEAR, PORT, RST, SYN, Lab, Request, ok, start
from wsknet.transport.endpoint import Ready
from wsknet.wsk import (
    DISPATCH_LEVEL,
    NTSTATUS,
    SO_KEEPALIVE,
    SO_RCVBUF,
    SOCKADDR,
    SOCKADDR_STORAGE,
    SOL_SOCKET,
    STATUS_CANCELLED,
    STATUS_CONNECTION_REFUSED,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_REQUEST_NOT_ACCEPTED,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_CLIENT_STREAM_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_DISABLE,
    WSK_EVENT_RECEIVE,
    WSK_FLAG_AT_DISPATCH_LEVEL,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_PROVIDER_CONNECTION_DISPATCH,
    WSK_SOCKET,
    IoCancelIrp,
    KeGetCurrentIrql,
    simple,
)


def accept(Socket: WSK_SOCKET, Context: Any = None, Dispatch: Any = None) -> Request:
    return start(Socket.Dispatch.WskAccept, Socket, 0, Context, Dispatch, None, None)


class Acceptor:
    """A listening socket's callbacks: what they were told, and what they answer."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, int, tuple[str, int] | None, tuple[str, int] | None]] = []
        self.sockets: list[WSK_SOCKET | None] = []
        self.received: list[tuple[Any, bytes]] = []
        self.answer: Any = STATUS_SUCCESS
        self.inside: Any = None
        self.listen_dispatch = WSK_CLIENT_LISTEN_DISPATCH(self.accept_event, None, None)
        self.connection_dispatch = WSK_CLIENT_CONNECTION_DISPATCH(self.receive_event, None, None)

    def accept_event(
        self,
        SocketContext: Any,
        Flags: int,
        LocalAddress: SOCKADDR | None,
        RemoteAddress: SOCKADDR | None,
        AcceptSocket: WSK_SOCKET | None,
        AcceptSocketContext: list[Any],
        AcceptSocketDispatch: list[Any],
    ) -> NTSTATUS:
        local = None if LocalAddress is None else simple.host_and_port(LocalAddress)
        remote = None if RemoteAddress is None else simple.host_and_port(RemoteAddress)
        self.calls.append((SocketContext, Flags, local, remote))
        self.sockets.append(AcceptSocket)
        assert KeGetCurrentIrql() == DISPATCH_LEVEL
        AcceptSocketContext[0] = f"connection {len(self.sockets)}"
        AcceptSocketDispatch[0] = self.connection_dispatch
        if self.inside is not None:
            self.inside(AcceptSocket)
        return self.answer  # type: ignore[no-any-return]

    def receive_event(
        self, SocketContext: Any, Flags: int, DataIndication: Any, BytesIndicated: int, BytesAccepted: list[int]
    ) -> NTSTATUS:
        self.received.append((SocketContext, bytes(DataIndication.Buffer.Mdl.MappedSystemVa)))
        return STATUS_SUCCESS


@pytest.fixture
def acceptor() -> Acceptor:
    return Acceptor()


def listen(lab: Lab, acceptor: Acceptor, events: int = WSK_EVENT_ACCEPT) -> WSK_SOCKET:
    Socket = lab.listener(SocketContext="listener", Dispatch=acceptor.listen_dispatch)
    if events:
        assert simple.control_events(Socket, events) == STATUS_SUCCESS
    return Socket


# WskAccept


@pytest.mark.rule("R-099", "R-143", "R-145")
def test_a_bound_listening_socket_listens_and_forgets_no_connection(lab: Lab) -> None:
    listener = lab.listener()
    near = [lab.connected(), lab.connected()]
    requests = [accept(listener), accept(listener)]

    assert [request.returned for request in requests] == [STATUS_SUCCESS] * 2
    assert [request.was_pending for request in requests] == [[False], [False]]
    for Socket, request in zip(near, requests, strict=True):
        ok(simple.send(Socket, b"which?"))
        assert ok(simple.receive(request.information)) == b"which?"


@pytest.mark.rule("R-144", "R-148", "D-12")
def test_accepts_wait_for_connections_in_order(lab: Lab) -> None:
    listener = lab.listener()
    requests = [accept(listener), accept(listener)]
    assert [request.returned for request in requests] == [STATUS_PENDING] * 2
    lab.connected()
    assert [request.is_done for request in requests] == [True, False]
    lab.connected()

    assert all(type(r.information.Dispatch) is WSK_PROVIDER_CONNECTION_DISPATCH for r in requests)
    assert requests[0].was_pending == [True]


@pytest.mark.rule("R-146", "R-147", "R-352")
@pytest.mark.parametrize("is_waiting", [False, True])
def test_accept_fills_both_addresses(lab: Lab, is_waiting: bool) -> None:
    listener = lab.listener()
    if is_waiting:
        lab.connected()
    local, remote = SOCKADDR_STORAGE(), SOCKADDR_STORAGE()
    request = Request()
    seen: list[object] = []
    request.then = lambda: seen.append((simple.host_and_port(local), simple.host_and_port(remote)[0]))
    request.start(listener.Dispatch.WskAccept, listener, 0, None, None, local, remote)
    if not is_waiting:
        lab.connected()

    assert seen == [((FAR, PORT), NEAR)]


@pytest.mark.rule("R-100", "R-133", "R-136")
@pytest.mark.parametrize("dialled", [FAR, "198.51.100.7"])
def test_a_wildcard_listener_serves_every_address_and_tells_which(lab: Lab, dialled: str) -> None:
    lab.far_interface.add_address("198.51.100.7/24")
    lab.near.route("198.51.100.0/24", via=FAR)
    listener = lab.listener()
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, port=6000)
    ok(simple.connect(Socket, simple.address(dialled, PORT)))
    far = ok(simple.accept(listener))

    assert simple.host_and_port(ok(simple.local_address(far))) == (dialled, PORT)
    assert simple.host_and_port(ok(simple.remote_address(far))) == (NEAR, 6000)


@pytest.mark.rule("R-134")
def test_the_addresses_have_the_family_of_the_listener(lab: Lab) -> None:
    listener = lab.listener()
    lab.connected()
    found = SOCKADDR_STORAGE()
    far = ok(simple.accept(listener))
    start(far.Dispatch.WskGetLocalAddress, far, found)

    assert found.ss_family == 2


@pytest.mark.rule("R-106", "D-01", "D-02")
def test_accept_needs_a_bound_socket_and_no_flags(lab: Lab) -> None:
    listener = lab.socket(lab.far, WSK_FLAG_LISTEN_SOCKET)
    assert accept(listener).status == STATUS_INVALID_DEVICE_STATE

    flagged = start(lab.listener().Dispatch.WskAccept, listener, 1, None, None, None, None)
    assert flagged.status == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-166", "R-250")
def test_closing_cancels_pending_accepts(lab: Lab) -> None:
    listener = lab.listener()
    requests = [accept(listener), accept(listener)]
    ok(simple.close(listener))

    assert [request.completions for request in requests] == [[(STATUS_CANCELLED, 0)]] * 2


def test_closing_resets_what_nobody_has_accepted(lab: Lab) -> None:
    listener = lab.listener()
    lab.connected()
    ok(simple.close(listener))
    lab.run()

    assert lab.far_wire.tcp_flags()[-1] & RST


@pytest.mark.rule("R-164", "R-165")
def test_keep_alive_and_buffer_size_are_inherited_and_can_be_changed(lab: Lab) -> None:
    listener = lab.listener()
    ok(simple.set_option(listener, SOL_SOCKET, SO_KEEPALIVE, 1))
    ok(simple.set_option(listener, SOL_SOCKET, SO_RCVBUF, 12345))
    lab.connected()
    far = ok(simple.accept(listener))

    assert [ok(simple.get_option(far, SOL_SOCKET, code)) for code in (SO_KEEPALIVE, SO_RCVBUF)] == [1, 12345]
    ok(simple.set_option(far, SOL_SOCKET, SO_KEEPALIVE, 0))
    assert ok(simple.get_option(far, SOL_SOCKET, SO_KEEPALIVE)) == 0
    assert ok(simple.get_option(listener, SOL_SOCKET, SO_KEEPALIVE)) == 1


# WskAcceptEvent


@pytest.mark.rule("R-152", "R-155", "R-154")
def test_the_event_delivers_established_connections(lab: Lab, acceptor: Acceptor) -> None:
    listen(lab, acceptor)
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, port=6000)
    flags_at_event: list[list[int]] = []
    acceptor.inside = lambda AcceptSocket: flags_at_event.append(lab.near_wire.tcp_flags())
    ok(simple.connect(Socket, simple.address(FAR, PORT)))
    lab.run()

    assert acceptor.calls == [("listener", WSK_FLAG_AT_DISPATCH_LEVEL, (FAR, PORT), (NEAR, 6000))]
    assert flags_at_event == [[SYN, 0x10]]


@pytest.mark.rule("R-156", "R-158", "R-161")
def test_an_accepted_socket_uses_the_context_and_table_of_the_event(lab: Lab, acceptor: Acceptor) -> None:
    listen(lab, acceptor, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE)
    near = lab.connected()
    lab.run()
    ok(simple.send(near, b"hello"))

    assert acceptor.received == [("connection 1", b"hello")]
    assert acceptor.sockets[0] is not None
    ok(simple.send(acceptor.sockets[0], b"back"))
    assert ok(simple.receive(near)) == b"back"


@pytest.mark.rule("R-157")
def test_a_connection_that_is_not_accepted_is_reset(lab: Lab, acceptor: Acceptor) -> None:
    listen(lab, acceptor)
    acceptor.answer = STATUS_REQUEST_NOT_ACCEPTED
    lab.connected()
    lab.run()

    assert lab.far_wire.tcp_flags()[-1] & RST
    assert len(lab.far_application.provider.Client.sockets) == 1


@pytest.mark.rule("R-153", "R-163")
def test_the_event_comes_only_while_it_is_enabled(lab: Lab, acceptor: Acceptor) -> None:
    listener = listen(lab, acceptor, 0)
    lab.connected()
    lab.run()
    assert not acceptor.calls

    simple.control_events(listener, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE)
    assert len(acceptor.calls) == 1
    assert simple.control_events(listener, WSK_EVENT_DISABLE | WSK_EVENT_ACCEPT) == STATUS_SUCCESS
    near = lab.connected()
    lab.run()
    assert len(acceptor.calls) == 1
    simple.control_events(listener, WSK_EVENT_ACCEPT)
    ok(simple.send(near, b"inherited"))
    assert acceptor.received == [("connection 2", b"inherited")]


@pytest.mark.rule("R-151", "R-150", "R-149")
def test_waiting_accepts_come_before_the_event_and_inherit_nothing(lab: Lab, acceptor: Acceptor) -> None:
    listener = listen(lab, acceptor, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE)
    request = accept(listener, "mine", acceptor.connection_dispatch)
    near = lab.connected()
    ok(simple.send(near, b"nobody is told"))
    lab.run()
    assert not acceptor.calls
    assert not acceptor.received

    simple.control_events(request.information, WSK_EVENT_RECEIVE)
    assert acceptor.received == [("mine", b"nobody is told")]


@pytest.mark.rule("R-158")
def test_events_may_be_enabled_inside_the_accept_event(lab: Lab, acceptor: Acceptor) -> None:
    """The out parameters must have been written by then."""
    listen(lab, acceptor)
    acceptor.inside = lambda AcceptSocket: simple.control_events(AcceptSocket, WSK_EVENT_RECEIVE)
    near = lab.connected()
    ok(simple.send(near, b"early"))

    assert acceptor.received == [("connection 1", b"early")]


def test_an_accepted_socket_may_be_used_and_closed_inside_the_event(lab: Lab, acceptor: Acceptor) -> None:
    listen(lab, acceptor)
    requests: list[Request] = []

    def inside(AcceptSocket: WSK_SOCKET) -> None:
        requests.append(start(AcceptSocket.Dispatch.WskSend, AcceptSocket, simple.buffer(b"greeting"), 0))
        if len(acceptor.calls) == 2:
            requests.append(start(AcceptSocket.Dispatch.WskCloseSocket, AcceptSocket))

    acceptor.inside = inside
    assert ok(simple.receive(lab.connected())) == b"greeting"
    lab.connected()
    lab.run()
    assert [request.completions[0][0] for request in requests] == [STATUS_SUCCESS, STATUS_CANCELLED, STATUS_SUCCESS]


def test_a_table_without_a_function_for_an_inherited_event(lab: Lab, acceptor: Acceptor) -> None:
    listen(lab, acceptor, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE)
    acceptor.connection_dispatch = WSK_CLIENT_CONNECTION_DISPATCH()
    near = lab.connected()
    ok(simple.send(near, b"data"))

    assert acceptor.sockets[0] is not None
    assert ok(simple.receive(acceptor.sockets[0])) == b"data"


@pytest.mark.rule("R-162")
def test_inherited_events_cannot_be_disabled(lab: Lab, acceptor: Acceptor) -> None:
    listener = listen(lab, acceptor, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE)

    assert simple.control_events(listener, WSK_EVENT_DISABLE | WSK_EVENT_RECEIVE) == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-159", "R-160", "R-258")
def test_a_listening_socket_that_dies_says_so_once(lab: Lab, acceptor: Acceptor) -> None:
    listener: Any = listen(lab, acceptor, 0)
    pending = accept(listener)
    simple.control_events(listener, WSK_EVENT_ACCEPT)
    acceptor.answer = STATUS_REQUEST_NOT_ACCEPTED
    for _ in range(2):
        with lab.far.pump:
            lab.far.stack.notify(listener.endpoint, Ready.FAILED)

    assert pending.status == STATUS_FILE_FORCED_CLOSED
    assert acceptor.calls == [("listener", WSK_FLAG_AT_DISPATCH_LEVEL, None, None)]
    assert accept(listener).status == STATUS_FILE_FORCED_CLOSED
    assert simple.local_address(listener)[0] == STATUS_FILE_FORCED_CLOSED
    assert simple.get_option(listener, SOL_SOCKET, SO_KEEPALIVE)[0] == STATUS_FILE_FORCED_CLOSED
    ok(simple.close(listener))


# Stream sockets


@pytest.mark.rule("R-140", "R-142")
def test_listening_begins_at_once_on_a_bound_stream_socket(lab: Lab) -> None:
    Socket = lab.socket(lab.far, WSK_FLAG_STREAM_SOCKET)
    assert simple.listen(Socket) == (STATUS_INVALID_DEVICE_STATE, 0)
    ok(simple.bind(Socket, simple.address("0.0.0.0", PORT)))
    request = start(Socket.Dispatch.WskListen, Socket)

    assert (request.returned, request.status, request.information) == (STATUS_SUCCESS, STATUS_SUCCESS, 0)
    waiting = accept(Socket)
    lab.connected()
    assert waiting.status == STATUS_SUCCESS
    assert simple.listen(Socket)[0] == STATUS_INVALID_DEVICE_STATE


@pytest.mark.rule("R-099")
def test_a_stream_socket_that_is_only_bound_does_not_listen(lab: Lab) -> None:
    lab.bound(lab.far, WSK_FLAG_STREAM_SOCKET, port=PORT)
    near = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)

    assert simple.connect(near, simple.address(FAR, PORT))[0] == STATUS_CONNECTION_REFUSED


@pytest.mark.rule("R-141", "R-191")
def test_a_stream_socket_takes_one_role(lab: Lab) -> None:
    listening, connecting = (lab.bound(lab.far, WSK_FLAG_STREAM_SOCKET, port=port) for port in (PORT, 6000))
    ok(simple.listen(listening))
    assert simple.connect(listening, simple.address(NEAR, PORT))[0] == STATUS_INVALID_DEVICE_STATE
    assert simple.send(listening, b"x")[0] == STATUS_INVALID_DEVICE_STATE
    assert simple.remote_address(listening)[0] == STATUS_INVALID_DEVICE_STATE

    ok(simple.connect(connecting, simple.address(FAR, PORT)))
    assert simple.listen(connecting)[0] == STATUS_INVALID_DEVICE_STATE
    assert accept(connecting).status == STATUS_INVALID_DEVICE_STATE
    ok(simple.send(connecting, b"x"))
    assert ok(simple.receive(ok(simple.accept(listening)))) == b"x"


@pytest.mark.rule("R-084", "D-16")
def test_the_callbacks_of_a_stream_socket_follow_its_role(lab: Lab, acceptor: Acceptor) -> None:
    dispatch = WSK_CLIENT_STREAM_DISPATCH(acceptor.listen_dispatch, acceptor.connection_dispatch)
    options: dict[str, Any] = {"SocketContext": "stream", "Dispatch": dispatch}
    listening = lab.bound(lab.far, WSK_FLAG_STREAM_SOCKET, port=PORT, **options)
    connecting = lab.bound(lab.near, WSK_FLAG_STREAM_SOCKET, **options)
    assert simple.control_events(listening, WSK_EVENT_ACCEPT) == STATUS_INVALID_DEVICE_STATE
    ok(simple.listen(listening))
    assert simple.control_events(listening, WSK_EVENT_ACCEPT) == STATUS_SUCCESS

    ok(simple.connect(connecting, simple.address(FAR, PORT)))
    assert simple.control_events(connecting, WSK_EVENT_ACCEPT) == STATUS_INVALID_DEVICE_STATE
    assert simple.control_events(connecting, WSK_EVENT_RECEIVE) == STATUS_SUCCESS
    lab.run()
    assert acceptor.sockets[0] is not None
    ok(simple.send(acceptor.sockets[0], b"to the stream socket"))
    assert acceptor.received == [("stream", b"to the stream socket")]


def test_closing_a_listening_stream_socket_cancels_its_accepts(lab: Lab) -> None:
    Socket = lab.bound(lab.far, WSK_FLAG_STREAM_SOCKET, port=PORT)
    ok(simple.listen(Socket))
    first, second = accept(Socket), accept(Socket)
    IoCancelIrp(first.Irp)
    assert (first.status, second.is_done) == (STATUS_CANCELLED, False)
    ok(simple.close(Socket))
    assert second.status == STATUS_CANCELLED
