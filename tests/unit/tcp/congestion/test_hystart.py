from __future__ import annotations

import pytest

from tests.unit.tcp.congestion.flow import Flow, ms, sec
from wsknet.transport.tcp.congestion.cubic import Cubic
from wsknet.types import Duration, Instant

MSS = 1000
PLAIN = 2.0
CONSERVATIVE = 1.25
"""What a round trip multiplies the window by."""


class Rounds(Flow):
    left = 20 * MSS

    def round(self, sample: Duration | None = None) -> None:
        """As RFC 9406 4.2 counts: up to what had been sent when the acknowledgement that ended the last round came."""
        for _ in range(self.left // self.count):
            self.left = self.flight - self.count
            self.acknowledge(sample=sample)


def growth(flow: Flow, delay: Duration) -> float:
    before = flow.segments
    flow.round(sample=delay)
    return flow.segments / before


def started() -> Rounds:
    """Two rounds of slow start with a delay of 40 ms."""
    flow = Rounds(Cubic(MSS, 20), ms(40), per_ack=1)
    for _ in range(2):
        assert growth(flow, ms(40)) == pytest.approx(PLAIN, rel=0.05)
    return flow


@pytest.mark.rule("RFC9406-4.2")
def test_a_delay_that_grows_by_an_eighth_makes_slow_start_conservative_and_five_rounds_later_ends_it() -> None:
    flow = started()
    growth(flow, ms(45.1))
    rounds = 0
    while flow.control.threshold > flow.control.window:
        assert growth(flow, ms(45.1)) == pytest.approx(CONSERVATIVE, rel=0.05)
        rounds += 1
    assert rounds == 4  # and the one in which it began
    assert flow.control.threshold == pytest.approx(flow.control.window, rel=0.01)


@pytest.mark.rule("RFC9406-4.2")
@pytest.mark.parametrize(
    ("base", "delay", "is_enough"),
    [(40, 44.9, False), (40, 45.0, True), (8, 11.9, False), (8, 12, True), (400, 415.9, False), (400, 416, True)],
)
def test_the_delay_that_counts_is_an_eighth_but_four_milliseconds_at_least_and_sixteen_at_most(
    base: float, delay: float, is_enough: bool
) -> None:
    flow = Rounds(Cubic(MSS, 20), ms(40), per_ack=1)
    growth(flow, ms(base))
    growth(flow, ms(delay))
    assert (growth(flow, ms(delay)) < 1.5) is is_enough


@pytest.mark.rule("RFC9406-4.2")
def test_when_the_delay_falls_again_slow_start_resumes() -> None:
    flow = started()
    growth(flow, ms(60))
    assert growth(flow, ms(60)) == pytest.approx(CONSERVATIVE, rel=0.05)
    growth(flow, ms(55))
    assert growth(flow, ms(55)) == pytest.approx(PLAIN, rel=0.05)
    assert flow.control.threshold > 2 * flow.control.window
    growth(flow, ms(70))
    for _ in range(3):
        assert growth(flow, ms(70)) == pytest.approx(CONSERVATIVE, rel=0.05)
    assert flow.control.threshold > 2 * flow.control.window


@pytest.mark.rule("RFC9406-4.3", "RFC5681-4.1")
def test_after_an_idle_time_the_delay_from_before_it_is_forgotten() -> None:
    flow = started()
    flow.control.idle(flow.now)
    flow.left = flow.flight
    for _ in range(3):
        assert growth(flow, ms(80)) == pytest.approx(PLAIN, rel=0.06)


@pytest.mark.rule("RFC9406-4.2", "RFC5681-3.1")
def test_tiny_segments_may_end_it_with_a_threshold_of_two_segments() -> None:
    control = Cubic(MSS, 10)
    control.lost_syn()
    for delay in (40, 40, 60, 60, 60, 60, 60, 60):
        for _ in range(10):
            control.acknowledged(10, 100, Instant(0), ms(delay))
    assert control.window < control.threshold == 2 * MSS


@pytest.mark.rule("RFC9406-4.2")
def test_a_round_with_fewer_than_eight_samples_tells_nothing() -> None:
    control = Cubic(MSS, 20)
    flow = Flow(control, ms(40), per_ack=1)
    growth(flow, ms(40))
    for _ in range(4):
        segments = int(flow.segments)
        for number in range(segments):
            control.acknowledged(MSS, flow.flight, flow.now, ms(100) if number < 7 else None)
        assert flow.segments == 2 * segments


@pytest.mark.rule("RFC9406-4.3")
def test_later_slow_starts_heed_their_threshold_and_not_the_delay() -> None:
    flow = Flow(Cubic(MSS, 200), ms(40), per_ack=1)
    flow.control.timed_out(flow.flight, False, flow.now)
    while flow.control.window < 128 * MSS:
        assert growth(flow, ms(40 + flow.segments)) == pytest.approx(PLAIN, rel=0.05)


@pytest.mark.rule("RFC9438-4.10")
@pytest.mark.parametrize(("round_trip", "time"), [(100, 6), (20, 2)])
def test_after_a_slow_start_that_ended_without_loss_the_curve_is_at_its_plateau(round_trip: int, time: int) -> None:
    flow = started()
    while flow.control.threshold > flow.control.window:
        growth(flow, ms(60))
    start = flow.control.threshold / MSS
    flow.round_trip = ms(round_trip)
    flow.run(sec(time))
    # Reno's estimate is at the prior window from the start: a segment per round trip.
    assert flow.segments == pytest.approx(start + max(0.4 * time**3, time * 1000 / round_trip), rel=0.03)


@pytest.mark.rule("RFC9406-4.2")
def test_a_loss_ends_it_and_an_undone_one_does_not() -> None:
    flow = started()
    window = flow.control.window
    flow.control.loss_detected(flow.flight, flow.now)
    assert flow.control.window == pytest.approx(0.7 * window, rel=0.01)
    flow.control.undo(flow.now)
    assert flow.control.window == window
    growth(flow, ms(60))
    assert growth(flow, ms(60)) == pytest.approx(CONSERVATIVE, rel=0.05)


def test_it_can_be_left_out() -> None:
    flow = Flow(Cubic(MSS, 20, has_hystart=False), ms(40), per_ack=1)
    for delay in (40, 80, 160, 320):
        assert growth(flow, ms(delay)) == pytest.approx(PLAIN, rel=0.05)
