"""Passing an IRP without waiting for it: what a driver that is run by its completion routines does all the time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsknet.wsk import (
    IRP,
    NTSTATUS,
    STATUS_INSUFFICIENT_RESOURCES,
    STATUS_MORE_PROCESSING_REQUIRED,
    IoAllocateIrp,
    IoFreeIrp,
    IoSetCompletionRoutine,
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
