"""WskReceiveFromEvent: lists of datagrams, what the callback answers, and how it ends (wsk.md 4.24)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_datagrams import GROUP, TO_FAR, join, receive_from, send_to
from tests.support.wsk_lab import BROADCAST, FAR, NEAR, PORT, Lab, Request, ok, start
from wsknet.wsk import (
    DISPATCH_LEVEL,
    MSG_BCAST,
    MSG_MCAST,
    NTSTATUS,
    SO_BROADCAST,
    SOL_SOCKET,
    STATUS_DATA_NOT_ACCEPTED,
    STATUS_DEVICE_NOT_READY,
    STATUS_EVENT_PENDING,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_DATAGRAM_INDICATION,
    WSK_EVENT_DISABLE,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_AT_DISPATCH_LEVEL,
    WSK_SOCKET,
    KeGetCurrentIrql,
    simple,
)


class Receiver:
    """A WskReceiveFromEvent: what it was given, and what it answers next."""

    def __init__(self) -> None:
        self.got: list[list[tuple[bytes, str]]] = []
        self.flags: list[int] = []
        self.lists: list[WSK_DATAGRAM_INDICATION] = []
        self.answers: list[int] = []
        self.inside: Callable[[], object] | None = None
        self.dispatch = WSK_CLIENT_DATAGRAM_DISPATCH(self.receive_from_event)

    def receive_from_event(self, SocketContext: Any, Flags: int, DataIndication: WSK_DATAGRAM_INDICATION | None) -> int:
        assert SocketContext == "receiver"
        assert KeGetCurrentIrql() == DISPATCH_LEVEL
        assert Flags & WSK_FLAG_AT_DISPATCH_LEVEL
        assert DataIndication is not None
        self.lists.append(DataIndication)
        self.flags.append(Flags & ~WSK_FLAG_AT_DISPATCH_LEVEL)
        batch = []
        element: WSK_DATAGRAM_INDICATION | None = DataIndication
        while element is not None:
            assert (element.ControlInfo, element.ControlInfoLength) == (None, 0)
            assert element.RemoteAddress is not None
            batch.append((data_of(element), simple.host_and_port(element.RemoteAddress)[0]))
            element = element.Next
        self.got.append(batch)
        if self.inside is not None:
            self.inside()
        return self.answers.pop(0) if self.answers else STATUS_SUCCESS

    @property
    def datagrams(self) -> list[bytes]:
        return [data for batch in self.got for data, _ in batch]


def data_of(element: WSK_DATAGRAM_INDICATION) -> bytes:
    Buffer: WSK_BUF = element.Buffer
    return b"" if Buffer.Mdl is None else bytes(Buffer.Mdl.MappedSystemVa or b"")[: Buffer.Length]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def near(lab: Lab) -> WSK_SOCKET:
    return lab.datagram(lab.near)


def listening(lab: Lab, receiver: Receiver, is_enabled: bool = True) -> WSK_SOCKET:
    Socket = lab.datagram(lab.far, PORT, SocketContext="receiver", Dispatch=receiver.dispatch)
    if is_enabled:
        assert simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM) == STATUS_SUCCESS
    return Socket


@pytest.mark.rule("R-278", "R-277", "D-26")
def test_each_datagram_is_indicated_once(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    listening(lab, receiver)
    for data in (b"one", b"", b"three"):
        send_to(near, data, TO_FAR)
        lab.run()

    assert receiver.got == [[(b"one", NEAR)], [(b"", NEAR)], [(b"three", NEAR)]]


@pytest.mark.rule("R-276")
def test_what_has_waited_comes_as_one_list_with_each_source(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver, False)
    send_to(near, b"near", TO_FAR)
    send_to(lab.datagram(lab.far), b"far", TO_FAR)
    lab.run()
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)

    assert [sorted(batch) for batch in receiver.got] == [[(b"far", FAR), (b"near", NEAR)]]


@pytest.mark.rule("R-276")
def test_different_casts_are_not_mixed_in_one_list(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver, False)
    join(Socket)
    ok(simple.set_option(near, SOL_SOCKET, SO_BROADCAST, 1))
    for host in (FAR, FAR, BROADCAST, GROUP, GROUP, FAR):
        send_to(near, b"" if host == GROUP else host.encode(), simple.address(host, PORT))
        lab.run()
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)

    assert [len(batch) for batch in receiver.got] == [2, 1, 2, 1]
    assert receiver.flags == [0, MSG_BCAST, MSG_MCAST, 0]
    assert receiver.datagrams == [FAR.encode(), FAR.encode(), BROADCAST.encode(), b"", b"", FAR.encode()]


@pytest.mark.rule("R-275")
def test_a_waiting_receive_comes_first(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver)
    request, memory, *_ = receive_from(Socket)
    for data in (b"one", b"two"):
        send_to(near, data, TO_FAR)
        lab.run()

    assert bytes(memory[: request.information]) == b"one"
    assert receiver.datagrams == [b"two"]


@pytest.mark.rule("R-279", "R-229", "R-230")
def test_retained_lists_are_released_in_any_grouping(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver)
    receiver.answers = [STATUS_PENDING] * 2
    for data in (b"one", b"two", b"three"):
        send_to(near, data, TO_FAR)
        lab.run()
    first, second, consumed = receiver.lists
    assert [data_of(element) for element in (first, second)] == [b"one", b"two"]
    second.Next = first
    release = Socket.Dispatch.WskRelease

    assert release(Socket, second) == STATUS_SUCCESS
    for not_retained in (first, consumed, None):
        assert release(Socket, not_retained) == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-280", "R-281")
def test_a_refusal_disables_the_event_until_it_is_enabled_again(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver)
    receiver.answers = [STATUS_DATA_NOT_ACCEPTED]
    for data in (b"one", b"two"):
        send_to(near, data, TO_FAR)
        lab.run()
    assert receiver.datagrams == [b"one"]
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)

    assert receiver.got[1:] == [[(b"one", NEAR), (b"two", NEAR)]]


def test_refused_datagrams_can_be_received(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver)
    receiver.answers = [STATUS_DATA_NOT_ACCEPTED]
    send_to(near, b"one", TO_FAR)
    lab.run()

    assert ok(simple.receive_from(Socket))[0] == b"one"


def test_any_other_answer_takes_the_datagrams(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver)
    receiver.answers = [STATUS_DEVICE_NOT_READY]
    for data in (b"one", b"two"):
        send_to(near, data, TO_FAR)
        lab.run()

    assert receiver.datagrams == [b"one", b"two"]
    assert Socket.Dispatch.WskRelease(Socket, receiver.lists[0]) == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-293", "R-295")
def test_disabling_outside_and_inside_the_event(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver)
    returned: list[NTSTATUS] = []

    def disable() -> None:
        returned.append(simple.control_events(Socket, WSK_EVENT_DISABLE | WSK_EVENT_RECEIVE_FROM))

    receiver.inside = disable
    for data in (b"one", b"two"):
        send_to(near, data, TO_FAR)
        lab.run()
    disable()

    assert returned == [STATUS_EVENT_PENDING, STATUS_SUCCESS]
    assert receiver.datagrams == [b"one"]


@pytest.mark.rule("R-251", "R-252")
def test_closing_inside_the_event(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver, False)
    for data in (b"one", b"two"):
        send_to(near, data, TO_FAR)
        lab.run()
    requests: list[Request] = []
    receiver.inside = lambda: requests.append(start(Socket.Dispatch.WskCloseSocket, Socket))
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)

    assert requests[0].returned == STATUS_PENDING
    assert requests[0].completions == [(STATUS_SUCCESS, 0)]
    assert len(receiver.got) == 1


def test_a_receive_made_inside_the_event_gets_the_next_datagram(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver)
    waiting: list[Any] = []
    receiver.inside = lambda: waiting.append(receive_from(Socket)) if not waiting else None
    for data in (b"one", b"two", b"three"):
        send_to(near, data, TO_FAR)
        lab.run()

    request, memory, *_ = waiting[0]
    assert bytes(memory[: request.information]) == b"two"
    assert receiver.datagrams == [b"one", b"three"]


def test_many_datagrams_are_indicated_in_order(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver, False)
    sent = [b"%d" % number for number in range(200)]
    for data in sent:
        send_to(near, data, TO_FAR)
        lab.run(0.001)
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)

    assert len(receiver.got) > 1
    assert receiver.datagrams == sent
