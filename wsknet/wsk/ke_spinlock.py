"""Spin locks: they raise the holder to DISPATCH_LEVEL, so it can neither wait nor take the lock twice."""

from __future__ import annotations

from threading import Condition, Lock, get_ident

from wsknet.wsk.bugcheck import (
    IRQL_NOT_GREATER_OR_EQUAL,
    SPIN_LOCK_ALREADY_OWNED,
    SPIN_LOCK_NOT_OWNED,
    BugCheck,
)
from wsknet.wsk.irql import DISPATCH_LEVEL, KeGetCurrentIrql, KeLowerIrql, KeRaiseIrql
from wsknet.wsk.verifier import checked

__all__ = [
    "EX_SPIN_LOCK",
    "KLOCK_QUEUE_HANDLE",
    "KSPIN_LOCK",
    "ExAcquireSpinLockExclusive",
    "ExAcquireSpinLockExclusiveAtDpcLevel",
    "ExAcquireSpinLockShared",
    "ExAcquireSpinLockSharedAtDpcLevel",
    "ExReleaseSpinLockExclusive",
    "ExReleaseSpinLockExclusiveFromDpcLevel",
    "ExReleaseSpinLockShared",
    "ExReleaseSpinLockSharedFromDpcLevel",
    "KeAcquireInStackQueuedSpinLock",
    "KeAcquireInStackQueuedSpinLockAtDpcLevel",
    "KeAcquireSpinLock",
    "KeAcquireSpinLockAtDpcLevel",
    "KeAcquireSpinLockRaiseToDpc",
    "KeInitializeSpinLock",
    "KeReleaseInStackQueuedSpinLock",
    "KeReleaseInStackQueuedSpinLockFromDpcLevel",
    "KeReleaseSpinLock",
    "KeReleaseSpinLockFromDpcLevel",
    "KeTestSpinLock",
    "KeTryToAcquireSpinLockAtDpcLevel",
]  # fmt: skip


class KSPIN_LOCK:
    __slots__ = ("_lock", "_owner")
    SIZE = 8

    def __init__(self) -> None:
        self._lock = Lock()
        self._owner = 0


def KeInitializeSpinLock(SpinLock: KSPIN_LOCK) -> None:
    SpinLock.__init__()  # type: ignore[misc]  # the memory becomes a fresh lock


@checked(None)
def KeAcquireSpinLock(SpinLock: KSPIN_LOCK, OldIrql: list[int]) -> None:
    """`OldIrql` receives what KeReleaseSpinLock has to be given."""
    OldIrql[:] = [KeAcquireSpinLockRaiseToDpc(SpinLock)]


@checked(0)
def KeAcquireSpinLockRaiseToDpc(SpinLock: KSPIN_LOCK) -> int:
    """Returns what KeReleaseSpinLock has to be given."""
    level: list[int] = []
    KeRaiseIrql(DISPATCH_LEVEL, level)
    try:
        KeAcquireSpinLockAtDpcLevel(SpinLock)
    except BugCheck:
        KeLowerIrql(level[0])
        raise
    return level[0]


@checked(None)
def KeReleaseSpinLock(SpinLock: KSPIN_LOCK, NewIrql: int) -> None:
    KeReleaseSpinLockFromDpcLevel(SpinLock)
    KeLowerIrql(NewIrql)


@checked(None)
def KeAcquireSpinLockAtDpcLevel(SpinLock: KSPIN_LOCK) -> None:
    _require_dispatch("KeAcquireSpinLockAtDpcLevel")
    me = get_ident()
    if SpinLock._owner == me:
        raise BugCheck(SPIN_LOCK_ALREADY_OWNED, "D-19", "this thread holds the spin lock already")
    SpinLock._lock.acquire()
    SpinLock._owner = me


@checked(None)
def KeReleaseSpinLockFromDpcLevel(SpinLock: KSPIN_LOCK) -> None:
    if SpinLock._owner != get_ident():
        raise BugCheck(SPIN_LOCK_NOT_OWNED, "D-19", "this thread does not hold the spin lock")
    SpinLock._owner = 0
    SpinLock._lock.release()


@checked(False)
def KeTryToAcquireSpinLockAtDpcLevel(SpinLock: KSPIN_LOCK) -> bool:
    """FALSE if any thread holds it, the calling one included."""
    _require_dispatch("KeTryToAcquireSpinLockAtDpcLevel")
    if not SpinLock._lock.acquire(blocking=False):
        return False
    SpinLock._owner = get_ident()
    return True


def KeTestSpinLock(SpinLock: KSPIN_LOCK) -> bool:
    """TRUE if the lock was free a moment ago."""
    return not SpinLock._lock.locked()


def _require_dispatch(function: str) -> None:
    if KeGetCurrentIrql() < DISPATCH_LEVEL:
        raise BugCheck(IRQL_NOT_GREATER_OR_EQUAL, "D-19", f"{function} has to be called at DISPATCH_LEVEL")


class KLOCK_QUEUE_HANDLE:
    """The place of one holder in the queue of a spin lock; lives on the stack in C."""

    __slots__ = ("OldIrql", "_lock")
    SIZE = 24

    def __init__(self) -> None:
        self.OldIrql = 0
        self._lock: KSPIN_LOCK | None = None


@checked(None)
def KeAcquireInStackQueuedSpinLock(SpinLock: KSPIN_LOCK, LockHandle: KLOCK_QUEUE_HANDLE) -> None:
    LockHandle.OldIrql = KeAcquireSpinLockRaiseToDpc(SpinLock)
    LockHandle._lock = SpinLock


@checked(None)
def KeReleaseInStackQueuedSpinLock(LockHandle: KLOCK_QUEUE_HANDLE) -> None:
    KeReleaseInStackQueuedSpinLockFromDpcLevel(LockHandle)
    KeLowerIrql(LockHandle.OldIrql)


@checked(None)
def KeAcquireInStackQueuedSpinLockAtDpcLevel(SpinLock: KSPIN_LOCK, LockHandle: KLOCK_QUEUE_HANDLE) -> None:
    KeAcquireSpinLockAtDpcLevel(SpinLock)
    LockHandle._lock = SpinLock


@checked(None)
def KeReleaseInStackQueuedSpinLockFromDpcLevel(LockHandle: KLOCK_QUEUE_HANDLE) -> None:
    if LockHandle._lock is None:
        raise BugCheck(SPIN_LOCK_NOT_OWNED, "D-19", "the queue handle holds no spin lock")
    KeReleaseSpinLockFromDpcLevel(LockHandle._lock)
    LockHandle._lock = None


class EX_SPIN_LOCK:
    """A spin lock of many readers or one writer; a LONG that is 0 in C.  Not recursive in either way."""

    __slots__ = ("_changed", "_readers", "_writer")
    SIZE = 4

    def __init__(self) -> None:
        self._changed = Condition(Lock())
        self._readers: list[int] = []
        self._writer = 0


@checked(0)
def ExAcquireSpinLockShared(SpinLock: EX_SPIN_LOCK) -> int:
    """Returns what ExReleaseSpinLockShared has to be given."""
    level: list[int] = []
    KeRaiseIrql(DISPATCH_LEVEL, level)
    ExAcquireSpinLockSharedAtDpcLevel(SpinLock)
    return level[0]


@checked(None)
def ExAcquireSpinLockSharedAtDpcLevel(SpinLock: EX_SPIN_LOCK) -> None:
    _require_dispatch("ExAcquireSpinLockSharedAtDpcLevel")
    me = get_ident()
    with SpinLock._changed:
        _require_not_held(SpinLock, me)
        while SpinLock._writer:
            SpinLock._changed.wait()
        SpinLock._readers.append(me)


@checked(None)
def ExReleaseSpinLockShared(SpinLock: EX_SPIN_LOCK, OldIrql: int) -> None:
    ExReleaseSpinLockSharedFromDpcLevel(SpinLock)
    KeLowerIrql(OldIrql)


@checked(None)
def ExReleaseSpinLockSharedFromDpcLevel(SpinLock: EX_SPIN_LOCK) -> None:
    with SpinLock._changed:
        if get_ident() not in SpinLock._readers:
            raise BugCheck(SPIN_LOCK_NOT_OWNED, "D-19", "this thread does not hold the spin lock as a reader")
        SpinLock._readers.remove(get_ident())
        SpinLock._changed.notify_all()


@checked(0)
def ExAcquireSpinLockExclusive(SpinLock: EX_SPIN_LOCK) -> int:
    """Returns what ExReleaseSpinLockExclusive has to be given."""
    level: list[int] = []
    KeRaiseIrql(DISPATCH_LEVEL, level)
    ExAcquireSpinLockExclusiveAtDpcLevel(SpinLock)
    return level[0]


@checked(None)
def ExAcquireSpinLockExclusiveAtDpcLevel(SpinLock: EX_SPIN_LOCK) -> None:
    _require_dispatch("ExAcquireSpinLockExclusiveAtDpcLevel")
    me = get_ident()
    with SpinLock._changed:
        _require_not_held(SpinLock, me)
        while SpinLock._writer or SpinLock._readers:
            SpinLock._changed.wait()
        SpinLock._writer = me


@checked(None)
def ExReleaseSpinLockExclusive(SpinLock: EX_SPIN_LOCK, OldIrql: int) -> None:
    ExReleaseSpinLockExclusiveFromDpcLevel(SpinLock)
    KeLowerIrql(OldIrql)


@checked(None)
def ExReleaseSpinLockExclusiveFromDpcLevel(SpinLock: EX_SPIN_LOCK) -> None:
    with SpinLock._changed:
        if SpinLock._writer != get_ident():
            raise BugCheck(SPIN_LOCK_NOT_OWNED, "D-19", "this thread does not hold the spin lock as its writer")
        SpinLock._writer = 0
        SpinLock._changed.notify_all()


def _require_not_held(SpinLock: EX_SPIN_LOCK, me: int) -> None:
    if SpinLock._writer == me or me in SpinLock._readers:
        raise BugCheck(SPIN_LOCK_ALREADY_OWNED, "D-19", "this thread holds the spin lock already")
