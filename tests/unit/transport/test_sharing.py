"""What the printed sharing tables leave to their reader: when two names meet, how levels extend them, and the words."""

from __future__ import annotations

import pytest

from wsknet.behaviour import SharingTable
from wsknet.errors import ErrorKind
from wsknet.transport.sharing import Holder, Security, Sharing, compare, compare_with_connection, generality, overlaps
from wsknet.types import Cover, LocalName

D, R, E = Sharing.DEFAULT, Sharing.REUSE, Sharing.EXCLUSIVE
DUAL = LocalName(Cover.DUAL, None, 80)
V4_ANY = LocalName(Cover.IPV4, None, 80)
V6_ANY = LocalName(Cover.IPV6, None, 80)
V4 = LocalName(Cover.IPV4, b"\xc0\0\2\1", 80)
V6 = LocalName(Cover.IPV6, b"\x20\1\x0d\xb8" + bytes(11) + b"\1", 80)
NAMES = (DUAL, V4_ANY, V6_ANY, V4, V6)


def error(table: SharingTable, first: LocalName, how: Sharing, second: LocalName, how_second: Sharing) -> object:
    owner = Security("alice")
    return compare(table, Holder(first, how, owner), Holder(second, how_second, owner)).error


@pytest.mark.rule("BIND-1.2.14")
@pytest.mark.parametrize("chain", [(DUAL, V4_ANY, V4), (DUAL, V6), (V6_ANY, V6)])
def test_each_level_is_more_general_than_the_next(chain: tuple[LocalName, ...]) -> None:
    levels = [generality(name) for name in chain]

    assert levels == sorted(set(levels), reverse=True)


@pytest.mark.rule("BIND-1.2.14")
@pytest.mark.parametrize("table", [SharingTable.WINSOCK_2003, SharingTable.WSK, SharingTable.XP])
@pytest.mark.parametrize("how", [D, R, E])
@pytest.mark.parametrize("how_second", [D, R, E])
def test_a_level_up_is_as_a_wildcard_to_an_address(table: SharingTable, how: Sharing, how_second: Sharing) -> None:
    upwards = error(table, V4, how, V4_ANY, how_second)
    downwards = error(table, V4_ANY, how, V4, how_second)

    for general, special in ((DUAL, V4_ANY), (DUAL, V4), (DUAL, V6), (V6_ANY, V6)):
        assert error(table, special, how, general, how_second) is upwards
        assert error(table, general, how, special, how_second) is downwards


@pytest.mark.parametrize("first", NAMES)
@pytest.mark.parametrize("second", NAMES)
def test_names_meet_where_one_packet_could_be_for_both(first: LocalName, second: LocalName) -> None:
    apart = {frozenset(pair) for pair in ((V4_ANY, V6_ANY), (V4_ANY, V6), (V4, V6_ANY), (V4, V6))}

    assert overlaps(first, second) == (frozenset((first, second)) not in apart)


@pytest.mark.parametrize("table", list(SharingTable))
def test_a_link_local_address_is_another_one_on_another_link(table: SharingTable) -> None:
    name = LocalName(Cover.IPV6, b"\xfe\x80" + bytes(13) + b"\1", 80, zone=2)

    assert error(table, name, D, name._replace(zone=3), E) is None
    assert error(table, name, D, name, D) is ErrorKind.IN_USE


@pytest.mark.parametrize("table", list(SharingTable))
@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        (V6_ANY, V4_ANY, "one is for IPv4 alone, the other for IPv6 alone"),
        (V4, V6, "one is for IPv4 alone, the other for IPv6 alone"),
        (V4, V4._replace(address=b"\xc0\0\2\2"), "different addresses never conflict"),
    ],
)
def test_it_is_told_why_two_names_do_not_meet(
    table: SharingTable, first: LocalName, second: LocalName, rule: str
) -> None:
    verdict = compare(table, Holder(first, E, Security()), Holder(second, E, Security()))

    assert verdict == (None, rule)


@pytest.mark.parametrize(
    ("first", "how", "second", "how_second", "rule"),
    [
        (DUAL, D, V4_ANY, D, "a dual-stack wildcard takes the port of both families"),
        (V4, D, DUAL, D, "a dual-stack wildcard takes the port of both families"),
        (DUAL, D, V6, D, "a wildcard takes the port of every address"),
        (V4, D, V4_ANY, E, "a wildcard takes the port of every address"),
        (V4, D, V4, D, "the same name is taken"),
        (V4, R, V4_ANY, D, "SO_REUSEADDR shares only if both sockets set it"),
        (DUAL, D, V4, R, "SO_REUSEADDR shares only if both sockets set it"),
    ],
)
def test_linux_tells_what_is_in_the_way(
    first: LocalName, how: Sharing, second: LocalName, how_second: Sharing, rule: str
) -> None:
    verdict = compare(SharingTable.LINUX, Holder(first, how, Security()), Holder(second, how_second, Security()))

    assert verdict == (ErrorKind.IN_USE, rule)


@pytest.mark.rule("BIND-4.17")
@pytest.mark.parametrize(("first", "second", "is_free"), [(2, 3, True), (2, 2, False), (0, 2, False), (2, 0, False)])
def test_sockets_of_different_devices_never_conflict(first: int, second: int, is_free: bool) -> None:
    one, other = (Holder(V4_ANY, D, Security("alice"), device) for device in (first, second))

    assert (compare(SharingTable.LINUX, one, other).error is None) == is_free
    assert (compare_with_connection(one, other).error is None) == is_free
