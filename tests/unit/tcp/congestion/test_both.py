"""What holds for every algorithm."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsknet.tcp_policy import CongestionAlgorithm
from wsknet.transport.tcp.congestion.algorithms import ALGORITHMS
from wsknet.transport.tcp.congestion.base import LARGEST_WINDOW, CongestionControl
from wsknet.types import SECOND, Instant

MSS = 1000
NOW = Instant(0)
BOTH = pytest.mark.parametrize("algorithm", list(CongestionAlgorithm), ids=lambda algorithm: algorithm.value)
KEPT = {CongestionAlgorithm.NEW_RENO: 0.5, CongestionAlgorithm.CUBIC: 0.7}


def control_of(algorithm: CongestionAlgorithm, segments: int = 10) -> CongestionControl:
    return ALGORITHMS[algorithm](MSS, segments)


def state(control: CongestionControl) -> tuple[int, int]:
    return control.window, control.threshold


@BOTH
@pytest.mark.rule("RFC3168-6.1.2", "RFC9438-4.6")
def test_an_echo_of_congestion_reduces_as_a_loss_does_but_down_to_one_segment(algorithm: CongestionAlgorithm) -> None:
    control = control_of(algorithm)
    control.congestion_experienced(10 * MSS, NOW)
    assert state(control) == (10 * KEPT[algorithm] * MSS,) * 2
    for _ in range(9):
        control.congestion_experienced(control.window, NOW)
    assert state(control) == (MSS, 2 * MSS)


@BOTH
@pytest.mark.rule("RFC9438-4.9", "RFC4015-3")
def test_undo_restores_window_and_threshold_once(algorithm: CongestionAlgorithm) -> None:
    control = control_of(algorithm, 100)
    control.undo(NOW)
    assert control.window == 100 * MSS
    control.loss_detected(100 * MSS, NOW)
    control.recovered(control.window, NOW)
    before = state(control)
    control.timed_out(control.window, False, NOW)
    control.timed_out(MSS, True, NOW)
    control.undo(NOW)
    assert state(control) == before
    control.timed_out(MSS, True, NOW)
    control.undo(NOW)
    assert control.window == MSS


@BOTH
@pytest.mark.rule("RFC5681-3.1")
def test_the_threshold_that_comes_back_is_two_segments_of_their_present_size(algorithm: CongestionAlgorithm) -> None:
    control = control_of(algorithm)
    control.loss_detected(2 * MSS, NOW)
    for _ in range(20):
        control.acknowledged(control.window, control.window, NOW, None)
    control.loss_detected(control.window, NOW)
    control.set_segment_size(2 * MSS)
    control.undo(NOW)
    assert control.threshold == 4 * MSS


@BOTH
@pytest.mark.rule("RFC5681-3.1")
def test_a_timeout_ends_the_recovery_that_it_came_in(algorithm: CongestionAlgorithm) -> None:
    control = control_of(algorithm, 100)
    control.loss_detected(100 * MSS, NOW)
    control.timed_out(100 * MSS, False, NOW)
    control.recovered(20 * MSS, NOW)
    assert control.window == MSS


@BOTH
@pytest.mark.rule("RFC9438-4.9")
def test_the_end_of_a_recovery_that_was_undone_changes_nothing(algorithm: CongestionAlgorithm) -> None:
    control = control_of(algorithm, 100)
    before = state(control)
    control.loss_detected(100 * MSS, NOW)
    control.undo(NOW)
    control.recovered(3 * MSS, NOW)
    assert state(control) == before


@BOTH
@pytest.mark.rule("RFC9438-4.9")
def test_undo_never_takes_from_a_window_that_has_grown_beyond_the_old_one(algorithm: CongestionAlgorithm) -> None:
    control = control_of(algorithm, 10)
    control.timed_out(10 * MSS, False, NOW)
    for number in range(1000):
        control.acknowledged(MSS, control.window, Instant(number * SECOND // 100), SECOND // 10)
    grown = control.window
    assert grown > 11 * MSS
    control.undo(NOW)
    assert control.window == grown


@BOTH
@pytest.mark.rule("RFC3168-6.1.2")
def test_a_mark_of_congestion_is_not_undone_nor_what_came_before_it(algorithm: CongestionAlgorithm) -> None:
    control = control_of(algorithm, 100)
    control.loss_detected(100 * MSS, NOW)
    control.recovered(100 * MSS, NOW)
    control.congestion_experienced(control.window, NOW)
    before = state(control)
    control.undo(NOW)
    assert state(control) == before


@BOTH
@pytest.mark.rule("RFC6582-3.2")
def test_leaving_recovery_with_little_in_flight_opens_the_window_no_further_than_one_segment_beyond(
    algorithm: CongestionAlgorithm,
) -> None:
    control = control_of(algorithm, 100)
    control.loss_detected(100 * MSS, NOW)
    threshold = control.threshold
    control.recovered(7 * MSS, NOW)
    assert state(control) == (8 * MSS, threshold)


@BOTH
@pytest.mark.rule("RFC9438-5.8", "RFC7661-1")
def test_a_window_that_is_not_used_does_not_grow_in_either_phase(algorithm: CongestionAlgorithm) -> None:
    control = control_of(algorithm, 100)
    for number in range(100):
        control.acknowledged(MSS, 50 * MSS, Instant(number * SECOND), SECOND)
    assert control.window == 100 * MSS
    control.acknowledged(MSS, 51 * MSS, Instant(100 * SECOND), SECOND)
    assert control.window == 101 * MSS  # slow start: more than half of it is tested

    control.loss_detected(100 * MSS, Instant(101 * SECOND))
    control.recovered(100 * MSS, Instant(101 * SECOND))
    window = control.window
    for number in range(102, 200):
        control.acknowledged(MSS, window - 2 * MSS, Instant(number * SECOND), SECOND)
    assert control.window == window


@BOTH
@pytest.mark.rule("RFC5681-3.1")
def test_a_lost_syn_leaves_one_segment_and_slow_start(algorithm: CongestionAlgorithm) -> None:
    control = control_of(algorithm)
    control.lost_syn()
    assert state(control) == (MSS, LARGEST_WINDOW)
    control.acknowledged(MSS, MSS, NOW, None)
    assert control.window == 2 * MSS


@BOTH
@pytest.mark.rule("RFC5681-4.1")
def test_idleness_ends_at_the_initial_window_keeps_the_threshold_and_is_final(algorithm: CongestionAlgorithm) -> None:
    control = control_of(algorithm)
    for _ in range(90):
        control.acknowledged(MSS, control.window, NOW, None)
    control.loss_detected(100 * MSS, NOW)
    threshold = control.threshold
    control.idle(NOW)
    assert state(control) == (10 * MSS, threshold)
    control.undo(NOW)
    assert state(control) == (10 * MSS, threshold)


CALLS = st.one_of(
    st.tuples(st.just("acknowledged"), st.floats(0, 1), st.floats(0, 1.2), st.none() | st.integers(1, 10 * SECOND)),
    st.tuples(st.just("loss_detected"), st.floats(0, 1.5)),
    st.tuples(st.just("recovered"), st.floats(0, 1.5)),
    st.tuples(st.just("timed_out"), st.floats(0, 1.5), st.booleans()),
    st.tuples(st.just("congestion_experienced"), st.floats(0, 1.5)),
    st.tuples(st.sampled_from(["undo", "idle", "lost_syn"])),
    st.tuples(st.just("set_segment_size"), st.integers(48, 9000)),
    st.tuples(st.just("full"), st.integers(1, 60)),
)


def call(control: CongestionControl, what: tuple[object, ...], now: Instant) -> None:
    match what:
        case ("acknowledged", float(share), float(used), round_trip):
            flight = max(1, int(control.window * used))
            assert round_trip is None or isinstance(round_trip, int)
            control.acknowledged(max(1, int(flight * share)), flight, now, round_trip)
        case ("full", int(times)):
            for _ in range(times):
                control.acknowledged(control.window, control.window, now, SECOND // 10)
        case ("loss_detected", float(used)):
            control.loss_detected(int(control.window * used), now)
            assert control.window == control.threshold >= 2 * control.segment_size
        case ("recovered", float(used)):
            control.recovered(int(control.window * used), now)
        case ("timed_out", float(used), bool(is_repeated)):
            control.timed_out(int(control.window * used), is_repeated, now)
            assert control.window == control.segment_size
        case ("congestion_experienced", float(used)):
            control.congestion_experienced(int(control.window * used), now)
        case ("undo",):
            control.undo(now)
        case ("idle",):
            control.idle(now)
        case ("lost_syn",):
            control.lost_syn()
        case ("set_segment_size", int(size)):
            control.set_segment_size(size)
        case _:
            raise AssertionError(what)


@BOTH
@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(0, 100 * SECOND), CALLS), max_size=40),
    size=st.integers(48, 9000),
    segments=st.integers(1, 40),
)
def test_whatever_happens_the_window_is_a_segment_at_least_and_the_threshold_two(
    algorithm: CongestionAlgorithm, steps: list[tuple[int, tuple[object, ...]]], size: int, segments: int
) -> None:
    control = ALGORITHMS[algorithm](size, segments)
    now = NOW
    for wait, what in steps:
        now = Instant(now + wait)
        call(control, what, now)
        assert isinstance(control.window, int)
        assert control.segment_size <= control.window <= LARGEST_WINDOW
        assert 2 * control.segment_size <= control.threshold <= LARGEST_WINDOW
