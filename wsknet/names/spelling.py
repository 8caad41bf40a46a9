"""How names of hosts and literal addresses are written: RFC 1035 2.3, RFC 3490 (other letters), RFC 4007 11 (zones)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wsknet import text
from wsknet.types import Address, family_of, is_link_local, is_multicast

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_NAME = 255
"""Bytes on the wire, the lengths of the labels and the root included (RFC 1035 2.3.4)."""
MAX_LABEL = 63

_IPV4 = re.compile(r"(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}", re.ASCII)


_OTHER_DOTS = re.compile("[\u3002\uff0e\uff61]")
"""Ideographic, fullwidth and halfwidth: what RFC 3490 3.1 takes for a dot."""


def folded(name: str) -> str:
    """For comparison: letters of either case are the same, and a dot at the end says only that nothing is missing."""
    return name.removesuffix(".").lower()


def labels(name: str, *, is_encoded: bool = True) -> tuple[bytes, ...] | None:
    """The labels of `name` as DNS carries them, without the root; `None` if it is no name of a host.

    Letters beyond ASCII are written as in RFC 3490 (``xn--``), or as UTF-8 where `is_encoded` says not to.
    """
    found = []
    if is_encoded:
        name = _OTHER_DOTS.sub(".", name)
    for label in name.removesuffix(".").split("."):
        try:
            octets = label.encode("idna" if is_encoded and not label.isascii() else "utf-8")
        except UnicodeError:
            return None
        if not 0 < len(octets) <= MAX_LABEL or not label.isprintable() or " " in label:
            return None
        found.append(octets)
    return tuple(found) if sum(len(octets) + 1 for octets in found) < MAX_NAME else None


def parse_literal(name: str, zone_of: Callable[[str], int]) -> tuple[Address, int] | None:
    """The address and zone that `name` spells, ``192.0.2.1`` or ``fe80::1%2``; `None` if it spells none.

    IPv4 is four decimal numbers, and no other form that inet_addr knows (WSK-6.1).  `zone_of` turns what follows a %
    into the number of an interface, or raises `ValueError`.
    """
    address_text, percent, zone_text = name.partition("%")
    if ":" not in address_text and (percent or _IPV4.fullmatch(address_text) is None):
        return None
    try:
        address = text.parse_address(address_text)
        zone = zone_of(zone_text) if percent else 0
    except ValueError:
        return None
    if zone and not (is_link_local(address) or is_multicast(address)):
        return None
    return address, zone


def reverse_name(address: Address) -> str:
    """Where the name of `address` is kept (RFC 1035 3.5, RFC 3596 2.5)."""
    if family_of(address) == 4:
        return ".".join(map(str, reversed(address))) + ".in-addr.arpa"
    return ".".join(reversed(address.hex())) + ".ip6.arpa"
