"""``10.1.0.2:80`` and ``[fe80::1%if2]:80`` as scenarios write them, between text and the core's own terms."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from wsknet import text
from wsknet.policy_table import MAPPED
from wsknet.types import Address, Cover, LocalName

_WITH_PORT = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<four>[^:\[\]]*)):(?P<port>[0-9]{1,5})")

COVERS = {"ipv4": Cover.IPV4, "ipv6": Cover.IPV6, "dual": Cover.DUAL}
"""What the families of scenarios are to the core."""


class Named(NamedTuple):
    address: Address
    port: int
    zone: str = ""
    """Name of the interface, or its number in digits."""


def parse_name(words: str) -> Named:
    """`ValueError` tells what was expected."""
    found = _WITH_PORT.fullmatch(words)
    if found is None or int(found["port"]) > 65535:
        raise ValueError(f"{words!r} is no address with port: expected one like 10.1.0.2:80 or [2001:db8::1]:80")
    address, _, zone = (found["six"] or found["four"] or "").partition("%")
    octets = text.parse_address(address)
    if "%" in words and (not zone or len(octets) == 4):
        raise ValueError(f"{words!r}: a zone is the name of an interface, behind the % of an IPv6 address")
    if (len(octets) == 16) != (found["six"] is not None):
        raise ValueError(f"{words!r}: only IPv6 addresses stand in brackets, and all of them do")
    return Named(octets, int(found["port"]), zone)


def format_name(address: Address, port: int, zone: str = "") -> str:
    name = text.format_address(address) + (f"%{zone}" if zone else "")
    return f"{name}:{port}" if len(address) == 4 else f"[{name}]:{port}"


def local_name(named: Named, cover: Cover, zone: int) -> LocalName:
    """What a socket of `cover` is to be bound to.  `zone` is the number of the interface that `named` tells."""
    address = unmapped(named.address)
    if len(address) == 4:
        return LocalName(Cover.IPV4, address if any(address) else None, named.port)
    if not any(address):
        return LocalName(cover, None, named.port)
    return LocalName(Cover.IPV6, address, named.port, zone)


def wildcard(cover: Cover) -> Address:
    return bytes(4) if cover is Cover.IPV4 else bytes(16)


def unmapped(address: Address) -> Address:
    """The IPv4 address behind a mapped one; others as they are."""
    return address[12:] if len(address) == 16 and address[:12] == MAPPED else address


def mapped(address: Address, cover: Cover) -> Address:
    """`address` as a socket of `cover` shows it."""
    return MAPPED + address if cover is Cover.DUAL and len(address) == 4 else address


def resolve_references(words: str, name_of: Callable[[str], str]) -> str:
    """``@s`` is the name of socket s, ``10.1.0.2:@s`` and ``[::1]:@s`` have its port."""
    before, at, socket = words.partition("@")
    if not at:
        return words
    name = name_of(socket)
    return before + name.rpartition(":")[2] if before else name
