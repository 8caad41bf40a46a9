"""Long streams over a link that loses one frame in twenty, between two hosts in virtual time."""

from __future__ import annotations

import pytest

from tests.simulation.bulk import Bulk
from wsknet.types import Family

LOSS = 0.05
LEAST_RATE = 10_000
"""Bytes per virtual second that such a link must carry.  The formula of Mathis for Reno, 0.93 MSS / (RTT sqrt(p)),
comes to 300,000; a timeout of 200 ms for every lost segment, to 100,000.  A tenth of that is for chance."""


def transfer(family: Family, size: int, seed: int) -> None:
    bulk = Bulk(family, size, LOSS, seed)
    ended = bulk.run(60 + size / LEAST_RATE)
    told = (
        f"seed {seed}: {bulk.sink.count} of {size} bytes arrived, {bulk.source.error or bulk.sink.error or 'no error'}"
    )
    assert ended, told
    assert bulk.sink.count == size, told
    assert bulk.sink.digest.digest() == bulk.source.digest.digest()


@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
def test_two_megabytes_arrive_whole_at_five_per_cent_loss(family: Family) -> None:
    transfer(family, 2_000_000, 1)


@pytest.mark.long
@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
def test_a_hundred_megabytes_arrive_whole_at_five_per_cent_loss(family: Family) -> None:
    transfer(family, 100_000_000, 2)
