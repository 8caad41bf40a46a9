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


LONGEST = bytes([1] * 40)


@pytest.mark.parametrize("options", [b"", bytes([148, 4, 0, 0]), bytes([7, 7, 4, 0, 0, 0, 0, 0]), LONGEST])
def test_options_lengthen_the_header(options: bytes) -> None:
    built = ipv4.build(HERE, THERE, 2, 8, 1, options=options)
    header = parsed(built + bytes(8))
    assert (header.options, header.header_length, header.total_length) == (options, len(built), len(built) + 8)
    assert internet_checksum(built) == 0


def test_options_are_padded_to_whole_words() -> None:
    header = parsed(ipv4.build(HERE, THERE, 2, 0, 1, options=bytes([7, 7, 4, 0, 0])))
    assert (header.options, header.header_length) == (bytes([7, 7, 4, 0, 0, 0, 0, 0]), 28)


@pytest.mark.parametrize(("fields", "expected"), [((True, 0), True), ((False, 8), True), ((False, 0), False)])
def test_a_fragment_is_one_with_something_before_or_after_it(fields: tuple[bool, int], expected: bool) -> None:
    more, offset = fields
    built = ipv4.build(HERE, THERE, 17, 8, 64, dont_fragment=False, more_fragments=more, fragment_offset=offset)
    assert parsed(built + bytes(8)).is_fragment is expected


def test_the_header_of_a_first_fragment_becomes_that_of_its_packet() -> None:
    options = bytes([148, 4, 0, 0])
    first = ipv4.build(HERE, THERE, 17, 8, 9, 0xABCD, 0xB8, dont_fragment=False, more_fragments=True, options=options)
    whole = ipv4.whole_header(first, len(first) + 100, 0xBB)
    assert whole == ipv4.build(HERE, THERE, 17, 100, 9, 0xABCD, 0xBB, dont_fragment=False, options=options)
    kept = ipv4.build(HERE, THERE, 17, 8, 9, 1, dont_fragment=True, more_fragments=True)
    assert ipv4.whole_header(kept, 28, 0) == ipv4.build(HERE, THERE, 17, 8, 9, 1, dont_fragment=True)


@pytest.mark.parametrize("options", [bytes([7, 0, 0, 0]), bytes([148, 255, 0, 0]), bytes([131, 3, 4, 0])])
def test_options_are_handed_on_unread(options: bytes) -> None:
    assert parsed(packet_with(options)).options == options
