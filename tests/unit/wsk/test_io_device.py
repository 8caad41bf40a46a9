"""IRPs that a higher driver hands down a stack of devices, to a driver that passes them on to WSK (WSK-2.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.wsk_lab import FAR, FAR6, Lab, ok
from tests.support.wsk_lab import lab as laboratory
from wsknet import wsk as w
from wsknet.wsk import BugCheck, simple

Completions = list[tuple[int, Any, bool]]


@pytest.fixture
def lab() -> Iterator[Lab]:
    with laboratory() as made:
        yield made


def device(dispatch: Callable[[w.DEVICE_OBJECT, w.IRP], int], major: int = w.IRP_MJ_WRITE) -> w.DEVICE_OBJECT:
    """Of a driver of its own, with one location more than usual: for the subsystem below it."""
    Driver, found = w.DRIVER_OBJECT(), list[Any]()
    Driver.MajorFunction[major] = dispatch
    assert w.IoCreateDevice(Driver, 16, None, w.FILE_DEVICE_NETWORK, 0, False, found) == w.STATUS_SUCCESS
    made: w.DEVICE_OBJECT = found[0]
    made.StackSize += 1
    return made


def hand_down(lower: w.DEVICE_OBJECT, completions: Completions, major: int = w.IRP_MJ_WRITE) -> tuple[int, w.IRP]:
    """As a higher driver does with an IRP of its own."""
    Irp = w.IoAllocateIrp(lower.StackSize, False)
    assert Irp is not None

    def completed(DeviceObject: Any, Irp: w.IRP, Context: Any) -> int:
        completions.append((Irp.IoStatus.Status, Irp.IoStatus.Information, Irp.PendingReturned))
        return w.STATUS_MORE_PROCESSING_REQUIRED

    w.IoSetCompletionRoutine(Irp, completed, None, True, True, True)
    w.IoGetNextIrpStackLocation(Irp).MajorFunction = major
    return w.IoCallDriver(lower, Irp), Irp


@pytest.mark.rule("R-064")
@pytest.mark.parametrize("address", [FAR, FAR6])
def test_a_handed_down_irp_without_a_routine_completes_to_its_originator(lab: Lab, address: str) -> None:
    any_address, family = ("0.0.0.0", w.AF_INET) if address == FAR else ("::", w.AF_INET6)
    far = lab.datagram(lab.far, 7000, any_address, AddressFamily=family)
    Socket = lab.datagram(lab.near, 0, any_address, AddressFamily=family)
    buffer = simple.buffer(b"handed down")

    def dispatch(DeviceObject: w.DEVICE_OBJECT, Irp: w.IRP) -> int:
        assert w.IoGetCurrentIrpStackLocation(Irp).DeviceObject is DeviceObject
        status: int = Socket.Dispatch.WskSendTo(Socket, buffer, 0, simple.address(address, 7000), 0, None, Irp)
        return status

    completions: Completions = []
    status, Irp = hand_down(device(dispatch), completions)
    lab.run()

    assert completions == [(w.STATUS_SUCCESS, 11, status == w.STATUS_PENDING)]
    assert ok(simple.receive_from(far))[0] == b"handed down"
    w.IoFreeIrp(Irp)


@pytest.mark.rule("R-063")
def test_a_routine_in_between_marks_the_irp_pending_again(lab: Lab) -> None:
    near, far = lab.pair()
    memory = bytearray(10)
    trail: list[bool] = []

    def between(DeviceObject: Any, Irp: w.IRP, Context: Any) -> int:
        trail.append(Irp.PendingReturned)
        assert DeviceObject is Context
        if Irp.PendingReturned:
            w.IoMarkIrpPending(Irp)
        return w.STATUS_SUCCESS

    def dispatch(DeviceObject: w.DEVICE_OBJECT, Irp: w.IRP) -> int:
        w.IoSetCompletionRoutine(Irp, between, DeviceObject, True, True, True)
        status: int = near.Dispatch.WskReceive(near, simple.buffer(memory), 0, Irp)
        return status

    completions: Completions = []
    status, _ = hand_down(device(dispatch, w.IRP_MJ_READ), completions, w.IRP_MJ_READ)
    assert (status, completions) == (w.STATUS_PENDING, [])
    ok(simple.send(far, b"data"))

    assert trail == [True]
    assert completions == [(w.STATUS_SUCCESS, 4, True)]


@pytest.mark.rule("R-065")
def test_a_driver_must_not_free_or_reuse_what_was_handed_down(lab: Lab) -> None:
    caught: list[str] = []

    def dispatch(DeviceObject: w.DEVICE_OBJECT, Irp: w.IRP) -> int:
        with pytest.raises(BugCheck) as raised:
            w.IoFreeIrp(Irp)
        caught.append(raised.value.rule)
        with pytest.raises(BugCheck) as raised:
            w.IoReuseIrp(Irp, w.STATUS_SUCCESS)
        caught.append(raised.value.rule)
        Irp.IoStatus.Status = w.STATUS_UNSUCCESSFUL
        w.IofCompleteRequest(Irp, w.IO_NO_INCREMENT)
        return w.STATUS_UNSUCCESSFUL

    completions: Completions = []
    hand_down(device(dispatch), completions)

    assert caught == ["R-065", "R-065"]
    assert completions == [(w.STATUS_UNSUCCESSFUL, 0, False)]


@pytest.mark.rule("R-047", "R-048")
def test_a_routine_may_keep_a_handed_down_irp_and_complete_it_later(lab: Lab) -> None:
    Socket = lab.datagram(lab.near)
    kept: list[w.IRP] = []

    def keep(DeviceObject: Any, Irp: w.IRP, Context: Any) -> int:
        kept.append(Irp)
        return w.STATUS_MORE_PROCESSING_REQUIRED

    def dispatch(DeviceObject: w.DEVICE_OBJECT, Irp: w.IRP) -> int:
        w.IoMarkIrpPending(Irp)
        w.IoSetCompletionRoutine(Irp, keep, None, True, True, True)
        Socket.Dispatch.WskGetLocalAddress(Socket, w.SOCKADDR_IN(), Irp)
        return w.STATUS_PENDING

    completions: Completions = []
    status, Irp = hand_down(device(dispatch), completions)
    assert (status, kept, completions) == (w.STATUS_PENDING, [Irp], [])
    w.IoCompleteRequest(Irp)

    assert completions == [(w.STATUS_SUCCESS, 0, True)]


@pytest.mark.rule("R-044")
def test_a_device_that_reserves_no_location_cannot_pass_the_irp_on(lab: Lab) -> None:
    Socket = lab.datagram(lab.near)

    def dispatch(DeviceObject: w.DEVICE_OBJECT, Irp: w.IRP) -> int:
        status: int = Socket.Dispatch.WskGetLocalAddress(Socket, w.SOCKADDR_IN(), Irp)
        return status

    lower = device(dispatch)
    lower.StackSize = 1
    with pytest.raises(BugCheck, match="R-044"):
        hand_down(lower, [])


@pytest.mark.rule("R-052")
def test_an_irp_from_the_allocator_is_not_initialized_by_hand(lab: Lab) -> None:
    Irp = w.IoAllocateIrp(1, False)
    assert Irp is not None

    with pytest.raises(BugCheck, match="R-052"):
        w.IoInitializeIrp(Irp, w.IoSizeOfIrp(1), 1)


def test_devices_are_stacked_and_the_irp_goes_through_all(lab: Lab) -> None:
    trail: list[str] = []

    def bottom(DeviceObject: w.DEVICE_OBJECT, Irp: w.IRP) -> int:
        trail.append("bottom")
        Irp.IoStatus.Status = w.STATUS_SUCCESS
        Irp.IoStatus.Information = 5
        w.IoCompleteRequest(Irp)
        return w.STATUS_SUCCESS

    lower = device(bottom)
    links: list[Any] = []

    def top(DeviceObject: w.DEVICE_OBJECT, Irp: w.IRP) -> int:
        trail.append("top")
        if len(trail) == 1:
            w.IoCopyCurrentIrpStackLocationToNext(Irp)
        else:
            w.IoSkipCurrentIrpStackLocation(Irp)
        return w.IoCallDriver(links[0], Irp)

    upper = device(top)
    links.append(w.IoAttachDeviceToDeviceStack(upper, lower))
    assert links == [lower]
    assert upper.StackSize == lower.StackSize + 1
    completions: Completions = []
    for _ in range(2):
        hand_down(upper, completions)
    assert trail == ["top", "bottom"] * 2
    assert completions == [(w.STATUS_SUCCESS, 5, False)] * 2

    with pytest.raises(BugCheck, match="while it is attached"):
        w.IoDeleteDevice(lower)
    w.IoDetachDevice(lower)
    with pytest.raises(BugCheck, match="nothing is attached"):
        w.IoDetachDevice(lower)
    w.IoDeleteDevice(lower)
    assert w.IoAttachDeviceToDeviceStack(upper, lower) is None
    with pytest.raises(BugCheck, match="has been deleted"):
        hand_down(lower, [])


def test_what_a_driver_does_not_do_is_an_invalid_request(lab: Lab) -> None:
    completions: Completions = []
    status, _ = hand_down(device(lambda DeviceObject, Irp: 0), completions, w.IRP_MJ_CREATE)

    assert status == w.STATUS_INVALID_DEVICE_REQUEST
    assert completions == [(w.STATUS_INVALID_DEVICE_REQUEST, 0, False)]


@pytest.mark.parametrize("is_slow", [False, True])
def test_forwarding_synchronously_waits_and_gives_the_irp_back(lab: Lab, is_slow: bool) -> None:
    near, far = lab.pair()
    memory = bytearray(4)

    def bottom(DeviceObject: w.DEVICE_OBJECT, Irp: w.IRP) -> int:
        status: int = near.Dispatch.WskReceive(near, simple.buffer(memory), 0, Irp)
        return status

    lower = device(bottom)
    outcomes: list[Any] = []

    def top(DeviceObject: w.DEVICE_OBJECT, Irp: w.IRP) -> int:
        outcomes.append(w.IoForwardIrpSynchronously(lower, Irp))
        outcomes.append(bytes(memory))
        Irp.IoStatus.Information += 100
        w.IoCompleteRequest(Irp)
        return w.STATUS_SUCCESS

    upper = device(top)
    w.IoAttachDeviceToDeviceStack(upper, lower)

    def send(context: Any) -> None:
        if is_slow:
            w.KeDelayExecutionThread(w.KernelMode, False, -10_000_000)
        ok(simple.send(far, b"slow"))

    w.PsCreateSystemThread([], 0, None, None, None, send, None)
    if not is_slow:
        lab.run(0.5)
    completions: Completions = []
    hand_down(upper, completions)

    assert outcomes == [True, b"slow"]
    assert completions == [(w.STATUS_SUCCESS, 104, False)]
    Irp = w.IoAllocateIrp(1, False)
    assert Irp is not None
    w.IoSetNextIrpStackLocation(Irp)
    assert w.IoForwardIrpSynchronously(lower, Irp) is False


def test_devices_of_a_driver_are_a_list_and_may_be_refused(lab: Lab) -> None:
    Driver, found = w.DRIVER_OBJECT(), list[Any]()
    devices: list[w.DEVICE_OBJECT] = []
    for size in (0, 8, 16):
        assert w.IoCreateDevice(Driver, size, "name", w.FILE_DEVICE_UNKNOWN, 0, False, found) == w.STATUS_SUCCESS
        devices += found
    assert [len(one.DeviceExtension or b"") for one in devices] == [0, 8, 16]
    w.IoDeleteDevice(devices[1])
    assert (Driver.DeviceObject, devices[2].NextDevice) == (devices[2], devices[0])
    w.IoDeleteDevice(devices[2])
    assert devices[:1] == [Driver.DeviceObject]
    w.kernel_of(lab.near).allocation_fails = lambda function: function == "IoCreateDevice"
    assert w.IoCreateDevice(Driver, 0, None, 0, 0, False, found) == w.STATUS_INSUFFICIENT_RESOURCES
