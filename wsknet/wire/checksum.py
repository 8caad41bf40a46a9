"""The Internet checksum: RFC 1071, RFC 1624 (the two zeros), RFC 768, RFC 9293 3.1, RFC 8200 8.1.

A ones' complement sum of 16-bit words is the number that the bytes spell, modulo 65535, because 65536 leaves 1.
So the sum of a frame is one `int.from_bytes` and one division, and two things follow that look like tricks:
shifting by 8 moves data by one byte position, and a field of 32 bits may be added as it stands.
"""

from __future__ import annotations

from wsknet.types import Address, Buffer, Buffers

_MODULUS = 0xFFFF
_from_bytes = int.from_bytes

# Dividing a long number costs 0.9 us per kilobyte, folding it at a multiple of 16 bits leaves the remainder alone and
# costs a tenth.  The widths are multiples of CPython's 30-bit digits too; two folds are the optimum for a full frame.
_FOLD_ABOVE = 300
_WIDTH_1 = 5760
_WIDTH_2 = 2880
_MASK_1 = (1 << _WIDTH_1) - 1
_MASK_2 = (1 << _WIDTH_2) - 1
_FRAME_BYTES = 2 * _WIDTH_1 // 8 + 240


def ones_sum(data: Buffer) -> int:
    """The sum of the 16-bit words modulo 65535; an odd length counts as padded with a zero byte."""
    length = len(data)
    number = _from_bytes(data, "big")
    if length > _FOLD_ABOVE:
        number = _folded(number, length)
    return (number << 8 if length & 1 else number) % _MODULUS


def internet_checksum(data: Buffer) -> int:
    """The value for a checksum field that is zero in `data`; 0 if the field is already there and right."""
    # Only zeros sum to +0; anything else that leaves no remainder sums to -0, whose complement is 0.
    total = ones_sum(data)
    return _MODULUS - total if total or not any(data) else 0


def pseudo_sum(source: Address, destination: Address, protocol: int) -> int:
    """The pseudo-header's part of a checksum, without the length: the same for a whole conversation."""
    return (_from_bytes(source + destination, "big") + protocol) % _MODULUS


def buffers_sum(buffers: Buffers) -> int:
    """The sum modulo 65535 of buffers that follow each other, of any lengths."""
    total = end = 0
    for data in buffers:
        length = len(data)
        end += length
        number = _from_bytes(data, "big")
        if length > _FOLD_ABOVE:
            number = _folded(number, length)
        # A last byte at an even offset is the upper half of its word.
        total += number << 8 if end & 1 else number
    return total % _MODULUS


def transport_checksum(pseudo: int, header: bytes, payload: Buffers) -> int:
    """The checksum field of a segment whose header, of even length and with a zero field, comes before `payload`.

    The length goes into the sum here.  0 is possible, see `wire.udp.checksum` for what UDP makes of it.
    """
    length = len(header) + sum(map(len, payload))
    return -(pseudo + length + _from_bytes(header, "big") + buffers_sum(payload)) % _MODULUS


def transport_is_valid(pseudo: int, segment: bytes) -> bool:
    """Whether a segment, checksum field included, sums to (negative) zero under its pseudo-header."""
    length = len(segment)
    number = _from_bytes(segment, "big")
    if length > _FOLD_ABOVE:
        if length > _FRAME_BYTES:
            number = _folded(number, length)
        else:
            number = (number & _MASK_1) + (number >> _WIDTH_1)
            number = (number & _MASK_2) + (number >> _WIDTH_2)
    if length & 1:
        number <<= 8
    return (number + pseudo + length) % _MODULUS == 0


def _folded(number: int, length: int) -> int:
    """A shorter number with the same remainder."""
    while length > _FRAME_BYTES:
        length = (length // 2 + 30) // 30 * 30
        width = length * 8
        number = (number & ((1 << width) - 1)) + (number >> width)
    number = (number & _MASK_1) + (number >> _WIDTH_1)
    return (number & _MASK_2) + (number >> _WIDTH_2)
