"""MDLs by their flags, their books, and misuse with its code."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from wsknet import wsk as w
from wsknet.host import Host
from wsknet.wsk import BugCheck
from wsknet.wsk.mdl import mdl_of, views_of, writable_views_of

pytestmark = pytest.mark.usefixtures("host")

TARGET_MDL_TOO_SMALL, PFN_LIST_CORRUPT = 0x40, 0x4E
PAGE_FAULT, READONLY = 0x50, 0xBE
BUILT = w.MDL_SOURCE_IS_NONPAGED_POOL | w.MDL_MAPPED_TO_SYSTEM_VA


def allocated(memory: Any, length: int | None = None) -> w.MDL:
    Mdl = w.IoAllocateMdl(memory, len(memory) if length is None else length, False, False, None)
    assert Mdl is not None
    return Mdl


def built(memory: Any, length: int | None = None) -> w.MDL:
    Mdl = allocated(memory, length)
    w.MmBuildMdlForNonPagedPool(Mdl)
    return Mdl


def locked(memory: Any) -> w.MDL:
    Mdl = allocated(memory)
    lock(Mdl)
    return Mdl


def lock(Mdl: w.MDL) -> None:
    w.MmProbeAndLockPages(Mdl, w.KernelMode, w.IoReadAccess)


def partial(source: w.MDL) -> w.MDL:
    target = allocated(None, source.ByteCount)
    w.IoBuildPartialMdl(source, target, w.MmGetMdlVirtualAddress(source), 0)
    return target


def chain(*elements: w.MDL) -> w.MDL:
    for one, following in pairwise(elements):
        one.Next = following
    return elements[0]


def mapped_partial() -> w.MDL:
    target = partial(locked(bytearray(4)))
    w.MmGetSystemAddressForMdlSafe(target, w.NormalPagePriority)
    return target


def reuse_while_mapped() -> None:
    memory = bytearray(4)
    w.IoBuildPartialMdl(built(memory), mapped_partial(), memory, 0)


MISUSE: dict[str, tuple[int, str, Callable[[], object]]] = {
    "source not built": (PAGE_FAULT, "D-19", lambda: partial(allocated(bytearray(4)))),
    "no part": (PAGE_FAULT, "D-19", lambda: w.IoBuildPartialMdl(built(bytearray(4)), built(b"abcd"), bytearray(4), 1)),
    "target too small": (
        TARGET_MDL_TOO_SMALL,
        "D-19",
        lambda: w.IoBuildPartialMdl(source := built(bytearray(8192)), allocated(None, 1), source.StartVa, 4097),
    ),
    "target still mapped": (PFN_LIST_CORRUPT, "D-19", reuse_while_mapped),
    "freed while locked": (PFN_LIST_CORRUPT, "D-19", lambda: w.IoFreeMdl(locked(bytearray(4)))),
    "locked twice": (PFN_LIST_CORRUPT, "D-19", lambda: lock(locked(bytearray(4)))),
    "locked when it is built": (PFN_LIST_CORRUPT, "D-19", lambda: lock(built(bytearray(4)))),
    "a part is locked": (PFN_LIST_CORRUPT, "D-19", lambda: lock(partial(locked(bytearray(4))))),
    "unlocked, but not locked": (PFN_LIST_CORRUPT, "D-19", lambda: w.MmUnlockPages(allocated(bytearray(4)))),
    "unmapped, but not mapped": (
        PFN_LIST_CORRUPT,
        "D-19",
        lambda: w.MmUnmapLockedPages(bytearray(4), locked(bytearray(4))),
    ),
    "mapped, but not locked": (PAGE_FAULT, "WSK-7", lambda: w.MmGetSystemAddressForMdlSafe(allocated(bytearray(4)), 0)),
    "beyond the chain": (
        PAGE_FAULT,
        "D-19",
        lambda: views_of(w.WSK_BUF(chain(built(b"abcd"), built(b"ef")), 2, 5)),
    ),
    "no chain": (PAGE_FAULT, "D-19", lambda: views_of(w.WSK_BUF(None, 0, 1))),
    "negative offset": (PAGE_FAULT, "D-19", lambda: views_of(w.WSK_BUF(built(b"abcd"), -1, 2))),
    "negative length": (PAGE_FAULT, "D-19", lambda: views_of(w.WSK_BUF(built(b"abcd"), 0, -1))),
    "behind the first": (
        PAGE_FAULT,
        "R-348",
        lambda: views_of(w.WSK_BUF(chain(built(b"abcd"), built(b"ef")), 4, 1)),
    ),
    "a later one not built": (
        PAGE_FAULT,
        "WSK-7",
        lambda: views_of(w.WSK_BUF(chain(built(b"abcd"), allocated(b"ef")), 0, 5)),
    ),
    "received into what is constant": (READONLY, "D-19", lambda: writable_views_of(w.WSK_BUF(built(b"abcd"), 0, 1))),
}


@pytest.mark.rule("D-19", "R-348")
@pytest.mark.parametrize("name", MISUSE)
def test_misuse_of_an_mdl_has_its_rule_and_the_code_of_windows(name: str) -> None:
    code, rule, misuse = MISUSE[name]
    with pytest.raises(BugCheck) as stop:
        misuse()

    assert (stop.value.code, stop.value.rule) == (code, rule)


@pytest.mark.parametrize(
    ("offset", "length", "told"),
    [(2, 5, "3 bytes beyond the MDL chain"), (-1, 2, "offset -1 and length 2"), (0, -1, "offset 0 and length -1")],
)
def test_the_report_tells_what_is_wrong_with_a_buffer(offset: int, length: int, told: str) -> None:
    with pytest.raises(BugCheck, match=told):
        views_of(w.WSK_BUF(built(b"abcd"), offset, length))


def test_a_part_of_built_memory_needs_no_mapping(host: Host) -> None:
    target = partial(built(bytearray(b"abcd")))
    w.kernel_of(host).allocation_fails = lambda function: True

    assert target.MdlFlags == w.MDL_PARTIAL | BUILT
    assert bytes(w.MmGetSystemAddressForMdlSafe(target, w.NormalPagePriority)) == b"abcd"


def test_mapping_is_noted_in_the_flags() -> None:
    whole, part = locked(bytearray(4)), mapped_partial()
    w.MmGetSystemAddressForMdlSafe(whole, w.NormalPagePriority)
    assert whole.MdlFlags == w.MDL_PAGES_LOCKED | w.MDL_MAPPED_TO_SYSTEM_VA
    assert part.MdlFlags == w.MDL_PARTIAL | w.MDL_PARTIAL_HAS_BEEN_MAPPED | w.MDL_MAPPED_TO_SYSTEM_VA
    w.MmPrepareMdlForReuse(part)
    assert part.MdlFlags == w.MDL_PARTIAL


@pytest.mark.parametrize("make", [built, locked])
def test_preparing_for_reuse_leaves_what_is_no_part_as_it_is(make: Callable[[bytearray], w.MDL]) -> None:
    Mdl = make(bytearray(4))
    w.MmGetSystemAddressForMdlSafe(Mdl, w.NormalPagePriority)
    before = Mdl.MdlFlags
    w.MmPrepareMdlForReuse(Mdl)

    assert Mdl.MdlFlags == before


def test_a_part_at_the_very_end_is_empty() -> None:
    memory = bytearray(b"abcd")
    target = allocated(None, 4)
    w.IoBuildPartialMdl(built(memory), target, memoryview(memory)[4:], 0)

    assert w.MmGetMdlByteCount(target) == 0
    assert bytes(w.MmGetSystemAddressForMdlSafe(target, w.NormalPagePriority)) == b""


def test_a_piece_of_a_chain_begins_and_ends_within_elements() -> None:
    Buffer = w.WSK_BUF(chain(built(bytearray(b"abcd")), built(bytearray(b"ef")), built(bytearray(b"ghi"))), 2, 5)

    assert [bytes(view) for view in writable_views_of(Buffer)] == [b"cd", b"ef", b"g"]


def test_an_mdl_of_the_subsystem_is_built_and_can_only_be_read(host: Host) -> None:
    Mdl = mdl_of(b"received")
    w.kernel_of(host).allocation_fails = lambda function: True
    address = w.MmGetSystemAddressForMdlSafe(Mdl, w.NormalPagePriority)

    assert (bytes(address), address.readonly) == (b"received", True)
    assert (w.MmGetMdlByteCount(Mdl), w.MmGetMdlVirtualAddress(Mdl), Mdl.Next) == (8, b"received", None)
    assert Mdl.MdlFlags == BUILT
    assert w.kernel_of(host).leaks() == []


def test_a_freed_mdl_leaves_the_books(host: Host) -> None:
    first, second = built(bytearray(4)), allocated(bytearray(4))
    w.IoFreeMdl(first)
    assert len(w.kernel_of(host).leaks()) == 1
    w.IoFreeMdl(second)
    assert w.kernel_of(host).leaks() == []


@pytest.mark.parametrize("is_verified_in_the_end", [False, True])
def test_the_verifier_may_come_and_go_while_there_are_mdls(host: Host, is_verified_in_the_end: bool) -> None:
    w.verify(host, not is_verified_in_the_end)
    Mdl, other = locked(bytearray(4)), w.MDL(None, 0)
    w.MmInitializeMdl(other, bytearray(4), 4)
    w.verify(host, is_verified_in_the_end)
    w.MmUnlockPages(Mdl)
    w.IoFreeMdl(Mdl)
    w.IoFreeMdl(other)

    assert w.kernel_of(host).leaks() == []


def test_an_mdl_that_is_built_while_its_pages_are_locked_stays_locked() -> None:
    Mdl = locked(bytearray(4))
    w.MmBuildMdlForNonPagedPool(Mdl)
    with pytest.raises(BugCheck) as stop:
        w.IoFreeMdl(Mdl)
    assert stop.value.code == PFN_LIST_CORRUPT
    w.MmUnlockPages(Mdl)
    w.IoFreeMdl(Mdl)


def test_without_secondary_buffer_the_new_mdl_takes_the_place_of_the_old() -> None:
    Irp = w.IoAllocateIrp(1, False)
    assert Irp is not None
    first = w.IoAllocateMdl(bytearray(4), 4, True, False, Irp)
    assert Irp.MdlAddress is first
    second = w.IoAllocateMdl(bytearray(4), 4, False, False, Irp)
    assert Irp.MdlAddress is second
    assert first is not None
    assert second is not None
    assert first.Next is None
    for Mdl in (first, second):
        w.IoFreeMdl(Mdl)
    w.IoFreeIrp(Irp)
