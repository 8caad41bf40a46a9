from __future__ import annotations

from dataclasses import replace

import pytest

from wsknet.tcp_policy import TcpPolicy
from wsknet.transport.tcp.rtt import RoundTrip
from wsknet.types import MILLISECOND, SECOND

FREE = replace(TcpPolicy(), min_rto=0)


def ms(count: float) -> int:
    return int(count * MILLISECOND)


@pytest.mark.rule("RFC6298-2.1")
def test_before_any_sample_the_timeout_is_that_of_the_policy() -> None:
    assert RoundTrip(TcpPolicy()).rto == 1 * SECOND
    assert RoundTrip(replace(TcpPolicy(), initial_rto=ms(3000))).rto == ms(3000)


@pytest.mark.rule("RFC6298-2.2")
def test_the_first_sample_sets_half_of_itself_as_variation() -> None:
    round_trip = RoundTrip(FREE)
    round_trip.sample(ms(100))

    assert round_trip.smoothed == ms(100)
    assert round_trip.variation == ms(50)
    assert round_trip.rto == ms(300)


@pytest.mark.rule("RFC6298-2.3")
def test_later_samples_move_by_an_eighth_and_a_quarter_the_variation_first() -> None:
    round_trip = RoundTrip(FREE)
    round_trip.sample(ms(100))
    round_trip.sample(ms(180))

    assert round_trip.variation == ms(50 * 0.75 + 80 * 0.25)  # of the old smoothed value
    assert round_trip.smoothed == ms(110)
    assert round_trip.rto == ms(110 + 4 * 57.5)


@pytest.mark.rule("RFC6298-2.4", "RFC6298-2.5")
def test_the_timeout_stays_between_the_bounds() -> None:
    round_trip = RoundTrip(TcpPolicy())
    round_trip.sample(ms(1))
    assert round_trip.rto == ms(300)
    round_trip.sample(100 * SECOND)
    assert round_trip.rto == 60 * SECOND


@pytest.mark.rule("RFC6298-5.5")
def test_backing_off_doubles_up_to_the_bound_and_a_sample_takes_it_back() -> None:
    round_trip = RoundTrip(TcpPolicy())
    for expected in (2, 4, 8, 16, 32, 60, 60):
        round_trip.back_off()
        assert round_trip.rto == expected * SECOND
    round_trip.sample(ms(200))
    assert round_trip.rto == ms(600)


@pytest.mark.rule("RFC6298-5.7")
def test_after_a_lost_syn_data_starts_with_three_seconds_unless_there_was_a_sample() -> None:
    round_trip = RoundTrip(TcpPolicy())
    round_trip.back_off()
    round_trip.syn_was_lost()
    assert round_trip.rto == 3 * SECOND

    sampled = RoundTrip(TcpPolicy())
    sampled.sample(ms(200))
    sampled.syn_was_lost()
    assert sampled.rto == ms(600)
