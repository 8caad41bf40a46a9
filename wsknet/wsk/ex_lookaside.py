"""Lookaside lists: entries of one size that are kept for the next allocation when they are freed.

The entries are pool of the host, in its ledger until the list lets go of them, ExDelete...List at the latest.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from wsknet.wsk.bugcheck import BAD_POOL_CALLER, BugCheck
from wsknet.wsk.ex import ExFreePoolWithTag, NonPagedPoolNx, PagedPool, allocate
from wsknet.wsk.kernel import current_kernel
from wsknet.wsk.status import NTSTATUS, STATUS_SUCCESS
from wsknet.wsk.verifier import checked

__all__ = [
    "LOOKASIDE_LIST_EX",
    "NPAGED_LOOKASIDE_LIST",
    "PAGED_LOOKASIDE_LIST",
    "ExAllocateFromLookasideListEx",
    "ExAllocateFromNPagedLookasideList",
    "ExAllocateFromPagedLookasideList",
    "ExDeleteLookasideListEx",
    "ExDeleteNPagedLookasideList",
    "ExDeletePagedLookasideList",
    "ExFlushLookasideListEx",
    "ExFreeToLookasideListEx",
    "ExFreeToNPagedLookasideList",
    "ExFreeToPagedLookasideList",
    "ExInitializeLookasideListEx",
    "ExInitializeNPagedLookasideList",
    "ExInitializePagedLookasideList",
]  # fmt: skip

DEPTH = 4
"""How many freed entries a list keeps; Windows begins with four and adapts to the use (from memory)."""

_lock = Lock()


class LOOKASIDE_LIST_EX:
    __slots__ = ("PoolType", "Size", "Tag", "_allocate", "_free", "_is_ready", "_kept", "_lent")
    SIZE = 96

    def __init__(self) -> None:
        self.PoolType = NonPagedPoolNx
        self.Size = 0
        self.Tag = 0
        self._allocate: Callable[[], Any] | None = None
        """The driver's own routines, bound to their arguments."""
        self._free: Callable[[Any], object] | None = None
        self._is_ready = False
        self._kept: list[Any] = []
        self._lent: dict[int, Any] = {}
        """What the driver has and has not freed, by identity."""


class NPAGED_LOOKASIDE_LIST(LOOKASIDE_LIST_EX):
    __slots__ = ()
    SIZE = 128


class PAGED_LOOKASIDE_LIST(NPAGED_LOOKASIDE_LIST):
    __slots__ = ()


def ExInitializeLookasideListEx(
    Lookaside: LOOKASIDE_LIST_EX,
    Allocate: Callable[[int, int, int, LOOKASIDE_LIST_EX], Any] | None,
    Free: Callable[[Any, LOOKASIDE_LIST_EX], object] | None,
    PoolType: int,
    Flags: int,
    Size: int,
    Tag: int,
    Depth: int,
) -> NTSTATUS:
    """`Allocate(PoolType, NumberOfBytes, Tag, Lookaside)` and `Free(Buffer, Lookaside)` replace the pool functions."""
    _initialize(Lookaside, PoolType, Size, Tag)
    if Allocate is not None:
        Lookaside._allocate = lambda: Allocate(PoolType, Size, Tag, Lookaside)
    if Free is not None:
        Lookaside._free = lambda Buffer: Free(Buffer, Lookaside)
    return STATUS_SUCCESS


def ExInitializeNPagedLookasideList(
    Lookaside: NPAGED_LOOKASIDE_LIST,
    Allocate: Callable[[int, int, int], Any] | None,
    Free: Callable[[Any], object] | None,
    Flags: int,
    Size: int,
    Tag: int,
    Depth: int,
) -> None:
    """`Depth` is reserved.  `Allocate(PoolType, NumberOfBytes, Tag)` and `Free(Buffer)` replace the pool functions."""
    _initialize_with(Lookaside, Allocate, Free, NonPagedPoolNx, Size, Tag)


def ExInitializePagedLookasideList(
    Lookaside: PAGED_LOOKASIDE_LIST,
    Allocate: Callable[[int, int, int], Any] | None,
    Free: Callable[[Any], object] | None,
    Flags: int,
    Size: int,
    Tag: int,
    Depth: int,
) -> None:
    _initialize_with(Lookaside, Allocate, Free, PagedPool, Size, Tag)


def _initialize_with(
    Lookaside: LOOKASIDE_LIST_EX,
    Allocate: Callable[[int, int, int], Any] | None,
    Free: Callable[[Any], object] | None,
    PoolType: int,
    Size: int,
    Tag: int,
) -> None:
    _initialize(Lookaside, PoolType, Size, Tag)
    if Allocate is not None:
        Lookaside._allocate = lambda: Allocate(PoolType, Size, Tag)
    Lookaside._free = Free


def _initialize(Lookaside: LOOKASIDE_LIST_EX, PoolType: int, Size: int, Tag: int) -> None:
    Lookaside.__init__()  # type: ignore[misc]  # the memory becomes a fresh list
    Lookaside.PoolType = PoolType
    Lookaside.Size = Size
    Lookaside.Tag = Tag
    Lookaside._is_ready = True


def _take(function: str, Lookaside: LOOKASIDE_LIST_EX) -> Any:
    _require_ready(Lookaside, function)
    with _lock:
        Buffer = Lookaside._kept.pop() if Lookaside._kept else None
    if Buffer is not None and current_kernel().refuses(function):
        with _lock:
            Lookaside._kept.append(Buffer)
        return None
    if Buffer is None:
        if Lookaside._allocate is not None:
            Buffer = Lookaside._allocate()
        else:
            Buffer = allocate(function, Lookaside.PoolType == PagedPool, Lookaside.Size, Lookaside.Tag)
    if Buffer is not None:
        Lookaside._lent[id(Buffer)] = Buffer
    return Buffer


def _put_back(function: str, Lookaside: LOOKASIDE_LIST_EX, Buffer: Any) -> None:
    _require_ready(Lookaside, function)
    with _lock:
        if Lookaside._lent.pop(id(Buffer), None) is None:
            raise BugCheck(BAD_POOL_CALLER, "D-19", f"{function}: the memory is not from this list, or is freed twice")
        is_kept = len(Lookaside._kept) < DEPTH
        if is_kept:
            Lookaside._kept.append(Buffer)
    if not is_kept:
        _release(Lookaside, Buffer)


def _flush(function: str, Lookaside: LOOKASIDE_LIST_EX) -> None:
    _require_ready(Lookaside, function)
    while Lookaside._kept:
        _release(Lookaside, Lookaside._kept.pop())


def _delete(function: str, Lookaside: LOOKASIDE_LIST_EX) -> None:
    _flush(function, Lookaside)
    Lookaside._is_ready = False


def _release(Lookaside: LOOKASIDE_LIST_EX, Buffer: Any) -> None:
    if Lookaside._free is not None:
        Lookaside._free(Buffer)
    else:
        ExFreePoolWithTag(Buffer, Lookaside.Tag)


def _require_ready(Lookaside: LOOKASIDE_LIST_EX, function: str) -> None:
    if not Lookaside._is_ready:
        raise BugCheck(BAD_POOL_CALLER, "D-19", f"{function} of a lookaside list that is not initialized, or deleted")


@checked(None)
def ExAllocateFromLookasideListEx(Lookaside: LOOKASIDE_LIST_EX) -> Any:
    """NULL when the current host is out of memory (`Kernel.allocation_fails`).  Not zeroed when it was used before."""
    return _take("ExAllocateFromLookasideListEx", Lookaside)


@checked(None)
def ExFreeToLookasideListEx(Lookaside: LOOKASIDE_LIST_EX, Entry: Any) -> None:
    _put_back("ExFreeToLookasideListEx", Lookaside, Entry)


@checked(None)
def ExFlushLookasideListEx(Lookaside: LOOKASIDE_LIST_EX) -> None:
    """Frees what is kept for the next allocation."""
    _flush("ExFlushLookasideListEx", Lookaside)


@checked(None)
def ExDeleteLookasideListEx(Lookaside: LOOKASIDE_LIST_EX) -> None:
    """Every entry has to be back."""
    _delete("ExDeleteLookasideListEx", Lookaside)


@checked(None)
def ExAllocateFromNPagedLookasideList(Lookaside: NPAGED_LOOKASIDE_LIST) -> Any:
    return _take("ExAllocateFromNPagedLookasideList", Lookaside)


@checked(None)
def ExFreeToNPagedLookasideList(Lookaside: NPAGED_LOOKASIDE_LIST, Entry: Any) -> None:
    _put_back("ExFreeToNPagedLookasideList", Lookaside, Entry)


@checked(None)
def ExDeleteNPagedLookasideList(Lookaside: NPAGED_LOOKASIDE_LIST) -> None:
    _delete("ExDeleteNPagedLookasideList", Lookaside)


@checked(None)
def ExAllocateFromPagedLookasideList(Lookaside: PAGED_LOOKASIDE_LIST) -> Any:
    return _take("ExAllocateFromPagedLookasideList", Lookaside)


@checked(None)
def ExFreeToPagedLookasideList(Lookaside: PAGED_LOOKASIDE_LIST, Entry: Any) -> None:
    _put_back("ExFreeToPagedLookasideList", Lookaside, Entry)


@checked(None)
def ExDeletePagedLookasideList(Lookaside: PAGED_LOOKASIDE_LIST) -> None:
    _delete("ExDeletePagedLookasideList", Lookaside)
