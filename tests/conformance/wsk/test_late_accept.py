"""A connection that is reset before WskAcceptEvent has told of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import Lab, ok
from wsknet.types import MILLISECOND
from wsknet.wsk import (
    NTSTATUS,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_DISCONNECT,
    WSK_FLAG_ABORTIVE,
    WSK_FLAG_AT_DISPATCH_LEVEL,
    faults_of,
    simple,
)


@pytest.mark.rule("R-161", "R-245")
def test_the_inherited_event_tells_of_the_reset_once_the_socket_is_accepted(lab: Lab) -> None:
    told: list[str | int] = []

    def WskDisconnectEvent(Context: Any, Flags: int) -> NTSTATUS:
        told.append(Flags)
        return STATUS_SUCCESS

    def WskAcceptEvent(Context: Any, Flags: int, local: Any, remote: Any, Socket: Any, context: Any, table: Any) -> Any:
        told.append("accepted")
        table[0] = WSK_CLIENT_CONNECTION_DISPATCH(WskDisconnectEvent=WskDisconnectEvent)
        return STATUS_SUCCESS

    listener = lab.listener(Dispatch=WSK_CLIENT_LISTEN_DISPATCH(WskAcceptEvent))
    assert simple.control_events(listener, WSK_EVENT_ACCEPT | WSK_EVENT_DISCONNECT) == STATUS_SUCCESS
    faults_of(lab.far).complete(delay=5 * MILLISECOND)
    near = lab.connected()
    ok(simple.disconnect(near, is_abortive=True))
    lab.run(0.002)
    assert told == []

    lab.run(0.1)
    assert told == ["accepted", WSK_FLAG_ABORTIVE | WSK_FLAG_AT_DISPATCH_LEVEL]
