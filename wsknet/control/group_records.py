"""What IGMPv3 and MLDv2 messages have in common: RFC 3376 4.1 and 4.2, RFC 3810 5.1 and 5.2.

Struct instead of Scapy: it has two unrelated sets of classes for this one layout.  Those of IGMP are in another module
in each of the versions that we accept and convert the maximum response code themselves; that of an MLD record takes the
length of auxiliary data for bytes, where RFC 3810 5.2.6 counts words of 32 bits.  Tests compare with both.
"""

from __future__ import annotations

from collections.abc import Iterable

from wsknet.net.messages.groups import GroupQuery, GroupRecord, RecordKind
from wsknet.types import Address, is_multicast, is_unspecified

QUERY_TAIL_LENGTH = 4
"""Flags and robustness, interval code, number of sources."""
_SUPPRESS = 0x08
_ROBUSTNESS = 0x07

_RECORD_HEADER_LENGTH = 4
"""Type, auxiliary data length in words of 32 bits, number of sources; the group follows."""
_WORD = 4
_KINDS = frozenset(RecordKind)


def expand(code: int, bits: int) -> int:
    """The number that a code of 8 or 16 bits stands for (RFC 3376 4.1.1, RFC 3810 5.1.3).

    With the highest bit set it is 3 bits of exponent and a mantissa whose first 1 is left out.
    """
    mantissa_bits = bits - 4
    if code < 1 << bits - 1:
        return code
    mantissa = code & (1 << mantissa_bits) - 1 | 1 << mantissa_bits
    return mantissa << (code >> mantissa_bits & 7) + 3


def compress(number: int, bits: int) -> int:
    """The code for `number`, or for the next smaller one that has a code."""
    mantissa_bits = bits - 4
    if number < 1 << bits - 1:
        return number
    exponent = number.bit_length() - mantissa_bits - 4
    if exponent > 7:
        return (1 << bits) - 1
    return 1 << bits - 1 | exponent << mantissa_bits | number >> exponent + 3 & (1 << mantissa_bits) - 1


def is_group_of_query(group: Address) -> bool:
    """A query is about all groups (the unspecified address) or about one."""
    return is_unspecified(group) or is_multicast(group)


def decode_query(group: Address, max_response: int, tail: bytes) -> GroupQuery | None:
    """An IGMPv3 or MLDv2 query whose `tail` starts after the group.  What follows the sources is skipped (4.1.10)."""
    length = len(group)
    end = QUERY_TAIL_LENGTH + length * int.from_bytes(tail[2:4], "big")
    sources = _addresses(tail[QUERY_TAIL_LENGTH:end], length)
    if len(tail) < end or not is_group_of_query(group) or (sources and is_unspecified(group)):
        return None
    return GroupQuery(
        version=3,
        group=group,
        max_response=max_response,
        sources=sources,
        suppresses=bool(tail[0] & _SUPPRESS),
        robustness=tail[0] & _ROBUSTNESS,
        interval=expand(tail[1], 8),
    )


def encode_query(query: GroupQuery) -> bytes:
    """Group and what follows it."""
    flags = query.robustness & _ROBUSTNESS | (_SUPPRESS if query.suppresses else 0)
    tail = bytes((flags, compress(query.interval, 8))) + len(query.sources).to_bytes(2, "big")
    return query.group + tail + b"".join(query.sources)


def decode_records(body: bytes, count: int, length: int) -> tuple[GroupRecord, ...] | None:
    """`count` records with addresses of `length` bytes; `None` if they do not fit or one is about no group.

    Records of a type that nobody knows are left out (RFC 3376 4.2.12).
    """
    records = []
    position = 0
    for _ in range(count):
        start = position + _RECORD_HEADER_LENGTH + length
        if start > len(body):
            return None
        kind, auxiliary = body[position], body[position + 1]
        end = start + length * int.from_bytes(body[position + 2 : position + 4], "big")
        group = body[start - length : start]
        position = end + auxiliary * _WORD
        if position > len(body) or not is_multicast(group):
            return None
        if kind in _KINDS:
            records.append(GroupRecord(RecordKind(kind), group, _addresses(body[start:end], length)))
    return tuple(records)


def encode_records(records: Iterable[GroupRecord]) -> bytes:
    return b"".join(
        bytes((record.kind, 0)) + len(record.sources).to_bytes(2, "big") + record.group + b"".join(record.sources)
        for record in records
    )


def _addresses(packed: bytes, length: int) -> tuple[Address, ...]:
    return tuple(packed[start : start + length] for start in range(0, len(packed), length))
