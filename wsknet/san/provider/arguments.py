"""What callers give to the functions of a provider: read without ever raising, filled where there is room."""

from __future__ import annotations

from typing import TypeGuard

from wsknet.san.numbers import SOCKET_ERROR
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN, memory_of
from wsknet.san.structures import INT


def fail(lpErrno: object, code: int, result: int = SOCKET_ERROR) -> int:
    """Store `code`, if there is anything to store it in; what the function returns."""
    if isinstance(lpErrno, INT):
        lpErrno.Value = code
    return result


def is_length(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def read_name(name: object, namelen: object) -> SOCKADDR_IN | None:
    """The address behind `const struct sockaddr *name`.

    `None` for every fault of memory (SAN-3.2.WSAEFAULT): no pointer, a length that is shorter than a sockaddr_in or
    longer than what `name` points to, members that no sockaddr_in could hold.
    """
    if not is_length(namelen):
        return None
    try:
        memory = memory_of(name)  # type: ignore[arg-type]  # that is what is asked here
    except (AttributeError, OverflowError, TypeError, ValueError):
        return None
    if memory is None or not SIZE <= namelen <= len(memory):
        return None
    if isinstance(name, SOCKADDR_IN) and len(memory) != SIZE:
        return None
    return SOCKADDR_IN.parse(memory)


def has_room_for_name(name: object, namelen: object) -> bool:
    """Whether an address can be stored in `name`, whose size `namelen` tells."""
    return (
        isinstance(name, SOCKADDR_IN)
        and isinstance(namelen, INT)
        and is_length(namelen.Value)
        and namelen.Value >= SIZE
    )
