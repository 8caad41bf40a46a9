"""Memory descriptor lists: what a WSK_BUF points to.

A virtual address is a buffer object (bytearray, memoryview, bytes for memory that is only read); address + n is
``memoryview(buffer)[n:]``.  Whatever an MDL describes is lent, not copied: a bytearray cannot change its size while a
request holds it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from wsknet.wsk.bug_codes import PFN_LIST_CORRUPT, TARGET_MDL_TOO_SMALL
from wsknet.wsk.bugcheck import (
    ATTEMPTED_WRITE_TO_READONLY_MEMORY,
    PAGE_FAULT_IN_NONPAGED_AREA,
    BugCheck,
    place_of_caller,
)
from wsknet.wsk.exceptions import EXCEPTION
from wsknet.wsk.irp import IRP
from wsknet.wsk.kernel import current_kernel
from wsknet.wsk.pointers import ODD, require_kind, require_number, wild
from wsknet.wsk.status import STATUS_ACCESS_VIOLATION
from wsknet.wsk.structures import WSK_BUF
from wsknet.wsk.verifier import checked

__all__ = [
    "MDL",
    "MDL_MAPPED_TO_SYSTEM_VA",
    "MDL_PAGES_LOCKED",
    "MDL_PARTIAL",
    "MDL_PARTIAL_HAS_BEEN_MAPPED",
    "MDL_SOURCE_IS_NONPAGED_POOL",
    "PAGE_SIZE",
    "HighPagePriority",
    "IoAllocateMdl",
    "IoBuildPartialMdl",
    "IoFreeMdl",
    "IoModifyAccess",
    "IoReadAccess",
    "IoWriteAccess",
    "LowPagePriority",
    "MdlMappingNoExecute",
    "MdlMappingNoWrite",
    "MmBuildMdlForNonPagedPool",
    "MmCached",
    "MmGetMdlByteCount",
    "MmGetMdlByteOffset",
    "MmGetMdlVirtualAddress",
    "MmGetSystemAddressForMdlSafe",
    "MmInitializeMdl",
    "MmMapLockedPagesSpecifyCache",
    "MmNonCached",
    "MmPrepareMdlForReuse",
    "MmProbeAndLockPages",
    "MmSizeOfMdl",
    "MmUnlockPages",
    "MmUnmapLockedPages",
    "NormalPagePriority",
]  # fmt: skip

MDL_MAPPED_TO_SYSTEM_VA = 0x0001
MDL_PAGES_LOCKED = 0x0002
MDL_SOURCE_IS_NONPAGED_POOL = 0x0004
MDL_PARTIAL = 0x0010
MDL_PARTIAL_HAS_BEEN_MAPPED = 0x0020

FREED = 1 << 16
"""In MdlFlags, above the 16 bits that Windows has there: IoFreeMdl has taken the element away."""

PAGE_SIZE = 4096

LowPagePriority = 0
NormalPagePriority = 16
HighPagePriority = 32
MdlMappingNoExecute = 0x40000000
MdlMappingNoWrite = 0x80000000

# MEMORY_CACHING_TYPE
MmNonCached = 0
MmCached = 1

IoReadAccess = 0
IoWriteAccess = 1
IoModifyAccess = 2


class MDL:
    """One element of a chain: `ByteCount` bytes of memory.

    ``MDL(None, 0)`` stands for MmSizeOfMdl() bytes of memory, for MmInitializeMdl.
    """

    __slots__ = ("ByteCount", "MappedSystemVa", "MdlFlags", "Next", "StartVa")
    SIZE: ClassVar[int] = 48

    def __init__(self, StartVa: Any, ByteCount: int) -> None:
        self.Next: MDL | None = None
        self.MdlFlags = 0
        self.StartVa = StartVa
        self.ByteCount = ByteCount
        self.MappedSystemVa: memoryview | None = None
        """The memory, once it is locked or known to be non-paged."""


@checked(None)
def IoAllocateMdl(
    VirtualAddress: Any, Length: int, SecondaryBuffer: bool, ChargeQuota: bool, Irp: IRP | None
) -> MDL | None:
    """Describe the first `Length` bytes at `VirtualAddress`.

    With an `Irp` the MDL becomes its MdlAddress, or the last of that chain if `SecondaryBuffer`.  NULL when the current
    host is out of memory.  Not usable before MmBuildMdlForNonPagedPool or MmProbeAndLockPages.
    """
    _require_within(VirtualAddress, Length)
    require_kind(Irp, IRP, "Irp")
    kernel = current_kernel()
    if kernel.refuses("IoAllocateMdl"):
        return None
    Mdl = MDL(VirtualAddress, Length)
    if kernel.verifier is not None:
        kernel.verifier.mdls[Mdl] = place_of_caller()
    if Irp is not None:
        if SecondaryBuffer and Irp.MdlAddress is not None:
            last: MDL = Irp.MdlAddress
            while last.Next is not None:
                last = last.Next
            last.Next = Mdl
        else:
            Irp.MdlAddress = Mdl
    return Mdl


@checked(None)
def IoFreeMdl(Mdl: MDL) -> None:
    """Frees this element, not those behind it.  The memory itself stays."""
    _require_alive(Mdl, "IoFreeMdl")
    if Mdl.MdlFlags & MDL_PAGES_LOCKED:
        raise BugCheck(PFN_LIST_CORRUPT, "D-19", "IoFreeMdl of an MDL whose pages are still locked")
    verifier = current_kernel().verifier
    if verifier is not None:
        verifier.require_mdl_not_lent(Mdl, "IoFreeMdl")
        verifier.mdls.pop(Mdl, None)
    Mdl.MappedSystemVa = Mdl.StartVa = None
    Mdl.MdlFlags = FREED


def MmSizeOfMdl(Base: Any, Length: int) -> int:
    """Bytes that an MDL takes for `Length` bytes at `Base`, which begins a page here."""
    return MDL.SIZE + 8 * -(-Length // PAGE_SIZE)


@checked(None)
def MmInitializeMdl(MemoryDescriptorList: MDL, BaseVa: Any, Length: int) -> None:
    """Make an MDL of the driver's own memory describe other memory, as a fresh one from IoAllocateMdl would."""
    _require_mdl(MemoryDescriptorList, "MmInitializeMdl")
    _require_within(BaseVa, Length)
    MemoryDescriptorList.__init__(BaseVa, Length)  # type: ignore[misc]


@checked(None)
def MmBuildMdlForNonPagedPool(MemoryDescriptorList: MDL) -> None:
    _require_alive(MemoryDescriptorList, "MmBuildMdlForNonPagedPool")
    _map(MemoryDescriptorList, MDL_SOURCE_IS_NONPAGED_POOL | MDL_MAPPED_TO_SYSTEM_VA)


@checked(None)
def MmProbeAndLockPages(MemoryDescriptorList: MDL, AccessMode: int, Operation: int) -> None:
    """Raises STATUS_ACCESS_VIOLATION, and locks nothing, if the memory is to be written and cannot be."""
    _require_alive(MemoryDescriptorList, "MmProbeAndLockPages")
    if MemoryDescriptorList.MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL):
        raise BugCheck(PFN_LIST_CORRUPT, "D-19", "the MDL is locked already, or built for memory that needs no lock")
    if Operation != IoReadAccess and _memory_at(MemoryDescriptorList.StartVa).readonly:
        raise EXCEPTION(STATUS_ACCESS_VIOLATION)
    _map(MemoryDescriptorList, MDL_PAGES_LOCKED)


@checked(None)
def MmUnlockPages(MemoryDescriptorList: MDL) -> None:
    _require_alive(MemoryDescriptorList, "MmUnlockPages")
    if not MemoryDescriptorList.MdlFlags & MDL_PAGES_LOCKED:
        raise BugCheck(PFN_LIST_CORRUPT, "D-19", "MmUnlockPages of an MDL whose pages are not locked")
    verifier = current_kernel().verifier
    if verifier is not None:
        verifier.require_mdl_not_lent(MemoryDescriptorList, "MmUnlockPages")
    MemoryDescriptorList.MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA)
    MemoryDescriptorList.MappedSystemVa = None


@checked(None)
def IoBuildPartialMdl(SourceMdl: MDL, TargetMdl: MDL, VirtualAddress: Any, Length: int) -> None:
    """Let `TargetMdl` describe a part of what `SourceMdl` does: `Length` bytes at `VirtualAddress`, 0 for the rest.

    `VirtualAddress` is ``MmGetMdlVirtualAddress(SourceMdl)`` + n.
    """
    _require_mdl(SourceMdl, "IoBuildPartialMdl")
    _require_alive(TargetMdl, "IoBuildPartialMdl")
    if SourceMdl.MappedSystemVa is None:
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", "the source MDL is not locked, not built or freed")
    whole, rest = _memory_at(SourceMdl.StartVa), _memory_at(VirtualAddress)
    begin = whole.nbytes - rest.nbytes
    length = Length or SourceMdl.ByteCount - begin
    if rest.obj is not whole.obj or not 0 <= begin <= begin + length <= SourceMdl.ByteCount:
        what = f"{length} bytes from {begin} are no part of an MDL of {SourceMdl.ByteCount} bytes"
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", what)
    if MmSizeOfMdl(None, length) > MmSizeOfMdl(None, TargetMdl.ByteCount):
        raise BugCheck(TARGET_MDL_TOO_SMALL, "D-19", f"the target MDL was allocated for {TargetMdl.ByteCount} bytes")
    if TargetMdl.MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED:
        raise BugCheck(PFN_LIST_CORRUPT, "D-19", "the target is still mapped: MmPrepareMdlForReuse comes first")
    TargetMdl.StartVa = rest
    TargetMdl.ByteCount = length
    TargetMdl.MdlFlags = 0
    _map(TargetMdl, MDL_PARTIAL | SourceMdl.MdlFlags & (MDL_SOURCE_IS_NONPAGED_POOL | MDL_MAPPED_TO_SYSTEM_VA))


@checked(None)
def MmPrepareMdlForReuse(Mdl: MDL) -> None:
    """Before IoBuildPartialMdl uses a target again; any other MDL stays as it is."""
    _require_alive(Mdl, "MmPrepareMdlForReuse")
    if Mdl.MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED:
        Mdl.MdlFlags &= ~(MDL_PARTIAL_HAS_BEEN_MAPPED | MDL_MAPPED_TO_SYSTEM_VA)


@checked(None)
def MmGetSystemAddressForMdlSafe(Mdl: MDL, Priority: int) -> Any:
    """The memory of this element, a memoryview of the caller's own; bytes that the stack received are read-only.

    Pages that are locked and not mapped yet get their mapping now: NULL when the current host is out of memory
    (`Kernel.allocation_fails`).
    """
    _require_mdl(Mdl, "MmGetSystemAddressForMdlSafe")
    if Mdl.MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL):
        return memoryview(Mdl.MappedSystemVa)  # type: ignore[arg-type]  # what is mapped has it
    return _map_locked(Mdl, "MmGetSystemAddressForMdlSafe")


@checked(None)
def MmMapLockedPagesSpecifyCache(
    MemoryDescriptorList: MDL,
    AccessMode: int,
    CacheType: int,
    RequestedAddress: Any,
    BugCheckOnFailure: int,
    Priority: int,
) -> Any:
    """The same for any MDL of locked pages; a mapping of its own is there until MmUnmapLockedPages."""
    return _map_locked(MemoryDescriptorList, "MmMapLockedPagesSpecifyCache")


@checked(None)
def MmUnmapLockedPages(BaseAddress: Any, MemoryDescriptorList: MDL) -> None:
    """`BaseAddress` is what the mapping function has returned."""
    _require_alive(MemoryDescriptorList, "MmUnmapLockedPages")
    if not MemoryDescriptorList.MdlFlags & MDL_MAPPED_TO_SYSTEM_VA or BaseAddress is None:
        raise BugCheck(PFN_LIST_CORRUPT, "D-19", "MmUnmapLockedPages of an MDL that is not mapped")
    MemoryDescriptorList.MdlFlags &= ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED)


def _map_locked(Mdl: MDL, function: str) -> Any:
    _require_mdl(Mdl, function)
    if Mdl.MappedSystemVa is None:
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "WSK-7", "the MDL is not locked, not built or freed")
    if current_kernel().refuses(function):
        return None
    Mdl.MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA
    if Mdl.MdlFlags & MDL_PARTIAL:
        Mdl.MdlFlags |= MDL_PARTIAL_HAS_BEEN_MAPPED
    return memoryview(Mdl.MappedSystemVa)


def MmGetMdlByteCount(Mdl: MDL) -> int:
    return Mdl.ByteCount


def MmGetMdlByteOffset(Mdl: MDL) -> int:
    """Within the first page.  Every buffer begins a page here."""
    return 0


def MmGetMdlVirtualAddress(Mdl: MDL) -> Any:
    return Mdl.StartVa


def _map(Mdl: MDL, flags: int) -> None:
    Mdl.MappedSystemVa = _memory_at(Mdl.StartVa)[: Mdl.ByteCount]
    Mdl.MdlFlags |= flags


def _memory_at(VirtualAddress: Any) -> memoryview:
    try:
        return memoryview(VirtualAddress).cast("B")
    except ODD as error:
        raise wild(error) from error


def _require_mdl(Mdl: object, function: str) -> None:
    if not isinstance(Mdl, MDL):
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", f"{function} with a {type(Mdl).__name__} for an MDL")


def _require_alive(Mdl: MDL, function: str) -> None:
    _require_mdl(Mdl, function)
    if Mdl.MdlFlags & FREED:
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", f"{function} of an MDL that has been freed")


def _require_within(VirtualAddress: Any, Length: int) -> None:
    require_number(Length, "Length")
    # NULL: an element for IoBuildPartialMdl, which tells where the memory is.
    size = max(Length, 0) if VirtualAddress is None else _memory_at(VirtualAddress).nbytes
    if not 0 <= Length <= size:
        what = f"an MDL of {Length} bytes over memory of {size}"
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", what)


def mdl_of(data: bytes) -> MDL:
    """A built MDL over memory of the subsystem itself, for an indication."""
    Mdl = MDL(data, len(data))
    Mdl.MdlFlags = MDL_SOURCE_IS_NONPAGED_POOL | MDL_MAPPED_TO_SYSTEM_VA
    Mdl.MappedSystemVa = memoryview(data)
    return Mdl


def views_of(Buffer: WSK_BUF) -> list[memoryview]:
    """The memory that `Buffer` describes, in order: `Length` bytes from `Offset` along the chain, empty for none."""
    try:
        left = Buffer.Length
        if not left:
            return []
        Mdl = Buffer.Mdl
        begin = Buffer.Offset
        if Mdl is not None and Mdl.MappedSystemVa is not None and 0 <= begin < begin + left <= Mdl.ByteCount:
            # Nearly always: all of it lies in the first MDL.
            return [Mdl.MappedSystemVa if left == Mdl.ByteCount else Mdl.MappedSystemVa[begin : begin + left]]
        return _views_along(Mdl, begin, left)
    except ODD as error:
        raise wild(error) from error


def _views_along(Mdl: MDL | None, begin: int, left: int) -> list[memoryview]:
    if min(begin, left) < 0:
        # Neither type has a sign: to C they are as large as they can be.
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", f"offset {begin} and length {left} of a WSK_BUF")
    if Mdl is not None and begin >= Mdl.ByteCount:
        what = f"offset {begin} lies behind the first MDL, which has {Mdl.ByteCount} bytes"
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "R-348", what)
    views = []
    while left:
        if Mdl is None:
            raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", f"Length goes {left} bytes beyond the MDL chain")
        view = Mdl.MappedSystemVa
        if view is None:
            what = "an MDL of the chain is not locked, not built or freed"
            raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "WSK-7", what)
        end = min(Mdl.ByteCount, begin + left)
        views.append(view[begin:end])
        left -= end - begin
        begin = 0
        Mdl = Mdl.Next
    return views


def writable_views_of(Buffer: WSK_BUF) -> list[memoryview]:
    """The same, for a receive."""
    views = views_of(Buffer)
    for view in views:
        if view.readonly:
            raise BugCheck(ATTEMPTED_WRITE_TO_READONLY_MEMORY, "D-19", "receiving into memory that cannot be written")
    return views
