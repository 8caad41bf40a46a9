"""WskRegister, capture and release; versions and client events (WSK-1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import Lab, ok, start
from tests.support.wsk_registration import after, at_level, await_change, capture, misused, register
from wsknet.types import MILLISECOND, SECOND
from wsknet.wsk import (
    AF_INET,
    APC_LEVEL,
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
    WSK_INFINITE_WAIT,
    WSK_MAJOR_VERSION,
    WSK_MINOR_VERSION,
    WSK_NO_WAIT,
    WSK_PROVIDER_CHARACTERISTICS,
    WSK_PROVIDER_NPI,
    WSK_REGISTRATION,
    WSK_TRANSPORT_LIST_QUERY,
    KeGetCurrentIrql,
    WskCaptureProviderNPI,
    WskDeregister,
    WskQueryProviderCharacteristics,
    WskRegister,
    WskReleaseProviderNPI,
    report_client_event,
    set_provider_ready,
    simple,
)

pytestmark = pytest.mark.usefixtures("lab")


@pytest.mark.rule("R-001", "R-012", "R-028")
def test_registering_and_capturing() -> None:
    npi = capture(register())

    assert npi.Client is not None
    assert npi.Dispatch.Version >= 0x0100
    assert npi.Dispatch.Reserved == 0
    assert callable(npi.Dispatch.WskSocket)


@pytest.mark.rule("R-006")
def test_the_client_npi_may_be_discarded_after_registration() -> None:
    registration = WSK_REGISTRATION()
    npi = WSK_CLIENT_NPI("context", WSK_CLIENT_DISPATCH())
    WskRegister(npi, registration)
    npi.ClientContext = npi.Dispatch = None

    capture(registration)


@pytest.mark.rule("R-005", "R-011")
def test_the_client_dispatch_is_read_where_it_stands() -> None:
    registration = WSK_REGISTRATION()
    dispatch = WSK_CLIENT_DISPATCH(0x0100)
    WskRegister(WSK_CLIENT_NPI(None, dispatch), registration)
    dispatch.Version = 0x0200

    assert WskCaptureProviderNPI(registration, WSK_NO_WAIT, WSK_PROVIDER_NPI()) == STATUS_NOINTERFACE


@pytest.mark.rule("R-007", "R-016")
@pytest.mark.parametrize("level", [APC_LEVEL, DISPATCH_LEVEL])
def test_what_is_for_passive_level(level: int) -> None:
    registration = register()
    with at_level(level):
        with misused("R-007"):
            WskRegister(WSK_CLIENT_NPI(None, WSK_CLIENT_DISPATCH()), WSK_REGISTRATION())
        with misused("R-016"):
            WskCaptureProviderNPI(registration, WSK_INFINITE_WAIT, WSK_PROVIDER_NPI())
        with misused("WSK-1.1"):
            WskDeregister(registration)
    WskDeregister(registration)


@pytest.mark.rule("R-016", "R-025")
def test_what_is_for_dispatch_level_too() -> None:
    registration = register()
    with at_level(DISPATCH_LEVEL):
        capture(registration)
        assert WskQueryProviderCharacteristics(registration, WSK_PROVIDER_CHARACTERISTICS()) == STATUS_SUCCESS
        WskReleaseProviderNPI(registration)
    WskDeregister(registration)


@pytest.mark.rule("R-003")
def test_a_registration_is_ended_once() -> None:
    registration = register()
    WskDeregister(registration)

    with misused("R-003"):
        WskDeregister(registration)


@pytest.mark.rule("R-001")
def test_a_block_that_was_never_registered() -> None:
    for function in (WskDeregister, WskReleaseProviderNPI):
        with misused("R-001"):
            function(WSK_REGISTRATION())
    with misused("R-001"):
        WskCaptureProviderNPI(WSK_REGISTRATION(), WSK_NO_WAIT, WSK_PROVIDER_NPI())
    with misused("R-001"):
        WskQueryProviderCharacteristics(WSK_REGISTRATION(), WSK_PROVIDER_CHARACTERISTICS())


@pytest.mark.rule("R-002", "R-003")
def test_a_block_serves_one_registration_at_a_time() -> None:
    registration = register()
    capture(registration)
    npi = WSK_CLIENT_NPI(None, WSK_CLIENT_DISPATCH())

    with misused("R-002"):
        WskRegister(npi, registration)
    WskReleaseProviderNPI(registration)
    WskDeregister(registration)
    assert WskRegister(npi, registration) == STATUS_SUCCESS
    capture(registration)


@pytest.mark.rule("R-004")
def test_a_block_is_in_use_until_the_last_call_has_returned(lab: Lab) -> None:
    set_provider_ready(lab.near, False)
    registration = register()
    answers: list[int] = []
    after(0, lambda: answers.append(WskCaptureProviderNPI(registration, WSK_INFINITE_WAIT, WSK_PROVIDER_NPI())))
    lab.run()
    WskDeregister(registration)
    npi = WSK_CLIENT_NPI(None, WSK_CLIENT_DISPATCH())

    with misused("R-004"):
        WskRegister(npi, registration)
    lab.run()
    assert answers == [STATUS_DEVICE_NOT_READY]
    assert WskRegister(npi, registration) == STATUS_SUCCESS


@pytest.mark.rule("R-013")
def test_every_release_needs_its_capture() -> None:
    registration = register()
    capture(registration)
    capture(registration)
    WskReleaseProviderNPI(registration)
    WskReleaseProviderNPI(registration)

    with misused("R-013"):
        WskReleaseProviderNPI(registration)


@pytest.mark.rule("R-017")
def test_no_function_of_the_provider_after_the_release() -> None:
    registration = register()
    npi = capture(registration)
    again = capture(registration)
    Dispatch = npi.Dispatch
    arguments: tuple[Any, ...] = (AF_INET, SOCK_STREAM, IPPROTO_TCP, 0, None, None, None, None, None)
    WskReleaseProviderNPI(registration)
    Socket = start(Dispatch.WskSocket, again.Client, *arguments).information
    WskReleaseProviderNPI(registration)

    with misused("R-017"):
        start(Dispatch.WskSocket, npi.Client, *arguments)
    local, remote = simple.address("0.0.0.0", 0), simple.address("192.0.2.2", 1)
    connecting = (SOCK_STREAM, IPPROTO_TCP, local, remote, 0, None, None, None, None, None)
    with misused("R-017"):
        start(Dispatch.WskSocketConnect, npi.Client, *connecting)
    with misused("R-017"):
        await_change(npi)
    with misused("R-017"):
        Dispatch.WskControlClient(npi.Client, WSK_TRANSPORT_LIST_QUERY, 0, None, 0, None, [0], None)
    ok(simple.close(Socket))
    WskDeregister(registration)


@pytest.mark.rule("R-026")
def test_versions_have_the_major_number_in_the_high_byte() -> None:
    assert MAKE_WSK_VERSION(1, 0) == 0x0100
    assert MAKE_WSK_VERSION(2, 7) == 0x0207
    assert (WSK_MAJOR_VERSION(0x0207), WSK_MINOR_VERSION(0x0207)) == (2, 7)
    assert capture(register()).Dispatch.Version == MAKE_WSK_VERSION(1, 0)


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
    WskRegister(WSK_CLIENT_NPI(None, WSK_CLIENT_DISPATCH(MAKE_WSK_VERSION(1, 0))), registration)
    capture(registration)


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


@pytest.mark.rule("R-009")
def test_an_infinite_wait_is_no_number_of_milliseconds(lab: Lab) -> None:
    """0xFFFFFFFF of them would be over after 49.7 days."""
    set_provider_ready(lab.near, False)
    after(60 * 86400, lambda: set_provider_ready(lab.near, True))
    before = lab.network.driver.now()
    capture(register(), WSK_INFINITE_WAIT)

    assert lab.network.driver.now() - before == 60 * 86400 * SECOND


@pytest.mark.rule("R-010")
def test_a_capture_may_wait_for_some_milliseconds(lab: Lab) -> None:
    set_provider_ready(lab.near, False)
    before = lab.network.driver.now()

    assert WskCaptureProviderNPI(register(), 250, WSK_PROVIDER_NPI()) == STATUS_DEVICE_NOT_READY
    assert lab.network.driver.now() - before == 250 * MILLISECOND


@pytest.mark.rule("R-016")
def test_a_capture_at_dispatch_level_must_not_wait() -> None:
    registration = register()
    with at_level(DISPATCH_LEVEL):
        capture(registration)
        with misused("R-016"):
            WskCaptureProviderNPI(registration, 1, WSK_PROVIDER_NPI())


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


@pytest.mark.rule("R-032")
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


@pytest.mark.rule("R-031", "R-033", "R-034")
def test_an_event_of_the_future_reaches_every_handler_with_its_context(lab: Lab) -> None:
    calls: list[object] = []

    def WskClientEvent(*arguments: object) -> int:
        calls.append((*arguments, KeGetCurrentIrql()))
        return STATUS_NOT_IMPLEMENTED

    dispatch = WSK_CLIENT_DISPATCH(MAKE_WSK_VERSION(1, 0), 0, WskClientEvent)
    registrations = [WSK_REGISTRATION() for _ in range(2)]
    for number, registration in enumerate(registrations):
        WskRegister(WSK_CLIENT_NPI(number, dispatch), registration)
    capture(register())
    WskDeregister(registrations[0])

    assert report_client_event(lab.near, 7, b"news", 4) == [STATUS_NOT_IMPLEMENTED]
    assert calls == [(1, 7, b"news", 4, DISPATCH_LEVEL)]
    assert report_client_event(lab.far, 7) == []


@pytest.mark.rule("R-089")
def test_functions_need_a_client(lab: Lab) -> None:
    Dispatch = lab.near_application.provider.Dispatch
    arguments: tuple[Any, ...] = (AF_INET, SOCK_STREAM, IPPROTO_TCP, 0, None, None, None, None, None)
    request = start(Dispatch.WskSocket, None, *arguments)

    assert request.returned == request.status == STATUS_INVALID_HANDLE
    assert request.was_pending == [False]
