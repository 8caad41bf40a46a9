"""Messages of routers: solicitation, advertisement, redirect of both families; against Scapy, both ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import (
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6ND_RS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptRedirectedHdr,
    ICMPv6NDOptRouteInfo,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.packet import Raw
from scapy.pton_ntop import inet_ntop
from scapy.utils import str2mac

from tests.support.checksums import with_icmp6_checksum, with_icmp_checksum
from wsknet.control.codec import ScapyCodec
from wsknet.net.messages.codec import IcmpMessage
from wsknet.net.messages.neighbours import (
    Preference,
    PrefixInformation,
    Redirect,
    RouteInformation,
    RouterAdvertisement,
    RouterSolicitation,
)
from wsknet.net.routes import network_of
from wsknet.trace import DropReason
from wsknet.types import Address, Family, is_link_local, is_multicast
from wsknet.wire import ipv4, udp

tried = settings(max_examples=80)

CODEC = ScapyCodec()
MAC = bytes.fromhex("020000000001")
ROUTER = bytes.fromhex("fe800000000000000000000000000001")
OTHER = bytes.fromhex("fe8000000000000000000000aa123456")
GLOBAL = bytes.fromhex("20010db8000000000000000000000009")
UNSPECIFIED = bytes(16)

SOURCE_OPTION = b"\1\1" + MAC
TARGET_OPTION = b"\2\1" + MAC
MTU_OPTION = bytes([5, 1, 0, 0, 0, 0, 5, 220])
NONCE = bytes([14, 2]) + bytes(14)
DNS = bytes([25, 3]) + bytes(22)

SAYS_NOTHING = RouterAdvertisement(0, False, False, Preference.MEDIUM, 0, 0, 0)


def text(address: Address) -> str:
    return str(inet_ntop(2 if len(address) == 4 else 10, address))


def with_checksum(message: bytes, source: bytes = ROUTER, destination: bytes = GLOBAL) -> bytes:
    return with_icmp6_checksum(message, source, destination)


def decode(message: bytes, source: bytes = ROUTER) -> IcmpMessage | DropReason:
    return CODEC.decode_icmp(Family.IPV6, source, GLOBAL, with_checksum(message, source))


def encode(message: IcmpMessage) -> bytes:
    return CODEC.encode_icmp(Family.IPV6, ROUTER, GLOBAL, message)


def solicit(options: bytes = b"", source: bytes = ROUTER, code: int = 0) -> IcmpMessage | DropReason:
    return decode(bytes([133, code]) + bytes(6) + options, source)


def advertise(options: bytes = b"", code: int = 0, flags: int = 0) -> IcmpMessage | DropReason:
    return decode(bytes([134, code, 0, 0, 0, flags]) + bytes(10) + options)


def redirect(
    options: bytes = b"", source: bytes = ROUTER, target: bytes = OTHER, destination: bytes = GLOBAL, code: int = 0
) -> IcmpMessage | DropReason:
    return decode(bytes([137, code]) + bytes(6) + target + destination + options, source)


# Byte by byte


@pytest.mark.rule("RFC4861-4.1")
@pytest.mark.parametrize(("mac", "option"), [(MAC, SOURCE_OPTION), (None, b"")])
def test_a_solicitation_byte_by_byte(mac: bytes | None, option: bytes) -> None:
    assert encode(RouterSolicitation(mac)) == with_checksum(bytes([133]) + bytes(7) + option)
    assert solicit(option) == RouterSolicitation(mac)


@pytest.mark.rule("RFC4861-4.2", "RFC4861-4.6", "RFC4191-2.3")
def test_an_advertisement_byte_by_byte() -> None:
    prefix = PrefixInformation(network_of(GLOBAL, 64), 64, True, False, 7200, 3600)
    routes = (
        RouteInformation(UNSPECIFIED, 0, Preference.LOW, 1),
        RouteInformation(network_of(GLOBAL, 48), 48, Preference.HIGH, 2),
        RouteInformation(GLOBAL, 128, Preference.MEDIUM, 0xFFFFFFFF),
    )
    message = RouterAdvertisement(64, True, False, Preference.HIGH, 1800, 30000, 1000, MAC, 1500, (prefix,), routes)
    expected = (
        bytes([134, 0, 0, 0, 64, 0b1000_1000]) + (1800).to_bytes(2, "big")
        + (30000).to_bytes(4, "big") + (1000).to_bytes(4, "big") + SOURCE_OPTION + MTU_OPTION
        + bytes([3, 4, 64, 0x80]) + (7200).to_bytes(4, "big") + (3600).to_bytes(4, "big") + bytes(4) + prefix.prefix
        + bytes([24, 1, 0, 0b0001_1000, 0, 0, 0, 1])
        + bytes([24, 2, 48, 0b0000_1000, 0, 0, 0, 2]) + GLOBAL[:8]
        + bytes([24, 3, 128, 0, 255, 255, 255, 255]) + GLOBAL
    )  # fmt: skip
    assert encode(message) == with_checksum(expected)
    assert decode(expected) == message


@pytest.mark.rule("RFC4861-4.5")
def test_a_redirect_byte_by_byte() -> None:
    quoted = bytes(range(48))
    message = Redirect(OTHER, GLOBAL, quoted, MAC)
    expected = bytes([137]) + bytes(7) + OTHER + GLOBAL + TARGET_OPTION + bytes([4, 7]) + bytes(6) + quoted
    assert encode(message) == with_checksum(expected)
    assert decode(expected) == message
    assert redirect() == Redirect(OTHER, GLOBAL)


@pytest.mark.rule("RFC4861-4.5")
def test_a_redirect_fits_into_the_smallest_mtu() -> None:
    assert len(encode(Redirect(OTHER, GLOBAL, bytes(9000), MAC))) == 1280 - 40
    decoded = CODEC.decode_icmp(Family.IPV6, ROUTER, GLOBAL, encode(Redirect(OTHER, GLOBAL, bytes(45))))
    assert decoded == Redirect(OTHER, GLOBAL, bytes(40))  # options come in eights


QUOTED_V4 = ipv4.build(bytes([10, 0, 0, 9]), bytes([192, 0, 2, 7]), 17, 8, 64) + udp.build(1, 2, 0, 0)
ENDS_V4 = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 9])


def redirect_v4(code: int, quoted: bytes = QUOTED_V4) -> bytes:
    message = bytes([5, code, 0, 0, 10, 0, 0, 2]) + quoted
    return with_icmp_checksum(message)


@pytest.mark.rule("RFC1122-3.2.2.2", "RFC1812-5.2.7.2")
def test_an_ipv4_redirect_byte_by_byte() -> None:
    message = Redirect(bytes([10, 0, 0, 2]), bytes([192, 0, 2, 7]), QUOTED_V4)
    assert CODEC.encode_icmp(Family.IPV4, *ENDS_V4, message) == redirect_v4(1)
    for code in range(4):
        assert CODEC.decode_icmp(Family.IPV4, *ENDS_V4, redirect_v4(code)) == message
    assert CODEC.decode_icmp(Family.IPV4, *ENDS_V4, redirect_v4(4)) is DropReason.ICMP_UNKNOWN_TYPE
    assert CODEC.decode_icmp(Family.IPV4, *ENDS_V4, redirect_v4(1, QUOTED_V4[:27])) is DropReason.ICMP_TRUNCATED


@pytest.mark.parametrize("message", [RouterSolicitation(), SAYS_NOTHING])
def test_ipv4_has_no_router_messages(message: IcmpMessage) -> None:
    with pytest.raises(ValueError, match="ICMPv4 has no message"):
        CODEC.encode_icmp(Family.IPV4, *ENDS_V4, message)


# What is refused and what is skipped


@pytest.mark.rule("RFC4861-6.1.1")
def test_who_has_no_address_yet_names_no_mac() -> None:
    assert solicit(source=UNSPECIFIED) == RouterSolicitation()
    assert solicit(SOURCE_OPTION, UNSPECIFIED) is DropReason.ND_MALFORMED


@pytest.mark.rule("RFC4861-6.1.1", "RFC4861-6.1.2", "RFC4861-8.1")
@pytest.mark.parametrize("message", [solicit, advertise, redirect])
def test_the_code_is_zero(message: Any) -> None:
    assert message(code=1) is DropReason.ND_MALFORMED


@pytest.mark.rule("RFC4861-6.1.1", "RFC4861-6.1.2", "RFC4861-8.1")
@pytest.mark.parametrize("message", [solicit, advertise, redirect])
@pytest.mark.parametrize(
    "options",
    [
        b"\1\0" + MAC,  # no length
        MTU_OPTION + b"\x0e\0" + bytes(6),
        b"\1\2" + MAC,  # beyond the end
        MTU_OPTION + b"\1",
        bytes([3, 3]) + bytes(22),  # a length that the option cannot have
        bytes([5, 2]) + bytes(14),
        bytes([24, 4]) + bytes(30),
        b"\1\1\x33\x33\0\0\0\1",
    ],
)
def test_options_that_lie_are_refused(message: Any, options: bytes) -> None:
    assert message(options) is DropReason.ND_MALFORMED


@pytest.mark.rule("RFC4861-4.6")
def test_unknown_options_and_those_of_other_messages_are_skipped() -> None:
    assert solicit(NONCE + MTU_OPTION + SOURCE_OPTION) == RouterSolicitation(MAC)
    expected = replace(SAYS_NOTHING, source_mac=MAC, mtu=1500)
    assert advertise(DNS + TARGET_OPTION + SOURCE_OPTION + NONCE + MTU_OPTION) == expected
    assert redirect(DNS + SOURCE_OPTION) == Redirect(OTHER, GLOBAL)


@pytest.mark.rule("RFC4191-2.2", "RFC4191-2.3")
def test_the_reserved_preference_is_medium_for_a_router_and_voids_a_route() -> None:
    assert advertise(flags=0b0001_0000) == SAYS_NOTHING
    assert advertise(bytes([24, 2, 64, 0b0001_0000, 0, 0, 0, 9]) + GLOBAL[:8]) == SAYS_NOTHING


@pytest.mark.rule("RFC4191-2.3")
@pytest.mark.parametrize(("units", "length"), [(1, 1), (2, 65), (3, 129)])
def test_a_route_longer_than_its_option_is_ignored(units: int, length: int) -> None:
    option = bytes([24, units, length, 0, 0, 0, 0, 9]) + GLOBAL[: 8 * (units - 1)]
    assert advertise(option + MTU_OPTION) == replace(SAYS_NOTHING, mtu=1500)


@pytest.mark.rule("RFC4861-4.6.2")
def test_bits_after_a_prefix_mean_nothing() -> None:
    option = bytes([3, 4, 64, 0xC0]) + bytes(12) + GLOBAL
    expected = PrefixInformation(network_of(GLOBAL, 64), 64, True, True, 0, 0)
    assert advertise(option) == replace(SAYS_NOTHING, prefixes=(expected,))
    assert advertise(bytes([3, 4, 129, 0xC0]) + bytes(12) + GLOBAL) == SAYS_NOTHING


@pytest.mark.rule("RFC4861-8.1")
@pytest.mark.parametrize(
    "change",
    [
        {"source": GLOBAL},
        {"target": GLOBAL[:-1] + b"\1"},
        {"destination": bytes.fromhex("ff05") + bytes(13) + b"\1"},
        {"destination": bytes.fromhex("ff02") + bytes(14), "target": bytes.fromhex("ff02") + bytes(14)},
    ],
)
def test_redirects_that_cannot_be(change: dict[str, bytes]) -> None:
    assert redirect(**change) is DropReason.ND_MALFORMED  # type: ignore[arg-type]
    assert redirect(target=GLOBAL) == Redirect(GLOBAL, GLOBAL)


# Against Scapy

STATION = st.binary(min_size=6, max_size=6).filter(lambda mac: not mac[0] & 1)
V6 = st.binary(min_size=16, max_size=16)
BYTE, SHORT, LONG = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
LENGTH = st.integers(0, 128)
PREFERENCE = st.sampled_from(Preference)
FLAG = st.booleans()
PREFIXES = st.builds(
    lambda address, length, *rest: PrefixInformation(network_of(address, length), length, *rest),
    V6, LENGTH, FLAG, FLAG, LONG, LONG,
)  # fmt: skip
ROUTES = st.builds(
    lambda address, length, *rest: RouteInformation(network_of(address, length), length, *rest),
    V6, LENGTH, PREFERENCE, LONG,
)  # fmt: skip
ADVERTISEMENTS = st.builds(
    RouterAdvertisement, BYTE, FLAG, FLAG, PREFERENCE, SHORT, LONG, LONG, st.none() | STATION, LONG,
    st.lists(PREFIXES, max_size=3).map(tuple), st.lists(ROUTES, max_size=3).map(tuple),
)  # fmt: skip
REDIRECTS = st.builds(
    Redirect,
    V6.map(lambda address: ROUTER[:8] + address[8:]),
    V6.filter(lambda address: not is_multicast(address)),
    st.integers(0, 20).flatmap(lambda units: st.binary(min_size=8 * units, max_size=8 * units)),
    st.none() | STATION,
)
BITS = {Preference.HIGH: 1, Preference.MEDIUM: 0, Preference.LOW: 3}


def by_scapy(message: Any, *options: Any) -> bytes:
    for option in options:
        message /= option
    return bytes(IPv6(src=text(ROUTER), dst=text(GLOBAL), hlim=255) / message)[40:]


def scapys_advertisement(message: RouterAdvertisement) -> bytes:
    options: list[Any] = []
    if message.source_mac is not None:
        options.append(ICMPv6NDOptSrcLLAddr(lladdr=str2mac(message.source_mac)))
    if message.mtu:
        options.append(ICMPv6NDOptMTU(mtu=message.mtu))
    for prefix in message.prefixes:
        options.append(
            ICMPv6NDOptPrefixInfo(
                prefixlen=prefix.prefix_length, L=int(prefix.is_on_link), A=int(prefix.is_autonomous),
                validlifetime=prefix.valid, preferredlifetime=prefix.preferred, prefix=text(prefix.prefix),
            )
        )  # fmt: skip
    for route in message.routes:
        options.append(
            ICMPv6NDOptRouteInfo(
                len=1 + (route.prefix_length + 63) // 64, plen=route.prefix_length, prf=BITS[route.preference],
                rtlifetime=route.lifetime, prefix=text(route.prefix),
            )
        )  # fmt: skip
    header = ICMPv6ND_RA(
        chlim=message.hop_limit, M=int(message.is_managed), O=int(message.is_other_managed),
        prf=BITS[message.preference], routerlifetime=message.lifetime, reachabletime=message.reachable,
        retranstimer=message.retransmit,
    )  # fmt: skip
    return by_scapy(header, *options)


@tried
@given(ADVERTISEMENTS)
def test_advertisements_are_what_scapy_writes(message: RouterAdvertisement) -> None:
    raw = encode(message)
    assert raw == scapys_advertisement(message)
    assert CODEC.decode_icmp(Family.IPV6, ROUTER, GLOBAL, raw) == message


@tried
@given(REDIRECTS)
def test_redirects_are_what_scapy_writes(message: Redirect) -> None:
    options: list[Any] = []
    if message.gateway_mac is not None:
        options.append(ICMPv6NDOptDstLLAddr(lladdr=str2mac(message.gateway_mac)))
    if message.quoted:
        options.append(ICMPv6NDOptRedirectedHdr(len=1 + len(message.quoted) // 8, res=bytes(6), pkt=b""))
        options.append(Raw(message.quoted))
    header = ICMPv6ND_Redirect(tgt=text(message.gateway), dst=text(message.destination))
    raw = encode(message)
    assert raw == by_scapy(header, *options)
    assert CODEC.decode_icmp(Family.IPV6, ROUTER, GLOBAL, raw) == message


@tried
@given(st.none() | STATION)
def test_solicitations_are_what_scapy_writes(mac: bytes | None) -> None:
    options = [] if mac is None else [ICMPv6NDOptSrcLLAddr(lladdr=str2mac(mac))]
    assert encode(RouterSolicitation(mac)) == by_scapy(ICMPv6ND_RS(), *options)


@tried
@given(st.binary(min_size=4, max_size=4), st.binary(min_size=28, max_size=100))
def test_ipv4_redirects_are_what_scapy_writes(gateway: bytes, quoted: bytes) -> None:
    message = Redirect(gateway, quoted[16:20], quoted)
    raw = CODEC.encode_icmp(Family.IPV4, *ENDS_V4, message)
    packet = IP(src=text(ENDS_V4[0]), dst=text(ENDS_V4[1])) / ICMP(type=5, code=1, gw=text(gateway)) / Raw(quoted)
    assert raw == bytes(packet)[20:]
    assert CODEC.decode_icmp(Family.IPV4, *ENDS_V4, raw) == message


OPTIONS = st.lists(
    st.tuples(st.sampled_from([1, 2, 3, 4, 5, 14, 24, 25]), st.integers(0, 5), st.binary(max_size=40)).map(
        lambda parts: bytes(parts[:2]) + parts[2]
    ),
    max_size=4,
).map(b"".join)


@settings(max_examples=300)
@given(st.sampled_from([133, 134, 137]), BYTE, st.binary(max_size=44), OPTIONS, V6)
def test_whatever_the_bytes_decoding_answers(
    number: int, code: int, body: bytes, options: bytes, source: bytes
) -> None:
    raw = bytes([number, code % 2, 0, 0]) + body.ljust(4, b"\0") + options
    message = decode(raw, source)
    assert isinstance(message, (DropReason, RouterSolicitation, RouterAdvertisement, Redirect))
    if isinstance(message, RouterAdvertisement):
        again = CODEC.decode_icmp(Family.IPV6, ROUTER, GLOBAL, encode(message))
        assert again == message
    elif isinstance(message, Redirect):
        assert is_link_local(source)


@tried
@given(ADVERTISEMENTS, st.data())
def test_a_damaged_advertisement_is_dropped_or_read(message: RouterAdvertisement, data: st.DataObject) -> None:
    raw = bytearray(encode(message))
    raw[data.draw(st.integers(4, len(raw) - 1))] = data.draw(BYTE)
    end = data.draw(st.integers(0, len(raw)))
    assert isinstance(decode(bytes(raw)), (DropReason, RouterAdvertisement))
    if end >= 8:
        assert isinstance(decode(bytes(raw[:end])), (DropReason, RouterAdvertisement))
