"""What a request leaves in its IRP: with spare locations, with failures under the fault switches, in a callback."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import FAR, PORT, Lab, Request, ok, start
from wsknet.drivers.disturbance import Completing
from wsknet.wsk import (
    DISPATCH_LEVEL,
    IRP,
    KSPIN_LOCK,
    NTSTATUS,
    PASSIVE_LEVEL,
    SOCKADDR_IN,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_MORE_PROCESSING_REQUIRED,
    STATUS_NOT_SUPPORTED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_SOCKET,
    BugCheck,
    IoAllocateIrp,
    IoSetCompletionRoutine,
    KeAcquireSpinLock,
    KeGetCurrentIrql,
    KeLowerIrql,
    KeRaiseIrql,
    KeReleaseSpinLock,
    faults_of,
    simple,
    verify,
)

Seen = list[tuple[Any, ...]]


def note(DeviceObject: object, Irp: IRP, Context: Seen) -> NTSTATUS:
    Context.append((Irp.IoStatus.Status, Irp.PendingReturned))
    return STATUS_MORE_PROCESSING_REQUIRED


def spacious(seen: Seen) -> IRP:
    """An IRP with more locations than WSK needs."""
    Irp = IoAllocateIrp(3, False)
    assert Irp is not None
    IoSetCompletionRoutine(Irp, note, seen, True, True, True)
    return Irp


@pytest.mark.rule("R-057", "R-061")
def test_pending_returned_is_that_of_the_location_that_was_used(lab: Lab) -> None:
    near, far = lab.pair()
    seen: Seen = []
    assert near.Dispatch.WskReceive(near, simple.buffer(bytearray(9)), 0, spacious(seen)) == STATUS_PENDING
    ok(simple.send(far, b"data"))
    lab.run(0.1)

    assert seen == [(STATUS_SUCCESS, True)]


@pytest.mark.rule("R-057", "R-061")
def test_the_same_for_what_pends_only_because_a_routine_is_running(lab: Lab) -> None:
    Socket = lab.datagram(lab.near)
    seen: Seen = []
    returned: list[NTSTATUS] = []
    request = Request()
    request.then = lambda: returned.append(Socket.Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), spacious(seen)))
    request.start(Socket.Dispatch.WskGetLocalAddress, Socket, SOCKADDR_IN())
    lab.run(0)

    assert (returned, seen) == ([STATUS_PENDING], [(STATUS_SUCCESS, True)])


@pytest.mark.parametrize(
    ("completing", "returned"),
    [(Completing.PENDING, STATUS_PENDING), (Completing.INLINE, STATUS_INVALID_DEVICE_STATE)],
)
def test_a_failure_comes_inline_or_later_as_the_switch_says(
    lab: Lab, completing: Completing, returned: NTSTATUS
) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    faults_of(lab.near).complete(completing)
    seen: Seen = []
    is_pending = returned == STATUS_PENDING

    assert Socket.Dispatch.WskConnect(Socket, simple.address(FAR, PORT), 0, spacious(seen)) == returned
    assert seen == ([] if is_pending else [(STATUS_INVALID_DEVICE_STATE, False)])
    lab.run(0)
    assert seen == [(STATUS_INVALID_DEVICE_STATE, is_pending)]


def test_the_status_of_an_error_is_returned_and_stands_in_the_irp(lab: Lab) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    request = start(Socket.Dispatch.WskControlSocket, Socket, 1, 99, 99, 0, None, 4, bytearray(4), None)

    assert (request.returned, request.completions) == (STATUS_NOT_SUPPORTED, [(STATUS_NOT_SUPPORTED, 0)])


def connect_with_flags(Socket: WSK_SOCKET) -> Request:
    return start(Socket.Dispatch.WskConnect, Socket, simple.address(FAR, PORT), 5)


def test_what_is_forbidden_is_answered_or_stops_the_caller_who_keeps_the_irp(lab: Lab) -> None:
    """Reserved flags that are not zero (D-02)."""
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    verify(lab.near, is_strict=False)
    assert connect_with_flags(Socket).status == STATUS_INVALID_PARAMETER

    verify(lab.near)
    request = Request()
    with pytest.raises(BugCheck) as stop:
        request.start(Socket.Dispatch.WskConnect, Socket, simple.address(FAR, PORT), 5)
    assert (stop.value.code, stop.value.rule) == (0xC4, "R-190")
    assert "0x5" in stop.value.what
    assert not request.is_done
    request.start(Socket.Dispatch.WskGetLocalAddress, Socket, SOCKADDR_IN())
    assert request.status == STATUS_SUCCESS


def test_requests_that_fail_at_dispatch_level_leave_it_and_complete_there(lab: Lab) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    before = [PASSIVE_LEVEL]
    KeRaiseIrql(DISPATCH_LEVEL, before)
    request = start(Socket.Dispatch.WskConnect, Socket, simple.address(FAR, PORT), 0)
    level = KeGetCurrentIrql()
    KeLowerIrql(before[0])

    assert (request.returned, request.status) == (STATUS_INVALID_DEVICE_STATE, STATUS_INVALID_DEVICE_STATE)
    assert (request.irql, level) == (DISPATCH_LEVEL, DISPATCH_LEVEL)


def test_a_failure_under_a_spin_lock_lets_nothing_run_that_wants_the_lock(lab: Lab) -> None:
    lock = KSPIN_LOCK()
    trail: list[str] = []

    def received(SocketContext: object, Flags: int, DataIndication: object) -> NTSTATUS:
        trail.append("callback")
        return STATUS_SUCCESS

    Socket = lab.datagram(lab.near, PORT, "127.0.0.1", Dispatch=WSK_CLIENT_DATAGRAM_DISPATCH(received))
    unbound = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)
    before: list[int] = []
    KeAcquireSpinLock(lock, before)
    start(Socket.Dispatch.WskSendTo, Socket, simple.buffer(b"x"), 0, simple.address("127.0.0.1", PORT), 0, None)
    failed = start(unbound.Dispatch.WskConnect, unbound, simple.address(FAR, PORT), 0)
    trail.append("called")
    KeReleaseSpinLock(lock, before[0])

    assert failed.returned == STATUS_INVALID_DEVICE_STATE
    assert trail == ["called", "callback"]


def test_what_the_routine_of_a_failure_requests_comes_after_it(lab: Lab) -> None:
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    order: list[str] = []
    second = Request()
    second.then = lambda: order.append("second")
    first = Request()

    def begin() -> None:
        second.start(Socket.Dispatch.WskGetLocalAddress, Socket, SOCKADDR_IN())
        order.append("first")

    first.then = begin
    first.start(Socket.Dispatch.WskSend, Socket, simple.buffer(bytearray(1)), 0)

    assert (first.returned, second.returned) == (STATUS_INVALID_DEVICE_STATE, STATUS_PENDING)
    assert order == ["first", "second"]


def test_without_a_number_the_next_allocation_fails_and_no_other(lab: Lab) -> None:
    faults_of(lab.near).fail_allocation()

    assert [IoAllocateIrp(1, False) is None for _ in range(3)] == [True, False, False]
