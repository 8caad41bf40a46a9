"""What a fragment says of itself, and the header of the packet it was cut from, in both families.

Read RFC 791 3.2, RFC 1858, RFC 3128, RFC 6946, RFC 7112 and RFC 8200 4.5 before editing.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from wsknet.trace import DropReason
from wsknet.types import Proto
from wsknet.wire import ipv4, ipv6, ipv6_extensions
from wsknet.wire.fault import ERRONEOUS_FIELD, INCOMPLETE_CHAIN, Fault
from wsknet.wire.ipv6_extensions import FRAGMENT_LENGTH, Place

UNIT = 8
"""Offsets count in these; every part but the last has a whole number of them."""

_unpack_ipv6 = Struct("!BxHI").unpack_from
_MORE_FRAGMENTS = 1
_OFFSET_MASK = 0xFFF8

_TCP_FLAGS_END = 16
"""RFC 1858 3: a first part of a TCP segment must reach behind its flags, else no filter on the way sees them."""
_UPPER_HEADERS: dict[int, int] = {Proto.TCP: 20, Proto.UDP: 8, Proto.ICMPV6: 8}
"""Bytes, for RFC 7112; of another upper protocol one must be there."""

_MALFORMED = Fault(DropReason.FRAGMENT_MALFORMED)
_TINY = Fault(DropReason.FRAGMENT_TINY)


class Fragment(NamedTuple):
    identification: int
    offset: int
    """In bytes."""
    has_more: bool
    protocol: int
    """What the whole packet carries: the first of its fragmentable headers in IPv6."""
    header_length: int
    """Bytes before the data; in IPv6 with all headers to the fragment header, and this too."""
    place: Place | None = None
    """IPv6: of the fragment header."""

    @property
    def is_atomic(self) -> bool:
        """A whole packet with a fragment header, which has nothing to do with any other fragment (RFC 6946 4)."""
        return not self.offset and not self.has_more


def of_ipv4(header: ipv4.Ipv4Header) -> Fragment | Fault:
    """`header` is that of a fragment."""
    size = header.total_length - header.header_length
    offset = header.fragment_offset
    if not size or (header.more_fragments and size % UNIT) or header.header_length + offset + size > ipv4.MAX_LENGTH:
        return _MALFORMED
    if header.protocol == Proto.TCP and (offset == UNIT or (not offset and size < _TCP_FLAGS_END)):
        return _TINY  # RFC 3128: nor may a second one write over the flags
    return Fragment(header.identification, offset, header.more_fragments, header.protocol, header.header_length)


def of_ipv6(packet: bytes, place: Place) -> Fragment | Fault:
    """The one whose fragment header is at `place`."""
    start = place.offset + FRAGMENT_LENGTH
    if len(packet) < start:
        return Fault(DropReason.FRAGMENT_MALFORMED, ERRONEOUS_FIELD, ipv6.PAYLOAD_LENGTH_OFFSET)
    protocol, field, identification = _unpack_ipv6(packet, place.offset)
    offset, has_more = field & _OFFSET_MASK, field & _MORE_FRAGMENTS != 0
    part = Fragment(identification, offset, has_more, protocol, start, place)
    return part if part.is_atomic else _ipv6_fault(packet, part, place) or part


def is_first(packet: bytes, place: Place) -> bool:
    """Whether the IPv6 fragment header at `place`, which is whole, is that of a first fragment."""
    return not _unpack_ipv6(packet, place.offset)[1] & _OFFSET_MASK


def _ipv6_fault(packet: bytes, part: Fragment, place: Place) -> Fault | None:
    size = len(packet) - part.header_length
    if part.has_more and size % UNIT:
        return Fault(DropReason.FRAGMENT_MALFORMED, ERRONEOUS_FIELD, ipv6.PAYLOAD_LENGTH_OFFSET)
    if place.offset - ipv6.HEADER_LENGTH + part.offset + size > ipv6.MAX_PAYLOAD:
        return Fault(DropReason.FRAGMENT_MALFORMED, ERRONEOUS_FIELD, place.offset + 2)
    if not size:
        return _MALFORMED
    if not part.offset and not _chain_is_whole(packet, Place(part.protocol, part.header_length, place.offset)):
        return Fault(DropReason.FRAGMENT_TINY, INCOMPLETE_CHAIN, 0)
    return None


def whole_header(first: Fragment, header: bytes, size: int, traffic_class: int) -> bytes | None:
    """The header of the packet of which `header` stood before the first part, for `size` bytes of data.

    `None` if no IP packet is that long.
    """
    if first.place is None:
        length = len(header) + size
        return ipv4.whole_header(header, length, traffic_class) if length <= ipv4.MAX_LENGTH else None
    length = first.place.offset - ipv6.HEADER_LENGTH + size
    if length > ipv6.MAX_PAYLOAD:
        return None
    whole = bytearray(header[: first.place.offset])
    whole[first.place.field] = first.protocol
    whole[0] = 0x60 | traffic_class >> 4
    whole[1] = (traffic_class & 0xF) << 4 | whole[1] & 0xF
    whole[ipv6.PAYLOAD_LENGTH_OFFSET : ipv6.NEXT_HEADER_OFFSET] = length.to_bytes(2, "big")
    return bytes(whole)


def _chain_is_whole(packet: bytes, place: Place) -> bool:
    """Whether all headers are there, that of the upper protocol included (RFC 7112 5, RFC 8200 4.5)."""
    upper = ipv6_extensions.find_upper(packet, place)
    if upper.protocol == ipv6_extensions.NO_NEXT_HEADER:
        return upper.offset <= len(packet)
    return upper.offset + _UPPER_HEADERS.get(upper.protocol, 1) <= len(packet)
