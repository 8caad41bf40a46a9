"""WskCloseSocket to the letter: what its IRP says, and what neither it nor the socket does any more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import Lab, Request, start
from tests.support.wsk_registration import misused
from wsknet.types import MILLISECOND
from wsknet.wsk import (
    NTSTATUS,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    faults_of,
    simple,
)

EACH = pytest.mark.parametrize(
    "Flags",
    [
        WSK_FLAG_BASIC_SOCKET,
        WSK_FLAG_LISTEN_SOCKET,
        WSK_FLAG_CONNECTION_SOCKET,
        WSK_FLAG_DATAGRAM_SOCKET,
        WSK_FLAG_STREAM_SOCKET,
    ],
)


@EACH
@pytest.mark.rule("R-253")
def test_the_close_pends_and_succeeds_whatever_the_irp_held_before(lab: Lab, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags)
    close = Request()
    close.Irp.IoStatus.Information = 99
    close.start(Socket.Dispatch.WskCloseSocket, Socket)

    assert (close.returned, close.was_pending) == (STATUS_PENDING, [True])
    assert close.completions == [(STATUS_SUCCESS, 0)]


@EACH
@pytest.mark.rule("R-257")
def test_events_of_a_closed_socket_are_misuse(lab: Lab, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags)
    start(Socket.Dispatch.WskCloseSocket, Socket)

    with misused("R-257"):
        simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)


@EACH
def test_a_completion_routine_that_raises_leaves_no_socket_behind(lab: Lab, Flags: int) -> None:
    client = lab.near_application.provider.Client
    Socket = lab.socket(lab.near, Flags)
    assert len(client.sockets) == 1
    close = Request()

    def fault() -> None:
        raise ZeroDivisionError

    close.then = fault
    with pytest.raises(ZeroDivisionError):
        close.start(Socket.Dispatch.WskCloseSocket, Socket)
    assert not client.sockets


@pytest.mark.rule("R-252", "R-283")
@pytest.mark.parametrize("is_closed", [False, True])
def test_a_dead_socket_that_is_closed_hears_nothing_of_its_death(lab: Lab, is_closed: bool) -> None:
    told: list[Any] = []

    def receive_from(SocketContext: Any, Flags: int, Indication: Any) -> NTSTATUS:
        told.append(Indication)
        return STATUS_SUCCESS

    Socket = lab.datagram(lab.near, Dispatch=WSK_CLIENT_DATAGRAM_DISPATCH(receive_from))
    assert simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM) == STATUS_SUCCESS
    faults = faults_of(lab.near)
    faults.complete(delay=5 * MILLISECOND)
    faults.kill(Socket)
    close = start(Socket.Dispatch.WskCloseSocket, Socket) if is_closed else None
    lab.run(0.1)

    assert told == ([] if is_closed else [None])
    assert close is None or close.completions == [(STATUS_SUCCESS, 0)]
