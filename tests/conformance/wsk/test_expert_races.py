"""Races that a hunt for faults has found: threads of the application against each other and against fault switches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from threading import Event, Lock, Thread, current_thread
from typing import Any

import pytest

from tests.support.nmr_module import Module
from tests.support.wsk_lab import NEAR, Lab, Request, ok, start
from wsknet.drivers import completions
from wsknet.drivers.blocking import RealDriver
from wsknet.host import Host
from wsknet.wsk import (
    DISPATCH_LEVEL,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_FLAG_DATAGRAM_SOCKET,
    Completing,
    IoFreeMdl,
    KeLowerIrql,
    KeRaiseIrql,
    NmrDeregisterClient,
    NmrRegisterClient,
    NmrWaitForClientDeregisterComplete,
    faults_of,
    simple,
    verify,
)

PATIENCE = 60.0
"""Seconds after which a test gives up on a deadlock."""

LOANS = 1500


def send(Socket: Any, to: str) -> tuple[Any, ...]:
    return Socket.Dispatch.WskSendTo, Socket, simple.buffer(b"x"), 0, simple.address(to, 5000), 0, None


# Fault switches


@pytest.mark.parametrize("later", [Completing.AS_READY, Completing.PENDING])
def test_fault_switches_do_not_change_under_a_completion_that_runs(
    lab: Lab, later: Completing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completions, "PATIENCE", 0.0)
    faults = faults_of(lab.near)
    faults.complete(Completing.INLINE)
    Socket = lab.datagram(lab.near)
    refusals: list[str] = []

    def change() -> None:
        with pytest.raises(RuntimeError) as refusal:
            faults.complete(later)
        refusals.append(str(refusal.value))

    request = Request()
    request.then = change
    request.start(*send(Socket, NEAR))

    assert refusals == ["a completion is running: change how they come when none is"]
    assert (request.returned, request.status) == (STATUS_SUCCESS, STATUS_SUCCESS)
    assert start(*send(Socket, NEAR)).was_pending == [False]
    faults.complete(Completing.PENDING)
    assert start(*send(Socket, NEAR)).returned == STATUS_PENDING
    faults.complete()
    assert start(*send(Socket, NEAR)).was_pending == [False]


def test_what_a_disturbance_had_put_off_comes_when_it_is_replaced(lab: Lab) -> None:
    faults = faults_of(lab.near)
    Socket = lab.datagram(lab.near)
    faults.complete(Completing.PENDING, delay=10**9)
    requests = [start(*send(Socket, NEAR)) for _ in range(3)]
    assert not any(request.is_done for request in requests)

    faults.complete()
    assert [request.status for request in requests] == [STATUS_SUCCESS] * 3

    lab.run(2)  # what was scheduled finds nothing
    assert start(*send(Socket, NEAR)).was_pending == [False]


def test_lowering_the_irql_runs_the_completions_of_all_hosts_though_one_raises(lab: Lab) -> None:
    near, far = lab.datagram(lab.near), lab.datagram(lab.far)
    before: list[int] = []
    KeRaiseIrql(DISPATCH_LEVEL, before)
    first = Request()

    def fail() -> None:
        raise KeyError("of the driver")

    first.then = fail
    first.start(*send(near, NEAR))
    second = start(*send(far, NEAR))
    assert (first.returned, second.returned) == (STATUS_PENDING, STATUS_PENDING)

    with pytest.raises(KeyError, match="of the driver"):
        KeLowerIrql(before[0])

    assert second.status == STATUS_SUCCESS


# Real threads


@contextmanager
def busy_host(lock: Any = None) -> Iterator[Host]:
    """With threads that change places as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with RealDriver() as driver:
            if lock is not None:
                driver.lock = lock
            driver.start()
            yield Host("busy", driver, Random(1))
    finally:
        sys.setswitchinterval(interval)


def in_threads(host: Host, *bodies: Callable[[], object]) -> None:
    failures: list[BaseException] = []

    def run(body: Callable[[], object]) -> None:
        try:
            with host.activate():
                body()
        except BaseException as error:
            failures.append(error)

    threads = [Thread(target=run, args=(body,), name=body.__name__, daemon=True) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "deadlock"
    assert not failures, failures


@pytest.mark.rule("R-351")
def test_memory_is_freed_under_a_verifier_while_other_threads_lend_theirs() -> None:
    with busy_host() as host, host.activate():
        verify(host)
        application = simple.Application()
        Socket = ok(application.open(WSK_FLAG_DATAGRAM_SOCKET))
        ok(simple.bind(Socket, simple.address("127.0.0.1", 0)))
        requests: list[Request] = []

        def lend() -> None:
            for _ in range(LOANS):
                buffer = simple.buffer(bytearray(4))
                requests.append(start(Socket.Dispatch.WskReceiveFrom, Socket, buffer, 0, None, None, None, None))

        def free() -> None:
            while len(requests) < LOANS:
                IoFreeMdl(simple.buffer(bytearray(4)).Mdl)  # type: ignore[arg-type]

        in_threads(host, lend, free, free)
        ok(simple.close(Socket))

        assert [len(request.completions) for request in requests] == [1] * LOANS


class LockThatWaits:
    """A driver lock that keeps the thread named `deregister` out the second time, until `is_free`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries = 0
        self.is_there, self.is_free = Event(), Event()

    def __enter__(self) -> None:
        if current_thread().name == "deregister":
            self._entries += 1
            if self._entries == 2:
                self.is_there.set()
                assert self.is_free.wait(PATIENCE)
        self._lock.acquire()

    def __exit__(self, *exc_info: object) -> None:
        self._lock.release()


@pytest.mark.rule("R-038")
def test_a_client_that_deregisters_while_it_is_being_attached_is_detached() -> None:
    lock = LockThatWaits()
    module = Module()
    is_attaching = Event()

    def wait_for_the_other() -> None:
        is_attaching.set()
        assert lock.is_there.wait(PATIENCE)

    before: Any = module.characteristics.ClientAttachProvider

    def ClientAttachProvider(*arguments: Any) -> Any:
        wait_for_the_other()
        return before(*arguments)

    module.characteristics.ClientAttachProvider = ClientAttachProvider

    def register() -> None:
        assert NmrRegisterClient(module.characteristics, module, module.handle) == STATUS_SUCCESS
        lock.is_free.set()

    def deregister() -> None:
        assert is_attaching.wait(PATIENCE)
        NmrDeregisterClient(module.handle[0])
        assert NmrWaitForClientDeregisterComplete(module.handle[0]) == STATUS_SUCCESS

    with busy_host(lock) as host:
        in_threads(host, register, deregister)

    assert module.log == ["attach", "detach", "cleanup"]
