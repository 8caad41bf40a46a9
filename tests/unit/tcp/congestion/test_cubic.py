from __future__ import annotations

from copy import deepcopy
from math import cbrt

import pytest

from tests.unit.tcp.congestion.flow import Flow, ms, sec
from wsknet.transport.tcp.congestion.cubic import Cubic
from wsknet.types import SECOND, Duration, Instant

MSS = 1000
NOW = Instant(0)


def cubic(segments: int = 10) -> Cubic:
    return Cubic(MSS, segments)


def curve(elapsed: Duration, start: float, peak: float, prior: float, round_trip: Duration) -> float:
    """RFC 9438 in segments: the larger of figure 1 and what figure 4 comes to with a window acknowledged per round."""
    t = elapsed / SECOND
    by_time = 0.4 * (t - cbrt((peak - start) / 0.4)) ** 3 + peak
    rounds = elapsed / round_trip
    alpha = 3 * 0.3 / 1.7
    slow_rounds = (prior - start) / alpha
    by_rounds = start + alpha * rounds if rounds < slow_rounds else prior + rounds - slow_rounds
    return max(by_time, by_rounds)


PATHS = [(20, 50), (20, 400), (50, 200), (100, 100), (100, 1000), (200, 500), (300, 30)]
"""Round trip in ms and W_max in segments: from deep in the Reno-friendly region to far out of it."""


@pytest.mark.rule("RFC9438-4.2", "RFC9438-4.4", "RFC9438-4.5")
@pytest.mark.parametrize("per_ack", [1, 2])
@pytest.mark.parametrize(("round_trip", "peak"), PATHS)
def test_the_window_follows_the_cubic_function_or_reno_whichever_is_larger(
    round_trip: int, peak: int, per_ack: int
) -> None:
    flow = Flow(cubic(peak), ms(round_trip), per_ack)
    flow.lose()
    assert flow.segments == pytest.approx(0.7 * peak, rel=0.01)
    step = sec(1.5 * cbrt(0.3 * peak / 0.4)) // 20  # half as long again as it takes to the plateau
    for number in range(1, 21):
        flow.run(step)
        expected = curve(number * step, 0.7 * peak, peak, peak, ms(round_trip))
        assert flow.segments == pytest.approx(expected, rel=0.03), f"after {number * step / SECOND} s"


@pytest.mark.rule("RFC9438-4.3")
def test_in_the_reno_friendly_region_the_slope_is_half_a_segment_until_the_old_window_and_then_a_whole_one() -> None:
    flow = Flow(cubic(20), ms(10))
    flow.lose()
    flow.run(ms(10) * 11)  # (20 - 14) / (9 / 17) = 11.3 round trips
    assert flow.segments == pytest.approx(14 + 11 * 9 / 17, rel=0.03)
    flow.run(ms(10) * 20)
    assert flow.segments == pytest.approx(20 + 20 - 0.3, rel=0.03)


@pytest.mark.rule("RFC9438-4.6")
def test_a_loss_leaves_seven_tenths_but_at_least_two_segments() -> None:
    control = cubic()
    control.loss_detected(10 * MSS, NOW)
    assert (control.window, control.threshold) == (7 * MSS, 7 * MSS)
    for _ in range(9):
        control.loss_detected(control.window, NOW)
    assert (control.window, control.threshold) == (2 * MSS, 2 * MSS)


@pytest.mark.rule("RFC9438-4.2")
def test_one_window_acknowledged_adds_half_a_window_at_most() -> None:
    flow = Flow(cubic(1000), sec(1))
    flow.control.loss_detected(20 * MSS, flow.now)  # the application used little; the curve leads to a thousand
    assert flow.segments == 14
    flow.acknowledge()
    before = flow.segments
    flow.now = Instant(flow.now + sec(3))
    flow.acknowledge()
    assert flow.segments == pytest.approx(before + 0.5 * 2, abs=0.01)


@pytest.mark.rule("RFC9438-4.7")
def test_a_flow_that_did_not_get_as_far_as_last_time_has_its_plateau_lower_than_it_was() -> None:
    flow = Flow(cubic(500), ms(100))
    flow.lose()
    flow.run(sec(3))
    reached = flow.segments
    assert 350 < reached < 500
    flow.lose()
    flow.run(sec(5))
    assert flow.segments == pytest.approx(curve(sec(5), 0.7 * reached, 0.85 * reached, reached, ms(100)), rel=0.03)


@pytest.mark.rule("RFC9438-4.7")
def test_a_flow_that_got_further_has_its_plateau_where_it_got_to() -> None:
    flow = Flow(cubic(200), ms(100))
    flow.lose()
    flow.run(sec(10))
    reached = flow.segments
    assert reached > 220
    flow.lose()
    flow.run(sec(5))
    assert flow.segments == pytest.approx(curve(sec(5), 0.7 * reached, reached, reached, ms(100)), rel=0.03)


@pytest.mark.rule("RFC9438-4.8")
def test_after_a_timeout_slow_start_leads_to_seven_tenths_and_there_the_curve_is_at_its_plateau() -> None:
    flow = Flow(cubic(200), ms(200))
    flow.control.timed_out(flow.flight, False, flow.now)
    assert flow.control.window == MSS
    assert flow.control.threshold == 140 * MSS
    flow.control.timed_out(MSS, True, flow.now)
    assert flow.control.threshold == 140 * MSS
    while flow.control.window < flow.control.threshold:
        flow.acknowledge()
    flow.run(sec(8))
    assert flow.segments == pytest.approx(curve(sec(8), 140, 140, 200, ms(200)), rel=0.03)


@pytest.mark.rule("RFC9406-4.2", "RFC3465-2.3")
def test_slow_start_counts_eight_segments_per_acknowledgement_and_one_after_a_timeout() -> None:
    control = cubic(20)
    control.acknowledged(2 * MSS, 20 * MSS, NOW, None)
    assert control.window == 22 * MSS
    control.acknowledged(12 * MSS, 22 * MSS, NOW, None)
    assert control.window == 30 * MSS

    control.timed_out(30 * MSS, False, NOW)
    for window in (2, 3, 4):
        control.acknowledged(20 * MSS, 30 * MSS, NOW, None)
        assert control.window == window * MSS


@pytest.mark.rule("RFC9438-4.10", "RFC9438-4.3")
def test_what_goes_beyond_the_threshold_counts_in_congestion_avoidance() -> None:
    control = cubic()
    control.loss_detected(10 * MSS, NOW)
    control.recovered(2 * MSS, NOW)
    control.acknowledged(3 * MSS, 3 * MSS, NOW, None)
    assert control.window == 6 * MSS
    control.acknowledged(6 * MSS, 6 * MSS, NOW, None)
    assert control.window == int((7 + 9 / 17 * 5 / 7) * MSS)


@pytest.mark.rule("RFC3465-2.3")
def test_only_the_slow_start_after_the_timeout_itself_is_careful() -> None:
    control = cubic()
    control.timed_out(10 * MSS, False, NOW)
    while control.window < 12 * MSS:
        control.acknowledged(control.window, control.window, NOW, None)
    control.congestion_experienced(control.window, NOW)
    control.recovered(0, NOW)
    assert control.window == control.threshold
    control.loss_detected(control.window, NOW)
    control.recovered(0, NOW)
    control.acknowledged(2 * MSS, 2 * MSS, NOW, None)
    assert control.window == 4 * MSS


@pytest.mark.rule("RFC9438-4.2", "RFC9438-5.8")
@pytest.mark.parametrize("is_idle", [True, False])
def test_time_in_which_the_application_was_the_limit_does_not_move_the_curve(is_idle: bool) -> None:
    flow = Flow(cubic(300), ms(100))
    flow.lose()
    flow.run(sec(2))
    before = flow.control.window
    for _ in range(100):
        flow.now = Instant(flow.now + sec(1))
        if not is_idle:
            flow.acknowledge(flight=10 * MSS)
    assert flow.control.window == before
    if is_idle:
        flow.control.idle(flow.now)  # the initial window is larger: no slow start
    flow.run(sec(3))
    assert flow.segments == pytest.approx(curve(sec(5), 210, 300, 300, ms(100)), rel=0.03)


@pytest.mark.rule("RFC9438-5.8")
def test_a_pause_shorter_than_the_timeout_counts_as_no_more_than_a_round_trip() -> None:
    flow = Flow(cubic(300), ms(100))
    flow.lose()
    flow.run(sec(2))
    for left in range(flow.flight, 0, -flow.count):  # what is in flight drains
        flow.acknowledge(flight=left)
    for _ in range(30):
        flow.now = Instant(flow.now + ms(900))
        before = flow.control.window
        flow.acknowledge()
        flow.control.acknowledged(flow.flight, flow.flight, flow.now, flow.round_trip)
        assert flow.control.window - before < 0.1 * before
    assert flow.segments == pytest.approx(curve(sec(5), 210, 300, 300, ms(100)), rel=0.03)


@pytest.mark.rule("RFC9438-5.8", "RFC5681-4.1")
def test_after_an_idle_time_slow_start_leads_back_to_the_threshold_and_a_new_curve_begins() -> None:
    flow = Flow(Cubic(MSS, 10), ms(100))
    while flow.segments < 300:
        flow.acknowledge(sample=ms(100))
    flow.lose()
    flow.run(sec(5))
    threshold = flow.control.threshold
    flow.now = Instant(flow.now + sec(50))
    flow.control.idle(flow.now)
    assert flow.control.window == 10 * MSS
    while flow.control.window < threshold:
        flow.acknowledge()
    flow.run(sec(3))
    assert flow.segments == pytest.approx(curve(sec(3), 210, 300, 300, ms(100)), rel=0.03)


@pytest.mark.rule("RFC9438-4.9.2")
def test_undoing_a_reduction_goes_on_with_the_curve_where_it_was() -> None:
    flow = Flow(cubic(400), ms(100))
    flow.lose()
    flow.run(sec(3))
    undisturbed = deepcopy(flow)
    for is_timeout in (False, True):
        if is_timeout:
            flow.control.timed_out(flow.flight, False, flow.now)
        else:
            flow.control.loss_detected(flow.flight, flow.now)
        assert flow.control.window < undisturbed.control.window
        flow.now = Instant(flow.now + ms(100))
        flow.control.undo(flow.now)
        assert (flow.control.window, flow.control.threshold) == (undisturbed.control.window, 280 * MSS)
    flow.run(sec(8))
    undisturbed.run(sec(8))
    assert flow.segments == pytest.approx(undisturbed.segments, rel=0.001)


@pytest.mark.rule("RFC9438-4.9.2", "RFC9438-4.7")
def test_an_undone_loss_does_not_count_for_fast_convergence() -> None:
    flow = Flow(cubic(400), ms(100))
    flow.lose()
    flow.control.loss_detected(flow.flight, flow.now)
    flow.control.undo(flow.now)
    flow.run(sec(6))
    assert flow.segments == pytest.approx(curve(sec(6), 280, 400, 400, ms(100)), rel=0.03)


@pytest.mark.rule("RFC9438-4.2")
@pytest.mark.parametrize("is_undone", [False, True])
def test_the_curve_is_in_segments_of_the_size_that_they_have(is_undone: bool) -> None:
    flow = Flow(cubic(400), ms(100))
    flow.lose()
    if is_undone:
        flow.control.loss_detected(flow.flight, flow.now)
    flow.control.set_segment_size(500)
    flow.count = 1000
    if is_undone:
        flow.control.undo(flow.now)
    flow.run(sec(14))
    assert flow.segments == pytest.approx(curve(sec(14), 560, 800, 800, ms(100)), rel=0.03)


def test_without_any_sample_of_the_round_trip_the_window_still_follows_the_curve() -> None:
    flow = Flow(cubic(400), ms(100))
    flow.control.loss_detected(flow.flight, flow.now)
    for _ in range(20_000):
        flow.now = Instant(flow.now + ms(0.5))
        flow.control.acknowledged(2 * MSS, flow.flight, flow.now, None)
    assert flow.segments == pytest.approx(0.4 * (10 - cbrt(300)) ** 3 + 400, rel=0.03)
