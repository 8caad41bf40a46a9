"""Message buffers: one registered region for sending and one for receiving ("Using registered memory")."""

from __future__ import annotations

from collections import deque

from wsknet.san.structures import WSABUFEX
from wsknet.types import Buffer


class Region:
    """`count` buffers of `size` bytes, in one piece of memory that is registered once."""

    def __init__(self, count: int, size: int) -> None:
        self.memory = bytearray(count * size)
        self.handle = 0
        """What WSPRegisterMemory has given; 0: not registered."""
        self._size = size
        self._free = deque(range(count))

    @property
    def is_in_use(self) -> bool:
        return len(self._free) * self._size < len(self.memory)

    def take(self) -> int | None:
        """The number of a free buffer."""
        return self._free.popleft() if self._free else None

    def give_back(self, number: int) -> None:
        self._free.append(number)

    def view(self, number: int, length: int | None = None) -> memoryview:
        start = number * self._size
        return memoryview(self.memory)[start : start + (self._size if length is None else length)]

    def fill(self, number: int, *parts: Buffer) -> int:
        """Copy `parts` to the beginning of a buffer; how many bytes that were."""
        at = start = number * self._size
        for part in parts:
            self.memory[at : at + len(part)] = part
            at += len(part)
        return at - start

    def buffer(self, number: int, length: int | None = None) -> WSABUFEX:
        return WSABUFEX(self.view(number, length), self.handle)
