"""Interrupt request levels.  Each thread has its own: completion routines and callbacks run at DISPATCH_LEVEL.

A thread that raises itself to DISPATCH_LEVEL, as a spin lock does, runs no other routines until it lowers the level
again: they would come as deferred procedure calls, and might want the same spin lock.
"""

from __future__ import annotations

from threading import local

from wsknet.drivers.completions import postpone, resume
from wsknet.wsk.bugcheck import IRQL_NOT_GREATER_OR_EQUAL, IRQL_NOT_LESS_OR_EQUAL, BugCheck
from wsknet.wsk.verifier import checked

__all__ = ["APC_LEVEL", "DISPATCH_LEVEL", "PASSIVE_LEVEL", "KeGetCurrentIrql", "KeLowerIrql", "KeRaiseIrql"]

PASSIVE_LEVEL = 0
APC_LEVEL = 1
DISPATCH_LEVEL = 2


class _Processor(local):
    irql = PASSIVE_LEVEL


processor = _Processor()
"""What the running thread sees of its processor."""


def KeGetCurrentIrql() -> int:
    return processor.irql


@checked(None)
def KeRaiseIrql(NewIrql: int, OldIrql: list[int]) -> None:
    """`OldIrql` receives the level to go back to with KeLowerIrql."""
    if NewIrql < processor.irql:
        what = f"KeRaiseIrql from {processor.irql} down to {NewIrql}"
        raise BugCheck(IRQL_NOT_GREATER_OR_EQUAL, "WSK-2.6", what)
    before = processor.irql
    OldIrql[:] = [before]
    processor.irql = NewIrql
    if before < DISPATCH_LEVEL <= NewIrql:
        postpone()


@checked(None)
def KeLowerIrql(NewIrql: int) -> None:
    if NewIrql > processor.irql:
        raise BugCheck(IRQL_NOT_LESS_OR_EQUAL, "WSK-2.6", f"KeLowerIrql from {processor.irql} up to {NewIrql}")
    before, processor.irql = processor.irql, NewIrql
    if NewIrql < DISPATCH_LEVEL <= before:
        resume()


def require_may_wait(function: str) -> None:
    """BugCheck if `function` would wait at DISPATCH_LEVEL, which every routine and callback runs at (WSK-2.7)."""
    if processor.irql >= DISPATCH_LEVEL:
        raise BugCheck(IRQL_NOT_LESS_OR_EQUAL, "R-071", f"{function} may not wait at DISPATCH_LEVEL")
