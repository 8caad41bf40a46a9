"""What the command line says, without any privilege."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.needs import requires_tool
from tests.support.tshark import judge


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wsknet", *arguments], capture_output=True, text=True, timeout=120, cwd=cwd, check=False
    )


@requires_tool("tshark")
def test_the_demo_shows_its_three_claims_and_leaves_a_clean_capture(tmp_path: Path) -> None:
    capture = tmp_path / "tour.pcapng"
    done = run("demo", "--pcap", str(capture))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("seen to hold") == 3
    assert "STATUS_INVALID_DEVICE_STATE" in done.stdout
    assert "0.0.0.0:5000" in done.stdout
    verdict = judge(capture)
    assert verdict.is_clean, verdict


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    files = []
    for name, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        path = tmp_path / f"{name}.pcapng"
        assert run("demo", "--brief", "--seed", seed, "--pcap", str(path)).returncode == 0
        files.append(path.read_bytes())
    assert files[0] == files[1]
    assert files[0] != files[2]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["demo", "--pcap", "/no/such/place/x.pcapng"], "/no/such/place"),
        (["demo", "--link", "carrier-pigeon"], "carrier-pigeon"),
        (["serve"], "APP"),
        (["serve", "echo"], "--tap"),
        (["serve", "juggle", "--tap", "tap0", "--address", "192.0.2.1/24"], "juggle"),
        (["serve", "echo", "--address", "192.0.2.1/24", "--tap", "tap0"], "--address belongs"),
        (["serve", "echo", "--tap", "tap0"], "no address"),
        (["serve", "echo", "--tap", "tap0", "--address", "192.0.2.1/24", "--route", "nowhere"], "PREFIX=VIA"),
        (
            ["serve", "echo", "--tap", "tap0", "--address", "192.0.2.1/24", "--no-link-local"],
            "add --dhcp after --tap tap0",
        ),
        (["serve", "echo", "--tap", "tap0", "--router-discovery", "--forward"], "leave out --router-discovery of tap0"),
        (
            ["serve", "echo", "--tap", "tap0", "--dhcp", "--tap", "tap0", "--dhcp"],
            "--tap tap0 is given twice: give each interface a name of its own",
        ),
        (["sevre"], "sevre"),
    ],
)
def test_wrong_input_is_named_and_exits_2(arguments: list[str], word: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_the_help_shows_a_command_that_works() -> None:
    assert "--tap tap0 --create" in run("serve", "--help").stdout


ELSEWHERE = """
import sys
import click, scapy.layers.inet6, scapy.utils

class WithoutLinux:
    def find_spec(self, name, path=None, target=None):
        if name in ("fcntl", "pyroute2"):
            raise ImportError(name)

sys.meta_path.insert(0, WithoutLinux())
sys.modules.pop("fcntl", None)
sys.platform = "plan9"
from wsknet.cli import main
main(sys.argv[1:])
"""


def run_elsewhere(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def test_on_another_system_the_virtual_network_runs_and_the_rest_says_what_it_needs(tmp_path: Path) -> None:
    demo = run_elsewhere("demo", "--brief", "--pcap", str(tmp_path / "tour.pcapng"))
    assert demo.returncode == 0, demo.stderr
    for arguments in (["serve", "echo", "--tap", "tap0"], ["demo", "--link", "tap"]):
        done = run_elsewhere(*arguments)
        assert done.returncode == 2
        assert "needs Linux" in done.stderr
        assert "Traceback" not in done.stderr
