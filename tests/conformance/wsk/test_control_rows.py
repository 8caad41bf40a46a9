"""Each option of WskControlSocket, row by row: who has it, and whether it can be set, got, and set after bind.

The rows are those of the sheet (WSK-5.2 and 5.5), with the numbers of the public headers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.support.wsk_lab import FAR, Lab, start
from wsknet import wsk
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    WSK_SOCKET,
    simple,
)

DATAGRAM = 4
IP, TCP, UDP, IPV6, SOCKET = 0, 6, 17, 41, 0xFFFF
ALL, TCP_ALL, TCP_BOTH_ENDS = "LCDS", "LCS", "CS"


class Row(NamedTuple):
    level: int
    numbers: tuple[int, ...]
    who: str
    """L, C, D and S: the categories that have it.  The level tells the families."""
    does: str = "set get"
    is_before_bind: bool = False


ROWS = [
    Row(SOCKET, (0x0004, 0xFFFFFFFB, 0x3005, 0x3006, 0x3007, 0x4001), ALL, is_before_bind=True),
    Row(SOCKET, (0x3002,), "LS", is_before_bind=True),
    Row(SOCKET, (0x0008,), TCP_ALL),
    Row(SOCKET, (0x0020,), "D"),
    Row(SOCKET, (0x0010, 0x1002), ALL),
    Row(TCP, (1, 2, 3, 5, 10, 11, 14, 15, 16, 17, 0x7000), TCP_ALL),
    Row(TCP, (18,), TCP_BOTH_ENDS),
    Row(TCP, (4, 19), TCP_BOTH_ENDS, "get"),
    Row(UDP, (1, 2, 3, 20), "D"),
    Row(IP, (1, 9, 10, 11, 19, 21, 22, 24, 25, 28, 40, 47, 50, 51, 75), "D"),
    Row(IP, (12, 13, 15, 16, 17, 18, 29, 30, 41, 42, 43, 44, 45, 46), "D", "set"),
    Row(IP, (33,), "D", "get"),
    Row(IP, (3, 4, 14, 31, 71, 76), ALL),
    Row(IP, (73,), ALL, "get"),
    Row(IPV6, (9, 10, 11, 19, 21, 24, 25, 28, 40, 47, 50, 51, 75), "D"),
    Row(IPV6, (12, 13, 29, 30, 41, 42, 43, 44, 45, 46), "D", "set"),
    Row(IPV6, (33,), "D", "get"),
    Row(IPV6, (4, 14, 23, 31, 39, 71, 76), ALL),
    Row(IPV6, (27,), ALL, is_before_bind=True),
    Row(IPV6, (72,), ALL, "get"),
]
EACH = [pytest.param(row, number, id=f"{row.level}-{number}") for row in ROWS for number in row.numbers]
KINDS = [
    (letter, Flags, family)
    for letter, Flags in zip("LCDS", (1, 2, 4, 8), strict=True)
    for family in (AF_INET, AF_INET6)
]


def has(row: Row, letter: str, family: int) -> bool:
    return (
        letter in row.who and row.level in {AF_INET: {IP, TCP, UDP, SOCKET}, AF_INET6: {IPV6, TCP, UDP, SOCKET}}[family]
    )


def get(Socket: WSK_SOCKET, level: int, number: int) -> int:
    memory: Any = [None] if number == 0x4001 else bytearray(1024)
    size = 8 if number == 0x4001 else len(memory)
    return start(
        Socket.Dispatch.WskControlSocket, Socket, wsk.WskGetOption, number, level, 0, None, size, memory, None
    ).status


def set_nothing(Socket: WSK_SOCKET, level: int, number: int) -> int:
    """Refused in any case, and the status tells why."""
    return start(
        Socket.Dispatch.WskControlSocket, Socket, wsk.WskSetOption, number, level, 0, None, 0, None, None
    ).status


@pytest.mark.rule("D-17")
@pytest.mark.parametrize(("row", "number"), EACH)
def test_getting_is_for_the_sockets_that_have_the_option(lab: Lab, row: Row, number: int) -> None:
    for letter, Flags, family in KINDS:
        status = get(lab.socket(lab.near, Flags, AddressFamily=family), row.level, number)

        if not has(row, letter, family):
            assert status == STATUS_INVALID_PARAMETER, (letter, family)
        elif "get" in row.does:
            assert status not in {STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED}, (letter, family)
        else:
            assert status == STATUS_NOT_SUPPORTED, (letter, family)


@pytest.mark.rule("D-17")
@pytest.mark.parametrize(("row", "number"), EACH)
def test_setting_after_bind_is_for_the_options_that_allow_it(lab: Lab, row: Row, number: int) -> None:
    for letter, Flags, family in KINDS:
        if has(row, letter, family):
            Socket = lab.bound(lab.near, Flags, "::" if family == AF_INET6 else "0.0.0.0", AddressFamily=family)
            status = set_nothing(Socket, row.level, number)

            assert (status == STATUS_NOT_SUPPORTED) == ("set" not in row.does), (letter, family)
            assert (status == STATUS_INVALID_DEVICE_STATE) == row.is_before_bind, (letter, family)


class Code(NamedTuple):
    """Of an IOCTL."""

    number: int
    who: str
    """As above, and B for basic."""
    is_passive: bool = False


CODES = [
    Code(0x8F000001, "D"),
    Code(0x8F000006, "D"),
    Code(0x9800000C, "D"),
    Code(0x98000015, "D"),
    Code(0xC8000014, "LCDS"),
    Code(0x88000015, "LCDS"),
    Code(0x48000016, "BLCDS", is_passive=True),
    Code(0x28000017, "BLCDS", is_passive=True),
    Code(0xC8000019, "BLCDS", is_passive=True),
    Code(0xCF000002, "BLCDS"),
    Code(0x4F000005, "BLCDS"),
    Code(0x98000010, "BLCDS", is_passive=True),
    Code(0x580000D2, "BLCDS"),
    Code(0x4F000003, "CS"),
    Code(0x4F000004, "CS"),
    Code(0x2F000007, "CS"),
    Code(0xD8000027, "CS"),
    Code(0x980000DC, "CS", is_passive=True),
    Code(0x980000DD, "CS", is_passive=True),
    Code(0x980000DE, "CS", is_passive=True),
    Code(0x98000004, "LCS"),
    Code(0x98000011, "LCS"),
    Code(0x98000017, "LCS"),
]


def ioctl(Socket: WSK_SOCKET, number: int) -> int | None:
    """What is returned without buffers."""
    return start(Socket.Dispatch.WskControlSocket, Socket, wsk.WskIoctl, number, 0, 0, None, 0, None, None).returned


@pytest.mark.rule("D-17")
@pytest.mark.parametrize("code", CODES, ids=lambda code: f"{code.number:08X}")
def test_an_ioctl_is_for_the_sockets_that_have_it(lab: Lab, code: Code) -> None:
    for letter, Flags in zip("BLCDS", (0, 1, 2, 4, 8), strict=True):
        if letter not in code.who:
            assert ioctl(lab.socket(lab.near, Flags), code.number) == STATUS_INVALID_PARAMETER, letter


@pytest.mark.rule("WSK-2.6")
@pytest.mark.parametrize("code", CODES, ids=lambda code: f"{code.number:08X}")
def test_some_ioctls_are_for_passive_level_only(lab: Lab, code: Code) -> None:
    Socket = lab.socket(lab.near, {"D": 4, "L": 1, "C": 2, "B": 0}[code.who[0]])
    before: list[int] = [0]
    wsk.KeRaiseIrql(wsk.DISPATCH_LEVEL, before)
    try:
        if code.is_passive:
            with pytest.raises(wsk.BugCheck) as stop:
                ioctl(Socket, code.number)
            assert (stop.value.code, stop.value.rule) == (0x0A, "WSK-2.6")
        else:
            assert ioctl(Socket, code.number) is not None
    finally:
        wsk.KeLowerIrql(before[0])


def test_a_dual_stack_socket_has_the_options_of_both_levels(lab: Lab) -> None:
    Socket = lab.socket(lab.near, DATAGRAM, AddressFamily=AF_INET6)
    off = (0).to_bytes(4, "little")
    request = start(
        Socket.Dispatch.WskControlSocket, Socket, wsk.WskSetOption, 27, IPV6, 4, bytearray(off), 0, None, None
    )

    assert request.status == 0
    for row in ROWS:
        if row.level in {IP, IPV6}:
            for number in row.numbers:
                assert get(Socket, row.level, number) != STATUS_INVALID_PARAMETER, (row.level, number)


WITHOUT_IRP = {0x48000016, 0xC8000019, 0xCF000002, 0x4F000005}
INPUTS: list[tuple[int, Any]] = [
    (0, None),
    (1, bytearray(1)),
    (4, bytearray(4)),
    (12, bytearray(12)),
    (16, simple.address(FAR, 9)),
]


@pytest.mark.parametrize("code", CODES, ids=lambda code: f"{code.number:08X}")
def test_only_some_ioctls_do_without_an_irp(lab: Lab, code: Code) -> None:
    near, _ = lab.pair()
    Socket = lab.datagram(lab.near) if "D" in code.who else near
    for size, memory in INPUTS:
        arguments = (wsk.WskIoctl, code.number, 0, size, memory, 256, bytearray(256), [0], None)
        status = Socket.Dispatch.WskControlSocket(Socket, *arguments)
        if code.number not in WITHOUT_IRP:
            assert status == STATUS_INVALID_PARAMETER, (size, status)


@pytest.mark.parametrize("family", [AF_INET, AF_INET6])
@pytest.mark.parametrize("number", [0x8F000001, 0x8F000006, 0xC8000014, 0x88000015])
def test_an_address_has_the_size_of_its_family(lab: Lab, number: int, family: int) -> None:
    Socket = lab.datagram(lab.near, 0, "::" if family == AF_INET6 else "0.0.0.0", AddressFamily=family)
    whole = simple.address("2001:db8::2" if family == AF_INET6 else FAR, 9)
    size = 28 if family == AF_INET6 else 16
    output = bytearray(256)
    for told, is_enough in ((size - 1, False), (size, True)):
        request = start(
            Socket.Dispatch.WskControlSocket, Socket, wsk.WskIoctl, number, 0, told, whole, 256, output, None
        )
        assert (request.returned != STATUS_INVALID_PARAMETER) is is_enough, (told, request.returned)
