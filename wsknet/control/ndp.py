"""Neighbour solicitation and advertisement: RFC 4861 4.3, 4.4, 4.6, 7.1, RFC 2464 6 (addresses of Ethernet)."""

from __future__ import annotations

from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr

from wsknet.control.fields import address_bytes, address_text, mac_bytes, mac_text
from wsknet.net.messages import NeighbourAdvertisement, NeighbourSolicitation
from wsknet.trace import DropReason
from wsknet.types import Address, Mac, is_multicast, is_unspecified

SOLICITATION = 135
ADVERTISEMENT = 136

_HEADER_LENGTH = 24
"""Up to and including the target; options follow."""
_SOURCE_MAC = 1
_TARGET_MAC = 2
_MAC_OPTION_LENGTH = 8
_SOLICITED_NODE_PREFIX = bytes.fromhex("ff02 0000 0000 0000 0000 0001 ff")
"""RFC 4291 2.7.1."""


def decode(
    source: Address, destination: Address, payload: bytes
) -> NeighbourSolicitation | NeighbourAdvertisement | DropReason:
    """The checks of RFC 4861 7.1, but for hop limit and checksum."""
    if payload[0] not in (SOLICITATION, ADVERTISEMENT):
        return DropReason.ICMP_UNKNOWN_TYPE
    options = _valid_options(payload)
    if options is None:
        return DropReason.ND_MALFORMED
    if payload[0] == SOLICITATION:
        return _solicitation(source, destination, payload[:_HEADER_LENGTH], options.get(_SOURCE_MAC))
    return _advertisement(destination, payload[:_HEADER_LENGTH], options.get(_TARGET_MAC))


def _solicitation(
    source: Address, destination: Address, header: bytes, mac: Mac | None
) -> NeighbourSolicitation | DropReason:
    if is_unspecified(source) and (mac is not None or not destination.startswith(_SOLICITED_NODE_PREFIX)):
        return DropReason.ND_MALFORMED
    return NeighbourSolicitation(address_bytes(ICMPv6ND_NS(header).tgt), mac)


def _advertisement(destination: Address, header: bytes, mac: Mac | None) -> NeighbourAdvertisement | DropReason:
    message = ICMPv6ND_NA(header)
    if message.S and is_multicast(destination):
        return DropReason.ND_MALFORMED
    return NeighbourAdvertisement(
        target=address_bytes(message.tgt),
        is_router=bool(message.R),
        is_solicited=bool(message.S),
        is_override=bool(message.O),
        target_mac=mac,
    )


def encode_solicitation(message: NeighbourSolicitation) -> bytes:
    """Checksum left zero."""
    packet = ICMPv6ND_NS(code=0, cksum=0, res=0, tgt=address_text(message.target))
    if message.source_mac is not None:
        packet /= ICMPv6NDOptSrcLLAddr(type=_SOURCE_MAC, len=1, lladdr=mac_text(message.source_mac))
    return bytes(packet)


def encode_advertisement(message: NeighbourAdvertisement) -> bytes:
    """Checksum left zero."""
    packet = ICMPv6ND_NA(
        code=0,
        cksum=0,
        R=int(message.is_router),
        S=int(message.is_solicited),
        O=int(message.is_override),
        res=0,
        tgt=address_text(message.target),
    )
    if message.target_mac is not None:
        packet /= ICMPv6NDOptDstLLAddr(type=_TARGET_MAC, len=1, lladdr=mac_text(message.target_mac))
    return bytes(packet)


def _valid_options(payload: bytes) -> dict[int, Mac] | None:
    """MAC addresses by option type, of a message whose common parts are in order, else `None`.

    Of repeated options the first counts; what is neither source nor target address is skipped (RFC 4861 4.6).
    """
    if len(payload) < _HEADER_LENGTH or payload[1] or is_multicast(payload[8:_HEADER_LENGTH]):
        return None
    found: dict[int, Mac] = {}
    position = _HEADER_LENGTH
    while position < len(payload):
        kind = payload[position]
        length = payload[position + 1] * 8 if position + 1 < len(payload) else 0
        option = payload[position : position + length]
        if not length or len(option) < length:
            return None
        if kind in (_SOURCE_MAC, _TARGET_MAC):
            if length != _MAC_OPTION_LENGTH:
                return None
            mac = mac_bytes(ICMPv6NDOptSrcLLAddr(option).lladdr)
            if mac[0] & 1:  # nobody's own address is a group address, as in ARP
                return None
            found.setdefault(kind, mac)
        position += length
    return found
