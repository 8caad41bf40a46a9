"""Completions that come otherwise than a program may expect: how its author finds out what it takes for granted.

The order of completions stays what it is.  What changes is whether one comes before the call returns, how much later it
comes, and in which thread.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Any

from wsknet.types import Duration, Instant

if TYPE_CHECKING:
    from wsknet.drivers.base import Driver
    from wsknet.drivers.completions import Completions

NESTING_LIMIT = 8
"""Completions that run inside each other at most: what comes beyond pends.  Windows has a stack of 12 or 24 KB."""


class Completing(Enum):
    """What becomes of an operation that could answer at once."""

    AS_READY = "as ready"
    """Inline, unless another completion is running: what happens without a disturbance."""
    PENDING = "pending"
    """Everything pends, failures included."""
    INLINE = "inline"
    """Inline also from inside a completion, NESTING_LIMIT deep."""
    ALTERNATING = "alternating"
    """PENDING and INLINE in turns."""


class Disturbance:
    """In force on one queue until its `end`; meanwhile it is the only one who drains."""

    def __init__(
        self, completions: Completions, driver: Driver, completing: Completing, delay: Duration, is_on_thread: bool
    ) -> None:
        self.completing = completing
        self.delay = delay
        self.is_on_thread = is_on_thread
        self._completions = completions
        self._driver = driver
        self._turn = Lock()
        """Held by whoever runs completions."""
        self._runner = 0
        """The thread that does."""
        self._depth = 0
        """Completions that it runs inside each other."""
        self._pends_next = False
        self._is_scheduled = False

    def end(self, patience: float) -> bool:
        """Run nothing any more, for good.  False, and all goes on, if what runs does not return in so many seconds."""
        return self._turn.acquire(timeout=patience)

    def claims(self) -> bool:
        """Whether an operation that has its answer may complete inline.  Driver lock held; see `Completions.claim`."""
        if self.completing is Completing.PENDING:
            return False
        if self.completing is Completing.ALTERNATING:
            self._pends_next = not self._pends_next
            if self._pends_next:
                return False
        if self._turn.acquire(blocking=False):
            self._runner, self._depth = get_ident(), 1
            return True
        may_nest = self.completing is not Completing.AS_READY and self._depth < NESTING_LIMIT
        if may_nest and self._runner == get_ident():
            self._depth += 1
            return True
        return False

    def run_claimed(self, run: Callable[..., None], *args: Any) -> None:
        """After a successful `claims`, driver lock released."""
        try:
            with self._completions.surroundings():
                run(*args)
        finally:
            self._depth -= 1
            if self._depth == 0:
                self.release()
                self.deliver()

    def deliver(self) -> None:
        """Something is queued: have it run later."""
        if not self._completions.is_empty and not self._is_scheduled:
            self._is_scheduled = True
            at = Instant(self._driver.now() + self.delay)
            self._driver.call_at(at, self._spawn if self.is_on_thread else self._run)

    def _spawn(self) -> None:
        self._driver.spawn(self._run, "completions")

    def _run(self) -> None:
        self._is_scheduled = False
        if self._completions.disturbance is self:
            self._completions.drain(self)
        else:
            self._completions.drain()  # somebody saw this one in force a moment before its end

    def acquire(self, blocking: bool) -> bool:
        """Take the turn, if nobody has it; see `Completions.drain`."""
        if not self._turn.acquire(blocking=blocking):
            return False
        self._runner, self._depth = get_ident(), 1
        return True

    def release(self) -> None:
        self._runner = self._depth = 0
        self._turn.release()
