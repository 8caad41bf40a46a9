"""What we report of data that arrived out of order, or twice: RFC 2018 4, RFC 2883 4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.transport.tcp.seq import MASK

if TYPE_CHECKING:
    from wsknet.transport.tcp.reassembly import Reassembly
    from wsknet.transport.tcp.seq import Position

_MOST = 4
"""Blocks that fit into the 40 bytes of options."""
_MOST_WITH_TIMESTAMPS = 3


class Reports:
    """Of one connection on which both ends permit SACK."""

    __slots__ = ("_duplicate", "_most", "_reassembly", "_recent", "end", "is_due")

    def __init__(self, reassembly: Reassembly, has_timestamps: bool) -> None:
        self._reassembly = reassembly
        self._most = _MOST_WITH_TIMESTAMPS if has_timestamps else _MOST
        self._recent: list[Position] = []
        """Where data was added lately, the latest first."""
        self._duplicate: tuple[Position, Position] | None = None
        self.end: Position | None = None
        """Where the peer's FIN stands while data before it is missing; it takes a number like any byte."""
        self.is_due = False
        """There may be something to tell."""

    def arrived(self, start: Position) -> None:
        """Data at `start` was kept out of order: its island is reported first (RFC 2018 4)."""
        self.is_due = True
        self._recent.insert(0, start)
        del self._recent[self._most * 2 :]

    def arrived_twice(self, left: Position, right: Position) -> None:
        """We had [left, right) already; said once, with the next acknowledgement (RFC 2883 4)."""
        self.is_due = True
        self._duplicate = left, right

    def finished(self, position: Position) -> None:
        """The peer's FIN stands at `position`."""
        self.is_due = True
        self.end = position

    @property
    def room(self) -> int:
        """Bytes that the option takes in a segment, padding included."""
        count = min(self._reassembly.islands + (self.end is not None), self._most)
        return 4 + 8 * count if count else 0

    def take(self, has_data: bool) -> tuple[tuple[int, int], ...]:
        """The blocks for a segment that leaves now, the most recent island first; a segment with data has no room for
        more than `room` said, so a duplicate waits for one without."""
        blocks: list[tuple[Position, Position]] = []
        if self._duplicate is not None and not has_data:
            blocks.append(self._duplicate)
            self._duplicate = None
        islands = self._islands() if self.end is None else self._with_end(self._islands(), self.end)
        self.is_due = bool(islands) or self._duplicate is not None
        blocks += islands
        return tuple((left & MASK, right & MASK) for left, right in blocks[: self._most])

    @staticmethod
    def _with_end(islands: list[tuple[Position, Position]], end: Position) -> list[tuple[Position, Position]]:
        """The FIN belongs to the island that it follows, else it is one by itself."""
        if not any(right == end for _, right in islands):
            return [*islands, (end, end + 1)]
        return [(left, right + 1 if right == end else right) for left, right in islands]

    def _islands(self) -> list[tuple[Position, Position]]:
        """At least as many as fit, if there are so many."""
        found: list[tuple[Position, Position]] = []
        kept = []
        for position in self._recent:
            island = self._reassembly.find(position)
            if island is not None and island not in found:
                found.append(island)
                kept.append(position)
        self._recent = kept
        if len(found) < self._most:  # nothing has been added to the others for long, but their reports may be lost
            found += [island for island in self._reassembly.first(self._most) if island not in found]
        return found
