"""IPv4 headers: what is read, what is built, and every way of lying."""

from __future__ import annotations

import pytest

from wsknet.trace import DropReason
from wsknet.wire import ipv4
from wsknet.wire.checksum import internet_checksum

HERE, THERE = bytes([192, 0, 2, 1]), bytes([198, 51, 100, 7])


def with_checksum(header: bytes) -> bytes:
    header = header[:10] + b"\0\0" + header[12:]
    return header[:10] + internet_checksum(header).to_bytes(2, "big") + header[12:]


def packet_with(options: bytes, payload: bytes = b"payload.") -> bytes:
    """`options` is padded with end-of-list bytes to a whole number of words."""
    options += bytes(-len(options) % 4)
    header = bytearray(ipv4.build(HERE, THERE, 17, len(options) + len(payload), 64) + options)
    header[0] = 0x45 + len(options) // 4
    return with_checksum(bytes(header)) + payload


def parsed(packet: bytes) -> ipv4.Ipv4Header:
    header = ipv4.parse(packet)
    assert isinstance(header, ipv4.Ipv4Header)
    return header


def test_what_is_built_is_read_back() -> None:
    built = ipv4.build(
        HERE, THERE, 17, 100, 3, identification=0xFEDC, traffic_class=0xB9, dont_fragment=False,
        more_fragments=True, fragment_offset=0x1FFF * 8,
    )  # fmt: skip
    assert internet_checksum(built) == 0
    assert parsed(built + bytes(100)) == ipv4.Ipv4Header(
        header_length=20,
        total_length=120,
        traffic_class=0xB9,
        identification=0xFEDC,
        dont_fragment=False,
        more_fragments=True,
        fragment_offset=0x1FFF * 8,
        hop_limit=3,
        protocol=17,
        source=HERE,
        destination=THERE,
        options=b"",
    )


def test_unless_told_otherwise_a_packet_must_not_be_fragmented() -> None:
    header = parsed(ipv4.build(HERE, THERE, 6, 0, 64))
    assert (header.dont_fragment, header.more_fragments, header.fragment_offset) == (True, False, 0)


def test_padding_of_the_frame_lies_beyond_the_total_length() -> None:
    header = parsed(ipv4.build(HERE, THERE, 17, 8, 64) + b"datagram" + bytes(18))
    assert header.total_length == 28


def test_a_packet_cut_anywhere_is_truncated() -> None:
    packet = packet_with(bytes([7, 7, 4, 0, 0, 0, 0]))
    parsed(packet)
    for end in range(len(packet)):
        assert ipv4.parse(packet[:end]) is DropReason.IP_TRUNCATED


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (0, 0x65, DropReason.IP_BAD_VERSION),
        (0, 0x05, DropReason.IP_BAD_VERSION),
        (0, 0x44, DropReason.IP_BAD_HEADER_LENGTH),
        (0, 0x40, DropReason.IP_BAD_HEADER_LENGTH),
        (0, 0x4F, DropReason.IP_TRUNCATED),
        (2, 0x01, DropReason.IP_TRUNCATED),  # total length beyond the frame
        (3, 19, DropReason.IP_TRUNCATED),  # total length within the header
        (3, 0, DropReason.IP_TRUNCATED),
    ],
)
def test_a_header_that_lies_is_refused_although_its_checksum_is_right(at: int, value: int, reason: DropReason) -> None:
    packet = bytearray(ipv4.build(HERE, THERE, 17, 8, 64) + bytes(8))
    packet[at] = value
    assert ipv4.parse(with_checksum(bytes(packet[:20])) + bytes(packet[20:])) is reason


@pytest.mark.rule("RFC1122-3.2.1.2")
def test_every_flipped_bit_of_the_header_is_noticed() -> None:
    packet = ipv4.build(HERE, THERE, 17, 8, 64) + bytes(8)
    for bit in range(8 * 20):
        damaged = bytearray(packet)
        damaged[bit // 8] ^= 1 << bit % 8
        assert isinstance(ipv4.parse(bytes(damaged)), DropReason)
        if bit >= 8:
            assert ipv4.parse(bytes(damaged)) is DropReason.IP_BAD_CHECKSUM


@pytest.mark.parametrize(
    "options",
    [
        b"",
        bytes([1, 1, 1, 0]),
        bytes([148, 4, 0, 0]),  # router alert
        bytes([7, 7, 4, 0, 0, 0, 0]),  # record route
        bytes([68, 12, 5, 0]) + bytes(8),  # timestamp
        bytes([0, 131, 200, 9]),  # nothing counts after the end of the list
        bytes([222, 2, 1, 1]),  # unknown
        bytes([1] * 40),
    ],
)
def test_options_that_can_be_walked_are_skipped(options: bytes) -> None:
    header = parsed(packet_with(options))
    assert header.header_length == 20 + len(header.options)
    assert header.options.startswith(options)
    assert header.total_length == header.header_length + 8


@pytest.mark.parametrize(
    "options",
    [
        bytes([7, 0, 0, 0]),
        bytes([7, 1, 0, 0]),
        bytes([7, 5, 4, 0]),  # one byte too long
        bytes([148, 255, 0, 0]),
        bytes([1, 1, 1, 7]),  # no room for its length
        bytes([1, 1, 222, 3]),
    ],
)
def test_options_that_lie_are_refused(options: bytes) -> None:
    assert ipv4.parse(packet_with(options)) is DropReason.IP_BAD_OPTIONS


@pytest.mark.rule("RFC7126-4.3", "RFC7126-4.4")
@pytest.mark.parametrize("kind", [131, 137])
def test_source_routes_are_refused(kind: int) -> None:
    assert ipv4.parse(packet_with(bytes([1, kind, 7, 4, *HERE]))) is DropReason.IP_BAD_OPTIONS
