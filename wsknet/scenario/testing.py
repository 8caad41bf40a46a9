"""Scenarios in a test suite: ``assert_holds("my-lab.yaml")``."""

from __future__ import annotations

from pathlib import Path

from wsknet.scenario.catalogue import find
from wsknet.scenario.columns import Column, columns_of
from wsknet.scenario.runner import Result, run
from wsknet.scenario.schema import Scenario
from wsknet.scenario.text_report import lines
from wsknet.scenario.virtual import VirtualWorld


def run_virtually(name: str, scenario: Scenario, column: Column) -> Result:
    return run(name, scenario, column, VirtualWorld(scenario, column))


def assert_holds(named: str | Path, *faces: str) -> None:
    """Run a file, or a packaged scenario, in virtual time for `faces`, or for all that it is for.

    `AssertionError` tells every step and what was expected; `UsageError` an unusable file.
    """
    for name, scenario in find(str(named)):
        for column in columns_of(scenario, faces):
            result = run_virtually(name, scenario, column)
            assert result.held, "\n".join(["", *lines(result, explained=False)])
