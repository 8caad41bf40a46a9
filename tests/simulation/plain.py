"""Worlds without troubles, for tests that choose what matters to them."""

from __future__ import annotations

from dataclasses import replace

from tests.simulation.plan import Ending, EndPlan, TalkPlan, World
from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.devices.impair import Impairment
from wsknet.types import MILLISECOND, Family

CLEAN = Impairment(delay=MILLISECOND)


def plain_end(size: int) -> EndPlan:
    """Sends it at once, reads what comes at once, and finishes."""
    return EndPlan(
        size=size,
        writes=(max(size, 1),),
        write_gap=0,
        lent=1 << 20,
        reads=(1 << 20,),
        read_gap=0,
        pause_at=None,
        pause=0,
        ending=Ending.FINISH,
        abort_after=0,
        buffer=1 << 20,
        no_delay=False,
        is_eager=False,
        keep_alive=None,
        user_timeout=None,
        urgent_every=0,
    )


def plain_world(
    family: Family,
    ends: tuple[EndPlan, EndPlan],
    behaviours: tuple[Behaviour, Behaviour] = (WINDOWS, WINDOWS),
    link: Impairment = CLEAN,
    seed: int = 0,
) -> World:
    """One connection over a cable, from the first host to the second, numbered from just below 2^32."""
    return World(
        seed=seed,
        behaviours=behaviours,
        mtus=(1500, 1500),
        far_mtu=None,
        is_black_hole=False,
        links=(link, link),
        backlog=200,
        accept_gap=0,
        is_near_wrap=True,
        talks=(TalkPlan(opens_at=0, client=0, family=family, is_answered=True, ends=ends),),
        troubles=(),
    )


def simultaneous(world: World) -> World:
    return replace(world, talks=tuple(replace(talk, is_simultaneous=True) for talk in world.talks))
