"""The receiving half of a connection: RFC 9293 3.4, 3.8.6.2.2, 3.10.7.4 (seventh step), RFC 7323 2.

What to answer is decided by the caller; this keeps the bytes and knows the window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.transport.tcp.reassembly import Reassembly

if TYPE_CHECKING:
    from wsknet.transport.tcp.sack import Reports
    from wsknet.transport.tcp.seq import Position

MAX_FIELD = 0xFFFF
"""The largest number the window field holds."""
AT_ONCE = 1 << 16
"""Added to `unacknowledged` so that no acknowledgement is delayed, however seldom they are sent."""


def scale_for(limit: int, usual: int | None = None) -> int:
    """The shift with which `limit` bytes are offered (RFC 7323 2.2): `usual`, or a larger one that is needed.

    A buffer that needs none gets none: with 8, one of 255 bytes could not be offered at all.
    """
    needed = min(max(limit.bit_length() - 16, 0), 14)
    return max(needed, usual or 0) if needed else 0


class Receiver:
    __slots__ = ("_told", "acknowledged", "buffer", "consumed", "edge", "fin_at", "irs", "limit", "nxt",
                 "offered_shift", "pushed_ahead", "pushed_to", "reassembly", "reordered", "reports", "segment_size",
                 "shift", "told_edge", "unacknowledged", "urgent_to")  # fmt: skip

    def __init__(self, limit: int, segment_size: int, usual_scale: int | None = None) -> None:
        self.buffer = bytearray()
        """In order and not yet consumed."""
        self.limit = limit
        """Bytes the buffer may hold: the window is what is left of it."""
        self.segment_size = segment_size
        """What we announced in our MSS option."""
        self.offered_shift = scale_for(limit, usual_scale)
        """For the window scale option of our SYN: settled before it, whatever `limit` becomes."""
        self.shift = 0
        """RFC 7323: how far our window fields are shifted; 0 until the peer has agreed."""
        self.irs: Position = 0
        self.nxt: Position = 0
        """RCV.NXT; `irs` + 1 before any data."""
        self.edge: Position = 0
        """RCV.NXT + RCV.WND: the furthest we have ever promised.  It never moves back."""
        self.told_edge: Position = 0
        """What the latest segment said of it: less, where the shift cut something off."""
        self.consumed = 0
        """Stream offset of the first byte of `buffer`."""
        self.pushed_to = 0
        """Stream offset at which the latest segment with PSH ended; 0 before any."""
        self.pushed_ahead: Position = 0
        """Where the furthest segment with PSH ended that came before its turn."""
        self.fin_at: Position | None = None
        """Where the peer's FIN stands, once a segment in the window has told."""
        self.unacknowledged = 0
        """Segments with data since the last acknowledgement we sent."""
        self._told = 0
        """The window of our SYN."""
        self.acknowledged: Position = 0
        """Last.ACK.sent of RFC 7323 4.3."""
        self.urgent_to: Position = 0
        """RCV.UP; of no meaning once all before it has been consumed."""
        self.reassembly = Reassembly()
        self.reordered = 0
        """Bytes that came ahead of what was missing."""
        self.reports: Reports | None = None
        """What we tell by SACK, if both ends permit it."""

    def start(self, irs: Position, shift: int) -> None:
        """The peer's SYN stands at `irs`."""
        self.irs = irs
        self.nxt = self.acknowledged = irs + 1
        self.edge = self.told_edge = self.nxt + max(self._told, min(self.limit, MAX_FIELD))
        self.shift = shift

    def set_limit(self, size: int) -> None:
        """Not below one unit of the window field: scaled, it could never tell of less, and the window would be closed
        for ever."""
        self.limit = max(size, 1 << self.offered_shift)

    def syn_window(self) -> int:
        """The window field of a SYN, which is never scaled (RFC 7323 2.2); a promise like any other."""
        self._told = max(self._told, min(self.limit, MAX_FIELD))
        return self._told

    @property
    def window(self) -> int:
        """RCV.WND: what the peer may still send."""
        return self.edge - self.nxt

    def offer(self) -> int:
        """The window field for a segment leaving now; moves `edge`.

        Small steps are withheld (RFC 9293 3.8.6.2.2), and no step goes back: a remainder that the shift would cut off
        is rounded up while there is room for it.
        """
        shift = self.shift
        free = self.limit - len(self.buffer)
        held = self.edge - self.nxt
        step = free - held
        if step >= self.segment_size or step >= self.limit >> 1:
            field = min(free >> shift, MAX_FIELD)
        else:
            field = (held + (1 << shift) - 1) >> shift
            if field << shift > free:
                field = held >> shift
        gain = (field << shift) - held
        if gain > 0:
            self.edge += gain
        self.told_edge = self.nxt + (field << shift)
        return field

    def is_update_due(self) -> bool:
        """Whether the peer should be told of freed memory: when it knows of less than half of what there is now.

        So a closed window opens at once, and each further update at least doubles what the peer may send.
        """
        held = max(self.told_edge - self.nxt, 0)
        free = min(self.limit - len(self.buffer), MAX_FIELD << self.shift)
        step = free - held
        return step >= held and (step >= self.segment_size or step >= self.limit >> 1)

    def insert(self, start: Position, data: bytes, is_pushed: bool) -> bool:
        """Take what lies in the window of data at `start`; False if a bound kept it out.

        Data in order is followed by what had been waiting for it.
        """
        end = start + len(data)
        limit = self.edge if self.fin_at is None else min(self.edge, self.fin_at)
        if end > limit:
            data = data[: max(limit - start, 0)]
            is_pushed = False
        is_repeat = start < self.nxt
        if is_repeat:
            self.arrived_twice(start, min(end, self.nxt))
            data = data[self.nxt - start :]
            start = self.nxt
        if not data:
            return True
        if self.reports is not None and self.reassembly and not is_repeat:  # one part is told: the first (RFC 2883 4)
            self._report_overlap(start, start + len(data))
        if start > self.nxt:
            if is_pushed:
                self.pushed_ahead = max(self.pushed_ahead, end)
            if self.reports is not None:
                self.reports.arrived(start)
            return self.reassembly.add(start, data)
        self.buffer += data
        self.nxt += len(data)
        if is_pushed:
            self.pushed_to = self.received
        if self.reassembly:
            for piece in self.reassembly.take(self.nxt):
                self.buffer += piece
                self.nxt += len(piece)
            if self.pushed_ahead <= self.nxt:
                self.pushed_to = max(self.pushed_to, self.received - (self.nxt - self.pushed_ahead))
        return True

    def take_urgent(self, position: Position) -> bool:
        """The stream is urgent up to `position`; whether that is news (RFC 9293 3.8.5).  The data stays in its place
        (RFC 6093 6)."""
        is_news = position > max(self.urgent_to, self.nxt - len(self.buffer))
        if is_news:
            self.urgent_to = position
        return is_news

    def arrived_twice(self, left: Position, right: Position) -> None:
        """We had this already; the peer learns so if SACK is permitted."""
        if self.reports is not None and left < right:
            self.reports.arrived_twice(left, right)

    def _report_overlap(self, start: Position, end: Position) -> None:
        island = self.reassembly.overlap(start, end)
        if island is not None:
            self.arrived_twice(*island)

    def take_fin(self, position: Position) -> None:
        """A segment says that the stream ends at `position`.  The first word counts, if it lies in the window."""
        if self.fin_at is None and self.nxt <= position <= self.edge:
            self.fin_at = position
            self.reassembly.cut(position)
            if self.reports is not None and position > self.nxt:
                self.reports.finished(position)

    def finish(self) -> None:
        """The peer's FIN is next in the stream."""
        self.nxt += 1
        self.edge = max(self.edge, self.nxt)
        if self.reports is not None:
            self.reports.end = None

    @property
    def received(self) -> int:
        """Stream offset of the end of `buffer`."""
        return self.consumed + len(self.buffer)

    @property
    def is_pushed(self) -> bool:
        return self.pushed_to > self.consumed

    def copy_into(self, target: memoryview) -> int:
        """Consume as much as fits into `target`; how much that is."""
        buffer = self.buffer
        count = len(buffer)
        if count <= len(target):
            target[:count] = buffer
            buffer.clear()
        else:
            count = len(target)
            with memoryview(buffer) as view:
                target[:] = view[:count]
            del buffer[:count]
        self.consumed += count
        return count

    def peek(self, limit: int) -> bytes:
        with memoryview(self.buffer) as view:
            return bytes(view[:limit])

    def consume(self, count: int) -> None:
        """Forget the first `count` bytes, of which there are that many."""
        del self.buffer[:count]
        self.consumed += count

    def clear(self) -> None:
        """Drop what was not read; nothing more is expected."""
        self.consumed += len(self.buffer)
        self.buffer = bytearray()
        self.reassembly.clear()
