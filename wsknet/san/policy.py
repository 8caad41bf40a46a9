"""What differs between systems with Winsock Direct, and the sizes that each side chooses."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum


class Wildcard(Enum):
    """What WSPBind of a SAN provider does with 0.0.0.0 (SAN-4.1, SAN-4.2)."""

    PRE_VISTA = "pre-vista"
    """It is taken: the listener spans all NICs of the provider."""
    VISTA = "vista"
    """WSAEADDRNOTAVAIL; the switch binds one companion for each NIC address.  The code is a reading, not documented."""


@dataclass(frozen=True)
class SanPolicy:
    """Of a host; the numbers are ours, the pages name none but the 256 bytes of the first message."""

    wildcard: Wildcard = Wildcard.PRE_VISTA
    native_port: int = 17_223
    """TCP port on which SAN NICs meet, and so the capture filter.  Of the user range, not assigned by IANA."""
    backlog_limit: int = 200
    """What SOMAXCONN means to the provider."""
    sockets_limit: int = 4_096
    """Of one provider; beyond it WSPSocket fails with WSAENOBUFS."""
    names_limit: int = 4_096
    """Of one provider, those of accepted sockets included; beyond it WSPBind fails with WSAENOBUFS."""
    connect_seconds: int = 21
    """A request that nobody answers times out after it, as a connect of TCP/IP does under Windows (3 + 6 + 12)."""
    supports_rdma_read: bool = True
    """Whether WSPRdmaRead exists.  Without it the receiving switch asks for RDMA writes."""
    max_message_size: int = 16_384
    """SO_MAX_MSG_SIZE."""
    max_rdma_size: int = 1 << 20
    """SO_MAX_RDMA_SIZE."""
    rdma_threshold: int = 8_192
    """SO_RDMA_THRESHOLD_SIZE: sends above it go by RDMA."""
    message_buffers: int = 8
    """Control message buffers that the switch posts for receiving, for each connection; at least six are."""

    def __post_init__(self) -> None:
        if not 0 < self.native_port <= 65_535:
            raise ValueError(f"native_port is a TCP port from 1 to 65535, not {self.native_port}")
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and not isinstance(value, bool) and value < 0:
                raise ValueError(f"{field.name} cannot be negative: {value}")
