"""Timer objects: signalled at a time, once or in a period, with a DPC or without."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from wsknet.host import current_host
from wsknet.types import MILLISECOND, Duration, Instant
from wsknet.wsk.bug_codes import TIMER_OR_DPC_INVALID
from wsknet.wsk.bugcheck import BugCheck
from wsknet.wsk.ke import LARGE_INTEGER, DispatcherObject, deadline_of, dispatcher_lock, quad_part
from wsknet.wsk.ke_dpc import KDPC, queue_dpc
from wsknet.wsk.verifier import checked

if TYPE_CHECKING:
    from wsknet.host import Host

__all__ = [
    "KTIMER",
    "KeCancelTimer",
    "KeInitializeTimer",
    "KeInitializeTimerEx",
    "KeReadStateTimer",
    "KeSetTimer",
    "KeSetTimerEx",
    "NotificationTimer",
    "SynchronizationTimer",
]  # fmt: skip

# TIMER_TYPE
NotificationTimer = 0
SynchronizationTimer = 1


class KTIMER(DispatcherObject):
    """A notification timer stays signalled until it is set again; a synchronization timer ends one wait."""

    __slots__ = ("Dpc", "Period", "Type", "_cancel", "_is_queued", "_turn")
    SIZE = 64

    def __init__(self) -> None:
        super().__init__()
        self.Type = NotificationTimer
        self.Period = 0
        """Milliseconds; 0 for a timer that expires once."""
        self.Dpc: KDPC | None = None
        self._is_queued = False
        self._turn = 0
        """Counts settings and cancellations: an expiration of an earlier turn comes too late."""
        self._cancel: Callable[[], None] | None = None

    def consume(self, thread: int) -> None:
        if self.Type == SynchronizationTimer:
            self.SignalState = 0


@checked(None)
def KeInitializeTimer(Timer: KTIMER) -> None:
    KeInitializeTimerEx(Timer, NotificationTimer)


@checked(None)
def KeInitializeTimerEx(Timer: KTIMER, Type: int) -> None:
    if Timer._is_queued:
        raise BugCheck(TIMER_OR_DPC_INVALID, "D-19", "a timer is initialized while it is set")
    Timer.Type = Type
    Timer.SignalState = 0
    Timer.Dpc = None
    Timer.Period = 0


@checked(False)
def KeSetTimer(Timer: KTIMER, DueTime: int | LARGE_INTEGER, Dpc: KDPC | None) -> bool:
    """TRUE if the timer was set already; that setting is void.  `DueTime` is as a timeout of KeWaitForSingleObject."""
    return KeSetTimerEx(Timer, DueTime, 0, Dpc)


@checked(False)
def KeSetTimerEx(Timer: KTIMER, DueTime: int | LARGE_INTEGER, Period: int, Dpc: KDPC | None) -> bool:
    """The same; with a `Period`, in milliseconds, it expires again and again from `DueTime` on."""
    host = current_host()
    at = deadline_of(host.driver, quad_part(DueTime))
    assert at is not None
    with dispatcher_lock:
        was_queued = _withdraw(Timer)
        Timer.SignalState = 0
        Timer.Period = Period
        Timer.Dpc = Dpc
        Timer._is_queued = True
        turn = Timer._turn
    if at <= host.driver.now():
        _expire(Timer, host, turn, at)
    else:
        _arm(Timer, host, turn, at)
    return was_queued


def KeCancelTimer(Timer: KTIMER) -> bool:
    """TRUE if it was set.  A DPC that it has queued already stays queued; the state stays as it is."""
    with dispatcher_lock:
        return _withdraw(Timer)


def KeReadStateTimer(Timer: KTIMER) -> bool:
    return Timer.SignalState > 0


def _withdraw(Timer: KTIMER) -> bool:
    Timer._turn += 1
    was_queued, Timer._is_queued = Timer._is_queued, False
    cancel, Timer._cancel = Timer._cancel, None
    if cancel is not None:
        cancel()
    return was_queued


def _arm(Timer: KTIMER, host: Host, turn: int, at: Instant) -> None:
    cancel = host.driver.call_at(at, lambda: _expire(Timer, host, turn, at))
    with dispatcher_lock:
        if Timer._turn == turn:
            Timer._cancel = cancel
            return
    cancel()


def _expire(Timer: KTIMER, host: Host, turn: int, at: Instant) -> None:
    with dispatcher_lock:
        if Timer._turn != turn:
            return
        Timer._cancel = None
        Timer._is_queued = Timer.Period > 0
        Timer.SignalState = 1
        Dpc, Period = Timer.Dpc, Timer.Period
    if Period:
        _arm(Timer, host, turn, _next_expiration(at, host.driver.now(), Period * MILLISECOND))
    Timer.wake_waiters()
    if Dpc is not None:
        queue_dpc(host, Dpc, None, None)


def _next_expiration(at: Instant, now: Instant, period: Duration) -> Instant:
    """A period after `at`, or after `now` where that is past: what was missed is not made up for.

    Ours: nf-wdm-kesettimerex says no more than that a periodic timer restarts when it expires.
    """
    return Instant((at if at + period > now else now) + period)
