"""The IPv6 header and the extension headers before the upper protocol: RFC 8200 3 and 4, RFC 5095, RFC 8504 5.3."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from wsknet.trace import DropReason
from wsknet.types import Address

HEADER_LENGTH = 40
"""Without extension headers."""
MAX_EXTENSION_HEADERS = 8
"""RFC 8504 5.3 lets a host bound the chain; no sender needs more than one header of each kind."""

_LAYOUT = Struct("!IHBB16s16s")
_unpack = _LAYOUT.unpack_from
_pack = _LAYOUT.pack
_new = tuple.__new__

_HOP_BY_HOP = 0
_ROUTING = 43
_FRAGMENT = 44
_NO_NEXT_HEADER = 59
_DESTINATION_OPTIONS = 60
_EXTENSIONS = frozenset((_HOP_BY_HOP, _ROUTING, _FRAGMENT, _NO_NEXT_HEADER, _DESTINATION_OPTIONS))

_PAD_1 = 0
_ACTION_MASK = 0xC0
"""Upper bits of an option type: what to do with an option one does not know; 0 is to skip it (RFC 8200 4.2)."""


class Ipv6Header(NamedTuple):
    """The first fields are those of `Ipv4Header` with the same meaning."""

    header_length: int
    """Bytes, extension headers included: where the upper protocol starts."""
    total_length: int
    """Bytes, at most what was parsed: where the payload ends.  What follows is padding of the frame."""
    traffic_class: int
    hop_limit: int
    protocol: int
    """The upper protocol, after all extension headers."""
    source: Address
    destination: Address
    flow_label: int
    payload_length: int
    """Bytes after the fixed header."""
    next_header: int
    """As the fixed header has it."""


def parse(packet: bytes) -> Ipv6Header | DropReason:
    """`packet` starts at the IP header."""
    if len(packet) < HEADER_LENGTH:
        return DropReason.IP_TRUNCATED
    first, payload_length, next_header, hop_limit, source, destination = _unpack(packet)
    if first >> 28 != 6:
        return DropReason.IP_BAD_VERSION
    length = HEADER_LENGTH
    total = length + payload_length
    if total > len(packet):
        return DropReason.IP_TRUNCATED
    protocol = next_header
    if next_header in _EXTENSIONS:
        upper = _walk(packet, next_header, total)
        if isinstance(upper, DropReason):
            return upper
        protocol, length = upper
    return _new(
        Ipv6Header,
        (
            length,
            total,
            first >> 20 & 0xFF,
            hop_limit,
            protocol,
            source,
            destination,
            first & 0xFFFFF,
            payload_length,
            next_header,
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


def _walk(packet: bytes, protocol: int, end: int) -> tuple[int, int] | DropReason:
    """Upper protocol and its offset.  A packet that is all extension headers has nothing to hand up."""
    offset = HEADER_LENGTH
    for _ in range(MAX_EXTENSION_HEADERS + 1):
        if protocol not in _EXTENSIONS:
            return protocol, offset
        if protocol == _FRAGMENT:
            return DropReason.FRAGMENT_MALFORMED
        if protocol == _NO_NEXT_HEADER:
            return DropReason.IP_UNKNOWN_PROTOCOL
        if offset + 8 > end:
            break
        following = offset + 8 + packet[offset + 1] * 8
        if following > end or (protocol == _HOP_BY_HOP and offset != HEADER_LENGTH):
            break
        if protocol == _ROUTING:
            # Not the last of its nodes, or RFC 5095's type 0: only a router would know what to do.
            if packet[offset + 3]:
                break
        elif not _options_may_be_skipped(packet[offset + 2 : following]):
            break
        protocol, offset = packet[offset], following
    return DropReason.IP_BAD_EXTENSION


def _options_may_be_skipped(options: bytes) -> bool:
    """Whether the list can be walked to its end and asks nobody to discard the packet."""
    position, end = 0, len(options)
    while position < end:
        kind = options[position]
        if kind == _PAD_1:
            position += 1
            continue
        if kind & _ACTION_MASK or position + 2 > end:
            return False
        position += 2 + options[position + 1]
    return position == end
