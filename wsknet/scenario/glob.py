"""Expectations: a line in which ``*`` stands for anything, nothing included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


def missing(patterns: Sequence[str], lines: Iterable[str]) -> str | None:
    """The first of `patterns` that no line fits, taken in order: each must fit a line behind that of the one before."""
    left = iter(lines)
    for pattern in patterns:
        if not any(matches(pattern, line) for line in left):
            return pattern
    return None


def intruder(patterns: Sequence[str], lines: Iterable[str]) -> str | None:
    """The first line that fits one of `patterns`."""
    return next((line for line in lines if any(matches(pattern, line) for pattern in patterns)), None)
