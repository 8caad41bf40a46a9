"""Life of a request that waits for a change of addresses or routes: IRP, cancelling, closing (wsk.md 5.4; BIND-4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import wsk_lab
from tests.support.wsk_categories import B, C, D, L, S
from tests.support.wsk_lab import FAR, NEAR, PORT, Lab, Request, ok, start
from tests.support.wsk_notifications import await_addresses, await_routing, listed
from wsknet.behaviour import LINUX
from wsknet.wsk import (
    NTSTATUS,
    SIO_ADDRESS_LIST_CHANGE,
    STATUS_CANCELLED,
    STATUS_INVALID_PARAMETER,
    STATUS_REQUEST_NOT_ACCEPTED,
    STATUS_SUCCESS,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_EVENT_ACCEPT,
    IoCancelIrp,
    WskIoctl,
    simple,
)


@pytest.mark.rule("R-320")
def test_a_notification_needs_an_irp_and_no_input(lab: Lab) -> None:
    Socket = lab.socket(lab.near, D)
    function = Socket.Dispatch.WskControlSocket
    arguments = (WskIoctl, SIO_ADDRESS_LIST_CHANGE, 0, 0, None, 0, None, None)
    assert function(Socket, *arguments, None) == STATUS_INVALID_PARAMETER
    with_input = (WskIoctl, SIO_ADDRESS_LIST_CHANGE, 0, 4, bytes(4), 0, None, None)
    assert start(function, Socket, *with_input).status == STATUS_INVALID_PARAMETER
    basic = lab.socket(lab.near, B)
    assert await_routing(basic, FAR).status == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-068", "R-250", "R-320")
@pytest.mark.parametrize("Flags", [L, C, D, S, B])
def test_notifications_are_cancelled_by_hand_and_by_close(lab: Lab, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags)
    first, second = await_addresses(Socket), await_addresses(Socket)
    others = [await_routing(Socket, to) for to in ("0.0.0.0", FAR)] if Flags != B else []
    IoCancelIrp(first.Irp)
    assert (first.completions, second.is_done) == ([(STATUS_CANCELLED, 0)], False)
    ok(simple.close(Socket))
    for request in (second, *others):
        assert request.completions == [(STATUS_CANCELLED, 0)]

    lab.near_interface.add_address("192.0.2.9/24")
    assert [len(request.completions) for request in (first, second, *others)] == [1] * (2 + len(others))


@pytest.mark.rule("R-068")
def test_an_irp_that_is_cancelled_already_does_not_wait(lab: Lab) -> None:
    Socket, request = lab.socket(lab.near, D), Request()
    IoCancelIrp(request.Irp)
    arguments = (Socket, WskIoctl, SIO_ADDRESS_LIST_CHANGE, 0, 0, None, 0, None, None)
    request.start(Socket.Dispatch.WskControlSocket, *arguments)

    assert request.completions == [(STATUS_CANCELLED, 0)]


def test_cancelling_a_receive_leaves_the_notification_and_the_other_way_round(lab: Lab) -> None:
    Socket = lab.datagram(lab.near)
    arguments = (simple.buffer(bytearray(4)), 0, None, None, None, None)
    receive, notification = start(Socket.Dispatch.WskReceiveFrom, Socket, *arguments), await_addresses(Socket)
    IoCancelIrp(receive.Irp)
    assert (receive.is_done, notification.is_done) == (True, False)
    receive = start(Socket.Dispatch.WskReceiveFrom, Socket, *arguments)
    IoCancelIrp(notification.Irp)
    assert (receive.is_done, notification.is_done) == (False, True)


@pytest.mark.rule("BIND-4.12")
def test_the_next_request_may_be_made_with_the_same_irp(lab: Lab) -> None:
    Socket, request = lab.socket(lab.near, D), Request()
    arguments = (Socket, WskIoctl, SIO_ADDRESS_LIST_CHANGE, 0, 0, None, 0, None, None)
    request.start(Socket.Dispatch.WskControlSocket, *arguments)
    lab.near_interface.add_address("192.0.2.9/24")
    assert listed(Socket) == [NEAR, "192.0.2.9"]

    request.start(Socket.Dispatch.WskControlSocket, *arguments)
    lab.near_interface.remove_address("192.0.2.9")
    assert listed(Socket) == [NEAR]
    assert request.completions == [(STATUS_SUCCESS, 0)] * 2


def test_other_hosts_and_sets_are_no_different(lab: Lab) -> None:
    with wsk_lab.lab(LINUX) as other:
        request = await_addresses(other.socket(other.near, D))
        lab.near_interface.add_address("192.0.2.9/24")
        assert not request.is_done
        other.near_interface.add_address("192.0.2.9/24")
        assert request.status == STATUS_SUCCESS


@pytest.mark.rule("R-157", "BIND-4.12")
def test_a_connection_that_is_not_accepted_takes_its_requests_along(lab: Lab) -> None:
    requests: list[Request] = []

    def accept_event(*arguments: Any) -> NTSTATUS:
        requests.append(await_routing(arguments[4], FAR))
        return STATUS_REQUEST_NOT_ACCEPTED

    listener = lab.bound(lab.near, L, NEAR, PORT, Dispatch=WSK_CLIENT_LISTEN_DISPATCH(accept_event, None, None))
    assert simple.control_events(listener, WSK_EVENT_ACCEPT) == STATUS_SUCCESS
    ok(simple.connect(lab.bound(lab.far, C), simple.address(NEAR, PORT)))
    lab.run()

    assert [request.status for request in requests] == [STATUS_CANCELLED]
    lab.near_interface.set_up(False)
    assert len(requests[0].completions) == 1
