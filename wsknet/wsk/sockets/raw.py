"""Raw sockets: SOCK_RAW in the datagram category.  Read "TCP/IP Raw Sockets" of Winsock before editing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.wsk.sockets.datagram import DatagramSocket

if TYPE_CHECKING:
    from wsknet.transport.raw.endpoint import RawEndpoint
    from wsknet.types import Cover, Instant, LocalName
    from wsknet.wsk.client import Client

MAX_PROTOCOL = 255
"""The header has 8 bits for it.  The page forbids 0 to a program, names IPPROTO_IP among those that may be bound, and
0 is what the list of transports says of raw sockets: R-098 decides."""


class RawSocket(DatagramSocket):
    """The ports of its addresses do not count and are 0."""

    __slots__ = ("checksum_offset", "has_header", "protocol")

    def __init__(
        self, Dispatch: Any, client: Client, family: int, SocketContext: Any = None, ClientDispatch: Any = None
    ) -> None:
        super().__init__(Dispatch, client, family, SocketContext, ClientDispatch)
        self.protocol = 0
        """What WskSocket was given."""
        self.has_header = False
        """IP_HDRINCL or IPV6_HDRINCL."""
        self.checksum_offset: int | None = None
        """IPV6_CHECKSUM."""

    @property
    def is_dual(self) -> bool:
        """IPv4-mapped addresses are refused, whatever IPV6_V6ONLY: the families differ in what is received."""
        return False

    def open_endpoint(self, cover: Cover) -> RawEndpoint:
        return self.host.stack.raw.open(self.protocol, cover, self)

    def bind_endpoint(self, endpoint: RawEndpoint, name: LocalName, now: Instant) -> None:
        """Without a port there is nothing to share or to be refused."""
        endpoint.bind(name, now)

    def apply_options(self) -> None:
        super().apply_options()
        self.endpoint.has_header = self.has_header
        self.endpoint.checksum_offset = self.checksum_offset
