"""The options of ws2ipdef.h for multicast: what they take, what they answer, and that datagrams follow them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import wsk_lab
from tests.support.wsk_lab import PORT, Lab, Request, ok, start
from wsknet.text import parse_address as A
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IN6_ADDR,
    IN_ADDR,
    IP_ADD_MEMBERSHIP,
    IP_ADD_SOURCE_MEMBERSHIP,
    IP_BLOCK_SOURCE,
    IP_DROP_MEMBERSHIP,
    IP_DROP_SOURCE_MEMBERSHIP,
    IP_MULTICAST_IF,
    IP_MULTICAST_LOOP,
    IP_MULTICAST_TTL,
    IP_UNBLOCK_SOURCE,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_ADD_MEMBERSHIP,
    IPV6_DROP_MEMBERSHIP,
    IPV6_JOIN_GROUP,
    IPV6_LEAVE_GROUP,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_IF,
    IPV6_MULTICAST_LOOP,
    IPV6_V6ONLY,
    STATUS_ADDRESS_ALREADY_EXISTS,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_SUCCESS,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SOCKET,
    WskGetOption,
    WskSetOption,
    htonl,
    ip_mreq,
    ip_mreq_source,
    ipv6_mreq,
    simple,
    sizeof,
)

GROUP, SOURCE = A("239.1.2.3"), A(wsk_lab.FAR)
GROUP6 = A("ff15::1:7")
DATAGRAM = WSK_FLAG_DATAGRAM_SOCKET


@pytest.fixture
def lab() -> Iterator[Lab]:
    with wsk_lab.lab() as made:
        yield made


def bound(lab: Lab, far: bool = False, family: int = AF_INET, port: int = PORT) -> WSK_SOCKET:
    socket = lab.socket(lab.far if far else lab.near, DATAGRAM, AddressFamily=family)
    ok(simple.bind(socket, simple.address("::" if family == AF_INET6 else "0.0.0.0", port)))
    return socket


def change(Socket: WSK_SOCKET, code: int, structure: Any, Level: int = IPPROTO_IP, size: int | None = None) -> Request:
    length = len(bytes(structure)) if size is None else size
    return start(Socket.Dispatch.WskControlSocket, Socket, WskSetOption, code, Level, length, structure, 0, None, None)


def status(Socket: WSK_SOCKET, code: int, structure: Any, Level: int = IPPROTO_IP, size: int | None = None) -> int:
    return change(Socket, code, structure, Level, size).status


# Structures


@pytest.mark.parametrize(
    ("structure", "raw"),
    [
        (ip_mreq(GROUP, bytes((0, 0, 0, 2))), "ef010203 00000002"),
        (ip_mreq(IN_ADDR(GROUP), IN_ADDR(SOURCE)), "ef010203 c0000202"),
        (ip_mreq_source(GROUP, SOURCE, bytes(4)), "ef010203 c0000202 00000000"),
        (ipv6_mreq(GROUP6, 2), "ff15" + "00" * 11 + "010007 02000000"),
        (ipv6_mreq(IN6_ADDR(GROUP6), 0x01020304), "ff15" + "00" * 11 + "010007 04030201"),
    ],
)
def test_structures_have_the_layout_of_c(structure: Any, raw: str) -> None:
    assert bytes(structure) == bytes.fromhex(raw)
    assert sizeof(structure) == len(bytes.fromhex(raw))


def test_the_names_of_rfc_3493_are_the_same_numbers() -> None:
    assert (IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP) == (IPV6_ADD_MEMBERSHIP, IPV6_DROP_MEMBERSHIP)


# Memberships


@pytest.mark.rule("RFC3678-4.1.1", "RFC3493-5.2", "R-270")
@pytest.mark.parametrize("is_object", [True, False], ids=["structure", "bytes"])
@pytest.mark.parametrize("family", [AF_INET, AF_INET6])
def test_a_socket_hears_what_it_joined(lab: Lab, family: int, is_object: bool) -> None:
    index = lab.near_interface.index
    structure: Any = ip_mreq(GROUP, A(wsk_lab.NEAR)) if family == AF_INET else ipv6_mreq(GROUP6, index)
    level = IPPROTO_IP if family == AF_INET else IPPROTO_IPV6
    near, far = bound(lab, family=family), bound(lab, far=True, family=family)
    assert status(near, IP_ADD_MEMBERSHIP, structure if is_object else bytes(structure), level) == STATUS_SUCCESS
    group = simple.address("239.1.2.3" if family == AF_INET else "ff15::1:7", PORT)
    ok(simple.send_to(far, b"hello", group))
    lab.run(0.1)
    assert ok(simple.receive_from(near))[0] == b"hello"
    assert status(near, IP_DROP_MEMBERSHIP, structure, level) == STATUS_SUCCESS
    ok(simple.send_to(far, b"again", group))
    lab.run(0.1)
    assert near.endpoint.readable == 0  # type: ignore[attr-defined]


@pytest.mark.rule("RFC3678-4.1.1")
def test_sources_are_joined_left_blocked_and_unblocked(lab: Lab) -> None:
    near, far = bound(lab), bound(lab, far=True)
    group, both = simple.address("239.1.2.3", PORT), ip_mreq_source(GROUP, SOURCE, bytes(4))

    def arrives() -> bool:
        ok(simple.send_to(far, b"x", group))
        lab.run(0.1)
        return near.endpoint.receive() is not None  # type: ignore[attr-defined]

    steps = [
        (IP_ADD_SOURCE_MEMBERSHIP, ip_mreq_source(GROUP, A("10.9.9.9"), bytes(4)), False),
        (IP_ADD_SOURCE_MEMBERSHIP, both, True),
        (IP_DROP_SOURCE_MEMBERSHIP, both, False),
        (IP_DROP_MEMBERSHIP, ip_mreq(GROUP), False),
        (IP_ADD_MEMBERSHIP, ip_mreq(GROUP), True),
        (IP_BLOCK_SOURCE, both, False),
        (IP_UNBLOCK_SOURCE, both, True),
    ]
    for code, structure, expected in steps:
        assert status(near, code, structure) == STATUS_SUCCESS
        assert arrives() is expected


@pytest.mark.rule("BIND-4.3")
@pytest.mark.parametrize(
    ("interface", "expected"),
    [
        (bytes(4), STATUS_SUCCESS),
        (A(wsk_lab.NEAR), STATUS_SUCCESS),
        (bytes((0, 0, 0, 2)), STATUS_SUCCESS),
        (bytes((0, 0, 0, 9)), STATUS_INVALID_ADDRESS_COMPONENT),
        (A("203.0.113.1"), STATUS_INVALID_ADDRESS_COMPONENT),
    ],
)
def test_an_interface_is_an_address_or_a_number(lab: Lab, interface: bytes, expected: int) -> None:
    assert lab.near_interface.index == 2
    assert status(bound(lab), IP_ADD_MEMBERSHIP, ip_mreq(GROUP, interface)) == expected


@pytest.mark.rule("RFC3678-4.1.3")
def test_what_cannot_be_has_its_status(lab: Lab) -> None:
    socket = bound(lab)
    assert status(socket, IP_ADD_MEMBERSHIP, ip_mreq(A(wsk_lab.FAR))) == STATUS_INVALID_PARAMETER
    assert status(socket, IP_DROP_MEMBERSHIP, ip_mreq(GROUP)) == STATUS_INVALID_ADDRESS_COMPONENT
    assert status(socket, IP_ADD_MEMBERSHIP, ip_mreq(GROUP)) == STATUS_SUCCESS
    assert status(socket, IP_ADD_MEMBERSHIP, ip_mreq(GROUP)) == STATUS_ADDRESS_ALREADY_EXISTS
    assert status(socket, IP_ADD_SOURCE_MEMBERSHIP, ip_mreq_source(GROUP, SOURCE)) == STATUS_INVALID_PARAMETER
    for structure, size in (
        (bytes(7), None),
        (bytes(9), None),
        (ip_mreq(GROUP), 7),
        (bytes(7), 8),
        ([1], 8),
        (ipv6_mreq(GROUP6), 8),
    ):
        assert status(socket, IP_ADD_MEMBERSHIP, structure, size=size) == STATUS_INVALID_PARAMETER
    assert status(socket, IP_ADD_MEMBERSHIP, None, size=0) == STATUS_INVALID_PARAMETER


def test_groups_are_joined_from_bind_on(lab: Lab) -> None:
    socket = lab.socket(lab.near, DATAGRAM)
    assert status(socket, IP_ADD_MEMBERSHIP, ip_mreq(GROUP)) == STATUS_INVALID_DEVICE_STATE


def test_a_membership_cannot_be_read(lab: Lab) -> None:
    assert simple.get_option(bound(lab), IPPROTO_IP, IP_ADD_MEMBERSHIP)[0] == STATUS_NOT_SUPPORTED


def test_closing_leaves_the_groups(lab: Lab) -> None:
    socket = bound(lab)
    ok(simple.call(socket.Dispatch.WskControlSocket, socket, WskSetOption, IP_ADD_MEMBERSHIP, IPPROTO_IP, 8,
                   ip_mreq(GROUP), 0, None, None))  # fmt: skip
    interface = lab.near.stack.ip.interfaces[lab.near_interface.index]
    assert list(interface.groups) == [GROUP]
    ok(simple.close(socket))
    assert interface.groups == {}


# Values


@pytest.mark.rule("RFC3493-5.2", "D-17", "BIND-4.4")
@pytest.mark.parametrize(
    ("family", "level", "code", "default", "value"),
    [
        (AF_INET, IPPROTO_IP, IP_MULTICAST_TTL, 1, 32),
        (AF_INET, IPPROTO_IP, IP_MULTICAST_LOOP, 1, 0),
        (AF_INET, IPPROTO_IP, IP_MULTICAST_IF, 0, htonl(2)),
        (AF_INET, IPPROTO_IP, IP_MULTICAST_IF, 0, int.from_bytes(A(wsk_lab.NEAR), "little")),
        (AF_INET6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1, 255),
        (AF_INET6, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1, 0),
        (AF_INET6, IPPROTO_IPV6, IPV6_MULTICAST_IF, 0, 2),
    ],
)
@pytest.mark.parametrize("is_bound", [False, True])
def test_what_is_set_is_read_back(
    lab: Lab, family: int, level: int, code: int, default: int, value: int, is_bound: bool
) -> None:
    socket = bound(lab, family=family) if is_bound else lab.socket(lab.near, DATAGRAM, AddressFamily=family)
    assert ok(simple.get_option(socket, level, code)) == default
    ok(simple.set_option(socket, level, code, value))
    assert ok(simple.get_option(socket, level, code)) == value


@pytest.mark.parametrize("is_bound", [False, True])
def test_the_values_reach_the_socket_whenever_they_are_set(lab: Lab, is_bound: bool) -> None:
    socket = bound(lab) if is_bound else lab.socket(lab.near, DATAGRAM)
    for code, value in ((IP_MULTICAST_TTL, 9), (IP_MULTICAST_LOOP, 0), (IP_MULTICAST_IF, htonl(2))):
        ok(simple.set_option(socket, IPPROTO_IP, code, value))
    if not is_bound:
        ok(simple.bind(socket, simple.address("0.0.0.0", PORT)))
    multicast = socket.endpoint.multicast  # type: ignore[attr-defined]
    assert (multicast.hop_limit, multicast.loops, multicast.if_index) == (9, False, 2)
    ok(simple.send_to(socket, b"x", simple.address("239.1.2.3", PORT)))
    assert [frame[22] for frame in lab.near_wire.frames if frame[30:34] == GROUP] == [9]


@pytest.mark.parametrize(
    ("family", "level", "code", "value", "expected"),
    [
        (AF_INET, IPPROTO_IP, IP_MULTICAST_TTL, 256, STATUS_INVALID_PARAMETER),
        (AF_INET, IPPROTO_IP, IP_MULTICAST_TTL, 0xFFFFFFFF, STATUS_INVALID_PARAMETER),
        (AF_INET6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 256, STATUS_INVALID_PARAMETER),
        (AF_INET6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 0xFFFFFFFF, STATUS_SUCCESS),
        (AF_INET6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, -1, STATUS_SUCCESS),
        (AF_INET, IPPROTO_IP, IP_MULTICAST_TTL, 0, STATUS_SUCCESS),
        (AF_INET, IPPROTO_IP, IP_MULTICAST_IF, -1, STATUS_INVALID_ADDRESS_COMPONENT),
        (AF_INET, IPPROTO_IP, IP_MULTICAST_IF, 1 << 32, STATUS_INVALID_PARAMETER),
        (AF_INET, IPPROTO_IP, IP_MULTICAST_IF, htonl(9), STATUS_INVALID_ADDRESS_COMPONENT),
        (AF_INET6, IPPROTO_IPV6, IPV6_MULTICAST_IF, 9, STATUS_INVALID_ADDRESS_COMPONENT),
        (AF_INET6, IPPROTO_IP, IP_MULTICAST_TTL, 3, STATUS_INVALID_PARAMETER),
        (AF_INET, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 3, STATUS_INVALID_PARAMETER),
    ],
)
def test_values_out_of_range_or_of_another_family_are_refused(
    lab: Lab, family: int, level: int, code: int, value: int, expected: int
) -> None:
    socket = bound(lab, family=family)
    before = ok(simple.get_option(socket, level, code)) if expected == STATUS_SUCCESS else None
    assert simple.set_option(socket, level, code, value)[0] == expected
    if value in (-1, 0xFFFFFFFF) and before is not None:
        assert ok(simple.get_option(socket, level, code)) == 1


@pytest.mark.parametrize("Flags", [WSK_FLAG_LISTEN_SOCKET, WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_STREAM_SOCKET])
def test_other_sockets_have_none_of_it(lab: Lab, Flags: int) -> None:
    socket = lab.socket(lab.near, Flags)
    assert status(socket, IP_ADD_MEMBERSHIP, ip_mreq(GROUP)) == STATUS_INVALID_PARAMETER
    assert simple.set_option(socket, IPPROTO_IP, IP_MULTICAST_TTL, 3)[0] == STATUS_INVALID_PARAMETER
    assert simple.get_option(socket, IPPROTO_IP, IP_MULTICAST_TTL)[0] == STATUS_INVALID_PARAMETER


def test_a_dual_stack_socket_joins_groups_of_both_families(lab: Lab) -> None:
    socket = lab.socket(lab.near, DATAGRAM, AddressFamily=AF_INET6)
    ok(simple.set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    ok(simple.bind(socket, simple.address("::", PORT)))
    assert status(socket, IP_ADD_MEMBERSHIP, ip_mreq(GROUP)) == STATUS_SUCCESS
    assert status(socket, IPV6_ADD_MEMBERSHIP, ipv6_mreq(GROUP6), IPPROTO_IPV6) == STATUS_SUCCESS
    far = bound(lab, far=True)
    ok(simple.send_to(far, b"four", simple.address("239.1.2.3", PORT)))
    lab.run(0.1)
    assert ok(simple.receive_from(socket))[0] == b"four"


def test_reading_needs_room(lab: Lab) -> None:
    socket = bound(lab)
    arguments = (socket, WskGetOption, IP_MULTICAST_TTL, IPPROTO_IP, 0, None, 3, bytearray(3), None)
    assert start(socket.Dispatch.WskControlSocket, *arguments).status == STATUS_INVALID_PARAMETER
