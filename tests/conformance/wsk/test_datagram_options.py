"""What else a datagram socket is told to hear or ignore: broadcasts, interfaces, routes, unreachable ports (BIND-4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_categories import B, C, D, L, S
from tests.support.wsk_control_info import V4, V6, Names, dual, families, number, send, sockets
from tests.support.wsk_lab import BROADCAST, FAR, Lab, Request, ok, start
from wsknet.wsk import (
    IP_ADD_IFLIST,
    IP_DEL_IFLIST,
    IP_GET_IFLIST,
    IP_IFLIST,
    IP_RECEIVE_BROADCAST,
    IPPROTO_IP,
    IPV6_ADD_IFLIST,
    IPV6_DEL_IFLIST,
    IPV6_GET_IFLIST,
    IPV6_IFLIST,
    SIO_UDP_CONNRESET,
    SO_BROADCAST,
    SO_DONTROUTE,
    SOL_SOCKET,
    STATUS_BUFFER_OVERFLOW,
    STATUS_CANCELLED,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_PORT_UNREACHABLE,
    STATUS_SUCCESS,
    WSK_SOCKET,
    WskGetOption,
    WskIoctl,
    simple,
)


@pytest.mark.rule("BIND-4.8")
def test_broadcasts_are_received_unless_they_are_blocked(lab: Lab) -> None:
    near, far = sockets(lab, V4)
    ok(simple.set_option(near, SOL_SOCKET, SO_BROADCAST, 1))
    assert ok(simple.get_option(far, IPPROTO_IP, IP_RECEIVE_BROADCAST)) == 1
    for takes_them in (1, 0, 1):
        ok(simple.set_option(far, IPPROTO_IP, IP_RECEIVE_BROADCAST, takes_them))
        assert ok(simple.get_option(far, IPPROTO_IP, IP_RECEIVE_BROADCAST)) == takes_them
        send(near, BROADCAST)
        Status = simple.receive_from(far, seconds=0.5)[0]
        assert Status == (STATUS_SUCCESS if takes_them else STATUS_CANCELLED)


LISTS = [
    (V4, IP_IFLIST, IP_ADD_IFLIST, IP_DEL_IFLIST, IP_GET_IFLIST),
    (V6, IPV6_IFLIST, IPV6_ADD_IFLIST, IPV6_DEL_IFLIST, IPV6_GET_IFLIST),
]
lists = pytest.mark.parametrize(("names", "switch", "add", "delete", "get"), LISTS, ids=["IPv4", "IPv6"])


@pytest.mark.rule("BIND-4.7")
@lists
def test_a_list_of_interfaces_begins_empty_and_then_nothing_is_received(
    lab: Lab, names: Names, switch: int, add: int, delete: int, get: int
) -> None:
    near, far = sockets(lab, names)
    index, level = lab.far_interface.index, names.level

    def is_heard() -> bool:
        send(near, names.far)
        Status: int = simple.receive_from(far, seconds=0.5)[0]
        return Status == STATUS_SUCCESS

    assert ok(simple.get_option(far, level, switch)) == 0
    ok(simple.set_option(far, level, switch, 1))
    assert not is_heard()
    ok(simple.set_option(far, level, add, index))
    assert is_heard()
    ok(simple.set_option(far, level, delete, index))
    assert not is_heard()
    ok(simple.set_option(far, level, switch, 0))
    assert is_heard()


def read_list(Socket: WSK_SOCKET, level: int, get: int, size: int, output: Any) -> tuple[int, Any]:
    [result] = start(
        Socket.Dispatch.WskControlSocket, Socket, WskGetOption, get, level, 0, None, size, output, None
    ).completions  # fmt: skip
    return result


@pytest.mark.rule("BIND-4.7")
@lists
def test_the_list_is_read_while_it_is_on(lab: Lab, names: Names, switch: int, add: int, delete: int, get: int) -> None:
    Socket, level = lab.socket(lab.near, D, AddressFamily=names.family), names.level
    assert read_list(Socket, level, get, 8, bytearray(8))[0] == STATUS_INVALID_DEVICE_STATE
    ok(simple.set_option(Socket, level, switch, 1))
    assert read_list(Socket, level, get, 0, None) == (STATUS_SUCCESS, 0)
    for index in (2, 1, 2):
        ok(simple.set_option(Socket, level, add, index))
    memory, numbers = bytearray(8), [9]
    assert read_list(Socket, level, get, 8, memory) == (STATUS_SUCCESS, 8)
    assert read_list(Socket, level, get, 8, numbers) == (STATUS_SUCCESS, 8)
    assert (bytes(memory), numbers) == (number(2) + number(1), [2, 1])

    assert read_list(Socket, level, get, 4, bytearray(4)) == (STATUS_BUFFER_OVERFLOW, 0)
    assert read_list(Socket, level, get, 8, None) == (STATUS_INVALID_PARAMETER, 0)
    for option, value in ((add, 9), (delete, 9), (add, 0)):
        assert simple.set_option(Socket, level, option, value)[0] == STATUS_INVALID_ADDRESS_COMPONENT
    for option in (add, delete):
        assert simple.get_option(Socket, level, option)[0] == STATUS_NOT_SUPPORTED
    assert simple.set_option(Socket, level, get, 1)[0] == STATUS_NOT_SUPPORTED


@pytest.mark.rule("BIND-4.7")
def test_a_dual_stack_socket_has_a_list_for_each_family(lab: Lab) -> None:
    far = dual(lab, (IPPROTO_IP, IP_IFLIST))
    for names, expected in ((V4, STATUS_CANCELLED), (V6, STATUS_SUCCESS)):
        send(lab.datagram(lab.near, 0, names.wildcard, AddressFamily=names.family), names.far)
        assert simple.receive_from(far, seconds=0.5)[0] == expected


@pytest.mark.rule("BIND-4.9")
@pytest.mark.parametrize("Flags", [L, C, D, S])
def test_the_routing_table_is_used_whatever_is_said(lab: Lab, Flags: int) -> None:
    Socket = lab.bound(lab.near, Flags)
    lab.near.route("0.0.0.0/0", via=FAR)
    ok(simple.set_option(Socket, SOL_SOCKET, SO_DONTROUTE, 5))
    assert ok(simple.get_option(Socket, SOL_SOCKET, SO_DONTROUTE)) == 1
    if Flags == D:
        assert send(Socket, "8.8.8.8").status == STATUS_SUCCESS
        lab.run()
        assert lab.near_wire.udp_payloads() == [b"data"]


def set_connection_reset(Socket: WSK_SOCKET, InputSize: int, Input: Any) -> Request:
    arguments = (WskIoctl, SIO_UDP_CONNRESET, 0, InputSize, Input, 0, None, None)
    return start(Socket.Dispatch.WskControlSocket, Socket, *arguments)


@pytest.mark.rule("BIND-65")
@families
@pytest.mark.parametrize("is_bound", [False, True])
def test_an_unreachable_port_is_not_told_when_that_is_off(lab: Lab, names: Names, is_bound: bool) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=names.family)
    if not is_bound:
        assert set_connection_reset(Socket, 4, bytearray(4)).completions == [(STATUS_SUCCESS, 0)]
    ok(simple.bind(Socket, simple.address(names.wildcard, 0)))
    if is_bound:
        send(Socket, names.far)
        lab.run()
        assert set_connection_reset(Socket, 4, [0]).completions == [(STATUS_SUCCESS, 0)]
    send(Socket, names.far)
    assert simple.receive_from(Socket, seconds=0.5)[0] == STATUS_CANCELLED

    set_connection_reset(Socket, 4, [1])
    send(Socket, names.far)
    lab.run()
    assert simple.receive_from(Socket, seconds=0.5)[0] == STATUS_PORT_UNREACHABLE
    assert simple.receive_from(Socket, seconds=0.5)[0] == STATUS_CANCELLED


def test_it_is_a_boolean_of_datagram_sockets(lab: Lab) -> None:
    for size, Input in ((0, None), (1, b"\0"), (4, None)):
        assert set_connection_reset(lab.socket(lab.near, D), size, Input).status == STATUS_INVALID_PARAMETER
    for Flags in (L, C, S, B):
        assert set_connection_reset(lab.socket(lab.near, Flags), 4, [0]).status == STATUS_INVALID_PARAMETER
