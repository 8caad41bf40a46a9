"""The fuzzer that is guided by coverage, a million frames in four parts; its findings are replayed by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 5))
def test_a_quarter_of_a_million_frames_find_nothing(seed: int, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="pip install -e '.[fuzz]'")
    command = [sys.executable, "tools/fuzz.py", "--runs", "250000", "--seed", str(seed), "--corpus", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-4000:]
