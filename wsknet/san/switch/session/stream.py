"""Bytes that have arrived and wait for the application."""

from __future__ import annotations

from collections import deque

from wsknet.types import Buffer


class Stream:
    def __init__(self) -> None:
        self.readable = 0
        self.consumed = 0
        """Stream offset of the first readable byte."""
        self._urgent_to = 0
        self._chunks: deque[memoryview] = deque()

    @property
    def urgent_to(self) -> int | None:
        """Stream offset at which urgent data ends; `None` if all of that has been consumed.  It comes in its place
        among the other bytes (SAN-6.6.4), as with the endpoints of the emulator's TCP."""
        return self._urgent_to if self._urgent_to > self.consumed else None

    def append(self, data: Buffer, *, is_urgent: bool = False) -> None:
        """`data` is kept, not copied."""
        if len(data):
            self._chunks.append(memoryview(data))
            self.readable += len(data)
        if is_urgent:
            self._urgent_to = self.consumed + self.readable

    def copy_to(self, memory: memoryview) -> int:
        """Of the first bytes, as many as there is room for, without consuming them."""
        copied = 0
        for chunk in self._chunks:
            part = chunk[: len(memory) - copied]
            memory[copied : copied + len(part)] = part
            copied += len(part)
            if copied == len(memory):
                break
        return copied

    def consume(self, count: int) -> None:
        """At most what is readable."""
        self.readable -= count
        self.consumed += count
        while count:
            chunk = self._chunks.popleft()
            if count < len(chunk):
                self._chunks.appendleft(chunk[count:])
                return
            count -= len(chunk)

    def clear(self) -> None:
        self.consume(self.readable)
