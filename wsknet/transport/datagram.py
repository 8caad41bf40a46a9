"""What UDP and raw endpoints have in common: datagrams that wait, which of them are wanted, the latest error."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from wsknet.errors import ErrorKind
from wsknet.net.packet import Cast
from wsknet.net.routes import broadcast_of
from wsknet.net.site import is_same_site
from wsknet.net.well_known import LIMITED_BROADCAST
from wsknet.trace import DropReason
from wsknet.transport.coalescing import coalesce, first_run
from wsknet.transport.endpoint import QUEUE_OVERHEAD, ROUTING_DECIDES, Owner, Ready, TransportEndpoint
from wsknet.transport.multicast import SocketGroups
from wsknet.types import Address, Cover, Endpoint, Family, IfIndex, LocalName

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping
    from typing import Any

    from wsknet.net.layer import IpLayer
    from wsknet.net.packet import Packet
    from wsknet.trace import Trace
    from wsknet.transport.endpoint import PacketInfo
    from wsknet.transport.manner import Manner
    from wsknet.transport.multicast import Joined
    from wsknet.types import Buffers, Instant


class Datagram(NamedTuple):
    data: bytes
    source: Endpoint
    destination: Address
    """As dialled by the sender: what IP_PKTINFO reports."""
    if_index: IfIndex
    cast: Cast
    hop_limit: int
    traffic_class: int
    message_size: int = 0
    """Several datagrams are here together, each so long, but the last may be shorter; 0: it is one."""
    report: ErrorReport | None = None
    """No datagram has come but an ICMP error about one from `destination` to `source`."""

    @property
    def parts(self) -> int:
        """Datagrams that are here together."""
        return -(-len(self.data) // self.message_size) if self.message_size else 1


class ErrorReport(NamedTuple):
    """An ICMP error (IN_RECVERR of ws2ipdef.h)."""

    protocol: int
    """ICMP or ICMPv6."""
    type: int
    code: int
    """Errors that mean the same may come with the code of the commonest."""
    mtu: int
    """That of a packet too big, else 0."""


class Admission(NamedTuple):
    """Which of the datagrams for its name a socket receives; the others are dropped without an answer."""

    interfaces: Mapping[int, frozenset[int]]
    """By address length: from these alone (IP_IFLIST, IPV6_IFLIST).  A length that is missing: from all."""
    broadcasts: bool = True
    """IP_RECEIVE_BROADCAST."""

    def admits(self, datagram: Datagram) -> bool:
        if datagram.cast is Cast.BROADCAST and not self.broadcasts:
            return False
        interfaces = self.interfaces.get(len(datagram.destination))
        return interfaces is None or datagram.if_index in interfaces


class DatagramEndpoint(TransportEndpoint, ABC):
    """`local` is `None` until bind; its address stays `None` for the wildcard."""

    __slots__ = ("_notify", "_queue", "_queued", "_trace", "admission", "coalesced_size", "cover",
                 "is_restricted", "local", "manner", "may_broadcast", "multicast", "receive_buffer", "remote",
                 "reports_errors", "tells_port_unreachable", "unicast_interfaces")  # fmt: skip

    NOT_ADMITTED: ClassVar[DropReason]
    BUFFER_FULL: ClassVar[DropReason]

    def __init__(
        self,
        cover: Cover,
        joined: Joined[Any],
        receive_buffer: int,
        trace: Trace,
        notify: Callable[[TransportEndpoint, int], None],
        owner: Owner | None,
    ) -> None:
        super().__init__(owner)
        self._trace = trace
        self._notify = notify
        self._queue: deque[Datagram] = deque()
        self._queued = 0
        self.cover = cover
        self.local: LocalName | None = None
        self.remote: Endpoint | None = None
        self.may_broadcast = False
        self.admission: Admission | None = None
        """`None`: everything for the name is received."""
        self.coalesced_size = 0
        """Bytes that datagrams of one flow may have together, when they are received as one; 0: each for itself."""
        self.tells_port_unreachable = True
        """SIO_UDP_CONNRESET."""
        self.unicast_interfaces = ROUTING_DECIDES
        """Counts from the next datagram on.  What is received does not depend on it."""
        self.is_restricted = False
        """Only hosts of the same site are heard over IPv6, and the peer (PROTECTION_LEVEL_RESTRICTED)."""
        self.manner: Manner | None = None
        """How it sends; `None`: as usual."""
        self.reports_errors: Container[int] = ()
        """Address lengths over which ICMP errors are received like datagrams (IP_RECVERR, IPV6_RECVERR), and are not
        told otherwise."""
        self.multicast = SocketGroups(self, joined)
        self.receive_buffer = receive_buffer
        """Bytes, QUEUE_OVERHEAD per datagram included."""

    @property
    def readable(self) -> int:
        """Datagrams waiting."""
        return len(self._queue)

    @property
    def newest(self) -> Datagram:
        """Of those that wait, of which there must be one."""
        return self._queue[-1]

    @abstractmethod
    def connect(self, remote: Endpoint | None, now: Instant) -> None:
        """Fix the peer: sends default to it, datagrams from others are dropped.  `None` takes that back."""

    @abstractmethod
    def send(self, data: Buffers, to: Endpoint | None, now: Instant, info: PacketInfo | None = None) -> None:
        """Send one datagram to `to`, or to the fixed peer.  The source is chosen here if the name is the wildcard."""

    @abstractmethod
    def close(self, now: Instant) -> None:
        """Give everything back.  Legal in every state, more than once."""

    def receive(self) -> Datagram | None:
        if not self._queue:
            return None
        datagram = self._queue.popleft()
        self._queued -= len(datagram.data) + QUEUE_OVERHEAD
        if self.coalesced_size and self._queue:
            datagram = first_run(chain((datagram,), self._queue), self.coalesced_size)
            self.take(datagram.parts - 1)
        return datagram

    def peek(self) -> list[Datagram]:
        """All that waits, oldest first, put together as `receive` would do it now."""
        return coalesce(self._queue, self.coalesced_size) if self.coalesced_size else list(self._queue)

    def take(self, count: int) -> None:
        """Forget the oldest `count` datagrams; each counts for itself."""
        for _ in range(count):
            self._queued -= len(self._queue.popleft().data) + QUEUE_OVERHEAD

    def admits_sender(self, packet: Packet) -> bool:
        return not self.is_restricted or self.remote is not None or is_same_site(packet)

    def take_error(self) -> ErrorKind | None:
        """The latest ICMP error since the last call; reading clears it."""
        error, self.error = self.error, None
        return error

    def deliver(self, datagram: Datagram) -> None:
        admission = self.admission
        if admission is not None and not admission.admits(datagram):
            self._trace.drop(self.NOT_ADMITTED, datagram.data)
            return
        charge = len(datagram.data) + QUEUE_OVERHEAD
        if self._queued + charge > self.receive_buffer:
            self._trace.drop(self.BUFFER_FULL, datagram.data)
            return
        self._queued += charge
        self._queue.append(datagram)
        self._notify(self, Ready.READABLE)

    def fail(self, error: ErrorKind) -> None:
        if error is ErrorKind.PORT_UNREACHABLE and not self.tells_port_unreachable:
            return
        self.error = error
        self._notify(self, Ready.READABLE)

    def discard(self) -> None:
        """Drop what waits: the endpoint is being closed."""
        self.owner = None
        self._queue.clear()
        self._queued = 0


def names_that_hear(ip: IpLayer, packet: Packet) -> Iterable[Address]:
    """Our addresses on the subnet of a broadcast: of all on the interface if it is the limited one."""
    if not ip.config.behaviour.unicast_name_hears_broadcast:
        return ()
    return [
        entry.address
        for entry in packet.interface.addresses_of(Family.IPV4)
        if packet.destination in (LIMITED_BROADCAST, broadcast_of(entry.address, entry.prefix_length))
    ]
