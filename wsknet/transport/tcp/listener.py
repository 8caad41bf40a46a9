"""The passive side: RFC 9293 3.10.7.2 (LISTEN), RFC 1122 4.2.2.18, RFC 4987 (what a flood of SYNs may cost)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from wsknet.errors import NetError
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.connection import Connection
from wsknet.transport.tcp.segments import refuse
from wsknet.transport.tcp.seq import is_before, wrap
from wsknet.transport.tcp.state import State
from wsknet.types import Cover, Endpoint, LocalName, family_of, is_link_local
from wsknet.wire import tcp

if TYPE_CHECKING:
    from wsknet.net.packet import Packet
    from wsknet.transport.tcp.endpoint import TcpEndpoint
    from wsknet.transport.tcp.protocol import TcpProtocol
    from wsknet.types import Instant


class Listener:
    """Connections on their way to `accept`: half open, then established and waiting.

    `backlog` bounds both together, so a peer cannot make the host remember more than that.  A SYN beyond it is dropped:
    its sender tries again, while a reset would tell it that nobody listens.  Half-open connections go away by
    themselves when the SYN-ACK has been repeated in vain.
    """

    __slots__ = ("_half_open", "_protocol", "_waiting", "backlog", "endpoint")

    state = State.LISTEN
    pseudo: int | None = None

    def __init__(self, protocol: TcpProtocol, endpoint: TcpEndpoint, backlog: int) -> None:
        self._protocol = protocol
        self._half_open: dict[Connection, None] = {}
        self._waiting: deque[Connection] = deque()
        self.endpoint = endpoint
        self.backlog = backlog

    @property
    def is_ready(self) -> bool:
        return bool(self._waiting)

    def arrive(self, packet: Packet, seq: int, ack: int, offset_flags: int, window: int, now: Instant) -> None:
        segment = tcp.parse(packet.payload)
        if not isinstance(segment, tcp.Segment):
            self._protocol.trace.drop(segment, packet.raw)
            return
        flags = segment.flags
        trace = self._protocol.trace
        if flags & tcp.RST:
            trace.drop(DropReason.TCP_BAD_RESET, packet.raw)
        elif flags & tcp.ACK:
            trace.drop(DropReason.TCP_NO_ENDPOINT, packet.raw)
            refuse(self._protocol, packet, segment, now)
        elif flags & (tcp.SYN | tcp.FIN) != tcp.SYN:
            trace.drop(DropReason.TCP_BAD_FLAGS, packet.raw)
        else:
            self.answer_syn(packet, segment, now)

    def answer_syn(self, packet: Packet, segment: tcp.Segment, now: Instant, above: int | None = None) -> None:
        """Start a connection.  Our initial sequence number will lie behind `above`.

        Data in the SYN is not kept; its sender repeats it.
        """
        protocol = self._protocol
        if len(self._half_open) + len(self._waiting) >= self.backlog:
            protocol.trace.drop(DropReason.TCP_BACKLOG_FULL, packet.raw)
            return
        try:
            through = self.endpoint.unicast_interfaces[len(packet.source)]
            path = protocol.ip.path(packet.source, packet.destination, packet.zone, None, through)
        except NetError:
            protocol.trace.drop(DropReason.NO_ROUTE, packet.raw)
            return
        local, remote, name = _names(packet, segment)
        iss = protocol.initial_sequence(local, remote, now)
        if above is not None and not is_before(above, iss):
            iss = wrap(above)
        child = self.endpoint.spawn(name)
        connection = Connection(protocol, child, name, remote, path, iss)
        child.connection = connection
        self._half_open[connection] = None
        connection.open_passively(segment, self, now)

    def established(self, connection: Connection) -> None:
        del self._half_open[connection]
        self._waiting.append(connection)
        self._protocol.notify(self.endpoint, Ready.ACCEPTABLE)

    def forget(self, connection: Connection, now: Instant) -> None:
        """The connection has come to nothing before anybody accepted it."""
        if self._half_open.pop(connection, 0) == 0:
            self._waiting.remove(connection)
        connection.listener = None
        connection.endpoint.close(now)

    def take(self) -> Connection | None:
        """The connection that has waited longest."""
        if not self._waiting:
            return None
        connection = self._waiting.popleft()
        connection.listener = None
        return connection

    def close(self, now: Instant) -> None:
        """Nobody will accept what is on its way: it is reset."""
        for connection in [*self._half_open, *self._waiting]:
            connection.listener = None
            connection.endpoint.close(now)
        self._half_open.clear()
        self._waiting.clear()


def _names(packet: Packet, segment: tcp.Segment) -> tuple[Endpoint, Endpoint, LocalName]:
    """Local and remote end as dialled, and the name of the new endpoint."""
    destination, source, zone = packet.destination, packet.source, packet.zone
    local_zone = zone if is_link_local(destination) else 0
    remote_zone = zone if is_link_local(source) else 0
    local = Endpoint(destination, segment.destination_port, local_zone)
    remote = Endpoint(source, segment.source_port, remote_zone)
    return local, remote, LocalName(Cover(family_of(destination).value), destination, local.port, local_zone)
