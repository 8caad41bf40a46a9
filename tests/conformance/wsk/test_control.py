"""WskControlSocket: options and the enabling of callbacks (wsk.md 5.1 to 5.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_categories import B, C, D, L, S
from tests.support.wsk_lab import FAR, PORT, Lab, Request, ok, start
from wsknet.types import SECOND
from wsknet.wsk import (
    AF_INET6,
    GUID,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPV6_V6ONLY,
    NPI_WSK_INTERFACE_ID,
    NTSTATUS,
    SIO_WSK_REGISTER_EXTENSION,
    SIO_WSK_SET_REMOTE_ADDRESS,
    SO_BROADCAST,
    SO_CONDITIONAL_ACCEPT,
    SO_EXCLUSIVEADDRUSE,
    SO_KEEPALIVE,
    SO_PORT_SCALABILITY,
    SO_RANDOMIZE_PORT,
    SO_RCVBUF,
    SO_REUSE_UNICASTPORT,
    SO_REUSEADDR,
    SO_SNDBUF,
    SO_WSK_EVENT_CALLBACK,
    SOL_SOCKET,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_SUCCESS,
    TCP_NODELAY,
    TCP_STDURG,
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
    WSK_SOCKET,
    WskControlMax,
    WskGetOption,
    WskIoctl,
    WskSetOption,
    simple,
)

OPTIONS = [
    (SOL_SOCKET, SO_REUSEADDR, {L, C, D, S}),
    (SOL_SOCKET, SO_EXCLUSIVEADDRUSE, {L, C, D, S}),
    (SOL_SOCKET, SO_RANDOMIZE_PORT, {L, C, D, S}),
    (SOL_SOCKET, SO_PORT_SCALABILITY, {L, C, D, S}),
    (SOL_SOCKET, SO_REUSE_UNICASTPORT, {L, C, D, S}),
    (SOL_SOCKET, SO_KEEPALIVE, {L, C, S}),
    (SOL_SOCKET, SO_BROADCAST, {D}),
    (SOL_SOCKET, SO_RCVBUF, {L, C, D, S}),
    (IPPROTO_IPV6, IPV6_V6ONLY, {L, C, D, S}),
    (IPPROTO_TCP, TCP_NODELAY, {L, C, S}),
]


def control(Socket: WSK_SOCKET, *arguments: Any) -> Request:
    return start(Socket.Dispatch.WskControlSocket, Socket, *arguments)


# Options


@pytest.mark.rule("R-301", "R-303", "D-17")
@pytest.mark.parametrize("Flags", [L, C, D, S])
@pytest.mark.parametrize(("Level", "code", "categories"), OPTIONS)
def test_what_is_set_is_read_back_on_the_categories_that_have_it(
    lab: Lab, Level: int, code: int, categories: set[int], Flags: int
) -> None:
    Socket = lab.socket(lab.near, Flags, AddressFamily=AF_INET6)
    ulong = bytearray((1).to_bytes(4, "little"))
    request = control(Socket, WskSetOption, code, Level, 4, ulong, 0, None, None)
    if Flags not in categories:
        assert request.status == STATUS_INVALID_PARAMETER
        return
    assert (request.returned, request.information) == (STATUS_SUCCESS, 0)
    found = bytearray(8)
    reading = control(Socket, WskGetOption, code, Level, 0, None, 8, found, None)

    assert (reading.status, reading.information) == (STATUS_SUCCESS, 4)
    assert found == b"\1\0\0\0\0\0\0\0"


@pytest.mark.rule("R-302", "R-129")
@pytest.mark.parametrize(
    ("Flags", "code"),
    [
        (L, SO_CONDITIONAL_ACCEPT), (L, SO_KEEPALIVE), (L, SO_REUSEADDR), (D, SO_EXCLUSIVEADDRUSE), (D, SO_BROADCAST),
        (C, SO_KEEPALIVE), (S, SO_REUSEADDR),
    ],
)  # fmt: skip
def test_everything_is_off_at_first(lab: Lab, Flags: int, code: int) -> None:
    assert ok(simple.get_option(lab.socket(lab.near, Flags), SOL_SOCKET, code)) == 0


def test_the_buffer_size_is_that_of_the_transport_until_it_is_set(lab: Lab) -> None:
    config = lab.near.stack.config
    sizes = [ok(simple.get_option(lab.socket(lab.near, Flags), SOL_SOCKET, SO_RCVBUF)) for Flags in (C, D)]

    assert sizes == [config.tcp.receive_buffer, config.udp.receive_buffer]


def test_the_buffer_size_bounds_the_window(lab: Lab) -> None:
    listener = lab.listener()
    ok(simple.set_option(listener, SOL_SOCKET, SO_RCVBUF, 5000))
    near = lab.connected()
    request = start(near.Dispatch.WskSend, near, simple.buffer(bytes(20_000)), 0)
    lab.run()
    far: Any = ok(simple.accept(listener))

    assert not request.is_done
    assert far.endpoint.readable == 5000


@pytest.mark.rule("D-17")
@pytest.mark.parametrize(
    ("InputSize", "InputBuffer"), [(0, None), (2, bytearray(2)), (4, None), (8, bytearray(8))], ids=repr
)
def test_a_ulong_has_four_bytes(lab: Lab, InputSize: int, InputBuffer: bytearray | None) -> None:
    Socket = lab.socket(lab.near, C)
    request = control(Socket, WskSetOption, SO_KEEPALIVE, SOL_SOCKET, InputSize, InputBuffer, 0, None, None)
    assert request.status == STATUS_INVALID_PARAMETER

    reading = control(Socket, WskGetOption, SO_KEEPALIVE, SOL_SOCKET, 0, None, 2, bytearray(2), None)
    assert reading.status == STATUS_INVALID_PARAMETER


@pytest.mark.rule("D-17")
def test_reuse_and_exclusive_use_do_not_go_together(lab: Lab) -> None:
    Socket = lab.socket(lab.near, D)
    ok(simple.set_option(Socket, SOL_SOCKET, SO_REUSEADDR, 1))

    assert simple.set_option(Socket, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1)[0] == STATUS_INVALID_PARAMETER
    assert simple.set_option(Socket, SOL_SOCKET, SO_RCVBUF, 0)[0] == STATUS_INVALID_PARAMETER


@pytest.mark.rule("D-17", "R-317")
@pytest.mark.parametrize("Flags", [L, C, D, S, B])
@pytest.mark.parametrize(
    ("RequestType", "code", "Level"),
    [
        (WskSetOption, SO_SNDBUF, SOL_SOCKET),
        (WskGetOption, SO_SNDBUF, SOL_SOCKET),
        (WskGetOption, TCP_STDURG, IPPROTO_TCP),
        (WskIoctl, SIO_WSK_REGISTER_EXTENSION, 0),
    ],
)
def test_what_is_not_there_is_not_supported(lab: Lab, Flags: int, RequestType: int, code: int, Level: int) -> None:
    request = control(lab.socket(lab.near, Flags), RequestType, code, Level, 4, [1], 4, [0], None)

    assert request.returned == request.status == STATUS_NOT_SUPPORTED
    assert request.was_pending == [False]


@pytest.mark.rule("D-17", "R-317")
def test_the_presence_of_an_irp_is_checked(lab: Lab) -> None:
    Socket = lab.socket(lab.near, D)
    function = Socket.Dispatch.WskControlSocket

    assert function(Socket, WskSetOption, SO_BROADCAST, SOL_SOCKET, 4, [1], 0, None, None, None) == (
        STATUS_INVALID_PARAMETER
    )
    without_irp = (0, 0, None, 0, None, None, None)
    assert function(Socket, WskIoctl, SIO_WSK_SET_REMOTE_ADDRESS, *without_irp) == STATUS_INVALID_PARAMETER
    assert function(Socket, WskIoctl, SIO_WSK_REGISTER_EXTENSION, *without_irp) == STATUS_NOT_SUPPORTED
    assert control(Socket, WskControlMax, 0, 0, 0, None, 0, None, None).status == STATUS_INVALID_PARAMETER


@pytest.mark.rule("D-17")
def test_an_address_ioctl_needs_a_datagram_socket_and_a_whole_address(lab: Lab) -> None:
    to = simple.address(FAR, PORT)
    connection, datagram = lab.bound(lab.near, C), lab.datagram(lab.near)
    code = SIO_WSK_SET_REMOTE_ADDRESS

    assert control(connection, WskIoctl, code, 0, 16, to, 0, None, None).status == STATUS_INVALID_PARAMETER
    for size, address in ((16, None), (0, to), (8, to)):
        request = control(datagram, WskIoctl, code, 0, size, address, 0, None, None)
        assert request.status == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-305")
def test_keep_alive_probes_an_idle_connection(lab: Lab) -> None:
    near, _ = lab.pair()
    sent = len(lab.near_wire.tcp_flags())
    lab.run(2.5 * 3600)
    assert len(lab.near_wire.tcp_flags()) == sent
    ok(simple.set_option(near, SOL_SOCKET, SO_KEEPALIVE, 1))
    lab.run(2.5 * 3600)

    assert len(lab.near_wire.tcp_flags()) > sent
    ok(simple.send(near, b"still open"))


def test_nodelay_switches_nagle_off(lab: Lab) -> None:
    near, _ = lab.pair()
    ok(simple.set_option(near, IPPROTO_TCP, TCP_NODELAY, 1))
    before = len(lab.near_wire.frames)
    for _ in range(3):
        start(near.Dispatch.WskSend, near, simple.buffer(b"x"), 0)

    assert len(lab.near_wire.frames) - before == 3


# Callbacks


def nothing(*arguments: object) -> NTSTATUS:
    return STATUS_SUCCESS


CONNECTION = WSK_CLIENT_CONNECTION_DISPATCH(nothing, nothing, nothing)


def events(Socket: WSK_SOCKET, EventMask: int) -> NTSTATUS:
    return simple.control_events(Socket, EventMask)


@pytest.mark.rule("R-291", "R-292", "D-15")
def test_any_combination_is_enabled_and_one_at_a_time_disabled(lab: Lab) -> None:
    near, _ = lab.pair(Dispatch=CONNECTION)
    both = WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT

    assert events(near, both | WSK_EVENT_SEND_BACKLOG) == STATUS_SUCCESS
    assert events(near, WSK_EVENT_DISABLE | both) == STATUS_INVALID_PARAMETER
    assert events(near, WSK_EVENT_DISABLE | WSK_EVENT_RECEIVE) == STATUS_SUCCESS
    assert events(near, WSK_EVENT_DISABLE | WSK_EVENT_RECEIVE) == STATUS_SUCCESS


@pytest.mark.rule("R-297", "R-298", "D-15")
def test_events_are_enabled_after_bind_or_connect(lab: Lab) -> None:
    listener = lab.socket(lab.near, L, Dispatch=WSK_CLIENT_LISTEN_DISPATCH(nothing))
    datagram = lab.socket(lab.near, D, Dispatch=WSK_CLIENT_DATAGRAM_DISPATCH(nothing))
    connection = lab.bound(lab.near, C, Dispatch=CONNECTION)
    masks = [WSK_EVENT_ACCEPT, WSK_EVENT_RECEIVE_FROM, WSK_EVENT_RECEIVE]
    sockets = [listener, datagram, connection]
    for Socket, mask in zip(sockets, masks, strict=True):
        assert events(Socket, mask) == STATUS_INVALID_DEVICE_STATE

    lab.listener()
    for Socket in sockets[:2]:
        ok(simple.bind(Socket, simple.address("0.0.0.0", 0)))
    ok(simple.connect(connection, simple.address(FAR, PORT)))
    assert [events(Socket, mask) for Socket, mask in zip(sockets, masks, strict=True)] == [STATUS_SUCCESS] * 3


@pytest.mark.rule("D-15", "R-299")
@pytest.mark.parametrize(
    ("Flags", "Dispatch", "mask"),
    [
        (D, WSK_CLIENT_DATAGRAM_DISPATCH(nothing), WSK_EVENT_ACCEPT),
        (D, WSK_CLIENT_DATAGRAM_DISPATCH(None), WSK_EVENT_RECEIVE_FROM),
        (D, None, WSK_EVENT_RECEIVE_FROM),
        (D, WSK_CLIENT_DATAGRAM_DISPATCH(nothing), 0),
        (D, WSK_CLIENT_DATAGRAM_DISPATCH(nothing), WSK_EVENT_DISABLE),
        (D, WSK_CLIENT_DATAGRAM_DISPATCH(nothing), WSK_EVENT_RECEIVE_FROM | 1),
        (L, WSK_CLIENT_LISTEN_DISPATCH(nothing), WSK_EVENT_RECEIVE_FROM),
        (B, None, WSK_EVENT_RECEIVE),
    ],
)
def test_events_that_cannot_be_enabled(lab: Lab, Flags: int, Dispatch: Any, mask: int) -> None:
    Socket = lab.socket(lab.near, Flags, Dispatch=Dispatch)
    if Flags != B:
        ok(simple.bind(Socket, simple.address("0.0.0.0", 0)))

    assert events(Socket, mask) == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-299", "D-15")
def test_the_interface_id_and_the_size_have_to_be_right(lab: Lab) -> None:
    Socket = lab.datagram(lab.near, Dispatch=WSK_CLIENT_DATAGRAM_DISPATCH(nothing))

    def enable(NpiId: GUID | None, size: int) -> NTSTATUS:
        Control = WSK_EVENT_CALLBACK_CONTROL(NpiId, WSK_EVENT_RECEIVE_FROM)
        arguments = (WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, size, Control, 0, None, None, None)
        result: NTSTATUS = Socket.Dispatch.WskControlSocket(Socket, *arguments)
        return result

    assert enable(GUID(1), 16) == enable(None, 16) == enable(NPI_WSK_INTERFACE_ID, 8) == STATUS_INVALID_PARAMETER
    assert enable(NPI_WSK_INTERFACE_ID, 16) == STATUS_SUCCESS


@pytest.mark.rule("R-300")
def test_enabling_with_an_irp_completes_it(lab: Lab) -> None:
    Socket = lab.datagram(lab.near, Dispatch=WSK_CLIENT_DATAGRAM_DISPATCH(nothing))
    Control = WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, WSK_EVENT_RECEIVE_FROM)
    arguments = (WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, 16, Control, 0, None, None)
    assert control(Socket, *arguments).completions == [(STATUS_SUCCESS, 0)]

    Control.EventMask = WSK_EVENT_ACCEPT
    assert control(Socket, *arguments).completions == [(STATUS_INVALID_PARAMETER, 0)]


@pytest.mark.rule("R-075")
def test_callbacks_are_off_at_first(lab: Lab) -> None:
    calls: list[object] = []
    dispatch = WSK_CLIENT_DATAGRAM_DISPATCH(lambda *arguments: calls.append(arguments))
    lab.datagram(lab.far, PORT, Dispatch=dispatch)
    near = lab.datagram(lab.near)
    ok(simple.send_to(near, b"x", simple.address(FAR, PORT)))
    lab.run()

    assert not calls
    assert lab.network.driver.now() >= SECOND
