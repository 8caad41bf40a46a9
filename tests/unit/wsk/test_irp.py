"""IRPs by themselves.  A lower driver is played by hand: it takes the IRP one location down and completes it."""

from __future__ import annotations

from typing import Any

import pytest

from wsknet.host import Host
from wsknet.wsk import (
    IRP,
    NTSTATUS,
    STATUS_CANCELLED,
    STATUS_MORE_PROCESSING_REQUIRED,
    STATUS_SUCCESS,
    STATUS_UNSUCCESSFUL,
    BugCheck,
    IoAllocateIrp,
    IoAllocateMdl,
    IoCancelIrp,
    IoCompleteRequest,
    IoFreeIrp,
    IoGetCurrentIrpStackLocation,
    IoInitializeIrp,
    IoMarkIrpPending,
    IoReuseIrp,
    IoSetCancelRoutine,
    IoSetCompletionRoutine,
    IoSetNextIrpStackLocation,
    IoSizeOfIrp,
    MmBuildMdlForNonPagedPool,
    MmGetSystemAddressForMdlSafe,
    kernel_of,
    verify,
)
from wsknet.wsk.irp import take_irp

pytestmark = pytest.mark.usefixtures("host")

Calls = list[tuple[Any, ...]]


def new_irp(StackSize: int = 1) -> IRP:
    Irp = IoAllocateIrp(StackSize, False)
    assert Irp is not None
    return Irp


def keep(DeviceObject: object, Irp: IRP, Context: Calls) -> NTSTATUS:
    Context.append((Irp, Irp.IoStatus.Status, Irp.PendingReturned))
    return STATUS_MORE_PROCESSING_REQUIRED


def pass_on(DeviceObject: object, Irp: IRP, Context: Calls) -> NTSTATUS:
    Context.append((Irp, Irp.IoStatus.Status, Irp.PendingReturned))
    return STATUS_SUCCESS


def complete(Irp: IRP, Status: NTSTATUS = STATUS_SUCCESS) -> None:
    """The lower driver: receives the IRP and completes it at once."""
    take_irp(Irp)
    Irp.IoStatus.Status = Status
    IoCompleteRequest(Irp)


def handed_down(calls: Calls) -> IRP:
    """An IRP of a higher driver, which keeps it in the end; ours is the lower of its two locations."""
    Irp = new_irp(2)
    IoSetCompletionRoutine(Irp, keep, calls, True, True, True)
    IoSetNextIrpStackLocation(Irp)
    return Irp


@pytest.mark.rule("R-043")
def test_allocation_gives_an_initialized_irp_or_null(host: Host) -> None:
    Irp = new_irp(3)

    assert (Irp.StackCount, Irp.Cancel, Irp.PendingReturned) == (3, False, False)
    kernel_of(host).allocation_fails = lambda function: function == "IoAllocateIrp"
    assert IoAllocateIrp(1, False) is None


@pytest.mark.rule("R-047", "R-053", "R-060")
def test_a_routine_that_wants_more_processing_gets_the_irp_back() -> None:
    calls: Calls = []
    Irp = new_irp()
    IoSetCompletionRoutine(Irp, keep, calls, True, True, True)
    complete(Irp)

    assert calls == [(Irp, STATUS_SUCCESS, False)]
    with pytest.raises(BugCheck, match="R-060"):
        IoCompleteRequest(Irp)


@pytest.mark.rule("R-046")
def test_an_applications_own_irp_must_not_go_further_up() -> None:
    Irp = new_irp()
    IoSetCompletionRoutine(Irp, pass_on, [], True, True, True)

    with pytest.raises(BugCheck, match="R-046"):
        complete(Irp)


@pytest.mark.rule("R-045")
@pytest.mark.parametrize("flags", [(False, True, True), (True, False, True), (True, True, False)])
def test_an_applications_own_irp_needs_a_routine_for_every_outcome(flags: tuple[bool, bool, bool]) -> None:
    Irp = new_irp()
    IoSetCompletionRoutine(Irp, keep, [], *flags)

    with pytest.raises(BugCheck, match="R-045"):
        take_irp(Irp)
    with pytest.raises(BugCheck, match="R-045"):
        take_irp(new_irp())


@pytest.mark.rule("R-044")
def test_a_pending_irp_has_no_free_location() -> None:
    Irp = new_irp()
    IoSetCompletionRoutine(Irp, keep, [], True, True, True)
    take_irp(Irp)

    with pytest.raises(BugCheck, match="R-044"):
        take_irp(Irp)
    with pytest.raises(BugCheck, match="R-044"):
        IoSetCompletionRoutine(Irp, keep, [], True, True, True)


@pytest.mark.rule("R-048", "R-064")
def test_completion_continues_upward_through_a_handed_down_irp() -> None:
    higher: Calls = []
    ours: Calls = []
    Irp = handed_down(higher)
    IoSetCompletionRoutine(Irp, pass_on, ours, True, True, True)
    complete(Irp)
    assert len(ours) == len(higher) == 1

    without_routine = handed_down(higher)
    complete(without_routine, STATUS_UNSUCCESSFUL)
    assert higher[1] == (without_routine, STATUS_UNSUCCESSFUL, False)


@pytest.mark.rule("R-054")
def test_a_routine_for_errors_only_is_skipped_on_success() -> None:
    calls: Calls = []
    for Status in (STATUS_SUCCESS, STATUS_UNSUCCESSFUL):
        Irp = handed_down([])
        IoSetCompletionRoutine(Irp, pass_on, calls, False, True, False)
        complete(Irp, Status)

    assert [status for _, status, _ in calls] == [STATUS_UNSUCCESSFUL]


@pytest.mark.rule("R-055")
def test_a_routine_for_success_only_is_skipped_on_failure_unless_cancelled() -> None:
    calls: Calls = []
    for cancels in (False, True):
        Irp = handed_down([])
        IoSetCompletionRoutine(Irp, pass_on, calls, True, False, cancels)
        IoCancelIrp(Irp)
        complete(Irp, STATUS_CANCELLED)

    assert len(calls) == 1


def complete_marked_by(marks: bool, higher: Calls) -> None:
    """Complete a pending IRP of a higher driver, whose routine of ours passes on what it `marks` pending again."""

    def routine(DeviceObject: object, Irp: IRP, Context: object) -> NTSTATUS:
        if Irp.PendingReturned and marks:
            IoMarkIrpPending(Irp)
        return STATUS_SUCCESS

    Irp = handed_down(higher)
    IoSetCompletionRoutine(Irp, routine, None, True, True, True)
    take_irp(Irp)
    IoMarkIrpPending(Irp)
    IoCompleteRequest(Irp)


@pytest.mark.rule("R-063")
def test_a_routine_that_passes_on_marks_the_irp_pending_again() -> None:
    higher: Calls = []
    complete_marked_by(True, higher)

    assert higher[0][2] is True


@pytest.mark.rule("R-063")
def test_without_the_mark_it_is_misuse() -> None:
    with pytest.raises(BugCheck, match="R-063"):
        complete_marked_by(False, [])


@pytest.mark.rule("R-063")
def test_without_the_mark_and_a_verifier_the_higher_driver_does_not_hear_of_it(host: Host) -> None:
    higher: Calls = []
    verify(host, False)
    complete_marked_by(False, higher)

    assert higher[0][2] is False


def test_pending_goes_up_by_itself_where_there_is_no_routine() -> None:
    higher: Calls = []
    Irp = handed_down(higher)
    take_irp(Irp)
    IoMarkIrpPending(Irp)
    IoCompleteRequest(Irp)

    assert higher[0][2] is True


@pytest.mark.rule("R-065")
def test_an_irp_that_was_handed_down_is_not_ours_to_free() -> None:
    with pytest.raises(BugCheck, match="R-065"):
        IoFreeIrp(handed_down([]))


@pytest.mark.rule("R-049")
def test_the_routine_may_free_the_irp() -> None:
    def free(DeviceObject: object, Irp: IRP, Context: object) -> NTSTATUS:
        IoFreeIrp(Irp)
        return STATUS_MORE_PROCESSING_REQUIRED

    Irp = new_irp()
    IoSetCompletionRoutine(Irp, free, None, True, True, True)
    complete(Irp)

    with pytest.raises(BugCheck, match="freed"):
        IoFreeIrp(Irp)


@pytest.mark.rule("R-050", "R-051")
def test_reuse_forgets_the_routine_and_sets_the_status() -> None:
    calls: Calls = []
    Irp = new_irp()
    IoSetCompletionRoutine(Irp, keep, calls, True, True, True)
    complete(Irp)
    IoCancelIrp(Irp)
    IoReuseIrp(Irp, STATUS_UNSUCCESSFUL)

    assert (Irp.IoStatus.Status, Irp.IoStatus.Information, Irp.Cancel) == (STATUS_UNSUCCESSFUL, 0, False)
    with pytest.raises(BugCheck, match="R-045"):
        take_irp(Irp)
    IoSetCompletionRoutine(Irp, keep, calls, True, True, True)
    complete(Irp)
    assert len(calls) == 2


def test_a_pending_irp_cannot_be_reused() -> None:
    Irp = new_irp()
    IoSetCompletionRoutine(Irp, keep, [], True, True, True)
    take_irp(Irp)

    with pytest.raises(BugCheck):
        IoReuseIrp(Irp, STATUS_SUCCESS)


def test_an_irp_in_memory_of_its_own() -> None:
    Irp = IRP()
    IoInitializeIrp(Irp, IoSizeOfIrp(2), 2)

    assert Irp.StackCount == 2
    assert IoSizeOfIrp(2) == 208 + 2 * 72


@pytest.mark.rule("R-066", "R-067")
def test_cancelling_calls_the_cancel_routine_once() -> None:
    cancelled: list[IRP] = []
    Irp = new_irp()
    assert IoCancelIrp(Irp) is False
    assert Irp.Cancel is True

    other = new_irp()
    assert IoSetCancelRoutine(other, lambda DeviceObject, Irp: cancelled.append(Irp)) is None
    assert IoCancelIrp(other) is True
    assert IoCancelIrp(other) is False
    assert cancelled == [other]


@pytest.mark.rule("R-070")
def test_freeing_an_irp_leaves_its_mdls() -> None:
    Irp = new_irp()
    Mdl = IoAllocateMdl(bytearray(b"data"), 4, False, False, Irp)
    assert Mdl is not None
    MmBuildMdlForNonPagedPool(Mdl)
    IoFreeIrp(Irp)

    assert Irp.MdlAddress is Mdl
    assert bytes(MmGetSystemAddressForMdlSafe(Mdl, 0)) == b"data"


def test_the_current_location_is_the_one_of_the_driver_that_has_the_irp() -> None:
    Irp = handed_down([])
    IoGetCurrentIrpStackLocation(Irp).DeviceObject = "ours"
    devices: list[object] = []

    def routine(DeviceObject: object, Irp: IRP, Context: object) -> NTSTATUS:
        devices.append(DeviceObject)
        return STATUS_SUCCESS

    IoSetCompletionRoutine(Irp, routine, None, True, True, True)
    complete(Irp)

    assert devices == ["ours"]
