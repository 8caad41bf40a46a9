"""IPv6 headers and the way through the extension headers."""

from __future__ import annotations

import pytest

from wsknet.trace import DropReason
from wsknet.wire import ipv6

HERE = bytes.fromhex("20010db8000000000000000000000001")
THERE = bytes.fromhex("fe800000000000000000000000000002")

HOP_BY_HOP, TCP, UDP, ROUTING, FRAGMENT, ESP, NONE, DESTINATION = 0, 6, 17, 43, 44, 50, 59, 60
PAD_N = bytes([1, 4, 0, 0, 0, 0])


def extension(following: int, options: bytes = PAD_N) -> bytes:
    """One extension header around `options`, which with the 2 bytes before it fills whole 8-byte units."""
    assert (len(options) + 2) % 8 == 0
    return bytes([following, (len(options) + 2) // 8 - 1]) + options


def packet(first: int, *parts: bytes) -> bytes:
    payload = b"".join(parts)
    return ipv6.build(HERE, THERE, first, len(payload), 64) + payload


def parsed(data: bytes) -> ipv6.Ipv6Header:
    header = ipv6.parse(data)
    assert isinstance(header, ipv6.Ipv6Header)
    return header


def test_what_is_built_is_read_back() -> None:
    built = ipv6.build(HERE, THERE, UDP, 100, 255, traffic_class=0xB9, flow_label=0xABCDE)
    assert parsed(built + bytes(100)) == ipv6.Ipv6Header(
        header_length=40,
        total_length=140,
        traffic_class=0xB9,
        hop_limit=255,
        protocol=UDP,
        source=HERE,
        destination=THERE,
        flow_label=0xABCDE,
        payload_length=100,
        next_header=UDP,
    )


def test_padding_of_the_frame_lies_beyond_the_total_length() -> None:
    assert parsed(packet(UDP, b"datagram") + bytes(6)).total_length == 48


@pytest.mark.parametrize("version", [0, 4, 5, 7, 15])
def test_another_version_is_refused(version: int) -> None:
    data = packet(UDP, b"datagram")
    assert ipv6.parse(bytes([version << 4]) + data[1:]) is DropReason.IP_BAD_VERSION


def test_a_packet_cut_anywhere_is_truncated() -> None:
    data = packet(HOP_BY_HOP, extension(DESTINATION), extension(UDP), b"datagram")
    parsed(data)
    for end in range(len(data)):
        assert ipv6.parse(data[:end]) is DropReason.IP_TRUNCATED


@pytest.mark.rule("RFC8200-4")
def test_the_walk_ends_at_the_upper_protocol() -> None:
    data = packet(
        HOP_BY_HOP,
        extension(DESTINATION, bytes([5, 2, 0, 0, 0, 0])),  # router alert, Pad1, Pad1
        extension(ROUTING, bytes([1, 12]) + bytes(12)),
        extension(TCP, bytes([4, 0, 1, 2, 3, 4])),  # segments left: 0
        b"segment",
    )
    header = parsed(data)
    assert (header.next_header, header.protocol) == (HOP_BY_HOP, TCP)
    assert data[header.header_length : header.total_length] == b"segment"


@pytest.mark.parametrize("protocol", [TCP, UDP, ESP, 58, 255])
def test_what_is_no_extension_header_is_an_upper_protocol(protocol: int) -> None:
    header = parsed(packet(DESTINATION, extension(protocol)))
    assert (header.protocol, header.header_length, header.total_length) == (protocol, 48, 48)


@pytest.mark.rule("RFC8200-4.7")
def test_a_packet_of_extension_headers_alone_has_nothing_for_anybody() -> None:
    assert ipv6.parse(packet(NONE, b"ignored")) is DropReason.IP_UNKNOWN_PROTOCOL
    assert ipv6.parse(packet(DESTINATION, extension(NONE))) is DropReason.IP_UNKNOWN_PROTOCOL


def test_fragments_are_named_as_such() -> None:
    assert ipv6.parse(packet(FRAGMENT, bytes([UDP, 0, 0, 1, 0, 0, 0, 9]), b"datagram")) is DropReason.FRAGMENT_MALFORMED
    assert ipv6.parse(packet(DESTINATION, extension(FRAGMENT), bytes(8))) is DropReason.FRAGMENT_MALFORMED


@pytest.mark.parametrize(
    "data",
    [
        packet(DESTINATION, extension(HOP_BY_HOP), extension(UDP)),
        packet(HOP_BY_HOP, extension(HOP_BY_HOP), extension(UDP)),
    ],
)
@pytest.mark.rule("RFC8200-4.1")
def test_hop_by_hop_options_come_first_or_not_at_all(data: bytes) -> None:
    assert ipv6.parse(data) is DropReason.IP_BAD_EXTENSION


@pytest.mark.parametrize("action", [0x40, 0x80, 0xC0])
@pytest.mark.rule("RFC8200-4.2")
def test_an_unknown_option_that_must_not_be_skipped_stops_the_packet(action: int) -> None:
    options = bytes([action | 0x1E, 4, 0, 0, 0, 0])
    assert ipv6.parse(packet(HOP_BY_HOP, extension(UDP, options))) is DropReason.IP_BAD_EXTENSION
    assert parsed(packet(HOP_BY_HOP, extension(UDP, bytes([0x1E]) + options[1:]))).protocol == UDP


@pytest.mark.rule("RFC5095-3", "RFC8200-4.4")
@pytest.mark.parametrize("kind", [0, 4])
def test_a_routing_header_with_segments_left_is_not_for_a_host(kind: int) -> None:
    assert ipv6.parse(packet(ROUTING, extension(UDP, bytes([kind, 1, 0, 0, 0, 0])))) is DropReason.IP_BAD_EXTENSION


@pytest.mark.parametrize(
    "data",
    [
        packet(HOP_BY_HOP),  # no room for the header
        packet(HOP_BY_HOP, extension(UDP)[:7]),
        packet(HOP_BY_HOP, bytes([UDP, 1]) + PAD_N),  # longer than the packet
        packet(HOP_BY_HOP, bytes([UDP, 255]) + PAD_N),
        packet(HOP_BY_HOP, extension(UDP, bytes([1, 5, 0, 0, 0, 0]))),  # option longer than its header
        packet(HOP_BY_HOP, extension(UDP, bytes([0, 0, 0, 0, 0, 1]))),  # no room for its length
    ],
)
def test_lying_lengths_are_refused(data: bytes) -> None:
    assert ipv6.parse(data) is DropReason.IP_BAD_EXTENSION


@pytest.mark.rule("RFC8504-5.3")
def test_the_chain_is_bounded() -> None:
    most = ipv6.MAX_EXTENSION_HEADERS
    chain = [extension(DESTINATION)] * (most - 1)
    assert parsed(packet(DESTINATION, *chain, extension(UDP))).protocol == UDP
    assert ipv6.parse(packet(DESTINATION, *chain, extension(DESTINATION), extension(UDP))) is (
        DropReason.IP_BAD_EXTENSION
    )
