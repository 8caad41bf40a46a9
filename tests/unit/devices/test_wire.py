from __future__ import annotations

from random import Random

from tests.unit.devices.links import Station, frame
from wsknet.devices.impair import Impairment
from wsknet.devices.wire import CABLE, Hub, Wire
from wsknet.drivers.sim import Simulation
from wsknet.types import MILLISECOND, Instant


def test_a_frame_reaches_the_other_end_whole_and_after_the_delay() -> None:
    with Simulation() as driver:
        wire = Wire(driver, Random(1), "left", "right", Impairment(delay=3 * MILLISECOND))
        left, right = Station(driver, wire.ends[0]), Station(driver, wire.ends[1])
        data = bytearray(b"payload")
        wire.ends[0].transmit((b"header ", memoryview(data)), driver.now())
        data[:] = b"reused!"
        driver.run()
        assert right.received == [(3 * MILLISECOND, b"header payload")]
        assert left.received == []
        assert [end.name for end in wire.ends] == ["left", "right"]


def test_frames_keep_their_order() -> None:
    with Simulation() as driver:
        wire = Wire(driver, Random(1))
        station = Station(driver, wire.ends[0])
        for number in range(5):
            wire.ends[1].transmit((frame(number),), driver.now())
        driver.run()
        assert station.frames == [frame(number) for number in range(5)]
        assert {at for at, _ in station.received} == {CABLE.delay}


def test_a_hub_repeats_to_all_others_in_order() -> None:
    with Simulation() as driver:
        order: list[str] = []
        hub = Hub(driver, Random(1), ["a", "b", "c", "d"])
        stations = [Station(driver, end) for end in hub.ends]
        for name, end in zip("abcd", hub.ends, strict=True):
            end.attach(lambda data, now, name=name: order.append(name), stations[0])  # type: ignore[misc]
        hub.ends[1].transmit((frame(1),), driver.now())
        driver.run()
        assert order == ["a", "c", "d"]


def test_a_cut_link_loses_and_a_mended_one_does_not() -> None:
    with Simulation() as driver:
        wire = Wire(driver, Random(1))
        station = Station(driver, wire.ends[1])
        wire.ends[0].impairment = Impairment(loss=1)
        wire.ends[0].transmit((frame(1),), driver.now())
        wire.ends[0].impairment = CABLE
        wire.ends[0].transmit((frame(2),), driver.now())
        driver.run()
        assert station.frames == [frame(2)]
        assert wire.ends[0].channel.counters.lost == 1


def test_frames_for_an_end_without_anybody_are_counted() -> None:
    with Simulation() as driver:
        wire = Wire(driver, Random(1))
        station = Station(driver, wire.ends[1])
        wire.ends[0].transmit((frame(1),), driver.now())
        wire.ends[1].close()
        driver.run()
        assert station.frames == []
        assert wire.ends[1].missed == 1


def test_the_same_seed_gives_the_same_deliveries() -> None:
    def once(seed: int) -> list[tuple[Instant, bytes]]:
        bad = Impairment(delay=MILLISECOND, jitter=MILLISECOND, loss=0.1, duplicate=0.1, corrupt=0.1, reorder=0.1)
        with Simulation() as driver:
            hub = Hub(driver, Random(seed), ["a", "b", "c"], bad)
            stations = [Station(driver, end) for end in hub.ends]
            for number in range(200):
                hub.ends[number % 3].transmit((frame(number),), driver.now())
                driver.run_for(100_000)
            driver.run()
            return [delivery for station in stations for delivery in station.received]

    assert once(5) == once(5)
    assert once(5) != once(6)
