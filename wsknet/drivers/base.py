"""What a driver offers to hosts and faces: a clock, a lock, deadlines, and threads that may wait.

Two implementations: `sim.Simulation` (virtual time) and `blocking.RealDriver` (the machine's clock).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from wsknet.types import Instant

if TYPE_CHECKING:
    from wsknet.drivers.pump import Pump


class DeadlockError(Exception):
    """Virtual time only: every thread waits and nothing will ever happen.  The message names each wait."""


class Driver(Protocol):
    lock: AbstractContextManager[Any]
    """Held around every call into a core; never while user code runs."""

    def now(self) -> Instant: ...

    def rearm(self, pump: Pump, deadline: Instant | None) -> None:
        """`pump` wants its `fire` called at `deadline`; replaces what it wanted before.  Lock held."""

    def call_at(self, at: Instant, run: Callable[[], None]) -> Callable[[], None]:
        """Run `run()` at `at` (with no lock held).  The returned function cancels it."""

    def spawn(self, run: Callable[[], None], name: str) -> None:
        """Start a thread that may block.  In virtual time it starts when the caller next blocks."""

    def block(self, ready: Callable[[], bool], what: str, deadline: Instant | None) -> bool:
        """Block the calling thread until `ready()` is true (then True) or `deadline` has come (then False).

        `ready` runs under the driver's wait lock, in the order in which the threads blocked, and may consume what it
        waited for.  It is asked at once, and again after each `wakeup`.  `what` names the wait in a `DeadlockError`.
        Must not be called with the driver lock held, nor from a completion.
        """

    def wakeup(self) -> None:
        """Something that a blocked thread may be waiting for has changed.  Callable from anywhere."""
