"""A pytest plugin that writes the rule numbers of all collected tests to the file named by RULE_MARKS."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    numbers = {number for item in session.items for mark in item.iter_markers("rule") for number in mark.args}
    Path(os.environ["RULE_MARKS"]).write_text("\n".join(sorted(numbers)))
