"""What a packet is about, found in as much of it as an ICMP error quotes: RFC 792, RFC 4443 2.4, RFC 8200 4.

Nothing is checked that does not matter for that: the packet may be somebody else's, cut off, or wrong.
"""

from __future__ import annotations

from typing import NamedTuple

from wsknet.types import ICMP, Address, Family
from wsknet.wire import fragment, ipv4, ipv6, ipv6_extensions

_IPV4_ERRORS = (3, 4, 5, 11, 12)
"""ICMP types about another packet, source quench and redirect among them (RFC 1122 3.2.2)."""
_LAST_IPV6_ERROR = 127
_IPV6_REDIRECT = 137


class Quoted(NamedTuple):
    source: Address
    destination: Address
    protocol: int
    """The upper protocol, or an extension header that the quote ends in or nobody knows."""
    offset: int
    """Where its header starts; beyond the end if the quote is shorter."""
    field: int
    """Where the byte is that says so, as in `ipv6_extensions.Place`."""
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
    is_first = not int.from_bytes(packet[6:8], "big") & ipv4.OFFSET_MASK
    return Quoted(packet[12:16], packet[16:20], packet[9], offset, 9, total, is_first)


def _parse_ipv6(packet: bytes) -> Quoted | None:
    if len(packet) < ipv6.HEADER_LENGTH or packet[0] >> 4 != 6:
        return None
    place, is_first = ipv6_extensions.start(packet), True
    for _ in range(ipv6_extensions.MAX_EXTENSION_HEADERS):
        following = ipv6_extensions.following(packet, place)
        if following is None or not is_first:
            break
        is_first = place.protocol != ipv6_extensions.FRAGMENT or fragment.is_first(packet, place)
        place = following
    total = ipv6.HEADER_LENGTH + int.from_bytes(packet[4:6], "big")
    return Quoted(packet[8:24], packet[24:40], *place, total, is_first)
