"""A decision in words, and as data for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.text import format_address
from wsknet.trace import Decision

if TYPE_CHECKING:
    from wsknet.inspect.what_if import Part, Result

LEGEND = "> marks what was taken; = is the outcome, the rule that decided, and in brackets where it is written."
METRICS = "A metric is that of the route + that of its interface; the lower sum wins."


def explain(decision: Decision, indent: str = "") -> list[str]:
    """Every candidate with its verdict (a ``>`` marks the one taken), then the answer, the rule and its reference."""
    return [f"{indent}{decision.question}", *_reasons(decision, indent)]


def _reasons(decision: Decision, indent: str) -> list[str]:
    lines: list[str] = []
    for part in decision.parts:
        lines.extend(explain(part, indent + "  "))
    width = max((len(candidate.what) for candidate in decision.candidates), default=0)
    for candidate in decision.candidates:
        mark = ">" if candidate.is_winner else " "
        lines.append(f"{indent}  {mark} {candidate.what:{width}}  {candidate.verdict}")
    reference = f" ({decision.reference})" if decision.reference else ""
    lines.append(f"{indent}  = {decision.answer}: {decision.rule}{reference}")
    return lines


def explain_result(result: Result) -> list[str]:
    """Each question that the answer rests on, with its own answer and the reasons."""
    lines: list[str] = []
    for number, part in enumerate(result.parts, 1):
        lines.append(f"{number}. {part.question}  {part.answer}")
        if part.decision is not None:
            lines.extend(_reasons(part.decision, "  "))
    return lines


def legend(lines: list[str]) -> str:
    """How to read them; empty if there is nothing to read."""
    if not any(line.lstrip().startswith("= ") for line in lines):
        return ""
    return f"{LEGEND} {METRICS}" if any(", metric " in line for line in lines) else LEGEND


def decision_data(decision: Decision) -> dict[str, Any]:
    """With nothing in it but what JSON has."""
    return {
        "question": decision.question,
        "answer": decision.answer,
        "rule": decision.rule,
        "reference": decision.reference,
        "candidates": [
            {"what": candidate.what, "verdict": candidate.verdict, "taken": candidate.is_winner}
            for candidate in decision.candidates
        ],
        "parts": [decision_data(part) for part in decision.parts],
    }


def result_data(result: Result) -> dict[str, Any]:
    return {
        "outcome": result.outcome,
        "error": result.error.value if result.error else None,
        "source": format_address(result.source) if result.source else None,
        "advice": result.advice or None,
        "why": [_part_data(part) for part in result.parts],
    }


def _part_data(part: Part) -> dict[str, Any]:
    decision = decision_data(part.decision) if part.decision is not None else None
    return {"question": part.question, "answer": part.answer, "decision": decision}
