"""How a request of the application is carried out and its IRP completed, exactly once.

An operation runs inside the pump, with the driver lock held.  It answers at once, fails, or keeps the IRP:

* at once: the IRP completes before the function returns, with PendingReturned FALSE, if nothing else is being
  completed on the host; otherwise it is queued behind that and the function returns STATUS_PENDING;
* failure: completes at once in the calling thread, whatever else is going on;
* kept: marked pending; whoever finishes it posts the completion.

Completion routines and callbacks run at DISPATCH_LEVEL with no lock held.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from wsknet.drivers.completions import postpone, resume
from wsknet.errors import NetError
from wsknet.wsk.bugcheck import BugCheck
from wsknet.wsk.irp import IRP, SL_PENDING_RETURNED, complete_request, give_back_irp, take_irp
from wsknet.wsk.irql import DISPATCH_LEVEL, processor
from wsknet.wsk.pointers import ODD, wild
from wsknet.wsk.status import NTSTATUS, STATUS_INVALID_PARAMETER, STATUS_OF_KIND, STATUS_PENDING, STATUS_SUCCESS
from wsknet.wsk.verifier import forbid

if TYPE_CHECKING:
    from wsknet.host import Host

KEPT: Final = STATUS_PENDING
"""What an operation returns instead of its Information when it has kept the IRP."""


class Refusal(Exception):
    """An operation fails with a status that is no `ErrorKind`."""

    def __init__(self, Status: NTSTATUS) -> None:
        super().__init__(Status.name)
        self.Status = Status


class Forbidden(Refusal):
    """The documentation forbids the call; a status answers it unless the verifier is strict."""

    def __init__(self, Status: NTSTATUS, rule: str, what: str) -> None:
        super().__init__(Status)
        self.rule = rule
        self.what = what


def forbid_flags(Flags: int, rule: str) -> None:
    """Raises `Forbidden` for reserved flags that are not zero (D-02)."""
    if Flags:
        raise Forbidden(STATUS_INVALID_PARAMETER, rule, f"the reserved Flags are 0x{Flags:X}, and must be 0")


def perform(host: Host, Irp: IRP | None, operation: Callable[..., Any], *arguments: Any) -> NTSTATUS:
    """Run `operation(Irp, now, *arguments)`, which returns its Information or KEPT, or raises NetError or Refusal."""
    if Irp is None:
        return STATUS_INVALID_PARAMETER
    take_irp(Irp)
    pump = host.pump
    completions = pump.completions
    with pump as now:
        try:
            information = operation(Irp, now, *arguments)
            status = STATUS_SUCCESS
        except NetError as error:
            status = STATUS_OF_KIND[error.kind]
        except Refusal as refusal:
            status = status_of_refusal(host, Irp, refusal)
        except BugCheck:
            give_back_irp(Irp)
            raise
        except ODD as error:
            give_back_irp(Irp)
            raise wild(error) from error
        else:
            if information is KEPT:
                return STATUS_PENDING
            result = Irp.IoStatus
            result.Status = STATUS_SUCCESS
            result.Information = information
            if not completions.claim():
                Irp._stack[Irp.CurrentLocation - 1].Control |= SL_PENDING_RETURNED
                completions.post(complete, Irp)
                return STATUS_PENDING
    if status is not STATUS_SUCCESS:
        return fail(host, Irp, status)
    completions.drain_claimed(complete, Irp)
    return STATUS_SUCCESS


def perform_without_irp(host: Host, operation: Callable[..., Any], *arguments: Any) -> NTSTATUS:
    """Run `operation(now, *arguments)`, which may return a status other than STATUS_SUCCESS, and raises as above."""
    with host.pump as now:
        try:
            answer = operation(now, *arguments)
        except NetError as error:
            return STATUS_OF_KIND[error.kind]
        except Refusal as refusal:
            return status_of_refusal(host, None, refusal)
        except ODD as error:
            raise wild(error) from error
    return answer if isinstance(answer, NTSTATUS) else STATUS_SUCCESS


def status_of_refusal(host: Host, Irp: IRP | None, refusal: Refusal) -> NTSTATUS:
    """With a strict verifier, a BugCheck for what is forbidden: an IRP that was taken is the caller's again."""
    if isinstance(refusal, Forbidden):
        try:
            forbid(host, refusal.rule, refusal.what)
        except BugCheck:
            if Irp is not None:
                give_back_irp(Irp)
            raise
    return refusal.Status


def fail(host: Host, Irp: IRP, Status: NTSTATUS) -> NTSTATUS:
    """Complete `Irp`, which has been taken, with a failure, and in the calling thread.  Driver lock not held."""
    Irp.IoStatus.Status = Status
    Irp.IoStatus.Information = 0
    if host.pump.completions.disturbance is not None:
        return _fail_disturbed(host, Irp, Status)
    with host.activate():
        complete_here(Irp)
    return Status


def _fail_disturbed(host: Host, Irp: IRP, Status: NTSTATUS) -> NTSTATUS:
    """A failure comes inline or later as any other answer does."""
    completions = host.pump.completions
    with host.pump:
        is_inline = completions.claim()
        if not is_inline:
            mark_pending(Irp)
            completions.post(complete, Irp)
    if not is_inline:
        return STATUS_PENDING
    completions.drain_claimed(complete, Irp)
    return Status


def mark_pending(Irp: IRP) -> None:
    Irp._stack[Irp.CurrentLocation - 1].Control |= SL_PENDING_RETURNED


def complete(Irp: IRP) -> None:
    """IoCompleteRequest at DISPATCH_LEVEL."""
    before = processor.irql
    processor.irql = DISPATCH_LEVEL
    try:
        complete_request(Irp)
    finally:
        processor.irql = before


def complete_here(Irp: IRP) -> None:
    """`complete` outside the queue.  What the routine requests completes after it, as in a routine that was queued."""
    if processor.irql >= DISPATCH_LEVEL:
        complete(Irp)  # this thread drains the queue further up, or has postponed that
        return
    postpone()
    try:
        complete(Irp)
    finally:
        resume()


def call_back(routine: Callable[..., Any], *arguments: Any) -> Any:
    """Call an event callback at DISPATCH_LEVEL."""
    before = processor.irql
    processor.irql = DISPATCH_LEVEL
    try:
        return routine(*arguments)
    finally:
        processor.irql = before
