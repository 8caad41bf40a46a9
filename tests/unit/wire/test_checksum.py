"""The checksum against the word-by-word sum of RFC 1071, at the lengths where the fast way changes its road."""

from __future__ import annotations

from random import Random

import pytest

from wsknet.wire.checksum import (
    buffers_sum,
    internet_checksum,
    ones_sum,
    pseudo_sum,
    transport_checksum,
    transport_is_valid,
)

V4 = (bytes([192, 0, 2, 1]), bytes([198, 51, 100, 7]))
V6 = (bytes.fromhex("20010db8000000000000000000000001"), bytes.fromhex("fe800000000000000000000000000002"))

LENGTHS = (0, 1, 2, 3, 19, 20, 21, 299, 300, 301, 302, 359, 719, 720, 721, 1079, 1080, 1459, 1460, 1461, 1679, 1680,
           1681, 1682, 3361, 8959, 65535)  # fmt: skip


def word_sum(data: bytes) -> int:
    """RFC 1071 4.1: add up 16-bit words, then fold the carries in.  16 bits; 0xFFFF and 0 are different zeros."""
    data = data + bytes(len(data) % 2)
    total = sum(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.rule("RFC1071-3")
def test_the_example_of_the_rfc() -> None:
    data = bytes.fromhex("0001f203f4f5f6f7")
    assert ones_sum(data) == 0xDDF2
    assert internet_checksum(data) == 0xFFFF - 0xDDF2


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("filling", ["random", "ones", "zeros"])
def test_any_length_sums_like_its_words(length: int, filling: str) -> None:
    data = {"random": Random(length).randbytes(length), "ones": b"\xff" * length, "zeros": bytes(length)}[filling]
    assert ones_sum(data) == word_sum(data) % 0xFFFF
    assert internet_checksum(data) == word_sum(data) ^ 0xFFFF
    assert internet_checksum(memoryview(data)) == internet_checksum(bytearray(data)) == internet_checksum(data)


@pytest.mark.parametrize(
    ("data", "field"), [(b"\0\0", 0xFFFF), (b"\xff\xff", 0), (b"\x12\x34\xed\xcb", 0), (b"\xff\xfe\0\1", 0)]
)
def test_the_two_zeros_are_told_apart(data: bytes, field: int) -> None:
    assert internet_checksum(data) == field


@pytest.mark.parametrize("ends", [V4, V6])
@pytest.mark.parametrize("length", LENGTHS)
def test_a_segment_with_its_checksum_is_valid_and_any_flipped_bit_makes_it_invalid(
    ends: tuple[bytes, bytes], length: int
) -> None:
    rng = Random(length)
    source, destination = ends
    pseudo = pseudo_sum(source, destination, 6)
    header, payload = rng.randbytes(16) + b"\0\0" + rng.randbytes(2), rng.randbytes(length)
    field = transport_checksum(pseudo, header, (payload,))

    # Fields of the pseudo-header of RFC 8200 8.1 (RFC 9293 3.1 is the same sum): addresses, length, protocol.
    whole = source + destination + (20 + length).to_bytes(4, "big") + b"\0\0\0\6" + header + payload
    assert field == word_sum(whole) ^ 0xFFFF

    segment = header[:16] + field.to_bytes(2, "big") + header[18:] + payload
    assert transport_is_valid(pseudo, segment)
    for _ in range(20):
        damaged = bytearray(segment)
        damaged[rng.randrange(len(segment))] ^= 1 << rng.randrange(8)
        assert not transport_is_valid(pseudo, bytes(damaged))
    assert not transport_is_valid(pseudo_sum(source, destination, 17), segment)
    assert not transport_is_valid(pseudo, segment + b"\0\0")


def test_how_the_payload_is_cut_into_buffers_does_not_matter() -> None:
    rng = Random(1)
    for _ in range(300):
        data = rng.randbytes(rng.randrange(2500))
        cuts = sorted(rng.choices(range(len(data) + 1), k=rng.randrange(6)))
        pieces = tuple(memoryview(data)[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True))
        assert buffers_sum(pieces) == ones_sum(data)
        header = rng.randbytes(20)
        assert transport_checksum(99, header, pieces) == transport_checksum(99, header, (data,))


def test_no_payload_at_all_sums_to_nothing() -> None:
    assert buffers_sum(()) == 0
    assert transport_checksum(0, b"\0\1", ()) == 0xFFFF - 3
