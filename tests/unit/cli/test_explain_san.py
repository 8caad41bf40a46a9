"""`wsknet explain` about Winsock Direct: which way a connection goes, and which SAN NICs a listener hears."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wsknet.cli import main

SAN0 = ("--interface", "san0 10.9.0.1/24")
ETH0 = ("--interface", "eth0 10.1.0.2/24")
HOST = (*SAN0, *ETH0, "--san", "san0")

Capture = pytest.CaptureFixture[str]


def explain(capsys: Capture, *arguments: str) -> list[str]:
    main(["explain", *arguments])
    return capsys.readouterr().out.splitlines()


def told(capsys: Capture, *arguments: str) -> Any:
    main(["explain", *arguments, "--json"])
    return json.loads(capsys.readouterr().out)


def winsock(capsys: Capture, *arguments: str) -> tuple[str, str, Any]:
    """Outcome, answer to the first question, and its decision."""
    data = told(capsys, *arguments)
    assert data["chosen"] == "winsock"
    answer = data["answers"]["winsock"]
    return answer["outcome"], answer["why"][0]["answer"], answer["why"][0]["decision"]


@pytest.mark.rule("SAN-6.3.1")
def test_a_destination_on_the_subnet_of_a_san_nic_is_reached_over_the_san(capsys: Capture) -> None:
    lines = explain(capsys, "connect", "10.9.0.2:80", *HOST)
    assert lines[0] == "connect to 10.9.0.2:80, SAN NICs: san0 (the host described)"
    assert lines[2] == "Windows (Winsock): goes over the SAN NIC san0, from the address 10.9.0.1"
    assert any("If the peer has no Winsock Direct, the switch tries TCP/IP." in line for line in lines)
    assert any("no such host" in line for line in lines), "and which answers are final"
    assert "      > SAN NIC 10.9.0.1/24  holds the destination" in lines
    assert any("= SAN, from 10.9.0.1: " in line and "(Initiating a Connection" in line for line in lines)
    assert any(line.startswith("Windows (WSK): leaves through san0 straight to 10.9.0.2") for line in lines)


@pytest.mark.parametrize(
    ("question", "rule"),
    [
        (("connect", "10.1.0.9:80"), "on no subnet of a SAN NIC"),
        (("connect", "10.9.0.2:80", "--bound", "10.1.0.2"), "the local address is not the SAN NIC's on that subnet"),
        (("connect", "10.9.0.1:80"), "the destination is this host itself"),
        (("connect", "[fe80::9%san0]:80"), "SAN service providers know no address but IPv4"),
        (("sendto", "10.9.0.2:80"), "only stream sockets go over a SAN"),
    ],
)
def test_anything_else_stays_with_tcp_ip_and_the_rule_says_why(
    capsys: Capture, question: tuple[str, ...], rule: str
) -> None:
    outcome, path, decision = winsock(capsys, *question, *HOST)
    assert "SAN" not in outcome
    assert path == decision["answer"] == "TCP/IP"
    assert rule in decision["rule"]
    assert decision["reference"]


def test_candidates_are_all_san_nics(capsys: Capture) -> None:
    _, path, decision = winsock(capsys, "connect", "10.1.0.9:80", *HOST, "--san", "eth0")
    assert path == "SAN"
    assert [(each["what"], each["taken"]) for each in decision["candidates"]] == [
        ("SAN NIC 10.9.0.1/24", False),
        ("SAN NIC 10.1.0.2/24", True),
    ]


@pytest.mark.parametrize(
    ("card", "destination", "rule"),
    [
        ("san0", "10.9.0.9:80", "no SAN NIC has an address"),
        ("san0 10.9.0.1/24 down", "10.9.0.9:80", "the SAN NIC on the subnet of the destination is down"),
        (
            "san0 10.9.0.1/24 down",
            "10.1.0.9:80",
            "the destination is on no subnet of a SAN NIC, and a SAN is not routed",
        ),
    ],
)
def test_a_nic_without_an_address_or_a_link_serves_nobody(
    capsys: Capture, card: str, destination: str, rule: str
) -> None:
    question = ("connect", destination, "-i", card, *ETH0, "--san", "san0")
    _, path, decision = winsock(capsys, *question)
    assert (path, decision["rule"]) == ("TCP/IP", rule)
    down = [{"what": "SAN NIC 10.9.0.1/24", "verdict": "is down", "taken": False}]
    assert decision["candidates"] == (down if "down" in card else [])


@pytest.mark.parametrize(
    ("card", "name", "rules"),
    [
        ("san0", "0.0.0.0:80", ("before Vista: one companion at 0.0.0.0", "no SAN NIC has an address")),
        ("san0 10.9.0.1/24 down", "0.0.0.0:80", ("before Vista: one", "every SAN NIC that has an address is down")),
        ("san0 10.9.0.1/24 down", "10.1.0.2:80", ("the address is that of no SAN NIC",) * 2),
    ],
)
def test_what_a_listener_hears_of_a_nic_without_an_address_or_a_link(
    capsys: Capture, card: str, name: str, rules: tuple[str, str]
) -> None:
    answers = told(capsys, "listen", name, "-i", card, *ETH0, "--san", "san0")["answers"].values()
    decisions = [answer["why"][0]["decision"] for answer in answers]
    assert [rule in decision["rule"] for decision, rule in zip(decisions, rules, strict=True)] == [True, True]
    taken = [[each["verdict"] for each in decision["candidates"]] for decision in decisions]
    assert taken == [["is down"] if "down" in card else []] * 2


def test_what_cannot_be_bound_is_not_connected_over_a_san_either(capsys: Capture) -> None:
    answer = told(capsys, "connect", "10.9.0.2:80", "--bound", "10.7.0.1", *HOST)["answers"]["winsock"]
    assert answer["code"] == "10049 WSAEADDRNOTAVAIL"
    assert [each["question"] for each in answer["why"]] == ["May 10.7.0.1:0 be bound?"]


def test_what_cannot_be_bound_does_not_listen_and_the_code_is_told(capsys: Capture) -> None:
    lines = explain(capsys, "listen", "10.7.0.1:80", *HOST)
    failed = "fails: address not local (10.7.0.1 is not an address of this host) [10049 WSAEADDRNOTAVAIL]"
    assert [line for line in lines if "fails" in line] == [f"Before Vista and from Vista on: {failed}"]
    answers = told(capsys, "listen", "10.7.0.1:80", *HOST)["answers"]
    assert [answer["code"] for answer in answers.values()] == ["10049 WSAEADDRNOTAVAIL"] * 2


def test_a_code_is_told_of_failures_only(capsys: Capture) -> None:
    answers = told(capsys, "listen", "0.0.0.0:80", *HOST)["answers"]
    assert [answer["code"] for answer in answers.values()] == [None, None]


@pytest.mark.parametrize(
    ("name", "times"), [("0.0.0.0:80", 2), ("10.9.0.1:80", 1), ("10.1.0.2:80", 1), ("[::]:80", 1), ("10.7.0.1:80", 1)]
)
def test_an_answer_that_does_not_depend_on_the_policy_is_given_once(capsys: Capture, name: str, times: int) -> None:
    lines = explain(capsys, "listen", name, *HOST)
    assert sum(line.startswith("  1. ") for line in lines) == times
    assert sum("Vista" in line and not line.startswith(" ") for line in lines) == times


@pytest.mark.rule("SAN-4.1.1", "SAN-4.2.2")
def test_a_wildcard_listener_is_told_under_both_policies(capsys: Capture) -> None:
    lines = explain(capsys, "listen", "0.0.0.0:80", *HOST)
    assert "Before Vista: listens through TCP/IP, and SAN at 0.0.0.0" in lines
    assert "From Vista on: listens through TCP/IP, and SAN at 10.9.0.1" in lines
    answers = told(capsys, "listen", "0.0.0.0:80", *HOST)["answers"]
    assert list(answers) == ["pre-vista", "vista"]
    decision = answers["vista"]["why"][0]["decision"]
    assert decision["candidates"] == [
        {"what": "SAN NIC 10.9.0.1", "verdict": "a companion listens there", "taken": True}
    ]
    assert decision["reference"] == "Listening for Connections on a SAN"


@pytest.mark.parametrize(
    ("name", "outcome", "rule"),
    [
        ("10.9.0.1:80", "listens through TCP/IP, and SAN at 10.9.0.1", "the address is that of a SAN NIC"),
        ("10.1.0.2:80", "listens through TCP/IP alone", "the address is that of no SAN NIC"),
        ("[::]:80", "listens through TCP/IP alone", "SAN service providers know no address but IPv4"),
        ("10.7.0.1:80", "fails: address not local (10.7.0.1 is not an address of this host)", "10.7.0.1 is not an"),
    ],
)
def test_other_listeners(capsys: Capture, name: str, outcome: str, rule: str) -> None:
    for answer in told(capsys, "listen", name, *HOST)["answers"].values():
        assert answer["outcome"] == outcome
        assert rule in answer["why"][0]["decision"]["rule"]


def test_the_san_nics_may_stand_in_the_file(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("hosts: {a: {interfaces: {san0: {addresses: [10.9.0.1/24]}}, san: [san0]}}\n")
    assert winsock(capsys, "connect", "10.9.0.2:80", "--file", str(path))[1] == "SAN"
    assert told(capsys, "connect", "10.9.0.2:80", "--file", str(path), "--set", "linux")["chosen"] == "linux"
    assert (
        "and SAN at 0.0.0.0"
        in told(capsys, "listen", "0.0.0.0:80", "--file", str(path))["answers"]["pre-vista"]["outcome"]
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            ("connect", "10.9.0.2:80", *SAN0, "--san", "san9"),
            "--san san9: the host described has no such interface, only",
        ),
        (("connect", "10.9.0.2:80", *SAN0, "--san", ""), "--san '': the host described has no such interface"),
        (("connect", "10.9.0.2:80", *SAN0, "--san", "loopback"), "has no such interface, only san0"),
        (("connect", "10.9.0.2:80", *HOST, "--set", "linux"), "--san is about Windows: leave --set linux out"),
        (("connect", "10.9.0.2:80", *HOST, "--face", "wsk"), "leave --face wsk out"),
        (("connect", "10.9.0.2:80", *HOST, "--through", "eth0"), "--san and --through exclude each other"),
        (("connect", "10.9.0.2:80", "--san", "san0"), "which host is meant"),
        (("listen", "0.0.0.0:80", *SAN0), "say which NICs a SAN service provider serves: --san NAME"),
        (("listen", "10.9.0.1", *HOST), "has no port"),
    ],
)
def test_wrong_words_get_one_line(capsys: Capture, arguments: tuple[str, ...], problem: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["explain", *arguments])
    message = capsys.readouterr().err
    assert ended.value.code == 2
    assert message.count("\n") == 1
    assert problem in message
