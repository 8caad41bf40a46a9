"""Many application threads against the real-time driver: every IRP once, callbacks in order and alone, no deadlock."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from wsknet.apps.service import elements
from wsknet.drivers.blocking import RealDriver
from wsknet.host import Host
from wsknet.wsk import (
    IRP,
    NTSTATUS,
    SOCKADDR_IN,
    STATUS_MORE_PROCESSING_REQUIRED,
    STATUS_PENDING,
    STATUS_REQUEST_NOT_ACCEPTED,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_SOCKET,
    IoAllocateIrp,
    IoFreeIrp,
    IoSetCompletionRoutine,
)
from wsknet.wsk.simple import Application, address, bind, buffer, close, connect, control_events, send, send_to

THREADS = 4
CALLS = 10_000
PORT = 7000
SINK = address("127.0.0.1", PORT)
ANYWHERE = address("0.0.0.0", 0)
PATIENCE = 120.0
"""Seconds after which a test gives up on a deadlock."""


@pytest.fixture
def host() -> Iterator[Host]:
    with RealDriver() as driver:
        driver.start()
        yield Host("busy", driver, Random(1))


def opened(application: Application, Flags: int, Dispatch: Any = None) -> WSK_SOCKET:
    Status, Socket = application.open(Flags, Dispatch=Dispatch)
    assert Status == STATUS_SUCCESS
    assert isinstance(Socket, WSK_SOCKET)
    return Socket


def in_threads(host: Host, body: Any) -> None:
    """`body(number)` in four threads at once; their failures are this test's."""
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            with host.activate():
                body(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "deadlock"
    assert not failures, failures


class Ledger:
    """Counts the completions of each IRP."""

    def __init__(self) -> None:
        self.completed: Counter[int] = Counter()
        self.statuses: Counter[NTSTATUS] = Counter()
        self.wrongly_pending = 0
        self.all_done = threading.Event()
        self.expected = 0
        self._lock = threading.Lock()

    def routine(self, DeviceObject: object, Irp: IRP, Context: int) -> NTSTATUS:
        with self._lock:
            self.completed[Context] += 1
            self.statuses[Irp.IoStatus.Status] += 1
            if sum(self.completed.values()) == self.expected:
                self.all_done.set()
        IoFreeIrp(Irp)
        return STATUS_MORE_PROCESSING_REQUIRED

    def irp(self, number: int) -> IRP:
        Irp = IoAllocateIrp(1, False)
        assert Irp is not None
        IoSetCompletionRoutine(Irp, self.routine, number, True, True, True)
        return Irp


@pytest.mark.rule("R-060")
def test_every_irp_of_four_threads_completes_exactly_once(host: Host) -> None:
    ledger = Ledger()
    ledger.expected = THREADS * CALLS
    with host.activate():
        application = Application()
        sink = opened(application, WSK_FLAG_DATAGRAM_SOCKET)
        bind(sink, SINK)
        sockets = [opened(application, WSK_FLAG_DATAGRAM_SOCKET) for _ in range(THREADS)]
        for Socket in sockets:
            bind(Socket, ANYWHERE)

    def body(number: int) -> None:
        Socket, data = sockets[number], buffer(b"x")
        for i in range(CALLS // 2):
            Socket.Dispatch.WskSendTo(Socket, data, 0, SINK, 0, None, ledger.irp(number * CALLS + 2 * i))
            Socket.Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), ledger.irp(number * CALLS + 2 * i + 1))

    in_threads(host, body)
    assert ledger.all_done.wait(PATIENCE)
    assert set(ledger.completed) == set(range(THREADS * CALLS))
    assert set(ledger.completed.values()) == {1}
    assert set(ledger.statuses) == {STATUS_SUCCESS}
    with host.activate():
        for Socket in [*sockets, sink]:
            close(Socket)
        application.close()


@pytest.mark.rule("R-234")
def test_callbacks_of_one_socket_come_in_order_and_never_two_at_a_time(host: Host) -> None:
    inside = 0
    overlaps = 0
    got: dict[int, list[int]] = {number: [] for number in range(THREADS)}
    everything = threading.Event()
    per_thread = 2_000

    def received(SocketContext: object, Flags: int, DataIndication: Any) -> NTSTATUS:
        nonlocal inside, overlaps
        inside += 1
        overlaps += inside > 1
        for element in elements(DataIndication):
            data = bytes(element.Buffer.Mdl.MappedSystemVa[: element.Buffer.Length])
            thread, _, count = data.partition(b":")
            got[int(thread)].append(int(count))
        if all(numbers and numbers[-1] == per_thread - 1 for numbers in got.values()):
            everything.set()
        inside -= 1
        return STATUS_SUCCESS

    with host.activate():
        application = Application()
        sink = opened(application, WSK_FLAG_DATAGRAM_SOCKET, WSK_CLIENT_DATAGRAM_DISPATCH(received))
        bind(sink, SINK)
        assert control_events(sink, WSK_EVENT_RECEIVE_FROM) == STATUS_SUCCESS

    def body(number: int) -> None:
        Socket = opened(application, WSK_FLAG_DATAGRAM_SOCKET)
        bind(Socket, ANYWHERE)
        for count in range(per_thread):
            send_to(Socket, b"%d:%d" % (number, count), SINK)
        close(Socket)

    in_threads(host, body)
    assert everything.wait(PATIENCE)
    assert overlaps == 0
    assert all(numbers == sorted(numbers) for numbers in got.values())
    with host.activate():
        close(sink)
        application.close()


@pytest.mark.rule("R-251", "R-252")
def test_closing_from_inside_a_callback_does_not_deadlock(host: Host) -> None:
    closed = Ledger()
    closed.expected = THREADS * 25
    statuses: list[NTSTATUS] = []
    after_close = 0
    gone: set[int] = set()

    def received(SocketContext: int, Flags: int, DataIndication: Any, Indicated: int, Accepted: list[int]) -> NTSTATUS:
        nonlocal after_close
        after_close += SocketContext in gone
        Socket = accepted[SocketContext]
        gone.add(SocketContext)
        statuses.append(Socket.Dispatch.WskCloseSocket(Socket, closed.irp(SocketContext)))
        return STATUS_SUCCESS

    accepted: list[WSK_SOCKET] = []
    connection = WSK_CLIENT_CONNECTION_DISPATCH(received, None, None)

    def accept(
        SocketContext: object,
        Flags: int,
        LocalAddress: object,
        RemoteAddress: object,
        AcceptSocket: WSK_SOCKET | None,
        AcceptSocketContext: list[Any],
        AcceptSocketDispatch: list[Any],
    ) -> NTSTATUS:
        if AcceptSocket is None:
            return STATUS_REQUEST_NOT_ACCEPTED
        accepted.append(AcceptSocket)
        AcceptSocketContext[0], AcceptSocketDispatch[0] = len(accepted) - 1, connection
        return STATUS_SUCCESS

    with host.activate():
        application = Application()
        Listener = opened(application, WSK_FLAG_LISTEN_SOCKET, WSK_CLIENT_LISTEN_DISPATCH(accept, None, None))
        bind(Listener, SINK)
        assert control_events(Listener, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE) == STATUS_SUCCESS

    def body(number: int) -> None:
        for _ in range(25):
            Socket = opened(application, WSK_FLAG_CONNECTION_SOCKET)
            bind(Socket, ANYWHERE)
            Status, _ = connect(Socket, SINK)
            assert Status == STATUS_SUCCESS
            send(Socket, b"close me")
            close(Socket)

    in_threads(host, body)
    assert closed.all_done.wait(PATIENCE)
    assert set(statuses) == {STATUS_PENDING}
    assert after_close == 0
    assert len(closed.completed) == THREADS * 25
    with host.activate():
        close(Listener)
        application.close()
