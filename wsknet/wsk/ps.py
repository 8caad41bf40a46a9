"""System threads: where driver code may wait.  A thread belongs to the host that was current when it was created."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from wsknet.host import current_host
from wsknet.wsk.ke import DispatcherObject
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_SUCCESS,
)

__all__ = [
    "HANDLE",
    "KTHREAD",
    "THREAD_ALL_ACCESS",
    "ObDereferenceObject",
    "ObReferenceObjectByHandle",
    "PsCreateSystemThread",
    "PsGetCurrentThread",
    "PsGetThreadExitStatus",
    "PsTerminateSystemThread",
    "PsThreadType",
    "ZwClose",
]  # fmt: skip

THREAD_ALL_ACCESS = 0x1FFFFF
PsThreadType = "Thread"


class KTHREAD(DispatcherObject):
    """Signalled once the thread has ended."""

    __slots__ = ("ExitStatus", "Name")

    def __init__(self, Name: str) -> None:
        super().__init__()
        self.Name = Name
        self.ExitStatus: int = STATUS_PENDING


class HANDLE:
    """Names a kernel object until ZwClose."""

    __slots__ = ("_object",)

    def __init__(self, target: KTHREAD | None = None) -> None:
        self._object = target


class _Termination(BaseException):
    """Unwinds a system thread.  Driver code lets it pass."""

    def __init__(self, ExitStatus: int) -> None:
        self.ExitStatus = ExitStatus


_running: ContextVar[KTHREAD | None] = ContextVar("wsknet system thread", default=None)


def PsCreateSystemThread(
    ThreadHandle: list[Any],
    DesiredAccess: int,
    ObjectAttributes: object,
    ProcessHandle: object,
    ClientId: object,
    StartRoutine: Callable[[Any], object],
    StartContext: Any,
) -> NTSTATUS:
    """Start `StartRoutine(StartContext)`.  `ThreadHandle` receives a HANDLE; a wait needs the object behind it."""
    host = current_host()
    thread = KTHREAD(f"{host.name}: {getattr(StartRoutine, '__name__', 'StartRoutine')}")

    def run() -> None:
        with host.activate():
            _running.set(thread)
            try:
                StartRoutine(StartContext)
                thread.ExitStatus = STATUS_SUCCESS
            except _Termination as termination:
                thread.ExitStatus = termination.ExitStatus
            finally:
                thread.signal()

    ThreadHandle[:] = [HANDLE(thread)]
    host.driver.spawn(run, thread.Name)
    return STATUS_SUCCESS


def PsTerminateSystemThread(ExitStatus: int) -> NTSTATUS:
    """Ends the calling system thread and does not return; STATUS_INVALID_PARAMETER in any other thread."""
    if _running.get() is None:
        return STATUS_INVALID_PARAMETER
    raise _Termination(ExitStatus)


def PsGetCurrentThread() -> KTHREAD | None:
    """NULL in a thread that PsCreateSystemThread did not make."""
    return _running.get()


def PsGetThreadExitStatus(Thread: KTHREAD) -> int:
    """STATUS_PENDING while it runs."""
    return Thread.ExitStatus


def ObReferenceObjectByHandle(
    Handle: HANDLE,
    DesiredAccess: int,
    ObjectType: object,
    AccessMode: int,
    Object: list[Any],
    HandleInformation: object,
) -> NTSTATUS:
    """`Object` receives the KTHREAD, which can be waited for."""
    if Handle._object is None:
        return STATUS_INVALID_HANDLE
    Object[:] = [Handle._object]
    return STATUS_SUCCESS


def ObDereferenceObject(Object: KTHREAD) -> None:
    """Objects go when the last reference does; this is the place where driver code says so."""


def ZwClose(Handle: HANDLE) -> NTSTATUS:
    if Handle._object is None:
        return STATUS_INVALID_HANDLE
    Handle._object = None
    return STATUS_SUCCESS
