"""The numbers in the marks of all tests; as a pytest plugin, written to the file named by RULE_MARKS."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def numbers(items: Iterable[pytest.Item]) -> set[str]:
    return {number for item in items for mark in item.iter_markers("rule") for number in mark.args}


def pytest_collection_finish(session: pytest.Session) -> None:
    if "RULE_MARKS" in os.environ:
        Path(os.environ["RULE_MARKS"]).write_text("\n".join(sorted(numbers(session.items))))


def of_all_tests(request: pytest.FixtureRequest, scratch: pytest.TempPathFactory, prefix: str) -> set[str]:
    """Those that begin with `prefix`, also where only some tests are run."""
    options = request.config.option
    is_whole = {Path(argument).resolve() for argument in request.config.args} == {ROOT / "tests"}
    if is_whole and not options.keyword and not options.markexpr:
        return {number for number in numbers(request.session.items) if number.startswith(prefix)}
    found = scratch.mktemp("marks") / "numbers"
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "tests.support.rule_marks"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "tests"],
        cwd=ROOT,
        env={**os.environ, "RULE_MARKS": str(found)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return {number for number in found.read_text().split("\n") if number.startswith(prefix)}
