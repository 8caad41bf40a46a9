"""Worlds drawn from seeds: RFC 9293 2.2, "reliable, in-order", whatever links, hosts and applications do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation.draw import draw
from tests.simulation.run import replay_command, run_seed, run_world
from wsknet.devices.impair import Impairment
from wsknet.types import MILLISECOND

SAMPLE = 100
MANY = 2400
STEP = 10


def check(seeds: range) -> None:
    for seed in seeds:
        outcome = run_seed(seed)
        assert not outcome.faults, f"replay: {replay_command(seed)}\n{outcome.text()}"


@pytest.mark.parametrize("first", range(1, SAMPLE + 1, STEP))
def test_a_world_keeps_what_tcp_promises(first: int) -> None:
    check(range(first, first + STEP))


@pytest.mark.long
@pytest.mark.parametrize("first", range(SAMPLE + 1, SAMPLE + MANY + 1, 10 * STEP))
def test_thousands_of_worlds_keep_what_tcp_promises(first: int) -> None:
    check(range(first, first + 10 * STEP))


def test_a_seed_draws_the_same_world_and_the_same_frames_again() -> None:
    for seed in range(5):
        first, second = run_seed(seed), run_seed(seed)
        assert first.world == second.world
        assert (first.frames, first.events, first.lasted) == (second.frames, second.events, second.lasted)


def test_without_loss_nothing_is_dropped_and_nobody_is_told_of_an_error() -> None:
    for seed in range(20):
        world = draw(seed)
        links = (Impairment(delay=MILLISECOND),) * 2
        outcome = run_world(replace(world, links=links, troubles=()))
        assert not outcome.faults, f"seed {seed} on a clean link\n{outcome.text()}"
