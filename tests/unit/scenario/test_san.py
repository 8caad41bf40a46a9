"""Hosts with SAN NICs in scenarios: which way the streams of their programs go, what is refused, and the captures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.needs import requires_tool
from tests.support.tshark import fields, judge
from wsknet.errors import UsageError
from wsknet.scenario.catalogue import find
from wsknet.scenario.columns import column
from wsknet.scenario.load import load_hosts, read
from wsknet.scenario.runner import Result, StepResult, run
from wsknet.scenario.text_report import as_builtins, lines
from wsknet.scenario.virtual import VirtualWorld
from wsknet.scenario.yaml_tree import Document

TEXT = """\
title: Two hosts on a SAN.
topic: Tests
no_tap: The kernel has no SAN.
compare: false
faces: [FACE]
hosts:
  client:
    interfaces: {san0: {link: san, addresses: [10.9.0.1/24]}}
    san: [san0]
  server:
    interfaces: {san0: {link: san, addresses: [10.9.0.2/24]}}
    san: [san0]
    san_policy: {wildcard: WILDCARD, rdma_read: RDMA_READ}
steps:
  - {socket: l, on: server, type: tcp}
  - {bind: l, to: "0.0.0.0:80"}
  - {listen: l}
  - {socket: c, on: client, type: tcp}
  - {option: c, set: reuse}
  - {bind: c, to: "0.0.0.0:4000"}
  - {connect: c, to: "10.9.0.2:80"}
  - {accept: l, named: a}
  - {path: c, expect: "*N*"}
  - {send: c, data: DATA}
  - {receive: a}
  - {close: c, how: finish}
  - {receive: a}
"""
SAN_WORDS = (
    "SAN: a connection between NICs begins",
    "SAN REQUEST: 10.9.0.1:4000 asks 10.9.0.2:80",
    "SAN ACCEPT",
    "SAN MESSAGE of 18 bytes: DATA, 2 bytes of the application",
)
LONG = "x" * 30_000
"""Above the threshold for RDMA."""


def text(*more: str, face: str = "winsock", wildcard: str = "pre-vista", reads: str = "true", data: str = "hi") -> str:
    told = TEXT.replace("FACE", face).replace("WILDCARD", wildcard).replace("RDMA_READ", reads).replace("DATA", data)
    return told + "".join(f"  - {step}\n" for step in more)


def played(told: str, pcap: Path | None = None) -> Result:
    scenario = read(Document("it.yaml", told))
    its_column = column(scenario.faces[0], {})
    return run("it", scenario, its_column, VirtualWorld(scenario, its_column, pcap=pcap))


def step(result: Result, sentence: str) -> StepResult:
    return next(each for each in result.steps if each.sentence == sentence)


def refusal(told: str) -> str:
    with pytest.raises(UsageError) as caught:
        read(Document("it.yaml", told))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_program_of_winsock_goes_over_the_san_and_is_told_why() -> None:
    result = played(text('{peer: c, expect: "10.9.0.2:80"}'))
    path = step(result, "the way of c")
    assert path.outcome == "SAN"
    assert path.decisions[0].reference == "Initiating a Connection (Windows Sockets Direct)"
    assert [(each.what, each.is_winner) for each in path.decisions[0].candidates] == [("SAN NIC 10.9.0.1/24", True)]
    assert step(result, "l accepts a").outcome == "10.9.0.1:4000 at 10.9.0.2:80"
    report = "\n".join(lines(result))
    assert "> SAN NIC 10.9.0.1/24  holds the destination" in report
    assert "= SAN: the request came to a companion that listens on a SAN NIC (Accepting" in report
    assert as_builtins(result)["steps"][8]["decisions"][0]["answer"] == "SAN, from 10.9.0.1"


@pytest.mark.parametrize("face", ["wsk", "linux"])
def test_to_other_faces_a_san_nic_is_an_interface_like_all_others(face: str) -> None:
    told = text(face=face).replace('expect: "*N*"', "expect: TCP/IP")
    result = played(told)
    assert result.held
    seen = [frame.line for each in result.steps for frame in each.frames]
    assert any("SYN 10.9.0.1:4000 > 10.9.0.2:80" in line for line in seen)
    assert not any(":17223" in line for line in seen)


@pytest.mark.parametrize("wildcard", ["pre-vista", "vista"])
@pytest.mark.parametrize("reads", ["true", "false"])
def test_long_data_goes_by_rdma_under_every_policy(wildcard: str, reads: str) -> None:
    result = played(text("{receive: a}", "{receive: a}", wildcard=wildcard, reads=reads, data=LONG))
    assert result.held
    received = [each.outcome for each in result.steps if each.sentence == "a receives"]
    assert "".join(received) == LONG + "closed" * received.count("closed")
    comments = " ".join(frame.comment for each in result.steps for frame in each.frames)
    verb = "SAN READ 1: asks for" if reads == "true" else "bytes into the peer's memory"
    assert verb in comments


def test_errors_have_the_same_names_as_without_a_san() -> None:
    more = [
        '{connect: c, to: "10.9.0.2:80", expect: is-connected}',
        '{bind: c, to: "0.0.0.0:1", expect: invalid}',
        "{socket: d, on: client, type: tcp}",
        "{name: d, expect: invalid}",
        "{peer: d, expect: not-connected}",
        "{path: d, expect: not-connected}",
        "{receive: d, expect: not-connected}",
        "{send: d, expect: not-connected}",
        "{listen: d, expect: invalid}",
        "{option: d, set: exclusive}",
        "{option: d, set: reuse, expect: invalid}",
        "{option: d, set: randomize-port, expect: no-such-option}",
        '{bind: d, to: "[::1]:80", expect: fault}',
        '{bind: d, to: "10.9.0.2:80", expect: not-local}',
        "{connect: d, to: nobody, expect: not-supported}",
        "{join: d, group: 224.0.0.9, expect: not-supported}",
        '{route-query: d, to: 10.9.0.2, expect: "10.9.0.1"}',
        '{address-list: d, expect: "10.9.0.1"}',
        '{connect: d, to: "10.9.0.2:81", expect: refused}',
    ]
    problems = [failure for each in played(text(*more)).steps for failure in each.failures]
    assert problems == []
    plain = text(*more).replace("    san: [san0]\n", "").replace("    san_policy: {", "    # {")
    plain = plain.replace('expect: "*N*"', "expect: TCP/IP")
    unlike = [each.sentence for each in played(plain).steps if each.failures]
    assert unlike == ["d sets randomize-port"], "the plain face has an option that this one lacks"


def test_an_error_number_is_told_once() -> None:
    told = ("{socket: d, on: client, type: tcp}", '{connect: d, to: "10.9.0.2:81", expect: refused}')
    result = played(text(*told))
    refused = step(result, "d connects to 10.9.0.2:81")
    assert (refused.rendering, refused.detail) == ("10061 WSAECONNREFUSED", "")
    assert "\n".join(lines(result, explained=False)).count("WSAECONNREFUSED") == 1


def test_an_error_number_that_its_outcome_does_not_tell_stands_below() -> None:
    late = played(text("{send: c, data: late, expect: invalid}")).steps[-1]
    assert (late.rendering, late.detail) == ("10022 WSAEINVAL", "WSAESHUTDOWN (10058)")


def test_datagrams_and_ipv6_pass_the_switch_by() -> None:
    more = [
        "{socket: u, on: server}",
        '{bind: u, to: "0.0.0.0:7"}',
        "{socket: v, on: client}",
        '{send: v, to: "10.9.0.2:7"}',
        '{receive: u, expect: "hello from 10.9.0.1:*"}',
        "{socket: m, on: server, type: tcp, family: ipv6}",
        '{bind: m, to: "[::]:80"}',
        "{listen: m}",
        "{socket: n, on: client, type: tcp, family: ipv6}",
        '{connect: n, to: "[::1]:80", expect: refused}',
    ]
    assert played(text(*more)).held


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("san: [san0]", "san: [san1]", "hosts.client.san[0]: the host has no interface 'san1': choose one of san0"),
        ("san: [san0]", "san: [san0, san0]", "hosts.client.san[1]: san0 is there already"),
        ("wildcard: pre-vista", "wildcard: xp", "wildcard is one of pre-vista, vista, not 'xp'"),
        ("wildcard: pre", "wildcrad: pre", "san_policy.wildcrad: unknown field: did you mean wildcard?"),
        ("san: [san0]\n  server", "san_policy: {}\n  server", "of what? Say which interfaces: san: [NAME]"),
        ("san: [san0]\n  server", "behaves: linux\n    san: [san0]\n  server", "Winsock Direct is of Windows"),
        ("no_tap: The kernel has no SAN.\n", "", "of this host, and has no SAN: add no_tap: WHY"),
        ("- {listen: l}", "- {install: server}", "the host server has nothing to be installed"),
        ("- {listen: l}", "- {install: nobody}", "there is no host 'nobody'"),
        ("- {path: c", "- {path: x", "no socket 'x' was opened before"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(old: str, new: str, told: str) -> None:
    assert text().count(old), "nothing to spoil"
    assert told in refusal(text().replace(old, new, 1))


def test_a_provider_is_installed_once_and_by_winsock_alone() -> None:
    late = text("{install: server}", "{install: server}").replace("rdma_read: true", "installed: false")
    assert "it is installed already" in refusal(late)
    once = late.removesuffix("  - {install: server}\n").replace("[winsock]", "[winsock, wsk]")
    assert "only Winsock knows SAN service providers: say faces: [winsock]" in refusal(once)


def test_hosts_alone_need_no_word_about_taps(tmp_path: Path) -> None:
    path = tmp_path / "hosts.yaml"
    told = text()
    path.write_text(told[told.index("hosts:") : told.index("steps:")])
    assert load_hosts(path)["server"].san == ("san0",)


def test_scenarios_are_found_by_the_numbers_of_the_sheet() -> None:
    assert "refused-on-the-san" in [name for name, _ in find("san-6.3.3")]


@requires_tool("tshark")
def test_every_capture_of_a_san_nic_says_what_its_frames_are(tmp_path: Path) -> None:
    capture = tmp_path / "san.pcapng"
    played(text(data=LONG), capture)
    assert judge(capture).is_clean
    comments = [line for row in fields(capture, "frame.comment", where="tcp.port == 17223") for line in row]
    said = "\n".join(comments)
    for words in ("SAN: a connection between NICs begins", "SAN REQUEST: 10.9.0.1:4000 asks 10.9.0.2:80", "SAN ACCEPT",
                  "HELLO", "SAN READ 1: asks for", "SAN CLOSE", "step 7: c connects to 10.9.0.2:80"):  # fmt: skip
        assert words in said, words
    assert said.count("SAN ACCEPT") == 1, "once, however many NICs and providers there are"


def test_the_text_of_a_run_tells_the_san_frames_behind_their_segments() -> None:
    told = [line.strip() for line in lines(played(text()), explained=False)]
    at = {word: next(index for index, line in enumerate(told) if line.startswith(word)) for word in SAN_WORDS}
    assert list(at.values()) == sorted(at.values())
    assert all(told[index - 1].startswith("-> ") and ":17223" in told[index - 1] for index in at.values())
