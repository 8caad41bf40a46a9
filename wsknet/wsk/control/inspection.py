"""Conditional accept: SO_CONDITIONAL_ACCEPT of those that listen, SIO_WSK_QUERY_INSPECT_ID of those that were accepted.

WSK-5.2, 5.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.constants import SIO_WSK_QUERY_INSPECT_ID, SO_CONDITIONAL_ACCEPT, SOL_SOCKET
from wsknet.wsk.control.ioctl import Buffers, Ioctl
from wsknet.wsk.control.option import CONNECTION, LISTEN, number, of_categories
from wsknet.wsk.requests import Refusal
from wsknet.wsk.sockets.inspecting import inspect_id
from wsknet.wsk.status import STATUS_INVALID_DEVICE_REQUEST
from wsknet.wsk.structures import WSK_INSPECT_ID

if TYPE_CHECKING:
    from wsknet.types import Instant


def _set_conditional_accept(socket: Any, value: int, now: Instant) -> None:
    """This enables two callbacks for good, so both have to be there (D-15)."""
    dispatch = socket.listen_dispatch
    names = ("WskInspectEvent", "WskAbortEvent")
    if value and None in [getattr(dispatch, name, None) for name in names]:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    socket.options.conditional_accept = int(value != 0)


def _conditional_accept(socket: Any) -> int:
    value: int = socket.options.conditional_accept
    return value


def _query_inspect_id(Irp: Any, now: Instant, socket: Any, buffers: Buffers) -> int:
    socket.require_alive()
    has_peer = socket.CATEGORY & CONNECTION and socket.endpoint is not None
    inspection = socket.endpoint.inspection if has_peer else None
    if inspection is None:
        raise Refusal(STATUS_INVALID_DEVICE_REQUEST)
    buffers.require_no_input()
    target = buffers.OutputBuffer
    if not isinstance(target, WSK_INSPECT_ID) or buffers.OutputSize < target.SIZE:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    if buffers.OutputSizeReturned is not None:
        buffers.OutputSizeReturned[0] = target.SIZE
    elif Irp is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    found = inspect_id(inspection)
    target.Key, target.SerialNumber = found.Key, found.SerialNumber
    return target.SIZE


OPTIONS = {
    (SOL_SOCKET, SO_CONDITIONAL_ACCEPT): number(
        of_categories(LISTEN), _set_conditional_accept, _conditional_accept, is_before_bind=True
    ),
}

IOCTLS = {SIO_WSK_QUERY_INSPECT_ID: Ioctl(_query_inspect_id, 0, is_without_irp=True)}
"""For all sockets: it is the state of one, not its category, that says whether there is an answer (R-186)."""
