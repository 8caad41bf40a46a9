"""All options of WskControlSocket, and the two requests that use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.control import (
    groups,
    inspection,
    ip_options,
    messages,
    raw_options,
    security,
    socket_options,
    steering,
    tcp_options,
    udp_options,
)
from wsknet.wsk.control.option import Option
from wsknet.wsk.requests import Forbidden
from wsknet.wsk.sockets.states import CREATED
from wsknet.wsk.status import STATUS_INVALID_DEVICE_STATE

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.irp import IRP

OPTIONS: dict[tuple[int, int], Option] = {
    **socket_options.TABLE,
    **tcp_options.TABLE,
    **groups.TABLE,
    **steering.TABLE,
    **messages.TABLE,
    **ip_options.TABLE,
    **udp_options.TABLE,
    **raw_options.TABLE,
    **security.TABLE,
    **inspection.OPTIONS,
}
"""By Level and ControlCode."""


def set_option(
    Irp: IRP, now: Instant, socket: Any, Level: int, ControlCode: int, InputSize: int, InputBuffer: Any
) -> int:
    option = _find(socket, Level, ControlCode)
    if option.set is None:
        raise LocalError(ErrorKind.NOT_SUPPORTED)
    if option.is_before_bind and socket.state != CREATED:
        raise Forbidden(STATUS_INVALID_DEVICE_STATE, "WSK-5.2", "the option has to be set before bind")
    option.set(socket, InputSize, InputBuffer, now)
    return 0


def check_option(Level: int, ControlCode: int, InputBuffer: Any) -> None:
    """BugCheck for an InputBuffer that may not be set.  Before the IRP is taken."""
    option = OPTIONS.get((Level, ControlCode))
    if option is not None and option.check is not None:
        option.check(InputBuffer)


def get_option(
    Irp: IRP, now: Instant, socket: Any, Level: int, ControlCode: int, OutputSize: int, OutputBuffer: Any
) -> int:
    option = _find(socket, Level, ControlCode)
    if option.get is None:
        raise LocalError(ErrorKind.NOT_SUPPORTED)
    return option.get(socket, OutputSize, OutputBuffer, now)


def _find(socket: Any, Level: int, ControlCode: int) -> Option:
    socket.require_alive()
    option = OPTIONS.get((Level, ControlCode))
    if option is None:
        raise LocalError(ErrorKind.NOT_SUPPORTED)
    if not option.belongs(socket):
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    return option
