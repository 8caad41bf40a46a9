"""A decision in words."""

from __future__ import annotations

from wsknet.trace import Decision


def explain(decision: Decision, indent: str = "") -> list[str]:
    """Every candidate with its verdict (a ``>`` marks the one taken), then the answer, the rule and its reference."""
    lines = [f"{indent}{decision.question}"]
    for part in decision.parts:
        lines.extend(explain(part, indent + "  "))
    width = max((len(candidate.what) for candidate in decision.candidates), default=0)
    for candidate in decision.candidates:
        mark = ">" if candidate.is_winner else " "
        lines.append(f"{indent}  {mark} {candidate.what:{width}}  {candidate.verdict}")
    reference = f" ({decision.reference})" if decision.reference else ""
    lines.append(f"{indent}  = {decision.answer}: {decision.rule}{reference}")
    return lines
