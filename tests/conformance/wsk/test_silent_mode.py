"""SIO_WSK_SET_TCP_SILENT_MODE (wsk.md 5.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_categories import C, D, L, S
from tests.support.wsk_lab import PORT, RST, Lab, ok, start
from tests.support.wsk_tcp import bound, families, ioctl, listener, pair, receive, send
from wsknet.trace import DropReason
from wsknet.wsk import (
    AF_INET,
    NTSTATUS,
    SIO_WSK_QUERY_RECEIVE_BACKLOG,
    SIO_WSK_SET_TCP_SILENT_MODE,
    SO_KEEPALIVE,
    SOL_SOCKET,
    STATUS_CANCELLED,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_FLAG_ABORTIVE,
    BugCheck,
    IoCancelIrp,
    simple,
    verify,
)


def silence(Socket: Any) -> NTSTATUS:
    return ioctl(Socket, SIO_WSK_SET_TCP_SILENT_MODE)


@families
@pytest.mark.rule("R-313", "R-315")
def test_nothing_is_sent_and_everything_that_comes_is_dropped(lab: Lab, family: int) -> None:
    near, far = pair(lab, family)
    ok(simple.set_option(near, SOL_SOCKET, SO_KEEPALIVE, 1))
    sending = send(far, b"heard, and not acknowledged yet")
    assert silence(near) == STATUS_SUCCESS
    sent = len(lab.near_wire.tcp_flags())
    later = send(far, b"not heard")
    lab.run(10)

    assert (sending.is_done, later.is_done) == (False, False)
    assert lab.near.stack.trace.drops[DropReason.TCP_SILENT] > 2
    lab.run(3 * 3600)
    assert len(lab.near_wire.tcp_flags()) == sent
    assert not lab.near.stack.trace.drops[DropReason.TCP_NO_ENDPOINT]


@families
@pytest.mark.rule("R-313", "R-248")
def test_the_close_of_a_silent_socket_sends_no_reset(lab: Lab, family: int) -> None:
    near, far = pair(lab, family)
    assert silence(near) == STATUS_SUCCESS
    sent = len(lab.near_wire.tcp_flags())
    ok(simple.close(near))
    lab.run()
    assert len(lab.near_wire.tcp_flags()) == sent
    send(far, b"who is there?")
    lab.run()

    assert lab.near_wire.tcp_flags()[sent:] == [RST]  # nobody: the names are free again


@pytest.mark.rule("R-313")
def test_the_port_of_a_closed_silent_socket_can_be_bound_again(lab: Lab) -> None:
    listener(lab)
    near = bound(lab, lab.near, C, port=4000)
    ok(simple.connect(near, simple.address("192.0.2.2", PORT)))
    assert silence(near) == STATUS_SUCCESS
    ok(simple.close(near))

    again = bound(lab, lab.near, C, port=4000)
    lab.listener(port=PORT + 1)
    ok(simple.connect(again, simple.address("192.0.2.2", PORT + 1)))
    ok(simple.send(again, b"works"))


@families
@pytest.mark.rule("R-314")
def test_sending_and_disconnecting_fail(lab: Lab, family: int) -> None:
    near, _ = pair(lab, family)
    assert silence(near) == STATUS_SUCCESS

    requests = [
        send(near, b"x"),
        send(near, b""),
        start(near.Dispatch.WskDisconnect, near, None, 0),
        start(near.Dispatch.WskDisconnect, near, None, WSK_FLAG_ABORTIVE),
        start(near.Dispatch.WskDisconnect, near, simple.buffer(b"x"), 0),
    ]
    assert [request.completions for request in requests] == [[(STATUS_INVALID_DEVICE_STATE, 0)]] * 5
    assert receive(near).status == STATUS_INVALID_DEVICE_STATE
    assert silence(near) == STATUS_INVALID_DEVICE_STATE
    ok(simple.close(near))


@pytest.mark.rule("R-314", "R-316")
def test_a_strict_verifier_stops_what_has_no_documented_status(lab: Lab) -> None:
    verify(lab.near)
    near, _ = pair(lab)
    lab.cut()
    send(near, b"pending")
    with pytest.raises(BugCheck) as stop:
        silence(near)
    assert stop.value.rule == "R-316"
    lab.cut(False)
    lab.run(5)
    assert silence(near) == STATUS_SUCCESS

    assert send(near, b"x").status == STATUS_INVALID_DEVICE_STATE
    assert start(near.Dispatch.WskDisconnect, near, None, 0).status == STATUS_INVALID_DEVICE_STATE


@families
@pytest.mark.rule("R-316")
def test_silence_waits_for_nobody(lab: Lab, family: int) -> None:
    near, far = pair(lab, family)
    lab.cut()
    sending = send(near, b"pending")
    assert silence(near) == STATUS_INVALID_DEVICE_STATE
    lab.cut(False)
    lab.run(5)
    assert sending.status == STATUS_SUCCESS
    lab.cut()
    disconnecting = start(near.Dispatch.WskDisconnect, near, None, 0)
    assert silence(near) == STATUS_INVALID_DEVICE_STATE
    lab.cut(False)
    lab.run(5)
    assert disconnecting.status == STATUS_SUCCESS

    assert silence(near) == STATUS_SUCCESS
    sent = len(lab.near_wire.tcp_flags())
    send(far, b"not acknowledged")
    lab.run(5)
    assert len(lab.near_wire.tcp_flags()) == sent


@pytest.mark.rule("R-315")
@pytest.mark.parametrize("is_reset", [False, True])
def test_what_waits_hears_nothing_more_of_the_peer(lab: Lab, is_reset: bool) -> None:
    heard: list[object] = []

    def hear(*arguments: object) -> NTSTATUS:
        heard.append(arguments)
        return STATUS_SUCCESS

    near, far = pair(lab, Dispatch=WSK_CLIENT_CONNECTION_DISPATCH(hear, hear, hear))
    waiting, cancelled = receive(near), receive(near)
    assert simple.control_events(near, WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT) == STATUS_SUCCESS
    assert silence(near) == STATUS_SUCCESS
    send(far, b"data")
    start(far.Dispatch.WskDisconnect, far, None, WSK_FLAG_ABORTIVE if is_reset else 0)
    lab.run(5)
    assert (waiting.is_done, heard) == (False, [])
    assert IoCancelIrp(cancelled.Irp)
    assert cancelled.status == STATUS_CANCELLED
    closing = start(near.Dispatch.WskCloseSocket, near)

    assert (waiting.status, closing.status, heard) == (STATUS_CANCELLED, STATUS_SUCCESS, [])


@pytest.mark.rule("R-313", "D-17")
def test_silence_is_for_connected_sockets_only(lab: Lab) -> None:
    for Flags in (C, S):
        assert silence(bound(lab, lab.near, Flags)) == STATUS_INVALID_DEVICE_STATE
    for Flags in (L, D):
        assert silence(lab.socket(lab.near, Flags)) == STATUS_INVALID_PARAMETER
    near, _ = pair(lab)
    assert ioctl(near, SIO_WSK_SET_TCP_SILENT_MODE, 4, [1]) == STATUS_INVALID_PARAMETER


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1"])
def test_there_is_no_silence_within_a_host(lab: Lab, host: str) -> None:
    listening = bound(lab, lab.near, L, AF_INET, PORT)
    client = bound(lab, lab.near, C)
    ok(simple.connect(client, simple.address(host, PORT)))

    assert silence(client) == STATUS_NOT_SUPPORTED
    ok(simple.send(client, b"still here"))
    assert ok(simple.receive(ok(simple.accept(listening)), 100)) == b"still here"


@pytest.mark.rule("R-315")
def test_an_icmp_error_and_a_lost_address_change_nothing(lab: Lab) -> None:
    near, far = pair(lab)
    assert silence(near) == STATUS_SUCCESS
    lab.near_interface.set_up(False)
    lab.near_interface.remove_address("192.0.2.1")
    lab.run(5)

    assert ioctl(near, SIO_WSK_QUERY_RECEIVE_BACKLOG) == STATUS_INVALID_DEVICE_STATE
    ok(simple.close(near))
    ok(simple.close(far))


def test_a_silent_connection_is_still_in_the_table(lab: Lab) -> None:
    near, _ = pair(lab)
    assert silence(near) == STATUS_SUCCESS
    assert [view.state for view in lab.near.stack.view().connections] == ["ESTABLISHED"]
    ok(simple.close(near))

    assert lab.near.stack.view().connections == ()
