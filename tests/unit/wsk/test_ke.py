"""Events, waits, time, IRQL and spin locks, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wsknet.drivers.base import DeadlockError
from wsknet.host import Host, Network
from wsknet.types import SECOND
from wsknet.wsk import (
    DISPATCH_LEVEL,
    KEVENT,
    KSPIN_LOCK,
    LARGE_INTEGER,
    PASSIVE_LEVEL,
    STATUS_SUCCESS,
    STATUS_TIMEOUT,
    STATUS_WAIT_0,
    BugCheck,
    Executive,
    KeAcquireSpinLock,
    KeClearEvent,
    KeDelayExecutionThread,
    KeGetCurrentIrql,
    KeInitializeEvent,
    KeInitializeSpinLock,
    KeLowerIrql,
    KeQuerySystemTime,
    KeRaiseIrql,
    KeReadStateEvent,
    KeReleaseSpinLock,
    KeResetEvent,
    KernelMode,
    KeSetEvent,
    KeWaitForMultipleObjects,
    KeWaitForSingleObject,
    NotificationEvent,
    PsCreateSystemThread,
    SynchronizationEvent,
    WaitAll,
    WaitAny,
)

pytestmark = pytest.mark.usefixtures("host")

ONE_SECOND = 10_000_000


def event(Type: int = NotificationEvent, State: bool = False) -> KEVENT:
    Event = KEVENT()
    KeInitializeEvent(Event, Type, State)
    return Event


def wait(Object: Any, Timeout: int | LARGE_INTEGER | None = None) -> int:
    return KeWaitForSingleObject(Object, Executive, KernelMode, False, Timeout)


def wait_many(WaitType: int, *objects: KEVENT, Timeout: int | None = None) -> int:
    return KeWaitForMultipleObjects(
        len(objects), objects, WaitType, Executive, KernelMode, False, Timeout, None
    )  # fmt: skip


def thread(body: Callable[[], object]) -> None:
    PsCreateSystemThread([], 0, None, None, None, lambda context: body(), None)


def after(ticks: int, action: Callable[[], object]) -> None:
    def body() -> None:
        KeDelayExecutionThread(KernelMode, False, -ticks)
        action()

    thread(body)


def test_a_notification_event_stays_set_and_a_synchronization_event_is_used_up() -> None:
    stays, used = event(NotificationEvent, True), event(SynchronizationEvent, True)

    assert wait(stays) == wait(used) == STATUS_SUCCESS
    assert (KeReadStateEvent(stays), KeReadStateEvent(used)) == (1, 0)


def test_setting_and_resetting_return_the_state_before() -> None:
    Event = event()

    assert [KeSetEvent(Event, 0, False), KeSetEvent(Event, 0, False)] == [0, 1]
    assert [KeResetEvent(Event), KeResetEvent(Event)] == [1, 0]
    KeSetEvent(Event, 0, False)
    KeClearEvent(Event)
    assert KeReadStateEvent(Event) == 0


def test_a_wait_ends_when_another_thread_sets_the_event(network: Network) -> None:
    Event = event()
    after(3 * ONE_SECOND, lambda: KeSetEvent(Event, 0, False))

    assert wait(Event) == STATUS_SUCCESS
    assert network.driver.now() == 3 * SECOND


def test_a_synchronization_event_lets_one_waiter_through_in_order(network: Network) -> None:
    Event = event(SynchronizationEvent)
    through: list[int] = []

    def waiter(number: int) -> Callable[[], None]:
        def body() -> None:
            wait(Event)
            through.append(number)

        return body

    for number in range(3):
        thread(waiter(number))
    after(ONE_SECOND, lambda: KeSetEvent(Event, 0, False))
    after(2 * ONE_SECOND, lambda: KeSetEvent(Event, 0, False))
    network.run_for(1.5)
    assert through == [0]
    network.run_for(1)
    assert through == [0, 1]


@pytest.mark.parametrize("Timeout", [-2 * ONE_SECOND, LARGE_INTEGER(-2 * ONE_SECOND)])
def test_a_negative_timeout_is_relative(network: Network, Timeout: int | LARGE_INTEGER) -> None:
    assert wait(event(), Timeout) == STATUS_TIMEOUT
    assert network.driver.now() == 2 * SECOND


def test_a_positive_timeout_is_absolute(network: Network) -> None:
    now = LARGE_INTEGER()
    KeQuerySystemTime(now)

    assert wait(event(), now.QuadPart + 5 * ONE_SECOND) == STATUS_TIMEOUT
    assert network.driver.now() == 5 * SECOND
    assert wait(event(), now.QuadPart) == STATUS_TIMEOUT
    assert network.driver.now() == 5 * SECOND


def test_system_time_counts_from_1601(network: Network) -> None:
    begin, end = LARGE_INTEGER(), LARGE_INTEGER()
    KeQuerySystemTime(begin)
    KeDelayExecutionThread(KernelMode, False, LARGE_INTEGER(-ONE_SECOND))
    KeQuerySystemTime(end)

    seconds_since_1970 = begin.QuadPart // ONE_SECOND - 11_644_473_600
    assert seconds_since_1970 == network.driver.epoch // SECOND
    assert end.QuadPart - begin.QuadPart == ONE_SECOND


def test_a_timeout_of_zero_only_asks() -> None:
    assert wait(event(), 0) == STATUS_TIMEOUT
    assert wait(event(State=True), 0) == STATUS_SUCCESS


def test_waiting_for_any_tells_which_and_consumes_only_that() -> None:
    events = [event(SynchronizationEvent), event(SynchronizationEvent, True), event(SynchronizationEvent, True)]

    assert wait_many(WaitAny, *events) == STATUS_WAIT_0 + 1
    assert [KeReadStateEvent(Event) for Event in events] == [0, 0, 1]
    assert wait_many(WaitAny, *events[:2], Timeout=-1) == STATUS_TIMEOUT


def test_waiting_for_all_consumes_all_or_none(network: Network) -> None:
    first, second = event(SynchronizationEvent, True), event(SynchronizationEvent)
    assert wait_many(WaitAll, first, second, Timeout=-ONE_SECOND) == STATUS_TIMEOUT
    assert KeReadStateEvent(first) == 1

    after(ONE_SECOND, lambda: KeSetEvent(second, 0, False))
    assert wait_many(WaitAll, first, second) == STATUS_WAIT_0
    assert KeReadStateEvent(first) == KeReadStateEvent(second) == 0


def test_a_deadlock_names_the_place_of_each_wait() -> None:
    with pytest.raises(DeadlockError, match=r"KeWaitForSingleObject in wait, line \d+"):
        wait(event())


@pytest.mark.rule("R-071")
def test_nothing_waits_at_dispatch_level() -> None:
    before: list[int] = []
    KeRaiseIrql(DISPATCH_LEVEL, before)
    try:
        with pytest.raises(BugCheck, match="R-071"):
            wait(event())
        with pytest.raises(BugCheck, match="R-071"):
            KeDelayExecutionThread(KernelMode, False, -1)
        assert wait(event(State=True), 0) == STATUS_SUCCESS
    finally:
        KeLowerIrql(before[0])


def test_irql_goes_up_and_down_again() -> None:
    before: list[int] = []
    assert KeGetCurrentIrql() == PASSIVE_LEVEL
    KeRaiseIrql(DISPATCH_LEVEL, before)
    assert (KeGetCurrentIrql(), before) == (DISPATCH_LEVEL, [PASSIVE_LEVEL])
    with pytest.raises(BugCheck):
        KeRaiseIrql(PASSIVE_LEVEL, [])
    KeLowerIrql(before[0])
    with pytest.raises(BugCheck):
        KeLowerIrql(DISPATCH_LEVEL)
    assert KeGetCurrentIrql() == PASSIVE_LEVEL


def test_a_spin_lock_is_held_at_dispatch_level_and_once() -> None:
    lock, before = KSPIN_LOCK(), list[int]()
    KeInitializeSpinLock(lock)
    KeAcquireSpinLock(lock, before)
    assert KeGetCurrentIrql() == DISPATCH_LEVEL
    with pytest.raises(BugCheck, match="SPIN_LOCK_ALREADY_OWNED"):
        KeAcquireSpinLock(lock, [])
    KeReleaseSpinLock(lock, before[0])

    assert KeGetCurrentIrql() == PASSIVE_LEVEL
    with pytest.raises(BugCheck, match="SPIN_LOCK_NOT_OWNED"):
        KeReleaseSpinLock(lock, before[0])


def test_a_wait_needs_a_current_host(host: Host) -> None:
    import contextvars

    with pytest.raises(RuntimeError, match=r"host\.activate"):
        contextvars.Context().run(wait, event())
