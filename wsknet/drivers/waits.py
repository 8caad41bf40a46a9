"""Threads of the real machine that wait for something inside this process."""

from __future__ import annotations

from collections.abc import Callable
from threading import TIMEOUT_MAX, Lock

from wsknet.types import SECOND, Duration


class _Wait:
    __slots__ = ("gate", "is_satisfied", "ready")

    def __init__(self, ready: Callable[[], bool]) -> None:
        self.ready = ready
        self.is_satisfied = False
        self.gate = Lock()
        self.gate.acquire()


class Waits:
    """Whoever changes something asks the waiting threads itself, in order, and wakes only those that can go on.

    So a signal meant for one thread is never taken by a later one, and nobody wakes up for nothing.
    """

    def __init__(self) -> None:
        self._mutex = Lock()
        self._waits: list[_Wait] = []
        self._is_interrupted = False

    def wait(self, ready: Callable[[], bool], timeout: Duration | None) -> bool:
        """Whether `ready()` became true within `timeout` nanoseconds and before `interrupt`."""
        wait = _Wait(ready)
        with self._mutex:
            # In the list first and asked second: `wakeup` looks at the list without the mutex.
            self._waits.append(wait)
            wait.is_satisfied = ready()
            if wait.is_satisfied or self._is_interrupted or (timeout is not None and timeout <= 0):
                self._waits.remove(wait)
                return wait.is_satisfied
        try:
            wait.gate.acquire(timeout=-1 if timeout is None else min(timeout / SECOND, TIMEOUT_MAX))
        finally:
            with self._mutex:
                if wait in self._waits:
                    self._waits.remove(wait)
        return wait.is_satisfied

    def wakeup(self) -> None:
        if not self._waits:
            return
        with self._mutex:
            for wait in self._waits[:]:
                if wait.ready():
                    wait.is_satisfied = True
                    self._waits.remove(wait)
                    wait.gate.release()

    def interrupt(self) -> None:
        """End every wait, unsatisfied, and those to come."""
        with self._mutex:
            self._is_interrupted = True
            for wait in self._waits:
                wait.gate.release()
            self._waits.clear()
