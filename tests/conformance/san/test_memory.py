"""Registering memory: SAN-8, the first four functions, and the notice that memory goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.san_data import DESCRIPTOR_SIZE, DataEnd, data_ends
from tests.support.san_lab import UNTOUCHED, Caller, SanLab, answer_of, san_lab
from wsknet.san.guids import WSAID_MEMORYREGISTRATIONCACHECALLBACK, WSAID_REGISTERMEMORY, WSAID_REGISTERRDMAMEMORY
from wsknet.san.numbers import (
    MEM_READ,
    MEM_READWRITE,
    MEM_WRITE,
    SOCKET_ERROR,
    WSAECONNABORTED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTCONN,
    WSAENOTSOCK,
)
from wsknet.san.structures import INT, WSABUFEX, WSAOVERLAPPED

NULL = 0


@pytest.fixture
def lab() -> Iterator[SanLab]:
    with san_lab() as made:
        yield made


def forget(end: DataEnd, memory: Any, size: Any) -> tuple[Any, int]:
    """WSPMemoryRegistrationCacheCallback, which has no socket."""
    return answer_of(end.caller.extension(end.s, WSAID_MEMORYREGISTRATIONCACHECALLBACK), memory, size)


@pytest.mark.rule("SAN-8.WSPRegisterMemory", "SAN-6.6.2")
@pytest.mark.parametrize(
    ("buffer", "length", "flags", "error"),
    [
        (None, 4, MEM_READ, WSAEFAULT),
        (bytearray(4), 5, MEM_READ, WSAEFAULT),
        (bytearray(4), -1, MEM_READ, WSAEFAULT),
        (bytearray(4), "4", MEM_READ, WSAEFAULT),
        (b"read-only", 9, MEM_READWRITE, WSAEFAULT),
        (bytearray(4), 4, 0, WSAEINVAL),
        (bytearray(4), 4, 8, WSAEINVAL),
        (bytearray(4), 4, None, WSAEINVAL),
    ],
)
def test_what_cannot_be_registered_has_no_handle_and_no_descriptor(
    lab: SanLab, buffer: Any, length: Any, flags: Any, error: int
) -> None:
    one, _ = data_ends(lab)
    assert one.extension("WSPRegisterMemory", buffer, length, flags) == (NULL, error)
    descriptor = bytearray(DESCRIPTOR_SIZE)
    call = one.extension("WSPRegisterRdmaMemory", buffer, length, flags, descriptor, INT(DESCRIPTOR_SIZE))
    assert call == (SOCKET_ERROR, error)
    assert descriptor == bytes(DESCRIPTOR_SIZE)


@pytest.mark.rule("SAN-8.WSPRegisterMemory", "SAN-8.WSPRegisterRdmaMemory")
def test_memory_is_registered_for_a_connected_socket(lab: SanLab) -> None:
    one, _ = data_ends(lab)
    room = bytearray(DESCRIPTOR_SIZE), INT(DESCRIPTOR_SIZE)
    register = one.caller.extension(one.s, WSAID_REGISTERMEMORY)
    expose = one.caller.extension(one.s, WSAID_REGISTERRDMAMEMORY)
    for s, error in ((one.caller.bound("10.0.0.1", 4001), WSAENOTCONN), (7, WSAENOTSOCK), (None, WSAENOTSOCK)):
        assert answer_of(register, s, bytearray(4), 4, MEM_READ) == (NULL, error)
        assert answer_of(expose, s, bytearray(4), 4, MEM_READ, *room) == (SOCKET_ERROR, error)


@pytest.mark.rule("SAN-8.WSPRegisterMemory", "SAN-8.WSPDeregisterMemory")
def test_a_buffer_may_be_registered_for_many_sockets_and_each_time_counts(lab: SanLab) -> None:
    one, other = data_ends(lab)
    buffer = bytearray(b"payload")
    first, second = one.registered(buffer, MEM_READ), one.registered(buffer, MEM_READ)
    assert one.extension("WSPDeregisterMemory", first.handle) == (0, UNTOUCHED)
    sink = bytearray(7)
    received = other.receive(other.registered(sink))
    one.send(second)
    lab.run()
    assert other.result(received) == (True, UNTOUCHED, 7)
    assert one.extension("WSPDeregisterMemory", second.handle) == (0, UNTOUCHED)
    assert sink == b"payload"


@pytest.mark.rule("SAN-8.WSPDeregisterMemory")
def test_memory_that_an_operation_uses_cannot_be_deregistered(lab: SanLab) -> None:
    one, other = data_ends(lab)
    posted = other.registered(bytearray(4))
    received = other.receive(posted)
    assert other.extension("WSPDeregisterMemory", posted.handle) == (SOCKET_ERROR, WSAEINVAL)
    one.send_bytes(b"free")
    lab.run()
    assert other.result(received) == (True, UNTOUCHED, 4)
    assert other.extension("WSPDeregisterMemory", posted.handle) == (0, UNTOUCHED)
    for handle in (posted.handle, 0, -1, None, "x"):
        assert other.extension("WSPDeregisterMemory", handle) == (SOCKET_ERROR, WSAEINVAL)


@pytest.mark.rule("SAN-8.WSPRegisterMemory")
def test_a_handle_means_nothing_in_another_process(lab: SanLab) -> None:
    one, other = data_ends(lab)
    memory = bytearray(4)
    handle = one.registered(memory).handle
    process = Caller(lab.callers[0].provider)
    s = process.bound("10.0.0.1", 4100)
    listener, _ = other.caller.listening("10.0.0.2", 81)
    event = process.connecting(s, "10.0.0.2", 81)
    lab.run()
    other.caller.accept(listener)
    lab.run()
    assert process.connect_error(s, event) == 0
    call = process.call("WSPSend", s, [WSABUFEX(memory, handle)], 1, None, 0, WSAOVERLAPPED(), None, None)
    assert call == (SOCKET_ERROR, WSAEFAULT)


@pytest.mark.rule("SAN-8.WSPRegisterRdmaMemory")
@pytest.mark.parametrize(
    ("descriptor", "room"),
    [
        (bytearray(15), 16),
        (bytearray(16), 15),
        (bytearray(16), 0),
        (bytearray(16), -1),
        (None, 16),
        (bytes(16), 16),
    ],
)
def test_a_descriptor_without_room_is_a_fault_and_tells_its_size(lab: SanLab, descriptor: Any, room: int) -> None:
    one, _ = data_ends(lab)
    length = INT(room)
    call = one.extension("WSPRegisterRdmaMemory", bytearray(4), 4, MEM_READ, descriptor, length)
    assert call == (SOCKET_ERROR, WSAEFAULT)
    assert length.Value == DESCRIPTOR_SIZE


@pytest.mark.rule("SAN-8.WSPRegisterRdmaMemory")
def test_a_descriptor_fills_as_much_of_its_room_as_it_says(lab: SanLab) -> None:
    one, _ = data_ends(lab)
    room, length = bytearray(b"\xee" * 20), INT(20)
    assert one.extension("WSPRegisterRdmaMemory", bytearray(4), 4, MEM_READ, room, length) == (0, UNTOUCHED)
    assert length.Value == DESCRIPTOR_SIZE
    assert room[DESCRIPTOR_SIZE:] == b"\xee" * 4


@pytest.mark.rule("SAN-8.WSPDeregisterRdmaMemory")
def test_the_peer_reaches_deregistered_memory_no_more(lab: SanLab) -> None:
    one, other = data_ends(lab)
    target = bytearray(4)
    descriptor = other.exposed(target, MEM_WRITE)
    assert other.extension("WSPDeregisterRdmaMemory", descriptor, 16) == (0, UNTOUCHED)
    assert other.extension("WSPDeregisterRdmaMemory", descriptor, 16) == (SOCKET_ERROR, WSAEINVAL)
    waiting = [end.receive(end.registered(bytearray(4))) for end in (one, other)]
    one.rdma("WSPRdmaWrite", one.registered(b"evil", MEM_READ), descriptor=descriptor)
    lab.run()
    assert target == bytes(4)
    assert one.result(waiting[0]) == (False, WSAECONNRESET, 0)
    assert other.result(waiting[1]) == (False, WSAECONNABORTED, 0)


@pytest.mark.rule("SAN-8.WSPDeregisterRdmaMemory")
def test_what_is_no_descriptor_of_this_socket_cannot_be_deregistered(lab: SanLab) -> None:
    one, other = data_ends(lab)
    descriptor = other.exposed(bytearray(4))
    for end, given, length, error in (
        (one, descriptor, 16, WSAEINVAL),
        (other, bytes(16), 16, WSAEINVAL),
        (other, descriptor, 15, WSAEFAULT),
        (other, descriptor[:15], 16, WSAEFAULT),
        (other, None, 16, WSAEFAULT),
    ):
        assert end.extension("WSPDeregisterRdmaMemory", given, length) == (SOCKET_ERROR, error)


@pytest.mark.rule("SAN-8.WSPMemoryRegistrationCacheCallback")
def test_memory_that_is_unmapped_is_registered_no_more(lab: SanLab) -> None:
    one, _ = data_ends(lab)
    memory = bytearray(100)
    view = memoryview(memory)
    low, high = one.registered(view[:50], MEM_READ), one.registered(view[50:], MEM_READ)
    assert forget(one, view[40:], 10) == (0, UNTOUCHED)
    call = one.caller.call("WSPSend", one.s, [low], 1, None, 0, WSAOVERLAPPED(), None, None)
    assert call == (SOCKET_ERROR, WSAEFAULT)
    one.send(high)
    assert forget(one, view, 100) == (SOCKET_ERROR, WSAEFAULT)  # in use
    lab.run()
    assert forget(one, view, 100) == (0, UNTOUCHED)


@pytest.mark.rule("SAN-8.WSPMemoryRegistrationCacheCallback")
@pytest.mark.parametrize(
    ("memory", "size", "error"),
    [
        (bytearray(10), 10, WSAEINVAL),
        (4096, 4096, WSAEINVAL),
        (bytearray(10), 11, WSAEFAULT),
        (bytearray(10), -1, WSAEFAULT),
        (None, 10, WSAEFAULT),
        (bytearray(10), None, WSAEFAULT),
    ],
)
def test_the_notice_names_memory_that_is_registered(lab: SanLab, memory: Any, size: Any, error: int) -> None:
    one, _ = data_ends(lab)
    one.registered(bytearray(10))
    assert forget(one, memory, size) == (SOCKET_ERROR, error)


@pytest.mark.rule("SAN-8.WSPMemoryRegistrationCacheCallback", "SAN-8.WSPRegisterRdmaMemory")
def test_the_peer_reaches_unmapped_memory_no_more(lab: SanLab) -> None:
    one, other = data_ends(lab)
    target = bytearray(4)
    descriptor = other.exposed(target)
    assert forget(other, target, 4) == (0, UNTOUCHED)
    reading = one.rdma("WSPRdmaRead", one.registered(bytearray(4)), descriptor=descriptor)
    lab.run()
    assert one.result(reading) == (False, WSAECONNRESET, 0)


@pytest.mark.rule("SAN-6.7.2", "SAN-8.WSPRegisterMemory")
def test_closing_the_socket_gives_all_its_memory_back(lab: SanLab) -> None:
    one, _ = data_ends(lab)
    buffers = [bytearray(10) for _ in range(4)]
    one.receive(one.registered(buffers[0]))
    one.send(one.registered(buffers[1]))
    one.registered(buffers[2])
    one.exposed(buffers[3])
    one.caller.ok("WSPCloseSocket", one.s)
    lab.run()
    for buffer in buffers:
        buffer.append(0)  # which Python refuses as long as anybody has a view of it
