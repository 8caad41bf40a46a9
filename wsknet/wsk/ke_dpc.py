"""Deferred procedure calls: routines that run at DISPATCH_LEVEL as soon as the processor is below it.

They share the queue of completion routines and callbacks: in order, one at a time per host.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any

from wsknet.host import current_host
from wsknet.wsk.bug_codes import TIMER_OR_DPC_INVALID
from wsknet.wsk.bugcheck import BugCheck
from wsknet.wsk.ke import wait_until
from wsknet.wsk.requests import call_back
from wsknet.wsk.verifier import checked

if TYPE_CHECKING:
    from wsknet.host import Host

__all__ = [
    "KDPC",
    "PKDEFERRED_ROUTINE",
    "KeFlushQueuedDpcs",
    "KeInitializeDpc",
    "KeInsertQueueDpc",
    "KeRemoveQueueDpc",
]  # fmt: skip

PKDEFERRED_ROUTINE = Callable[["KDPC", Any, Any, Any], object]

_queue_lock = Lock()


class KDPC:
    """Queued once at a time; free to be queued again from the moment its routine begins."""

    __slots__ = ("DeferredContext", "DeferredRoutine", "SystemArgument1", "SystemArgument2", "_ticket")
    SIZE = 64

    def __init__(self) -> None:
        self.DeferredRoutine: PKDEFERRED_ROUTINE | None = None
        self.DeferredContext: Any = None
        self.SystemArgument1: Any = None
        self.SystemArgument2: Any = None
        self._ticket = 0
        """The number of its place in the queue; 0 while it is in none."""


class _Dpcs:
    """Of one host."""

    def __init__(self) -> None:
        self.tickets = count(1)
        self.unfinished: list[int] = []
        """In the order in which they were queued: those that wait, and the one that runs."""


@checked(None)
def KeInitializeDpc(Dpc: KDPC, DeferredRoutine: PKDEFERRED_ROUTINE, DeferredContext: Any) -> None:
    if Dpc._ticket:
        raise BugCheck(TIMER_OR_DPC_INVALID, "D-19", "a DPC is initialized while it is queued")
    Dpc.DeferredRoutine = DeferredRoutine
    Dpc.DeferredContext = DeferredContext


@checked(False)
def KeInsertQueueDpc(Dpc: KDPC, SystemArgument1: Any, SystemArgument2: Any) -> bool:
    """FALSE if it is queued already; then its arguments stay those of the first time."""
    return queue_dpc(current_host(), Dpc, SystemArgument1, SystemArgument2)


def queue_dpc(host: Host, Dpc: KDPC, SystemArgument1: Any, SystemArgument2: Any) -> bool:
    if Dpc.DeferredRoutine is None:
        raise BugCheck(TIMER_OR_DPC_INVALID, "D-19", "the DPC is not initialized")
    dpcs = _dpcs_of(host)
    with host.pump:
        with _queue_lock:
            if Dpc._ticket:
                return False
            ticket = Dpc._ticket = next(dpcs.tickets)
            Dpc.SystemArgument1 = SystemArgument1
            Dpc.SystemArgument2 = SystemArgument2
            dpcs.unfinished.append(ticket)
        host.pump.completions.post(_run, host, dpcs, Dpc, ticket)
    return True


def KeRemoveQueueDpc(Dpc: KDPC) -> bool:
    """TRUE if it was queued and will not run."""
    dpcs = _dpcs_of(current_host())
    with _queue_lock:
        if not Dpc._ticket:
            return False
        dpcs.unfinished.remove(Dpc._ticket)
        Dpc._ticket = 0
    return True


@checked(None)
def KeFlushQueuedDpcs() -> None:
    """Waits until every DPC that is queued now has run to its end."""
    dpcs = _dpcs_of(current_host())
    with _queue_lock:
        last = dpcs.unfinished[-1] if dpcs.unfinished else 0

    def ready() -> bool:
        return not dpcs.unfinished or dpcs.unfinished[0] > last

    wait_until("KeFlushQueuedDpcs", (), ready, None)


def _run(host: Host, dpcs: _Dpcs, Dpc: KDPC, ticket: int) -> None:
    with _queue_lock:
        if Dpc._ticket != ticket:
            return
        Dpc._ticket = 0
        routine, arguments = Dpc.DeferredRoutine, (Dpc.DeferredContext, Dpc.SystemArgument1, Dpc.SystemArgument2)
    assert routine is not None
    try:
        call_back(routine, Dpc, *arguments)
    finally:
        with _queue_lock:
            dpcs.unfinished.remove(ticket)
        host.driver.wakeup()


def _dpcs_of(host: Host) -> _Dpcs:
    dpcs: _Dpcs | None = host.faces.get(_Dpcs)
    return host.faces.setdefault(_Dpcs, _Dpcs()) if dpcs is None else dpcs
