"""Addresses that mean the same on every link: RFC 919, RFC 1112, RFC 4291 2.7.1."""

from __future__ import annotations

from wsknet.types import Address, is_link_local

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


def is_of_one_link(address: Address) -> bool:
    """Whether an IPv6 address or group means something on one link only (RFC 4007 4, RFC 4291 2.7)."""
    if len(address) == 4:
        return False
    return is_link_local(address) or (address[0] == 0xFF and address[1] & 0x0F == 2)


def solicited_node(address: Address) -> Address:
    """The group in which questions about an IPv6 address are asked."""
    return SOLICITED_NODE_PREFIX + address[13:]
