"""`wsknet compare`: differences between emulated hosts and the kernel are found, and told from those that are known."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.rights import without_rights
from wsknet.cli import main
from wsknet.scenario.catalogue import everything
from wsknet.scenario.compare import compare, obstacle, waiting
from wsknet.scenario.load import load

pytestmark = pytest.mark.tap

PACKAGED = "udp-reply-from-the-wrong-address"

ALIKE = """
title: Two hosts that talk.
topic: test
faces: [linux]
hosts:
  server: {interfaces: {if1: {link: near, addresses: [10.1.0.2/24]}}BEHAVES}
  client: {interfaces: {eth0: {link: near, addresses: [10.1.0.50/24]}}}
steps:
  - {socket: l, on: server, type: tcp}
  - {bind: l, to: "0.0.0.0:80"}
  - {listen: l}
  - {socket: c, on: client, type: tcp}
  - {connect: c, to: "10.1.0.2:80", expect: ok}
  - {accept: l, named: a, expect: "10.1.0.50:* at 10.1.0.2:80"}
  - {name: c, expect: "10.1.0.50:*"}
  - {socket: d, on: client, type: tcp}
  - {connect: d, to: "10.1.0.2:80", expect: ok}
  - {name: d, expect: "10.1.0.50:*"}
  - {peer: a, expect: "10.1.0.50:*"}
"""
# The server of the emulated network is a Windows, which calls the conflict of two binds otherwise.
DIFFERENT = """
  - {socket: b, on: server, type: tcp}
  - {bind: b, to: "10.1.0.2:80", expect: EXPECTED}
  - {listen: b}
"""


def write(path: Path, expected: str | None, differs: str = "") -> Path:
    text = ALIKE.replace("BEHAVES", ", behaves: windows" if expected else "")
    if expected:
        text += DIFFERENT.replace("EXPECTED", expected)
    file = path / "case.yaml"
    file.write_text(text + (f"differs: {differs}\n" if differs else ""))
    return file


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        main(["compare", *arguments])
    except SystemExit as ended:
        status = int(ended.code or 0)
    else:
        status = 0
    told = capsys.readouterr()
    return status, told.out, told.err


def test_hosts_that_do_the_same_are_alike_though_their_ports_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(capsys, str(write(tmp_path, None)))
    assert status == 0
    assert "1 alike, 0 with known differences, 0 with unknown differences" in out
    assert out.count("10.1.0.50:p1 at 10.1.0.2:80") == 2
    assert out.count("10.1.0.50:p2") == 2
    assert os.uname().release in out


@pytest.mark.parametrize("expected", ["denied", "{linux: denied}", "{linux: denied, kernel: not-local}"])
def test_a_difference_that_the_scenario_does_not_tell_of_is_a_failure(
    expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(capsys, str(write(tmp_path, expected)))
    assert status == 1
    assert "! 13. b binds 10.1.0.2:80" in out
    assert "UNKNOWN" in out
    assert "1 with unknown differences" in out


def test_a_difference_that_the_scenario_tells_of_is_known_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, "{linux: denied, kernel: in-use}", "the server is a Windows")
    status, out, _ = run(capsys, str(file))
    assert status == 0
    assert "~ 13. b binds 10.1.0.2:80" in out
    assert "case differs: the server is a Windows" in out
    assert "0 alike, 1 with known differences, 0 with unknown differences" in out


def test_what_the_scenario_says_of_the_kernel_must_hold_even_if_both_do_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "case.yaml"
    file.write_text(ALIKE.replace("BEHAVES", "") + DIFFERENT.replace("EXPECTED", "{linux: in-use, kernel: ok}"))
    status, out, _ = run(capsys, str(file))
    assert status == 1
    assert "the kernel does not do what the scenario says it does" in out


def test_of_several_scenarios_only_those_with_differences_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alike = write(tmp_path, None).rename(tmp_path / "alike.yaml")
    different = write(tmp_path, "denied").rename(tmp_path / "different.yaml")
    status, out, _ = run(capsys, str(alike), str(different))
    assert status == 1
    assert "different: Two hosts that talk." in out
    assert "alike: Two hosts" not in out
    assert "c connects" not in out
    assert "1 alike, 0 with known differences, 1 with unknown differences" in out


def test_programs_get_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, str(write(tmp_path, "{linux: denied, kernel: in-use}")), "--json")
    assert status == 0
    (told,) = json.loads(out)
    assert told["verdict"] == "known"
    assert told["kernel"] == os.uname().release
    assert told["sysctls"]["net.ipv4.conf.all.rp_filter"] == "0"
    bind = next(step for step in told["steps"] if step["number"] == 13)
    assert (bind["wsknet"], bind["kernel"], bind["known"]) == ("denied", "in-use", True)


def test_frames_are_compared_and_those_that_mean_nothing_are_not(tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    steps = """
  - {socket: s, on: client}
  - {bind: s, to: "0.0.0.0:4000"}
  - {send: s, to: "10.1.0.2:9"}
"""
    file.write_text(ALIKE.replace("BEHAVES", "") + steps)
    comparison = compare("case", load(file))
    assert comparison.verdict == "alike"
    last = comparison.steps[-1]
    assert sorted(last.kernel_frames) == sorted(last.our_frames) == [
        "client.eth0: udp 10.1.0.50:4000 > 10.1.0.2:9",
        "server.if1: icmp port-unreachable 10.1.0.2 > 10.1.0.50",
    ]  # fmt: skip


def test_a_difference_on_the_wire_alone_is_found(tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    # Windows sends from the lowest address of a subnet, Linux from the first.
    hosts = ALIKE.replace("BEHAVES", ", behaves: windows").replace("[10.1.0.2/24]", "[10.1.0.2/24, 10.1.0.1/24]")
    file.write_text(
        hosts
        + """
  - {socket: s, on: server}
  - {bind: s, to: "0.0.0.0:4000"}
  - {send: s, to: "10.1.0.50:9", expect: ok}
"""
    )
    (step,) = compare("case", load(file)).unknown
    assert (step.ours, step.kernels, step.problem) == ("ok", "ok", "frames")
    assert "server.if1: udp 10.1.0.1:4000 > 10.1.0.50:9" in step.our_frames
    assert "server.if1: udp 10.1.0.2:4000 > 10.1.0.50:9" in step.kernel_frames


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("compare: false\ndiffers: Linux has no such thing\n", "Linux has no such thing"),
        ("", "not for linux"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    change: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, None)
    text = file.read_text() if change else file.read_text().replace("[linux]", "[wsk]")
    file.write_text(text + change)
    status, _, err = run(capsys, str(file))
    assert status == 2
    assert reason in err
    assert err.count("\n") == 1


def test_without_rights_one_line_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with without_rights():
        status, _, err = run(capsys, PACKAGED)
    assert status == 2
    assert err == "wsknet: no right to make network namespaces: run it as root\n"


@pytest.mark.parametrize("arguments", [[], ["a", "--all"]], ids=["nothing", "both"])
def test_either_names_or_all(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, *arguments)
    assert status == 2
    assert "--all" in err


@pytest.mark.long
@pytest.mark.parametrize(
    "name", [name for name, scenario in everything() if not obstacle(scenario) and waiting(scenario) <= 10]
)
def test_packaged_scenarios_tell_of_every_difference(name: str) -> None:
    comparison = compare(name, dict(everything())[name])
    assert [f"{step.number}. {step.sentence}: {step.problem}" for step in comparison.unknown] == []
