"""WSPSend, WSPRecv and WSPGetOverlappedResult of a SAN provider: SAN-6.6, and what becomes of them in SAN-6.7."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.san_data import POLL, DataEnd, data_ends
from tests.support.san_lab import UNTOUCHED, SanLab, san_lab
from wsknet.san.numbers import (
    MEM_READ,
    MEM_WRITE,
    MSG_OOB,
    NO_ERROR,
    SOCKET_ERROR,
    WSA_INVALID_PARAMETER,
    WSA_IO_INCOMPLETE,
    WSA_OPERATION_ABORTED,
    WSAECONNABORTED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
)
from wsknet.san.policy import SanPolicy
from wsknet.san.structures import INT, WSABUF, WSABUFEX, WSAOVERLAPPED


@pytest.fixture
def lab() -> Iterator[SanLab]:
    with san_lab() as made:
        yield made


@pytest.mark.rule("SAN-6.6.1", "SAN-7.WSPSend", "SAN-11.6")
def test_data_functions_only_start_and_the_result_is_asked_for_when_the_low_bit_says_so(lab: SanLab) -> None:
    one, other = data_ends(lab)
    buffer = bytearray(20)
    received = other.receive(other.registered(buffer))
    sent = one.send_bytes(b"through the SAN")
    assert one.result(sent) == (False, WSA_IO_INCOMPLETE, 0)
    assert other.result(received) == (False, WSA_IO_INCOMPLETE, 0)
    lab.run()
    assert one.result(sent) == (True, UNTOUCHED, 15)
    assert other.result(received) == (True, UNTOUCHED, 15)
    assert buffer == b"through the SAN\0\0\0\0\0"
    assert [caller.told for caller in lab.callers] == [[], []]


@pytest.mark.rule("SAN-6.6.1", "SAN-7.WSPGetOverlappedResult")
@pytest.mark.parametrize("hEvent", [0, 2, None, 0x7FFE])
def test_with_the_low_bit_clear_the_up_call_tells_of_each_operation_once(lab: SanLab, hEvent: Any) -> None:
    one, other = data_ends(lab)
    handles = [next(reversed(caller.handles)) for caller in lab.callers]
    received = other.receive(other.registered(bytearray(9)), hEvent=hEvent)
    sent = one.send(one.registered(b"told", MEM_READ), hEvent=hEvent)
    assert [caller.told for caller in lab.callers] == [[], []]
    lab.run()
    assert lab.callers[0].told == [("complete", handles[0], sent, NO_ERROR, 4)]
    assert lab.callers[1].told == [("complete", handles[1], received, NO_ERROR, 4)]
    assert other.result(received) == (True, UNTOUCHED, 4)


@pytest.mark.rule("SAN-6.6.3", "SAN-6.6.2")
def test_the_first_message_is_kept_until_the_acceptor_posts_a_receive(lab: SanLab) -> None:
    a, b = lab.callers
    listener, _ = b.listening("10.0.0.2", 80)
    s = a.bound("10.0.0.1", 4000)
    event = a.connecting(s, "10.0.0.2", 80)
    lab.run()
    accepted, _ = b.accept(listener)
    lab.run()
    assert a.connect_error(s, event) == NO_ERROR
    one, other = DataEnd(a, s), DataEnd(b, accepted)
    negotiation = bytes(range(256))
    sent = one.send_bytes(negotiation)
    lab.run(5)
    assert one.result(sent) == (True, UNTOUCHED, 256)
    buffer = bytearray(256)
    received = other.receive(other.registered(buffer))
    assert other.result(received) == (True, UNTOUCHED, 256)
    assert buffer == negotiation
    reply = bytearray(2)
    back = one.receive(one.registered(reply))
    other.send_bytes(b"ok")
    lab.run()
    assert (one.result(back), bytes(reply)) == ((True, UNTOUCHED, 2), b"ok")


@pytest.mark.rule("SAN-6.6.2", "SAN-6.6.4")
def test_there_are_no_flags_and_so_no_urgent_data_at_this_level(lab: SanLab) -> None:
    one, _ = data_ends(lab)
    buffers = [one.registered(b"urgent", MEM_READ)]
    call = one.caller.call("WSPSend", one.s, buffers, 1, None, MSG_OOB, WSAOVERLAPPED(POLL), None, None)
    assert call == (SOCKET_ERROR, WSAEINVAL)
    buffers = [one.registered(bytearray(6))]
    call = one.caller.call("WSPRecv", one.s, buffers, 1, None, INT(MSG_OOB), WSAOVERLAPPED(POLL), None, None)
    assert call == (SOCKET_ERROR, WSAEINVAL)


@pytest.mark.rule("SAN-6.6.2")
@pytest.mark.parametrize("function", ["WSPSend", "WSPRecv"])
def test_buffers_have_to_be_registered_first_and_for_that_use(lab: SanLab, function: str) -> None:
    one, other = data_ends(lab)
    memory = bytearray(10)
    wrong = one.registered(memory, MEM_WRITE if function == "WSPSend" else MEM_READ)
    foreign = other.registered(memory)
    gone = one.registered(memory)
    one.extension("WSPDeregisterMemory", gone.handle)
    longer = one.registered(memory)
    longer.len = 11
    faulty: list[Any] = [wrong, gone, longer, WSABUF(memory), WSABUFEX(memory, foreign.handle + 1_000), None]
    for buffer in faulty:
        flags: Any = 0 if function == "WSPSend" else INT(0)
        overlapped = WSAOVERLAPPED(POLL)
        call = one.caller.call(function, one.s, [buffer], 1, None, flags, overlapped, None, None)
        assert call == (SOCKET_ERROR, WSAEFAULT)
        assert overlapped.Internal == 0


@pytest.mark.rule("SAN-7.WSPSend")
@pytest.mark.parametrize("function", ["WSPSend", "WSPRecv"])
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"s": None}, WSAENOTSOCK),
        ({"s": -1}, WSAENOTSOCK),
        ({"buffers": None}, WSAEFAULT),
        ({"buffers": 5}, WSAEFAULT),
        ({"count": 0}, WSAEINVAL),
        ({"count": -1}, WSAEINVAL),
        ({"count": None}, WSAEINVAL),
        ({"count": 2}, WSAEFAULT),
        ({"overlapped": None}, WSAEINVAL),
        ({"overlapped": 5}, WSAEINVAL),
        ({"routine": print}, WSAEOPNOTSUPP),
        ({"flags": "x"}, None),
    ],
)
def test_bad_arguments_are_answered_and_start_nothing(
    lab: SanLab, function: str, change: dict[str, Any], error: int | None
) -> None:
    one, _ = data_ends(lab)
    flags: Any = 0 if function == "WSPSend" else INT(0)
    given = {
        "s": one.s,
        "buffers": [one.registered(bytearray(4))],
        "count": 1,
        "flags": flags,
        "overlapped": WSAOVERLAPPED(),
        "routine": None,
    } | change
    result, found = one.caller.call(
        function, given["s"], given["buffers"], given["count"], None, given["flags"], given["overlapped"],
        given["routine"], None,
    )  # fmt: skip
    assert result == SOCKET_ERROR
    assert found == (error or (WSAEINVAL if function == "WSPSend" else WSAEFAULT))
    lab.run()
    assert one.caller.told == []


@pytest.mark.rule("SAN-7.WSPSend")
def test_an_operation_under_way_keeps_its_overlapped_structure(lab: SanLab) -> None:
    one, _ = data_ends(lab)
    first = one.receive(one.registered(bytearray(4)))
    call = one.caller.call("WSPRecv", one.s, [one.registered(bytearray(4))], 1, None, INT(0), first, None, None)
    assert call == (SOCKET_ERROR, WSAEINVAL)


@pytest.mark.rule("SAN-9.1")
def test_a_message_is_at_most_as_long_as_the_option_says() -> None:
    with san_lab(policy=SanPolicy(max_message_size=1_000)) as lab:
        one, other = data_ends(lab)
        received = other.receive(other.registered(bytearray(2_000)))
        exact, longer = one.registered(bytes(1_000), MEM_READ), one.registered(bytes(1), MEM_READ)
        one.send(exact)
        call = one.caller.call("WSPSend", one.s, [exact, longer], 2, None, 0, WSAOVERLAPPED(POLL), None, None)
        assert call == (SOCKET_ERROR, WSAEMSGSIZE)
        assert one.extension("WSPDeregisterMemory", longer.handle) == (0, UNTOUCHED)
        lab.run()
        assert other.result(received) == (True, UNTOUCHED, 1_000)


@pytest.mark.rule("SAN-7.WSPSend")
def test_before_there_is_a_connection_there_is_nothing_to_send_on(lab: SanLab) -> None:
    a = lab.callers[0]
    for s in (a.socket(), a.bound("10.0.0.1", 4000), a.listening("10.0.0.1", 81)[0]):
        for function, flags in (("WSPSend", 0), ("WSPRecv", INT(0))):
            call = a.call(function, s, [], 1, None, flags, WSAOVERLAPPED(), None, None)
            assert call == (SOCKET_ERROR, WSAENOTCONN)


@pytest.mark.rule("SAN-7.WSPGetOverlappedResult")
def test_a_result_is_asked_with_a_socket_a_structure_and_room_for_the_count(lab: SanLab) -> None:
    one, _ = data_ends(lab)
    for arguments, error in (
        ((None, WSAOVERLAPPED(), INT(), False, INT()), WSAENOTSOCK),
        ((one.s, None, INT(), False, INT()), WSA_INVALID_PARAMETER),
        ((one.s, WSAOVERLAPPED(), None, False, INT()), WSA_INVALID_PARAMETER),
    ):
        assert one.caller.call("WSPGetOverlappedResult", *arguments) == (False, error)


@pytest.mark.rule("SAN-7.WSPGetOverlappedResult")
def test_who_wants_to_wait_for_a_result_waits(lab: SanLab) -> None:
    one, other = data_ends(lab)
    received = other.receive(other.registered(bytearray(4)))
    one.send_bytes(b"late")
    transferred, flags = INT(), INT(7)
    result, error = other.caller.call("WSPGetOverlappedResult", other.s, received, transferred, True, flags)
    assert (result, error, transferred.Value, flags.Value) == (True, UNTOUCHED, 4, 0)


@pytest.mark.rule("SAN-6.7.2", "SAN-7.WSPCloseSocket")
def test_closing_aborts_what_is_under_way_and_resets_it_at_the_peer(lab: SanLab) -> None:
    one, other = data_ends(lab)
    handles = [next(reversed(caller.handles)) for caller in lab.callers]
    receiving = one.receive(one.registered(bytearray(5)), hEvent=0)
    sending = one.send(one.registered(bytes(9_000), MEM_READ), hEvent=0)
    one.caller.ok("WSPCloseSocket", one.s)
    assert one.caller.told == [
        ("complete", handles[0], receiving, WSA_OPERATION_ABORTED, 0),
        ("complete", handles[0], sending, WSA_OPERATION_ABORTED, 0),
        ("closed", handles[0]),
    ]
    lab.run()
    buffers = [other.registered(bytearray(3))]
    call = other.caller.call("WSPSend", other.s, buffers, 1, None, 0, WSAOVERLAPPED(), None, None)
    assert call == (SOCKET_ERROR, WSAECONNRESET)


@pytest.mark.rule("SAN-6.7.2")
def test_the_descriptor_of_a_dead_connection_stays_until_it_is_closed(lab: SanLab) -> None:
    one, other = data_ends(lab)
    received = other.receive(other.registered(bytearray(4)))
    one.caller.ok("WSPCloseSocket", one.s)
    lab.run(100)
    assert other.result(received) == (False, WSAECONNRESET, 0)
    other.caller.ok("WSPCloseSocket", other.s)
    assert other.result(received) == (False, WSAENOTSOCK, 0)


@pytest.mark.rule("SAN-6.6.2")
def test_a_message_that_no_receive_can_hold_ends_the_connection(lab: SanLab) -> None:
    one, other = data_ends(lab)
    small, next_one = (other.receive(other.registered(bytearray(4))) for _ in (1, 2))
    waiting = one.receive(one.registered(bytearray(4)))
    one.send_bytes(b"five!")
    lab.run()
    assert other.result(small) == (False, WSAEMSGSIZE, 0)
    assert other.result(next_one) == (False, WSAECONNABORTED, 0)
    assert one.result(waiting) == (False, WSAECONNRESET, 0)


@pytest.mark.rule("SAN-6.6.2")
def test_a_lost_link_holds_data_back_and_loses_none(lab: SanLab) -> None:
    one, other = data_ends(lab)
    payload = bytes(range(256)) * 60
    buffer = bytearray(len(payload))
    received = other.receive(other.registered(buffer))
    lab.hosts[0].interfaces["san0"].set_up(False)
    sent = one.send_bytes(payload)
    lab.run(2)
    assert one.result(sent)[1] == WSA_IO_INCOMPLETE
    lab.hosts[0].interfaces["san0"].set_up(True)
    lab.run(10)
    assert one.result(sent) == (True, UNTOUCHED, len(payload))
    assert other.result(received) == (True, UNTOUCHED, len(payload))
    assert buffer == payload
