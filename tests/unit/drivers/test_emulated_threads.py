"""Emulated system threads: one runs, in a fixed order, and nothing that goes wrong in one is lost."""

from __future__ import annotations

import _thread
import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from wsknet.drivers.base import DeadlockError
from wsknet.drivers.sim import Simulation
from wsknet.types import Instant


@pytest.fixture
def driver() -> Iterator[Simulation]:
    before = threading.active_count()
    with Simulation() as simulation:
        yield simulation
    assert threading.active_count() == before


class Flag:
    """An event that one waiter consumes."""

    def __init__(self, driver: Simulation) -> None:
        self._driver = driver
        self._is_set = False

    def set(self) -> None:
        self._is_set = True
        self._driver.wakeup()

    def take(self) -> bool:
        was_set, self._is_set = self._is_set, False
        return was_set

    def wait(self, what: str = "the flag", deadline: int | None = None) -> bool:
        return self._driver.block(self.take, what, None if deadline is None else Instant(deadline))


def sleep(driver: Simulation, duration: int) -> None:
    driver.block(lambda: False, "time to pass", Instant(driver.now() + duration))


def test_a_thread_starts_when_its_maker_waits(driver: Simulation) -> None:
    seen: list[str] = []
    driver.spawn(lambda: seen.append("thread"), "t")
    seen.append("main")
    driver.run()
    assert seen == ["main", "thread"]


def test_threads_take_turns_in_the_order_in_which_their_waits_end(driver: Simulation) -> None:
    seen: list[tuple[str, int]] = []

    def worker(name: str, period: int) -> Callable[[], None]:
        def run() -> None:
            for _ in range(3):
                sleep(driver, period)
                seen.append((name, driver.now()))

        return run

    driver.spawn(worker("slow", 20), "slow")
    driver.spawn(worker("fast", 10), "fast")
    driver.run()
    assert seen == [("fast", 10), ("slow", 20), ("fast", 20), ("fast", 30), ("slow", 40), ("slow", 60)]


def test_only_one_thread_runs(driver: Simulation) -> None:
    running = 0

    def worker() -> None:
        nonlocal running
        for _ in range(50):
            running += 1
            assert running == 1
            sum(range(1000))
            running -= 1
            sleep(driver, 1)

    for number in range(8):
        driver.spawn(worker, f"w{number}")
    driver.run()


def test_who_blocked_first_is_served_first(driver: Simulation) -> None:
    flag = Flag(driver)
    served: list[int] = []

    def waiter(number: int) -> Callable[[], None]:
        def run() -> None:
            flag.wait()
            served.append(number)

        return run

    for number in range(4):
        driver.spawn(waiter(number), f"w{number}")
    driver.run()
    for _ in range(4):
        flag.set()
        driver.run()
    assert served == [0, 1, 2, 3]


def test_a_signal_goes_to_who_waits_and_not_to_who_asks_later(driver: Simulation) -> None:
    flag = Flag(driver)
    seen: list[str] = []

    def waiter() -> None:
        flag.wait()
        seen.append("waiter")

    driver.spawn(waiter, "waiter")
    driver.run()
    flag.set()
    assert not flag.wait(deadline=driver.now() + 5)
    assert seen == ["waiter"]


def test_a_wait_ends_at_its_deadline(driver: Simulation) -> None:
    answers: list[tuple[bool, int]] = []
    flag = Flag(driver)
    driver.spawn(lambda: answers.append((flag.wait(deadline=30), driver.now())), "waiter")
    driver.run()
    assert answers == [(False, 30)]


def test_the_deadline_of_a_satisfied_wait_moves_no_time(driver: Simulation) -> None:
    flag = Flag(driver)
    driver.spawn(lambda: flag.wait(deadline=1000), "waiter")
    driver.call_at(Instant(10), flag.set)
    driver.run()
    assert driver.now() == 10


def test_polling_lets_the_others_run(driver: Simulation) -> None:
    flag = Flag(driver)
    seen: list[str] = []
    driver.spawn(lambda: seen.append("other"), "other")
    assert not flag.wait(deadline=driver.now())
    assert seen == ["other"]


def test_main_blocks_like_any_thread(driver: Simulation) -> None:
    flag = Flag(driver)

    def setter() -> None:
        sleep(driver, 25)
        flag.set()

    driver.spawn(setter, "setter")
    assert flag.wait()
    assert driver.now() == 25


def test_a_thread_that_has_ended_makes_the_next_one_begin(driver: Simulation) -> None:
    """Nothing else can run, so it is the ending thread that makes time pass, and so calls `spawn`."""
    seen: list[str] = []

    def note(name: str) -> None:
        seen.append(name)
        driver.wakeup()

    driver.call_at(Instant(10), lambda: driver.spawn(lambda: note("second"), "second"))
    driver.spawn(lambda: note("first"), "first")
    driver.block(lambda: len(seen) == 2, "both", None)
    assert seen == ["first", "second"]


def test_run_leaves_blocked_threads_blocked(driver: Simulation) -> None:
    flag = Flag(driver)
    seen: list[str] = []

    def server() -> None:
        while True:
            flag.wait("a client")
            seen.append("served")

    driver.spawn(server, "server")
    driver.run()
    flag.set()
    driver.run()
    assert seen == ["served"]


def test_deadlock_names_every_wait_and_ends_the_threads(driver: Simulation) -> None:
    flag = Flag(driver)
    ended: list[str] = []

    def worker(name: str) -> Callable[[], None]:
        def run() -> None:
            try:
                flag.wait(f"the fork left of {name}")
            finally:
                ended.append(name)

        return run

    for name in ("plato", "kant"):
        driver.spawn(worker(name), name)
    with pytest.raises(DeadlockError) as caught:
        flag.wait("both to eat")
    assert str(caught.value) == (
        "nothing will ever happen: main waits for both to eat; plato waits for the fork left of plato; "
        "kant waits for the fork left of kant"
    )
    assert ended == ["plato", "kant"]


def test_no_deadlock_while_somebody_has_a_deadline(driver: Simulation) -> None:
    flag = Flag(driver)
    driver.spawn(flag.wait, "for ever")
    assert not flag.wait(deadline=1000)


def test_what_a_thread_raises_surfaces_where_main_waits(driver: Simulation) -> None:
    def worker() -> None:
        sleep(driver, 10)
        raise ValueError("from a thread")

    driver.spawn(worker, "worker")
    with pytest.raises(ValueError, match="from a thread"):
        driver.run_for(100)
    assert driver.now() == 10
    driver.run_for(5)
    assert driver.now() == 15


def test_what_a_callback_raises_while_a_thread_holds_the_baton_surfaces_in_main(driver: Simulation) -> None:
    def bad() -> None:
        raise ValueError("from a callback")

    seen: list[str] = []

    def worker() -> None:
        driver.call_at(Instant(5), bad)
        sleep(driver, 10)
        seen.append("woke")

    driver.spawn(worker, "worker")
    flag = Flag(driver)
    with pytest.raises(ValueError, match="from a callback"):
        flag.wait(deadline=100)
    driver.run()
    assert seen == ["woke"]


def test_leaving_a_thread_by_system_exit_is_quiet(driver: Simulation) -> None:
    def worker() -> None:
        raise SystemExit

    driver.spawn(worker, "worker")
    driver.run()


def test_closing_runs_the_finally_blocks_one_thread_at_a_time() -> None:
    order: list[str] = []
    before = threading.active_count()
    driver = Simulation()
    flag = Flag(driver)

    def worker(name: str) -> Callable[[], None]:
        def run() -> None:
            try:
                flag.wait()
            finally:
                order.append(name)
                flag.set()

        return run

    for name in ("a", "b", "c"):
        driver.spawn(worker(name), name)
    driver.run()
    driver.spawn(lambda: order.append("never started"), "d")
    driver.close()
    assert order == ["a", "b", "c"]
    assert threading.active_count() == before
    driver.close()


def test_what_a_thread_raises_while_it_is_ended_is_not_lost() -> None:
    driver = Simulation()

    def worker() -> None:
        try:
            sleep(driver, 10)
        finally:
            raise ValueError("while unwinding")

    driver.spawn(worker, "worker")
    driver.run_for(1)
    with pytest.raises(ValueError, match="while unwinding"):
        driver.close()


def test_a_closed_simulation_takes_no_threads() -> None:
    driver = Simulation()
    driver.close()
    with pytest.raises(RuntimeError, match="closed"):
        driver.spawn(lambda: None, "late")
    with pytest.raises(RuntimeError, match="closed"):
        driver.run()


def test_only_threads_of_the_driver_may_wait(driver: Simulation) -> None:
    errors: list[str] = []

    def foreign() -> None:
        try:
            driver.block(lambda: False, "something", None)
        except RuntimeError as error:
            errors.append(str(error))

    def worker() -> None:
        thread = threading.Thread(target=foreign)
        thread.start()
        thread.join()

    driver.spawn(worker, "worker")
    driver.run()
    assert len(errors) == 1
    assert "Driver.spawn" in errors[0]


def test_only_main_runs_the_simulation(driver: Simulation) -> None:
    driver.spawn(lambda: driver.run_for(10), "worker")
    with pytest.raises(RuntimeError, match="main program"):
        driver.run()


def test_ctrl_c_reaches_main_while_a_thread_runs(driver: Simulation) -> None:
    flag = Flag(driver)

    def worker() -> None:
        _thread.interrupt_main()
        for _ in range(1000):
            sleep(driver, 1)
        flag.set()

    driver.spawn(worker, "worker")
    with pytest.raises(KeyboardInterrupt):
        flag.wait()


def test_callbacks_do_not_see_the_context_of_the_thread_that_runs_them(driver: Simulation) -> None:
    from contextvars import ContextVar

    current: ContextVar[str] = ContextVar("current")
    seen: list[str | None] = []

    def worker() -> None:
        current.set("worker")
        driver.call_at(Instant(5), lambda: seen.append(current.get(None)))
        sleep(driver, 10)

    driver.spawn(worker, "worker")
    driver.run()
    assert seen == [None]


def test_many_threads_and_signals_do_the_same_twice() -> None:
    def once() -> list[tuple[int, int]]:
        log: list[tuple[int, int]] = []
        with Simulation() as driver:
            flags = [Flag(driver) for _ in range(5)]

            def worker(number: int) -> Callable[[], None]:
                def run() -> None:
                    for turn in range(20):
                        flags[(number + 1) % 5].set()
                        flags[number].wait(deadline=driver.now() + 3 + number)
                        log.append((number, driver.now()))
                        sleep(driver, (number * 7 + turn) % 4)

                return run

            for number in range(5):
                driver.spawn(worker(number), f"w{number}")
            driver.run()
        return log

    first = once()
    assert len(first) == 100
    assert once() == first


def test_a_thread_that_is_ended_cannot_wait_again() -> None:
    driver = Simulation()
    seen: list[str] = []

    def worker() -> None:
        try:
            sleep(driver, 10)
        finally:
            assert driver.block(lambda: True, "what is there", None)
            seen.append("had it")
            sleep(driver, 10)
            seen.append("waited")

    driver.spawn(worker, "worker")
    driver.run_for(1)
    driver.close()
    assert seen == ["had it"]


def test_a_deadlock_is_told_even_if_a_thread_fails_while_it_is_ended(driver: Simulation) -> None:
    def worker() -> None:
        try:
            driver.block(lambda: False, "nothing", None)
        finally:
            raise ValueError("while unwinding")

    driver.spawn(worker, "worker")
    with pytest.raises(DeadlockError) as caught:
        driver.block(lambda: False, "something", None)
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("turns", range(20))
def test_ctrl_c_at_any_moment_loses_no_thread(driver: Simulation, turns: int) -> None:
    """A signal from outside while the baton goes round; afterwards everything goes on."""
    finished: list[str] = []

    def worker(name: str) -> Callable[[], None]:
        def run() -> None:
            for turn in range(30):
                if turn == turns and name == "b":
                    os.kill(os.getpid(), signal.SIGINT)
                sleep(driver, 1)
            finished.append(name)

        return run

    for name in ("a", "b", "c"):
        driver.spawn(worker(name), name)
    with pytest.raises(KeyboardInterrupt):
        driver.run()
    driver.run()
    assert sorted(finished) == ["a", "b", "c"]
