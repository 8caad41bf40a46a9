"""Two hosts, a bad link, and byte streams that arrive whole: RFC 9293 2.2 ("reliable, in-order").

Unlike the worlds of `tests/simulation` these are so patient that no connection may be lost, whatever the link does.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulation.plain import plain_end, plain_world
from tests.simulation.plan import EndPlan
from tests.simulation.run import Outcome, run_world
from tests.support.tcp_lab import with_tcp
from wsknet.behaviour import LINUX
from wsknet.devices.impair import Impairment
from wsknet.types import MILLISECOND, SECOND, Family

PATIENT = with_tcp(LINUX, time_wait=1000 * SECOND, syn_retries=20, syn_ack_retries=20)
PATIENT = replace(PATIENT, neighbour_failure_is_final=False)
"""TIME-WAIT outlasts every pause between two FINs: else the second of them may find nobody, and be reset."""


def end(rng: Random, size: int, buffer: int) -> EndPlan:
    """Any mixture of sizes, down to single bytes; sometimes at leisure."""
    return replace(
        plain_end(size),
        writes=tuple(rng.choices((1, 10, 500, 1460, 5000, 50_000), k=20)),
        lent=100_000,
        reads=tuple(rng.choices((1, 100, 3000, 1 << 20), k=20)),
        read_gap=rng.choice((0, MILLISECOND)),
        buffer=buffer,
        no_delay=rng.random() < 0.2,
    )


def converse(
    seed: int, family: Family, loss: float, duplication: float, jitter_ms: int, buffer: int, sizes: tuple[int, int]
) -> Outcome:
    rng = Random(seed)
    link = Impairment(
        delay=5 * MILLISECOND,
        jitter=jitter_ms * MILLISECOND,
        loss=loss,
        duplicate=duplication,
        reorder=0.3 if jitter_ms else 0.0,
        reorder_by=jitter_ms * MILLISECOND,
    )
    ends = end(rng, sizes[0], buffer), end(rng, sizes[1], buffer)
    outcome = run_world(plain_world(family, ends, (PATIENT, PATIENT), link, seed))
    assert not outcome.faults, outcome.text()
    assert outcome.has_ended_well, outcome.text()
    return outcome


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 1 << 32),
    family=st.sampled_from(list(Family)),
    loss=st.sampled_from([0.0, 0.01, 0.05, 0.15]),
    duplication=st.sampled_from([0.0, 0.1]),
    jitter_ms=st.sampled_from([0, 2, 30]),
    buffer=st.sampled_from([700, 4000, 65535, 1 << 20]),
    sizes=st.tuples(st.integers(0, 20_000), st.integers(0, 20_000)),
)
def test_streams_arrive_intact_both_ways_whatever_the_link_does(
    seed: int, family: Family, loss: float, duplication: float, jitter_ms: int, buffer: int, sizes: tuple[int, int]
) -> None:
    converse(seed, family, loss, duplication, jitter_ms, buffer, sizes)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
def test_a_megabyte_over_a_bad_link(seed: int, family: Family) -> None:
    outcome = converse(seed, family, 0.03, 0.02, 10, 1 << 18, (1_000_000, 300_000))
    assert outcome.lost > 20


@pytest.mark.long
@settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 1 << 32),
    family=st.sampled_from(list(Family)),
    loss=st.floats(0.0, 0.2),
    duplication=st.floats(0.0, 0.3),
    jitter_ms=st.integers(0, 100),
    buffer=st.integers(64, 1 << 20),
    sizes=st.tuples(st.integers(0, 60_000), st.integers(0, 60_000)),
)
def test_streams_arrive_intact_over_a_thousand_links(
    seed: int, family: Family, loss: float, duplication: float, jitter_ms: int, buffer: int, sizes: tuple[int, int]
) -> None:
    converse(seed, family, loss, duplication, jitter_ms, buffer, sizes)


@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
def test_without_loss_nothing_is_sent_twice_or_dropped(family: Family) -> None:
    outcome = converse(1, family, 0.0, 0.0, 0, 1 << 20, (500_000, 500_000))
    assert (outcome.lost, outcome.repeated, outcome.drops) == (0, 0, 0)
