"""Fault switches in a scenario: of a host from the beginning, and as steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsknet.errors import UsageError
from wsknet.scenario.columns import column
from wsknet.scenario.load import load, read
from wsknet.scenario.runner import Result, run
from wsknet.scenario.virtual import VirtualWorld
from wsknet.scenario.wording import sentence
from wsknet.scenario.yaml_tree import Document

FILE = """\
title: A driver that is put to the test.
topic: Tests
compare: false
faces: [wsk]
hosts:
  client:
    interfaces: {eth0: {link: near, addresses: [10.1.0.50/24]}}
    faults: {completing: pending, delay: 400 ms}
    verified: true
  server:
    interfaces: {eth0: {link: near, addresses: [10.1.0.2/24]}}
steps:
  - {socket: s, on: client}
  - {bind: s, to: "0.0.0.0:7", expect: pending}
  - {bind: s, to: "0.0.0.0:7", within: 1 s, expect: bug-check}
  - {faults: client, completing: inline, fail: {IoAllocateMdl: 1}}
  - {send: s, to: "10.1.0.2:7", expect: no-buffers}
  - {send: s, to: "10.1.0.2:7"}
  - {kill: s}
  - {send: s, to: "10.1.0.2:7", expect: interface-removed}
  - {close: s}
  - {provider: client, is: gone}
  - {socket: t, on: client, expect: device-not-ready}
  - {provider: client, is: back}
"""


def result_of(text: str, tmp_path: Path) -> Result:
    path = tmp_path / "it.yaml"
    path.write_text(text)
    scenario = load(path)
    return run("it", scenario, (chosen := column("wsk", {})), VirtualWorld(scenario, chosen))


def test_every_switch_does_what_it_says(tmp_path: Path) -> None:
    result = result_of(FILE, tmp_path)
    assert [(step.number, step.outcome, step.failures) for step in result.steps if step.failures] == []
    assert "rule WSK-3.6: a second WskBind" in result.steps[2].detail
    assert result.steps[7].rendering == "STATUS_FILE_FORCED_CLOSED"
    assert [sentence(result.steps[number].step) for number in (3, 6, 9)] == [
        "completions of client come inline",
        "s dies under its owner",
        "the WSK subsystem of client is gone",
    ]


def test_without_a_verifier_the_same_misuse_is_a_status(tmp_path: Path) -> None:
    result = result_of(
        FILE.replace("verified: true", "verified: false").replace("bug-check", "invalid-state"), tmp_path
    )
    assert [step.number for step in result.steps if step.failures] == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("completing: pending", "completing: never", "completing is one of as ready, pending, inline, alternating"),
        ("delay: 400 ms", "delay: soon", "'soon' is no time"),
        ("IoAllocateMdl: 1", "IoAllocateMdl: 0", "fail counts calls from 1"),
        ("is: gone", "is: away", "expected one of gone, back"),
        ("kill: s", "kill: q", "no socket 'q' was opened before"),
        ("faults: client", "faults: nobody", "there is no host 'nobody'"),
        ("compare: false\n", "", "only WSK has fault switches: say faces: [wsk]"),
        ("faces: [wsk]", "faces: [wsk, linux]", "only WSK has fault switches: say faces: [wsk]"),
    ],
)
def test_what_cannot_be_is_refused(old: str, new: str, told: str) -> None:
    assert old in FILE
    with pytest.raises(UsageError) as caught:
        read(Document("it.yaml", FILE.replace(old, new, 1)))
    assert told in str(caught.value)
