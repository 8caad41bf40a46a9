"""A run in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from wsknet.inspect.explain import decision_data, explain

if TYPE_CHECKING:
    from wsknet.scenario.runner import Result, StepResult

_WIDTH = 46


def lines(result: Result, explained: bool = True) -> Iterator[str]:
    """Every step with its outcome, the decisions behind it and the frames it caused."""
    yield f"{result.name}, {result.column.name}"
    for step in result.steps:
        yield from _step(step, explained)


def _step(step: StepResult, explained: bool) -> Iterator[str]:
    rendering = f" ({step.rendering})" if step.rendering else ""
    yield f"  {step.number:2}. {step.sentence:{_WIDTH}} {step.outcome}{rendering}".rstrip()
    if step.detail:
        yield f"        {step.detail}"
    if step.step.note:
        yield f"        {step.step.note}"
    if explained:
        for decision in step.decisions:
            yield from explain(decision, " " * 8)
    for frame in step.frames:
        yield f"        -> {frame.line}"
        if frame.said:
            yield f"             {frame.said}"
    yield from failures(step)


def failures(step: StepResult) -> Iterator[str]:
    for failure in step.failures:
        yield f"     FAILED: {failure.of}"
        yield f"        expected {failure.expected}"
        yield f"        got      {failure.got}"


def as_builtins(result: Result) -> dict[str, Any]:
    """For ``--json``."""
    return {
        "scenario": result.name,
        "title": result.scenario.title,
        "cases": list(result.scenario.cases),
        "face": result.column.face,
        "flip": result.column.flip.key if result.column.flip else None,
        "where": result.where,
        "held": result.held,
        "steps": [_step_as_builtins(step) for step in result.steps],
    }


def _step_as_builtins(step: StepResult) -> dict[str, Any]:
    return {
        "number": step.number,
        "step": step.sentence,
        "outcome": step.outcome,
        "called": step.rendering,
        "detail": step.detail,
        "expected": step.expected,
        "decisions": [decision_data(decision) for decision in step.decisions],
        "frames": [
            {"time": frame.time, "sender": frame.sender, "frame": frame.text, "because": frame.comment}
            for frame in step.frames
        ],
        "failures": [{"of": f.of, "expected": f.expected, "got": f.got} for f in step.failures],
    }
