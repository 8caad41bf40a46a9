"""TCP of one host: RFC 9293 3.10.7 up to the point where the connection is known, RFC 5927 for ICMP errors."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Protocol

from wsknet.net.handler import Undelivered
from wsknet.net.packet import Cast
from wsknet.trace import DropReason
from wsknet.transport.flow_label import FlowLabels
from wsknet.transport.tcp import icmp
from wsknet.transport.tcp.congestion.algorithms import ALGORITHMS
from wsknet.transport.tcp.connection import Connection
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.fast_open import FastOpen
from wsknet.transport.tcp.isn import InitialSequence, TimestampOffset
from wsknet.transport.tcp.listener import Listener
from wsknet.transport.tcp.segments import refuse
from wsknet.transport.tcp.silence import Silence
from wsknet.transport.tcp.syn_cookies import SynCookies
from wsknet.transport.tcp.time_wait import TimeWait
from wsknet.types import Proto
from wsknet.wire import tcp
from wsknet.wire.checksum import pseudo_sum, transport_is_valid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

    from wsknet.config import StackConfig
    from wsknet.net.layer import IpLayer
    from wsknet.net.packet import Packet
    from wsknet.timers import Timers
    from wsknet.trace import Trace
    from wsknet.transport.demux import Demux
    from wsknet.transport.endpoint import Owner, TransportEndpoint
    from wsknet.transport.ports import PortTable
    from wsknet.transport.tcp.congestion.base import CongestionFactory
    from wsknet.transport.tcp.seq import Seq
    from wsknet.types import Cover, Endpoint, Instant

_unpack = Struct("!HHIIHH").unpack_from
_UNICAST = Cast.UNICAST


class SegmentTarget(Protocol):
    """What `demux` knows of TCP: a connection, a listener, or what is left of a connection in TIME-WAIT."""

    @property
    def pseudo(self) -> int | None:
        """The pseudo-header's sum if all segments share one."""

    def arrive(self, packet: Packet, seq: int, ack: int, offset_flags: int, window: int, now: Instant) -> None: ...


class TcpProtocol:
    """`net.handler.ProtocolHandler` for TCP, and the place where endpoints come from."""

    def __init__(
        self,
        ip: IpLayer,
        ports: PortTable,
        demux: Demux[SegmentTarget],
        timers: Timers,
        rng: Random,
        config: StackConfig,
        trace: Trace,
        notify: Callable[[TransportEndpoint, int], None],
    ) -> None:
        self.ip = ip
        self.ports = ports
        self.demux = demux
        self.timers = timers
        self.config = config.tcp
        self.policy = config.behaviour.tcp
        self.fails_on_unreachable_neighbour = config.behaviour.neighbour_failure_is_final
        self.trace = trace
        self.notify = notify
        self.initial_sequence: Callable[[Endpoint, Endpoint, Instant], Seq] = InitialSequence(rng)
        """Called with the local and the remote end.  May be replaced, e.g. to number streams across 2^32."""
        self.timestamp_offset = TimestampOffset(rng, self.policy.timestamps_per_connection)
        self.syn_cookies = SynCookies(rng)
        self.fast_open = FastOpen(rng)
        self.flow_labels = FlowLabels(Proto.TCP, rng, config.behaviour.flow_labels)
        self.congestion: CongestionFactory = ALGORITHMS[self.policy.congestion]
        """Of connections made from now on."""
        self.bound: dict[TcpEndpoint, None] = {}
        """Every endpoint that took a name by itself; accepted ones have that of their connection."""
        self.conditional_listeners = 0
        """How many there have been: it tells the requests of one from those of another."""
        self._connections: dict[Connection | TimeWait | Silence, None] = {}
        self._time_waits: dict[TimeWait, None] = {}
        """Those of `_connections` that wait for time to pass, oldest first."""
        self._find = demux.find

    def open(self, cover: Cover, owner: Owner | None = None) -> TcpEndpoint:
        return TcpEndpoint(self, cover, owner)

    def connections(self) -> Iterable[Connection | TimeWait | Silence]:
        """Everything that has a peer: half-open and silent connections and TIME-WAIT included, oldest first."""
        return self._connections.keys()

    def input(self, packet: Packet, now: Instant) -> None:
        payload = packet.payload
        if len(payload) < 20:
            self.trace.drop(DropReason.TCP_TRUNCATED, packet.raw)
            return
        source_port, destination_port, seq, ack, offset_flags, window = _unpack(payload)
        device = packet.interface.index
        target = self._find(packet.destination, destination_port, packet.source, source_port, packet.zone, None, device)
        if not packet.checksum_trusted:
            pseudo = target.pseudo if target is not None else None
            if pseudo is None:
                pseudo = pseudo_sum(packet.source, packet.destination, Proto.TCP)
            if not transport_is_valid(pseudo, payload):
                self.trace.drop(DropReason.TCP_BAD_CHECKSUM, packet.raw)
                return
        if packet.cast is not _UNICAST:
            self.trace.drop(DropReason.TCP_BAD_ADDRESS, packet.raw)
        elif target is not None:
            target.arrive(packet, seq, ack, offset_flags, window, now)
        else:
            self._refuse(packet, now)

    def _refuse(self, packet: Packet, now: Instant) -> None:
        segment = tcp.parse(packet.payload)
        if isinstance(segment, tcp.Segment):
            self.trace.drop(DropReason.TCP_NO_ENDPOINT, packet.raw)
            refuse(self, packet, segment, now)
        else:
            self.trace.drop(segment, packet.raw)

    def icmp_error(self, error: Undelivered, now: Instant) -> bool:
        """An error about a segment of ours."""
        quoted = error.quoted
        local_port = int.from_bytes(quoted[0:2], "big")
        remote_port = int.from_bytes(quoted[2:4], "big")
        target = self._find(error.source, local_port, error.destination, remote_port, error.zone)
        seq = int.from_bytes(quoted[4:8], "big")
        if isinstance(target, Connection) and len(quoted) >= 8 and icmp.is_about(target, seq):
            icmp.take_error(target, error, now)
            return True
        self.trace.drop(DropReason.ICMP_NO_ENDPOINT, quoted)
        return False

    def register(self, connection: Connection | TimeWait | Silence) -> None:
        """Segments of its 4-tuple go to `connection` from now on."""
        device = connection.endpoint.device if isinstance(connection, Connection) else 0
        self.demux.insert(connection.name, connection.remote, connection, device)
        self._connections[connection] = None
        if isinstance(connection, TimeWait):
            self._time_waits[connection] = None
            if len(self._time_waits) > self.config.max_time_wait:
                next(iter(self._time_waits)).end()

    def unregister(self, connection: Connection | TimeWait | Silence) -> None:
        self.demux.remove(connection.name, connection.remote, connection)
        del self._connections[connection]
        if isinstance(connection, TimeWait):
            del self._time_waits[connection]
        elif isinstance(connection, Connection):
            self.fast_open.early.pop(connection, None)

    def listener_for(self, remains: TimeWait) -> Listener | None:
        """Who would get a SYN for the names of `remains` if that were not in the way."""
        local, remote = remains.local, remains.remote
        self.demux.remove(remains.name, remote, remains)
        found = self._find(local.address, local.port, remote.address, remote.port, local.zone or remote.zone)
        self.demux.insert(remains.name, remote, remains)
        return found if isinstance(found, Listener) else None
