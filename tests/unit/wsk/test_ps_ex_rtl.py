"""System threads, pool, work items, strings and debug output."""

from __future__ import annotations

from typing import Any

import pytest

from wsknet.host import Host, Network, current_host
from wsknet.wsk import (
    KTHREAD,
    PASSIVE_LEVEL,
    POOL_FLAG_NON_PAGED,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_SUCCESS,
    STATUS_UNSUCCESSFUL,
    THREAD_ALL_ACCESS,
    UNICODE_STRING,
    BugCheck,
    DbgPrint,
    DelayedWorkQueue,
    ExAllocatePool2,
    ExAllocatePoolWithTag,
    Executive,
    ExFreePool,
    ExFreePoolWithTag,
    IoAllocateWorkItem,
    IoFreeWorkItem,
    IoQueueWorkItem,
    KeDelayExecutionThread,
    KeGetCurrentIrql,
    KernelMode,
    KeWaitForSingleObject,
    NonPagedPoolNx,
    ObDereferenceObject,
    ObReferenceObjectByHandle,
    PsCreateSystemThread,
    PsGetCurrentThread,
    PsGetThreadExitStatus,
    PsTerminateSystemThread,
    PsThreadType,
    RtlInitUnicodeString,
    ZwClose,
    kernel_of,
)

TAG = 0x31746573


def start(routine: Any, context: Any = None) -> KTHREAD:
    """A system thread, as a driver starts one it is going to wait for."""
    handle: list[Any] = []
    assert PsCreateSystemThread(handle, THREAD_ALL_ACCESS, None, None, None, routine, context) == STATUS_SUCCESS
    found: list[Any] = []
    ObReferenceObjectByHandle(handle[0], THREAD_ALL_ACCESS, PsThreadType, KernelMode, found, None)
    assert ZwClose(handle[0]) == STATUS_SUCCESS
    assert ZwClose(handle[0]) == STATUS_INVALID_HANDLE
    assert ObReferenceObjectByHandle(handle[0], 0, None, 0, [], None) == STATUS_INVALID_HANDLE
    thread: KTHREAD = found[0]
    return thread


def join(thread: KTHREAD) -> None:
    assert KeWaitForSingleObject(thread, Executive, KernelMode, False, None) == STATUS_SUCCESS
    ObDereferenceObject(thread)


def test_a_thread_has_its_host_and_can_be_waited_for(host: Host) -> None:
    seen: list[Any] = []

    def routine(StartContext: str) -> None:
        seen.append((StartContext, current_host(), KeGetCurrentIrql(), PsGetCurrentThread()))
        KeDelayExecutionThread(KernelMode, False, -10)

    thread = start(routine, "context")
    assert PsGetThreadExitStatus(thread) == STATUS_PENDING
    join(thread)

    assert seen == [("context", host, PASSIVE_LEVEL, thread)]
    assert PsGetThreadExitStatus(thread) == STATUS_SUCCESS


def test_a_thread_ends_itself_from_anywhere(host: Host) -> None:
    def routine(StartContext: object) -> None:
        PsTerminateSystemThread(STATUS_UNSUCCESSFUL)
        raise AssertionError("it does not return")

    thread = start(routine)
    join(thread)

    assert thread.ExitStatus == STATUS_UNSUCCESSFUL
    assert PsTerminateSystemThread(STATUS_SUCCESS) == STATUS_INVALID_PARAMETER
    assert PsGetCurrentThread() is None


def test_pool_is_written_in_a_ledger(host: Host) -> None:
    first = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, TAG)
    second = ExAllocatePoolWithTag(NonPagedPoolNx, 32, TAG + 1)
    assert first is not None
    assert second is not None
    assert bytes(first) == bytes(16)

    ledger = kernel_of(host).pool
    assert [(len(block.memory), block.Tag) for block in ledger.values()] == [(16, TAG), (32, TAG + 1)]
    ExFreePoolWithTag(first, TAG)
    ExFreePool(second)
    assert not ledger


def test_pool_is_freed_once_and_with_its_tag(host: Host) -> None:
    memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, TAG)
    assert memory is not None

    with pytest.raises(BugCheck, match="BAD_POOL_CALLER"):
        ExFreePoolWithTag(memory, TAG + 1)
    ExFreePoolWithTag(memory, TAG)
    with pytest.raises(BugCheck, match="BAD_POOL_CALLER"):
        ExFreePoolWithTag(memory, TAG)
    with pytest.raises(BugCheck, match="needs a tag"):
        ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, 0)


def test_pool_of_one_host_is_not_that_of_another(network: Network, host: Host) -> None:
    memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, TAG)
    assert memory is not None

    with network.host("other").activate(), pytest.raises(BugCheck):
        ExFreePool(memory)


def test_allocations_can_be_made_to_fail_one_by_one(host: Host) -> None:
    attempts: list[str] = []

    def second_fails(function: str) -> bool:
        attempts.append(function)
        return len(attempts) == 2

    kernel_of(host).allocation_fails = second_fails

    assert ExAllocatePool2(POOL_FLAG_NON_PAGED, 1, TAG) is not None
    assert IoAllocateWorkItem(None) is None
    assert ExAllocatePoolWithTag(NonPagedPoolNx, 1, TAG) is not None
    assert attempts == ["ExAllocatePool2", "IoAllocateWorkItem", "ExAllocatePoolWithTag"]


def test_a_work_item_runs_in_a_thread_that_may_wait(network: Network, host: Host) -> None:
    item = IoAllocateWorkItem("device")
    assert item is not None
    seen: list[Any] = []

    def routine(DeviceObject: object, Context: object) -> None:
        KeDelayExecutionThread(KernelMode, False, -10)
        seen.append((DeviceObject, Context, current_host()))
        IoFreeWorkItem(item)

    IoQueueWorkItem(item, routine, DelayedWorkQueue, "context")
    with pytest.raises(BugCheck, match="queued already"):
        IoQueueWorkItem(item, routine, DelayedWorkQueue, "context")
    with pytest.raises(BugCheck, match="while it is queued"):
        IoFreeWorkItem(item)
    network.run_for(1)

    assert seen == [("device", "context", host)]


def test_unicode_strings_count_bytes() -> None:
    text = UNICODE_STRING()
    assert (text.Length, text.MaximumLength, text.Buffer, str(text)) == (0, 0, None, "")
    RtlInitUnicodeString(text, "wsk")

    assert (text.Length, text.MaximumLength, str(text)) == (6, 8, "wsk")


def test_debug_output_goes_where_the_host_sends_it(host: Host) -> None:
    lines: list[str] = []
    assert DbgPrint("nobody listens %d", 1) == STATUS_SUCCESS
    kernel_of(host).debug_print = lines.append
    DbgPrint("%s: %lu of %I64u, 0x%08lX %wZ 100%%\n", "net", 3, 4, 255, UNICODE_STRING("name"))

    assert lines == ["net: 3 of 4, 0x000000FF name 100%\n"]
