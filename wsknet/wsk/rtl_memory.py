"""Memory functions of the run-time library, on buffer objects and on structures.

Address + n is ``memoryview(buffer)[n:]``.  A structure is copied from one of its own class, field by field, or from and
into memory if it is one that lies in memory (SOCKADDR and addresses).
"""

from __future__ import annotations

from typing import Any

from wsknet.wsk.bugcheck import ATTEMPTED_WRITE_TO_READONLY_MEMORY, PAGE_FAULT_IN_NONPAGED_AREA, BugCheck
from wsknet.wsk.sockaddr import IN6_ADDR, IN_ADDR, SOCKADDR
from wsknet.wsk.verifier import checked

__all__ = [
    "RtlCompareMemory",
    "RtlCopyMemory",
    "RtlEqualMemory",
    "RtlFillMemory",
    "RtlMoveMemory",
    "RtlSecureZeroMemory",
    "RtlUlongByteSwap",
    "RtlUlonglongByteSwap",
    "RtlUshortByteSwap",
    "RtlZeroMemory",
]  # fmt: skip


@checked(None)
def RtlCopyMemory(Destination: Any, Source: Any, Length: int) -> None:
    if _has_fields(Destination):
        _copy_fields(Destination, Source)
    else:
        target = _writable(Destination, Length)
        target[:] = bytes(_readable(Source, Length))  # through a copy, since the two may overlap


RtlMoveMemory = RtlCopyMemory


@checked(None)
def RtlZeroMemory(Destination: Any, Length: int) -> None:
    """A structure becomes what its class makes of no arguments."""
    if _has_fields(Destination):
        _copy_fields(Destination, type(Destination)())
    else:
        _writable(Destination, Length)[:] = bytes(Length)


RtlSecureZeroMemory = RtlZeroMemory


@checked(None)
def RtlFillMemory(Destination: Any, Length: int, Fill: int) -> None:
    _writable(Destination, Length)[:] = bytes((Fill & 0xFF,)) * Length


@checked(False)
def RtlEqualMemory(Source1: Any, Source2: Any, Length: int) -> bool:
    return _readable(Source1, Length) == _readable(Source2, Length)


@checked(0)
def RtlCompareMemory(Source1: Any, Source2: Any, Length: int) -> int:
    """How many bytes are equal before the first that is not."""
    pairs = zip(_readable(Source1, Length), _readable(Source2, Length), strict=True)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), Length)


def RtlUshortByteSwap(Source: int) -> int:
    return int.from_bytes((Source & 0xFFFF).to_bytes(2, "big"), "little")


def RtlUlongByteSwap(Source: int) -> int:
    return int.from_bytes((Source & 0xFFFF_FFFF).to_bytes(4, "big"), "little")


def RtlUlonglongByteSwap(Source: int) -> int:
    return int.from_bytes((Source & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8, "big"), "little")


def _memory(place: Any) -> memoryview:
    if isinstance(place, SOCKADDR | IN_ADDR | IN6_ADDR):
        place = place._raw
    return memoryview(place).cast("B")


def _within(memory: memoryview, Length: int) -> memoryview:
    if Length > len(memory):
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", f"{Length} bytes at memory that has {len(memory)}")
    return memory[:Length]


def _readable(place: Any, Length: int) -> memoryview:
    return _within(_memory(place), Length)


def _writable(place: Any, Length: int) -> memoryview:
    memory = _within(_memory(place), Length)
    if memory.readonly:
        raise BugCheck(ATTEMPTED_WRITE_TO_READONLY_MEMORY, "D-19", "writing to memory that cannot be written")
    return memory


def _has_fields(place: Any) -> bool:
    """Whether it is a structure whose fields are attributes."""
    return hasattr(type(place), "__slots__") and not isinstance(place, SOCKADDR | IN_ADDR | IN6_ADDR)


def _copy_fields(Destination: Any, Source: Any) -> None:
    if type(Source) is not type(Destination):
        what = f"a {type(Destination).__name__} cannot be read out of a {type(Source).__name__}"
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", what)
    for kind in type(Destination).__mro__:
        for name in getattr(kind, "__slots__", ()):
            setattr(Destination, name, getattr(Source, name))
