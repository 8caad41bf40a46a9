"""Virtual time: any number of stacks on one event heap, and the threads of the programs that use them.

Time stands still while anything runs and jumps to the next deadline when every thread waits.  The same program does
the same things at the same instants every time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from types import TracebackType
from typing import TYPE_CHECKING

from wsknet.drivers.baton import Baton, Wait
from wsknet.timers import Timer, Timers
from wsknet.types import SECOND, Duration, Instant

if TYPE_CHECKING:
    from wsknet.drivers.pump import Pump

NEW_YEAR_2026 = 1_767_225_600 * SECOND
"""The default epoch: a fixed date, so that captures do not depend on when they were made."""


class _CoreLock:
    """Only one thread runs, so there is nothing to wait for: entering twice is an error in our own code."""

    __slots__ = ("is_held",)

    def __init__(self) -> None:
        self.is_held = False

    def __enter__(self) -> None:
        if self.is_held:
            raise RuntimeError("a core was entered while one is entered: user code ran with the driver lock held")
        self.is_held = True

    def __exit__(self, *exc_info: object) -> None:
        self.is_held = False


class _Request:
    """What the main program lets time pass for.  `ready` is asked after every event, unlike that of other waits."""

    __slots__ = ("ends_when_idle", "limit", "ready", "wait")

    def __init__(
        self, wait: Wait, ready: Callable[[], bool] | None, limit: Instant | None, ends_when_idle: bool
    ) -> None:
        self.wait = wait
        self.ready = ready
        self.limit = limit
        self.ends_when_idle = ends_when_idle


def _never() -> bool:
    return False


class Simulation:
    """The `Driver` of virtual time.  `with Simulation() as driver:` ends all its threads on the way out.

    `epoch` is the Unix time of instant 0 in nanoseconds.
    """

    def __init__(self, epoch: int = NEW_YEAR_2026) -> None:
        self.lock = _CoreLock()
        self.epoch = epoch
        self.steps = 0
        """Events that have happened: frames delivered, deadlines fired, calls made."""
        self._now = Instant(0)
        self._timers = Timers()
        self._alarms: dict[Pump, Timer] = {}
        self._baton = Baton(self._advance)
        self._request: _Request | None = None
        self._is_in_callback = False
        self._is_closed = False
        # Callbacks run in whichever thread holds the baton and must not see what is current there.
        self._context = Context()

    def now(self) -> Instant:
        return self._now

    def rearm(self, pump: Pump, deadline: Instant | None) -> None:
        timer = self._alarms.get(pump)
        if timer is None:
            if deadline is None:
                return
            timer = self._alarms[pump] = Timer(self._timers, lambda now: pump.fire())
        if deadline is None:
            timer.deadline = None
        elif deadline != timer.deadline:
            timer.arm(max(deadline, self._now))

    def call_at(self, at: Instant, run: Callable[[], object]) -> Callable[[], None]:
        timer = Timer(self._timers, lambda now: run())
        timer.arm(max(at, self._now))
        return timer.cancel

    def spawn(self, run: Callable[[], object], name: str) -> None:
        self._check_open()
        self._baton.spawn(run, name)

    def block(self, ready: Callable[[], bool], what: str, deadline: Instant | None) -> bool:
        self._check_may_wait()
        if ready():
            return True
        wait = self._baton.start_wait(ready, what)
        timer = None
        if deadline is not None:
            timer = Timer(self._timers, lambda now: self._baton.end_wait(wait, False))
            timer.arm(max(deadline, self._now))
        try:
            return self._baton.finish_wait(wait)
        finally:
            if timer is not None:
                timer.cancel()

    def wakeup(self) -> None:
        self._baton.wakeup()

    def run_for(self, duration: Duration) -> None:
        """Let `duration` nanoseconds pass; everything due within them, the end included, happens.  Main program."""
        self._run(None, f"{duration} ns to pass", Instant(self._now + duration), ends_when_idle=False)

    def run_until(
        self, ready: Callable[[], bool], deadline: Instant | None = None, what: str = "what run_until was given"
    ) -> bool:
        """Let time pass until `ready()`, which is asked after every event; False once `deadline` has come.

        Without a deadline, `DeadlockError` if nothing more can happen.  Main program only.
        """
        return ready() or self._run(ready, what, deadline, ends_when_idle=False)

    def run(self) -> None:
        """Let time pass until nothing is left to happen.  Threads may still be blocked then.  Main program only."""
        self._run(None, "nothing to be left", None, ends_when_idle=True)

    def step(self) -> bool:
        """Let threads run and then one event happen; False if none was left.  Main program only."""
        before = self.steps
        return self._run(lambda: self.steps > before, "the next event", None, ends_when_idle=True)

    def close(self) -> None:
        """End every thread.  Raises what one of them raised, if that has not surfaced yet.  Main program only."""
        if not self._is_closed:
            self._is_closed = True
            self._baton.end_others()

    def __enter__(self) -> Simulation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise RuntimeError("the simulation is closed")

    def _check_may_wait(self) -> None:
        if self._is_in_callback:
            raise RuntimeError("a callback must not wait: it runs while every thread does")
        if self.lock.is_held:
            raise RuntimeError("must not wait with the driver lock held")

    def _run(self, ready: Callable[[], bool] | None, what: str, limit: Instant | None, *, ends_when_idle: bool) -> bool:
        self._check_open()
        self._check_may_wait()
        if not self._baton.is_main:
            raise RuntimeError("only the main program may run the simulation; other threads block")
        wait = self._baton.start_wait(_never, what)
        self._request = _Request(wait, ready, limit, ends_when_idle)
        try:
            return self._baton.finish_wait(wait)
        finally:
            self._request = None

    def _advance(self) -> None:
        """Let things happen until a thread can run."""
        self._context.run(self._advance_in_context)

    def _advance_in_context(self) -> None:
        timers = self._timers
        runnable = self._baton.runnable
        while not runnable:
            request = self._request
            if request is not None and request.ready is not None and request.ready():
                self._baton.end_wait(request.wait, True)
                return
            at = timers.next_deadline()
            if at is None or (request is not None and request.limit is not None and at > request.limit):
                self._idle(request)
                return
            self._now = at
            timer = timers.take_due(at)
            assert timer is not None
            self.steps += 1
            self._is_in_callback = True
            try:
                timer.expired(at)
            finally:
                self._is_in_callback = False

    def _idle(self, request: _Request | None) -> None:
        """No event is left, or none before the time up to which the main program lets it pass."""
        if request is not None and request.limit is not None:
            self._now = max(self._now, request.limit)
        elif request is None or not request.ends_when_idle:
            raise self._baton.deadlock()
        self._baton.end_wait(request.wait, False)
