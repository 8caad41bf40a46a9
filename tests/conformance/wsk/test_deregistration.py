"""What WskDeregister waits for, and what it cancels (WSK-1.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import Lab, Request, ok, start
from tests.support.wsk_registration import after, await_change, capture, register
from wsknet.drivers.base import DeadlockError
from wsknet.types import SECOND
from wsknet.wsk import (
    AF_INET,
    IPPROTO_TCP,
    SOCK_STREAM,
    STATUS_CANCELLED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_FLAG_CONNECTION_SOCKET,
    IoCancelIrp,
    WskDeregister,
    WskReleaseProviderNPI,
    simple,
)

pytestmark = pytest.mark.usefixtures("lab")


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

    assert seen == ["1 captures, 0 open sockets, 1 calls in progress, 0 requests pending"]


@pytest.mark.rule("R-020", "R-022")
def test_a_result_that_waits_for_its_turn_holds_up_deregistration(lab: Lab) -> None:
    """The call has returned STATUS_PENDING, and its IRP has yet to complete."""
    application = simple.Application()
    provider = application.provider
    outer, inner = Request(), Request()
    seen: list[str] = []
    fields: tuple[Any, ...] = (AF_INET, SOCK_STREAM, IPPROTO_TCP)
    wrong, right = (*fields, 99, None, None, None, None, None), (*fields, 0, None, None, None, None, None)

    def then() -> None:
        inner.start(provider.Dispatch.WskSocket, provider.Client, *right)
        seen.append(provider.Client.describe_use())

    outer.then = then
    outer.start(provider.Dispatch.WskSocket, provider.Client, *wrong)

    assert inner.returned == STATUS_PENDING
    assert seen == ["1 captures, 1 open sockets, 2 calls in progress, 0 requests pending"]
    ok(simple.close(inner.information))
    application.close()


@pytest.mark.rule("R-022")
def test_a_pending_request_holds_up_deregistration(lab: Lab) -> None:
    """One that is made while WskDeregister waits for a capture is not among those that it cancels."""
    registration = register()
    npi = capture(registration)
    requests: list[Request] = []

    def make_one_and_release() -> None:
        requests.append(await_change(npi))
        WskReleaseProviderNPI(registration)

    after(1, make_one_and_release)
    after(3, lambda: IoCancelIrp(requests[0].Irp))
    before = lab.network.driver.now()
    WskDeregister(registration)

    assert lab.network.driver.now() - before == 3 * SECOND
    assert requests[0].status == STATUS_CANCELLED


@pytest.mark.rule("R-023")
def test_deregistration_cancels_requests_for_a_change_of_transports() -> None:
    registration = register()
    npi = capture(registration)
    mine, others = await_change(npi), await_change(capture(register()))
    WskReleaseProviderNPI(registration)
    assert not mine.is_done
    WskDeregister(registration)

    assert (mine.status, mine.information) == (STATUS_CANCELLED, 0)
    assert not others.is_done
