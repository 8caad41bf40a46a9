"""Neighbour solicitation and advertisement: RFC 4861 4.3, 4.4, 7.1."""

from __future__ import annotations

from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS

from wsknet.control import ndp_options as options_of
from wsknet.control.fields import address_bytes, address_text
from wsknet.net.messages.neighbours import NeighbourAdvertisement, NeighbourSolicitation
from wsknet.net.well_known import SOLICITED_NODE_PREFIX
from wsknet.trace import DropReason
from wsknet.types import Address, Mac, is_multicast, is_unspecified

SOLICITATION = 135
ADVERTISEMENT = 136

_HEADER_LENGTH = 24
"""Up to and including the target; options follow."""


def decode(
    source: Address, destination: Address, payload: bytes
) -> NeighbourSolicitation | NeighbourAdvertisement | DropReason:
    """The checks of RFC 4861 7.1, but for hop limit and checksum."""
    if payload[0] not in (SOLICITATION, ADVERTISEMENT):
        return DropReason.ICMP_UNKNOWN_TYPE
    header = payload[:_HEADER_LENGTH]
    if len(header) < _HEADER_LENGTH or header[1] or is_multicast(header[8:]):
        return DropReason.ND_MALFORMED
    options = options_of.split(payload[_HEADER_LENGTH:])
    if options is None or options_of.has_group_mac(options):
        return DropReason.ND_MALFORMED
    if payload[0] == SOLICITATION:
        return _solicitation(source, destination, header, options_of.mac(options, options_of.SOURCE_MAC))
    return _advertisement(destination, header, options_of.mac(options, options_of.TARGET_MAC))


def _solicitation(
    source: Address, destination: Address, header: bytes, mac: Mac | None
) -> NeighbourSolicitation | DropReason:
    if is_unspecified(source) and (mac is not None or not destination.startswith(SOLICITED_NODE_PREFIX)):
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
    header = bytes(ICMPv6ND_NS(code=0, cksum=0, res=0, tgt=address_text(message.target)))
    mac = message.source_mac
    return header if mac is None else header + options_of.source_mac_option(mac)


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
    mac = message.target_mac
    return bytes(packet) if mac is None else bytes(packet) + options_of.target_mac_option(mac)
