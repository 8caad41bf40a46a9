"""Worlds drawn from seeds: RFC 9293 2.2, "reliable, in-order", whatever links, hosts and applications do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation.draw import SETS, draw
from tests.simulation.plain import CLEAN, plain_end, plain_world, simultaneous
from tests.simulation.run import replay_command, run_seed, run_world
from tests.support.tcp_lab import with_tcp
from wsknet.behaviour import WINDOWS
from wsknet.tcp_policy import OptionUse
from wsknet.types import SECOND, Family

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


def test_without_loss_nobody_is_told_of_an_error() -> None:
    for seed in range(20):
        world = draw(seed)
        outcome = run_world(replace(world, links=(CLEAN, CLEAN), troubles=()))
        assert not outcome.faults, f"seed {seed} on a clean link\n{outcome.text()}"


@pytest.mark.rule("RFC9293-3.8.6.2.2")
@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
def test_a_window_that_opens_again_is_told_at_once_and_not_found_by_a_probe(family: Family) -> None:
    """The probes of a pause of ten seconds come at 0.3, 0.9, ... 9.3 and 18.9 s: too late for the bound."""
    reader = replace(plain_end(20_000), buffer=4000)
    outcome = run_world(plain_world(family, (reader, replace(reader, pause_at=1000, pause=10 * SECOND))))
    assert not outcome.faults, outcome.text()
    assert outcome.bound < 18 * SECOND


@pytest.mark.rule("RFC9293-3.5")
@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
def test_hosts_of_every_kind_meet_when_both_connect(family: Family) -> None:
    for one in SETS:
        for other in SETS:
            world = simultaneous(plain_world(family, (plain_end(5000), plain_end(3000)), (one, other)))
            outcome = run_world(world)
            assert not outcome.faults, outcome.text()
            assert outcome.has_ended_well, outcome.text()


@pytest.mark.rule("RFC3168-6.1")
@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
def test_marks_slow_down_and_lose_nothing(family: Family) -> None:
    polite = with_tcp(WINDOWS, ecn=OptionUse.ASK)
    lasted = []
    for mark in (0.0, 0.1):
        ends = plain_end(300_000), plain_end(0)
        outcome = run_world(plain_world(family, ends, (polite, polite), replace(CLEAN, mark=mark)))
        assert not outcome.faults, outcome.text()
        assert outcome.has_ended_well, outcome.text()
        assert (outcome.lost, outcome.repeated, outcome.drops) == (0, 0, 0)
        lasted.append(outcome.lasted)
    assert lasted[1] > 2 * lasted[0]


@pytest.mark.rule("RFC4821-7.7")
@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
def test_a_black_hole_stops_only_those_who_do_not_look_for_it(family: Family) -> None:
    for finds in (True, False):
        sender = with_tcp(WINDOWS, black_hole_detection=finds)
        world = plain_world(family, (plain_end(50_000), plain_end(0)), (sender, WINDOWS))
        outcome = run_world(replace(world, far_mtu=1300, is_black_hole=True))
        assert not outcome.faults, outcome.text()
        assert outcome.has_ended_well == finds, outcome.text()
