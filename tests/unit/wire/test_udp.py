"""UDP headers."""

from __future__ import annotations

import pytest

from wsknet.trace import DropReason
from wsknet.wire import udp
from wsknet.wire.checksum import pseudo_sum, transport_checksum, transport_is_valid

HERE, THERE = bytes([192, 0, 2, 1]), bytes([198, 51, 100, 7])


def test_what_is_built_is_read_back() -> None:
    assert udp.parse(udp.build(0xC001, 53, 5, 0xABCD) + b"hello") == (0xC001, 53, 13, 0xABCD)
    assert udp.parse(udp.build(1, 2, 0, 0)) == (1, 2, 8, udp.NO_CHECKSUM)


def test_a_datagram_may_be_shorter_than_its_packet() -> None:
    assert udp.parse(udp.build(1, 2, 3, 4) + b"abcXYZ") == (1, 2, 11, 4)


def test_a_header_cut_anywhere_is_truncated() -> None:
    header = udp.build(1, 2, 0, 3)
    for end in range(8):
        assert udp.parse(header[:end]) is DropReason.UDP_TRUNCATED


@pytest.mark.parametrize("length", [0, 7, 14, 0xFFFF])
def test_a_length_that_lies_is_refused(length: int) -> None:
    assert udp.parse(b"\0\1\0\2" + length.to_bytes(2, "big") + b"\0\0hello") is DropReason.UDP_BAD_LENGTH


@pytest.mark.parametrize("payload", [b"", b"x", b"odd", b"even", bytes(1472)])
def test_the_checksum_is_that_of_the_whole_datagram(payload: bytes) -> None:
    pseudo = pseudo_sum(HERE, THERE, 17)
    field = udp.checksum(pseudo, 0xFFF0, 7, (payload[:1], payload[1:]))
    assert field == transport_checksum(pseudo, udp.build(0xFFF0, 7, len(payload), 0), (payload,))
    assert transport_is_valid(pseudo, udp.build(0xFFF0, 7, len(payload), field) + payload)


@pytest.mark.rule("RFC8200-8.1")
def test_a_checksum_that_comes_out_as_zero_is_sent_as_all_ones() -> None:
    pseudo = pseudo_sum(HERE, THERE, 17)
    rest = transport_checksum(pseudo, udp.build(1, 2, 2, 0), (b"\0\0",))
    payload = rest.to_bytes(2, "big")
    assert transport_checksum(pseudo, udp.build(1, 2, 2, 0), (payload,)) == 0
    assert udp.checksum(pseudo, 1, 2, (payload,)) == 0xFFFF
    assert transport_is_valid(pseudo, udp.build(1, 2, 2, 0xFFFF) + payload)
