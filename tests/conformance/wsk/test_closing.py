"""WskCloseSocket: what goes on the wire, what it cancels, and that no use comes after it (wsk.md 4.3)."""

from __future__ import annotations

import pytest

from tests.support.wsk_lab import ACK, FAR, FIN, PORT, RST, Lab, ok, start
from tests.support.wsk_tcp import disconnect, receive, send
from wsknet.wsk import (
    STATUS_CANCELLED,
    STATUS_CONNECTION_RESET,
    STATUS_SUCCESS,
    WSK_EVENT_RECEIVE,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    BugCheck,
    simple,
)


@pytest.mark.rule("R-248")
def test_close_resets_an_open_connection(lab: Lab) -> None:
    near, far = lab.pair()
    ok(simple.close(near))
    lab.run()

    assert lab.near_wire.tcp_flags()[-1] & RST
    assert simple.receive(far)[0] == STATUS_CONNECTION_RESET


@pytest.mark.rule("R-248")
def test_close_resets_a_connection_that_only_we_have_finished(lab: Lab) -> None:
    near, _ = lab.pair()
    ok(simple.disconnect(near))
    ok(simple.close(near))

    assert lab.near_wire.tcp_flags()[-1] & RST


@pytest.mark.rule("R-249")
def test_close_is_silent_when_both_sides_have_finished(lab: Lab) -> None:
    near, far = lab.pair()
    ok(simple.disconnect(near))
    ok(simple.disconnect(far))
    lab.run()
    for Socket in (near, far):
        ok(simple.close(Socket))
    lab.run()

    flags = lab.near_wire.tcp_flags() + lab.far_wire.tcp_flags()
    assert not any(segment & RST for segment in flags)
    assert sum(bool(segment & FIN) for segment in flags) == 2
    assert lab.near_wire.tcp_flags()[-1] == ACK


@pytest.mark.rule("R-250", "R-166", "R-253")
def test_close_cancels_everything_and_succeeds(lab: Lab) -> None:
    near, _ = lab.pair()
    lab.cut()
    requests = [receive(near), send(near, b"x"), disconnect(near)]
    order: list[int] = []
    for number, request in enumerate(requests):
        request.then = lambda number=number: order.append(number)
    closing = start(near.Dispatch.WskCloseSocket, near)

    assert [request.completions for request in requests] == [[(STATUS_CANCELLED, 0)]] * 3
    assert closing.completions == [(STATUS_SUCCESS, 0)]
    assert sorted(order) == [0, 1, 2]


def test_close_cancels_a_connect_in_progress(lab: Lab) -> None:
    lab.cut()
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    request = start(Socket.Dispatch.WskConnect, Socket, simple.address(FAR, PORT), 0)
    ok(simple.close(Socket))

    assert request.completions == [(STATUS_CANCELLED, 0)]


@pytest.mark.rule("R-253", "R-254")
@pytest.mark.parametrize("Flags", [0, WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_DATAGRAM_SOCKET])
def test_an_unused_socket_can_be_closed(lab: Lab, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags)
    request = start(Socket.Dispatch.Basic.WskCloseSocket, Socket)

    assert request.completions == [(STATUS_SUCCESS, 0)]


@pytest.mark.rule("R-257", "D-19")
def test_no_use_after_close(lab: Lab) -> None:
    near, _ = lab.pair()
    ok(simple.close(near))

    for use in (
        lambda: simple.send(near, b"x"),
        lambda: simple.receive(near),
        lambda: simple.local_address(near),
        lambda: simple.close(near),
        lambda: simple.control_events(near, WSK_EVENT_RECEIVE),
        lambda: near.Dispatch.WskRelease(near, None),
    ):
        with pytest.raises(BugCheck, match="R-257"):
            use()
