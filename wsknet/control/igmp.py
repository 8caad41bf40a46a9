"""IGMP: RFC 1112 appendix I, RFC 2236, RFC 3376 4."""

from __future__ import annotations

from wsknet.net.messages import GroupMessage
from wsknet.trace import DropReason


def decode(payload: bytes) -> GroupMessage | DropReason:
    return DropReason.GROUP_MALFORMED


def encode(message: GroupMessage) -> bytes:
    raise NotImplementedError
