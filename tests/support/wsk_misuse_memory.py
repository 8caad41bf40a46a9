"""What can be done wrong with memory: buffers of requests, MDLs, pool (WSK-2.6, 9.17)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.wsk_lab import FAR
from tests.support.wsk_misuse_world import Misuse, World, misuse
from wsknet.wsk import (
    MDL,
    SOCKADDR_IN,
    WSK_BUF,
    WSK_BUF_LIST,
    WSK_FLAG_WAITALL,
    ExAllocatePoolWithTag,
    ExFreePool,
    ExFreePoolWithTag,
    IoAllocateMdl,
    IoAllocateWorkItem,
    IoCancelIrp,
    IoFreeMdl,
    IoFreeWorkItem,
    IoReadAccess,
    KernelMode,
    MmBuildMdlForNonPagedPool,
    MmGetSystemAddressForMdlSafe,
    MmProbeAndLockPages,
    MmUnlockPages,
    NonPagedPoolNx,
    NormalPagePriority,
    RtlCopyMemory,
    RtlFillMemory,
    simple,
)

TABLE: list[Misuse] = []
TAG = 0x6573696D


# Memory that is lent


@misuse(TABLE, "R-351", is_harmless=True)
def _memory_is_written_while_a_send_has_it(world: World) -> Any:
    near, memory, Irp = world.connect()[0], bytearray(b"data"), world.irp()
    near.Dispatch.WskSend(near, world.buffer(memory), 0, Irp)
    memory[0] ^= 1
    world.lab.network.run_for(1)


@misuse(TABLE, "R-351", is_harmless=True)
def _memory_is_written_while_a_disconnect_has_it(world: World) -> Any:
    near, memory, Irp = world.connect()[0], bytearray(b"data"), world.irp()
    near.Dispatch.WskDisconnect(near, world.buffer(memory), 0, Irp)
    world.pairs = [pair for pair in world.pairs if near not in pair]
    memory[0] ^= 1
    world.lab.network.run_for(1)


@misuse(TABLE, "R-351", is_harmless=True)
def _memory_is_written_while_a_connect_has_it(world: World) -> Any:
    port, memory = world.port(), bytearray(b"data")
    world.note(world.lab.listener(port=port))
    near = world.bound(2)
    near.Dispatch.WskConnectEx(near, simple.address(FAR, port), world.buffer(memory), 0, world.irp())
    memory[0] ^= 1
    world.lab.network.run_for(1)


@misuse(TABLE, "R-351", is_harmless=True)
def _memory_is_written_while_a_receive_has_it(world: World) -> Any:
    memory = bytearray(4)
    Irp = world.pending_receive(world.buffer(memory))[1]
    memory[2] ^= 1
    return IoCancelIrp(Irp)


@misuse(TABLE, "R-351", is_harmless=True)
def _memory_is_written_before_a_receive_is_filled(world: World) -> Any:
    near, far = world.connect()
    memory, Irp = bytearray(4), world.irp()
    near.Dispatch.WskReceive(near, world.buffer(memory), 0, Irp)
    memory[3] ^= 1
    far.Dispatch.WskSend(far, world.buffer(b"data"), 0, world.irp())
    world.lab.network.run_for(1)


@misuse(TABLE, "R-351", is_harmless=True)
def _memory_is_written_while_waitall_has_filled_a_part(world: World) -> Any:
    """More than it leaves in the connection, so that some has been written by the subsystem."""
    near, far = world.connect()
    memory, Irp = bytearray(400_000), world.irp()
    near.Dispatch.WskReceive(near, world.buffer(memory), WSK_FLAG_WAITALL, Irp)
    far.Dispatch.WskSend(far, world.buffer(b"x" * 300_000), 0, world.irp())
    world.lab.network.run_for(5)
    assert (memory[0], memory[-1], world.completed[Irp]) == (ord("x"), 0, [])
    memory[-1] ^= 1
    return IoCancelIrp(Irp)


@misuse(TABLE, "R-351", is_harmless=True)
def _memory_is_written_while_a_datagram_receive_has_it(world: World) -> Any:
    memory = bytearray(4)
    Irp = world.pending_receive_from(world.buffer(memory))
    memory[0] ^= 1
    return IoCancelIrp(Irp)


def _built(world: World) -> MDL:
    world.buffer(bytearray(4))
    return world.mdls[-1]


def _lent(world: World, Buffer: WSK_BUF) -> Callable[[], object]:
    """A receive has it until the returned function is called."""
    Irp = world.pending_receive(Buffer)[1]
    return lambda: IoCancelIrp(Irp)


@misuse(TABLE, "R-351", is_harmless=True)
def _an_mdl_is_freed_while_a_receive_has_it(world: World) -> Any:
    Mdl = _built(world)
    _lent(world, WSK_BUF(Mdl, 0, 4))
    return IoFreeMdl(Mdl)


@misuse(TABLE, "R-351", is_harmless=True)
def _a_later_mdl_of_a_chain_is_freed_while_a_receive_has_it(world: World) -> Any:
    first, second = _built(world), _built(world)
    first.Next = second
    _lent(world, WSK_BUF(first, 0, 8))
    return IoFreeMdl(second)


@misuse(TABLE, "R-351", is_harmless=True)
def _pages_are_unlocked_while_a_receive_has_them(world: World) -> Any:
    Mdl = world.mdl(bytearray(4))
    MmProbeAndLockPages(Mdl, KernelMode, IoReadAccess)
    give_back = _lent(world, WSK_BUF(Mdl, 0, 4))
    try:
        return MmUnlockPages(Mdl)
    finally:
        give_back()
        if Mdl.MdlFlags & 2:
            MmUnlockPages(Mdl)


@misuse(TABLE, "R-351", is_harmless=True)
def _pool_is_freed_while_a_receive_has_it(world: World) -> Any:
    memory = ExAllocatePoolWithTag(NonPagedPoolNx, 4, TAG)
    assert memory is not None
    give_back = _lent(world, world.buffer(memory))
    try:
        ExFreePoolWithTag(memory, TAG)
    except Exception:
        give_back()
        ExFreePoolWithTag(memory, TAG)
        raise


@misuse(TABLE, "R-351", is_harmless=True)
def _pool_is_freed_while_a_send_has_a_part_of_it(world: World) -> Any:
    memory = ExAllocatePoolWithTag(NonPagedPoolNx, 16, TAG)
    assert memory is not None
    near, Buffer = world.connect()[0], world.buffer(memoryview(memory)[4:])
    near.Dispatch.WskSend(near, Buffer, 0, world.irp())
    try:
        ExFreePool(memory)
    except Exception:
        world.lab.run()
        ExFreePool(memory)
        raise


# Buffers that are none


def _send(world: World, Buffer: WSK_BUF) -> Any:
    near = world.connection()
    return near.Dispatch.WskSend(near, Buffer, 0, world.irp())


def _receive(world: World, Buffer: WSK_BUF) -> Any:
    near = world.connection()
    return near.Dispatch.WskReceive(near, Buffer, 0, world.irp())


def _disconnect(world: World, Buffer: WSK_BUF) -> Any:
    near = world.connection()
    return near.Dispatch.WskDisconnect(near, Buffer, 0, world.irp())


def _connect_ex(world: World, Buffer: WSK_BUF) -> Any:
    near = world.fresh(2)
    return near.Dispatch.WskConnectEx(near, simple.address(FAR, 9), Buffer, 0, world.irp())


def _send_to(world: World, Buffer: WSK_BUF) -> Any:
    Socket = world.datagram()
    return Socket.Dispatch.WskSendTo(Socket, Buffer, 0, simple.address(FAR, 9), 0, None, world.irp())


def _send_messages(world: World, Buffer: WSK_BUF) -> Any:
    Socket, Messages = world.datagram(), WSK_BUF_LIST(WSK_BUF_LIST(None, Buffer), world.buffer(b"good"))
    return Socket.Dispatch.WskSendMessages(Socket, Messages, 0, simple.address(FAR, 9), 0, None, world.irp())


def _receive_from(world: World, Buffer: WSK_BUF) -> Any:
    Socket = world.datagram()
    return Socket.Dispatch.WskReceiveFrom(Socket, Buffer, 0, None, None, None, None, world.irp())


def _unbuilt(world: World) -> MDL:
    return world.mdl(bytearray(4))


def _freed(world: World) -> MDL:
    Mdl = _built(world)
    IoFreeMdl(Mdl)
    world.mdls.remove(Mdl)
    return Mdl


BAD: dict[str, tuple[str, Callable[[World], WSK_BUF]]] = {
    "a Length beyond the chain": ("D-19", lambda world: WSK_BUF(_built(world), 0, 5)),
    "a Length beyond the chain from its Offset": ("D-19", lambda world: WSK_BUF(_built(world), 3, 2)),
    "an Offset behind the first MDL": ("R-348", lambda world: WSK_BUF(_built(world), 4, 1)),
    "no MDL": ("D-19", lambda world: WSK_BUF(None, 0, 1)),
    "an MDL that is not built": ("WSK-7", lambda world: WSK_BUF(_unbuilt(world), 0, 4)),
    "a freed MDL": ("WSK-7", lambda world: WSK_BUF(_freed(world), 0, 4)),
}
TAKERS = (_send, _receive, _disconnect, _connect_ex, _send_to, _send_messages, _receive_from)


def _taking(take: Callable[[World, WSK_BUF], Any], make: Callable[[World], WSK_BUF]) -> Callable[[World], Any]:
    return lambda world: take(world, make(world))


for _what, (_rule, _make) in BAD.items():
    for _take in TAKERS:
        _name = f"{_take.__name__[1:].replace('_', '-')}-with-{_what.replace(' ', '-')}"
        TABLE.append(Misuse(_name, _rule, _taking(_take, _make), _take))
for _take in (_receive, _receive_from):
    _name = f"{_take.__name__[1:].replace('_', '-')}-into-memory-that-cannot-be-written"
    TABLE.append(Misuse(_name, "D-19", _taking(_take, lambda world: world.buffer(b"only")), _take))


@misuse(TABLE, "R-352")
def _an_address_buffer_is_too_short_for_the_local_address(world: World) -> Any:
    Socket = world.datagram()
    return Socket.Dispatch.WskGetLocalAddress(Socket, bytearray(SOCKADDR_IN.SIZE - 1), world.irp())


@misuse(TABLE, "R-352")
def _an_address_buffer_is_too_short_for_the_remote_address(world: World) -> Any:
    near = world.connection()
    return near.Dispatch.WskGetRemoteAddress(near, bytearray(8), world.irp())


@misuse(TABLE, "R-352")
def _an_address_buffer_is_too_short_for_WskAccept(world: World) -> Any:
    Socket = world.listener()
    return Socket.Dispatch.WskAccept(Socket, 0, None, None, None, bytearray(8), world.irp())


@misuse(TABLE, "R-352")
def _an_address_buffer_is_too_short_for_WskReceiveFrom(world: World) -> Any:
    Socket = world.datagram()
    buffer = world.buffer(bytearray(4))
    return Socket.Dispatch.WskReceiveFrom(Socket, buffer, 0, bytearray(8), None, None, None, world.irp())


# MDLs, pool, work items


@misuse(TABLE, "D-19")
def _an_mdl_is_freed_twice(world: World) -> Any:
    return IoFreeMdl(_freed(world))


@misuse(TABLE, "D-19")
def _a_freed_mdl_is_built(world: World) -> Any:
    return MmBuildMdlForNonPagedPool(_freed(world))


@misuse(TABLE, "D-19")
def _an_mdl_of_locked_pages_is_freed(world: World) -> Any:
    Mdl = _unbuilt(world)
    MmProbeAndLockPages(Mdl, KernelMode, IoReadAccess)
    try:
        return IoFreeMdl(Mdl)
    finally:
        MmUnlockPages(Mdl)


@misuse(TABLE, "D-19")
def _pages_are_locked_twice(world: World) -> Any:
    Mdl = _unbuilt(world)
    MmProbeAndLockPages(Mdl, KernelMode, IoReadAccess)
    try:
        return MmProbeAndLockPages(Mdl, KernelMode, IoReadAccess)
    finally:
        MmUnlockPages(Mdl)


@misuse(TABLE, "D-19")
def _pages_are_unlocked_that_are_not_locked(world: World) -> Any:
    return MmUnlockPages(_unbuilt(world))


@misuse(TABLE, "WSK-7")
def _an_mdl_is_mapped_before_it_is_built(world: World) -> Any:
    return MmGetSystemAddressForMdlSafe(_unbuilt(world), NormalPagePriority)


@misuse(TABLE, "D-19")
def _an_mdl_is_longer_than_its_memory(world: World) -> Any:
    return IoAllocateMdl(bytearray(4), 5, False, False, None)


@misuse(TABLE, "D-19")
def _pool_is_freed_twice(world: World) -> Any:
    memory = ExAllocatePoolWithTag(NonPagedPoolNx, 4, TAG)
    assert memory is not None
    ExFreePool(memory)
    return ExFreePool(memory)


@misuse(TABLE, "D-19")
def _pool_is_freed_with_another_tag(world: World) -> Any:
    memory = ExAllocatePoolWithTag(NonPagedPoolNx, 4, TAG)
    assert memory is not None
    try:
        return ExFreePoolWithTag(memory, TAG + 1)
    finally:
        ExFreePoolWithTag(memory, TAG)


@misuse(TABLE, "D-19")
def _memory_that_is_no_pool_is_freed(world: World) -> Any:
    return ExFreePoolWithTag(bytearray(4), TAG)


@misuse(TABLE, "D-19")
def _pool_is_allocated_without_a_tag(world: World) -> Any:
    return ExAllocatePoolWithTag(NonPagedPoolNx, 4, 0)


@misuse(TABLE, "D-19")
def _more_is_copied_than_there_is(world: World) -> Any:
    return RtlCopyMemory(bytearray(4), bytes(8), 8)


@misuse(TABLE, "D-19")
def _memory_is_filled_that_cannot_be_written(world: World) -> Any:
    return RtlFillMemory(b"only", 4, 0)


@misuse(TABLE, "D-19")
def _a_work_item_is_freed_twice(world: World) -> Any:
    WorkItem = IoAllocateWorkItem(None)
    assert WorkItem is not None
    IoFreeWorkItem(WorkItem)
    return IoFreeWorkItem(WorkItem)
