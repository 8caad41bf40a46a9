"""What the callbacks of sockets are given and may keep, and what the verifier makes of memory that is lent."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.support.wsk_datagrams import TO_FAR
from tests.support.wsk_lab import PORT, Lab, ok, start
from wsknet.wsk import (
    IP_PKTINFO,
    IP_RECVTOS,
    IPPROTO_IP,
    MDL,
    NTSTATUS,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSA_CMSG_SPACE,
    WSK_BUF,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_RECEIVE_FROM,
    BugCheck,
    IoAllocateMdl,
    IoFreeMdl,
    MmBuildMdlForNonPagedPool,
    simple,
    verify,
)


class Taker:
    """A WskReceiveFromEvent and a WskReceiveEvent that answer the same, after doing something with what they got."""

    def __init__(self, answer: NTSTATUS = STATUS_SUCCESS) -> None:
        self.answer = answer
        self.got: list[Any] = []
        self.inside: Any = None
        self.Datagrams = WSK_CLIENT_DATAGRAM_DISPATCH(self.take)

    def take(self, SocketContext: Any, Flags: int, Indication: Any, *lengths: Any) -> NTSTATUS:
        self.got.append(Indication)
        if self.inside is not None:
            self.inside(Indication)
        return self.answer


def listening(lab: Lab, taker: Taker) -> Any:
    Socket = lab.datagram(lab.far, PORT, Dispatch=taker.Datagrams)
    assert simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM) == STATUS_SUCCESS
    return Socket


# Datagrams


def test_an_empty_datagram_comes_without_an_mdl(lab: Lab) -> None:
    taker = Taker()
    listening(lab, taker)
    ok(simple.send_to(lab.datagram(lab.near), b"", TO_FAR))
    lab.run()
    Buffer = taker.got[0].Buffer

    assert (Buffer.Mdl, Buffer.Offset, Buffer.Length) == (None, 0, 0)


def test_the_control_messages_of_an_indication_follow_each_other(lab: Lab) -> None:
    taker = Taker()
    far = listening(lab, taker)
    for option in (IP_PKTINFO, IP_RECVTOS):
        ok(simple.set_option(far, IPPROTO_IP, option, 1))
    ok(simple.send_to(lab.datagram(lab.near), b"data", TO_FAR))
    lab.run()
    element = taker.got[0]

    assert element.ControlInfoLength == WSA_CMSG_SPACE(8) + WSA_CMSG_SPACE(4)
    assert element.ControlInfo is not None


def test_an_event_that_raises_leaves_the_datagram(lab: Lab) -> None:
    taker = Taker()
    far = listening(lab, taker)
    taker.inside = lambda Indication: 1 // 0
    near = lab.datagram(lab.near)
    with pytest.raises(ZeroDivisionError):
        send_to_far(lab, near)
    data, _ = ok(simple.receive_from(far, seconds=1))

    assert data == b"data"


def send_to_far(lab: Lab, Socket: Any) -> None:
    ok(simple.send_to(Socket, b"data", TO_FAR))
    lab.run()


# Retaining


@pytest.mark.rule("R-255")
def test_what_is_released_inside_the_event_is_not_retained(lab: Lab) -> None:
    """As when another processor is done with it before STATUS_PENDING has been returned."""
    taker = Taker(STATUS_PENDING)
    far = listening(lab, taker)
    taker.inside = lambda Indication: released.append(far.Dispatch.WskRelease(far, Indication))
    released: list[NTSTATUS] = []
    send_to_far(lab, lab.datagram(lab.near))

    assert released == [STATUS_SUCCESS]
    assert simple.close(far)[0] == STATUS_SUCCESS


@pytest.mark.rule("R-255")
def test_any_function_may_be_the_event_that_retains(lab: Lab) -> None:
    taker = Taker(STATUS_PENDING)
    near, far = lab.pair(Dispatch=WSK_CLIENT_CONNECTION_DISPATCH(partial(taker.take)))
    assert simple.control_events(near, WSK_EVENT_RECEIVE) == STATUS_SUCCESS
    ok(simple.send(far, b"data"))
    lab.run()
    with pytest.raises(BugCheck, match="WskCloseSocket with 1 indications retained"):
        simple.close(near)
    assert near.Dispatch.WskRelease(near, taker.got[0]) == STATUS_SUCCESS
    assert simple.close(near)[0] == STATUS_SUCCESS


# Memory that is lent


def chain(*pieces: bytearray) -> WSK_BUF:
    first: MDL | None = None
    for piece in reversed(pieces):
        Mdl = IoAllocateMdl(piece, len(piece), False, False, None)
        assert Mdl is not None
        MmBuildMdlForNonPagedPool(Mdl)
        Mdl.Next, first = first, Mdl
    return WSK_BUF(first, 0, sum(map(len, pieces)))


@pytest.mark.rule("R-351")
@pytest.mark.parametrize("written", [0, 1, 2])
def test_every_piece_of_a_chain_is_looked_after(lab: Lab, written: int) -> None:
    near, _ = lab.pair()
    pieces = bytearray(b"one"), bytearray(b"another"), bytearray(b"last")
    lab.cut()
    request = start(near.Dispatch.WskSend, near, chain(*pieces), 0)
    pieces[written][0] ^= 1
    lab.cut(False)
    with pytest.raises(BugCheck, match=r"the request made at .*wsk_lab\.py:\d+ in start") as stop:
        lab.run(5)

    assert (stop.value.rule, request.returned) == ("R-351", STATUS_PENDING)


@pytest.mark.rule("R-351")
def test_an_mdl_is_lent_with_its_memory(lab: Lab) -> None:
    near, _ = lab.pair()
    lab.cut()
    Buffer = simple.buffer(b"data")
    assert Buffer.Mdl is not None
    request = start(near.Dispatch.WskSend, near, Buffer, 0)
    with pytest.raises(BugCheck, match="R-351"):
        IoFreeMdl(Buffer.Mdl)
    lab.cut(False)
    lab.run(5)
    IoFreeMdl(Buffer.Mdl)

    assert request.completions == [(STATUS_SUCCESS, 4)]


# Whose verifier


def test_the_third_argument_says_nothing_of_whose_call_it_is(lab: Lab) -> None:
    """The near host, which is the current one, is verified, and the far one, whose socket that is, is not."""
    far: Any = lab.datagram(lab.far)
    verify(lab.far, False)
    with pytest.raises(BugCheck):
        IoAllocateMdl(bytearray(3), 4, far, False, None)
