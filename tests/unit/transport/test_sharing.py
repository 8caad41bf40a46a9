"""Every cell of the sharing tables, transcribed from the two pages and not from the rule that implements them."""

from __future__ import annotations

import pytest

from wsknet.behaviour import SharingTable
from wsknet.errors import ErrorKind
from wsknet.transport.sharing import Holder, Security, Sharing, compare
from wsknet.types import Cover, LocalName

D, R, E = Sharing.DEFAULT, Sharing.REUSE, Sharing.EXCLUSIVE
KINDS = ((D, "w"), (D, "s"), (R, "w"), (R, "s"), (E, "w"), (E, "s"))
ADDRESSES = {"v4": (Cover.IPV4, b"\xc0\0\2\1"), "v6": (Cover.IPV6, b"\x20\1\x0d\xb8" + bytes(11) + b"\1")}

OK, USE, ACC = None, ErrorKind.IN_USE, ErrorKind.DENIED

SAME_OWNER = """
USE ok  ACC ok  USE ok
ok  USE ok  ACC USE USE
USE ok  ok  ok  USE ok
ok  USE ok  ok  USE USE
USE ACC ACC ACC USE ACC
ok  USE ok  ACC USE USE
"""
OTHER_OWNER = """
USE ACC ACC ACC USE ACC
ok  USE ok  ACC USE USE
USE ACC ok  ok  USE ACC
ok  USE ok  ok  USE USE
USE ACC ACC ACC USE ACC
ok  USE ok  ACC USE USE
"""
WSK = """
USE CHK ACC CHK USE CHK
ok  USE ok  ACC USE USE
USE CHK ok  ok  USE CHK
ok  ACC ok  ok  USE USE
USE ACC ACC ACC USE ACC
ok  USE ok  ACC USE USE
"""
XP = """
USE USE ok  ok  USE USE
USE USE ok  ok  USE USE
USE USE ok  ok  USE USE
USE USE ok  ok  USE USE
USE USE ACC ACC USE USE
USE USE ACC ACC USE USE
"""
"""Rows: the first bind, in the order of KINDS; columns: the second."""


def cells(table: str) -> list[tuple[int, int, str]]:
    return [(i, j, word) for i, row in enumerate(table.split("\n")[1:-1]) for j, word in enumerate(row.split())]


def holder(kind: tuple[Sharing, str], family: str, account: str, grants: frozenset[str] = frozenset()) -> Holder:
    cover, address = ADDRESSES[family]
    name = LocalName(cover, address if kind[1] == "s" else None, 80)
    return Holder(name, kind[0], Security(account, grants))


def outcome(word: str) -> ErrorKind | None:
    return {"ok": OK, "USE": USE, "ACC": ACC}[word]


@pytest.mark.parametrize("family", ADDRESSES)
@pytest.mark.parametrize(("first", "second", "word"), cells(SAME_OWNER))
def test_winsock_2003_same_owner(first: int, second: int, word: str, family: str) -> None:
    verdict = compare(
        SharingTable.WINSOCK_2003, holder(KINDS[first], family, "alice"), holder(KINDS[second], family, "alice")
    )
    assert verdict.error is outcome(word), verdict.rule


@pytest.mark.parametrize("family", ADDRESSES)
@pytest.mark.parametrize(("first", "second", "word"), cells(OTHER_OWNER))
def test_winsock_2003_other_owner(first: int, second: int, word: str, family: str) -> None:
    verdict = compare(
        SharingTable.WINSOCK_2003, holder(KINDS[first], family, "alice"), holder(KINDS[second], family, "bob")
    )
    assert verdict.error is outcome(word), verdict.rule


@pytest.mark.rule("R-111", "R-112", "R-113")
@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("family", ADDRESSES)
@pytest.mark.parametrize(("first", "second", "word"), cells(WSK))
def test_wsk(first: int, second: int, word: str, family: str, granted: bool) -> None:
    grants = frozenset({"bob"}) if granted else frozenset()
    verdict = compare(
        SharingTable.WSK, holder(KINDS[first], family, "alice", grants), holder(KINDS[second], family, "bob")
    )
    if word == "CHK":
        assert verdict.error is (OK if granted else ACC), verdict.rule
    else:
        assert verdict.error is outcome(word), verdict.rule


@pytest.mark.parametrize(("first", "second", "word"), cells(XP))
def test_xp(first: int, second: int, word: str) -> None:
    verdict = compare(SharingTable.XP, holder(KINDS[first], "v4", "alice"), holder(KINDS[second], "v4", "bob"))
    assert verdict.error is outcome(word), verdict.rule


@pytest.mark.rule("R-114")
@pytest.mark.parametrize("table", list(SharingTable))
@pytest.mark.parametrize("first", [D, R, E])
@pytest.mark.parametrize("second", [D, R, E])
def test_different_addresses_never_conflict(table: SharingTable, first: Sharing, second: Sharing) -> None:
    one = Holder(LocalName(Cover.IPV4, b"\xc0\0\2\1", 80), first, Security("alice"))
    other = Holder(LocalName(Cover.IPV4, b"\xc0\0\2\2", 80), second, Security("bob"))
    assert compare(table, one, other).error is None


DUAL = LocalName(Cover.DUAL, None, 80)
V4_ANY = LocalName(Cover.IPV4, None, 80)
V6_ANY = LocalName(Cover.IPV6, None, 80)
V4_LOOP = LocalName(Cover.IPV4, b"\x7f\0\0\1", 80)
V6_LOOP = LocalName(Cover.IPV6, bytes(15) + b"\1", 80)


@pytest.mark.rule("BIND-1.2.2", "BIND-1.2.3")
@pytest.mark.parametrize(
    ("first", "how", "second", "how_second", "expected"),
    [
        (V6_ANY, D, V4_ANY, D, OK),
        (DUAL, D, V4_ANY, D, OK),
        (DUAL, D, V4_ANY, E, OK),
        (DUAL, E, V4_ANY, D, ACC),
        (DUAL, E, V4_LOOP, D, ACC),
        (V4_LOOP, D, DUAL, E, USE),
        (V6_LOOP, D, V4_ANY, E, OK),
        (V6_LOOP, E, V4_LOOP, E, OK),
        # A mapped address is the IPv4 address, so these are plain IPv4 cells.
        (V4_ANY, D, V4_ANY, D, USE),
        (V4_LOOP, D, V4_LOOP, D, USE),
        (V4_LOOP, D, V4_ANY, E, USE),
    ],
)
def test_dual_stack_is_one_level_more_general(
    first: LocalName, how: Sharing, second: LocalName, how_second: Sharing, expected: ErrorKind | None
) -> None:
    owner = Security("alice")
    verdict = compare(SharingTable.WINSOCK_2003, Holder(first, how, owner), Holder(second, how_second, owner))
    assert verdict.error is expected, verdict.rule


def test_a_link_local_address_is_another_one_on_another_link() -> None:
    name = LocalName(Cover.IPV6, b"\xfe\x80" + bytes(13) + b"\1", 80, zone=2)
    other = name._replace(zone=3)
    assert compare(SharingTable.WSK, Holder(name, D, Security()), Holder(other, D, Security())).error is None
    assert compare(SharingTable.WSK, Holder(name, D, Security()), Holder(name, D, Security())).error is USE
