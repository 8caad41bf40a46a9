"""Addresses as people read them, for decisions and errors of the core.

The border where people *write* addresses is `wsknet.text`, which the core must not import.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from wsknet.types import Address


def address_text(address: Address, zone: int = 0) -> str:
    """RFC 5952 form, with ``%zone`` if there is one."""
    text = str(IPv4Address(address) if len(address) == 4 else IPv6Address(address))
    return f"{text}%{zone}" if zone else text


def prefix_text(prefix: Address, length: int) -> str:
    return f"{address_text(prefix)}/{length}"
