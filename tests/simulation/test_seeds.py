"""Worlds drawn from seeds: RFC 9293 2.2, "reliable, in-order", whatever links, hosts and applications do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation.draw import draw
from tests.simulation.plan import Ending, EndPlan, TalkPlan
from tests.simulation.run import replay_command, run_seed, run_world
from wsknet.behaviour import WINDOWS
from wsknet.devices.impair import Impairment
from wsknet.types import MILLISECOND, SECOND, Family

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


def test_a_window_that_opens_again_is_told_at_once_and_not_found_by_a_probe() -> None:
    """The probes of a pause of ten seconds come at 0.3, 0.9, ... 9.3 and 18.9 s: too late for the bound."""
    world = draw(0)
    plain = EndPlan(
        size=20_000,
        writes=(20_000,),
        write_gap=0,
        lent=100_000,
        reads=(1 << 20,),
        read_gap=0,
        pause_at=None,
        pause=0,
        ending=Ending.FINISH,
        abort_after=0,
        buffer=4000,
        no_delay=False,
        is_eager=False,
        keep_alive=False,
    )
    for family in Family:
        ends = plain, replace(plain, pause_at=1000, pause=10 * SECOND)
        talk = TalkPlan(opens_at=0, client=0, family=family, is_answered=True, ends=ends)
        links = (Impairment(delay=MILLISECOND),) * 2
        calm = replace(
            world, behaviours=(WINDOWS, WINDOWS), mtus=(1500, 1500), far_mtu=None, links=links, accept_gap=0,
            backlog=200, talks=(talk,), troubles=(),
        )  # fmt: skip
        outcome = run_world(calm)
        assert not outcome.faults, outcome.text()
        assert outcome.bound < 18 * SECOND
