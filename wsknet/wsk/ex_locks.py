"""Locks that a thread waits for and that are no dispatcher objects: fast and guarded mutexes, push locks.

None is recursive: where Windows would wait for ever, or corrupt the lock, there is a BugCheck.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import get_ident

from wsknet.wsk.bug_codes import MUTEX_ALREADY_OWNED
from wsknet.wsk.bugcheck import DRIVER_VERIFIER_DETECTED_VIOLATION, BugCheck
from wsknet.wsk.irql import APC_LEVEL, KeGetCurrentIrql, KeLowerIrql, KeRaiseIrql, require_may_wait
from wsknet.wsk.ke import DispatcherObject, dispatcher_lock, wait_until
from wsknet.wsk.ke_processor import KeAreApcsDisabled, KeEnterGuardedRegion, KeLeaveGuardedRegion
from wsknet.wsk.verifier import checked

__all__ = [
    "EX_PUSH_LOCK",
    "FAST_MUTEX",
    "KGUARDED_MUTEX",
    "ExAcquireFastMutex",
    "ExAcquireFastMutexUnsafe",
    "ExAcquirePushLockExclusive",
    "ExAcquirePushLockShared",
    "ExInitializeFastMutex",
    "ExInitializePushLock",
    "ExReleaseFastMutex",
    "ExReleaseFastMutexUnsafe",
    "ExReleasePushLockExclusive",
    "ExReleasePushLockShared",
    "ExTryToAcquireFastMutex",
    "KeAcquireGuardedMutex",
    "KeAcquireGuardedMutexUnsafe",
    "KeInitializeGuardedMutex",
    "KeReleaseGuardedMutex",
    "KeReleaseGuardedMutexUnsafe",
    "KeTryToAcquireGuardedMutex",
]  # fmt: skip


class _Lock(DispatcherObject):
    """Of one writer, named by `get_ident`, or of any number of readers."""

    __slots__ = ("_readers", "_writer")
    SIZE = 56

    def __init__(self) -> None:
        super().__init__()
        self._writer = 0
        self._readers: list[int] = []

    def take(self, me: int, is_shared: bool = False) -> Callable[[], bool]:
        """What a wait asks: whether `me` has got the lock now."""
        if self._writer == me or me in self._readers:
            raise BugCheck(MUTEX_ALREADY_OWNED, "D-19", "this thread holds the lock already")

        def ready() -> bool:
            with dispatcher_lock:
                if self._writer or (self._readers and not is_shared):
                    return False
                if is_shared:
                    self._readers.append(me)
                else:
                    self._writer = me
            return True

        return ready

    def give(self, function: str, is_shared: bool = False) -> None:
        me = get_ident()
        with dispatcher_lock:
            is_held = me in self._readers if is_shared else self._writer == me
            if not is_held:
                what = f"{function} in a thread that does not hold the lock"
                raise BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "D-19", what)
            if is_shared:
                self._readers.remove(me)
            else:
                self._writer = 0
        self.wake_waiters()


class FAST_MUTEX(_Lock):
    """Its holder runs at APC_LEVEL."""

    __slots__ = ("OldIrql",)

    def __init__(self) -> None:
        super().__init__()
        self.OldIrql = 0


def ExInitializeFastMutex(FastMutex: FAST_MUTEX) -> None:
    FastMutex.__init__()  # type: ignore[misc]  # the memory becomes a fresh mutex


@checked(None)
def ExAcquireFastMutex(FastMutex: FAST_MUTEX) -> None:
    require_may_wait("ExAcquireFastMutex")
    before = _raise_to_apc()
    try:
        wait_until("ExAcquireFastMutex", (FastMutex,), FastMutex.take(get_ident()), None)
    except BaseException:
        KeLowerIrql(before)
        raise
    FastMutex.OldIrql = before


@checked(False)
def ExTryToAcquireFastMutex(FastMutex: FAST_MUTEX) -> bool:
    """FALSE, at the level of before, if it is held."""
    require_may_wait("ExTryToAcquireFastMutex")
    before = _raise_to_apc()
    if FastMutex._writer == get_ident() or not FastMutex.take(get_ident())():
        KeLowerIrql(before)
        return False
    FastMutex.OldIrql = before
    return True


@checked(None)
def ExReleaseFastMutex(FastMutex: FAST_MUTEX) -> None:
    before = FastMutex.OldIrql
    FastMutex.give("ExReleaseFastMutex")
    KeLowerIrql(before)


@checked(None)
def ExAcquireFastMutexUnsafe(FastMutex: FAST_MUTEX) -> None:
    """For a caller at APC_LEVEL or inside a critical region; the level stays."""
    _require_no_apcs("ExAcquireFastMutexUnsafe")
    wait_until("ExAcquireFastMutexUnsafe", (FastMutex,), FastMutex.take(get_ident()), None)


@checked(None)
def ExReleaseFastMutexUnsafe(FastMutex: FAST_MUTEX) -> None:
    FastMutex.give("ExReleaseFastMutexUnsafe")


def _raise_to_apc() -> int:
    level: list[int] = []
    KeRaiseIrql(APC_LEVEL, level)
    return level[0]


class KGUARDED_MUTEX(_Lock):
    """Its holder is inside a guarded region, at the level it had."""

    __slots__ = ()


def KeInitializeGuardedMutex(Mutex: KGUARDED_MUTEX) -> None:
    Mutex.__init__()  # type: ignore[misc]  # the memory becomes a fresh mutex


@checked(None)
def KeAcquireGuardedMutex(Mutex: KGUARDED_MUTEX) -> None:
    wait_until("KeAcquireGuardedMutex", (Mutex,), Mutex.take(get_ident()), None)
    KeEnterGuardedRegion()


@checked(False)
def KeTryToAcquireGuardedMutex(Mutex: KGUARDED_MUTEX) -> bool:
    require_may_wait("KeTryToAcquireGuardedMutex")
    if Mutex._writer == get_ident() or not Mutex.take(get_ident())():
        return False
    KeEnterGuardedRegion()
    return True


@checked(None)
def KeReleaseGuardedMutex(Mutex: KGUARDED_MUTEX) -> None:
    Mutex.give("KeReleaseGuardedMutex")
    KeLeaveGuardedRegion()


@checked(None)
def KeAcquireGuardedMutexUnsafe(Mutex: KGUARDED_MUTEX) -> None:
    """For a caller at APC_LEVEL or inside a guarded region."""
    _require_no_apcs("KeAcquireGuardedMutexUnsafe")
    wait_until("KeAcquireGuardedMutexUnsafe", (Mutex,), Mutex.take(get_ident()), None)


@checked(None)
def KeReleaseGuardedMutexUnsafe(Mutex: KGUARDED_MUTEX) -> None:
    Mutex.give("KeReleaseGuardedMutexUnsafe")


class EX_PUSH_LOCK(_Lock):
    """Of readers or one writer.  Normal kernel APCs have to be disabled around it (KeEnterCriticalRegion)."""

    __slots__ = ()
    SIZE = 8


def ExInitializePushLock(PushLock: EX_PUSH_LOCK) -> None:
    PushLock.__init__()  # type: ignore[misc]  # the memory becomes a fresh lock


@checked(None)
def ExAcquirePushLockExclusive(PushLock: EX_PUSH_LOCK) -> None:
    _require_no_apcs("ExAcquirePushLockExclusive")
    wait_until("ExAcquirePushLockExclusive", (PushLock,), PushLock.take(get_ident()), None)


@checked(None)
def ExAcquirePushLockShared(PushLock: EX_PUSH_LOCK) -> None:
    _require_no_apcs("ExAcquirePushLockShared")
    wait_until("ExAcquirePushLockShared", (PushLock,), PushLock.take(get_ident(), is_shared=True), None)


@checked(None)
def ExReleasePushLockExclusive(PushLock: EX_PUSH_LOCK) -> None:
    PushLock.give("ExReleasePushLockExclusive")


@checked(None)
def ExReleasePushLockShared(PushLock: EX_PUSH_LOCK) -> None:
    PushLock.give("ExReleasePushLockShared", is_shared=True)


def _require_no_apcs(function: str) -> None:
    require_may_wait(function)
    if not KeAreApcsDisabled():
        what = f"{function} at level {KeGetCurrentIrql()} outside a critical region"
        raise BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "D-19", what)
