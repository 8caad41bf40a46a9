"""Races between what an application and the provider do at the same time, and what clients of the NMR get to hear."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.nmr_module import Module, registered
from tests.support.wsk_lab import Lab
from tests.support.wsk_registration import await_change, capture, misused, register
from wsknet.drivers.base import DeadlockError
from wsknet.types import MILLISECOND
from wsknet.wsk import (
    NTSTATUS,
    STATUS_CANCELLED,
    STATUS_NOINTERFACE,
    STATUS_NOT_IMPLEMENTED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_CLIENT_DISPATCH,
    Completing,
    NmrClientAttachProvider,
    WskDeregister,
    WskReleaseProviderNPI,
    faults_of,
    report_client_event,
    set_provider_ready,
)


def attach(NmrBindingHandle: Any, Dispatch: WSK_CLIENT_DISPATCH | None = None) -> NTSTATUS:
    wanted = Dispatch or WSK_CLIENT_DISPATCH(0x0100)
    return NmrClientAttachProvider(NmrBindingHandle, "binding 1", wanted, [], [])


def test_a_request_of_the_client_has_no_cancel_routine_any_more_when_it_completes(lab: Lab) -> None:
    registration = register()
    request = await_change(capture(registration))
    assert request.Irp.CancelRoutine is not None
    seen: list[Any] = []
    request.then = lambda: seen.append(request.Irp.CancelRoutine)
    WskReleaseProviderNPI(registration)
    WskDeregister(registration)

    assert request.status == STATUS_CANCELLED
    assert seen == [None]


@pytest.mark.rule("R-032")
def test_a_client_of_the_registrar_hears_of_client_events(lab: Lab) -> None:
    heard: list[Any] = []

    def client_event(ClientContext: Any, EventType: int, Information: Any, InformationLength: int) -> NTSTATUS:
        heard.append((ClientContext, EventType, Information, InformationLength))
        return STATUS_NOT_IMPLEMENTED

    module = Module()
    table = WSK_CLIENT_DISPATCH(0x0100, 0, client_event)
    module.characteristics.ClientAttachProvider = lambda handle, *arguments: attach(handle, table)
    assert module.register() == STATUS_SUCCESS

    assert report_client_event(lab.near, 7, b"news", 4) == [STATUS_NOT_IMPLEMENTED]
    assert heard == [("binding 1", 7, b"news", 4)]


@pytest.mark.rule("R-036")
def test_a_client_attaches_once_and_not_later_either(lab: Lab) -> None:
    twice = Module()
    answers: list[NTSTATUS] = []

    def attach_twice() -> None:
        with misused("WSK-1.6"):
            attach(twice.bindings[0])
        answers.append(twice.attach_statuses[0])

    twice.in_attach = attach_twice
    twice.register()
    assert answers == [STATUS_SUCCESS]

    declined = registered(declines=True)
    with misused("WSK-1.6"):
        attach(declined.bindings[0])


def test_who_waits_for_deregistration_in_the_attach_callback_hears_why_that_never_ends(lab: Lab) -> None:
    module = Module()

    def wait() -> None:
        module.deregister()
        with pytest.raises(DeadlockError, match="ClientAttachProvider has not returned"):
            module.wait()

    module.in_attach = wait
    module.register()

    assert module.wait() == STATUS_SUCCESS
    assert module.log == ["attach", "detach", "cleanup"]


@pytest.mark.rule("R-035")
def test_a_provider_that_comes_twice_in_a_moment_is_offered_once(lab: Lab) -> None:
    set_provider_ready(lab.near, False)
    module = registered()
    for is_ready in (True, False, True):
        set_provider_ready(lab.near, is_ready)
    lab.run()

    assert module.log == ["attach"]


@pytest.mark.rule("R-035")
def test_who_deregisters_while_the_provider_comes_is_not_attached(lab: Lab) -> None:
    set_provider_ready(lab.near, False)
    module = registered()
    set_provider_ready(lab.near, True)
    assert module.deregister() == STATUS_PENDING
    lab.run()

    assert module.log == []
    assert module.wait() == STATUS_SUCCESS


@pytest.mark.rule("R-037")
def test_a_provider_that_has_gone_is_not_attached_to(lab: Lab) -> None:
    """However late the completions come."""
    module = Module()
    faults = faults_of(lab.near)
    statuses: list[NTSTATUS] = []

    def attach_late(NmrBindingHandle: Any, *arguments: Any) -> NTSTATUS:
        faults.detach_provider()
        statuses.append(attach(NmrBindingHandle))
        return statuses[0]

    module.characteristics.ClientAttachProvider = attach_late
    faults.complete(Completing.PENDING, delay=5 * MILLISECOND)
    module.register()
    lab.run()

    assert statuses == [STATUS_NOINTERFACE]
    assert module.deregister() == STATUS_PENDING
    assert module.wait() == STATUS_SUCCESS
