"""The number types of basetsd.h, ntdef.h and wdm.h: for sizeof, and for casts that cut a number to its type.

A variable is a Python number, or a list of one where C hands out its address.  Sizes are those of x64.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "ADDRESS_FAMILY", "BOOLEAN", "BYTE", "CHAR", "DWORD", "INT", "INT8", "INT16", "INT32", "INT64", "KIRQL", "LONG",
    "LONG64", "LONGLONG", "LONG_PTR", "MAXLONG", "MAXUCHAR", "MAXULONG", "MAXUSHORT", "PVOID", "SHORT", "SIZE_T",
    "UCHAR", "UINT", "UINT8", "UINT16", "UINT32", "UINT64", "ULONG", "ULONG64", "ULONGLONG", "ULONG_PTR", "USHORT",
    "WCHAR", "sizeof",
]  # fmt: skip

MAXUCHAR = 0xFF
MAXUSHORT = 0xFFFF
MAXULONG = 0xFFFFFFFF
MAXLONG = 0x7FFFFFFF


class _Unsigned:
    """``ULONG(x)`` is ``(ULONG)x``: the lowest bits."""

    SIZE: ClassVar[int]

    def __new__(cls, value: int = 0) -> int:  # type: ignore[misc]  # a cast, not an object
        return value & ((1 << 8 * cls.SIZE) - 1)


class _Signed:
    """``LONG(x)`` is ``(LONG)x``: the lowest bits, the highest of them being the sign."""

    SIZE: ClassVar[int]

    def __new__(cls, value: int = 0) -> int:  # type: ignore[misc]  # as above
        sign = 1 << (8 * cls.SIZE - 1)
        return ((value + sign) & (2 * sign - 1)) - sign


class UCHAR(_Unsigned):
    SIZE = 1


class USHORT(_Unsigned):
    SIZE = 2


class ULONG(_Unsigned):
    SIZE = 4


class ULONG64(_Unsigned):
    SIZE = 8


class CHAR(_Signed):
    SIZE = 1


class SHORT(_Signed):
    SIZE = 2


class LONG(_Signed):
    SIZE = 4


class LONG64(_Signed):
    SIZE = 8


class PVOID:
    """Any object, or None for NULL; nothing is cast."""

    SIZE: ClassVar[int] = 8


BOOLEAN = BYTE = KIRQL = UINT8 = UCHAR
ADDRESS_FAMILY = UINT16 = WCHAR = USHORT
DWORD = UINT = UINT32 = ULONG
SIZE_T = UINT64 = ULONGLONG = ULONG_PTR = ULONG64
INT8 = CHAR
INT16 = SHORT
INT = INT32 = LONG
INT64 = LONGLONG = LONG_PTR = LONG64


def sizeof(thing: Any) -> int:
    """sizeof on x64: of a structure or its class, of a number type, of an array (memory), whose bytes are counted.

    Raises TypeError for a variable, a list of one, for Python does not know whether it is a ULONG or a SIZE_T.
    """
    size = getattr(thing, "SIZE", None)
    if isinstance(size, int):
        return size
    if isinstance(thing, (bytes, bytearray, memoryview)):
        return memoryview(thing).nbytes
    raise TypeError(f"{type(thing).__name__} has no type of C: write sizeof(ULONG) for a ULONG, and so on")
