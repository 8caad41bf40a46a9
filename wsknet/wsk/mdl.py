"""Memory descriptor lists: what a WSK_BUF points to.

A virtual address is a buffer object (bytearray, memoryview, bytes for memory that is only read); address + n is
``memoryview(buffer)[n:]``.  Whatever an MDL describes is lent, not copied: a bytearray cannot change its size while a
request holds it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from wsknet.wsk.bugcheck import ATTEMPTED_WRITE_TO_READONLY_MEMORY, PAGE_FAULT_IN_NONPAGED_AREA, BugCheck
from wsknet.wsk.irp import IRP
from wsknet.wsk.kernel import current_kernel
from wsknet.wsk.structures import WSK_BUF

__all__ = [
    "MDL",
    "MDL_MAPPED_TO_SYSTEM_VA",
    "MDL_PAGES_LOCKED",
    "MDL_PARTIAL",
    "MDL_SOURCE_IS_NONPAGED_POOL",
    "HighPagePriority",
    "IoAllocateMdl",
    "IoBuildPartialMdl",
    "IoFreeMdl",
    "IoModifyAccess",
    "IoReadAccess",
    "IoWriteAccess",
    "LowPagePriority",
    "MdlMappingNoExecute",
    "MmBuildMdlForNonPagedPool",
    "MmGetMdlByteCount",
    "MmGetMdlByteOffset",
    "MmGetMdlVirtualAddress",
    "MmGetSystemAddressForMdlSafe",
    "MmProbeAndLockPages",
    "MmUnlockPages",
    "NormalPagePriority",
]  # fmt: skip

MDL_MAPPED_TO_SYSTEM_VA = 0x0001
MDL_PAGES_LOCKED = 0x0002
MDL_SOURCE_IS_NONPAGED_POOL = 0x0004
MDL_PARTIAL = 0x0010

LowPagePriority = 0
NormalPagePriority = 16
HighPagePriority = 32
MdlMappingNoExecute = 0x40000000

IoReadAccess = 0
IoWriteAccess = 1
IoModifyAccess = 2


class MDL:
    """One element of a chain: `ByteCount` bytes of memory."""

    __slots__ = ("ByteCount", "MappedSystemVa", "MdlFlags", "Next", "StartVa")
    SIZE: ClassVar[int] = 48

    def __init__(self, StartVa: Any, ByteCount: int) -> None:
        self.Next: MDL | None = None
        self.MdlFlags = 0
        self.StartVa = StartVa
        self.ByteCount = ByteCount
        self.MappedSystemVa: memoryview | None = None
        """The memory, once it is locked or known to be non-paged."""


def IoAllocateMdl(
    VirtualAddress: Any, Length: int, SecondaryBuffer: bool, ChargeQuota: bool, Irp: IRP | None
) -> MDL | None:
    """Describe the first `Length` bytes at `VirtualAddress`.

    With an `Irp` the MDL becomes its MdlAddress, or the last of that chain if `SecondaryBuffer`.  NULL when the current
    host is out of memory.  Not usable before MmBuildMdlForNonPagedPool or MmProbeAndLockPages.
    """
    _require_within(VirtualAddress, Length)
    if current_kernel().refuses("IoAllocateMdl"):
        return None
    Mdl = MDL(VirtualAddress, Length)
    if Irp is not None:
        if SecondaryBuffer and Irp.MdlAddress is not None:
            last: MDL = Irp.MdlAddress
            while last.Next is not None:
                last = last.Next
            last.Next = Mdl
        else:
            Irp.MdlAddress = Mdl
    return Mdl


def IoFreeMdl(Mdl: MDL) -> None:
    """Frees this element, not those behind it.  The memory itself stays."""
    Mdl.MappedSystemVa = Mdl.StartVa = None


def MmBuildMdlForNonPagedPool(MemoryDescriptorList: MDL) -> None:
    _map(MemoryDescriptorList, MDL_SOURCE_IS_NONPAGED_POOL | MDL_MAPPED_TO_SYSTEM_VA)


def MmProbeAndLockPages(MemoryDescriptorList: MDL, AccessMode: int, Operation: int) -> None:
    _map(MemoryDescriptorList, MDL_PAGES_LOCKED)


def MmUnlockPages(MemoryDescriptorList: MDL) -> None:
    MemoryDescriptorList.MdlFlags &= ~MDL_PAGES_LOCKED
    MemoryDescriptorList.MappedSystemVa = None


def IoBuildPartialMdl(SourceMdl: MDL, TargetMdl: MDL, VirtualAddress: Any, Length: int) -> None:
    """Let `TargetMdl` describe a part of what `SourceMdl` does: `Length` bytes at `VirtualAddress`, 0 for the rest."""
    rest = memoryview(VirtualAddress).cast("B")
    TargetMdl.StartVa = rest[: Length or len(rest)]
    TargetMdl.ByteCount = len(TargetMdl.StartVa)
    _map(TargetMdl, MDL_PARTIAL)


def MmGetSystemAddressForMdlSafe(Mdl: MDL, Priority: int) -> memoryview:
    """The memory of this element; bytes that the stack received are read-only."""
    if Mdl.MappedSystemVa is None:
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "7", "the MDL is not locked, not built or freed")
    return Mdl.MappedSystemVa


def MmGetMdlByteCount(Mdl: MDL) -> int:
    return Mdl.ByteCount


def MmGetMdlByteOffset(Mdl: MDL) -> int:
    """Within the first page.  Every buffer begins a page here."""
    return 0


def MmGetMdlVirtualAddress(Mdl: MDL) -> Any:
    return Mdl.StartVa


def _map(Mdl: MDL, flags: int) -> None:
    Mdl.MdlFlags |= flags
    Mdl.MappedSystemVa = memoryview(Mdl.StartVa).cast("B")[: Mdl.ByteCount]


def _require_within(VirtualAddress: Any, Length: int) -> None:
    size = memoryview(VirtualAddress).nbytes
    if Length > size:
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
    left = Buffer.Length
    if not left:
        return []
    Mdl = Buffer.Mdl
    begin = Buffer.Offset
    if Mdl is not None and Mdl.MappedSystemVa is not None and begin + left <= Mdl.ByteCount:
        # Nearly always: all of it lies in the first MDL.
        return [Mdl.MappedSystemVa if left == Mdl.ByteCount else Mdl.MappedSystemVa[begin : begin + left]]
    if Mdl is not None and begin >= Mdl.ByteCount:
        what = f"offset {begin} lies behind the first MDL, which has {Mdl.ByteCount} bytes"
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "R-348", what)
    views = []
    while left:
        if Mdl is None:
            raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", f"Length goes {left} bytes beyond the MDL chain")
        view = Mdl.MappedSystemVa
        if view is None:
            raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "7", "an MDL of the chain is not locked, not built or freed")
        end = min(Mdl.ByteCount, begin + left)
        views.append(view if end - begin == Mdl.ByteCount else view[begin:end])
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
