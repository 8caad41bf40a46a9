"""IOCTLs of wsk.h and of filters (wsk.md 5.4): backlogs, extensions, loopback, redirects, sorted addresses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_categories import B, C, D, L, S
from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, PORT, Lab, Request, ok
from tests.support.wsk_tcp import bound, control, families, far_address, ioctl, listener, pair, query, send, size_of
from wsknet.wsk import (
    AF_INET6,
    APC_LEVEL,
    DISPATCH_LEVEL,
    NTSTATUS,
    PASSIVE_LEVEL,
    SIO_ADDRESS_LIST_CHANGE,
    SIO_ADDRESS_LIST_QUERY,
    SIO_ADDRESS_LIST_SORT,
    SIO_LOOPBACK_FAST_PATH,
    SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT,
    SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS,
    SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS,
    SIO_TCP_INFO,
    SIO_WSK_QUERY_IDEAL_SEND_BACKLOG,
    SIO_WSK_QUERY_RECEIVE_BACKLOG,
    SIO_WSK_REGISTER_EXTENSION,
    SOCKADDR_IN6,
    SOCKET_ADDRESS,
    SOCKET_ADDRESS_LIST,
    STATUS_BUFFER_OVERFLOW,
    STATUS_BUFFER_TOO_SMALL,
    STATUS_INVALID_BUFFER_SIZE,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_FOUND,
    STATUS_NOT_SUPPORTED,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_EVENT_RECEIVE,
    WSK_EXTENSION_CONTROL_IN,
    WSK_EXTENSION_CONTROL_OUT,
    BugCheck,
    KeLowerIrql,
    KeRaiseIrql,
    TCP_INFO_v0,
    WskIoctl,
    simple,
)
from wsknet.wsk.control.redirect import redirect, redirect_records

RECORDS, CONTEXT = SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS, SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT

# Backlogs


@families
@pytest.mark.rule("R-310")
def test_the_receive_backlog_is_what_nobody_has_received_yet(lab: Lab, family: int) -> None:
    near, far = pair(lab, family)
    assert size_of(far, SIO_WSK_QUERY_RECEIVE_BACKLOG) == 0
    ok(simple.send(near, b"ten bytes."))
    assert size_of(far, SIO_WSK_QUERY_RECEIVE_BACKLOG) == 10
    ok(simple.receive(far, 4))
    found: list[int] = []

    assert query(far, SIO_WSK_QUERY_RECEIVE_BACKLOG, 8, found).completions == [(STATUS_SUCCESS, 8)]
    assert found == [6]


@pytest.mark.rule("R-310")
def test_what_an_indication_has_handed_over_is_no_backlog(lab: Lab) -> None:
    def take_half(*arguments: Any) -> NTSTATUS:
        arguments[4][0] = arguments[3] // 2
        return STATUS_SUCCESS

    near, far = pair(lab, Dispatch=WSK_CLIENT_CONNECTION_DISPATCH(take_half))
    assert simple.control_events(near, WSK_EVENT_RECEIVE) == STATUS_SUCCESS
    ok(simple.send(far, bytes(10)))
    lab.run()

    assert size_of(near, SIO_WSK_QUERY_RECEIVE_BACKLOG) == 5


@families
@pytest.mark.rule("R-311")
def test_the_ideal_send_backlog_is_a_size_that_grows_with_the_connection(lab: Lab, family: int) -> None:
    near, far = pair(lab, family)
    found: list[int] = []
    assert query(near, SIO_WSK_QUERY_IDEAL_SEND_BACKLOG, 8, found).completions == [(STATUS_SUCCESS, 8)]
    assert found == [1 << 16]
    request = send(near, bytes(400_000))
    for _ in range(100):
        lab.run(0.01)
        while size_of(far, SIO_WSK_QUERY_RECEIVE_BACKLOG):
            ok(simple.receive(far, 1 << 16))

    assert request.status == STATUS_SUCCESS
    info = TCP_INFO_v0()
    assert control(near, WskIoctl, SIO_TCP_INFO, 0, 4, [0], 88, info, None).status == STATUS_SUCCESS
    assert 1 << 16 < info.Cwnd <= info.SndWnd
    ideal = size_of(near, SIO_WSK_QUERY_IDEAL_SEND_BACKLOG)
    assert 2 * info.Cwnd <= ideal < 4 * info.Cwnd
    assert ideal & (ideal - 1) == 0


@pytest.mark.rule("R-310", "R-311", "D-17")
@pytest.mark.parametrize("code", [SIO_WSK_QUERY_IDEAL_SEND_BACKLOG, SIO_WSK_QUERY_RECEIVE_BACKLOG])
def test_a_backlog_belongs_to_a_connection_and_is_a_size_t(lab: Lab, code: int) -> None:
    near, _ = pair(lab)
    for size, target in ((4, bytearray(8)), (8, bytearray(4)), (8, None), (0, None)):
        assert query(near, code, size, target).completions == [(STATUS_INVALID_PARAMETER, 0)]
    assert control(near, WskIoctl, code, 0, 4, [0], 8, [0], None).status == STATUS_INVALID_PARAMETER
    assert near.Dispatch.WskControlSocket(near, WskIoctl, code, 0, 0, None, 8, [0], None, None) == (
        STATUS_INVALID_PARAMETER
    )
    for Flags, status in ((C, STATUS_INVALID_DEVICE_STATE), (S, STATUS_INVALID_DEVICE_STATE)):
        assert query(bound(lab, lab.near, Flags), code, 8, [0]).status == status
    for Flags in (L, D):
        assert query(lab.socket(lab.near, Flags), code, 8, [0]).status == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-309")
def test_the_level_of_an_ioctl_does_not_matter(lab: Lab) -> None:
    near, _ = pair(lab)
    for level in (0, 6, 0xFFFF, 12345):
        request = control(near, WskIoctl, SIO_WSK_QUERY_RECEIVE_BACKLOG, level, 0, None, 8, [7], None)
        assert request.completions == [(STATUS_SUCCESS, 8)]


# Extensions


@pytest.mark.rule("R-317")
@pytest.mark.parametrize("Flags", [L, C, D, S, B])
def test_there_are_no_extensions(lab: Lab, Flags: int) -> None:
    Socket: Any = lab.socket(lab.near, Flags)
    arguments = (Socket, WskIoctl, SIO_WSK_REGISTER_EXTENSION, 0)
    blocks = (24, WSK_EXTENSION_CONTROL_IN(), 16, WSK_EXTENSION_CONTROL_OUT())

    assert Socket.Dispatch.WskControlSocket(*arguments, *blocks, None, None) == STATUS_NOT_SUPPORTED
    assert control(Socket, *arguments[1:], *blocks, None).completions == [(STATUS_NOT_SUPPORTED, 0)]


# Loopback fast path


@pytest.mark.rule("R-321")
@pytest.mark.parametrize("Flags", [L, C, S])
def test_the_loopback_fast_path_is_a_boolean_of_tcp_sockets(lab: Lab, Flags: int) -> None:
    Socket = bound(lab, lab.near, Flags)
    for size, data in ((1, [1]), (1, b"\0"), (4, b"\1\0\0\0")):
        assert ioctl(Socket, SIO_LOOPBACK_FAST_PATH, size, data) == STATUS_SUCCESS
    assert ioctl(Socket, SIO_LOOPBACK_FAST_PATH) == STATUS_INVALID_BUFFER_SIZE


@pytest.mark.rule("R-321")
def test_the_loopback_fast_path_is_not_for_others_and_not_for_connections_that_stand(lab: Lab) -> None:
    for Flags in (D, B):
        assert ioctl(lab.socket(lab.near, Flags), SIO_LOOPBACK_FAST_PATH, 1, [1]) == STATUS_NOT_SUPPORTED
    near, _ = pair(lab)

    assert ioctl(near, SIO_LOOPBACK_FAST_PATH, 1, [1]) == STATUS_NOT_SUPPORTED


@pytest.mark.rule("R-321")
def test_a_connection_with_the_loopback_fast_path_works_as_any_other(lab: Lab) -> None:
    listening = bound(lab, lab.near, L, port=PORT)
    client = bound(lab, lab.near, C)
    for Socket in (listening, client):
        assert ioctl(Socket, SIO_LOOPBACK_FAST_PATH, 1, [1]) == STATUS_SUCCESS
    ok(simple.connect(client, simple.address("127.0.0.1", PORT)))
    ok(simple.send(client, b"within"))

    assert ok(simple.receive(ok(simple.accept(listening)), 100)) == b"within"


# Redirects


@pytest.mark.rule("R-322")
@pytest.mark.parametrize(("code", "octets"), [(RECORDS, b"opaque records"), (CONTEXT, b"context")])
def test_a_redirected_connection_tells_what_the_filter_has_left(lab: Lab, code: int, octets: bytes) -> None:
    near, _ = pair(lab)
    needed: list[int] = []
    missing = control(near, WskIoctl, code, 0, 0, None, 1000, bytearray(1000), needed)
    assert (missing.completions, needed) == ([(STATUS_NOT_FOUND, 0)], [])
    redirect(near, b"opaque records", b"context")

    for size, target in ((0, None), (len(octets) - 1, bytearray(100))):
        request = control(near, WskIoctl, code, 0, 0, None, size, target, needed)
        assert (request.completions, needed) == ([(STATUS_BUFFER_TOO_SMALL, 0)], [len(octets)])
    memory = bytearray(len(octets))
    request = control(near, WskIoctl, code, 0, 0, None, len(memory), memory, None)
    assert request.completions == [(STATUS_SUCCESS, len(octets))]
    assert memory == octets


@pytest.mark.rule("R-322")
def test_connections_of_a_redirected_listener_are_redirected(lab: Lab) -> None:
    listening = listener(lab)
    redirect(listening, b"records")
    ok(simple.connect(bound(lab, lab.near, C), far_address(2)))
    far = ok(simple.accept(listening))
    memory = bytearray(10)

    assert query(far, RECORDS, 10, memory).completions == [(STATUS_SUCCESS, 7)]
    assert memory[:7] == b"records"
    assert query(far, CONTEXT, 10, memory).status == STATUS_NOT_FOUND
    assert query(bound(lab, lab.near, C), RECORDS, 10, memory).status == STATUS_INVALID_DEVICE_STATE


@pytest.mark.rule("R-322", "D-17")
def test_redirect_records_are_set_before_connect(lab: Lab) -> None:
    Socket = bound(lab, lab.near, C)
    memory = bytearray(b"records and more")
    assert ioctl(Socket, SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS, 7, memory) == STATUS_SUCCESS
    memory[:] = bytes(16)
    assert redirect_records(Socket) == b"records"
    assert ioctl(Socket, SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS) == STATUS_INVALID_PARAMETER
    assert ioctl(Socket, SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS, 7, b"short") == STATUS_INVALID_PARAMETER
    near, _ = pair(lab)

    assert ioctl(near, SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS, 7, memory) == STATUS_INVALID_DEVICE_STATE
    for Flags in (D, L):
        Status = ioctl(lab.socket(lab.near, Flags), SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS, 7, memory)
        assert Status == STATUS_INVALID_PARAMETER


# Sorted addresses


def in6(text: str, scope: int = 0) -> SOCKADDR_IN6:
    address = simple.address(text if ":" in text else f"::ffff:{text}", 0)
    assert isinstance(address, SOCKADDR_IN6)
    address.sin6_scope_id = scope
    return address


def sort(Socket: Any, told: Any, size: int, room: int = 1000) -> tuple[Request, list[bytes], list[int]]:
    memory, needed = bytearray(room), list[int]()
    request = control(Socket, WskIoctl, SIO_ADDRESS_LIST_SORT, 0, size, told, room, memory, needed)
    if request.status != STATUS_SUCCESS:
        return request, [], needed
    return request, [bytes(entry.lpSockaddr or b"") for entry in SOCKET_ADDRESS_LIST.cast(memory).Address], needed


@pytest.mark.parametrize("is_memory", [False, True])
def test_addresses_are_sorted_as_destinations(lab: Lab, is_memory: bool) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=AF_INET6)
    unreachable, mapped, direct = in6("2001:db8:ffff::1"), in6(FAR), in6(FAR6)
    addresses = [unreachable, in6("::"), mapped, direct]
    told: Any = SOCKET_ADDRESS_LIST([SOCKET_ADDRESS(each, 28) for each in addresses])
    if is_memory:
        told = SOCKET_ADDRESS_LIST.of([bytes(each) for each in addresses])
    request, found, needed = sort(Socket, told, 1000)

    assert found == [bytes(direct), bytes(mapped), bytes(unreachable)]
    assert needed == [request.information] == [8 + 3 * (16 + 28)]
    short, _, needed = sort(Socket, told, 1000, 100)
    assert (short.status, needed) == (STATUS_BUFFER_OVERFLOW, [request.information])


@pytest.mark.parametrize("category", [B, L, C, D, S])
def test_every_category_sorts_and_an_empty_list_stays_one(lab: Lab, category: int) -> None:
    Socket = lab.socket(lab.near, category, AddressFamily=AF_INET6)
    request, found, needed = sort(Socket, bytes(8), 8)

    assert (request.status, found, needed) == (STATUS_SUCCESS, [], [8])


def test_what_is_no_address_list_is_not_sorted(lab: Lab) -> None:
    Socket = lab.socket(lab.near, B, AddressFamily=AF_INET6)
    for size, told in ((0, None), (4, bytes(4)), (8, b"\2" + bytes(7)), (8, [1])):
        assert sort(Socket, told, size)[0].status == STATUS_INVALID_PARAMETER
    assert sort(Socket, b"\1" + bytes(7) + bytes(16), 24)[1] == []


@pytest.mark.parametrize("own", [NEAR, NEAR6])
def test_sorting_works_without_an_irp_too(lab: Lab, own: str) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=AF_INET6)
    told, memory, needed = SOCKET_ADDRESS_LIST.of([bytes(in6(own))]), bytearray(100), list[int]()
    function = Socket.Dispatch.WskControlSocket

    assert function(Socket, WskIoctl, SIO_ADDRESS_LIST_SORT, 0, len(told), told, 100, memory, needed, None) == (
        STATUS_SUCCESS
    )
    assert (bytes(memory[: needed[0]]), needed) == (told, [len(told)])


# Interrupt request levels


@pytest.mark.rule("WSK-2.6")
@pytest.mark.parametrize("level", [APC_LEVEL, DISPATCH_LEVEL])
@pytest.mark.parametrize(
    "code",
    [
        SIO_ADDRESS_LIST_QUERY, SIO_ADDRESS_LIST_CHANGE, SIO_ADDRESS_LIST_SORT, SIO_LOOPBACK_FAST_PATH, RECORDS,
        CONTEXT, SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS,
    ],
)  # fmt: skip
def test_some_requests_are_for_passive_level(lab: Lab, code: int, level: int) -> None:
    Socket: Any = bound(lab, lab.near, C)
    before: list[int] = []
    KeRaiseIrql(level, before)
    assert before == [PASSIVE_LEVEL]
    request = Request()
    try:
        with pytest.raises(BugCheck) as stop:
            request.start(Socket.Dispatch.WskControlSocket, Socket, WskIoctl, code, 0, 0, None, 0, None, None)
    finally:
        KeLowerIrql(before[0])

    assert (stop.value.code, stop.value.rule) == (0x0A, "WSK-2.6")
    assert not request.is_done


@pytest.mark.rule("WSK-2.6")
@pytest.mark.parametrize("code", [SIO_WSK_QUERY_RECEIVE_BACKLOG, SIO_WSK_QUERY_IDEAL_SEND_BACKLOG])
def test_others_may_be_made_at_dispatch_level(lab: Lab, code: int) -> None:
    near, _ = pair(lab)
    before: list[int] = []
    KeRaiseIrql(DISPATCH_LEVEL, before)
    try:
        request = query(near, code, 8, [0])
    finally:
        KeLowerIrql(before[0])

    assert request.completions == [(STATUS_SUCCESS, 8)]
