"""Addresses that mean the same on every link: RFC 919, RFC 1112, RFC 4291 2.7.1."""

from __future__ import annotations

from wsknet.types import Address

LIMITED_BROADCAST = b"\xff" * 4

ALL_HOSTS = bytes((224, 0, 0, 1))
"""IPv4: everybody on the link."""
ALL_NODES = b"\xff\x02" + bytes(13) + b"\x01"
"""The same of IPv6."""
ALL_NODES_OF_HOST = b"\xff\x01" + bytes(13) + b"\x01"

IPV4_ROUTERS = bytes((224, 0, 0, 2))
IPV6_ROUTERS = b"\xff\x02" + bytes(13) + b"\x02"

SOLICITED_NODE_PREFIX = b"\xff\x02" + bytes(9) + b"\x01\xff"
"""The last 24 bits are those of the address."""


def solicited_node(address: Address) -> Address:
    """The group in which questions about an IPv6 address are asked."""
    return SOLICITED_NODE_PREFIX + address[13:]
