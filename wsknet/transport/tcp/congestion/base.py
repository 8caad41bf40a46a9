"""What a congestion control is asked and told: RFC 5681, RFC 6928, RFC 3168 6.1.2, RFC 4015.

It owns the congestion window and the slow start threshold and nothing else.  What is lost, what to send again and how
much of the window is in use while that goes on is decided elsewhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeAlias

from wsknet.types import Duration, Instant

LARGEST_WINDOW = 1 << 30
"""RFC 7323 2.3: no peer can offer more."""

_INITIAL_WINDOW_BYTES = 14600
"""RFC 6928 2: what ten segments come to, or two of a very large size."""


class CongestionControl(ABC):
    """All sizes in bytes.  `flight` is RFC 5681's FlightSize, what has been sent and not been acknowledged at that
    moment; segments that SACK has told of are part of it.

    An algorithm says how the window grows and how far it falls; when it falls, and when that is undone, is the same for
    all.
    """

    __slots__ = ("_before", "_initial", "_is_recovering", "segment_size", "threshold", "window")

    def __init__(self, segment_size: int, initial_segments: int) -> None:
        self._initial = initial_segments
        self._is_recovering = False
        self._before: tuple[int, int] | None = None
        """Window and threshold from before the latest reduction, as long as that may turn out to be wrong."""
        self.threshold = LARGEST_WINDOW
        """Below it slow start, from it on congestion avoidance.  Arbitrarily high at first (RFC 5681 3.1)."""
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
        """The path carries less than was thought, or more; the window stays, but is one segment at least."""
        self.segment_size = segment_size
        self.window = max(self.window, segment_size)
        self.threshold = max(self.threshold, 2 * segment_size)

    def is_limit(self, flight: int) -> bool:
        """Whether it is the window that keeps the connection from sending more.  If not, acknowledgements prove
        nothing about a larger one: RFC 9438 5.8, RFC 7661 1.

        In slow start half the window in use is enough, as in Linux's `tcp_is_cwnd_limited`: the window there is twice
        what has been tested, and a sender that hands out data in pieces would never use it up.
        """
        if self.window < self.threshold and 2 * flight > self.window:
            return True
        return flight + self.segment_size >= self.window

    @abstractmethod
    def acknowledged(self, count: int, flight: int, now: Instant, round_trip: Duration | None) -> None:
        """`count` new bytes were acknowledged, outside of loss recovery; `flight` is from before them.  `round_trip` is
        the sample that this acknowledgement gave, if it gave one."""

    def loss_detected(self, flight: int, now: Instant) -> None:
        """A segment is lost; recovery begins, and the window is the threshold at once (RFC 6675 5, step 4.2)."""
        self._remember()
        self._is_recovering = True
        self.window = self.threshold = max(self._reduce(flight, False), 2 * self.segment_size)

    def recovered(self, flight: int, now: Instant) -> None:
        """Everything sent before the loss was noticed has been acknowledged.  With little in flight the window opens
        no further than one segment beyond it, to be filled by slow start: RFC 6582 3.2, step 3, option 1.

        Without effect if the recovery was undone.
        """
        if self._is_recovering:
            self._is_recovering = False
            self.window = min(self.threshold, max(flight, self.segment_size) + self.segment_size)

    def timed_out(self, flight: int, is_repeated: bool, now: Instant) -> None:
        """The retransmission timer expired; `is_repeated` if it did before for the same segment (RFC 5681 3.1)."""
        self._is_recovering = False
        if not is_repeated:
            self._remember()
            self.threshold = max(self._reduce(flight, True), 2 * self.segment_size)
        self.window = self.segment_size

    def congestion_experienced(self, flight: int, now: Instant) -> None:
        """The peer echoes a mark of congestion: as a loss, but nothing is lost (RFC 3168 6.1.2).  At most once per
        round trip, and not during recovery.  The window may go down to one segment, unlike after a loss (RFC 9438 4.6).

        It is not to be undone, nor is what came before: the network is congested, it said so itself.
        """
        self._before = None
        reduced = self._reduce(flight, False)
        self.threshold = max(reduced, 2 * self.segment_size)
        self.window = max(reduced, self.segment_size)

    def undo(self, now: Instant) -> None:
        """The latest reduction, by `loss_detected` or `timed_out`, was wrong: nothing was lost (RFC 4015, RFC 9438
        4.9).  All is as before it.

        Nothing happens if there is nothing to undo, or if the window has grown beyond what it was in the meantime.
        """
        before = self._before
        self._before = None
        self._is_recovering = False
        if before is not None and before[0] > self.window:
            self.window = before[0]
            self.threshold = max(before[1], 2 * self.segment_size)
            self._restore(now)

    def lost_syn(self) -> None:
        """RFC 5681 3.1: when a SYN or SYN-ACK had to be repeated, start with one segment."""
        self.window = self.segment_size

    def idle(self, now: Instant) -> None:
        """Nothing was sent for longer than the timeout, and something is about to be (RFC 5681 4.1): what was learnt
        is out of date."""
        self._before = None
        self.window = min(self.window, self.initial_window())

    def _remember(self) -> None:
        """The state as it is may be wanted back.  An algorithm adds its own."""
        self._before = (self.window, self.threshold)

    @abstractmethod
    def _restore(self, now: Instant) -> None:
        """The algorithm's own state is again as it was remembered; window and threshold are already."""

    @abstractmethod
    def _reduce(self, flight: int, is_timeout: bool) -> int:
        """Congestion: what the threshold is to be, before the least that it can be is seen to."""

    def _exposed(self, flight: int) -> int:
        """What a reduction starts from: FlightSize without what limited transmit sent beyond the window, which
        RFC 5681 3.2, step 2, leaves out."""
        return min(flight, self.window)


CongestionFactory: TypeAlias = Callable[[int, int], CongestionControl]
"""Called with the segment size and the number of segments in the initial window."""
