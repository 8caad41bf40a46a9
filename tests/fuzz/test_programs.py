"""Frames, calls, time and changes in any order: nothing raises, loops or leaks, and the next caller is served."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet6 import ICMPv6ND_RA

from tests.fuzz.program import run
from tests.fuzz.seeds import FRAMES_OF_ROUTERS
from tests.fuzz.verdict import judge
from tests.fuzz.world import World
from tests.support.memory import growth_after

programmes = st.binary(min_size=1, max_size=600)
"""See `tests/fuzz/program.py`; `tools/fuzz.py` looks for others by coverage."""


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(programmes)
def test_any_programme_leaves_a_stack_that_serves(programme: bytes) -> None:
    judge(run(programme))


@pytest.mark.long
@settings(max_examples=5000, suppress_health_check=[HealthCheck.too_slow])
@given(programmes)
def test_many_more_programmes_leave_a_stack_that_serves(programme: bytes) -> None:
    judge(run(programme))


@pytest.mark.parametrize("host", range(16))
def test_each_host_that_programmes_choose_from_is_well_to_begin_with(host: int) -> None:
    world = World(host)
    assert world.followed, "its connections are on their way"
    judge(world)


@pytest.mark.rule("RFC4862-5.1")
def test_a_router_may_make_the_search_for_duplicates_as_long_as_its_retransmission_timer_is() -> None:
    world = World(10)
    frame = FRAMES_OF_ROUTERS["router advertisement"].copy()
    frame[ICMPv6ND_RA].retranstimer = 60_000
    del frame[ICMPv6ND_RA].cksum
    world.receive(bytes(frame))
    judge(world)


def test_a_programme_over_and_over_again_leaves_nothing_behind() -> None:
    programme = bytes(range(1, 256)) * 3

    def play(times: int) -> None:
        for _ in range(times):
            judge(run(programme))

    assert growth_after(lambda: play(2), lambda: play(10)) < 50_000
