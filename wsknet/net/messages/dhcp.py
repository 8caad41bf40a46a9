"""DHCP for IPv4."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from wsknet.types import Address, Mac


class DhcpKind(IntEnum):
    """DHCP message type (RFC 2132 9.6)."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


@dataclass(frozen=True, slots=True)
class DhcpMessage:
    """RFC 2131 2 and the options of RFC 2132 that a host lives by.  `None`: the option is not there."""

    kind: DhcpKind
    transaction: int
    client_mac: Mac
    seconds: int = 0
    """Since the client began."""
    is_broadcast: bool = False
    """The answer has to be broadcast."""
    client_address: Address = bytes(4)
    your_address: Address = bytes(4)
    server: Address | None = None
    """Server identifier."""
    requested: Address | None = None
    lease: int | None = None
    """Seconds here and below; 2^32 - 1 is for ever."""
    renewal: int | None = None
    rebinding: int | None = None
    prefix_length: int | None = None
    """From the subnet mask."""
    routers: tuple[Address, ...] = ()
    routes: tuple[tuple[Address, int, Address | None], ...] = ()
    """Prefix, length and next hop of classless static routes (RFC 3442), which replace `routers`; `None`: on-link."""
    name_servers: tuple[Address, ...] = ()
    domain: str = ""
    host_name: str = ""
    mtu: int | None = None
    client_id: bytes = b""
    parameters: tuple[int, ...] = ()
    """Option numbers asked for."""
    text: str = ""
    """Why a server refused, or a client declined."""
