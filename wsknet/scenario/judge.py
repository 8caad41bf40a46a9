"""Compares what a step did with what was expected of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsknet.scenario import schema
from wsknet.scenario.glob import intruder, matches, missing
from wsknet.scenario.outcomes import OK

if TYPE_CHECKING:
    from wsknet.scenario.columns import Column
    from wsknet.scenario.schema import Step
    from wsknet.scenario.world import SeenFrame
    from wsknet.trace import Decision

_QUIET = (schema.OpenSocket, schema.SetOption, schema.Listen, schema.Change, schema.Inject, schema.Table, schema.Close,
          schema.Bind, schema.Join, schema.DefaultDestination)  # fmt: skip
"""Steps that are expected to go well unless they say otherwise."""


@dataclass(frozen=True)
class Failure:
    """An expectation that did not hold."""

    of: str
    """outcome, rule, frames, ..."""
    expected: str
    got: str


def judge(
    step: Step, column: Column, outcome: str, decisions: Sequence[Decision] | None, frames: Sequence[SeenFrame]
) -> list[Failure]:
    """`decisions` is `None` where nobody tells them: then no rule is expected."""
    failures = []
    expected = column.expected(step.expect) or (OK if isinstance(step, _QUIET) else "")
    if expected and not matches(expected, outcome):
        failures.append(Failure("outcome", expected, outcome))
    rule = column.expected(step.rule)
    if rule and decisions is not None:
        rules = [line for decision in decisions for line in rules_of(decision)]
        if not any(matches(rule, line) for line in rules):
            failures.append(Failure("rule", rule, "; ".join(rules) or "no decision"))
    lines = [frame.line for frame in frames]
    absent = missing(_for(column, step.frames), lines)
    if absent is not None:
        failures.append(Failure("frames", absent, "; ".join(lines) or "no frame"))
    unwanted = intruder(_for(column, step.no_frames), lines)
    if unwanted is not None:
        failures.append(Failure("frames", f"none like {unwanted}", "; ".join(lines)))
    return failures


def _for(column: Column, told: Sequence[str] | dict[str, tuple[str, ...]]) -> Sequence[str]:
    if not isinstance(told, dict):
        return told
    return told.get(column.expected({key: key for key in told}), ())


def rules_of(decision: Decision) -> list[str]:
    """Every rule that had a part in it, the decisive one first."""
    return [decision.rule, *(rule for part in decision.parts for rule in rules_of(part))]
