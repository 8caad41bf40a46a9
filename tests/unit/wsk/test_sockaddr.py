"""SOCKADDRs: fields as C reads them on x86, and the way to the core and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.types import Cover, Endpoint, LocalName
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IN6_ADDR,
    IN_ADDR,
    INADDR_LOOPBACK,
    SOCKADDR,
    SOCKADDR_IN,
    SOCKADDR_IN6,
    SOCKADDR_STORAGE,
    BugCheck,
    htonl,
    htons,
    ntohl,
    ntohs,
)
from wsknet.wsk.simple import address
from wsknet.wsk.sockaddr import local_name, remote_endpoint, require_room, sockaddr_octets, store_sockaddr

V4 = b"\xc0\x00\x02\x01"
V6 = bytes.fromhex("20010db8000000000000000000000001")
LINK_LOCAL = bytes.fromhex("fe800000000000000000000000000001")
MAPPED = bytes(10) + b"\xff\xff" + V4


def test_the_ipv4_structure_byte_by_byte() -> None:
    address = SOCKADDR_IN(AF_INET, htons(0x1234), V4)

    assert bytes(address) == b"\x02\0\x12\x34" + V4 + bytes(8)
    assert (address.sin_family, address.sin_port) == (AF_INET, 0x3412)
    assert bytes(address.sin_addr) == V4


def test_the_ipv6_structure_byte_by_byte() -> None:
    address = SOCKADDR_IN6(AF_INET6, htons(0x1234), 7, LINK_LOCAL, 3)

    assert bytes(address) == b"\x17\0\x12\x34" + b"\7\0\0\0" + LINK_LOCAL + b"\3\0\0\0"
    assert (address.sin6_flowinfo, address.sin6_scope_id) == (7, 3)
    assert bytes(address.sin6_addr.s6_addr) == LINK_LOCAL


def test_fields_are_assigned_as_in_c() -> None:
    address = SOCKADDR_IN()
    address.sin_port = htons(80)
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK)

    assert bytes(address)[2:8] == b"\0\x50\x7f\0\0\1"
    assert ntohl(address.sin_addr.s_addr) == INADDR_LOOPBACK
    address.sin_addr = IN_ADDR(V4)
    assert address.sin_addr == IN_ADDR(V4)


def test_a_cast_shares_the_memory() -> None:
    storage = SOCKADDR_STORAGE(AF_INET)
    SOCKADDR_IN.cast(storage).sin_port = htons(7)

    assert SOCKADDR.cast(storage).sa_family == storage.ss_family == AF_INET
    assert bytes(storage)[2:4] == b"\0\7"
    with pytest.raises(ValueError, match="only 16"):
        SOCKADDR_IN6.cast(SOCKADDR_IN())


def test_an_address_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes, not 4"):
        IN6_ADDR(V4)


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF))
def test_byte_order_functions_undo_themselves(short: int, long: int) -> None:
    assert ntohs(htons(short)) == short
    assert ntohl(htonl(long)) == long
    assert htons(short).to_bytes(2, "little") == short.to_bytes(2, "big")


@given(st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16), st.integers(1, 65535))
def test_a_peer_survives_the_way_out_and_back(address: bytes, port: int) -> None:
    family = AF_INET if len(address) == 4 else AF_INET6
    octets = sockaddr_octets(family, address, port, 0)
    expected = Endpoint(address[12:] if address[:12] == MAPPED[:12] else address, port)

    assert remote_endpoint(octets, family, True) == expected


@pytest.mark.rule("D-04")
@pytest.mark.parametrize("address", [SOCKADDR_IN6(), SOCKADDR_IN(sin_family=0), b"\x02\0", bytearray(28)])
def test_another_family_is_an_invalid_argument(address: SOCKADDR | bytes) -> None:
    with pytest.raises(LocalError) as caught:
        remote_endpoint(address, AF_INET, False)

    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_scope_ids_are_zones_of_link_local_addresses_only() -> None:
    assert remote_endpoint(SOCKADDR_IN6(sin6_addr=LINK_LOCAL, sin6_scope_id=3), AF_INET6, False).zone == 3
    assert remote_endpoint(SOCKADDR_IN6(sin6_addr=V6, sin6_scope_id=3), AF_INET6, False).zone == 0


@pytest.mark.parametrize(
    ("address", "is_dual", "name"),
    [
        (SOCKADDR_IN(sin_port=htons(7)), False, LocalName(Cover.IPV4, None, 7)),
        (SOCKADDR_IN(sin_addr=V4), False, LocalName(Cover.IPV4, V4, 0)),
        (SOCKADDR_IN6(sin6_port=htons(7)), False, LocalName(Cover.IPV6, None, 7)),
        (SOCKADDR_IN6(sin6_port=htons(7)), True, LocalName(Cover.DUAL, None, 7)),
        (SOCKADDR_IN6(sin6_addr=V6), True, LocalName(Cover.IPV6, V6, 0)),
        (SOCKADDR_IN6(sin6_addr=MAPPED), True, LocalName(Cover.IPV4, V4, 0)),
        (SOCKADDR_IN6(sin6_addr=MAPPED[:12] + bytes(4)), True, LocalName(Cover.IPV4, None, 0)),
        (SOCKADDR_IN6(sin6_addr=LINK_LOCAL, sin6_scope_id=2), False, LocalName(Cover.IPV6, LINK_LOCAL, 0, 2)),
    ],
)
def test_what_a_bind_asks_for(address: SOCKADDR, is_dual: bool, name: LocalName) -> None:
    family = AF_INET if isinstance(address, SOCKADDR_IN) else AF_INET6

    assert local_name(address, family, is_dual) == name


@pytest.mark.parametrize("parse", [local_name, remote_endpoint])
def test_a_mapped_address_needs_a_dual_stack_socket(parse: object) -> None:
    assert callable(parse)
    with pytest.raises(NetError) as caught:
        parse(SOCKADDR_IN6(sin6_port=1, sin6_addr=MAPPED), AF_INET6, False)

    assert caught.value.kind is ErrorKind.NOT_LOCAL


def test_wildcards_and_ipv4_on_the_way_out() -> None:
    assert sockaddr_octets(AF_INET, None, 7, 0) == b"\x02\0\0\7" + bytes(12)
    assert sockaddr_octets(AF_INET6, None, 7, 0)[8:24] == bytes(16)
    assert sockaddr_octets(AF_INET6, None, 7, 0, is_ipv4=True)[8:24] == MAPPED[:12] + bytes(4)
    assert sockaddr_octets(AF_INET6, V4, 7, 0)[8:24] == MAPPED
    assert sockaddr_octets(AF_INET6, LINK_LOCAL, 7, 5)[24:] == b"\5\0\0\0"


@pytest.mark.rule("R-352")
def test_an_address_buffer_must_have_room() -> None:
    require_room(None, AF_INET6)
    require_room(bytearray(16), AF_INET)
    with pytest.raises(BugCheck) as caught:
        require_room(SOCKADDR_IN(), AF_INET6)
    assert caught.value.rule == "R-352"

    storage = SOCKADDR_STORAGE()
    store_sockaddr(storage, sockaddr_octets(AF_INET, V4, 7, 0))
    assert bytes(SOCKADDR_IN.cast(storage).sin_addr) == V4


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_not_cut_to_another(port: int) -> None:
    with pytest.raises(ValueError, match=f"port {port} is out of range: expected 0 to 65535"):
        address("192.0.2.1", port)
