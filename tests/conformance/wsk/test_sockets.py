"""WskSocket and WskSocketConnect (WSK-4.1, 4.2, 9.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, PORT, Lab, Request, ok, start
from wsknet.devices.impair import Impairment
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SOCKADDR,
    STATUS_ADDRESS_ALREADY_EXISTS,
    STATUS_CANCELLED,
    STATUS_CONNECTION_REFUSED,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_PARAMETER,
    STATUS_NETWORK_UNREACHABLE,
    STATUS_NOT_SUPPORTED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_EVENT_RECEIVE,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_PROVIDER_BASIC_DISPATCH,
    WSK_PROVIDER_CONNECTION_DISPATCH,
    WSK_PROVIDER_DATAGRAM_DISPATCH,
    WSK_PROVIDER_LISTEN_DISPATCH,
    WSK_PROVIDER_STREAM_DISPATCH,
    WSK_SOCKET,
    IoCancelIrp,
    simple,
)

CATEGORIES: list[tuple[int, int, int, type]] = [
    (WSK_FLAG_BASIC_SOCKET, SOCK_STREAM, IPPROTO_TCP, WSK_PROVIDER_BASIC_DISPATCH),
    (WSK_FLAG_BASIC_SOCKET, SOCK_RAW, 99, WSK_PROVIDER_BASIC_DISPATCH),
    (WSK_FLAG_LISTEN_SOCKET, SOCK_STREAM, IPPROTO_TCP, WSK_PROVIDER_LISTEN_DISPATCH),
    (WSK_FLAG_CONNECTION_SOCKET, SOCK_STREAM, IPPROTO_TCP, WSK_PROVIDER_CONNECTION_DISPATCH),
    (WSK_FLAG_DATAGRAM_SOCKET, SOCK_DGRAM, IPPROTO_UDP, WSK_PROVIDER_DATAGRAM_DISPATCH),
    (WSK_FLAG_STREAM_SOCKET, SOCK_STREAM, IPPROTO_TCP, WSK_PROVIDER_STREAM_DISPATCH),
]


def create(
    lab: Lab, AddressFamily: int, SocketType: int, Protocol: int, Flags: int, Context: Any = None, Table: Any = None
) -> Request:
    npi = lab.near_application.provider
    kind = (AddressFamily, SocketType, Protocol, Flags)
    return start(npi.Dispatch.WskSocket, npi.Client, *kind, Context, Table, None, None, None)


@pytest.mark.rule("R-090")
def test_creating_a_socket_pends_and_completes_before_anybody_can_wait(lab: Lab) -> None:
    request = create(lab, AF_INET, SOCK_DGRAM, IPPROTO_UDP, WSK_FLAG_DATAGRAM_SOCKET)

    assert (request.returned, request.status, request.was_pending) == (STATUS_PENDING, STATUS_SUCCESS, [True])
    assert isinstance(request.information, WSK_SOCKET)


@pytest.mark.rule("R-072", "R-074", "R-085")
@pytest.mark.parametrize("AddressFamily", [AF_INET, AF_INET6])
@pytest.mark.parametrize(("Flags", "SocketType", "Protocol", "Table"), CATEGORIES)
def test_each_category_has_its_table(
    lab: Lab, AddressFamily: int, Flags: int, SocketType: int, Protocol: int, Table: type
) -> None:
    request = create(lab, AddressFamily, SocketType, Protocol, Flags)

    assert request.status == STATUS_SUCCESS
    assert type(request.information.Dispatch) is Table
    assert ok(simple.close(request.information)) == 0


@pytest.mark.rule("R-073", "R-076")
def test_no_flag_makes_a_basic_socket_which_has_no_callbacks(lab: Lab) -> None:
    assert type(create(lab, AF_INET, SOCK_DGRAM, IPPROTO_UDP, 0).information.Dispatch) is WSK_PROVIDER_BASIC_DISPATCH
    with_context = create(lab, AF_INET, SOCK_DGRAM, IPPROTO_UDP, 0, "context")
    assert with_context.status == STATUS_INVALID_PARAMETER
    with_table = create(lab, AF_INET, SOCK_DGRAM, IPPROTO_UDP, 0, None, WSK_CLIENT_CONNECTION_DISPATCH())
    assert with_table.status == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-059", "R-062", "D-03")
@pytest.mark.parametrize(
    ("kind", "Status"),
    [
        ((AF_INET, SOCK_STREAM, IPPROTO_TCP, 0x3), STATUS_INVALID_PARAMETER),
        ((AF_INET, SOCK_STREAM, IPPROTO_TCP, 0x10), STATUS_INVALID_PARAMETER),
        ((AF_UNIX, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET), STATUS_NOT_SUPPORTED),
        ((AF_INET, SOCK_DGRAM, IPPROTO_UDP, WSK_FLAG_CONNECTION_SOCKET), STATUS_NOT_SUPPORTED),
        ((AF_INET, SOCK_STREAM, IPPROTO_UDP, WSK_FLAG_STREAM_SOCKET), STATUS_NOT_SUPPORTED),
        ((AF_INET, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_DATAGRAM_SOCKET), STATUS_NOT_SUPPORTED),
        ((AF_INET6, SOCK_SEQPACKET, IPPROTO_TCP, WSK_FLAG_BASIC_SOCKET), STATUS_NOT_SUPPORTED),
    ],
)
def test_impossible_combinations_complete_the_irp_with_the_failure(
    lab: Lab, kind: tuple[int, int, int, int], Status: int
) -> None:
    request = create(lab, *kind)

    assert request.returned == request.status == Status
    assert request.information == 0
    assert request.was_pending == [False]


@pytest.mark.rule("R-088")
def test_an_irp_is_required(lab: Lab) -> None:
    npi = lab.near_application.provider
    arguments = (AF_INET, SOCK_STREAM, IPPROTO_TCP, 0, None, None, None, None, None, None)

    assert npi.Dispatch.WskSocket(npi.Client, *arguments) == STATUS_INVALID_PARAMETER


# WskSocketConnect


def connect(lab: Lab, local: SOCKADDR, remote: SOCKADDR, Flags: int = 0, Table: Any = None) -> Request:
    npi = lab.near_application.provider
    arguments = (SOCK_STREAM, IPPROTO_TCP, local, remote, Flags, "context", Table, None, None, None)
    return start(npi.Dispatch.WskSocketConnect, npi.Client, *arguments)


@pytest.mark.rule("R-094", "R-095", "R-097")
@pytest.mark.parametrize(
    ("wildcard", "near", "far"), [("0.0.0.0", NEAR, FAR), ("::", NEAR6, FAR6)], ids=["ipv4", "ipv6"]
)
def test_socket_connect_gives_a_connected_socket(lab: Lab, wildcard: str, near: str, far: str) -> None:
    AddressFamily = AF_INET if wildcard == "0.0.0.0" else AF_INET6
    lab.listener(wildcard, AddressFamily=AddressFamily)
    request = connect(lab, simple.address(wildcard, 0), simple.address(far, PORT))
    assert request.returned == STATUS_PENDING
    lab.run()

    assert request.status == STATUS_SUCCESS
    Socket = request.information
    assert type(Socket.Dispatch) is WSK_PROVIDER_CONNECTION_DISPATCH
    assert simple.host_and_port(ok(simple.local_address(Socket)))[0] == near
    assert simple.host_and_port(ok(simple.remote_address(Socket))) == (far, PORT)


@pytest.mark.rule("R-096")
def test_callbacks_are_off_after_socket_connect(lab: Lab) -> None:
    calls: list[object] = []
    table = WSK_CLIENT_CONNECTION_DISPATCH(lambda *arguments: calls.append(arguments))
    listener = lab.listener()
    request = connect(lab, simple.address("0.0.0.0", 0), simple.address(FAR, PORT), Table=table)
    ok(simple.send(ok(simple.accept(listener)), b"data"))

    assert not calls
    simple.control_events(request.information, WSK_EVENT_RECEIVE)
    assert len(calls) == 1


@pytest.mark.rule("D-02", "D-20")
@pytest.mark.parametrize(
    ("local", "remote", "Flags", "Status"),
    [
        ("0.0.0.0", FAR, 1, STATUS_INVALID_PARAMETER),
        ("0.0.0.0", FAR6, 0, STATUS_INVALID_PARAMETER),
        ("0.0.0.0", "198.51.100.1", 0, STATUS_NETWORK_UNREACHABLE),
        ("198.51.100.1", FAR, 0, STATUS_INVALID_ADDRESS_COMPONENT),
    ],
)
def test_socket_connect_fails_at_once_without_a_way(lab: Lab, local: str, remote: str, Flags: int, Status: int) -> None:
    request = connect(lab, simple.address(local, 0), simple.address(remote, PORT), Flags)

    assert (request.returned, request.status, request.information) == (Status, Status, 0)


def test_a_socket_that_could_not_connect_leaves_nothing_behind(lab: Lab) -> None:
    local = simple.address("0.0.0.0", 6000)
    refused = connect(lab, local, simple.address(FAR, PORT))
    lab.run()
    assert (refused.status, refused.information) == (STATUS_CONNECTION_REFUSED, 0)

    lab.near_wire.inner.impairment = Impairment(loss=1)  # type: ignore[attr-defined]
    cancelled = connect(lab, local, simple.address(FAR, PORT))
    taken = connect(lab, local, simple.address(FAR, PORT))
    assert taken.status == STATUS_ADDRESS_ALREADY_EXISTS
    assert IoCancelIrp(cancelled.Irp)
    assert (cancelled.status, cancelled.information) == (STATUS_CANCELLED, 0)
    assert len(lab.near_application.provider.Client.sockets) == 0
    assert not list(lab.near.stack.tcp.ports)
