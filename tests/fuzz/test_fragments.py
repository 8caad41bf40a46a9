"""Reassembly against a model that knows nothing but bytes, against what Output cuts, and against a flood."""

from __future__ import annotations

from itertools import permutations, product
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.net.fragments import PEER, US, families
from tests.unit.net.lab import IF1, PEER_MAC, A, Lab, mac_of, udp_header
from wsknet.config import ReassemblyConfig, StackConfig
from wsknet.net import changes
from wsknet.trace import DropReason
from wsknet.types import Family, Proto

OUR_ADDRESS = {family: A(address) for family, address in US.items()}
PEER_ADDRESS = {family: A(address) for family, address in PEER.items()}
FAR = {Family.IPV4: bytes([172]), Family.IPV6: A("2001:db8:2::")[:13]}
"""To be completed by three bytes."""

UNIT = 8
FRAMES_TO = {
    family: bytes.fromhex((mac_of(IF1) + PEER_MAC).replace(":", "")) + ethertype.to_bytes(2, "big")
    for family, ethertype in ((Family.IPV4, 0x0800), (Family.IPV6, 0x86DD))
}


class Piece(NamedTuple):
    offset: int
    data: bytes
    has_more: bool


def frame(family: Family, piece: Piece, number: int, source: bytes | None = None) -> bytes:
    """Written by hand: the code under test has no part in it."""
    source, destination = source or PEER_ADDRESS[family], OUR_ADDRESS[family]
    if family is Family.IPV6:
        fragment = bytes([17, 0]) + (piece.offset | piece.has_more).to_bytes(2, "big") + number.to_bytes(4, "big")
        length = (8 + len(piece.data)).to_bytes(2, "big")
        return FRAMES_TO[family] + b"\x60\0\0\0" + length + b"\x2c\x40" + source + destination + fragment + piece.data
    field = piece.offset // UNIT | piece.has_more << 13
    head = b"\x45\0" + (20 + len(piece.data)).to_bytes(2, "big") + number.to_bytes(2, "big") + field.to_bytes(2, "big")
    head += b"\x40\x11\0\0" + source + destination
    checksum = -int.from_bytes(head, "big") % 0xFFFF
    return FRAMES_TO[family] + head[:10] + checksum.to_bytes(2, "big") + head[12:] + piece.data


class Model:
    """One packet as a map from offsets to bytes.  `feed` answers what is delivered, or the reason of the drop."""

    def __init__(self) -> None:
        self.bytes: dict[int, int] = {}
        self.seen: list[Piece] = []
        self.end: int | None = None
        self.void: DropReason | None = None

    def feed(self, piece: Piece) -> bytes | DropReason | None:
        if piece.offset == 0 and not piece.has_more:
            return piece.data  # no fragment at all, or an atomic one
        if not piece.data or (piece.has_more and len(piece.data) % UNIT):
            return DropReason.FRAGMENT_MALFORMED
        if self.void is None and piece in self.seen:
            return DropReason.FRAGMENT_DUPLICATE
        places = range(piece.offset, piece.offset + len(piece.data))
        self.void = self.void or self.contradiction(places, piece.has_more)
        if self.void is not None:
            return self.void
        if not piece.has_more:
            self.end = places.stop
        self.seen.append(piece)
        self.bytes.update(zip(places, piece.data, strict=True))
        return self.whole()

    def contradiction(self, places: range, has_more: bool) -> DropReason | None:
        if any(place in self.bytes for place in places):
            return DropReason.FRAGMENT_OVERLAP
        if has_more:
            is_wrong = self.end is not None and places.stop > self.end
        else:
            is_wrong = self.end is not None or any(place >= places.stop for place in self.bytes)
        return DropReason.FRAGMENT_MALFORMED if is_wrong else None

    def whole(self) -> bytes | None:
        if self.end is None or len(self.bytes) < self.end:
            return None
        whole = bytes(self.bytes[place] for place in range(self.end))
        self.bytes, self.seen, self.end = {}, [], None
        return whole


class Subject:
    """The real thing.  Every sequence has a number of its own, and old ones are cleared away."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.lab = Lab(config=StackConfig(reassembly=ReassemblyConfig(max_packets=500)))
        self.lab.interface(IF1, "10.1.0.2/24", "2001:db8:1::2/64")
        self.number = 0
        self.dropped: list[DropReason] = []

    def begin(self) -> None:
        self.number += 1
        if self.number % 400 == 0:
            self.lab.trace.on_drop = None
            self.lab.pass_time(61)
            assert len(self.lab.ip.reassembly) == self.lab.ip.reassembly.held_bytes == 0
            self.lab.ip.frames = []
        self.lab.trace.on_drop = lambda reason, what: self.dropped.append(reason)

    def feed(self, piece: Piece) -> bytes | DropReason | None:
        self.lab.ip.receive(IF1, frame(self.family, piece, self.number), self.lab.now)
        packets, dropped = self.lab.udp.packets, [each for each in self.dropped if each not in NOT_ABOUT_FRAGMENTS]
        self.lab.udp.packets, self.dropped = [], []
        assert len(packets) + len(dropped) <= 1
        if packets:
            raw = packets[0].raw
            assert raw.endswith(packets[0].payload)
            return packets[0].payload
        return dropped[0] if dropped else None


NOT_ABOUT_FRAGMENTS = (DropReason.ICMP_RATE_LIMITED, DropReason.NEIGHBOUR_QUEUE_FULL, DropReason.NEIGHBOUR_FAILED)
"""What becomes of the errors that are sent about them."""


def assert_same(subject: Subject, pieces: tuple[Piece, ...] | list[Piece]) -> None:
    model = Model()
    subject.begin()
    for piece in pieces:
        expected = model.feed(piece)
        assert subject.feed(piece) == expected, (subject.family, pieces, piece)


CONTENT = bytes(range(1, 200))


def cut(start: int, stop: int, has_more: bool) -> Piece:
    """From `start` to `stop` units of CONTENT."""
    return Piece(start * UNIT, CONTENT[start * UNIT : stop * UNIT], has_more)


def every_piece(units: int) -> list[Piece]:
    """Every place, every length down to nothing, the end where it is and where it is not."""
    return [
        cut(start, stop, has_more)
        for start in range(units)
        for stop in range(start, units + 1)
        for has_more in (True, False)
    ]


@families
@pytest.mark.rule("RFC8200-4.5", "RFC5722-4", "RFC791-3.2")
def test_every_sequence_of_three(family: Family) -> None:
    subject = Subject(family)
    for pieces in product(every_piece(4), repeat=3):
        assert_same(subject, pieces)


@families
def test_every_sequence_of_four_that_may_fit_together(family: Family) -> None:
    """Pieces of at least one unit, with an end after two units and one after three."""
    pieces = [piece for piece in every_piece(3) if piece.data and (piece.has_more or piece.offset)]
    subject = Subject(family)
    for sequence in product(pieces, repeat=4):
        assert_same(subject, sequence)


SETS = {
    "all there": [cut(0, 1, True), cut(1, 2, True), cut(2, 4, True), cut(4, 5, True), cut(5, 6, False)],
    "a gap": [cut(0, 1, True), cut(1, 2, True), cut(2, 3, True), cut(4, 5, True), cut(5, 6, False)],
    "a duplicate": [cut(0, 1, True), cut(1, 3, True), cut(1, 3, True), cut(3, 4, True), cut(4, 6, False)],
    "an overlap": [cut(0, 2, True), cut(1, 3, True), cut(3, 4, True), cut(4, 5, True), cut(5, 6, False)],
    "an overlap at the end": [cut(0, 2, True), cut(2, 4, True), cut(4, 6, False), cut(5, 6, False), cut(4, 5, True)],
    "two ends": [cut(0, 1, True), cut(1, 2, False), cut(2, 3, True), cut(3, 4, False), cut(4, 5, True)],
    "nothing": [cut(0, 2, True), cut(2, 2, True), cut(2, 2, False), cut(2, 4, False), cut(0, 0, True)],
    "other data": [cut(0, 2, True), Piece(0, bytes(16), True), cut(2, 4, True), cut(4, 5, False), cut(4, 5, False)],
    "a last of 3 bytes": [cut(0, 1, True), cut(1, 2, True), Piece(16, b"end", False), Piece(16, b"end", True)],
}


@families
@pytest.mark.parametrize("name", SETS)
def test_every_order(family: Family, name: str) -> None:
    subject = Subject(family)
    for order in permutations(SETS[name]):
        assert_same(subject, order)


@st.composite
def many_pieces(draw: st.DrawFn) -> list[Piece]:
    """A packet well cut and shuffled, then spoiled."""
    size = draw(st.integers(1, 190))
    cuts = sorted({0, *draw(st.lists(st.integers(0, size // UNIT), max_size=12))})
    ends = [*(place * UNIT for place in cuts[1:]), size]
    pieces = [
        Piece(start * UNIT, CONTENT[start * UNIT : end], end != size) for start, end in zip(cuts, ends, strict=True)
    ]
    spoiled = draw(
        st.lists(
            st.tuples(st.integers(0, 24), st.integers(0, 40), st.booleans(), st.booleans(), st.integers(0, 20)),
            max_size=3,
        )
    )
    pieces = draw(st.permutations(pieces))
    for offset, length, has_more, is_other, position in spoiled:
        data = bytes(length) if is_other else CONTENT[offset * UNIT : offset * UNIT + length]
        pieces.insert(position % (len(pieces) + 1), Piece(offset * UNIT, data, has_more))
    if draw(st.booleans()):
        pieces.insert(draw(st.integers(0, len(pieces))), draw(st.sampled_from(pieces)))
    return pieces


@families
@settings(max_examples=300)
@given(data=st.data())
def test_many_pieces(family: Family, data: st.DataObject) -> None:
    assert_same(Subject(family), data.draw(many_pieces()))


# Round trip


class Pair:
    """A sender with a narrow path, and a receiver."""

    def __init__(self, family: Family, mtu: int) -> None:
        self.family = family
        self.sender, self.receiver = Lab(), Lab()
        for lab, addresses in ((self.sender, PEER), (self.receiver, US)):
            lab.interface(IF1, addresses[Family.IPV4] + "/24", addresses[Family.IPV6] + "/64")
        self.sender.apply(changes.RouteAdded(A(US[family]), 32 if family is Family.IPV4 else 128, IF1, mtu=mtu))
        self.sender.know(IF1, US[family], mac_of(IF1))
        self.mtu = mtu

    def send(self, size: int) -> list[bytes]:
        """A datagram of `size` bytes, as frames."""
        data = Random(size).randbytes(size)
        self.sender.ip.send(self.sender.path(US[self.family]), Proto.UDP, udp_header(size), (data,), self.sender.now)
        frames, self.sender.ip.frames = self.sender.ip.frames, []
        return [b"".join(buffers) for _, buffers, _ in frames]

    def assert_restored(self, size: int, order: Random) -> None:
        frames = self.send(size)
        assert max(len(each) for each in frames) <= 14 + self.mtu
        order.shuffle(frames)
        for each in frames:
            self.receiver.receive(IF1, each)
        [packet] = self.receiver.udp.packets
        assert packet.payload == udp_header(size) + Random(size).randbytes(size)
        assert self.receiver.drops == {}


LARGEST = {Family.IPV4: 65507, Family.IPV6: 65527}
SMALLEST_MTU = {Family.IPV4: 68, Family.IPV6: 1280}


@families
@settings(max_examples=60)
@given(data=st.data())
def test_what_output_cuts_is_restored_in_any_order(family: Family, data: st.DataObject) -> None:
    mtu = data.draw(st.integers(SMALLEST_MTU[family], 1500))
    size = data.draw(st.integers(0, 4000) | st.integers(0, LARGEST[family]))
    Pair(family, mtu).assert_restored(size, Random(data.draw(st.integers(0, 1000))))


@families
def test_the_largest_datagram_over_the_smallest_link(family: Family) -> None:
    for size in (LARGEST[family], LARGEST[family] - 1, 0):
        Pair(family, SMALLEST_MTU[family]).assert_restored(size, Random(1))


PADDING = st.lists(st.sampled_from([0, 1, 31]), max_size=3)
"""Destination options before a fragment header, filled with Pad1: their lengths as they stand in them."""


@given(st.lists(PADDING, min_size=3, max_size=3), st.permutations(range(3)))
@pytest.mark.rule("RFC8200-4.5")
def test_every_fragment_may_have_other_headers_before_it(before: list[list[int]], order: list[int]) -> None:
    lab = Lab()
    lab.interface(IF1, "2001:db8:1::2/64")
    pieces = [cut(0, 2, True), cut(2, 4, True), cut(4, 6, False)]
    for number in order:
        headers, plain = before[number], frame(Family.IPV6, pieces[number], 7)
        options = b"".join(
            bytes([44 if after == len(headers) else 60, length]) + bytes(6 + 8 * length)
            for after, length in enumerate(headers, 1)
        )
        total = (len(plain) - 54 + len(options)).to_bytes(2, "big")
        protocol = bytes([60 if headers else 44])
        lab.ip.receive(IF1, plain[:18] + total + protocol + plain[21:54] + options + plain[54:], lab.now)

    [packet] = lab.udp.packets
    assert (packet.payload, lab.drops) == (CONTENT[:48], {})


# Flood


@families
@pytest.mark.rule("RFC8200-4.5", "RFC1858-2")
def test_a_flood_of_first_fragments_stays_within_bounds_and_is_survived(family: Family) -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24", "2001:db8:1::2/64")
    config = lab.ip.config.reassembly
    piece = Piece(0, bytes(1000), True)
    for number in range(20_000):
        lab.ip.receive(IF1, frame(family, piece, 1, FAR[family] + number.to_bytes(3, "big")), lab.now)
        if number % 5000 == 0:
            assert len(lab.ip.reassembly) <= config.max_packets
            assert lab.ip.reassembly.held_bytes <= config.max_bytes
    assert lab.drops == {DropReason.FRAGMENTS_FULL: 20_000 - len(lab.ip.reassembly)}

    whole = [cut(0, 3, True), cut(3, 5, True), Piece(40, b"end", False)]
    for each in whole:
        lab.ip.receive(IF1, frame(family, each, 7), lab.now)
    [packet] = lab.udp.packets
    assert packet.payload == CONTENT[:40] + b"end"
    lab.ip.frames = []
    lab.pass_time(61)
    assert len(lab.ip.reassembly) == lab.ip.reassembly.held_bytes == 0
