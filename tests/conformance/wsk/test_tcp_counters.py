"""SIO_TCP_INFO while a connection has something to tell: bytes in flight, losses, disorder, and its windows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.support.wsk_lab import Lab, ok
from tests.support.wsk_tcp import bound, control, families, far_address, listener, pair, send, set_tcp
from wsknet.wsk import (
    SIO_TCP_INFO,
    STATUS_SUCCESS,
    TCP_TIMESTAMPS,
    WSK_FLAG_CONNECTION_SOCKET,
    TCP_INFO_v0,
    WskIoctl,
    simple,
)


def told(Socket: Any) -> TCP_INFO_v0:
    info = TCP_INFO_v0()
    assert control(Socket, WskIoctl, SIO_TCP_INFO, 0, 4, [0], 88, info, None).status == STATUS_SUCCESS
    return info


@families
def test_what_nobody_has_acknowledged_is_in_flight(lab: Lab, family: int) -> None:
    near, _ = pair(lab, family)
    lab.cut()
    send(near, bytes(100), 2)
    assert told(near).BytesInFlight == 100


@families
def test_a_segment_that_is_lost_among_others_is_repeated_fast(lab: Lab, family: int) -> None:
    near, far = pair(lab, family)
    ok(simple.send(near, bytes(1000)))  # the window has its final size after that
    lab.run(1)
    lab.cut()
    send(near, bytes(100), 2)
    lab.cut(False)
    for _ in range(4):
        send(near, bytes(100), 2)
    lab.run(1)
    sender, receiver = told(near), told(far)

    assert (sender.FastRetrans, sender.TimeoutEpisodes, sender.BytesInFlight) == (1, 0, 0)
    assert (sender.DupAcksIn, sender.BytesRetrans) == (4, 100)
    assert (receiver.BytesReordered, receiver.BytesIn) == (400, 1500)
    assert sender.BytesReordered == 0


def test_the_receive_window_is_the_room_that_is_left(lab: Lab) -> None:
    near, far = pair(lab)
    windows = []
    for _ in range(3):
        ok(simple.send(near, bytes(1000)))
        lab.run(0.01)
        windows.append(told(far).RcvWnd)

    assert 3000 < windows[0] <= told(far).RcvBuf
    assert [before - after for before, after in pairwise(windows)] == [1000, 1000]


@pytest.mark.parametrize("is_on", [0, 1])
def test_timestamps_are_told_of(lab: Lab, is_on: int) -> None:
    listening = listener(lab)
    near = bound(lab, lab.near, WSK_FLAG_CONNECTION_SOCKET)
    for Socket in (near, listening):
        assert set_tcp(Socket, TCP_TIMESTAMPS, is_on) == STATUS_SUCCESS
    ok(simple.connect(near, far_address(2)))

    assert [told(Socket).TimestampsEnabled for Socket in (near, ok(simple.accept(listening)))] == [is_on, is_on]
