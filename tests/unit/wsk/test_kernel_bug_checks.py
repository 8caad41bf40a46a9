"""Each misuse of a kernel object that stops Windows, with the code it stops with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_registration import at_level
from wsknet import wsk as w
from wsknet.host import Network
from wsknet.wsk import (
    APC_LEVEL,
    DISPATCH_LEVEL,
    EX_RUNDOWN_REF,
    EX_SPIN_LOCK,
    FAST_MUTEX,
    KDPC,
    KLOCK_QUEUE_HANDLE,
    KMUTEX,
    KSPIN_LOCK,
    KTIMER,
    LIST_ENTRY,
    PASSIVE_LEVEL,
    STATUS_SUCCESS,
    BugCheck,
)

pytestmark = pytest.mark.usefixtures("host")

TAG = 0x31746573

Act = Callable[[], Any]


def dispatch_misuse(act: Act) -> Act:
    def misuse() -> None:
        with at_level(DISPATCH_LEVEL):
            act()

    misuse.__name__ = act.__name__
    return misuse


def start(body: Act) -> w.KTHREAD:
    handle: list[Any] = []
    w.PsCreateSystemThread(handle, 0, None, None, None, lambda context: body(), None)
    found: list[Any] = []
    w.ObReferenceObjectByHandle(handle[0], 0, w.PsThreadType, w.KernelMode, found, None)
    thread: w.KTHREAD = found[0]
    return thread


# Deferred procedure calls and timers


def a_dpc_without_a_routine_is_queued() -> None:
    w.KeInsertQueueDpc(KDPC(), None, None)


@dispatch_misuse
def a_queued_dpc_is_initialized() -> None:
    Dpc = KDPC()
    w.KeInitializeDpc(Dpc, lambda *arguments: None, None)
    w.KeInsertQueueDpc(Dpc, None, None)
    w.KeInitializeDpc(Dpc, lambda *arguments: None, None)


def a_timer_that_is_set_is_initialized() -> None:
    Timer = KTIMER()
    w.KeInitializeTimer(Timer)
    w.KeSetTimer(Timer, -1, None)
    w.KeInitializeTimer(Timer)


# Spin locks


def a_spin_lock_for_dispatch_level_is_taken_below() -> None:
    w.KeAcquireSpinLockAtDpcLevel(KSPIN_LOCK())


def a_spin_lock_for_dispatch_level_is_shared_below() -> None:
    w.ExAcquireSpinLockSharedAtDpcLevel(EX_SPIN_LOCK())


@dispatch_misuse
def a_spin_lock_is_taken_twice() -> None:
    Lock = KSPIN_LOCK()
    w.KeAcquireSpinLockAtDpcLevel(Lock)
    w.KeAcquireSpinLockAtDpcLevel(Lock)


@dispatch_misuse
def a_spin_lock_is_shared_twice() -> None:
    Lock = EX_SPIN_LOCK()
    w.ExAcquireSpinLockSharedAtDpcLevel(Lock)
    w.ExAcquireSpinLockSharedAtDpcLevel(Lock)


@dispatch_misuse
def a_writer_shares_its_spin_lock() -> None:
    Lock = EX_SPIN_LOCK()
    w.ExAcquireSpinLockExclusiveAtDpcLevel(Lock)
    w.ExAcquireSpinLockSharedAtDpcLevel(Lock)


@dispatch_misuse
def a_free_spin_lock_is_released() -> None:
    w.KeReleaseSpinLockFromDpcLevel(KSPIN_LOCK())


@dispatch_misuse
def a_queue_handle_of_no_lock_is_released() -> None:
    w.KeReleaseInStackQueuedSpinLockFromDpcLevel(KLOCK_QUEUE_HANDLE())


@dispatch_misuse
def a_free_spin_lock_is_released_by_a_reader() -> None:
    w.ExReleaseSpinLockSharedFromDpcLevel(EX_SPIN_LOCK())


@dispatch_misuse
def a_free_spin_lock_is_released_by_a_writer() -> None:
    w.ExReleaseSpinLockExclusiveFromDpcLevel(EX_SPIN_LOCK())


# Other locks and run-down protection


def a_fast_mutex_is_taken_twice() -> None:
    Mutex = FAST_MUTEX()
    with at_level(APC_LEVEL):
        w.ExAcquireFastMutexUnsafe(Mutex)
        w.ExAcquireFastMutexUnsafe(Mutex)


def a_free_fast_mutex_is_released() -> None:
    w.ExReleaseFastMutexUnsafe(FAST_MUTEX())


def an_unsafe_fast_mutex_is_taken_at_passive_level() -> None:
    w.ExAcquireFastMutexUnsafe(FAST_MUTEX())


def run_down_protection_is_released_and_was_not_acquired() -> None:
    w.ExReleaseRundownProtection(EX_RUNDOWN_REF())


def run_down_protection_is_initialized_again_before_it_was_run_down() -> None:
    w.ExReInitializeRundownProtection(EX_RUNDOWN_REF())


# Pool, lookaside lists, linked lists


def pool_without_a_tag() -> None:
    w.ExAllocatePool2(w.POOL_FLAG_NON_PAGED, 8, 0)


@dispatch_misuse
def paged_pool_at_dispatch_level() -> None:
    w.ExAllocatePool2(w.POOL_FLAG_PAGED, 8, TAG)


def memory_that_is_no_pool_is_freed() -> None:
    w.ExFreePool(bytearray(8))


def pool_is_freed_with_another_tag() -> None:
    memory = w.ExAllocatePool2(w.POOL_FLAG_NON_PAGED, 8, TAG)
    assert memory is not None
    w.ExFreePoolWithTag(memory, TAG + 1)


def a_lookaside_list_is_used_that_is_not_initialized() -> None:
    w.ExAllocateFromLookasideListEx(w.LOOKASIDE_LIST_EX())


def a_lookaside_list_is_given_memory_of_others() -> None:
    Lookaside = w.LOOKASIDE_LIST_EX()
    w.ExInitializeLookasideListEx(Lookaside, None, None, w.NonPagedPoolNx, 0, 8, TAG, 0)
    w.ExFreeToLookasideListEx(Lookaside, bytearray(8))


def a_record_is_asked_for_by_a_field_that_it_has_not() -> None:
    class Record:
        def __init__(self) -> None:
            self.Link = LIST_ENTRY(self)

    w.CONTAINING_RECORD(Record().Link, Record, "Missing")


# Objects and threads


def a_reference_is_given_back_twice() -> None:
    thread = start(lambda: None)
    w.ObDereferenceObject(thread)
    w.ObDereferenceObject(thread)


@pytest.mark.rule("D-19")
@pytest.mark.parametrize(
    ("misuse", "code"),
    [
        (a_dpc_without_a_routine_is_queued, 0xC7),
        (a_queued_dpc_is_initialized, 0xC7),
        (a_timer_that_is_set_is_initialized, 0xC7),
        (a_spin_lock_for_dispatch_level_is_taken_below, 0x09),
        (a_spin_lock_for_dispatch_level_is_shared_below, 0x09),
        (a_spin_lock_is_taken_twice, 0x0F),
        (a_spin_lock_is_shared_twice, 0x0F),
        (a_writer_shares_its_spin_lock, 0x0F),
        (a_free_spin_lock_is_released, 0x10),
        (a_queue_handle_of_no_lock_is_released, 0x10),
        (a_free_spin_lock_is_released_by_a_reader, 0x10),
        (a_free_spin_lock_is_released_by_a_writer, 0x10),
        (a_fast_mutex_is_taken_twice, 0xBF),
        (a_free_fast_mutex_is_released, 0xC4),
        (an_unsafe_fast_mutex_is_taken_at_passive_level, 0xC4),
        (run_down_protection_is_released_and_was_not_acquired, 0x18),
        (run_down_protection_is_initialized_again_before_it_was_run_down, 0x18),
        (pool_without_a_tag, 0xC2),
        (paged_pool_at_dispatch_level, 0xC2),
        (memory_that_is_no_pool_is_freed, 0xC2),
        (pool_is_freed_with_another_tag, 0xC2),
        (a_lookaside_list_is_used_that_is_not_initialized, 0xC2),
        (a_lookaside_list_is_given_memory_of_others, 0xC2),
        (a_record_is_asked_for_by_a_field_that_it_has_not, 0x50),
        (a_reference_is_given_back_twice, 0x18),
    ],
)
def test_a_misuse_of_a_kernel_object_is_named(misuse: Act, code: int) -> None:
    with pytest.raises(BugCheck) as stop:
        misuse()

    assert (stop.value.code, stop.value.rule) == (code, "D-19")
    assert w.KeGetCurrentIrql() == PASSIVE_LEVEL


def with_a_mutex() -> None:
    w.KeWaitForSingleObject(KMUTEX(), w.Executive, w.KernelMode, False, None)


def above_passive_level() -> None:
    with at_level(APC_LEVEL):
        w.PsTerminateSystemThread(STATUS_SUCCESS)


@pytest.mark.rule("D-19")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (with_a_mutex, 0x4000008A),
        (w.KeEnterCriticalRegion, 0x01),
        (w.KeEnterGuardedRegion, 0x01),
        (above_passive_level, 0x0A),
    ],
)
def test_a_system_thread_must_not_end_so(network: Network, body: Act, code: int) -> None:
    start(body)
    with pytest.raises(BugCheck) as stop:
        network.run_for(1)

    assert (stop.value.code, stop.value.rule) == (code, "D-19")
