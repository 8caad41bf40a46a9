"""Data that arrived out of order: RFC 9293 3.10.7.4, seventh step; RFC 5681 4.2."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsknet.transport.tcp.seq import Position

MAX_PIECES = 2048
"""The window bounds the bytes, this bounds their number: a peer that sends every second byte would otherwise cost a
hundred times what it sends.  A megabyte of full Ethernet segments is 718 pieces, of 536 byte segments 1957."""


_end_of = attrgetter("end")


class Island:
    """Data without a gap, in the pieces in which it came."""

    __slots__ = ("end", "pieces", "start")

    def __init__(self, start: Position, end: Position, pieces: list[bytes]) -> None:
        self.start = start
        self.end = end
        self.pieces = pieces


class Reassembly:
    """Islands in order.  Of what waits here the first copy is kept: a later one out of order cannot change it."""

    __slots__ = ("_count", "_islands")

    def __init__(self) -> None:
        self._islands: list[Island] = []
        self._count = 0

    def __len__(self) -> int:
        """How many pieces there are."""
        return self._count

    @property
    def islands(self) -> int:
        return len(self._islands)

    def find(self, position: Position) -> tuple[Position, Position] | None:
        """Start and end of the island that holds `position`."""
        island = self._first_behind(position)
        return None if island is None or island.start > position else (island.start, island.end)

    def first(self, count: int) -> list[tuple[Position, Position]]:
        """Start and end of the first `count` islands."""
        return [(island.start, island.end) for island in self._islands[:count]]

    def overlap(self, start: Position, end: Position) -> tuple[Position, Position] | None:
        """The first part of [start, end) that is here already."""
        island = self._first_behind(start)
        return None if island is None or island.start >= end else (max(start, island.start), min(end, island.end))

    def _first_behind(self, position: Position) -> Island | None:
        """The first island that ends behind `position`."""
        index = bisect_right(self._islands, position, key=_end_of)
        return self._islands[index] if index < len(self._islands) else None

    def add(self, start: Position, data: bytes) -> bool:
        """Keep what is new of `data`; False if the bound on the number of pieces does not allow it."""
        islands = self._islands
        end = start + len(data)
        if self._count >= MAX_PIECES:
            return self.overlap(start, end) == (start, end)
        first = self._touching(start)
        last = first
        while last < len(islands) and islands[last].start <= end:
            last += 1
        if first == last:
            islands.insert(first, Island(start, end, [data]))
            self._count += 1
        else:
            self._merge(first, last, start, data)
        return True

    def _touching(self, start: Position) -> int:
        """Index of the first island that ends at `start` or behind it; most segments belong to the last one."""
        islands = self._islands
        if islands and islands[-1].start <= start <= islands[-1].end:
            return len(islands) - 1
        return bisect_left(islands, start, key=_end_of)

    def _merge(self, first: int, last: int, start: Position, data: bytes) -> None:
        islands = self._islands
        target = islands[first]
        end = start + len(data)
        pieces: list[bytes] = []
        position = start
        for island in islands[first:last]:
            if position < island.start:
                pieces.append(data[position - start : island.start - start])
                self._count += 1
            if pieces:
                pieces += island.pieces
            else:
                pieces = island.pieces  # in place: data that goes on where the island ended costs no copy
            position = max(position, island.end)
        if position < end:
            pieces.append(data[position - start :])
            self._count += 1
        target.start = min(target.start, start)
        target.end = max(position, end)
        target.pieces = pieces
        del islands[first + 1 : last]

    def take(self, position: Position) -> list[bytes]:
        """Remove and return what follows on at `position` without a gap; forget what lies before it."""
        islands = self._islands
        while islands and islands[0].start <= position:
            island = islands.pop(0)
            self._count -= len(island.pieces)
            if island.end <= position:
                continue
            return _from(island.pieces, position - island.start)
        return []

    def cut(self, end: Position) -> None:
        """The stream ends at `end`: forget what lies behind it."""
        islands = self._islands
        while islands and islands[-1].end > end:
            island = islands[-1]
            self._count -= len(island.pieces)
            if island.start >= end:
                islands.pop()
                continue
            kept = b"".join(island.pieces)[: end - island.start]
            island.pieces, island.end = [kept], end
            self._count += 1

    def clear(self) -> None:
        self._islands.clear()
        self._count = 0


def _from(pieces: list[bytes], skipped: int) -> list[bytes]:
    """`pieces` without their first `skipped` bytes."""
    for index, piece in enumerate(pieces):
        if skipped < len(piece):
            return [piece[skipped:], *pieces[index + 1 :]] if skipped else pieces[index:]
        skipped -= len(piece)
    return []
