"""One UDP socket, as the faces use it.  Read BIND-2 (deferred assignment) before editing."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net.packet import MAX_PAYLOAD, Cast
from wsknet.net.path import needs_zone
from wsknet.trace import DropReason
from wsknet.transport.endpoint import QUEUE_OVERHEAD, ROUTING_DECIDES, Owner, Ready, TransportEndpoint, zone_towards
from wsknet.transport.multicast import SocketGroups
from wsknet.transport.ports import ANYONE, Reservation
from wsknet.transport.sharing import Sharing
from wsknet.types import (
    Address,
    Buffers,
    Cover,
    Endpoint,
    Family,
    IfIndex,
    Instant,
    LocalName,
    Proto,
    is_link_local,
    is_multicast,
    is_unspecified,
)
from wsknet.wire import udp as wire
from wsknet.wire.checksum import pseudo_sum

if TYPE_CHECKING:
    from wsknet.transport.sharing import Security
    from wsknet.transport.udp.protocol import UdpProtocol

MAX_DATA = {4: MAX_PAYLOAD[Family.IPV4] - wire.HEADER_LENGTH, 16: MAX_PAYLOAD[Family.IPV6] - wire.HEADER_LENGTH}
"""Bytes of one datagram, by address length."""


class Datagram(NamedTuple):
    data: bytes
    source: Endpoint
    destination: Address
    """As dialled by the sender: what IP_PKTINFO reports."""
    if_index: IfIndex
    cast: Cast
    hop_limit: int
    traffic_class: int


class UdpEndpoint(TransportEndpoint):
    """One UDP socket.  `local` is `None` until bind; its address stays `None` for the wildcard."""

    __slots__ = ("_protocol", "_queue", "_queued", "_reservation", "cover", "local", "may_broadcast", "multicast",
                 "receive_buffer", "remote", "unicast_interfaces")  # fmt: skip

    def __init__(self, protocol: UdpProtocol, cover: Cover, owner: Owner | None) -> None:
        super().__init__(owner)
        self._protocol = protocol
        self._queue: deque[Datagram] = deque()
        self._queued = 0
        self._reservation: Reservation | None = None
        self.cover = cover
        self.local: LocalName | None = None
        self.remote: Endpoint | None = None
        self.may_broadcast = False
        self.unicast_interfaces = ROUTING_DECIDES
        """Counts from the next datagram on.  What is received does not depend on it."""
        self.multicast = SocketGroups(self, protocol.joined)
        self.receive_buffer = protocol.config.receive_buffer
        """Bytes, QUEUE_OVERHEAD per datagram included."""

    @property
    def readable(self) -> int:
        """Datagrams waiting."""
        return len(self._queue)

    def bind(
        self, name: LocalName, now: Instant, sharing: Sharing = Sharing.DEFAULT, security: Security = ANYONE
    ) -> None:  # fmt: skip
        """Take `name` (port 0: a dynamic one) and start to receive.

        Raises `LocalError` INVALID_STATE when already bound, `NetError` NOT_LOCAL, IN_USE, DENIED or NO_PORTS.
        """
        if self._reservation is not None:
            raise LocalError(ErrorKind.INVALID_STATE, "already bound")
        protocol = self._protocol
        if name.address is not None:
            name = name._replace(zone=protocol.ip.bindable(name.address, name.zone))
        self._reservation = protocol.ports.reserve(name, sharing, security)
        self.local = self._reservation.name
        protocol.demux.insert(self.local, None, self)

    def connect(self, remote: Endpoint | None, now: Instant) -> None:
        """Fix the peer: sends default to it, datagrams from others are dropped.  `None` takes that back.

        The local name does not move: a socket bound to the wildcard goes on choosing a source per datagram.
        A link-local peer without a zone gets that of the link which would be used now.  Raises `LocalError`
        INVALID_STATE (not bound) or INVALID_ARGUMENT (a family that the name does not cover), `NetError` NO_ROUTE (a
        link-local peer that cannot be reached).
        """
        local = self.local
        if local is None:
            raise LocalError(ErrorKind.INVALID_STATE, "bind first")
        if remote is not None:
            zone = zone_towards(local, remote)
            if not zone and is_link_local(remote.address):
                # What the peer sends will carry the zone of its link, and must be found under it.
                through = self.unicast_interfaces[len(remote.address)]
                zone = self._protocol.ip.path(remote.address, local.address, interface=through).zone
            remote = remote._replace(zone=zone if needs_zone(remote.address) else 0)
        self._protocol.demux.remove(local, self.remote, self)
        self.remote = remote
        self._protocol.demux.insert(local, remote, self)

    def send(self, data: Buffers, to: Endpoint | None, now: Instant) -> None:
        """Send one datagram to `to`, or to the fixed peer.  The source is chosen here if the name is the wildcard.

        Raises `LocalError` INVALID_STATE (not bound) or INVALID_ARGUMENT (no destination, or one of a family that the
        name does not cover), `NetError` NO_ROUTE, NOT_LOCAL (unspecified destination or port 0), MESSAGE_TOO_LONG,
        BROADCAST_DENIED.
        """
        local = self.local
        if local is None:
            raise LocalError(ErrorKind.INVALID_STATE, "bind first")
        if to is None:
            to = self.remote
            if to is None:
                raise LocalError(ErrorKind.INVALID_ARGUMENT, "no destination given and no peer fixed")
        address, port, _ = to
        if port == 0 or is_unspecified(address):
            raise NetError(ErrorKind.NOT_LOCAL, "neither port 0 nor the unspecified address can be a destination")
        ip = self._protocol.ip
        hop_limit: int | None = None
        if is_multicast(address):
            hop_limit = self.multicast.hop_limit
            to = to._replace(zone=to.zone or self.multicast.if_index or 0)
        path = ip.path(address, local.address, zone_towards(local, to), None, self.unicast_interfaces[len(address)])
        if path.is_broadcast and not self.may_broadcast:
            raise NetError(ErrorKind.BROADCAST_DENIED, "SO_BROADCAST is off")
        length = sum(map(len, data))
        if length > MAX_DATA[len(address)]:
            raise NetError(ErrorKind.MESSAGE_TOO_LONG, f"{length} bytes do not fit into one datagram")
        checksum = wire.checksum(pseudo_sum(path.source, address, Proto.UDP), local.port, port, data)
        header = wire.build(local.port, port, length, checksum)
        label = self._protocol.flow_labels[path.source, local.port, address, port] if len(address) == 16 else 0
        is_heard_here = hop_limit is None or self.multicast.is_looped
        ip.send(path, Proto.UDP, header, data, now, hop_limit, flow_label=label, is_heard_here=is_heard_here)

    def receive(self) -> Datagram | None:
        if not self._queue:
            return None
        datagram = self._queue.popleft()
        self._queued -= len(datagram.data) + QUEUE_OVERHEAD
        return datagram

    def peek(self) -> list[Datagram]:
        """All that waits, oldest first; `receive` takes them in the same order."""
        return list(self._queue)

    def take_error(self) -> ErrorKind | None:
        """The latest ICMP error since the last call; reading clears it."""
        error, self.error = self.error, None
        return error

    def deliver(self, datagram: Datagram) -> None:
        charge = len(datagram.data) + QUEUE_OVERHEAD
        if self._queued + charge > self.receive_buffer:
            self._protocol.trace.drop(DropReason.UDP_BUFFER_FULL, datagram.data)
            return
        self._queued += charge
        self._queue.append(datagram)
        self._protocol.notify(self, Ready.READABLE)

    def fail(self, error: ErrorKind) -> None:
        self.error = error
        self._protocol.notify(self, Ready.READABLE)

    def close(self, now: Instant) -> None:
        """Give everything back.  Legal in every state, more than once."""
        self.owner = None
        self._queue.clear()
        self._queued = 0
        self.multicast.close(now)
        if self._reservation is None or self.local is None:
            return
        self._protocol.demux.remove(self.local, self.remote, self)
        self._protocol.ports.release(self._reservation)
        self._reservation = self.local = None
