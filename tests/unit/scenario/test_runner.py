"""What the engine sees, and that it sees what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.needs import requires_tool
from tests.support.tshark import fields, judge
from wsknet.scenario.columns import column, columns_of
from wsknet.scenario.load import load
from wsknet.scenario.runner import Result, run
from wsknet.scenario.virtual import VirtualWorld

FILE = """\
title: A datagram and a connection.
topic: Tests
hosts:
  server:
    like: H1
  client:
    interfaces:
      eth0: {link: near, addresses: [10.1.0.50/24]}
steps:
  - {socket: s, on: server, type: tcp}
  - {bind: s, to: "0.0.0.0:7000"}
  - {listen: s}
  - {socket: c, on: client, type: tcp}
  - {bind: c, to: "0.0.0.0:4000"}
  - connect: c
    to: 10.1.0.2:7000
    expect: ok
    rule: only usable route
    frames: ["client.eth0: tcp SYN 10.1.0.50:4000 > 10.1.0.2:7000", "server.if1: tcp SYN,ACK *"]
    no_frames: ["* udp *"]
  - {accept: s, named: a, expect: "10.1.0.50:4000 at 10.1.0.2:7000"}
  - {send: c, data: hello}
  - {receive: a, expect: hello}
  - {table: server, show: connections, has: ["10.1.0.2:7000 to 10.1.0.50:4000 ESTABLISHED"], lacks: ["*SYN*"]}
  - {socket: u, on: client}
  - {bind: u, to: "10.9.9.9:1", expect: not-local}
"""


def result_of(text: str, tmp_path: Path, face: str = "winsock", pcap: Path | None = None) -> Result:
    path = tmp_path / "it.yaml"
    path.write_text(text)
    scenario = load(path)
    chosen = column(face, scenario.policies)
    return run("it", scenario, chosen, VirtualWorld(scenario, chosen, pcap=pcap))


@pytest.mark.parametrize("face", ["wsk", "winsock", "linux", "bsd"])
def test_a_scenario_that_holds(face: str, tmp_path: Path) -> None:
    result = result_of(FILE, tmp_path, face)
    assert [failure for step in result.steps for failure in step.failures] == []
    assert len(result.steps) == 12


@pytest.mark.parametrize(
    ("old", "new", "number", "of"),
    [
        ("expect: ok", "expect: refused", 6, "outcome"),
        ("rule: only usable route", "rule: longest prefix", 6, "rule"),
        ("tcp SYN 10.1.0.50:4000", "tcp SYN 10.1.0.50:4001", 6, "frames"),
        ('"client.eth0: tcp SYN 10.1.0.50:4000 > 10.1.0.2:7000", "server.if1: tcp SYN,ACK *"',
         '"server.if1: tcp SYN,ACK *", "client.eth0: tcp SYN 10.1.0.50:4000 > 10.1.0.2:7000"', 6, "frames"),
        ('no_frames: ["* udp *"]', 'no_frames: ["* tcp ACK *"]', 6, "frames"),
        ("50:4000 at 10.1", "50:4000 at 10.2", 7, "outcome"),
        ("{receive: a, expect: hello}", "{receive: a, expect: nothing}", 9, "outcome"),
        ("ESTABLISHED", "CLOSED", 10, "outcome"),
        ('lacks: ["*SYN*"]', 'lacks: ["*ESTAB*"]', 10, "outcome"),
        ("expect: not-local", "expect: ok", 12, "outcome"),
        ('{bind: s, to: "0.0.0.0:7000"}', '{bind: s, to: "10.9.9.9:7000"}', 2, "outcome"),
        ("{listen: s}", "{listen: s, rule: any}", 3, "rule"),
        (", expect: not-local}", "}", 12, "outcome"),
        ('expect: "10.1.0.50:4000 at 10.1.0.2:7000"', "note: once}\n  - {accept: s, named: b", 8, "outcome"),
        ("{receive: a, expect: hello}", "{receive: a}\n  - {receive: a}", 10, "outcome"),
        ("    expect: ok\n", "    within: 0us\n", 6, "outcome"),
    ],
)  # fmt: skip
def test_an_expectation_that_does_not_hold_is_seen(old: str, new: str, number: int, of: str, tmp_path: Path) -> None:
    assert old in FILE
    result = result_of(FILE.replace(old, new, 1), tmp_path)
    step = result.steps[number - 1]
    assert not result.held
    assert [failure.of for failure in step.failures] == [of]


@pytest.mark.parametrize(("face", "called"), [
    ("wsk", "STATUS_INVALID_ADDRESS_COMPONENT"),
    ("winsock", "10049 WSAEADDRNOTAVAIL"),
    ("linux", "EADDRNOTAVAIL"),
])  # fmt: skip
def test_an_outcome_is_called_what_the_face_calls_it(face: str, called: str, tmp_path: Path) -> None:
    assert result_of(FILE, tmp_path, face).steps[-1].rendering == called


def test_a_step_may_be_for_some_faces_only(tmp_path: Path) -> None:
    text = (
        FILE + "  - {name: u, faces: [linux], expect: 0.0.0.0:0}\n  - {name: u, faces: [windows], expect: invalid*}\n"
    )
    for face, outcome in (("linux", "0.0.0.0:0"), ("winsock", "invalid"), ("wsk", "invalid-state")):
        result = result_of(text, tmp_path, face)
        assert result.held
        assert len(result.steps) == 13
        assert result.steps[-1].outcome == outcome


def test_a_flip_is_run_for_the_windows_faces(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    path.write_text(FILE.replace("steps:", "flips: [{policy: demux_tie, value: last}]\nsteps:"))
    names = [each.name for each in columns_of(load(path))]
    assert names == ["wsk", "wsk with demux_tie=last", "winsock", "winsock with demux_tie=last", "linux"]


def test_the_same_seed_gives_the_same_capture(tmp_path: Path) -> None:
    captures = [tmp_path / f"{number}.pcapng" for number in (1, 2)]
    for capture in captures:
        result_of(FILE, tmp_path, "wsk", capture)
    assert captures[0].read_bytes() == captures[1].read_bytes()


@requires_tool("tshark")
def test_every_frame_of_a_capture_tells_its_step_and_the_decision(tmp_path: Path) -> None:
    capture = tmp_path / "it.pcapng"
    result = result_of(FILE, tmp_path, "winsock", capture)
    rows = fields(capture, "frame.interface_name", "frame.comment")
    assert judge(capture).is_clean
    assert len(rows) > sum(len(step.frames) for step in result.steps) > 5
    for _, comment in rows:
        step, _, why = comment.partition("; ")
        assert step.startswith(("step ", "the end"))
        assert why
