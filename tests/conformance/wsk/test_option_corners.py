"""Options at their limits, on sockets that do not have them."""

from __future__ import annotations

import pytest

from tests.support.wsk_lab import FAR, Lab
from tests.support.wsk_tcp import control, get_tcp, set_tcp
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IP_ADD_IFLIST,
    IP_GET_IFLIST,
    IP_IFLIST,
    IPPROTO_IP,
    SIO_WSK_SET_REMOTE_ADDRESS,
    SIO_WSK_SET_SENDTO_ADDRESS,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    TCP_KEEPCNT,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
    TCP_MAXRT,
    TCP_MAXRTMS,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WskGetOption,
    WskIoctl,
    WskSetOption,
    simple,
)


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


@pytest.mark.parametrize("code", [SIO_WSK_SET_REMOTE_ADDRESS, SIO_WSK_SET_SENDTO_ADDRESS])
@pytest.mark.parametrize(("address", "family", "size"), [(FAR, AF_INET, 16), ("2001:db8::2", AF_INET6, 28)])
def test_an_address_that_is_told_to_be_shorter_than_it_is_is_refused(
    lab: Lab, code: int, address: str, family: int, size: int
) -> None:
    wildcard = "0.0.0.0" if family == AF_INET else "::"
    Socket = lab.datagram(lab.near, address=wildcard, AddressFamily=family)
    for told, status in ((size - 1, STATUS_INVALID_PARAMETER), (size, STATUS_SUCCESS)):
        arguments = (WskIoctl, code, 0, told, simple.address(address, 9), 0, None, None)
        assert control(Socket, *arguments).status == status
