"""Data that arrived out of order: RFC 9293 3.10.7.4, seventh step; RFC 5681 4.2."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsknet.transport.tcp.seq import Position

MAX_PIECES = 2048
"""The window bounds the bytes, this bounds their number: a peer that sends every second byte would otherwise cost a
hundred times what it sends.  A megabyte of full Ethernet segments is 718 pieces, of 536 byte segments 1957."""


class Reassembly:
    """Pieces without overlap, in order.  What came first is kept: a later copy cannot change it."""

    __slots__ = ("_pieces", "_starts")

    def __init__(self) -> None:
        self._starts: list[Position] = []
        self._pieces: list[bytes] = []

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, start: Position, data: bytes) -> bool:
        """Keep what is new of `data`; False if the bound on the number of pieces does not allow it."""
        starts, pieces = self._starts, self._pieces
        index = bisect_right(starts, start)
        if index:
            covered = starts[index - 1] + len(pieces[index - 1]) - start
            if covered > 0:
                data = data[covered:]
                start += covered
        while data:
            if index == len(starts) or start + len(data) <= starts[index]:
                return self._insert(index, start, data)
            gap = starts[index] - start
            if gap > 0:
                if not self._insert(index, start, data[:gap]):
                    return False
                index += 1
            covered = gap + len(pieces[index])
            data = data[covered:]
            start += covered
            index += 1
        return True

    def _insert(self, index: int, start: Position, data: bytes) -> bool:
        if len(self._starts) >= MAX_PIECES:
            return False
        self._starts.insert(index, start)
        self._pieces.insert(index, data)
        return True

    def take(self, position: Position) -> list[bytes]:
        """Remove and return what follows on at `position` without a gap; forget what lies before it."""
        starts, pieces = self._starts, self._pieces
        found = []
        used = 0
        while used < len(starts) and starts[used] <= position:
            piece = pieces[used]
            fresh = piece[position - starts[used] :]
            if fresh:
                found.append(fresh)
                position += len(fresh)
            used += 1
        del starts[:used], pieces[:used]
        return found

    def cut(self, end: Position) -> None:
        """The stream ends at `end`: forget what lies behind it."""
        starts, pieces = self._starts, self._pieces
        while starts and starts[-1] + len(pieces[-1]) > end:
            if starts[-1] < end:
                pieces[-1] = pieces[-1][: end - starts[-1]]
                break
            starts.pop()
            pieces.pop()

    def clear(self) -> None:
        self._starts.clear()
        self._pieces.clear()
