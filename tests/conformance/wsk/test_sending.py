"""WskSend: when it completes, what it takes from the chain, and its flags (wsk.md 4.11)."""

from __future__ import annotations

import pytest

from tests.support.wsk_lab import PSH, Lab, ok, start
from tests.support.wsk_tcp import disconnect, receive, send
from wsknet.wsk import (
    STATUS_CANCELLED,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_NOT_SUPPORTED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_NODELAY,
    WSK_FLAG_OOB,
    IoAllocateMdl,
    MmBuildMdlForNonPagedPool,
    simple,
)


@pytest.mark.rule("R-198", "R-199", "D-10")
def test_send_completes_when_everything_is_acknowledged(lab: Lab) -> None:
    near, far = lab.pair()
    lab.cut()
    request = send(near, b"five!")
    lab.run(0.5)
    assert (request.returned, request.is_done) == (STATUS_PENDING, False)
    lab.cut(False)
    lab.run(2)

    assert (request.status, request.information) == (STATUS_SUCCESS, 5)
    assert ok(simple.receive(far)) == b"five!"


@pytest.mark.rule("R-199")
def test_sends_complete_in_order_and_not_before_the_peer_takes_them(lab: Lab) -> None:
    near, far = lab.pair()
    first, empty, second = send(near, bytes(1 << 19)), send(near, b""), send(near, bytes(1 << 20))
    lab.run(5)
    assert (first.is_done, empty.is_done, second.is_done) == (True, True, False)
    while not second.is_done:
        simple.receive(far, 1 << 20, seconds=1)

    assert [request.information for request in (first, empty, second)] == [1 << 19, 0, 1 << 20]
    assert send(near, b"").completions == [(STATUS_SUCCESS, 0)]


@pytest.mark.rule("R-200", "R-349")
def test_send_takes_length_bytes_from_offset_along_the_chain(lab: Lab) -> None:
    near, far = lab.pair()
    first, second = (IoAllocateMdl(memory, len(memory), False, False, None) for memory in (b"abcd", b"efgh"))
    assert first is not None
    assert second is not None
    for Mdl in (first, second):
        MmBuildMdlForNonPagedPool(Mdl)
    first.Next = second
    ok(simple.call(near.Dispatch.WskSend, near, WSK_BUF(first, 2, 4), 0))

    assert ok(simple.receive(far)) == b"cdef"


@pytest.mark.rule("R-201")
def test_nodelay_sends_what_nagle_holds_back(lab: Lab) -> None:
    near, far = lab.pair()
    send(near, b"in flight")
    held = send(near, b"held")
    urged = send(near, b"urged", WSK_FLAG_NODELAY)
    lab.run(0.0001)

    data_segments = [flags for flags in lab.near_wire.tcp_flags() if flags & PSH]
    assert len(data_segments) == 2
    lab.run()
    assert held.is_done
    assert urged.is_done
    assert ok(simple.receive(far)) == b"in flightheldurged"


@pytest.mark.rule("R-202", "R-211")
def test_unknown_flags_are_not_supported(lab: Lab) -> None:
    near, _ = lab.pair()

    assert send(near, b"x", WSK_FLAG_OOB).status == STATUS_NOT_SUPPORTED
    assert send(near, b"", 0x100).status == STATUS_NOT_SUPPORTED
    assert receive(near, 1, 0x100).status == STATUS_NOT_SUPPORTED


@pytest.mark.rule("D-01")
def test_nothing_is_sent_or_received_without_a_connection(lab: Lab) -> None:
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    requests = [send(Socket, b"x"), send(Socket, b""), receive(Socket), disconnect(Socket), disconnect(Socket, 1)]

    assert {request.status for request in requests} == {STATUS_INVALID_DEVICE_STATE}
    assert all(request.returned == request.status and request.was_pending == [False] for request in requests)


@pytest.mark.rule("R-351")
def test_memory_of_a_pending_send_is_lent(lab: Lab) -> None:
    near, _ = lab.pair()
    lab.cut()
    memory = bytearray(b"lent")
    request = start(near.Dispatch.WskSend, near, simple.buffer(memory), 0)
    with pytest.raises(BufferError):
        memory.clear()
    ok(simple.close(near))

    assert request.status == STATUS_CANCELLED
