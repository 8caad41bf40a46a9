"""Every printed cell and row of the sharing tables, through a port table."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from tests.conformance.binding.sharing_tables import (
    DUAL_STACK_ROWS,
    FAMILIES,
    OPTIONS,
    OTHER,
    PORT,
    SPECIFIC,
    TABLES,
    Case,
    name_of,
    option_of,
)
from wsknet.behaviour import WINDOWS, SharingTable
from wsknet.errors import ErrorKind
from wsknet.trace import Decision
from wsknet.transport.ports import PortConflictError, PortTable, Reservation
from wsknet.transport.sharing import Security, Sharing
from wsknet.types import Cover, LocalName, Proto
from wsknet.wsk import AF_INET, AF_INET6, simple
from wsknet.wsk.sockaddr import local_name


def port_table(sharing: SharingTable) -> PortTable:
    """One with a single dynamic port, so that whether it is free can be seen."""
    return PortTable(Proto.TCP, replace(WINDOWS, sharing=sharing, ephemeral_ports=(PORT, PORT)), Random(1))


def attempt(
    ports: PortTable, name: LocalName, sharing: Sharing, security: Security, why: Decision | None = None
) -> Reservation | PortConflictError:
    try:
        return ports.reserve(name, sharing, security, why=why)
    except PortConflictError as conflict:
        return conflict


def kind(result: Reservation | PortConflictError) -> ErrorKind | None:
    return result.kind if isinstance(result, PortConflictError) else None


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            marks=pytest.mark.rule(case.number),
            id=f"{case.table.number} {case.first} {case.second} {case.family.name} {case.parties.label}",
        )
        for table in TABLES
        for case in table.cases()
    ],
)
def test_a_cell_is_as_printed(case: Case) -> None:
    ports, why = port_table(case.table.sharing), Decision("bind")
    second_bind = name_of(case.second, case.family), option_of(case.second), case.parties.second
    first = ports.reserve(name_of(case.first, case.family), option_of(case.first), case.parties.first)

    second = attempt(ports, *second_bind, why)

    assert kind(second) is case.expected
    assert why.rule
    assert [candidate.verdict != "" for candidate in why.candidates] == [True]
    if isinstance(second, PortConflictError):
        assert second.rule
        assert second.holder is first
        assert list(ports) == [first]
    else:
        assert list(ports) == [first, second]
        ports.release(second)
    ports.release(first)
    again = ports.reserve(*second_bind)
    ports.release(again)
    assert ports.reserve(LocalName(case.family, None, 0)).name.port == PORT


def test_every_table_has_all_cells() -> None:
    sides = [f"{option},{where}" for option in OPTIONS for where in "ws"]

    for table in TABLES:
        assert set(table.words) == {(first, second) for first in sides for second in sides}


@pytest.mark.rule("R-114")
@pytest.mark.parametrize("sharing", list(SharingTable))
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("first", OPTIONS.values())
@pytest.mark.parametrize("second", OPTIONS.values())
def test_two_specific_addresses_never_conflict(
    sharing: SharingTable, family: Cover, first: Sharing, second: Sharing
) -> None:
    ports = port_table(sharing)
    one = LocalName(family, SPECIFIC[family], PORT)
    ports.reserve(one, first, OTHER.first)

    neighbour = one._replace(address=SPECIFIC[family][:-1] + b"\2")
    assert kind(attempt(ports, neighbour, second, OTHER.second)) is None


# Both families on one port


def bind(ports: PortTable, side: str, is_dual: bool = True) -> Reservation | PortConflictError:
    """`side` is an address and one letter of OPTIONS."""
    host, option = side.split()
    family = AF_INET6 if ":" in host else AF_INET
    return attempt(ports, local_name(simple.address(host, PORT), family, is_dual), OPTIONS[option], Security("alice"))


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        pytest.param(*row, marks=pytest.mark.rule(number, *(["BIND-17c"] if "ffff" in row[0] + row[1] else [])))
        for number, *row in DUAL_STACK_ROWS
    ],
)
@pytest.mark.rule("BIND-17b")
def test_a_dual_stack_row_is_as_printed(first: str, second: str, word: str) -> None:
    ports = port_table(SharingTable.WINSOCK_2003)
    holder = bind(ports, first)
    assert isinstance(holder, Reservation)

    result = bind(ports, second)

    assert kind(result) is {"ok": None, "USE": ErrorKind.IN_USE, "ACC": ErrorKind.DENIED}[word]
    if isinstance(result, PortConflictError):
        assert result.rule
        assert result.holder is holder
    ports.release(holder)
    if isinstance(result, Reservation):
        ports.release(result)
    assert isinstance(bind(ports, second), Reservation)


@pytest.mark.rule("BIND-1.2.2")
@pytest.mark.parametrize("sharing", list(SharingTable))
@pytest.mark.parametrize("sides", [(":: D", "0.0.0.0 D"), ("0.0.0.0 D", ":: D")])
def test_without_ipv4_the_wildcard_leaves_ipv4_free(sharing: SharingTable, sides: tuple[str, str]) -> None:
    ports = port_table(sharing)

    assert [kind(bind(ports, side, is_dual=False)) for side in sides] == [None, None]


RESERVED_BY_ALL = ("::1", "::ffff:127.0.0.1", "127.0.0.1", "0.0.0.0", "::ffff:0.0.0.0", "::")


@pytest.mark.rule("BIND-1.2.15")
@pytest.mark.parametrize("host", RESERVED_BY_ALL)
@pytest.mark.parametrize("options", ["DD", "DR", "RD", "EE", "ER"])
@pytest.mark.parametrize("is_reversed", [False, True], ids=["", "reversed"])
def test_linux_reserves_everything_for_a_dual_stack_wildcard(host: str, options: str, is_reversed: bool) -> None:
    ports = port_table(SharingTable.LINUX)
    hosts = (host, "::") if is_reversed else ("::", host)
    sides = [f"{name} {option}" for name, option in zip(hosts, options, strict=True)]
    holder = bind(ports, sides[0])

    conflict = bind(ports, sides[1])

    assert kind(conflict) is ErrorKind.IN_USE
    assert isinstance(conflict, PortConflictError)
    assert conflict.holder is holder
    assert conflict.rule


@pytest.mark.rule("BIND-1.2.15")
@pytest.mark.parametrize(("host", "expected"), [("::1", ErrorKind.IN_USE), ("127.0.0.1", None), ("0.0.0.0", None)])
def test_linux_reserves_ipv6_alone_for_a_wildcard_without_ipv4(host: str, expected: ErrorKind | None) -> None:
    ports = port_table(SharingTable.LINUX)
    bind(ports, ":: D", is_dual=False)

    assert kind(bind(ports, f"{host} D")) is expected


@pytest.mark.parametrize("host", RESERVED_BY_ALL)
def test_linux_shares_between_sockets_that_both_allow_reuse(host: str) -> None:
    ports = port_table(SharingTable.LINUX)

    assert [kind(bind(ports, side)) for side in (":: R", f"{host} R", ":: R")] == [None, None, None]
    assert kind(bind(ports, f"{host} D")) is ErrorKind.IN_USE
