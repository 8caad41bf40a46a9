"""What is in flight, segment by segment: RFC 6675 2 and 4 (the scoreboard), RFC 8985 5.2 (when each was sent)."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsknet.transport.tcp.seq import Position
    from wsknet.types import Instant


_start_of = attrgetter("start")


class Sent:
    """A piece of the stream that went out in one segment and is not acknowledged; a FIN counts one."""

    __slots__ = ("at", "end", "is_lost", "is_repeated", "is_sacked", "reported_to", "start")

    def __init__(self, start: Position, end: Position, at: Instant) -> None:
        self.start = start
        self.end = end
        self.at = at
        """When it went out last."""
        self.is_sacked = False
        self.reported_to: Position
        """Set with `is_sacked`: everything from here to there is reported, as far as that is known.  Reports come again
        and again, and must not be looked at record by record each time."""
        self.is_lost = False
        """Believed to be gone, and not repeated since."""
        self.is_repeated = False


class Scoreboard:
    """Everything between SND.UNA and SND.NXT, in order and without gaps.

    `gone` bytes of it are not in the network: those that the peer reported (`sacked`), those believed lost (`lost`),
    and one segment for each duplicate acknowledgement of a peer without SACK (`guessed`).
    """

    __slots__ = ("_clean_from", "_lost_from", "_repeated", "_undecided_from", "gone", "guessed", "is_clean", "lost",
                 "records", "reports", "sacked")  # fmt: skip

    def __init__(self, start: Position) -> None:
        self.records: list[Sent] = []
        self.sacked = 0
        self.reports = 0
        """Records that `sacked` is made of."""
        self.lost = 0
        self.guessed = 0
        self.gone = 0
        self._lost_from: Position = start
        """No lost record begins before this."""
        self.is_clean = True
        """Nothing in flight was reported, lost or repeated: the short way is open."""
        self._clean_from: Position = start
        self._repeated: OrderedDict[Sent, None] = OrderedDict()
        """Those in the network for the second time, in the order in which they went out."""
        self._undecided_from: Position = start
        """Of what begins before this nothing is in the network for the first time."""

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
        self._repeated.pop(record, None)
        if record.is_sacked:
            self.reports -= 1
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
        """Make two of the record at `index`, which is not reported, the second beginning at `at`."""
        record = self.records[index]
        rest = Sent(at, record.end, record.at)
        rest.is_lost, rest.is_repeated = record.is_lost, record.is_repeated
        record.end = at
        self.records.insert(index + 1, rest)
        if record in self._repeated:
            self._repeated[rest] = None

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

    def _index_from(self, position: Position) -> int:
        """Of the first record that begins at `position` or behind it."""
        return bisect_left(self.records, position, key=_start_of)

    def sack(self, left: Position, right: Position) -> list[Sent]:
        """The peer has what lies in [left, right): the records that are reported for the first time.

        Not those that lie in it in part: borders that are not ours would let a peer cut our segments into single bytes
        (CVE-2019-11478).
        """
        records = self.records
        fresh = []
        begin = index = self._index_from(left)
        while index < len(records):
            record = records[index]
            if record.end > right:
                break
            if record.is_sacked:
                index = self._index_from(record.reported_to)
            else:
                self._mark_sacked(record)
                fresh.append(record)
                index += 1
        if index > begin:
            records[begin].reported_to = records[index - 1].end
        return fresh

    def _mark_sacked(self, record: Sent) -> None:
        length = record.end - record.start
        if record.is_lost:
            record.is_lost = False
            self.lost -= length
        else:
            self.gone += length
        record.is_sacked = True
        record.reported_to = record.end
        self._repeated.pop(record, None)
        self.reports += 1
        self.sacked += length
        self._soil(record.end)

    def mark_lost(self, record: Sent) -> None:
        """Neither reported nor already marked."""
        record.is_lost = True
        if not self.lost or record.start < self._lost_from:
            self._lost_from = record.start
        length = record.end - record.start
        self.lost += length
        self.gone += length
        self._repeated.pop(record, None)
        self._soil(record.end)

    def unmark_lost(self, record: Sent) -> None:
        if record.is_lost:
            record.is_lost = False
            length = record.end - record.start
            self.lost -= length
            self.gone -= length
            self._decide_again(record)

    def _decide_again(self, record: Sent) -> None:
        if record.is_repeated:
            self._repeated[record] = None
        else:
            self._undecided_from = min(self._undecided_from, record.start)

    def mark_repeated(self, record: Sent, now: Instant) -> None:
        record.is_repeated = True
        self.unmark_lost(record)
        record.at = now
        self._repeated[record] = None
        self._repeated.move_to_end(record)
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
            if record.is_sacked:
                record.is_sacked = False
                self._decide_again(record)
        self.gone -= self.sacked
        self.sacked = self.reports = 0

    def first_lost(self) -> int:
        """Index of the first lost record; there is one."""
        index = self._index_from(self._lost_from)
        while not self.records[index].is_lost:
            index += 1
        self._lost_from = self.records[index].start
        return index

    def unreported(self) -> Iterator[Sent]:
        """Those in the network as far as we know."""
        return (record for record in self.records if not record.is_sacked and not record.is_lost)

    def sent_before(self, at: int, end: Position) -> Iterator[Sent]:
        """Of those in the network what went out before `at`, or then and ends before `end`: RACK_sent_after of RFC 8985
        6.2."""
        for record in self._repeated:
            if record.at > at:
                break
            if record.at < at or record.end < end:
                yield record
        records = self.records
        index = self._index_from(self._undecided_from)
        are_all_decided = True
        while index < len(records):
            record = records[index]
            index += 1
            if record.is_sacked:
                index = self._index_from(record.reported_to)
            elif not record.is_lost and not record.is_repeated:
                if record.at > at or (record.at == at and record.end >= end):
                    return
                are_all_decided = False
                yield record
            if are_all_decided:
                self._undecided_from = records[index - 1].end

    def clear(self) -> None:
        self.records.clear()
        self._repeated.clear()
        self.sacked = self.reports = self.lost = self.guessed = self.gone = 0
        self.is_clean = True

    def _soil(self, end: Position) -> None:
        self.is_clean = False
        self._clean_from = max(self._clean_from, end)
