"""Cutting packets that are larger than the MTU.  RFC 791 3.2, RFC 8200 4.5; identification: RFC 6864 4, RFC 7739."""

from __future__ import annotations

from struct import Struct

from wsknet.types import Address, Buffers, Family
from wsknet.wire import ipv4, ipv6

FRAGMENT_HEADER = 44
"""The next-header value of the IPv6 fragment header."""

_IPV6_FRAGMENT = Struct("!BBHI")


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
    """IP packets of at most `mtu` bytes that carry `payload` together, first part first."""
    if family is Family.IPV4:
        room = (mtu - ipv4.HEADER_LENGTH) & ~7
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
