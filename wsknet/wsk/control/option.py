"""What an option of WskControlSocket is: who has it, and what sets and gets it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.constants import (
    AF_INET,
    AF_INET6,
    IPPROTO_IPV6,
    SOCK_STREAM,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
)
from wsknet.wsk.control.ulong import ULONG_SIZE, read_ulong, write_ulongs

if TYPE_CHECKING:
    from wsknet.types import Instant

LISTEN = WSK_FLAG_LISTEN_SOCKET | WSK_FLAG_STREAM_SOCKET
CONNECTION = WSK_FLAG_CONNECTION_SOCKET | WSK_FLAG_STREAM_SOCKET
DATAGRAM = WSK_FLAG_DATAGRAM_SOCKET
TRANSPORT = LISTEN | CONNECTION | DATAGRAM
"""Every category but the basic one."""

Belongs = Callable[[Any], bool]


class Option(NamedTuple):
    """A row under (Level, ControlCode).  What is None answers STATUS_NOT_SUPPORTED.

    `set` and `get` raise `NetError` or `Refusal`; they run inside the pump, on a socket that is alive and has the
    option.
    """

    belongs: Belongs
    """Whether a socket has it; else STATUS_INVALID_PARAMETER (D-17)."""
    set: Callable[[Any, int, Any, Instant], None] | None = None
    """Takes socket, InputSize, InputBuffer and the time."""
    get: Callable[[Any, int, Any, Instant], int] | None = None
    """Takes socket, OutputSize, OutputBuffer and the time; returns the bytes written."""
    is_before_bind: bool = False
    """Setting it later answers STATUS_INVALID_DEVICE_STATE (D-17)."""
    check: Callable[[Any], None] | None = None
    """Takes the InputBuffer that is to be set, before the IRP is taken: raises `BugCheck`."""


def of_categories(categories: int) -> Belongs:
    """Sockets of the categories with these flags."""
    return lambda socket: bool(socket.CATEGORY & categories)


def stands_for(socket: Any) -> int:
    """The flags of its category.  For options of the transport stack, which are what basic sockets are for (Winsock
    Kernel Socket Categories), a basic one has those of the sockets that its protocol else has.
    """
    if socket.CATEGORY:
        return int(socket.CATEGORY)
    return LISTEN | CONNECTION if socket.socket_type == SOCK_STREAM else DATAGRAM


def of_transport(categories: int) -> Belongs:
    """The same as `of_categories`, for an option of the transport stack."""
    return lambda socket: bool(stands_for(socket) & categories)


def has_level(socket: Any, Level: int) -> bool:
    """Whether `Level`, IPPROTO_IP or IPPROTO_IPV6, is one of a socket's: a dual-stack socket has both."""
    if Level == IPPROTO_IPV6:
        return bool(socket.family == AF_INET6)
    return bool(socket.family == AF_INET or socket.is_dual)


def of_level(Level: int, categories: int = TRANSPORT) -> Belongs:
    """The same, of those that have `Level` too."""
    return lambda socket: bool(stands_for(socket) & categories) and has_level(socket, Level)


def number(
    belongs: Belongs,
    set_value: Callable[[Any, int, Instant], None] | None,
    get_value: Callable[[Any], int] | None,
    is_before_bind: bool = False,
) -> Option:
    """An option of one ULONG, given and taken as C reads it."""

    def set_number(socket: Any, InputSize: int, InputBuffer: Any, now: Instant) -> None:
        assert set_value is not None
        set_value(socket, read_ulong(InputSize, InputBuffer), now)

    def get_number(socket: Any, OutputSize: int, OutputBuffer: Any, now: Instant) -> int:
        assert get_value is not None
        value = get_value(socket)
        if OutputSize < ULONG_SIZE:
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        return write_ulongs(OutputBuffer, [value])

    return Option(belongs, set_number if set_value else None, get_number if get_value else None, is_before_bind)


def apply_to_endpoint(socket: Any) -> None:
    """Let the endpoint know of an option that may change at any time."""
    if socket.endpoint is not None:
        socket.apply_options()
