"""SIO_ADDRESS_LIST_SORT at its corners: which addresses are valid, what of the memory counts, and whose link it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import FAR6, NEAR6, Lab, Request
from tests.support.wsk_tcp import control
from wsknet.wsk import (
    AF_INET6,
    SIO_ADDRESS_LIST_SORT,
    SOCKADDR_STORAGE,
    SOCKET_ADDRESS,
    SOCKET_ADDRESS_LIST,
    STATUS_SUCCESS,
    WSK_FLAG_DATAGRAM_SOCKET,
    WskIoctl,
    simple,
)

LINK_LOCAL = "fe80::88"


def in6(text: str, scope: int = 0, port: int = 0) -> bytes:
    return bytes(simple.address(text, port, scope))


def request(lab: Lab, told: Any, room: int = 1000) -> tuple[Request, bytearray]:
    Socket = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET, AddressFamily=AF_INET6)
    memory = bytearray(room)
    return control(Socket, WskIoctl, SIO_ADDRESS_LIST_SORT, 0, len(told), told, room, memory, None), memory


def sort(lab: Lab, *addresses: bytes, told: bytes | None = None) -> list[bytes]:
    made, memory = request(lab, SOCKET_ADDRESS_LIST.of(list(addresses)) if told is None else told)
    assert made.status == STATUS_SUCCESS
    return [bytes(entry.lpSockaddr or b"") for entry in SOCKET_ADDRESS_LIST.cast(memory).Address]


def test_the_wildcard_is_left_out_whatever_its_scope(lab: Lab) -> None:
    assert sort(lab, in6("::", 1), in6("::", 2), in6(FAR6)) == [in6(FAR6)]


@pytest.mark.parametrize("address", ["100::", "::1", FAR6])
def test_one_byte_makes_an_address(lab: Lab, address: str) -> None:
    assert sort(lab, in6(address, port=7000)) == [in6(address, port=7000)]


def test_a_family_has_two_bytes(lab: Lab) -> None:
    odd = b"\x17\1" + in6(NEAR6)[2:]
    assert sort(lab, odd, in6(FAR6)) == [in6(FAR6)]


def test_nothing_but_the_entries_leads_to_an_address(lab: Lab) -> None:
    """The count has four bytes, an entry a place of eight bytes and a length that is not looked at."""
    first, decoy = 32, 60
    places = first.to_bytes(8, "little") + decoy.to_bytes(8, "little") + decoy.to_bytes(8, "little")
    told = b"\1\0\0\0\1\2\3\4" + places + in6(FAR6) + in6(NEAR6)

    assert sort(lab, told=told) == [in6(FAR6)]


def test_an_entry_may_lead_nowhere(lab: Lab) -> None:
    assert sort(lab, told=b"\1" + bytes(7) + bytes(16)) == []


def test_the_sorted_list_may_fill_the_memory(lab: Lab) -> None:
    told = SOCKET_ADDRESS_LIST.of([in6(FAR6)])
    made, memory = request(lab, told, len(told))

    assert made.completions == [(STATUS_SUCCESS, len(told))]
    assert memory == told


@pytest.mark.parametrize(("scope", "is_reached"), [(0, True), (2, True), (1, False), (99, False)])
def test_a_link_local_address_is_on_the_link_that_it_tells(lab: Lab, scope: int, is_reached: bool) -> None:
    """What is reached there comes before a wider scope, and what is not after everything."""
    addresses = in6(FAR6), in6(LINK_LOCAL, scope)
    expected = addresses[::-1] if is_reached else addresses

    assert sort(lab, *addresses) == sort(lab, *addresses[::-1]) == list(expected)


def test_the_scope_of_a_wider_address_tells_no_link(lab: Lab) -> None:
    assert sort(lab, in6(FAR6, 99), in6(LINK_LOCAL)) == [in6(LINK_LOCAL), in6(FAR6, 99)]


def test_what_stands_behind_an_address_does_not_count(lab: Lab) -> None:
    storage = SOCKADDR_STORAGE.over(bytearray((in6(LINK_LOCAL, 2) + b"\1").ljust(128, b"\1")))
    wide = simple.address(FAR6, 0)
    told: Any = SOCKET_ADDRESS_LIST([SOCKET_ADDRESS(wide, 28), SOCKET_ADDRESS(storage, 28)])
    Socket = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET, AddressFamily=AF_INET6)
    memory = bytearray(1000)
    made = control(Socket, WskIoctl, SIO_ADDRESS_LIST_SORT, 0, 24, told, 1000, memory, None)

    assert made.status == STATUS_SUCCESS
    assert [bytes(each.lpSockaddr or b"")[:28] for each in SOCKET_ADDRESS_LIST.cast(memory).Address] == [
        in6(LINK_LOCAL, 2),
        in6(FAR6),
    ]
