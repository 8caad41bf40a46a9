"""Mutex and semaphore objects: dispatcher objects that a wait takes and a release gives back."""

from __future__ import annotations

from threading import get_ident

from wsknet.wsk.bug_codes import THREAD_TERMINATE_HELD_MUTEX
from wsknet.wsk.bugcheck import BugCheck
from wsknet.wsk.exceptions import EXCEPTION
from wsknet.wsk.ke import DispatcherObject, dispatcher_lock
from wsknet.wsk.status import STATUS_MUTANT_NOT_OWNED, STATUS_SEMAPHORE_LIMIT_EXCEEDED

__all__ = [
    "KMUTEX",
    "KSEMAPHORE",
    "KeInitializeMutex",
    "KeInitializeSemaphore",
    "KeReadStateMutex",
    "KeReadStateSemaphore",
    "KeReleaseMutex",
    "KeReleaseSemaphore",
]  # fmt: skip

_held: dict[int, int] = {}
"""How many mutexes each thread holds; only those that hold any."""


class KMUTEX(DispatcherObject):
    """`SignalState` is 1 while it is free; its holder may take it again, which counts down from 0."""

    __slots__ = ("_owner",)
    SIZE = 56

    def __init__(self) -> None:
        super().__init__()
        self.SignalState = 1
        self._owner = 0

    def admits(self, thread: int) -> bool:
        return self.SignalState > 0 or self._owner == thread

    def consume(self, thread: int) -> None:
        if self.SignalState == 1:
            self._owner = thread
            _held[thread] = _held.get(thread, 0) + 1
        self.SignalState -= 1


def KeInitializeMutex(Mutex: KMUTEX, Level: int) -> None:
    """`Level` is reserved."""
    Mutex.SignalState = 1
    Mutex._owner = 0


def KeReleaseMutex(Mutex: KMUTEX, Wait: bool) -> int:
    """The state before: 0 if the mutex is free now.  Raises STATUS_MUTANT_NOT_OWNED in a thread that has it not."""
    me = get_ident()
    with dispatcher_lock:
        if Mutex._owner != me:
            raise EXCEPTION(STATUS_MUTANT_NOT_OWNED)
        before = Mutex.SignalState
        Mutex.SignalState += 1
        if Mutex.SignalState == 1:
            Mutex._owner = 0
            _held[me] -= 1
            if not _held[me]:
                del _held[me]
    if before == 0:
        Mutex.wake_waiters()
    return before


def KeReadStateMutex(Mutex: KMUTEX) -> int:
    return Mutex.SignalState


def require_no_mutex(thread: int) -> None:
    """BugCheck if the thread, which ends, holds one."""
    with dispatcher_lock:
        count = _held.pop(thread, 0)
    if count:
        raise BugCheck(THREAD_TERMINATE_HELD_MUTEX, "D-19", f"a system thread ends while it holds {count} mutexes")


class KSEMAPHORE(DispatcherObject):
    """`SignalState` is the count: so many waits are satisfied."""

    __slots__ = ("Limit",)
    SIZE = 32

    def __init__(self) -> None:
        super().__init__()
        self.Limit = 0

    def consume(self, thread: int) -> None:
        self.SignalState -= 1


def KeInitializeSemaphore(Semaphore: KSEMAPHORE, Count: int, Limit: int) -> None:
    Semaphore.SignalState = Count
    Semaphore.Limit = Limit


def KeReleaseSemaphore(Semaphore: KSEMAPHORE, Increment: int, Adjustment: int, Wait: bool) -> int:
    """The count before.  Raises STATUS_SEMAPHORE_LIMIT_EXCEEDED, and changes nothing, beyond the limit."""
    with dispatcher_lock:
        before = Semaphore.SignalState
        if before + Adjustment > Semaphore.Limit or Adjustment < 0:
            raise EXCEPTION(STATUS_SEMAPHORE_LIMIT_EXCEEDED)
        Semaphore.SignalState += Adjustment
    Semaphore.wake_waiters()
    return before


def KeReadStateSemaphore(Semaphore: KSEMAPHORE) -> int:
    return Semaphore.SignalState
