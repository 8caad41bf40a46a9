"""I/O request packets: stack locations, completion routines, cancellation.

Read the public pages of the wdm functions (nf-wdm-io*, nc-wdm-io_completion_routine) before editing.  An IRP travels
down a stack of locations, one for each driver, and completes upwards; the routine of a location belongs to the driver
above it, which is why IoSetCompletionRoutine writes into the *next* location.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, ClassVar

from wsknet.wsk.bugcheck import (
    BAD_POOL_CALLER,
    DRIVER_VERIFIER_DETECTED_VIOLATION,
    MULTIPLE_IRP_COMPLETE_REQUESTS,
    NO_MORE_IRP_STACK_LOCATIONS,
    BugCheck,
    place_of_caller,
)
from wsknet.wsk.kernel import Kernel, current_kernel
from wsknet.wsk.status import STATUS_MORE_PROCESSING_REQUIRED, STATUS_SUCCESS
from wsknet.wsk.structures import IO_STATUS_BLOCK
from wsknet.wsk.verifier import checked, is_verified, misused

__all__ = [
    "IO_NETWORK_INCREMENT",
    "IO_NO_INCREMENT",
    "IO_STACK_LOCATION",
    "IRP",
    "PDRIVER_CANCEL",
    "PIO_COMPLETION_ROUTINE",
    "SL_INVOKE_ALWAYS",
    "SL_INVOKE_ON_CANCEL",
    "SL_INVOKE_ON_ERROR",
    "SL_INVOKE_ON_SUCCESS",
    "SL_PENDING_RETURNED",
    "IoAllocateIrp",
    "IoCancelIrp",
    "IoCleanupIrp",
    "IoCompleteRequest",
    "IoFreeIrp",
    "IoGetCurrentIrpStackLocation",
    "IoGetNextIrpStackLocation",
    "IoInitializeIrp",
    "IoMarkIrpPending",
    "IoReuseIrp",
    "IoSetCancelRoutine",
    "IoSetCompletionRoutine",
    "IoSetNextIrpStackLocation",
    "IoSizeOfIrp",
    "IoSkipCurrentIrpStackLocation",
]  # fmt: skip

PIO_COMPLETION_ROUTINE = Callable[[Any, "IRP", Any], Any]
PDRIVER_CANCEL = Callable[[Any, "IRP"], None]

SL_PENDING_RETURNED = 0x01
SL_INVOKE_ON_CANCEL = 0x20
SL_INVOKE_ON_SUCCESS = 0x40
SL_INVOKE_ON_ERROR = 0x80
SL_INVOKE_ALWAYS = SL_INVOKE_ON_CANCEL | SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR

IO_NO_INCREMENT = 0
IO_NETWORK_INCREMENT = 2

COMPLETED = "the IRP has completed: IoReuseIrp comes before the next use"
FREED = "the IRP has been freed"

# Two threads may cancel one IRP at a time: Windows has the cancel spin lock for that.
_cancel_lock = Lock()


class IO_STACK_LOCATION:
    __slots__ = ("CompletionRoutine", "Context", "Control", "DeviceObject", "MajorFunction", "MinorFunction")
    SIZE: ClassVar[int] = 72

    def __init__(self) -> None:
        self.MajorFunction = 0
        self.MinorFunction = 0
        self.Control = 0
        """SL_ flags: which outcomes invoke the routine, and whether the driver of this location returned pending."""
        self.DeviceObject: Any = None
        self.CompletionRoutine: PIO_COMPLETION_ROUTINE | None = None
        self.Context: Any = None


class IRP:
    """`CurrentLocation` counts down from StackCount + 1, which means that the IRP is with whoever allocated it."""

    __slots__ = (
        "Cancel", "CancelRoutine", "CurrentLocation", "IoStatus", "MdlAddress", "PendingReturned", "StackCount",
        "_buffers", "_flags", "_keeper", "_kernel", "_length", "_moved", "_out", "_stack", "_unfit",
    )  # fmt: skip
    SIZE: ClassVar[int] = 208

    def __init__(self, StackSize: int = 1) -> None:
        self.IoStatus = IO_STATUS_BLOCK()
        self.MdlAddress: Any = None
        self._kernel: Kernel | None = None
        """Of IoAllocateIrp; None for memory that IoInitializeIrp makes an IRP."""
        self._unfit = ""
        """Why it cannot be passed to anybody: it has completed, or is freed."""
        self._initialize(StackSize)

    @property
    def host(self) -> Any:
        return None if self._kernel is None else self._kernel.host

    def _initialize(self, StackSize: int) -> None:
        self.StackCount = StackSize
        self.CurrentLocation = StackSize + 1
        self.PendingReturned = False
        self.Cancel = False
        self.CancelRoutine: PDRIVER_CANCEL | None = None
        self._stack = [IO_STACK_LOCATION() for _ in range(StackSize)]
        # What the subsystem notes about a request while it is pending; free for it as DriverContext is in C.
        self._keeper: Any = None
        """The socket or client that has it."""
        self._buffers: Any = None
        self._length = 0
        self._moved = 0
        self._flags = 0
        self._out: Any = None


# Four of the functions below are called for every request: they raise by `misused`, a wrapper would cost too much.


def IoAllocateIrp(StackSize: int, ChargeQuota: bool) -> IRP | None:
    """NULL when the current host is out of memory (`Kernel.allocation_fails`)."""
    kernel = current_kernel()
    if StackSize < 1:
        misused(BugCheck(NO_MORE_IRP_STACK_LOCATIONS, "R-044", f"an IRP with {StackSize} stack locations"))
        return None
    if kernel.refuses("IoAllocateIrp"):
        return None
    Irp = IRP(StackSize)
    Irp._kernel = kernel
    if kernel.verifier is not None:
        kernel.verifier.irps[Irp] = place_of_caller()
    return Irp


@checked(None)
def IoInitializeIrp(Irp: IRP, PacketSize: int, StackSize: int) -> None:
    """For an IRP made without IoAllocateIrp: ``Irp = IRP()`` stands for the raw memory."""
    if Irp._kernel is not None:
        raise BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "R-052", "IoInitializeIrp of an IRP from IoAllocateIrp")
    if Irp.CurrentLocation <= Irp.StackCount:
        _require_idle(Irp, "IoInitializeIrp")
    Irp._initialize(StackSize)
    Irp._unfit = ""
    Irp.IoStatus.Status = STATUS_SUCCESS
    Irp.IoStatus.Information = 0


def IoReuseIrp(Irp: IRP, Iostatus: int) -> None:
    """Make a completed IRP ready for another call.  The completion routine has to be set again."""
    if Irp._unfit is FREED or Irp.CurrentLocation <= Irp.StackCount:
        misused(_not_idle(Irp, "IoReuseIrp"), Irp)
        return
    Irp._unfit = ""
    Irp.PendingReturned = Irp.Cancel = False
    Irp.CancelRoutine = None
    Irp.IoStatus.Status = Iostatus
    Irp.IoStatus.Information = 0
    for location in Irp._stack:
        location.Control = 0
        location.CompletionRoutine = location.Context = None


def IoFreeIrp(Irp: IRP) -> None:
    """Frees no MDLs.  An IRP that was handed down is not the application's to free."""
    kernel = Irp._kernel
    if kernel is None:
        misused(BugCheck(BAD_POOL_CALLER, "WSK-2.1", "IoFreeIrp of an IRP that IoAllocateIrp has not made"), Irp)
    elif Irp._unfit is FREED or Irp.CurrentLocation <= Irp.StackCount:
        misused(_not_idle(Irp, "IoFreeIrp"), Irp)
    else:
        Irp._unfit = FREED
        if kernel.verifier is not None:
            kernel.verifier.irps.pop(Irp, None)


@checked(None)
def IoCleanupIrp(Irp: IRP) -> None:
    """The counterpart of IoInitializeIrp."""
    if Irp._kernel is not None:
        raise BugCheck(BAD_POOL_CALLER, "WSK-2.1", "IoCleanupIrp of an IRP from IoAllocateIrp, which IoFreeIrp frees")
    _require_idle(Irp, "IoCleanupIrp")
    Irp._unfit = FREED


def IoSizeOfIrp(StackSize: int) -> int:
    return IRP.SIZE + StackSize * IO_STACK_LOCATION.SIZE


def _require_idle(Irp: IRP, function: str) -> None:
    if Irp._unfit is FREED or Irp.CurrentLocation <= Irp.StackCount:
        raise _not_idle(Irp, function)


def _not_idle(Irp: IRP, function: str) -> BugCheck:
    if Irp._unfit is FREED:
        return BugCheck(MULTIPLE_IRP_COMPLETE_REQUESTS, "R-049", f"{function} of an IRP that has been freed")
    what = f"{function} of an IRP that is pending, or belongs to a higher driver"
    return BugCheck(MULTIPLE_IRP_COMPLETE_REQUESTS, "R-065", what)


def IoGetCurrentIrpStackLocation(Irp: IRP) -> IO_STACK_LOCATION:
    """BugCheck if the IRP is with whoever allocated it: behind the last location there is other memory in C."""
    if Irp.CurrentLocation > Irp.StackCount:
        what = "the IRP is with whoever allocated it, and has no current stack location"
        raise BugCheck(NO_MORE_IRP_STACK_LOCATIONS, "R-044", what)
    return Irp._stack[Irp.CurrentLocation - 1]


def IoGetNextIrpStackLocation(Irp: IRP) -> IO_STACK_LOCATION:
    if Irp.CurrentLocation < 2:
        raise _no_location()
    return Irp._stack[Irp.CurrentLocation - 2]


def _no_location() -> BugCheck:
    what = "the IRP is pending, or has no free stack location"
    return BugCheck(NO_MORE_IRP_STACK_LOCATIONS, "R-044", what)


@checked(None)
def IoSetNextIrpStackLocation(Irp: IRP) -> None:
    """Move down by one location, as handing the IRP to a lower driver does."""
    IoGetNextIrpStackLocation(Irp)
    Irp.CurrentLocation -= 1


@checked(None)
def IoSkipCurrentIrpStackLocation(Irp: IRP) -> None:
    """Let the next lower driver use this driver's location."""
    IoGetCurrentIrpStackLocation(Irp)
    Irp.CurrentLocation += 1


def IoSetCompletionRoutine(
    Irp: IRP,
    CompletionRoutine: PIO_COMPLETION_ROUTINE | None,
    Context: Any,
    InvokeOnSuccess: bool,
    InvokeOnError: bool,
    InvokeOnCancel: bool,
) -> None:
    at = Irp.CurrentLocation
    if at < 2:
        misused(_no_location(), Irp)
        return
    location = Irp._stack[at - 2]
    location.CompletionRoutine = CompletionRoutine
    location.Context = Context
    control = SL_INVOKE_ON_SUCCESS if InvokeOnSuccess else 0
    if InvokeOnError:
        control |= SL_INVOKE_ON_ERROR
    if InvokeOnCancel:
        control |= SL_INVOKE_ON_CANCEL
    location.Control = control if CompletionRoutine is not None else 0


@checked(None)
def IoMarkIrpPending(Irp: IRP) -> None:
    IoGetCurrentIrpStackLocation(Irp).Control |= SL_PENDING_RETURNED


def IoSetCancelRoutine(Irp: IRP, CancelRoutine: PDRIVER_CANCEL | None) -> PDRIVER_CANCEL | None:
    """Returns the one that was set before."""
    with _cancel_lock:
        before, Irp.CancelRoutine = Irp.CancelRoutine, CancelRoutine
    return before


def IoCancelIrp(Irp: IRP) -> bool:
    """TRUE if a cancel routine was called; the IRP may still complete with success.  `Cancel` is set either way."""
    Irp.Cancel = True
    routine = IoSetCancelRoutine(Irp, None)
    if routine is None:
        return False
    routine(None, Irp)
    return True


@checked(None)
def IoCompleteRequest(Irp: IRP, PriorityBoost: int = IO_NO_INCREMENT) -> None:
    """Walk up from the current location until a routine keeps the IRP (STATUS_MORE_PROCESSING_REQUIRED)."""
    complete_request(Irp)


def complete_request(Irp: IRP) -> None:
    """The same for the subsystem itself."""
    stack = Irp._stack
    count = Irp.StackCount
    at = Irp.CurrentLocation
    if at > count:
        raise BugCheck(MULTIPLE_IRP_COMPLETE_REQUESTS, "R-060", "the IRP has completed before")
    if Irp._keeper is not None:
        _require_not_kept(Irp)
    while at <= count:
        location = stack[at - 1]
        control = location.Control
        routine = location.CompletionRoutine
        Irp.PendingReturned = bool(control & SL_PENDING_RETURNED)
        at += 1
        Irp.CurrentLocation = at
        location.Control = 0
        location.CompletionRoutine = None
        if at > count:
            Irp._unfit = COMPLETED
        if routine is not None and (control & SL_INVOKE_ALWAYS == SL_INVOKE_ALWAYS or _invokes(Irp, control)):
            Context, location.Context = location.Context, None
            DeviceObject = stack[at - 1].DeviceObject if at <= count else None
            was_pending = Irp.PendingReturned
            if routine(DeviceObject, Irp, Context) == STATUS_MORE_PROCESSING_REQUIRED:
                return
            if was_pending and at <= count and not stack[at - 1].Control & SL_PENDING_RETURNED and is_verified(Irp):
                what = "a completion routine lets the IRP go on that was pending, without IoMarkIrpPending"
                raise BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "R-063", what)
        elif Irp.PendingReturned and at <= count:
            stack[at - 1].Control |= SL_PENDING_RETURNED
    what = "the completion routine of an application's own IRP must return STATUS_MORE_PROCESSING_REQUIRED"
    misused(BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "R-046", what), Irp)


def _invokes(Irp: IRP, control: int) -> bool:
    wanted = SL_INVOKE_ON_SUCCESS if Irp.IoStatus.Status < 0x80000000 else SL_INVOKE_ON_ERROR
    if Irp.Cancel:
        wanted |= SL_INVOKE_ON_CANCEL
    return control & wanted != 0


def take_irp(Irp: IRP) -> None:
    """The subsystem receives `Irp` from its caller: one location further down.  Nothing has happened on a BugCheck."""
    at = Irp.CurrentLocation - 1
    if at < 1:
        raise _no_location()
    if at != Irp.StackCount:
        _require_not_kept(Irp)
    else:
        if Irp._unfit:
            rule = "R-049" if Irp._unfit is FREED else "R-050"
            raise BugCheck(MULTIPLE_IRP_COMPLETE_REQUESTS, rule, Irp._unfit)
        if Irp._stack[at - 1].Control & SL_INVOKE_ALWAYS != SL_INVOKE_ALWAYS:
            what = "an application's own IRP needs a completion routine with all three InvokeOn flags TRUE"
            raise BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "R-045", what)
    Irp.CurrentLocation = at


def _require_not_kept(Irp: IRP) -> None:
    """BugCheck if the subsystem has it: then it is nobody else's to pass on or to complete."""
    if Irp._keeper is not None:
        raise BugCheck(MULTIPLE_IRP_COMPLETE_REQUESTS, "R-060", "the IRP is pending in the subsystem")


def give_back_irp(Irp: IRP) -> None:
    """Undo `take_irp`: the caller has broken a rule, and nothing has happened."""
    Irp.CurrentLocation += 1
