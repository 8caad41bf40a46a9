"""Pool memory, written in the ledger of its host until it is freed."""

from __future__ import annotations

from wsknet.wsk.bugcheck import BAD_POOL_CALLER, BugCheck, place_of_caller
from wsknet.wsk.exceptions import EXCEPTION
from wsknet.wsk.irql import DISPATCH_LEVEL, KeGetCurrentIrql
from wsknet.wsk.kernel import Allocation, current_kernel
from wsknet.wsk.status import STATUS_INSUFFICIENT_RESOURCES
from wsknet.wsk.verifier import checked

__all__ = [
    "POOL_FLAG_NON_PAGED",
    "POOL_FLAG_PAGED",
    "POOL_FLAG_RAISE_ON_FAILURE",
    "POOL_FLAG_UNINITIALIZED",
    "POOL_NX_ALLOCATION",
    "DrvRtPoolNxOptIn",
    "ExAllocatePool",
    "ExAllocatePool2",
    "ExAllocatePool3",
    "ExAllocatePoolUninitialized",
    "ExAllocatePoolWithTag",
    "ExAllocatePoolZero",
    "ExFreePool",
    "ExFreePool2",
    "ExFreePoolWithTag",
    "ExInitializeDriverRuntime",
    "NonPagedPool",
    "NonPagedPoolNx",
    "PagedPool",
]  # fmt: skip

POOL_FLAG_UNINITIALIZED = 0x02
POOL_FLAG_RAISE_ON_FAILURE = 0x20
POOL_FLAG_NON_PAGED = 0x40
POOL_FLAG_PAGED = 0x100

NonPagedPool = 0
PagedPool = 1
NonPagedPoolNx = 512
POOL_NX_ALLOCATION = 512

DrvRtPoolNxOptIn = 1

DEFAULT_TAG = int.from_bytes(b"None", "little")
"""Of memory that ExAllocatePool gives, which takes none."""


def ExInitializeDriverRuntime(RuntimeFlags: int) -> None:
    """Nothing changes: DrvRtPoolNxOptIn makes NonPagedPool mean NonPagedPoolNx, and they are the same here."""


@checked(None)
def ExAllocatePool2(Flags: int, NumberOfBytes: int, Tag: int) -> bytearray | None:
    """Zeroed memory, or NULL when the current host is out of it (`Kernel.allocation_fails`).

    With POOL_FLAG_RAISE_ON_FAILURE it raises STATUS_INSUFFICIENT_RESOURCES instead.
    """
    memory = allocate("ExAllocatePool2", bool(Flags & POOL_FLAG_PAGED), NumberOfBytes, Tag)
    return _or_raise(memory, Flags)


@checked(None)
def ExAllocatePool3(
    Flags: int, NumberOfBytes: int, Tag: int, ExtendedParameters: object, ExtendedParametersCount: int
) -> bytearray | None:
    """The same; extended parameters (priority, secure pool) change nothing here."""
    memory = allocate("ExAllocatePool3", bool(Flags & POOL_FLAG_PAGED), NumberOfBytes, Tag)
    return _or_raise(memory, Flags)


@checked(None)
def ExAllocatePoolWithTag(PoolType: int, NumberOfBytes: int, Tag: int) -> bytearray | None:
    return allocate("ExAllocatePoolWithTag", _is_paged(PoolType), NumberOfBytes, Tag)


@checked(None)
def ExAllocatePoolZero(PoolType: int, NumberOfBytes: int, Tag: int) -> bytearray | None:
    return allocate("ExAllocatePoolZero", _is_paged(PoolType), NumberOfBytes, Tag)


@checked(None)
def ExAllocatePoolUninitialized(PoolType: int, NumberOfBytes: int, Tag: int) -> bytearray | None:
    return allocate("ExAllocatePoolUninitialized", _is_paged(PoolType), NumberOfBytes, Tag)


@checked(None)
def ExAllocatePool(PoolType: int, NumberOfBytes: int) -> bytearray | None:
    return allocate("ExAllocatePool", _is_paged(PoolType), NumberOfBytes, DEFAULT_TAG)


def _is_paged(PoolType: int) -> bool:
    return PoolType & 7 == PagedPool


def _or_raise(memory: bytearray | None, Flags: int) -> bytearray | None:
    if memory is None and Flags & POOL_FLAG_RAISE_ON_FAILURE:
        raise EXCEPTION(STATUS_INSUFFICIENT_RESOURCES)
    return memory


def allocate(function: str, is_paged: bool, NumberOfBytes: int, Tag: int) -> bytearray | None:
    if Tag == 0:
        raise BugCheck(BAD_POOL_CALLER, "D-19", f"{function} needs a tag")
    if is_paged and KeGetCurrentIrql() >= DISPATCH_LEVEL:
        raise BugCheck(BAD_POOL_CALLER, "D-19", f"{function} of paged pool at DISPATCH_LEVEL")
    kernel = current_kernel()
    if kernel.refuses(function):
        return None
    memory = bytearray(NumberOfBytes)
    kernel.pool[id(memory)] = Allocation(memory, Tag, "" if kernel.verifier is None else place_of_caller())
    return memory


@checked(None)
def ExFreePoolWithTag(P: bytearray, Tag: int) -> None:
    """`Tag` must be that of the allocation; 0 fits any."""
    kernel = current_kernel()
    ledger = kernel.pool
    allocation = ledger.get(id(P))
    if allocation is None:
        raise BugCheck(BAD_POOL_CALLER, "D-19", "this memory is not allocated from the pool of the current host")
    if Tag not in (0, allocation.Tag):
        raise BugCheck(BAD_POOL_CALLER, "D-19", f"allocated with tag 0x{allocation.Tag:X}, freed with 0x{Tag:X}")
    if kernel.verifier is not None:
        kernel.verifier.require_not_lent(P)
    del ledger[id(P)]


@checked(None)
def ExFreePool(P: bytearray) -> None:
    ExFreePoolWithTag(P, 0)


@checked(None)
def ExFreePool2(P: bytearray, Tag: int, ExtendedParameters: object, ExtendedParametersCount: int) -> None:
    ExFreePoolWithTag(P, Tag)
