"""Packaged scenarios with the first host on TAPs and the kernel in the place of all others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from wsknet.scenario.catalogue import everything
from wsknet.scenario.columns import Column, columns_of
from wsknet.scenario.runner import run
from wsknet.scenario.schema import Scenario
from wsknet.scenario.tap import TapWorld
from wsknet.scenario.text_report import lines

SAMPLE = {
    "one-socket-two-destinations-two-sources",
    "packet-for-another-interface",
    "udp-reply-from-the-wrong-address",
    "wildcard-listener-shadowed",
}


def runs() -> Iterator[Any]:
    for name, scenario in everything():
        if scenario.no_tap:
            continue
        for column in columns_of(scenario):
            marks = [pytest.mark.tap]
            if name not in SAMPLE or column.face not in ("wsk", "linux"):
                marks.append(pytest.mark.long)
            yield pytest.param(name, scenario, column, id=f"{name}-{column.name.replace(' ', '-')}", marks=marks)


@pytest.mark.parametrize(("name", "scenario", "column"), list(runs()))
def test_every_expectation_holds(name: str, scenario: Scenario, column: Column) -> None:
    result = run(name, scenario, column, TapWorld(scenario, column), "tap")

    assert result.held, "\n".join(["", *lines(result, explained=False)])
