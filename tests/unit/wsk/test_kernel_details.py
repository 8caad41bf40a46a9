"""Kernel functions by their results: each width of the Interlocked functions, each allocator, and small corners."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wsknet import wsk
from wsknet.host import Host
from wsknet.wsk import DISPATCH_LEVEL, BugCheck, KeLowerIrql, KeRaiseIrql

pytestmark = pytest.mark.usefixtures("host")


@pytest.mark.parametrize(
    ("name", "before", "arguments", "returned", "after"),
    [
        ("InterlockedIncrement", 0x7FFFFFFF, (), -0x80000000, -0x80000000),
        ("InterlockedIncrement16", 0x7FFF, (), -0x8000, -0x8000),
        ("InterlockedIncrement64", 0x7FFFFFFF, (), 0x80000000, 0x80000000),
        ("InterlockedDecrement", -0x80000000, (), 0x7FFFFFFF, 0x7FFFFFFF),
        ("InterlockedDecrement16", -0x8000, (), 0x7FFF, 0x7FFF),
        ("InterlockedDecrement64", 0, (), -1, -1),
        ("InterlockedAdd", 0x7FFFFFFF, (2,), -0x7FFFFFFF, -0x7FFFFFFF),
        ("InterlockedAdd64", 0x7FFFFFFF, (2,), 0x80000001, 0x80000001),
        ("InterlockedExchangeAdd", 5, (-7,), 5, -2),
        ("InterlockedExchangeAdd64", 1 << 40, (1 << 40,), 1 << 40, 1 << 41),
        ("InterlockedExchange", 5, (0xFFFFFFFF,), 5, -1),
        ("InterlockedExchange8", 5, (0xFF,), 5, -1),
        ("InterlockedExchange16", 5, (0xFFFF,), 5, -1),
        ("InterlockedExchange64", 5, (0xFFFFFFFF,), 5, 0xFFFFFFFF),
        ("InterlockedAnd", 0b1100, (0b1010,), 0b1100, 0b1000),
        ("InterlockedAnd8", 0b1100, (0b1010,), 0b1100, 0b1000),
        ("InterlockedAnd16", 0b1100, (0b1010,), 0b1100, 0b1000),
        ("InterlockedAnd64", 1 << 40 | 1, (1 << 40,), 1 << 40 | 1, 1 << 40),
        ("InterlockedOr", 0b1100, (0b1010,), 0b1100, 0b1110),
        ("InterlockedOr8", 0b1100, (0b1010,), 0b1100, 0b1110),
        ("InterlockedOr16", 0b1100, (0b1010,), 0b1100, 0b1110),
        ("InterlockedOr64", 1, (1 << 40,), 1, 1 << 40 | 1),
        ("InterlockedXor", 0b1100, (0b1010,), 0b1100, 0b0110),
        ("InterlockedXor64", 1 << 40 | 1, (1 << 40,), 1 << 40 | 1, 1),
        ("InterlockedCompareExchange", 5, (9, 5), 5, 9),
        ("InterlockedCompareExchange", 5, (9, 6), 5, 5),
        ("InterlockedCompareExchange", -1, (9, 0xFFFFFFFF), -1, 9),
        ("InterlockedCompareExchange16", -1, (0xFFFE, 0xFFFF), -1, -2),
        ("InterlockedCompareExchange64", 0xFFFFFFFF, (1 << 40, 0xFFFFFFFF), 0xFFFFFFFF, 1 << 40),
        ("InterlockedBitTestAndSet", 0b100, (2,), True, 0b100),
        ("InterlockedBitTestAndSet", 0b100, (1,), False, 0b110),
        ("InterlockedBitTestAndSet", 0b100, (0,), False, 0b101),
        ("InterlockedBitTestAndReset", 0b110, (2,), True, 0b010),
        ("InterlockedBitTestAndReset", 0b110, (0,), False, 0b110),
    ],
)
def test_interlocked_functions(name: str, before: int, arguments: tuple[int, ...], returned: int, after: int) -> None:
    variable = [before]

    assert getattr(wsk, name)(variable, *arguments) == returned
    assert variable == [after]


@pytest.fixture
def at_dispatch_level() -> Iterator[None]:
    before = [0]
    KeRaiseIrql(DISPATCH_LEVEL, before)
    yield
    KeLowerIrql(before[0])


ALLOCATORS: list[tuple[str, tuple[int, ...], int, int]] = [
    ("ExAllocatePool2", (0x31,), 0x100, 0x40),
    ("ExAllocatePool3", (0x31, 0, 0), 0x100, 0x40),
    ("ExAllocatePoolWithTag", (0x31,), 1, 512),
    ("ExAllocatePoolZero", (0x31,), 1, 512),
    ("ExAllocatePoolUninitialized", (0x31,), 1, 512),
    ("ExAllocatePool", (), 1, 512),
]
"""Name, what follows the size, and the values that mean paged and nonpaged."""
each_allocator = pytest.mark.parametrize(
    ("name", "rest", "paged", "nonpaged"), ALLOCATORS, ids=[a[0] for a in ALLOCATORS]
)


@each_allocator
@pytest.mark.usefixtures("at_dispatch_level")
def test_paged_pool_is_not_for_dispatch_level(name: str, rest: tuple[int, ...], paged: int, nonpaged: int) -> None:
    with pytest.raises(BugCheck) as stop:
        getattr(wsk, name)(paged, 8, *rest)
    assert (stop.value.code, stop.value.rule) == (0xC2, "D-19")
    wsk.ExFreePool(getattr(wsk, name)(nonpaged, 8, *rest))


@each_allocator
def test_pool_keeps_its_tag(name: str, rest: tuple[int, ...], paged: int, nonpaged: int) -> None:
    memory = getattr(wsk, name)(paged, 8, *rest)
    assert memory == bytes(8)
    with pytest.raises(BugCheck):
        wsk.ExFreePoolWithTag(memory, 0x32)
    wsk.ExFreePoolWithTag(memory, rest[0] if rest else int.from_bytes(b"None", "little"))


def test_the_depth_of_a_sequenced_list() -> None:
    head = wsk.SLIST_HEADER()
    assert (wsk.ExQueryDepthSList(head), wsk.FirstEntrySList(head)) == (0, None)
    entries = [wsk.SLIST_ENTRY() for _ in range(3)]
    for entry in entries:
        wsk.InterlockedPushEntrySList(head, entry)
    assert wsk.ExQueryDepthSList(head) == 3
    assert wsk.InterlockedPopEntrySList(head) is entries[2]
    assert wsk.ExQueryDepthSList(head) == 2
    wsk.InterlockedFlushSList(head)
    assert wsk.ExQueryDepthSList(head) == 0


def test_a_fast_mutex_without_the_change_of_level() -> None:
    mutex = wsk.FAST_MUTEX()
    wsk.ExInitializeFastMutex(mutex)
    wsk.KeEnterCriticalRegion()
    wsk.ExAcquireFastMutexUnsafe(mutex)
    assert wsk.KeGetCurrentIrql() == 0
    assert not wsk.ExTryToAcquireFastMutex(mutex)
    wsk.ExReleaseFastMutexUnsafe(mutex)
    wsk.KeLeaveCriticalRegion()
    assert wsk.ExTryToAcquireFastMutex(mutex)
    wsk.ExReleaseFastMutex(mutex)


def release_nothing() -> None:
    before = [0]
    KeRaiseIrql(DISPATCH_LEVEL, before)
    try:
        wsk.KeReleaseInStackQueuedSpinLockFromDpcLevel(wsk.KLOCK_QUEUE_HANDLE())
    finally:
        KeLowerIrql(before[0])


def unmap_nothing() -> None:
    Mdl = wsk.IoAllocateMdl(bytearray(8), 8, False, False, None)
    assert Mdl is not None
    try:
        wsk.MmUnmapLockedPages(None, Mdl)
    finally:
        wsk.IoFreeMdl(Mdl)


@pytest.mark.parametrize(
    ("misuse", "code"),
    [(wsk.KeLeaveGuardedRegion, 0x01), (release_nothing, 0x10), (unmap_nothing, 0x4E)],
)
@pytest.mark.rule("D-19")
def test_what_is_given_back_without_having_been_taken(misuse: Callable[[], Any], code: int) -> None:
    with pytest.raises(BugCheck) as stop:
        misuse()
    assert (stop.value.code, stop.value.rule) == (code, "D-19")


def test_a_queue_handle_remembers_the_level() -> None:
    assert wsk.KLOCK_QUEUE_HANDLE().OldIrql == 0


def test_there_is_one_processor() -> None:
    assert (wsk.KeQueryMaximumProcessorCount(), wsk.KeQueryActiveProcessorCount(None)) == (1, 1)


def test_the_system_time_counts_whole_hundreds_of_nanoseconds() -> None:
    now = wsk.LARGE_INTEGER()
    wsk.KeQuerySystemTime(now)
    assert isinstance(now.QuadPart, int)


def test_processes_are_numbered_in_fours() -> None:
    numbers = [wsk.PsGetProcessId(wsk.EPROCESS()) for _ in range(3)]
    assert numbers == [1000, 1004, 1008]
    assert wsk.PsGetProcessId(wsk.PsGetCurrentProcess()) == 4


def test_strings_that_are_empty_or_just_fit() -> None:
    ansi, text = wsk.ANSI_STRING(), wsk.UNICODE_STRING()
    wsk.RtlInitEmptyAnsiString(ansi, bytearray(4), 4)
    assert (ansi.Length, ansi.MaximumLength) == (0, 4)

    wsk.RtlInitUnicodeString(text, "abc")
    assert wsk.RtlUnicodeStringToAnsiString(ansi, text, False) == 0
    assert (str(ansi), ansi.Length) == ("abc", 3)
    wsk.RtlInitUnicodeString(text, "abcd")
    assert wsk.RtlUnicodeStringToAnsiString(ansi, text, False) == 0x80000005
    assert wsk.RtlUnicodeStringToAnsiString(ansi, text, True) == 0
    assert (str(ansi), ansi.MaximumLength) == ("abcd", 5)


@pytest.mark.parametrize("name", ["RtlUnicodeStringToAnsiString", "RtlAnsiStringToUnicodeString"])
def test_converting_a_string_fails_for_want_of_memory_by_its_name(host: Host, name: str) -> None:
    strings = [wsk.UNICODE_STRING(), wsk.ANSI_STRING()]
    to, source = strings if name == "RtlAnsiStringToUnicodeString" else strings[::-1]
    wsk.faults_of(host).fail_allocation(name)

    assert getattr(wsk, name)(to, source, True) == 0xC0000017
    assert getattr(wsk, name)(to, source, True) == 0
