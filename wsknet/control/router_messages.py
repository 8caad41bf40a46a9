"""Router solicitation and advertisement, redirect: RFC 4861 4.1, 4.2, 4.5, 6.1, 8.1, RFC 4191 2.2 (preference)."""

from __future__ import annotations

from scapy.layers.inet6 import ICMPv6ND_RA, ICMPv6ND_Redirect, ICMPv6ND_RS

from wsknet.control import ndp_options as options_of
from wsknet.control.fields import address_bytes, address_text
from wsknet.control.ndp_options import Option
from wsknet.net.messages.neighbours import Preference, Redirect, RouterAdvertisement, RouterSolicitation
from wsknet.trace import DropReason
from wsknet.types import Address, is_link_local, is_multicast, is_unspecified

SOLICITATION = 133
ADVERTISEMENT = 134
REDIRECT = 137

HEADER_LENGTHS = {SOLICITATION: 8, ADVERTISEMENT: 16, REDIRECT: 40}
"""By message type; options follow."""

_MAX_QUOTE = 1280 - 40 - HEADER_LENGTHS[REDIRECT] - 8 - 8
"""So that a redirect with the target's MAC fits into the smallest MTU (RFC 4861 4.5); a multiple of 8."""


def decode(
    source: Address, destination: Address, payload: bytes
) -> RouterSolicitation | RouterAdvertisement | Redirect | DropReason:
    """The checks of RFC 4861 6.1 and 8.1, but for hop limit, checksum and an advertisement's source.

    `payload` begins with a type of `HEADER_LENGTHS`.
    """
    number, length = payload[0], HEADER_LENGTHS[payload[0]]
    options = options_of.split(payload[length:]) if len(payload) >= length and not payload[1] else None
    if options is None or options_of.has_group_mac(options):
        return DropReason.ND_MALFORMED
    if number == SOLICITATION:
        mac = options_of.mac(options, options_of.SOURCE_MAC)
        if is_unspecified(source) and mac is not None:
            return DropReason.ND_MALFORMED
        return RouterSolicitation(mac)
    if number == ADVERTISEMENT:
        return _advertisement(payload[:length], options)
    return _redirect(source, payload[:length], options)


def _advertisement(header: bytes, options: list[Option]) -> RouterAdvertisement:
    message = ICMPv6ND_RA(header)
    return RouterAdvertisement(
        hop_limit=message.chlim,
        is_managed=bool(message.M),
        is_other_managed=bool(message.O),
        preference=options_of.PREFERENCES.get(message.prf, Preference.MEDIUM),
        lifetime=message.routerlifetime,
        reachable=message.reachabletime,
        retransmit=message.retranstimer,
        source_mac=options_of.mac(options, options_of.SOURCE_MAC),
        mtu=options_of.mtu(options),
        prefixes=options_of.prefixes(options),
        routes=options_of.routes(options),
    )


def _redirect(source: Address, header: bytes, options: list[Option]) -> Redirect | DropReason:
    message = ICMPv6ND_Redirect(header)
    gateway, destination = address_bytes(message.tgt), address_bytes(message.dst)
    # RFC 4861 8.1: a redirect to a router names its link-local address, else the target is the destination itself.
    is_possible = gateway == destination or is_link_local(gateway)
    if not is_link_local(source) or is_multicast(destination) or not is_possible:
        return DropReason.ND_MALFORMED
    mac = options_of.mac(options, options_of.TARGET_MAC)
    return Redirect(gateway, destination, options_of.redirected(options), mac)


def encode(message: RouterSolicitation | RouterAdvertisement | Redirect) -> bytes:
    """Checksum left zero."""
    if isinstance(message, RouterSolicitation):
        return bytes(ICMPv6ND_RS(type=SOLICITATION, code=0, cksum=0, res=0)) + _source_mac(message.source_mac)
    if isinstance(message, RouterAdvertisement):
        return _encode_advertisement(message)
    return _encode_redirect(message)


def _source_mac(mac: bytes | None) -> bytes:
    return b"" if mac is None else options_of.source_mac_option(mac)


def _encode_advertisement(message: RouterAdvertisement) -> bytes:
    header = ICMPv6ND_RA(
        type=ADVERTISEMENT,
        code=0,
        cksum=0,
        chlim=message.hop_limit,
        M=int(message.is_managed),
        O=int(message.is_other_managed),
        H=0,
        prf=options_of.PREFERENCE_BITS[message.preference],
        P=0,
        res=0,
        routerlifetime=message.lifetime,
        reachabletime=message.reachable,
        retranstimer=message.retransmit,
    )
    options = [_source_mac(message.source_mac), options_of.mtu_option(message.mtu) if message.mtu else b""]
    options += [options_of.prefix_option(prefix) for prefix in message.prefixes]
    options += [options_of.route_option(route) for route in message.routes]
    return bytes(header) + b"".join(options)


def _encode_redirect(message: Redirect) -> bytes:
    header = ICMPv6ND_Redirect(
        type=REDIRECT,
        code=0,
        cksum=0,
        res=0,
        tgt=address_text(message.gateway),
        dst=address_text(message.destination),
    )
    data = bytes(header)
    if message.gateway_mac is not None:
        data += options_of.target_mac_option(message.gateway_mac)
    quoted = message.quoted[: min(_MAX_QUOTE, len(message.quoted) // 8 * 8)]
    return data + options_of.redirected_option(quoted) if quoted else data
