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


class ThreadEnd(BaseException):
    """Raised inside `Driver.block` to unwind a spawned thread when its driver is closed.  Let it pass."""


class Driver(Protocol):
    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held around every call into a core; never while user code runs."""

    @property
    def epoch(self) -> int:
        """Nanoseconds between 1970-01-01T00:00:00Z and the zero of `now`: what captures and clocks of hosts add."""

    def now(self) -> Instant: ...

    def rearm(self, pump: Pump, deadline: Instant | None) -> None:
        """`pump` wants its `fire` called at `deadline`; replaces what it wanted before.  Lock held."""

    def call_at(self, at: Instant, run: Callable[[], object]) -> Callable[[], None]:
        """Run `run()` at `at` (with no lock held), at once if that is past.  The returned function cancels it.

        Callable from anywhere, also with the driver lock held.
        """

    def spawn(self, run: Callable[[], object], name: str) -> None:
        """Start a thread that may block.  In virtual time it starts when the caller next blocks.

        An exception that leaves `run` stops the driver and surfaces as one of a callback would.
        """

    def block(self, ready: Callable[[], bool], what: str, deadline: Instant | None) -> bool:
        """Block the calling thread until `ready()` is true (then True) or `deadline` has come (then False).

        `ready` runs under the driver's wait lock, in the order in which the threads blocked, and may consume what it
        waited for.  It is asked at once, and again by each `wakeup`, in whatever thread that is called: so it must be
        quick, enter no pump and call nothing of the driver.  `what` names the wait in a `DeadlockError`.
        Must not be called with the driver lock held, nor from a completion.

        Raises what a callback or another thread has raised (in the main program), or `ThreadEnd` (in a thread of
        `spawn`, once the driver is closed).
        """

    def wakeup(self) -> None:
        """Something that a blocked thread may be waiting for has changed.

        When it returns, every thread that can go on has been chosen.  Callable from anywhere, also with the driver
        lock held.
        """
