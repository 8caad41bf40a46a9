"""What a packet is about, found in as much of it as an ICMP error quotes: RFC 792, RFC 4443 2.4, RFC 8200 4.

Nothing is checked that does not matter for that: the packet may be somebody else's, cut off, or wrong.
"""

from __future__ import annotations

from typing import NamedTuple

from wsknet.types import Address, Family, Proto
from wsknet.wire import ipv4, ipv6
from wsknet.wire.ipv6_extensions import (
    DESTINATION_OPTIONS,
    FRAGMENT,
    FRAGMENT_LENGTH,
    HOP_BY_HOP,
    MAX_EXTENSION_HEADERS,
    ROUTING,
)

ICMP = {Family.IPV4: Proto.ICMP, Family.IPV6: Proto.ICMPV6}

_IPV4_ERRORS = (3, 4, 5, 11, 12)
"""ICMP types about another packet, source quench and redirect among them (RFC 1122 3.2.2)."""
_LAST_IPV6_ERROR = 127
_IPV6_REDIRECT = 137


class Quoted(NamedTuple):
    source: Address
    destination: Address
    protocol: int
    """The upper protocol, or an extension header that the quote ends in or nobody knows."""
    named_at: int
    """Offset of the byte that says so."""
    offset: int
    """Where its header starts; beyond the end if the quote is shorter."""
    total_length: int
    """Bytes of the whole packet, as its header has it."""
    is_first: bool
    """Not a fragment, or the first: what is at `offset` is the beginning of the upper protocol's header."""


def parse(family: Family, packet: bytes) -> Quoted | None:
    """`packet` starts at its IP header, which has to be there as a whole."""
    return _parse_ipv4(packet) if family is Family.IPV4 else _parse_ipv6(packet)


def may_be_error(family: Family, packet: bytes, quoted: Quoted) -> bool:
    """Whether a packet is an ICMP error or redirect, so that none may answer it (RFC 1122 3.2.2, RFC 4443 2.4 (e))."""
    if quoted.protocol != ICMP[family]:
        return False
    if not quoted.is_first or quoted.offset >= len(packet):
        return True
    number = packet[quoted.offset]
    if family is Family.IPV4:
        return number in _IPV4_ERRORS
    return number <= _LAST_IPV6_ERROR or number == _IPV6_REDIRECT


def _parse_ipv4(packet: bytes) -> Quoted | None:
    if len(packet) < ipv4.HEADER_LENGTH or packet[0] >> 4 != 4:
        return None
    offset = (packet[0] & 0x0F) * 4
    if offset < ipv4.HEADER_LENGTH:
        return None
    total = int.from_bytes(packet[2:4], "big")
    is_first = not int.from_bytes(packet[6:8], "big") & 0x1FFF
    return Quoted(packet[12:16], packet[16:20], packet[9], 9, offset, total, is_first)


def _parse_ipv6(packet: bytes) -> Quoted | None:
    if len(packet) < ipv6.HEADER_LENGTH or packet[0] >> 4 != 6:
        return None
    named_at, offset, is_first = 6, ipv6.HEADER_LENGTH, True
    for _ in range(MAX_EXTENSION_HEADERS):
        protocol = packet[named_at]
        if offset + 8 > len(packet) or not is_first:
            break
        if protocol == FRAGMENT:
            is_first = not int.from_bytes(packet[offset + 2 : offset + 4], "big") & 0xFFF8
            named_at, offset = offset, offset + FRAGMENT_LENGTH
        elif protocol in (HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS):
            named_at, offset = offset, offset + 8 + packet[offset + 1] * 8
        else:
            break
    total = ipv6.HEADER_LENGTH + int.from_bytes(packet[4:6], "big")
    return Quoted(packet[8:24], packet[24:40], packet[named_at], named_at, offset, total, is_first)
