"""The README is true: its programs print what it says, its tour is what the tour prints, its folders exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tcp_script import script

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()

PROGRAMS = re.findall(r"```python\n(.*?)```.*?```text\n(.*?)```", README, re.DOTALL)


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=120, cwd=cwd, check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_are_programs() -> None:
    assert len(PROGRAMS) == 5


@pytest.mark.rule("R-130", "R-131", "R-138")
@pytest.mark.parametrize(("program", "output"), PROGRAMS)
def test_each_program_prints_what_the_readme_says(program: str, output: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(program)
    assert run("program.py", cwd=tmp_path) == output


def test_the_behaviour_script_holds() -> None:
    (text,) = re.findall(r"```py\nscript\(\n    \"\"\"\n(.*?)\"\"\"", README, re.DOTALL)
    script(text)


def test_the_tour_prints_what_the_readme_shows(tmp_path: Path) -> None:
    printed = [line.rstrip() for line in run("-m", "wsknet", "demo", cwd=tmp_path).splitlines()]
    section = README[README.index("## What the tour shows") : README.index("## Requirements")]
    for block in re.findall(r"```text\n(.*?)```", section, re.DOTALL):
        for line in block.splitlines():
            assert line.rstrip() in printed


def test_every_folder_of_the_map_exists() -> None:
    section = README[README.index("## Map") : README.index("## Licence")]
    named = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    assert len(named) > 8
    for name in named:
        assert list(ROOT.glob(name)), f"the map names {name}"
    packages = {f"wsknet/{path.parent.name}" for path in (ROOT / "wsknet").glob("*/__init__.py")}
    assert packages <= set(named), "packages missing from the map"


def test_the_scenario_runs(tmp_path: Path) -> None:
    (scenario,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "it.yaml").write_text(scenario)
    printed = run("-m", "wsknet", "run", "it.yaml", cwd=tmp_path)
    assert printed.count("every expectation held") == 3


def test_the_question_gets_the_answer_that_the_readme_shows(tmp_path: Path) -> None:
    section = README[README.index("## Why did it do that?") : README.index("## Scenarios")]
    command, answer = re.findall(r"```(?:console\n\$ wsknet|text\n)(.*?)```", section, re.DOTALL)
    printed = run("-m", "wsknet", *shlex.split(command.replace("\\\n", " ")), cwd=tmp_path)
    assert answer.strip() in printed
