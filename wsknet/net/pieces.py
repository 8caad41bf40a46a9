"""The data of one packet while parts of it are missing: RFC 815, RFC 5722, RFC 8200 4.5."""

from __future__ import annotations

from bisect import bisect_left

from wsknet.trace import DropReason


class Pieces:
    """Data by offset.  No two pieces share a byte, so what is missing is known from the sizes alone."""

    __slots__ = ("_data", "_starts", "end", "size")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._data: list[bytes] = []
        self.end: int | None = None
        """Bytes of the whole, once the last piece is there."""
        self.size = 0
        """Bytes that are there."""

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def first(self) -> bytes | None:
        return self._data[0] if self._starts and self._starts[0] == 0 else None

    @property
    def is_whole(self) -> bool:
        return self.size == self.end

    def add(self, offset: int, data: bytes, is_last: bool) -> DropReason | None:
        """Nothing has changed if there is a reason why not.

        FRAGMENT_DUPLICATE is harmless: exactly this has come before.  The others make the whole packet void.
        """
        end = offset + len(data)
        at = bisect_left(self._starts, offset)
        follows = at < len(self._starts)
        if follows and self._starts[at] == offset and self._data[at] == data and is_last == (end == self.end):
            return DropReason.FRAGMENT_DUPLICATE
        if (follows and self._starts[at] < end) or (at and self._starts[at - 1] + len(self._data[at - 1]) > offset):
            return DropReason.FRAGMENT_OVERLAP
        if (is_last and follows) or (self.end is not None and end > self.end):
            return DropReason.FRAGMENT_MALFORMED
        if is_last:
            self.end = end
        self._starts.insert(at, offset)
        self._data.insert(at, data)
        self.size += len(data)
        return None

    def join(self) -> bytes:
        return b"".join(self._data)
