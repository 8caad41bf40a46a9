"""WskControlClient: transports, TDI, and what each code takes (wsk.md 5.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, PORT, RST, Lab, Request, ok, start
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    DISPATCH_LEVEL,
    IPPROTO_ICMP,
    IPPROTO_IP,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    NPI_WSK_INTERFACE_ID,
    NTSTATUS,
    SECURITY_DESCRIPTOR,
    SIO_ADDRESS_LIST_CHANGE,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    STATUS_BUFFER_OVERFLOW,
    STATUS_CANCELLED,
    STATUS_DEVICE_NOT_READY,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_OBJECT_NAME_NOT_FOUND,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_CACHE_SD,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_EVENT_CALLBACK_CONTROL,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_RELEASE_SD,
    WSK_SET_STATIC_EVENT_CALLBACKS,
    WSK_SOCKET,
    WSK_TDI_BEHAVIOR,
    WSK_TDI_BEHAVIOR_BYPASS_TDI,
    WSK_TDI_DEVICENAME_MAPPING,
    WSK_TDI_MAP,
    WSK_TDI_MAP_INFO,
    WSK_TRANSPORT,
    WSK_TRANSPORT_LIST_CHANGE,
    WSK_TRANSPORT_LIST_QUERY,
    IoCancelIrp,
    KeLowerIrql,
    KeRaiseIrql,
    WskDeregister,
    WskIoctl,
    WskReleaseProviderNPI,
    add_transport,
    faults_of,
    remove_transport,
    simple,
    sizeof,
)

TRANSPORTS = [
    (family, *kind)
    for family in (AF_INET, AF_INET6)
    for kind in ((SOCK_STREAM, IPPROTO_TCP), (SOCK_DGRAM, IPPROTO_UDP), (SOCK_RAW, IPPROTO_IP))
]
ALL = WSK_TRANSPORT.SIZE * len(TRANSPORTS)
CATEGORIES = {
    SOCK_STREAM: (WSK_FLAG_LISTEN_SOCKET, WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_STREAM_SOCKET, WSK_FLAG_BASIC_SOCKET),
    SOCK_DGRAM: (WSK_FLAG_DATAGRAM_SOCKET, WSK_FLAG_BASIC_SOCKET),
    SOCK_RAW: (WSK_FLAG_BASIC_SOCKET,),
}


def triples(transports: list[WSK_TRANSPORT]) -> list[tuple[int, int, int]]:
    return [(found.AddressFamily, found.SocketType, found.Protocol) for found in transports]


def listed(application: simple.Application) -> list[tuple[int, int, int]]:
    """As a driver does it: ask for the size first."""
    size, found = [0], []  # type: tuple[list[int], list[WSK_TRANSPORT]]
    application.control(WSK_TRANSPORT_LIST_QUERY, 0, None, 0, None, size)
    assert application.control(WSK_TRANSPORT_LIST_QUERY, 0, None, size[0], found, size) == STATUS_SUCCESS
    assert size == [sizeof(WSK_TRANSPORT) * len(found)]
    return triples(found)


def create(application: simple.Application, triple: tuple[int, int, int], Flags: int) -> tuple[NTSTATUS, Any]:
    provider = application.provider
    return simple.call(provider.Dispatch.WskSocket, provider.Client, *triple, Flags, None, None, None, None, None)


def await_change(application: simple.Application) -> Request:
    provider = application.provider
    arguments = (WSK_TRANSPORT_LIST_CHANGE, 0, None, 0, None, None)
    return start(provider.Dispatch.WskControlClient, provider.Client, *arguments)


# The list


@pytest.mark.rule("R-323")
@pytest.mark.parametrize(("size", "buffer"), [(0, None), (ALL - 1, bytearray(ALL)), (WSK_TRANSPORT.SIZE, [])])
def test_a_list_that_does_not_fit_tells_its_size_alone(lab: Lab, size: int, buffer: Any) -> None:
    returned, before = [0], buffer and bytes(buffer)
    status = lab.near_application.control(WSK_TRANSPORT_LIST_QUERY, 0, None, size, buffer, returned)

    assert (status, returned) == (STATUS_BUFFER_OVERFLOW, [ALL])
    assert (buffer and bytes(buffer)) == before


@pytest.mark.rule("R-324", "R-325")
@pytest.mark.parametrize("room", [0, 100])
def test_a_list_that_fits_tells_the_bytes_written(lab: Lab, room: int) -> None:
    returned, memory, found = [0], bytearray(ALL + room), [None]  # type: tuple[list[int], bytearray, list[Any]]
    query = lab.near_application.control

    assert query(WSK_TRANSPORT_LIST_QUERY, 0, None, ALL + room, memory, returned) == STATUS_SUCCESS
    assert returned == [ALL]
    elements = [WSK_TRANSPORT.cast(memory[at:]) for at in range(0, ALL, WSK_TRANSPORT.SIZE)]
    assert triples(elements) == TRANSPORTS
    assert memory[ALL:] == bytes(room)
    assert query(WSK_TRANSPORT_LIST_QUERY, 0, None, ALL + room, found, returned) == STATUS_SUCCESS
    assert [bytes(element) for element in found] == [bytes(element) for element in elements]
    assert len({element.ProviderId for element in found}) == 2


@pytest.mark.rule("R-323", "D-17")
def test_the_query_ignores_input_and_needs_its_out_parameters(lab: Lab) -> None:
    returned, query = [0], lab.near_application.control

    assert query(WSK_TRANSPORT_LIST_QUERY, 7, bytes(7), 0, None, returned) == STATUS_BUFFER_OVERFLOW
    assert query(WSK_TRANSPORT_LIST_QUERY, 0, None, ALL, bytearray(ALL), None) == STATUS_INVALID_PARAMETER
    for buffer in (None, bytearray(ALL - 1)):
        assert query(WSK_TRANSPORT_LIST_QUERY, 0, None, ALL, buffer, returned) == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-098")
@pytest.mark.parametrize("triple", TRANSPORTS)
def test_each_triple_of_the_list_makes_a_socket(lab: Lab, triple: tuple[int, int, int]) -> None:
    assert triple in listed(lab.near_application)
    for Flags in CATEGORIES[triple[1]]:
        ok(simple.close(ok(create(lab.near_application, triple, Flags))))


# Changes


@pytest.mark.rule("R-326")
@pytest.mark.parametrize("family", [AF_INET, AF_INET6])
@pytest.mark.parametrize("SocketType", [SOCK_STREAM, SOCK_DGRAM, SOCK_RAW])
def test_a_change_completes_when_a_transport_goes_or_comes(lab: Lab, family: int, SocketType: int) -> None:
    for change, is_there in ((remove_transport, False), (add_transport, True)):
        requests = [await_change(lab.near_application) for _ in range(2)]
        lab.run()
        assert [(request.returned, request.is_done) for request in requests] == [(STATUS_PENDING, False)] * 2
        change(lab.near, family, SocketType)
        for request in requests:
            assert (request.completions, request.was_pending) == ([(STATUS_SUCCESS, 0)], [True])
        changed = [triple for triple in TRANSPORTS if triple[:2] == (family, SocketType)]
        assert listed(lab.near_application) == [triple for triple in TRANSPORTS if is_there or triple not in changed]
    assert listed(lab.far_application) == TRANSPORTS


@pytest.mark.rule("R-326")
def test_what_changes_nothing_or_another_host_is_no_news(lab: Lab) -> None:
    request = await_change(lab.near_application)
    add_transport(lab.near)
    remove_transport(lab.far)
    assert not request.is_done
    remove_transport(lab.near, SocketType=SOCK_DGRAM)
    assert request.status == STATUS_SUCCESS

    request = await_change(lab.near_application)
    remove_transport(lab.near, AF_INET6, SOCK_DGRAM)
    assert not request.is_done
    with pytest.raises(ValueError, match="family 1 "):
        remove_transport(lab.near, AF_UNIX)


@pytest.mark.rule("R-326", "D-17")
def test_a_change_needs_an_irp_and_no_input(lab: Lab) -> None:
    provider = lab.near_application.provider
    function = provider.Dispatch.WskControlClient

    assert lab.near_application.control(WSK_TRANSPORT_LIST_CHANGE, 0, None, 0, None, None) == STATUS_INVALID_PARAMETER
    request = start(function, provider.Client, WSK_TRANSPORT_LIST_CHANGE, 4, bytes(4), 0, None, None)
    assert request.completions == [(STATUS_INVALID_PARAMETER, 0)]


@pytest.mark.rule("R-068", "R-326")
def test_a_change_is_cancelled_by_hand(lab: Lab) -> None:
    first, second = await_change(lab.near_application), await_change(lab.near_application)
    assert IoCancelIrp(first.Irp)
    assert (first.completions, second.is_done) == ([(STATUS_CANCELLED, 0)], False)
    early = Request()
    IoCancelIrp(early.Irp)
    provider = lab.near_application.provider
    early.start(provider.Dispatch.WskControlClient, provider.Client, WSK_TRANSPORT_LIST_CHANGE, 0, None, 0, None, None)
    assert early.completions == [(STATUS_CANCELLED, 0)]

    remove_transport(lab.near)
    assert [len(request.completions) for request in (first, second, early)] == [1, 1, 1]
    assert second.status == STATUS_SUCCESS


@pytest.mark.rule("R-023", "R-022")
def test_deregistering_cancels_the_changes_of_that_client(lab: Lab) -> None:
    application = simple.Application()
    requests = [await_change(application) for _ in range(2)]
    other = await_change(lab.near_application)
    WskReleaseProviderNPI(application.registration)
    WskDeregister(application.registration)

    assert [request.completions for request in requests] == [[(STATUS_CANCELLED, 0)]] * 2
    assert not other.is_done
    remove_transport(lab.near)
    assert [len(request.completions) for request in requests] == [1, 1]


@pytest.mark.rule("R-326")
def test_the_next_change_may_be_asked_for_in_the_completion_routine(lab: Lab) -> None:
    seen: list[int] = []
    provider = lab.near_application.provider
    request, arguments = Request(), (provider.Client, WSK_TRANSPORT_LIST_CHANGE, 0, None, 0, None, None)

    def again() -> None:
        seen.append(len(listed(lab.near_application)))
        request.start(provider.Dispatch.WskControlClient, *arguments)

    request.then = again
    request.start(provider.Dispatch.WskControlClient, *arguments)
    remove_transport(lab.near, AF_INET6)
    remove_transport(lab.near)
    add_transport(lab.near)

    assert seen == [3, 0, 6]


# A transport that is gone


@pytest.mark.rule("D-03", "R-098")
@pytest.mark.parametrize("gone", TRANSPORTS)
def test_a_transport_that_is_gone_makes_no_sockets(lab: Lab, gone: tuple[int, int, int]) -> None:
    remove_transport(lab.near, *gone[:2])
    for triple in TRANSPORTS:
        for Flags in CATEGORIES[triple[1]]:
            status, Socket = create(lab.near_application, triple, Flags)
            assert status == (STATUS_NOT_SUPPORTED if triple == gone else STATUS_SUCCESS)
            if status == STATUS_SUCCESS:
                ok(simple.close(Socket))
    add_transport(lab.near)
    ok(create(lab.near_application, gone, WSK_FLAG_BASIC_SOCKET))


@pytest.mark.rule("D-03")
@pytest.mark.parametrize(("family", "near", "far"), [(AF_INET, NEAR, FAR), (AF_INET6, NEAR6, FAR6)])
def test_nor_does_wsk_socket_connect(lab: Lab, family: int, near: str, far: str) -> None:
    lab.listener("0.0.0.0" if family == AF_INET else "::", AddressFamily=family)
    local, remote = simple.address(near, 0), simple.address(far, PORT)
    remove_transport(lab.near, family, SOCK_STREAM)
    assert lab.near_application.open_connected(local, remote)[0] == STATUS_NOT_SUPPORTED
    add_transport(lab.near, family, SOCK_STREAM)
    ok(lab.near_application.open_connected(local, remote))


@pytest.mark.rule("D-23", "R-258")
def test_sockets_of_a_transport_that_is_gone_can_only_be_closed(lab: Lab) -> None:
    near, far = lab.pair()
    receiving = start(near.Dispatch.WskReceive, near, simple.buffer(bytearray(4)), 0)
    told: list[Any] = []
    dispatch = WSK_CLIENT_DATAGRAM_DISPATCH(lambda Context, Flags, data: told.append(data))
    datagram = lab.datagram(lab.near, Dispatch=dispatch)
    simple.control_events(datagram, WSK_EVENT_RECEIVE_FROM)
    ipv6 = lab.datagram(lab.near, 0, "::", AddressFamily=AF_INET6)
    basic = lab.socket(lab.near, WSK_FLAG_BASIC_SOCKET)
    control = (WskIoctl, SIO_ADDRESS_LIST_CHANGE, 0, 0, None, 0, None, None)
    notification = start(basic.Dispatch.WskControlSocket, basic, *control)
    remove_transport(lab.near, AF_INET)
    lab.run()

    assert (receiving.status, notification.status) == (STATUS_FILE_FORCED_CLOSED, STATUS_FILE_FORCED_CLOSED)
    assert told == [None]
    assert lab.near_wire.tcp_flags()[-1] & RST
    assert [simple.local_address(Socket)[0] for Socket in (near, datagram)] == [STATUS_FILE_FORCED_CLOSED] * 2
    assert simple.local_address(ipv6)[0] == STATUS_SUCCESS
    add_transport(lab.near)
    assert start(basic.Dispatch.WskControlSocket, basic, *control).status == STATUS_FILE_FORCED_CLOSED
    for Socket in (near, far, datagram, ipv6, basic):
        ok(simple.close(Socket))


@pytest.mark.rule("D-23")
def test_each_client_and_accepted_connections_lose_theirs(lab: Lab) -> None:
    near, far = lab.pair()
    other = simple.Application()
    Socket = ok(other.open(WSK_FLAG_CONNECTION_SOCKET))
    remove_transport(lab.far, SocketType=SOCK_STREAM)
    assert simple.local_address(far)[0] == STATUS_FILE_FORCED_CLOSED
    assert simple.local_address(near)[0] == STATUS_SUCCESS
    remove_transport(lab.near, SocketType=SOCK_STREAM)
    for gone in (Socket, near):
        assert simple.bind(gone, simple.address("0.0.0.0", 0))[0] == STATUS_FILE_FORCED_CLOSED


# What each code takes

CONTROL = WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, WSK_EVENT_RECEIVE_FROM)


def code_buffers() -> dict[int, tuple[Any, ...]]:
    """A call of each code that takes no IRP, by which it would succeed, but for WSK_RELEASE_SD."""
    return {
        WSK_TRANSPORT_LIST_QUERY: (0, None, ALL, bytearray(ALL), [0]),
        WSK_CACHE_SD: (8, [SECURITY_DESCRIPTOR()], 8, [None], None),
        WSK_RELEASE_SD: (8, [None], 0, None, None),
        WSK_SET_STATIC_EVENT_CALLBACKS: (16, CONTROL, 0, None, None),
        WSK_TDI_DEVICENAME_MAPPING: (16, WSK_TDI_MAP_INFO(), 0, None, None),
        WSK_TDI_BEHAVIOR: (4, [0], 0, None, None),
    }


@pytest.mark.rule("R-328", "D-17")
@pytest.mark.parametrize("code", code_buffers())
def test_codes_that_take_no_irp_complete_one_with_a_failure(lab: Lab, code: int) -> None:
    provider = lab.near_application.provider
    buffers = code_buffers()[code]
    request = start(provider.Dispatch.WskControlClient, provider.Client, code, *buffers)
    assert request.returned == STATUS_INVALID_PARAMETER
    assert request.completions == [(STATUS_INVALID_PARAMETER, 0)]

    if code != WSK_RELEASE_SD:
        assert lab.near_application.control(code, *buffers) == STATUS_SUCCESS


@pytest.mark.rule("D-17")
@pytest.mark.parametrize("code", [0, 1, 9, 0xFFFFFFFF])
def test_an_unknown_code_is_not_supported(lab: Lab, code: int) -> None:
    provider = lab.near_application.provider
    request = start(provider.Dispatch.WskControlClient, provider.Client, code, 0, None, 0, None, None)

    assert lab.near_application.control(code, 0, None, 0, None, None) == STATUS_NOT_SUPPORTED
    assert (request.returned, request.completions) == (STATUS_NOT_SUPPORTED, [(STATUS_NOT_SUPPORTED, 0)])


def test_without_a_client_there_is_nothing_to_control(lab: Lab) -> None:
    function = lab.near_application.provider.Dispatch.WskControlClient
    arguments = (None, WSK_TRANSPORT_LIST_QUERY, 0, None, 0, None, [0])

    assert function(*arguments, None) == STATUS_INVALID_HANDLE
    assert start(function, *arguments).completions == [(STATUS_INVALID_HANDLE, 0)]


@pytest.mark.rule("WSK-2.6")
@pytest.mark.parametrize("code", code_buffers())
def test_all_of_it_may_be_called_at_dispatch_level(lab: Lab, code: int) -> None:
    before = [0]
    buffers = code_buffers()[code]
    if code == WSK_RELEASE_SD:
        buffers = (8, [lab.near_application.cache(SECURITY_DESCRIPTOR())], 0, None, None)
    KeRaiseIrql(DISPATCH_LEVEL, before)
    status = lab.near_application.control(code, *buffers)
    KeLowerIrql(before[0])

    assert status == STATUS_SUCCESS


@pytest.mark.rule("R-023", "R-327")
def test_when_the_provider_has_gone_descriptors_can_be_released_and_nothing_else(lab: Lab) -> None:
    application = lab.near_application
    cached, request = application.cache(SECURITY_DESCRIPTOR()), await_change(application)
    faults_of(lab.near).detach_provider()

    assert request.completions == [(STATUS_CANCELLED, 0)]
    assert await_change(application).status == STATUS_DEVICE_NOT_READY
    for code, buffers in code_buffers().items():
        if code != WSK_RELEASE_SD:
            assert application.control(code, *buffers) == STATUS_DEVICE_NOT_READY
    application.release(cached)
    assert not application.provider.Client.cached_descriptors


# TDI


def mapping(*entries: tuple[int, int, int]) -> WSK_TDI_MAP_INFO:
    Map = [WSK_TDI_MAP(SocketType, family, Protocol, r"\Device\Other") for family, SocketType, Protocol in entries]
    return WSK_TDI_MAP_INFO(len(Map), Map)


FOREIGN = (AF_INET, SOCK_STREAM, IPPROTO_SCTP)


@pytest.mark.rule("R-335")
def test_a_mapping_is_looked_up_only_where_there_is_no_native_transport(lab: Lab) -> None:
    application = simple.Application()
    everything = mapping(*TRANSPORTS, FOREIGN, (AF_UNIX, SOCK_STREAM, 0))
    assert application.control(WSK_TDI_DEVICENAME_MAPPING, 16, everything, 0, None, None) == STATUS_SUCCESS

    for triple in TRANSPORTS:
        ok(simple.close(ok(create(application, triple, WSK_FLAG_BASIC_SOCKET))))
    for triple in (FOREIGN, (AF_UNIX, SOCK_STREAM, 0)):
        assert create(application, triple, WSK_FLAG_BASIC_SOCKET)[0] == STATUS_OBJECT_NAME_NOT_FOUND
        assert create(lab.near_application, triple, WSK_FLAG_BASIC_SOCKET)[0] == STATUS_NOT_SUPPORTED
    not_mapped = (AF_INET6, SOCK_STREAM, IPPROTO_SCTP)
    assert create(application, not_mapped, WSK_FLAG_BASIC_SOCKET)[0] == STATUS_NOT_SUPPORTED
    remove_transport(lab.near, AF_INET, SOCK_DGRAM)
    assert create(application, TRANSPORTS[1], WSK_FLAG_DATAGRAM_SOCKET)[0] == STATUS_OBJECT_NAME_NOT_FOUND


@pytest.mark.rule("R-335")
def test_the_last_mapping_counts(lab: Lab) -> None:
    control = lab.near_application.control
    for info in (mapping(FOREIGN), WSK_TDI_MAP_INFO(0, None)):
        assert control(WSK_TDI_DEVICENAME_MAPPING, 16, info, 0, None, None) == STATUS_SUCCESS

    assert create(lab.near_application, FOREIGN, WSK_FLAG_BASIC_SOCKET)[0] == STATUS_NOT_SUPPORTED


@pytest.mark.rule("D-17", "R-334")
@pytest.mark.parametrize(
    ("code", "buffers"),
    [
        (WSK_TDI_DEVICENAME_MAPPING, (0, None, 0, None, None)),
        (WSK_TDI_DEVICENAME_MAPPING, (8, mapping(FOREIGN), 0, None, None)),
        (WSK_TDI_DEVICENAME_MAPPING, (16, bytes(16), 0, None, None)),
        (WSK_TDI_DEVICENAME_MAPPING, (16, mapping(FOREIGN), 4, [0], None)),
        (WSK_TDI_DEVICENAME_MAPPING, (16, WSK_TDI_MAP_INFO(1, None), 0, None, None)),
        (WSK_TDI_DEVICENAME_MAPPING, (16, WSK_TDI_MAP_INFO(2, [WSK_TDI_MAP(1, 2, 6, "x")]), 0, None, None)),
        (WSK_TDI_DEVICENAME_MAPPING, (16, WSK_TDI_MAP_INFO(1, [WSK_TDI_MAP(1, 2, 6, None)]), 0, None, None)),
        (WSK_TDI_BEHAVIOR, (0, None, 0, None, None)),
        (WSK_TDI_BEHAVIOR, (8, bytes(8), 0, None, None)),
        (WSK_TDI_BEHAVIOR, (4, [2], 0, None, None)),
        (WSK_TDI_BEHAVIOR, (4, [1], 4, [0], None)),
    ],
)
def test_malformed_tdi_codes(lab: Lab, code: int, buffers: tuple[Any, ...]) -> None:
    assert lab.near_application.control(code, *buffers) == STATUS_INVALID_PARAMETER


def open_and_close(lab: Lab) -> None:
    ok(simple.close(lab.socket(lab.near, WSK_FLAG_BASIC_SOCKET)))


def open_connected(lab: Lab) -> WSK_SOCKET:
    lab.listener()
    local, remote = simple.address(NEAR, 0), simple.address(FAR, PORT)
    Socket: WSK_SOCKET = ok(lab.near_application.open_connected(local, remote))
    return Socket


@pytest.mark.rule("R-334", "R-329", "D-17")
@pytest.mark.parametrize("opened", [open_and_close, open_connected])
@pytest.mark.parametrize(
    ("code", "buffers"),
    [
        (WSK_TDI_DEVICENAME_MAPPING, (16, mapping(FOREIGN), 0, None, None)),
        (WSK_TDI_BEHAVIOR, (4, [WSK_TDI_BEHAVIOR_BYPASS_TDI], 0, None, None)),
        (WSK_SET_STATIC_EVENT_CALLBACKS, (16, CONTROL, 0, None, None)),
    ],
)
def test_before_any_socket_means_before_the_first_of_this_client(
    lab: Lab, code: int, buffers: tuple[Any, ...], opened: Callable[[Lab], object]
) -> None:
    control = lab.near_application.control
    assert create(lab.near_application, FOREIGN, WSK_FLAG_BASIC_SOCKET)[0] == STATUS_NOT_SUPPORTED
    assert control(code, *buffers) == STATUS_SUCCESS
    opened(lab)
    assert control(code, *buffers) == STATUS_INVALID_DEVICE_STATE
    assert simple.Application().control(code, *buffers) == STATUS_SUCCESS


def test_a_raw_socket_may_name_any_protocol_of_the_one_transport(lab: Lab) -> None:
    triple = (AF_INET, SOCK_RAW, IPPROTO_ICMP)
    ok(create(lab.near_application, triple, WSK_FLAG_BASIC_SOCKET))
    remove_transport(lab.near, AF_INET, SOCK_RAW)
    assert create(lab.near_application, triple, WSK_FLAG_BASIC_SOCKET)[0] == STATUS_NOT_SUPPORTED
