"""Timers and deferred procedure calls, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from wsknet.drivers.blocking import RealDriver
from wsknet.host import Host, Network, current_host
from wsknet.types import SECOND
from wsknet.wsk import (
    DISPATCH_LEVEL,
    KDPC,
    KTIMER,
    LARGE_INTEGER,
    PASSIVE_LEVEL,
    STATUS_SUCCESS,
    STATUS_TIMEOUT,
    STATUS_WAIT_0,
    BugCheck,
    Executive,
    KeCancelTimer,
    KeDelayExecutionThread,
    KeFlushQueuedDpcs,
    KeGetCurrentIrql,
    KeInitializeDpc,
    KeInitializeTimer,
    KeInitializeTimerEx,
    KeInsertQueueDpc,
    KeLowerIrql,
    KeQuerySystemTime,
    KeRaiseIrql,
    KeReadStateTimer,
    KeRemoveQueueDpc,
    KernelMode,
    KeSetTimer,
    KeSetTimerEx,
    KeWaitForMultipleObjects,
    KeWaitForSingleObject,
    NotificationTimer,
    SynchronizationTimer,
    WaitAny,
)

pytestmark = pytest.mark.usefixtures("host")

ONE_SECOND = 10_000_000


def timer(Type: int = NotificationTimer) -> KTIMER:
    Timer = KTIMER()
    KeInitializeTimerEx(Timer, Type)
    return Timer


def wait(Object: Any, Timeout: int | None = None) -> int:
    return KeWaitForSingleObject(Object, Executive, KernelMode, False, Timeout)


def noting(calls: list[Any], context: object = "context") -> KDPC:
    Dpc = KDPC()

    def routine(Dpc: KDPC, DeferredContext: Any, SystemArgument1: Any, SystemArgument2: Any) -> None:
        calls.append((DeferredContext, SystemArgument1, SystemArgument2, KeGetCurrentIrql(), current_host()))

    KeInitializeDpc(Dpc, routine, context)
    return Dpc


@pytest.mark.parametrize("DueTime", [-3 * ONE_SECOND, LARGE_INTEGER(-3 * ONE_SECOND)])
def test_a_relative_timer_ends_a_wait_in_its_time(network: Network, DueTime: int | LARGE_INTEGER) -> None:
    Timer = timer()
    assert KeSetTimer(Timer, DueTime, None) is False
    assert KeReadStateTimer(Timer) is False
    assert wait(Timer, -ONE_SECOND) == STATUS_TIMEOUT
    assert wait(Timer) == STATUS_SUCCESS

    assert network.driver.now() == 3 * SECOND
    assert KeReadStateTimer(Timer) is True


def test_an_absolute_timer_and_one_whose_time_is_past(network: Network) -> None:
    now, Timer, past = LARGE_INTEGER(), timer(), timer()
    KeQuerySystemTime(now)
    KeSetTimer(Timer, now.QuadPart + 5 * ONE_SECOND, None)
    KeSetTimer(past, now.QuadPart - 1, None)

    assert (KeReadStateTimer(past), KeReadStateTimer(Timer)) == (True, False)
    assert wait(Timer) == STATUS_SUCCESS
    assert network.driver.now() == 5 * SECOND


def test_a_synchronization_timer_ends_one_wait_and_a_notification_timer_all() -> None:
    once, stays = timer(SynchronizationTimer), timer()
    for Timer in (once, stays):
        KeSetTimer(Timer, -1, None)
        assert wait(Timer) == STATUS_SUCCESS

    assert wait(once, 0) == STATUS_TIMEOUT
    assert wait(stays, 0) == STATUS_SUCCESS


def test_setting_again_resets_the_timer_and_voids_the_first_setting(network: Network) -> None:
    calls: list[Any] = []
    Timer, Dpc = timer(), noting(calls)
    KeSetTimer(Timer, 0, None)
    assert KeSetTimer(Timer, -2 * ONE_SECOND, Dpc) is False
    assert KeReadStateTimer(Timer) is False
    assert KeSetTimer(Timer, -4 * ONE_SECOND, Dpc) is True
    network.run_for(3)
    assert (calls, KeReadStateTimer(Timer)) == ([], False)
    network.run_for(1)

    assert len(calls) == 1


def test_a_cancelled_timer_never_expires(network: Network) -> None:
    calls: list[Any] = []
    Timer = timer()
    assert KeCancelTimer(Timer) is False
    KeSetTimer(Timer, -ONE_SECOND, noting(calls))
    assert KeCancelTimer(Timer) is True
    network.run_for(2)

    assert (calls, KeReadStateTimer(Timer)) == ([], False)


def test_a_periodic_timer_queues_its_dpc_again_and_again(network: Network, host: Host) -> None:
    calls: list[Any] = []
    Timer = timer(SynchronizationTimer)
    KeSetTimerEx(Timer, -ONE_SECOND, 250, noting(calls))
    network.run_for(0.999)
    assert calls == []
    network.run_for(0.6)

    assert calls == [("context", None, None, DISPATCH_LEVEL, host)] * 3
    assert wait(Timer) == wait(Timer) == STATUS_SUCCESS
    assert network.driver.now() == int(1.75 * SECOND)
    assert KeCancelTimer(Timer) is True
    network.run_for(2)
    assert len(calls) == 4


def test_a_timer_among_other_objects() -> None:
    first, second = timer(), timer()
    KeSetTimer(first, -2 * ONE_SECOND, None)
    KeSetTimer(second, -ONE_SECOND, None)

    found = KeWaitForMultipleObjects(2, (first, second), WaitAny, Executive, KernelMode, False, None, None)
    assert found == STATUS_WAIT_0 + 1


def test_a_timer_that_is_set_must_not_be_initialized() -> None:
    Timer = timer()
    KeSetTimer(Timer, -1, None)

    with pytest.raises(BugCheck, match="TIMER_OR_DPC_INVALID"):
        KeInitializeTimer(Timer)


def test_a_dpc_runs_at_once_below_dispatch_level_and_after_it_otherwise(host: Host) -> None:
    calls: list[Any] = []
    Dpc = noting(calls)
    assert KeInsertQueueDpc(Dpc, 1, 2) is True
    assert calls == [("context", 1, 2, DISPATCH_LEVEL, host)]

    level: list[int] = []
    KeRaiseIrql(DISPATCH_LEVEL, level)
    assert KeInsertQueueDpc(Dpc, 3, 4) is True
    assert KeInsertQueueDpc(Dpc, 5, 6) is False
    assert len(calls) == 1
    KeLowerIrql(level[0])
    assert calls[1:] == [("context", 3, 4, DISPATCH_LEVEL, host)]
    assert KeGetCurrentIrql() == PASSIVE_LEVEL


def test_a_dpc_can_be_taken_out_of_the_queue() -> None:
    calls: list[Any] = []
    Dpc, other = noting(calls, "first"), noting(calls, "second")
    level: list[int] = []
    KeRaiseIrql(DISPATCH_LEVEL, level)
    KeInsertQueueDpc(Dpc, None, None)
    KeInsertQueueDpc(other, None, None)
    with pytest.raises(BugCheck, match="while it is queued"):
        KeInitializeDpc(Dpc, lambda *arguments: None, None)
    assert [KeRemoveQueueDpc(Dpc), KeRemoveQueueDpc(Dpc)] == [True, False]
    KeLowerIrql(level[0])

    assert [call[0] for call in calls] == ["second"]
    KeFlushQueuedDpcs()


def test_a_dpc_may_queue_itself_and_is_not_entered_twice() -> None:
    depth: list[str] = []
    Dpc = KDPC()

    def routine(Dpc: KDPC, DeferredContext: Any, SystemArgument1: int, SystemArgument2: Any) -> None:
        depth.append("in")
        if SystemArgument1:
            assert KeInsertQueueDpc(Dpc, SystemArgument1 - 1, None) is True
        depth.append("out")

    KeInitializeDpc(Dpc, routine, None)
    KeInsertQueueDpc(Dpc, 2, None)

    assert depth == ["in", "out"] * 3


def test_a_dpc_must_not_wait_and_needs_a_routine() -> None:
    Dpc = KDPC()
    with pytest.raises(BugCheck, match="not initialized"):
        KeInsertQueueDpc(Dpc, None, None)
    KeInitializeDpc(Dpc, lambda *arguments: KeDelayExecutionThread(KernelMode, False, -1), None)

    with pytest.raises(BugCheck, match="R-071"):
        KeInsertQueueDpc(Dpc, None, None)
    level: list[int] = []
    KeRaiseIrql(DISPATCH_LEVEL, level)
    try:
        with pytest.raises(BugCheck, match="KeFlushQueuedDpcs may not wait"):
            KeFlushQueuedDpcs()
    finally:
        KeLowerIrql(level[0])


def test_timers_and_dpcs_in_real_time() -> None:
    """One after 1 ms and, periodic, every ms; the wait ends by the third DPC."""
    from random import Random

    from wsknet.wsk import KEVENT, KeInitializeEvent, KeSetEvent

    with RealDriver() as driver:
        driver.start()
        host = Host("real", driver, Random(1))
        with host.activate():
            Event, Timer, Dpc = KEVENT(), timer(), KDPC()
            KeInitializeEvent(Event, 0, False)
            count: list[int] = []

            def routine(*arguments: Any) -> None:
                count.append(KeGetCurrentIrql())
                if len(count) == 3:
                    KeSetEvent(Event, 0, False)

            KeInitializeDpc(Dpc, routine, None)
            KeSetTimerEx(Timer, -10_000, 1, Dpc)
            assert wait(Event, -30 * ONE_SECOND) == STATUS_SUCCESS
            assert KeCancelTimer(Timer) is True
            KeFlushQueuedDpcs()
            assert set(count) == {DISPATCH_LEVEL}
