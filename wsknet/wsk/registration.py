"""WskRegister and its companions (WSK-1.1 to 1.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.host import current_host
from wsknet.types import MILLISECOND, Instant
from wsknet.wsk.client import Client, misuse, require_passive
from wsknet.wsk.constants import MAKE_WSK_VERSION, WSK_INFINITE_WAIT, WSK_NO_WAIT
from wsknet.wsk.kernel import kernel_of
from wsknet.wsk.pointers import require_kind, require_number
from wsknet.wsk.provider import PROVIDER_DISPATCH
from wsknet.wsk.requests import call_back
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_DEVICE_NOT_READY,
    STATUS_INVALID_PARAMETER,
    STATUS_NOINTERFACE,
    STATUS_SUCCESS,
)
from wsknet.wsk.structures import (
    WSK_CLIENT_DISPATCH,
    WSK_CLIENT_NPI,
    WSK_PROVIDER_CHARACTERISTICS,
    WSK_PROVIDER_NPI,
    WSK_REGISTRATION,
)
from wsknet.wsk.verifier import checked, forbid

if TYPE_CHECKING:
    from wsknet.host import Host

__all__ = [
    "WskCaptureProviderNPI", "WskDeregister", "WskQueryProviderCharacteristics", "WskRegister",
    "WskReleaseProviderNPI", "report_client_event",
]  # fmt: skip

LOWEST_VERSION = MAKE_WSK_VERSION(1, 0)
HIGHEST_VERSION = PROVIDER_DISPATCH.Version
"""1.0, though the tables have what later versions of Windows added to them: no public source names another version,
and every public driver asks for this one."""


def is_supported(Version: int) -> bool:
    return LOWEST_VERSION <= Version <= HIGHEST_VERSION


class Registration:
    """What the subsystem keeps in a WSK_REGISTRATION."""

    __slots__ = ("calls", "client", "host", "is_deregistered", "is_over")

    def __init__(self, client: Client) -> None:
        self.host = client.host
        self.client = client
        """The present attachment; once that to a provider that went away has ended, the next capture replaces it."""
        self.calls = 0
        """To WskCaptureProviderNPI, in progress."""
        self.is_deregistered = False
        self.is_over = False
        """WskDeregister has returned."""

    def may_capture(self) -> bool:
        """Whether the provider is there, and this application attached to it or free to attach anew."""
        client = self.client
        if not kernel_of(self.host).provider_is_ready or self.is_deregistered:
            return False
        return not client.is_provider_gone or client.is_unused()

    def capture(self) -> Client:
        """Driver lock held."""
        if self.client.is_provider_gone:
            self.client = Client(self.host, self.client.ClientContext, self.client.Dispatch)
        self.client.captures += 1
        return self.client


def _registration(block: WSK_REGISTRATION, function: str) -> Registration:
    _require(block, WSK_REGISTRATION, function)
    registration: Registration | None = block.ReservedRegistrationContext
    if registration is None:
        raise misuse("R-001", f"{function} needs a block that WskRegister has initialized")
    return registration


def _require(argument: object, kind: type[object], function: str) -> None:
    """BugCheck unless `argument` is of `kind`; NULL is not."""
    if not isinstance(argument, kind):
        raise misuse("R-001", f"{function} needs a {kind.__name__}, and is given a {type(argument).__name__}")


@checked(STATUS_INVALID_PARAMETER)
def WskRegister(WskClientNpi: WSK_CLIENT_NPI, WskRegistration: WSK_REGISTRATION) -> NTSTATUS:
    """Attach to the current host.  The version asked for is not looked at before WskCaptureProviderNPI."""
    require_passive("WskRegister", "R-007")
    _require(WskClientNpi, WSK_CLIENT_NPI, "WskRegister")
    _require(WskRegistration, WSK_REGISTRATION, "WskRegister")
    before: Registration | None = WskRegistration.ReservedRegistrationContext
    if before is not None and not before.is_over:
        raise misuse("R-002", "WskRegister with the block of a registration that has not ended")
    if before is not None and before.calls:
        raise misuse("R-004", "WskRegister with a block that a WskCaptureProviderNPI in progress still uses")
    Dispatch, host = WskClientNpi.Dispatch, current_host()
    require_kind(Dispatch, WSK_CLIENT_DISPATCH, "the client dispatch")
    if Dispatch is not None and Dispatch.Reserved != 0:
        forbid(host, "R-030", f"the Reserved member of the client dispatch is {Dispatch.Reserved}")
    if Dispatch is None or Dispatch.Reserved != 0:
        return STATUS_INVALID_PARAMETER
    with host.pump:  # others may be going through the clients
        client = Client(host, WskClientNpi.ClientContext, Dispatch)
    WskRegistration.ReservedRegistrationContext = Registration(client)
    return STATUS_SUCCESS


@checked(STATUS_INVALID_PARAMETER)
def WskCaptureProviderNPI(
    WskRegistration: WSK_REGISTRATION, WaitTimeout: int, WskProviderNpi: WSK_PROVIDER_NPI
) -> NTSTATUS:
    """`WaitTimeout` counts milliseconds; WSK_NO_WAIT is the only one that is legal at DISPATCH_LEVEL."""
    registration = _registration(WskRegistration, "WskCaptureProviderNPI")
    _require(WskProviderNpi, WSK_PROVIDER_NPI, "WskCaptureProviderNPI")
    require_number(WaitTimeout, "WaitTimeout")
    pump = registration.host.pump
    with pump:
        registration.calls += 1
    try:
        if WaitTimeout != WSK_NO_WAIT:
            _await_provider(registration, WaitTimeout)
        with pump:
            if not registration.may_capture():
                return STATUS_DEVICE_NOT_READY
            if not is_supported(registration.client.Dispatch.Version):
                return STATUS_NOINTERFACE
            WskProviderNpi.Client = registration.capture()
    finally:
        with pump:
            registration.calls -= 1
    WskProviderNpi.Dispatch = PROVIDER_DISPATCH
    return STATUS_SUCCESS


def _await_provider(registration: Registration, WaitTimeout: int) -> None:
    require_passive("WskCaptureProviderNPI with a timeout", "R-016")
    driver = registration.host.driver
    deadline = None if WaitTimeout == WSK_INFINITE_WAIT else Instant(driver.now() + WaitTimeout * MILLISECOND)

    def is_over() -> bool:
        return registration.may_capture() or registration.is_deregistered

    driver.block(is_over, "WskCaptureProviderNPI", deadline)


@checked(None)
def WskReleaseProviderNPI(WskRegistration: WSK_REGISTRATION) -> None:
    """Sockets stay usable through their own tables; the functions of WSK_PROVIDER_DISPATCH do not."""
    _registration(WskRegistration, "WskReleaseProviderNPI").client.release()


@checked(STATUS_INVALID_PARAMETER)
def WskQueryProviderCharacteristics(
    WskRegistration: WSK_REGISTRATION, WskProviderCharacteristics: WSK_PROVIDER_CHARACTERISTICS
) -> NTSTATUS:
    registration = _registration(WskRegistration, "WskQueryProviderCharacteristics")
    _require(WskProviderCharacteristics, WSK_PROVIDER_CHARACTERISTICS, "WskQueryProviderCharacteristics")
    if not kernel_of(registration.host).provider_is_ready or registration.is_deregistered:
        return STATUS_DEVICE_NOT_READY
    WskProviderCharacteristics.LowestVersion = LOWEST_VERSION
    WskProviderCharacteristics.HighestVersion = HIGHEST_VERSION
    return STATUS_SUCCESS


@checked(None)
def WskDeregister(WskRegistration: WSK_REGISTRATION) -> None:
    """Waits until every capture is released, every call has returned, every request has completed and every socket is
    closed."""
    registration = _registration(WskRegistration, "WskDeregister")
    require_passive("WskDeregister", "WSK-1.1")
    with registration.host.pump:
        if registration.is_deregistered:
            raise misuse("R-003", "a second WskDeregister for one WskRegister")
        registration.is_deregistered = True
        client = registration.client  # no capture can replace it any more
        client.deregister()
    client.settle()
    registration.host.driver.block(client.is_unused, f"WskDeregister ({client.describe_use()})", None)
    registration.is_over = True


def report_client_event(
    host: Host, EventType: int, Information: Any = None, InformationLength: int = 0
) -> list[NTSTATUS]:
    """Call every WskClientEvent on `host` as a later version of WSK might, and return what the handlers answered.

    No event is defined for 1.0, so nothing else calls them (R-032); a handler answers STATUS_NOT_IMPLEMENTED to what it
    does not know.  The answers come in the order of registration, once the completion queue is empty.
    """
    answers: list[NTSTATUS] = []

    def report(client: Client) -> None:
        routine = client.Dispatch.WskClientEvent
        if routine is not None and not client.is_deregistered:
            status = call_back(routine, client.ClientContext, EventType, Information, InformationLength)
            answers.append(NTSTATUS(status))

    with host.pump:
        for client in kernel_of(host).clients:
            if is_supported(client.Dispatch.Version):
                host.pump.completions.post(report, client)
    return answers
