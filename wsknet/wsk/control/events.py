"""SO_WSK_EVENT_CALLBACK: enabling and disabling event callbacks (WSK-5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.constants import WSK_EVENT_DISABLE
from wsknet.wsk.requests import KEPT, Forbidden, mark_pending, perform_without_irp
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_EVENT_PENDING,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
)
from wsknet.wsk.structures import NPI_WSK_INTERFACE_ID, WSK_EVENT_CALLBACK_CONTROL

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.irp import IRP
    from wsknet.wsk.sockets.base import Socket


def control_events(socket: Socket, InputSize: int, Control: Any, Irp: IRP | None) -> NTSTATUS:
    """Works with and without an IRP, both ways (C-05)."""
    if Irp is not None:
        return socket.perform(Irp, _change_events, socket, InputSize, Control)
    return perform_without_irp(socket.host, _change_events_at_once, socket, InputSize, Control)


def _change_events_at_once(now: Instant, socket: Socket, InputSize: int, Control: Any) -> NTSTATUS:
    mask = _event_mask(socket, InputSize, Control)
    if not mask & WSK_EVENT_DISABLE:
        _enable(socket, mask, now)
        return STATUS_SUCCESS
    event = _disable(socket, mask)
    return STATUS_EVENT_PENDING if socket.busy & event else STATUS_SUCCESS


def _change_events(Irp: IRP, now: Instant, socket: Socket, InputSize: int, Control: Any) -> Any:
    mask = _event_mask(socket, InputSize, Control)
    if not mask & WSK_EVENT_DISABLE:
        _enable(socket, mask, now)
        return 0
    event = _disable(socket, mask)
    if not socket.busy & event:
        return 0
    mark_pending(Irp)
    Irp._keeper = socket
    socket.disabling.append((event, Irp))
    return KEPT


def _event_mask(socket: Socket, InputSize: int, Control: Any) -> int:
    """Static events are not for the application to touch (R-331)."""
    socket.require_alive()
    mask = require_standard_events(InputSize, Control, socket.EVENTS | WSK_EVENT_DISABLE)
    if mask & socket.static_events:
        what = "a static event is neither disabled nor enabled again"
        raise Forbidden(STATUS_INVALID_PARAMETER, "R-331", what)
    if mask == WSK_EVENT_DISABLE:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    return mask


def require_standard_events(InputSize: int, Control: Any, allowed: int) -> int:
    """The EventMask of a WSK_EVENT_CALLBACK_CONTROL: bits of `allowed`, at least one.  Raises INVALID_ARGUMENT."""
    if not isinstance(Control, WSK_EVENT_CALLBACK_CONTROL) or InputSize != Control.SIZE:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    mask = Control.EventMask
    if Control.NpiId != NPI_WSK_INTERFACE_ID or not mask or mask & ~allowed:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    return mask


def _enable(socket: Socket, events: int, now: Instant) -> None:
    socket.check_may_enable(events)
    callbacks = {}
    for bit in range(events.bit_length()):
        if events >> bit & 1:
            callback = socket.find_callback(1 << bit)
            if callback is None:
                raise LocalError(ErrorKind.INVALID_ARGUMENT)
            callbacks[1 << bit] = callback
    socket.callbacks.update(callbacks)
    socket.events |= events
    socket.events_changed(now)


def _disable(socket: Socket, mask: int) -> int:
    """One event at a time, and none that is only there to be inherited."""
    event = mask & ~WSK_EVENT_DISABLE
    if event & (event - 1):
        raise Forbidden(STATUS_INVALID_PARAMETER, "R-292", "several events are disabled at once")
    if event & socket.never_disabled():
        raise Forbidden(STATUS_INVALID_PARAMETER, "R-162", "a connection event is disabled on a socket that listens")
    socket.events &= ~event
    return event
