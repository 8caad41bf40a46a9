"""What is wrong with a scenario file is told with its line and its field."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsknet.errors import UsageError
from wsknet.scenario.load import load
from wsknet.scenario.schema import Bind, Change, Scenario, Wait
from wsknet.scenario.terms import nanoseconds, port_range

GOOD = """\
title: Nothing in particular.
topic: Tests
hosts:
  server:
    like: H1
  client:
    interfaces:
      eth0: {link: near, addresses: [10.1.0.50/24]}
links:
  near: {delay: 1ms, loss: 0.5}
flips:
  - {policy: demux_tie, value: last}
steps:
  - {socket: s, on: server, type: tcp}
  - {bind: s, to: "0.0.0.0:80", expect: {windows: ok, linux: in-use, "demux_tie=last": ok}}
  - {wait: 20ms}
  - {change: server, add_route: {to: 192.0.2.0/24, via: 10.1.0.1}}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "it.yaml"
    path.write_text(text)
    return path


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(UsageError) as caught:
        load(written(tmp_path, text))
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{tmp_path}/it.yaml")


@pytest.fixture
def good(tmp_path: Path) -> Scenario:
    return load(written(tmp_path, GOOD))


def test_steps_are_told_by_their_first_word(good: Scenario) -> None:
    assert [type(step) for step in good.steps[1:]] == [Bind, Wait, Change]


def test_a_standard_host_brings_its_interfaces_and_routes(good: Scenario) -> None:
    server = good.hosts["server"]
    assert list(server.interfaces) == ["if1", "if2"]
    assert [route.via for route in server.routes] == ["10.1.0.1"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("type: tcp", "type: sctp", ":14: steps[0].type: expected one of udp, tcp"),
        ("on: server", "on: servant", ":14: steps[0].on: there is no host 'servant'"),
        ("bind: s", "bind: t", ":15: steps[1].bind: no socket 't' was opened before"),
        ("bind: s", "bnd: s", ":15: steps[1].bnd: no step begins with 'bnd': choose one of "),
        ('to: "0.0.0.0:80"', 'too: "0.0.0.0:80"', ":15: steps[1].too: unknown field: did you mean to?"),
        ('to: "0.0.0.0:80"', "to: 80", ":15: steps[1].to: expected text, got a number"),
        ("windows: ok", "widows: ok", ":15: steps[1].expect.widows: no face and no flip is called 'widows'"),
        ("windows: ok, ", "", ":15: steps[1].expect: says nothing for wsk"),
        ("20ms", "20", ":16: steps[2].wait: expected text, got a number"),
        ("20ms", "20 minutes", ":16: steps[2].wait: '20 minutes' is no time: expected a number with us, ms, s or min"),
        ("wait: 20ms", "wait: 20ms, what: x", ":16: steps[2].what: unknown field 'what'"),
        ("like: H1", "like: H9", ":5: hosts.server.like: there is no standard host 'H9': choose one of H1, "),
        (
            "10.1.0.50/24",
            "10.1.0.50",
            ":8: hosts.client.interfaces.eth0.addresses[0]: '10.1.0.50' has no prefix length",
        ),
        ("10.1.0.50/24", "10.1.0.50/24 big", ":8: hosts.client.interfaces.eth0.addresses[0]: 'big' is nothing"),
        ("link: near", "lonk: near", ":8: hosts.client.interfaces.eth0.lonk: unknown field: did you mean link?"),
        ("near: {delay", "nowhere: {delay", ":10: links.nowhere: no interface is plugged into nowhere"),
        ("delay: 1ms", "delay: soon", ":10: links.near.delay: 'soon' is no time"),
        (
            "demux_tie, value",
            "demux_knot, value",
            ":12: flips[0]: there is no policy 'demux_knot': did you mean demux_tie?",
        ),
        ("value: last", "value: worst", ":12: flips[0]: demux_tie is one of first, last, random, not 'worst'"),
        ("192.0.2.0/24", "192.0.2.1/24", ":17: steps[3].add_route: '192.0.2.1/24' has bits set after the prefix"),
        ("topic: Tests", "topic: Tests\ntopic: Twice", ":3: topic: given twice"),
        ("topic: Tests\n", "", ":1: the field 'topic' is missing"),
        ("Nothing in particular.", "5", ":1: title: expected text, got a number"),
        ("0.0.0.0:80", "0.0.0.0", ":15: steps[1].to: '0.0.0.0' is no address with port: expected one like "),
        ("0.0.0.0:80", "0.0.0.0:@t", ":15: steps[1].to: no socket 't' was opened before"),
        (
            "add_route: {to: 192.0.2.0/24, via: 10.1.0.1}",
            "note: x",
            ":17: steps[3]: a change is one thing, not nothing",
        ),
        (
            "add_route: {to: 192.0.2.0/24, via: 10.1.0.1}",
            'metric: "50"',
            ":17: steps[3].metric: '50' names no interface",
        ),
        ("title: Nothing", "title: [Nothing", ": not YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, told: str, tmp_path: Path) -> None:
    assert old in GOOD
    message = refusal(tmp_path, GOOD.replace(old, new, 1))
    assert told in message


@pytest.mark.parametrize("text", ["", "- a list", "just words"], ids=["empty", "list", "scalar"])
def test_what_is_no_scenario_at_all(text: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, text).startswith(":")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load(tmp_path / "none.yaml")


def test_on_is_a_word(tmp_path: Path) -> None:
    """YAML 1.1 would read it as a boolean, and 1:20 as eighty."""
    scenario = load(written(tmp_path, GOOD.replace("wait: 20ms", "wait: 20ms, note: yes")))
    assert scenario.steps[2].note == "yes"


@pytest.mark.parametrize(
    ("words", "expected"), [("50us", 50_000), ("1.5 ms", 1_500_000), ("2s", 2_000_000_000), ("1min", 60_000_000_000)]
)
def test_times(words: str, expected: int) -> None:
    assert nanoseconds(words) == expected


def test_ranges_of_ports() -> None:
    assert port_range("50000-50003") == (50000, 50003)
    with pytest.raises(ValueError, match="is no range of ports"):
        port_range("50003-50000")
