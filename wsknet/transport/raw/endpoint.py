"""One raw socket, as the faces use it.  It takes no port, so that any number of them may have one name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net.path import this_host
from wsknet.net.terms import USUAL
from wsknet.trace import DropReason
from wsknet.transport.datagram import DatagramEndpoint
from wsknet.transport.endpoint import Owner, PacketInfo, zone_towards
from wsknet.transport.raw.checksums import ICMPV6_OFFSET, with_checksum
from wsknet.transport.raw.headers import given
from wsknet.transport.udp.naming import fix_peer, name_with
from wsknet.types import Buffers, Cover, Endpoint, Family, Instant, LocalName, Proto, is_multicast, is_unspecified

if TYPE_CHECKING:
    from wsknet.net.packet import Path
    from wsknet.transport.raw.protocol import RawProtocol


class RawEndpoint(DatagramEndpoint):
    """The port of its names is always 0.  Over IPv4 a datagram received is the whole packet, header included; over IPv6
    what follows the last header."""

    __slots__ = ("_bound", "_protocol", "checksum_offset", "has_header")

    NOT_ADMITTED = DropReason.RAW_NOT_ADMITTED
    BUFFER_FULL = DropReason.RAW_BUFFER_FULL

    def __init__(self, protocol: RawProtocol, cover: Cover, owner: Owner | None) -> None:
        raw = protocol.raw
        super().__init__(cover, protocol.joined, raw.receive_buffer, raw.ip.trace, raw.notify, owner)
        self._protocol = protocol
        self._bound: LocalName | None = None
        """What `local` was before a peer was fixed, as long as one is."""
        self.has_header = False
        """What is sent begins with an IP header (IP_HDRINCL, IPV6_HDRINCL)."""
        self.checksum_offset: int | None = None
        """Where the stack puts and checks a checksum, over IPv6 (IPV6_CHECKSUM)."""

    def bind(self, name: LocalName, now: Instant) -> None:
        """Take `name`, whose port does not count, and start to receive.

        Raises `LocalError` INVALID_STATE when already bound, `NetError` NOT_LOCAL, or DENIED for TCP where raw sockets
        are restricted.
        """
        if self.local is not None:
            raise LocalError(ErrorKind.INVALID_STATE, "already bound")
        self._require_allowed(self._protocol.number)
        if name.address is not None:
            name = name._replace(zone=self._protocol.ip.bindable(name.address, name.zone))
        self.local = name._replace(port=0)
        self._protocol.insert(self)

    def connect(self, remote: Endpoint | None, now: Instant) -> None:
        """As `UdpEndpoint.connect`; the port of `remote` does not count."""
        local = self.local
        if local is None:
            raise LocalError(ErrorKind.INVALID_STATE, "bind first")
        bound = self._bound or local
        name = bound
        if remote is not None:
            name, remote = fix_peer(self, self._protocol.ip, bound, self._meant(remote))
        demux = self._protocol.demux
        demux.remove(local, self.remote, self)
        self._bound = None if remote is None else bound
        self.local, self.remote = name, remote
        demux.insert(name, remote, self)

    def send(self, data: Buffers, to: Endpoint | None, now: Instant, info: PacketInfo | None = None) -> None:
        """Send one packet to `to`, or to the fixed peer; with `has_header` its header may name another destination.

        Raises `LocalError` INVALID_STATE (not bound), NOT_SUPPORTED (`info` with a size of messages) or
        INVALID_ARGUMENT (no destination, one of a family that the name or the source does not cover, no header, no room
        for the checksum), `NetError` NO_ROUTE, NOT_LOCAL, BROADCAST_DENIED, MESSAGE_TOO_LONG (with a header of its own:
        more than the path takes), or DENIED for TCP where raw sockets are restricted.
        """
        local = self.local
        if local is None:
            raise LocalError(ErrorKind.INVALID_STATE, "bind first")
        to = to or self.remote
        if to is None:
            raise LocalError(ErrorKind.INVALID_ARGUMENT, "no destination given and no peer fixed")
        to = self._meant(to)
        address, ip = to.address, self._protocol.ip
        asked, traffic_class = 0, None
        if info is not None:
            if info.message_size is not None:
                raise LocalError(ErrorKind.NOT_SUPPORTED, "only UDP cuts data into messages")
            local = name_with(ip, local, to, info)
            asked, traffic_class = info.if_index, info.traffic_class
        if is_multicast(address):
            to = to._replace(zone=to.zone or asked or self.multicast.if_index or 0)
        through = asked or self.unicast_interfaces[len(address)]
        path = ip.path(address, local.address, zone_towards(local, to), None, through)
        if path.is_broadcast and not self.may_broadcast:
            raise NetError(ErrorKind.BROADCAST_DENIED, "SO_BROADCAST is off")
        if self.has_header:
            self._send_whole(path, b"".join(data), now)
        else:
            self._send_payload(path, b"".join(data), now, traffic_class)

    def _send_payload(self, path: Path, payload: bytes, now: Instant, traffic_class: int | None) -> None:
        """`None`: that of the socket."""
        protocol = self._protocol
        number, destination = protocol.number, path.destination
        offset = ICMPV6_OFFSET if number == Proto.ICMPV6 else self.checksum_offset
        if path.family is Family.IPV6 and offset is not None:
            payload = with_checksum(payload, path.source, destination, number, offset)
        is_to_group = is_multicast(destination)
        terms = USUAL if self.manner is None else self.manner.terms[len(destination)]
        protocol.ip.send(
            terms.adapt(path),
            number,
            b"",
            (payload,),
            now,
            hop_limit=self.multicast.hop_limit if is_to_group else terms.hop_limit,
            traffic_class=terms.traffic_class if traffic_class is None else traffic_class,
            flow_label=protocol.flow_labels[path.source, 0, destination, 0],
            may_fragment=terms.may_fragment,
            is_heard_here=not is_to_group or self.multicast.is_looped,
        )

    def _send_whole(self, path: Path, packet: bytes, now: Instant) -> None:
        """Never in fragments: raw(7) has it so, and the application may have cut it already."""
        ip = self._protocol.ip
        made = given(path.family, packet, path.source, lambda: ip.output.identification(path))
        self._require_allowed(made.protocol)
        if len(made.packet) > path.mtu:
            raise NetError(ErrorKind.MESSAGE_TOO_LONG, f"{len(made.packet)} bytes, the path takes {path.mtu}")
        is_restricted = ip.config.behaviour.raw_sends_are_restricted
        if is_restricted and made.protocol == Proto.UDP and not ip.is_local(made.source):
            ip.trace.drop(DropReason.RAW_SPOOFED_SOURCE, made.packet)
            return
        is_heard_here = not is_multicast(path.destination) or self.multicast.is_looped
        ip.output.send_packet(path, made.packet, made.offset, made.protocol, now, is_heard_here)

    def _require_allowed(self, number: int) -> None:
        if number == Proto.TCP and self._protocol.ip.config.behaviour.raw_sends_are_restricted:
            raise NetError(ErrorKind.DENIED, "raw sockets are not for TCP")

    def _meant(self, to: Endpoint) -> Endpoint:
        """`to` without its port; our own address where the unspecified one stands for it."""
        address = to.address
        if not is_unspecified(address):
            return to._replace(port=0)
        ip = self._protocol.ip
        if not ip.config.behaviour.unspecified_means_this_host:
            raise NetError(ErrorKind.NOT_LOCAL, "the unspecified address is no destination")
        return Endpoint(this_host(ip.tables, address, self.local.address if self.local else None), 0)

    def close(self, now: Instant) -> None:
        self.discard()
        self.multicast.close(now)
        if self.local is not None:
            self._protocol.remove(self)
            self._bound = self.local = self.remote = None
