"""IP_MTU and IPV6_MTU on a host with two links, of which one carries less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.wsk_lab import FAR, Lab, ok
from tests.support.wsk_lab import lab as lab_of
from tests.support.wsk_tcp import control
from wsknet.behaviour import WINDOWS, HostModel
from wsknet.wsk import (
    AF_INET6,
    IP_MTU,
    IP_UNICAST_IF,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_MTU,
    SIO_WSK_SET_REMOTE_ADDRESS,
    STATUS_SUCCESS,
    WSK_SOCKET,
    WskGetOption,
    WskIoctl,
    WskSetOption,
    htonl,
    simple,
)

BEYOND = "203.0.113.9"
OTHER = "198.51.100.1"
SMALL = 1300


def mtu(Socket: WSK_SOCKET, Level: int = IPPROTO_IP) -> int:
    found = bytearray(4)
    code = IP_MTU if Level == IPPROTO_IP else IPV6_MTU
    assert control(Socket, WskGetOption, code, Level, 0, None, 4, found, None).status == STATUS_SUCCESS
    return int.from_bytes(found, "little")


def send_to(Socket: WSK_SOCKET, address: Any, size: int = 16) -> None:
    arguments = (WskIoctl, SIO_WSK_SET_REMOTE_ADDRESS, 0, size, address, 0, None, None)
    assert control(Socket, *arguments).status == STATUS_SUCCESS


def second_link(lab: Lab) -> int:
    """One that carries less, by which everything can be reached too, though not best; its number."""
    near = lab.near.interface("eth1", f"{OTHER}/24", mtu=SMALL)
    lab.network.link(near, lab.far.interface("eth1", "198.51.100.2/24", mtu=SMALL))
    lab.near.route("0.0.0.0/0", via=FAR, metric=1)
    lab.near.route("0.0.0.0/0", via="198.51.100.2", metric=500)
    lab.run(2)
    return near.index


@pytest.fixture
def index(lab: Lab) -> int:
    return second_link(lab)


@pytest.fixture
def weak() -> Iterator[Lab]:
    """Its near host sends from any address through any interface: an address alone does not tell the way."""
    with lab_of(replace(WINDOWS, host_send=HostModel.WEAK)) as made:
        yield made


def test_the_mtu_is_that_of_the_way_from_the_sockets_own_address(lab: Lab, index: int) -> None:
    anywhere, bound = lab.datagram(lab.near), lab.datagram(lab.near, address=OTHER)
    for Socket in (anywhere, bound):
        send_to(Socket, simple.address(BEYOND, 9))
    assert (mtu(anywhere), mtu(bound)) == (1500, SMALL)


def test_the_mtu_is_that_of_the_interface_that_the_socket_sends_through(lab: Lab, index: int) -> None:
    Socket = lab.datagram(lab.near)
    arguments = (WskSetOption, IP_UNICAST_IF, IPPROTO_IP, 4, [htonl(index)], 0, None, None)
    assert control(Socket, *arguments).status == STATUS_SUCCESS
    send_to(Socket, simple.address(BEYOND, 9))
    assert mtu(Socket) == SMALL


def test_the_mtu_towards_a_link_local_peer_is_that_of_its_link(lab: Lab, index: int) -> None:
    Socket = lab.datagram(lab.near, address="::", AddressFamily=AF_INET6)
    found = []
    for zone in (lab.near_interface.index, index):
        send_to(Socket, simple.address("fe80::99", 9, zone), 28)
        found.append(mtu(Socket, IPPROTO_IPV6))
    assert found == [1500, SMALL]


def test_on_a_weak_host_too(weak: Lab) -> None:
    index = second_link(weak)
    Socket = weak.datagram(weak.near)
    arguments = (WskSetOption, IP_UNICAST_IF, IPPROTO_IP, 4, [htonl(index)], 0, None, None)
    assert control(Socket, *arguments).status == STATUS_SUCCESS
    send_to(Socket, simple.address(BEYOND, 9))
    assert mtu(Socket) == SMALL

    local = weak.datagram(weak.near, address="::", AddressFamily=AF_INET6)
    for zone, size in ((weak.near_interface.index, 1500), (index, SMALL)):
        send_to(local, simple.address("fe80::99", 9, zone), 28)
        assert mtu(local, IPPROTO_IPV6) == size
    for each in (Socket, local):
        ok(simple.close(each))


def test_a_connection_keeps_its_address_and_so_its_way_when_a_better_route_appears(lab: Lab, index: int) -> None:
    Socket, far = lab.pair()
    assert mtu(Socket) == 1500
    lab.near.route(f"{FAR}/32", via="198.51.100.2", metric=0)
    assert mtu(Socket) == 1500
    for each in (Socket, far):
        ok(simple.close(each))
