"""Lists, interlocked operations, pool and lookaside lists, work items of the executive."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsknet import wsk as w
from wsknet.host import Host, Network, current_host
from wsknet.wsk import BugCheck

TAG = 0x31746573


class Record:
    """What a driver keeps in lists."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.Link = w.LIST_ENTRY(self)
        self.Queue = w.SLIST_ENTRY(self)


def new_list(*names: str) -> w.LIST_ENTRY:
    head = w.LIST_ENTRY()
    w.InitializeListHead(head)
    for name in names:
        w.InsertTailList(head, Record(name).Link)
    return head


def names(head: w.LIST_ENTRY) -> str:
    found, entry = "", head.Flink
    while entry is not None and entry is not head:
        found += w.CONTAINING_RECORD(entry, Record, "Link").name
        entry = entry.Flink
    return found


def test_entries_go_in_and_out_at_both_ends() -> None:
    head = new_list()
    assert w.IsListEmpty(head)
    w.InsertTailList(head, Record("b").Link)
    w.InsertHeadList(head, Record("a").Link)
    w.InsertTailList(head, Record("c").Link)
    assert (names(head), w.IsListEmpty(head)) == ("abc", False)

    assert w.CONTAINING_RECORD(w.RemoveHeadList(head), Record, "Link").name == "a"
    assert w.CONTAINING_RECORD(w.RemoveTailList(head), Record, "Link").name == "c"
    last = head.Flink
    assert last is not None
    assert w.RemoveEntryList(last) is True
    assert w.RemoveHeadList(head) is w.RemoveTailList(head) is head


def test_a_removed_entry_leaves_the_others_linked_and_cannot_be_removed_again() -> None:
    head = new_list("a", "c")
    middle = Record("b")
    w.InsertHeadList(head, middle.Link)
    assert w.RemoveEntryList(middle.Link) is False
    assert names(head) == "ac"
    with pytest.raises(BugCheck, match="FAST_FAIL_CORRUPT_LIST_ENTRY"):
        w.RemoveEntryList(middle.Link)
    with pytest.raises(BugCheck, match="not been initialized"):
        w.InsertTailList(w.LIST_ENTRY(), middle.Link)


def test_a_chain_is_appended_whole() -> None:
    head, other = new_list("a", "b"), new_list("c", "d")
    first = other.Flink
    assert first is not None
    w.RemoveEntryList(other)
    w.AppendTailList(head, first)
    assert names(head) == "abcd"
    w.RemoveTailList(head)
    assert names(head) == "abc"


@pytest.mark.parametrize(("type_", "field"), [(Record, "Queue"), (dict, "Link")])
def test_a_record_is_found_by_its_own_field_only(type_: type, field: str) -> None:
    with pytest.raises(BugCheck):
        w.CONTAINING_RECORD(Record("a").Link, type_, field)


def test_interlocked_list_functions_hold_the_spin_lock_and_return_null_when_empty(host: Host) -> None:
    head, lock = new_list(), w.KSPIN_LOCK()
    a, b = Record("a"), Record("b")
    assert w.ExInterlockedInsertTailList(head, a.Link, lock) is None
    assert w.ExInterlockedInsertHeadList(head, b.Link, lock) is a.Link
    assert w.ExInterlockedInsertTailList(head, Record("c").Link, lock) is a.Link
    assert w.ExInterlockedRemoveHeadList(head, lock) is b.Link
    w.RemoveHeadList(head)
    w.RemoveHeadList(head)
    assert w.ExInterlockedRemoveHeadList(head, lock) is None
    assert w.KeGetCurrentIrql() == w.PASSIVE_LEVEL

    level = w.KeAcquireSpinLockRaiseToDpc(lock)
    with pytest.raises(BugCheck, match="SPIN_LOCK_ALREADY_OWNED"):
        w.ExInterlockedRemoveHeadList(head, lock)
    w.KeReleaseSpinLock(lock, level)


def test_singly_linked_lists_are_stacks() -> None:
    head, stack, lock = w.SLIST_HEADER(), w.SINGLE_LIST_ENTRY(), w.KSPIN_LOCK()
    w.InitializeSListHead(head)
    a, b, c = (Record(name).Queue for name in "abc")
    assert w.InterlockedPushEntrySList(head, a) is None
    assert w.InterlockedPushEntrySList(head, b) is a
    assert w.ExInterlockedPushEntrySList(head, c, lock) is b
    assert (w.QueryDepthSList(head), w.FirstEntrySList(head)) == (3, c)
    assert w.InterlockedPopEntrySList(head) is c
    first = w.InterlockedFlushSList(head)
    assert first is b
    assert w.CONTAINING_RECORD(first.Next, Record, "Queue").name == "a"
    assert w.ExInterlockedPopEntrySList(head, lock) is None
    assert w.ExQueryDepthSList(head) == 0

    w.PushEntryList(stack, a)
    assert w.ExInterlockedPushEntryList(stack, b, lock) is a
    assert [w.PopEntryList(stack), w.ExInterlockedPopEntryList(stack, lock), w.PopEntryList(stack)] == [b, a, None]


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1))
def test_interlocked_numbers_wrap_as_longs(before: int, value: int) -> None:
    def wrapped(number: int) -> int:
        return (number + 2**31) % 2**32 - 2**31

    target = [before]
    assert w.InterlockedAdd(target, value) == target[0] == wrapped(before + value)
    assert w.InterlockedExchangeAdd(target, -value) == wrapped(before + value)
    assert target == [before]
    assert w.InterlockedIncrement(target) == wrapped(before + 1)
    assert w.InterlockedDecrement(target) == before
    assert w.InterlockedExchange(target, value) == before
    assert w.InterlockedAnd(target, before) == value
    assert w.InterlockedOr(target, before) == value & before
    assert w.InterlockedXor(target, before) == before
    assert target == [0]


def test_interlocked_sizes_and_comparisons() -> None:
    small, wide, flags = [0x7FFF], [2**63 - 1], [0]
    assert w.InterlockedIncrement16(small) == -0x8000
    assert w.InterlockedIncrement64(wide) == -(2**63)
    assert w.InterlockedCompareExchange(flags, 5, 1) == 0
    assert w.InterlockedCompareExchange(flags, 5, 0) == 0
    assert flags == [5]
    assert w.InterlockedBitTestAndSet(flags, 31) is False
    assert w.InterlockedBitTestAndReset(flags, 0) is True
    assert flags == [4 - 2**31]
    one, other = object(), object()
    pointer: list[Any] = [one]
    assert w.InterlockedCompareExchangePointer(pointer, other, None) is one
    assert w.InterlockedCompareExchangePointer(pointer, other, one) is one
    assert w.InterlockedExchangePointer(pointer, None) is other


@pytest.mark.parametrize(
    ("name", "allocate"),
    [
        ("ExAllocatePool", lambda: w.ExAllocatePool(w.NonPagedPoolNx, 16)),
        ("ExAllocatePool2", lambda: w.ExAllocatePool2(w.POOL_FLAG_NON_PAGED, 16, TAG)),
        ("ExAllocatePool3", lambda: w.ExAllocatePool3(w.POOL_FLAG_NON_PAGED, 16, TAG, None, 0)),
        ("ExAllocatePoolZero", lambda: w.ExAllocatePoolZero(w.NonPagedPool, 16, TAG)),
        ("ExAllocatePoolWithTag", lambda: w.ExAllocatePoolWithTag(w.NonPagedPool, 16, TAG)),
        ("ExAllocatePoolUninitialized", lambda: w.ExAllocatePoolUninitialized(w.NonPagedPool, 16, TAG)),
    ],
)
def test_every_pool_function_asks_and_enters_the_ledger(host: Host, name: str, allocate: Any) -> None:
    ledger = w.kernel_of(host).pool
    memory = allocate()
    assert [block.memory for block in ledger.values()] == [memory]
    assert len(memory) == 16
    w.ExFreePool2(memory, 0, None, 0)
    assert not ledger
    w.kernel_of(host).allocation_fails = lambda function: function == name
    assert allocate() is None
    assert not ledger


def test_pool_may_raise_and_paged_pool_wants_a_low_level(host: Host) -> None:
    w.kernel_of(host).allocation_fails = lambda function: True
    with pytest.raises(w.EXCEPTION, match="STATUS_INSUFFICIENT_RESOURCES"):
        w.ExAllocatePool2(w.POOL_FLAG_NON_PAGED | w.POOL_FLAG_RAISE_ON_FAILURE, 1, TAG)
    w.kernel_of(host).allocation_fails = None
    level: list[int] = []
    w.KeRaiseIrql(w.DISPATCH_LEVEL, level)
    with pytest.raises(BugCheck, match="paged pool at DISPATCH_LEVEL"):
        w.ExAllocatePool2(w.POOL_FLAG_PAGED, 1, TAG)
    with pytest.raises(BugCheck, match="paged pool at DISPATCH_LEVEL"):
        w.ExAllocatePoolZero(w.PagedPool, 1, TAG)
    assert w.ExAllocatePoolZero(w.NonPagedPool, 1, TAG) is not None
    w.KeLowerIrql(level[0])


LOOKASIDES: list[tuple[Any, str, str, Any]] = [
    (
        w.NPAGED_LOOKASIDE_LIST,
        "NPagedLookasideList",
        "ExInitializeNPagedLookasideList",
        lambda own: (own and own[0], own and own[1], 0, 64, TAG, 0),
    ),
    (
        w.PAGED_LOOKASIDE_LIST,
        "PagedLookasideList",
        "ExInitializePagedLookasideList",
        lambda own: (own and own[0], own and own[1], 0, 64, TAG, 0),
    ),
    (
        w.LOOKASIDE_LIST_EX,
        "LookasideListEx",
        "ExInitializeLookasideListEx",
        lambda own: (own and own[0], own and own[1], w.NonPagedPoolNx, 0, 64, TAG, 0),
    ),
]


@pytest.mark.parametrize(("kind", "name", "initialize", "arguments"), LOOKASIDES)
def test_lookaside_lists_keep_entries_until_they_are_deleted(
    host: Host, kind: Any, name: str, initialize: str, arguments: Any
) -> None:
    lookaside, ledger = kind(), w.kernel_of(host).pool
    take, give = getattr(w, f"ExAllocateFrom{name}"), getattr(w, f"ExFreeTo{name}")
    with pytest.raises(BugCheck, match="not initialized"):
        take(lookaside)
    getattr(w, initialize)(lookaside, *arguments(None))
    entries = [take(lookaside) for _ in range(6)]
    assert {len(entry) for entry in entries} == {64}
    assert [block.Tag for block in ledger.values()] == [TAG] * 6
    entries[0][:4] = b"used"
    for entry in entries[1:]:
        give(lookaside, entry)
    give(lookaside, entries[0])
    assert 0 < len(ledger) < 6
    with pytest.raises(BugCheck, match="freed twice"):
        give(lookaside, entries[0])

    w.kernel_of(host).allocation_fails = lambda function: function == f"ExAllocateFrom{name}"
    assert take(lookaside) is None
    w.kernel_of(host).allocation_fails = None
    give(lookaside, take(lookaside))
    getattr(w, f"ExDelete{name}")(lookaside)
    assert not ledger
    with pytest.raises(BugCheck, match="deleted"):
        take(lookaside)


@pytest.mark.parametrize(("kind", "name", "initialize", "arguments"), LOOKASIDES)
def test_a_lookaside_list_with_routines_of_its_own(
    host: Host, kind: Any, name: str, initialize: str, arguments: Any
) -> None:
    calls: list[Any] = []

    def own_allocate(PoolType: int, NumberOfBytes: int, Tag: int, *Lookaside: Any) -> bytearray:
        calls.append((NumberOfBytes, Tag, list(Lookaside)))
        return bytearray(NumberOfBytes)

    def own_free(Buffer: bytearray, *Lookaside: Any) -> None:
        calls.append((len(Buffer), list(Lookaside)))

    lookaside = kind()
    getattr(w, initialize)(lookaside, *arguments((own_allocate, own_free)))
    entry = getattr(w, f"ExAllocateFrom{name}")(lookaside)
    getattr(w, f"ExFreeTo{name}")(lookaside, entry)
    getattr(w, f"ExDelete{name}")(lookaside)

    extra = [lookaside] if name == "LookasideListEx" else []
    assert calls == [(64, TAG, extra), (64, extra)]
    assert not w.kernel_of(host).pool


def test_a_flush_frees_what_is_kept(host: Host) -> None:
    lookaside = w.LOOKASIDE_LIST_EX()
    w.ExInitializeLookasideListEx(lookaside, None, None, w.NonPagedPoolNx, 0, 8, TAG, 0)
    w.ExFreeToLookasideListEx(lookaside, w.ExAllocateFromLookasideListEx(lookaside))
    assert len(w.kernel_of(host).pool) == 1
    w.ExFlushLookasideListEx(lookaside)
    assert not w.kernel_of(host).pool
    w.ExDeleteLookasideListEx(lookaside)


def test_a_work_item_of_the_drivers_own_memory_gets_itself(network: Network, host: Host) -> None:
    item = w.IO_WORKITEM()
    assert w.IoSizeofWorkItem() == w.sizeof(item)
    seen: list[Any] = []

    def routine(IoObject: Any, Context: Any, IoWorkItem: w.IO_WORKITEM) -> None:
        seen.append((IoObject, Context, IoWorkItem, current_host()))
        w.IoUninitializeWorkItem(IoWorkItem)

    with pytest.raises(BugCheck, match="not initialized"):
        w.IoQueueWorkItemEx(item, routine, w.DelayedWorkQueue, None)
    w.IoInitializeWorkItem("device", item)
    w.IoQueueWorkItemEx(item, routine, w.DelayedWorkQueue, "context")
    network.run_for(1)

    assert seen == [("device", "context", item, host)]
    with pytest.raises(BugCheck, match="twice"):
        w.IoUninitializeWorkItem(item)


def test_a_work_queue_item_may_queue_itself_again(network: Network, host: Host) -> None:
    item, seen = w.WORK_QUEUE_ITEM(), list[Any]()

    def routine(Parameter: str) -> None:
        w.KeDelayExecutionThread(w.KernelMode, False, -10)
        seen.append((Parameter, current_host()))
        if len(seen) < 2:
            w.ExQueueWorkItem(item, w.DelayedWorkQueue)

    with pytest.raises(BugCheck, match="not initialized"):
        w.ExQueueWorkItem(item, w.CriticalWorkQueue)
    w.ExInitializeWorkItem(item, routine, "parameter")
    w.ExQueueWorkItem(item, w.CriticalWorkQueue)
    with pytest.raises(BugCheck, match="queued already"):
        w.ExQueueWorkItem(item, w.CriticalWorkQueue)
    network.run_for(1)

    assert seen == [("parameter", host)] * 2
