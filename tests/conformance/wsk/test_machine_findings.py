"""What random legal programs have found, each cut down to the calls that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import PORT, Lab, ok
from wsknet.wsk import (
    STATUS_REQUEST_NOT_ACCEPTED,
    STATUS_SUCCESS,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_EVENT_ACCEPT,
    detach_provider,
    simple,
)


@pytest.mark.rule("R-157")
def test_a_connection_is_refused_after_the_provider_has_gone(lab: Lab) -> None:
    refused: list[Any] = []

    def refuse(SocketContext: Any, Flags: int, local: Any, remote: Any, Socket: Any, *out: Any) -> Any:
        refused.append(Socket)
        return STATUS_REQUEST_NOT_ACCEPTED

    listener = lab.listener(Dispatch=WSK_CLIENT_LISTEN_DISPATCH(refuse))
    assert simple.control_events(listener, WSK_EVENT_ACCEPT) == STATUS_SUCCESS
    detach_provider(lab.far)
    near = lab.connected(PORT)
    lab.run()

    assert len(refused) == 1
    assert simple.receive(near)[0] != STATUS_SUCCESS
    ok(simple.close(near))
    ok(simple.close(listener))
