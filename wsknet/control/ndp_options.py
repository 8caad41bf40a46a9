"""Options of neighbour discovery: RFC 4861 4.6, RFC 4191 2.3 (routes), RFC 2464 6 (addresses of Ethernet).

Of an option with the right length whose contents make no sense only the option is ignored; an option whose length
cannot be right makes the whole message worthless, because nobody can say where the next one starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from scapy.layers.inet6 import (
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptRedirectedHdr,
    ICMPv6NDOptRouteInfo,
    ICMPv6NDOptSrcLLAddr,
)

from wsknet.control.fields import address_bytes, address_text, mac_bytes, mac_text
from wsknet.net.messages.neighbours import Preference, PrefixInformation, RouteInformation
from wsknet.net.routes import network_of
from wsknet.types import Mac

SOURCE_MAC = 1
TARGET_MAC = 2
PREFIX_INFORMATION = 3
REDIRECTED_HEADER = 4
MTU = 5
ROUTE_INFORMATION = 24

_LENGTHS = {SOURCE_MAC: (8,), TARGET_MAC: (8,), PREFIX_INFORMATION: (32,), MTU: (8,), ROUTE_INFORMATION: (8, 16, 24)}
"""In bytes, of the options whose length is given."""

PREFERENCE_BITS = {Preference.HIGH: 1, Preference.MEDIUM: 0, Preference.LOW: 3}
PREFERENCES = {bits: preference for preference, bits in PREFERENCE_BITS.items()}
"""2 is reserved (RFC 4191 2.1)."""


class Option(NamedTuple):
    kind: int
    data: bytes
    """The whole option, its type and length included."""


def split(data: bytes) -> list[Option] | None:
    """`None`: they cannot be told apart, or one that is known has a wrong length."""
    found = []
    position = 0
    while position < len(data):
        kind = data[position]
        length = data[position + 1] * 8 if position + 1 < len(data) else 0
        option = data[position : position + length]
        if not length or len(option) < length or length not in _LENGTHS.get(kind, (length,)):
            return None
        found.append(Option(kind, option))
        position += length
    return found


def has_group_mac(options: list[Option]) -> bool:
    """Nobody's own address is a group address, as in ARP: to believe one would send unicast to everybody."""
    return any(kind in (SOURCE_MAC, TARGET_MAC) and data[2] & 1 for kind, data in options)


def _each(options: list[Option], wanted: int) -> Iterator[bytes]:
    """Those of one kind.  Where only one makes sense the first counts."""
    return (data for kind, data in options if kind == wanted)


def mac(options: list[Option], wanted: int) -> Mac | None:
    data = next(_each(options, wanted), None)
    return None if data is None else mac_bytes(ICMPv6NDOptSrcLLAddr(data).lladdr)


def mtu(options: list[Option]) -> int:
    """0: not told."""
    data = next(_each(options, MTU), None)
    return 0 if data is None else int(ICMPv6NDOptMTU(data).mtu)


def redirected(options: list[Option]) -> bytes:
    return next(_each(options, REDIRECTED_HEADER), b"")[8:]


def prefixes(options: list[Option]) -> tuple[PrefixInformation, ...]:
    found = []
    for data in _each(options, PREFIX_INFORMATION):
        option = ICMPv6NDOptPrefixInfo(data)
        if option.prefixlen <= 128:
            found.append(
                PrefixInformation(
                    prefix=network_of(address_bytes(option.prefix), option.prefixlen),
                    prefix_length=option.prefixlen,
                    is_on_link=bool(option.L),
                    is_autonomous=bool(option.A),
                    valid=option.validlifetime,
                    preferred=option.preferredlifetime,
                )
            )
    return tuple(found)


def routes(options: list[Option]) -> tuple[RouteInformation, ...]:
    found = []
    for data in _each(options, ROUTE_INFORMATION):
        option = ICMPv6NDOptRouteInfo(data)
        preference = PREFERENCES.get(option.prf)  # RFC 4191 2.3: ignored if it is the reserved value
        if preference is not None and option.plen <= min(128, (len(data) - 8) * 8):
            prefix = network_of(address_bytes(option.prefix), option.plen)
            found.append(RouteInformation(prefix, option.plen, preference, option.rtlifetime))
    return tuple(found)


def source_mac_option(address: Mac) -> bytes:
    return bytes(ICMPv6NDOptSrcLLAddr(type=SOURCE_MAC, len=1, lladdr=mac_text(address)))


def target_mac_option(address: Mac) -> bytes:
    return bytes(ICMPv6NDOptDstLLAddr(type=TARGET_MAC, len=1, lladdr=mac_text(address)))


def mtu_option(value: int) -> bytes:
    return bytes(ICMPv6NDOptMTU(type=MTU, len=1, res=0, mtu=value))


def redirected_option(quoted: bytes) -> bytes:
    """`quoted` is a multiple of 8 bytes."""
    head = ICMPv6NDOptRedirectedHdr(type=REDIRECTED_HEADER, len=1 + len(quoted) // 8, res=bytes(6), pkt=b"")
    return bytes(head) + quoted


def prefix_option(prefix: PrefixInformation) -> bytes:
    return bytes(
        ICMPv6NDOptPrefixInfo(
            type=PREFIX_INFORMATION,
            len=4,
            prefixlen=prefix.prefix_length,
            L=int(prefix.is_on_link),
            A=int(prefix.is_autonomous),
            R=0,
            res1=0,
            validlifetime=prefix.valid,
            preferredlifetime=prefix.preferred,
            res2=0,
            prefix=address_text(prefix.prefix),
        )
    )


def route_option(route: RouteInformation) -> bytes:
    return bytes(
        ICMPv6NDOptRouteInfo(
            type=ROUTE_INFORMATION,
            len=1 + -(-route.prefix_length // 64),
            plen=route.prefix_length,
            res1=0,
            prf=PREFERENCE_BITS[route.preference],
            res2=0,
            rtlifetime=route.lifetime,
            prefix=address_text(route.prefix),
        )
    )
