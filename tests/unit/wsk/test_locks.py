"""Mutexes, semaphores, fast mutexes, push locks, run-down protection, the other spin locks, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wsknet import wsk as w
from wsknet.drivers.base import DeadlockError
from wsknet.host import Host, Network
from wsknet.types import SECOND
from wsknet.wsk import BugCheck

pytestmark = pytest.mark.usefixtures("host")

ONE_SECOND = 10_000_000


def wait(Object: Any, Timeout: int | None = None) -> int:
    return w.KeWaitForSingleObject(Object, w.Executive, w.KernelMode, False, Timeout)


def sleep(seconds: float) -> None:
    w.KeDelayExecutionThread(w.KernelMode, False, -int(seconds * ONE_SECOND))


def thread(body: Callable[[], object]) -> w.KTHREAD:
    handle: list[Any] = []
    w.PsCreateSystemThread(handle, 0, None, None, None, lambda context: body(), None)
    found: list[Any] = []
    w.ObReferenceObjectByHandle(handle[0], 0, w.PsThreadType, w.KernelMode, found, None)
    made: w.KTHREAD = found[0]
    return made


def test_a_mutex_has_one_holder_who_may_take_it_again(network: Network) -> None:
    Mutex = w.KMUTEX()
    w.KeInitializeMutex(Mutex, 0)
    assert wait(Mutex) == wait(Mutex) == w.STATUS_SUCCESS
    assert w.KeReadStateMutex(Mutex) == -1
    got: list[int] = []

    def other() -> None:
        assert wait(Mutex, 0) == w.STATUS_TIMEOUT
        with pytest.raises(w.EXCEPTION) as raised:
            w.KeReleaseMutex(Mutex, False)
        assert raised.value.ExceptionCode == w.STATUS_MUTANT_NOT_OWNED
        wait(Mutex)
        got.append(network.driver.now())
        w.KeReleaseMutex(Mutex, False)

    waiter = thread(other)
    sleep(1)
    assert w.KeReleaseMutex(Mutex, False) == -1
    sleep(1)
    assert got == []
    assert w.KeReleaseMutex(Mutex, False) == 0
    wait(waiter)
    assert got == [2 * SECOND]
    assert w.KeReadStateMutex(Mutex) == 1


def test_a_thread_must_not_end_while_it_holds_a_mutex(network: Network) -> None:
    Mutex = w.KMUTEX()
    thread(lambda: wait(Mutex))

    with pytest.raises(BugCheck, match="THREAD_TERMINATE_HELD_MUTEX"):
        network.run_for(1)


@pytest.mark.parametrize("enter", [w.KeEnterCriticalRegion, w.KeEnterGuardedRegion])
def test_a_thread_must_not_end_inside_a_region(network: Network, enter: Callable[[], None]) -> None:
    thread(enter)

    with pytest.raises(BugCheck, match="APC_INDEX_MISMATCH"):
        network.run_for(1)


def test_a_semaphore_counts(network: Network) -> None:
    Semaphore = w.KSEMAPHORE()
    w.KeInitializeSemaphore(Semaphore, 1, 3)
    through: list[int] = []

    def body(number: int) -> Callable[[], None]:
        def run() -> None:
            wait(Semaphore)
            through.append(number)

        return run

    for number in range(4):
        thread(body(number))
    network.run_for(1)
    assert through == [0]
    assert w.KeReleaseSemaphore(Semaphore, 0, 2, False) == 0
    network.run_for(1)
    assert (through, w.KeReadStateSemaphore(Semaphore)) == ([0, 1, 2], 0)
    w.KeReleaseSemaphore(Semaphore, 0, 1, False)
    network.run_for(1)
    with pytest.raises(w.EXCEPTION, match="STATUS_SEMAPHORE_LIMIT_EXCEEDED"):
        w.KeReleaseSemaphore(Semaphore, 0, 4, False)
    assert w.KeReadStateSemaphore(Semaphore) == 0


def test_a_fast_mutex_raises_its_holder_to_apc_level() -> None:
    Mutex = w.FAST_MUTEX()
    w.ExInitializeFastMutex(Mutex)
    w.ExAcquireFastMutex(Mutex)
    assert w.KeGetCurrentIrql() == w.APC_LEVEL
    assert w.ExTryToAcquireFastMutex(Mutex) is False
    with pytest.raises(BugCheck, match="MUTEX_ALREADY_OWNED"):
        w.ExAcquireFastMutex(Mutex)
    trail: list[str] = []

    def other() -> None:
        with pytest.raises(BugCheck, match="does not hold the lock"):
            w.ExReleaseFastMutex(Mutex)
        w.ExAcquireFastMutex(Mutex)
        trail.append("other")
        w.ExReleaseFastMutex(Mutex)
        assert w.KeGetCurrentIrql() == w.PASSIVE_LEVEL

    waiter = thread(other)
    sleep(1)
    trail.append("first")
    w.ExReleaseFastMutex(Mutex)
    assert w.KeGetCurrentIrql() == w.PASSIVE_LEVEL
    wait(waiter)
    assert trail == ["first", "other"]
    assert w.ExTryToAcquireFastMutex(Mutex) is True
    w.ExReleaseFastMutex(Mutex)


def test_a_guarded_mutex_holds_apcs_back_at_the_same_level() -> None:
    Mutex = w.KGUARDED_MUTEX()
    w.KeInitializeGuardedMutex(Mutex)
    w.KeAcquireGuardedMutex(Mutex)
    assert (w.KeGetCurrentIrql(), w.KeAreAllApcsDisabled()) == (w.PASSIVE_LEVEL, True)
    assert w.KeTryToAcquireGuardedMutex(Mutex) is False
    w.KeReleaseGuardedMutex(Mutex)
    assert w.KeAreAllApcsDisabled() is False
    with pytest.raises(BugCheck, match="outside a critical region"):
        w.KeAcquireGuardedMutexUnsafe(Mutex)
    w.KeEnterGuardedRegion()
    w.KeAcquireGuardedMutexUnsafe(Mutex)
    w.KeReleaseGuardedMutexUnsafe(Mutex)
    w.KeLeaveGuardedRegion()
    assert w.KeTryToAcquireGuardedMutex(Mutex) is True
    w.KeReleaseGuardedMutex(Mutex)


def test_a_deadlock_names_the_lock_function() -> None:
    Mutex = w.FAST_MUTEX()
    thread(lambda: w.ExAcquireFastMutex(Mutex))
    sleep(1)

    with pytest.raises(DeadlockError, match="ExAcquireFastMutex in test_a_deadlock"):
        w.ExAcquireFastMutex(Mutex)
    assert w.KeGetCurrentIrql() == w.PASSIVE_LEVEL


def test_a_push_lock_has_readers_or_one_writer(network: Network) -> None:
    Lock = w.EX_PUSH_LOCK()
    w.ExInitializePushLock(Lock)
    trail: list[tuple[str, int]] = []

    def use(acquire: Any, release: Any, name: str) -> Callable[[], None]:
        def run() -> None:
            w.KeEnterCriticalRegion()
            acquire(Lock)
            trail.append((name, network.driver.now() // SECOND))
            sleep(1)
            release(Lock)
            w.KeLeaveCriticalRegion()

        return run

    for name in ("reader", "second reader"):
        thread(use(w.ExAcquirePushLockShared, w.ExReleasePushLockShared, name))
    thread(use(w.ExAcquirePushLockExclusive, w.ExReleasePushLockExclusive, "writer"))
    network.run_for(0.5)
    thread(use(w.ExAcquirePushLockExclusive, w.ExReleasePushLockExclusive, "second writer"))
    network.run_for(5)

    assert trail == [("reader", 0), ("second reader", 0), ("writer", 1), ("second writer", 2)]


def test_a_push_lock_needs_a_critical_region_and_its_holder() -> None:
    Lock = w.EX_PUSH_LOCK()
    with pytest.raises(BugCheck, match="outside a critical region"):
        w.ExAcquirePushLockShared(Lock)
    w.KeEnterCriticalRegion()
    assert (w.KeAreApcsDisabled(), w.KeAreAllApcsDisabled()) == (True, False)
    w.ExAcquirePushLockShared(Lock)
    with pytest.raises(BugCheck, match="does not hold the lock"):
        w.ExReleasePushLockExclusive(Lock)
    with pytest.raises(BugCheck, match="MUTEX_ALREADY_OWNED"):
        w.ExAcquirePushLockShared(Lock)
    w.ExReleasePushLockShared(Lock)
    w.KeLeaveCriticalRegion()
    with pytest.raises(BugCheck, match="APC_INDEX_MISMATCH"):
        w.KeLeaveCriticalRegion()


@pytest.mark.rule("R-071")
@pytest.mark.parametrize(
    "call",
    [
        lambda: w.ExAcquireFastMutex(w.FAST_MUTEX()),
        lambda: w.ExTryToAcquireFastMutex(w.FAST_MUTEX()),
        lambda: w.KeAcquireGuardedMutex(w.KGUARDED_MUTEX()),
        lambda: w.KeTryToAcquireGuardedMutex(w.KGUARDED_MUTEX()),
        lambda: w.ExAcquirePushLockExclusive(w.EX_PUSH_LOCK()),
        lambda: w.ExWaitForRundownProtectionRelease(w.EX_RUNDOWN_REF()),
        lambda: wait(w.KMUTEX()),
    ],
)
def test_no_lock_that_waits_can_be_taken_at_dispatch_level(call: Callable[[], object]) -> None:
    level: list[int] = []
    w.KeRaiseIrql(w.DISPATCH_LEVEL, level)
    try:
        with pytest.raises(BugCheck, match="R-071"):
            call()
    finally:
        w.KeLowerIrql(level[0])


def test_rundown_waits_for_the_last_user_and_lets_nobody_in(network: Network) -> None:
    Ref = w.EX_RUNDOWN_REF()
    w.ExInitializeRundownProtection(Ref)
    assert w.ExAcquireRundownProtection(Ref) is True
    assert w.ExAcquireRundownProtectionEx(Ref, 2) is True

    def user() -> None:
        sleep(1)
        assert w.ExAcquireRundownProtection(Ref) is False
        w.ExReleaseRundownProtection(Ref)
        sleep(1)
        w.ExReleaseRundownProtectionEx(Ref, 2)

    thread(user)
    w.ExWaitForRundownProtectionRelease(Ref)
    assert network.driver.now() == 2 * SECOND
    assert Ref.Count == w.EX_RUNDOWN_ACTIVE
    with pytest.raises(BugCheck, match="more often than acquired"):
        w.ExReleaseRundownProtection(Ref)
    w.ExRundownCompleted(Ref)
    w.ExReInitializeRundownProtection(Ref)
    assert w.ExAcquireRundownProtection(Ref) is True
    with pytest.raises(BugCheck, match="while it is in use"):
        w.ExReInitializeRundownProtection(Ref)


def test_a_queued_spin_lock_remembers_the_level(host: Host) -> None:
    lock, handle = w.KSPIN_LOCK(), w.KLOCK_QUEUE_HANDLE()
    w.KeAcquireInStackQueuedSpinLock(lock, handle)
    assert (w.KeGetCurrentIrql(), w.KeTestSpinLock(lock)) == (w.DISPATCH_LEVEL, False)
    assert w.KeTryToAcquireSpinLockAtDpcLevel(lock) is False
    w.KeReleaseInStackQueuedSpinLock(handle)
    assert (w.KeGetCurrentIrql(), w.KeTestSpinLock(lock)) == (w.PASSIVE_LEVEL, True)
    with pytest.raises(BugCheck, match="SPIN_LOCK_NOT_OWNED"):
        w.KeReleaseInStackQueuedSpinLock(handle)


def test_the_functions_for_dispatch_level_want_that_level() -> None:
    lock = w.KSPIN_LOCK()
    for function in (w.KeAcquireSpinLockAtDpcLevel, w.KeTryToAcquireSpinLockAtDpcLevel):
        with pytest.raises(BugCheck, match="has to be called at DISPATCH_LEVEL"):
            function(lock)
    level = w.KeAcquireSpinLockRaiseToDpc(lock)
    other, handle = w.KSPIN_LOCK(), w.KLOCK_QUEUE_HANDLE()
    assert w.KeTryToAcquireSpinLockAtDpcLevel(other) is True
    w.KeReleaseSpinLockFromDpcLevel(other)
    w.KeAcquireInStackQueuedSpinLockAtDpcLevel(other, handle)
    w.KeReleaseInStackQueuedSpinLockFromDpcLevel(handle)
    w.KeReleaseSpinLock(lock, level)


def test_a_reader_writer_spin_lock() -> None:
    lock = w.EX_SPIN_LOCK()
    level = w.ExAcquireSpinLockShared(lock)
    assert w.KeGetCurrentIrql() == w.DISPATCH_LEVEL
    with pytest.raises(BugCheck, match="SPIN_LOCK_ALREADY_OWNED"):
        w.ExAcquireSpinLockExclusiveAtDpcLevel(lock)
    with pytest.raises(BugCheck, match="as its writer"):
        w.ExReleaseSpinLockExclusiveFromDpcLevel(lock)
    w.ExReleaseSpinLockShared(lock, level)
    level = w.ExAcquireSpinLockExclusive(lock)
    with pytest.raises(BugCheck, match="as a reader"):
        w.ExReleaseSpinLockSharedFromDpcLevel(lock)
    w.ExReleaseSpinLockExclusive(lock, level)
    assert w.KeGetCurrentIrql() == w.PASSIVE_LEVEL


def test_readers_share_a_spin_lock_and_a_writer_waits_for_them_in_real_threads() -> None:
    from threading import Event, Thread

    lock, inside, trail = w.EX_SPIN_LOCK(), Event(), list[str]()
    w.ExAcquireSpinLockShared(lock)

    def reader() -> None:
        level = w.ExAcquireSpinLockShared(lock)
        trail.append("second reader")
        w.ExReleaseSpinLockShared(lock, level)

    def writer() -> None:
        inside.set()
        level = w.ExAcquireSpinLockExclusive(lock)
        trail.append("writer")
        w.ExReleaseSpinLockExclusive(lock, level)

    second, other = Thread(target=reader), Thread(target=writer)
    second.start()
    second.join(30)
    other.start()
    assert inside.wait(30)
    trail.append("first reader")
    w.ExReleaseSpinLockShared(lock, w.PASSIVE_LEVEL)
    other.join(30)
    assert trail == ["second reader", "first reader", "writer"]


def test_clocks_count_from_the_start_of_the_host(network: Network) -> None:
    frequency, ticks, stamp = w.LARGE_INTEGER(), w.LARGE_INTEGER(), list[int]()
    sleep(10)
    w.KeQueryTickCount(ticks)

    assert w.KeQueryInterruptTime() == w.KeQueryUnbiasedInterruptTime() == 10 * ONE_SECOND
    assert w.KeQueryInterruptTimePrecise(stamp) == stamp[0] == 10 * ONE_SECOND
    assert w.KeQueryPerformanceCounter(frequency).QuadPart == 10 * frequency.QuadPart
    assert ticks.QuadPart * w.KeQueryTimeIncrement() == 10 * ONE_SECOND
    w.KeStallExecutionProcessor(500_000)
    assert network.driver.now() == int(10.5 * SECOND)
    level: list[int] = []
    w.KeRaiseIrql(w.DISPATCH_LEVEL, level)
    w.KeStallExecutionProcessor(1 << 40)  # bounded: virtual time cannot pass here
    w.KeLowerIrql(level[0])
    assert network.driver.now() == int(10.5 * SECOND)


def test_a_host_has_one_processor() -> None:
    number, mask = w.PROCESSOR_NUMBER(7, 7), list[Any]()
    assert w.KeGetCurrentProcessorNumber() == w.KeGetCurrentProcessorNumberEx(number) == 0
    assert (number.Group, number.Number, w.KeGetProcessorIndexFromNumber(number)) == (0, 0, 0)
    assert (w.KeQueryActiveProcessorCount(mask), mask) == (1, [1])
    assert w.KeQueryActiveProcessorCountEx(w.ALL_PROCESSOR_GROUPS) == w.KeQueryMaximumProcessorCountEx(0) == 1
    assert w.KeQueryActiveProcessorCountEx(1) == 0
    assert w.KeGetProcessorNumberFromIndex(1, number) == w.STATUS_INVALID_PARAMETER
    assert w.KeGetProcessorIndexFromNumber(w.PROCESSOR_NUMBER(0, 1)) == 0xFFFFFFFF
