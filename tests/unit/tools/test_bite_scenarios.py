"""Whether `tools.bite_scenarios` sees an expectation that nobody checks."""

from __future__ import annotations

import pytest
from msgspec import structs

from tools.bite_scenarios import IMPOSSIBLE, complaints, main
from wsknet.scenario.catalogue import find
from wsknet.scenario.load import read
from wsknet.scenario.schema import Bind
from wsknet.scenario.yaml_tree import Document

SURVIVOR = f"""
title: Something strange is received.
topic: Tests
faces: [linux]
hosts: {{host: {{like: LO}}}}
steps:
  - {{socket: s, on: host, type: tcp}}
  - {{bind: s, to: "127.0.0.1:7"}}
  - {{listen: s}}
  - {{socket: c, on: host, type: tcp}}
  - {{connect: c, to: "127.0.0.1:7"}}
  - {{accept: s, named: a}}
  - {{send: c, data: {IMPOSSIBLE}}}
  - {{receive: a, expect: "what*"}}
"""
NAME = "udp-reply-from-the-wrong-address"


def test_every_expectation_of_a_packaged_scenario_bites(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([NAME]) == 0
    assert ", 0 complaints" in capsys.readouterr().out


def test_an_expectation_that_does_not_hold_is_told() -> None:
    ((name, scenario),) = find(NAME)
    steps = tuple(structs.replace(step, expect="denied") if isinstance(step, Bind) else step for step in scenario.steps)

    count, lines = complaints(name, structs.replace(scenario, steps=steps))

    assert count > len(scenario.steps) // 2
    assert f"{NAME}, wsk: does not hold" in lines


def test_an_expectation_that_survives_is_told() -> None:
    """Here what cannot be, is."""
    scenario = read(Document("it.yaml", SURVIVOR))

    _, lines = complaints("it", scenario)

    assert lines == ["it, step 8, linux: holds without expect 'what*'"]
