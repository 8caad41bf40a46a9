"""Segments on their way out: RFC 9293 3.1, 3.7.1 (MSS), 3.10.7.1 (answers to nobody's segments), RFC 7323 2."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from wsknet.behaviour import Identification
from wsknet.errors import NetError
from wsknet.net.pmtu import MIN_PATH_MTU
from wsknet.trace import DropReason
from wsknet.transport.tcp.ecn import CE, ECT_0
from wsknet.transport.tcp.seq import MASK, Position
from wsknet.transport.tcp.timestamps import LENGTH as TIMESTAMPS_LENGTH
from wsknet.types import Buffers, Endpoint, Proto, family_of
from wsknet.wire import tcp, tcp_options
from wsknet.wire.checksum import pseudo_sum
from wsknet.wire.tcp_options import Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.net.packet import Packet, Path
    from wsknet.net.terms import Terms
    from wsknet.timers import Timer
    from wsknet.transport.tcp.ecn import Ecn
    from wsknet.transport.tcp.protocol import TcpProtocol
    from wsknet.transport.tcp.receive import Receiver
    from wsknet.transport.tcp.timestamps import Timestamps
    from wsknet.types import Address, Instant

_TCP = Proto.TCP.value
HEADERS = {4: 20 + 20, 16: 40 + 20}
"""IP and TCP header, by address length."""
_DEFAULT_MSS = {4: 536, 16: 1220}
"""RFC 9293 3.7.1: what a peer that sends no MSS option takes."""
_LEAST_MSS = 64
"""An MSS option below this is read as this: a peer must not make us send a header for each byte (CVE-2019-11479)."""


def mss_for(mtu: int, address: Address) -> int:
    """The largest segment that packets of `mtu` bytes carry."""
    return min(mtu - HEADERS[len(address)], 0xFFFF)


def mss_to_offer(path: Path) -> int:
    """What our link takes: what the path back takes is the peer's to find out (RFC 1191 3.1, RFC 9293 3.7.1)."""
    mtu = path.mtu if path.is_local else path.interface.mtu_for(path.family)
    return mss_for(mtu, path.destination)


def peer_mss(option: int | None, address: Address) -> int:
    """What the peer takes, from the MSS option of its SYN."""
    return _DEFAULT_MSS[len(address)] if option is None else max(option, _LEAST_MSS)


def mss_after_too_big(mtu: int, address: Address) -> int:
    """From the MTU that an ICMP error tells."""
    return mss_for(max(mtu, MIN_PATH_MTU[family_of(address)]), address)


class SegmentWriter:
    """Sends the segments of one connection: fills in acknowledgement, window and checksum."""

    __slots__ = ("_counts", "_delayed_ack", "_flow_label", "_identification", "_ip", "_local_port", "_receiver",
                 "_remote_port", "_tables", "_terms", "ecn", "hop_limit", "path", "path_changed", "pseudo",
                 "reports_room", "timestamps", "traffic_class", "urgent_to")  # fmt: skip

    def __init__(
        self,
        protocol: TcpProtocol,
        path: Path,
        ports: tuple[int, int],
        receiver: Receiver,
        delayed_ack: Timer,
        terms: Terms | None = None,
    ) -> None:
        self._ip = protocol.ip
        self._tables = protocol.ip.tables
        self._local_port, self._remote_port = ports
        self._receiver = receiver
        self._delayed_ack = delayed_ack
        self._flow_label = protocol.flow_labels[path.source, ports[0], path.destination, ports[1]]
        self._terms = terms
        self.hop_limit = None if terms is None else terms.hop_limit
        """Of every packet; `None`: that of the path."""
        self.traffic_class = 0 if terms is None else terms.traffic_class & ~CE
        """The same, but for the bits of ECN."""
        self.path = path
        self.pseudo = pseudo_sum(path.source, path.destination, Proto.TCP)
        """The same for both directions."""
        self.path_changed: Callable[[int], object] | None = None
        """Told what a new path takes in one segment, when the old one has become wrong."""
        self.timestamps: Timestamps | None = None
        """In every segment, if both ends send them."""
        self.ecn: Ecn | None = None
        """If both ends understand ECN."""
        self._counts = protocol.ip.config.behaviour.identification is Identification.PER_CONNECTION
        self._identification = protocol.ip.rng.getrandbits(16) if self._counts else 0
        """Of the next packet over IPv4, where each connection counts its own."""
        self.urgent_to: Position = 0
        """SND.UP: what lies before it is urgent (RFC 9293 3.8.5)."""
        self.reports_room = 0
        """Bytes of SACK blocks that each segment carries at the moment."""

    def refresh_path(self) -> None:
        """Before a segment is cut: another connection may have learnt of a smaller MTU (RFC 1191 6.3, RFC 8201 5.4)."""
        if self.path.generation != self._tables.generation:
            self._renew()

    def take_terms(self, terms: Terms | None) -> None:
        """From the next segment on."""
        self._terms = terms
        self.hop_limit = None if terms is None else terms.hop_limit
        self.traffic_class = 0 if terms is None else terms.traffic_class & ~CE
        self._renew()

    @property
    def overhead(self) -> int:
        """Bytes of options in every segment."""
        return 0 if self.timestamps is None else TIMESTAMPS_LENGTH

    def send(self, position: Position, flags: int, payload: Buffers, now: Instant, is_new: bool = False) -> None:
        """A segment of the synchronized connection; ACK is set, and what was to be acknowledged is.

        `is_new`: it carries data for the first time, to which alone ECN applies (RFC 3168 6.1.5).
        """
        receiver = self._receiver
        receiver.unacknowledged = 0
        receiver.acknowledged = receiver.nxt
        self._delayed_ack.deadline = None
        window = receiver.offer()
        options = b"" if self.timestamps is None else self.timestamps.option(now)
        if receiver.reports is not None and receiver.reports.is_due:
            options += tcp_options.build(Options(sack_blocks=receiver.reports.take(bool(payload))))
        traffic_class = self.traffic_class
        if self.ecn is not None:
            flags |= self.ecn.flags(is_new)
            if is_new and payload:
                traffic_class |= ECT_0
        urgent = 0
        if self.urgent_to > position:
            flags |= tcp.URG
            urgent = min(self.urgent_to - position, 0xFFFF)
        header = tcp.build_checked(
            self.pseudo,
            self._local_port,
            self._remote_port,
            position & MASK,
            receiver.nxt & MASK,
            flags,
            window,
            options,
            payload,
            urgent,
        )
        if not is_new:  # else that was done before it was cut
            self.refresh_path()
        number = self._next_identification() if self._counts else 0
        self._ip.send(
            self.path,
            _TCP,
            header,
            payload,
            now,
            self.hop_limit,
            traffic_class,
            self._flow_label,
            identification=number,
        )

    def send_bare(
        self, seq: int, ack: int, flags: int, window: int, now: Instant, options: bytes = b"", payload: Buffers = ()
    ) -> None:
        """A segment whose fields are not those of a synchronized connection: SYN, RST."""
        header = tcp.build_checked(
            self.pseudo, self._local_port, self._remote_port, seq & MASK, ack & MASK, flags, window, options, payload
        )
        self.refresh_path()
        # A SYN-ACK is sent before there is a connection that could count (ip_build_and_send_pkt of Linux).
        is_counted = self._counts and flags & (tcp.SYN | tcp.ACK) != tcp.SYN | tcp.ACK
        identification = self._next_identification() if is_counted else 0
        label, hop_limit, traffic_class = self._flow_label, self.hop_limit, self.traffic_class
        self._ip.send(
            self.path, _TCP, header, payload, now, hop_limit, traffic_class, label, identification=identification
        )

    def _next_identification(self) -> int:
        number = self._identification
        self._identification = number + 1 & 0xFFFF
        return number

    def _renew(self) -> None:
        """Tables have changed.  The addresses stay (RFC 1122 4.2.3.7); without a route IP drops the segment, and a
        timer sends it again."""
        old = self.path
        with suppress(NetError):
            path = self._ip.path(old.destination, old.source, old.zone, None, old.pinned)
            self.path = path if self._terms is None else self._terms.adapt(path)
            if self.path_changed is not None:
                self.path_changed(mss_for(self.path.mtu, old.destination))


def send_from_nowhere(
    protocol: TcpProtocol,
    local: Endpoint,
    remote: Endpoint,
    seq: int,
    ack: int,
    flags: int,
    now: Instant,
    window: int = 0,
    interface: int = 0,
    options: bytes = b"",
) -> None:
    """A segment of no connection, or of one of which only the numbers are left; `interface` as for `ip.path`."""
    try:
        path = protocol.ip.path(remote.address, local.address, remote.zone or local.zone, None, interface)
    except NetError:
        protocol.trace.drop(DropReason.NO_ROUTE)
        return
    pseudo = pseudo_sum(local.address, remote.address, Proto.TCP)
    header = tcp.build_checked(pseudo, local.port, remote.port, seq & MASK, ack & MASK, flags, window, options)
    label = protocol.flow_labels[local.address, local.port, remote.address, remote.port]
    protocol.ip.send(path, Proto.TCP, header, (), now, flow_label=label)


def refuse_syn(protocol: TcpProtocol, local: Endpoint, remote: Endpoint, syn: tcp.Segment, now: Instant) -> None:
    """The reset that answers a SYN: nobody wants the connection."""
    send_from_nowhere(protocol, local, remote, 0, syn.seq + 1, tcp.RST | tcp.ACK, now)


def refuse(protocol: TcpProtocol, packet: Packet, segment: tcp.Segment, now: Instant) -> None:
    """RFC 9293 3.10.7.1: a segment that nobody wants is answered with a reset, unless it is one."""
    flags = segment.flags
    if flags & tcp.RST:
        return
    local = Endpoint(packet.destination, segment.destination_port, packet.zone)
    remote = Endpoint(packet.source, segment.source_port, packet.zone)
    if flags & tcp.ACK:
        number = segment.ack if protocol.policy.reset_repeats_ack else 0
        send_from_nowhere(protocol, local, remote, segment.ack, number, tcp.RST, now)
        return
    end = segment.seq + len(segment.payload) + bool(flags & tcp.SYN) + bool(flags & tcp.FIN)
    send_from_nowhere(protocol, local, remote, 0, end, tcp.RST | tcp.ACK, now)
