"""Raw endpoints: who gets a copy of which packet.  Read "TCP/IP Raw Sockets" of Winsock and RFC 3542 3 before editing.

As long as a raw endpoint of some protocol number is bound, `RawProtocol` stands in front of the handler of that number.
A host without any has nothing of this on the way of its packets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.packet import Cast
from wsknet.trace import DropReason
from wsknet.transport.datagram import Datagram, names_that_hear
from wsknet.transport.demux import Demux
from wsknet.transport.flow_label import FlowLabels
from wsknet.transport.icmp_errors import error_kind, is_silent_neighbour, reported
from wsknet.transport.multicast import Joined
from wsknet.transport.raw.checksums import ICMPV6_OFFSET, checksum_is_valid
from wsknet.transport.raw.endpoint import RawEndpoint
from wsknet.types import Endpoint, Family, Proto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wsknet.net.handler import ProtocolHandler, Undelivered
    from wsknet.net.layer import IpLayer
    from wsknet.net.packet import Packet
    from wsknet.transport.endpoint import Owner, TransportEndpoint
    from wsknet.types import Cover, Instant, LocalName

_SPOKEN_OVER: dict[int, Family] = {Proto.ICMP: Family.IPV4, Proto.IGMP: Family.IPV4, Proto.ICMPV6: Family.IPV6}
"""Numbers whose handler refuses the other family."""


class RawProtocols:
    """Raw endpoints of one host."""

    def __init__(self, ip: IpLayer, receive_buffer: int, notify: Callable[[TransportEndpoint, int], None]) -> None:
        """`receive_buffer` is that of each endpoint, until it is given another."""
        self.ip = ip
        self.receive_buffer = receive_buffer
        self.notify = notify
        self._protocols: dict[int, RawProtocol] = {}

    def open(self, number: int, cover: Cover, owner: Owner | None = None) -> RawEndpoint:
        """An endpoint for packets of protocol `number`, 1 to 255."""
        protocol = self._protocols.get(number)
        if protocol is None:
            protocol = self._protocols[number] = RawProtocol(self, number)
        return RawEndpoint(protocol, cover, owner)

    def bound(self) -> Iterator[RawEndpoint]:
        """Every endpoint that has a name."""
        for protocol in self._protocols.values():
            yield from protocol.bound

    def names(self) -> Iterator[tuple[int, LocalName]]:
        """Protocol number and name of each."""
        for number, protocol in self._protocols.items():
            for endpoint in protocol.bound:
                assert endpoint.local is not None
                yield number, endpoint.local


class RawProtocol:
    """The endpoints of one protocol number, and its handler if the stack has one."""

    def __init__(self, raw: RawProtocols, number: int) -> None:
        ip = raw.ip
        behaviour = ip.config.behaviour
        self.raw = raw
        self.number = number
        self.ip = ip
        self.handler: ProtocolHandler | None = None
        """What else the stack does with this number, as long as there are endpoints."""
        self.bound: dict[RawEndpoint, None] = {}
        self.demux = Demux[RawEndpoint](behaviour.demux_tie, ip.rng)
        """Names of port 0."""
        self.joined: Joined[RawEndpoint] = Joined(ip)
        # The pages make no condition of membership: a wildcard gets whatever reaches the host.
        self.joined.is_for_all = True
        self.flow_labels = FlowLabels(number, ip.rng, behaviour.flow_labels)

    def insert(self, endpoint: RawEndpoint) -> None:
        """Let `endpoint`, which has got its name, receive."""
        assert endpoint.local is not None
        protocols = self.ip.protocols
        if not self.bound:
            self.handler = protocols.get(self.number)
            protocols[self.number] = self
        self.bound[endpoint] = None
        self.demux.insert(endpoint.local, endpoint.remote, endpoint)

    def remove(self, endpoint: RawEndpoint) -> None:
        """Undo `insert`; the names are those of now."""
        assert endpoint.local is not None
        protocols = self.ip.protocols
        self.demux.remove(endpoint.local, endpoint.remote, endpoint)
        del self.bound[endpoint]
        if self.bound:
            return
        if self.handler is None:
            del protocols[self.number]
        else:
            protocols[self.number] = self.handler

    def input(self, packet: Packet, now: Instant) -> None:
        """A copy to each endpoint; the stack's own processing goes on.  Without any, what raw sockets take is not
        refused (RFC 1122 3.2.2.1 speaks of a protocol that is not supported)."""
        is_taken = self._copy(packet)
        if self.handler is not None and _SPOKEN_OVER.get(self.number, packet.family) is packet.family:
            self.handler.input(packet, now)
        elif not is_taken:
            self.ip.refuse(packet, now)

    def _copy(self, packet: Packet) -> bool:
        """Whether anybody is there for it; its receive buffer may be full."""
        receivers = self._receivers(packet)
        if not receivers:
            return False
        is_ipv4 = packet.family is Family.IPV4
        if not is_ipv4 and self.number == Proto.ICMPV6 and not self._has_checksum(packet, ICMPV6_OFFSET):
            return False  # ICMPv6 drops it
        datagram = Datagram(
            packet.raw if is_ipv4 else packet.payload,
            Endpoint(packet.source, 0, packet.zone),
            packet.destination,
            packet.interface.index,
            packet.cast,
            packet.hop_limit,
            packet.traffic_class,
        )
        for endpoint in receivers:
            offset = None if is_ipv4 else endpoint.checksum_offset
            if not endpoint.admits_sender(packet):
                self.ip.trace.drop(DropReason.RAW_NOT_ADMITTED, packet.raw)
            elif offset is not None and not self._has_checksum(packet, offset):
                self.ip.trace.drop(DropReason.RAW_BAD_CHECKSUM, packet.raw)
            else:
                endpoint.deliver(datagram)
        return True

    def _receivers(self, packet: Packet) -> list[RawEndpoint]:
        names = (packet.destination, 0, packet.source, 0, packet.zone)
        if packet.cast is Cast.UNICAST:
            return self.demux.find_all(*names)
        if packet.cast is Cast.BROADCAST:
            return self.demux.find_all(*names, names_that_hear(self.ip, packet), packet.interface.index)
        receivers = self.demux.find_all(*names) + self.joined.members(packet, 0, 0)
        return [endpoint for endpoint in receivers if endpoint.multicast.hears(packet)]

    def _has_checksum(self, packet: Packet, offset: int) -> bool:
        return packet.checksum_trusted or checksum_is_valid(
            packet.payload, packet.source, packet.destination, self.number, offset
        )

    def icmp_error(self, error: Undelivered, now: Instant) -> bool:
        """Told to endpoints with a fixed peer (raw_err and rawv6_err of Linux), and to those that want reports: others
        send to anybody, and who sends ICMP gets the very message.  Any of them may have sent what is quoted.
        """
        found = self.demux.find_all(error.source, 0, error.destination, 0, error.zone)
        if not is_silent_neighbour(error) or self.ip.config.behaviour.neighbour_failure_is_final:
            for endpoint in found:
                if len(error.source) in endpoint.reports_errors:
                    endpoint.deliver(reported(self.ip, error, 0))
                elif endpoint.remote is not None:
                    endpoint.fail(error_kind(error))
        if self.handler is not None:
            return self.handler.icmp_error(error, now) or bool(found)
        if not found:
            self.ip.trace.drop(DropReason.ICMP_NO_ENDPOINT, error.quoted)
        return bool(found)
