"""How much data a segment carries: RFC 9293 3.7.1, RFC 1191 and RFC 8201 (what routers tell), RFC 4821 (finding out
without them)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.pmtu import MIN_PATH_MTU
from wsknet.transport.tcp.segments import HEADERS
from wsknet.types import SECOND, Duration, Family, Instant

if TYPE_CHECKING:
    from wsknet.transport.tcp.scoreboard import Sent

_BASE_MTU = {4: 1024, 16: 1280}
"""By address length: packets that get through nearly everywhere (RFC 4821 7.2)."""
_LEAST_MTU = {4: MIN_PATH_MTU[Family.IPV4], 16: MIN_PATH_MTU[Family.IPV6]}
"""Where even those do not."""
_TIMEOUTS = 2
"""Of one segment, after which it is taken to be too long: "full stop timeout" of RFC 4821 7.7.  Fewer would blame the
path for what congestion does."""
_CLOSE_ENOUGH = 32
"""Bytes between what fits and what does not, below which the search ends; RFC 4821 7.3 leaves the number open."""
_RETRY: Duration = 600 * SECOND
"""After which a search that has ended begins again (RFC 4821 7.3, RFC 1191 6.3)."""


class SegmentSize:
    """`limit` is what peer and path allow; less is in use while the path swallows longer packets without a word."""

    __slots__ = ("_base", "_high", "_least", "_next_search", "_probe_size", "low", "overhead", "path", "peer", "probe")

    def __init__(self, address_length: int, path: int) -> None:
        self.peer = path
        """What the peer takes, without options."""
        self.path = path
        """What the path takes, as far as anybody has told, without options."""
        self.overhead = 0
        """Bytes of options in every segment."""
        self.probe: Sent | None = None
        """A segment longer than `current` on its way, to see whether it arrives."""
        self._probe_size = 0
        """Its data and options: what is left of it in flight may be less."""
        self._base = _BASE_MTU[address_length] - HEADERS[address_length]
        self._least = _LEAST_MTU[address_length] - HEADERS[address_length]
        self.low: int | None = None
        """The longest known to arrive, while the path is not what it says; `None` if it is."""
        self._high = path
        """The shortest known not to arrive, or one more than allowed."""
        self._next_search = Instant(0)

    @property
    def limit(self) -> int:
        return min(self.peer, self.path) - self.overhead

    @property
    def current(self) -> int:
        return self.limit if self.low is None else min(self.limit, self.low - self.overhead)

    def path_takes(self, size: int) -> None:
        """`size` is news about `path`."""
        self.path = size
        if self._probe_size > size:
            self.probe = None  # its loss would be no news, and its arrival no use

    def timed_out(self, length: int, retries: int, now: Instant) -> None:
        """A segment with `length` bytes of data has timed out, and `retries` times before; perhaps it was too long."""
        if self.probe is not None:
            self.probe_was_lost(True, now)
        size = length + self.overhead
        if retries < _TIMEOUTS or size <= self._least:
            return
        low = self._base if size > self._base else self._least
        if self.low is None:
            self.low = low
            self._high = self._end
        if size > self._base:  # a shorter one says nothing about what lies between it and those in use before
            self._high = min(self._high, size)
        self.low = min(self.low, low)
        self._next_search = Instant(now + _RETRY)

    @property
    def _end(self) -> int:
        """One more than peer and path allow."""
        return min(self.peer, self.path) + 1

    def next_probe(self, now: Instant) -> int:
        """How long a segment should be that searches for more; 0 for none."""
        low, end = self.low, self._end
        if low is None or self.probe is not None or low + 1 >= end:
            return 0
        if now >= self._next_search:
            self._high = end
            return end - 1 - self.overhead
        self._high = min(self._high, end)
        if self._high - low <= _CLOSE_ENOUGH:
            return 0
        return (low + self._high) // 2 - self.overhead

    def probe_sent(self, probe: Sent, length: int) -> None:
        """`probe` carries `length` bytes of data."""
        self.probe = probe
        self._probe_size = length + self.overhead

    def probe_arrived(self, now: Instant) -> None:
        self.probe = None
        self.low = self._probe_size
        if self.low + 1 >= self._end:
            self.low = None  # the path is as it says
        else:
            self._search_on(now)

    def probe_was_lost(self, is_conclusive: bool, now: Instant) -> None:
        """Not if other segments were lost with it: that may be congestion (RFC 4821 7.6.4)."""
        self.probe = None
        if is_conclusive:
            self._high = self._probe_size
            self._search_on(now)

    def _search_on(self, now: Instant) -> None:
        if (self.low is not None and self._high - self.low <= _CLOSE_ENOUGH) or now >= self._next_search:
            self._next_search = Instant(now + _RETRY)
