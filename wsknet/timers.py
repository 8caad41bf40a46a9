"""The one deadline heap of a stack.

A timer that is pushed back again and again (a retransmission timer, on every acknowledgement) must be cheap: it
only stores its new deadline, and the heap is corrected when the old entry comes up.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush, heapreplace

from wsknet.types import Instant

Expired = Callable[[Instant], object]


class Timer:
    """One restartable deadline.  `expired(now)` runs from `Timers.fire`, after the timer has been disarmed."""

    __slots__ = ("_entry_at", "_order", "_timers", "deadline", "expired")

    def __init__(self, timers: Timers, expired: Expired) -> None:
        self._timers = timers
        self._order = timers.next_order()
        self._entry_at: int | None = None
        self.expired = expired
        self.deadline: Instant | None = None

    def arm(self, deadline: Instant) -> None:
        """Expire at `deadline`, replacing any earlier setting.  A deadline in the past expires at the next poll."""
        self.deadline = deadline
        if self._entry_at is None or deadline < self._entry_at:
            self._entry_at = deadline  # first: `push` may drop entries that no timer acknowledges as its own
            self._timers.push(deadline, self)

    def arm_by(self, deadline: Instant) -> None:
        """Expire at `deadline`, or before it if that was set already."""
        if self.deadline is None or deadline < self.deadline:
            self.arm(deadline)

    def cancel(self) -> None:
        self.deadline = None

    @property
    def is_armed(self) -> bool:
        return self.deadline is not None


class Timers:
    """All timers of one stack.  Ties expire in the order in which the timers were created."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Timer]] = []
        self._orders = 0
        self._compact_at = 64

    def next_order(self) -> int:
        self._orders += 1
        return self._orders

    def push(self, deadline: int, timer: Timer) -> None:
        heap = self._heap
        if heap:
            at, _, top = heap[0]
            if top.deadline is None or top._entry_at != at:
                # Nobody waits for it any more: one step on the heap instead of two, 1 us per round trip of TCP.
                if top._entry_at == at:
                    top._entry_at = None
                heapreplace(heap, (deadline, timer._order, timer))
                return
        heappush(heap, (deadline, timer._order, timer))
        if len(heap) > self._compact_at:
            self._compact()

    def next_deadline(self) -> Instant | None:
        """The earliest armed deadline; `None` means that nothing is waiting for time to pass."""
        heap = self._heap
        while heap:
            at, _, timer = heap[0]
            if timer._entry_at == at == timer.deadline:
                return timer.deadline
            self._correct_top()
        return None

    def take_due(self, now: Instant) -> Timer | None:
        """The next timer due at `now`, disarmed; the caller runs its `expired`."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            at, _, timer = heap[0]
            if timer._entry_at != at or timer.deadline != at:
                self._correct_top()
                continue
            heappop(heap)
            timer._entry_at = timer.deadline = None
            return timer
        return None

    def fire(self, now: Instant) -> None:
        """Run every timer due at `now`, those armed meanwhile for `now` or before included."""
        while (timer := self.take_due(now)) is not None:
            timer.expired(now)

    def _correct_top(self) -> None:
        """Replace a top entry that no longer tells its timer's deadline."""
        at, _, timer = heappop(self._heap)
        if timer._entry_at != at:
            return  # superseded by an earlier entry
        timer._entry_at = timer.deadline
        if timer.deadline is not None:
            heappush(self._heap, (timer.deadline, timer._order, timer))

    def _compact(self) -> None:
        """Drop entries whose timer was cancelled, so that short-lived connections leave nothing behind."""
        live = []
        for at, order, timer in self._heap:
            if timer._entry_at != at:
                continue
            if timer.deadline is None:
                timer._entry_at = None
            else:
                live.append((at, order, timer))
        heapify(live)
        self._heap = live
        self._compact_at = max(64, 2 * len(live))
