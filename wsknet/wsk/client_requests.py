"""How the functions of WSK_PROVIDER_DISPATCH carry out a request with an IRP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.wsk.client import require_client
from wsknet.wsk.irp import IRP, take_irp
from wsknet.wsk.requests import Refusal, complete_here, perform
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_DEVICE_NOT_READY,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_SUCCESS,
)

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.client import Client


def perform_for_client(client: Client | None, Irp: IRP | None, operation: Any, *arguments: Any) -> NTSTATUS:
    """Run `operation(Irp, now, client, *arguments)`, which answers as for `perform`."""
    if Irp is None:
        return STATUS_INVALID_PARAMETER
    if client is None:
        take_irp(Irp)
        Irp.IoStatus.Status = STATUS_INVALID_HANDLE
        Irp.IoStatus.Information = 0
        complete_here(Irp)
        return STATUS_INVALID_HANDLE
    require_client(client)
    client.enter()
    status = STATUS_SUCCESS
    try:
        status = perform(client.host, Irp, _if_present, operation, client, *arguments)
    finally:
        if status is STATUS_PENDING:
            with client.host.pump:
                client.host.pump.completions.post(client.leave)  # behind the completion, which may be queued
        else:
            client.leave()
    return status


def _if_present(Irp: IRP, now: Instant, operation: Any, client: Client, *arguments: Any) -> Any:
    if client.is_provider_gone:
        raise Refusal(STATUS_DEVICE_NOT_READY)
    return operation(Irp, now, client, *arguments)
