"""docs/winsock-direct.md is true: its Python runs, in order, and prints what it says; the worked example runs."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from examples.san.__main__ import WAYS
from wsknet.san.policy import SanPolicy
from wsknet.san.provider import native
from wsknet.san.switch.session import messages
from wsknet.scenario.testing import assert_holds

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "winsock-direct.md"
TEXT = GUIDE.read_text(encoding="utf-8")
FENCE = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
KIND = re.compile(r"^\| (\d) \| ([A-Z]+) \|", re.MULTILINE)


def test_every_line_runs_and_prints_what_the_guide_says() -> None:
    scope: dict[str, Any] = {"__name__": "guide"}
    parts = list(FENCE.finditer(TEXT))
    assert len(parts) >= 5
    try:
        for part in parts:
            line = TEXT.count("\n", 0, part.start()) + 1
            printed = StringIO()
            with redirect_stdout(printed):  # the file and the line in a traceback are those of the guide
                exec(compile("\n" * line + part[1], str(GUIDE), "exec"), scope)
            assert printed.getvalue() == (part[2] or ""), f"line {line}"
    finally:
        scope["network"].close()


def test_the_scenario_of_the_guide_holds(tmp_path: Path) -> None:
    (scenario,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path / "mine.yaml"
    path.write_text(scenario, encoding="utf-8")
    assert_holds(path)


def test_the_tables_have_the_kinds_that_there_are() -> None:
    kinds = [(int(number), name) for number, name in KIND.findall(TEXT)]
    assert kinds == [(kind, kind.name) for table in (native.Kind, messages.Kind) for kind in table]
    assert str(SanPolicy().native_port) in TEXT


def test_the_files_that_the_guide_names_exist() -> None:
    named = re.findall(r"`((?:examples|tests|docs|wsknet)/[\w/.]+)`", TEXT)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("san", "SAN, from 10.9.0.1"),
        ("tcpip", "no SAN service provider is installed"),
        ("fallback", "the connect over the SAN has failed: TCP/IP? TCP/IP"),
        ("cut", "TCP/IP: the SAN NIC on the subnet of the destination is down"),
    ],
)
def test_the_worked_example_runs_and_says_why(way: str, reason: str, tmp_path: Path) -> None:
    capture = tmp_path / "way.pcapng"
    command = [sys.executable, "-m", "examples.san", way, "--size", "50000", "--capture", str(capture)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert reason in done.stdout
    assert done.stdout.count("received 50000 bytes, done") == 2
    assert capture.stat().st_size > 100_000


def test_every_way_of_the_example_is_tried() -> None:
    assert list(WAYS) == ["san", "tcpip", "fallback", "cut"]
