"""Stream sockets of the TCP/IP provider: blocking, nonblocking and overlapped transfer, out-of-band data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.winsock_program import Lab, sockaddr
from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import (
    FIONREAD,
    MSG_PARTIAL,
    MSG_PEEK,
    MSG_WAITALL,
    SD_RECEIVE,
    SD_SEND,
    SO_LINGER,
    SO_RCVBUF,
    SO_RCVTIMEO,
    SO_SNDBUF,
    SO_SNDTIMEO,
    WSA_INVALID_HANDLE,
    WSA_IO_INCOMPLETE,
    WSA_IO_PENDING,
    WSA_OPERATION_ABORTED,
    WSAECONNABORTED,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINTR,
    WSAEINVAL,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from wsknet.san.sockaddr import SIZE
from wsknet.san.structures import INT, WSABUF, WSAOVERLAPPED

MANY = bytes(range(256)) * 2_000
RESET = 1
"""SO_LINGER: on, for 0 seconds."""


@pytest.fixture(name="lab")
def _lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def spawn(lab: Lab, run: Any) -> list[Any]:
    """Where the result of `run`, which runs in a thread of its own, will be."""
    results: list[Any] = []
    lab.network.driver.spawn(lambda: results.append(run()), "test")
    return results


def receive_all(lab: Lab, s: int) -> bytes:
    found = bytearray()
    while True:
        data = lab.server.recv(s, 10_000)
        assert isinstance(data, bytes)
        if not data:
            return bytes(found)
        found += data


# Blocking


def test_a_blocking_receive_waits_for_the_first_byte_and_takes_what_is_there(lab: Lab) -> None:
    client, server = lab.pair()
    received = spawn(lab, lambda: lab.server.recv(server))
    lab.pause()
    assert received == []

    assert lab.client.send(client, b"hel", b"", b"lo") == (5, 0)
    lab.pause()
    assert received == [b"hello"]


def test_a_blocking_send_returns_when_everything_is_taken(lab: Lab) -> None:
    client, server = lab.pair()
    lab.server.set_option(server, SO_RCVBUF, 10_000)
    sent = spawn(lab, lambda: lab.client.send(client, MANY))
    lab.pause(5)
    assert sent == []

    received = bytearray()
    while len(received) < len(MANY):
        data = lab.server.recv(server)
        assert isinstance(data, bytes)
        received += data
    assert sent == [(len(MANY), 0)]
    assert received == MANY


def test_timeouts_end_blocking_calls(lab: Lab) -> None:
    client, server = lab.pair()
    lab.server.set_option(server, SO_RCVTIMEO, 300)
    lab.client.set_option(client, SO_SNDTIMEO, 700)
    started = lab.network.driver.now()

    assert lab.server.recv(server) == WSAETIMEDOUT
    assert lab.network.driver.now() - started == 300_000_000
    assert lab.client.send(client, MANY * 10)[1] == WSAETIMEDOUT
    assert lab.network.driver.now() - started >= 1_000_000_000


def test_what_comes_after_a_timeout_goes_to_the_next_receive(lab: Lab) -> None:
    client, server = lab.pair()
    lab.server.set_option(server, SO_RCVTIMEO, 300)
    assert lab.server.recv(server) == WSAETIMEDOUT

    lab.client.send(client, b"late")
    assert lab.server.recv(server) == b"late"


def test_peek_leaves_the_data_and_fionread_counts_it(lab: Lab) -> None:
    client, server = lab.pair()
    lab.client.send(client, b"hello")
    lab.pause()
    count = INT()

    assert lab.server.recv(server, 3, MSG_PEEK) == b"hel"
    assert lab.server.ioctl(server, FIONREAD, out=count, room=4) == 0
    assert count.Value == 5
    assert lab.server.recv(server) == b"hello"


def test_buffers_are_filled_in_their_order(lab: Lab) -> None:
    client, server = lab.pair()
    lab.client.send(client, b"abcdefg")
    lab.pause()
    parts, count = [bytearray(2), bytearray(0), bytearray(10)], INT()
    buffers = [WSABUF(part) for part in parts]

    assert lab.server.call("WSPRecv", server, buffers, 3, count, INT(), None, None, None) == 0
    assert (count.Value, bytes(parts[0]), bytes(parts[2][:5])) == (7, b"ab", b"cdefg")


def test_waitall_waits_until_the_buffer_is_full_or_nothing_more_can_come(lab: Lab) -> None:
    client, server = lab.pair()
    received = spawn(lab, lambda: lab.server.recv(server, 6, MSG_WAITALL))
    for data in (b"ab", b"cd", b"efgh"):
        assert received == []
        lab.client.send(client, data)
        lab.pause()
    assert received == [b"abcdef"]

    rest = spawn(lab, lambda: lab.server.recv(server, 6, MSG_WAITALL))
    lab.pause()
    lab.client.shutdown(client, SD_SEND)
    lab.pause()
    assert rest == [b"gh"]
    assert lab.server.recv(server) == b""


def test_a_flag_that_cannot_be_honoured_is_refused(lab: Lab) -> None:
    client, server = lab.pair()
    assert lab.server.recv(server, 6, MSG_WAITALL | MSG_PEEK) == WSAEOPNOTSUPP
    assert lab.server.recv(server, 6, 0x4000) == WSAEOPNOTSUPP
    assert lab.client.send(client, b"x", flags=MSG_PARTIAL)[1] == WSAEOPNOTSUPP
    lab.server.nonblocking(server)
    assert lab.server.recv(server, 6, MSG_WAITALL) == WSAEOPNOTSUPP


# Nonblocking


def test_a_nonblocking_receive_without_data_would_block(lab: Lab) -> None:
    client, server = lab.pair()
    lab.server.nonblocking(server)
    assert lab.server.recv(server) == WSAEWOULDBLOCK

    lab.client.send(client, b"x")
    lab.pause()
    assert lab.server.recv(server) == b"x"


def test_a_nonblocking_send_takes_what_there_is_room_for(lab: Lab) -> None:
    client, server = lab.pair()
    lab.client.set_option(client, SO_SNDBUF, 5_000)
    lab.client.nonblocking(client)

    assert lab.client.send(client, bytes(8_000)) == (5_000, 0)
    assert lab.client.send(client, b"x") == (0, WSAEWOULDBLOCK)
    lab.pause()
    assert lab.client.send(client, b"x") == (1, 0)
    lab.client.shutdown(client, SD_SEND)
    assert receive_all(lab, server) == bytes(5_000) + b"x"


def test_without_a_send_buffer_one_send_at_a_time_is_taken(lab: Lab) -> None:
    client, _ = lab.pair()
    lab.client.set_option(client, SO_SNDBUF, 0)
    lab.client.nonblocking(client)

    assert lab.client.send(client, bytes(3_000)) == (3_000, 0)
    assert lab.client.send(client, b"x") == (0, WSAEWOULDBLOCK)


def test_the_caller_may_reuse_its_buffer_at_once(lab: Lab) -> None:
    client, server = lab.pair()
    data = bytearray(b"second")
    assert lab.client.send(client, b"first ") == (6, 0)
    assert lab.client.send(client, data) == (6, 0)  # type: ignore[arg-type]  # waits for the acknowledgement (Nagle)
    data[:] = b"XXXXXX"
    lab.pause()
    assert lab.server.recv(server) == b"first second"


def test_a_nonblocking_connect_is_refused_in_the_background(lab: Lab) -> None:
    s = lab.client.socket()
    lab.client.nonblocking(s)
    assert lab.client.connect(s, "192.0.2.2", 9) == WSAEWOULDBLOCK
    assert lab.client.send(s, b"x")[1] == WSAENOTCONN
    assert lab.client.recv(s) == WSAENOTCONN
    lab.pause(5)
    assert lab.client.send(s, b"x")[1] == WSAENOTCONN


def test_a_host_that_is_not_there_is_waited_for(lab: Lab) -> None:
    assert lab.client.connect(lab.client.socket(), "192.0.2.77", 7) == WSAETIMEDOUT
    assert lab.client.connect(lab.client.socket(), "192.0.2.2", 9) == WSAECONNREFUSED


# Overlapped


def test_an_overlapped_receive_is_pending_until_there_is_data(lab: Lab) -> None:
    client, server = lab.pair()
    data, event = bytearray(10), lab.event(lab.server)
    event.SetEvent()
    overlapped = WSAOVERLAPPED(event)

    assert lab.server.recv_overlapped(server, data, overlapped) == WSA_IO_PENDING
    assert not event.is_set
    assert lab.server.result(server, overlapped) == (0, WSA_IO_INCOMPLETE)
    lab.client.send(client, b"hello")
    lab.pause()
    assert event.is_set
    assert lab.server.result(server, overlapped) == (5, 0)
    assert data[:5] == b"hello"


def test_an_overlapped_receive_of_what_is_there_succeeds_and_tells_all_the_same(lab: Lab) -> None:
    client, server = lab.pair()
    lab.client.send(client, b"hello")
    lab.pause()
    data, overlapped, told = bytearray(10), WSAOVERLAPPED(), []

    assert lab.server.recv_overlapped(server, data, overlapped, lambda *what: told.append(what)) == 0
    assert told == [(0, 5, overlapped, 0)]
    assert lab.server.result(server, overlapped) == (5, 0)


def test_the_completion_routine_takes_the_place_of_the_event(lab: Lab) -> None:
    client, server = lab.pair()
    event, told = lab.event(lab.server), []
    overlapped = WSAOVERLAPPED(event)
    assert lab.server.recv_overlapped(server, bytearray(9), overlapped, lambda *what: told.append(what)) == 997

    lab.client.send(client, b"hello")
    lab.pause()
    assert told == [(0, 5, overlapped, 0)]
    assert not event.is_set


def test_overlapped_receives_are_served_in_their_order(lab: Lab) -> None:
    client, server = lab.pair()
    pieces = [(bytearray(3), WSAOVERLAPPED()) for _ in range(3)]
    for data, overlapped in pieces:
        assert lab.server.recv_overlapped(server, data, overlapped) == WSA_IO_PENDING

    lab.client.send(client, b"abcdefg")
    lab.pause()
    assert [bytes(data) for data, _ in pieces] == [b"abc", b"def", b"g\0\0"]
    assert [lab.server.result(server, each) for _, each in pieces] == [(3, 0), (3, 0), (1, 0)]


def test_an_overlapped_call_waits_on_a_nonblocking_socket_too(lab: Lab) -> None:
    client, server = lab.pair()
    lab.server.nonblocking(server)
    overlapped = WSAOVERLAPPED()
    assert lab.server.recv_overlapped(server, bytearray(3), overlapped) == WSA_IO_PENDING

    assert lab.server.recv(server) == WSAEWOULDBLOCK
    lab.client.nonblocking(client)
    sending = WSAOVERLAPPED(lab.event(lab.client))
    assert lab.client.send_overlapped(client, MANY, sending) == WSA_IO_PENDING
    lab.pause(0.01)
    assert lab.server.result(server, overlapped) == (3, 0)


def test_an_overlapped_send_is_complete_when_all_is_taken(lab: Lab) -> None:
    client, server = lab.pair()
    overlapped = WSAOVERLAPPED(lab.event(lab.client))
    assert lab.client.send_overlapped(client, MANY, overlapped) == WSA_IO_PENDING
    done = spawn(lab, lambda: lab.client.result(client, overlapped, wait=True))
    lab.client.shutdown(client, SD_SEND)

    assert receive_all(lab, server) == MANY
    assert done == [(len(MANY), 0)]


def test_waiting_for_a_result_takes_an_event(lab: Lab) -> None:
    _, server = lab.pair()
    overlapped = WSAOVERLAPPED()
    lab.server.recv_overlapped(server, bytearray(1), overlapped)

    assert lab.server.result(server, overlapped, wait=True) == (0, WSA_INVALID_HANDLE)
    assert lab.server.result(3, overlapped) == (0, WSAENOTSOCK)
    assert lab.server.result(server, None) == (0, WSAEINVAL)  # type: ignore[arg-type]


def test_without_the_overlapped_attribute_the_structure_is_ignored(lab: Lab) -> None:
    lab.listener(7)
    s = lab.client.socket(flags=0)
    lab.client.connect(s, "192.0.2.2", 7)
    lab.client.nonblocking(s)
    assert lab.client.recv_overlapped(s, bytearray(1), WSAOVERLAPPED()) == WSAEFAULT  # the count is missing
    count = INT()
    buffers = [WSABUF(bytearray(1))]
    error = lab.client.call("WSPRecv", s, buffers, 1, count, INT(), WSAOVERLAPPED(), None, None)
    assert error == WSAEWOULDBLOCK


def test_closing_ends_what_waits(lab: Lab) -> None:
    _, server = lab.pair()
    told: list[Any] = []
    overlapped = WSAOVERLAPPED()
    lab.server.recv_overlapped(server, bytearray(1), overlapped, lambda *what: told.append(what[:2]))
    blocked = spawn(lab, lambda: lab.server.recv(server))
    lab.pause()

    assert lab.server.close(server) == 0
    lab.pause()
    assert told == [(WSA_OPERATION_ABORTED, 0)]
    assert blocked == [WSAEINTR]
    assert lab.server.recv(server) == WSAENOTSOCK


# Ends


def test_the_end_of_the_stream_is_a_receive_of_nothing(lab: Lab) -> None:
    client, server = lab.pair()
    lab.client.send(client, b"last")
    assert lab.client.shutdown(client, SD_SEND) == 0
    assert lab.client.send(client, b"x")[1] == WSAESHUTDOWN

    assert [lab.server.recv(server) for _ in range(3)] == [b"last", b"", b""]
    assert lab.server.send(server, b"answer") == (6, 0)
    assert lab.client.recv(client) == b"answer"


def test_a_reset_fails_every_call(lab: Lab) -> None:
    client, server = lab.pair()
    overlapped = WSAOVERLAPPED(lab.event(lab.server))
    lab.server.recv_overlapped(server, bytearray(1), overlapped)
    lab.client.set_option(client, SO_LINGER, RESET)
    lab.client.close(client)
    lab.pause()

    assert lab.server.result(server, overlapped) == (0, WSAECONNRESET)
    assert lab.server.recv(server) == WSAECONNRESET
    assert lab.server.send(server, b"x")[1] == WSAECONNRESET
    assert lab.server.shutdown(server, SD_SEND) == WSAECONNRESET
    assert lab.server.peer(server) == WSAENOTCONN


def test_data_that_was_refused_resets_the_connection(lab: Lab) -> None:
    client, server = lab.pair()
    assert lab.server.shutdown(server, SD_RECEIVE) == 0
    assert lab.server.recv(server) == WSAESHUTDOWN
    assert lab.server.send(server, b"still") == (5, 0)
    assert lab.client.recv(client) == b"still"

    lab.client.send(client, b"unwanted")
    lab.pause()
    assert lab.client.recv(client) == WSAECONNRESET
    assert lab.server.send(server, b"x")[1] == WSAECONNABORTED


def test_to_refuse_data_that_waits_resets_at_once(lab: Lab) -> None:
    client, server = lab.pair()
    lab.client.send(client, b"unwanted")
    lab.pause()
    lab.server.shutdown(server, SD_RECEIVE)
    lab.pause()
    assert lab.client.recv(client) == WSAECONNRESET


def test_shutdown_needs_a_connection_and_a_direction(lab: Lab) -> None:
    client, _ = lab.pair()
    assert lab.client.shutdown(client, 3) == WSAEINVAL
    assert lab.client.call("WSPShutdown", client, None) == WSAEINVAL
    assert lab.client.shutdown(lab.client.socket(), SD_SEND) == WSAENOTCONN


def test_a_socket_without_a_connection_neither_sends_nor_receives(lab: Lab) -> None:
    for s in (lab.server.socket(), lab.listener(7)):
        assert lab.server.send(s, b"x")[1] == WSAENOTCONN
        assert lab.server.recv(s) == WSAENOTCONN


def test_sendto_on_a_stream_has_no_use_for_an_address(lab: Lab) -> None:
    client, server = lab.pair()
    assert lab.client.sendto(client, b"hello", "203.0.113.9", 9) == 0
    data, count, sender = bytearray(9), INT(), sockaddr("203.0.113.9", 9)
    buffers = [WSABUF(data)]
    call = (server, buffers, 1, count, INT(), sender, INT(SIZE), None, None, None)
    assert lab.server.call("WSPRecvFrom", *call) == 0
    assert bytes(data[: count.Value]) == b"hello"
    assert sender == sockaddr("203.0.113.9", 9)


# What is no buffer


def test_what_is_no_memory_is_a_fault(lab: Lab) -> None:
    client, _ = lab.pair()
    good, event = WSABUF(bytearray(4)), WSAEVENT(lab.client.host)
    long, negative = WSABUF(bytearray(4), 5), WSABUF(bytearray(4), -1)
    send = (INT(), 0, None, None, None)
    for buffers, count, error in (
        (None, 1, WSAEFAULT), ([good], 2, WSAEFAULT), ([b"x"], 1, WSAEFAULT), ([long], 1, WSAEFAULT),
        ([negative], 1, WSAEFAULT), ([good], 0, WSAEINVAL), ([good], None, WSAEINVAL), ("x", 1, WSAEFAULT),
    ):  # fmt: skip
        assert lab.client.call("WSPSend", client, buffers, count, *send) == error
        assert lab.client.call("WSPRecv", client, buffers, count, INT(), INT(), None, None, None) == error
    for arguments in (
        (None, INT(), None, None), (INT(), None, None, None), (INT(), INT(None), None, None), (INT(), INT(), 7, None),
        (INT(), INT(), event, None), (INT(), INT(), WSAOVERLAPPED(), 7),
    ):  # fmt: skip
        assert lab.client.call("WSPRecv", client, [good], 1, *arguments, None) == WSAEFAULT
    read_only = [WSABUF(b"abc")]
    assert lab.client.call("WSPRecv", client, read_only, 1, INT(), INT(), None, None, None) == WSAEFAULT
    assert lab.client.call("WSPSend", client, [good], 1, None, 0, None, None, None) == WSAEFAULT
    assert lab.client.call("WSPSend", client, [good], 1, INT(), None, None, None, None) == WSAEINVAL
