"""Number types, sizeof, SOCKADDR_INET, and what drivers assert."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_registration import at_level
from wsknet import wsk as w
from wsknet.host import Host
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    APC_LEVEL,
    DISPATCH_LEVEL,
    SOCKADDR_IN,
    SOCKADDR_IN6,
    SOCKADDR_INET,
    WSK_BUF,
    BugCheck,
    htons,
    sizeof,
    verify,
)

SIZES = """
UCHAR 1, BYTE 1, BOOLEAN 1, CHAR 1, KIRQL 1, INT8 1, UINT8 1, USHORT 2, SHORT 2, WCHAR 2, ADDRESS_FAMILY 2, INT16 2,
UINT16 2, ULONG 4, LONG 4, INT 4, UINT 4, DWORD 4, INT32 4, UINT32 4, ULONG64 8, LONG64 8, LONGLONG 8, ULONGLONG 8,
INT64 8, UINT64 8, SIZE_T 8, ULONG_PTR 8, LONG_PTR 8, PVOID 8
"""


@pytest.mark.parametrize("row", SIZES.replace("\n", " ").split(","))
def test_a_number_type_has_the_size_of_x64(row: str) -> None:
    name, size = row.split()
    assert sizeof(getattr(w, name)) == int(size)


@pytest.mark.parametrize(
    ("cast", "value", "becomes"),
    [
        (w.UCHAR, 0x1FF, 0xFF),
        (w.USHORT, 0x12345, 0x2345),
        (w.ULONG, -1, 0xFFFFFFFF),
        (w.ULONG64, -1, 0xFFFFFFFFFFFFFFFF),
        (w.CHAR, 0x80, -0x80),
        (w.SHORT, 0x7FFF, 0x7FFF),
        (w.LONG, 0xFFFFFFFF, -1),
        (w.LONG, 0x80000000, -0x80000000),
        (w.LONG64, 1 << 63, -(1 << 63)),
        (w.LONG, 0, 0),
    ],
)
def test_a_cast_cuts_a_number_to_its_type(cast: Any, value: int, becomes: int) -> None:
    assert cast(value) == becomes


def test_sizeof_takes_structures_their_classes_and_arrays() -> None:
    assert (sizeof(WSK_BUF), sizeof(WSK_BUF())) == (24, 24)
    assert sizeof(bytearray(100)) == sizeof(memoryview(bytes(100))) == sizeof(bytes(100)) == 100


@pytest.mark.parametrize("variable", [[0], 5, None])
def test_sizeof_a_variable_says_what_to_write_instead(variable: object) -> None:
    with pytest.raises(TypeError, match=r"sizeof\(ULONG\)"):
        sizeof(variable)


def test_both_members_of_a_sockaddr_inet_are_the_same_memory() -> None:
    address = SOCKADDR_INET()
    assert (sizeof(address), len(bytes(address)), address.si_family) == (28, 28, 0)
    address.Ipv4 = SOCKADDR_IN(AF_INET, htons(80), bytes((192, 0, 2, 1)))
    assert (address.si_family, address.Ipv6.sin6_port) == (AF_INET, htons(80))
    address.Ipv6.sin6_scope_id = 7
    address.Ipv4.sin_port = htons(81)
    assert bytes(address) == bytes.fromhex("02000051 c0000201") + bytes(16) + b"\x07\0\0\0"


def test_assigning_to_a_member_of_a_sockaddr_inet_copies() -> None:
    mine = SOCKADDR_IN6(AF_INET6, htons(53), 0, w.in6addr_loopback, 3)
    address = SOCKADDR_INET(AF_INET)
    address.Ipv6 = mine
    mine.sin6_port = 0
    assert (address.si_family, address.Ipv6.sin6_port, address.Ipv6.sin6_scope_id) == (AF_INET6, htons(53), 3)
    assert SOCKADDR_INET.cast(SOCKADDR_IN6.cast(address)).Ipv6.sin6_addr == w.IN6ADDR_LOOPBACK_INIT


def test_a_sockaddr_in_may_be_seen_as_a_sockaddr_inet_without_the_longer_member() -> None:
    memory = SOCKADDR_IN(AF_INET, htons(80))
    address = SOCKADDR_INET.cast(memory)
    address.Ipv4.sin_port = htons(81)
    assert (address.si_family, memory.sin_port) == (AF_INET, htons(81))
    with pytest.raises(ValueError, match="the memory only 16"):
        _ = address.Ipv6
    with pytest.raises(ValueError, match="the memory only 16"):
        address.Ipv6 = SOCKADDR_IN6()
    assert len(bytes(memory)) == 16


@pytest.mark.parametrize(
    ("address", "holds"),
    [
        ("00000000000000000000000000000000", "UNSPECIFIED"),
        ("00000000000000000000000000000001", "LOOPBACK"),
        ("fe800000000000000000000000000001", "LINKLOCAL"),
        ("ff020000000000000000000000000001", "MULTICAST"),
        ("00000000000000000000ffffc0000201", "V4MAPPED"),
        ("20010db8000000000000000000000001", ""),
    ],
)
def test_one_of_the_questions_about_an_address_is_true(address: str, holds: str) -> None:
    octets = bytes.fromhex(address)
    tests = ("UNSPECIFIED", "LOOPBACK", "LINKLOCAL", "MULTICAST", "V4MAPPED")
    assert [name for name in tests if getattr(w, f"IN6_IS_ADDR_{name}")(octets)] == holds.split()
    assert w.IN6_ADDR_EQUAL(w.IN6_ADDR(octets), octets)
    assert w.IN6_ADDR_EQUAL(octets, w.in6addr_any) is (holds == "UNSPECIFIED")


def test_ipv4_addresses_are_compared() -> None:
    assert w.IN4_ADDR_EQUAL(w.IN_ADDR(b"\1\2\3\4"), b"\1\2\3\4")
    assert not w.IN4_ADDR_EQUAL(b"\1\2\3\4", b"\1\2\3\5")


def test_paged_code_must_not_run_at_dispatch_level(host: Host) -> None:
    verify(host)
    w.PAGED_CODE()
    with at_level(APC_LEVEL):
        w.PAGED_CODE()
    with at_level(DISPATCH_LEVEL), pytest.raises(BugCheck, match="IRQL 2") as stop:
        w.PAGED_CODE()
    assert (stop.value.code, stop.value.rule) == (0x0A, "WSK-2.6")


def test_without_a_verifier_paged_code_says_nothing(host: Host) -> None:
    verify(host, False)
    with at_level(DISPATCH_LEVEL):
        w.PAGED_CODE()


@pytest.mark.parametrize("claim", [w.NT_ASSERT, w.ASSERT, w.C_ASSERT])
def test_an_assertion_stops_where_it_does_not_hold(claim: Any) -> None:
    claim([0])
    with pytest.raises(AssertionError, match="NT_ASSERT"):
        claim(None)


@pytest.mark.usefixtures("host")
def test_nothing_changes_for_a_driver_that_opts_in_to_nx_pool() -> None:
    w.ExInitializeDriverRuntime(w.DrvRtPoolNxOptIn)
    memory = w.ExAllocatePoolZero(w.NonPagedPool | w.POOL_NX_ALLOCATION, w.PAGE_SIZE, 1)
    assert memory == bytearray(4096)
    w.ExFreePool(memory)


def test_numbers_of_their_headers() -> None:
    assert (w.IO_NETWORK_INCREMENT, w.SYNCHRONIZE, w.POOL_NX_ALLOCATION, w.DrvRtPoolNxOptIn) == (2, 0x100000, 512, 1)
    assert (w.MAXUCHAR, w.MAXUSHORT, w.MAXULONG, w.MAXLONG) == (255, 65535, 4294967295, 2147483647)
    assert w.NPIID is w.GUID
    assert w.EVENT_INCREMENT == 1


@pytest.mark.parametrize(("length", "aligned"), [(0, 0), (1, 8), (8, 8), (9, 16), (24, 24)])
def test_control_messages_and_their_data_are_aligned_to_a_pointer(length: int, aligned: int) -> None:
    assert w.WSA_CMSGHDR_ALIGN(length) == w.WSA_CMSGDATA_ALIGN(length) == aligned


@pytest.mark.parametrize(
    ("init", "string", "longest"),
    [(w.RtlInitUnicodeStringEx, w.UNICODE_STRING, 32766), (w.RtlInitAnsiStringEx, w.ANSI_STRING, 65534)],
)
def test_a_string_too_long_to_be_counted_is_refused(init: Any, string: Any, longest: int) -> None:
    name = string()
    assert init(name, "x" * longest) == w.STATUS_SUCCESS
    unit = string.UNIT
    assert (name.Length, name.MaximumLength) == (longest * unit, (longest + 1) * unit)
    assert init(name, "x" * (longest + 1)) == w.STATUS_NAME_TOO_LONG
    assert name.Length == longest * unit
    assert init(name, None) == w.STATUS_SUCCESS
    assert (name.Buffer, name.Length, name.MaximumLength) == (None, 0, 0)
