"""Control requests that come in a state which the documentation forbids: a strict verifier tells which rule that is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import Lab
from tests.support.wsk_tcp import bound, control, ioctl, pair, query
from wsknet.wsk import (
    NPI_WSK_INTERFACE_ID,
    SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT,
    SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS,
    SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS,
    SIO_TCP_INFO,
    SIO_WSK_QUERY_IDEAL_SEND_BACKLOG,
    SIO_WSK_QUERY_RECEIVE_BACKLOG,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    WSK_EVENT_CALLBACK_CONTROL,
    WSK_EVENT_DISABLE,
    WSK_EVENT_RECEIVE,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_SET_STATIC_EVENT_CALLBACKS,
    WSK_TDI_BEHAVIOR,
    WSK_TDI_DEVICENAME_MAPPING,
    WSK_TDI_MAP_INFO,
    BugCheck,
    WskIoctl,
    simple,
    verify,
)

RECORDS, CONTEXT = SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS, SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT


def unconnected(lab: Lab) -> Any:
    return bound(lab, lab.near, WSK_FLAG_CONNECTION_SOCKET)


@pytest.mark.rule("D-17")
@pytest.mark.parametrize(
    ("code", "size", "memory", "rule"),
    [
        (SIO_WSK_QUERY_RECEIVE_BACKLOG, 0, None, "R-310"),
        (SIO_WSK_QUERY_IDEAL_SEND_BACKLOG, 0, None, "R-311"),
        (RECORDS, 0, None, "WSK-5.4"),
        (CONTEXT, 0, None, "WSK-5.4"),
        (SIO_TCP_INFO, 4, bytes(4), "WSK-5.5"),
    ],
)
def test_what_is_about_a_connection_needs_one(lab: Lab, code: int, size: int, memory: Any, rule: str) -> None:
    Socket = unconnected(lab)
    arguments = (WskIoctl, code, 0, size, memory, 128, bytearray(128), None)
    assert control(Socket, *arguments).completions == [(STATUS_INVALID_DEVICE_STATE, 0)]
    verify(lab.near)
    with pytest.raises(BugCheck) as stop:
        control(Socket, *arguments)

    assert (stop.value.code, stop.value.rule) == (0xC4, rule)


@pytest.mark.rule("R-322", "D-17")
def test_redirect_records_come_before_the_connection(lab: Lab) -> None:
    near, _ = pair(lab)
    verify(lab.near)
    with pytest.raises(BugCheck) as stop:
        ioctl(near, SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS, 4, bytes(4))

    assert (stop.value.code, stop.value.rule) == (0xC4, "WSK-5.4")


def mask(events: int) -> tuple[Any, ...]:
    return 16, WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, events), 0, None, None


@pytest.mark.rule("R-331", "D-15")
@pytest.mark.parametrize("disable", [0, WSK_EVENT_DISABLE])
def test_a_static_event_is_not_touched(lab: Lab, disable: int) -> None:
    assert lab.near_application.control(WSK_SET_STATIC_EVENT_CALLBACKS, *mask(WSK_EVENT_RECEIVE)) == STATUS_SUCCESS
    Socket = unconnected(lab)
    assert simple.control_events(Socket, WSK_EVENT_RECEIVE | disable) == STATUS_INVALID_PARAMETER
    verify(lab.near)
    with pytest.raises(BugCheck) as stop:
        simple.control_events(Socket, WSK_EVENT_RECEIVE | disable)

    assert (stop.value.code, stop.value.rule) == (0xC4, "R-331")


@pytest.mark.rule("R-329", "R-334")
@pytest.mark.parametrize(
    ("code", "buffers", "rule"),
    [
        (WSK_SET_STATIC_EVENT_CALLBACKS, mask(WSK_EVENT_RECEIVE), "R-329"),
        (WSK_TDI_DEVICENAME_MAPPING, (16, WSK_TDI_MAP_INFO(), 0, None, None), "R-334"),
        (WSK_TDI_BEHAVIOR, (4, [0], 0, None, None), "R-334"),
    ],
)
def test_what_comes_before_the_first_socket(lab: Lab, code: int, buffers: tuple[Any, ...], rule: str) -> None:
    unconnected(lab)
    assert lab.near_application.control(code, *buffers) == STATUS_INVALID_DEVICE_STATE
    verify(lab.near)
    with pytest.raises(BugCheck) as stop:
        lab.near_application.control(code, *buffers)

    assert (stop.value.code, stop.value.rule) == (0xC4, rule)


def test_a_socket_that_is_connected_answers_a_strict_verifier_too(lab: Lab) -> None:
    near, _ = pair(lab)
    verify(lab.near)
    assert query(near, SIO_WSK_QUERY_RECEIVE_BACKLOG, 8, [0]).status == STATUS_SUCCESS
