"""The completion queue of one host: one drainer at a time, in order, with no lock held.

Everything that runs user code (completion routines, event callbacks) goes through here, so the callbacks of a socket
come in order and never two at a time, and closing from inside a callback cannot deadlock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock, local
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from wsknet.drivers.disturbance import Disturbance

PATIENCE = 5.0
"""Seconds that `Completions.disturb` waits for completions in other threads."""

RUNNING = "a completion is running: change how they come when none is"


class _Thread(local):
    postponed: list[Completions] | None = None
    """While `postpone` holds: the queues that this thread would have drained."""


_thread = _Thread()


def postpone() -> None:
    """The calling thread holds a lock of the application that any completion may want: run none in it until `resume`.

    Other threads go on draining.
    """
    _thread.postponed = []


def resume() -> None:
    postponed, _thread.postponed = _thread.postponed, None
    failure: BaseException | None = None
    for completions in dict.fromkeys(postponed or ()):
        try:
            completions.drain()
        except BaseException as error:
            failure = failure or error
    if failure is not None:
        raise failure


class Turn(Protocol):
    """The right to run what is queued: a lock, or what has one."""

    def acquire(self, blocking: bool) -> bool: ...
    def release(self) -> None: ...


class Completions:
    """`surroundings()` is entered around user code: it makes the host current."""

    def __init__(self, surroundings: Callable[[], AbstractContextManager[Any]]) -> None:
        self._queue: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._drainer = Lock()
        self.surroundings = surroundings
        self.disturbance: Disturbance | None = None
        """While there is one it holds the drainer, so that the usual ways cost nothing more for its sake."""

    @property
    def is_empty(self) -> bool:
        return not self._queue

    def post(self, run: Callable[..., None], *args: Any) -> None:
        """Queue `run(*args)` for the next drain.  Driver lock held."""
        self._queue.append((run, args))

    def claim(self) -> bool:
        """Become the drainer, if nothing is queued and nobody drains: then the caller may complete inline.

        Driver lock held, so that no other thread can slip in between the decision and `drain_claimed`.
        """
        if self._queue or _thread.postponed is not None:
            return False
        if self._drainer.acquire(blocking=False):
            return True
        disturbance = self.disturbance
        return disturbance is not None and disturbance.claims()

    def drain_claimed(self, run: Callable[..., None], *args: Any) -> None:
        """After a successful `claim`, driver lock released: run `run(*args)` first, then what was queued since."""
        disturbance = self.disturbance  # the one that claimed: it does not end before this has run
        if disturbance is not None:
            disturbance.run_claimed(run, *args)
            return
        try:
            with self.surroundings():
                run(*args)
                self._run_queued()
        finally:
            self._drainer.release()
            self.drain()

    def drain(self, turn: Turn | None = None) -> None:
        """Run what is queued, unless another caller (or one further up the stack) already does.  No lock held.

        What raises does not keep back the rest, for which other threads may be waiting.  `turn` is what a disturbance
        takes in place of the drainer, which it holds.
        """
        if not self._queue:
            return
        if turn is None:
            if _thread.postponed is not None:
                _thread.postponed.append(self)
                return
            disturbance = self.disturbance
            if disturbance is not None:
                disturbance.deliver()
                return
            turn = self._drainer
        failure: BaseException | None = None
        while self._queue and turn.acquire(blocking=False):
            try:
                with self.surroundings():
                    self._run_queued()
            except BaseException as error:
                failure = failure or error
            finally:
                turn.release()
        if failure is not None:
            raise failure

    def disturb(self, disturbance: Disturbance | None) -> None:
        """Let completions come as `disturbance` has it, or as usual.  Not from inside a completion.

        `RuntimeError` if one runs, here or in another thread, and does not return within `PATIENCE`.
        """
        before = self.disturbance
        if before is not None:
            if not before.end(PATIENCE):
                raise RuntimeError(RUNNING)
            self.disturbance = None
            self._drainer.release()
        if disturbance is not None:
            if not self._drainer.acquire(timeout=PATIENCE):
                raise RuntimeError(RUNNING)
            self.disturbance = disturbance
        self.drain()

    def _run_queued(self) -> None:
        queue = self._queue
        while queue:
            run, args = queue.popleft()
            run(*args)
