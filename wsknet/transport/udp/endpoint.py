"""One UDP socket, as the faces use it.  Read BIND-2 (deferred assignment) before editing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net.packet import MAX_PAYLOAD
from wsknet.trace import DropReason
from wsknet.transport.datagram import DatagramEndpoint
from wsknet.transport.endpoint import Owner, PacketInfo, meant, zone_towards
from wsknet.transport.icmp_errors import reported
from wsknet.transport.manner import PLAIN
from wsknet.transport.ports import ANYONE, PortChoice, Reservation
from wsknet.transport.sharing import Holder, Sharing
from wsknet.transport.udp.naming import fix_peer, name_with
from wsknet.transport.udp.sending import Departure, send_in_manner
from wsknet.types import (
    Buffers,
    Cover,
    Endpoint,
    Family,
    Instant,
    LocalName,
    Proto,
    is_multicast,
    is_unspecified,
)
from wsknet.wire import udp as wire
from wsknet.wire.checksum import pseudo_sum

if TYPE_CHECKING:
    from wsknet.config import PortRange
    from wsknet.net.handler import Undelivered
    from wsknet.transport.manner import Manner
    from wsknet.transport.sharing import Security
    from wsknet.transport.udp.protocol import UdpProtocol

MAX_DATA = {4: MAX_PAYLOAD[Family.IPV4] - wire.HEADER_LENGTH, 16: MAX_PAYLOAD[Family.IPV6] - wire.HEADER_LENGTH}
"""Bytes of one datagram, by address length."""


class UdpEndpoint(DatagramEndpoint):
    """One UDP socket."""

    __slots__ = ("_bound", "_deferred", "_is_port_chosen", "_protocol", "_reservation", "device")

    NOT_ADMITTED = DropReason.UDP_NOT_ADMITTED
    BUFFER_FULL = DropReason.UDP_BUFFER_FULL

    def __init__(self, protocol: UdpProtocol, cover: Cover, owner: Owner | None) -> None:
        receive_buffer = protocol.config.receive_buffer
        super().__init__(cover, protocol.joined, receive_buffer, protocol.trace, protocol.notify, owner)
        self._protocol = protocol
        self._reservation: Reservation | None = None
        self._deferred: Holder | None = None
        """What bind was given, as long as the port is not chosen."""
        self._is_port_chosen = False
        """`bind` was given none."""
        self._bound: LocalName | None = None
        """What `local` was before a peer was fixed, as long as one is."""
        self.device = 0
        """The one interface that is heard, 0 for all."""

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
        manner = self.manner
        if manner is not None or info is not None:
            manner, traffic_class = self._asked(len(address), info)
        if info is not None:
            local = name_with(ip, local, to, info)
            asked = info.if_index
        if is_multicast(address):
            hop_limit = self.multicast.hop_limit
            to = to._replace(zone=to.zone or asked or self.multicast.if_index or 0)
        through = asked or self.unicast_interfaces[len(address)]
        path = ip.path(address, local.address, zone_towards(local, to), None, through)
        if path.is_broadcast and not self.may_broadcast:
            raise NetError(ErrorKind.BROADCAST_DENIED, "SO_BROADCAST is off")
        if manner is not None:
            is_heard_here = hop_limit is None or self.multicast.is_looped
            departure = Departure(path, (local.port, port), hop_limit, traffic_class, is_heard_here)
            send_in_manner(self._protocol, manner, data, departure, now)
            return
        length = sum(map(len, data))
        if length > MAX_DATA[len(address)]:
            raise NetError(ErrorKind.MESSAGE_TOO_LONG, f"{length} bytes do not fit into one datagram")
        checksum = wire.checksum(pseudo_sum(path.source, address, Proto.UDP), local.port, port, data)
        header = wire.build(local.port, port, length, checksum)
        label = self._protocol.flow_labels[path.source, local.port, address, port] if len(address) == 16 else 0
        is_heard_here = hop_limit is None or self.multicast.is_looped
        ip.send(path, Proto.UDP, header, data, now, hop_limit, traffic_class, label, is_heard_here=is_heard_here)

    def _asked(self, length: int, info: PacketInfo | None) -> tuple[Manner | None, int]:
        """The manner and traffic class of one datagram."""
        manner = self.manner
        traffic_class = 0 if manner is None else manner.terms[length].traffic_class
        if info is not None and info.traffic_class is not None:
            traffic_class = info.traffic_class
        if info is not None and info.message_size is not None:
            manner = (manner or PLAIN)._replace(message_size=info.message_size)
        return manner, traffic_class

    def report(self, error: Undelivered, now: Instant) -> None:
        """Let an ICMP error be received, in its place among the datagrams."""
        self.deliver(reported(self._protocol.ip, error, int.from_bytes(error.quoted[2:4], "big")))

    def close(self, now: Instant) -> None:
        """Give everything back.  Legal in every state, more than once."""
        self.discard()
        self.multicast.close(now)
        if self.local is None:
            return
        if self._reservation is not None:
            self._protocol.demux.remove(self.local, self.remote, self)
            self._protocol.ports.release(self._reservation)
        self._reservation = self._bound = self._deferred = self.local = None
        self._protocol.bound.pop(self, None)
