"""What C cannot tell: arguments that are no such thing as the function takes, as if a pointer led somewhere else.

Windows reads there what it finds, or stops.  Here it is misuse like any other.
"""

from __future__ import annotations

from typing import Any

from wsknet.wsk.bugcheck import ATTEMPTED_WRITE_TO_READONLY_MEMORY, PAGE_FAULT_IN_NONPAGED_AREA, BugCheck

ODD = (TypeError, AttributeError, ValueError, LookupError, OverflowError, BufferError, MemoryError)
"""What Python raises when somebody uses such an argument.  Not to be caught around a program's own routines."""

_ULONG = 4


def wild(error: Exception) -> BugCheck:
    """`error` is one of ODD."""
    what = f"an argument is not what the function takes ({type(error).__name__}: {error})"
    return BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", what)


def require_kind(argument: Any, kind: type[Any] | tuple[type[Any], ...], name: str) -> None:
    """BugCheck unless `argument` is NULL or of `kind`."""
    if argument is not None and not isinstance(argument, kind):
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", f"{name} is a {type(argument).__name__}")


def require_number(argument: Any, name: str) -> None:
    """BugCheck unless `argument` is a number."""
    if not isinstance(argument, int):
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", f"{name} is a {type(argument).__name__}")


def require_memory(target: Any, size: int, rule: str, name: str) -> None:
    """BugCheck unless `target` is memory of at least `size` bytes that can be written."""
    require_kind(target, (bytearray, memoryview, bytes), name)
    if isinstance(target, bytes) or (isinstance(target, memoryview) and target.readonly):
        raise BugCheck(ATTEMPTED_WRITE_TO_READONLY_MEMORY, rule, f"{name} cannot be written")
    if len(target) < size:
        what = f"{name} of {len(target)} bytes cannot take {size}"
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, rule, what)


def held(target: Any) -> Any:
    """The same memory for a request that pends: who releases a memoryview of it meanwhile does not take it away."""
    return memoryview(target) if isinstance(target, memoryview) else target


def require_ulong(target: Any, name: str) -> None:
    """BugCheck unless `target` is NULL or where a ULONG can stand: a list of one number, or memory."""
    if target is None:
        return
    if not isinstance(target, list):
        require_memory(target, _ULONG, "D-19", name)
    elif len(target) != 1 or not isinstance(target[0], int):
        raise BugCheck(PAGE_FAULT_IN_NONPAGED_AREA, "D-19", f"{name} is a list, but not of one number")


def read_ulong(target: Any) -> int:
    """Of what `require_ulong` has seen."""
    value: int = target[0] if isinstance(target, list) else int.from_bytes(target[:_ULONG], "little")
    return value


def write_ulong(target: Any, value: int) -> None:
    """The same the other way."""
    if isinstance(target, list):
        target[:] = [value]
    else:
        target[:_ULONG] = value.to_bytes(_ULONG, "little")
