"""Ethernet II framing: RFC 894 (IPv4), RFC 2464 (IPv6), RFC 1112 6.4 (IPv4 multicast).  No FCS, no VLAN tag."""

from __future__ import annotations

from wsknet.types import Address, Mac

HEADER_LENGTH = 14
"""Destination, source, EtherType."""

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806
ETHERTYPE_IPV6 = 0x86DD

BROADCAST_MAC: Mac = b"\xff" * 6


def header(destination: Mac, source: Mac, ethertype: int) -> bytes:
    return destination + source + ethertype.to_bytes(2, "big")


def multicast_mac(address: Address) -> Mac:
    """Where frames for a multicast group go: 23 bits of an IPv4 group are kept, 32 of an IPv6 one."""
    if len(address) == 4:
        return b"\x01\x00\x5e" + bytes((address[1] & 0x7F,)) + address[2:]
    return b"\x33\x33" + address[12:]
