"""The hosts file, and how names and addresses are written."""

from __future__ import annotations

import pytest

from wsknet.names.hosts import HostsFile
from wsknet.names.spelling import labels, parse_literal, reverse_name
from wsknet.text import parse_address


def zone_of(words: str) -> int:
    return {"eth0": 2, "3": 3}[words] if words in ("eth0", "3") else int("no zone")


def test_a_hosts_file_is_read_as_the_system_reads_it() -> None:
    hosts = HostsFile()
    hosts.read("# a comment\n\n192.0.2.2 Server.lab server # more\n2001:db8::2\tserver.lab\n192.0.2.3 server\n")
    assert hosts.addresses("SERVER.LAB.") == [parse_address("192.0.2.2"), parse_address("2001:db8::2")]
    assert hosts.addresses("server") == [parse_address("192.0.2.2"), parse_address("192.0.2.3")]
    assert hosts.canonical("server") == "Server.lab"
    assert hosts.name_of(parse_address("192.0.2.2")) == "Server.lab"
    assert hosts.addresses("lab") == []


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("192.0.2.1 one\n192.0.2.2", "line 2 of the hosts file: 192.0.2.2 has no name"),
        ("one 192.0.2.1", "line 1 of the hosts file: 'one' is not an address"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(lines: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        HostsFile().read(lines)


def test_a_name_that_was_removed_is_gone_in_both_directions() -> None:
    hosts = HostsFile()
    hosts.add("one.lab", "192.0.2.1", aliases=("one",))
    hosts.remove("ONE.lab")
    assert (hosts.addresses("one.lab"), hosts.name_of(parse_address("192.0.2.1"))) == ([], None)
    assert hosts.addresses("one")
    hosts.remove("one.lab")


@pytest.mark.parametrize("arguments", [("one.lab",), ("", "192.0.2.1"), ("one.lab", "192.0.2")])
def test_what_cannot_be_a_line_of_it_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"has no address|is no name|is not an address"):
        HostsFile().add(*arguments)


@pytest.mark.parametrize(
    ("words", "address", "zone"),
    [
        ("192.0.2.1", "192.0.2.1", 0),
        ("2001:db8::1", "2001:db8::1", 0),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1", 0),
        ("fe80::1%eth0", "fe80::1", 2),
        ("fe80::1%3", "fe80::1", 3),
        ("ff02::1%3", "ff02::1", 3),
    ],
)
def test_literal_addresses(words: str, address: str, zone: int) -> None:
    assert parse_literal(words, zone_of) == (parse_address(address), zone)


@pytest.mark.parametrize(
    "words",
    ["", "1", "192.0.2", "192.0.2.256", "192.0.02.1", "0x7f.0.0.1", "192.0.2.1%3", "2001:db8::1%3", "fe80::1%eth9",
     "fe80::1%", "2001:db8::g", "[2001:db8::1]", "server.lab", "1٢.0.0.1"],
)  # fmt: skip
def test_what_is_no_literal_address(words: str) -> None:
    assert parse_literal(words, zone_of) is None


def test_labels_of_names() -> None:
    assert labels("Server.lab.") == (b"Server", b"lab")
    assert labels("bücher.lab") == (b"xn--bcher-kva", b"lab")
    assert labels("bücher\u3002\uff21\uff0elab\uff61") == (b"xn--bcher-kva", b"a", b"lab")
    assert labels("bücher.lab", is_encoded=False) == (b"b\xc3\xbccher", b"lab")
    assert labels("x" * 63 + ".lab") == (b"x" * 63, b"lab")
    assert labels(".".join(["x" * 63] * 3 + ["x" * 61])) is not None


@pytest.mark.parametrize(
    "name", ["", ".", "one..lab", ".lab", "x" * 64, "one two.lab", "one\n.lab", ".".join(["x" * 63] * 3 + ["x" * 62]),
             "\ud800.lab", "ü" * 60]
)  # fmt: skip
def test_what_is_no_name_of_a_host(name: str) -> None:
    assert labels(name) is None


@pytest.mark.rule("RFC1035-3.5", "RFC3596-2.5")
def test_where_the_names_of_addresses_are_kept() -> None:
    assert reverse_name(parse_address("192.0.2.1")) == "1.2.0.192.in-addr.arpa"
    assert reverse_name(parse_address("2001:db8::b")) == (
        "b.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    )
