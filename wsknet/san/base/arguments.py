"""What only the functions of the TCP/IP provider are given.  Raises nothing but `WinsockError`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wsknet.san.arguments import is_pointer_to_number, listed, number, read_name, view_of
from wsknet.san.calls import WinsockError
from wsknet.san.numbers import AF_INET, AF_INET6, AF_UNSPEC, WSAEAFNOSUPPORT, WSAEFAULT
from wsknet.san.sockaddr import SOCKADDR_IN
from wsknet.san.structures import WSABUF, WSAOVERLAPPED
from wsknet.types import Buffer

ULONG_SIZE = 4


def read_own_name(name: Any, namelen: Any) -> SOCKADDR_IN:
    """What bind is given.  An address of the other families that exist here is WSAEFAULT, "the first two bytes do not
    match the socket" (bind function); of a family that nobody knows it is WSAEAFNOSUPPORT (BIND-1.3)."""
    address = read_name(name, namelen)
    if address.sin_family != AF_INET:
        raise WinsockError(WSAEFAULT if address.sin_family in (AF_UNSPEC, AF_INET6) else WSAEAFNOSUPPORT)
    return address


def views_of(lpBuffers: Any, dwBufferCount: Any, *, are_filled: bool) -> list[memoryview]:
    """The memory of `dwBufferCount` WSABUF, which must be writable if they `are_filled`.  WSAEFAULT; without any buffer
    WSAEINVAL."""
    return [_view_of(buffer, are_filled) for buffer in listed(lpBuffers, dwBufferCount)]


def _view_of(buffer: Any, is_filled: bool) -> memoryview:
    if not isinstance(buffer, WSABUF):
        raise WinsockError(WSAEFAULT)
    return view_of(buffer.buf, buffer.len, is_filled=is_filled)


def scatter(data: Buffer, views: Sequence[memoryview]) -> int:
    """Fill `views` in order; how many bytes of `data` they have taken."""
    count = 0
    for view in views:
        part = data[count : count + len(view)]
        view[: len(part)] = part
        count += len(part)
    return count


def read_ulong(buffer: Any, size: Any) -> int:
    """An unsigned long that is given by pointer and size.  WSAEFAULT."""
    if is_pointer_to_number(buffer) and number(size, WSAEFAULT) >= ULONG_SIZE:
        return int(buffer.Value) & 0xFFFF_FFFF
    return int.from_bytes(view_of(buffer, size, least=ULONG_SIZE)[:ULONG_SIZE], "little")


def read_overlapped(lpOverlapped: Any, lpCompletionRoutine: Any, *, is_overlapped: bool) -> WSAOVERLAPPED | None:
    """What a call uses of them on a socket that is overlapped or not.  WSAEFAULT for what is there and is no overlapped
    structure, or no function."""
    if lpOverlapped is not None and not isinstance(lpOverlapped, WSAOVERLAPPED):
        raise WinsockError(WSAEFAULT)
    if lpCompletionRoutine is not None and not callable(lpCompletionRoutine):
        raise WinsockError(WSAEFAULT)
    return lpOverlapped if is_overlapped else None
