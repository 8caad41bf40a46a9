"""A stack with everything behind every door, and the link around it: what the fuzzers throw their frames and calls at.

The link answers questions for hardware addresses by itself, for whatever address, and remembers of each TCP connection
what the stack said last, so that segments which hit can be made without looking inside.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

from tests.fuzz.seeds import FRAMES, FRAMES_OF_ROUTERS, LISTENING, PEER4, PEER6, US4, US6
from tests.fuzz.seeds import PEER as PEER_TEXT
from tests.fuzz.seeds import US as US_TEXT
from tests.support.repair import repaired
from wsknet.behaviour import LINUX, WINDOWS
from wsknet.config import AutoConfig, InterfaceConfig, StackConfig, TcpConfig
from wsknet.control.codec import ScapyCodec
from wsknet.net import changes
from wsknet.stack import Stack
from wsknet.text import parse_address
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.seq import Seq
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import SECOND, Cover, Duration, Endpoint, Family, IfIndex, Instant, LocalName, Proto
from wsknet.wire import ipv4, ipv6, tcp
from wsknet.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, header

IF_INDEX = IfIndex(2)
US_MAC, PEER_MAC = (bytes.fromhex(text.replace(":", "")) for text in (US_TEXT, PEER_TEXT))
US = {Family.IPV4: parse_address(US4), Family.IPV6: parse_address(US6)}
PEER = {Family.IPV4: parse_address(PEER4), Family.IPV6: parse_address(PEER6)}
GROUP = {Family.IPV4: bytes((239, 1, 2, 3)), Family.IPV6: bytes.fromhex("ff15" + "00" * 13 + "03")}
CLIENT_PORT = 50_000
FAST_PORT = 70
"""Where data in a SYN is taken (Fast Open)."""
ASKING_PORT = 71
"""Where the owner decides before the peer hears anything (conditional accept)."""
OUR_ISS = 0xFFFFFFFA
TEMPLATES = [bytes(frame) for frame in (*FRAMES.values(), *FRAMES_OF_ROUTERS.values())]

DETECTION = 10 * SECOND
"""Longer than the search for duplicates of an address takes (RFC 5227 2.1.1: 9 s at most)."""
MOST_TURNS = 64
"""Times that a stack may have something to do without time going on, before it is called a busy loop."""
MOST_FRAMES_PER_TURN = 4096
"""Frames that one frame, call or deadline may cause: a window of the smallest segments, and then some."""
_MOST_FOLLOWED = 64
_QUOTED = 16


class Followed(NamedTuple):
    """A connection as its segments show it."""

    family: Family
    our_port: int
    peer_port: int


@dataclass
class Numbers:
    ours: int
    """The number after the latest that the stack has sent."""
    theirs: int
    """The one that it expects next."""


class World:
    """`settings` chooses one of sixteen hosts: its lowest four bits."""

    def __init__(self, settings: int = 0) -> None:
        behaviour = LINUX if settings & 1 else WINDOWS
        is_small = bool(settings & 4)
        limits = TcpConfig(receive_buffer=3000 if is_small else 1 << 20, accept_backlog=3 if is_small else 200)
        auto = AutoConfig(router_discovery=True, temporary_addresses=True, dhcp=True) if settings & 2 else AutoConfig()
        if settings & 8:
            auto = replace(auto, duplicate_detection=True, optimistic=True)
        self.stack = Stack(StackConfig(behaviour=behaviour, tcp=limits), ScapyCodec(), Random(1))
        self.stack.tcp.initial_sequence = lambda local, remote, now: Seq(OUR_ISS)
        self.now = Instant(1000 * SECOND)
        self.frames = 0
        """Received by the stack, answers of the link included."""
        self.followed: dict[Followed, Numbers] = {}
        self.sent: deque[bytes] = deque(maxlen=_QUOTED)
        """The latest frames of the stack."""
        self.stack.apply(changes.InterfaceAdded(IF_INDEX, InterfaceConfig("if1", US_MAC, auto=auto)), self.now)
        self.give_addresses()
        self.pass_time(DETECTION)
        self.udp = [self._udp(cover) for cover in (Cover.IPV4, Cover.IPV6)]
        self.tcp: list[TcpEndpoint] = []
        for family in Family:
            self.connect(family, CLIENT_PORT)
        self.tcp.append(self.listener(LISTENING))
        self.tcp.append(self.listener(FAST_PORT, has_fast_open=True))
        self.tcp.append(self.listener(ASKING_PORT, is_conditional=True))
        self.settle()

    def give_addresses(self) -> None:
        for family, length in ((Family.IPV4, 24), (Family.IPV6, 64)):
            self.stack.apply(changes.AddressAdded(IF_INDEX, US[family], length), self.now)
            self.stack.apply(changes.RouteAdded(bytes(len(US[family])), 0, IF_INDEX, PEER[family], 256), self.now)

    # What programs do

    def _udp(self, cover: Cover) -> UdpEndpoint:
        endpoint = self.stack.udp.open(cover)
        endpoint.bind(LocalName(cover, None, LISTENING), self.now)
        endpoint.multicast.join(GROUP[Family(cover.value)], IF_INDEX, self.now)
        return endpoint

    def connect(self, family: Family, port: int, early: bytes | None = None) -> None:
        """One more endpoint that tries, with Fast Open if there is `early` data; raises `NetError` if it cannot even do
        that."""
        endpoint = self.stack.tcp.open(Cover(family.value))
        self.tcp.append(endpoint)
        endpoint.fast_open = early is not None
        endpoint.bind(LocalName(Cover(family.value), None, port), self.now)
        endpoint.connect(Endpoint(PEER[family], 80), self.now, early or b"")

    def listener(self, port: int, has_fast_open: bool = False, is_conditional: bool = False) -> TcpEndpoint:
        endpoint = self.stack.tcp.open(Cover.DUAL)
        endpoint.fast_open = has_fast_open
        endpoint.is_conditional = is_conditional
        endpoint.bind(LocalName(Cover.DUAL, None, port), self.now)
        endpoint.listen(self.now)
        return endpoint

    # The link

    def receive(self, frame: bytes) -> None:
        self.frames += 1
        self.stack.receive(IF_INDEX, frame, self.now)
        self.settle()

    def segment(
        self, followed: Followed, seq: int, ack: int, flags: int, window: int, options: bytes = b"", data: bytes = b""
    ) -> None:
        """A segment of the peer, numbers as on the wire."""
        family, our_port, peer_port = followed
        body = tcp.build(peer_port, our_port, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, flags, window, options) + data
        self.packet(family, Proto.TCP, body)

    def packet(self, family: Family, protocol: int, body: bytes, hop_limit: int = 64) -> None:
        """A packet of the peer, its checksums filled in."""
        source, destination = PEER[family], US[family]
        if family is Family.IPV4:
            frame = header(US_MAC, PEER_MAC, ETHERTYPE_IPV4) + ipv4.build(source, destination, 0, len(body), hop_limit)
            frame = frame[:23] + bytes((protocol,)) + frame[24:] + body
        else:
            frame = header(US_MAC, PEER_MAC, ETHERTYPE_IPV6) + ipv6.build(source, destination, 0, len(body), hop_limit)
            frame = frame[:20] + bytes((protocol,)) + frame[21:] + body
        self.receive(repaired(frame))

    def settle(self) -> None:
        """Until nothing happens any more without time going on: what a pump does."""
        count = 0
        stack = self.stack
        while True:
            while stack.next_event() is not None:
                count += 1
            if not stack.ip.deliver_looped(self.now):
                frames = stack.take_frames()
                if not frames:
                    return
                count += len(frames)
                for _, buffers, _ in frames:
                    self._hear(b"".join(buffers))
            assert count < MOST_FRAMES_PER_TURN, "a storm of frames or events"

    def _hear(self, frame: bytes) -> None:
        self.sent.append(frame)
        ethertype = int.from_bytes(frame[12:14], "big")
        if ethertype == ETHERTYPE_ARP:
            self._answer_arp(frame)
        elif ethertype == ETHERTYPE_IPV4 and frame[23] == Proto.TCP and frame[20:22] in (b"\x40\x00", b"\x00\x00"):
            self._follow(Family.IPV4, frame[34:])
        elif ethertype == ETHERTYPE_IPV6 and frame[20] == Proto.TCP:
            self._follow(Family.IPV6, frame[54:])
        elif ethertype == ETHERTYPE_IPV6 and frame[20] == Proto.ICMPV6 and frame[54] == 135 and any(frame[22:38]):
            self._answer_solicitation(frame)

    def _answer_arp(self, frame: bytes) -> None:
        if frame[20:22] == b"\0\1" and frame[28:32] != frame[38:42] and any(frame[28:32]):
            body = frame[14:20] + b"\0\2" + PEER_MAC + frame[38:42] + frame[22:32]
            self._reply(header(US_MAC, PEER_MAC, ETHERTYPE_ARP) + body)

    def _answer_solicitation(self, frame: bytes) -> None:
        target, asker = frame[62:78], frame[22:38]
        body = b"\x88\0\0\0\x60\0\0\0" + target + b"\2\1" + PEER_MAC
        packet = ipv6.build(target, asker, Proto.ICMPV6, len(body), 255) + body
        self._reply(repaired(header(US_MAC, PEER_MAC, ETHERTYPE_IPV6) + packet))

    def _reply(self, frame: bytes) -> None:
        self.frames += 1
        self.stack.receive(IF_INDEX, frame, self.now)

    def _follow(self, family: Family, body: bytes) -> None:
        segment = tcp.parse(body)
        assert isinstance(segment, tcp.Segment), "the stack has sent a malformed segment"
        length = len(segment.payload) + bool(segment.flags & tcp.SYN) + bool(segment.flags & tcp.FIN)
        key = Followed(family, segment.source_port, segment.destination_port)
        known = self.followed.setdefault(key, Numbers(0, 0))
        known.ours = segment.seq + length & 0xFFFFFFFF
        if segment.flags & tcp.ACK:
            known.theirs = segment.ack
        if len(self.followed) > _MOST_FOLLOWED:
            del self.followed[next(iter(self.followed))]

    # Time

    def pass_time(self, duration: Duration) -> None:
        end = Instant(self.now + duration)
        turns = 0
        while (deadline := self.stack.next_deadline()) is not None and deadline <= end:
            turns = 0 if deadline > self.now else turns + 1
            assert turns < MOST_TURNS, "a busy loop"
            self.now = max(self.now, deadline)
            self.stack.poll(self.now)
            self.settle()
        self.now = end
