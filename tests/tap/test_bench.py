"""`tools/bench` runs: every load reaches both peers and every number comes out; how large it is is not judged here."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.needs import requires_tool
from tools.benchmark.measures import MEASURES, QUICK, TARGETS

BENCH = Path(__file__).parents[2] / "tools" / "bench"

pytestmark = [pytest.mark.tap, pytest.mark.long, requires_tool("gcc", "ip", "ethtool", "taskset")]


def test_a_quick_run_measures_everything(tmp_path: Path) -> None:
    done = subprocess.run([BENCH, "--quick", "--json"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told["measures"]) == {measure.key for measure in MEASURES}
    for measure in told["measures"].values():
        assert len(measure["wsknet"]) == len(measure["kernel"]) == QUICK.runs
        assert min(measure["wsknet"] + measure["kernel"]) > 0
    assert len(told["targets"]) == len(TARGETS)
