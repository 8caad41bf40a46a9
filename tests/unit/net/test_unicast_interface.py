"""IP_UNICAST_IF and IPV6_UNICAST_IF: a path through the interface that the program names (BIND-4, cases 32 and 33)."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.unit.net.lab import IF1, IF2, LO, A, Lab, udp_header
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.errors import ErrorKind, NetError
from wsknet.net import changes
from wsknet.net.packet import Path
from wsknet.text import format_address
from wsknet.trace import Decision
from wsknet.types import Proto


class Failure(NamedTuple):
    kind: ErrorKind
    detail: str


FAR, FAR6 = "8.8.8.8", "2001:4860::8"


def h2(behaviour: Behaviour = WINDOWS) -> Lab:
    lab = Lab(behaviour)
    lab.interface(IF1, "10.1.0.2/24", "2001:db8:1::2/64", "fe80::a/64", metric=25)
    lab.interface(IF2, "10.2.0.2/24", "2001:db8:2::2/64", "fe80::b/64", metric=35)
    for index, number in ((IF1, 1), (IF2, 2)):
        lab.route("0.0.0.0/0", index, f"10.{number}.0.1")
        lab.route("::/0", index, f"2001:db8:{number}::1")
    return lab


def through(
    lab: Lab, interface: int, destination: str, source: str | None = None, zone: int = 0, why: Decision | None = None
) -> Path:
    return lab.ip.path(A(destination), A(source) if source else None, zone, why, interface)


def outcome(
    lab: Lab, interface: int, destination: str, source: str | None, zone: int, why: Decision | None
) -> tuple[str, str, str] | Failure:
    try:
        path = through(lab, interface, destination, source, zone, why)
    except NetError as error:
        return Failure(error.kind, error.detail)
    return path.interface.name, format_address(path.next_hop), format_address(path.source)


def where(
    lab: Lab, interface: int, destination: str, source: str | None = None, zone: int = 0
) -> tuple[str, str, str] | ErrorKind:
    """Interface, next hop and source; or what went wrong, which has to be explained in the same words."""
    why = Decision("path")
    plain, explained = (outcome(lab, interface, destination, source, zone, how) for how in (None, why))
    assert plain == explained
    if isinstance(plain, Failure):
        assert (why.answer, why.rule) == (plain.kind.value, plain.detail)
        return plain.kind
    return plain


@pytest.mark.rule("BIND-32", "BIND-4.1", "BIND-4.2")
@pytest.mark.parametrize(
    ("destination", "interface", "expected"),
    [
        (FAR, 0, ("if1", "10.1.0.1", "10.1.0.2")),
        (FAR, IF1, ("if1", "10.1.0.1", "10.1.0.2")),
        (FAR, IF2, ("if2", "10.2.0.1", "10.2.0.2")),
        (FAR6, 0, ("if1", "2001:db8:1::1", "2001:db8:1::2")),
        (FAR6, IF2, ("if2", "2001:db8:2::1", "2001:db8:2::2")),
        ("10.1.0.50", IF2, ("if2", "10.2.0.1", "10.2.0.2")),
    ],
)
@pytest.mark.parametrize("behaviour", [WINDOWS, LINUX], ids=lambda behaviour: behaviour.name)
def test_only_routes_of_the_named_interface_count(
    behaviour: Behaviour, destination: str, interface: int, expected: tuple[str, str, str]
) -> None:
    assert where(h2(behaviour), interface, destination) == expected


@pytest.mark.rule("BIND-33")
def test_a_bound_source_of_another_interface_leaves_a_strong_host_no_answer() -> None:
    lab = h2()
    assert where(lab, IF2, FAR, "10.1.0.2") is ErrorKind.NO_ROUTE
    assert where(lab, IF1, FAR, "10.1.0.2") == ("if1", "10.1.0.1", "10.1.0.2")

    for destination, source, option in ((FAR, "10.1.0.2", "IP_"), (FAR6, "2001:db8:1::2", "IPV6_")):
        why = Decision("path")
        with pytest.raises(NetError):
            through(lab, IF2, destination, source, why=why)
        assert why.rule == (
            f"the program sends through if2 ({option}UNICAST_IF), "
            "but only from if1, which owns the bound address (strong host send)"
        )
        assert "RFC 1122 3.3.4.2" in why.reference


@pytest.mark.rule("BIND-33")
def test_a_weak_host_sends_through_it_with_the_bound_source() -> None:
    assert where(h2(LINUX), IF2, FAR, "10.1.0.2") == ("if2", "10.2.0.1", "10.1.0.2")
    lab = h2()
    lab.apply(changes.InterfaceChanged(IF1, weak_send=True))
    assert where(lab, IF2, FAR, "10.1.0.2") == ("if2", "10.2.0.1", "10.1.0.2")


@pytest.mark.rule("RFC4007-6")
def test_not_even_a_weak_host_takes_a_link_local_source_elsewhere() -> None:
    assert where(h2(LINUX), IF2, FAR6, "fe80::a", IF1) is ErrorKind.NO_ROUTE


@pytest.mark.rule("BIND-4.1")
def test_no_route_there_is_no_route_even_if_another_interface_has_one() -> None:
    lab = h2()
    lab.remove_route("0.0.0.0/0", IF2, "10.2.0.1")

    assert where(lab, IF2, FAR) is ErrorKind.NO_ROUTE
    assert where(lab, 0, FAR)[0] == "if1"  # type: ignore[index]
    why = Decision("path")
    with pytest.raises(NetError):
        through(lab, IF2, FAR, why=why)
    assert (why.rule, why.reference) == (
        f"no route to {FAR} on if2 (IP_UNICAST_IF)", "IPPROTO_IP Socket Options, IP_UNICAST_IF",
    )  # fmt: skip
    verdicts = [candidate.verdict for candidate in why.parts[0].candidates]
    assert "the program sends through if2 (IP_UNICAST_IF)" in verdicts


def test_an_interface_that_is_gone_leads_nowhere() -> None:
    lab = h2()
    assert where(lab, IF2, FAR)[0] == "if2"  # type: ignore[index]
    lab.apply(changes.InterfaceRemoved(IF2))

    assert where(lab, IF2, FAR) is ErrorKind.NO_ROUTE


@pytest.mark.rule("BIND-4.3")
@pytest.mark.parametrize("group", ["239.1.2.3", "ff15::7"])
def test_groups_have_an_option_of_their_own(group: str) -> None:
    lab = h2()
    assert where(lab, IF2, group) == where(lab, 0, group)
    assert where(lab, IF2, group, zone=IF1)[0] == "if1"  # type: ignore[index]


def test_broadcasts_leave_through_it() -> None:
    lab = h2()
    assert where(lab, 0, "255.255.255.255")[0] == "if1"  # type: ignore[index]
    assert where(lab, IF2, "255.255.255.255") == ("if2", "255.255.255.255", "10.2.0.2")
    assert through(lab, IF2, "10.2.0.255").is_broadcast
    assert not through(lab, IF2, "10.1.0.255").is_broadcast


@pytest.mark.rule("BIND-35", "BIND-36")
@pytest.mark.parametrize("destination", ["10.1.0.2", "127.0.0.1", "2001:db8:1::2", "::1"])
@pytest.mark.parametrize("interface", [LO, IF1, IF2])
def test_our_own_addresses_are_reached_all_the_same(interface: int, destination: str) -> None:
    path = through(h2(), interface, destination)
    assert path.is_local
    assert path.source == A(destination)


@pytest.mark.rule("RFC4007-6")
def test_it_tells_the_link_of_a_link_local_destination() -> None:
    lab = h2()
    assert where(lab, IF2, "fe80::99") == ("if2", "fe80::99", "fe80::b")
    assert through(lab, IF2, "fe80::99").zone == IF2
    assert where(lab, IF2, "fe80::99", zone=IF2)[0] == "if2"  # type: ignore[index]
    assert where(lab, IF2, "fe80::99", zone=IF1) is ErrorKind.NO_ROUTE
    assert where(lab, IF2, "fe80::a") == ("if2", "fe80::a", "fe80::b")
    assert through(lab, IF1, "fe80::a").is_local
    assert where(h2(LINUX), IF2, "fe80::99", "2001:db8:1::2") == ("if2", "fe80::99", "2001:db8:1::2")


def test_loopback_leads_to_our_own_addresses_only() -> None:
    assert where(h2(), LO, FAR) is ErrorKind.NO_ROUTE


def test_a_path_that_has_become_old_is_asked_for_with_the_same_interface() -> None:
    lab = h2(LINUX)
    old = through(lab, IF2, FAR, "10.1.0.2")
    lab.address(IF1, "10.1.0.3/24")
    lab.take()
    lab.ip.send(old, Proto.UDP, udp_header(4), (b"data",), lab.now)

    assert [index for index, _ in lab.take()] == [IF2]
