"""A scripted TCP peer: one stack on one interface, and a hand that writes and reads the segments on its link.

lab = TcpLab()
endpoint = lab.connected()                  # handshake done, from our side
lab.peer.send(seq=1, ack=1, data=b"abc")    # flags "A" unless given
lab.clock.advance(ms(40))
lab.peer.expect(seq=1, ack=4)
lab.peer.expect_nothing(until=ms(1000))

Sequence numbers in scripts are relative: 0 is the SYN of the side they belong to.  On the wire both sides start a few
bytes before 2^32, so every test that moves data wraps around.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from random import Random
from typing import NamedTuple

from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.config import InterfaceConfig, StackConfig, TcpConfig
from wsknet.control.codec import ScapyCodec
from wsknet.net import changes
from wsknet.net.messages import (
    ArpMessage,
    ArpOperation,
    IcmpError,
    IcmpErrorKind,
    NeighbourAdvertisement,
    NeighbourSolicitation,
)
from wsknet.stack import Stack
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.seq import Seq
from wsknet.transport.tcp.state import State
from wsknet.types import (
    MILLISECOND,
    SECOND,
    Address,
    Cover,
    Duration,
    Endpoint,
    Family,
    IfIndex,
    Instant,
    LocalName,
    Proto,
)
from wsknet.wire import ipv4, ipv6, tcp, tcp_options
from wsknet.wire.checksum import pseudo_sum, transport_is_valid
from wsknet.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, header
from wsknet.wire.tcp_options import Options

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

    def __str__(self) -> str:
        data = f" data={len(self.data)}" if self.data else ""
        return f"<{self.flags} seq={self.seq} ack={self.ack} window={self.window}{data} at {self.at / SECOND:.3f} s>"


class Recorder:
    """An owner that keeps what it was told."""

    def __init__(self) -> None:
        self.readiness = 0
        self.history: list[int] = []

    def on_ready(self, readiness: int, now: Instant) -> None:
        self.readiness |= readiness
        self.history.append(readiness)

    def take(self) -> int:
        """Everything told since the last call."""
        readiness, self.readiness = self.readiness, 0
        return readiness


class Clock:
    """Virtual time that stops at each deadline of the stack."""

    def __init__(self, lab: TcpLab) -> None:
        self._lab = lab
        self.now = Instant(10 * SECOND)

    def advance(self, duration: Duration) -> None:
        end = self.now + duration
        while True:
            self._lab.settle()
            deadline = self._lab.stack.next_deadline()
            if deadline is None or deadline > end:
                break
            self.now = Instant(max(self.now, deadline))
            self._lab.stack.poll(self.now)
        self.now = Instant(end)


class TcpLab:
    """One stack with one interface, `family` chosen for the conversation."""

    def __init__(
        self,
        family: Family = Family.IPV4,
        behaviour: Behaviour = WINDOWS,
        tcp_config: TcpConfig | None = None,
        mtu: int = 1500,
        is_neighbour_silent: bool = False,
    ) -> None:
        self.family = family
        config = StackConfig(behaviour=behaviour, tcp=tcp_config or TcpConfig())
        self.codec = ScapyCodec()
        self.stack = Stack(config, self.codec, Random(1))
        self.stack.tcp.initial_sequence = lambda local, remote, now: Seq(OUR_ISS)
        self.clock = Clock(self)
        self.peer = Peer(self)
        self.is_neighbour_silent = is_neighbour_silent
        """Nobody answers ARP or neighbour solicitations."""
        for change in (
            changes.InterfaceAdded(IF_INDEX, InterfaceConfig("eth0", OUR_MAC, mtu)),
            changes.AddressAdded(IF_INDEX, OUR_ADDRESS[Family.IPV4], 24),
            changes.AddressAdded(IF_INDEX, OUR_ADDRESS[Family.IPV6], 64),
            changes.RouteAdded(bytes(4), 0, IF_INDEX, PEER_ADDRESS[Family.IPV4], 256),
            changes.RouteAdded(bytes(16), 0, IF_INDEX, PEER_ADDRESS[Family.IPV6], 256),
        ):
            self.stack.apply(change, self.clock.now)
        self.owners: dict[TcpEndpoint, Recorder] = {}

    @property
    def now(self) -> Instant:
        return self.clock.now

    def settle(self) -> None:
        """What a pump does: events to their owners, frames to the link."""
        while True:
            event = self.stack.next_event()
            while event is not None:
                if event.endpoint.owner is not None:
                    event.endpoint.owner.on_ready(event.readiness, self.now)
                event = self.stack.next_event()
            if self.stack.ip.deliver_looped(self.now):
                continue
            frames = self.stack.take_frames()
            if not frames:
                return
            for _, frame, _ in frames:
                self.peer.hear(b"".join(frame))

    def receive(self, frame: bytes) -> None:
        self.stack.receive(IF_INDEX, frame, self.now)
        self.settle()

    # Endpoints in a given state

    def open(self) -> TcpEndpoint:
        recorder = Recorder()
        endpoint = self.stack.tcp.open(Cover(self.family.value), recorder)
        self.owners[endpoint] = recorder
        return endpoint

    def bound(self, port: int = OUR_PORT, address: Address | None = None) -> TcpEndpoint:
        endpoint = self.open()
        endpoint.bind(LocalName(Cover(self.family.value), address, port), self.now)
        return endpoint

    def connecting(self, port: int = OUR_PORT) -> TcpEndpoint:
        """SYN-SENT; the SYN is still to be expected."""
        endpoint = self.bound(port)
        endpoint.connect(self.peer.endpoint, self.now)
        self.settle()
        return endpoint

    def connected(self, window: int = 65535, mss: int | None = 1460, scale: int | None = None) -> TcpEndpoint:
        """ESTABLISHED by our connect; nothing left to expect."""
        endpoint = self.connecting()
        self.peer.expect(flags="S", seq=0)
        self.peer.send(flags="SA", seq=0, ack=1, window=window, mss=mss, scale=scale)
        self.peer.expect(flags="A", seq=1, ack=1)
        assert self.told(endpoint) == Ready.CONNECTED
        return endpoint

    def listening(self, port: int = OUR_PORT, backlog: int | None = None) -> TcpEndpoint:
        endpoint = self.bound(port)
        endpoint.listen(self.now, backlog)
        return endpoint

    def accepted(self, window: int = 65535, mss: int | None = 1460) -> TcpEndpoint:
        """ESTABLISHED by the peer's SYN; nothing left to expect."""
        listener = self.listening()
        self.peer.send(flags="S", seq=0, window=window, mss=mss)
        self.peer.expect(flags="SA", seq=0, ack=1)
        self.peer.send(seq=1, ack=1, window=window)
        return self.accept(listener)

    def accept(self, listener: TcpEndpoint) -> TcpEndpoint:
        endpoint = listener.accept(self.now)
        assert endpoint is not None
        endpoint.owner = self.owners[endpoint] = Recorder()
        self.settle()
        return endpoint

    def told(self, endpoint: TcpEndpoint) -> int:
        """Bits of `Ready` that the owner of `endpoint` has heard since the last call."""
        self.settle()
        return self.owners[endpoint].take()

    def state(self, endpoint: TcpEndpoint) -> State:
        """A function, so that mypy does not take the state for settled once it was asserted."""
        return endpoint.state

    def send(self, endpoint: TcpEndpoint, data: bytes, no_delay: bool = False) -> int:
        end = endpoint.send(data, self.now, no_delay)
        self.settle()
        return end

    def receive_all(self, endpoint: TcpEndpoint) -> bytes:
        data = endpoint.receive(1 << 30, self.now)
        self.settle()
        return data

    def finish(self, endpoint: TcpEndpoint) -> None:
        endpoint.finish(self.now)
        self.settle()

    def abort(self, endpoint: TcpEndpoint) -> None:
        endpoint.abort(self.now)
        self.settle()

    def close(self, endpoint: TcpEndpoint) -> None:
        endpoint.close(self.now)
        self.settle()


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
    ) -> None:
        """One segment.  `port` is the peer's own, `to` ours; `options` are raw and replace the others."""
        if options is None:
            options = tcp_options.build(Options(mss=mss, window_scale=scale))
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
        )
        self.send_segment(segment + data)

    def send_segment(self, segment: bytes) -> None:
        """A TCP segment as it stands."""
        self._send_packet(Proto.TCP, segment)

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

    def _send_packet(self, protocol: Proto, payload: bytes, source: Address | None = None) -> None:
        lab = self._lab
        source = source or self.address
        ours = OUR_ADDRESS[lab.family]
        if lab.family is Family.IPV4:
            link = header(OUR_MAC, PEER_MAC, ETHERTYPE_IPV4)
            lab.receive(link + ipv4.build(source, ours, protocol, len(payload), 64) + payload)
        else:
            link = header(OUR_MAC, PEER_MAC, ETHERTYPE_IPV6)
            lab.receive(link + ipv6.build(source, ours, protocol, len(payload), 64) + payload)

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
        else:
            head6 = ipv6.parse(frame[14:])
            assert isinstance(head6, ipv6.Ipv6Header)
            payload = frame[14 + head6.header_length : 14 + head6.total_length]
            source, destination, protocol = head6.source, head6.destination, head6.protocol
        if protocol == Proto.ICMPV6:
            self._answer_solicitation(source, destination, payload)
        elif protocol == Proto.TCP:
            assert transport_is_valid(pseudo_sum(source, destination, Proto.TCP), payload), "bad checksum sent"
            segment = tcp.parse(payload)
            assert isinstance(segment, tcp.Segment)
            self.segments.append(self._received(segment, source))

    def _received(self, segment: tcp.Segment, source: Address) -> Received:
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


def with_tcp(behaviour: Behaviour, **changes_: object) -> Behaviour:
    """The same behaviour with other numbers in its `tcp` policy."""
    return replace(behaviour, tcp=replace(behaviour.tcp, **changes_))  # type: ignore[arg-type]
