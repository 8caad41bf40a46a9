"""The IPv4 header: RFC 791 3.1, RFC 1122 3.2.1, RFC 6864 (identification).  Its options are in `ipv4_options`."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from wsknet.trace import DropReason
from wsknet.types import Address

HEADER_LENGTH = 20
"""Without options."""
MAX_LENGTH = 0xFFFF
MIN_MTU = 68
"""What every link carries (RFC 791 3.2)."""

DONT_FRAGMENT = 0x4000
MORE_FRAGMENTS = 0x2000
OFFSET_MASK = 0x1FFF
"""The word of flags and offset; the offset counts in units of 8 bytes."""

_LAYOUT = Struct("!BBHHHBBH4s4s")
_unpack = _LAYOUT.unpack_from
_pack = _LAYOUT.pack
_new = tuple.__new__
_from_bytes = int.from_bytes


class Ipv4Header(NamedTuple):
    header_length: int
    """Bytes, options included: where the payload starts."""
    total_length: int
    """Bytes, at most what was parsed: where the payload ends.  What follows is padding of the frame."""
    traffic_class: int
    """The byte of RFC 2474 (DSCP) and RFC 3168 (ECN), once called type of service."""
    identification: int
    dont_fragment: bool
    more_fragments: bool
    fragment_offset: int
    """In bytes."""
    hop_limit: int
    protocol: int
    source: Address
    destination: Address
    options: bytes
    """As they stand, padding included."""

    @property
    def is_fragment(self) -> bool:
        return self.more_fragments or self.fragment_offset != 0


def parse(packet: bytes) -> Ipv4Header | DropReason:
    """`packet` starts at the IP header.  Fragments are accepted: the caller looks at the fields."""
    size = len(packet)
    if size < HEADER_LENGTH:
        return DropReason.IP_TRUNCATED
    first, traffic_class, total, identification, fragment, hop_limit, protocol, _, source, destination = _unpack(packet)
    length, options = HEADER_LENGTH, b""
    if first != 0x45:
        fault = _length_fault(first, size)
        if fault is not None:
            return fault
        length = (first & 0xF) * 4
        options = packet[HEADER_LENGTH:length]
    if _from_bytes(packet[:length], "big") % 0xFFFF:
        return DropReason.IP_BAD_CHECKSUM
    if not length <= total <= size:
        return DropReason.IP_TRUNCATED
    return _new(
        Ipv4Header,
        (
            length,
            total,
            traffic_class,
            identification,
            fragment & DONT_FRAGMENT != 0,
            fragment & MORE_FRAGMENTS != 0,
            (fragment & OFFSET_MASK) * 8,
            hop_limit,
            protocol,
            source,
            destination,
            options,
        ),
    )


def build(
    source: Address,
    destination: Address,
    protocol: int,
    payload_length: int,
    hop_limit: int,
    identification: int = 0,
    traffic_class: int = 0,
    dont_fragment: bool = True,
    more_fragments: bool = False,
    fragment_offset: int = 0,
    options: bytes = b"",
) -> bytes:
    """A header, checksum set: 20 bytes and `options`, padded to whole words; at most 40 bytes of them.

    `fragment_offset` is in bytes, a multiple of 8.
    """
    first = 0x45
    if options:
        options += bytes(-len(options) % 4)
        first += len(options) // 4
    total = HEADER_LENGTH + len(options) + payload_length
    fragment = fragment_offset >> 3
    if dont_fragment:
        fragment |= DONT_FRAGMENT
    if more_fragments:
        fragment |= MORE_FRAGMENTS
    words = (first << 8) + traffic_class + total + identification + fragment + (hop_limit << 8) + protocol
    checksum = -(words + _from_bytes(source + destination + options, "big")) % 0xFFFF
    header = _pack(
        first, traffic_class, total, identification, fragment, hop_limit, protocol, checksum, source, destination
    )
    return header + options if options else header


def whole_header(header: bytes, total_length: int, traffic_class: int) -> bytes:
    """The header of a first fragment as that of its whole packet."""
    dont_fragment = header[6] & (DONT_FRAGMENT >> 8)
    whole = bytearray(header)
    whole[1] = traffic_class
    whole[2:4] = total_length.to_bytes(2, "big")
    whole[6:8] = dont_fragment, 0
    whole[10:12] = 0, 0
    whole[10:12] = (-_from_bytes(whole, "big") % 0xFFFF).to_bytes(2, "big")
    return bytes(whole)


def _length_fault(first: int, size: int) -> DropReason | None:
    """What is wrong with the first byte of a packet of `size` bytes."""
    if first >> 4 != 4:
        return DropReason.IP_BAD_VERSION
    length = (first & 0xF) * 4
    if length < HEADER_LENGTH:
        return DropReason.IP_BAD_HEADER_LENGTH
    return DropReason.IP_TRUNCATED if length > size else None
