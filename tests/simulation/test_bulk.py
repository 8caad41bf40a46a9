"""Long streams over a link that loses one frame in twenty, between two hosts in virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation.plain import plain_end, plain_world
from tests.simulation.run import run_world
from wsknet.behaviour import LINUX, WINDOWS
from wsknet.devices.impair import Impairment
from wsknet.types import MILLISECOND, SECOND, Family

LINK = Impairment(delay=10 * MILLISECOND, loss=0.05, rate=100_000_000)
LEAST_RATE = 10_000
"""Bytes per virtual second that such a link must carry.  The formula of Mathis for Reno, 0.93 MSS / (RTT sqrt(p)),
comes to 300,000; a timeout of 200 ms for every lost segment, to 100,000.  A tenth of that is for chance."""


def transfer(family: Family, size: int, seed: int) -> None:
    source = replace(plain_end(size), writes=(1 << 16,), lent=1 << 21)
    outcome = run_world(plain_world(family, (source, plain_end(0)), (LINUX, WINDOWS), LINK, seed))
    assert not outcome.faults, outcome.text()
    assert outcome.has_ended_well, outcome.text()
    assert outcome.lasted < 60 * SECOND + size * SECOND // LEAST_RATE
    assert outcome.lost > size // 1500 // 30


@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
def test_two_megabytes_arrive_whole_at_five_per_cent_loss(family: Family) -> None:
    transfer(family, 2_000_000, 1)


@pytest.mark.long
@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
def test_a_hundred_megabytes_arrive_whole_at_five_per_cent_loss(family: Family) -> None:
    transfer(family, 100_000_000, 2)
