"""The tour over a TAP, with the kernel as the peer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.needs import requires_tool
from tests.support.tshark import judge

pytestmark = [pytest.mark.tap, requires_tool("tshark")]


def test_the_claims_hold_against_the_kernel(tmp_path: Path) -> None:
    capture = tmp_path / "tour.pcapng"
    done = subprocess.run(
        [sys.executable, "-m", "wsknet", "demo", "--link", "tap", "--pcap", str(capture)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("seen to hold") == 3
    verdict = judge(capture)
    assert not verdict.bad_checksums
    assert not verdict.malformed
    assert not verdict.retransmissions
