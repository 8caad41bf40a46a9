"""MCAST_JOIN_GROUP and its relatives: groups and sources of both families by one kind of structure (RFC 3678 5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import FAR, FAR6, PORT, Lab, ok
from tests.support.wsk_packets import V4, V6, Names
from wsknet.wsk import (
    MCAST_BLOCK_SOURCE,
    MCAST_JOIN_GROUP,
    MCAST_JOIN_SOURCE_GROUP,
    MCAST_LEAVE_GROUP,
    MCAST_LEAVE_SOURCE_GROUP,
    MCAST_UNBLOCK_SOURCE,
    STATUS_ADDRESS_ALREADY_EXISTS,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_SUCCESS,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_SOCKET,
    WskSetOption,
    group_req,
    group_source_req,
    simple,
    sizeof,
)

families = pytest.mark.parametrize("names", [V4, V6], ids=["IPv4", "IPv6"])
GROUP = {V4: "239.1.2.3", V6: "ff15::1:7"}
SECOND = {V4: "192.0.2.77", V6: "2001:db8::77"}
"""Another address of the sender."""
NEAR_INDEX = 2


def address(text: str) -> Any:
    return simple.address(text, 0)


def change(Socket: WSK_SOCKET, names: Names, code: int, structure: Any, size: int | None = None) -> int:
    length = len(bytes(structure)) if size is None else size
    arguments = (WskSetOption, code, names.level, length, structure, 0, None, None)
    Status: int = simple.call(Socket.Dispatch.WskControlSocket, Socket, *arguments)[0]
    return Status


def receiver(lab: Lab, names: Names) -> WSK_SOCKET:
    return lab.datagram(lab.near, PORT, names.wildcard, AddressFamily=names.family)


def is_heard(lab: Lab, names: Names, Socket: WSK_SOCKET, source: str) -> bool:
    sender = lab.datagram(lab.far, 0, source, AddressFamily=names.family)
    to = simple.address(GROUP[names], PORT)
    ok(simple.call(sender.Dispatch.WskSendTo, sender, simple.buffer(b"x"), 0, to, 0, None))
    lab.run(0.1)
    ok(simple.close(sender))
    Status: int = simple.receive_from(Socket, seconds=0.1)[0]
    return Status == STATUS_SUCCESS


def group(names: Names, index: int = NEAR_INDEX) -> group_req:
    return group_req(index, address(GROUP[names]))


def source(names: Names, of: str, index: int = NEAR_INDEX) -> group_source_req:
    return group_source_req(index, address(GROUP[names]), address(of))


def test_the_structures_have_the_layout_of_x64() -> None:
    group_address, source_address = address("239.1.2.3"), address(FAR)
    assert (sizeof(group_req), sizeof(group_source_req)) == (136, 264)
    both = bytes(group_source_req(2, group_address, source_address))
    assert both[:8] == b"\2" + bytes(7)
    assert (both[8:24], both[136:152]) == (bytes(group_address), bytes(source_address))
    assert bytes(group_req(2, group_address)) == both[:136]


@families
@pytest.mark.parametrize("index", [NEAR_INDEX, 0])
def test_a_group_is_joined_and_left(lab: Lab, names: Names, index: int) -> None:
    Socket = receiver(lab, names)
    assert not is_heard(lab, names, Socket, names.far)
    assert change(Socket, names, MCAST_JOIN_GROUP, group(names, index)) == STATUS_SUCCESS
    assert is_heard(lab, names, Socket, names.far)
    assert change(Socket, names, MCAST_JOIN_GROUP, group(names)) == STATUS_ADDRESS_ALREADY_EXISTS
    assert change(Socket, names, MCAST_LEAVE_GROUP, group(names, index)) == STATUS_SUCCESS
    assert not is_heard(lab, names, Socket, names.far)


@families
def test_one_source_of_a_group_is_joined_and_left(lab: Lab, names: Names) -> None:
    lab.far_interface.add_address(f"{SECOND[names]}/{24 if names is V4 else 64}")
    Socket = receiver(lab, names)
    assert change(Socket, names, MCAST_JOIN_SOURCE_GROUP, source(names, names.far)) == STATUS_SUCCESS
    assert [is_heard(lab, names, Socket, each) for each in (names.far, SECOND[names])] == [True, False]
    assert change(Socket, names, MCAST_JOIN_SOURCE_GROUP, source(names, SECOND[names])) == STATUS_SUCCESS
    assert change(Socket, names, MCAST_LEAVE_SOURCE_GROUP, source(names, names.far)) == STATUS_SUCCESS
    assert [is_heard(lab, names, Socket, each) for each in (names.far, SECOND[names])] == [False, True]


@families
def test_one_source_of_a_joined_group_is_blocked_and_unblocked(lab: Lab, names: Names) -> None:
    lab.far_interface.add_address(f"{SECOND[names]}/{24 if names is V4 else 64}")
    Socket = receiver(lab, names)
    change(Socket, names, MCAST_JOIN_GROUP, group(names))
    assert change(Socket, names, MCAST_BLOCK_SOURCE, source(names, names.far)) == STATUS_SUCCESS
    assert [is_heard(lab, names, Socket, each) for each in (names.far, SECOND[names])] == [False, True]
    assert change(Socket, names, MCAST_UNBLOCK_SOURCE, source(names, names.far)) == STATUS_SUCCESS
    assert is_heard(lab, names, Socket, names.far)


@pytest.mark.rule("D-17")
@families
def test_what_cannot_be_joined(lab: Lab, names: Names) -> None:
    Socket, other = receiver(lab, names), V6 if names is V4 else V4
    nameless = bytes(2) + bytes(address(GROUP[names]))[2:]
    for structure in (
        group(other),
        group_req(2, nameless),
        group_req(2, address(names.far)),
        group_req(2, bytes(128)),
        bytes(135),
        None,
    ):
        assert change(Socket, names, MCAST_JOIN_GROUP, structure, 136) == STATUS_INVALID_PARAMETER
    assert change(Socket, names, MCAST_JOIN_GROUP, group(names), 128) == STATUS_INVALID_PARAMETER
    assert change(Socket, names, MCAST_JOIN_GROUP, group(names, 99)) == STATUS_INVALID_ADDRESS_COMPONENT
    mixed = group_source_req(2, address(GROUP[names]), address(FAR6 if names is V4 else FAR))
    assert change(Socket, names, MCAST_JOIN_SOURCE_GROUP, mixed) == STATUS_INVALID_PARAMETER
    assert change(Socket, names, MCAST_LEAVE_GROUP, group(names)) == STATUS_INVALID_ADDRESS_COMPONENT


@pytest.mark.rule("D-17")
@families
def test_only_bound_datagram_sockets_join_and_nothing_is_read(lab: Lab, names: Names) -> None:
    unbound = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET, AddressFamily=names.family)
    assert change(unbound, names, MCAST_JOIN_GROUP, group(names)) == STATUS_INVALID_DEVICE_STATE
    stream = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET, AddressFamily=names.family)
    assert change(stream, names, MCAST_JOIN_GROUP, group(names)) == STATUS_INVALID_PARAMETER
    assert simple.get_option(unbound, names.level, MCAST_JOIN_GROUP)[0] == STATUS_NOT_SUPPORTED
