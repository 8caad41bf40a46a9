"""Compares what a step did with what was expected of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsknet.scenario.glob import intruder, matches, missing

if TYPE_CHECKING:
    from wsknet.scenario.columns import Column
    from wsknet.scenario.schema import Step, Table
    from wsknet.scenario.world import SeenFrame
    from wsknet.trace import Decision


@dataclass(frozen=True)
class Ended:
    """How a step ended."""

    outcome: str
    well: bool
    """As is expected of steps that say nothing of it: no error, and not in vain."""
    detail: str = ""
    """Why, in the words of the stack, where it did not end well."""


@dataclass(frozen=True)
class Failure:
    """An expectation that did not hold."""

    of: str
    """outcome, rule, frames, ..."""
    expected: str
    got: str


def judge(
    step: Step, column: Column, ended: Ended, decisions: Sequence[Decision] | None, frames: Sequence[SeenFrame]
) -> list[Failure]:
    """`decisions` is `None` where nobody tells them: then no rule is expected."""
    failures = []
    expected = column.expected(step.expect)
    if expected and not matches(expected, ended.outcome):
        failures.append(Failure("outcome", expected, ended.outcome))
    if not expected and not ended.well:
        failures.append(Failure("outcome", "that it ends well, for nothing else is said", ended.outcome))
    rule = column.expected(step.rule)
    if rule and decisions is not None:
        rules = [line for decision in decisions for line in decision.rules()]
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


def unlike(step: Table, lines: Sequence[str]) -> str:
    """What is there and should not be, or the other way round, in a table; empty if all is as it should be."""
    absent = next((pattern for pattern in step.has if intruder((pattern,), lines) is None), None)
    if absent is not None:
        return f"no line {absent!r} among {list(lines)}"
    unwanted = intruder(step.lacks, lines)
    return "" if unwanted is None else f"the line {unwanted!r}"


def _for(column: Column, told: Sequence[str] | dict[str, tuple[str, ...]]) -> Sequence[str]:
    if not isinstance(told, dict):
        return told
    return told.get(column.key(told), ())
