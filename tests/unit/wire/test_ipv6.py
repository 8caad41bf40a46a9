"""IPv6 headers."""

from __future__ import annotations

import pytest

from wsknet.trace import DropReason
from wsknet.wire import ipv6

HERE = bytes.fromhex("20010db8000000000000000000000001")
THERE = bytes.fromhex("fe800000000000000000000000000002")
HOP_BY_HOP, UDP, FRAGMENT, NONE, DESTINATION = 0, 17, 44, 59, 60


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
    )


def test_padding_of_the_frame_lies_beyond_the_total_length() -> None:
    assert parsed(packet(UDP, b"datagram") + bytes(6)).total_length == 48


@pytest.mark.parametrize("protocol", [HOP_BY_HOP, UDP, FRAGMENT, NONE, DESTINATION, 255])
def test_what_follows_is_not_looked_at(protocol: int) -> None:
    assert parsed(packet(protocol, bytes(3))).protocol == protocol


@pytest.mark.parametrize("version", [0, 4, 5, 7, 15])
def test_another_version_is_refused(version: int) -> None:
    data = packet(UDP, b"datagram")
    assert ipv6.parse(bytes([version << 4]) + data[1:]) is DropReason.IP_BAD_VERSION


def test_a_packet_cut_anywhere_is_truncated() -> None:
    data = packet(UDP, b"datagram")
    for end in range(len(data)):
        assert ipv6.parse(data[:end]) is DropReason.IP_TRUNCATED


@pytest.mark.rule("RFC2675-2")
def test_a_length_of_nothing_with_hop_by_hop_options_is_a_jumbogram() -> None:
    jumbo = bytes([UDP, 0, 0xC2, 4, 0, 1, 0, 0])
    assert ipv6.parse(ipv6.build(HERE, THERE, HOP_BY_HOP, 0, 64) + jumbo) is DropReason.IP_JUMBO
    assert parsed(packet(NONE)).total_length == 40
