"""A scripted TCP peer: the hand that writes and reads the segments on the link of a `tcp_lab.TcpLab`.

Sequence numbers in scripts are relative: 0 is the SYN of the side they belong to.  On the wire both sides start a few
bytes before 2^32, so every test that moves data wraps around.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from wsknet.net.messages.icmp import IcmpError, IcmpErrorKind
from wsknet.net.messages.neighbours import ArpMessage, ArpOperation, NeighbourAdvertisement, NeighbourSolicitation
from wsknet.types import MILLISECOND, SECOND, Address, Duration, Endpoint, Family, IfIndex, Instant, Proto
from wsknet.wire import ipv4, ipv6, tcp, tcp_options
from wsknet.wire.checksum import pseudo_sum, transport_is_valid
from wsknet.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, header
from wsknet.wire.tcp_options import Options

if TYPE_CHECKING:
    from tests.support.tcp_lab import TcpLab

OUR_ISS = 0xFFFFFFFA
PEER_ISS = 0xFFFFFFF5
OUR_PORT = 50000
PEER_PORT = 80

IF_INDEX = IfIndex(2)
OUR_MAC = bytes.fromhex("020000000001")
PEER_MAC = bytes.fromhex("020000000002")
OUR_ADDRESS = {Family.IPV4: bytes((192, 0, 2, 1)), Family.IPV6: bytes.fromhex("20010db8000000000000000000000001")}
PEER_ADDRESS = {Family.IPV4: bytes((192, 0, 2, 2)), Family.IPV6: bytes.fromhex("20010db8000000000000000000000002")}

_FLAGS = {
    "F": tcp.FIN,
    "S": tcp.SYN,
    "R": tcp.RST,
    "P": tcp.PSH,
    "A": tcp.ACK,
    "U": tcp.URG,
    "E": tcp.ECE,
    "C": tcp.CWR,
}
_MASK = 0xFFFFFFFF


def ms(count: float) -> Duration:
    return int(count * MILLISECOND)


def sec(count: float) -> Duration:
    return int(count * SECOND)


class Received(NamedTuple):
    """A segment the stack sent, its numbers relative to the two SYNs."""

    at: Instant
    flags: str
    seq: int
    ack: int
    window: int
    data: bytes
    options: Options
    source_port: int
    destination_port: int
    source: Address
    raw_options: bytes = b""
    """As on the wire, in their order, padding included."""
    urgent: int = 0
    """The urgent pointer field, whether URG is set or not."""
    traffic_class: int = 0
    """The byte of DSCP and ECN."""

    def __str__(self) -> str:
        data = f" data={len(self.data)}" if self.data else ""
        return f"<{self.flags} seq={self.seq} ack={self.ack} window={self.window}{data} at {self.at / SECOND:.3f} s>"


class Peer:
    """The other end of the link.  Answers ARP and neighbour solicitations by itself, TCP only by script."""

    def __init__(self, lab: TcpLab) -> None:
        self._lab = lab
        self.port = PEER_PORT
        self.iss = PEER_ISS
        self.address = PEER_ADDRESS[lab.family]
        """May be changed to one behind the router, which is the peer as well."""
        self.segments: deque[Received] = deque()

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.address, self.port)

    # Sending

    def send(
        self,
        flags: str = "A",
        seq: int = 0,
        ack: int = 0,
        data: bytes = b"",
        window: int = 65535,
        mss: int | None = None,
        scale: int | None = None,
        port: int | None = None,
        to: int = OUR_PORT,
        options: bytes | None = None,
        sack_permitted: bool = False,
        sack: tuple[tuple[int, int], ...] = (),
        timestamps: tuple[int, int] | None = None,
        urgent: int = 0,
        traffic_class: int = 0,
    ) -> None:
        """One segment.  `port` is the peer's own, `to` ours; `options` are raw and replace the others.

        `sack` names blocks of our stream, `timestamps` is TSval and TSecr.  `urgent` is the pointer field, for "U".
        """
        if options is None:
            blocks = tuple(((OUR_ISS + left) & _MASK, (OUR_ISS + right) & _MASK) for left, right in sack)
            options = tcp_options.build(Options(mss, scale, sack_permitted, blocks, timestamps))
        ours = OUR_ADDRESS[self._lab.family]
        bits = sum(_FLAGS[letter] for letter in flags)
        segment = tcp.build_checked(
            pseudo_sum(self.address, ours, Proto.TCP),
            self.port if port is None else port,
            to,
            (self.iss + seq) & _MASK,
            (OUR_ISS + ack) & _MASK if bits & tcp.ACK else 0,
            bits,
            window,
            options,
            (data,) if data else (),
            urgent,
        )
        self.send_segment(segment + data, traffic_class)

    def send_segment(self, segment: bytes, traffic_class: int = 0) -> None:
        """A TCP segment as it stands."""
        self._send_packet(Proto.TCP, segment, traffic_class=traffic_class)

    def send_icmp_error(self, kind: IcmpErrorKind, about: Received, mtu: int = 0) -> None:
        """An error that quotes the first 8 bytes of a segment which the stack sent."""
        ours, theirs = OUR_ADDRESS[self._lab.family], self.address
        quoted = tcp.build(about.source_port, about.destination_port, (OUR_ISS + about.seq) & _MASK, 0, 0, 0)[:8]
        length = 20 + len(about.data)
        if self._lab.family is Family.IPV4:
            packet = ipv4.build(ours, theirs, Proto.TCP, length, 64) + quoted
        else:
            packet = ipv6.build(ours, theirs, Proto.TCP, length, 64) + quoted
        router = PEER_ADDRESS[self._lab.family]
        error = self._lab.codec.encode_icmp(self._lab.family, router, ours, IcmpError(kind, packet, mtu))
        self._send_packet(Proto.ICMP if self._lab.family is Family.IPV4 else Proto.ICMPV6, error, router)

    def _send_packet(
        self, protocol: Proto, payload: bytes, source: Address | None = None, traffic_class: int = 0
    ) -> None:
        lab = self._lab
        source = source or self.address
        ours = OUR_ADDRESS[lab.family]
        if lab.family is Family.IPV4:
            link = header(OUR_MAC, PEER_MAC, ETHERTYPE_IPV4)
            packet = ipv4.build(source, ours, protocol, len(payload), 64, traffic_class=traffic_class) + payload
        else:
            link = header(OUR_MAC, PEER_MAC, ETHERTYPE_IPV6)
            packet = ipv6.build(source, ours, protocol, len(payload), 64, traffic_class=traffic_class) + payload
        lab.receive(link + packet)

    # Hearing

    def hear(self, frame: bytes) -> None:
        ethertype = int.from_bytes(frame[12:14], "big")
        if ethertype == ETHERTYPE_ARP:
            self._answer_arp(frame)
            return
        if ethertype == ETHERTYPE_IPV4:
            head = ipv4.parse(frame[14:])
            assert isinstance(head, ipv4.Ipv4Header)
            payload = frame[14 + head.header_length : 14 + head.total_length]
            source, destination, protocol = head.source, head.destination, head.protocol
            traffic_class = head.traffic_class
        else:
            head6 = ipv6.parse(frame[14:])
            assert isinstance(head6, ipv6.Ipv6Header)
            payload = frame[14 + head6.header_length : 14 + head6.total_length]
            source, destination, protocol = head6.source, head6.destination, head6.protocol
            traffic_class = head6.traffic_class
        if protocol == Proto.ICMPV6:
            self._answer_solicitation(source, destination, payload)
        elif protocol == Proto.TCP:
            assert transport_is_valid(pseudo_sum(source, destination, Proto.TCP), payload), "bad checksum sent"
            segment = tcp.parse(payload)
            assert isinstance(segment, tcp.Segment)
            raw_options = payload[20 : (payload[12] >> 4) * 4]
            self.segments.append(self._received(segment, source, raw_options, traffic_class))

    def _received(self, segment: tcp.Segment, source: Address, raw_options: bytes, traffic_class: int) -> Received:
        letters = "".join(letter for letter, bit in _FLAGS.items() if segment.flags & bit)
        return Received(
            self._lab.now,
            letters,
            (segment.seq - OUR_ISS) & _MASK,
            (segment.ack - self.iss) & _MASK if segment.flags & tcp.ACK else 0,
            segment.window,
            segment.payload,
            segment.options,
            segment.source_port,
            segment.destination_port,
            source,
            raw_options,
            segment.urgent,
            traffic_class,
        )

    def _answer_arp(self, frame: bytes) -> None:
        request = self._lab.codec.decode_arp(frame[14:])
        if self._lab.is_neighbour_silent or not isinstance(request, ArpMessage):
            return
        if request.operation is ArpOperation.REQUEST and request.target_address == PEER_ADDRESS[Family.IPV4]:
            reply = ArpMessage(
                ArpOperation.REPLY, PEER_MAC, request.target_address, request.sender_mac, request.sender_address
            )
            self._lab.receive(header(OUR_MAC, PEER_MAC, ETHERTYPE_ARP) + self._lab.codec.encode_arp(reply))

    def _answer_solicitation(self, source: Address, destination: Address, payload: bytes) -> None:
        codec = self._lab.codec
        question = codec.decode_icmp(Family.IPV6, source, destination, payload)
        if self._lab.is_neighbour_silent or not isinstance(question, NeighbourSolicitation):
            return
        mine = PEER_ADDRESS[Family.IPV6]
        if question.target == mine:
            answer = NeighbourAdvertisement(mine, False, True, True, PEER_MAC)
            message = codec.encode_icmp(Family.IPV6, mine, source, answer)
            packet = ipv6.build(mine, source, Proto.ICMPV6, len(message), 255) + message
            self._lab.receive(header(OUR_MAC, PEER_MAC, ETHERTYPE_IPV6) + packet)

    # Expecting

    def next(self) -> Received:
        """The next segment of the stack, which must have been sent by now."""
        self._lab.settle()
        assert self.segments, "the stack sent nothing"
        return self.segments.popleft()

    def expect(
        self,
        flags: str = "A",
        seq: int | None = None,
        ack: int | None = None,
        data: bytes | None = None,
        window: int | None = None,
        after: Duration | None = None,
    ) -> Received:
        """The next segment has these fields; PSH is compared only if asked for, `data` defaults to none.

        `after` lets that much time pass first, in which nothing else may be sent.
        """
        if after is not None:
            self.expect_nothing(until=after - 1)
            self._lab.clock.advance(1)
            self._lab.settle()
        found = self.next()
        wanted = "".join(sorted(flags))
        given = "".join(sorted(found.flags if "P" in flags else found.flags.replace("P", "")))
        assert given == wanted, f"flags {given}, wanted {wanted} in {found}"
        assert seq is None or found.seq == seq, f"seq {found.seq}, wanted {seq} in {found}"
        assert ack is None or found.ack == ack, f"ack {found.ack}, wanted {ack} in {found}"
        assert found.data == (data or b""), f"{len(found.data)} bytes of data, wanted {len(data or b'')} in {found}"
        assert window is None or found.window == window, f"window {found.window}, wanted {window} in {found}"
        return found

    def expect_nothing(self, until: Duration = 0) -> None:
        """Nothing was sent, nor is within the time given."""
        self._lab.settle()
        if not self.segments and until:
            self._lab.clock.advance(until)
            self._lab.settle()
        assert not self.segments, f"nothing was expected, but the stack sent {[str(s) for s in self.segments]}"

    def drain(self) -> list[Received]:
        """Everything sent by now."""
        self._lab.settle()
        found = list(self.segments)
        self.segments.clear()
        return found
