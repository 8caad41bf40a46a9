"""TCP_ICMP_ERROR_INFO: what the ICMP error was that ended a connect (wsk.md 5.5)."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6ParamProblem, ICMPv6TimeExceeded, IPv6
from scapy.layers.l2 import Ether

from tests.support.wsk_lab import FAR, FAR6, NEAR6, PORT, Lab, ok, start
from tests.support.wsk_packets import inject
from tests.support.wsk_tcp import bound, control, set_tcp
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    ICMP_ERROR_INFO,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_TCP,
    STATUS_HOST_UNREACHABLE,
    STATUS_SUCCESS,
    TCP_FAIL_CONNECT_ON_ICMP_ERROR,
    TCP_ICMP_ERROR_INFO,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WskGetOption,
    simple,
)

ROUTER, ROUTER6, ROUTER_OF_THE_LINK = "192.0.2.99", "2001:db8::99", "fe80::99"
MESSAGES = {1: ICMPv6DestUnreach, 3: ICMPv6TimeExceeded, 4: ICMPv6ParamProblem}


def fails(lab: Lab, family: int) -> Any:
    Socket = bound(lab, lab.near, WSK_FLAG_CONNECTION_SOCKET, family)
    assert set_tcp(Socket, TCP_FAIL_CONNECT_ON_ICMP_ERROR, 1) == STATUS_SUCCESS
    return Socket


def told(Socket: Any) -> ICMP_ERROR_INFO:
    memory = bytearray(36)
    request = control(Socket, WskGetOption, TCP_ICMP_ERROR_INFO, IPPROTO_TCP, 0, None, 36, memory, None)
    assert request.completions == [(STATUS_SUCCESS, 36)]
    return ICMP_ERROR_INFO.cast(memory)


def connect_in_vain(lab: Lab, family: int, to: Any, reporter: str, kind: int, code: int) -> Any:
    """A socket whose connect has ended with an ICMP error of that type and code."""
    first = bound(lab, lab.near, WSK_FLAG_DATAGRAM_SOCKET, family)  # so that the neighbour is known
    ok(simple.call(first.Dispatch.WskSendTo, first, simple.buffer(b"x"), 0, to, 0, None))
    lab.run(0.1)
    Socket = fails(lab, family)
    lab.cut()
    connecting = start(Socket.Dispatch.WskConnect, Socket, to, 0)
    packet = Ether(lab.near_wire.frames[-1]).payload
    if family == AF_INET:
        assert packet.proto == 6
        inject(lab, IP(src=reporter, dst=packet.src) / ICMP(type=kind, code=code) / packet)
    else:
        assert packet.nh == 6
        inject(lab, IPv6(src=reporter, dst=packet.src) / MESSAGES[kind](code=code) / packet)
    assert connecting.status == STATUS_HOST_UNREACHABLE
    return Socket


@pytest.mark.parametrize(
    ("kind", "code"), [(3, 0), (3, 1), (3, 2), (3, 3), (3, 13), (11, 0), (11, 1), (12, 0), (12, 2)]
)
def test_over_ipv4_it_is_the_type_and_code_that_came(lab: Lab, kind: int, code: int) -> None:
    info = told(connect_in_vain(lab, AF_INET, simple.address(FAR, PORT), ROUTER, kind, code))

    assert (info.protocol, info.type, info.code) == (IPPROTO_ICMP, kind, code)
    assert info.srcaddress == bytes(simple.address(ROUTER, 0)) + bytes(12)


@pytest.mark.parametrize(("kind", "code"), [(1, 0), (1, 1), (1, 3), (1, 4), (3, 0), (3, 1), (4, 0), (4, 1), (4, 2)])
def test_over_ipv6_it_is_the_type_and_code_that_came(lab: Lab, kind: int, code: int) -> None:
    info = told(connect_in_vain(lab, AF_INET6, simple.address(FAR6, PORT), ROUTER6, kind, code))

    assert (info.protocol, info.type, info.code) == (IPPROTO_ICMPV6, kind, code)
    assert info.srcaddress == bytes(simple.address(ROUTER6, 0))


@pytest.mark.parametrize(("reporter", "has_scope"), [(ROUTER_OF_THE_LINK, True), (NEAR6[:-1] + "99", False)])
def test_only_a_link_local_reporter_has_a_scope(lab: Lab, reporter: str, has_scope: bool) -> None:
    lab.far_interface.add_address("fe80::88/64")
    lab.run(2)
    index = lab.near_interface.index
    info = told(connect_in_vain(lab, AF_INET6, simple.address("fe80::88", PORT, index), reporter, 1, 0))

    assert info.srcaddress == bytes(simple.address(reporter, 0, index if has_scope else 0))


def test_before_any_connect_there_was_no_error(lab: Lab) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    assert set_tcp(Socket, TCP_FAIL_CONNECT_ON_ICMP_ERROR, 1) == STATUS_SUCCESS
    memory = bytearray(36)
    request = control(Socket, WskGetOption, TCP_ICMP_ERROR_INFO, IPPROTO_TCP, 0, None, 36, memory, None)

    assert request.completions == [(STATUS_SUCCESS, 0)]
    assert memory == bytes(36)
