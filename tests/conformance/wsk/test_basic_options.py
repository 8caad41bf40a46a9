"""Options of basic sockets, by which drivers find out what the transport stack has."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import Lab, ok, start
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IP_MTU,
    IP_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPV6_TCLASS,
    IPV6_V6ONLY,
    RSS_SCALABILITY_INFO,
    SIO_QUERY_RSS_SCALABILITY_INFO,
    SO_BROADCAST,
    SO_KEEPALIVE,
    SO_REUSEADDR,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    SOL_SOCKET,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    TCP_NODELAY,
    UDP_RECV_MAX_COALESCED_SIZE,
    UDP_SEND_MSG_SIZE,
    WSK_FLAG_BASIC_SOCKET,
    WSK_SOCKET,
    WskGetOption,
    WskIoctl,
    WskSetOption,
    simple,
    sizeof,
)

RAW_PROTOCOL = 99
PROTOCOLS = {SOCK_STREAM: IPPROTO_TCP, SOCK_DGRAM: IPPROTO_UDP, SOCK_RAW: RAW_PROTOCOL}


def basic(lab: Lab, kind: int, family: int = AF_INET6) -> WSK_SOCKET:
    provider = lab.near_application.provider
    create = (provider.Client, family, kind, PROTOCOLS[kind], WSK_FLAG_BASIC_SOCKET, None, None, None, None, None)
    Socket: WSK_SOCKET = ok(simple.call(provider.Dispatch.WskSocket, *create))
    return Socket


@pytest.mark.parametrize(
    ("kind", "Level", "option", "default", "value"),
    [
        (SOCK_DGRAM, IPPROTO_UDP, UDP_SEND_MSG_SIZE, 0, 1000),
        (SOCK_DGRAM, IPPROTO_UDP, UDP_RECV_MAX_COALESCED_SIZE, 0, 65527),
        (SOCK_DGRAM, IPPROTO_IPV6, IPV6_TCLASS, 0, 1),
        (SOCK_STREAM, IPPROTO_IPV6, IPV6_TCLASS, 0, 1),
        (SOCK_RAW, IPPROTO_IPV6, IPV6_TCLASS, 0, 1),
        (SOCK_STREAM, IPPROTO_TCP, TCP_NODELAY, 0, 1),
        (SOCK_STREAM, IPPROTO_IPV6, IPV6_V6ONLY, 1, 0),
    ],
)
def test_options_of_the_transport_stack_are_set_and_got(
    lab: Lab, kind: int, Level: int, option: int, default: int, value: int
) -> None:
    Socket = basic(lab, kind)
    assert ok(simple.get_option(Socket, Level, option)) == default
    ok(simple.set_option(Socket, Level, option, value))
    assert ok(simple.get_option(Socket, Level, option)) == value
    assert ok(simple.get_option(basic(lab, kind), Level, option)) == default


@pytest.mark.rule("D-17")
@pytest.mark.parametrize(
    ("kind", "Level", "option"),
    [
        (SOCK_STREAM, IPPROTO_UDP, UDP_SEND_MSG_SIZE),
        (SOCK_RAW, IPPROTO_UDP, UDP_SEND_MSG_SIZE),
        (SOCK_DGRAM, IPPROTO_TCP, TCP_NODELAY),
        (SOCK_DGRAM, IPPROTO_IP, IP_TTL),
        (SOCK_STREAM, SOL_SOCKET, SO_KEEPALIVE),
        (SOCK_DGRAM, SOL_SOCKET, SO_BROADCAST),
        (SOCK_DGRAM, SOL_SOCKET, SO_REUSEADDR),
    ],
)
def test_those_of_another_protocol_and_of_wsk_itself_are_not(lab: Lab, kind: int, Level: int, option: int) -> None:
    Socket = basic(lab, kind)
    assert simple.get_option(Socket, Level, option)[0] == STATUS_INVALID_PARAMETER
    assert simple.set_option(Socket, Level, option, 1)[0] == STATUS_INVALID_PARAMETER


def test_a_dual_basic_socket_has_options_of_both_families(lab: Lab) -> None:
    Socket = basic(lab, SOCK_DGRAM)
    ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    ok(simple.set_option(Socket, IPPROTO_IP, IP_TTL, 9))
    assert ok(simple.get_option(Socket, IPPROTO_IP, IP_TTL)) == 9


def test_what_takes_an_address_is_not_for_a_socket_that_has_none(lab: Lab) -> None:
    Socket = basic(lab, SOCK_DGRAM, AF_INET)
    assert simple.join_group(Socket, "224.1.2.3")[0] != STATUS_SUCCESS
    assert simple.get_option(Socket, IPPROTO_IP, IP_MTU)[0] == STATUS_INVALID_DEVICE_STATE


@pytest.mark.parametrize("returned", [None, [0]])
def test_where_the_size_goes_makes_no_difference(lab: Lab, returned: Any) -> None:
    """It is ignored beside an IRP, and drivers give both."""
    Socket = basic(lab, SOCK_DGRAM)
    output = [7]
    reading = (WskGetOption, UDP_SEND_MSG_SIZE, IPPROTO_UDP, 0, None, 4, output, returned)
    assert start(Socket.Dispatch.WskControlSocket, Socket, *reading).completions == [(STATUS_SUCCESS, 4)]
    assert output == [0]
    writing = (WskSetOption, IPV6_TCLASS, IPPROTO_IPV6, 4, [1], 0, None, returned)
    assert start(Socket.Dispatch.WskControlSocket, Socket, *writing).completions == [(STATUS_SUCCESS, 0)]


@pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_DGRAM])
def test_no_interface_has_receive_side_scaling(lab: Lab, kind: int) -> None:
    Socket = basic(lab, kind)
    memory, answer = bytearray(b"\xff\xff"), RSS_SCALABILITY_INFO(RssEnabled=1)
    assert (RSS_SCALABILITY_INFO().RssEnabled, answer.RssEnabled) == (0, 1)
    for output, size in ((memory, 2), (answer, sizeof(answer))):
        query = (WskIoctl, SIO_QUERY_RSS_SCALABILITY_INFO, SOL_SOCKET, 0, None, size, output, [0])
        assert start(Socket.Dispatch.WskControlSocket, Socket, *query).completions == [(STATUS_SUCCESS, 1)]
    assert (bytes(memory), answer.RssEnabled) == (b"\0\xff", 0)


@pytest.mark.parametrize("buffers", [(0, None, 0, None), (0, None, 0, bytearray(1)), (1, b"x", 1, bytearray(1))])
def test_a_question_about_scaling_takes_nothing_and_needs_room(lab: Lab, buffers: tuple[Any, ...]) -> None:
    query = (WskIoctl, SIO_QUERY_RSS_SCALABILITY_INFO, 0, *buffers, None)
    Socket = basic(lab, SOCK_STREAM)
    assert start(Socket.Dispatch.WskControlSocket, Socket, *query).status == STATUS_INVALID_PARAMETER
