"""Reading and filling what callers point to.  Nothing here raises anything but `Refusal`, whatever it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wsknet.san.base.calls import Refusal
from wsknet.san.numbers import AF_INET, AF_INET6, AF_UNSPEC, WSAEAFNOSUPPORT, WSAEFAULT, WSAEINVAL
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN, memory_of
from wsknet.san.structures import INT, WSABUF, WSAOVERLAPPED
from wsknet.types import Endpoint

ULONG_SIZE = 4


def number(value: Any, code: int = WSAEINVAL) -> int:
    if not isinstance(value, int):
        raise Refusal(code)
    return value


def read_name(name: Any, namelen: Any) -> SOCKADDR_IN:
    """The address in the `namelen` bytes at `name`, of whatever family.  WSAEFAULT."""
    try:
        memory = memory_of(name)
    except (AttributeError, OverflowError, TypeError, ValueError):
        memory = None  # members that no sockaddr_in can hold
    if memory is None or not isinstance(namelen, int) or not SIZE <= namelen <= len(memory):
        raise Refusal(WSAEFAULT)
    return SOCKADDR_IN.parse(memory)


def read_own_name(name: Any, namelen: Any) -> SOCKADDR_IN:
    """What bind is given.  An address of the other families that exist here is WSAEFAULT, "the first two bytes do not
    match the socket" (bind function); of a family that nobody knows it is WSAEAFNOSUPPORT (BIND-1.3)."""
    address = read_name(name, namelen)
    if address.sin_family != AF_INET:
        raise Refusal(WSAEFAULT if address.sin_family in (AF_UNSPEC, AF_INET6) else WSAEAFNOSUPPORT)
    return address


def read_destination(name: Any, namelen: Any) -> Endpoint:
    """What connect and sendto are given.  WSAEFAULT, WSAEAFNOSUPPORT."""
    address = read_name(name, namelen)
    if address.sin_family != AF_INET:
        raise Refusal(WSAEAFNOSUPPORT)
    return address.endpoint


def check_room(name: Any, namelen: Any) -> None:
    """WSAEFAULT unless an address can be stored in `name`."""
    if not (isinstance(name, SOCKADDR_IN) and isinstance(namelen, INT) and isinstance(namelen.Value, int)):
        raise Refusal(WSAEFAULT)
    if namelen.Value < SIZE:
        raise Refusal(WSAEFAULT)


def wants_name(name: Any, namelen: Any) -> bool:
    """Whether the caller asks for an optional address.  WSAEFAULT if it cannot be stored."""
    if name is None or namelen is None:
        return False
    check_room(name, namelen)
    return True


def store_name(name: SOCKADDR_IN, namelen: INT, endpoint: Endpoint) -> None:
    name.assign(SOCKADDR_IN(endpoint.address, endpoint.port))
    namelen.Value = SIZE


def views_of(lpBuffers: Any, dwBufferCount: Any, *, are_filled: bool) -> list[memoryview]:
    """The memory of `dwBufferCount` WSABUF, which must be writable if they `are_filled`.  WSAEFAULT; without any buffer
    WSAEINVAL."""
    if not isinstance(dwBufferCount, int) or dwBufferCount <= 0:
        raise Refusal(WSAEINVAL)
    if not isinstance(lpBuffers, Sequence) or len(lpBuffers) < dwBufferCount:
        raise Refusal(WSAEFAULT)
    return [_view_of(buffer, are_filled) for buffer in lpBuffers[:dwBufferCount]]


def _view_of(buffer: Any, is_filled: bool) -> memoryview:
    if not isinstance(buffer, WSABUF) or not isinstance(buffer.len, int):
        raise Refusal(WSAEFAULT)
    try:
        whole = memoryview(buffer.buf).cast("B")
    except (TypeError, ValueError):  # no memory, or a view that was released
        raise Refusal(WSAEFAULT) from None
    if not 0 <= buffer.len <= len(whole) or (is_filled and whole.readonly):
        raise Refusal(WSAEFAULT)
    return whole[: buffer.len]


def read_ulong(buffer: Any, size: Any) -> int:
    """An unsigned long that is given by pointer and size.  WSAEFAULT."""
    if not isinstance(size, int) or size < ULONG_SIZE:
        raise Refusal(WSAEFAULT)
    if isinstance(buffer, INT) and isinstance(buffer.Value, int):
        return buffer.Value & 0xFFFF_FFFF
    if isinstance(buffer, bytes | bytearray | memoryview) and len(buffer) >= ULONG_SIZE:
        return int.from_bytes(bytes(buffer[:ULONG_SIZE]), "little")
    raise Refusal(WSAEFAULT)


def is_pointer_to_number(value: Any) -> bool:
    return isinstance(value, INT) and isinstance(value.Value, int)


def check_overlapped(lpOverlapped: Any, lpCompletionRoutine: Any) -> None:
    """WSAEFAULT for what is there and is no overlapped structure, or no function."""
    if lpOverlapped is not None and not isinstance(lpOverlapped, WSAOVERLAPPED):
        raise Refusal(WSAEFAULT)
    if lpCompletionRoutine is not None and not callable(lpCompletionRoutine):
        raise Refusal(WSAEFAULT)
