"""Fragments to packets: RFC 791 3.2, RFC 815, RFC 1122 3.3.2, RFC 3168 5.3, RFC 5722, RFC 8200 4.5, RFC 8900.

Both families are treated alike where their documents allow it: overlapping fragments void the packet in IPv4 too.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from wsknet.net.messages.icmp import IN_REASSEMBLY, IcmpErrorKind
from wsknet.net.packet import Cast, Packet
from wsknet.net.pieces import Pieces
from wsknet.timers import Timer
from wsknet.trace import DropReason
from wsknet.types import Address, Family, Instant
from wsknet.wire.fragment import Fragment, whole_header

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer

OBJECT_COST = 128
"""Bytes counted for each packet and each fragment beside headers and data, about what the objects around them take:
so that many small ones are bounded as few large ones are."""

_ECN_MASK = 0x03
_NOT_ECT = 0
_CE = 3

_Key = tuple[Address, Address, int, int, int]
"""Source, destination, identification, protocol (IPv4; RFC 8200 4.5 leaves it out), interface where it matters."""


class Reassembly:
    """Incomplete packets, oldest first.  A void one stays until its time is up: more fragments of it may come."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._trace = ip.trace
        self._config = ip.config.reassembly
        self._packets: OrderedDict[_Key, _Incomplete] = OrderedDict()
        self._timer = Timer(ip.timers, self._expired)
        self.held_bytes = 0
        """Headers, data and bookkeeping, at most `max_bytes` between two calls."""

    def __len__(self) -> int:
        return len(self._packets)

    def add(self, packet: Packet, fragment: Fragment, now: Instant) -> Packet | None:
        """The whole packet if `fragment`, which `packet` is, was the last one missing."""
        key = _key(packet, fragment)
        entry = self._packets.get(key)
        before = 0 if entry is None else entry.cost
        if entry is None:
            entry = self._begin(key, packet, fragment, now)
        whole = self._take(entry, packet, fragment)
        self.held_bytes += entry.cost - before
        if whole is not None:
            self._remove(key)
        while self.held_bytes > self._config.max_bytes:
            self._give_up_oldest()
        return whole

    def adjust(self, interface: Interface, now: Instant) -> None:
        """A link that was lost brings no more fragments, and what it brought may be another network's."""
        if not interface.is_up:
            for key in [key for key, entry in self._packets.items() if entry.head.interface is interface]:
                self._give_up(key, DropReason.INTERFACE_DOWN)

    def _begin(self, key: _Key, packet: Packet, fragment: Fragment, now: Instant) -> _Incomplete:
        while len(self._packets) >= self._config.max_packets:
            self._give_up_oldest()
        entry = _Incomplete(packet, fragment, Instant(now + self._config.timeout))
        self._packets[key] = entry
        if not self._timer.is_armed:
            self._timer.arm(entry.deadline)
        return entry

    def _take(self, entry: _Incomplete, packet: Packet, fragment: Fragment) -> Packet | None:
        if entry.void is None and len(entry.pieces) >= self._config.max_fragments:
            entry.make_void(DropReason.FRAGMENTS_FULL)
        reason = entry.void or entry.add(packet, fragment)
        whole = None
        if reason is None and entry.pieces.is_whole:
            whole = entry.whole(packet)
            reason = entry.void
        if reason is not None:
            self._trace.drop(reason, packet.raw)
        return whole

    def _remove(self, key: _Key) -> _Incomplete:
        entry = self._packets.pop(key)
        self.held_bytes -= entry.cost
        if not self._packets:
            self._timer.cancel()
        return entry

    def _give_up(self, key: _Key, reason: DropReason) -> None:
        entry = self._remove(key)
        if entry.void is None:
            self._trace.drop(reason, entry.head.raw)

    def _give_up_oldest(self) -> None:
        self._give_up(next(iter(self._packets)), DropReason.FRAGMENTS_FULL)

    def _expired(self, now: Instant) -> None:
        while self._packets:
            key, entry = next(iter(self._packets.items()))
            if entry.deadline > now:
                self._timer.arm(entry.deadline)
                return
            self._give_up(key, DropReason.FRAGMENT_TIMEOUT)
            if entry.void is None and entry.first is not None:
                self._ip.icmp.send_error(IcmpErrorKind.TIME_EXCEEDED, entry.first_packet(), now, IN_REASSEMBLY)


class _Incomplete:
    """One packet."""

    __slots__ = ("codepoints", "deadline", "first", "head", "pieces", "void")

    def __init__(self, packet: Packet, fragment: Fragment, deadline: Instant) -> None:
        self.head = _headers_of(packet, fragment)
        """The first fragment without its data; until it is there, the one that came first."""
        self.first: Fragment | None = None
        self.deadline = deadline
        self.pieces = Pieces()
        self.codepoints = 0
        """Bit n is set if a fragment had ECN codepoint n."""
        self.void: DropReason | None = None
        """Why nothing will come of it; nobody is told (RFC 8200 4.5)."""

    @property
    def cost(self) -> int:
        return len(self.head.raw) + self.pieces.size + OBJECT_COST * (1 + len(self.pieces))

    def add(self, packet: Packet, fragment: Fragment) -> DropReason | None:
        """Why `packet` is not kept.  All reasons but FRAGMENT_DUPLICATE make everything void."""
        reason = self.pieces.add(fragment.offset, packet.raw[fragment.header_length :], not fragment.has_more)
        if reason is not None:
            if reason is not DropReason.FRAGMENT_DUPLICATE:
                self.make_void(reason)
            return reason
        self.codepoints |= 1 << (packet.traffic_class & _ECN_MASK)
        if not fragment.offset:
            self.head, self.first = _headers_of(packet, fragment), fragment
        return None

    def make_void(self, reason: DropReason) -> None:
        self.void = reason
        self.pieces = Pieces()

    def whole(self, last: Packet) -> Packet | None:
        """The packet of which `last` was the last part to come; void if its parts are not of one packet."""
        first, head = self.first, self.head
        assert first is not None  # else a piece would be missing
        traffic_class = self._traffic_class()
        if traffic_class is None:
            self.make_void(DropReason.FRAGMENT_ECN)
            return None
        header = whole_header(first, head.raw, self.pieces.size, traffic_class)
        if header is None:
            self.make_void(DropReason.FRAGMENT_MALFORMED)
            return None
        payload = self.pieces.join()
        return Packet(
            last.interface,
            last.family,
            last.source,
            last.destination,
            first.protocol,
            payload,
            header + payload,
            last.cast,
            head.hop_limit,
            traffic_class,
            last.zone,
        )

    def first_packet(self) -> Packet:
        """The first fragment as it came, for an error to quote."""
        packet = self.head
        packet.payload = self.pieces.first or b""
        packet.raw += packet.payload
        return packet

    def _traffic_class(self) -> int | None:
        """That of the whole: congestion that one fragment met, all met.  `None`: one sender cannot have sent them so.

        RFC 3168 5.3 lets Not-ECT and CE not mix, and leaves Not-ECT and ECT open: Linux (ip_frag_ecn_table) drops both.
        """
        if self.codepoints & 1 << _NOT_ECT and self.codepoints != 1 << _NOT_ECT:
            return None
        traffic_class = self.head.traffic_class
        return traffic_class | _CE if self.codepoints & 1 << _CE else traffic_class


def _headers_of(packet: Packet, fragment: Fragment) -> Packet:
    """Without the data, which would be kept twice, and the whole frame with it."""
    return Packet(
        packet.interface,
        packet.family,
        packet.source,
        packet.destination,
        fragment.protocol,
        b"",
        packet.raw[: fragment.header_length],
        packet.cast,
        packet.hop_limit,
        packet.traffic_class,
        packet.zone,
    )


def _key(packet: Packet, fragment: Fragment) -> _Key:
    protocol = fragment.protocol if packet.family is Family.IPV4 else 0
    zone = packet.zone if packet.cast is Cast.UNICAST else packet.interface.index
    return packet.source, packet.destination, fragment.identification, protocol, zone
