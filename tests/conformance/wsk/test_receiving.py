"""WskReceive and WskReceiveEvent (wsk.md 4.12, 4.13, 4.23)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_lab import Lab, Request, ok, start
from wsknet.wsk import (
    DISPATCH_LEVEL,
    NPI_WSK_INTERFACE_ID,
    NTSTATUS,
    SO_WSK_EVENT_CALLBACK,
    SOL_SOCKET,
    STATUS_CANCELLED,
    STATUS_DATA_NOT_ACCEPTED,
    STATUS_EVENT_PENDING,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_DATA_INDICATION,
    WSK_EVENT_CALLBACK_CONTROL,
    WSK_EVENT_DISABLE,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_FLAG_AT_DISPATCH_LEVEL,
    WSK_FLAG_DRAIN,
    WSK_FLAG_ENTIRE_MESSAGE,
    WSK_FLAG_WAITALL,
    WSK_SOCKET,
    IoAllocateMdl,
    KeGetCurrentIrql,
    MmBuildMdlForNonPagedPool,
    MmGetSystemAddressForMdlSafe,
    NormalPagePriority,
    WskSetOption,
    simple,
)


def receive(Socket: WSK_SOCKET, length: int = 100, Flags: int = 0) -> tuple[Request, bytearray]:
    memory = bytearray(length)
    return start(Socket.Dispatch.WskReceive, Socket, simple.buffer(memory), Flags), memory


def rearm(Socket: WSK_SOCKET) -> Request:
    return start(Socket.Dispatch.WskReceive, Socket, WSK_BUF(None, 0, 0), 0)


# WskReceive


@pytest.mark.rule("R-205", "R-206", "R-214")
def test_data_that_came_before_is_kept(lab: Lab) -> None:
    near, far = lab.pair()
    ok(simple.send(far, b"waiting"))
    request, memory = receive(near)

    assert (request.returned, request.was_pending) == (STATUS_SUCCESS, [False])
    assert (request.information, memory[:7]) == (7, bytearray(b"waiting"))


@pytest.mark.rule("D-12", "R-205")
def test_receives_are_filled_in_order(lab: Lab) -> None:
    near, far = lab.pair()
    requests = [receive(near, 4), receive(near, 0), receive(near, 100)]
    ok(simple.send(far, b"data and more"))

    assert [bytes(memory[: request.information]) for request, memory in requests] == [b"data", b"", b" and more"]


@pytest.mark.rule("R-349")
def test_a_receive_fills_the_chain_and_no_more_than_length(lab: Lab) -> None:
    near, far = lab.pair()
    pieces = [bytearray(b"...."), bytearray(b"...."), bytearray(b"....")]
    mdls = [IoAllocateMdl(piece, 4, False, False, None) for piece in pieces]
    for Mdl, following in zip(mdls, [*mdls[1:], None], strict=True):
        assert Mdl is not None
        MmBuildMdlForNonPagedPool(Mdl)
        Mdl.Next = following
    request = start(near.Dispatch.WskReceive, near, WSK_BUF(mdls[0], 3, 6), 0)
    ok(simple.send(far, b"0123456789"))

    assert request.information == 6
    assert b"|".join(pieces) == b"...0|1234|5..."
    assert ok(simple.receive(near)) == b"6789"


@pytest.mark.rule("R-207")
def test_waitall_waits_until_the_buffer_is_full(lab: Lab) -> None:
    near, far = lab.pair()
    request, memory = receive(near, 8, WSK_FLAG_WAITALL)
    ok(simple.send(far, b"half"))
    lab.run()
    assert not request.is_done
    ok(simple.send(far, b"full and over"))

    assert (request.information, memory) == (8, bytearray(b"halffull"))
    assert ok(simple.receive(near)) == b" and over"


@pytest.mark.rule("R-207")
def test_waitall_takes_more_than_the_window_holds(lab: Lab) -> None:
    near, far = lab.pair()
    data = bytes(range(256)) * 12_000
    request, memory = receive(near, len(data), WSK_FLAG_WAITALL)
    ok(simple.send(far, data))
    lab.run()

    assert request.information == len(data)
    assert memory == data


@pytest.mark.rule("R-207")
def test_waitall_ends_with_the_stream(lab: Lab) -> None:
    near, far = lab.pair()
    request, memory = receive(near, 8, WSK_FLAG_WAITALL)
    ok(simple.disconnect(far, b"half"))
    lab.run()

    assert (request.status, request.information, memory[:4]) == (STATUS_SUCCESS, 4, bytearray(b"half"))


@pytest.mark.rule("R-208")
def test_drain_discards_everything_until_the_end(lab: Lab) -> None:
    near, far = lab.pair()
    ok(simple.send(far, b"early"))
    request = start(near.Dispatch.WskReceive, near, WSK_BUF(None, 0, 0), WSK_FLAG_DRAIN)
    ok(simple.send(far, bytes(3_000_000)))
    assert not request.is_done
    ok(simple.disconnect(far))
    lab.run()

    assert (request.status, request.information) == (STATUS_SUCCESS, 0)
    assert ok(simple.receive(near)) == b""


@pytest.mark.rule("R-209", "R-210", "D-11")
def test_flags_that_do_not_go_together(lab: Lab) -> None:
    near, _ = lab.pair()

    assert receive(near, 1, WSK_FLAG_DRAIN)[0].status == STATUS_INVALID_PARAMETER
    assert receive(near, 0, WSK_FLAG_DRAIN | WSK_FLAG_WAITALL)[0].status == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-212")
def test_the_end_of_the_stream_is_0_bytes_of_success(lab: Lab) -> None:
    near, far = lab.pair()
    waiting, _ = receive(near)
    ok(simple.disconnect(far))
    lab.run()

    assert (waiting.status, waiting.information) == (STATUS_SUCCESS, 0)
    assert [receive(near)[0].completions for _ in range(2)] == [[(STATUS_SUCCESS, 0)]] * 2


@pytest.mark.rule("R-213", "R-350")
def test_an_empty_receive_takes_nothing(lab: Lab) -> None:
    near, far = lab.pair()
    assert rearm(near).completions == [(STATUS_SUCCESS, 0)]
    ok(simple.send(far, b"data"))
    assert rearm(near).completions == [(STATUS_SUCCESS, 0)]

    assert ok(simple.receive(near)) == b"data"


# WskReceiveEvent


class Receiver:
    """A WskReceiveEvent: what it was given, and what it answers next (bytes to accept, or a status)."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.flags: list[int] = []
        self.lists: list[WSK_DATA_INDICATION] = []
        self.ends: list[int] = []
        self.answers: list[int | NTSTATUS] = []
        self.inside: Callable[[], object] | None = None
        self.depth = 0
        self.overlaps = 0
        self.dispatch = WSK_CLIENT_CONNECTION_DISPATCH(self.receive_event, self.disconnect_event, None)

    def receive_event(
        self,
        SocketContext: Any,
        Flags: int,
        DataIndication: WSK_DATA_INDICATION,
        BytesIndicated: int,
        BytesAccepted: list[int],
    ) -> int:
        self.depth += 1
        self.overlaps += self.depth > 1
        Buffer = DataIndication.Buffer
        assert Buffer.Mdl is not None
        data = bytes(MmGetSystemAddressForMdlSafe(Buffer.Mdl, NormalPagePriority)[Buffer.Offset :][: Buffer.Length])
        assert DataIndication.Next is None
        assert BytesIndicated == len(data) == BytesAccepted[0]
        assert SocketContext == "receiver"
        assert KeGetCurrentIrql() == DISPATCH_LEVEL
        self.got.append(data)
        self.flags.append(Flags)
        self.lists.append(DataIndication)
        if self.inside is not None:
            self.inside()
        self.depth -= 1
        answer = self.answers.pop(0) if self.answers else STATUS_SUCCESS
        if isinstance(answer, NTSTATUS):
            if answer != STATUS_SUCCESS:
                BytesAccepted[0] = 1  # ignored
            return answer
        BytesAccepted[0] = answer
        return STATUS_SUCCESS

    def disconnect_event(self, SocketContext: Any, Flags: int) -> NTSTATUS:
        self.ends.append(len(self.got))
        return STATUS_SUCCESS


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


def pair(
    lab: Lab, receiver: Receiver, events: int = WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT
) -> tuple[WSK_SOCKET, WSK_SOCKET]:
    near, far = lab.pair(SocketContext="receiver", Dispatch=receiver.dispatch)
    if events:
        assert simple.control_events(near, events) == STATUS_SUCCESS
    return near, far


@pytest.mark.rule("R-217", "R-218", "R-219")
def test_the_event_is_given_what_arrives(lab: Lab, receiver: Receiver) -> None:
    _, far = pair(lab, receiver)
    for data in (b"one", b"two"):
        ok(simple.send(far, data))
    lab.run()

    assert receiver.got == [b"one", b"two"]
    assert all(flags & WSK_FLAG_AT_DISPATCH_LEVEL for flags in receiver.flags)


@pytest.mark.rule("R-232")
def test_a_push_is_the_end_of_a_message(lab: Lab, receiver: Receiver) -> None:
    _, far = pair(lab, receiver)
    ok(simple.send(far, bytes(4000)))
    lab.run()

    assert b"".join(receiver.got) == bytes(4000)
    assert [bool(flags & WSK_FLAG_ENTIRE_MESSAGE) for flags in receiver.flags] == [False, False, True]


@pytest.mark.rule("D-26")
def test_enabling_indicates_what_came_before(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver, 0)
    ok(simple.send(far, b"early"))
    assert receiver.got == []
    simple.control_events(near, WSK_EVENT_RECEIVE)

    assert receiver.got == [b"early"]


@pytest.mark.rule("R-220", "R-221", "R-224")
def test_a_partial_accept_stops_indications_until_a_receive(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    receiver.answers = [3]
    ok(simple.send(far, b"abcdef"))
    ok(simple.send(far, b"ghi"))
    lab.run()
    assert receiver.got == [b"abcdef"]
    request, memory = receive(near, 2)

    assert (request.information, memory) == (2, bytearray(b"de"))
    assert receiver.got == [b"abcdef", b"fghi"]


@pytest.mark.rule("R-222", "R-223", "R-224")
def test_data_not_accepted_is_kept_until_an_empty_receive(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    receiver.answers = [STATUS_DATA_NOT_ACCEPTED, STATUS_DATA_NOT_ACCEPTED]
    ok(simple.send(far, b"one"))
    ok(simple.send(far, b"two"))
    lab.run()
    assert receiver.got == [b"one"]
    assert rearm(near).status == STATUS_SUCCESS
    assert receiver.got == [b"one", b"onetwo"]
    rearm(near)

    assert receiver.got == [b"one", b"onetwo", b"onetwo"]
    ok(simple.send(far, b"three"))
    assert receiver.got[-1] == b"three"


@pytest.mark.rule("R-226")
def test_other_answers_accept_nothing_whatever_bytes_accepted_says(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    receiver.answers = [STATUS_DATA_NOT_ACCEPTED]
    ok(simple.send(far, b"data"))

    assert ok(simple.receive(near)) == b"data"


@pytest.mark.rule("R-216")
def test_a_waiting_receive_comes_first(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    request, memory = receive(near, 3)
    ok(simple.send(far, b"onetwo"))

    assert (request.information, memory) == (3, bytearray(b"one"))
    assert receiver.got == [b"two"]


@pytest.mark.rule("R-225", "R-227", "R-228")
def test_a_retained_list_stays_while_new_ones_come(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    receiver.answers = [STATUS_PENDING, STATUS_PENDING]
    for data in (b"one", b"two"):
        ok(simple.send(far, data))
    lab.run()

    assert receiver.got == [b"one", b"two"]
    assert [bytes(element.Buffer.Mdl.MappedSystemVa) for element in receiver.lists] == [b"one", b"two"]  # type: ignore
    assert rearm(near).information == 0
    assert len(receiver.got) == 2


@pytest.mark.rule("R-229", "R-230", "R-231")
def test_releasing(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    receiver.answers = [STATUS_PENDING] * 3
    for data in (b"one", b"two", b"three", b"four"):
        ok(simple.send(far, data))
    lab.run()
    release = near.Dispatch.WskRelease
    first, second, third, consumed = receiver.lists
    third.Next = first  # lists may be linked anew

    assert release(near, third) == STATUS_SUCCESS
    assert release(near, second) == STATUS_SUCCESS
    for not_retained in (second, consumed, None, WSK_DATA_INDICATION()):
        assert release(near, not_retained) == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-230")
def test_a_list_with_a_foreign_element_is_not_released_at_all(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    receiver.answers = [STATUS_PENDING]
    ok(simple.send(far, b"one"))
    ours = receiver.lists[0]
    ours.Next = WSK_DATA_INDICATION()
    assert near.Dispatch.WskRelease(near, ours) == STATUS_INVALID_PARAMETER
    assert far.Dispatch.WskRelease(far, ours) == STATUS_INVALID_PARAMETER
    ours.Next = None

    assert near.Dispatch.WskRelease(near, ours) == STATUS_SUCCESS


def test_a_retained_indication_can_be_sent_back_as_it_is(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    receiver.answers = [STATUS_PENDING]
    ok(simple.send(far, b"echo"))
    ok(simple.call(near.Dispatch.WskSend, near, receiver.lists[0].Buffer, 0))

    assert ok(simple.receive(far)) == b"echo"


@pytest.mark.rule("R-216", "R-222")
def test_a_receive_made_inside_the_event_gets_what_that_does_not_accept(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    requests: list[tuple[Request, bytearray]] = []
    receiver.inside = lambda: requests.append(receive(near, 100)) if not requests else None
    receiver.answers = [4]
    ok(simple.send(far, b"headbody"))

    request, memory = requests[0]
    assert request.returned == STATUS_PENDING
    assert bytes(memory[: request.information]) == b"body"
    ok(simple.send(far, b"events go on"))
    assert receiver.got == [b"headbody", b"events go on"]


@pytest.mark.rule("R-234")
def test_more_data_during_the_event_waits_for_its_end(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    ok(simple.send(near, b"x"))
    receiver.inside = lambda: rearm(near)
    start(far.Dispatch.WskSend, far, simple.buffer(bytes(200_000)), 0)
    lab.run()

    assert b"".join(receiver.got) == bytes(200_000)
    assert receiver.overlaps == 0


@pytest.mark.rule("D-27")
def test_the_end_is_told_after_the_data(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    receiver.answers = [STATUS_DATA_NOT_ACCEPTED]
    ok(simple.disconnect(far, b"last"))
    lab.run()
    assert (receiver.got, receiver.ends) == ([b"last"], [])
    rearm(near)

    assert (receiver.got, receiver.ends) == ([b"last", b"last"], [2])


def test_a_long_stream_is_indicated_in_pieces_in_order(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver, 0)
    data = bytes(range(256)) * 2000
    ok(simple.send(far, data))
    simple.control_events(near, WSK_EVENT_RECEIVE)

    assert len(receiver.got) > 1
    assert b"".join(receiver.got) == data


def test_an_event_that_raises_leaves_the_data(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    receiver.inside = lambda: 1 // 0

    with pytest.raises(ZeroDivisionError):
        ok(simple.send(far, b"data"))
    receiver.inside = None
    assert ok(simple.receive(near)) == b"data"


# Disabling and closing


def disable(Socket: WSK_SOCKET, event: int = WSK_EVENT_RECEIVE) -> NTSTATUS:
    return simple.control_events(Socket, WSK_EVENT_DISABLE | event)


def disable_with_irp(Socket: WSK_SOCKET) -> Request:
    Control = WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, WSK_EVENT_DISABLE | WSK_EVENT_RECEIVE)
    arguments = (WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, Control.SIZE, Control, 0, None, None)
    return start(Socket.Dispatch.WskControlSocket, Socket, *arguments)


@pytest.mark.rule("R-235", "R-293")
def test_no_event_after_it_has_been_disabled(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    assert disable(near) == STATUS_SUCCESS
    ok(simple.send(far, b"kept"))
    lab.run()

    assert receiver.got == []
    assert ok(simple.receive(near)) == b"kept"


@pytest.mark.rule("R-295", "R-235")
def test_disabling_inside_the_event_without_an_irp(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    returned: list[NTSTATUS] = []
    receiver.inside = lambda: returned.append(disable(near))
    ok(simple.send(far, b"one"))
    ok(simple.send(far, b"two"))
    lab.run()

    assert returned == [STATUS_EVENT_PENDING]
    assert receiver.got == [b"one"]


@pytest.mark.rule("R-294")
def test_disabling_inside_the_event_with_an_irp(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    requests: list[Request] = []
    done_inside: list[bool] = []

    def inside() -> None:
        requests.append(disable_with_irp(near))
        done_inside.append(requests[0].is_done)

    receiver.inside = inside
    ok(simple.send(far, b"one"))

    assert (requests[0].returned, done_inside) == (STATUS_PENDING, [False])
    assert (requests[0].status, requests[0].was_pending) == (STATUS_SUCCESS, [True])
    assert disable_with_irp(near).completions == [(STATUS_SUCCESS, 0)]


@pytest.mark.rule("R-251", "R-252")
def test_closing_inside_the_event_waits_for_its_return(lab: Lab, receiver: Receiver) -> None:
    near, far = pair(lab, receiver)
    requests: list[Request] = []
    done_inside: list[bool] = []

    def inside() -> None:
        requests.append(disable_with_irp(near))
        requests.append(start(near.Dispatch.WskCloseSocket, near))
        done_inside.append(requests[1].is_done)

    receiver.inside = inside
    start(far.Dispatch.WskSend, far, simple.buffer(b"one"), 0)
    lab.run()

    assert (requests[1].returned, done_inside) == (STATUS_PENDING, [False])
    assert requests[1].completions == [(STATUS_SUCCESS, 0)]
    assert requests[0].completions == [(STATUS_CANCELLED, 0)]
    assert receiver.got == [b"one"]
    assert receiver.ends == []
