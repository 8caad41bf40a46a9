"""Stack locations beyond the ends of an IRP: in C there is other memory."""

from __future__ import annotations

from typing import Any

import pytest

from wsknet import wsk as w
from wsknet.host import Host
from wsknet.wsk import BugCheck

NO_MORE_IRP_STACK_LOCATIONS = 0x35
FUNCTIONS = pytest.mark.parametrize(
    "function", [w.IoMarkIrpPending, w.IoSkipCurrentIrpStackLocation, w.IoGetCurrentIrpStackLocation]
)


def own() -> w.IRP:
    Irp = w.IoAllocateIrp(1, False)
    assert Irp is not None
    return Irp


@pytest.mark.rule("R-044")
@FUNCTIONS
def test_an_irp_that_is_with_its_owner_has_no_current_location(host: Host, function: Any) -> None:
    w.verify(host)
    Irp = own()
    with pytest.raises(BugCheck) as stop:
        function(Irp)
    assert (stop.value.code, stop.value.rule) == (NO_MORE_IRP_STACK_LOCATIONS, "R-044")
    w.IoFreeIrp(Irp)


@pytest.mark.rule("R-063")
def test_a_completion_routine_that_marks_its_own_irp_pending(host: Host) -> None:
    """Right in a routine that lets an IRP of others go on; here there is nobody above."""
    w.verify(host)
    Irp = own()

    def routine(DeviceObject: Any, Irp: w.IRP, Context: Any) -> int:
        if Irp.PendingReturned:
            w.IoMarkIrpPending(Irp)
        return w.STATUS_MORE_PROCESSING_REQUIRED

    w.IoSetCompletionRoutine(Irp, routine, None, True, True, True)
    w.IoSetNextIrpStackLocation(Irp)
    w.IoMarkIrpPending(Irp)
    with pytest.raises(BugCheck, match="no current stack location"):
        w.IoCompleteRequest(Irp)
    w.IoFreeIrp(Irp)


@pytest.mark.rule("R-044")
def test_without_a_verifier_nothing_changes(host: Host) -> None:
    w.verify(host, False)
    Irp = own()
    w.IoMarkIrpPending(Irp)
    w.IoSkipCurrentIrpStackLocation(Irp)
    assert Irp.CurrentLocation == 2
    assert w.IoGetNextIrpStackLocation(Irp).Control == 0
