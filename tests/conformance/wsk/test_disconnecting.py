"""WskDisconnect and WskDisconnectEvent: graceful and abortive, and who hears of it (wsk.md 4.10, 4.25)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import RST, Lab, ok
from tests.support.wsk_tcp import disconnect, receive, send
from wsknet.wsk import (
    NTSTATUS,
    STATUS_CANCELLED,
    STATUS_CONNECTION_ABORTED,
    STATUS_CONNECTION_RESET,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_IO_TIMEOUT,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_EVENT_DISCONNECT,
    WSK_FLAG_ABORTIVE,
    WSK_FLAG_AT_DISPATCH_LEVEL,
    WSK_FLAG_DRAIN,
    IoCancelIrp,
    simple,
)


@pytest.mark.rule("R-236", "R-237")
def test_a_graceful_disconnect_sends_everything_and_waits_for_the_peer(lab: Lab) -> None:
    near, far = lab.pair()
    lab.cut()
    queued, request = send(near, b"queued, "), disconnect(near, 0, b"last words")
    lab.run(0.1)
    assert (request.returned, request.is_done) == (STATUS_PENDING, False)
    lab.cut(False)
    lab.run(3)

    assert (request.status, request.information) == (STATUS_SUCCESS, 0)
    assert queued.status == STATUS_SUCCESS
    assert [ok(simple.receive(far)), ok(simple.receive(far))] == [b"queued, last words", b""]


@pytest.mark.rule("R-204", "D-20")
def test_nothing_is_sent_after_a_graceful_disconnect(lab: Lab) -> None:
    near, _ = lab.pair()
    ok(simple.disconnect(near))

    assert send(near, b"x").status == STATUS_INVALID_DEVICE_STATE
    assert disconnect(near).status == STATUS_INVALID_DEVICE_STATE


@pytest.mark.rule("R-203", "R-215")
def test_each_direction_ends_by_itself(lab: Lab) -> None:
    near, far = lab.pair()
    ok(simple.disconnect(near))
    assert ok(simple.receive(far)) == b""
    ok(simple.send(far, b"still going"))
    assert ok(simple.receive(near)) == b"still going"
    ok(simple.disconnect(far))

    assert ok(simple.receive(near)) == b""


@pytest.mark.rule("R-238", "R-240", "R-242")
def test_an_abortive_disconnect_resets_and_cancels(lab: Lab) -> None:
    near, _ = lab.pair()
    lab.far_interface.set_up(False)
    pending = send(near, b"never acknowledged")
    waiting = receive(near)
    request = disconnect(near, WSK_FLAG_ABORTIVE)

    assert request.status == STATUS_SUCCESS
    assert (pending.status, waiting.status) == (STATUS_CANCELLED, STATUS_CONNECTION_ABORTED)
    assert lab.near_wire.tcp_flags()[-1] & RST
    later = [send(near, b"x"), receive(near), disconnect(near)]
    assert {request.status for request in later} == {STATUS_CONNECTION_ABORTED}


@pytest.mark.rule("R-241")
def test_an_abortive_disconnect_ends_a_graceful_one_that_hangs(lab: Lab) -> None:
    near, _ = lab.pair()
    lab.cut()
    graceful = disconnect(near, 0, b"cannot be delivered")
    lab.run(0.5)
    assert not graceful.is_done
    ok(simple.disconnect(near, is_abortive=True))

    assert graceful.status == STATUS_CONNECTION_ABORTED


def test_a_graceful_disconnect_can_be_cancelled_and_goes_on_all_the_same(lab: Lab) -> None:
    near, far = lab.pair()
    request = disconnect(near)
    IoCancelIrp(request.Irp)

    assert (request.status, request.information) == (STATUS_CANCELLED, 0)
    assert ok(simple.receive(far)) == b""


@pytest.mark.rule("R-239", "D-09")
def test_an_abortive_disconnect_takes_no_data(lab: Lab) -> None:
    near, far = lab.pair()

    assert disconnect(near, WSK_FLAG_ABORTIVE, b"x").status == STATUS_INVALID_PARAMETER
    assert disconnect(near, 0x10).status == STATUS_INVALID_PARAMETER
    ok(simple.send(near, b"unharmed"))
    assert ok(simple.receive(far)) == b"unharmed"


@pytest.mark.rule("R-243")
def test_disconnecting_does_not_close_the_socket(lab: Lab) -> None:
    near, far = lab.pair()
    ok(simple.disconnect(near))
    ok(simple.disconnect(far))
    ok(simple.local_address(near))

    assert len(lab.near_application.provider.Client.sockets) == 1


@pytest.mark.rule("D-20", "D-24")
def test_what_waits_when_the_peer_resets_hears_of_it(lab: Lab) -> None:
    near, far = lab.pair()
    ok(simple.send(near, b"unread"))
    requests = [receive(near), receive(near, 0, WSK_FLAG_DRAIN)]
    ok(simple.close(far))
    lab.run()

    assert [request.completions for request in requests] == [[(STATUS_CONNECTION_RESET, 0)]] * 2
    assert send(near, b"x").status == STATUS_CONNECTION_RESET
    assert disconnect(near).status == STATUS_CONNECTION_RESET


# WskDisconnectEvent


class Ends:
    """A WskDisconnectEvent that keeps its flags."""

    def __init__(self) -> None:
        self.flags: list[int] = []
        self.dispatch = WSK_CLIENT_CONNECTION_DISPATCH(None, self.disconnect_event, None)

    def disconnect_event(self, SocketContext: Any, Flags: int) -> NTSTATUS:
        self.flags.append(Flags & ~WSK_FLAG_AT_DISPATCH_LEVEL)
        return STATUS_SUCCESS


@pytest.mark.rule("R-244", "R-246", "R-247")
def test_the_disconnect_event_reports_the_peers_fin_once(lab: Lab) -> None:
    ends = Ends()
    near, far = lab.pair(Dispatch=ends.dispatch)
    ok(simple.disconnect(near))
    lab.run()
    assert ends.flags == []
    simple.control_events(near, WSK_EVENT_DISCONNECT)
    assert ends.flags == []
    ok(simple.disconnect(far))
    lab.run()

    assert ends.flags == [0]


@pytest.mark.rule("R-245")
def test_the_disconnect_event_reports_a_reset(lab: Lab) -> None:
    ends = Ends()
    near, far = lab.pair(Dispatch=ends.dispatch)
    simple.control_events(near, WSK_EVENT_DISCONNECT)
    ok(simple.disconnect(far, is_abortive=True))
    lab.run()

    assert ends.flags == [WSK_FLAG_ABORTIVE]


def test_a_reset_after_a_fin_is_reported_too(lab: Lab) -> None:
    ends = Ends()
    near, far = lab.pair(Dispatch=ends.dispatch)
    simple.control_events(near, WSK_EVENT_DISCONNECT)
    ok(simple.disconnect(far))
    ok(simple.close(far))
    lab.run()

    assert ends.flags == [0, WSK_FLAG_ABORTIVE]


@pytest.mark.rule("R-247")
def test_the_disconnect_event_comes_when_it_is_enabled_late(lab: Lab) -> None:
    ends = Ends()
    near, far = lab.pair(Dispatch=ends.dispatch)
    ok(simple.disconnect(far))
    lab.run()
    simple.control_events(near, WSK_EVENT_DISCONNECT)

    assert ends.flags == [0]


def test_the_disconnect_event_reports_a_reset_when_it_is_enabled_before_that_is_known(lab: Lab) -> None:
    """A connection that the peer has already reset cannot have its events enabled any more."""
    ends = Ends()
    near, far = lab.pair(Dispatch=ends.dispatch)
    ok(simple.close(far))
    lab.run()

    assert simple.control_events(near, WSK_EVENT_DISCONNECT) == STATUS_CONNECTION_RESET


@pytest.mark.rule("R-246")
def test_an_abort_of_our_own_is_no_event(lab: Lab) -> None:
    ends = Ends()
    near, _ = lab.pair(Dispatch=ends.dispatch)
    simple.control_events(near, WSK_EVENT_DISCONNECT)
    ok(simple.disconnect(near, is_abortive=True))
    lab.run()

    assert ends.flags == []


@pytest.mark.rule("D-20")
def test_a_peer_that_is_gone_ends_in_a_timeout(lab: Lab) -> None:
    ends = Ends()
    near, _ = lab.pair(Dispatch=ends.dispatch)
    simple.control_events(near, WSK_EVENT_DISCONNECT)
    lab.cut()
    request = send(near, b"x")
    lab.run(600)

    assert (request.status, request.information) == (STATUS_IO_TIMEOUT, 0)
    assert ends.flags == [WSK_FLAG_ABORTIVE]
