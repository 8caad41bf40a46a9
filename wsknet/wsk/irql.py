"""Interrupt request levels.  Each thread has its own: completion routines and callbacks run at DISPATCH_LEVEL."""

from __future__ import annotations

from threading import local

from wsknet.wsk.bugcheck import IRQL_NOT_GREATER_OR_EQUAL, IRQL_NOT_LESS_OR_EQUAL, BugCheck

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


def KeRaiseIrql(NewIrql: int, OldIrql: list[int]) -> None:
    """`OldIrql` receives the level to go back to with KeLowerIrql."""
    if NewIrql < processor.irql:
        what = f"KeRaiseIrql from {processor.irql} down to {NewIrql}"
        raise BugCheck(IRQL_NOT_GREATER_OR_EQUAL, "2.6", what)
    OldIrql[:] = [processor.irql]
    processor.irql = NewIrql


def KeLowerIrql(NewIrql: int) -> None:
    if NewIrql > processor.irql:
        raise BugCheck(IRQL_NOT_LESS_OR_EQUAL, "2.6", f"KeLowerIrql from {processor.irql} up to {NewIrql}")
    processor.irql = NewIrql


def require_may_wait(function: str) -> None:
    """BugCheck if `function` would wait at DISPATCH_LEVEL, which every routine and callback runs at (WSK-2.7)."""
    if processor.irql >= DISPATCH_LEVEL:
        raise BugCheck(IRQL_NOT_LESS_OR_EQUAL, "R-071", f"{function} may not wait at DISPATCH_LEVEL")
