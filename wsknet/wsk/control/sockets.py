"""WskControlSocket (WSK-5.1).

What is in none of the tables answers STATUS_NOT_SUPPORTED and completes the IRP, if there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.constants import SO_WSK_EVENT_CALLBACK, SOL_SOCKET, WskGetOption, WskIoctl, WskSetOption
from wsknet.wsk.control.events import control_events
from wsknet.wsk.control.ioctl import Buffers, require_passive
from wsknet.wsk.control.ioctls import IOCTLS, perform_inline, perform_ioctl
from wsknet.wsk.control.options import check_option, get_option, set_option
from wsknet.wsk.pointers import require_number
from wsknet.wsk.status import NTSTATUS, STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.irp import IRP
    from wsknet.wsk.sockets.base import Socket


def control_socket(
    socket: Socket,
    RequestType: int,
    ControlCode: int,
    Level: int,
    InputSize: int,
    InputBuffer: Any,
    OutputSize: int,
    OutputBuffer: Any,
    OutputSizeReturned: list[int] | None,
    Irp: IRP | None,
) -> NTSTATUS:
    require_number(ControlCode, "ControlCode")
    if RequestType != WskIoctl:  # there it is ignored
        require_number(Level, "Level")
    if RequestType == WskSetOption:
        if ControlCode == SO_WSK_EVENT_CALLBACK and Level == SOL_SOCKET:
            return control_events(socket, InputSize, InputBuffer, Irp)
        if Irp is not None:
            check_option(Level, ControlCode, InputBuffer)
        return _perform(socket, Irp, set_option, socket, Level, ControlCode, InputSize, InputBuffer)
    if RequestType == WskGetOption:
        return _perform(socket, Irp, get_option, socket, Level, ControlCode, OutputSize, OutputBuffer)
    if RequestType == WskIoctl:
        buffers = Buffers(InputSize, InputBuffer, OutputSize, OutputBuffer, OutputSizeReturned)
        return _ioctl(socket, Irp, ControlCode, buffers)
    return _perform(socket, Irp, _unknown_request)


def _perform(socket: Socket, Irp: IRP | None, operation: Any, *arguments: Any) -> NTSTATUS:
    return STATUS_INVALID_PARAMETER if Irp is None else socket.perform(Irp, operation, *arguments)


def _ioctl(socket: Socket, Irp: IRP | None, ControlCode: int, buffers: Buffers) -> NTSTATUS:
    ioctl = IOCTLS.get(ControlCode)
    if ioctl is not None and ioctl.is_passive:
        require_passive(f"control code 0x{ControlCode:08X}")
    if Irp is not None:
        return socket.perform(Irp, perform_ioctl, socket, ControlCode, buffers)
    if ioctl is None:
        return STATUS_NOT_SUPPORTED
    return perform_inline(socket, ControlCode, buffers) if ioctl.is_without_irp else STATUS_INVALID_PARAMETER


def _unknown_request(Irp: IRP, now: Instant) -> Any:
    raise LocalError(ErrorKind.INVALID_ARGUMENT)
