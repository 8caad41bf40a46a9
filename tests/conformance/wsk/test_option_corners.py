"""Options at their limits, on sockets that do not have them, and on a host with two links."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import FAR, Lab, ok
from tests.support.wsk_tcp import control, get_tcp, set_tcp
from wsknet.wsk import (
    AF_INET6,
    IP_ADD_IFLIST,
    IP_GET_IFLIST,
    IP_IFLIST,
    IP_MTU,
    IP_UNICAST_IF,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_MTU,
    SIO_WSK_SET_REMOTE_ADDRESS,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    TCP_KEEPCNT,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
    TCP_MAXRT,
    TCP_MAXRTMS,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
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


@pytest.fixture
def index(lab: Lab) -> int:
    """Of a second link that carries less, by which everything can be reached too, though not best."""
    near = lab.near.interface("eth1", f"{OTHER}/24", mtu=SMALL)
    lab.network.link(near, lab.far.interface("eth1", "198.51.100.2/24", mtu=SMALL))
    lab.near.route("0.0.0.0/0", via=FAR, metric=1)
    lab.near.route("0.0.0.0/0", via="198.51.100.2", metric=500)
    lab.run(2)
    return near.index


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


def test_a_connection_keeps_its_address_and_so_its_way_when_a_better_route_appears(lab: Lab, index: int) -> None:
    Socket, far = lab.pair()
    assert mtu(Socket) == 1500
    lab.near.route(f"{FAR}/32", via="198.51.100.2", metric=0)
    assert mtu(Socket) == 1500
    for each in (Socket, far):
        ok(simple.close(each))


@pytest.mark.parametrize("code", [TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT])
def test_keep_alive_numbers_begin_at_one(lab: Lab, code: int) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    assert set_tcp(Socket, code, 0) == STATUS_INVALID_PARAMETER
    assert set_tcp(Socket, code, 1) == STATUS_SUCCESS
    assert get_tcp(Socket, code) == 1


def test_a_user_timeout_that_a_ulong_of_milliseconds_cannot_tell_is_the_largest_below_for_ever(lab: Lab) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    assert set_tcp(Socket, TCP_MAXRT, 0xFFFF_FFFE) == STATUS_SUCCESS
    assert get_tcp(Socket, TCP_MAXRT) == 0xFFFF_FFFE
    assert get_tcp(Socket, TCP_MAXRTMS) == 0xFFFF_FFFE


@pytest.mark.parametrize("code", [IP_IFLIST, IP_ADD_IFLIST, IP_GET_IFLIST])
def test_lists_of_interfaces_are_for_datagram_sockets(lab: Lab, code: int) -> None:
    stream = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    datagram = lab.bound(lab.near, WSK_FLAG_DATAGRAM_SOCKET)
    index = lab.near_interface.index
    for Socket, status in ((stream, STATUS_INVALID_PARAMETER), (datagram, STATUS_SUCCESS)):
        if code == IP_GET_IFLIST:
            control(Socket, WskSetOption, IP_IFLIST, IPPROTO_IP, 4, [1], 0, None, None)
            request = control(Socket, WskGetOption, code, IPPROTO_IP, 0, None, 4, bytearray(4), None)
        else:
            request = control(Socket, WskSetOption, code, IPPROTO_IP, 4, [index], 0, None, None)
        assert request.status == status
