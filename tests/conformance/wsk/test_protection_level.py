"""IPV6_PROTECTION_LEVEL: who may speak to a socket over IPv6 (Winsock, IPV6_PROTECTION_LEVEL)."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import TCP

from tests.support.wsk_lab import NEAR6, PORT, Lab, ok, start
from tests.support.wsk_packets import V6, sent
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IPPROTO_IPV6,
    IPV6_PROTECTION_LEVEL,
    SIO_WSK_SET_REMOTE_ADDRESS,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_SOCKET,
    WskIoctl,
    simple,
)

L, C, D = WSK_FLAG_LISTEN_SOCKET, WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_DATAGRAM_SOCKET


def send(Socket: WSK_SOCKET, to: str) -> None:
    address = simple.address(to, PORT)
    ok(simple.call(Socket.Dispatch.WskSendTo, Socket, simple.buffer(b"data"), 0, address, 0, None))


def fix(Socket: WSK_SOCKET, address: Any) -> None:
    arguments = (WskIoctl, SIO_WSK_SET_REMOTE_ADDRESS, 0, address.SIZE, address, 0, None, None)
    ok(simple.call(Socket.Dispatch.WskControlSocket, Socket, *arguments))


@pytest.mark.parametrize(("value", "Status"), [(10, 0), (20, 0), (30, 0), (0, 1), (11, 1), (0xFFFFFFFF, 1)])
def test_there_are_three_protection_levels(lab: Lab, value: int, Status: int) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=AF_INET6)
    assert ok(simple.get_option(Socket, IPPROTO_IPV6, IPV6_PROTECTION_LEVEL)) == 0xFFFFFFFF
    expected = STATUS_INVALID_PARAMETER if Status else STATUS_SUCCESS
    assert simple.set_option(Socket, IPPROTO_IPV6, IPV6_PROTECTION_LEVEL, value)[0] == expected
    assert ok(simple.get_option(Socket, IPPROTO_IPV6, IPV6_PROTECTION_LEVEL)) == (0xFFFFFFFF if Status else value)


OUTSIDE = "2001:db8:9::1"
GROUP = "ff0e::1:2"


@pytest.mark.parametrize(("level", "is_heard"), [(10, True), (20, True), (30, False)])
def test_a_restricted_socket_hears_its_site_alone(lab: Lab, level: int, is_heard: bool) -> None:
    lab.near_interface.add_address(f"{OUTSIDE}/64")
    lab.far.route("2001:db8:9::/64", via=NEAR6)
    far = lab.datagram(lab.far, PORT, "::", AddressFamily=AF_INET6)
    ok(simple.set_option(far, IPPROTO_IPV6, IPV6_PROTECTION_LEVEL, level))
    inside = lab.bound(lab.near, D, NEAR6, AddressFamily=AF_INET6)
    outside = lab.bound(lab.near, D, OUTSIDE, AddressFamily=AF_INET6)
    send(inside, V6.far)
    assert simple.receive_from(far, seconds=0.5)[0] == STATUS_SUCCESS
    send(outside, V6.far)

    assert (simple.receive_from(far, seconds=0.5)[0] == STATUS_SUCCESS) == is_heard
    told = [packet for packet in sent(lab.far_wire, 58) if packet.payload.type == 1]
    assert len(told) == (not is_heard)  # as if nobody had the port


@pytest.mark.parametrize(("level", "is_heard"), [(20, True), (30, False)])
def test_what_is_sent_to_a_group_is_judged_alike(lab: Lab, level: int, is_heard: bool) -> None:
    lab.near_interface.add_address(f"{OUTSIDE}/64")
    lab.far.route("2001:db8:9::/64", via=NEAR6)
    far = lab.datagram(lab.far, PORT, "::", AddressFamily=AF_INET6)
    ok(simple.set_option(far, IPPROTO_IPV6, IPV6_PROTECTION_LEVEL, level))
    ok(simple.join_group(far, GROUP))
    for source in (NEAR6, OUTSIDE):
        send(lab.bound(lab.near, D, source, AddressFamily=AF_INET6), GROUP)
        assert (simple.receive_from(far, seconds=0.5)[0] == STATUS_SUCCESS) == (is_heard or source == NEAR6)
    assert not [packet for packet in sent(lab.far_wire, 58) if packet.payload.type == 1]  # RFC 4443 2.4 (e)


@pytest.mark.parametrize(("level", "answer"), [(20, "SA"), (30, "RA")])
def test_a_restricted_listener_refuses_what_comes_from_elsewhere(lab: Lab, level: int, answer: str) -> None:
    lab.near_interface.add_address(f"{OUTSIDE}/64")
    lab.far.route("2001:db8:9::/64", via=NEAR6)
    listener = lab.socket(lab.far, L, AddressFamily=AF_INET6)
    ok(simple.set_option(listener, IPPROTO_IPV6, IPV6_PROTECTION_LEVEL, level))
    ok(simple.bind(listener, simple.address("::", PORT)))
    for source in (NEAR6, OUTSIDE):
        lab.far_wire.frames.clear()
        near = lab.bound(lab.near, C, source, AddressFamily=AF_INET6)
        start(near.Dispatch.WskConnect, near, simple.address(V6.far, PORT), 0)
        lab.run(0.1)
        expected = "SA" if source == NEAR6 else answer
        assert [str(packet[TCP].flags) for packet in sent(lab.far_wire, 6)][:1] == [expected]


def test_a_restricted_socket_hears_its_peer(lab: Lab) -> None:
    lab.near_interface.add_address(f"{OUTSIDE}/64")
    lab.far.route("2001:db8:9::/64", via=NEAR6)
    far = lab.datagram(lab.far, PORT, "::", AddressFamily=AF_INET6)
    ok(simple.set_option(far, IPPROTO_IPV6, IPV6_PROTECTION_LEVEL, 30))
    fix(far, simple.address(OUTSIDE, 9000))
    send(lab.bound(lab.near, D, OUTSIDE, 9000, AddressFamily=AF_INET6), V6.far)

    assert simple.receive_from(far, seconds=0.5)[0] == STATUS_SUCCESS


@pytest.mark.rule("D-17")
def test_sockets_for_ipv4_have_none(lab: Lab) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=AF_INET)
    assert simple.set_option(Socket, IPPROTO_IPV6, IPV6_PROTECTION_LEVEL, 10)[0] == STATUS_INVALID_PARAMETER
