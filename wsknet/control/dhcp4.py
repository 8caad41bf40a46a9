"""DHCP for IPv4: RFC 2131 2 and 3, RFC 2132, RFC 3442 (classless routes), RFC 3396 (long options)."""

from __future__ import annotations

from wsknet.net.messages import DhcpMessage
from wsknet.trace import DropReason


def decode(payload: bytes) -> DhcpMessage | DropReason:
    return DropReason.DHCP_MALFORMED


def encode(message: DhcpMessage) -> bytes:
    raise NotImplementedError
