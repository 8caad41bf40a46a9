"""What each function answers in each state of a listening and of a stream socket (wsk.md 3.6, D-01)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_lab import FAR, NEAR, PORT, Lab, Request, ok, start
from wsknet.net.changes import InterfaceRemoved
from wsknet.wsk import (
    SO_KEEPALIVE,
    SO_REUSEADDR,
    SOL_SOCKET,
    WSK_FLAG_ABORTIVE,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_INSPECT_ID,
    WskGetOption,
    WskInspectAccept,
    WskSetOption,
    simple,
)

LISTENING_STATES = "created listening forced"
LISTENING = """
WskControlSocket     SUCCESS               SUCCESS               FILE_FORCED_CLOSED
before bind          SUCCESS               INVALID_DEVICE_STATE  FILE_FORCED_CLOSED
WskBind              SUCCESS               INVALID_DEVICE_STATE  FILE_FORCED_CLOSED
WskAccept            INVALID_DEVICE_STATE  PENDING               FILE_FORCED_CLOSED
WskInspectComplete   INVALID_DEVICE_STATE  INVALID_DEVICE_STATE  FILE_FORCED_CLOSED
WskGetLocalAddress   INVALID_DEVICE_STATE  SUCCESS               FILE_FORCED_CLOSED
WskCloseSocket       SUCCESS               SUCCESS               SUCCESS
"""

STREAM_STATES = "created bound listening connected half-closed peer-finished reset aborted forced"
STREAM = """
WskControlSocket     SUCCESS  SUCCESS  SUCCESS  SUCCESS  SUCCESS  SUCCESS  SUCCESS  SUCCESS  FORCED
before bind          SUCCESS  STATE    STATE    STATE    STATE    STATE    STATE    STATE    FORCED
WskBind              SUCCESS  STATE    STATE    STATE    STATE    STATE    RESET    ABORTED  FORCED
WskListen            STATE    SUCCESS  STATE    STATE    STATE    STATE    RESET    ABORTED  FORCED
WskAccept            STATE    STATE    PENDING  STATE    STATE    STATE    RESET    ABORTED  FORCED
WskConnect           STATE    PENDING  STATE    STATE    STATE    STATE    RESET    ABORTED  FORCED
WskConnectEx         STATE    PENDING  STATE    STATE    STATE    STATE    RESET    ABORTED  FORCED
WskGetLocalAddress   STATE    SUCCESS  SUCCESS  SUCCESS  SUCCESS  SUCCESS  SUCCESS  SUCCESS  FORCED
WskGetRemoteAddress  STATE    STATE    STATE    SUCCESS  SUCCESS  SUCCESS  RESET    ABORTED  FORCED
WskSend              STATE    STATE    STATE    PENDING  STATE    PENDING  RESET    ABORTED  FORCED
WskReceive           STATE    STATE    STATE    PENDING  PENDING  SUCCESS  RESET    ABORTED  FORCED
WskDisconnect        STATE    STATE    STATE    PENDING  STATE    PENDING  RESET    ABORTED  FORCED
abortive             STATE    STATE    STATE    SUCCESS  SUCCESS  SUCCESS  RESET    ABORTED  FORCED
WskCloseSocket       SUCCESS  SUCCESS  SUCCESS  SUCCESS  SUCCESS  SUCCESS  SUCCESS  SUCCESS  SUCCESS
"""
"""In a state that a call does not fit it is refused with what the socket has become, else as illegal (D-01)."""

SHORT = {
    "STATE": "INVALID_DEVICE_STATE",
    "FORCED": "FILE_FORCED_CLOSED",
    "RESET": "CONNECTION_RESET",
    "ABORTED": "CONNECTION_ABORTED",
}


def cells(states: str, table: str) -> list[tuple[str, str, str]]:
    """State, function, what it answers."""
    rows = [row.replace("before bind", "before-bind").split() for row in table.strip().splitlines()]
    return [
        (state, row[0], SHORT.get(answer, answer))
        for row in rows
        for state, answer in zip(states.split(), row[1:], strict=True)
    ]


def call(Socket: Any, function: str) -> Request:
    there = simple.address(NEAR, PORT + 1)
    buffer = simple.buffer(bytearray(4))
    option = SOL_SOCKET, 4, bytearray(b"\0\0\0\0"), 0, None, None
    calls: dict[str, tuple[str, tuple[Any, ...]]] = {
        "WskControlSocket": ("", (WskGetOption, SO_KEEPALIVE, SOL_SOCKET, 0, None, 4, bytearray(4), None)),
        "before-bind": ("WskControlSocket", (WskSetOption, SO_REUSEADDR, *option)),
        "WskBind": ("", (simple.address("0.0.0.0", PORT + 2), 0)),
        "WskListen": ("", ()),
        "WskAccept": ("", (0, None, None, None, None)),
        "WskInspectComplete": ("", (WSK_INSPECT_ID(), WskInspectAccept)),
        "WskConnect": ("", (there, 0)),
        "WskConnectEx": ("", (there, buffer, 0)),
        "WskGetLocalAddress": ("", (bytearray(28),)),
        "WskGetRemoteAddress": ("", (bytearray(28),)),
        "WskSend": ("", (buffer, 0)),
        "WskReceive": ("", (buffer, 0)),
        "WskDisconnect": ("", (None, 0)),
        "abortive": ("WskDisconnect", (None, WSK_FLAG_ABORTIVE)),
        "WskCloseSocket": ("", ()),
    }
    name, arguments = calls[function]
    return start(getattr(Socket.Dispatch, name or function), Socket, *arguments)


def assert_answer(request: Request, expected: str) -> None:
    """By the value returned and, but for what is left pending, by the only completion, inline (2.3)."""
    assert request.returned is not None
    if expected == "PENDING":
        assert (request.returned.name, request.is_done) == ("STATUS_PENDING", False)
        return
    assert request.status.name == f"STATUS_{expected}"
    assert request.returned in (request.status, 0x103)
    if expected != "SUCCESS":
        assert (request.returned, request.information, request.was_pending) == (request.status, 0, [False])


def remove_interface(lab: Lab) -> None:
    lab.far.apply(InterfaceRemoved(lab.far_interface.index))


# Listening sockets


@pytest.mark.rule("D-01", "R-106", "R-258")
@pytest.mark.parametrize(("state", "function", "expected"), cells(LISTENING_STATES, LISTENING))
def test_a_listening_socket(lab: Lab, state: str, function: str, expected: str) -> None:
    Socket = lab.socket(lab.far, WSK_FLAG_LISTEN_SOCKET)
    if state != "created":
        ok(simple.bind(Socket, simple.address(FAR, PORT)))
    if state == "forced":
        remove_interface(lab)
    assert_answer(call(Socket, function), expected)


# Stream sockets


def connected(lab: Lab) -> tuple[Any, Any]:
    """A stream socket of the far host, and its peer."""
    Socket = lab.bound(lab.far, WSK_FLAG_STREAM_SOCKET, FAR, PORT)
    listener = lab.bound(lab.near, WSK_FLAG_LISTEN_SOCKET, port=PORT)
    ok(simple.connect(Socket, simple.address(NEAR, PORT)))
    return Socket, ok(simple.accept(listener))


def listening(lab: Lab) -> Any:
    Socket = lab.bound(lab.far, WSK_FLAG_STREAM_SOCKET, FAR, PORT)
    ok(simple.listen(Socket))
    return Socket


def changed(act: Callable[[Lab, Any, Any], object]) -> Callable[[Lab], Any]:
    """A connected stream socket after `act`."""

    def make(lab: Lab) -> Any:
        Socket, peer = connected(lab)
        act(lab, Socket, peer)
        lab.run(0.01)
        return Socket

    return make


STATES: dict[str, Callable[[Lab], Any]] = {
    "created": lambda lab: lab.socket(lab.far, WSK_FLAG_STREAM_SOCKET),
    "bound": lambda lab: lab.bound(lab.far, WSK_FLAG_STREAM_SOCKET, FAR, PORT),
    "listening": listening,
    "connected": changed(lambda lab, Socket, peer: None),
    "half-closed": changed(lambda lab, Socket, peer: ok(simple.disconnect(Socket))),
    "peer-finished": changed(lambda lab, Socket, peer: ok(simple.disconnect(peer))),
    "reset": changed(lambda lab, Socket, peer: ok(simple.close(peer))),
    "aborted": changed(lambda lab, Socket, peer: call(Socket, "abortive")),
    "forced": changed(lambda lab, Socket, peer: remove_interface(lab)),
}


@pytest.mark.rule("D-01", "R-140", "R-141")
@pytest.mark.parametrize(("state", "function", "expected"), cells(STREAM_STATES, STREAM))
def test_a_stream_socket(lab: Lab, state: str, function: str, expected: str) -> None:
    assert_answer(call(STATES[state](lab), function), expected)
