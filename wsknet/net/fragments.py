"""Cutting packets that are larger than the MTU.  RFC 791 3.2, RFC 8200 4.5; identification: RFC 6864 4, RFC 7739."""

from __future__ import annotations

from hashlib import blake2s
from struct import Struct
from typing import TYPE_CHECKING

from wsknet.types import Address, Buffers, Family
from wsknet.wire import ipv4, ipv6, ipv6_extensions

if TYPE_CHECKING:
    from random import Random

FRAGMENT_HEADER = ipv6_extensions.FRAGMENT
"""The next-header value of the IPv6 fragment header."""

_IPV6_FRAGMENT = Struct("!BBHI")

_COUNTERS = 1024
"""Of RFC 7739 5.3: destinations that share one see gaps, never a number twice before all 65,536 of IPv4 are used."""


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

    def next(self, addresses: bytes) -> int:
        """32 bits, of which IPv4 takes the lower 16.  `addresses` are source and destination."""
        if not self._secret:
            self._secret = self._rng.randbytes(16)
        digest = blake2s(addresses, digest_size=8, key=self._secret).digest()
        offset, index = int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:], "big") % _COUNTERS
        self._counters[index] += 1
        return offset + self._counters[index] & 0xFFFFFFFF


def fragments(
    family: Family,
    source: Address,
    destination: Address,
    protocol: int,
    payload: bytes,
    mtu: int,
    hop_limit: int,
    traffic_class: int,
    identification: int,
    flow_label: int = 0,
) -> list[Buffers]:
    """IP packets of at most `mtu` bytes that carry `payload` together, first part first.

    An IPv4 packet that needs no cutting comes out whole, but routers may cut it.
    """
    if family is Family.IPV4:
        room = mtu - ipv4.HEADER_LENGTH
        if len(payload) > room:
            room &= ~7
    else:
        room = (mtu - ipv6.HEADER_LENGTH - _IPV6_FRAGMENT.size) & ~7
    packets: list[Buffers] = []
    for offset in range(0, len(payload), room):
        part = payload[offset : offset + room]
        more = offset + room < len(payload)
        if family is Family.IPV4:
            header = ipv4.build(
                source,
                destination,
                protocol,
                len(part),
                hop_limit,
                identification & 0xFFFF,
                traffic_class,
                dont_fragment=False,
                more_fragments=more,
                fragment_offset=offset,
            )
        else:
            length = _IPV6_FRAGMENT.size + len(part)
            header = ipv6.build(source, destination, FRAGMENT_HEADER, length, hop_limit, traffic_class, flow_label)
            header += _IPV6_FRAGMENT.pack(protocol, 0, offset | more, identification)
        packets.append((header, part))
    return packets
