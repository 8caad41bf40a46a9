"""The IPv6 header: RFC 8200 3, RFC 2675 (jumbograms, refused).  What may follow it is in `ipv6_extensions`."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from wsknet.trace import DropReason
from wsknet.types import Address

HEADER_LENGTH = 40
"""Without extension headers."""
MIN_MTU = 1280
"""What every link carries (RFC 8200 5)."""
MAX_PAYLOAD = 0xFFFF
"""Bytes after the fixed header."""
PAYLOAD_LENGTH_OFFSET = 4
NEXT_HEADER_OFFSET = 6

_LAYOUT = Struct("!IHBB16s16s")
_unpack = _LAYOUT.unpack_from
_pack = _LAYOUT.pack
_new = tuple.__new__

_HOP_BY_HOP = 0


class Ipv6Header(NamedTuple):
    """The first fields are those of `Ipv4Header` with the same meaning."""

    header_length: int
    """Bytes: where the upper protocol or the first extension header starts."""
    total_length: int
    """Bytes, at most what was parsed: where the payload ends.  What follows is padding of the frame."""
    traffic_class: int
    hop_limit: int
    protocol: int
    """What follows: the upper protocol or the first extension header."""
    source: Address
    destination: Address
    flow_label: int
    payload_length: int
    """Bytes after the fixed header."""


def parse(packet: bytes) -> Ipv6Header | DropReason:
    """`packet` starts at the IP header."""
    if len(packet) < HEADER_LENGTH:
        return DropReason.IP_TRUNCATED
    first, payload_length, protocol, hop_limit, source, destination = _unpack(packet)
    if first >> 28 != 6:
        return DropReason.IP_BAD_VERSION
    if not payload_length and protocol == _HOP_BY_HOP:
        return DropReason.IP_JUMBO  # RFC 2675 2: an option in it has the length
    total = HEADER_LENGTH + payload_length
    if total > len(packet):
        return DropReason.IP_TRUNCATED
    return _new(
        Ipv6Header,
        (
            HEADER_LENGTH,
            total,
            first >> 20 & 0xFF,
            hop_limit,
            protocol,
            source,
            destination,
            first & 0xFFFFF,
            payload_length,
        ),
    )


def build(
    source: Address,
    destination: Address,
    protocol: int,
    payload_length: int,
    hop_limit: int,
    traffic_class: int = 0,
    flow_label: int = 0,
) -> bytes:
    """A header of 40 bytes."""
    first = 0x60000000 | traffic_class << 20 | flow_label
    return _pack(first, payload_length, protocol, hop_limit, source, destination)
