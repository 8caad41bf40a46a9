"""What can be done wrong with an IRP (WSK-2)."""

from __future__ import annotations

from typing import Any

from tests.support.wsk_misuse_world import Misuse, World, misuse
from wsknet.wsk import (
    IO_NO_INCREMENT,
    IRP,
    SOCKADDR_IN,
    STATUS_MORE_PROCESSING_REQUIRED,
    STATUS_SUCCESS,
    IoAllocateIrp,
    IoCancelIrp,
    IoCleanupIrp,
    IoCompleteRequest,
    IoFreeIrp,
    IoInitializeIrp,
    IoReuseIrp,
    IoSetCompletionRoutine,
    IoSetNextIrpStackLocation,
    IoSizeOfIrp,
)

TABLE: list[Misuse] = []


def _completed(world: World) -> tuple[Any, IRP]:
    Socket, Irp = world.datagram(), world.irp()
    Socket.Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), Irp)
    assert world.completed[Irp] == [STATUS_SUCCESS]
    return Socket, Irp


@misuse(TABLE, "R-050")
def _an_irp_is_passed_again_without_IoReuseIrp(world: World) -> Any:
    Socket, Irp = _completed(world)
    IoSetCompletionRoutine(Irp, world.routine, None, True, True, True)
    return Socket.Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), Irp)


@misuse(TABLE, "R-045")
def _a_reused_irp_is_passed_without_setting_its_routine_again(world: World) -> Any:
    Socket, Irp = _completed(world)
    IoReuseIrp(Irp, STATUS_SUCCESS)
    return Socket.Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), Irp)


@misuse(TABLE, "R-044")
def _an_irp_is_passed_twice_while_pending(world: World) -> Any:
    near, Irp = world.pending_receive()
    return near.Dispatch.WskReceive(near, world.buffer(bytearray(4)), 0, Irp)


@misuse(TABLE, "R-044")
def _a_pending_irp_is_passed_to_another_socket(world: World) -> Any:
    Irp = world.pending_receive()[1]
    Socket = world.datagram()
    return Socket.Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), Irp)


@misuse(TABLE, "R-060")
def _a_pending_irp_with_locations_left_is_passed_again(world: World) -> Any:
    near, Irp = world.pending_receive(StackSize=3)
    return near.Dispatch.WskReceive(near, world.buffer(bytearray(4)), 0, Irp)


@misuse(TABLE, "R-044")
def _a_handed_down_irp_has_no_location_left(world: World) -> Any:
    Irp = world.irp(StackSize=1)
    IoSetNextIrpStackLocation(Irp)
    Socket = world.datagram()
    try:
        return Socket.Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), Irp)
    finally:
        IoCompleteRequest(Irp, IO_NO_INCREMENT)


@misuse(TABLE, "R-044")
def _an_irp_is_allocated_without_a_location(world: World) -> Any:
    return IoAllocateIrp(0, False)


@misuse(TABLE, "R-065")
def _a_pending_irp_is_freed(world: World) -> Any:
    return IoFreeIrp(world.pending_receive()[1])


@misuse(TABLE, "R-065")
def _a_pending_irp_is_reused(world: World) -> Any:
    return IoReuseIrp(world.pending_receive()[1], STATUS_SUCCESS)


@misuse(TABLE, "R-065")
def _a_handed_down_irp_is_freed(world: World) -> Any:
    Irp = world.irp(StackSize=2)
    IoSetNextIrpStackLocation(Irp)
    try:
        return IoFreeIrp(Irp)
    finally:
        IoCompleteRequest(Irp, IO_NO_INCREMENT)


@misuse(TABLE, "R-049")
def _an_irp_is_freed_twice(world: World) -> Any:
    Irp = world.irp()
    IoFreeIrp(Irp)
    world.irps.remove(Irp)
    return IoFreeIrp(Irp)


@misuse(TABLE, "R-049")
def _a_freed_irp_is_reused(world: World) -> Any:
    Irp = world.irp()
    IoFreeIrp(Irp)
    world.irps.remove(Irp)
    return IoReuseIrp(Irp, STATUS_SUCCESS)


@misuse(TABLE, "R-049")
def _a_freed_irp_is_passed(world: World) -> Any:
    Socket, Irp = world.datagram(), world.irp()
    IoFreeIrp(Irp)
    world.irps.remove(Irp)
    return Socket.Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), Irp)


@misuse(TABLE, "R-060")
def _a_pending_irp_is_completed_by_the_caller(world: World) -> Any:
    Irp = world.pending_receive()[1]
    return IoCompleteRequest(Irp, IO_NO_INCREMENT)


@misuse(TABLE, "R-060")
def _an_irp_is_completed_a_second_time(world: World) -> Any:
    Irp = _completed(world)[1]
    return IoCompleteRequest(Irp, IO_NO_INCREMENT)


@misuse(TABLE, "R-045")
def _an_irp_is_passed_without_a_routine(world: World) -> Any:
    Socket, Irp = world.datagram(), world.irp()
    IoSetCompletionRoutine(Irp, None, None, True, True, True)
    return Socket.Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), Irp)


def _without_flag(world: World, at: int) -> Any:
    flags = [True, True, True]
    flags[at] = False
    Socket, Irp = world.datagram(), world.irp()
    IoSetCompletionRoutine(Irp, world.routine, None, *flags)
    return Socket.Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), Irp)


for _at, _flag in enumerate(("Success", "Error", "Cancel")):
    _name = f"an-irp-is-passed-without-InvokeOn{_flag}"
    TABLE.append(Misuse(_name, "R-045", lambda world, at=_at: _without_flag(world, at), _without_flag))  # type: ignore


@misuse(TABLE, "R-046", is_harmless=True)
def _a_routine_returns_another_status(world: World) -> Any:
    def lets_go(*arguments: object) -> int:
        return STATUS_SUCCESS

    Socket, Irp = world.datagram(), world.irp()
    IoSetCompletionRoutine(Irp, lets_go, None, True, True, True)
    return Socket.Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), Irp)


@misuse(TABLE, "R-046", is_harmless=True)
def _a_routine_returns_another_status_for_a_pending_irp(world: World) -> Any:
    def lets_go(DeviceObject: object, Irp: IRP, Context: object) -> int:
        world.completed[Irp].append(Irp.IoStatus.Status)
        return STATUS_SUCCESS

    near, Irp = world.pending_receive()[0], world.irp()
    IoSetCompletionRoutine(Irp, lets_go, None, True, True, True)
    near.Dispatch.WskReceive(near, world.buffer(bytearray(4)), 0, Irp)
    return IoCancelIrp(Irp)


@misuse(TABLE, "R-063", is_harmless=True)
def _a_handed_down_irp_is_not_marked_pending_again(world: World) -> Any:
    def ours(*arguments: object) -> int:
        return STATUS_SUCCESS

    near, Irp = world.pending_receive()[0], world.irp(StackSize=2)
    IoSetNextIrpStackLocation(Irp)
    IoSetCompletionRoutine(Irp, ours, None, True, True, True)
    near.Dispatch.WskReceive(near, world.buffer(bytearray(4)), 0, Irp)
    try:
        return IoCancelIrp(Irp)
    finally:
        if not world.completed[Irp]:
            IoCompleteRequest(Irp, IO_NO_INCREMENT)


@misuse(TABLE, "R-052")
def _an_allocated_irp_is_initialized(world: World) -> Any:
    return IoInitializeIrp(world.irp(), IoSizeOfIrp(1), 1)


@misuse(TABLE, "R-065")
def _a_pending_irp_of_raw_memory_is_initialized_again(world: World) -> Any:
    near, Irp = world.pending_receive()[0], _raw(world)
    near.Dispatch.WskReceive(near, world.buffer(bytearray(4)), 0, Irp)
    try:
        return IoInitializeIrp(Irp, IoSizeOfIrp(1), 1)
    finally:
        IoCancelIrp(Irp)


def _raw(world: World) -> IRP:
    Irp = IRP()
    IoInitializeIrp(Irp, IoSizeOfIrp(1), 1)
    IoSetCompletionRoutine(Irp, _keeps, None, True, True, True)
    return Irp


def _keeps(*arguments: object) -> int:
    return STATUS_MORE_PROCESSING_REQUIRED


@misuse(TABLE, "WSK-2.1")
def _an_irp_of_raw_memory_is_freed(world: World) -> Any:
    return IoFreeIrp(_raw(world))


@misuse(TABLE, "WSK-2.1")
def _an_allocated_irp_is_cleaned_up(world: World) -> Any:
    return IoCleanupIrp(world.irp())
