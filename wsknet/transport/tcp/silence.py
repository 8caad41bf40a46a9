"""What is left of a connection in silent mode (SIO_WSK_SET_TCP_SILENT_MODE of WSK): names that swallow everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.trace import DropReason

if TYPE_CHECKING:
    from wsknet.net.packet import Packet
    from wsknet.transport.tcp.connection import Connection
    from wsknet.transport.tcp.protocol import TcpProtocol
    from wsknet.transport.tcp.state import State
    from wsknet.types import Instant


class Silence:
    """Keeps the 4-tuple, so that nobody answers for it, until the endpoint is closed."""

    __slots__ = ("_protocol", "local", "name", "remote", "state")

    pseudo: int | None = None

    def __init__(self, protocol: TcpProtocol, connection: Connection, state: State) -> None:
        self._protocol = protocol
        self.name = connection.name
        self.local = connection.local
        self.remote = connection.remote
        self.state = state
        """What the peer believes, as it was when silence fell."""
        protocol.register(self)

    @property
    def is_over(self) -> bool:
        return False

    def arrive(self, packet: Packet, seq: int, ack: int, offset_flags: int, window: int, now: Instant) -> None:
        self._protocol.trace.drop(DropReason.TCP_SILENT, packet.raw)

    def end(self) -> None:
        self._protocol.unregister(self)
