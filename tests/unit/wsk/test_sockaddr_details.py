"""SOCKADDRs and ADDRINFOEXW in detail: what a new one holds, casts, comparisons, scope IDs, and what people read."""

from __future__ import annotations

import pytest

from wsknet.types import Cover, Endpoint, LocalName
from wsknet.wsk import (
    ADDRINFOEXW,
    AF_INET,
    AF_INET6,
    IN6_ADDR,
    IN_ADDR,
    SOCKADDR,
    SOCKADDR_IN,
    SOCKADDR_IN6,
    SOCKADDR_STORAGE,
    htons,
)
from wsknet.wsk.simple import address, host_and_port
from wsknet.wsk.sockaddr import local_name, remote_endpoint, sockaddr_of

V4 = b"\xc0\x00\x02\x01"
LINK_LOCAL = bytes.fromhex("fe800000000000000000000000000001")


def test_a_new_structure_holds_zeros_and_its_family() -> None:
    assert bytes(SOCKADDR_IN()) == b"\x02\0" + bytes(14)
    assert bytes(SOCKADDR_IN6()) == b"\x17\0" + bytes(26)
    assert bytes(SOCKADDR_STORAGE()) == bytes(128)


def test_a_structure_of_given_octets_is_a_copy_of_them() -> None:
    octets = bytearray(bytes(SOCKADDR_IN(AF_INET, htons(7), V4)))
    made = SOCKADDR(octets)
    octets[0] = 0xFF

    assert bytes(made) == bytes(SOCKADDR_IN(AF_INET, htons(7), V4))
    assert bytes(SOCKADDR()) == bytes(16)


def test_new_hints_ask_for_nothing() -> None:
    hints = ADDRINFOEXW()

    assert (hints.ai_flags, hints.ai_family, hints.ai_socktype, hints.ai_protocol) == (0, 0, 0, 0)
    assert (hints.ai_addrlen, hints.ai_addr, hints.ai_canonname, hints.ai_next) == (0, None, None, None)
    assert (hints.ai_blob, hints.ai_bloblen, hints.ai_provider) == (None, 0, None)


def test_memory_of_just_the_size_is_enough_for_a_cast() -> None:
    made = SOCKADDR_IN(sin_port=htons(7))

    assert bytes(SOCKADDR_IN.cast(made)) == bytes(made)
    assert SOCKADDR_IN6.cast(bytearray(28)).sin6_family == 0


def test_an_address_is_equal_to_its_octets() -> None:
    made = SOCKADDR_IN(sin_addr=V4)

    assert made.sin_addr == V4
    assert made.sin_addr != bytes(4)
    assert IN6_ADDR(LINK_LOCAL) == LINK_LOCAL


def storage(octets: bytes) -> SOCKADDR_STORAGE:
    """A SOCKADDR_IN6 with scope ID 3 in memory that holds something else behind it."""
    found = SOCKADDR_STORAGE()
    found._raw[:28] = bytes(SOCKADDR_IN6(sin6_addr=octets, sin6_scope_id=3))
    found._raw[28:] = b"\xff" * 100
    return found


def test_a_scope_id_ends_with_the_structure() -> None:
    assert remote_endpoint(storage(LINK_LOCAL), AF_INET6, False) == Endpoint(LINK_LOCAL, 0, 3)
    assert local_name(storage(LINK_LOCAL), AF_INET6, False) == LocalName(Cover.IPV6, LINK_LOCAL, 0, 3)


def test_the_address_of_a_peer_on_the_link_has_its_scope_id() -> None:
    found = sockaddr_of(AF_INET6, Endpoint(LINK_LOCAL, 7, 3))

    assert isinstance(found, SOCKADDR_IN6)
    assert (found.sin6_port, found.sin6_scope_id, bytes(found.sin6_addr)) == (htons(7), 3, LINK_LOCAL)
    assert bytes(sockaddr_of(AF_INET, Endpoint(V4, 7))) == bytes(SOCKADDR_IN(AF_INET, htons(7), V4))


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (SOCKADDR_IN(AF_INET, htons(7), V4), "SOCKADDR_IN(02000007 c0000201 00000000 00000000)"),
        (IN_ADDR(V4), r"IN_ADDR(b'\xc0\x00\x02\x01')"),
    ],
)
def test_people_read_the_type_and_the_octets(shown: object, text: str) -> None:
    assert repr(shown) == text


@pytest.mark.parametrize("port", [0, 65535])
def test_the_first_and_the_last_port_are_ports(port: int) -> None:
    assert host_and_port(address("192.0.2.1", port)) == ("192.0.2.1", port)
    assert host_and_port(address("2001:db8::1", port)) == ("2001:db8::1", port)
