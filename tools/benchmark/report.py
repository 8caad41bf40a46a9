"""The results, for people and for programs."""

from __future__ import annotations

import os
import platform
from statistics import median
from typing import Any

from tools.benchmark.measures import MEASURES, TARGETS, Effort, Peer, Samples


def table(samples: Samples) -> str:
    """Medians with their range, the ratio of the medians, and the targets."""
    lines = [f"{'':34}{'wsknet':>28}{'kernel':>28}{'ratio':>9}"]
    for measure in MEASURES:
        ours, theirs = (samples[measure.key, peer] for peer in (Peer.WSKNET, Peer.KERNEL))
        ratio = median(ours) / median(theirs)
        lines.append(f"{measure.title:34}{_cell(ours, measure.unit):>28}{_cell(theirs, measure.unit):>28}{ratio:9.3f}")
    lines.append("")
    for target in TARGETS:
        verdict = "met" if target.is_met(samples) else "MISSED"
        lines.append(f"{target.title:38}{target.ratio(samples):8.3f}   {target.bound:8} {verdict}")
    return "\n".join(lines)


def _cell(values: list[float], unit: str) -> str:
    return f"{_number(median(values))} [{_number(min(values))}..{_number(max(values))}] {unit}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def document(samples: Samples, effort: Effort) -> dict[str, Any]:
    """The same as JSON: every sample, so that another program can do its own statistics."""
    return {
        "python": platform.python_version(),
        "linux": platform.release(),
        "cpus": os.cpu_count(),
        "runs": effort.runs,
        "measures": {
            measure.key: {
                "title": measure.title,
                "unit": measure.unit,
                **{peer.value: samples[measure.key, peer] for peer in Peer},
            }
            for measure in MEASURES
        },
        "targets": [
            {
                "title": target.title,
                "ratio": target.ratio(samples),
                "least": target.least,
                "most": target.most,
                "met": target.is_met(samples),
            }
            for target in TARGETS
        ],
    }
