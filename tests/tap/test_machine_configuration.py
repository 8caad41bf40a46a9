"""What is read of a machine is what ip(8) was told, and nothing is changed by reading."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from tests.support.needs import requires_tool
from tests.support.rights import without_rights
from wsknet.behaviour import LINUX
from wsknet.cli import main
from wsknet.host import Host, Network
from wsknet.machine.configuration import Configuration, read_configuration
from wsknet.machine.namespace import Namespace
from wsknet.text import format_address, parse_address
from wsknet.transport.queries import PathQuery

pytestmark = [pytest.mark.tap, requires_tool("ip")]


NO_CHECK = Path("/proc/sys/net/ipv6/conf/default/accept_dad")
"""Of the namespace: addresses are not checked, and ours as soon as the kernel comes to it."""


def ip(*commands: str) -> None:
    for command in commands:
        subprocess.run(["ip", *command.split()], check=True, capture_output=True, timeout=20)


def wait_for_addresses() -> None:
    """On a busy machine the kernel takes its time with link-local ones."""
    deadline = monotonic() + 20
    while subprocess.run(
        ["ip", "-o", "address", "show", "tentative", "up"], check=True, capture_output=True, timeout=20
    ).stdout:
        assert monotonic() < deadline, "addresses stay tentative"


@pytest.fixture(autouse=True)
def namespace() -> Iterator[None]:
    """Of the test alone: two cards, the second one down, and no way to anywhere."""
    namespace = Namespace.unnamed()
    with namespace.entered():
        NO_CHECK.write_text("0")
        ip(
            "link add if1 type veth peer name peer1",
            "link add if2 mtu 1400 type veth peer name peer2",
            "link set lo up",
            "link set if1 up",
            "link set peer1 up",
            "address add 10.1.0.2/24 dev if1",
            "address add 10.1.0.9/24 dev if1",
            "address add 2001:db8:1::2/64 dev if1 nodad",
            "address add 10.2.0.2/24 dev if2",
        )
        wait_for_addresses()
        yield
    namespace.close()


def emulated(configuration: Configuration) -> Host:
    host = Network().host("machine", LINUX)
    for change in configuration.changes:
        host.apply(change)
    return host


def source_of(configuration: Configuration, destination: str) -> str | None:
    path = emulated(configuration).stack.resolve(PathQuery(parse_address(destination))).path
    return None if path is None else format_address(path.source)


def kernels_source(destination: str) -> str:
    done = subprocess.run(["ip", "-j", "route", "get", destination], check=True, capture_output=True, timeout=20)
    return str(json.loads(done.stdout)[0]["prefsrc"])


def test_interfaces_and_addresses_are_those_of_the_machine() -> None:
    view = emulated(read_configuration()).stack.view()
    cards = {each.name: each for each in view.interfaces}
    assert set(cards) == {"loopback", "if1", "peer1", "if2", "peer2"}
    assert (cards["if1"].is_up, cards["if2"].is_up, cards["if2"].mtu) == (True, False, 1400)
    addresses = [f"{format_address(address)}/{length}" for address, length in cards["if1"].addresses]
    assert addresses[:2] == ["10.1.0.2/24", "10.1.0.9/24"]
    assert "2001:db8:1::2/64" in addresses
    assert sum(address.startswith("fe80::") for address in addresses) == 1


def test_the_numbers_of_interfaces_are_the_kernels() -> None:
    done = subprocess.run(["ip", "-j", "link"], check=True, capture_output=True, timeout=20)
    known = {link["ifname"]: link["ifindex"] for link in json.loads(done.stdout)}
    view = emulated(read_configuration()).stack.view()
    del known["lo"]
    assert {each.name: each.index for each in view.interfaces[1:]} == known


@pytest.mark.rule("BIND-3.6")
@pytest.mark.parametrize(
    ("route", "destination"),
    [
        ("route add default via 10.1.0.1", "8.8.8.8"),
        ("route add default via 10.1.0.1 src 10.1.0.9 metric 100", "8.8.8.8"),
        ("route add 192.0.2.0/24 dev if1 src 10.1.0.9", "192.0.2.7"),
        ("-6 route add default via 2001:db8:1::1", "2001:4860::8"),
        ("route add default nexthop via 10.1.0.1 dev if1 nexthop via 10.1.0.7 dev if1", "8.8.8.8"),
        ("route add 192.0.2.0/24 via 10.1.0.1 table 7", "10.1.0.50"),
        ("route change 10.1.0.0/24 dev if1 src 10.1.0.9", "10.1.0.50"),
    ],
)
def test_the_source_is_the_one_that_the_kernel_would_take(route: str, destination: str) -> None:
    ip(route)
    assert source_of(read_configuration(), destination) == kernels_source(destination)


@pytest.mark.parametrize(
    ("command", "note"),
    [
        (
            "route add blackhole 192.0.2.0/24",
            "the route to 192.0.2.0/24 is left out: it is of a kind that sends nothing",
        ),
        ("rule add from 10.1.0.9 table 7", "only the table main is looked at"),
        ("route add 192.0.2.0/24 via inet6 fe80::1 dev if1", "the route to 192.0.2.0/24 is left out: its next hop"),
    ],
)
def test_what_is_left_out_is_told(command: str, note: str) -> None:
    assert not read_configuration().notes
    ip(command)
    assert [each for each in read_configuration().notes if note in each]


def test_a_peer_address_covers_itself_alone() -> None:
    ip("link set if2 up", "link set peer2 up", "address add 10.3.0.1 peer 10.4.0.2/24 dev if2")
    configuration = read_configuration()
    assert source_of(configuration, "10.4.0.7") == kernels_source("10.4.0.7") == "10.3.0.1"
    assert source_of(configuration, "10.3.0.3") is None


def test_an_address_that_is_deprecated_is_no_source_while_there_is_another() -> None:
    ip("address add 2001:db8:1::9/64 dev if1 nodad preferred_lft 0", "-6 route add default via 2001:db8:1::1")
    assert source_of(read_configuration(), "2001:db8:1::50") == kernels_source("2001:db8:1::50") == "2001:db8:1::2"


def test_reading_needs_no_right_and_changes_nothing() -> None:
    def state() -> bytes:
        commands = (["ip", "address"], ["ip", "route", "show", "table", "all"], ["ip", "-6", "route"])
        return b"".join(subprocess.run(each, check=True, capture_output=True, timeout=20).stdout for each in commands)

    before = state()
    with without_rights():
        configuration = read_configuration()
    assert configuration == read_configuration()
    assert state() == before


def test_the_command_tells_why_this_machine_answers_from_the_other_address(capsys: pytest.CaptureFixture[str]) -> None:
    main(["explain", "arrival", "--host", "--from", "10.1.0.50:4000", "--to", "10.1.0.9:53"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "UDP from 10.1.0.50:4000 to 10.1.0.9:53 (this machine)"
    assert lines[2] == (
        "Linux: reaches 0.0.0.0:53; the answer leaves from 10.1.0.2, not from 10.1.0.9, which was asked"
    )
