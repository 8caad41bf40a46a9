"""Interlocked operations on variables: one-element lists, for the address of a field cannot be had.

Numbers are signed and wrap as their size does: 8, 16, 32 (no suffix) or 64 bits.  The NoFence, Acquire and Release
variants differ from these in memory ordering alone, which Python does not have.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

__all__ = [
    "InterlockedAdd",
    "InterlockedAdd64",
    "InterlockedAnd",
    "InterlockedAnd8",
    "InterlockedAnd16",
    "InterlockedAnd64",
    "InterlockedBitTestAndReset",
    "InterlockedBitTestAndSet",
    "InterlockedCompareExchange",
    "InterlockedCompareExchange16",
    "InterlockedCompareExchange64",
    "InterlockedCompareExchangePointer",
    "InterlockedDecrement",
    "InterlockedDecrement16",
    "InterlockedDecrement64",
    "InterlockedExchange",
    "InterlockedExchange8",
    "InterlockedExchange16",
    "InterlockedExchange64",
    "InterlockedExchangeAdd",
    "InterlockedExchangeAdd64",
    "InterlockedExchangePointer",
    "InterlockedIncrement",
    "InterlockedIncrement16",
    "InterlockedIncrement64",
    "InterlockedOr",
    "InterlockedOr8",
    "InterlockedOr16",
    "InterlockedOr64",
    "InterlockedXor",
    "InterlockedXor64",
]  # fmt: skip

_lock = Lock()

Unary = Callable[[list[int]], int]
Binary = Callable[[list[int], int], int]


def _wrap(value: int, bits: int) -> int:
    sign = 1 << (bits - 1)
    return ((value + sign) & ((1 << bits) - 1)) - sign


def _changer(bits: int, change: Callable[[int, int], int]) -> Callable[[list[int], int], tuple[int, int]]:
    """A function that changes a variable in one step and gives its value before and after."""

    def apply(Target: list[int], Value: int) -> tuple[int, int]:
        with _lock:
            before = Target[0]
            after = Target[0] = _wrap(change(before, Value), bits)
        return before, after

    return apply


def _returns_before(bits: int, change: Callable[[int, int], int]) -> Binary:
    apply = _changer(bits, change)
    return lambda Target, Value: apply(Target, Value)[0]


def _add(bits: int) -> Binary:
    apply = _changer(bits, lambda before, value: before + value)
    return lambda Addend, Value: apply(Addend, Value)[1]


def _step(bits: int, by: int) -> Unary:
    add = _add(bits)
    return lambda Addend: add(Addend, by)


def _compare_exchange(bits: int) -> Callable[[list[int], int, int], int]:
    def compare_exchange(Destination: list[int], ExChange: int, Comperand: int) -> int:
        with _lock:
            before = Destination[0]
            if before == _wrap(Comperand, bits):
                Destination[0] = _wrap(ExChange, bits)
        return before

    return compare_exchange


# The new value is returned.
InterlockedIncrement, InterlockedIncrement16, InterlockedIncrement64 = _step(32, 1), _step(16, 1), _step(64, 1)
InterlockedDecrement, InterlockedDecrement16, InterlockedDecrement64 = _step(32, -1), _step(16, -1), _step(64, -1)
InterlockedAdd, InterlockedAdd64 = _add(32), _add(64)

# The value of before is returned.
InterlockedExchangeAdd, InterlockedExchangeAdd64 = (
    _returns_before(bits, lambda before, value: before + value) for bits in (32, 64)
)
InterlockedExchange, InterlockedExchange8, InterlockedExchange16, InterlockedExchange64 = (
    _returns_before(bits, lambda before, value: value) for bits in (32, 8, 16, 64)
)
InterlockedAnd, InterlockedAnd8, InterlockedAnd16, InterlockedAnd64 = (
    _returns_before(bits, lambda before, value: before & value) for bits in (32, 8, 16, 64)
)
InterlockedOr, InterlockedOr8, InterlockedOr16, InterlockedOr64 = (
    _returns_before(bits, lambda before, value: before | value) for bits in (32, 8, 16, 64)
)
InterlockedXor, InterlockedXor64 = (_returns_before(bits, lambda before, value: before ^ value) for bits in (32, 64))
InterlockedCompareExchange, InterlockedCompareExchange16, InterlockedCompareExchange64 = (
    _compare_exchange(bits) for bits in (32, 16, 64)
)


def InterlockedExchangePointer(Target: list[Any], Value: Any) -> Any:
    with _lock:
        before, Target[0] = Target[0], Value
    return before


def InterlockedCompareExchangePointer(Destination: list[Any], Exchange: Any, Comperand: Any) -> Any:
    """Pointers are equal if they refer to the same object."""
    with _lock:
        before = Destination[0]
        if before is Comperand:
            Destination[0] = Exchange
    return before


def InterlockedBitTestAndSet(Base: list[int], Offset: int) -> bool:
    """Whether the bit was set."""
    return bool(InterlockedOr(Base, 1 << Offset) >> Offset & 1)


def InterlockedBitTestAndReset(Base: list[int], Offset: int) -> bool:
    return bool(InterlockedAnd(Base, ~(1 << Offset)) >> Offset & 1)
