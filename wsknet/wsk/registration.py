"""WskRegister and its companions (WSK-1.1 to 1.4)."""

from __future__ import annotations

from wsknet.host import current_host
from wsknet.types import MILLISECOND, Instant
from wsknet.wsk.client import Client
from wsknet.wsk.constants import MAKE_WSK_VERSION, WSK_INFINITE_WAIT, WSK_NO_WAIT
from wsknet.wsk.irql import require_may_wait
from wsknet.wsk.kernel import kernel_of
from wsknet.wsk.provider import PROVIDER_DISPATCH
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_DEVICE_NOT_READY,
    STATUS_INVALID_PARAMETER,
    STATUS_NOINTERFACE,
    STATUS_SUCCESS,
)
from wsknet.wsk.structures import (
    WSK_CLIENT_NPI,
    WSK_PROVIDER_CHARACTERISTICS,
    WSK_PROVIDER_NPI,
    WSK_REGISTRATION,
)

__all__ = [
    "WskCaptureProviderNPI", "WskDeregister", "WskQueryProviderCharacteristics", "WskRegister",
    "WskReleaseProviderNPI",
]  # fmt: skip

LOWEST_VERSION = MAKE_WSK_VERSION(1, 0)
HIGHEST_VERSION = PROVIDER_DISPATCH.Version


def WskRegister(WskClientNpi: WSK_CLIENT_NPI, WskRegistration: WSK_REGISTRATION) -> NTSTATUS:
    """Attach to the current host.  The version asked for is not looked at before WskCaptureProviderNPI."""
    Dispatch = WskClientNpi.Dispatch
    if Dispatch is None or Dispatch.Reserved != 0:
        return STATUS_INVALID_PARAMETER
    WskRegistration.ReservedRegistrationContext = Client(current_host(), WskClientNpi.ClientContext, Dispatch)
    return STATUS_SUCCESS


def WskCaptureProviderNPI(
    WskRegistration: WSK_REGISTRATION, WaitTimeout: int, WskProviderNpi: WSK_PROVIDER_NPI
) -> NTSTATUS:
    """`WaitTimeout` counts milliseconds; WSK_NO_WAIT is the only one that is legal at DISPATCH_LEVEL."""
    client: Client | None = WskRegistration.ReservedRegistrationContext
    if client is None or not _is_ready_in_time(client, WaitTimeout):
        return STATUS_DEVICE_NOT_READY
    if not LOWEST_VERSION <= client.Dispatch.Version <= HIGHEST_VERSION:
        return STATUS_NOINTERFACE
    with client.host.pump:
        client.captures += 1
    WskProviderNpi.Client = client
    WskProviderNpi.Dispatch = PROVIDER_DISPATCH
    return STATUS_SUCCESS


def _is_ready_in_time(client: Client, WaitTimeout: int) -> bool:
    kernel = kernel_of(client.host)
    if WaitTimeout != WSK_NO_WAIT and not client.is_deregistered:
        require_may_wait("WskCaptureProviderNPI")
        driver = client.host.driver
        deadline = None if WaitTimeout == WSK_INFINITE_WAIT else Instant(driver.now() + WaitTimeout * MILLISECOND)

        def ready() -> bool:
            return kernel.provider_is_ready or client.is_deregistered

        driver.block(ready, "WskCaptureProviderNPI", deadline)
    return kernel.provider_is_ready and not client.is_deregistered


def WskReleaseProviderNPI(WskRegistration: WSK_REGISTRATION) -> None:
    """Sockets stay usable through their own tables; the functions of WSK_PROVIDER_DISPATCH do not."""
    client: Client | None = WskRegistration.ReservedRegistrationContext
    if client is not None and client.captures:
        with client.host.pump:
            client.release()


def WskQueryProviderCharacteristics(
    WskRegistration: WSK_REGISTRATION, WskProviderCharacteristics: WSK_PROVIDER_CHARACTERISTICS
) -> NTSTATUS:
    client: Client | None = WskRegistration.ReservedRegistrationContext
    if client is None or not _is_ready_in_time(client, WSK_NO_WAIT):
        return STATUS_DEVICE_NOT_READY
    WskProviderCharacteristics.LowestVersion = LOWEST_VERSION
    WskProviderCharacteristics.HighestVersion = HIGHEST_VERSION
    return STATUS_SUCCESS


def WskDeregister(WskRegistration: WSK_REGISTRATION) -> None:
    """Waits until every capture is released, every call has returned and every socket is closed."""
    client: Client | None = WskRegistration.ReservedRegistrationContext
    if client is None or client.is_deregistered:
        return
    client.is_deregistered = True
    driver = client.host.driver
    driver.wakeup()
    if not client.is_unused():
        require_may_wait("WskDeregister")
        driver.block(client.is_unused, f"WskDeregister ({client.describe_use()})", None)
