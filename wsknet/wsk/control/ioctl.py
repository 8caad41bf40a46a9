"""What an IOCTL of WskControlSocket is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.bugcheck import IRQL_NOT_LESS_OR_EQUAL, BugCheck
from wsknet.wsk.irql import PASSIVE_LEVEL, processor

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

    def require_no_output(self) -> None:
        if self.OutputSize or self.OutputBuffer is not None:
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
    is_passive: bool = False
    """To be requested at PASSIVE_LEVEL only (WSK-2.6)."""


def require_passive(request: str) -> None:
    """BugCheck above PASSIVE_LEVEL."""
    if processor.irql > PASSIVE_LEVEL:
        raise BugCheck(IRQL_NOT_LESS_OR_EQUAL, "WSK-2.6", f"{request} is to be requested at PASSIVE_LEVEL")
