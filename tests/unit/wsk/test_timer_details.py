"""Timers whose time is past when they are set, that are cancelled, or initialized again, in virtual time."""

from __future__ import annotations

import pytest

from wsknet.drivers.base import DeadlockError
from wsknet.host import Network
from wsknet.types import MILLISECOND
from wsknet.wsk import (
    KDPC,
    KEVENT,
    KTIMER,
    LARGE_INTEGER,
    Executive,
    KeCancelTimer,
    KeInitializeDpc,
    KeInitializeTimer,
    KeInitializeTimerEx,
    KeQuerySystemTime,
    KeReadStateTimer,
    KernelMode,
    KeSetTimer,
    KeSetTimerEx,
    KeWaitForSingleObject,
    NotificationEvent,
    NotificationTimer,
    SynchronizationTimer,
)

pytestmark = pytest.mark.usefixtures("host")

ONE_MILLISECOND = 10_000
ONE_SECOND = 1000 * ONE_MILLISECOND


def timer() -> KTIMER:
    Timer = KTIMER()
    KeInitializeTimer(Timer)
    return Timer


def noting(network: Network, times: list[int]) -> KDPC:
    """Its routine notes when it runs, in ms."""
    Dpc = KDPC()
    KeInitializeDpc(Dpc, lambda *arguments: times.append(network.driver.now() // MILLISECOND), None)
    return Dpc


def milliseconds_ago(milliseconds: int) -> int:
    now = LARGE_INTEGER()
    KeQuerySystemTime(now)
    return now.QuadPart - milliseconds * ONE_MILLISECOND


def test_a_timer_whose_time_is_past_queues_its_dpc_at_once(network: Network) -> None:
    times: list[int] = []
    assert KeSetTimer(timer(), milliseconds_ago(1), noting(network, times)) is False
    assert times == [0]
    network.run_for(1)
    assert times == [0]


@pytest.mark.parametrize(
    ("late", "times_expected"),
    [
        (0, [0, 250, 500, 750]),
        (100, [0, 150, 400, 650, 900]),
        (249, [0, 1, 251, 501, 751]),
        (250, [0, 250, 500, 750]),
        (1100, [0, 250, 500, 750]),
    ],
)
def test_a_periodic_timer_that_is_late_makes_up_for_nothing_that_it_missed(
    network: Network, late: int, times_expected: list[int]
) -> None:
    times: list[int] = []
    KeSetTimerEx(timer(), milliseconds_ago(late), 250, noting(network, times))
    assert times == [0]
    network.run_for(0.999)

    assert times == times_expected


def test_a_timer_is_cancelled_once() -> None:
    Timer = timer()
    KeSetTimer(Timer, -ONE_SECOND, None)
    assert [KeCancelTimer(Timer), KeCancelTimer(Timer)] == [True, False]
    KeInitializeTimer(Timer)
    assert KeSetTimer(Timer, -ONE_SECOND, None) is False


def test_time_does_not_pass_for_a_timer_that_is_cancelled(network: Network) -> None:
    """Virtual time jumps to what is due next: nothing is."""
    Timer = timer()
    KeSetTimer(Timer, -5 * ONE_SECOND, None)
    KeSetTimer(Timer, -3 * ONE_SECOND, None)
    KeCancelTimer(Timer)
    with pytest.raises(DeadlockError):
        KeWaitForSingleObject(KEVENT(), Executive, KernelMode, False, None)

    assert network.driver.now() == 0


@pytest.mark.parametrize("Type", [NotificationTimer, SynchronizationTimer])
def test_a_timer_is_as_new_after_it_is_initialized_again(network: Network, Type: int) -> None:
    Timer, times = timer(), list[int]()
    KeSetTimerEx(Timer, -ONE_SECOND, 250, noting(network, times))
    network.run_for(1.1)
    KeCancelTimer(Timer)
    assert KeReadStateTimer(Timer) is True
    KeInitializeTimerEx(Timer, Type)

    assert KeReadStateTimer(Timer) is False
    assert (Timer.Type, Timer.Dpc, Timer.Period) == (Type, None, 0)
    network.run_for(3)
    assert times == [1000]


def test_what_new_objects_are() -> None:
    new = KTIMER()
    assert (new.Type, new.Dpc, new.Period, KeReadStateTimer(new)) == (NotificationTimer, None, 0, False)
    assert timer().Type == NotificationTimer
    assert KEVENT().Type == NotificationEvent
