"""The fault switches: each does what its name says, and nothing that Windows could not do."""

from __future__ import annotations

from threading import get_ident
from typing import Any

import pytest

from tests.support.wsk_lab import FAR, NEAR, PORT, Lab, Request, ok, start
from wsknet.drivers.disturbance import NESTING_LIMIT
from wsknet.types import MILLISECOND
from wsknet.wsk import (
    NTSTATUS,
    SOCKADDR_IN,
    STATUS_CANCELLED,
    STATUS_DEVICE_NOT_READY,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INSUFFICIENT_RESOURCES,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_NO_WAIT,
    WSK_PROVIDER_NPI,
    WSK_SOCKET,
    Completing,
    ExAllocatePool2,
    ExFreePool,
    Faults,
    IoAllocateIrp,
    IoAllocateMdl,
    IoCancelIrp,
    IoFreeIrp,
    WskCaptureProviderNPI,
    faults_of,
    require_nothing_left,
    simple,
    verify,
)


@pytest.fixture
def faults(lab: Lab) -> Faults:
    """Of the near host."""
    return faults_of(lab.near)


def local_address(Socket: WSK_SOCKET) -> Request:
    """A request that has its answer at once."""
    return start(Socket.Dispatch.WskGetLocalAddress, Socket, SOCKADDR_IN())


# How completions come


@pytest.mark.rule("R-057", "R-061")
def test_everything_pends(lab: Lab, faults: Faults) -> None:
    Socket = lab.datagram(lab.near)
    faults.complete(Completing.PENDING)
    request = local_address(Socket)

    assert (request.returned, request.is_done) == (STATUS_PENDING, False)
    lab.run(0)
    assert (request.status, request.was_pending) == (STATUS_SUCCESS, [True])


@pytest.mark.rule("R-059")
def test_failures_pend_too(lab: Lab, faults: Faults) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    faults.complete(Completing.PENDING)
    request = start(Socket.Dispatch.WskConnect, Socket, simple.address(FAR, PORT), 0)

    assert (request.returned, request.is_done) == (STATUS_PENDING, False)
    lab.run(0)
    assert (request.status, request.information) == (STATUS_INVALID_DEVICE_STATE, 0)


@pytest.mark.rule("R-058", "R-062")
def test_creating_a_socket_completes_inline(lab: Lab, faults: Faults) -> None:
    faults.complete(Completing.INLINE)
    NPI = lab.near_application.provider
    arguments = (NPI.Client, 2, 2, 17, WSK_FLAG_DATAGRAM_SOCKET, None, None, None, None, None)
    request = start(NPI.Dispatch.WskSocket, *arguments)

    assert (request.returned, request.status, request.was_pending) == (STATUS_SUCCESS, STATUS_SUCCESS, [False])
    ok(simple.close(request.information))


def nested(Socket: WSK_SOCKET, count: int) -> list[tuple[Any, bool]]:
    """Requests each made by the routine of the one before: what each returned, and whether it was done by then."""
    seen: list[tuple[Any, bool]] = []

    def again() -> None:
        if len(begun) < count:
            request = Request()
            request.then = again
            begun.append(request)
            request.start(Socket.Dispatch.WskGetLocalAddress, Socket, SOCKADDR_IN())
            seen.append((request.returned, request.is_done))

    begun: list[Request] = []
    again()
    return seen[::-1]


@pytest.mark.rule("R-056")
def test_inline_completions_nest_up_to_a_bound(lab: Lab, faults: Faults) -> None:
    Socket = lab.datagram(lab.near)
    assert nested(Socket, 2)[1:] == [(STATUS_PENDING, False)], "as usual the second one pends"
    lab.run(0)

    faults.complete(Completing.INLINE)
    seen = nested(Socket, NESTING_LIMIT + 1)
    assert seen == [(STATUS_SUCCESS, True)] * NESTING_LIMIT + [(STATUS_PENDING, False)]
    lab.run(0)


def test_pending_and_inline_in_turns(lab: Lab, faults: Faults) -> None:
    Socket = lab.datagram(lab.near)
    faults.complete(Completing.ALTERNATING)
    requests = []
    for _ in range(4):
        requests.append(local_address(Socket))
        lab.run(0)

    assert [request.returned for request in requests] == [STATUS_PENDING, STATUS_SUCCESS] * 2
    assert [request.was_pending for request in requests] == [[True], [False]] * 2


def test_completions_come_late_and_in_order(lab: Lab, faults: Faults) -> None:
    near, far = lab.pair()
    faults.complete(delay=5 * MILLISECOND)
    order: list[int] = []
    requests = [Request() for _ in range(2)]
    for number, request in enumerate(requests):
        request.then = lambda number=number: order.append(number)
        request.start(near.Dispatch.WskReceive, near, simple.buffer(bytearray(1)), 0)
    start(far.Dispatch.WskSend, far, simple.buffer(b"ab"), 0)
    lab.run(0.004)
    assert order == []

    lab.run(0.002)
    assert order == [0, 1]


def test_completions_come_in_another_thread(lab: Lab, faults: Faults) -> None:
    Socket = lab.datagram(lab.near)
    faults.complete(Completing.PENDING, is_on_thread=True)
    seen: list[int] = []
    request = Request()
    request.then = lambda: seen.append(get_ident())
    request.start(Socket.Dispatch.WskGetLocalAddress, Socket, SOCKADDR_IN())
    lab.run(0)

    assert len(seen) == 1
    assert seen != [get_ident()]


def test_callbacks_come_late_too(lab: Lab, faults: Faults) -> None:
    seen: list[int] = []

    def WskReceiveEvent(Context: object, Flags: int, Indication: object, length: int, Accepted: object) -> NTSTATUS:
        seen.append(length)
        return STATUS_SUCCESS

    dispatch = WSK_CLIENT_CONNECTION_DISPATCH(WskReceiveEvent)
    near, far = lab.pair(Dispatch=dispatch)
    assert simple.control_events(near, WSK_EVENT_RECEIVE) == STATUS_SUCCESS
    faults.complete(delay=5 * MILLISECOND)
    start(far.Dispatch.WskSend, far, simple.buffer(b"abc"), 0)
    lab.run(0.004)
    assert seen == []

    lab.run(0.002)
    assert seen == [3]


def test_a_pending_request_can_be_cancelled_before_it_comes(lab: Lab, faults: Faults) -> None:
    Socket = lab.datagram(lab.near)
    faults.complete(Completing.PENDING, delay=MILLISECOND)
    request = start(Socket.Dispatch.WskReceiveFrom, Socket, simple.buffer(bytearray(9)), 0, None, None, None, None)
    assert IoCancelIrp(request.Irp)
    lab.run(0.002)

    assert request.status == STATUS_CANCELLED


def test_without_switches_all_is_as_usual_again(lab: Lab, faults: Faults) -> None:
    Socket = lab.datagram(lab.near)
    faults.complete(Completing.PENDING)
    early = local_address(Socket)
    faults.complete()
    late = local_address(Socket)

    assert early.status == STATUS_SUCCESS, "what was waiting has not been lost"
    assert (late.returned, late.status) == (STATUS_SUCCESS, STATUS_SUCCESS)


def test_switches_are_not_for_completion_routines(lab: Lab, faults: Faults, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsknet.drivers.completions.PATIENCE", 0.01)
    Socket = lab.datagram(lab.near)
    request = Request()
    request.then = lambda: faults.complete(Completing.PENDING)
    with pytest.raises(RuntimeError, match="a completion is running"):
        request.start(Socket.Dispatch.WskGetLocalAddress, Socket, SOCKADDR_IN())


# Allocations


@pytest.mark.rule("R-043")
def test_the_nth_irp_is_refused_once(faults: Faults) -> None:
    faults.fail_allocation("IoAllocateIrp", nth=2)
    made = [IoAllocateIrp(1, False) for _ in range(3)]

    assert [Irp is None for Irp in made] == [False, True, False]
    for Irp in made:
        if Irp is not None:
            IoFreeIrp(Irp)


def test_any_allocation_counts_where_none_is_named(faults: Faults) -> None:
    faults.fail_allocation(nth=2)
    memory = ExAllocatePool2(0x40, 16, 0x67)
    assert memory is not None
    assert IoAllocateMdl(memory, 16, False, False, None) is None
    Irp = IoAllocateIrp(1, False)
    assert Irp is not None
    IoFreeIrp(Irp)
    ExFreePool(memory)


# Killed sockets


def null_event(seen: list[Any]) -> Any:
    def event(*arguments: Any) -> Any:
        seen.append(arguments)
        return STATUS_SUCCESS

    return event


@pytest.mark.rule("R-258", "R-254")
@pytest.mark.parametrize(
    "category",
    [
        WSK_FLAG_BASIC_SOCKET,
        WSK_FLAG_LISTEN_SOCKET,
        WSK_FLAG_CONNECTION_SOCKET,
        WSK_FLAG_DATAGRAM_SOCKET,
        WSK_FLAG_STREAM_SOCKET,
    ],
)
def test_a_killed_socket_can_only_be_closed(lab: Lab, faults: Faults, category: int) -> None:
    Socket = lab.socket(lab.near, category)
    faults.kill(Socket)
    if category != WSK_FLAG_BASIC_SOCKET:
        request = start(Socket.Dispatch.WskBind, Socket, simple.address(NEAR, 0), 0)
        assert (request.returned, request.status) == (STATUS_FILE_FORCED_CLOSED, STATUS_FILE_FORCED_CLOSED)
    request = start(Socket.Dispatch.WskControlSocket, Socket, 1, 4, 0xFFFF, 0, None, 4, [0], None)
    assert request.status == STATUS_FILE_FORCED_CLOSED
    assert simple.close(Socket)[0] == STATUS_SUCCESS


@pytest.mark.rule("R-233", "R-258")
def test_a_killed_connection_ends_what_pends_and_tells_the_event(lab: Lab, faults: Faults) -> None:
    seen: list[Any] = []
    near, far = lab.pair(SocketContext="c", Dispatch=WSK_CLIENT_CONNECTION_DISPATCH(null_event(seen)))
    receive = start(near.Dispatch.WskReceive, near, simple.buffer(bytearray(9)), 0)
    assert simple.control_events(near, WSK_EVENT_RECEIVE) == STATUS_SUCCESS
    faults.kill(near)

    assert (receive.status, receive.information) == (STATUS_FILE_FORCED_CLOSED, 0)
    assert [(context, indication) for context, flags, indication, *_ in seen] == [("c", None)]
    send = start(near.Dispatch.WskSend, near, simple.buffer(b"x"), 0)
    assert send.status == STATUS_FILE_FORCED_CLOSED
    ok(simple.close(near))
    ok(simple.close(far))


@pytest.mark.rule("R-159", "R-160")
def test_a_killed_listener_ends_what_pends_and_tells_the_event_once(lab: Lab, faults: Faults) -> None:
    seen: list[Any] = []
    dispatch = WSK_CLIENT_LISTEN_DISPATCH(null_event(seen))
    listener = lab.bound(lab.near, WSK_FLAG_LISTEN_SOCKET, port=PORT, Dispatch=dispatch)
    accept = start(listener.Dispatch.WskAccept, listener, 0, None, None, None, None)
    assert simple.control_events(listener, WSK_EVENT_ACCEPT) == STATUS_SUCCESS
    faults.kill(listener)
    faults.kill(listener)

    assert accept.status == STATUS_FILE_FORCED_CLOSED
    assert [arguments[4] for arguments in seen] == [None]
    ok(simple.close(listener))


@pytest.mark.rule("R-283")
def test_a_killed_datagram_socket_ends_what_pends_and_tells_the_event(lab: Lab, faults: Faults) -> None:
    seen: list[Any] = []
    Socket = lab.datagram(lab.near, Dispatch=WSK_CLIENT_DATAGRAM_DISPATCH(null_event(seen)))
    receive = start(Socket.Dispatch.WskReceiveFrom, Socket, simple.buffer(bytearray(9)), 0, None, None, None, None)
    assert simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM) == STATUS_SUCCESS
    faults.kill(Socket)

    assert receive.status == STATUS_FILE_FORCED_CLOSED
    assert [arguments[2] for arguments in seen] == [None]
    ok(simple.close(Socket))


# The provider


@pytest.mark.rule("R-025")
def test_the_provider_goes_and_comes_again(lab: Lab, faults: Faults) -> None:
    Socket = lab.datagram(lab.near)
    faults.detach_provider()
    registration = lab.near_application.registration
    assert WskCaptureProviderNPI(registration, WSK_NO_WAIT, WSK_PROVIDER_NPI()) == STATUS_DEVICE_NOT_READY
    ok(simple.close(Socket))

    faults.attach_provider()
    with simple.Application() as application:
        ok(simple.close(ok(application.open(WSK_FLAG_DATAGRAM_SOCKET))))


def test_the_convenience_layer_gives_back_what_it_takes(lab: Lab, faults: Faults) -> None:
    verify(lab.near)
    near, far = lab.pair()
    ok(simple.send(near, b"to the far end"))
    ok(simple.send(far, b"and back"))
    ok(simple.receive(near, 100))
    ok(simple.disconnect(near, b"farewell"))
    Socket = lab.datagram(lab.near, 7)
    ok(simple.send_to(Socket, b"to itself", simple.address(NEAR, 7)))
    ok(simple.receive_from(Socket, 100))
    faults.fail_allocation("IoAllocateMdl")
    assert simple.send_to(Socket, b"no memory", simple.address(NEAR, 7))[0] == STATUS_INSUFFICIENT_RESOURCES
    ok(simple.close(near))
    ok(simple.close(Socket))
    lab.near_application.close()

    require_nothing_left(lab.near)
