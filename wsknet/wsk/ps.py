"""System threads, where driver code may wait, and processes.

A thread belongs to the host that was current when it was created.  All driver code runs in the System process.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from itertools import count
from threading import get_ident
from typing import Any

from wsknet.host import Host, current_host
from wsknet.wsk.bug_codes import REFERENCE_BY_POINTER
from wsknet.wsk.bugcheck import IRQL_NOT_LESS_OR_EQUAL, BugCheck
from wsknet.wsk.irql import PASSIVE_LEVEL, KeGetCurrentIrql
from wsknet.wsk.ke import DispatcherObject
from wsknet.wsk.ke_mutex import require_no_mutex
from wsknet.wsk.ke_processor import require_no_region
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_OBJECT_TYPE_MISMATCH,
    STATUS_PENDING,
    STATUS_SUCCESS,
)
from wsknet.wsk.structures import EPROCESS
from wsknet.wsk.verifier import checked

__all__ = [
    "HANDLE",
    "KTHREAD",
    "SYNCHRONIZE",
    "THREAD_ALL_ACCESS",
    "IoGetCurrentProcess",
    "KeGetCurrentThread",
    "ObDereferenceObject",
    "ObDereferenceObjectWithTag",
    "ObReferenceObject",
    "ObReferenceObjectByHandle",
    "ObReferenceObjectByHandleWithTag",
    "ObReferenceObjectWithTag",
    "PsCreateSystemThread",
    "PsGetCurrentProcess",
    "PsGetCurrentProcessId",
    "PsGetCurrentThread",
    "PsGetCurrentThreadId",
    "PsGetProcessId",
    "PsGetThreadExitStatus",
    "PsGetThreadId",
    "PsTerminateSystemThread",
    "PsThreadType",
    "ZwClose",
]  # fmt: skip

SYNCHRONIZE = 0x100000
THREAD_ALL_ACCESS = 0x1FFFFF
PsThreadType = "Thread"

SYSTEM_PROCESS_ID = 4
"""Of the System process on every Windows."""

FIRST_PROCESS_ID = 1000
"""Ours: far from the numbers of threads."""


class KTHREAD(DispatcherObject):
    """Signalled once the thread has ended."""

    __slots__ = ("ExitStatus", "Name", "_id", "_references")

    def __init__(self, Name: str, number: int) -> None:
        super().__init__()
        self.Name = Name
        self.ExitStatus: int = STATUS_PENDING
        self._id = number
        self._references = 0
        """Those that driver code has taken and not given back."""


class HANDLE:
    """Names a kernel object until ZwClose."""

    __slots__ = ("_object",)

    def __init__(self, target: KTHREAD | None = None) -> None:
        self._object = target


class _System:
    """The System process of one host."""

    def __init__(self) -> None:
        self.process = EPROCESS()
        self.others: list[EPROCESS] = []
        """Those whose number has been asked for, in that order."""
        self.thread_ids = count(2 * SYSTEM_PROCESS_ID, 4)


def _system_of(host: Host) -> _System:
    system: _System | None = host.faces.get(_System)
    return host.faces.setdefault(_System, _System()) if system is None else system


class _Termination(BaseException):
    """Unwinds a system thread.  Driver code lets it pass."""

    def __init__(self, ExitStatus: int) -> None:
        self.ExitStatus = ExitStatus


_running: ContextVar[KTHREAD | None] = ContextVar("wsknet system thread", default=None)


@checked(STATUS_INVALID_PARAMETER)
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
    name = f"{host.name}: {getattr(StartRoutine, '__name__', 'StartRoutine')}"
    thread = KTHREAD(name, next(_system_of(current_host()).thread_ids))

    def run() -> None:
        with host.activate():
            _running.set(thread)
            try:
                try:
                    StartRoutine(StartContext)
                    thread.ExitStatus = STATUS_SUCCESS
                except _Termination as termination:
                    thread.ExitStatus = termination.ExitStatus
                require_no_mutex(get_ident())
                require_no_region()
            finally:
                thread.signal()

    ThreadHandle[:] = [HANDLE(thread)]
    host.driver.spawn(run, thread.Name)
    return STATUS_SUCCESS


@checked(STATUS_INVALID_PARAMETER)
def PsTerminateSystemThread(ExitStatus: int) -> NTSTATUS:
    """Ends the calling system thread and does not return; STATUS_INVALID_PARAMETER in any other thread."""
    if _running.get() is None:
        return STATUS_INVALID_PARAMETER
    if KeGetCurrentIrql() != PASSIVE_LEVEL:
        raise BugCheck(IRQL_NOT_LESS_OR_EQUAL, "D-19", "a system thread ends itself above PASSIVE_LEVEL")
    raise _Termination(ExitStatus)


def PsGetCurrentThread() -> KTHREAD | None:
    """NULL in a thread that PsCreateSystemThread did not make."""
    return _running.get()


KeGetCurrentThread = PsGetCurrentThread


def PsGetThreadId(Thread: KTHREAD) -> int:
    """A multiple of four, other for each thread of a host."""
    return Thread._id


def PsGetCurrentThreadId() -> int:
    """0 in a thread that PsCreateSystemThread did not make."""
    thread = _running.get()
    return 0 if thread is None else thread._id


def PsGetCurrentProcess() -> EPROCESS:
    """The System process of the current host, whose account is SYSTEM."""
    return _system_of(current_host()).process


IoGetCurrentProcess = PsGetCurrentProcess


def PsGetProcessId(Process: EPROCESS) -> int:
    """4 for the System process; any other stands for an account, and is numbered when it is first asked for."""
    system = _system_of(current_host())
    if Process is system.process:
        return SYSTEM_PROCESS_ID
    if not any(Process is other for other in system.others):
        system.others.append(Process)
    index = next(at for at, other in enumerate(system.others) if other is Process)
    return FIRST_PROCESS_ID + 4 * index


def PsGetCurrentProcessId() -> int:
    return SYSTEM_PROCESS_ID


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
    """`Object` receives the KTHREAD, which can be waited for, and which ObDereferenceObject gives back."""
    if Handle._object is None:
        return STATUS_INVALID_HANDLE
    if ObjectType not in (None, PsThreadType):
        return STATUS_OBJECT_TYPE_MISMATCH
    ObReferenceObject(Handle._object)
    Object[:] = [Handle._object]
    return STATUS_SUCCESS


def ObReferenceObjectByHandleWithTag(
    Handle: HANDLE,
    DesiredAccess: int,
    ObjectType: object,
    AccessMode: int,
    Tag: int,
    Object: list[Any],
    HandleInformation: object,
) -> NTSTATUS:
    return ObReferenceObjectByHandle(Handle, DesiredAccess, ObjectType, AccessMode, Object, HandleInformation)


def ObReferenceObject(Object: Any) -> None:
    """References to a KTHREAD are counted; other objects live as long as Python needs them."""
    if isinstance(Object, KTHREAD):
        Object._references += 1


@checked(None)
def ObDereferenceObject(Object: Any) -> None:
    if isinstance(Object, KTHREAD):
        if not Object._references:
            raise BugCheck(REFERENCE_BY_POINTER, "D-19", "more references to the object are given back than were taken")
        Object._references -= 1


def ObReferenceObjectWithTag(Object: Any, Tag: int) -> None:
    ObReferenceObject(Object)


@checked(None)
def ObDereferenceObjectWithTag(Object: Any, Tag: int) -> None:
    ObDereferenceObject(Object)


def ZwClose(Handle: HANDLE) -> NTSTATUS:
    if Handle._object is None:
        return STATUS_INVALID_HANDLE
    Handle._object = None
    return STATUS_SUCCESS
