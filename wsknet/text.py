"""The border where people write and read addresses: netaddr on their side, packed bytes on ours.

Every `parse_` function raises `ValueError` with one line that says what was expected.  The core never comes here.
"""

from __future__ import annotations

import re

from netaddr import EUI, IPAddress, mac_unix_expanded
from netaddr.core import AddrFormatError

from wsknet.types import Address, Endpoint, Mac

_LENGTH = re.compile(r"[0-9]{1,3}")
_MAC = re.compile(r"[0-9a-fA-F]{2}([:-])(?:[0-9a-fA-F]{2}\1){4}[0-9a-fA-F]{2}")


def parse_address(text: str) -> Address:
    """``192.0.2.1`` or ``2001:db8::1``, without prefix length, port or zone."""
    try:
        return bytes(IPAddress(text).packed)
    except (AddrFormatError, ValueError, TypeError):
        raise ValueError(f"{text!r} is not an address: expected IPv4 like 192.0.2.1 or IPv6 like 2001:db8::1") from None


def format_address(address: Address, zone: int = 0) -> str:
    """RFC 5952 form, with ``%zone`` if there is one."""
    text = str(IPAddress(int.from_bytes(address, "big"), 4 if len(address) == 4 else 6))
    return f"{text}%{zone}" if zone else text


def parse_cidr(text: str) -> tuple[Address, int]:
    """An interface address: ``192.0.2.1/24`` gives the whole address and the prefix length."""
    address_text, slash, length_text = text.partition("/")
    if not slash:
        raise ValueError(f"{text!r} has no prefix length: expected an address like 192.0.2.1/24 or 2001:db8::1/64")
    address = parse_address(address_text)
    bits = len(address) * 8
    if _LENGTH.fullmatch(length_text) is None or int(length_text) > bits:
        raise ValueError(f"{text!r} has no valid prefix length: expected 0 to {bits} after the slash")
    return address, int(length_text)


def parse_network(text: str) -> tuple[Address, int]:
    """A prefix: ``192.0.2.0/24``, no bits set after the prefix length."""
    if "/" not in text:
        raise ValueError(f"{text!r} has no prefix length: expected a prefix like 192.0.2.0/24 or 2001:db8::/64")
    address, length = parse_cidr(text)
    shift = len(address) * 8 - length
    network = (int.from_bytes(address, "big") >> shift << shift).to_bytes(len(address), "big")
    if network != address:
        raise ValueError(f"{text!r} has bits set after the prefix: expected {format_address(network)}/{length}")
    return address, length


def same_prefix(one: Address, other: Address, length: int) -> bool:
    """Whether two addresses of one family agree in their first `length` bits."""
    shift = len(one) * 8 - length
    return int.from_bytes(one, "big") >> shift == int.from_bytes(other, "big") >> shift


def format_endpoint(endpoint: Endpoint) -> str:
    """``192.0.2.1:80`` or ``[fe80::1%2]:80``."""
    text = format_address(endpoint.address, endpoint.zone)
    return f"{text}:{endpoint.port}" if len(endpoint.address) == 4 else f"[{text}]:{endpoint.port}"


def parse_mac(text: str) -> Mac:
    """``02:00:00:00:00:01``, with colons or hyphens."""
    if _MAC.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a MAC address: expected six bytes like 02:00:00:00:00:01")
    return bytes(EUI(text).packed)


def format_mac(mac: Mac) -> str:
    return str(EUI(int.from_bytes(mac, "big"), 48, dialect=mac_unix_expanded))
