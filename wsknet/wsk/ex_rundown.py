"""Run-down protection: many users of an object, and an owner who waits for the last of them before deleting it."""

from __future__ import annotations

from wsknet.wsk.bug_codes import REFERENCE_BY_POINTER
from wsknet.wsk.bugcheck import BugCheck
from wsknet.wsk.ke import DispatcherObject, dispatcher_lock, wait_until
from wsknet.wsk.verifier import checked

__all__ = [
    "EX_RUNDOWN_ACTIVE",
    "EX_RUNDOWN_REF",
    "ExAcquireRundownProtection",
    "ExAcquireRundownProtectionEx",
    "ExInitializeRundownProtection",
    "ExReInitializeRundownProtection",
    "ExReleaseRundownProtection",
    "ExReleaseRundownProtectionEx",
    "ExRundownCompleted",
    "ExWaitForRundownProtectionRelease",
]  # fmt: skip

EX_RUNDOWN_ACTIVE = 1
EX_RUNDOWN_COUNT_INC = 2


class EX_RUNDOWN_REF(DispatcherObject):
    """`Count` is twice the number of users, plus EX_RUNDOWN_ACTIVE once nobody is let in any more."""

    __slots__ = ("Count",)
    SIZE = 8

    def __init__(self) -> None:
        super().__init__()
        self.Count = 0


def ExInitializeRundownProtection(RunRef: EX_RUNDOWN_REF) -> None:
    RunRef.Count = 0


@checked(None)
def ExReInitializeRundownProtection(RunRef: EX_RUNDOWN_REF) -> None:
    """For an object that has been run down and is used again."""
    if RunRef.Count != EX_RUNDOWN_ACTIVE:
        raise BugCheck(REFERENCE_BY_POINTER, "D-19", "run-down protection is initialized again while it is in use")
    RunRef.Count = 0


def ExAcquireRundownProtection(RunRef: EX_RUNDOWN_REF) -> bool:
    """FALSE once the owner has begun to wait."""
    return ExAcquireRundownProtectionEx(RunRef, 1)


def ExAcquireRundownProtectionEx(RunRef: EX_RUNDOWN_REF, Count: int) -> bool:
    with dispatcher_lock:
        if RunRef.Count & EX_RUNDOWN_ACTIVE:
            return False
        RunRef.Count += Count * EX_RUNDOWN_COUNT_INC
    return True


@checked(None)
def ExReleaseRundownProtection(RunRef: EX_RUNDOWN_REF) -> None:
    ExReleaseRundownProtectionEx(RunRef, 1)


@checked(None)
def ExReleaseRundownProtectionEx(RunRef: EX_RUNDOWN_REF, Count: int) -> None:
    with dispatcher_lock:
        if RunRef.Count < Count * EX_RUNDOWN_COUNT_INC:
            raise BugCheck(REFERENCE_BY_POINTER, "D-19", "run-down protection is released more often than acquired")
        RunRef.Count -= Count * EX_RUNDOWN_COUNT_INC
    RunRef.wake_waiters()


@checked(None)
def ExWaitForRundownProtectionRelease(RunRef: EX_RUNDOWN_REF) -> None:
    """Lets nobody in from now on and waits until everybody is out."""
    with dispatcher_lock:
        RunRef.Count |= EX_RUNDOWN_ACTIVE

    def ready() -> bool:
        return RunRef.Count == EX_RUNDOWN_ACTIVE

    wait_until("ExWaitForRundownProtectionRelease", (RunRef,), ready, None)


def ExRundownCompleted(RunRef: EX_RUNDOWN_REF) -> None:
    """Marks the object as run down; only after ExWaitForRundownProtectionRelease, or before anybody was let in."""
    RunRef.Count = EX_RUNDOWN_ACTIVE
