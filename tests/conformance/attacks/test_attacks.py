"""Every row of the attack table, over both families."""

from __future__ import annotations

import pytest

from tests.conformance.attacks import (
    blind,
    claims,
    floods,
    fragments,
    icmp,
    openings,
    scans,
    senders,
    signals,
    stalls,
    streams,
)
from tests.conformance.attacks.table import TABLE, Attack
from wsknet.types import Family

MODULES = (blind, claims, floods, fragments, icmp, openings, scans, senders, signals, stalls, streams)
"""Where the rows come from."""


def marks(row: Attack) -> list[pytest.MarkDecorator]:
    return [pytest.mark.rule(*row.rules), *([pytest.mark.long] if row.is_long else [])]


@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
@pytest.mark.parametrize("row", [pytest.param(row, id=row.name, marks=marks(row)) for row in TABLE])
def test_an_attack_has_its_outcome_and_keeps_its_bound(row: Attack, family: Family) -> None:
    row.play(family)


def test_every_module_has_rows_and_every_row_tells_its_outcome_and_bound() -> None:
    assert {row.play.__module__ for row in TABLE} == {module.__name__ for module in MODULES}
    assert len({row.name for row in TABLE}) == len(TABLE)
    assert all(row.outcome and row.bound and len(row.rules) <= 3 for row in TABLE)
