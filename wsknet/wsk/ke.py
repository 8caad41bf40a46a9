"""Kernel dispatcher objects and time: events, waits, spin locks.

A wait blocks the calling system thread through the driver of its host, so the same program runs in virtual and in real
time.  Times count 100 ns: negative relative to now, positive since 1601, NULL for ever.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from threading import Lock, get_ident
from typing import TYPE_CHECKING

from wsknet.host import current_host
from wsknet.types import Instant
from wsknet.wsk.bugcheck import SPIN_LOCK_ALREADY_OWNED, SPIN_LOCK_NOT_OWNED, BugCheck
from wsknet.wsk.irql import DISPATCH_LEVEL, KeLowerIrql, KeRaiseIrql, require_may_wait
from wsknet.wsk.status import NTSTATUS, STATUS_SUCCESS, STATUS_TIMEOUT

if TYPE_CHECKING:
    from wsknet.drivers.base import Driver

__all__ = [
    "KEVENT",
    "KSPIN_LOCK",
    "LARGE_INTEGER",
    "MAXIMUM_WAIT_OBJECTS",
    "Executive",
    "KeAcquireSpinLock",
    "KeAcquireSpinLockAtDpcLevel",
    "KeClearEvent",
    "KeDelayExecutionThread",
    "KeInitializeEvent",
    "KeInitializeSpinLock",
    "KeQuerySystemTime",
    "KeReadStateEvent",
    "KeReleaseSpinLock",
    "KeReleaseSpinLockFromDpcLevel",
    "KeResetEvent",
    "KeSetEvent",
    "KeWaitForMultipleObjects",
    "KeWaitForSingleObject",
    "KernelMode",
    "NotificationEvent",
    "SynchronizationEvent",
    "UserMode",
    "WaitAll",
    "WaitAny",
]  # fmt: skip

# EVENT_TYPE, KWAIT_REASON, KPROCESSOR_MODE, WAIT_TYPE
NotificationEvent = 0
SynchronizationEvent = 1
Executive = 0
KernelMode = 0
UserMode = 1
WaitAll = 0
WaitAny = 1

MAXIMUM_WAIT_OBJECTS = 64

UNIX_EPOCH_IN_SYSTEM_TIME = 116_444_736_000_000_000
"""1970-01-01 in 100 ns since 1601-01-01."""


# Finding an object signalled and consuming that is one step, whichever thread asks.
_dispatcher_lock = Lock()


class LARGE_INTEGER:
    """Where C passes a pointer to one, a plain int does as well; as an out parameter it has to be this."""

    __slots__ = ("QuadPart",)
    SIZE = 8

    def __init__(self, QuadPart: int = 0) -> None:
        self.QuadPart = QuadPart


class DispatcherObject:
    """Something a thread can wait for.  `SignalState` is not 0 while it is signalled."""

    __slots__ = ("SignalState", "_waiters")

    def __init__(self) -> None:
        self.SignalState = 0
        self._waiters: list[Driver] = []
        """The driver of each waiting thread."""

    def consume(self) -> None:
        """A wait for it has been satisfied."""

    def signal(self) -> None:
        self.SignalState = 1
        for driver in tuple(self._waiters):
            driver.wakeup()


class KEVENT(DispatcherObject):
    __slots__ = ("Type",)
    SIZE = 24

    def __init__(self) -> None:
        super().__init__()
        self.Type = NotificationEvent

    def consume(self) -> None:
        if self.Type == SynchronizationEvent:
            self.SignalState = 0


def KeInitializeEvent(Event: KEVENT, Type: int, State: bool) -> None:
    Event.Type = Type
    Event.SignalState = int(State)


def KeSetEvent(Event: KEVENT, Increment: int, Wait: bool) -> int:
    """Returns whether it was signalled before."""
    before = Event.SignalState
    Event.signal()
    return before


def KeResetEvent(Event: KEVENT) -> int:
    """Returns whether it was signalled before."""
    with _dispatcher_lock:
        before, Event.SignalState = Event.SignalState, 0
    return before


def KeClearEvent(Event: KEVENT) -> None:
    Event.SignalState = 0


def KeReadStateEvent(Event: KEVENT) -> int:
    return Event.SignalState


def KeWaitForSingleObject(
    Object: DispatcherObject,
    WaitReason: int,
    WaitMode: int,
    Alertable: bool,
    Timeout: int | LARGE_INTEGER | None,
) -> NTSTATUS:
    """STATUS_SUCCESS or STATUS_TIMEOUT.  A timeout of 0 only asks, and is legal at DISPATCH_LEVEL."""

    def ready() -> bool:
        with _dispatcher_lock:
            if not Object.SignalState:
                return False
            Object.consume()
        return True

    satisfied = _wait("KeWaitForSingleObject", (Object,), ready, Timeout)
    return STATUS_SUCCESS if satisfied else STATUS_TIMEOUT


def KeWaitForMultipleObjects(
    Count: int,
    Object: Sequence[DispatcherObject],
    WaitType: int,
    WaitReason: int,
    WaitMode: int,
    Alertable: bool,
    Timeout: int | LARGE_INTEGER | None,
    WaitBlockArray: object = None,
) -> int:
    """WaitAny: STATUS_WAIT_0 + the index of the first object found signalled.  WaitAll consumes all at once or none."""
    objects = Object[:Count]
    found = 0

    def ready_any() -> bool:
        nonlocal found
        with _dispatcher_lock:
            for index, one in enumerate(objects):
                if one.SignalState:
                    one.consume()
                    found = index
                    return True
        return False

    def ready_all() -> bool:
        with _dispatcher_lock:
            if not all(one.SignalState for one in objects):
                return False
            for one in objects:
                one.consume()
        return True

    ready = ready_all if WaitType == WaitAll else ready_any
    if not _wait("KeWaitForMultipleObjects", objects, ready, Timeout):
        return STATUS_TIMEOUT
    return found or STATUS_SUCCESS


def _wait(
    function: str,
    objects: Sequence[DispatcherObject],
    ready: Callable[[], bool],
    Timeout: int | LARGE_INTEGER | None,
) -> bool:
    timeout = Timeout.QuadPart if isinstance(Timeout, LARGE_INTEGER) else Timeout
    if timeout == 0:
        return ready()
    require_may_wait(function)
    driver = current_host().driver
    for one in objects:
        one._waiters.append(driver)
    try:
        return driver.block(ready, f"{function} in {_caller()}", _deadline(driver, timeout))
    finally:
        for one in objects:
            one._waiters.remove(driver)


def _caller() -> str:
    """Where the driver code waits: for the message of a deadlock."""
    frame = sys._getframe(3)
    return f"{frame.f_code.co_name}, line {frame.f_lineno}"


def _deadline(driver: Driver, timeout: int | None) -> Instant | None:
    if timeout is None:
        return None
    if timeout <= 0:
        return Instant(driver.now() - timeout * 100)
    return Instant((timeout - UNIX_EPOCH_IN_SYSTEM_TIME) * 100 - driver.epoch)


def KeDelayExecutionThread(WaitMode: int, Alertable: bool, Interval: int | LARGE_INTEGER) -> NTSTATUS:
    require_may_wait("KeDelayExecutionThread")
    driver = current_host().driver
    interval = Interval.QuadPart if isinstance(Interval, LARGE_INTEGER) else Interval
    what = f"KeDelayExecutionThread in {sys._getframe(1).f_code.co_name}"
    driver.block(_never, what, _deadline(driver, interval))
    return STATUS_SUCCESS


def _never() -> bool:
    return False


def KeQuerySystemTime(CurrentTime: LARGE_INTEGER) -> None:
    """100 ns since 1601-01-01 UTC, by the clock of the current host."""
    driver = current_host().driver
    CurrentTime.QuadPart = UNIX_EPOCH_IN_SYSTEM_TIME + (driver.epoch + driver.now()) // 100


class KSPIN_LOCK:
    """Raises the holder to DISPATCH_LEVEL, so it can neither wait nor take the lock twice."""

    __slots__ = ("_lock", "_owner")
    SIZE = 8

    def __init__(self) -> None:
        self._lock = Lock()
        self._owner = 0


def KeInitializeSpinLock(SpinLock: KSPIN_LOCK) -> None:
    SpinLock.__init__()  # type: ignore[misc]  # the memory becomes a fresh lock


def KeAcquireSpinLock(SpinLock: KSPIN_LOCK, OldIrql: list[int]) -> None:
    """`OldIrql` receives what KeReleaseSpinLock has to be given."""
    level: list[int] = []
    KeRaiseIrql(DISPATCH_LEVEL, level)
    KeAcquireSpinLockAtDpcLevel(SpinLock)
    OldIrql[:] = level


def KeReleaseSpinLock(SpinLock: KSPIN_LOCK, NewIrql: int) -> None:
    KeReleaseSpinLockFromDpcLevel(SpinLock)
    KeLowerIrql(NewIrql)


def KeAcquireSpinLockAtDpcLevel(SpinLock: KSPIN_LOCK) -> None:
    me = get_ident()
    if SpinLock._owner == me:
        raise BugCheck(SPIN_LOCK_ALREADY_OWNED, "D-19", "this thread holds the spin lock already")
    SpinLock._lock.acquire()
    SpinLock._owner = me


def KeReleaseSpinLockFromDpcLevel(SpinLock: KSPIN_LOCK) -> None:
    if SpinLock._owner != get_ident():
        raise BugCheck(SPIN_LOCK_NOT_OWNED, "D-19", "this thread does not hold the spin lock")
    SpinLock._owner = 0
    SpinLock._lock.release()
