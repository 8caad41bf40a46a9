"""SIO_TCP_INFO: what a connection tells of itself (wsk.md 5.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_categories import C
from tests.support.wsk_lab import Lab, ok, start
from tests.support.wsk_tcp import (
    bound,
    control,
    families,
    far_address,
    listener,
    pair,
    query,
    send,
)
from wsknet.wsk import (
    AF_INET,
    SIO_TCP_INFO,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_SUCCESS,
    TCPSTATE,
    TCP_INFO_v0,
    WskIoctl,
    simple,
)


@families
@pytest.mark.parametrize("is_memory", [False, True])
def test_a_connection_tells_its_numbers(lab: Lab, family: int, is_memory: bool) -> None:
    near, far = pair(lab, family)
    ok(simple.send(near, b"twelve bytes"))
    ok(simple.receive(far, 100))
    ok(simple.send(far, b"four"))
    lab.run(1)
    target: Any = bytearray(88) if is_memory else TCP_INFO_v0()
    request = control(near, WskIoctl, SIO_TCP_INFO, 0, 4, bytes(4), 88, target, None)
    assert (request.status, request.information) == (STATUS_SUCCESS, 88)
    info = TCP_INFO_v0.cast(target) if is_memory else target

    assert (info.State, info.Mss) == (TCPSTATE.TCPSTATE_ESTABLISHED, 1460 if family == AF_INET else 1440)
    assert 1000 <= info.ConnectionTimeMs <= 1200
    assert (info.BytesOut, info.BytesIn, info.BytesInFlight) == (12, 4, 0)
    assert (info.BytesRetrans, info.TimeoutEpisodes, info.SynRetrans, info.DupAcksIn) == (0, 0, 0, 0)
    assert info.Cwnd >= 10 * info.Mss
    assert info.RcvBuf == lab.near.stack.config.tcp.receive_buffer
    assert 0 < info.MinRttUs <= info.RttUs or info.MinRttUs == info.RttUs == 0


@families
def test_the_end_of_a_stream_is_no_byte_of_it(lab: Lab, family: int) -> None:
    near, far = pair(lab, family)
    ok(simple.send(near, b"twelve bytes"))
    for Socket in (near, far):
        ok(simple.disconnect(Socket))
    told = []
    for Socket in (near, far):
        info = TCP_INFO_v0()
        control(Socket, WskIoctl, SIO_TCP_INFO, 0, 4, [0], 88, info, None)
        told.append((info.BytesOut, info.BytesIn, info.BytesInFlight))
    assert told == [(12, 0, 0), (0, 12, 0)]


def test_losses_are_counted(lab: Lab) -> None:
    listening = listener(lab)
    near = bound(lab, lab.near, C)
    lab.cut()
    connecting = start(near.Dispatch.WskConnect, near, far_address(AF_INET), 0)
    lab.run(0.5)
    lab.cut(False)
    lab.run(5)
    assert connecting.status == STATUS_SUCCESS
    ok(simple.accept(listening))
    lab.cut()
    sending = send(near, bytes(100))
    lab.run(2)
    lab.cut(False)
    lab.run(10)
    assert sending.status == STATUS_SUCCESS
    info = TCP_INFO_v0()
    control(near, WskIoctl, SIO_TCP_INFO, 0, 4, [0], 88, info, None)

    assert (info.SynRetrans, info.TimeoutEpisodes, info.BytesOut) == (1, 1, 100)
    assert info.BytesRetrans >= 200
    assert info.BytesRetrans % 100 == 0


@pytest.mark.rule("D-17")
def test_there_is_one_version_of_these_numbers_and_only_of_a_connection(lab: Lab) -> None:
    near, _ = pair(lab)
    memory = bytearray(200)

    assert control(near, WskIoctl, SIO_TCP_INFO, 0, 4, [1], 200, memory, None).status == STATUS_NOT_SUPPORTED
    assert control(near, WskIoctl, SIO_TCP_INFO, 0, 4, [0], 87, memory, None).status == STATUS_INVALID_PARAMETER
    assert query(near, SIO_TCP_INFO, 200, memory).status == STATUS_INVALID_PARAMETER
    unconnected = bound(lab, lab.near, C)
    request = control(unconnected, WskIoctl, SIO_TCP_INFO, 0, 4, [0], 200, memory, None)
    assert request.status == STATUS_INVALID_DEVICE_STATE
