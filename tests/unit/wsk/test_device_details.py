"""Devices by what a driver reads of them: fresh objects, the stack, the list of a driver, and misuse with its code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wsknet import wsk as w
from wsknet.wsk import BugCheck

pytestmark = pytest.mark.usefixtures("host")

REFERENCE_BY_POINTER = 0x18


def create(Driver: w.DRIVER_OBJECT, size: int = 0, name: Any = None) -> w.DEVICE_OBJECT:
    found = list[Any]()
    status = w.IoCreateDevice(Driver, size, name, w.FILE_DEVICE_NETWORK, w.FILE_DEVICE_SECURE_OPEN, False, found)
    assert status == w.STATUS_SUCCESS
    device: w.DEVICE_OBJECT = found[0]
    return device


def devices_of(Driver: w.DRIVER_OBJECT) -> list[w.DEVICE_OBJECT]:
    found, device = [], Driver.DeviceObject
    while device is not None:
        found.append(device)
        device = device.NextDevice
    return found


def down(lower: w.DEVICE_OBJECT, StackSize: int, trail: list[str]) -> w.IRP:
    """An IRP of a higher driver, on its way to `lower` as IRP_MJ_WRITE."""
    Irp = w.IoAllocateIrp(StackSize, False)
    assert Irp is not None

    def completed(DeviceObject: Any, Irp: w.IRP, Context: list[str]) -> int:
        Context.append("completed")
        return w.STATUS_MORE_PROCESSING_REQUIRED

    w.IoSetCompletionRoutine(Irp, completed, trail, True, True, True)
    w.IoGetNextIrpStackLocation(Irp).MajorFunction = w.IRP_MJ_WRITE
    w.IoCallDriver(lower, Irp)
    return Irp


def test_a_fresh_driver_refuses_every_request() -> None:
    Driver = w.DRIVER_OBJECT()

    assert (Driver.DeviceObject, Driver.DriverExtension, Driver.DriverUnload) == (None, None, None)
    assert len(Driver.MajorFunction) == w.IRP_MJ_MAXIMUM_FUNCTION + 1 == 28
    device = create(Driver)
    for major in range(28):
        Irp = w.IoAllocateIrp(1, False)
        assert Irp is not None
        w.IoSetCompletionRoutine(
            Irp, lambda DeviceObject, Irp, Context: w.STATUS_MORE_PROCESSING_REQUIRED, None, True, True, True
        )
        w.IoGetNextIrpStackLocation(Irp).MajorFunction = major
        assert w.IoCallDriver(device, Irp) == w.STATUS_INVALID_DEVICE_REQUEST


def test_a_fresh_device_has_what_its_driver_said() -> None:
    Driver = w.DRIVER_OBJECT()
    plain = create(Driver, 0)
    named = create(Driver, 8, "\\Device\\Test")

    assert (plain.DriverObject, plain.DeviceType, plain.Characteristics) == (Driver, 0x12, 0x100)
    assert (plain.Flags, plain.StackSize, plain.AttachedDevice, plain.NextDevice) == (0, 1, None, None)
    assert (plain.DeviceName, plain.DeviceExtension) == (None, None)
    assert (named.DeviceName, named.DeviceExtension) == ("\\Device\\Test", bytearray(8))


@pytest.mark.parametrize("gone", range(4))
def test_deleting_a_device_leaves_the_others_in_the_list(gone: int) -> None:
    Driver = w.DRIVER_OBJECT()
    devices = [create(Driver) for _ in range(4)]
    w.IoDeleteDevice(devices[gone])

    assert devices_of(Driver) == [device for device in reversed(devices) if device is not devices[gone]]


def test_a_third_device_lies_on_the_second() -> None:
    Driver = w.DRIVER_OBJECT()
    bottom, middle, top = (create(Driver) for _ in range(3))

    assert w.IoAttachDeviceToDeviceStack(middle, bottom) is bottom
    assert w.IoAttachDeviceToDeviceStack(top, bottom) is middle
    assert (bottom.AttachedDevice, middle.AttachedDevice, top.AttachedDevice) == (middle, top, None)
    assert [device.StackSize for device in (bottom, middle, top)] == [1, 2, 3]


def attached() -> tuple[w.DEVICE_OBJECT, w.DEVICE_OBJECT]:
    Driver = w.DRIVER_OBJECT()
    lower, upper = create(Driver), create(Driver)
    w.IoAttachDeviceToDeviceStack(upper, lower)
    return lower, upper


def deleted() -> w.DEVICE_OBJECT:
    device = create(w.DRIVER_OBJECT())
    w.IoDeleteDevice(device)
    return device


@pytest.mark.rule("D-19")
@pytest.mark.parametrize(
    "misuse",
    [
        lambda: w.IoDeleteDevice(attached()[0]),
        lambda: w.IoDeleteDevice(attached()[1]),
        lambda: w.IoDetachDevice(attached()[1]),
        lambda: w.IoDeleteDevice(deleted()),
        lambda: down(deleted(), 1, []),
    ],
    ids=["the lower one is deleted", "the upper one is deleted", "nothing is attached", "deleted twice", "called"],
)
def test_a_device_is_detached_before_it_is_deleted_and_not_used_after(misuse: Callable[[], object]) -> None:
    with pytest.raises(BugCheck) as stop:
        misuse()

    assert (stop.value.code, stop.value.rule) == (REFERENCE_BY_POINTER, "D-19")


def test_a_detached_device_can_be_deleted() -> None:
    lower, upper = attached()
    w.IoDetachDevice(lower)
    w.IoDeleteDevice(upper)
    w.IoDeleteDevice(lower)

    assert lower.DriverObject.DeviceObject is None


def test_copying_a_location_copies_what_is_to_be_done_but_no_routine() -> None:
    Irp = w.IoAllocateIrp(2, False)
    assert Irp is not None
    w.IoSetNextIrpStackLocation(Irp)
    location = w.IoGetCurrentIrpStackLocation(Irp)
    location.MajorFunction, location.MinorFunction = w.IRP_MJ_DEVICE_CONTROL, 7
    w.IoSetCompletionRoutine(Irp, lambda DeviceObject, Irp, Context: 0, "context", True, True, True)
    w.IoCopyCurrentIrpStackLocationToNext(Irp)

    following = w.IoGetNextIrpStackLocation(Irp)
    assert (following.MajorFunction, following.MinorFunction) == (w.IRP_MJ_DEVICE_CONTROL, 7)
    assert (following.CompletionRoutine, following.Context, following.Control) == (None, None, 0)


@pytest.mark.parametrize("is_pending", [False, True])
@pytest.mark.parametrize("status", [w.STATUS_SUCCESS, w.STATUS_UNSUCCESSFUL])
def test_forwarding_needs_one_location_and_gives_back_any_outcome(is_pending: bool, status: w.NTSTATUS) -> None:
    trail: list[str] = []
    bottom, top = w.DRIVER_OBJECT(), w.DRIVER_OBJECT()
    lower, upper = create(bottom), create(top)
    w.IoAttachDeviceToDeviceStack(upper, lower)

    def complete(Context: w.IRP) -> None:
        trail.append("bottom")
        Context.IoStatus.Status = status
        w.IoCompleteRequest(Context)

    def at_the_bottom(DeviceObject: w.DEVICE_OBJECT, Irp: w.IRP) -> int:
        if not is_pending:
            complete(Irp)
            return status
        w.IoMarkIrpPending(Irp)
        w.PsCreateSystemThread([], 0, None, None, None, complete, Irp)
        return w.STATUS_PENDING

    def at_the_top(DeviceObject: w.DEVICE_OBJECT, Irp: w.IRP) -> int:
        assert w.IoForwardIrpSynchronously(lower, Irp) is True
        trail.append("top")
        assert Irp.IoStatus.Status == status
        w.IoCompleteRequest(Irp)
        return status

    bottom.MajorFunction[w.IRP_MJ_WRITE] = at_the_bottom
    top.MajorFunction[w.IRP_MJ_WRITE] = at_the_top
    Irp = down(upper, upper.StackSize, trail)

    assert trail == ["bottom", "top", "completed"]
    w.IoFreeIrp(Irp)
