from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.unit.devices.links import Card, Station, frame, number
from wsknet.devices.impair import Channel, Impaired, Impairment
from wsknet.drivers.sim import Simulation
from wsknet.types import MILLISECOND, SECOND, Instant
from wsknet.wire.checksum import internet_checksum

COUNT = 2000


def sent_through(impairment: Impairment, spacing: int = MILLISECOND) -> tuple[Channel, list[tuple[int, bytes]]]:
    """`COUNT` frames at a regular distance, in the order of their arrivals."""
    channel = Channel(impairment, Random(3))
    arrivals = [
        arrival for index in range(COUNT) for arrival in channel.arrivals(frame(index), Instant(index * spacing))
    ]
    return channel, sorted(arrivals, key=lambda arrival: arrival[0])


def numbers(arrivals: list[tuple[int, bytes]]) -> list[int]:
    return [number(data) for _, data in arrivals]


def test_a_perfect_link_changes_nothing() -> None:
    channel, arrivals = sent_through(Impairment())
    assert arrivals == [(index * MILLISECOND, frame(index)) for index in range(COUNT)]
    assert str(channel.counters) == "clean"


def test_delay_and_jitter_stay_in_their_bounds_and_in_order() -> None:
    _, arrivals = sent_through(Impairment(delay=20 * MILLISECOND, jitter=5 * MILLISECOND))
    assert numbers(arrivals) == list(range(COUNT))
    late = [at - index * MILLISECOND for index, (at, _) in enumerate(arrivals)]
    assert 20 * MILLISECOND <= min(late) < 21 * MILLISECOND
    assert 24 * MILLISECOND < max(late) <= 25 * MILLISECOND


def test_loss_takes_its_share() -> None:
    channel, arrivals = sent_through(Impairment(loss=0.25))
    assert COUNT - len(arrivals) == channel.counters.lost
    assert 0.2 < channel.counters.lost / COUNT < 0.3


def test_duplicates_come_right_behind() -> None:
    channel, arrivals = sent_through(Impairment(duplicate=0.25))
    assert len(arrivals) == COUNT + channel.counters.duplicated
    assert 0.2 < channel.counters.duplicated / COUNT < 0.3
    assert numbers(arrivals) == sorted(numbers(arrivals))


def test_corruption_flips_one_bit() -> None:
    channel, arrivals = sent_through(Impairment(corrupt=0.25))
    flipped = [
        (int.from_bytes(data, "big") ^ int.from_bytes(frame(index), "big")).bit_count()
        for index, (_, data) in enumerate(arrivals)
    ]
    assert set(flipped) == {0, 1}
    assert sum(flipped) == channel.counters.corrupted
    assert 0.2 < sum(flipped) / COUNT < 0.3


def packet(version: int, ecn: int, identification: int = 0) -> bytes:
    """In a frame; its header checksum is right."""
    if version == 6:
        return bytes(12) + b"\x86\xdd" + (6 << 28 | ecn << 20 | 0xFFFFF).to_bytes(4, "big") + bytes(36)
    header = bytearray(b"\x45" + bytes((0xFC | ecn, 0, 20)) + identification.to_bytes(2, "big") + bytes(14))
    header[10:12] = internet_checksum(header).to_bytes(2, "big")
    return bytes(12) + b"\x08\0" + bytes(header)


@pytest.mark.rule("RFC3168-5")
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(("sent", "arrives"), [(0, 0), (1, 3), (2, 3), (3, 3)])
def test_a_mark_reaches_those_who_understand_it(version: int, sent: int, arrives: int) -> None:
    channel = Channel(Impairment(mark=1.0), Random(3))
    for identification in range(0x10000 if version == 4 and sent != arrives else 1):  # whatever the checksum is
        [(_, arrived)] = channel.arrivals(packet(version, sent, identification), Instant(0))
        assert arrived == packet(version, arrives, identification)
    assert bool(channel.counters.marked) == (sent != arrives)


def test_marks_come_by_chance_and_take_nothing() -> None:
    channel = Channel(Impairment(mark=0.25), Random(3))
    arrived = [channel.arrivals(packet(4, 2), Instant(0)) for _ in range(COUNT)]
    assert all(len(each) == 1 for each in arrived)
    assert 0.2 < channel.counters.marked / COUNT < 0.3
    _, arrivals = sent_through(Impairment(mark=1.0))  # of no protocol that could be marked
    assert numbers(arrivals) == list(range(COUNT))
    torn = packet(4, 2)[:20]
    assert Channel(Impairment(mark=1.0), Random(3)).arrivals(torn, Instant(0)) == [(0, torn)]


def test_a_reordered_frame_is_overtaken_and_holds_up_nobody() -> None:
    channel, arrivals = sent_through(Impairment(reorder=0.1, reorder_by=3 * MILLISECOND + 1))
    late = {number(data) for at, data in arrivals if at > number(data) * MILLISECOND}
    assert len(late) == channel.counters.reordered
    assert 0.05 < len(late) / COUNT < 0.15
    assert all(at == number(data) * MILLISECOND for at, data in arrivals if number(data) not in late)
    assert numbers(arrivals) != sorted(numbers(arrivals))


def test_rate_spaces_frames_and_bounds_the_queue() -> None:
    channel = Channel(Impairment(rate=8_000_000, queue=300, delay=5), Random(1))
    arrivals = [channel.arrivals(frame(index, 100), Instant(0)) for index in range(6)]
    # A byte takes a microsecond: one frame is on the wire and 300 bytes may wait behind it.
    assert [arrival[0][0] for arrival in arrivals[:3]] == [100_005, 200_005, 300_005]
    assert arrivals[3:] == [[], [], []]
    assert channel.counters.overflowed == 3
    assert channel.arrivals(frame(9, 100), Instant(SECOND))[0][0] == SECOND + 100_005


def test_an_idle_link_takes_a_frame_larger_than_its_queue() -> None:
    channel = Channel(Impairment(rate=8_000_000, queue=0), Random(1))
    assert channel.arrivals(frame(1, 1000), Instant(0))
    assert not channel.arrivals(frame(2, 1000), Instant(0))


def test_the_rate_holds_over_time() -> None:
    _, arrivals = sent_through(Impairment(rate=1_000_000, queue=1 << 30), spacing=0)
    assert arrivals[-1][0] == COUNT * 60 * 8 * SECOND // 1_000_000


@pytest.mark.parametrize(
    "wrong",
    [{"loss": 1.1}, {"mark": 2}, {"corrupt": -0.1}, {"delay": -1}, {"rate": 0}, {"queue": -1}, {"reorder_by": -1}],
)
def test_impossible_impairments_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Impairment(**wrong)


def test_any_device_can_stand_behind_a_bad_link() -> None:
    with Simulation() as driver:
        card = Card()
        bad = Impaired(card, driver, Random(1), Impairment(delay=10), Impairment(delay=30))
        station = Station(driver, bad)
        with station as now:
            bad.transmit((b"a", b"b"), now, "why")
        card.arrive(b"answer")
        driver.run()
        assert card.sent == [(10, b"ab", "why")]
        assert station.received == [(30, b"answer")]


def test_without_delay_frames_pass_at_once() -> None:
    with Simulation() as driver:
        card = Card()
        bad = Impaired(card, driver, Random(1))
        station = Station(driver, bad)
        with station as now:
            bad.transmit((frame(1),), now)
        card.arrive(frame(2))
        assert card.sent == [(0, frame(1), None)]
        assert station.frames == [frame(2)]


def test_nothing_arrives_after_close() -> None:
    with Simulation() as driver:
        card = Card()
        bad = Impaired(card, driver, Random(1), Impairment(delay=10), Impairment(delay=10))
        station = Station(driver, bad)
        with station as now:
            bad.transmit((frame(1),), now)
        card.arrive(frame(2))
        bad.close()
        driver.run()
        assert card.is_closed
        assert not card.sent
        assert not station.frames
