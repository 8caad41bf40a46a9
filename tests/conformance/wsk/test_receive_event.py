"""WskReceiveEvent: what is indicated, accepted, refused and retained (wsk.md 4.13, 4.23)."""

from __future__ import annotations

import pytest

from tests.support.wsk_lab import Lab, Request, ok, start
from tests.support.wsk_receiver import Receiver, pair, rearm, receive
from wsknet.wsk import (
    STATUS_DATA_NOT_ACCEPTED,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_DATA_INDICATION,
    WSK_EVENT_RECEIVE,
    WSK_FLAG_AT_DISPATCH_LEVEL,
    WSK_FLAG_ENTIRE_MESSAGE,
    simple,
)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


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
