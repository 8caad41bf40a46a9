"""tools/simulate.py: what a person who replays a seed sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.run import replay_command
from tools import simulate


def test_a_seed_is_replayed_with_its_capture_and_told_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = tmp_path / "seed.pcapng"
    assert simulate.main(["--seeds", "3", "-v", "--pcap", str(capture)]) == 0
    assert "seed 3: two hosts joined by" in capsys.readouterr().out
    assert capture.stat().st_size > 1000


@pytest.mark.parametrize("text", ["x", "5-", "5-3", "-1"])
def test_what_is_no_range_of_seeds_is_refused_in_one_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        simulate.main([f"--seeds={text}"])
    assert ended.value.code == 2
    assert text in capsys.readouterr().err


def test_the_command_that_replays_a_seed_is_one_that_the_tool_takes() -> None:
    command = replay_command(42)
    assert command.startswith(".venv/bin/python -m tools.simulate ")
    assert simulate.seeds_of(command.split()[command.split().index("--seeds") + 1]) == range(42, 43)
