"""WskRegister, capture, release and WskDeregister (WSK-1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_lab import Lab, Request, ok, start
from wsknet.drivers.base import DeadlockError
from wsknet.types import MILLISECOND, SECOND
from wsknet.wsk import (
    AF_INET,
    DISPATCH_LEVEL,
    IPPROTO_TCP,
    MAKE_WSK_VERSION,
    SOCK_STREAM,
    STATUS_DEVICE_NOT_READY,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOINTERFACE,
    STATUS_NOT_IMPLEMENTED,
    STATUS_SUCCESS,
    WSK_CLIENT_DISPATCH,
    WSK_CLIENT_NPI,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_INFINITE_WAIT,
    WSK_NO_WAIT,
    WSK_PROVIDER_CHARACTERISTICS,
    WSK_PROVIDER_NPI,
    WSK_REGISTRATION,
    WSK_TRANSPORT_LIST_CHANGE,
    WSK_TRANSPORT_LIST_QUERY,
    BugCheck,
    KeDelayExecutionThread,
    KeLowerIrql,
    KeRaiseIrql,
    KernelMode,
    PsCreateSystemThread,
    WskCaptureProviderNPI,
    WskDeregister,
    WskQueryProviderCharacteristics,
    WskRegister,
    WskReleaseProviderNPI,
    set_provider_ready,
    simple,
)

pytestmark = pytest.mark.usefixtures("lab")


def register(Version: int = MAKE_WSK_VERSION(1, 0)) -> WSK_REGISTRATION:
    registration = WSK_REGISTRATION()
    assert WskRegister(WSK_CLIENT_NPI("context", WSK_CLIENT_DISPATCH(Version, 0, None)), registration) == STATUS_SUCCESS
    return registration


def capture(registration: WSK_REGISTRATION, WaitTimeout: int = WSK_NO_WAIT) -> WSK_PROVIDER_NPI:
    npi = WSK_PROVIDER_NPI()
    assert WskCaptureProviderNPI(registration, WaitTimeout, npi) == STATUS_SUCCESS
    return npi


def after(seconds: float, action: Callable[[], object]) -> None:
    def body(StartContext: object) -> None:
        KeDelayExecutionThread(KernelMode, False, -int(seconds * 10_000_000))
        action()

    PsCreateSystemThread([], 0, None, None, None, body, None)


@pytest.mark.rule("R-001", "R-006", "R-012")
def test_registering_and_capturing() -> None:
    npi = capture(register())

    assert npi.Client is not None
    assert npi.Dispatch.Version >= 0x0100
    assert callable(npi.Dispatch.WskSocket)


@pytest.mark.rule("R-002")
def test_several_registrations_beside_each_other() -> None:
    clients = [capture(register()).Client for _ in range(3)]

    assert len({id(client) for client in clients}) == 3


@pytest.mark.rule("R-030", "R-031")
def test_the_client_dispatch_is_checked() -> None:
    assert WskRegister(WSK_CLIENT_NPI(None, None), WSK_REGISTRATION()) == STATUS_INVALID_PARAMETER
    reserved = WSK_CLIENT_NPI(None, WSK_CLIENT_DISPATCH(0x0100, 1, None))
    assert WskRegister(reserved, WSK_REGISTRATION()) == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-011", "R-027", "R-029")
@pytest.mark.parametrize("Version", [0x0001, 0x0200, MAKE_WSK_VERSION(1, 9)])
def test_an_unsupported_version_is_found_out_at_capture(Version: int) -> None:
    registration = register(Version)
    npi = WSK_PROVIDER_NPI()

    assert WskCaptureProviderNPI(registration, WSK_NO_WAIT, npi) == STATUS_NOINTERFACE
    assert npi.Client is None
    WskDeregister(registration)
    capture(register())


@pytest.mark.rule("R-024", "R-025")
def test_characteristics(lab: Lab) -> None:
    found = WSK_PROVIDER_CHARACTERISTICS()
    registration = register(0x0900)

    assert WskQueryProviderCharacteristics(registration, found) == STATUS_SUCCESS
    assert 0 < found.LowestVersion <= 0x0100 <= found.HighestVersion
    set_provider_ready(lab.near, False)
    assert WskQueryProviderCharacteristics(registration, found) == STATUS_DEVICE_NOT_READY


@pytest.mark.rule("R-008")
def test_a_capture_without_wait_answers_at_once(lab: Lab) -> None:
    set_provider_ready(lab.near, False)
    registration = register()
    before = lab.network.driver.now()

    assert WskCaptureProviderNPI(registration, WSK_NO_WAIT, WSK_PROVIDER_NPI()) == STATUS_DEVICE_NOT_READY
    assert lab.network.driver.now() == before


@pytest.mark.rule("R-009")
def test_a_capture_may_wait_until_the_provider_is_there(lab: Lab) -> None:
    set_provider_ready(lab.near, False)
    after(3, lambda: set_provider_ready(lab.near, True))
    before = lab.network.driver.now()
    capture(register(), WSK_INFINITE_WAIT)

    assert lab.network.driver.now() - before == 3 * SECOND


@pytest.mark.rule("R-010")
def test_a_capture_may_wait_for_some_milliseconds(lab: Lab) -> None:
    set_provider_ready(lab.near, False)
    before = lab.network.driver.now()

    assert WskCaptureProviderNPI(register(), 250, WSK_PROVIDER_NPI()) == STATUS_DEVICE_NOT_READY
    assert lab.network.driver.now() - before == 250 * MILLISECOND


@pytest.mark.rule("R-016")
def test_a_capture_at_dispatch_level_must_not_wait() -> None:
    registration = register()
    level: list[int] = []
    KeRaiseIrql(DISPATCH_LEVEL, level)
    try:
        capture(registration)
        with pytest.raises(BugCheck):
            WskCaptureProviderNPI(registration, 1, WSK_PROVIDER_NPI())
    finally:
        KeLowerIrql(level[0])


@pytest.mark.rule("R-014")
def test_no_capture_after_deregistration() -> None:
    registration = register()
    WskDeregister(registration)

    assert WskCaptureProviderNPI(registration, WSK_INFINITE_WAIT, WSK_PROVIDER_NPI()) == STATUS_DEVICE_NOT_READY


@pytest.mark.rule("R-015")
def test_a_blocked_capture_ends_with_deregistration(lab: Lab) -> None:
    set_provider_ready(lab.near, False)
    registration = register()
    after(2, lambda: WskDeregister(registration))
    before = lab.network.driver.now()

    assert WskCaptureProviderNPI(registration, WSK_INFINITE_WAIT, WSK_PROVIDER_NPI()) == STATUS_DEVICE_NOT_READY
    assert lab.network.driver.now() - before == 2 * SECOND


@pytest.mark.rule("R-003", "R-013", "R-019")
def test_deregistration_waits_for_every_capture_to_be_released(lab: Lab) -> None:
    registration = register()
    capture(registration)
    capture(registration)
    WskReleaseProviderNPI(registration)
    after(4, lambda: WskReleaseProviderNPI(registration))
    before = lab.network.driver.now()
    WskDeregister(registration)

    assert lab.network.driver.now() - before == 4 * SECOND


def test_a_capture_that_is_never_released_is_named_as_the_reason() -> None:
    registration = register()
    capture(registration)

    with pytest.raises(DeadlockError, match="1 captures, 0 open sockets"):
        WskDeregister(registration)


@pytest.mark.rule("R-018", "R-021")
def test_a_socket_outlives_the_capture_and_holds_up_deregistration(lab: Lab) -> None:
    application = simple.Application()
    Socket = ok(application.open(WSK_FLAG_CONNECTION_SOCKET))
    WskReleaseProviderNPI(application.registration)
    ok(simple.bind(Socket, simple.address("0.0.0.0", 0)))
    after(5, lambda: start(Socket.Dispatch.WskCloseSocket, Socket))
    before = lab.network.driver.now()
    WskDeregister(application.registration)

    assert lab.network.driver.now() - before == 5 * SECOND


@pytest.mark.rule("R-022")
def test_a_connect_in_progress_holds_up_deregistration(lab: Lab) -> None:
    application = simple.Application()
    lab.cut()
    local, remote = simple.address("0.0.0.0", 0), simple.address("192.0.2.2", 1)
    arguments = (SOCK_STREAM, IPPROTO_TCP, local, remote, 0, None, None, None, None, None)
    request = start(application.provider.Dispatch.WskSocketConnect, application.provider.Client, *arguments)
    assert not request.is_done
    application.close()

    assert request.is_done
    assert request.status != STATUS_SUCCESS


@pytest.mark.rule("R-020")
def test_a_call_in_progress_holds_up_deregistration(lab: Lab) -> None:
    """Inside an inline completion the call has not returned yet."""
    application = simple.Application()
    provider = application.provider
    seen: list[str] = []
    request = Request()
    request.then = lambda: seen.append(provider.Client.describe_use())
    arguments: tuple[Any, ...] = (AF_INET, SOCK_STREAM, IPPROTO_TCP, 99, None, None, None, None, None)
    request.start(provider.Dispatch.WskSocket, provider.Client, *arguments)

    assert seen == ["1 captures, 0 open sockets, 1 calls in progress"]


@pytest.mark.rule("R-032", "R-034")
def test_no_client_event_is_ever_reported(lab: Lab) -> None:
    calls: list[object] = []
    dispatch = WSK_CLIENT_DISPATCH(MAKE_WSK_VERSION(1, 0), 0, lambda *arguments: calls.append(arguments))  # type: ignore
    registration = WSK_REGISTRATION()
    WskRegister(WSK_CLIENT_NPI("context", dispatch), registration)
    capture(registration)
    set_provider_ready(lab.near, False)
    set_provider_ready(lab.near, True)
    WskReleaseProviderNPI(registration)
    WskDeregister(registration)

    assert not calls


@pytest.mark.rule("R-089")
def test_functions_need_a_client(lab: Lab) -> None:
    Dispatch = lab.near_application.provider.Dispatch
    arguments: tuple[Any, ...] = (AF_INET, SOCK_STREAM, IPPROTO_TCP, 0, None, None, None, None, None)
    request = start(Dispatch.WskSocket, None, *arguments)

    assert request.returned == request.status == STATUS_INVALID_HANDLE
    assert request.was_pending == [False]


def test_what_is_not_there_yet_says_so(lab: Lab) -> None:
    Dispatch, Client = lab.near_application.provider.Dispatch, lab.near_application.provider.Client
    requests = [
        start(Dispatch.WskGetAddressInfo, Client, None, None, 0, None, None, [None], None, None),
        start(Dispatch.WskGetNameInfo, Client, None, 0, None, None, 0, None, None),
        start(Dispatch.WskControlClient, Client, WSK_TRANSPORT_LIST_CHANGE, 0, None, 0, None, None),
    ]

    assert [request.status for request in requests] == [STATUS_NOT_IMPLEMENTED] * 3
    assert [request.returned for request in requests] == [STATUS_NOT_IMPLEMENTED] * 3
    query = (WSK_TRANSPORT_LIST_QUERY, 0, None, 0, None, [0], None)
    assert Dispatch.WskControlClient(Client, *query) == STATUS_NOT_IMPLEMENTED
    Dispatch.WskFreeAddressInfo(Client, None)
