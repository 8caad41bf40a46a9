"""WskControlClient (WSK-5.7).  Callable at DISPATCH_LEVEL.

A code that is unknown answers STATUS_NOT_SUPPORTED; an IRP where there may be none, none where one has to be, and
wrong sizes STATUS_INVALID_PARAMETER; what has to come before the first socket and does not
STATUS_INVALID_DEVICE_STATE (D-17).  Whatever the answer, an IRP that is given is completed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.client import require_client
from wsknet.wsk.client_requests import perform_for_client
from wsknet.wsk.constants import (
    WSK_CACHE_SD,
    WSK_RELEASE_SD,
    WSK_SET_STATIC_EVENT_CALLBACKS,
    WSK_TDI_BEHAVIOR,
    WSK_TDI_DEVICENAME_MAPPING,
    WSK_TRANSPORT_LIST_CHANGE,
    WSK_TRANSPORT_LIST_QUERY,
)
from wsknet.wsk.control import security, static_events, tdi, transports
from wsknet.wsk.control.ioctl import Buffers
from wsknet.wsk.irp import IRP
from wsknet.wsk.pointers import require_number
from wsknet.wsk.requests import Refusal, perform_without_irp
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_DEVICE_NOT_READY,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
)

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.client import Client

WITHOUT_IRP: dict[int, Callable[[Instant, Client, Buffers], None]] = {
    WSK_TRANSPORT_LIST_QUERY: transports.query,
    WSK_CACHE_SD: security.cache,
    WSK_RELEASE_SD: security.release,
    WSK_TDI_DEVICENAME_MAPPING: tdi.map_devices,
    WSK_SET_STATIC_EVENT_CALLBACKS: static_events.set_static_events,
    WSK_TDI_BEHAVIOR: tdi.set_behavior,
}
"""Raise `NetError` or `Refusal`; run inside the pump."""

WITH_IRP: dict[int, Callable[[IRP, Instant, Client, Buffers], Any]] = {
    WSK_TRANSPORT_LIST_CHANGE: transports.await_change,
}
"""Return Information or KEPT."""


def WskControlClient(
    Client: Client | None,
    ControlCode: int,
    InputSize: int,
    InputBuffer: Any,
    OutputSize: int,
    OutputBuffer: Any,
    OutputSizeReturned: list[int] | None,
    Irp: IRP | None,
) -> NTSTATUS:
    """An out parameter that is a pointer, as of WSK_CACHE_SD, is a one-element list; an array of WSK_TRANSPORT is a
    list that becomes as long as that, or memory."""
    buffers = Buffers(InputSize, InputBuffer, OutputSize, OutputBuffer, OutputSizeReturned)
    if Irp is not None:
        return perform_for_client(Client, Irp, _perform_with_irp, ControlCode, buffers)
    if Client is None:
        return STATUS_INVALID_HANDLE
    require_client(Client)
    require_number(ControlCode, "ControlCode")
    operation = WITHOUT_IRP.get(ControlCode)
    if operation is None:
        return STATUS_INVALID_PARAMETER if ControlCode in WITH_IRP else STATUS_NOT_SUPPORTED
    return _perform_without_irp(Client, operation, buffers)


def _perform_with_irp(Irp: IRP, now: Instant, client: Client, ControlCode: int, buffers: Buffers) -> Any:
    operation = WITH_IRP.get(ControlCode)
    if operation is None:
        is_known = ControlCode in WITHOUT_IRP
        raise LocalError(ErrorKind.INVALID_ARGUMENT if is_known else ErrorKind.NOT_SUPPORTED)
    return operation(Irp, now, client, buffers)


def _perform_without_irp(client: Client, operation: Any, buffers: Buffers) -> NTSTATUS:
    client.enter()
    try:
        return perform_without_irp(client.host, _at_once, client, operation, buffers)
    finally:
        client.leave()


def _at_once(now: Instant, client: Client, operation: Any, buffers: Buffers) -> None:
    if client.is_provider_gone and operation is not security.release:
        raise Refusal(STATUS_DEVICE_NOT_READY)
    operation(now, client, buffers)
