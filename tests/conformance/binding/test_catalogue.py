"""Every packaged scenario, for every face and every flip: all its expectations hold in virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from wsknet.scenario.catalogue import everything
from wsknet.scenario.columns import Column, columns_of
from wsknet.scenario.schema import Scenario
from wsknet.scenario.testing import run_virtually
from wsknet.scenario.text_report import lines


def runs() -> Iterator[Any]:
    for name, scenario in everything():
        marks = [pytest.mark.rule(*scenario.cases)] if scenario.cases else []
        for column in columns_of(scenario):
            yield pytest.param(name, scenario, column, id=f"{name}-{column.name.replace(' ', '-')}", marks=marks)


@pytest.mark.parametrize(("name", "scenario", "column"), list(runs()))
def test_every_expectation_holds(name: str, scenario: Scenario, column: Column) -> None:
    result = run_virtually(name, scenario, column)

    assert result.held, "\n".join(["", *lines(result, explained=False)])
