"""Virtual time: order, jumps, deadlines and what the main program may ask for."""

from __future__ import annotations

import pytest

from tests.unit.drivers.standin import StandIn, pump_of, set_alarm
from wsknet.drivers.base import DeadlockError, Driver
from wsknet.drivers.sim import Simulation
from wsknet.types import SECOND, Instant


def test_events_happen_at_their_time_and_in_the_order_of_the_calls() -> None:
    with Simulation() as driver:
        seen: list[tuple[str, int]] = []

        def note(name: str) -> None:
            seen.append((name, driver.now()))

        driver.call_at(Instant(20), lambda: note("c"))
        driver.call_at(Instant(10), lambda: note("a"))
        driver.call_at(Instant(10), lambda: note("b"))
        driver.run()
        assert seen == [("a", 10), ("b", 10), ("c", 20)]


def test_an_hour_takes_no_time() -> None:
    with Simulation() as driver:
        done: list[int] = []
        driver.call_at(Instant(3600 * SECOND), lambda: done.append(driver.now()))
        assert driver.run_until(lambda: bool(done))
        assert done == [3600 * SECOND]


def test_a_call_in_the_past_happens_now() -> None:
    with Simulation() as driver:
        driver.run_for(100)
        seen: list[int] = []
        driver.call_at(Instant(5), lambda: seen.append(driver.now()))
        driver.run()
        assert seen == [100]


def test_a_cancelled_call_does_not_happen_and_moves_no_time() -> None:
    with Simulation() as driver:
        cancel = driver.call_at(Instant(50), lambda: pytest.fail("cancelled"))
        cancel()
        driver.run()
        assert driver.now() == 0


def test_run_for_includes_its_end_and_what_is_added_for_it_meanwhile() -> None:
    with Simulation() as driver:
        seen: list[str] = []
        driver.call_at(Instant(100), lambda: driver.call_at(Instant(100), lambda: seen.append("added")))
        driver.call_at(Instant(101), lambda: seen.append("later"))
        driver.run_for(100)
        assert seen == ["added"]
        assert driver.now() == 100


def test_run_for_moves_the_clock_without_events() -> None:
    with Simulation() as driver:
        driver.run_for(7)
        driver.run_for(8)
        assert driver.now() == 15


def test_run_until_asks_after_every_event() -> None:
    with Simulation() as driver:
        seen: list[int] = []
        for at in (1, 2, 3):
            driver.call_at(Instant(at), lambda: seen.append(driver.now()))
        assert driver.run_until(lambda: len(seen) == 2)
        assert driver.now() == 2


def test_run_until_gives_up_at_its_deadline() -> None:
    with Simulation() as driver:
        assert not driver.run_until(lambda: False, Instant(30))
        assert driver.now() == 30


def test_run_until_that_can_never_come_true_says_so() -> None:
    with Simulation() as driver, pytest.raises(DeadlockError, match="main waits for the answer"):
        driver.run_until(lambda: False, what="the answer")


def test_step_lets_one_event_happen() -> None:
    with Simulation() as driver:
        seen: list[int] = []
        driver.call_at(Instant(1), lambda: seen.append(1))
        driver.call_at(Instant(1), lambda: seen.append(2))
        assert driver.step()
        assert seen == [1]
        assert driver.step()
        assert not driver.step()
        assert seen == [1, 2]


def test_a_pump_is_fired_at_its_deadline() -> None:
    with Simulation() as driver:
        stack = StandIn()
        pump = pump_of(stack, driver)
        set_alarm(pump, stack, 40)
        driver.run()
        assert stack.polled == [40]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [([40, 60], [60]), ([40, 20], [20]), ([40, None], []), ([40, None, 50], [50]), ([40, 20, 60], [60])],
)
def test_the_last_deadline_of_a_pump_counts(settings: list[int | None], expected: list[int]) -> None:
    with Simulation() as driver:
        stack = StandIn()
        pump = pump_of(stack, driver)
        for deadline in settings:
            set_alarm(pump, stack, deadline)
        driver.run()
        assert stack.polled == expected
        assert driver.now() == (expected[-1] if expected else 0)


def test_a_pump_never_sees_a_time_before_now() -> None:
    with Simulation() as driver:
        stack = StandIn()
        pump = pump_of(stack, driver)
        driver.run_for(100)
        set_alarm(pump, stack, 10)
        driver.run()
        assert stack.polled == [100]


def test_entering_a_core_twice_is_an_error() -> None:
    with Simulation() as driver:
        pump = pump_of(StandIn(), driver)
        with pump, pytest.raises(RuntimeError, match="driver lock held"):
            pump.__enter__()


def test_a_callback_must_not_wait() -> None:
    with Simulation() as driver:
        driver.call_at(Instant(1), lambda: driver.block(lambda: False, "nothing", None))
        with pytest.raises(RuntimeError, match="a callback must not wait"):
            driver.run()


def test_nobody_waits_with_the_lock_held() -> None:
    with Simulation() as driver, driver.lock, pytest.raises(RuntimeError, match="lock held"):
        driver.block(lambda: True, "nothing", None)


def test_what_a_callback_raises_comes_out_and_the_rest_still_happens() -> None:
    with Simulation() as driver:
        seen: list[int] = []

        def bad() -> None:
            raise ValueError("from a callback")

        driver.call_at(Instant(1), bad)
        driver.call_at(Instant(2), lambda: seen.append(2))
        with pytest.raises(ValueError, match="from a callback"):
            driver.run()
        driver.run()
        assert seen == [2]


def test_it_is_a_driver() -> None:
    driver: Driver = Simulation(epoch=5)
    assert driver.epoch == 5
