"""Text that is nearly an address, a scope or a port."""

from __future__ import annotations

import pytest

from wsknet import wsk as w


@pytest.mark.parametrize(
    ("string", "octets"),
    [
        ("255.1", b"\xff\0\0\1"),
        ("0377.255.65535", b"\xff\xff\xff\xff"),
        ("1.16777215", b"\1\xff\xff\xff"),
        ("256.1", None),
        ("1.256.1", None),
        ("08.1", None),
        ("1.08.0.1", None),
        ("1.08", None),
        ("1.16777216", None),
        ("1.2.65536", None),
        ("4294967296", None),
        ("9" * 5000, None),
    ],
)
def test_numbers_of_a_loose_ipv4_address(string: str, octets: bytes | None) -> None:
    address, terminator = w.IN_ADDR(), list[str]()
    status = w.RtlIpv4StringToAddress(string, False, terminator, address)

    assert status == (w.STATUS_INVALID_PARAMETER if octets is None else w.STATUS_SUCCESS)
    assert bytes(address) == (octets or bytes(4))


PORTS = {
    "0": 0,
    "80": 80,
    "0120": 80,
    "0x50": 80,
    "0X5f": 95,
    "65535": 65535,
    "0xFFFF": 65535,
    "65536": None,
    "0x10000": None,
    "08": None,
    "0x": None,
    "0o17": None,
    "8_0": None,
    "0x5_0": None,
    "+80": None,
    "-80": None,
    " 80": None,
    "80 ": None,
    "80\n": None,
    "\u0668\u0660": None,
    "\xb2": None,
    "9" * 5000: None,
}


@pytest.mark.parametrize("string", PORTS)
def test_a_port_is_decimal_octal_or_hexadecimal_and_has_16_bits(string: str) -> None:
    number, port, scope = PORTS[string], [7], [7]
    expected = w.STATUS_INVALID_PARAMETER if number is None else w.STATUS_SUCCESS
    assert w.RtlIpv4StringToAddressEx(f"192.0.2.1:{string}", True, w.IN_ADDR(), port) == expected
    assert port == [7 if number is None else w.htons(number)]
    port = [7]
    assert w.RtlIpv6StringToAddressEx(f"[fe80::1]:{string}", w.IN6_ADDR(), scope, port) == expected
    assert port == [7 if number is None else w.htons(number)]


def test_without_a_port_it_is_0() -> None:
    port, scope = [7], [7]
    assert w.RtlIpv4StringToAddressEx("192.0.2.1", True, w.IN_ADDR(), port) == w.STATUS_SUCCESS
    assert port == [0]
    for string in ("fe80::1", "[fe80::1]"):
        port = [7]
        assert w.RtlIpv6StringToAddressEx(string, w.IN6_ADDR(), scope, port) == w.STATUS_SUCCESS
        assert (scope, port) == ([0], [0])


@pytest.mark.parametrize("string", ["192.0.2.1:", "192.0.2.1 80", "192.0.2.180x", "192.0.2.1::80", ":80"])
def test_a_port_follows_one_colon(string: str) -> None:
    assert w.RtlIpv4StringToAddressEx(string, True, w.IN_ADDR(), [0]) == w.STATUS_INVALID_PARAMETER


SCOPES = {
    "": 0,
    "%0": 0,
    "%2": 2,
    "%0002": 2,
    "%4294967295": 4294967295,
    "%" + "0" * 5000 + "9": 9,
    "%4294967296": None,
    "%": None,
    "%%2": None,
    "%2%2": None,
    "%2 ": None,
    "% 2": None,
    "%2\n": None,
    "%0x2": None,
    "%\u0662": None,
    "%\xb2": None,
    "/64": None,
    " ": None,
    "%" + "9" * 5000: None,
}


@pytest.mark.parametrize("string", SCOPES, ids=lambda string: string[:12])
def test_a_scope_is_decimal_and_has_32_bits(string: str) -> None:
    number = SCOPES[string]
    expected = w.STATUS_INVALID_PARAMETER if number is None else w.STATUS_SUCCESS
    for written in (f"fe80::1:1:1:1{string}", f"[fe80::1:1:1:1{string}]"):
        scope, port = [7], [7]
        assert w.RtlIpv6StringToAddressEx(written, w.IN6_ADDR(), scope, port) == expected
        assert (scope, port) == (([7], [7]) if number is None else ([number], [0]))


@pytest.mark.parametrize("string", ["", "x", ":", "1", "1:2", "%2", "[]", "[%2]:80"])
def test_text_without_an_ipv6_address(string: str) -> None:
    terminator, scope, port = list[str](), [7], [7]

    assert w.RtlIpv6StringToAddress(string, terminator, w.IN6_ADDR()) == w.STATUS_INVALID_PARAMETER
    assert w.RtlIpv6StringToAddressEx(string, w.IN6_ADDR(), scope, port) == w.STATUS_INVALID_PARAMETER
    assert (terminator, scope, port) == ([], [7], [7])
