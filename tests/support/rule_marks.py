"""A pytest plugin that writes the rule numbers of all collected tests to the file named by RULE_MARKS."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest


def numbers(items: Iterable[pytest.Item]) -> set[str]:
    return {number for item in items for mark in item.iter_markers("rule") for number in mark.args}


def pytest_collection_finish(session: pytest.Session) -> None:
    Path(os.environ["RULE_MARKS"]).write_text("\n".join(sorted(numbers(session.items))))
