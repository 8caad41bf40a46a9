"""Memory, strings, addresses and statuses of the run-time library."""

from __future__ import annotations

from typing import Any

import pytest

from wsknet import wsk as w
from wsknet.host import Host, Network
from wsknet.wsk import BugCheck


def test_memory_is_copied_moved_filled_zeroed_and_compared() -> None:
    memory = bytearray(b"abcdefgh")
    w.RtlCopyMemory(memory, b"12", 2)
    w.RtlMoveMemory(memoryview(memory)[2:], memory, 4)
    assert memory == b"1212cdgh"
    w.RtlFillMemory(memoryview(memory)[6:], 2, 0x1FF)
    w.RtlZeroMemory(memory, 2)
    assert memory == b"\0\x0012cd\xff\xff"

    assert w.RtlEqualMemory(b"abcd", b"abce", 3) is True
    assert w.RtlEqualMemory(b"abcd", b"abce", 4) is False
    assert w.RtlCompareMemory(b"abcd", b"abxd", 4) == 2
    assert w.RtlCompareMemory(b"abcd", bytearray(b"abcd"), 4) == 4


@pytest.mark.parametrize("family", [w.AF_INET, w.AF_INET6])
def test_socket_addresses_lie_in_memory(family: int) -> None:
    kind: Any = w.SOCKADDR_IN if family == w.AF_INET else w.SOCKADDR_IN6
    source, target, memory = kind(), kind(), bytearray(28)
    source.sa_family = family
    w.RtlCopyMemory(target, source, w.sizeof(kind))
    w.RtlCopyMemory(memory, target, w.sizeof(kind))
    assert memory[:2] == family.to_bytes(2, "little")
    assert w.RtlEqualMemory(source, memory, w.sizeof(kind))
    w.RtlZeroMemory(target, w.sizeof(kind))
    assert target.sa_family == 0


def test_structures_are_copied_by_their_fields() -> None:
    source, target = w.WSK_BUF(None, 3, 4), w.WSK_BUF()
    w.RtlCopyMemory(target, source, w.sizeof(w.WSK_BUF))
    assert (target.Offset, target.Length) == (3, 4)
    w.RtlZeroMemory(target, w.sizeof(w.WSK_BUF))
    assert (target.Offset, target.Length) == (0, 0)
    with pytest.raises(BugCheck, match="cannot be read out of"):
        w.RtlCopyMemory(target, w.WSK_INSPECT_ID(), 16)


def test_memory_has_an_end_and_may_be_read_only() -> None:
    for call in (
        lambda: w.RtlCopyMemory(bytearray(4), b"abc", 4),
        lambda: w.RtlCopyMemory(bytearray(3), b"abcd", 4),
        lambda: w.RtlZeroMemory(bytearray(3), 4),
        lambda: w.RtlEqualMemory(b"abc", b"abcd", 4),
    ):
        with pytest.raises(BugCheck, match="PAGE_FAULT"):
            call()
    with pytest.raises(BugCheck, match="READONLY"):
        w.RtlFillMemory(b"abc", 3, 0)


def test_bytes_are_swapped() -> None:
    assert w.RtlUshortByteSwap(0x11234) == 0x3412
    assert w.RtlUlongByteSwap(0x12345678) == 0x78563412
    assert w.RtlUlonglongByteSwap(0x0102030405060708) == 0x0807060504030201


def text(value: str | None = None, room: int | None = None) -> w.UNICODE_STRING:
    string = w.UNICODE_STRING(value)
    if room is not None:
        string.MaximumLength = room
    return string


@pytest.mark.parametrize("buffer", ["", bytearray(10)])
def test_a_copy_is_cut_to_the_room_there_is(buffer: Any) -> None:
    target = text()
    w.RtlInitEmptyUnicodeString(target, buffer, 7)
    w.RtlCopyUnicodeString(target, text("socket"))
    assert (str(target), target.Length) == ("soc", 6)
    assert w.RtlAppendUnicodeToString(target, "k") == w.STATUS_BUFFER_TOO_SMALL
    w.RtlCopyUnicodeString(target, None)
    assert w.RtlAppendUnicodeStringToString(target, text("ws")) == w.STATUS_SUCCESS
    assert (str(target), target.Length) == ("ws", 4)
    if isinstance(buffer, bytearray):
        assert buffer == b"w\0s\0\0\0" + bytes(4)


def test_strings_are_compared_by_unit() -> None:
    assert w.RtlEqualUnicodeString(text("Wsk"), text("wSK"), True) is True
    assert w.RtlEqualUnicodeString(text("Wsk"), text("wSK"), False) is False
    assert w.RtlCompareUnicodeString(text("a"), text("b"), False) < 0
    assert w.RtlCompareUnicodeString(text("ab"), text("a"), False) > 0
    assert w.RtlCompareUnicodeString(text("straße"), text("STRASSE"), True) != 0
    assert w.RtlEqualString(w.ANSI_STRING("Wsk"), w.ANSI_STRING("wsk"), True) is True
    assert w.RtlEqualString(w.ANSI_STRING("Wsk"), w.ANSI_STRING("wsk"), False) is False


@pytest.mark.parametrize(
    ("string", "base", "number"),
    [
        ("  123abc", 0, 123),
        ("-1", 10, 0xFFFFFFFF),
        ("0x1F", 0, 31),
        ("0o17", 0, 15),
        ("0b101", 0, 5),
        ("1F", 16, 31),
        ("0x1F", 10, 0),
        ("+7", 8, 7),
        ("no number", 0, 0),
        ("", 0, 0),
    ],
)
def test_text_becomes_a_number(string: str, base: int, number: int) -> None:
    value: list[int] = []
    assert w.RtlUnicodeStringToInteger(text(string), base, value) == w.STATUS_SUCCESS
    assert value == [number]
    assert w.RtlUnicodeStringToInteger(text(string), 7, value) == w.STATUS_INVALID_PARAMETER


def test_a_number_becomes_text() -> None:
    string = text("", room=6)
    assert w.RtlIntegerToUnicodeString(0xAB, 16, string) == w.STATUS_SUCCESS
    assert str(string) == "AB"
    assert w.RtlIntegerToUnicodeString(1000, 10, string) == w.STATUS_BUFFER_OVERFLOW
    assert w.RtlIntegerToUnicodeString(1, 3, string) == w.STATUS_INVALID_PARAMETER
    assert str(string) == "AB"


def test_ansi_and_unicode_are_converted(host: Host) -> None:
    ansi, wide, back = w.ANSI_STRING(), text(), w.ANSI_STRING()
    w.RtlInitAnsiString(ansi, "Grüße")
    assert (ansi.Length, ansi.MaximumLength) == (5, 6)
    assert w.RtlAnsiStringToUnicodeString(wide, ansi, False) == w.STATUS_BUFFER_OVERFLOW
    assert w.RtlAnsiStringToUnicodeString(wide, ansi, True) == w.STATUS_SUCCESS
    assert (str(wide), wide.Length, wide.MaximumLength) == ("Grüße", 10, 12)
    w.RtlInitEmptyAnsiString(back, bytearray(6), 6)
    assert w.RtlUnicodeStringToAnsiString(back, wide, False) == w.STATUS_SUCCESS
    assert back.Buffer == b"Gr\xfc\xdfe\0"
    w.RtlFreeUnicodeString(wide)
    assert (wide.Buffer, wide.Length) == (None, 0)
    w.kernel_of(host).allocation_fails = lambda function: function == "RtlAnsiStringToUnicodeString"
    assert w.RtlAnsiStringToUnicodeString(wide, ansi, True) == w.STATUS_NO_MEMORY


@pytest.mark.parametrize(
    ("string", "strict", "octets", "rest"),
    [
        ("192.0.2.1", True, b"\xc0\0\2\1", ""),
        ("192.0.2.1/24", True, b"\xc0\0\2\1", "/24"),
        ("192.0.2", True, None, ""),
        ("192.0.2.256", True, None, ""),
        ("192.513", False, b"\xc0\0\2\1", ""),
        ("0xC0.0.01002", False, b"\xc0\0\2\2", ""),
        ("3221225985 x", False, b"\xc0\0\2\1", " x"),
        ("192.0.2.256", False, None, ""),
        ("host", False, None, ""),
    ],
)
def test_text_becomes_an_ipv4_address(string: str, strict: bool, octets: bytes | None, rest: str) -> None:
    address, terminator = w.IN_ADDR(), list[str]()
    status = w.RtlIpv4StringToAddressA(string, strict, terminator, address)
    assert status == (w.STATUS_INVALID_PARAMETER if octets is None else w.STATUS_SUCCESS)
    assert bytes(address) == (octets or bytes(4))
    assert terminator == ([] if octets is None else [rest])


def test_text_with_port_and_scope_becomes_an_address() -> None:
    address, address6, port, scope = w.IN_ADDR(), w.IN6_ADDR(), list[int](), list[int]()
    assert w.RtlIpv4StringToAddressEx("192.0.2.1:80", True, address, port) == w.STATUS_SUCCESS
    assert (bytes(address), port) == (b"\xc0\0\2\1", [w.htons(80)])
    for string, ids, number in (("fe80::1%7", 7, 0), ("[fe80::1%7]:0x50", 7, 80), ("[fe80::1]", 0, 0)):
        assert w.RtlIpv6StringToAddressEx(string, address6, scope, port) == w.STATUS_SUCCESS
        assert (bytes(address6)[-1], scope, port) == (1, [ids], [w.htons(number)])
    for bad in ("192.0.2.1:", "192.0.2.1:65536", "192.0.2.1 ", "192.0.2.1:port"):
        assert w.RtlIpv4StringToAddressEx(bad, True, address, port) == w.STATUS_INVALID_PARAMETER
    for bad in ("fe80::1%", "[fe80::1]:", "[fe80::1", "fe80::1]:80", "[fe80::1]:99999", "fe80::1%eth0"):
        assert w.RtlIpv6StringToAddressEx(bad, address6, scope, port) == w.STATUS_INVALID_PARAMETER


def test_an_ipv6_address_ends_where_it_cannot_go_on() -> None:
    address, terminator = w.IN6_ADDR(), list[str]()
    assert w.RtlIpv6StringToAddressW("2001:db8::1%4", terminator, address) == w.STATUS_SUCCESS
    assert (bytes(address), terminator) == (b"\x20\1\r\xb8" + bytes(11) + b"\1", ["%4"])
    for bad in ("", "1.2.3.4", "xyz", ":"):
        assert w.RtlIpv6StringToAddress(bad, terminator, address) == w.STATUS_INVALID_PARAMETER


def test_addresses_become_text() -> None:
    address, address6 = w.IN_ADDR(b"\xc0\0\2\1"), w.IN6_ADDR(b"\xfe\x80" + bytes(13) + b"\1")
    written: list[str] = []
    assert w.RtlIpv4AddressToStringA(address, written) == 9
    assert written == ["192.0.2.1"]
    assert w.RtlIpv6AddressToString(address6, written) == len("fe80::1")
    room = [22]
    assert w.RtlIpv4AddressToStringEx(address, w.htons(80), written, room) == w.STATUS_SUCCESS
    assert (written, room) == (["192.0.2.1:80"], [13])
    assert w.RtlIpv6AddressToStringEx(address6, 2, 0, written, [65]) == w.STATUS_SUCCESS
    assert written == ["fe80::1%2"]
    room = [14]
    assert w.RtlIpv6AddressToStringEx(address6, 2, w.htons(80), written, room) == w.STATUS_INVALID_PARAMETER
    assert (written, room) == (["fe80::1%2"], [15])
    assert w.RtlIpv6AddressToStringEx(address6, 2, w.htons(80), written, room) == w.STATUS_SUCCESS
    assert written == ["[fe80::1%2]:80"]


def test_statuses_become_win32_errors() -> None:
    assert w.RtlNtStatusToDosError(w.STATUS_SUCCESS) == 0
    assert w.RtlNtStatusToDosError(w.STATUS_CONNECTION_REFUSED) == 1225
    assert w.RtlNtStatusToDosError(0xC0000120) == 995
    assert w.RtlNtStatusToDosError(0xDEADBEEF) == w.ERROR_MR_MID_NOT_FOUND


def test_random_numbers_come_from_the_host() -> None:
    def numbers(seed: int) -> list[int]:
        with Network(seed) as network, network.host("alone").activate():
            value = [1]
            found = [w.RtlRandomEx(value) for _ in range(3)]
            assert value == found[-1:]
            return found

    assert numbers(1) == numbers(1) != numbers(2)
    assert all(0 <= number < 0x7FFFFFFF for number in numbers(3))


def test_messages_with_a_component_go_the_same_way(host: Host) -> None:
    lines: list[str] = []
    w.kernel_of(host).debug_print = lines.append
    w.DbgPrintEx(w.DPFLTR_IHVNETWORK_ID, w.DPFLTR_INFO_LEVEL, "%s %d", "port", 80)
    w.KdPrintEx(w.DPFLTR_IHVDRIVER_ID, w.DPFLTR_ERROR_LEVEL, "%wZ", w.UNICODE_STRING("name"))

    assert lines == ["port 80", "name"]
