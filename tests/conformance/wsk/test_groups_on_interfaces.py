"""Multicast options at their corners: which interface a group is joined on, and what of an address does not count."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import PORT, Lab, ok
from tests.support.wsk_packets import V4, V6, Names
from wsknet import text
from wsknet.wsk import (
    IP_ADD_SOURCE_MEMBERSHIP,
    IP_DROP_SOURCE_MEMBERSHIP,
    IP_MULTICAST_IF,
    IPV6_ADD_MEMBERSHIP,
    IPV6_DROP_MEMBERSHIP,
    IPV6_MULTICAST_IF,
    MCAST_JOIN_GROUP,
    MCAST_JOIN_SOURCE_GROUP,
    MCAST_LEAVE_GROUP,
    MCAST_LEAVE_SOURCE_GROUP,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_SUCCESS,
    WSK_SOCKET,
    WskSetOption,
    group_req,
    group_source_req,
    ip_mreq_source,
    ipv6_mreq,
    simple,
)

families = pytest.mark.parametrize("names", [V4, V6], ids=["IPv4", "IPv6"])
GROUP = {V4: "239.1.2.3", V6: "ff15::1:7"}
NEAR_INDEX, OTHER_INDEX, NO_INDEX = 2, 3, 99


def change(Socket: WSK_SOCKET, names: Names, code: int, structure: Any) -> int:
    octets = bytes(structure)
    arguments = (WskSetOption, code, names.level, len(octets), octets, 0, None, None)
    Status: int = simple.call(Socket.Dispatch.WskControlSocket, Socket, *arguments)[0]
    return Status


def receiver(lab: Lab, names: Names) -> WSK_SOCKET:
    return lab.datagram(lab.near, PORT, names.wildcard, AddressFamily=names.family)


def source(names: Names, index: int) -> group_source_req:
    return group_source_req(index, simple.address(GROUP[names], 0), simple.address(names.far, 0))


@families
def test_neither_the_port_of_a_group_nor_what_fills_the_structure_counts(lab: Lab, names: Names) -> None:
    Socket = receiver(lab, names)
    octets = bytearray(bytes(group_req(NEAR_INDEX, simple.address(GROUP[names], 7000))))
    octets[4:8] = b"\1\2\3\4"

    assert change(Socket, names, MCAST_JOIN_GROUP, octets) == STATUS_SUCCESS
    assert change(Socket, names, MCAST_LEAVE_GROUP, group_req(NEAR_INDEX, simple.address(GROUP[names], 0))) == (
        STATUS_SUCCESS
    )


@families
def test_a_source_is_joined_and_left_on_one_interface(lab: Lab, names: Names) -> None:
    lab.near.interface("eth1", "198.51.100.1/24", "2001:db8:2::1/64")
    Socket = receiver(lab, names)
    assert change(Socket, names, MCAST_JOIN_SOURCE_GROUP, source(names, NO_INDEX)) == STATUS_INVALID_ADDRESS_COMPONENT
    assert change(Socket, names, MCAST_JOIN_SOURCE_GROUP, source(names, OTHER_INDEX)) == STATUS_SUCCESS
    for wrong in (NO_INDEX, NEAR_INDEX):
        status = change(Socket, names, MCAST_LEAVE_SOURCE_GROUP, source(names, wrong))
        assert status == STATUS_INVALID_ADDRESS_COMPONENT
    assert change(Socket, names, MCAST_LEAVE_SOURCE_GROUP, source(names, OTHER_INDEX)) == STATUS_SUCCESS


@families
def test_number_zero_leaves_the_interface_to_the_routes_again(lab: Lab, names: Names) -> None:
    option = IP_MULTICAST_IF if names is V4 else IPV6_MULTICAST_IF
    Socket = lab.datagram(lab.near, 0, names.wildcard, AddressFamily=names.family)
    loopback = (1).to_bytes(4, "big" if names is V4 else "little")

    for value, leaves in ((loopback, False), (bytes(4), True)):
        ok(simple.set_option(Socket, names.level, option, int.from_bytes(value, "little")))
        before = len(lab.near_wire.frames)
        simple.send_to(Socket, b"to the group", simple.address(GROUP[names], PORT))
        lab.run(0.1)
        assert any(b"to the group" in frame for frame in lab.near_wire.frames[before:]) is leaves


def test_the_ipv4_structure_names_the_interface_by_an_address_of_it(lab: Lab) -> None:
    lab.near.interface("eth1", "198.51.100.1/24")
    Socket = receiver(lab, V4)

    def request(interface: bytes) -> ip_mreq_source:
        return ip_mreq_source(text.parse_address(GROUP[V4]), text.parse_address(V4.far), interface)

    other, near = text.parse_address("198.51.100.1"), text.parse_address(V4.near)
    assert change(Socket, V4, IP_ADD_SOURCE_MEMBERSHIP, request(other)) == STATUS_SUCCESS
    for wrong in (near, text.parse_address("203.0.113.1")):
        assert change(Socket, V4, IP_DROP_SOURCE_MEMBERSHIP, request(wrong)) == STATUS_INVALID_ADDRESS_COMPONENT
    by_number = bytes(3) + bytes((OTHER_INDEX,))
    assert change(Socket, V4, IP_DROP_SOURCE_MEMBERSHIP, request(by_number)) == STATUS_SUCCESS


def test_the_ipv6_structure_names_the_interface_by_its_number(lab: Lab) -> None:
    lab.near.interface("eth1", "2001:db8:2::1/64")
    Socket = receiver(lab, V6)
    group = text.parse_address(GROUP[V6])
    assert change(Socket, V6, IPV6_ADD_MEMBERSHIP, ipv6_mreq(group, NO_INDEX)) == STATUS_INVALID_ADDRESS_COMPONENT
    assert change(Socket, V6, IPV6_ADD_MEMBERSHIP, ipv6_mreq(group, OTHER_INDEX)) == STATUS_SUCCESS
    assert change(Socket, V6, IPV6_DROP_MEMBERSHIP, ipv6_mreq(group, NEAR_INDEX)) == STATUS_INVALID_ADDRESS_COMPONENT
    assert change(Socket, V6, IPV6_DROP_MEMBERSHIP, ipv6_mreq(group, OTHER_INDEX)) == STATUS_SUCCESS
