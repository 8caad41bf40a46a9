"""What is in flight, segment by segment: RFC 6675 2 and 4 (the scoreboard), RFC 8985 5.2 (when each was sent)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsknet.transport.tcp.seq import Position
    from wsknet.types import Instant


class Sent:
    """A piece of the stream that went out in one segment and is not acknowledged; a FIN counts one."""

    __slots__ = ("at", "end", "is_lost", "is_repeated", "is_sacked", "start")

    def __init__(self, start: Position, end: Position, at: Instant) -> None:
        self.start = start
        self.end = end
        self.at = at
        """When it went out last."""
        self.is_sacked = False
        self.is_lost = False
        """Believed to be gone, and not repeated since."""
        self.is_repeated = False


class Scoreboard:
    """Everything between SND.UNA and SND.NXT, in order and without gaps.

    `gone` bytes of it are not in the network: those that the peer reported (`sacked`), those believed lost (`lost`),
    and one segment for each duplicate acknowledgement of a peer without SACK (`guessed`).
    """

    __slots__ = ("_clean_from", "gone", "guessed", "highest_sacked", "is_clean", "lost", "records", "sacked")

    def __init__(self, start: Position) -> None:
        self.records: list[Sent] = []
        self.sacked = 0
        self.lost = 0
        self.guessed = 0
        self.gone = 0
        self.highest_sacked: Position = start
        """End of the last segment that was reported."""
        self.is_clean = True
        """Nothing in flight was reported, lost or repeated: the short way is open."""
        self._clean_from: Position = start

    def take(self, una: Position) -> list[Sent]:
        """Remove what lies before `una`, the new SND.UNA, and return it; one that lies before it in part is cut."""
        records = self.records
        used = 0
        for record in records:
            if record.end > una:
                break
            used += 1
        taken = records[:used]
        if not self.is_clean:
            for record in taken:
                self._forget(record)
        del records[:used]
        if records and records[0].start < una:
            self._cut_front(records[0], una)
        if not self.is_clean and una >= self._clean_from and not self.guessed:
            self.is_clean = True
        return taken

    def _forget(self, record: Sent) -> None:
        length = record.end - record.start
        if record.is_sacked:
            self.sacked -= length
            self.gone -= length
        elif record.is_lost:
            self.lost -= length
            self.gone -= length

    def _cut_front(self, record: Sent, una: Position) -> None:
        if record.is_lost:
            self.lost -= una - record.start
            self.gone -= una - record.start
        elif record.is_sacked:
            self.sacked -= una - record.start
            self.gone -= una - record.start
        record.start = una

    def split(self, index: int, at: Position) -> None:
        """Make two of the record at `index`, the second beginning at `at`."""
        record = self.records[index]
        rest = Sent(at, record.end, record.at)
        rest.is_lost, rest.is_sacked, rest.is_repeated = record.is_lost, record.is_sacked, record.is_repeated
        record.end = at
        self.records.insert(index + 1, rest)

    def join(self, index: int, limit: int) -> None:
        """Make one of the lost record at `index` and the lost ones behind it, up to `limit` bytes."""
        records = self.records
        record = records[index]
        while index + 1 < len(records):
            following = records[index + 1]
            if not following.is_lost or following.end - record.start > limit:
                return
            record.end = following.end
            del records[index + 1]

    def index_at(self, position: Position) -> int:
        """Of the first record that ends behind `position`."""
        records = self.records
        low, high = 0, len(records)
        while low < high:
            middle = (low + high) // 2
            if records[middle].end <= position:
                low = middle + 1
            else:
                high = middle
        return low

    def sack(self, left: Position, right: Position) -> list[Sent]:
        """The peer has what lies in [left, right): the records that are reported for the first time.

        A record that lies in it in part is split.
        """
        records = self.records
        index = self.index_at(left)
        fresh = []
        while index < len(records) and records[index].start < right:
            record = records[index]
            if not record.is_sacked:
                if record.start < left:
                    self.split(index, left)
                    index += 1
                    record = records[index]
                if record.end > right:
                    self.split(index, right)
                self._mark_sacked(record)
                fresh.append(record)
            index += 1
        if fresh:
            self.highest_sacked = max(self.highest_sacked, fresh[-1].end)
        return fresh

    def _mark_sacked(self, record: Sent) -> None:
        length = record.end - record.start
        if record.is_lost:
            record.is_lost = False
            self.lost -= length
        else:
            self.gone += length
        record.is_sacked = True
        self.sacked += length
        self._soil(record.end)

    def mark_lost(self, record: Sent) -> None:
        """Neither reported nor already marked."""
        record.is_lost = True
        length = record.end - record.start
        self.lost += length
        self.gone += length
        self._soil(record.end)

    def unmark_lost(self, record: Sent) -> None:
        if record.is_lost:
            record.is_lost = False
            length = record.end - record.start
            self.lost -= length
            self.gone -= length

    def mark_repeated(self, record: Sent, now: Instant) -> None:
        self.unmark_lost(record)
        record.is_repeated = True
        record.at = now
        self._soil(record.end)

    def guess(self, count: int) -> None:
        """A peer without SACK holds so many bytes that it could not acknowledge."""
        self.gone += count - self.guessed
        self.guessed = count
        if count:
            self.is_clean = False
        elif not self.records or self.records[0].start >= self._clean_from:
            self.is_clean = True

    def forget_reports(self) -> None:
        """The peer has dropped what it reported (RFC 2018 8)."""
        for record in self.records:
            record.is_sacked = False
        self.gone -= self.sacked
        self.sacked = 0

    def first_lost(self) -> int:
        """Index of the first lost record; there is one."""
        for index, record in enumerate(self.records):
            if record.is_lost:
                return index
        raise AssertionError("nothing is lost")

    def unreported(self) -> Iterator[Sent]:
        """Those in the network as far as we know."""
        return (record for record in self.records if not record.is_sacked and not record.is_lost)

    def clear(self) -> None:
        self.records.clear()
        self.sacked = self.lost = self.guessed = self.gone = 0
        self.is_clean = True

    def _soil(self, end: Position) -> None:
        self.is_clean = False
        self._clean_from = max(self._clean_from, end)
