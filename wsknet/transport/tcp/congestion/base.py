"""What a congestion control is asked and told: RFC 5681, RFC 6928.

It owns the congestion window and the slow start threshold and nothing else.  What to send again is decided in
`recovery`, which also holds the bytes that fast recovery adds on top of the window for the time it lasts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeAlias

from wsknet.types import Duration, Instant

_INITIAL_WINDOW_BYTES = 14600
"""RFC 6928 2: what ten segments come to, or two of a very large size."""


class CongestionControl(ABC):
    """All sizes in bytes.  `flight` is what has been sent and not been acknowledged at that moment."""

    __slots__ = ("_initial", "segment_size", "threshold", "window")

    def __init__(self, segment_size: int, initial_segments: int) -> None:
        self._initial = initial_segments
        self.threshold = 1 << 30
        """Arbitrarily high at first (RFC 5681 3.1): the largest window there is."""
        self.start(segment_size)

    def start(self, segment_size: int) -> None:
        """The handshake has settled the segment size; nothing has been sent yet."""
        self.segment_size = segment_size
        self.window = self.initial_window()

    def initial_window(self) -> int:
        """RFC 6928 2, for ten segments: ``min(10 * MSS, max(2 * MSS, 14600))``; in proportion for other numbers."""
        limit = max(2 * self.segment_size, _INITIAL_WINDOW_BYTES * self._initial // 10)
        return max(self.segment_size, min(self._initial * self.segment_size, limit))

    def set_segment_size(self, segment_size: int) -> None:
        """The path carries less than was thought; the window keeps at least one segment."""
        self.segment_size = segment_size
        self.window = max(self.window, segment_size)

    @abstractmethod
    def acknowledged(self, count: int, flight: int, now: Instant, round_trip: Duration | None) -> None:
        """`count` new bytes were acknowledged, outside of loss recovery; `flight` is from before them."""

    @abstractmethod
    def loss_detected(self, flight: int, now: Instant) -> None:
        """Duplicate acknowledgements tell of a lost segment; fast recovery begins."""

    @abstractmethod
    def recovered(self, flight: int, now: Instant) -> None:
        """Everything sent before the loss was noticed has been acknowledged."""

    @abstractmethod
    def timed_out(self, flight: int, is_repeated: bool, now: Instant) -> None:
        """The retransmission timer expired; `is_repeated` if it did before for the same segment."""

    def lost_syn(self) -> None:
        """RFC 5681 3.1: when a SYN or SYN-ACK had to be repeated, start with one segment."""
        self.window = self.segment_size

    def idle(self) -> None:
        """Nothing was sent for longer than the timeout (RFC 5681 4.1): what was learnt is out of date."""
        self.window = min(self.window, self.initial_window())


CongestionFactory: TypeAlias = Callable[[int, int], CongestionControl]
"""Called with the segment size and the number of segments in the initial window."""
