"""The UDP header: RFC 768, RFC 1122 4.1.3, RFC 8200 8.1."""

from __future__ import annotations

from struct import Struct
from typing import TypeAlias

from wsknet.trace import DropReason
from wsknet.types import Buffers
from wsknet.wire.checksum import buffers_sum

HEADER_LENGTH = 8

NO_CHECKSUM = 0
"""Field value of a sender that made none; legal over IPv4, not over IPv6 (RFC 768, RFC 8200 8.1)."""

_LAYOUT = Struct("!HHHH")
_unpack = _LAYOUT.unpack_from
_pack = _LAYOUT.pack

UdpFields: TypeAlias = tuple[int, int, int, int]
"""Source port, destination port, length (header included, at most what was parsed), checksum field."""


def parse(payload: bytes) -> UdpFields | DropReason:
    """`payload` is that of the IP packet.  The datagram, checksum included, ends at `length`."""
    if len(payload) < HEADER_LENGTH:
        return DropReason.UDP_TRUNCATED
    fields: UdpFields = _unpack(payload)
    if not HEADER_LENGTH <= fields[2] <= len(payload):
        return DropReason.UDP_BAD_LENGTH
    return fields


def checksum(pseudo: int, source_port: int, destination_port: int, payload: Buffers) -> int:
    """The field for a datagram under `checksum.pseudo_sum`: never 0, which would mean that there is none."""
    length = HEADER_LENGTH + sum(map(len, payload))
    # The length counts twice, in the pseudo-header and in the header.
    total = pseudo + source_port + destination_port + 2 * length + buffers_sum(payload)
    return -total % 0xFFFF or 0xFFFF


def build(source_port: int, destination_port: int, payload_length: int, checksum: int) -> bytes:
    return _pack(source_port, destination_port, HEADER_LENGTH + payload_length, checksum)
