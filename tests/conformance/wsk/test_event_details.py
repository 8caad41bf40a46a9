"""What exactly the callbacks of a connection are given, and what they may leave in BytesAccepted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import Lab, ok
from wsknet.wsk import (
    NTSTATUS,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_DATA_INDICATION,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_FLAG_CONNECTION_SOCKET,
    BugCheck,
    simple,
    verify,
)

AT_DISPATCH_LEVEL, ABORTIVE = 8, 1


class Events:
    def __init__(self) -> None:
        self.ends: list[tuple[Any, int]] = []
        self.lengths: list[int] = []
        self.accepts: list[Any] = []
        """What each call writes to BytesAccepted."""

    def disconnected(self, SocketContext: Any, Flags: int) -> NTSTATUS:
        self.ends.append((SocketContext, Flags))
        return STATUS_SUCCESS

    def receive(
        self, SocketContext: Any, Flags: int, Indication: WSK_DATA_INDICATION, length: int, accepted: list[Any]
    ) -> NTSTATUS:
        self.lengths.append(length)
        if self.accepts:
            accepted[:] = self.accepts.pop(0)
        return STATUS_SUCCESS

    @property
    def options(self) -> dict[str, Any]:
        table = WSK_CLIENT_CONNECTION_DISPATCH(self.receive, self.disconnected)
        return {"SocketContext": "the context", "Dispatch": table}


def test_the_end_is_told_with_the_context_and_exact_flags(lab: Lab) -> None:
    events = Events()
    near, far = lab.pair(**events.options)
    simple.control_events(near, WSK_EVENT_DISCONNECT)
    ok(simple.disconnect(far))
    lab.run()
    assert events.ends == [("the context", AT_DISPATCH_LEVEL)]
    ok(simple.disconnect(far, is_abortive=True))
    lab.run()
    assert events.ends[1:] == [("the context", ABORTIVE | AT_DISPATCH_LEVEL)]


def test_an_end_that_came_before_is_told_when_the_event_is_enabled(lab: Lab) -> None:
    events = Events()
    near, far = lab.pair(**events.options)
    ok(simple.disconnect(far))
    lab.run()
    assert events.ends == []
    simple.control_events(near, WSK_EVENT_DISCONNECT)
    lab.run()

    assert events.ends == [("the context", AT_DISPATCH_LEVEL)]


@pytest.mark.parametrize("left", [[99], [10], [-1], ["x"], [None], []])
def test_more_than_was_indicated_or_no_number_is_all_of_it(lab: Lab, left: list[Any]) -> None:
    events = Events()
    events.accepts = [left]
    near, far = lab.pair(**events.options)
    simple.control_events(near, WSK_EVENT_RECEIVE)
    ok(simple.send(far, b"0123456789"))
    lab.run()
    ok(simple.send(far, b"more"))
    lab.run()

    assert events.lengths == [10, 4]


@pytest.mark.parametrize("taken", [0, 1, 9])
def test_what_was_not_accepted_is_left_for_a_request(lab: Lab, taken: int) -> None:
    events = Events()
    events.accepts = [[taken]]
    near, far = lab.pair(**events.options)
    simple.control_events(near, WSK_EVENT_RECEIVE)
    ok(simple.send(far, b"0123456789"))
    lab.run()

    assert events.lengths == [10]
    assert ok(simple.receive(near)) == b"0123456789"[taken:]


@pytest.mark.rule("R-298")
def test_events_of_a_connection_that_is_not_there_are_misuse(lab: Lab) -> None:
    verify(lab.near)
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, **Events().options)
    with pytest.raises(BugCheck) as stop:
        simple.control_events(Socket, WSK_EVENT_RECEIVE)
    assert (stop.value.code, stop.value.rule) == (0xC4, "R-298")
