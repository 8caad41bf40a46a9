"""MDLs of what is no memory, and functions with what is no MDL."""

from __future__ import annotations

from typing import Any

import pytest

from wsknet import wsk as w
from wsknet.host import Host
from wsknet.wsk import BugCheck

PAGE_FAULT = 0x50

DESCRIBED: dict[str, tuple[Any, Any]] = {
    "text": ("text", 4),
    "a number": (5, 4),
    "a length of text": (b"abcd", "4"),
    "no length": (b"abcd", None),
    "a negative length": (bytearray(4), -1),
    "a negative length of nothing": (None, -1),
    "memory with gaps": (memoryview(b"abcdefgh")[::2], 4),
}


def released() -> memoryview:
    view = memoryview(bytearray(4))
    view.release()
    return view


def locked() -> w.MDL:
    Mdl = w.IoAllocateMdl(bytearray(4), 4, False, False, None)
    assert Mdl is not None
    w.MmBuildMdlForNonPagedPool(Mdl)
    return Mdl


def without_memory() -> Any:
    return w.IoAllocateMdl(None, 4, False, False, None)


CALLS: dict[str, Any] = {
    "memory that was released": lambda: w.IoAllocateMdl(released(), 4, False, False, None),
    "a number for an IRP": lambda: w.IoAllocateMdl(bytearray(4), 4, False, False, 7),  # type: ignore[arg-type]
    "IoFreeMdl": lambda: w.IoFreeMdl(None),  # type: ignore[arg-type]
    "MmInitializeMdl": lambda: w.MmInitializeMdl(None, b"", 0),  # type: ignore[arg-type]
    "MmBuildMdlForNonPagedPool": lambda: w.MmBuildMdlForNonPagedPool(None),  # type: ignore[arg-type]
    "MmProbeAndLockPages": lambda: w.MmProbeAndLockPages(None, 0, 0),  # type: ignore[arg-type]
    "MmUnlockPages": lambda: w.MmUnlockPages(None),  # type: ignore[arg-type]
    "MmPrepareMdlForReuse": lambda: w.MmPrepareMdlForReuse(None),  # type: ignore[arg-type]
    "MmGetSystemAddressForMdlSafe": lambda: w.MmGetSystemAddressForMdlSafe(None, 0),  # type: ignore[arg-type]
    "MmMapLockedPagesSpecifyCache": lambda: w.MmMapLockedPagesSpecifyCache(None, 0, 1, None, 0, 0),  # type: ignore[arg-type]
    "IoBuildPartialMdl from NULL": lambda: w.IoBuildPartialMdl(None, locked(), b"", 0),  # type: ignore[arg-type]
    "IoBuildPartialMdl into NULL": lambda: w.IoBuildPartialMdl(locked(), None, b"", 0),  # type: ignore[arg-type]
    "IoBuildPartialMdl at text": lambda: w.IoBuildPartialMdl(locked(), without_memory(), "text", 1),
    "building what describes no memory": lambda: w.MmBuildMdlForNonPagedPool(without_memory()),
    "locking what describes no memory": lambda: w.MmProbeAndLockPages(without_memory(), 0, w.IoWriteAccess),
}


@pytest.mark.parametrize("name", DESCRIBED)
def test_what_is_no_memory_of_that_length_is_not_described(host: Host, name: str) -> None:
    memory, length = DESCRIBED[name]
    w.verify(host)
    with pytest.raises(BugCheck) as stop:
        w.IoAllocateMdl(memory, length, False, False, None)
    assert (stop.value.code, stop.value.rule) == (PAGE_FAULT, "D-19")
    Mdl = w.MDL(None, 0)
    with pytest.raises(BugCheck):
        w.MmInitializeMdl(Mdl, memory, length)
    w.verify(host, False)
    assert w.IoAllocateMdl(memory, length, False, False, None) is None
    w.MmInitializeMdl(Mdl, memory, length)
    assert (Mdl.StartVa, Mdl.ByteCount) == (None, 0)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_without_an_mdl_or_its_memory_stops(host: Host, name: str) -> None:
    w.verify(host)
    with pytest.raises(BugCheck) as stop:
        CALLS[name]()
    assert (stop.value.code, stop.value.rule) == (PAGE_FAULT, "D-19")
    w.verify(host, False)
    assert CALLS[name]() is None


def test_an_mdl_that_could_not_be_built_is_as_before(host: Host) -> None:
    w.verify(host, False)
    Mdl = without_memory()
    w.MmBuildMdlForNonPagedPool(Mdl)
    w.MmProbeAndLockPages(Mdl, w.KernelMode, w.IoReadAccess)
    assert (Mdl.MdlFlags, Mdl.MappedSystemVa) == (0, None)


def test_a_description_may_have_no_memory_yet(host: Host) -> None:
    assert without_memory().ByteCount == 4
    assert locked().MappedSystemVa is not None
