"""`tools.benchmark.impaired` runs and tells both directions; how fast either is, is not judged here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.needs import requires_tool
from tools.benchmark.impaired import DIRECTIONS, is_met, rate, table
from tools.benchmark.measures import Peer

ROOT = Path(__file__).parents[3]


@pytest.mark.tap
@pytest.mark.long
@requires_tool("ip")
def test_a_short_run_tells_both_directions() -> None:
    command = [sys.executable, "-m", "tools.benchmark.impaired", "--bytes", "50000"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    for title in DIRECTIONS.values():
        assert re.search(rf"^{title} +[\d.]+ \[[\d.]+\.\.[\d.]+\] Mbit/s .* [\d.]+$", done.stdout, re.MULTILINE)


def test_the_medians_of_both_directions_have_to_reach_four_fifths() -> None:
    def rates(received: float, sent: float) -> dict[tuple[str, Peer], list[float]]:
        kernel = [1.0, 9.0, 10.0, 11.0, 99.0]
        return {
            ("push", Peer.WSKNET): [received] * 5,
            ("pull", Peer.WSKNET): [0.0, sent, sent, sent, 99.0],
            ("push", Peer.KERNEL): kernel,
            ("pull", Peer.KERNEL): kernel,
        }

    assert is_met(rates(8.0, 8.0))
    assert not is_met(rates(7.9, 20.0))
    assert not is_met(rates(20.0, 7.9))
    told = table(rates(8.0, 5.0)).splitlines()[-1]
    assert told.split() == [
        "wsknet", "sends", "5.00", "[0.00..99.00]", "Mbit/s", "10.00", "[1.00..99.00]", "Mbit/s", "0.500"
    ]  # fmt: skip


def test_data_that_have_changed_count_for_nothing() -> None:
    assert rate({"bytes": 1_000_000, "seconds": 2.0, "identical": True}) == 4.0
    with pytest.raises(OSError, match="not those"):
        rate({"bytes": 1_000_000, "seconds": 2.0, "identical": False})
