"""The same program that waits, in virtual and in real time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import pytest

from wsknet.drivers.base import Driver
from wsknet.drivers.blocking import RealDriver
from wsknet.drivers.sim import Simulation


@pytest.fixture(params=["virtual", "real"])
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    if request.param == "virtual":
        with Simulation() as simulation:
            yield simulation
    else:
        with RealDriver() as real:
            real.start()
            yield real


class Box:
    """A bounded queue as a program on a driver writes it."""

    def __init__(self, driver: Driver, room: int) -> None:
        self._driver = driver
        self._items: deque[int] = deque()
        self._room = room

    def put(self, item: int) -> None:
        def has_room() -> bool:
            if len(self._items) == self._room:
                return False
            self._items.append(item)
            return True

        self._driver.block(has_room, "room in the box", None)
        self._driver.wakeup()

    def take(self) -> int:
        taken: list[int] = []

        def has_item() -> bool:
            if not self._items:
                return False
            taken.append(self._items.popleft())
            return True

        self._driver.block(has_item, "something in the box", None)
        self._driver.wakeup()
        return taken[0]


def producer(box: Box, items: range) -> Callable[[], None]:
    def run() -> None:
        for item in items:
            box.put(item)

    return run


def test_a_producer_and_a_consumer(driver: Driver) -> None:
    box = Box(driver, room=3)
    driver.spawn(producer(box, range(500)), "producer")
    assert [box.take() for _ in range(500)] == list(range(500))


def test_two_of_each_lose_and_double_nothing(driver: Driver) -> None:
    box, results = Box(driver, room=2), Box(driver, room=1000)

    def consumer() -> None:
        for _ in range(300):
            results.put(box.take())

    for name in ("one", "two"):
        driver.spawn(consumer, f"consumer {name}")
    for name, items in (("low", range(300)), ("high", range(300, 600))):
        driver.spawn(producer(box, items), f"producer {name}")
    assert sorted(results.take() for _ in range(600)) == list(range(600))


def test_a_signal_is_taken_once(driver: Driver) -> None:
    """Three threads wait for one token that goes round; each sees it in turn."""
    holder = [0]
    log: list[int] = []

    def worker(number: int) -> Callable[[], None]:
        def run() -> None:
            for _ in range(100):
                driver.block(lambda: holder[0] == number, f"token {number}", None)
                log.append(number)
                holder[0] = (number + 1) % 3
                driver.wakeup()

        return run

    for number in range(3):
        driver.spawn(worker(number), f"w{number}")
    driver.block(lambda: len(log) == 300 and holder[0] == 0, "three hundred turns", None)
    assert log == [0, 1, 2] * 100
