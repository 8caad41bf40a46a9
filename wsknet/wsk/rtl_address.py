"""Internet addresses to text and back (ip2string.h).

The functions with A, those with W and those without are the same here: text is a Python string.  `Terminator` receives
what follows the address; a text that is written goes into a list, and what is returned is its length, which stands for
the address of its end.
"""

from __future__ import annotations

import re

from wsknet import text
from wsknet.wsk.sockaddr import IN6_ADDR, IN_ADDR, htons, ntohs
from wsknet.wsk.status import NTSTATUS, STATUS_INVALID_PARAMETER, STATUS_SUCCESS

__all__ = [
    "RtlIpv4AddressToString", "RtlIpv4AddressToStringA", "RtlIpv4AddressToStringEx", "RtlIpv4AddressToStringExA",
    "RtlIpv4AddressToStringExW", "RtlIpv4AddressToStringW", "RtlIpv4StringToAddress", "RtlIpv4StringToAddressA",
    "RtlIpv4StringToAddressEx", "RtlIpv4StringToAddressExA", "RtlIpv4StringToAddressExW", "RtlIpv4StringToAddressW",
    "RtlIpv6AddressToString", "RtlIpv6AddressToStringA", "RtlIpv6AddressToStringEx", "RtlIpv6AddressToStringExA",
    "RtlIpv6AddressToStringExW", "RtlIpv6AddressToStringW", "RtlIpv6StringToAddress", "RtlIpv6StringToAddressA",
    "RtlIpv6StringToAddressEx", "RtlIpv6StringToAddressExA", "RtlIpv6StringToAddressExW", "RtlIpv6StringToAddressW",
]  # fmt: skip

_PART = r"(?:0[xX][0-9a-fA-F]+|[0-9]+)"
_NUMBER = re.compile(_PART)
_LOOSE_IPV4 = re.compile(rf"{_PART}(?:\.{_PART}){{0,3}}")
_STRICT_IPV4 = re.compile(r"(?:[1-9][0-9]{0,2}|0)(?:\.(?:[1-9][0-9]{0,2}|0)){3}")
_IPV6 = re.compile(r"[0-9a-fA-F:.]+")
_SCOPE = re.compile(r"%0*([0-9]{1,10})")
_IPV6_WITH_PORT = re.compile(r"(?:\[(?P<inner>[^]]*)\](?::(?P<port>.+))?|(?P<bare>[^][]*))")


def _parse_ipv4(S: str, Strict: bool) -> tuple[bytes, str] | None:
    """The address and what follows it."""
    match = (_STRICT_IPV4 if Strict else _LOOSE_IPV4).match(S)
    if match is None:
        return None
    *leading, last = (_number(part) for part in match[0].split("."))
    # In the short forms the last number fills the bytes that are left (inet_addr).
    if last is None or last >= 1 << 8 * (4 - len(leading)) or any(part is None or part > 255 for part in leading):
        return None
    octets = bytes(part or 0 for part in leading) + last.to_bytes(4 - len(leading), "big")
    return octets, S[match.end() :]


def _number(digits: str) -> int | None:
    """Decimal, octal after 0, hexadecimal after 0x."""
    base = 16 if digits[:2].lower() == "0x" else 8 if len(digits) > 1 and digits[0] == "0" else 10
    try:
        return int(digits, base)
    except ValueError:
        return None


def _parse_ipv6(S: str) -> tuple[bytes, str] | None:
    match = _IPV6.match(S)
    end = match.end() if match is not None else 0
    while end:
        try:
            octets = text.parse_address(S[:end])
        except ValueError:
            octets = b""
        if len(octets) == IN6_ADDR.SIZE:
            return octets, S[end:]
        end -= 1
    return None


def RtlIpv4StringToAddress(S: str, Strict: bool, Terminator: list[str], Addr: IN_ADDR) -> NTSTATUS:
    """`Strict` wants four decimal numbers; else there may be fewer, and octal or hexadecimal ones."""
    found = _parse_ipv4(S, Strict)
    if found is None:
        return STATUS_INVALID_PARAMETER
    Addr._raw[:], Terminator[:] = found[0], [found[1]]
    return STATUS_SUCCESS


def RtlIpv6StringToAddress(S: str, Terminator: list[str], Addr: IN6_ADDR) -> NTSTATUS:
    """Without a scope, which is left to the terminator."""
    found = _parse_ipv6(S)
    if found is None:
        return STATUS_INVALID_PARAMETER
    Addr._raw[:], Terminator[:] = found[0], [found[1]]
    return STATUS_SUCCESS


def RtlIpv4StringToAddressEx(AddressString: str, Strict: bool, Address: IN_ADDR, Port: list[int]) -> NTSTATUS:
    """``192.0.2.1`` or ``192.0.2.1:80``; `Port` receives network order, 0 if there is none."""
    found = _parse_ipv4(AddressString, Strict)
    if found is None:
        return STATUS_INVALID_PARAMETER
    octets, rest = found
    port = _port(rest[1:] if rest[:1] == ":" else None if rest else "0")
    if port is None:
        return STATUS_INVALID_PARAMETER
    Address._raw[:], Port[:] = octets, [htons(port)]
    return STATUS_SUCCESS


def RtlIpv6StringToAddressEx(AddressString: str, Address: IN6_ADDR, ScopeId: list[int], Port: list[int]) -> NTSTATUS:
    """``fe80::1%2``, ``[fe80::1%2]`` or ``[fe80::1%2]:80``; `Port` receives network order, 0 if there is none."""
    match = _IPV6_WITH_PORT.fullmatch(AddressString)
    if match is None:
        return STATUS_INVALID_PARAMETER
    found = _parse_ipv6(match["inner"] if match["bare"] is None else match["bare"])
    port = _port(match["port"] or "0")
    if found is None or port is None:
        return STATUS_INVALID_PARAMETER
    octets, rest = found
    scope = _SCOPE.fullmatch(rest or "%0")
    if scope is None or int(scope[1]) > 0xFFFF_FFFF:
        return STATUS_INVALID_PARAMETER
    Address._raw[:], ScopeId[:], Port[:] = octets, [int(scope[1])], [htons(port)]
    return STATUS_SUCCESS


def _port(digits: str | None) -> int | None:
    port = _number(digits) if digits is not None and _NUMBER.fullmatch(digits) else None
    return port if port is not None and port <= 0xFFFF else None


def RtlIpv4AddressToString(Addr: IN_ADDR, S: list[str]) -> int:
    S[:] = [text.format_address(bytes(Addr))]
    return len(S[0])


def RtlIpv6AddressToString(Addr: IN6_ADDR, S: list[str]) -> int:
    S[:] = [text.format_address(bytes(Addr))]
    return len(S[0])


def RtlIpv4AddressToStringEx(
    Address: IN_ADDR, Port: int, AddressString: list[str], AddressStringLength: list[int]
) -> NTSTATUS:
    """With the port, which is in network order, unless it is 0.

    `AddressStringLength` counts characters with the terminator: the room there is, then what it takes.
    """
    written = text.format_address(bytes(Address))
    return _deliver(f"{written}:{ntohs(Port)}" if Port else written, AddressString, AddressStringLength)


def RtlIpv6AddressToStringEx(
    Address: IN6_ADDR, ScopeId: int, Port: int, AddressString: list[str], AddressStringLength: list[int]
) -> NTSTATUS:
    written = text.format_address(bytes(Address), ScopeId)
    return _deliver(f"[{written}]:{ntohs(Port)}" if Port else written, AddressString, AddressStringLength)


def _deliver(written: str, AddressString: list[str], AddressStringLength: list[int]) -> NTSTATUS:
    room, AddressStringLength[:] = AddressStringLength[0], [len(written) + 1]
    if room <= len(written):
        return STATUS_INVALID_PARAMETER
    AddressString[:] = [written]
    return STATUS_SUCCESS


RtlIpv4AddressToStringA = RtlIpv4AddressToStringW = RtlIpv4AddressToString
RtlIpv6AddressToStringA = RtlIpv6AddressToStringW = RtlIpv6AddressToString
RtlIpv4AddressToStringExA = RtlIpv4AddressToStringExW = RtlIpv4AddressToStringEx
RtlIpv6AddressToStringExA = RtlIpv6AddressToStringExW = RtlIpv6AddressToStringEx
RtlIpv4StringToAddressA = RtlIpv4StringToAddressW = RtlIpv4StringToAddress
RtlIpv6StringToAddressA = RtlIpv6StringToAddressW = RtlIpv6StringToAddress
RtlIpv4StringToAddressExA = RtlIpv4StringToAddressExW = RtlIpv4StringToAddressEx
RtlIpv6StringToAddressExA = RtlIpv6StringToAddressExW = RtlIpv6StringToAddressEx
