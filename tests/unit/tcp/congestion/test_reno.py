from __future__ import annotations

import pytest

from tests.unit.tcp.congestion.flow import Flow, ms, sec
from wsknet.transport.tcp.congestion.reno import Reno
from wsknet.types import Instant

MSS = 1000
NOW = Instant(0)


def reno(segments: int = 10) -> Reno:
    return Reno(MSS, segments)


def acknowledge(control: Reno, count: int, flight: int | None = None) -> None:
    control.acknowledged(count, control.window if flight is None else flight, NOW, None)


@pytest.mark.rule("RFC6928-2")
@pytest.mark.parametrize(
    ("size", "segments", "window"),
    [(1460, 10, 14600), (1000, 10, 10000), (536, 10, 5360), (8960, 10, 17920), (1460, 3, 4380), (1460, 1, 1460)],
)
def test_the_initial_window_is_ten_segments_of_at_most_14600_bytes_or_two(
    size: int, segments: int, window: int
) -> None:  # fmt: skip
    assert Reno(size, segments).window == window


@pytest.mark.rule("RFC5681-3.1")
def test_slow_start_adds_what_was_acknowledged_but_at_most_a_segment() -> None:
    control = reno()
    acknowledge(control, MSS)
    assert control.window == 11 * MSS
    acknowledge(control, 2 * MSS)
    assert control.window == 12 * MSS
    acknowledge(control, 100)
    assert control.window == 12 * MSS + 100


@pytest.mark.rule("RFC5681-3.1")
def test_congestion_avoidance_adds_one_segment_per_window_acknowledged() -> None:
    control = reno()
    control.threshold = 10 * MSS
    for _ in range(9):
        acknowledge(control, MSS)
    assert control.window == 10 * MSS
    acknowledge(control, MSS)
    assert control.window == 11 * MSS


@pytest.mark.rule("RFC5681-3.1")
def test_what_was_counted_before_a_loss_does_not_count_after_it() -> None:
    control = reno()
    control.threshold = 10 * MSS
    for _ in range(9):
        acknowledge(control, MSS)
    control.loss_detected(10 * MSS, NOW)
    for _ in range(4):
        acknowledge(control, MSS)
    assert control.window == 5 * MSS
    acknowledge(control, MSS)
    assert control.window == 6 * MSS


@pytest.mark.rule("RFC4015-3")
def test_what_was_counted_before_a_loss_that_was_none_counts_again() -> None:
    control = reno()
    control.threshold = 10 * MSS
    for _ in range(9):
        acknowledge(control, MSS)
    control.loss_detected(10 * MSS, NOW)
    control.undo(NOW)
    assert control.window == 10 * MSS
    acknowledge(control, MSS)
    assert control.window == 11 * MSS


@pytest.mark.rule("RFC5681-4.3")
def test_a_window_that_was_not_used_does_not_grow() -> None:
    control = reno()
    acknowledge(control, MSS, flight=3 * MSS)
    assert control.window == 10 * MSS


@pytest.mark.rule("RFC5681-3.2")
def test_a_loss_halves_what_is_in_flight_and_keeps_two_segments() -> None:
    control = reno()
    control.loss_detected(8 * MSS, NOW)
    assert (control.window, control.threshold) == (4 * MSS, 4 * MSS)
    control.loss_detected(3 * MSS, NOW)
    assert (control.window, control.threshold) == (2 * MSS, 2 * MSS)


@pytest.mark.rule("RFC5681-3.2")
def test_what_limited_transmit_sent_beyond_the_window_does_not_count_in_the_halving() -> None:
    control = reno()
    control.loss_detected(12 * MSS, NOW)
    assert control.threshold == 5 * MSS


@pytest.mark.rule("RFC5681-3.1")
@pytest.mark.parametrize("per_ack", [1, 2])
def test_congestion_avoidance_grows_by_a_segment_per_round_trip_however_many_acknowledgements_it_has(
    per_ack: int,
) -> None:
    flow = Flow(Reno(MSS, 40), ms(50), per_ack)
    flow.lose()
    flow.run(sec(2))
    assert flow.segments == pytest.approx(20 + 40, rel=0.03)


@pytest.mark.rule("RFC5681-3.1")
@pytest.mark.parametrize(("per_ack", "factor"), [(1, 2), (2, 1.5)])
def test_slow_start_doubles_with_each_round_trip_or_half_as_much_with_delayed_acknowledgements(
    per_ack: int, factor: float
) -> None:
    flow = Flow(reno(), ms(50), per_ack)
    for _ in range(5):
        before = flow.segments
        flow.round()
        assert flow.segments == pytest.approx(factor * before, abs=1)


@pytest.mark.rule("RFC6582-3.2")
def test_leaving_fast_recovery_allows_no_burst() -> None:
    control = reno()
    control.loss_detected(10 * MSS, NOW)
    control.recovered(0, NOW)
    assert (control.window, control.threshold) == (2 * MSS, 5 * MSS)

    control = reno()
    control.loss_detected(10 * MSS, NOW)
    control.recovered(9 * MSS, NOW)
    assert control.window == 5 * MSS


@pytest.mark.rule("RFC5681-3.1")
def test_a_timeout_leaves_one_segment_and_only_the_first_one_moves_the_threshold() -> None:
    control = reno()
    control.timed_out(10 * MSS, False, NOW)
    assert (control.window, control.threshold) == (MSS, 5 * MSS)
    control.timed_out(1 * MSS, True, NOW)
    assert (control.window, control.threshold) == (MSS, 5 * MSS)


@pytest.mark.rule("RFC5681-4.1")
def test_after_idleness_the_window_is_the_initial_one_or_what_it_was_if_less() -> None:
    control = reno()
    for _ in range(20):
        acknowledge(control, MSS)
    control.idle(NOW)
    assert control.window == 10 * MSS

    control.timed_out(10 * MSS, False, NOW)
    control.idle(NOW)
    assert control.window == MSS


@pytest.mark.rule("RFC5681-3.1")
def test_after_a_lost_syn_one_segment_is_the_start() -> None:
    control = reno()
    control.lost_syn()
    assert control.window == MSS


def test_smaller_segments_never_leave_a_window_below_one() -> None:
    control = reno()
    control.timed_out(10 * MSS, False, NOW)
    control.set_segment_size(1400)
    assert control.window == 1400
