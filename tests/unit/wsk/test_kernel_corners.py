"""Kernel objects at their limits: counts, nesting, signs and the state that a new one has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from wsknet import wsk
from wsknet.wsk import APC_LEVEL, DISPATCH_LEVEL, EXCEPTION, BugCheck, Executive, KeLowerIrql, KeRaiseIrql, KernelMode

pytestmark = pytest.mark.usefixtures("host")

AT_ONCE = 0


@contextmanager
def level(irql: int) -> Iterator[None]:
    before = [0]
    KeRaiseIrql(irql, before)
    try:
        yield
    finally:
        KeLowerIrql(before[0])


def wait(*objects: Any, kind: int = wsk.WaitAll) -> int:
    return wsk.KeWaitForMultipleObjects(len(objects), objects, kind, Executive, KernelMode, False, AT_ONCE, None)


def test_what_new_objects_say() -> None:
    assert wsk.LARGE_INTEGER().QuadPart == 0
    assert wsk.FAST_MUTEX().OldIrql == 0
    assert wsk.EX_RUNDOWN_REF().Count == 0
    number = wsk.PROCESSOR_NUMBER()
    assert (number.Group, number.Number, number.Reserved) == (0, 0, 0)
    assert wsk.PROCESSOR_NUMBER(3, 4).Group == 3


def test_a_semaphore_counts_up_to_its_limit_and_no_further() -> None:
    semaphore = wsk.KSEMAPHORE()
    wsk.KeInitializeSemaphore(semaphore, 1, 4)

    assert wsk.KeReleaseSemaphore(semaphore, 0, 0, False) == 1
    assert wsk.KeReleaseSemaphore(semaphore, 0, 2, False) == 1
    assert wsk.KeReleaseSemaphore(semaphore, 0, 1, False) == 3
    with pytest.raises(EXCEPTION):
        wsk.KeReleaseSemaphore(semaphore, 0, 1, False)
    assert wsk.KeReadStateSemaphore(semaphore) == 4


@pytest.mark.parametrize("kind", [wsk.WaitAll, wsk.WaitAny])
def test_a_mutex_that_one_has_can_be_taken_again_among_several(kind: int) -> None:
    mutex = wsk.KMUTEX()
    wsk.KeInitializeMutex(mutex, 0)
    assert [wait(mutex, kind=kind) for _ in range(3)] == [0] * 3
    for _ in range(3):
        wsk.KeReleaseMutex(mutex, False)
    with pytest.raises(EXCEPTION):
        wsk.KeReleaseMutex(mutex, False)


def test_regions_nest() -> None:
    for enter, leave in (
        (wsk.KeEnterCriticalRegion, wsk.KeLeaveCriticalRegion),
        (wsk.KeEnterGuardedRegion, wsk.KeLeaveGuardedRegion),
    ):
        enter()
        enter()
        leave()
        assert wsk.KeAreApcsDisabled()
        leave()
        assert not wsk.KeAreApcsDisabled()
    with level(APC_LEVEL):
        assert wsk.KeAreAllApcsDisabled()


def release_as_writer() -> None:
    with level(DISPATCH_LEVEL):
        wsk.ExReleaseSpinLockExclusiveFromDpcLevel(wsk.EX_SPIN_LOCK())


@pytest.mark.rule("D-19")
@pytest.mark.parametrize(("misuse", "code"), [(wsk.KeLeaveCriticalRegion, 0x01), (release_as_writer, 0x10)])
def test_what_is_not_held_cannot_be_left(misuse: Callable[[], Any], code: int) -> None:
    with pytest.raises(BugCheck) as stop:
        misuse()
    assert (stop.value.code, stop.value.rule) == (code, "D-19")


def test_a_spin_lock_of_a_writer_is_free_afterwards() -> None:
    lock = wsk.EX_SPIN_LOCK()
    for _ in range(2):
        before = wsk.ExAcquireSpinLockExclusive(lock)
        wsk.ExReleaseSpinLockExclusive(lock, before)
    before = wsk.ExAcquireSpinLockShared(lock)
    wsk.ExReleaseSpinLockShared(lock, before)
    assert wsk.KeGetCurrentIrql() == 0


def test_rundown_protection_taken_several_at_a_time_is_given_back_exactly() -> None:
    rundown = wsk.EX_RUNDOWN_REF()
    wsk.ExInitializeRundownProtection(rundown)
    assert wsk.ExAcquireRundownProtectionEx(rundown, 3)
    wsk.ExReleaseRundownProtectionEx(rundown, 3)
    with pytest.raises(BugCheck):
        wsk.ExReleaseRundownProtection(rundown)


def test_a_plain_timer_is_one_that_wakes_everybody() -> None:
    timer = wsk.KTIMER()
    wsk.KeInitializeTimer(timer)
    wsk.KeSetTimer(timer, -10_000, None)
    assert wsk.KeWaitForSingleObject(timer, Executive, KernelMode, False, None) == 0
    assert wait(timer) == 0
    assert wait(timer) == 0


def test_times_are_whole_numbers() -> None:
    ticks = wsk.LARGE_INTEGER()
    wsk.KeQueryTickCount(ticks)
    assert isinstance(ticks.QuadPart, int)
    assert isinstance(wsk.KeQueryInterruptTime(), int)


def text(value: str) -> wsk.UNICODE_STRING:
    string = wsk.UNICODE_STRING()
    wsk.RtlInitUnicodeString(string, value)
    return string


def test_strings_are_compared_by_their_upper_case_units() -> None:
    assert (
        wsk.RtlCompareUnicodeString(text("a"), text("_"), True)
        < 0
        < wsk.RtlCompareUnicodeString(text("a"), text("_"), False)
    )
    assert wsk.RtlCompareUnicodeString(text("ab"), text("abcd"), False) == -4
    assert wsk.RtlEqualUnicodeString(text("\uffff"), text("\uffff"), True)


def test_a_port_of_zero_is_not_written() -> None:
    written, length = [""], [32]
    address = wsk.IN_ADDR(bytes([192, 0, 2, 1]))
    assert wsk.RtlIpv4AddressToStringEx(address, 0, written, length) == 0
    assert (written, length) == (["192.0.2.1"], [10])


@pytest.mark.parametrize(
    ("written", "base", "value"),
    [
        ("12", 0, 12),
        ("012", 0, 12),
        ("0x1F", 0, 31),
        ("0o17", 0, 15),
        ("0b101", 0, 5),
        ("0a", 0, 0),
        ("1x1F", 0, 1),
        ("1a", 16, 26),
        ("777", 8, 511),
        ("101", 2, 5),
        (" \t42", 10, 42),
        ("!42", 10, 0),
        ("X42", 10, 0),
    ],
)
def test_integers_are_read_in_their_base(written: str, base: int, value: int) -> None:
    found = [99]
    assert wsk.RtlUnicodeStringToInteger(text(written), base, found) == 0
    assert found == [value]


def test_there_is_no_base_of_three() -> None:
    assert wsk.RtlUnicodeStringToInteger(text("12"), 3, [0]) == wsk.STATUS_INVALID_PARAMETER


@pytest.mark.parametrize(
    ("written", "is_strict", "port"),
    [
        ("192.0.2.1", True, 0),
        ("192.0.2.1:80", True, 80),
        ("192.0.2.1:", True, None),
        ("192.0.2.1x80", True, None),
        ("192.0.2.1:x", True, None),
        ("0xC0.0.2.1:80", True, None),
        ("0xC0.0.2.1:80", False, 80),
    ],
)
def test_an_address_is_read_with_its_port(written: str, is_strict: bool, port: int | None) -> None:
    address, found = wsk.IN_ADDR(), [99]
    status = wsk.RtlIpv4StringToAddressEx(written, is_strict, address, found)

    assert (status == 0) is (port is not None)
    if port is not None:
        assert (bytes(address), wsk.ntohs(found[0])) == (bytes([192, 0, 2, 1]), port)


@pytest.mark.parametrize(("size", "stored"), [(8, b"a\0b\0c\0\0\0"), (6, b"a\0b\0c\0"), (9, b"a\0b\0c\0\0\0.")])
def test_a_terminator_is_written_where_there_is_room(size: int, stored: bytes) -> None:
    memory, string = bytearray(b"." * size), wsk.UNICODE_STRING()
    wsk.RtlInitEmptyUnicodeString(string, memory, size)
    assert (string.Length, string.MaximumLength, string.Buffer) == (0, size, memory)
    assert wsk.RtlAppendUnicodeToString(string, "abc") == 0

    assert (string.Length, bytes(memory)) == (6, stored)
    assert wsk.RtlAppendUnicodeToString(string, "de") == wsk.STATUS_BUFFER_TOO_SMALL


def test_lookaside_lists_ask_for_their_kind_of_pool() -> None:
    asked: list[int] = []

    def allocate(PoolType: int, NumberOfBytes: int, Tag: int) -> bytearray | None:
        asked.append(PoolType)
        return wsk.ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag)

    paged, nonpaged = wsk.PAGED_LOOKASIDE_LIST(), wsk.NPAGED_LOOKASIDE_LIST()
    wsk.ExInitializePagedLookasideList(paged, allocate, None, 0, 8, 0x31, 0)
    wsk.ExInitializeNPagedLookasideList(nonpaged, allocate, None, 0, 8, 0x31, 0)
    wsk.ExFreePool(wsk.ExAllocateFromPagedLookasideList(paged))
    wsk.ExFreePool(wsk.ExAllocateFromNPagedLookasideList(nonpaged))

    assert asked == [1, 512]
