"""Memory behind an option that is shorter than its size says: nothing is read or written beyond it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import Lab, ok, start
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IP_ADD_IFLIST,
    IP_GET_IFLIST,
    IP_IFLIST,
    IP_OPTIONS,
    IPPROTO_IP,
    SO_BROADCAST,
    SO_RCVBUF,
    SOL_SOCKET,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WskGetOption,
    WskSetOption,
    simple,
)

FAMILIES = pytest.mark.parametrize("family", [AF_INET, AF_INET6], ids=["ipv4", "ipv6"])
KINDS = pytest.mark.parametrize("kind", [bytearray, lambda size: memoryview(bytearray(size))], ids=["bytes", "view"])


@pytest.mark.rule("R-301")
@pytest.mark.parametrize("Flags", [WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_DATAGRAM_SOCKET])
@KINDS
@FAMILIES
def test_a_number_does_not_fit_into_less_than_four_bytes(lab: Lab, family: int, kind: Any, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags, AddressFamily=family)
    get = (Socket, WskGetOption, SO_RCVBUF, SOL_SOCKET, 0, None, 4)
    for size, status in ((3, STATUS_INVALID_PARAMETER), (4, STATUS_SUCCESS), (5, STATUS_SUCCESS)):
        memory = kind(size)
        assert start(Socket.Dispatch.WskControlSocket, *get, memory, None).status == status
        assert len(memory) == size
        assert any(memory) is (status == STATUS_SUCCESS)


@pytest.mark.rule("R-303")
@KINDS
@FAMILIES
def test_a_number_is_not_read_from_less_than_four_bytes(lab: Lab, family: int, kind: Any) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET, AddressFamily=family)
    memory = kind(3)
    memory[0] = 1
    request = start(
        Socket.Dispatch.WskControlSocket, Socket, WskSetOption, SO_BROADCAST, SOL_SOCKET, 4, memory, 0, None, None
    )

    assert request.status == STATUS_INVALID_PARAMETER
    assert ok(simple.get_option(Socket, SOL_SOCKET, SO_BROADCAST)) == 0


@pytest.mark.parametrize("size", [3, 4])
def test_lists_and_options_of_ip_do_not_go_beyond_their_memory(lab: Lab, size: int) -> None:
    Socket = lab.datagram(lab.near)
    control = Socket.Dispatch.WskControlSocket
    ok(simple.set_option(Socket, IPPROTO_IP, IP_IFLIST, 1))
    ok(simple.set_option(Socket, IPPROTO_IP, IP_ADD_IFLIST, lab.near_interface.index))
    routers_look = b"\x94\x04\0\0"  # RFC 2113
    assert start(control, Socket, WskSetOption, IP_OPTIONS, IPPROTO_IP, 4, routers_look, 0, None, None).status == 0
    expected = STATUS_SUCCESS if size == 4 else STATUS_INVALID_PARAMETER
    for option in (IP_GET_IFLIST, IP_OPTIONS):
        memory = bytearray(size)
        request = start(control, Socket, WskGetOption, option, IPPROTO_IP, 0, None, 4, memory, None)
        assert (request.status, len(memory)) == (expected, size)
        assert any(memory) is (size == 4)
