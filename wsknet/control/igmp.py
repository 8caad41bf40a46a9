"""IGMP: RFC 1112 appendix I, RFC 2236 2, RFC 3376 4 and 7.1 (which version a query is)."""

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
from wsknet.wire.checksum import internet_checksum

HEADER_LENGTH = 8
"""Type, maximum response code, checksum, group: all of the messages of versions 1 and 2."""

QUERY = 0x11
REPORT_V1 = 0x12
REPORT_V2 = 0x16
LEAVE = 0x17
REPORT_V3 = 0x22

_TENTH = 100
"""Milliseconds: the unit of the maximum response code."""
_V1_MAX_RESPONSE = 10_000
"""Milliseconds that version 1 leaves for an answer without saying so (RFC 2236 4)."""


def decode(payload: bytes) -> GroupMessage | DropReason:
    if len(payload) < HEADER_LENGTH or internet_checksum(payload):
        return DropReason.GROUP_MALFORMED
    kind, group = payload[0], payload[4:8]
    if kind == QUERY:
        return _decode_query(payload) or DropReason.GROUP_MALFORMED
    if kind == REPORT_V3:
        records = decode_records(payload[HEADER_LENGTH:], int.from_bytes(payload[6:8], "big"), 4)
        return DropReason.GROUP_MALFORMED if records is None else GroupReport(records)
    if kind not in (REPORT_V1, REPORT_V2, LEAVE):
        return DropReason.GROUP_IGNORED  # RFC 3376 4: other types must be ignored
    if not is_multicast(group):
        return DropReason.GROUP_MALFORMED
    return GroupLeave(group) if kind == LEAVE else OldGroupReport(1 if kind == REPORT_V1 else 2, group)


def _decode_query(payload: bytes) -> GroupQuery | None:
    """The length tells version 3, the response code version 1; other lengths must be ignored (RFC 3376 7.1)."""
    code, group = payload[1], payload[4:8]
    if len(payload) >= HEADER_LENGTH + QUERY_TAIL_LENGTH:
        return decode_query(group, expand(code, 8) * _TENTH, payload[HEADER_LENGTH:])
    if len(payload) != HEADER_LENGTH or not is_group_of_query(group):
        return None
    return GroupQuery(2, group, code * _TENTH) if code else GroupQuery(1, group, _V1_MAX_RESPONSE)


def encode(message: GroupMessage) -> bytes:
    if isinstance(message, GroupQuery):
        body = _encode_query(message)
    elif isinstance(message, GroupReport):
        body = bytes((REPORT_V3, 0, 0, 0, 0, 0)) + len(message.records).to_bytes(2, "big")
        body += encode_records(message.records)
    elif isinstance(message, OldGroupReport):
        body = bytes((REPORT_V1 if message.version == 1 else REPORT_V2, 0, 0, 0)) + message.group
    else:
        body = bytes((LEAVE, 0, 0, 0)) + message.group
    return body[:2] + internet_checksum(body).to_bytes(2, "big") + body[4:]


def _encode_query(query: GroupQuery) -> bytes:
    tenths = query.max_response // _TENTH
    if query.version >= 3:
        return bytes((QUERY, compress(tenths, 8), 0, 0)) + encode_query(query)
    code = min(max(tenths, 1), 0xFF) if query.version == 2 else 0  # a code of 0 would make it version 1
    return bytes((QUERY, code, 0, 0)) + query.group
