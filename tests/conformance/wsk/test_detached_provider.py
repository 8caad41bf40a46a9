"""The WSK subsystem goes away while applications are attached to it, and comes back (WSK-1.6)."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from threading import Timer

import pytest

from tests.support.nmr_module import Module, registered
from tests.support.wsk_lab import Lab, Request, ok
from tests.support.wsk_registration import after, await_change, capture, misused, register
from wsknet.drivers.blocking import RealDriver
from wsknet.host import Host
from wsknet.types import SECOND
from wsknet.wsk import (
    AF_INET,
    DISPATCH_LEVEL,
    IPPROTO_TCP,
    KEVENT,
    PASSIVE_LEVEL,
    SOCK_STREAM,
    STATUS_CANCELLED,
    STATUS_DEVICE_NOT_READY,
    STATUS_NOT_IMPLEMENTED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_CLIENT_DISPATCH,
    WSK_CLIENT_NPI,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_INFINITE_WAIT,
    WSK_NO_WAIT,
    WSK_PROVIDER_CHARACTERISTICS,
    WSK_PROVIDER_NPI,
    WSK_REGISTRATION,
    WSK_SOCKET,
    Executive,
    KeInitializeEvent,
    KernelMode,
    KeSetEvent,
    KeWaitForSingleObject,
    NmrClientDetachProviderComplete,
    NotificationEvent,
    WskCaptureProviderNPI,
    WskDeregister,
    WskQueryProviderCharacteristics,
    WskRegister,
    WskReleaseProviderNPI,
    detach_provider,
    report_client_event,
    set_provider_ready,
    simple,
)


def open_socket(npi: WSK_PROVIDER_NPI) -> Request:
    kind = (AF_INET, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET)
    return Request().start(npi.Dispatch.WskSocket, npi.Client, *kind, None, None, None, None, None)


# Clients of the NMR


@pytest.mark.rule("R-038")
def test_clients_are_told_and_attached_anew_when_it_comes_back(lab: Lab) -> None:
    module = registered()
    detach_provider(lab.near)

    assert module.log == ["attach", "detach", "cleanup"]
    assert module.levels == [PASSIVE_LEVEL, DISPATCH_LEVEL, DISPATCH_LEVEL]
    set_provider_ready(lab.near, True)
    lab.run()
    assert module.log == ["attach", "detach", "cleanup", "attach"]
    ok(simple.close(module.open().information))
    module.deregister()
    assert module.wait() == STATUS_SUCCESS
    assert module.log == ["attach", "detach", "cleanup", "attach", "detach", "cleanup"]


@pytest.mark.rule("R-038")
@pytest.mark.parametrize("is_client_first", [True, False])
def test_a_client_is_told_once_whoever_comes_first(lab: Lab, is_client_first: bool) -> None:
    module = registered(in_detach=lambda: STATUS_PENDING)
    if is_client_first:
        module.deregister()
    detach_provider(lab.near)
    if not is_client_first:
        module.deregister()
    detach_provider(lab.near)
    assert module.log == ["attach", "detach"]
    NmrClientDetachProviderComplete(module.bindings[0])

    assert module.wait() == STATUS_SUCCESS
    assert module.log == ["attach", "detach", "cleanup"]


@pytest.mark.rule("R-038")
def test_it_goes_while_a_client_is_attaching(lab: Lab) -> None:
    module = Module()
    module.in_attach = lambda: detach_provider(lab.near)
    module.register()

    assert module.log == ["attach", "detach", "cleanup"]


@pytest.mark.rule("R-040")
def test_it_comes_back_before_the_old_attachment_has_ended(lab: Lab) -> None:
    module = registered()
    Socket = module.open().information
    detach_provider(lab.near)
    set_provider_ready(lab.near, True)
    lab.run()
    assert module.log == ["attach", "detach"]
    assert isinstance(Socket, WSK_SOCKET)
    ok(simple.close(Socket))
    lab.run()

    assert module.log == ["attach", "detach", "cleanup", "attach"]


def test_a_client_that_has_not_detached_yet_gets_nothing_new(lab: Lab) -> None:
    module = registered(in_detach=lambda: STATUS_PENDING)
    detach_provider(lab.near)

    assert module.open().status == STATUS_DEVICE_NOT_READY
    NmrClientDetachProviderComplete(module.bindings[0])
    with misused("R-017"):
        module.open()


# Clients of WskRegister


@pytest.mark.rule("R-008", "R-025")
def test_it_cannot_be_captured_any_more(lab: Lab) -> None:
    registration = register()
    detach_provider(lab.near)

    assert WskCaptureProviderNPI(registration, WSK_NO_WAIT, WSK_PROVIDER_NPI()) == STATUS_DEVICE_NOT_READY
    found = WSK_PROVIDER_CHARACTERISTICS()
    assert WskQueryProviderCharacteristics(registration, found) == STATUS_DEVICE_NOT_READY
    set_provider_ready(lab.near, True)
    ok(simple.close(open_socket(capture(registration)).information))
    WskReleaseProviderNPI(registration)
    WskDeregister(registration)


@pytest.mark.rule("R-009", "R-018")
def test_sockets_go_on_and_keep_the_application_from_attaching_anew(lab: Lab) -> None:
    registration = register()
    npi = capture(registration)
    Socket = open_socket(npi).information
    change = await_change(npi)
    detach_provider(lab.near)

    assert change.status == STATUS_CANCELLED
    assert open_socket(npi).status == STATUS_DEVICE_NOT_READY
    ok(simple.bind(Socket, simple.address("0.0.0.0", 0)))
    set_provider_ready(lab.near, True)
    assert WskCaptureProviderNPI(registration, WSK_NO_WAIT, WSK_PROVIDER_NPI()) == STATUS_DEVICE_NOT_READY
    after(1, lambda: WskReleaseProviderNPI(registration))
    after(3, lambda: ok(simple.close(Socket)))
    before = lab.network.driver.now()
    again = capture(registration, WSK_INFINITE_WAIT)
    assert lab.network.driver.now() - before == 3 * SECOND

    assert again.Client is not npi.Client
    ok(simple.close(open_socket(again).information))
    with misused("R-017"):
        open_socket(npi)


@pytest.mark.rule("R-019", "R-021")
def test_deregistration_while_it_is_gone(lab: Lab) -> None:
    registration = register()
    Socket = open_socket(capture(registration)).information
    detach_provider(lab.near)
    after(1, lambda: WskReleaseProviderNPI(registration))
    after(3, lambda: ok(simple.close(Socket)))
    before = lab.network.driver.now()
    WskDeregister(registration)

    assert lab.network.driver.now() - before == 3 * SECOND


@pytest.mark.rule("R-033")
def test_client_events_reach_the_attachment_that_there_is(lab: Lab) -> None:
    calls: list[object] = []
    registration = WSK_REGISTRATION()
    dispatch = WSK_CLIENT_DISPATCH(0x0100, 0, lambda *arguments: calls.append(arguments) or STATUS_NOT_IMPLEMENTED)  # type: ignore[func-returns-value]
    WskRegister(WSK_CLIENT_NPI("context", dispatch), registration)
    detach_provider(lab.near)
    assert report_client_event(lab.near, 1) == []
    set_provider_ready(lab.near, True)
    capture(registration)

    assert report_client_event(lab.near, 2) == [STATUS_NOT_IMPLEMENTED]
    assert calls == [("context", 2, None, 0)]


# In real time


@pytest.fixture
def host() -> Iterator[Host]:
    with RealDriver() as driver:
        driver.start()
        guard = Timer(30, driver.close)  # a wait that never ends becomes a failure
        guard.start()
        host = Host("real", driver, Random(1))
        try:
            with host.activate():
                yield host
        finally:
            guard.cancel()


@pytest.mark.rule("R-009", "R-019", "R-035")
def test_threads_that_wait_for_it_in_real_time(host: Host) -> None:
    set_provider_ready(host, False)
    Event = KEVENT()
    KeInitializeEvent(Event, NotificationEvent, False)
    module, registration = registered(in_attach=lambda: KeSetEvent(Event, 0, False)), register()
    after(0.01, lambda: set_provider_ready(host, True))
    npi = capture(registration, WSK_INFINITE_WAIT)
    KeWaitForSingleObject(Event, Executive, KernelMode, False, None)
    Socket = module.open().information
    after(0.01, lambda: WskReleaseProviderNPI(registration))
    WskDeregister(registration)
    assert not npi.Client.captures
    detach_provider(host)
    after(0.01, lambda: ok(simple.close(Socket)))
    module.deregister()

    assert module.wait() == STATUS_SUCCESS
    assert module.log == ["attach", "detach", "cleanup"]
