"""Nothing stays behind of connections that have ended, however many there were."""

from __future__ import annotations

import pytest

from tests.simulation.soak import Soak
from wsknet.types import SECOND

_PART = 0.05
"""How far memory may be from flat."""


def soak(seconds: int, samples: int, per_second: int) -> Soak:
    """The first and the last third of the samples are compared: one alone depends on what is open at that instant."""
    world = Soak(per_second=per_second)
    with world.network:
        memory = world.run(seconds * SECOND, samples)
        third = samples // 3
        before, after = sum(memory[:third]) / third, sum(memory[-third:]) / third
        assert after <= before * (1 + _PART), f"memory grew: {memory}"
        assert world.remains() == []
    assert min(world.closed, world.failed, world.aborted) > 0
    return world


def test_five_minutes_of_connections_leave_nothing_behind() -> None:
    assert soak(300, 15, per_second=3).opened > 900


@pytest.mark.long
def test_an_hour_of_connections_leaves_nothing_behind() -> None:
    assert soak(3600, 36, per_second=3).opened > 8000
