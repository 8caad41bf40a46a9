"""docs/wsk-from-c.md is true: every Python line of it runs, in order, and prints what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from wsknet.drivers.sim import Simulation

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "wsk-from-c.md"

FENCE = re.compile(r"```(\w+)\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
ROW = re.compile(r"^\|(.*)\|$", re.MULTILINE)
CELL = re.compile(r"(?<!\\)\|")
CODE = re.compile(r"`([^`]+)`")


def fragments(text: str) -> Iterator[tuple[int, str, str]]:
    """The line where each Python fragment begins, the fragment, and what it prints."""
    found: list[tuple[int, str, str]] = []
    fenced = list(FENCE.finditer(text))
    found += [(match.start(), match[2], match[3] or "") for match in fenced if match[1] == "python"]
    is_code = False
    for row in ROW.finditer(text):
        if any(fence.start() < row.start() < fence.end() for fence in fenced):
            continue
        cells = CELL.split(row[1])
        if not CODE.search(row[1]) and "---" not in row[1]:
            is_code = cells[1].strip() == "Python"
        elif is_code:
            found += [(row.start(), code.replace("\\|", "|"), "") for code in CODE.findall(cells[1])]
    for at, code, output in sorted(found, key=lambda fragment: fragment[0]):
        yield text.count("\n", 0, at) + 1, code, output


def test_every_line_runs_and_prints_what_the_guide_says() -> None:
    scope: dict[str, Any] = {"__name__": "guide"}
    parts = list(fragments(GUIDE.read_text(encoding="utf-8")))
    assert len(parts) > 100
    first, *others = parts
    try:
        run(first, scope)
        with scope["host"].activate():
            for part in others:
                run(part, scope)
    finally:
        scope["network"].close()
    assert isinstance(scope["network"].driver, Simulation)


def run(part: tuple[int, str, str], scope: dict[str, Any]) -> None:
    line, code, output = part
    printed = StringIO()
    # The file and the line in a traceback are those of the guide.
    with redirect_stdout(printed):
        exec(compile("\n" * (line - 1) + code, str(GUIDE), "exec"), scope)
    assert printed.getvalue() == output, f"line {line}"


def test_the_files_that_the_guide_names_exist() -> None:
    named = re.findall(r"`((?:examples|tests|docs)/[\w/.]+)`", GUIDE.read_text(encoding="utf-8"))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
