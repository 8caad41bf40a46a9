"""The processor, of which each emulated host has one, and regions in which APCs are held back.

No APC is ever delivered here: the regions count, so that code which needs one and has none is found.
"""

from __future__ import annotations

from threading import local
from typing import Any

from wsknet.wsk.bug_codes import APC_INDEX_MISMATCH
from wsknet.wsk.bugcheck import BugCheck
from wsknet.wsk.irql import APC_LEVEL, KeGetCurrentIrql
from wsknet.wsk.status import NTSTATUS, STATUS_INVALID_PARAMETER, STATUS_SUCCESS
from wsknet.wsk.verifier import checked

__all__ = [
    "ALL_PROCESSOR_GROUPS",
    "PROCESSOR_NUMBER",
    "KeAreAllApcsDisabled",
    "KeAreApcsDisabled",
    "KeEnterCriticalRegion",
    "KeEnterGuardedRegion",
    "KeGetCurrentProcessorIndex",
    "KeGetCurrentProcessorNumber",
    "KeGetCurrentProcessorNumberEx",
    "KeGetProcessorIndexFromNumber",
    "KeGetProcessorNumberFromIndex",
    "KeLeaveCriticalRegion",
    "KeLeaveGuardedRegion",
    "KeQueryActiveProcessorCount",
    "KeQueryActiveProcessorCountEx",
    "KeQueryMaximumProcessorCount",
    "KeQueryMaximumProcessorCountEx",
]  # fmt: skip

ALL_PROCESSOR_GROUPS = 0xFFFF
INVALID_PROCESSOR_INDEX = 0xFFFFFFFF


class PROCESSOR_NUMBER:
    __slots__ = ("Group", "Number", "Reserved")
    SIZE = 4

    def __init__(self, Group: int = 0, Number: int = 0) -> None:
        self.Group = Group
        self.Number = Number
        self.Reserved = 0


def KeGetCurrentProcessorNumber() -> int:
    return 0


KeGetCurrentProcessorIndex = KeGetCurrentProcessorNumber


def KeGetCurrentProcessorNumberEx(ProcNumber: PROCESSOR_NUMBER | None) -> int:
    """The index over all groups; `ProcNumber` receives group and number."""
    if ProcNumber is not None:
        KeGetProcessorNumberFromIndex(0, ProcNumber)
    return 0


def KeGetProcessorNumberFromIndex(ProcIndex: int, ProcNumber: PROCESSOR_NUMBER) -> NTSTATUS:
    if ProcIndex != 0:
        return STATUS_INVALID_PARAMETER
    ProcNumber.Group = ProcNumber.Number = ProcNumber.Reserved = 0
    return STATUS_SUCCESS


def KeGetProcessorIndexFromNumber(ProcNumber: PROCESSOR_NUMBER) -> int:
    """INVALID_PROCESSOR_INDEX for one that does not exist."""
    return INVALID_PROCESSOR_INDEX if ProcNumber.Group or ProcNumber.Number else 0


def KeQueryActiveProcessorCount(ActiveProcessors: list[Any] | None) -> int:
    """`ActiveProcessors` receives the mask."""
    if ActiveProcessors is not None:
        ActiveProcessors[:] = [1]
    return 1


def KeQueryActiveProcessorCountEx(GroupNumber: int) -> int:
    """0 for a group that does not exist."""
    return 1 if GroupNumber in (0, ALL_PROCESSOR_GROUPS) else 0


def KeQueryMaximumProcessorCount() -> int:
    return 1


KeQueryMaximumProcessorCountEx = KeQueryActiveProcessorCountEx


class _Regions(local):
    critical = 0
    guarded = 0


_regions = _Regions()


def KeEnterCriticalRegion() -> None:
    _regions.critical += 1


@checked(None)
def KeLeaveCriticalRegion() -> None:
    if not _regions.critical:
        raise BugCheck(APC_INDEX_MISMATCH, "D-19", "this thread leaves a critical region that it has not entered")
    _regions.critical -= 1


def KeEnterGuardedRegion() -> None:
    _regions.guarded += 1


@checked(None)
def KeLeaveGuardedRegion() -> None:
    if not _regions.guarded:
        raise BugCheck(APC_INDEX_MISMATCH, "D-19", "this thread leaves a guarded region that it has not entered")
    _regions.guarded -= 1


def KeAreApcsDisabled() -> bool:
    """Whether normal kernel APCs are held back: in either region."""
    return bool(_regions.critical or KeAreAllApcsDisabled())


def KeAreAllApcsDisabled() -> bool:
    return bool(_regions.guarded or KeGetCurrentIrql() >= APC_LEVEL)


def require_no_region() -> None:
    """BugCheck if the calling thread, which ends, has entered one and not left it."""
    if _regions.critical or _regions.guarded:
        raise BugCheck(APC_INDEX_MISMATCH, "D-19", "a system thread ends inside a critical or guarded region")
