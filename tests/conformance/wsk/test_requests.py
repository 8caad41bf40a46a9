"""IRPs through WSK functions: what is returned, what PendingReturned says, who cancels (WSK-2, 9.2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import FAR, PORT, Lab, Request, ok, start
from tests.support.wsk_receiver import receive
from wsknet.host import current_host
from wsknet.wsk import (
    DISPATCH_LEVEL,
    KSPIN_LOCK,
    NTSTATUS,
    SOCKADDR_IN,
    STATUS_CANCELLED,
    STATUS_CONNECTION_ABORTED,
    STATUS_INVALID_PARAMETER,
    STATUS_MORE_PROCESSING_REQUIRED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_WAITALL,
    BugCheck,
    IoAllocateIrp,
    IoCancelIrp,
    IoSetCompletionRoutine,
    IoSetNextIrpStackLocation,
    KeAcquireSpinLock,
    KeReleaseSpinLock,
    simple,
)


@pytest.mark.rule("R-058", "R-062")
def test_what_can_be_answered_at_once_completes_before_the_function_returns(lab: Lab) -> None:
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    request = start(Socket.Dispatch.WskGetLocalAddress, Socket, SOCKADDR_IN())

    assert request.returned == STATUS_SUCCESS
    assert request.completions == [(STATUS_SUCCESS, 0)]
    assert request.was_pending == [False]


@pytest.mark.rule("R-057", "R-061")
def test_what_has_to_wait_returns_pending_and_tells_the_routine(lab: Lab) -> None:
    near, far = lab.pair()
    request, memory = receive(near)
    assert (request.returned, request.is_done) == (STATUS_PENDING, False)
    ok(simple.send(far, b"data"))

    assert (request.status, request.information) == (STATUS_SUCCESS, 4)
    assert request.was_pending == [True]
    assert memory[:4] == b"data"


@pytest.mark.rule("R-056")
def test_routines_run_at_dispatch_level_with_the_host_of_the_socket(lab: Lab) -> None:
    Socket = lab.bound(lab.far, WSK_FLAG_CONNECTION_SOCKET)
    hosts = []
    for address in (SOCKADDR_IN(), None):
        request = Request()
        request.then = lambda: hosts.append(current_host())
        if address is not None:
            request.start(Socket.Dispatch.WskGetLocalAddress, Socket, address)
        else:
            request.start(Socket.Dispatch.WskGetRemoteAddress, Socket, SOCKADDR_IN())
        assert request.irql == DISPATCH_LEVEL

    assert hosts == [lab.far, lab.far]
    assert current_host() is lab.near


@pytest.mark.rule("R-060")
def test_a_request_made_in_a_routine_is_completed_after_it(lab: Lab) -> None:
    """It takes effect at once, returns STATUS_PENDING and does not recurse; a failure completes at once."""
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    inner, failing = Request(), Request()
    trail: list[object] = []

    def inside() -> None:
        inner.start(Socket.Dispatch.WskGetLocalAddress, Socket, SOCKADDR_IN())
        trail.append((inner.returned, inner.is_done))
        failing.start(Socket.Dispatch.WskGetRemoteAddress, Socket, SOCKADDR_IN())
        trail.append(failing.is_done)

    outer = Request()
    outer.then = inside
    outer.start(Socket.Dispatch.WskGetLocalAddress, Socket, SOCKADDR_IN())

    assert trail == [(STATUS_PENDING, False), True]
    assert (inner.status, inner.was_pending) == (STATUS_SUCCESS, [True])
    assert failing.was_pending == [False]


def test_ten_thousand_requests_each_made_by_the_routine_of_the_one_before(lab: Lab) -> None:
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    request = Request()
    address = SOCKADDR_IN()

    def again() -> None:
        if len(request.completions) < 10_000:
            request.start(Socket.Dispatch.WskGetLocalAddress, Socket, address)

    request.then = again
    request.start(Socket.Dispatch.WskGetLocalAddress, Socket, address)

    assert len(request.completions) == 10_000
    assert request.was_pending[:2] == [False, True]


@pytest.mark.rule("R-066", "R-068")
@pytest.mark.parametrize("Flags", [0, WSK_FLAG_WAITALL])
def test_a_pending_receive_can_be_cancelled(lab: Lab, Flags: int) -> None:
    near, far = lab.pair()
    first, _ = receive(near, Flags=Flags)
    second, memory = receive(near)
    assert IoCancelIrp(first.Irp) is True

    assert (first.status, first.information) == (STATUS_CANCELLED, 0)
    assert IoCancelIrp(first.Irp) is False
    ok(simple.send(far, b"for the second"))
    assert (second.information, bytes(memory[:14])) == (14, b"for the second")


@pytest.mark.rule("R-068", "R-214")
def test_a_cancelled_waitall_loses_no_data(lab: Lab) -> None:
    near, far = lab.pair()
    request, _ = receive(near, 10, WSK_FLAG_WAITALL)
    ok(simple.send(far, b"five!"))
    lab.run()
    IoCancelIrp(request.Irp)

    assert (request.status, request.information) == (STATUS_CANCELLED, 0)
    assert ok(simple.receive(near)) == b"five!"


@pytest.mark.rule("R-069")
def test_a_cancelled_request_may_have_won(lab: Lab) -> None:
    """A WAITALL receive so large that it had to take what was there."""
    near, far = lab.pair()
    sent = bytes(range(256)) * 1000
    request, memory = receive(near, 2_000_000, WSK_FLAG_WAITALL)
    ok(simple.send(far, sent))
    assert not request.is_done
    IoCancelIrp(request.Irp)

    assert request.status == STATUS_SUCCESS
    taken = request.information
    assert 0 < taken < len(sent)
    assert bytes(memory[:taken]) + ok(simple.receive(near, len(sent))) == sent


@pytest.mark.rule("R-068")
def test_the_wait_cancel_wait_pattern(lab: Lab) -> None:
    near, _ = lab.pair()
    before = lab.network.driver.now()

    assert simple.receive(near, seconds=2) == (STATUS_CANCELLED, b"")
    assert lab.network.driver.now() - before == 2_000_000_000


@pytest.mark.rule("R-068")
def test_a_connect_in_progress_can_be_cancelled_and_tried_again(lab: Lab) -> None:
    lab.listener()
    lab.cut()
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    before = simple.host_and_port(ok(simple.local_address(Socket)))

    assert simple.connect(Socket, simple.address(FAR, PORT), seconds=1) == (STATUS_CANCELLED, 0)
    assert simple.host_and_port(ok(simple.local_address(Socket))) == before
    assert before[0] == "0.0.0.0"
    lab.cut(is_cut=False)
    ok(simple.connect(Socket, simple.address(FAR, PORT)))
    ok(simple.close(Socket))


def test_cancelling_a_send_resets_the_connection(lab: Lab) -> None:
    near, _ = lab.pair()
    lab.cut()
    request = start(near.Dispatch.WskSend, near, simple.buffer(b"never arrives"), 0)
    IoCancelIrp(request.Irp)

    assert (request.status, request.information) == (STATUS_CANCELLED, 0)
    assert simple.send(near, b"more")[0] == STATUS_CONNECTION_ABORTED


def test_an_irp_cancelled_beforehand_is_completed_as_such(lab: Lab) -> None:
    near, _ = lab.pair()
    listener = lab.listener(port=PORT + 1)
    cases: list[tuple[Any, ...]] = [
        (near.Dispatch.WskReceive, near, simple.buffer(bytearray(1)), 0),
        (near.Dispatch.WskSend, near, simple.buffer(b"x"), 0),
        (listener.Dispatch.WskAccept, listener, 0, None, None, None, None),
    ]
    for function, *arguments in cases:
        request = Request()
        IoCancelIrp(request.Irp)
        request.start(function, *arguments)
        assert (request.status, request.information) == (STATUS_CANCELLED, 0)


@pytest.mark.rule("R-064", "R-065")
def test_a_handed_down_irp_goes_back_to_the_higher_driver(lab: Lab) -> None:
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    Irp = IoAllocateIrp(2, False)
    assert Irp is not None
    completed = []

    def higher(DeviceObject: object, Irp: object, Context: object) -> int:
        completed.append(Context)
        return STATUS_MORE_PROCESSING_REQUIRED

    IoSetCompletionRoutine(Irp, higher, "higher", True, True, True)
    IoSetNextIrpStackLocation(Irp)
    Socket.Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), Irp)

    assert completed == ["higher"]


@pytest.mark.rule("D-19", "R-044")
def test_a_pending_irp_cannot_be_used_again(lab: Lab) -> None:
    near, _ = lab.pair()
    request, memory = receive(near)

    with pytest.raises(BugCheck, match="R-044"):
        near.Dispatch.WskReceive(near, simple.buffer(memory), 0, request.Irp)
    assert not request.is_done
    IoCancelIrp(request.Irp)
    assert request.status == STATUS_CANCELLED


@pytest.mark.rule("R-045")
def test_a_routine_is_required(lab: Lab) -> None:
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)

    with pytest.raises(BugCheck, match="R-045"):
        Socket.Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), IoAllocateIrp(1, False))


def test_every_function_needs_an_irp(lab: Lab) -> None:
    near, _ = lab.pair()
    buffer = simple.buffer(bytearray(1))
    Dispatch = near.Dispatch

    assert {
        Dispatch.WskSend(near, buffer, 0, None),
        Dispatch.WskReceive(near, buffer, 0, None),
        Dispatch.WskDisconnect(near, None, 0, None),
        Dispatch.WskGetLocalAddress(near, SOCKADDR_IN(), None),
        Dispatch.WskCloseSocket(near, None),
    } == {STATUS_INVALID_PARAMETER}
    ok(simple.send(near, b"still open"))


@pytest.mark.rule("R-071")
def test_a_routine_must_not_wait(lab: Lab) -> None:
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    request = Request()
    request.then = lambda: simple.receive(Socket)

    with pytest.raises(BugCheck, match="R-071"):
        request.start(Socket.Dispatch.WskGetLocalAddress, Socket, SOCKADDR_IN())


@pytest.mark.rule("D-19")
def test_a_buffer_beyond_its_memory_has_no_effect(lab: Lab) -> None:
    near, far = lab.pair()
    whole = simple.buffer(b"four")
    request = Request()

    with pytest.raises(BugCheck, match="D-19"):
        request.start(near.Dispatch.WskSend, near, WSK_BUF(whole.Mdl, 0, 5), 0)
    ok(simple.send(near, b"next"))
    assert ok(simple.receive(far)) == b"next"
    assert not request.is_done


def test_a_spin_lock_may_be_held_around_a_call_that_makes_a_callback_due(lab: Lab) -> None:
    """The callback wants the same lock: it runs when the caller has let go, as a deferred procedure call would."""
    lock = KSPIN_LOCK()
    trail: list[str] = []

    def received(SocketContext: object, Flags: int, DataIndication: object) -> NTSTATUS:
        level: list[int] = []
        KeAcquireSpinLock(lock, level)
        trail.append("callback")
        KeReleaseSpinLock(lock, level[0])
        return STATUS_SUCCESS

    Socket = lab.datagram(lab.near, PORT, "127.0.0.1", Dispatch=WSK_CLIENT_DATAGRAM_DISPATCH(received))
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)
    request = Request()
    level: list[int] = []
    KeAcquireSpinLock(lock, level)
    request.start(Socket.Dispatch.WskSendTo, Socket, simple.buffer(b"x"), 0, simple.address("127.0.0.1", PORT), 0, None)
    trail.append("called")
    assert (request.returned, request.is_done) == (STATUS_PENDING, False)
    KeReleaseSpinLock(lock, level[0])

    assert trail == ["called", "callback"]
    assert request.status == STATUS_SUCCESS
