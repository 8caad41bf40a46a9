"""The bytes to be sent: memory lent by the application, given back when it is acknowledged."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, LocalError

if TYPE_CHECKING:
    from wsknet.transport.tcp.seq import Position
    from wsknet.types import Buffer, Buffers

_MOST_VIEWS = 8
"""A segment made of more pieces than this is copied together: each buffer of a frame costs more than its bytes."""


class SendQueue:
    """Views of lent memory, one behind the other.  Nothing is copied on the way from `append` to `take`."""

    __slots__ = ("_cursor", "_cursor_start", "_first", "_views", "end")

    def __init__(self, start: Position) -> None:
        self._views: deque[memoryview] = deque()
        self._first = start
        """Where the first view begins; at most what is acknowledged."""
        self._cursor = 0
        """The view that `take` used last, and where it begins: segments are cut one after the other."""
        self._cursor_start = start
        self.end = start
        """Where the next byte appended will stand."""

    def append(self, data: Buffer) -> None:
        """Hold `data` until it is acknowledged.  `LocalError` INVALID_ARGUMENT if it is not contiguous."""
        view = memoryview(data)
        if not view.c_contiguous:
            raise LocalError(ErrorKind.INVALID_ARGUMENT, "only contiguous memory can be lent")
        if view.format != "B" or view.ndim != 1:
            view = view.cast("B")
        if len(view):
            self._views.append(view)
            self.end += len(view)

    def take(self, position: Position, length: int) -> Buffers:
        """Views of the `length` bytes from `position` on: unacknowledged ones, and at least one."""
        if position < self._cursor_start:
            self._cursor = 0
            self._cursor_start = self._first
        views = self._views
        view = views[self._cursor]
        offset = position - self._cursor_start
        while offset >= len(view):
            offset -= len(view)
            self._cursor_start += len(view)
            self._cursor += 1
            view = views[self._cursor]
        end = offset + length
        if end <= len(view):
            return (view[offset:end],)
        return self._spanning(self._cursor, offset, length)

    def _spanning(self, index: int, offset: int, length: int) -> Buffers:
        pieces = []
        while length:
            piece = self._views[index][offset : offset + length]
            pieces.append(piece)
            length -= len(piece)
            index += 1
            offset = 0
        return tuple(pieces) if len(pieces) <= _MOST_VIEWS else (b"".join(pieces),)

    def acknowledge(self, una: Position) -> bool:
        """Give back what lies before `una`; whether any memory was given back."""
        views = self._views
        if not views or self._first + len(views[0]) > una:
            return False
        while views and self._first + len(views[0]) <= una:
            self._first += len(views.popleft())
            self._cursor -= 1
        if self._cursor < 0:
            self._cursor = 0
            self._cursor_start = self._first
        return True

    def clear(self) -> None:
        """Give everything back."""
        self._views.clear()
        self._first = self._cursor_start = self.end
        self._cursor = 0
