"""What an IOCTL of WskControlSocket is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from wsknet.errors import ErrorKind, LocalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.types import Instant


class Buffers(NamedTuple):
    """Of one IOCTL."""

    InputSize: int
    InputBuffer: Any
    OutputSize: int
    OutputBuffer: Any
    OutputSizeReturned: list[int] | None

    def require_no_input(self) -> None:
        if self.InputSize or self.InputBuffer is not None:
            raise LocalError(ErrorKind.INVALID_ARGUMENT)


class Ioctl(NamedTuple):
    """A row under its ControlCode."""

    operation: Callable[[Any, Instant, Any, Buffers], Any]
    """Takes IRP, time, socket and buffers; returns the bytes written, or KEPT.  Raises `NetError` or `Refusal`."""
    categories: int
    """Flags of the socket categories that have it; 0: all of them, basic sockets too."""
    takes_address: bool = False
    """Its input, if any, is a SOCKADDR of the socket's family."""
    is_without_irp: bool = False
    """Documented with a NULL IRP and OutputSizeReturned.  With an IRP it completes it."""
