"""What an IRP holds when it is new, which outcomes invoke a routine, and what the report of a misuse says."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from wsknet.host import Host, Network, current_host
from wsknet.wsk import (
    IRP,
    NTSTATUS,
    STATUS_MORE_PROCESSING_REQUIRED,
    STATUS_SUCCESS,
    STATUS_UNSUCCESSFUL,
    BugCheck,
    IoAllocateIrp,
    IoAllocateMdl,
    IoCancelIrp,
    IoCleanupIrp,
    IoCompleteRequest,
    IoFreeIrp,
    IoFreeMdl,
    IoGetCurrentIrpStackLocation,
    IoGetNextIrpStackLocation,
    IoInitializeIrp,
    IoMarkIrpPending,
    IoReuseIrp,
    IoSetCancelRoutine,
    IoSetCompletionRoutine,
    IoSetNextIrpStackLocation,
    IoSkipCurrentIrpStackLocation,
    require_nothing_left,
    verify,
)
from wsknet.wsk.irp import give_back_irp, take_irp

pytestmark = pytest.mark.usefixtures("host")


def new_irp(StackSize: int = 1) -> IRP:
    Irp = IoAllocateIrp(StackSize, False)
    assert Irp is not None
    return Irp


def keep(DeviceObject: object, Irp: IRP, Context: list[int]) -> NTSTATUS:
    Context.append(Irp.IoStatus.Status)
    return STATUS_MORE_PROCESSING_REQUIRED


def taken(StackSize: int = 1) -> IRP:
    Irp = new_irp(StackSize)
    IoSetCompletionRoutine(Irp, keep, [], True, True, True)
    take_irp(Irp)
    return Irp


def completed() -> IRP:
    Irp = taken()
    IoCompleteRequest(Irp)
    return Irp


def freed() -> IRP:
    Irp = new_irp()
    IoSetCompletionRoutine(Irp, keep, [], True, True, True)
    IoFreeIrp(Irp)
    return Irp


@pytest.mark.rule("R-043")
def test_a_new_irp_names_nothing_and_nobody() -> None:
    assert new_irp().MdlAddress is None
    assert new_irp().CancelRoutine is None
    location = IoGetNextIrpStackLocation(new_irp())
    assert (location.MajorFunction, location.MinorFunction, location.Control) == (0, 0, 0)
    assert location.DeviceObject is None
    assert location.CompletionRoutine is None
    assert location.Context is None


def test_memory_that_is_to_be_an_irp_has_one_location_until_told() -> None:
    Irp = IRP()
    assert Irp.StackCount == 1
    IoInitializeIrp(Irp, 1000, 2)
    assert (Irp.StackCount, Irp.CurrentLocation) == (2, 3)


@pytest.mark.rule("R-052")
def test_initializing_makes_it_fit_again_and_forgets_the_last_status() -> None:
    Irp = raw_irp(is_cleaned_up=True)
    Irp.IoStatus.Status, Irp.IoStatus.Information = STATUS_UNSUCCESSFUL, 9
    IoInitializeIrp(Irp, 1000, 1)
    assert (Irp.IoStatus.Status, Irp.IoStatus.Information) == (0, 0)
    IoSetCompletionRoutine(Irp, keep, [], True, True, True)
    take_irp(Irp)
    assert Irp.CurrentLocation == 1


def test_reuse_clears_every_location() -> None:
    Irp = new_irp(2)
    IoSetCompletionRoutine(Irp, keep, ["context"], True, True, True)
    IoSetCancelRoutine(Irp, lambda DeviceObject, Irp: None)
    location = IoGetNextIrpStackLocation(Irp)
    IoReuseIrp(Irp, STATUS_UNSUCCESSFUL)

    assert (location.Control, location.CompletionRoutine, location.Context) == (0, None, None)
    assert Irp.CancelRoutine is None
    assert IoSetCancelRoutine(Irp, None) is None


def test_an_irp_is_of_the_host_that_allocated_it_wherever_it_is_misused(network: Network, host: Host) -> None:
    """Its host has no verifier: a verifier of the current one does not matter."""
    other = network.host("other")
    with other.activate():
        verify(current_host(), False)
        Irp = taken()
        assert Irp.host is current_host()
    verify(host)

    IoReuseIrp(Irp, 0)
    IoFreeIrp(Irp)
    assert Irp.CurrentLocation == 1
    assert IRP().host is None

    def let_go(DeviceObject: object, Irp: IRP, Context: object) -> NTSTATUS:
        return STATUS_SUCCESS

    with other.activate():
        handed_down = new_irp(2)
    IoSetCompletionRoutine(handed_down, let_go, None, True, True, True)
    IoSetNextIrpStackLocation(handed_down)
    IoSetCompletionRoutine(handed_down, let_go, None, True, True, True)
    take_irp(handed_down)
    IoMarkIrpPending(handed_down)
    IoCompleteRequest(handed_down)
    assert handed_down.CurrentLocation == 3


@pytest.mark.rule("R-063", "R-046")
def test_the_two_misuses_of_a_routine_have_their_rules() -> None:
    def let_go(DeviceObject: object, Irp: IRP, Context: object) -> NTSTATUS:
        return STATUS_SUCCESS

    for StackSize, rule in ((1, "R-046"), (2, "R-063")):
        Irp = new_irp(StackSize)
        for _ in range(StackSize):
            IoSetCompletionRoutine(Irp, let_go, None, True, True, True)
            IoSetNextIrpStackLocation(Irp)
        IoMarkIrpPending(Irp)
        with pytest.raises(BugCheck) as stop:
            IoCompleteRequest(Irp)
        assert (stop.value.code, stop.value.rule) == (0xC4, rule)


def test_completion_clears_the_location_that_it_leaves() -> None:
    Irp = taken()
    location = IoGetCurrentIrpStackLocation(Irp)
    IoCompleteRequest(Irp)

    assert (location.Control, location.CompletionRoutine, location.Context) == (0, None, None)


def test_a_driver_in_between_may_keep_an_irp_and_pass_it_on_again() -> None:
    seen: list[int] = []
    Irp = new_irp(2)
    IoSetCompletionRoutine(Irp, keep, seen, True, True, True)
    IoSetNextIrpStackLocation(Irp)
    for _ in range(2):
        IoSetCompletionRoutine(Irp, keep, seen, True, True, True)
        take_irp(Irp)
        IoCompleteRequest(Irp)
    IoCompleteRequest(Irp)

    assert len(seen) == 3
    assert Irp.CurrentLocation == 3


def test_what_was_allocated_before_the_verifier_came_can_be_freed(host: Host) -> None:
    verify(host, False)
    Irp, Mdl = new_irp(), IoAllocateMdl(bytearray(1), 1, False, False, None)
    assert Mdl is not None
    verify(host)
    IoFreeIrp(Irp)
    IoFreeMdl(Mdl)
    require_nothing_left(host)


def test_skipping_gives_the_own_location_to_the_next_lower_driver() -> None:
    Irp = new_irp(2)
    IoSetCompletionRoutine(Irp, keep, [], True, True, True)
    IoSetNextIrpStackLocation(Irp)
    own = IoGetCurrentIrpStackLocation(Irp)
    IoSkipCurrentIrpStackLocation(Irp)

    assert IoGetNextIrpStackLocation(Irp) is own


@pytest.mark.rule("R-045")
def test_a_spare_location_below_the_own_one_changes_nothing() -> None:
    Irp = taken(2)
    assert IoGetCurrentIrpStackLocation(Irp).CompletionRoutine is keep
    give_back_irp(Irp)
    assert Irp.CurrentLocation == 3


@pytest.mark.parametrize(
    ("status", "flags", "is_invoked"),
    [
        (0x7FFFFFFF, (True, False, False), True),
        (0x7FFFFFFF, (False, True, False), False),
        (0x80000000, (True, False, False), False),
        (0x80000000, (False, True, False), True),
    ],
)
def test_a_warning_is_no_success(status: int, flags: tuple[bool, bool, bool], is_invoked: bool) -> None:
    """Of the higher driver's two routines only the lower is conditional."""
    Irp = new_irp(2)
    seen: list[int] = []
    IoSetCompletionRoutine(Irp, keep, [], True, True, True)
    IoSetNextIrpStackLocation(Irp)
    IoSetCompletionRoutine(Irp, keep, seen, *flags)
    take_irp(Irp)
    Irp.IoStatus.Status = status
    IoCompleteRequest(Irp)

    assert bool(seen) is is_invoked


@pytest.mark.parametrize("flags", [(True, False, False), (False, False, True)])
def test_a_cancelled_irp_that_succeeds_invokes_both_kinds_of_routine(flags: tuple[bool, bool, bool]) -> None:
    Irp = new_irp(2)
    seen: list[int] = []
    IoSetCompletionRoutine(Irp, keep, [], True, True, True)
    IoSetNextIrpStackLocation(Irp)
    IoSetCompletionRoutine(Irp, keep, seen, *flags)
    take_irp(Irp)
    IoCancelIrp(Irp)
    Irp.IoStatus.Status = STATUS_SUCCESS
    IoCompleteRequest(Irp)

    assert seen == [0]


def in_a_socket() -> IRP:
    """Pending in the subsystem, and handed to it by a driver that is not the highest."""
    Irp = new_irp(2)
    IoSetCompletionRoutine(Irp, keep, [], True, True, True)
    IoSetNextIrpStackLocation(Irp)
    Irp._keeper = object()
    return Irp


def raw_irp(is_taken: bool = False, is_cleaned_up: bool = False) -> IRP:
    """In memory of its own, not from IoAllocateIrp."""
    Irp = IRP()
    IoInitializeIrp(Irp, 1000, 1)
    IoSetCompletionRoutine(Irp, keep, [], True, True, True)
    if is_taken:
        take_irp(Irp)
    if is_cleaned_up:
        IoCleanupIrp(Irp)
    return Irp


def without_routine() -> IRP:
    return new_irp()


@pytest.mark.parametrize(
    ("make", "call", "code", "rule"),
    [
        (taken, IoGetNextIrpStackLocation, 0x35, "R-044"),
        (taken, take_irp, 0x35, "R-044"),
        (without_routine, take_irp, 0xC4, "R-045"),
        (freed, take_irp, 0x44, "R-049"),
        (completed, take_irp, 0x44, "R-050"),
        (in_a_socket, take_irp, 0x44, "R-060"),
        (in_a_socket, IoCompleteRequest, 0x44, "R-060"),
        (freed, IoFreeIrp, 0x44, "R-049"),
        (freed, lambda Irp: IoReuseIrp(Irp, 0), 0x44, "R-049"),
        (taken, IoFreeIrp, 0x44, "R-065"),
        (taken, lambda Irp: IoReuseIrp(Irp, 0), 0x44, "R-065"),
        (completed, IoCompleteRequest, 0x44, "R-060"),
        (lambda: 0, lambda _: IoAllocateIrp(0, False), 0x35, "R-044"),
        (new_irp, lambda Irp: IoInitializeIrp(Irp, 1000, 1), 0xC4, "R-052"),
        (IRP, IoFreeIrp, 0xC2, "WSK-2.1"),
        (new_irp, IoCleanupIrp, 0xC2, "WSK-2.1"),
        (lambda: raw_irp(is_taken=True), IoCleanupIrp, 0x44, "R-065"),
        (lambda: raw_irp(is_taken=True), lambda Irp: IoInitializeIrp(Irp, 1000, 1), 0x44, "R-065"),
        (lambda: raw_irp(is_cleaned_up=True), take_irp, 0x44, "R-049"),
        (lambda: raw_irp(is_cleaned_up=True), IoCleanupIrp, 0x44, "R-049"),
    ],
)
def test_misuse_is_reported_with_its_code_and_its_rule(
    make: Callable[[], Any], call: Callable[[Any], Any], code: int, rule: str
) -> None:
    Irp = make()
    with pytest.raises(BugCheck) as stop:
        call(Irp)

    assert (stop.value.code, stop.value.rule) == (code, rule)
    assert stop.value.what
    assert stop.value.place.startswith(f"{__file__}:")


# The report


def test_a_report_says_what_was_done_and_where() -> None:
    frame = inspect.currentframe()
    assert frame is not None
    stop = BugCheck(0xC4, "R-999", "what was done")
    line = frame.f_lineno - 1
    here = f"{__file__}:{line} in test_a_report_says_what_was_done_and_where"

    assert (stop.code, stop.rule, stop.what, stop.place) == (0xC4, "R-999", "what was done", here)
    named = "bug check 0x000000C4 (DRIVER_VERIFIER_DETECTED_VIOLATION), rule R-999"
    assert str(stop) == f"{named}: what was done (at {here})"


def test_code_without_a_module_is_a_driver_too() -> None:
    names: dict[str, Any] = {"report": BugCheck}
    exec('stop = report(0xC4, "R-999", "it")', names)

    assert names["stop"].place == "<string>:1 in <module>"
