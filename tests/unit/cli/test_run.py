"""`wsknet run` and `wsknet list`, as people and programs use them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wsknet.cli import main
from wsknet.scenario.testing import assert_holds

FILE = """\
title: A datagram for nobody.
topic: Tests
hosts:
  server: {like: H1}
  client: {interfaces: {eth0: {link: near, addresses: [10.1.0.50/24]}}}
steps:
  - {socket: c, on: client}
  - {bind: c, to: "0.0.0.0:4000"}
  - {send: c, to: "10.1.0.2:7000", frames: ["server.if1: icmp port-unreachable 10.1.0.2 > 10.1.0.50"]}
"""
NAME = "udp-reply-from-the-wrong-address"


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, output and messages."""
    try:
        main(list(arguments))
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    output = capsys.readouterr()
    return code, output.out, output.err


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "it.yaml"
    path.write_text(FILE)
    return path


def test_a_packaged_scenario_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    code, output, _ = told(capsys, "run", NAME, "--face", "linux")
    assert code == 0
    assert "A wildcard UDP server answers" in output
    assert "-> server.if1: udp 10.1.0.2:7000 > 10.1.0.50:4000" in output
    assert "every expectation held" in output
    assert "10.1.0.0/24 on-link on if1" in output


@pytest.mark.parametrize("number", ["BIND-1", "bind-1"])
def test_all_scenarios_of_a_number(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, output, _ = told(capsys, "run", number, "--face", "linux")
    assert code == 0
    assert "2 scenarios, 2 runs: 2 held, 0 did not" in output


def test_brief_leaves_the_decisions_out(capsys: pytest.CaptureFixture[str]) -> None:
    _, output, _ = told(capsys, "run", NAME, "--face", "linux", "--brief")
    assert "on-link" not in output
    assert "-> server.if1" in output


def test_a_file_of_ones_own(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, output, _ = told(capsys, "run", str(file))
    assert code == 0
    assert output.count("every expectation held") == 3


def test_a_failed_expectation_is_shown_with_what_came(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(FILE.replace("port-unreachable", "host-unreachable"))
    code, output, _ = told(capsys, "run", str(file), "--face", "winsock")
    assert code == 1
    assert "AN EXPECTATION DID NOT HOLD" in output
    assert "expected server.if1: icmp host-unreachable" in output
    assert "icmp port-unreachable 10.1.0.2 > 10.1.0.50" in output


def test_of_several_only_what_failed_is_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(FILE.replace("port-unreachable", "host-unreachable"))
    code, output, _ = told(capsys, "run", str(file), NAME)
    assert code == 1
    assert "every expectation held" not in output
    assert "2 scenarios, 6 runs: 3 held, 3 did not" in output


def test_json_has_decisions_and_frames(capsys: pytest.CaptureFixture[str]) -> None:
    code, output, _ = told(capsys, "run", NAME, "--face", "winsock", "--json")
    (result,) = json.loads(output)
    assert code == 0
    assert (result["held"], result["face"], "BIND-1" in result["cases"]) == (True, "winsock", True)
    answer = next(step for step in result["steps"] if step["step"].startswith("s sends"))
    assert answer["decisions"][0]["parts"][0]["candidates"][0]["taken"] is True
    assert answer["frames"][-1]["frame"] == "udp 10.1.0.2:7000 > 10.1.0.50:4000"
    assert "route" in answer["frames"][-1]["because"]


def test_a_policy_set_otherwise_is_only_shown(capsys: pytest.CaptureFixture[str]) -> None:
    code, output, _ = told(
        capsys, "run", NAME, "--face", "winsock", "--brief", "--policy", "udp_connect_commits_address=no"
    )
    assert code == 0
    assert "not judged" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "give the name or the file of a scenario, or --all"),
        (["run", "--all", NAME], "give the name or the file of a scenario, or --all"),
        (["run", "udp-reply-from-the-wrong-adress"], f"did you mean {NAME}?"),
        (["run", "nothing-of-the-kind-at-all"], "finds their names"),
        (["run", "/no/such/file.yaml"], "/no/such/file.yaml: No such file or directory"),
        (["run", NAME, "--face", "bsd"], "says nothing for bsd: choose from wsk, winsock, linux"),
        (["run", NAME, "--pcap", "/no/such/place/x.pcapng"], "there is no directory /no/such/place"),
        (["run", NAME, "--policy", "no_such=1"], "there is no policy 'no_such'"),
        (["run", "BIND-1", "--face", "bsd"], "none of these says anything for bsd"),
        (["run", ""], "there is no scenario ''"),
        (["run", "/dev/zero"], "too large for a scenario file"),
        (["run", NAME, "--policy", "host_sent=weak"], "did you mean host_send?"),
        (["run", NAME, "--report", "/no/such/place/x.html"], "/no/such/place"),
    ],
)
def test_unusable_input_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, errors = told(capsys, *arguments)
    assert code == 2
    assert message in errors
    assert errors.count("\n") == 1


def test_the_list_is_by_topic_and_can_be_searched(capsys: pytest.CaptureFixture[str]) -> None:
    _, everything, _ = told(capsys, "list")
    _, found, _ = told(capsys, "list", "wrong", "ipv6")
    assert NAME in everything
    assert len(found.splitlines()) < len(everything.splitlines())
    assert "udp-reply-from-the-wrong-address-ipv6" in found
    _, none, _ = told(capsys, "list", "zebra")
    assert none == "no scenario has these words: `wsknet list` shows all\n"


def test_the_list_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    _, output, _ = told(capsys, "list", NAME, "--json")
    entry = next(entry for entry in json.loads(output) if entry["name"] == NAME)
    assert "BIND-1" in entry["cases"]
    assert entry["grade"] == "reported"


def test_a_file_in_a_test_suite(file: Path) -> None:
    assert_holds(file)
    assert_holds(NAME, "linux")
    file.write_text(FILE.replace("port-unreachable", "host-unreachable"))
    with pytest.raises(AssertionError, match=r"expected server\.if1: icmp host-unreachable"):
        assert_holds(file, "wsk")
