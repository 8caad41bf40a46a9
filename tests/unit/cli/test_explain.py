"""`wsknet explain`: what people ask, in their words, and what they are told."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsknet.cli import main
from wsknet.cli.host_words import described_host, parse_held
from wsknet.errors import UsageError

ETH0 = ("--interface", "eth0 10.1.0.2/24 10.1.0.9/24")
ETH1 = ("--interface", "eth1 10.2.0.2/24")
DEFAULT = ("--route", "default via 10.1.0.1")
ASKED = ("--from", "10.1.0.50:4000", "--to", "10.1.0.9:53")

Capture = pytest.CaptureFixture[str]


def explain(capsys: Capture, *arguments: str) -> str:
    main(["explain", *arguments])
    return capsys.readouterr().out


def told(capsys: Capture, *arguments: str) -> Any:
    return json.loads(explain(capsys, *arguments, "--json"))


def help_of(capsys: Capture, *command: str) -> str:
    main(["explain", *command, "--help"])
    return capsys.readouterr().out


def examples(text: str) -> list[list[str]]:
    """Every command that a help text shows, its lines joined."""
    joined = re.sub(r"\\\n\s*", "", text)
    return [shlex.split(line)[2:] for line in joined.splitlines() if line.strip().startswith("wsknet explain ")]


def test_the_help_begins_with_the_question_people_have_and_its_command_answers_it(capsys: Capture) -> None:
    text = help_of(capsys)
    assert text.index("Why did my UDP server answer from the other address?") < text.index("Why did my packet leave")
    answer = explain(capsys, *examples(text)[0])
    assert "the answer leaves from 10.1.0.2, not from 10.1.0.9, which was asked" in answer
    assert "bind one socket to each address of the host" in " ".join(answer.split())
    assert "IP_PKTINFO" in answer


@pytest.mark.parametrize("command", [(), ("bind",), ("connect",), ("sendto",), ("arrival",)])
def test_every_example_of_the_help_works(capsys: Capture, command: tuple[str, ...]) -> None:
    shown = examples(help_of(capsys, *command))
    assert shown
    for arguments in shown:
        if "--host" not in arguments:
            assert explain(capsys, *arguments).count("= ") > 0


def test_the_reasons_are_shown_for_one_system_and_the_others_where_they_differ(capsys: Capture) -> None:
    question = ("connect", "8.8.8.8:443", "--bound", "10.2.0.2", *ETH0, *ETH1, *DEFAULT)
    lines = explain(capsys, *question).splitlines()
    assert lines[0] == "connect to 8.8.8.8:443 bound to 10.2.0.2 (the host described)"
    assert lines[2].startswith("Windows (WSK): fails: network unreachable")
    assert lines[2].endswith("[STATUS_NETWORK_UNREACHABLE]")
    assert "Linux: leaves through eth0 to the router 10.1.0.1, from the address 10.2.0.2" in lines
    assert lines[-1] == "Windows (Winsock): the same"
    linux = explain(capsys, *question, "--set", "linux").splitlines()
    assert linux[2].startswith("Linux: leaves through eth0")
    assert linux[-1] == "BSD: the same"


@pytest.mark.rule("BIND-M/wsk/D,w/D,s", "BIND-M/winsock2003/D,w/D,s")
def test_programs_and_drivers_share_a_port_by_different_tables(capsys: Capture) -> None:
    question = ("bind", "10.1.0.2:80", *ETH0, "--holding", "0.0.0.0:80")
    answers = told(capsys, *question)["answers"]
    assert answers["wsk"]["code"] == "STATUS_ACCESS_DENIED"
    assert answers["winsock"]["outcome"] == "succeeds"
    assert "Windows (Winsock): succeeds" in explain(capsys, *question).splitlines()[2:]
    assert explain(capsys, *question, "--face", "winsock").splitlines()[2] == "Windows (Winsock): succeeds"


@pytest.mark.rule("BIND-14")
def test_accounts_and_options_count(capsys: Capture) -> None:
    beside = ("bind", "10.1.0.2:80", *ETH0, "--as", "bob", "--holding")
    assert told(capsys, *beside, "0.0.0.0:80 as alice")["answers"]["winsock"]["code"] == "10013 WSAEACCES"
    assert told(capsys, *beside, "0.0.0.0:80 as bob")["answers"]["winsock"]["outcome"] == "succeeds"
    assert told(capsys, *beside, "0.0.0.0:80 as alice admits bob")["answers"]["wsk"]["outcome"] == "succeeds"
    reuse = told(capsys, *beside, "0.0.0.0:80 reuse as alice", "--option", "reuse")
    assert reuse["answers"]["winsock"]["outcome"] == "succeeds"


@pytest.mark.rule("BIND-1.2.2")
def test_both_families_of_a_wildcard_can_be_asked_for(capsys: Capture) -> None:
    beside = ("bind", "[::]:80", *ETH0, "--holding", "0.0.0.0:80", "--option")
    assert told(capsys, *beside, "dual")["answers"]["linux"]["code"] == "EADDRINUSE"
    assert told(capsys, *beside, "v6only")["answers"]["linux"]["outcome"] == "succeeds"


@pytest.mark.rule("BIND-31")
def test_a_packet_on_the_wrong_interface_is_told_to_be_dropped(capsys: Capture) -> None:
    question = ("arrival", *ETH0, *ETH1, "--from", "10.1.0.50:4000", "--to", "10.2.0.2:53", "--on", "eth0")
    lines = explain(capsys, *question).splitlines()
    assert "is dropped before any socket sees it: 10.2.0.2 belongs to eth1" in lines[2]
    assert lines[-1] == "Note: no --socket was given, so one is taken to be bound to 0.0.0.0:53."


def test_json_has_all_systems_with_all_candidates(capsys: Capture) -> None:
    data = told(capsys, "arrival", *ETH0, *ASKED)
    assert set(data["answers"]) == {"wsk", "winsock", "linux", "bsd"}
    answer = data["answers"][data["chosen"]]
    assert answer["source"] == "10.1.0.2"
    source = answer["why"][2]["decision"]["parts"][1]
    assert [candidate["what"] for candidate in source["candidates"]] == ["10.1.0.9/24 on eth0", "10.1.0.2/24 on eth0"]


words = st.lists(
    st.sampled_from(
        ["eth0", "10.1.0.2/24", "10.1.0.2:53", "[::]:53", "metric", "via", "dev", "as", "admits", ">", "9" * 5000]
    )
    | st.text(max_size=8),
    max_size=6,
).map(" ".join)


@given(words)
def test_no_words_are_answered_with_anything_but_one_line(told: str) -> None:
    for read in (
        lambda: parse_held(told, {"eth0": 2}),
        lambda: described_host((told,), ()),
        lambda: described_host((), (told,)),
    ):
        try:
            read()
        except UsageError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - most words are refused, some are not


HOSTS = """
hosts:
  server: {like: H1}
  client: {interfaces: {eth0: {addresses: [10.1.0.50/24, "2001:db8::50/64"]}}}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "net.yaml"
    path.write_text(HOSTS)
    return str(path)


def test_the_host_may_come_from_a_file(capsys: Capture, file: str) -> None:
    data = told(capsys, "sendto", "10.2.0.7:9", "--file", file, "--on", "server")
    assert data["answers"]["wsk"]["source"] == "10.2.0.2"
    data = told(capsys, "sendto", "2001:db8::1", "--file", file, "--on", "client")
    assert data["answers"]["wsk"]["source"] == "2001:db8::50"


def test_a_file_of_several_hosts_names_host_and_interface_at_once(capsys: Capture, file: str) -> None:
    packet = ("arrival", "--file", file, "--from", "10.1.0.50:4000", "--to", "10.2.0.2:53", "--on")
    assert "is dropped" in told(capsys, *packet, "server.if1")["answers"]["wsk"]["outcome"]
    assert "reaches 0.0.0.0:53" in told(capsys, *packet, "server")["answers"]["wsk"]["outcome"]


def test_what_ip_route_prints_can_be_pasted(capsys: Capture) -> None:
    routes = [
        "10.1.0.0/24 dev eth0 proto kernel scope link src 10.1.0.2 metric 100",
        "default via 10.1.0.1 dev eth0 proto dhcp src 10.1.0.9 metric 100 onlink",
    ]
    options = [word for route in routes for word in ("--route", route)]
    assert told(capsys, "sendto", "8.8.8.8", *ETH0, *options)["answers"]["linux"]["source"] == "10.1.0.9"


def test_zones_are_names_of_interfaces(capsys: Capture) -> None:
    data = told(capsys, "connect", "[fe80::99%eth1]:80", *ETH0, *ETH1)
    assert "leaves through eth1 straight to fe80::99" in data["answers"]["linux"]["outcome"]


def test_an_interface_may_be_down_and_addresses_may_stand_on_the_loopback(capsys: Capture) -> None:
    down = ("--interface", "eth0 10.1.0.2/24 down")
    assert told(capsys, "bind", "10.1.0.2:80", *down)["answers"]["winsock"]["code"] == "10049 WSAEADDRNOTAVAIL"
    assert told(capsys, "bind", "10.1.0.2:80", *down)["answers"]["linux"]["outcome"] == "succeeds"
    assert (
        told(capsys, "bind", "10.0.0.1:80", *ETH0, "--interface", "lo 10.0.0.1/32")["answers"]["wsk"]["error"] is None
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            ("connect", "8.8.8.8"),
            'describe it with --interface "eth0 10.1.0.2/24 10.1.0.9/24", or --file FILE, or --host',
        ),
        (("connect", "8.8.8.8", *ETH0, "--host"), "exclude each other"),
        (("connect", "example.com", *ETH0), "names are not looked up"),
        (("connect", "8.8.8.8:70000", *ETH0), "a port is a number from 0 to 65535"),
        (("connect", "fe80::1%eth9", *ETH0), "there is no interface 'eth9': the host has loopback, eth0"),
        (("connect", "8.8.8.8", "--bound", "::1", *ETH0), "of different families"),
        (("bind", "10.1.0.2%eth0:80", *ETH0), "only IPv6 addresses have a zone"),
        (("bind", "[10.1.0.2]:80", *ETH0), "'[10.1.0.2]:80' is not an address"),
        (("bind", "[fe80::1%]:80", *ETH0), "there is no interface ''"),
        (("bind", "::1:80", *ETH0), "write it like [2001:db8::1]:80, in brackets"),
        (("bind", "10.1.0.2:80", "-i", "eth0 10.1.0.2/24 metric"), "metric is followed by a number"),
        (("bind", "10.1.0.2:80", "-i", "eth0 10.1.0.2/24 metric 9999999999"), "a metric is 0 to 4294967295"),
        (("bind", "10.1.0.2:80", "-i", "eth0 10.1.0.2/24 10.1.0.2/24"), "10.1.0.2/24 is there twice"),
        (("sendto", "8.8.8.8", *ETH0, "-r", "default via x"), "--route \"default via x\": 'x' is not an address"),
        (("sendto", "8.8.8.8", *ETH0, "-r", "default via 10.1.0.1 via 10.1.0.3"), "'via' is not understood"),
        (("sendto", "8.8.8.8", *ETH0, "-r", "8.0.0.0/8 via ::1"), "are of different families"),
        (("connect", "8.8.8.8", "--bound", "", *ETH0), "'' is not an address"),
        (("connect", "8.8.8.8", "--through", "eth9", *ETH0), "no such interface, only loopback, eth0"),
        (("connect", "8.8.8.8", "--on", "eth0", *ETH0), "leave it out here"),
        (("connect", "8.8.8.8", "--interface", "10.1.0.2/24"), "the name comes first"),
        (("connect", "8.8.8.8", "--interface", "eth0 10.1.0.2"), "has no prefix length"),
        (("connect", "8.8.8.8", "--interface", "eth0 10.1.0.2/24 mtu 3"), "an MTU is 576 to 65535"),
        (("connect", "8.8.8.8", *ETH0, "--interface", "eth0 10.3.0.2/24"), "eth0 is described twice"),
        (("connect", "8.8.8.8", *ETH0, "--route", "default"), "say where it leads"),
        (("connect", "8.8.8.8", *ETH0, "--route", "default via 10.9.0.1"), "is on the subnet of the gateway 10.9.0.1"),
        (("connect", "8.8.8.8", *ETH0, "--route", "10.1.0.2/24 dev eth0"), "bits set after the prefix"),
        (("connect", "8.8.8.8", *ETH0, "--route", "default via 10.1.0.1 metric low"), "a metric is a number"),
        (("connect", "8.8.8.8", *ETH0, "--route", "default nexthop 10.1.0.1"), "'nexthop' is not understood"),
        (("connect", "8.8.8.8", "--file", "/no/such/file"), "/no/such/file"),
        (("bind", "10.1.0.2", *ETH0), "has no port: write it like 10.1.0.2:80"),
        (("bind", "[::]:80", *ETH0, "--holding", "[::]:80 nicely"), "'nicely' says nothing about a socket"),
        (("bind", "[::]:80", *ETH0, "--option", "reuse", "--option", "exclusive"), "give one of them"),
        (("arrival", *ETH0, *ASKED, "--socket", "0.0.0.0:53 > 10.1.0.50:1", "--protocol", "tcp"), "is for UDP"),
        (("arrival", *ETH0), "--from 10.1.0.50:4000 --to 10.1.0.9:53"),
        (("arrival", *ETH0, "--from", "10.1.0.50:0", "--to", "10.1.0.9:53"), "not the wildcard or port 0"),
        (("arrival", *ETH0, "--from", "[::1]:5", "--to", "10.1.0.9:53"), "no packet has two"),
        (("arrival", *ETH0, "--from", "10.1.0.50:1", "--to", "224.0.0.9:53"), "is a group"),
        (("arrival", *ETH0, *ASKED, "--on", "eth9"), "there is no interface eth9"),
        (("arrival", *ETH0, *ASKED, "--socket", ""), "is not an address"),
    ],
)
def test_unusable_input_gets_one_line_that_says_how_to_mend_it(
    capsys: Capture, arguments: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["explain", *arguments])
    message = capsys.readouterr().err
    assert ended.value.code == 2
    assert message.count("\n") == 1
    assert problem in message


@pytest.mark.parametrize(
    ("on", "problem"), [((), "choose one of server, client"), (("--on", "x"), "only server, client")]
)
def test_a_file_of_several_hosts_asks_which(capsys: Capture, file: str, on: tuple[str, ...], problem: str) -> None:
    with pytest.raises(SystemExit):
        main(["explain", "connect", "8.8.8.8", "--file", file, *on])
    assert problem in capsys.readouterr().err


def test_advice_that_would_not_help_yet_says_what_is_missing(capsys: Capture) -> None:
    """A strong host has no way back for an address of an interface without a route; a weak one has."""
    host = (*ETH0, *ETH1, *DEFAULT, "--socket", "0.0.0.0:53", "--from", "10.3.0.7:4000", "--to", "10.2.0.2:53")
    windows = " ".join(explain(capsys, "arrival", *host).split())
    assert "that would fail: network unreachable (no route to 10.3.0.7 on eth1" in windows
    assert "Give the interface of 10.2.0.2 a route to 10.3.0.7 first." in windows
    assert "would fail" not in explain(capsys, "arrival", *host, "--set", "linux")


def test_the_same_answer_by_other_rules_is_told_as_such(capsys: Capture) -> None:
    answer = explain(capsys, "arrival", *ETH0, "--socket", "0.0.0.0:53", *ASKED)
    assert answer.splitlines()[-2:] == [
        "Windows (Winsock): the same",
        "Linux and BSD: the same, but other rules lead there",
    ]
