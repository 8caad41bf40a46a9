"""What a router changes in a packet: RFC 791 3.2, RFC 1624, RFC 1812 4.2.2.7 and 5.3.1, RFC 8200 3.

The packets have been parsed, so their headers are right; the caller has looked at the hop limit.
"""

from __future__ import annotations

from wsknet.types import Family
from wsknet.wire import ipv4
from wsknet.wire.checksum import internet_checksum
from wsknet.wire.fragment import UNIT
from wsknet.wire.ipv4_options import OptionKind

_COPIED = 0x80
"""In an option's type: it goes into every fragment (RFC 791 3.1)."""


def aged(family: Family, packet: bytes) -> bytes:
    """The packet with a hop limit lower by one."""
    if family is Family.IPV6:
        return packet[:7] + bytes((packet[7] - 1,)) + packet[8:]
    # The word with the hop limit has lost 0x100, so its complement has gained that.
    checksum = (int.from_bytes(packet[10:12], "big") + 0x100) % 0xFFFF
    return packet[:8] + bytes((packet[8] - 1, packet[9])) + checksum.to_bytes(2, "big") + packet[12:]


def may_be_cut(family: Family, packet: bytes) -> bool:
    """Whether its sender lets routers do so, as only IPv4 can."""
    return family is Family.IPV4 and not int.from_bytes(packet[6:8], "big") & ipv4.DONT_FRAGMENT


def cut(packet: bytes, mtu: int) -> tuple[bytes, ...]:
    """An IPv4 packet, itself perhaps a fragment, as fragments of at most `mtu` bytes, first part first."""
    length = (packet[0] & 0x0F) * 4
    header = packet[:length]
    fragment = int.from_bytes(packet[6:8], "big")
    offset = fragment & ipv4.OFFSET_MASK
    parts: list[bytes] = []
    position = length
    while position < len(packet):
        room = mtu - len(header)
        if len(packet) - position > room:
            room = room // UNIT * UNIT
        data = packet[position : position + room]
        position += len(data)
        more = ipv4.MORE_FRAGMENTS if position < len(packet) else fragment & ipv4.MORE_FRAGMENTS
        parts.append(_with_fields(header, len(header) + len(data), more | offset) + data)
        offset += len(data) // UNIT
        header = packet[: ipv4.HEADER_LENGTH] + _copied_options(packet[ipv4.HEADER_LENGTH : length])
    return tuple(parts)


def _with_fields(header: bytes, total: int, fragment: int) -> bytes:
    first = bytes((0x40 | len(header) >> 2, header[1]))
    fields = total.to_bytes(2, "big") + header[4:6] + fragment.to_bytes(2, "big") + header[8:10]
    checksum = internet_checksum(first + fields + bytes(2) + header[12:])
    return first + fields + checksum.to_bytes(2, "big") + header[12:]


def _copied_options(options: bytes) -> bytes:
    """Those that every fragment carries, padded to a multiple of 4 bytes."""
    copied, position = b"", 0
    while position < len(options) and options[position] != OptionKind.END:
        kind = options[position]
        size = 1 if kind == OptionKind.NO_OPERATION else options[position + 1]
        if kind & _COPIED:
            copied += options[position : position + size]
        position += size
    return copied + bytes(-len(copied) % 4)
