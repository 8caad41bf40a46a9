"""The timestamps option: RFC 7323 3 to 5 (RTTM, PAWS), appendix A (layout)."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from wsknet.transport.tcp.seq import MASK
from wsknet.types import MILLISECOND, SECOND, Duration, Instant

if TYPE_CHECKING:
    from wsknet.transport.tcp.seq import Position

LENGTH = 12
"""What the option takes in every segment, padding included."""
_TICK = MILLISECOND
"""RFC 7323 5.4: a tick between 1 ms and 1 s."""
_HALF = 0x80000000
_OUTDATED: Duration = 24 * 86400 * SECOND
"""RFC 7323 5.5: a connection idle for so long accepts any timestamp."""

_pack = Struct("!III").pack
PREFIX = 0x0101080A
"""NOP, NOP, kind 8, length 10: how every segment begins its options (RFC 7323 appendix A)."""


def clock(now: Instant, offset: int) -> int:
    """TSval at `now`; `offset` makes it differ from connection to connection (RFC 7323 7.1)."""
    return (now // _TICK + offset) & MASK


class Timestamps:
    """Of one connection on which both ends send them."""

    __slots__ = ("_built", "_built_until", "_recent_at", "offset", "recent")

    def __init__(self, offset: int, recent: int, now: Instant) -> None:
        self.offset = offset
        self.recent = recent
        """TS.Recent: what we echo."""
        self._recent_at = now
        self._built = b""
        self._built_until = 0
        """Until then `_built` is the option: segments often leave in bursts within one tick."""

    def option(self, now: Instant) -> bytes:
        if now < self._built_until:
            return self._built
        ticks = now // _TICK
        self._built_until = (ticks + 1) * _TICK
        self._built = _pack(PREFIX, (ticks + self.offset) & MASK, self.recent)
        return self._built

    def is_old(self, value: int, now: Instant) -> bool:
        """PAWS (RFC 7323 5.3, R1): a segment with `value` is a duplicate from long ago."""
        return (value - self.recent) & MASK >= _HALF and now - self._recent_at < _OUTDATED

    def take(self, value: int, start: Position, last_acknowledged: Position, now: Instant) -> None:
        """RFC 7323 4.3 (2): echo the earliest segment that is not acknowledged yet."""
        if start <= last_acknowledged:
            self.recent = value
            self._recent_at = now
            self._built_until = 0

    def round_trip(self, echo: int, now: Instant) -> Duration | None:
        """RTTM (RFC 7323 4.1); `None` if `echo` is nothing that we have sent lately.  To the tick."""
        ticks = (clock(now, self.offset) - echo) & MASK
        return ticks * _TICK if ticks < _HALF else None
