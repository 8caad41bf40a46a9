"""Names in a scenario: hosts files, DNS servers, and the step that looks a name up."""

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
title: A host that is found by its name.
topic: Tests
compare: false
no_tap: A kernel serves no names.
faces: [wsk]
hosts:
  client:
    interfaces: {eth0: {link: near, addresses: [10.1.0.50/24, "2001:db8::50/64"]}}
    hosts: [10.1.0.9 printer.lab printer]
    dns: [10.1.0.53]
  server:
    interfaces: {eth0: {link: near, addresses: [10.1.0.53/24]}}
    zone: [web.lab A 10.1.0.80, "web.lab AAAA 2001:db8::80", www.lab CNAME web.lab.]
steps:
  - {look-up: client, name: printer, expect: 10.1.0.9}
  - {look-up: client, name: www.lab, expect: "2001:db8::80 10.1.0.80", frames: ["client.eth0: udp * > 10.1.0.53:53"]}
  - {look-up: client, name: none.lab, expect: no-such-name}
  - {change: server, down: eth0}
  - {look-up: client, name: other.lab, expect: pending}
  - {look-up: client, name: other.lab, within: 11 s, expect: no-answer}
"""


def result_of(text: str, tmp_path: Path) -> Result:
    path = tmp_path / "it.yaml"
    path.write_text(text)
    scenario = load(path)
    return run("it", scenario, (chosen := column("wsk", {})), VirtualWorld(scenario, chosen))


def test_names_are_looked_up_in_the_hosts_file_and_at_the_server(tmp_path: Path) -> None:
    result = result_of(FILE, tmp_path)
    assert [step.failures for step in result.steps if step.failures] == []
    assert sentence(result.steps[1].step) == "client looks up www.lab"


def test_another_outcome_than_the_expected_one_is_a_failure(tmp_path: Path) -> None:
    result = result_of(FILE.replace("10.1.0.9}", "10.1.0.8}").replace("no-such-name", "no-address"), tmp_path)
    assert [step.outcome for step in result.steps if step.failures] == ["10.1.0.9", "no-such-name"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("10.1.0.9 printer.lab printer", "10.1.0.9", "line 1 of the hosts file: 10.1.0.9 has no name behind it"),
        ("dns: [10.1.0.53]", "dns: [server]", "'server' is not an address"),
        ("web.lab A 10.1.0.80", "web.lab 10.1.0.80", "'web.lab 10.1.0.80' is no record"),
        ("web.lab A 10.1.0.80", "web.lab A server", "web.lab A server: "),
        ("look-up: client, name: printer", "look-up: nobody, name: printer", "there is no host 'nobody'"),
        ("name: printer", 'name: ""', "the name is empty"),
        ("compare: false\n", "", "the kernel would ask the resolver of this machine"),
        ("no_tap: A kernel serves no names.\n", "", "zone: on a TAP the kernel would be in the place of this host"),
    ],
)
def test_what_cannot_be_is_refused(old: str, new: str, told: str) -> None:
    assert old in FILE
    with pytest.raises(UsageError) as caught:
        read(Document("it.yaml", FILE.replace(old, new, 1)))
    assert told in str(caught.value)
