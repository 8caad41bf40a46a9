"""One UDP socket, as the faces use it.  Read BIND-2 (deferred assignment) before editing."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net.packet import MAX_PAYLOAD, Cast
from wsknet.trace import DropReason
from wsknet.transport.endpoint import (
    QUEUE_OVERHEAD,
    ROUTING_DECIDES,
    Owner,
    PacketInfo,
    Ready,
    TransportEndpoint,
    meant,
    zone_towards,
)
from wsknet.transport.multicast import SocketGroups
from wsknet.transport.ports import ANYONE, PortChoice, Reservation
from wsknet.transport.sharing import Holder, Sharing
from wsknet.transport.udp.naming import fix_peer, name_with
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
    is_multicast,
    is_unspecified,
)
from wsknet.wire import udp as wire
from wsknet.wire.checksum import pseudo_sum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsknet.config import PortRange
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


class UdpEndpoint(TransportEndpoint):
    """One UDP socket.  `local` is `None` until bind; its address stays `None` for the wildcard."""

    __slots__ = ("_bound", "_deferred", "_is_port_chosen", "_protocol", "_queue", "_queued", "_reservation",
                 "admission", "cover", "device", "local", "may_broadcast", "multicast", "receive_buffer", "remote",
                 "tells_port_unreachable", "unicast_interfaces")  # fmt: skip

    def __init__(self, protocol: UdpProtocol, cover: Cover, owner: Owner | None) -> None:
        super().__init__(owner)
        self._protocol = protocol
        self._queue: deque[Datagram] = deque()
        self._queued = 0
        self._reservation: Reservation | None = None
        self._deferred: Holder | None = None
        """What bind was given, as long as the port is not chosen."""
        self._is_port_chosen = False
        """`bind` was given none."""
        self._bound: LocalName | None = None
        """What `local` was before a peer was fixed, as long as one is."""
        self.cover = cover
        self.device = 0
        """The one interface that is heard, 0 for all."""
        self.local: LocalName | None = None
        self.remote: Endpoint | None = None
        self.may_broadcast = False
        self.admission: Admission | None = None
        """`None`: everything for the name is received."""
        self.tells_port_unreachable = True
        """SIO_UDP_CONNRESET."""
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
        self,
        name: LocalName,
        now: Instant,
        sharing: Sharing = Sharing.DEFAULT,
        security: Security = ANYONE,
        *,
        choice: PortChoice = PortChoice.ORDINARY,
        block: PortRange | None = None,
        device: int = 0,
    ) -> None:
        """Take `name` (port 0: a dynamic one, or one of `block`) and start to receive, on interface `device` if given.

        With AT_CONNECT port 0 stays 0, and nothing is received, until connect or send.  The port is then nobody else's:
        sockets with one name could not be told apart once the peer is given up.

        Raises `LocalError` INVALID_STATE when already bound, INVALID_ARGUMENT for a `block` that is not there,
        `NetError` NOT_LOCAL, IN_USE, DENIED or NO_PORTS.
        """
        if self.local is not None:
            raise LocalError(ErrorKind.INVALID_STATE, "already bound")
        protocol = self._protocol
        if name.address is not None:
            name = name._replace(zone=protocol.ip.bindable(name.address, name.zone))
        self._is_port_chosen = not name.port
        if choice is PortChoice.AT_CONNECT and not name.port and block is None:
            self._deferred = Holder(name, sharing, security, device)
            self.local = name
        else:
            self._take(protocol.ports.reserve(name, sharing, security, device, choice=choice, block=block))
        protocol.bound[self] = None

    def _take(self, reservation: Reservation) -> LocalName:
        self._reservation = reservation
        self.local = reservation.name
        self.device = reservation.holder.device
        self._protocol.demux.insert(self.local, None, self, self.device)
        return self.local

    def _fix_port(self) -> LocalName:
        """The local name, with a port from now on.  Raises `LocalError` INVALID_STATE, `NetError` NO_PORTS."""
        if self._deferred is None:
            raise LocalError(ErrorKind.INVALID_STATE, "bind first")
        local = self._take(self._protocol.ports.reserve(*self._deferred))
        self._deferred = None
        return local

    def connect(self, remote: Endpoint | None, now: Instant) -> None:
        """Fix the peer: sends default to it, datagrams from others are dropped.  `None` takes that back.

        A name without an address gets the source that routing chooses now (`udp_connect_commits_address`); `None` puts
        back what bind was given.  What waits stays readable.  Another peer is fixed from the bound name.  A link-local
        peer without a zone gets that of the link which would be used.  Raises `LocalError` INVALID_STATE (not bound) or
        INVALID_ARGUMENT (a family that the name does not cover), `NetError` NO_ROUTE, NOT_LOCAL (the bound address is
        gone, or the unspecified peer) or BROADCAST_DENIED; then everything is as before.
        """
        local = self.local
        if local is None:
            raise LocalError(ErrorKind.INVALID_STATE, "bind first")
        bound = self._bound or local
        if remote is None and self._is_port_given_back():
            self._give_port_back(local, bound)
            return
        name = bound
        if remote is not None:
            name, remote = fix_peer(self, self._protocol.ip, bound, remote)
        if not local.port:
            if remote is None:
                return
            local = bound = self._fix_port()
            name = name._replace(port=local.port)
        self._protocol.demux.remove(local, self.remote, self)
        self._bound = None if remote is None else bound
        self.local, self.remote = name, remote
        self._protocol.demux.insert(name, remote, self, self.device)

    def _is_port_given_back(self) -> bool:
        is_connected = self._bound is not None and self._is_port_chosen
        return is_connected and self._protocol.ip.config.behaviour.udp_disconnect_releases_port

    def _give_port_back(self, local: LocalName, bound: LocalName) -> None:
        """The name without a port; the next is chosen when it is needed."""
        assert self._reservation is not None
        self._protocol.demux.remove(local, self.remote, self)
        self._protocol.ports.release(self._reservation)
        self.local = bound._replace(port=0)
        self._deferred = self._reservation.holder._replace(name=self.local)
        self._reservation = self._bound = self.remote = None

    def send(self, data: Buffers, to: Endpoint | None, now: Instant, info: PacketInfo | None = None) -> None:
        """Send one datagram to `to`, or to the fixed peer.  The source is chosen here if the name is the wildcard.

        `info` may give this datagram another source and interface; replies are received only if the name covers that
        source.  Raises `LocalError` INVALID_STATE (not bound) or INVALID_ARGUMENT (no destination, or one of a family
        that the name or the source does not cover), `NetError` NO_ROUTE, NOT_LOCAL (unspecified destination, port 0, a
        source that is not ours), MESSAGE_TOO_LONG, BROADCAST_DENIED.
        """
        local = self.local
        if local is None or not local.port:
            local = self._fix_port()
        if to is None:
            to = self.remote
            if to is None:
                raise LocalError(ErrorKind.INVALID_ARGUMENT, "no destination given and no peer fixed")
        address, port, _ = to
        if port == 0 or is_unspecified(address):
            address, port, _ = to = meant(self._protocol.ip, local, to)
        ip = self._protocol.ip
        hop_limit: int | None = None
        traffic_class = asked = 0
        if info is not None:
            local = name_with(ip, local, to, info)
            _, asked, traffic_class = info
        if is_multicast(address):
            hop_limit = self.multicast.hop_limit
            to = to._replace(zone=to.zone or asked or self.multicast.if_index or 0)
        through = asked or self.unicast_interfaces[len(address)]
        path = ip.path(address, local.address, zone_towards(local, to), None, through)
        if path.is_broadcast and not self.may_broadcast:
            raise NetError(ErrorKind.BROADCAST_DENIED, "SO_BROADCAST is off")
        length = sum(map(len, data))
        if length > MAX_DATA[len(address)]:
            raise NetError(ErrorKind.MESSAGE_TOO_LONG, f"{length} bytes do not fit into one datagram")
        checksum = wire.checksum(pseudo_sum(path.source, address, Proto.UDP), local.port, port, data)
        header = wire.build(local.port, port, length, checksum)
        label = self._protocol.flow_labels[path.source, local.port, address, port] if len(address) == 16 else 0
        is_heard_here = hop_limit is None or self.multicast.is_looped
        ip.send(path, Proto.UDP, header, data, now, hop_limit, traffic_class, label, is_heard_here=is_heard_here)

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
        admission = self.admission
        if admission is not None and not admission.admits(datagram):
            self._protocol.trace.drop(DropReason.UDP_NOT_ADMITTED, datagram.data)
            return
        charge = len(datagram.data) + QUEUE_OVERHEAD
        if self._queued + charge > self.receive_buffer:
            self._protocol.trace.drop(DropReason.UDP_BUFFER_FULL, datagram.data)
            return
        self._queued += charge
        self._queue.append(datagram)
        self._protocol.notify(self, Ready.READABLE)

    def fail(self, error: ErrorKind) -> None:
        if error is ErrorKind.PORT_UNREACHABLE and not self.tells_port_unreachable:
            return
        self.error = error
        self._protocol.notify(self, Ready.READABLE)

    def close(self, now: Instant) -> None:
        """Give everything back.  Legal in every state, more than once."""
        self.owner = None
        self._queue.clear()
        self._queued = 0
        self.multicast.close(now)
        if self.local is None:
            return
        if self._reservation is not None:
            self._protocol.demux.remove(self.local, self.remote, self)
            self._protocol.ports.release(self._reservation)
        self._reservation = self._bound = self._deferred = self.local = None
        self._protocol.bound.pop(self, None)
