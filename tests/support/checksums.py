"""Messages with a right checksum in their bytes 2 and 3; too short for one they stay as they are."""

from __future__ import annotations

from wsknet.types import Address, Proto
from wsknet.wire.checksum import internet_checksum, pseudo_sum, transport_checksum


def with_icmp_checksum(message: bytes) -> bytes:
    """Of ICMP or IGMP."""
    return _with(message, internet_checksum(_with(message, 0)))


def with_icmp6_checksum(message: bytes, source: Address, destination: Address) -> bytes:
    pseudo = pseudo_sum(source, destination, Proto.ICMPV6)
    return _with(message, transport_checksum(pseudo, b"", (_with(message, 0),)))


def _with(message: bytes, checksum: int) -> bytes:
    return message if len(message) < 4 else message[:2] + checksum.to_bytes(2, "big") + message[4:]
