"""Echo, and errors about a packet: ICMP and ICMPv6 alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class EchoMessage:
    is_reply: bool
    identifier: int
    sequence: int
    data: bytes = b""
    code: int = 0
    """RFC 792 and RFC 4443 4.1 have no other."""


class IcmpErrorKind(Enum):
    NETWORK_UNREACHABLE = "network unreachable"
    HOST_UNREACHABLE = "host unreachable"
    PROTOCOL_UNREACHABLE = "protocol unreachable"
    PORT_UNREACHABLE = "port unreachable"
    PACKET_TOO_BIG = "packet too big"
    TIME_EXCEEDED = "time exceeded"
    PARAMETER_PROBLEM = "parameter problem"
    ADMIN_PROHIBITED = "administratively prohibited"
    OTHER = "other error"
    """An error type that RFC 4443 2.4 (a) wants handed up although nobody knows it.  Received only."""


IN_TRANSIT = 0
IN_REASSEMBLY = 1
"""Codes of TIME_EXCEEDED, in both families (RFC 792, RFC 4443 3.3)."""
BEYOND_SCOPE = 2
"""Code of NETWORK_UNREACHABLE over IPv6: the source's scope ends here (RFC 4443 3.1)."""


@dataclass(frozen=True, slots=True)
class IcmpError:
    kind: IcmpErrorKind
    quoted: bytes
    """The packet it is about, from its IP header on, as far as it was quoted (or, sending, may be quoted)."""
    mtu: int = 0
    """PACKET_TOO_BIG only: the next hop's; 0 over IPv4 is a router older than RFC 1191."""
    pointer: int = 0
    """PARAMETER_PROBLEM, and PROTOCOL_UNREACHABLE over IPv6: offset of the offending byte in the packet."""
    code: int = 0
    """That of TIME_EXCEEDED, PARAMETER_PROBLEM and OTHER, and BEYOND_SCOPE where that is sent; else 0."""
