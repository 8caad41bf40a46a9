"""A program that releases a memoryview of memory, not the memory, takes nothing from a request that has it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import FAR, FAR6, PORT, Lab, ok, start
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IP_PKTINFO,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_PKTINFO,
    STATUS_SUCCESS,
    WSK_FLAG_CONNECTION_SOCKET,
    IoAllocateMdl,
    KernelMode,
    MmCached,
    MmGetSystemAddressForMdlSafe,
    MmMapLockedPagesSpecifyCache,
    MmProbeAndLockPages,
    NormalPagePriority,
    simple,
)
from wsknet.wsk.mdl import IoWriteAccess

FAMILIES = pytest.mark.parametrize(
    ("family", "wildcard", "peer"), [(AF_INET, "0.0.0.0", FAR), (AF_INET6, "::", FAR6)], ids=["ipv4", "ipv6"]
)


def views(*sizes: int) -> tuple[list[bytearray], list[memoryview]]:
    memories = [bytearray(size) for size in sizes]
    return memories, [memoryview(memory) for memory in memories]


@pytest.mark.rule("R-352")
@FAMILIES
def test_out_parameters_of_a_receive_that_pends(lab: Lab, family: int, wildcard: str, peer: str) -> None:
    Socket = lab.datagram(lab.far, PORT, wildcard, AddressFamily=family)
    Level, option = (IPPROTO_IP, IP_PKTINFO) if family == AF_INET else (IPPROTO_IPV6, IPV6_PKTINFO)
    ok(simple.set_option(Socket, Level, option, 1))
    memories, out = views(28, 4, 64, 4)
    out[1][0] = 64
    data = bytearray(8)
    request = start(Socket.Dispatch.WskReceiveFrom, Socket, simple.buffer(data), 0, *out)
    for view in out:
        view.release()
    near = lab.datagram(lab.near, 5000, wildcard, AddressFamily=family)
    ok(simple.send_to(near, b"too long by far", simple.address(peer, PORT)))
    lab.run(1)

    assert (request.status, bytes(data)) == (STATUS_SUCCESS, b"too long")
    RemoteAddress, ControlLength, ControlInfo, ControlFlags = memories
    assert RemoteAddress[2:4] == (5000).to_bytes(2, "big")
    assert any(ControlInfo[: ControlLength[0]])
    assert ControlFlags == b"\0\1\0\0"  # MSG_TRUNC


@pytest.mark.rule("R-146", "R-352")
@FAMILIES
def test_addresses_of_an_accept_that_pends(lab: Lab, family: int, wildcard: str, peer: str) -> None:
    listener = lab.listener(wildcard, AddressFamily=family)
    memories, out = views(28, 28)
    request = start(listener.Dispatch.WskAccept, listener, 0, None, None, *out)
    for view in out:
        view.release()
    near = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, wildcard, 5000, AddressFamily=family)
    ok(simple.connect(near, simple.address(peer, PORT)))
    lab.run(1)

    assert request.status == STATUS_SUCCESS
    assert [bytes(memory[2:4]) for memory in memories] == [port.to_bytes(2, "big") for port in (PORT, 5000)]


def locked(memory: bytearray) -> Any:
    Mdl = IoAllocateMdl(memory, len(memory), False, False, None)
    assert Mdl is not None
    MmProbeAndLockPages(Mdl, KernelMode, IoWriteAccess)
    return Mdl


@pytest.mark.rule("R-200")
@pytest.mark.parametrize(
    "look",
    [
        lambda Mdl: MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority),
        lambda Mdl: MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, None, False, NormalPagePriority),
    ],
    ids=["MmGetSystemAddressForMdlSafe", "MmMapLockedPagesSpecifyCache"],
)
def test_the_address_of_an_mdl_is_the_callers_own(lab: Lab, look: Any) -> None:
    near, far = lab.pair()
    Buffer = simple.buffer(bytearray(4))
    Buffer.Mdl = locked(bytearray(b"data"))
    for _ in range(2):
        with look(Buffer.Mdl) as memory:
            assert memory == b"data"
    request = start(near.Dispatch.WskSend, near, Buffer, 0)
    look(Buffer.Mdl).release()
    lab.run(1)

    assert request.status == STATUS_SUCCESS
    assert ok(simple.receive(far)) == b"data"
