"""Options of SOL_SOCKET that WSK does not have, and values in every form that C has for them (wsk.md 5.1, 5.2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_categories import C, D, L, S
from tests.support.wsk_lab import Lab, ok
from tests.support.wsk_tcp import control, listener
from wsknet.wsk import (
    IPPROTO_TCP,
    SO_ACCEPTCONN,
    SO_CONNECT_TIME,
    SO_DEBUG,
    SO_ERROR,
    SO_EXCLUSIVEADDRUSE,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_MAX_MSG_SIZE,
    SO_OOBINLINE,
    SO_RCVBUF,
    SO_RCVLOWAT,
    SO_RCVTIMEO,
    SO_REUSEADDR,
    SO_SNDBUF,
    SO_SNDLOWAT,
    SO_SNDTIMEO,
    SO_TYPE,
    SO_USELOOPBACK,
    SOL_SOCKET,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_SUCCESS,
    TCP_NODELAY,
    WskGetOption,
    WskSetOption,
    simple,
)

WINSOCK_ONLY = [
    SO_DEBUG, SO_ACCEPTCONN, SO_USELOOPBACK, SO_LINGER, SO_OOBINLINE, SO_SNDBUF, SO_SNDLOWAT, SO_RCVLOWAT, SO_SNDTIMEO,
    SO_RCVTIMEO, SO_ERROR, SO_TYPE, SO_MAX_MSG_SIZE, SO_CONNECT_TIME,
]  # fmt: skip


@pytest.mark.rule("D-17")
@pytest.mark.parametrize("Flags", [L, C, D, S])
@pytest.mark.parametrize("code", WINSOCK_ONLY)
def test_what_belongs_to_winsock_alone_is_not_supported(lab: Lab, code: int, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags)
    target = [7]

    setting = control(Socket, WskSetOption, code, SOL_SOCKET, 4, [1], 0, None, None)
    getting = control(Socket, WskGetOption, code, SOL_SOCKET, 0, None, 4, target, None)
    assert setting.completions == getting.completions == [(STATUS_NOT_SUPPORTED, 0)]
    assert target == [7]


@pytest.mark.rule("R-304")
def test_exclusive_use_has_the_number_that_c_computes(lab: Lab) -> None:
    Socket = lab.socket(lab.near, C)
    request = control(Socket, WskSetOption, 0xFFFFFFFB, SOL_SOCKET, 4, [1], 0, None, None)

    assert request.status == STATUS_SUCCESS
    assert ok(simple.get_option(Socket, SOL_SOCKET, SO_EXCLUSIVEADDRUSE)) == 1
    assert (~SO_REUSEADDR & 0xFFFFFFFF) == SO_EXCLUSIVEADDRUSE


@pytest.mark.rule("R-301", "R-303")
@pytest.mark.parametrize(
    "memory",
    [[300_000], bytearray(b"\xe0\x93\4\0"), memoryview(b"\xe0\x93\4\0")],
    ids=["list", "bytearray", "memoryview"],
)
def test_a_ulong_is_little_endian_wherever_it_stands(lab: Lab, memory: Any) -> None:
    Socket = lab.socket(lab.near, C)
    assert control(Socket, WskSetOption, SO_RCVBUF, SOL_SOCKET, 4, memory, 0, None, None).status == STATUS_SUCCESS
    octets, value = bytearray(6), list[int]()
    for target in (octets, value, memoryview(octets)[2:]):
        request = control(Socket, WskGetOption, SO_RCVBUF, SOL_SOCKET, 0, None, 4, target, None)
        assert (request.status, request.information) == (STATUS_SUCCESS, 4)

    assert value == [300_000]
    assert octets == b"\xe0\x93\xe0\x93\4\0"


@pytest.mark.rule("D-17")
def test_options_are_set_and_read_with_an_irp(lab: Lab) -> None:
    Socket: Any = lab.socket(lab.near, C)
    for arguments in (
        (WskSetOption, TCP_NODELAY, IPPROTO_TCP, 4, [1], 0, None),
        (WskGetOption, TCP_NODELAY, IPPROTO_TCP, 0, None, 4, [0]),
    ):
        assert Socket.Dispatch.WskControlSocket(Socket, *arguments, None, None) == STATUS_INVALID_PARAMETER
    assert ok(simple.get_option(Socket, IPPROTO_TCP, TCP_NODELAY)) == 0


@pytest.mark.rule("R-303")
def test_accepted_sockets_may_have_other_values_than_their_listener(lab: Lab) -> None:
    listening = listener(lab)
    ok(simple.set_option(listening, SOL_SOCKET, SO_KEEPALIVE, 1))
    ok(simple.set_option(listening, SOL_SOCKET, SO_RCVBUF, 5000))
    lab.connected()
    far = ok(simple.accept(listening))
    found = [ok(simple.get_option(far, SOL_SOCKET, code)) for code in (SO_KEEPALIVE, SO_RCVBUF)]
    ok(simple.set_option(far, SOL_SOCKET, SO_KEEPALIVE, 0))

    assert found == [1, 5000]
    assert ok(simple.get_option(listening, SOL_SOCKET, SO_KEEPALIVE)) == 1
    assert ok(simple.get_option(far, SOL_SOCKET, SO_KEEPALIVE)) == 0
