"""Two ways to pass an IRP that a WSK driver always ends up writing: with a routine to follow, and waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsknet.wsk import (
    IRP,
    KEVENT,
    NTSTATUS,
    STATUS_INSUFFICIENT_RESOURCES,
    STATUS_MORE_PROCESSING_REQUIRED,
    Executive,
    IoAllocateIrp,
    IoFreeIrp,
    IoSetCompletionRoutine,
    KeInitializeEvent,
    KernelMode,
    KeSetEvent,
    KeWaitForSingleObject,
    SynchronizationEvent,
)

Done = Callable[[NTSTATUS, Any], None]


def submit(function: Callable[..., NTSTATUS], *arguments: Any, done: Done | None = None) -> None:
    """Call a WSK function with an IRP of its own; `done(Status, Information)` runs in the completion routine."""
    Irp = IoAllocateIrp(1, False)
    if Irp is None:
        if done is not None:
            done(STATUS_INSUFFICIENT_RESOURCES, 0)
        return
    IoSetCompletionRoutine(Irp, _free_and_tell, done, True, True, True)
    function(*arguments, Irp)


def _free_and_tell(DeviceObject: object, Irp: IRP, Context: Done | None) -> NTSTATUS:
    Status, Information = Irp.IoStatus.Status, Irp.IoStatus.Information
    IoFreeIrp(Irp)
    if Context is not None:
        Context(Status, Information)
    return STATUS_MORE_PROCESSING_REQUIRED


def call(function: Callable[..., NTSTATUS], *arguments: Any) -> tuple[NTSTATUS, Any]:
    """Call a WSK function and wait until its IRP has completed: (Status, Information).  PASSIVE_LEVEL only."""
    Event = KEVENT()
    KeInitializeEvent(Event, SynchronizationEvent, False)
    outcome: list[tuple[NTSTATUS, Any]] = []

    def done(Status: NTSTATUS, Information: Any) -> None:
        outcome.append((Status, Information))
        KeSetEvent(Event, 0, False)

    submit(function, *arguments, done=done)
    KeWaitForSingleObject(Event, Executive, KernelMode, False, None)
    return outcome[0]
