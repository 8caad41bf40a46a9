"""WSK_SET_STATIC_EVENT_CALLBACKS: events that are enabled from creation, for good (wsk.md 5.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_categories import B, C, D, L, S
from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, PORT, Lab, Request, ok, start
from wsknet.host import Host
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    GUID,
    NPI_WSK_INTERFACE_ID,
    NTSTATUS,
    STATUS_DATA_NOT_ACCEPTED,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INVALID_PARAMETER,
    STATUS_REQUEST_NOT_ACCEPTED,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_CLIENT_STREAM_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_CALLBACK_CONTROL,
    WSK_EVENT_DISABLE,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_RECEIVE_FROM,
    WSK_EVENT_SEND_BACKLOG,
    WSK_SET_STATIC_EVENT_CALLBACKS,
    WSK_SOCKET,
    remove_transport,
    simple,
)

ACCEPT, RECEIVE, DISCONNECT, RECEIVE_FROM = (
    WSK_EVENT_ACCEPT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE_FROM,
)
EVERYTHING = ACCEPT | RECEIVE | DISCONNECT | RECEIVE_FROM | WSK_EVENT_SEND_BACKLOG

families = pytest.mark.parametrize(
    ("family", "near", "far"), [(AF_INET, NEAR, FAR), (AF_INET6, NEAR6, FAR6)], ids=["IPv4", "IPv6"]
)


def set_static(lab: Lab, host: Host, mask: int) -> None:
    Control = WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, mask)
    arguments = (WSK_SET_STATIC_EVENT_CALLBACKS, 16, Control, 0, None, None)
    assert lab.application(host).control(*arguments) == STATUS_SUCCESS


class Driver:
    """Tables of a driver that notes what its callbacks are told."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.accepted: list[WSK_SOCKET] = []
        self.status: NTSTATUS = STATUS_SUCCESS
        self.inside: Callable[[], object] | None = None
        self.connection = WSK_CLIENT_CONNECTION_DISPATCH(self.receive, self.disconnect, None)
        self.handed_out: Any = self.connection
        self.listen = WSK_CLIENT_LISTEN_DISPATCH(self.accept)
        self.datagram = WSK_CLIENT_DATAGRAM_DISPATCH(self.receive_from)
        self.stream = WSK_CLIENT_STREAM_DISPATCH(self.listen, self.connection)

    def accept(self, *arguments: Any) -> NTSTATUS:
        _, _, _, _, Socket, Context, Dispatch = arguments
        if Socket is None:
            self.calls.append("dead")
            return STATUS_REQUEST_NOT_ACCEPTED
        self.accepted.append(Socket)
        Context[0], Dispatch[0] = "accepted", self.handed_out
        if self.inside is not None:
            self.inside()
        return self.status

    def receive(self, Context: Any, Flags: int, Indication: Any, length: int, accepted: list[int]) -> NTSTATUS:
        self.calls.append("dead" if Indication is None else (Context, memory_of(Indication)))
        return self.status

    def disconnect(self, Context: Any, Flags: int) -> NTSTATUS:
        self.calls.append((Context, "disconnected"))
        return STATUS_SUCCESS

    def receive_from(self, Context: Any, Flags: int, Indication: Any) -> NTSTATUS:
        batch = []
        while Indication is not None:
            batch.append(memory_of(Indication))
            Indication = Indication.Next
        self.calls.append(batch or "dead")
        return self.status


def memory_of(Indication: Any) -> bytes:
    Buffer = Indication.Buffer
    return bytes(Buffer.Mdl.MappedSystemVa)[Buffer.Offset : Buffer.Offset + Buffer.Length]


@pytest.fixture
def driver() -> Driver:
    return Driver()


def far_listener(lab: Lab, far: str = "0.0.0.0", family: int = AF_INET) -> WSK_SOCKET:
    return lab.listener(far, AddressFamily=family)


# Enabled from creation


@pytest.mark.rule("R-333", "R-330")
@pytest.mark.parametrize("Flags", [L, S])
@families
def test_a_listener_has_its_event_as_soon_as_it_listens_and_its_connections_theirs(
    lab: Lab, driver: Driver, family: int, near: str, far: str, Flags: int
) -> None:
    set_static(lab, lab.far, ACCEPT | RECEIVE | DISCONNECT)
    table = driver.listen if Flags == L else driver.stream
    listener = lab.bound(lab.far, Flags, far, PORT, AddressFamily=family, Dispatch=table)
    if Flags == S:
        ok(simple.listen(listener))
    client = lab.bound(lab.near, C, near, AddressFamily=family)
    ok(simple.connect(client, simple.address(far, PORT)))
    ok(simple.send(client, b"data"))
    ok(simple.disconnect(client))
    lab.run()

    assert len(driver.accepted) == 1
    assert driver.calls == [("accepted", b"data"), ("accepted", "disconnected")]


@pytest.mark.rule("R-330")
@families
def test_a_datagram_socket_has_its_event_as_soon_as_it_is_bound(
    lab: Lab, driver: Driver, family: int, near: str, far: str
) -> None:
    set_static(lab, lab.far, RECEIVE_FROM)
    lab.datagram(lab.far, PORT, far, AddressFamily=family, Dispatch=driver.datagram)
    sender = lab.datagram(lab.near, 0, near, AddressFamily=family)
    for data in (b"one", b"two"):
        ok(simple.send_to(sender, data, simple.address(far, PORT)))
    lab.run()

    assert driver.calls == [[b"one"], [b"two"]]


@pytest.mark.rule("R-330")
@pytest.mark.parametrize("Flags", [C, S])
@families
def test_a_connection_has_its_events_as_soon_as_it_is_connected(
    lab: Lab, driver: Driver, family: int, near: str, far: str, Flags: int
) -> None:
    set_static(lab, lab.near, RECEIVE | DISCONNECT)
    listener = far_listener(lab, far, family)
    table = driver.connection if Flags == C else driver.stream
    Socket = lab.bound(lab.near, Flags, near, AddressFamily=family, SocketContext="context", Dispatch=table)
    ok(simple.connect(Socket, simple.address(far, PORT)))
    peer = ok(simple.accept(listener))
    ok(simple.send(peer, b"data"))
    ok(simple.disconnect(peer))
    lab.run()

    assert driver.calls == [("context", b"data"), ("context", "disconnected")]


@pytest.mark.rule("R-330", "R-096")
@pytest.mark.parametrize("is_static", [True, False])
def test_so_has_that_of_wsk_socket_connect_once_its_irp_has_completed(
    lab: Lab, driver: Driver, is_static: bool
) -> None:
    if is_static:
        set_static(lab, lab.near, RECEIVE)
    set_static(lab, lab.far, ACCEPT)
    far_driver = Driver()
    sending: list[Request] = []

    def inside() -> None:
        Socket = far_driver.accepted[0]
        sending.append(start(Socket.Dispatch.WskSend, Socket, simple.buffer(b"hello"), 0))

    far_driver.inside = inside
    lab.bound(lab.far, L, FAR, PORT, Dispatch=far_driver.listen)
    provider = lab.near_application.provider
    local, remote = simple.address(NEAR, 0), simple.address(FAR, PORT)
    request = Request()
    request.then = lambda: driver.calls.append("connected")
    request.start(
        provider.Dispatch.WskSocketConnect, provider.Client, 1, 6, local, remote, 0, "context", driver.connection,
        None, None, None,
    )  # fmt: skip
    lab.run()

    assert driver.calls == ["connected", ("context", b"hello")][: 1 + is_static]


@pytest.mark.rule("R-330")
@pytest.mark.parametrize("is_waiting", [False, True], ids=["connection first", "WskAccept first"])
@pytest.mark.parametrize("has_table", [True, False])
def test_a_socket_from_wsk_accept_has_its_events_by_the_table_given_after_the_irp_has_completed(
    lab: Lab, driver: Driver, is_waiting: bool, has_table: bool
) -> None:
    set_static(lab, lab.far, RECEIVE)
    listener = far_listener(lab)
    request = Request()
    request.then = lambda: driver.calls.append("accepted")
    table = driver.connection if has_table else None
    arguments = (listener, 0, "context", table, None, None)
    if is_waiting:
        request.start(listener.Dispatch.WskAccept, *arguments)
    client = lab.connected()
    ok(simple.send(client, b"data"))
    lab.run()
    if not is_waiting:
        request.start(listener.Dispatch.WskAccept, *arguments)

    assert driver.calls == ["accepted", ("context", b"data")][: 1 + has_table]
    if not has_table:
        assert ok(simple.receive(request.information)) == b"data"


@pytest.mark.rule("R-330", "R-075")
def test_sockets_of_other_clients_have_none(lab: Lab, driver: Driver) -> None:
    set_static(lab, lab.far, RECEIVE_FROM)
    with lab.far.activate():
        other = simple.Application()
        Socket = ok(other.open(D, Dispatch=driver.datagram))
        ok(simple.bind(Socket, simple.address("0.0.0.0", PORT)))
    ok(simple.send_to(lab.datagram(lab.near), b"data", simple.address(FAR, PORT)))
    lab.run()

    assert not driver.calls
    assert simple.control_events(Socket, RECEIVE_FROM) == STATUS_SUCCESS
    assert driver.calls == [[b"data"]]


@pytest.mark.rule("R-330")
def test_an_event_without_a_function_leaves_the_data_to_requests(lab: Lab, driver: Driver) -> None:
    set_static(lab, lab.far, EVERYTHING)
    datagram = lab.datagram(lab.far, PORT, Dispatch=WSK_CLIENT_DATAGRAM_DISPATCH(None))
    listener = lab.listener(Dispatch=None)
    near = lab.connected()
    ok(simple.send(near, b"stream"))
    ok(simple.send_to(lab.datagram(lab.near), b"datagram", simple.address(FAR, PORT)))
    lab.run()

    assert ok(simple.receive_from(datagram))[0] == b"datagram"
    only_disconnect = WSK_CLIENT_CONNECTION_DISPATCH(None, driver.disconnect, None)
    far = ok(simple.accept(listener, "context", only_disconnect))
    assert ok(simple.receive(far)) == b"stream"
    ok(simple.disconnect(near))
    lab.run()
    assert driver.calls == [("context", "disconnected")]


@pytest.mark.rule("R-330", "R-283", "R-159")
@pytest.mark.parametrize("Flags", [L, D])
def test_a_static_event_tells_that_the_socket_is_dead(lab: Lab, driver: Driver, Flags: int) -> None:
    set_static(lab, lab.near, EVERYTHING)
    lab.bound(lab.near, Flags, Dispatch=driver.listen if Flags == L else driver.datagram)
    remove_transport(lab.near)

    assert driver.calls == ["dead"]


# For good


@pytest.mark.rule("R-331", "D-15")
@pytest.mark.parametrize("mask", [RECEIVE, DISCONNECT, RECEIVE | DISCONNECT])
@pytest.mark.parametrize("disable", [0, WSK_EVENT_DISABLE])
@pytest.mark.parametrize("has_irp", [False, True])
def test_a_static_event_can_neither_be_disabled_nor_enabled_again(
    lab: Lab, driver: Driver, mask: int, disable: int, has_irp: bool
) -> None:
    set_static(lab, lab.near, RECEIVE)
    near, far = lab.pair(SocketContext="context", Dispatch=driver.connection)
    if has_irp:
        status = simple.call(near.Dispatch.WskControlSocket, near, *simple._event_control(mask | disable))[0]
    else:
        status = simple.control_events(near, mask | disable)
    ok(simple.send(far, b"data"))
    lab.run()

    assert status == (STATUS_SUCCESS if mask == DISCONNECT else STATUS_INVALID_PARAMETER)
    assert driver.calls == [("context", b"data")]


@pytest.mark.rule("R-331", "R-330", "D-15")
@pytest.mark.parametrize(
    ("Flags", "event"),
    [(L, ACCEPT), (L, RECEIVE), (D, RECEIVE_FROM), (C, RECEIVE), (S, ACCEPT), (S, RECEIVE)],
)
@pytest.mark.parametrize("disable", [0, WSK_EVENT_DISABLE])
def test_it_is_so_from_creation_on(lab: Lab, Flags: int, event: int, disable: int) -> None:
    set_static(lab, lab.near, EVERYTHING)
    Socket = lab.socket(lab.near, Flags)
    assert simple.control_events(Socket, event | disable) == STATUS_INVALID_PARAMETER
    ok(simple.bind(Socket, simple.address("0.0.0.0", 0)))
    assert simple.control_events(Socket, event | disable) == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-331")
def test_nor_can_it_be_inside_the_accept_event(lab: Lab, driver: Driver) -> None:
    set_static(lab, lab.far, ACCEPT | RECEIVE)
    returned: list[NTSTATUS] = []

    def inside() -> None:
        Socket = driver.accepted[0]
        returned.extend(simple.control_events(Socket, mask) for mask in (RECEIVE, WSK_EVENT_DISABLE | RECEIVE))
        returned.append(simple.control_events(Socket, DISCONNECT))

    driver.inside = inside
    lab.listener(Dispatch=driver.listen)
    ok(simple.disconnect(lab.connected()))
    lab.run()

    assert returned == [STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER, STATUS_SUCCESS]
    assert driver.calls == [("accepted", "disconnected")]


@pytest.mark.rule("R-331")
def test_dynamic_events_beside_static_ones_go_on_and_off(lab: Lab, driver: Driver) -> None:
    set_static(lab, lab.far, ACCEPT)
    listener = lab.listener(Dispatch=driver.listen)
    assert simple.control_events(listener, RECEIVE) == STATUS_SUCCESS
    ok(simple.send(lab.connected(), b"inherited"))
    lab.run()
    assert driver.calls == [("accepted", b"inherited")]
    far = driver.accepted[0]
    assert simple.control_events(far, WSK_EVENT_DISABLE | RECEIVE) == STATUS_SUCCESS


@pytest.mark.rule("R-282")
@pytest.mark.parametrize("is_static", [True, False])
def test_a_refusal_leaves_a_static_event_of_datagrams_enabled_for_new_ones(
    lab: Lab, driver: Driver, is_static: bool
) -> None:
    if is_static:
        set_static(lab, lab.far, RECEIVE_FROM)
    Socket = lab.datagram(lab.far, PORT, Dispatch=driver.datagram)
    if not is_static:
        assert simple.control_events(Socket, RECEIVE_FROM) == STATUS_SUCCESS
    driver.status = STATUS_DATA_NOT_ACCEPTED
    near = lab.datagram(lab.near)
    for data in (b"one", b"two", b"three"):
        ok(simple.send_to(near, data, simple.address(FAR, PORT)))
        lab.run()
        driver.status = STATUS_SUCCESS if data == b"two" else STATUS_DATA_NOT_ACCEPTED

    expected = [[b"one"], [b"one", b"two"], [b"one", b"two", b"three"]]
    assert driver.calls == (expected if is_static else expected[:1])


@pytest.mark.rule("R-281", "R-280")
def test_what_a_dynamic_event_refused_comes_again_when_it_is_enabled_again(lab: Lab, driver: Driver) -> None:
    Socket = lab.datagram(lab.far, PORT, Dispatch=driver.datagram)
    assert simple.control_events(Socket, RECEIVE_FROM) == STATUS_SUCCESS
    driver.status = STATUS_DATA_NOT_ACCEPTED
    ok(simple.send_to(lab.datagram(lab.near), b"one", simple.address(FAR, PORT)))
    lab.run()
    assert simple.control_events(Socket, RECEIVE_FROM) == STATUS_SUCCESS

    assert driver.calls == [[b"one"], [b"one"]]


@pytest.mark.rule("R-282")
def test_what_was_refused_can_be_received(lab: Lab, driver: Driver) -> None:
    set_static(lab, lab.far, RECEIVE_FROM)
    Socket = lab.datagram(lab.far, PORT, Dispatch=driver.datagram)
    driver.status = STATUS_DATA_NOT_ACCEPTED
    near = lab.datagram(lab.near)
    ok(simple.send_to(near, b"one", simple.address(FAR, PORT)))
    lab.run()
    assert ok(simple.receive_from(Socket))[0] == b"one"
    ok(simple.send_to(near, b"two", simple.address(FAR, PORT)))
    lab.run()

    assert driver.calls == [[b"one"], [b"two"]]


@pytest.mark.rule("R-282")
def test_what_comes_during_the_refusal_is_new(lab: Lab, driver: Driver) -> None:
    set_static(lab, lab.near, RECEIVE_FROM)
    Socket = lab.datagram(lab.near, PORT, "127.0.0.1", Dispatch=driver.datagram)
    arguments = (Socket, simple.buffer(b"again"), 0, simple.address("127.0.0.1", PORT), 0, None)
    send = Socket.Dispatch.WskSendTo
    waiting = [Request(), Request()]

    def receive_from(Context: Any, Flags: int, Indication: Any) -> NTSTATUS:
        if waiting:
            waiting.pop().start(send, *arguments)
        return driver.receive_from(Context, Flags, Indication)

    driver.datagram.WskReceiveFromEvent = receive_from
    driver.status = STATUS_DATA_NOT_ACCEPTED
    lab.datagram(lab.near, PORT + 1, "127.0.0.1", Dispatch=driver.datagram)
    arguments = (*arguments[:3], simple.address("127.0.0.1", PORT + 1), 0, None)
    start(send, *arguments)
    lab.run()

    assert [len(batch) for batch in driver.calls] == [1, 2, 3]


# The request


@pytest.mark.rule("R-332")
def test_one_mask_is_for_sockets_of_all_categories(lab: Lab, driver: Driver) -> None:
    set_static(lab, lab.far, EVERYTHING)
    lab.listener(Dispatch=driver.listen)
    lab.datagram(lab.far, PORT, Dispatch=driver.datagram)
    basic = lab.socket(lab.far, B)
    ok(simple.send_to(lab.datagram(lab.near), b"datagram", simple.address(FAR, PORT)))
    ok(simple.send(lab.connected(), b"stream"))
    lab.run()

    assert driver.calls == [[b"datagram"], ("accepted", b"stream")]
    ok(simple.close(basic))


@pytest.mark.rule("R-329", "R-332")
def test_the_last_mask_before_the_first_socket_counts(lab: Lab, driver: Driver) -> None:
    set_static(lab, lab.far, EVERYTHING)
    set_static(lab, lab.far, ACCEPT)
    Socket = lab.datagram(lab.far, Dispatch=driver.datagram)

    assert simple.control_events(Socket, RECEIVE_FROM) == STATUS_SUCCESS


@pytest.mark.rule("D-17", "D-15", "R-332")
@pytest.mark.parametrize(
    ("NpiId", "mask", "size", "output"),
    [
        (NPI_WSK_INTERFACE_ID, 0, 16, None),
        (NPI_WSK_INTERFACE_ID, WSK_EVENT_DISABLE | RECEIVE, 16, None),
        (NPI_WSK_INTERFACE_ID, WSK_EVENT_DISABLE, 16, None),
        (NPI_WSK_INTERFACE_ID, RECEIVE | 1, 16, None),
        (GUID(1), RECEIVE, 16, None),
        (None, RECEIVE, 16, None),
        (NPI_WSK_INTERFACE_ID, RECEIVE, 8, None),
        (NPI_WSK_INTERFACE_ID, RECEIVE, 16, [0]),
    ],
)
def test_malformed_requests(lab: Lab, NpiId: GUID | None, mask: int, size: int, output: Any) -> None:
    Control = WSK_EVENT_CALLBACK_CONTROL(NpiId, mask)
    arguments = (size, Control, 4 if output else 0, output, None)
    control = lab.near_application.control
    assert control(WSK_SET_STATIC_EVENT_CALLBACKS, *arguments) == STATUS_INVALID_PARAMETER
    assert control(WSK_SET_STATIC_EVENT_CALLBACKS, 16, bytes(16), 0, None, None) == STATUS_INVALID_PARAMETER
    near, _ = lab.pair(Dispatch=Driver().connection)

    assert simple.control_events(near, RECEIVE) == STATUS_SUCCESS


@pytest.mark.rule("R-258")
@pytest.mark.parametrize("disable", [0, WSK_EVENT_DISABLE])
def test_on_a_dead_socket_nothing_is_enabled_or_disabled(lab: Lab, driver: Driver, disable: int) -> None:
    Socket = lab.datagram(lab.near, Dispatch=driver.datagram)
    remove_transport(lab.near)

    assert simple.control_events(Socket, RECEIVE_FROM | disable) == STATUS_FILE_FORCED_CLOSED
