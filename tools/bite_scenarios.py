"""Does every expectation of the packaged scenarios bite?  Run: python -m tools.bite_scenarios [NAME...]

One at a time, each expectation is replaced by one that cannot hold, and the run has to fail at that step; untouched,
it has to hold.  What survives is listed, and the exit status is then 1.  For `no_frames` that is one of the frames that
the step causes, if it causes any; a pattern that no frame can fit is refused when a scenario is loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from wsknet.scenario import schema
from wsknet.scenario.catalogue import everything
from wsknet.scenario.columns import Column, columns_of
from wsknet.scenario.runner import Result
from wsknet.scenario.schema import Scenario, Step
from wsknet.scenario.testing import run_virtually

IMPOSSIBLE = "what cannot be"


@dataclass(frozen=True)
class Bite:
    """One expectation, broken: `step` is the spoilt one."""

    number: int
    what: str
    step: Step
    column: Column
    """For whom it counts."""


def bites(scenario: Scenario, results: Iterable[Result]) -> Iterator[Bite]:
    """`results` are those of the scenario as it stands."""
    columns = columns_of(scenario)
    for number, step in enumerate(scenario.steps, 1):
        asked = [column for column in columns if column.runs(step)]
        for field in ("expect", "rule", "frames"):
            for what, broken, column in _broken(field, getattr(step, field), asked):
                yield Bite(number, what, structs.replace(step, **{field: broken}), column)
        if isinstance(step, schema.Table) and asked:
            for index, pattern in enumerate(step.has):
                broken = _with(step.has, index)
                yield Bite(number, f"has {pattern!r}", structs.replace(step, has=broken), asked[0])

    for result in results:
        for ran in result.steps:
            if ran.step.no_frames and ran.frames:
                seen = structs.replace(ran.step, no_frames=(ran.frames[0].line,))
                yield Bite(ran.number, "no_frames", seen, result.column)


def _broken(field: str, told: Any, columns: list[Column]) -> Iterator[tuple[str, Any, Column]]:
    """What is broken, all of it with that broken, and a column that goes by it."""
    if isinstance(told, dict):
        for key, each in told.items():
            for column in [column for column in columns if column.key(told) == key][:1]:
                for what, broken, _ in _broken(f"{field} of {key}", each, [column]):
                    yield what, {**told, key: broken}, column
    elif isinstance(told, str):
        if told.strip("*"):
            yield f"{field} {told!r}", IMPOSSIBLE, columns[0]
    else:
        for index, pattern in enumerate(told):
            yield f"{field} {pattern!r}", _with(told, index), columns[0]


def _with(patterns: tuple[str, ...], index: int) -> tuple[str, ...]:
    return (*patterns[:index], IMPOSSIBLE, *patterns[index + 1 :])


def complaints(name: str, scenario: Scenario) -> tuple[int, list[str]]:
    """How many expectations were broken, and a line for each that does not bite, or does not hold as it stands."""
    count = 0
    results = [run_virtually(name, scenario, column) for column in columns_of(scenario)]
    lines = [f"{name}, {result.column.name}: does not hold" for result in results if not result.held]
    for bite in bites(scenario, results):
        count += 1
        steps = (*scenario.steps[: bite.number - 1], bite.step, *scenario.steps[bite.number :])
        result = run_virtually(name, structs.replace(scenario, steps=steps), bite.column)
        if not any(step.failures for step in result.steps if step.number == bite.number):
            lines.append(f"{name}, step {bite.number}, {bite.column.name}: holds without {bite.what}")
    return count, lines


def main(names: list[str]) -> int:
    found: list[str] = []
    count = 0
    for name, scenario in everything():
        if not names or name in names:
            broken, lines = complaints(name, scenario)
            count += broken
            found += lines
    print(f"{count} expectations broken, {len(found)} complaints")
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
