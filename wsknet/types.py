"""The vocabulary every layer shares.

Addresses are packed bytes in network order (4 for IPv4, 16 for IPv6): a dict look-up with one costs 26 ns,
with a netaddr object 143.  netaddr belongs where people read and write addresses, see `wsknet.text`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, NewType, TypeAlias

Instant = NewType("Instant", int)
"""A point on the driver's clock in nanoseconds.  Never decreases; its zero means nothing."""

Duration: TypeAlias = int
"""Nanoseconds."""

IfIndex = NewType("IfIndex", int)
"""Interface number within one host, from 1 (always the loopback interface)."""

Address: TypeAlias = bytes
Mac: TypeAlias = bytes
Buffer: TypeAlias = bytes | bytearray | memoryview
Buffers: TypeAlias = tuple[Buffer, ...]
"""A frame on its way out: header bytes and views of the payload, to be written in this order."""

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000

LOOPBACK_INDEX = IfIndex(1)


class Family(IntEnum):
    """An IP version; the value is the version field of the header."""

    IPV4 = 4
    IPV6 = 6

    @property
    def address_length(self) -> int:
        return 4 if self is Family.IPV4 else 16


class Proto(IntEnum):
    """IP protocol numbers (IANA) that the stack gives a meaning to."""

    ICMP = 1
    IGMP = 2
    TCP = 6
    UDP = 17
    ICMPV6 = 58


class Cover(IntEnum):
    """Which families a local name answers for; a dual-stack ``::`` covers both."""

    IPV4 = 4
    IPV6 = 6
    DUAL = 10

    @property
    def families(self) -> tuple[Family, ...]:
        return (Family.IPV4, Family.IPV6) if self is Cover.DUAL else (Family(self.value),)

    def includes(self, family: Family) -> bool:
        return self is Cover.DUAL or self.value == family.value


class Endpoint(NamedTuple):
    """One end of a conversation: a concrete address and port.

    `zone` is the interface of a link-local address (fe80::/10, 169.254/16), else 0.
    """

    address: Address
    port: int
    zone: int = 0


class LocalName(NamedTuple):
    """What a socket is bound to.  `address` is `None` for the wildcard, never 0.0.0.0 or ``::``."""

    cover: Cover
    address: Address | None
    port: int
    zone: int = 0


class FrameMeta(NamedTuple):
    """What a device knows of a frame beside its bytes."""

    is_checksum_trusted: bool = False
    """The device has checked the transport checksum, or the sender has left it to the device (offload)."""


ICMP = {Family.IPV4: Proto.ICMP, Family.IPV6: Proto.ICMPV6}
"""The protocol that carries a family's control messages."""


def family_of(address: Address) -> Family:
    return Family.IPV4 if len(address) == 4 else Family.IPV6


def is_link_local(address: Address) -> bool:
    """Whether the same address may stand for different hosts on different links (RFC 3927, RFC 4291 2.5.6)."""
    if len(address) == 4:
        return address[:2] == b"\xa9\xfe"
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80


def is_multicast(address: Address) -> bool:
    return 224 <= address[0] <= 239 if len(address) == 4 else address[0] == 0xFF


def is_node_local(address: Address) -> bool:
    """Whether a group ends at the host: reserved and interface-local scope (RFC 4291 2.7)."""
    return len(address) == 16 and address[0] == 0xFF and address[1] & 0x0F <= 1


def is_loopback(address: Address) -> bool:
    """127/8 as a whole (RFC 1122 3.2.1.3 g) or ``::1``."""
    return address[0] == 127 if len(address) == 4 else address == b"\0" * 15 + b"\1"


def is_unspecified(address: Address) -> bool:
    return not any(address)
