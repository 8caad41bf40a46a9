"""Linked lists of entries that are part of larger records.

In C an entry lies inside its record, and CONTAINING_RECORD counts back to it.  Here an entry is made with the record it
belongs to, ``self.Link = LIST_ENTRY(self)``, and CONTAINING_RECORD gives that back; the head of a list needs none.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, TypeVar

from wsknet.wsk.bug_codes import KERNEL_SECURITY_CHECK_FAILURE
from wsknet.wsk.bugcheck import PAGE_FAULT_IN_NONPAGED_AREA, BugCheck
from wsknet.wsk.ke_spinlock import KSPIN_LOCK, KeAcquireSpinLockRaiseToDpc, KeReleaseSpinLock
from wsknet.wsk.verifier import checked

__all__ = [
    "CONTAINING_RECORD",
    "LIST_ENTRY",
    "SINGLE_LIST_ENTRY",
    "SLIST_ENTRY",
    "SLIST_HEADER",
    "AppendTailList",
    "ExInitializeSListHead",
    "ExInterlockedFlushSList",
    "ExInterlockedInsertHeadList",
    "ExInterlockedInsertTailList",
    "ExInterlockedPopEntryList",
    "ExInterlockedPopEntrySList",
    "ExInterlockedPushEntryList",
    "ExInterlockedPushEntrySList",
    "ExInterlockedRemoveHeadList",
    "ExQueryDepthSList",
    "FirstEntrySList",
    "InitializeListHead",
    "InitializeSListHead",
    "InsertHeadList",
    "InsertTailList",
    "InterlockedFlushSList",
    "InterlockedPopEntrySList",
    "InterlockedPushEntrySList",
    "IsListEmpty",
    "PopEntryList",
    "PushEntryList",
    "QueryDepthSList",
    "RemoveEntryList",
    "RemoveHeadList",
    "RemoveTailList",
]  # fmt: skip

R = TypeVar("R")

_slist_lock = Lock()


class LIST_ENTRY:
    """Of a list linked both ways: an entry, or the head that InitializeListHead makes it."""

    __slots__ = ("Blink", "Flink", "_record")
    SIZE = 16

    def __init__(self, record: Any = None) -> None:
        self.Flink: LIST_ENTRY | None = None
        self.Blink: LIST_ENTRY | None = None
        self._record = record


class SINGLE_LIST_ENTRY:
    """Of a list linked one way: an entry, or its head."""

    __slots__ = ("Next", "_record")
    SIZE = 8

    def __init__(self, record: Any = None) -> None:
        self.Next: Any = None
        self._record = record


class SLIST_ENTRY(SINGLE_LIST_ENTRY):
    __slots__ = ()
    SIZE = 16


class SLIST_HEADER:
    """Of a sequenced list, which needs no spin lock: what is pushed last is popped first."""

    __slots__ = ("Depth", "Next")
    SIZE = 16

    def __init__(self) -> None:
        self.Next: SLIST_ENTRY | None = None
        self.Depth = 0


@checked(None)
def CONTAINING_RECORD(address: LIST_ENTRY | SINGLE_LIST_ENTRY, type: type[R], field: str) -> R:  # noqa: A002
    """The record of `type` whose `field` is the entry."""
    record = address._record
    if not isinstance(record, type) or getattr(record, field, None) is not address:
        what = f"the entry is not the field {field} of a {type.__name__}"
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", what)
    return record


def InitializeListHead(ListHead: LIST_ENTRY) -> None:
    ListHead.Flink = ListHead.Blink = ListHead


@checked(False)
def IsListEmpty(ListHead: LIST_ENTRY) -> bool:
    _neighbours(ListHead)
    return ListHead.Flink is ListHead


@checked(None)
def InsertHeadList(ListHead: LIST_ENTRY, Entry: LIST_ENTRY) -> None:
    _, first = _neighbours(ListHead)
    _link(ListHead, Entry, first)


@checked(None)
def InsertTailList(ListHead: LIST_ENTRY, Entry: LIST_ENTRY) -> None:
    last, _ = _neighbours(ListHead)
    _link(last, Entry, ListHead)


@checked(False)
def RemoveEntryList(Entry: LIST_ENTRY) -> bool:
    """TRUE if the list is empty now.  The links of the entry stay as they are: removing it twice stops Windows."""
    before, after = _neighbours(Entry)
    before.Flink = after
    after.Blink = before
    return before is after


@checked(None)
def RemoveHeadList(ListHead: LIST_ENTRY) -> LIST_ENTRY:
    """The head itself if the list is empty."""
    _, first = _neighbours(ListHead)
    RemoveEntryList(first)
    return first


@checked(None)
def RemoveTailList(ListHead: LIST_ENTRY) -> LIST_ENTRY:
    """The head itself if the list is empty."""
    last, _ = _neighbours(ListHead)
    RemoveEntryList(last)
    return last


@checked(None)
def AppendTailList(ListHead: LIST_ENTRY, ListToAppend: LIST_ENTRY) -> None:
    """Append what hangs together with `ListToAppend`, which is an entry like the others and no head."""
    last, _ = _neighbours(ListHead)
    end, _ = _neighbours(ListToAppend)
    last.Flink, ListToAppend.Blink = ListToAppend, last
    end.Flink, ListHead.Blink = ListHead, end


@checked(None)
def ExInterlockedInsertHeadList(ListHead: LIST_ENTRY, ListEntry: LIST_ENTRY, Lock: KSPIN_LOCK) -> LIST_ENTRY | None:
    """The entry that was first; NULL if the list was empty."""
    level = KeAcquireSpinLockRaiseToDpc(Lock)
    try:
        _, first = _neighbours(ListHead)
        InsertHeadList(ListHead, ListEntry)
    finally:
        KeReleaseSpinLock(Lock, level)
    return None if first is ListHead else first


@checked(None)
def ExInterlockedInsertTailList(ListHead: LIST_ENTRY, ListEntry: LIST_ENTRY, Lock: KSPIN_LOCK) -> LIST_ENTRY | None:
    """The entry that was last; NULL if the list was empty."""
    level = KeAcquireSpinLockRaiseToDpc(Lock)
    try:
        last, _ = _neighbours(ListHead)
        InsertTailList(ListHead, ListEntry)
    finally:
        KeReleaseSpinLock(Lock, level)
    return None if last is ListHead else last


@checked(None)
def ExInterlockedRemoveHeadList(ListHead: LIST_ENTRY, Lock: KSPIN_LOCK) -> LIST_ENTRY | None:
    """NULL if the list is empty, unlike RemoveHeadList."""
    level = KeAcquireSpinLockRaiseToDpc(Lock)
    try:
        return None if IsListEmpty(ListHead) else RemoveHeadList(ListHead)
    finally:
        KeReleaseSpinLock(Lock, level)


def _neighbours(Entry: LIST_ENTRY) -> tuple[LIST_ENTRY, LIST_ENTRY]:
    before, after = Entry.Blink, Entry.Flink
    if before is None or after is None:
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", "a list entry or head that has not been initialized")
    if before.Flink is not Entry or after.Blink is not Entry:
        what = "FAST_FAIL_CORRUPT_LIST_ENTRY: the neighbours of a list entry do not point to it"
        raise BugCheck(KERNEL_SECURITY_CHECK_FAILURE, "D-19", what)
    return before, after


def _link(before: LIST_ENTRY, Entry: LIST_ENTRY, after: LIST_ENTRY) -> None:
    Entry.Blink, Entry.Flink = before, after
    before.Flink = after.Blink = Entry


def PushEntryList(ListHead: SINGLE_LIST_ENTRY, Entry: SINGLE_LIST_ENTRY) -> None:
    Entry.Next, ListHead.Next = ListHead.Next, Entry


def PopEntryList(ListHead: SINGLE_LIST_ENTRY) -> Any:
    """NULL if the list is empty."""
    Entry = ListHead.Next
    if Entry is not None:
        ListHead.Next = Entry.Next
    return Entry


@checked(None)
def ExInterlockedPushEntryList(ListHead: SINGLE_LIST_ENTRY, ListEntry: SINGLE_LIST_ENTRY, Lock: KSPIN_LOCK) -> Any:
    """The entry that was first."""
    level = KeAcquireSpinLockRaiseToDpc(Lock)
    first = ListHead.Next
    PushEntryList(ListHead, ListEntry)
    KeReleaseSpinLock(Lock, level)
    return first


@checked(None)
def ExInterlockedPopEntryList(ListHead: SINGLE_LIST_ENTRY, Lock: KSPIN_LOCK) -> Any:
    level = KeAcquireSpinLockRaiseToDpc(Lock)
    Entry = PopEntryList(ListHead)
    KeReleaseSpinLock(Lock, level)
    return Entry


def InitializeSListHead(SListHead: SLIST_HEADER) -> None:
    SListHead.Next = None
    SListHead.Depth = 0


ExInitializeSListHead = InitializeSListHead


def InterlockedPushEntrySList(ListHead: SLIST_HEADER, ListEntry: SLIST_ENTRY) -> SLIST_ENTRY | None:
    """The entry that was first."""
    with _slist_lock:
        first = ListHead.Next
        ListEntry.Next = first
        ListHead.Next = ListEntry
        ListHead.Depth += 1
    return first


def InterlockedPopEntrySList(ListHead: SLIST_HEADER) -> SLIST_ENTRY | None:
    """NULL if the list is empty."""
    with _slist_lock:
        first = ListHead.Next
        if first is not None:
            ListHead.Next = first.Next
            ListHead.Depth -= 1
    return first


def InterlockedFlushSList(ListHead: SLIST_HEADER) -> SLIST_ENTRY | None:
    """The first of all entries, which stay linked to each other; the list is empty now."""
    with _slist_lock:
        first, ListHead.Next, ListHead.Depth = ListHead.Next, None, 0
    return first


def ExInterlockedPushEntrySList(
    ListHead: SLIST_HEADER, ListEntry: SLIST_ENTRY, Lock: KSPIN_LOCK | None = None
) -> SLIST_ENTRY | None:
    """`Lock` is not used, as on every current Windows."""
    return InterlockedPushEntrySList(ListHead, ListEntry)


def ExInterlockedPopEntrySList(ListHead: SLIST_HEADER, Lock: KSPIN_LOCK | None = None) -> SLIST_ENTRY | None:
    return InterlockedPopEntrySList(ListHead)


ExInterlockedFlushSList = InterlockedFlushSList


def FirstEntrySList(SListHead: SLIST_HEADER) -> SLIST_ENTRY | None:
    return SListHead.Next


def ExQueryDepthSList(SListHead: SLIST_HEADER) -> int:
    return SListHead.Depth


QueryDepthSList = ExQueryDepthSList
