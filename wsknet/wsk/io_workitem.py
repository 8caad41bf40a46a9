"""Work items: routines that a system thread calls at PASSIVE_LEVEL, where they may wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet.host import current_host
from wsknet.wsk.bugcheck import WORKER_INVALID, BugCheck, place_of_caller
from wsknet.wsk.kernel import current_kernel, kernel_of
from wsknet.wsk.verifier import checked

if TYPE_CHECKING:
    from wsknet.host import Host

__all__ = [
    "IO_WORKITEM",
    "PIO_WORKITEM_ROUTINE",
    "PIO_WORKITEM_ROUTINE_EX",
    "PWORKER_THREAD_ROUTINE",
    "WORK_QUEUE_ITEM",
    "CriticalWorkQueue",
    "DelayedWorkQueue",
    "ExInitializeWorkItem",
    "ExQueueWorkItem",
    "HyperCriticalWorkQueue",
    "IoAllocateWorkItem",
    "IoFreeWorkItem",
    "IoInitializeWorkItem",
    "IoQueueWorkItem",
    "IoQueueWorkItemEx",
    "IoSizeofWorkItem",
    "IoUninitializeWorkItem",
]  # fmt: skip

CriticalWorkQueue = 0
DelayedWorkQueue = 1
HyperCriticalWorkQueue = 2

PIO_WORKITEM_ROUTINE = Callable[[Any, Any], object]
PIO_WORKITEM_ROUTINE_EX = Callable[[Any, Any, "IO_WORKITEM"], object]
PWORKER_THREAD_ROUTINE = Callable[[Any], object]


class IO_WORKITEM:
    """``IO_WORKITEM()`` stands for IoSizeofWorkItem() bytes of memory, for IoInitializeWorkItem."""

    __slots__ = ("DeviceObject", "_host", "_is_queued")
    SIZE = 88  # x64; from memory, the documentation leaves it open

    def __init__(self) -> None:
        self.DeviceObject: Any = None
        self._host: Host | None = None
        self._is_queued = False


def IoAllocateWorkItem(DeviceObject: Any) -> IO_WORKITEM | None:
    """NULL when the current host is out of memory (`Kernel.allocation_fails`)."""
    if current_kernel().refuses("IoAllocateWorkItem"):
        return None
    IoWorkItem = IO_WORKITEM()
    IoInitializeWorkItem(DeviceObject, IoWorkItem)
    verifier = current_kernel().verifier
    if verifier is not None:
        verifier.work_items[IoWorkItem] = place_of_caller()
    return IoWorkItem


def IoInitializeWorkItem(IoObject: Any, IoWorkItem: IO_WORKITEM) -> None:
    IoWorkItem.DeviceObject = IoObject
    IoWorkItem._host = current_host()
    IoWorkItem._is_queued = False


def IoSizeofWorkItem() -> int:
    return IO_WORKITEM.SIZE


@checked(None)
def IoQueueWorkItem(IoWorkItem: IO_WORKITEM, WorkerRoutine: PIO_WORKITEM_ROUTINE, QueueType: int, Context: Any) -> None:
    """Call `WorkerRoutine(DeviceObject, Context)`.

    The item may be queued again or freed once the routine has begun.
    """
    _queue(IoWorkItem, lambda: WorkerRoutine(IoWorkItem.DeviceObject, Context), WorkerRoutine)


@checked(None)
def IoQueueWorkItemEx(
    IoWorkItem: IO_WORKITEM, WorkerRoutine: PIO_WORKITEM_ROUTINE_EX, QueueType: int, Context: Any
) -> None:
    """Call `WorkerRoutine(DeviceObject, Context, IoWorkItem)`, which may free the item."""
    _queue(IoWorkItem, lambda: WorkerRoutine(IoWorkItem.DeviceObject, Context, IoWorkItem), WorkerRoutine)


def _queue(IoWorkItem: IO_WORKITEM, call: Callable[[], object], routine: Callable[..., object]) -> None:
    host = IoWorkItem._host
    if IoWorkItem._is_queued or host is None:
        raise BugCheck(WORKER_INVALID, "D-19", "the work item is queued already, or freed, or not initialized")
    IoWorkItem._is_queued = True

    def run() -> None:
        IoWorkItem._is_queued = False
        with host.activate():
            call()

    host.driver.spawn(run, f"{host.name}: work item {getattr(routine, '__name__', '')}")


@checked(None)
def IoFreeWorkItem(IoWorkItem: IO_WORKITEM) -> None:
    if IoWorkItem._is_queued or IoWorkItem._host is None:
        raise BugCheck(WORKER_INVALID, "D-19", "a work item is freed while it is queued, or twice")
    verifier = kernel_of(IoWorkItem._host).verifier
    if verifier is not None:
        verifier.work_items.pop(IoWorkItem, None)
    IoWorkItem._host = None


IoUninitializeWorkItem = IoFreeWorkItem


class WORK_QUEUE_ITEM:
    """For ExQueueWorkItem, which needs no device object."""

    __slots__ = ("Parameter", "WorkerRoutine", "_is_queued")
    SIZE = 32

    def __init__(self) -> None:
        self.WorkerRoutine: PWORKER_THREAD_ROUTINE | None = None
        self.Parameter: Any = None
        self._is_queued = False


def ExInitializeWorkItem(Item: WORK_QUEUE_ITEM, Routine: PWORKER_THREAD_ROUTINE, Context: Any) -> None:
    Item.WorkerRoutine = Routine
    Item.Parameter = Context


@checked(None)
def ExQueueWorkItem(WorkItem: WORK_QUEUE_ITEM, QueueType: int) -> None:
    """Call `WorkerRoutine(Parameter)`.  The item may be queued again or forgotten once the routine has begun."""
    host = current_host()
    routine, parameter = WorkItem.WorkerRoutine, WorkItem.Parameter
    if WorkItem._is_queued or routine is None:
        raise BugCheck(WORKER_INVALID, "D-19", "the work item is queued already, or not initialized")
    WorkItem._is_queued = True

    def run() -> None:
        WorkItem._is_queued = False
        with host.activate():
            routine(parameter)

    host.driver.spawn(run, f"{host.name}: work item {getattr(routine, '__name__', '')}")
