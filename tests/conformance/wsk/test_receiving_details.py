"""Fine points of receiving: WAITALL over a chain, what cancelling gives back, and who lets the peer send on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_lab import PORT, Lab, Request, ok, start
from tests.support.wsk_tcp import far_address, listener, receive, set_tcp
from wsknet.types import MILLISECOND
from wsknet.wsk import (
    AF_INET,
    MDL,
    NTSTATUS,
    SO_RCVBUF,
    SOL_SOCKET,
    STATUS_CANCELLED,
    STATUS_DATA_NOT_ACCEPTED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    TCP_TIMESTAMPS,
    WSK_BUF,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_DATA_INDICATION,
    WSK_EVENT_DISABLE,
    WSK_EVENT_RECEIVE,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DRAIN,
    WSK_FLAG_WAITALL,
    BugCheck,
    IoAllocateMdl,
    IoCancelIrp,
    MmBuildMdlForNonPagedPool,
    faults_of,
    simple,
    verify,
)

ROOM = 4000
"""SO_RCVBUF of the near socket."""


def chain(pieces: list[bytearray]) -> MDL | None:
    first = None
    for piece in reversed(pieces):
        Mdl = IoAllocateMdl(piece, len(piece), False, False, None)
        assert Mdl is not None
        MmBuildMdlForNonPagedPool(Mdl)
        Mdl.Next = first
        first = Mdl
    return first


class Taker:
    """A WskReceiveEvent that takes all, or nothing."""

    def __init__(self) -> None:
        self.got: list[int] = []
        self.indications: list[WSK_DATA_INDICATION] = []
        self.answer: NTSTATUS = STATUS_SUCCESS
        self.inside: Any = None
        self.dispatch = WSK_CLIENT_CONNECTION_DISPATCH(self.receive_event)

    def receive_event(self, Context: Any, Flags: int, Indication: Any, length: int, accepted: list[int]) -> NTSTATUS:
        self.got.append(length)
        self.indications.append(Indication)
        if self.inside is not None:
            self.inside()
        return self.answer


def pair(lab: Lab, taker: Taker | None = None) -> tuple[Any, Any]:
    """Both ends of a connection with timestamps (RFC 7323), so that each segment needs to know the time."""
    listening = listener(lab)
    near = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, Dispatch=taker.dispatch if taker else None)
    ok(simple.set_option(near, SOL_SOCKET, SO_RCVBUF, ROOM))
    assert set_tcp(near, TCP_TIMESTAMPS, 1) == STATUS_SUCCESS
    ok(simple.connect(near, far_address(AF_INET, PORT)))
    lab.run(0.001)
    return near, ok(simple.accept(listening))


def send(lab: Lab, Socket: Any, data: bytes) -> Request:
    """As far as there is room for it."""
    request = start(Socket.Dispatch.WskSend, Socket, simple.buffer(data), 0)
    lab.run(0.1)
    return request


# WAITALL


@pytest.mark.rule("R-207", "R-349")
@pytest.mark.parametrize("first", [0, 2001, 2300, 2600, 2601, 3599])
def test_waitall_goes_on_anywhere_in_a_chain(lab: Lab, first: int) -> None:
    """More than half of the receive buffer is taken before the rest is there."""
    near, far = pair(lab)
    pieces = [bytearray(2000), bytearray(300), bytearray(300), bytearray(1000), bytearray(400)]
    request = start(near.Dispatch.WskReceive, near, WSK_BUF(chain(pieces), 0, 4000), WSK_FLAG_WAITALL)
    data = bytes(at % 251 for at in range(4000))
    for part in (data[:first], data[first:]):
        assert not request.is_done
        if part:
            send(lab, far, part)

    assert request.completions == [(STATUS_SUCCESS, 4000)]
    assert b"".join(pieces) == data
    assert not receive(near).is_done


@pytest.mark.rule("R-207", "R-068")
@pytest.mark.parametrize(("size", "taken"), [(2000, 0), (2001, 2001)])
def test_what_a_cancelled_waitall_has_left_is_not_lost(lab: Lab, size: int, taken: int) -> None:
    near, far = pair(lab)
    request = receive(near, 10_000, WSK_FLAG_WAITALL)
    send(lab, far, bytes(size))
    IoCancelIrp(request.Irp)

    assert request.completions == [(STATUS_SUCCESS if taken else STATUS_CANCELLED, taken)]
    if not taken:
        assert receive(near, 10_000).information == size


@pytest.mark.rule("R-224")
def test_indications_go_on_after_a_receive_that_was_cancelled(lab: Lab) -> None:
    taker = Taker()
    near, far = pair(lab, taker)
    taker.answer = STATUS_DATA_NOT_ACCEPTED
    simple.control_events(near, WSK_EVENT_RECEIVE)
    send(lab, far, b"early")
    request = receive(near, 100, WSK_FLAG_WAITALL)
    assert (request.is_done, taker.got) == (False, [5])
    taker.answer = STATUS_SUCCESS
    IoCancelIrp(request.Irp)
    lab.run()

    assert (request.status, taker.got) == (STATUS_CANCELLED, [5, 5])


# The window


def _plainly(near: Any, taker: Taker) -> None:
    assert receive(near, ROOM).information > ROOM // 2


def _with_waitall(near: Any, taker: Taker) -> None:
    assert not receive(near, 10 * ROOM, WSK_FLAG_WAITALL).is_done


def _draining(near: Any, taker: Taker) -> None:
    assert not start(near.Dispatch.WskReceive, near, WSK_BUF(), WSK_FLAG_DRAIN).is_done


def _behind_a_callback(near: Any, taker: Taker) -> None:
    requests: list[Request] = []
    taker.answer = STATUS_DATA_NOT_ACCEPTED
    taker.inside = lambda: requests.append(receive(near, ROOM))
    simple.control_events(near, WSK_EVENT_RECEIVE)
    assert requests[0].information > ROOM // 2


@pytest.mark.parametrize("take", [_plainly, _with_waitall, _draining, _behind_a_callback])
def test_whoever_takes_bytes_lets_the_peer_send_on_at_once(lab: Lab, take: Any) -> None:
    taker = Taker()
    near, far = pair(lab, taker)
    send(lab, far, bytes(2 * ROOM))
    before = len(lab.near_wire.frames)
    take(near, taker)

    assert len(lab.near_wire.frames) > before


def test_the_receive_behind_a_cancelled_one_lets_the_peer_send_on(lab: Lab) -> None:
    near, far = pair(lab)
    first, second = receive(near, ROOM, WSK_FLAG_WAITALL), receive(near, ROOM)
    send(lab, far, bytes(ROOM // 2))
    assert (first.is_done, second.is_done) == (False, False)
    before = len(lab.near_wire.frames)
    IoCancelIrp(first.Irp)

    assert (first.status, second.information) == (STATUS_CANCELLED, ROOM // 2)
    assert len(lab.near_wire.frames) == before + 1


# Events


@pytest.mark.rule("R-235", "R-293")
def test_an_indication_that_is_due_is_not_made_once_its_event_is_disabled(lab: Lab) -> None:
    taker = Taker()
    near, far = pair(lab, taker)
    simple.control_events(near, WSK_EVENT_RECEIVE)
    faults = faults_of(lab.near)
    faults.complete(delay=5 * MILLISECOND)
    start(far.Dispatch.WskSend, far, simple.buffer(b"data"), 0)
    lab.run(0.001)
    simple.control_events(near, WSK_EVENT_RECEIVE | WSK_EVENT_DISABLE)
    lab.run()
    faults.complete()
    assert taker.got == []
    simple.control_events(near, WSK_EVENT_RECEIVE)
    lab.run()

    assert taker.got == [4]


@pytest.mark.rule("R-251")
def test_an_indication_that_is_due_is_not_made_once_the_socket_is_closing(lab: Lab) -> None:
    taker = Taker()
    near, far = pair(lab, taker)
    simple.control_events(near, WSK_EVENT_RECEIVE)
    faults = faults_of(lab.near)
    faults.complete(delay=5 * MILLISECOND)
    start(far.Dispatch.WskSend, far, simple.buffer(b"data"), 0)
    lab.run(0.001)
    close = start(near.Dispatch.WskCloseSocket, near)
    lab.run()

    assert (close.status, taker.got) == (STATUS_SUCCESS, [])


@pytest.mark.rule("R-255")
def test_an_indication_that_was_not_released_is_found_at_the_close(lab: Lab) -> None:
    taker = Taker()
    near, far = pair(lab, taker)
    taker.answer = STATUS_PENDING
    simple.control_events(near, WSK_EVENT_RECEIVE)
    send(lab, far, b"data")
    with pytest.raises(BugCheck) as stop:
        near.Dispatch.WskCloseSocket(near, Request().Irp)
    assert stop.value.rule == "R-255"
    assert near.Dispatch.WskRelease(near, taker.indications[0]) == STATUS_SUCCESS
    ok(simple.close(near))


@pytest.mark.parametrize(
    ("rule", "request_it"),
    [("WSK-4.12", receive), ("R-298", lambda Socket: simple.control_events(Socket, WSK_EVENT_RECEIVE))],
)
def test_what_needs_a_connection_names_the_rule(lab: Lab, rule: str, request_it: Callable[[Any], object]) -> None:
    verify(lab.near)
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, Dispatch=Taker().dispatch)
    with pytest.raises(BugCheck) as stop:
        request_it(Socket)

    assert (stop.value.code, stop.value.rule) == (0xC4, rule)
