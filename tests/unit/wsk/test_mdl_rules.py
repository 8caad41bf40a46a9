"""MDLs: life time, locking, mapping, parts of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wsknet import wsk as w
from wsknet.host import Host
from wsknet.wsk import BugCheck
from wsknet.wsk.mdl import views_of, writable_views_of

pytestmark = pytest.mark.usefixtures("host")


def allocated(memory: Any, length: int | None = None) -> w.MDL:
    Mdl = w.IoAllocateMdl(memory, len(memory) if length is None else length, False, False, None)
    assert Mdl is not None
    return Mdl


def built(memory: Any, length: int | None = None) -> w.MDL:
    Mdl = allocated(memory, length)
    w.MmBuildMdlForNonPagedPool(Mdl)
    return Mdl


@pytest.mark.rule("D-19")
@pytest.mark.parametrize(
    "use",
    [
        w.IoFreeMdl,
        w.MmBuildMdlForNonPagedPool,
        lambda Mdl: w.MmProbeAndLockPages(Mdl, w.KernelMode, w.IoReadAccess),
        w.MmUnlockPages,
        lambda Mdl: w.MmGetSystemAddressForMdlSafe(Mdl, w.NormalPagePriority),
        lambda Mdl: w.MmUnmapLockedPages(bytearray(3), Mdl),
        w.MmPrepareMdlForReuse,
        lambda Mdl: w.IoBuildPartialMdl(built(bytearray(3)), Mdl, bytearray(3), 0),
        lambda Mdl: w.IoBuildPartialMdl(Mdl, allocated(bytearray(3)), bytearray(3), 0),
        lambda Mdl: views_of(w.WSK_BUF(Mdl, 0, 1)),
        lambda Mdl: writable_views_of(w.WSK_BUF(Mdl, 0, 1)),
    ],
)
def test_an_mdl_is_not_used_after_it_was_freed(use: Callable[[w.MDL], object]) -> None:
    Mdl = built(bytearray(3))
    w.IoFreeMdl(Mdl)

    with pytest.raises(BugCheck):
        use(Mdl)


def test_freeing_one_element_leaves_the_rest_of_the_chain() -> None:
    first, second = built(bytearray(b"ab")), built(bytearray(b"cd"))
    first.Next = second
    w.IoFreeMdl(first)

    assert bytes(w.MmGetSystemAddressForMdlSafe(second, 0)) == b"cd"


def test_pages_are_locked_once_and_unlocked_before_the_mdl_goes() -> None:
    Mdl = allocated(bytearray(b"abc"))
    with pytest.raises(BugCheck, match="not locked"):
        w.MmUnlockPages(Mdl)
    w.MmProbeAndLockPages(Mdl, w.KernelMode, w.IoModifyAccess)
    with pytest.raises(BugCheck, match="locked already"):
        w.MmProbeAndLockPages(Mdl, w.KernelMode, w.IoModifyAccess)
    with pytest.raises(BugCheck, match="still locked"):
        w.IoFreeMdl(Mdl)
    assert b"".join(views_of(w.WSK_BUF(Mdl, 0, 3))) == b"abc"
    w.MmUnlockPages(Mdl)
    w.MmProbeAndLockPages(Mdl, w.KernelMode, w.IoReadAccess)
    w.MmUnlockPages(Mdl)
    w.IoFreeMdl(Mdl)


@pytest.mark.parametrize("Operation", [w.IoWriteAccess, w.IoModifyAccess])
def test_locking_for_writing_raises_where_nothing_can_be_written(Operation: int) -> None:
    Mdl = allocated(b"abc")
    with pytest.raises(w.EXCEPTION) as raised:
        w.MmProbeAndLockPages(Mdl, w.KernelMode, Operation)
    assert raised.value.ExceptionCode == w.STATUS_ACCESS_VIOLATION
    assert Mdl.MdlFlags == 0
    w.MmProbeAndLockPages(Mdl, w.KernelMode, w.IoReadAccess)


def test_mapping_locked_pages_may_fail_and_comes_before_unmapping(host: Host) -> None:
    Mdl = allocated(bytearray(b"abc"))
    w.MmProbeAndLockPages(Mdl, w.KernelMode, w.IoReadAccess)
    functions: list[str] = []

    def refuse(function: str) -> bool:
        functions.append(function)
        return True

    w.kernel_of(host).allocation_fails = refuse
    assert w.MmGetSystemAddressForMdlSafe(Mdl, w.NormalPagePriority) is None
    assert w.MmMapLockedPagesSpecifyCache(Mdl, w.KernelMode, w.MmCached, None, 0, 0) is None
    assert functions == ["MmGetSystemAddressForMdlSafe", "MmMapLockedPagesSpecifyCache"]
    w.kernel_of(host).allocation_fails = None
    with pytest.raises(BugCheck, match="not mapped"):
        w.MmUnmapLockedPages(bytearray(3), Mdl)

    address = w.MmMapLockedPagesSpecifyCache(Mdl, w.KernelMode, w.MmCached, None, 0, w.NormalPagePriority)
    address[:1] = b"x"
    w.kernel_of(host).allocation_fails = refuse
    assert bytes(w.MmGetSystemAddressForMdlSafe(Mdl, 0)) == b"xbc"
    w.MmUnmapLockedPages(address, Mdl)
    assert Mdl.MdlFlags == w.MDL_PAGES_LOCKED


def test_an_mdl_in_memory_of_its_own() -> None:
    Mdl = w.MDL(None, 0)
    assert w.MmSizeOfMdl(None, 4097) - w.MmSizeOfMdl(None, 4096) == 8
    w.MmInitializeMdl(Mdl, bytearray(b"abc"), 2)
    w.MmBuildMdlForNonPagedPool(Mdl)
    assert b"".join(views_of(w.WSK_BUF(Mdl, 0, 2))) == b"ab"
    with pytest.raises(BugCheck, match="PAGE_FAULT"):
        w.MmInitializeMdl(Mdl, bytearray(3), 4)


@pytest.mark.rule("R-348")
def test_a_partial_mdl_ends_with_its_source_and_not_with_the_memory() -> None:
    memory = bytearray(b"abcdefgh")
    source, target = built(memory, 6), allocated(None, 6)
    address = memoryview(w.MmGetMdlVirtualAddress(source))
    w.IoBuildPartialMdl(source, target, address[2:], 0)
    assert b"".join(views_of(w.WSK_BUF(target, 0, 4))) == b"cdef"
    with pytest.raises(BugCheck, match="R-348"):
        views_of(w.WSK_BUF(target, 4, 1))

    w.MmPrepareMdlForReuse(target)
    w.IoBuildPartialMdl(source, target, address[1:], 2)
    assert bytes(w.MmGetSystemAddressForMdlSafe(target, 0)) == b"bc"
    for place, length in ((address[5:], 2), (address[7:], 0), (bytearray(8), 1)):
        with pytest.raises(BugCheck, match="are no part of"):
            w.IoBuildPartialMdl(source, target, place, length)


def test_a_partial_mdl_needs_a_source_that_is_built_and_room_for_its_pages() -> None:
    memory = bytearray(3 * 4096)
    target = allocated(None, 4096)
    with pytest.raises(BugCheck, match="not locked, not built"):
        w.IoBuildPartialMdl(allocated(memory), target, memory, 1)
    with pytest.raises(BugCheck, match="TARGET_MDL_TOO_SMALL"):
        w.IoBuildPartialMdl(built(memory), target, memory, 4097)


def test_a_mapped_target_is_prepared_before_it_is_used_again() -> None:
    memory = bytearray(b"abcd")
    source, target = allocated(memory), allocated(None, 4)
    w.MmProbeAndLockPages(source, w.KernelMode, w.IoReadAccess)
    w.IoBuildPartialMdl(source, target, memory, 2)
    assert bytes(w.MmGetSystemAddressForMdlSafe(target, 0)) == b"ab"
    with pytest.raises(BugCheck, match="MmPrepareMdlForReuse comes first"):
        w.IoBuildPartialMdl(source, target, memory, 2)
    w.MmPrepareMdlForReuse(target)
    w.IoBuildPartialMdl(source, target, memoryview(memory)[2:], 2)
    assert bytes(w.MmGetSystemAddressForMdlSafe(target, 0)) == b"cd"
