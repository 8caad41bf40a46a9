"""Real time: frames in batches, deadlines without ticks, and errors that come out."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.unit.drivers.standin import CARD, CountingOwner, SocketDevice, StandIn, answer_with, pump_of, set_alarm
from wsknet.drivers.base import Driver, ThreadEnd
from wsknet.drivers.blocking import RealDriver
from wsknet.transport.endpoint import Event
from wsknet.types import MILLISECOND, SECOND, Instant

HOUR = 3600 * SECOND


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture
def driver() -> Iterator[RealDriver]:
    threads, descriptors = threading.active_count(), open_descriptors()
    with RealDriver() as real:
        yield real
    assert threading.active_count() == threads
    assert open_descriptors() == descriptors


@pytest.fixture
def card(driver: RealDriver, request: pytest.FixtureRequest) -> Iterator[SocketDevice]:
    """Indirectly: with that many frames in a batch."""
    device = SocketDevice(getattr(request, "param", 64))
    yield device
    driver.remove_device(device)
    device.close()


def frame(number: int) -> bytes:
    return bytes(14) + number.to_bytes(4, "big")


def in_(driver: RealDriver, duration: int) -> Instant:
    return Instant(driver.now() + duration)


def plug(driver: RealDriver, card: SocketDevice) -> StandIn:
    stack = StandIn()
    pump = pump_of(stack, driver)
    pump.attach(CARD, card)
    driver.add_device(pump, card)
    return stack


def test_a_batch_of_frames_is_settled_once(driver: RealDriver, card: SocketDevice) -> None:
    stack = plug(driver, card)
    for number in range(10):
        card.far.send(frame(number))
    driver.run(lambda: bool(stack.received))
    assert [data for _, data in stack.received] == [frame(number) for number in range(10)]
    assert card.batches == 1
    assert stack.settled == 1


def test_what_the_stack_sends_leaves_by_the_device(driver: RealDriver, card: SocketDevice) -> None:
    answer_with(plug(driver, card), lambda data: data[:14] + b"answer")
    driver.start()
    card.far.send(frame(1))
    assert card.far.recv(100) == bytes(14) + b"answer"


def test_a_removed_device_is_read_no_more(driver: RealDriver, card: SocketDevice) -> None:
    stack = plug(driver, card)
    driver.remove_device(card)
    card.far.send(frame(1))
    turned: list[bool] = []
    driver.call_at(in_(driver, MILLISECOND), lambda: turned.append(True))
    driver.run(lambda: bool(turned))
    assert not stack.received


def test_a_deadline_fires_and_not_early(driver: RealDriver) -> None:
    stack = StandIn()
    deadline = in_(driver, 3 * MILLISECOND)
    set_alarm(pump_of(stack, driver), stack, deadline)
    driver.run(lambda: bool(stack.polled))
    assert stack.polled[0] >= deadline


@pytest.mark.parametrize("card", [1], indirect=True)
def test_what_has_arrived_comes_before_a_deadline(driver: RealDriver, card: SocketDevice) -> None:
    """The machine stood still while the first frame was handled; a later one may be what the deadline waits for."""
    stack = plug(driver, card)
    seen: list[str] = []

    def receive(data: bytes, now: Instant) -> None:
        seen.append("frame")
        if len(seen) == 1:
            stack.alarm = now

    stack.on_receive = receive
    stack.on_poll = lambda now: seen.append("deadline")
    for number in range(5):
        card.far.send(frame(number))
    driver.run(lambda: bool(stack.polled))
    assert seen == ["frame"] * 5 + ["deadline"]


@pytest.mark.parametrize("card", [1], indirect=True)
def test_frames_without_end_do_not_keep_a_deadline_from_firing(driver: RealDriver, card: SocketDevice) -> None:
    stack = plug(driver, card)

    def receive(data: bytes, now: Instant) -> None:
        if len(stack.received) < 1000:
            card.far.send(data)
        if len(stack.received) == 1:
            stack.alarm = now

    stack.on_receive = receive
    stack.on_poll = lambda now: driver.stop()
    card.far.send(frame(1))
    driver.run()
    assert len(stack.received) < 64


def test_what_a_link_delivers_comes_before_a_deadline(driver: RealDriver) -> None:
    """A delaying link hands its frames over in calls."""
    stack = StandIn()
    pump = pump_of(stack, driver)
    at = in_(driver, -MILLISECOND)
    driver.call_at(at, lambda: set_alarm(pump, stack, None))
    set_alarm(pump, stack, at)
    turned: list[bool] = []
    driver.call_at(in_(driver, MILLISECOND), lambda: turned.append(True))
    driver.run(lambda: bool(turned))
    assert not stack.polled


def test_a_deadline_may_be_years_away(driver: RealDriver) -> None:
    stack = StandIn()
    set_alarm(pump_of(stack, driver), stack, in_(driver, 87_600 * HOUR))
    end = threading.Timer(0.02, driver.stop)
    end.start()
    driver.run()
    end.join()
    assert not stack.polled


def test_an_earlier_deadline_wakes_the_sleeping_loop(driver: RealDriver) -> None:
    stack = StandIn()
    pump = pump_of(stack, driver)
    set_alarm(pump, stack, in_(driver, HOUR))
    driver.start()
    polled = threading.Event()
    driver.call_at(in_(driver, MILLISECOND), polled.set)
    assert polled.wait(20)
    set_alarm(pump, stack, in_(driver, MILLISECOND))
    fired = threading.Event()
    driver.call_at(in_(driver, 2 * MILLISECOND), fired.set)
    assert fired.wait(20)
    assert len(stack.polled) == 1


def test_calls_happen_in_the_order_of_their_times(driver: RealDriver) -> None:
    seen: list[int] = []
    start = driver.now()
    for number in (3, 1, 2):
        at = Instant(start + number * MILLISECOND)
        driver.call_at(at, partial(seen.append, number))
    driver.call_at(Instant(0), lambda: seen.append(0))
    cancel = driver.call_at(Instant(start + MILLISECOND), lambda: seen.append(99))
    cancel()
    driver.run(lambda: len(seen) == 4)
    assert seen == [0, 1, 2, 3]


def test_a_wait_ends_at_its_deadline(driver: RealDriver) -> None:
    driver.start()
    deadline = in_(driver, 2 * MILLISECOND)
    assert not driver.block(lambda: False, "nothing", deadline)
    assert driver.now() >= deadline
    assert not driver.block(lambda: False, "nothing", Instant(0))


def test_run_asks_again_when_another_thread_wakes_it(driver: RealDriver) -> None:
    done: list[bool] = []
    is_running = threading.Event()

    def worker() -> None:
        is_running.wait()
        done.append(True)
        driver.wakeup()

    thread = threading.Thread(target=worker)
    thread.start()
    driver.call_at(Instant(0), is_running.set)
    driver.run(lambda: bool(done))
    thread.join()


def test_stop_from_a_callback_ends_run(driver: RealDriver) -> None:
    driver.call_at(Instant(0), driver.stop)
    driver.run()


def test_stop_from_a_signal_handler_ends_run(driver: RealDriver) -> None:
    before = signal.signal(signal.SIGUSR1, lambda number, stack: driver.stop())
    timer = threading.Timer(0, os.kill, (os.getpid(), signal.SIGUSR1))
    try:
        driver.call_at(Instant(0), timer.start)
        driver.run()
    finally:
        signal.signal(signal.SIGUSR1, before)
        timer.join()


def test_stop_before_run_is_not_forgotten(driver: RealDriver) -> None:
    driver.stop()
    driver.run()


def test_the_loop_can_be_started_again(driver: RealDriver) -> None:
    for _ in range(2):
        driver.call_at(Instant(0), driver.stop)
        driver.run()


def test_one_loop_at_a_time(driver: RealDriver) -> None:
    driver.start()
    with pytest.raises(RuntimeError, match="running already"):
        driver.run()


def test_waiting_without_a_loop_is_an_error_not_a_hang(driver: RealDriver) -> None:
    with pytest.raises(RuntimeError, match=r"start\(\) first"):
        driver.block(lambda: False, "an answer", None)


class Boom(Exception):
    pass


def boom() -> None:
    raise Boom


def test_what_a_callback_raises_comes_out_of_run(driver: RealDriver) -> None:
    driver.call_at(Instant(0), boom)
    with pytest.raises(Boom):
        driver.run()


def test_what_a_callback_raises_comes_out_of_block(driver: RealDriver) -> None:
    driver.start()
    driver.call_at(in_(driver, MILLISECOND), boom)
    with pytest.raises(Boom):
        driver.block(lambda: False, "an answer", None)
    with pytest.raises(Boom):
        driver.start()


def test_what_a_callback_raises_comes_out_of_close() -> None:
    driver = RealDriver()
    reached = threading.Event()

    def callback() -> None:
        reached.set()
        raise Boom

    driver.start()
    driver.call_at(Instant(0), callback)
    assert reached.wait(20)
    with pytest.raises(Boom):
        driver.close()
    driver.close()


def test_what_a_thread_raises_comes_out(driver: RealDriver) -> None:
    driver.start()
    driver.spawn(boom, "boom")
    with pytest.raises(Boom):
        driver.block(lambda: False, "an answer", None)


def test_a_device_that_is_gone_stops_the_driver(driver: RealDriver, card: SocketDevice) -> None:
    plug(driver, card)
    driver.start()
    card.far.close()
    with pytest.raises(OSError, match="the card is gone"):
        driver.block(lambda: False, "a frame", None)


def test_a_callback_must_not_wait(driver: RealDriver) -> None:
    driver.call_at(Instant(0), lambda: driver.block(lambda: False, "an answer", None))
    with pytest.raises(RuntimeError, match="a callback must not wait"):
        driver.run()


def test_a_callback_must_not_close(driver: RealDriver) -> None:
    driver.call_at(Instant(0), driver.close)
    with pytest.raises(RuntimeError, match=r"call stop\(\)"):
        driver.run()


def test_close_ends_threads_that_wait() -> None:
    driver = RealDriver()
    driver.start()
    ended: list[str] = []
    waiting = threading.Semaphore(0)

    def worker(name: str) -> Callable[[], None]:
        def asks() -> bool:
            waiting.release()
            return False

        def run() -> None:
            try:
                driver.block(asks, "for ever", None)
            except ThreadEnd:
                ended.append(name)
                raise

        return run

    for name in ("a", "b"):
        driver.spawn(worker(name), name)
        waiting.acquire()
    driver.close()
    assert sorted(ended) == ["a", "b"]
    with pytest.raises(RuntimeError, match="closed"):
        driver.block(lambda: False, "an answer", None)


def test_a_callback_that_wants_a_thread_while_the_driver_is_closed_ends_quietly() -> None:
    driver = RealDriver()
    begun = threading.Event()

    def wants_threads() -> None:
        while True:
            driver.spawn(begun.set, "one")

    driver.start()
    driver.call_at(driver.now(), wants_threads)
    assert begun.wait(10)
    driver.close()


def test_calls_after_close_are_harmless() -> None:
    driver = RealDriver()
    stack = StandIn()
    pump = pump_of(stack, driver)
    driver.close()
    set_alarm(pump, stack, driver.now())
    driver.call_at(Instant(0), boom)
    driver.wakeup()
    driver.stop()


def test_four_threads_hammer_one_stack(driver: RealDriver, card: SocketDevice) -> None:
    """Every completion once, in order, never two at a time, while frames come in and deadlines fire."""
    stack = StandIn()
    pump = pump_of(stack, driver)
    pump.attach(CARD, card)
    driver.add_device(pump, card)
    completed: dict[int, list[int]] = {number: [] for number in range(4)}
    running = 0

    def completing(number: int) -> Callable[[int], None]:
        def complete(readiness: int) -> None:
            nonlocal running
            running += 1
            assert running == 1
            completed[number].append(readiness)
            if readiness == CALLS:
                driver.wakeup()
            running -= 1

        return complete

    owners = [CountingOwner(pump, completing(number)) for number in range(4)]

    def worker(number: int) -> Callable[[], None]:
        def run() -> None:
            for call in range(1, CALLS + 1):
                if call % 100 == 0:
                    card.far.send(frame(call))
                with pump as now:
                    stack.events.append(Event(owners[number].endpoint, call))
                    stack.alarm = Instant(now + call % 7 * MILLISECOND)

        return run

    driver.start()
    for number in range(4):
        driver.spawn(worker(number), f"w{number}")
    done = driver.block(lambda: all(len(seen) == CALLS for seen in completed.values()), "the calls", None)
    assert done
    assert all(seen == list(range(1, CALLS + 1)) for seen in completed.values())


CALLS = 10_000


def test_it_is_a_driver() -> None:
    with RealDriver() as real:
        driver: Driver = real
        assert driver.epoch + driver.now() > 1_700_000_000 * SECOND


def test_the_loop_sleeps_when_there_is_nothing_to_do(driver: RealDriver) -> None:
    """No tick: the loop's thread does not run again before something happens."""
    driver.start()
    turned = threading.Event()
    native: list[int] = []

    def first() -> None:
        native.append(threading.get_native_id())
        turned.set()

    driver.call_at(Instant(0), first)
    assert turned.wait(20)
    status = Path(f"/proc/self/task/{native[0]}/status")
    while "S (sleeping)" not in status.read_text():
        pass

    def switches() -> str:
        return next(line for line in status.read_text().splitlines() if line.startswith("voluntary"))

    before = switches()
    assert not driver.block(lambda: False, "nothing", in_(driver, 50 * MILLISECOND))
    assert switches() == before
