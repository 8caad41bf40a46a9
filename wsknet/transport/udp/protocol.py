"""UDP endpoints.  Read RFC 768, RFC 1122 4.1 and RFC 8200 8.1 before editing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.handler import Undelivered
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.net.packet import Cast, Packet
from wsknet.trace import DropReason
from wsknet.transport.datagram import Datagram, names_that_hear
from wsknet.transport.endpoint import Owner, TransportEndpoint
from wsknet.transport.flow_label import FlowLabels
from wsknet.transport.icmp_errors import error_kind, is_silent_neighbour
from wsknet.transport.multicast import Joined
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import Cover, Endpoint, Instant, Proto
from wsknet.wire import udp as wire
from wsknet.wire.checksum import pseudo_sum, transport_is_valid

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.config import UdpConfig
    from wsknet.net.layer import IpLayer
    from wsknet.trace import Trace
    from wsknet.transport.demux import Demux
    from wsknet.transport.ports import PortTable


class UdpProtocol:
    """UDP of one host."""

    def __init__(
        self,
        ip: IpLayer,
        ports: PortTable,
        demux: Demux[UdpEndpoint],
        config: UdpConfig,
        trace: Trace,
        notify: Callable[[TransportEndpoint, int], None],
    ) -> None:
        self.ip = ip
        self.ports = ports
        self.demux = demux
        self.config = config
        self.trace = trace
        self.notify = notify
        self.joined: Joined[UdpEndpoint] = Joined(ip)
        self.bound: dict[UdpEndpoint, None] = {}
        """Every endpoint that has a name."""
        self.flow_labels = FlowLabels(Proto.UDP, ip.rng, ip.config.behaviour.flow_labels)

    def open(self, cover: Cover, owner: Owner | None = None) -> UdpEndpoint:
        return UdpEndpoint(self, cover, owner)

    def input(self, packet: Packet, now: Instant) -> None:
        payload = packet.payload
        header = wire.parse(payload)
        if not isinstance(header, tuple):
            self.trace.drop(header, packet.raw)
            return
        source_port, destination_port, length, checksum = header
        if not self._checksum_is_valid(packet, payload, checksum, length):
            self.trace.drop(DropReason.UDP_BAD_CHECKSUM, packet.raw)
            return
        names = (packet.destination, destination_port, packet.source, source_port, packet.zone)
        if packet.cast is Cast.UNICAST:
            found = self.demux.find(*names, None, packet.interface.index)
            if found is not None and found.is_restricted and not found.admits_sender(packet):
                self.trace.drop(DropReason.UDP_NOT_ADMITTED, packet.raw)
                self.ip.icmp.send_error(IcmpErrorKind.PORT_UNREACHABLE, packet, now)  # as if nobody were there
                return
            receivers = [found] if found is not None else []
        else:
            receivers = self.group_receivers(packet, destination_port, source_port)
        if not receivers:
            self._refuse(packet, destination_port, now)
            return
        datagram = Datagram(
            payload[8:length],
            Endpoint(packet.source, source_port, packet.zone),
            packet.destination,
            packet.interface.index,
            packet.cast,
            packet.hop_limit,
            packet.traffic_class,
        )
        for endpoint in receivers:
            endpoint.deliver(datagram)

    def group_receivers(self, packet: Packet, port: int, source_port: int) -> list[UdpEndpoint]:
        """Who gets a copy of a broadcast or multicast datagram that comes from `source_port` to `port`."""
        names = (packet.destination, port, packet.source, source_port, packet.zone)
        demux, device = self.demux, packet.interface.index
        if packet.cast is Cast.BROADCAST:
            return demux.find_all(*names, names_that_hear(self.ip, packet), device)
        members = self.joined.members(packet, port, source_port)
        receivers = demux.find_all(*names, (), device) + [each for each in members if demux.hears(each, device)]
        return [each for each in receivers if each.multicast.hears(packet) and each.admits_sender(packet)]

    def _checksum_is_valid(self, packet: Packet, payload: bytes, checksum: int, length: int) -> bool:
        if packet.checksum_trusted:
            return True
        if checksum == wire.NO_CHECKSUM:
            return len(packet.source) == 4  # RFC 768: none was made; RFC 8200 8.1 forbids that
        if length < len(payload):
            payload = payload[:length]
        return transport_is_valid(pseudo_sum(packet.source, packet.destination, Proto.UDP), payload)

    def _refuse(self, packet: Packet, port: int, now: Instant) -> None:
        """Nobody takes the datagram: an error to the sender.  If a socket with another fixed peer has the name, only if
        `Behaviour.udp_refuses_other_peers`."""
        if not self.ports.is_held(packet.destination, port, packet.zone, packet.interface.index):
            self.trace.drop(DropReason.UDP_NO_ENDPOINT, packet.raw)
        elif packet.cast is Cast.MULTICAST:
            self.trace.drop(DropReason.GROUP_FILTERED, packet.raw)
            return
        else:
            self.trace.drop(DropReason.UDP_OTHER_PEER, packet.raw)
            if not self.ip.config.behaviour.udp_refuses_other_peers:
                return
        self.ip.icmp.send_error(IcmpErrorKind.PORT_UNREACHABLE, packet, now)

    def icmp_error(self, error: Undelivered, now: Instant) -> bool:
        """An error about a datagram of ours.  Every kind is handed up (RFC 1122 4.1.3.3), to unconnected sockets too
        unless `Behaviour.udp_errors_need_peer`.

        Two exceptions.  A neighbour that never answers costs the datagram, which has been counted (D-29).  And a packet
        too big is told to sockets with a fixed peer only, as on Linux (`__udp4_lib_err` without IP_RECVERR): others
        could not tell whom it is about, and IP itself sends what comes next in fragments.
        """
        quoted = error.quoted
        source_port = int.from_bytes(quoted[0:2], "big")
        destination_port = int.from_bytes(quoted[2:4], "big")
        endpoint = self.demux.find(error.source, source_port, error.destination, destination_port, error.zone)
        if endpoint is None:
            self.trace.drop(DropReason.ICMP_NO_ENDPOINT, quoted)
            return False
        behaviour = self.ip.config.behaviour
        if is_silent_neighbour(error) and not behaviour.neighbour_failure_is_final:
            return True
        if len(error.source) in endpoint.reports_errors:
            endpoint.report(error, now)
            return True
        needs_peer = behaviour.udp_errors_need_peer or error.kind is IcmpErrorKind.PACKET_TOO_BIG
        if needs_peer and endpoint.remote is None:
            return True
        endpoint.fail(error_kind(error))
        return True
