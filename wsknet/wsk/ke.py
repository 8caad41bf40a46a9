"""Kernel dispatcher objects: events, and waits for them and for the others (timers, mutexes, semaphores, threads).

A wait blocks the calling system thread through the driver of its host, so the same program runs in virtual and in real
time.  Times count 100 ns: negative relative to now, positive since 1601, NULL for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock, get_ident
from typing import TYPE_CHECKING

from wsknet.host import current_host
from wsknet.types import Instant
from wsknet.wsk.bugcheck import frame_of_caller
from wsknet.wsk.irql import require_may_wait
from wsknet.wsk.status import NTSTATUS, STATUS_INVALID_PARAMETER, STATUS_SUCCESS, STATUS_TIMEOUT
from wsknet.wsk.verifier import checked

if TYPE_CHECKING:
    from wsknet.drivers.base import Driver

__all__ = [
    "EVENT_INCREMENT",
    "KEVENT",
    "LARGE_INTEGER",
    "MAXIMUM_WAIT_OBJECTS",
    "Executive",
    "KeClearEvent",
    "KeDelayExecutionThread",
    "KeInitializeEvent",
    "KeReadStateEvent",
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

EVENT_INCREMENT = 1

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
dispatcher_lock = Lock()


class LARGE_INTEGER:
    """Where C passes a pointer to one, a plain int does as well; as an out parameter it has to be this."""

    __slots__ = ("QuadPart",)
    SIZE = 8

    def __init__(self, QuadPart: int = 0) -> None:
        self.QuadPart = QuadPart


class DispatcherObject:
    """Something a thread can wait for.  `SignalState` is above 0 while it is signalled."""

    __slots__ = ("SignalState", "_waiters")

    def __init__(self) -> None:
        self.SignalState = 0
        self._waiters: list[Driver] = []
        """The driver of each waiting thread."""

    def admits(self, thread: int) -> bool:
        """Whether a wait of `thread`, which `get_ident` names, is satisfied.  Dispatcher lock held."""
        return self.SignalState > 0

    def consume(self, thread: int) -> None:
        """The wait of `thread` has been satisfied.  Dispatcher lock held."""

    def signal(self) -> None:
        self.SignalState = 1
        self.wake_waiters()

    def wake_waiters(self) -> None:
        """Let each waiting thread look again.  Dispatcher lock not held."""
        for driver in tuple(self._waiters):
            driver.wakeup()


class KEVENT(DispatcherObject):
    __slots__ = ("Type",)
    SIZE = 24

    def __init__(self) -> None:
        super().__init__()
        self.Type = NotificationEvent

    def consume(self, thread: int) -> None:
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
    with dispatcher_lock:
        before, Event.SignalState = Event.SignalState, 0
    return before


def KeClearEvent(Event: KEVENT) -> None:
    Event.SignalState = 0


def KeReadStateEvent(Event: KEVENT) -> int:
    return Event.SignalState


@checked(STATUS_INVALID_PARAMETER)
def KeWaitForSingleObject(
    Object: DispatcherObject,
    WaitReason: int,
    WaitMode: int,
    Alertable: bool,
    Timeout: int | LARGE_INTEGER | None,
) -> NTSTATUS:
    """STATUS_SUCCESS or STATUS_TIMEOUT.  A timeout of 0 only asks, and is legal at DISPATCH_LEVEL."""

    me = get_ident()

    def ready() -> bool:
        with dispatcher_lock:
            if not Object.admits(me):
                return False
            Object.consume(me)
        return True

    satisfied = wait_until("KeWaitForSingleObject", (Object,), ready, Timeout)
    return STATUS_SUCCESS if satisfied else STATUS_TIMEOUT


@checked(0)
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
    me = get_ident()

    def ready_any() -> bool:
        nonlocal found
        with dispatcher_lock:
            for index, one in enumerate(objects):
                if one.admits(me):
                    one.consume(me)
                    found = index
                    return True
        return False

    def ready_all() -> bool:
        with dispatcher_lock:
            if not all(one.admits(me) for one in objects):
                return False
            for one in objects:
                one.consume(me)
        return True

    ready = ready_all if WaitType == WaitAll else ready_any
    if not wait_until("KeWaitForMultipleObjects", objects, ready, Timeout):
        return STATUS_TIMEOUT
    return found or STATUS_SUCCESS


def wait_until(
    function: str,
    objects: Sequence[DispatcherObject],
    ready: Callable[[], bool],
    Timeout: int | LARGE_INTEGER | None,
) -> bool:
    """Block the thread until `ready()`, which takes what it waits for, or the timeout; called by `function` itself."""
    timeout = quad_part(Timeout)
    if timeout == 0:
        return ready()
    require_may_wait(function)
    driver = current_host().driver
    for one in objects:
        one._waiters.append(driver)
    try:
        return driver.block(ready, f"{function} in {_caller()}", deadline_of(driver, timeout))
    finally:
        for one in objects:
            one._waiters.remove(driver)


def _caller() -> str:
    """Where the driver code waits: for the message of a deadlock."""
    frame = frame_of_caller()
    return "nowhere" if frame is None else f"{frame.f_code.co_name}, line {frame.f_lineno}"


def quad_part(value: int | LARGE_INTEGER | None) -> int | None:
    return value.QuadPart if isinstance(value, LARGE_INTEGER) else value


def deadline_of(driver: Driver, timeout: int | None) -> Instant | None:
    """When `timeout`, in 100 ns as a wait takes it, is over by the clock of `driver`."""
    if timeout is None:
        return None
    if timeout <= 0:
        return Instant(driver.now() - timeout * 100)
    return Instant((timeout - UNIX_EPOCH_IN_SYSTEM_TIME) * 100 - driver.epoch)


@checked(STATUS_INVALID_PARAMETER)
def KeDelayExecutionThread(WaitMode: int, Alertable: bool, Interval: int | LARGE_INTEGER) -> NTSTATUS:
    require_may_wait("KeDelayExecutionThread")
    driver = current_host().driver
    what = f"KeDelayExecutionThread in {_caller()}"
    driver.block(never, what, deadline_of(driver, quad_part(Interval)))
    return STATUS_SUCCESS


def never() -> bool:
    return False
