"""Checksums in what raw sockets carry over IPv6: RFC 3542 3.1 (IPV6_CHECKSUM)."""

from __future__ import annotations

from wsknet.errors import ErrorKind, LocalError
from wsknet.types import Address, Proto
from wsknet.wire.checksum import pseudo_sum, transport_checksum, transport_is_valid

ICMPV6_OFFSET = 2
"""Of ICMPv6 the stack computes and checks it in any case."""
_SIZE = 2


def with_checksum(data: bytes, source: Address, destination: Address, protocol: int, offset: int) -> bytes:
    """`data` with the checksum at `offset`.  Raises `LocalError` INVALID_ARGUMENT if it ends before that."""
    if len(data) < offset + _SIZE:
        raise LocalError(ErrorKind.INVALID_ARGUMENT, f"{len(data)} bytes have no checksum at {offset}")
    before, behind = data[:offset], data[offset + _SIZE :]
    empty = before + bytes(_SIZE) + behind
    value = transport_checksum(pseudo_sum(source, destination, protocol), b"", (empty,))
    if not value and protocol == Proto.UDP:
        value = 0xFFFF  # RFC 8200 8.1
    return before + value.to_bytes(_SIZE, "big") + behind


def checksum_is_valid(data: bytes, source: Address, destination: Address, protocol: int, offset: int) -> bool:
    return len(data) >= offset + _SIZE and transport_is_valid(pseudo_sum(source, destination, protocol), data)
