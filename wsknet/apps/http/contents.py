"""What answers are made of: octets that are cheap to get at from any place on."""

from __future__ import annotations

from functools import cache
from hashlib import shake_128
from typing import NamedTuple, Protocol

PERIOD = 1_048_573
"""Octets after which the pattern begins again: a prime just below 2^20, so that a block of any usual size that is
lost, doubled or out of place shows."""
BLOCK = 1 << 16
"""Octets that are handed out at once."""


class Content(Protocol):
    @property
    def length(self) -> int: ...

    def read(self, start: int, length: int) -> memoryview:
        """The octets from `start` on: at least one, at most `length`, which is not beyond the end."""


class Slice(NamedTuple):
    """The octets of `content` from `start` up to `stop`."""

    content: Content
    start: int
    stop: int


class Octets:
    """What is in memory already."""

    def __init__(self, octets: bytes | bytearray) -> None:
        self.length = len(octets)
        self._view = memoryview(octets).toreadonly()

    def read(self, start: int, length: int) -> memoryview:
        return self._view[start : start + min(length, BLOCK)]


class Pattern:
    """`length` octets, the one at place i being octet i modulo `PERIOD` of SHAKE-128 of ``wsknet``.

    ``hashlib.shake_128(b"wsknet").digest(1048573)`` gives them to whoever wants to compare.
    """

    def __init__(self, length: int) -> None:
        self.length = length

    def read(self, start: int, length: int) -> memoryview:
        at = start % PERIOD
        return _pattern()[at : at + min(length, BLOCK)]


@cache
def _pattern() -> memoryview:
    """One period and the begin of the next, so that every block lies in one piece."""
    period = shake_128(b"wsknet").digest(PERIOD)
    return memoryview(period + period[:BLOCK])
