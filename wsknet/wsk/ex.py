"""Executive support: pool memory with its ledger, and work items."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet.wsk.bugcheck import BAD_POOL_CALLER, WORKER_INVALID, BugCheck
from wsknet.wsk.kernel import Allocation, current_kernel

if TYPE_CHECKING:
    from wsknet.host import Host

__all__ = [
    "IO_WORKITEM",
    "PIO_WORKITEM_ROUTINE",
    "POOL_FLAG_NON_PAGED",
    "POOL_FLAG_PAGED",
    "POOL_FLAG_RAISE_ON_FAILURE",
    "POOL_FLAG_UNINITIALIZED",
    "CriticalWorkQueue",
    "DelayedWorkQueue",
    "ExAllocatePool2",
    "ExAllocatePoolWithTag",
    "ExFreePool",
    "ExFreePoolWithTag",
    "IoAllocateWorkItem",
    "IoFreeWorkItem",
    "IoQueueWorkItem",
    "NonPagedPool",
    "NonPagedPoolNx",
    "PagedPool",
]  # fmt: skip

POOL_FLAG_UNINITIALIZED = 0x02
POOL_FLAG_RAISE_ON_FAILURE = 0x20
POOL_FLAG_NON_PAGED = 0x40
POOL_FLAG_PAGED = 0x100

NonPagedPool = 0
PagedPool = 1
NonPagedPoolNx = 512

CriticalWorkQueue = 0
DelayedWorkQueue = 1

PIO_WORKITEM_ROUTINE = Callable[[Any, Any], object]


def ExAllocatePool2(Flags: int, NumberOfBytes: int, Tag: int) -> bytearray | None:
    """Zeroed memory, or NULL when the current host is out of it (`Kernel.allocation_fails`)."""
    return _allocate("ExAllocatePool2", NumberOfBytes, Tag)


def ExAllocatePoolWithTag(PoolType: int, NumberOfBytes: int, Tag: int) -> bytearray | None:
    return _allocate("ExAllocatePoolWithTag", NumberOfBytes, Tag)


def _allocate(function: str, NumberOfBytes: int, Tag: int) -> bytearray | None:
    if Tag == 0:
        raise BugCheck(BAD_POOL_CALLER, "3.2", f"{function} needs a tag")
    kernel = current_kernel()
    if kernel.refuses(function):
        return None
    memory = bytearray(NumberOfBytes)
    kernel.pool[id(memory)] = Allocation(memory, Tag)
    return memory


def ExFreePoolWithTag(P: bytearray, Tag: int) -> None:
    """`Tag` must be that of the allocation; 0 fits any."""
    ledger = current_kernel().pool
    allocation = ledger.get(id(P))
    if allocation is None:
        raise BugCheck(BAD_POOL_CALLER, "3.2", "this memory is not allocated from the pool of the current host")
    if Tag not in (0, allocation.Tag):
        raise BugCheck(BAD_POOL_CALLER, "3.2", f"allocated with tag 0x{allocation.Tag:X}, freed with 0x{Tag:X}")
    del ledger[id(P)]


def ExFreePool(P: bytearray) -> None:
    ExFreePoolWithTag(P, 0)


class IO_WORKITEM:
    __slots__ = ("DeviceObject", "_host", "_is_freed", "_is_queued")

    def __init__(self, DeviceObject: Any, host: Host) -> None:
        self.DeviceObject = DeviceObject
        self._host = host
        self._is_queued = False
        self._is_freed = False


def IoAllocateWorkItem(DeviceObject: Any) -> IO_WORKITEM | None:
    """NULL when the current host is out of memory (`Kernel.allocation_fails`)."""
    kernel = current_kernel()
    return None if kernel.refuses("IoAllocateWorkItem") else IO_WORKITEM(DeviceObject, kernel.host)


def IoQueueWorkItem(IoWorkItem: IO_WORKITEM, WorkerRoutine: PIO_WORKITEM_ROUTINE, QueueType: int, Context: Any) -> None:
    """Run `WorkerRoutine(DeviceObject, Context)` in a system thread at PASSIVE_LEVEL, where it may wait.

    The item may be queued again or freed once the routine has begun.
    """
    if IoWorkItem._is_queued or IoWorkItem._is_freed:
        raise BugCheck(WORKER_INVALID, "3.2", "the work item is queued already, or freed")
    IoWorkItem._is_queued = True
    host = IoWorkItem._host

    def run() -> None:
        IoWorkItem._is_queued = False
        with host.activate():
            WorkerRoutine(IoWorkItem.DeviceObject, Context)

    host.driver.spawn(run, f"{host.name}: work item {getattr(WorkerRoutine, '__name__', '')}")


def IoFreeWorkItem(IoWorkItem: IO_WORKITEM) -> None:
    if IoWorkItem._is_queued or IoWorkItem._is_freed:
        raise BugCheck(WORKER_INVALID, "3.2", "a work item is freed while it is queued, or twice")
    IoWorkItem._is_freed = True
