"""Connections at their ends: disconnect, silent mode, cancelling, and what one event leaves of the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support import wsk_lab
from tests.support.wsk_lab import FAR, FIN, NEAR, PORT, RST, Lab, Request, ok, start
from tests.support.wsk_tcp import ioctl, pair, send, set_tcp
from wsknet.behaviour import WINDOWS
from wsknet.wsk import (
    AF_INET6,
    IPPROTO_TCP,
    NTSTATUS,
    SIO_WSK_SET_TCP_SILENT_MODE,
    SOCK_STREAM,
    STATUS_CANCELLED,
    STATUS_CONNECTION_ABORTED,
    STATUS_CONNECTION_RESET,
    STATUS_EVENT_PENDING,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_PENDING,
    STATUS_SUCCESS,
    TCP_TIMESTAMPS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_EVENT_DISABLE,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_SEND_BACKLOG,
    WSK_FLAG_ABORTIVE,
    WSK_FLAG_CONNECTION_SOCKET,
    BugCheck,
    IoCancelIrp,
    simple,
    verify,
)


def disconnect(Socket: Any, Buffer: Any = None, Flags: int = 0, request: Request | None = None) -> Request:
    return (request or Request()).start(Socket.Dispatch.WskDisconnect, Socket, Buffer, Flags)


@pytest.mark.rule("R-199")
def test_an_abortive_disconnect_has_no_information(lab: Lab) -> None:
    near, _ = pair(lab)

    assert disconnect(near, Flags=WSK_FLAG_ABORTIVE).completions == [(STATUS_SUCCESS, 0)]


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_disconnect_that_a_reset_has_ended_is_over_for_good(lab: Lab, is_ours: bool) -> None:
    near, far = pair(lab)
    lab.cut()
    request = disconnect(near)
    assert not request.is_done
    lab.cut(False)
    ok(simple.disconnect(near if is_ours else far, is_abortive=True))
    lab.run(5)
    status = STATUS_CONNECTION_ABORTED if is_ours else STATUS_CONNECTION_RESET
    assert request.completions == [(status, 0)]
    assert simple.close(near)[0] == STATUS_SUCCESS
    assert len(request.completions) == 1


def with_timestamps(lab: Lab) -> Any:
    """RFC 7323: each segment needs to know the time."""
    near = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, port=6000)
    assert set_tcp(near, TCP_TIMESTAMPS, 1) == STATUS_SUCCESS
    return near


def test_a_disconnect_that_was_cancelled_before_it_began_resets_for_its_data(lab: Lab) -> None:
    listener = lab.listener()
    near = with_timestamps(lab)
    ok(simple.connect(near, simple.address(FAR, PORT)))
    early = Request()
    early.Irp.Cancel = True
    disconnect(near, simple.buffer(b"last words"), request=early)
    lab.run()

    assert early.completions == [(STATUS_CANCELLED, 0)]
    assert lab.near_wire.tcp_flags()[-1] & RST
    ok(simple.close(listener))


def test_an_attempt_that_is_cancelled_when_both_have_begun_resets_the_other(lab: Lab) -> None:
    """The SYNs have crossed, and nothing that was sent afterwards has arrived."""
    near, far = with_timestamps(lab), lab.bound(lab.far, WSK_FLAG_CONNECTION_SOCKET, port=PORT)
    assert set_tcp(far, TCP_TIMESTAMPS, 1) == STATUS_SUCCESS
    ok(simple.send_to(lab.datagram(lab.near), b"so that the hosts know each other", simple.address(FAR, 9)))
    lab.run()
    mine = start(near.Dispatch.WskConnect, near, simple.address(FAR, PORT), 0)
    start(far.Dispatch.WskConnect, far, simple.address(NEAR, 6000), 0)
    lab.network.run_until(lambda: "SYN_RECEIVED" in states(lab))
    assert IoCancelIrp(mine.Irp)
    assert mine.completions == [(STATUS_CANCELLED, 0)]
    lab.run()

    assert RST in [flags & RST for flags in lab.near_wire.tcp_flags()]
    assert FIN not in [flags & FIN for flags in lab.near_wire.tcp_flags()]


def states(lab: Lab) -> list[str]:
    return [connection.state.replace("-", "_").upper() for connection in lab.near.stack.view().connections]


@pytest.mark.rule("R-316")
def test_silent_mode_too_early_names_its_rule(lab: Lab) -> None:
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    assert ioctl(Socket, SIO_WSK_SET_TCP_SILENT_MODE) == STATUS_INVALID_DEVICE_STATE
    verify(lab.near, is_strict=True)
    with pytest.raises(BugCheck) as stop:
        ioctl(Socket, SIO_WSK_SET_TCP_SILENT_MODE)

    assert stop.value.rule == "R-316"


def test_a_host_whose_sockets_are_dual_connects_a_new_one_by_a_mapped_address() -> None:
    with wsk_lab.lab(replace(WINDOWS, v6only=False)) as lab:
        listener = lab.listener()
        provider = lab.near_application.provider
        local, remote = simple.address("::", 0), simple.address(f"::ffff:{FAR}", PORT)
        kind = (SOCK_STREAM, IPPROTO_TCP, local, remote, 0, None, None, None, None, None)
        Socket = ok(simple.call(provider.Dispatch.WskSocketConnect, provider.Client, *kind))

        assert ok(simple.remote_address(Socket)).sa_family == AF_INET6
        assert simple.host_and_port(ok(simple.remote_address(Socket))) == (f"::ffff:{FAR}", PORT)
        ok(simple.close(listener))


# Events beside each other


class Events:
    """A WskReceiveEvent and a WskSendBacklogEvent, of which the first that is called does something inside."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.backlogs: list[int] = []
        self.inside: Any = None
        self.Dispatch = WSK_CLIENT_CONNECTION_DISPATCH(self.received, None, self.changed)

    def received(self, SocketContext: Any, Flags: int, Indication: Any, length: int, accepted: list[int]) -> NTSTATUS:
        self.lengths.append(length)
        inside, self.inside = self.inside, None
        if inside is not None:
            inside()
        return STATUS_SUCCESS

    def changed(self, SocketContext: Any, IdealBacklogSize: int) -> NTSTATUS:
        self.backlogs.append(IdealBacklogSize)
        inside, self.inside = self.inside, None
        if inside is not None:
            inside()
        return STATUS_SUCCESS


def carry(source: Any, sink: Any) -> None:
    """So much that the ideal backlog grows."""
    for _ in range(5):
        request = send(source, bytes(200_000))
        while not request.is_done:
            simple.receive(sink, 1 << 16, seconds=0.01)


@pytest.mark.rule("R-312")
def test_another_event_does_not_count_as_asking_for_the_backlog(lab: Lab) -> None:
    events = Events()
    near, far = pair(lab, Dispatch=events.Dispatch)
    assert simple.control_events(near, WSK_EVENT_RECEIVE) == STATUS_SUCCESS
    carry(near, far)
    assert simple.control_events(near, WSK_EVENT_SEND_BACKLOG) == STATUS_SUCCESS

    assert events.backlogs == []  # what it was before it was asked for is no change


@pytest.mark.rule("R-312", "R-349")
def test_news_of_the_backlog_leaves_a_running_receive_event_what_it_was_shown(lab: Lab) -> None:
    events = Events()
    near, far = pair(lab, Dispatch=events.Dispatch)
    for mask in (WSK_EVENT_SEND_BACKLOG, WSK_EVENT_SEND_BACKLOG | WSK_EVENT_DISABLE, WSK_EVENT_RECEIVE):
        assert simple.control_events(near, mask) == STATUS_SUCCESS
    carry(near, far)
    requests: list[Request] = []

    def inside() -> None:
        assert simple.control_events(near, WSK_EVENT_SEND_BACKLOG) == STATUS_SUCCESS
        requests.append(start(near.Dispatch.WskReceive, near, simple.buffer(bytearray(10)), 0))

    events.inside = inside
    sent = send(far, b"data")
    lab.run()

    assert (sent.is_done, events.lengths, len(events.backlogs)) == (True, [4], 1)
    assert (requests[0].returned, requests[0].is_done) == (STATUS_PENDING, False)


@pytest.mark.rule("R-312")
def test_data_that_is_due_leaves_a_running_backlog_event_running(lab: Lab) -> None:
    """Who disables it then hears that it has not returned."""
    events = Events()
    near, far = pair(lab, Dispatch=events.Dispatch)
    for mask in (WSK_EVENT_SEND_BACKLOG, WSK_EVENT_SEND_BACKLOG | WSK_EVENT_DISABLE):
        assert simple.control_events(near, mask) == STATUS_SUCCESS
    carry(near, far)
    ok(simple.send(far, b"data"))
    answers: list[NTSTATUS] = []

    def inside() -> None:
        masks = WSK_EVENT_RECEIVE, WSK_EVENT_SEND_BACKLOG | WSK_EVENT_DISABLE
        answers.extend(simple.control_events(near, mask) for mask in masks)

    events.inside = inside
    assert simple.control_events(near, WSK_EVENT_SEND_BACKLOG) == STATUS_SUCCESS

    assert answers == [STATUS_SUCCESS, STATUS_EVENT_PENDING]
    assert (events.lengths, len(events.backlogs)) == ([4], 1)
