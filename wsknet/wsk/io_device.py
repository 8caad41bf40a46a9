"""Drivers and their device objects: what it takes to hand an IRP down a stack of devices.

A driver is a DRIVER_OBJECT whose `MajorFunction` table holds its dispatch routines.  Of a device's other duties (names,
security, plug and play, power) there is nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from wsknet.wsk.bug_codes import REFERENCE_BY_POINTER
from wsknet.wsk.bugcheck import BugCheck
from wsknet.wsk.irp import (
    IRP,
    IoCompleteRequest,
    IoGetCurrentIrpStackLocation,
    IoGetNextIrpStackLocation,
    IoSetCompletionRoutine,
    IoSetNextIrpStackLocation,
)
from wsknet.wsk.irql import require_may_wait
from wsknet.wsk.ke import KEVENT, Executive, KeInitializeEvent, KernelMode, KeSetEvent, KeWaitForSingleObject
from wsknet.wsk.ke import NotificationEvent as _NotificationEvent
from wsknet.wsk.kernel import current_kernel
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_INSUFFICIENT_RESOURCES,
    STATUS_INVALID_DEVICE_REQUEST,
    STATUS_INVALID_PARAMETER,
    STATUS_MORE_PROCESSING_REQUIRED,
    STATUS_PENDING,
    STATUS_SUCCESS,
)
from wsknet.wsk.verifier import checked

__all__ = [
    "DEVICE_OBJECT",
    "DRIVER_OBJECT",
    "FILE_DEVICE_NETWORK",
    "FILE_DEVICE_SECURE_OPEN",
    "FILE_DEVICE_UNKNOWN",
    "IRP_MJ_CLEANUP",
    "IRP_MJ_CLOSE",
    "IRP_MJ_CREATE",
    "IRP_MJ_DEVICE_CONTROL",
    "IRP_MJ_INTERNAL_DEVICE_CONTROL",
    "IRP_MJ_MAXIMUM_FUNCTION",
    "IRP_MJ_READ",
    "IRP_MJ_WRITE",
    "PDRIVER_DISPATCH",
    "IoAttachDeviceToDeviceStack",
    "IoCallDriver",
    "IoCopyCurrentIrpStackLocationToNext",
    "IoCreateDevice",
    "IoDeleteDevice",
    "IoDetachDevice",
    "IoForwardIrpSynchronously",
    "IofCallDriver",
    "IofCompleteRequest",
]  # fmt: skip

IRP_MJ_CREATE = 0x00
IRP_MJ_CLOSE = 0x02
IRP_MJ_READ = 0x03
IRP_MJ_WRITE = 0x04
IRP_MJ_DEVICE_CONTROL = 0x0E
IRP_MJ_INTERNAL_DEVICE_CONTROL = 0x0F
IRP_MJ_CLEANUP = 0x12
IRP_MJ_MAXIMUM_FUNCTION = 0x1B

FILE_DEVICE_NETWORK = 0x12
FILE_DEVICE_UNKNOWN = 0x22
FILE_DEVICE_SECURE_OPEN = 0x100

PDRIVER_DISPATCH = Callable[["DEVICE_OBJECT", IRP], int]


def _invalid_device_request(DeviceObject: DEVICE_OBJECT, Irp: IRP) -> int:
    """What the I/O manager puts where a driver sets nothing."""
    Irp.IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST
    Irp.IoStatus.Information = 0
    IoCompleteRequest(Irp)
    return STATUS_INVALID_DEVICE_REQUEST


class DRIVER_OBJECT:
    __slots__ = ("DeviceObject", "DriverExtension", "DriverUnload", "MajorFunction")
    SIZE: ClassVar[int] = 336

    def __init__(self) -> None:
        self.DeviceObject: DEVICE_OBJECT | None = None
        """The device created last; `NextDevice` leads to the others."""
        self.DriverExtension: Any = None
        self.DriverUnload: Callable[[DRIVER_OBJECT], object] | None = None
        self.MajorFunction: list[PDRIVER_DISPATCH] = [_invalid_device_request] * (IRP_MJ_MAXIMUM_FUNCTION + 1)


class DEVICE_OBJECT:
    __slots__ = (
        "AttachedDevice", "Characteristics", "DeviceExtension", "DeviceName", "DeviceType", "DriverObject", "Flags",
        "NextDevice", "StackSize", "_is_deleted", "_lower",
    )  # fmt: skip
    SIZE: ClassVar[int] = 336

    def __init__(self, DriverObject: DRIVER_OBJECT) -> None:
        self.DriverObject = DriverObject
        self.NextDevice: DEVICE_OBJECT | None = None
        self.AttachedDevice: DEVICE_OBJECT | None = None
        """The one above, which has been attached to this one."""
        self.StackSize = 1
        """Stack locations that an IRP for this device needs.  A driver that hands IRPs to WSK adds one."""
        self.Flags = 0
        self.DeviceType = 0
        self.Characteristics = 0
        self.DeviceName: Any = None
        self.DeviceExtension: Any = None
        """Zeroed memory of the size asked for; a driver may put an object of its own in its place."""
        self._lower: DEVICE_OBJECT | None = None
        self._is_deleted = False


@checked(STATUS_INVALID_PARAMETER)
def IoCreateDevice(
    DriverObject: DRIVER_OBJECT,
    DeviceExtensionSize: int,
    DeviceName: Any,
    DeviceType: int,
    DeviceCharacteristics: int,
    Exclusive: bool,
    DeviceObject: list[Any],
) -> NTSTATUS:
    """`DeviceObject` receives the device, unless the current host is out of memory (`Kernel.allocation_fails`)."""
    require_may_wait("IoCreateDevice")
    if current_kernel().refuses("IoCreateDevice"):
        return STATUS_INSUFFICIENT_RESOURCES
    device = DEVICE_OBJECT(DriverObject)
    device.DeviceType = DeviceType
    device.Characteristics = DeviceCharacteristics
    device.DeviceName = DeviceName
    device.DeviceExtension = bytearray(DeviceExtensionSize) if DeviceExtensionSize else None
    device.NextDevice, DriverObject.DeviceObject = DriverObject.DeviceObject, device
    DeviceObject[:] = [device]
    return STATUS_SUCCESS


@checked(None)
def IoDeleteDevice(DeviceObject: DEVICE_OBJECT) -> None:
    _require_alive(DeviceObject, "IoDeleteDevice")
    if DeviceObject.AttachedDevice is not None or DeviceObject._lower is not None:
        raise BugCheck(REFERENCE_BY_POINTER, "D-19", "a device is deleted while it is attached to another")
    DeviceObject._is_deleted = True
    driver = DeviceObject.DriverObject
    if driver.DeviceObject is DeviceObject:
        driver.DeviceObject = DeviceObject.NextDevice
        return
    device = driver.DeviceObject
    while device is not None:
        if device.NextDevice is DeviceObject:
            device.NextDevice = DeviceObject.NextDevice
        device = device.NextDevice


def IoAttachDeviceToDeviceStack(SourceDevice: DEVICE_OBJECT, TargetDevice: DEVICE_OBJECT) -> DEVICE_OBJECT | None:
    """Put `SourceDevice` on top of the stack that `TargetDevice` is in.

    Returns the device that it lies on, for IoCallDriver; NULL if the target is being deleted.
    """
    if TargetDevice._is_deleted:
        return None
    lower = TargetDevice
    while lower.AttachedDevice is not None:
        lower = lower.AttachedDevice
    lower.AttachedDevice = SourceDevice
    SourceDevice._lower = lower
    SourceDevice.StackSize = lower.StackSize + 1
    return lower


@checked(None)
def IoDetachDevice(TargetDevice: DEVICE_OBJECT) -> None:
    """Take away what is attached to `TargetDevice`."""
    upper = TargetDevice.AttachedDevice
    if upper is None:
        raise BugCheck(REFERENCE_BY_POINTER, "D-19", "nothing is attached to the device")
    TargetDevice.AttachedDevice = upper._lower = None


@checked(0)
def IoCallDriver(DeviceObject: DEVICE_OBJECT, Irp: IRP) -> int:
    """Hand `Irp` to the driver of `DeviceObject`; the next stack location is its.  Returns what its routine returns."""
    _require_alive(DeviceObject, "IoCallDriver")
    IoSetNextIrpStackLocation(Irp)
    location = IoGetCurrentIrpStackLocation(Irp)
    location.DeviceObject = DeviceObject
    return DeviceObject.DriverObject.MajorFunction[location.MajorFunction](DeviceObject, Irp)


IofCallDriver = IoCallDriver
IofCompleteRequest = IoCompleteRequest


@checked(None)
def IoCopyCurrentIrpStackLocationToNext(Irp: IRP) -> None:
    """What the lower driver is to do; the completion routine is not copied."""
    current, following = IoGetCurrentIrpStackLocation(Irp), IoGetNextIrpStackLocation(Irp)
    following.MajorFunction = current.MajorFunction
    following.MinorFunction = current.MinorFunction
    following.CompletionRoutine = following.Context = None
    following.Control = 0


@checked(False)
def IoForwardIrpSynchronously(DeviceObject: DEVICE_OBJECT, Irp: IRP) -> bool:
    """Hand a copy of the current location down and wait; the caller has the IRP back, and its outcome in IoStatus.

    FALSE, and nothing has happened, if there is no stack location for it.
    """
    require_may_wait("IoForwardIrpSynchronously")
    if Irp.CurrentLocation < 2:  # the lowest location is number 1
        return False
    Event = KEVENT()
    KeInitializeEvent(Event, _NotificationEvent, False)
    IoCopyCurrentIrpStackLocationToNext(Irp)
    IoSetCompletionRoutine(Irp, _wake_forwarder, Event, True, True, True)
    if IoCallDriver(DeviceObject, Irp) == STATUS_PENDING:
        KeWaitForSingleObject(Event, Executive, KernelMode, False, None)
    return True


def _wake_forwarder(DeviceObject: Any, Irp: IRP, Context: KEVENT) -> NTSTATUS:
    if Irp.PendingReturned:
        KeSetEvent(Context, 0, False)
    return STATUS_MORE_PROCESSING_REQUIRED


def _require_alive(DeviceObject: DEVICE_OBJECT, function: str) -> None:
    if DeviceObject._is_deleted:
        raise BugCheck(REFERENCE_BY_POINTER, "D-19", f"{function} of a device that has been deleted")
