"""Multicast listener discovery, messages of ICMPv6: RFC 2710 3, RFC 3810 5 and 8.1 (which version a query is)."""

from __future__ import annotations

from wsknet.control.group_records import (
    QUERY_TAIL_LENGTH,
    compress,
    decode_query,
    decode_records,
    encode_query,
    encode_records,
    expand,
    is_group_of_query,
)
from wsknet.net.messages.groups import GroupLeave, GroupMessage, GroupQuery, GroupReport, OldGroupReport
from wsknet.trace import DropReason
from wsknet.types import is_multicast

QUERY = 130
REPORT_V1 = 131
DONE = 132
REPORT_V2 = 143
TYPES = (QUERY, REPORT_V1, DONE, REPORT_V2)

_HEADER_LENGTH = 8
"""Type, code, checksum; maximum response code, or number of records in the last two bytes."""
_V1_LENGTH = 24
"""With the group: all of a message of version 1."""
_LONGEST_V1_RESPONSE = 0xFFFF
"""Milliseconds; version 1 has no floating-point code (RFC 2710 3.4)."""


def decode(payload: bytes) -> GroupMessage | DropReason:
    """`payload` has one of `TYPES` and at least 8 bytes, checksum checked.  Hop limit and options are the caller's."""
    kind, group = payload[0], payload[_HEADER_LENGTH:_V1_LENGTH]
    if kind == REPORT_V2:
        records = decode_records(payload[_HEADER_LENGTH:], int.from_bytes(payload[6:8], "big"), 16)
        return DropReason.GROUP_MALFORMED if records is None else GroupReport(records)
    if len(payload) < _V1_LENGTH:
        return DropReason.GROUP_MALFORMED
    if kind == QUERY:
        return _decode_query(payload, group) or DropReason.GROUP_MALFORMED
    if not is_multicast(group):
        return DropReason.GROUP_MALFORMED
    return GroupLeave(group) if kind == DONE else OldGroupReport(2, group)


def _decode_query(payload: bytes, group: bytes) -> GroupQuery | None:
    """The length tells the version; other lengths must be ignored (RFC 3810 8.1)."""
    code = int.from_bytes(payload[4:6], "big")
    if len(payload) >= _V1_LENGTH + QUERY_TAIL_LENGTH:
        return decode_query(group, expand(code, 16), payload[_V1_LENGTH:])
    if len(payload) != _V1_LENGTH or not is_group_of_query(group):
        return None
    return GroupQuery(2, group, code)


def encode(message: GroupMessage) -> bytes:
    """Checksum left zero."""
    if isinstance(message, GroupReport):
        return (
            bytes((REPORT_V2, 0, 0, 0, 0, 0))
            + len(message.records).to_bytes(2, "big")
            + encode_records(message.records)
        )
    if isinstance(message, GroupQuery):
        if message.version >= 3:
            return _header(QUERY, compress(message.max_response, 16)) + encode_query(message)
        return _header(QUERY, min(message.max_response, _LONGEST_V1_RESPONSE)) + message.group
    return _header(DONE if isinstance(message, GroupLeave) else REPORT_V1, 0) + message.group


def _header(kind: int, max_response: int) -> bytes:
    return bytes((kind, 0, 0, 0)) + max_response.to_bytes(2, "big") + bytes(2)
