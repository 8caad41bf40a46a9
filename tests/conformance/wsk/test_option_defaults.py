"""What options are before anybody sets them, and what an accepted socket has of those of its listener."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_inspecting import CATEGORIES
from tests.support.wsk_lab import FAR6, PORT, Lab, ok
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IP_UNICAST_IF,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPV6_UNICAST_IF,
    IPV6_V6ONLY,
    SO_BROADCAST,
    SO_CONDITIONAL_ACCEPT,
    SO_DONTROUTE,
    SO_EXCLUSIVEADDRUSE,
    SO_KEEPALIVE,
    SO_PORT_SCALABILITY,
    SO_RANDOMIZE_PORT,
    SO_RCVBUF,
    SO_REUSE_UNICASTPORT,
    SO_REUSEADDR,
    SOL_SOCKET,
    TCP_FASTOPEN,
    TCP_NODELAY,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SOCKET,
    simple,
)

LISTENING = {WSK_FLAG_LISTEN_SOCKET, WSK_FLAG_STREAM_SOCKET}
STREAMS = LISTENING | {WSK_FLAG_CONNECTION_SOCKET}
ALL = STREAMS | {WSK_FLAG_DATAGRAM_SOCKET}

OFF = [
    (SOL_SOCKET, SO_REUSEADDR, ALL),
    (SOL_SOCKET, SO_EXCLUSIVEADDRUSE, ALL),
    (SOL_SOCKET, SO_RANDOMIZE_PORT, ALL),
    (SOL_SOCKET, SO_PORT_SCALABILITY, ALL),
    (SOL_SOCKET, SO_REUSE_UNICASTPORT, ALL),
    (SOL_SOCKET, SO_DONTROUTE, ALL),
    (SOL_SOCKET, SO_BROADCAST, {WSK_FLAG_DATAGRAM_SOCKET}),
    (SOL_SOCKET, SO_CONDITIONAL_ACCEPT, LISTENING),
    (SOL_SOCKET, SO_KEEPALIVE, STREAMS),
    (IPPROTO_TCP, TCP_NODELAY, STREAMS),
    (IPPROTO_TCP, TCP_FASTOPEN, STREAMS),
]


@pytest.mark.parametrize("family", [AF_INET, AF_INET6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(("Level", "code", "who"), OFF)
def test_it_is_off_until_it_is_set(lab: Lab, Level: int, code: int, who: set[int], family: int) -> None:
    for Flags in sorted(who):
        assert ok(simple.get_option(lab.socket(lab.near, Flags, AddressFamily=family), Level, code)) == 0


@pytest.mark.parametrize("Flags", sorted(ALL))
def test_routing_chooses_the_interface_until_one_is_set(lab: Lab, Flags: int) -> None:
    for family, Level, code in ((AF_INET, IPPROTO_IP, IP_UNICAST_IF), (AF_INET6, IPPROTO_IPV6, IPV6_UNICAST_IF)):
        assert ok(simple.get_option(lab.socket(lab.near, Flags, AddressFamily=family), Level, code)) == 0


@pytest.mark.parametrize("Flags", sorted(ALL))
@pytest.mark.parametrize(("behaviour", "expected"), [(WINDOWS, 1), (LINUX, 0)], ids=["Windows", "Linux"])
def test_whether_an_ipv6_socket_has_ipv4_too_is_the_systems_choice(
    behaviour: Behaviour, expected: int, Flags: int
) -> None:
    lab = Lab(behaviour)
    with lab.network, lab.near.activate():
        Socket = lab.socket(lab.near, Flags, AddressFamily=AF_INET6)
        assert ok(simple.get_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY)) == expected


INHERITED = [
    (SOL_SOCKET, SO_KEEPALIVE, 1, 0),
    (SOL_SOCKET, SO_RCVBUF, 12345, 54321),
    (IPPROTO_TCP, TCP_NODELAY, 1, 0),
    (IPPROTO_TCP, TCP_FASTOPEN, 1, 0),
    (IPPROTO_IPV6, IPV6_UNICAST_IF, 2, 0),
    (IPPROTO_IPV6, IPV6_V6ONLY, 0, None),
    (IPPROTO_IPV6, IPV6_V6ONLY, 1, None),
]


def listening(lab: Lab, Flags: int, Level: int, code: int, value: int) -> WSK_SOCKET:
    Socket = lab.socket(lab.far, Flags, AddressFamily=AF_INET6)
    ok(simple.set_option(Socket, Level, code, value))
    ok(simple.bind(Socket, simple.address("::", PORT)))
    if Flags == WSK_FLAG_STREAM_SOCKET:
        ok(simple.listen(Socket))
    return Socket


@CATEGORIES
@pytest.mark.rule("R-164", "R-165")
@pytest.mark.parametrize(("Level", "code", "value", "other"), INHERITED)
def test_an_accepted_socket_begins_with_what_the_listener_has(
    lab: Lab, Flags: int, Level: int, code: int, value: int, other: int | None
) -> None:
    listener = listening(lab, Flags, Level, code, value)
    near: Any = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, "::", AddressFamily=AF_INET6)
    ok(simple.connect(near, simple.address(FAR6, PORT)))
    Socket = ok(simple.accept(listener))

    assert ok(simple.get_option(Socket, Level, code)) == value
    if other is not None:
        ok(simple.set_option(Socket, Level, code, other))
        assert ok(simple.get_option(Socket, Level, code)) == other
        assert ok(simple.get_option(listener, Level, code)) == value
