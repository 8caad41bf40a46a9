"""Cutting packets that are larger than the MTU.  RFC 791 3.2, RFC 8200 4.5; identification: RFC 6864 4, RFC 7739."""

from __future__ import annotations

from hashlib import blake2s
from struct import Struct
from typing import TYPE_CHECKING

from wsknet.types import Buffers, Family
from wsknet.wire import ipv4, ipv6
from wsknet.wire.fragment import UNIT
from wsknet.wire.ipv4_options import OptionKind
from wsknet.wire.ipv6_extensions import FRAGMENT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from wsknet.net.packet import Path

_IPV6_FRAGMENT = Struct("!BBHI")

_COPIED = 0x80

_COUNTERS = 1024
"""Of RFC 7739 5.3: destinations that share one see gaps, never a number twice before all 65,536 of IPv4 are used."""


class Counter:
    """The numbers of one pair of addresses."""

    __slots__ = ("_counters", "_index", "_offset")

    def __init__(self, counters: list[int], index: int, offset: int) -> None:
        self._counters = counters
        self._index = index
        self._offset = offset

    def next(self) -> int:
        """32 bits, of which IPv4 takes the lower 16."""
        self._counters[self._index] = count = self._counters[self._index] + 1
        return self._offset + count & 0xFFFFFFFF


class Identifications:
    """Numbers for fragmented packets: for one pair of addresses consecutive, so that none comes twice while fragments
    of the other may be on the way (RFC 6864 4.3, RFC 8200 4.5); for who sees another pair's, unpredictable.

    The algorithm of RFC 7739 5.3.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._counters = [rng.getrandbits(32)] * _COUNTERS
        self._secret = b""
        """Drawn when first needed: most hosts never fragment."""

    def counter(self, addresses: bytes) -> Counter:
        """`addresses` are source and destination."""
        if not self._secret:
            self._secret = self._rng.randbytes(16)
        digest = blake2s(addresses, digest_size=8, key=self._secret).digest()
        offset, index = int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:], "big") % _COUNTERS
        return Counter(self._counters, index, offset)

    def next(self, addresses: bytes) -> int:
        return self.counter(addresses).next()


def fragments(
    path: Path,
    protocol: int,
    payload: bytes,
    hop_limit: int,
    traffic_class: int,
    flow_label: int,
    identification: int,
) -> list[Buffers]:
    """IP packets of at most `path.mtu` bytes that carry `payload` together, first part first.

    An IPv4 packet that needs no cutting comes out whole, but routers may cut it.
    """
    if path.family is Family.IPV4:
        return _ipv4_fragments(path, protocol, payload, hop_limit, traffic_class, identification)
    room = (path.mtu - ipv6.HEADER_LENGTH - _IPV6_FRAGMENT.size) // UNIT * UNIT
    packets: list[Buffers] = []
    for offset, part, more in _parts(payload, room):
        length = _IPV6_FRAGMENT.size + len(part)
        header = ipv6.build(path.source, path.destination, FRAGMENT, length, hop_limit, traffic_class, flow_label)
        packets.append((header + _IPV6_FRAGMENT.pack(protocol, 0, offset | more, identification), part))
    return packets


def _ipv4_fragments(
    path: Path, protocol: int, payload: bytes, hop_limit: int, traffic_class: int, identification: int
) -> list[Buffers]:
    options = path.options
    later_options = _copied(options)
    room = path.mtu - ipv4.HEADER_LENGTH - len(options)
    if len(payload) > room:
        room = room // UNIT * UNIT
    packets: list[Buffers] = []
    for offset, part, more in _parts(payload, room):
        header = ipv4.build(
            path.source,
            path.destination,
            protocol,
            len(part),
            hop_limit,
            identification & 0xFFFF,
            traffic_class,
            dont_fragment=False,
            more_fragments=more,
            fragment_offset=offset,
            options=later_options if offset else options,
        )
        packets.append((header, part))
    return packets


def _copied(options: bytes) -> bytes:
    """Of these, the ones that every fragment carries: those with the highest bit set (RFC 791 3.1)."""
    kept, at = b"", 0
    while at < len(options) and options[at]:
        length = 1 if options[at] == OptionKind.NO_OPERATION else options[at + 1]
        if options[at] & _COPIED:
            kept += options[at : at + length]
        at += length
    return kept


def _parts(payload: bytes, room: int) -> Iterator[tuple[int, bytes, bool]]:
    """Offset, data, and whether more follow."""
    for offset in range(0, len(payload), room):
        yield offset, payload[offset : offset + room], offset + room < len(payload)
