"""Options of IPPROTO_IP and IPPROTO_IPV6 about what a socket sends, on the wire (wsk.md 5.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_categories import B, C, D, L, S
from tests.support.wsk_control_info import control, number
from tests.support.wsk_lab import FAR, PORT, Lab, Request, lab, ok, start
from tests.support.wsk_packets import V4, V6, Names, hop_limit, sent, tell_too_big, traffic_class
from wsknet.behaviour import LINUX
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IP_DONTFRAGMENT,
    IP_ECN,
    IP_MTU,
    IP_MTU_DISCOVER,
    IP_OPTIONS,
    IP_PMTUDISC_DO,
    IP_PMTUDISC_DONT,
    IP_PMTUDISC_NOT_SET,
    IP_PMTUDISC_PROBE,
    IP_TOS,
    IP_TTL,
    IP_UNSPECIFIED_HOP_LIMIT,
    IP_UNSPECIFIED_USER_MTU,
    IP_USER_MTU,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_DONTFRAG,
    IPV6_ECN,
    IPV6_HOPOPTS,
    IPV6_MTU,
    IPV6_MTU_DISCOVER,
    IPV6_NRT_INTERFACE,
    IPV6_RECVRTHDR,
    IPV6_RTHDR,
    IPV6_TCLASS,
    IPV6_UNICAST_HOPS,
    IPV6_USER_MTU,
    IPV6_V6ONLY,
    SIO_WSK_SET_REMOTE_ADDRESS,
    STATUS_BUFFER_OVERFLOW,
    STATUS_INVALID_BUFFER_SIZE,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_SUCCESS,
    WSK_SOCKET,
    WskGetOption,
    WskIoctl,
    WskSetOption,
    simple,
)

families = pytest.mark.parametrize("names", [V4, V6], ids=["IPv4", "IPv6"])
HOPS = {V4: IP_TTL, V6: IPV6_UNICAST_HOPS}
CLASS = {V4: IP_TOS, V6: IPV6_TCLASS}
DONT_FRAGMENT = {V4: IP_DONTFRAGMENT, V6: IPV6_DONTFRAG}
DISCOVER = {V4: IP_MTU_DISCOVER, V6: IPV6_MTU_DISCOVER}
USER_MTU = {V4: IP_USER_MTU, V6: IPV6_USER_MTU}
MTU = {V4: IP_MTU, V6: IPV6_MTU}
ECN = {V4: IP_ECN, V6: IPV6_ECN}


def datagram(lab: Lab, names: Names, port: int = 9000) -> WSK_SOCKET:
    return lab.datagram(lab.near, port, names.wildcard, AddressFamily=names.family)


def send(Socket: WSK_SOCKET, to: str, size: int = 4, Control: bytes | None = None) -> Request:
    arguments = (simple.buffer(bytes(size)), 0, simple.address(to, PORT), len(Control or b""), Control)
    return start(Socket.Dispatch.WskSendTo, Socket, *arguments)


def connection(lab: Lab, names: Names, listener_options: Any = (), **options: Any) -> tuple[WSK_SOCKET, WSK_SOCKET]:
    """Near, connected, and far, accepted; the options are pairs of number and value, set before bind."""
    listener = lab.socket(lab.far, L, AddressFamily=names.family)
    near = lab.socket(lab.near, C, AddressFamily=names.family)
    for Socket, pairs in ((listener, listener_options), (near, options.get("near", ()))):
        for option, value in pairs:
            ok(simple.set_option(Socket, names.level, option, value))
    ok(simple.bind(listener, simple.address(names.wildcard, PORT)))
    ok(simple.bind(near, simple.address(names.wildcard, 0)))
    ok(simple.connect(near, simple.address(names.far, PORT)))
    return near, ok(simple.accept(listener))


# Hop limit


@families
def test_the_hop_limit_is_that_of_the_system_until_it_is_set(lab: Lab, names: Names) -> None:
    Socket, option = datagram(lab, names), HOPS[names]
    seen = []
    for value in (None, 7, 255, 1, IP_UNSPECIFIED_HOP_LIMIT):
        if value is not None:
            ok(simple.set_option(Socket, names.level, option, value))
        seen.append(ok(simple.get_option(Socket, names.level, option)))
        send(Socket, names.far)
        lab.run(0.1)

    assert seen == [128, 7, 255, 1, 128]
    assert [hop_limit(packet) for packet in sent(lab.near_wire)] == seen


@families
@pytest.mark.parametrize("value", [0, 256, 0xFFFFFFFE])
def test_hops_are_one_to_255(lab: Lab, names: Names, value: int) -> None:
    Socket = datagram(lab, names)

    assert simple.set_option(Socket, names.level, HOPS[names], value)[0] == STATUS_INVALID_PARAMETER
    assert ok(simple.get_option(Socket, names.level, HOPS[names])) == 128


@families
def test_every_segment_of_a_connection_has_the_hop_limit(lab: Lab, names: Names) -> None:
    near, far = connection(lab, names, [(HOPS[names], 33)], near=[(HOPS[names], 9)])
    ok(simple.send(near, b"data"))
    ok(simple.send(far, b"back"))
    lab.run()

    assert {hop_limit(packet) for packet in sent(lab.near_wire, 6)} == {9}
    assert {hop_limit(packet) for packet in sent(lab.far_wire, 6)} == {33}
    assert ok(simple.get_option(far, names.level, HOPS[names])) == 33


@families
def test_a_hop_limit_set_on_a_connection_counts_from_the_next_segment(lab: Lab, names: Names) -> None:
    near, far = connection(lab, names)
    lab.near_wire.frames.clear()
    ok(simple.set_option(near, names.level, HOPS[names], 5))
    ok(simple.send(near, b"data"))
    lab.run()
    assert {hop_limit(packet) for packet in sent(lab.near_wire, 6)} == {5}
    ok(simple.set_option(near, names.level, HOPS[names], IP_UNSPECIFIED_HOP_LIMIT))
    lab.near_wire.frames.clear()
    ok(simple.send(near, b"data"))
    lab.run()

    assert {hop_limit(packet) for packet in sent(lab.near_wire, 6)} == {128}
    assert ok(simple.receive(far, 8)) == b"datadata"


def test_a_dual_stack_socket_has_a_hop_limit_for_each_family(lab: Lab) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=AF_INET6)
    ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    ok(simple.set_option(Socket, IPPROTO_IP, IP_TTL, 3))
    ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 4))
    ok(simple.bind(Socket, simple.address("::", 9000)))
    for to in (f"::ffff:{FAR}", V6.far):
        send(Socket, to)
    lab.run()

    assert [(packet.version, hop_limit(packet)) for packet in sent(lab.near_wire)] == [(4, 3), (6, 4)]


# Traffic class


@families
def test_the_type_of_service_is_not_for_programs_but_the_traffic_class_is(lab: Lab, names: Names) -> None:
    """IPPROTO_IP Socket Options says of IP_TOS "do not use"; nothing like that is said of IPV6_TCLASS."""
    Socket = datagram(lab, names)
    ok(simple.set_option(Socket, names.level, CLASS[names], 0xB8))
    assert ok(simple.get_option(Socket, names.level, CLASS[names])) == 0xB8
    send(Socket, names.far)
    send(Socket, names.far, 4, control((names.level, CLASS[names], number(0x28))))
    send(Socket, names.far, 4, control((names.level, ECN[names], number(1))))
    lab.run()
    usual = 0 if names is V4 else 0xB8

    assert [traffic_class(packet) for packet in sent(lab.near_wire)] == [usual, 0x28, usual | 1]
    assert simple.set_option(Socket, names.level, CLASS[names], 0x100)[0] == STATUS_INVALID_PARAMETER


@families
def test_elsewhere_programs_set_the_type_of_service(names: Names) -> None:
    with lab(LINUX) as made:
        Socket = datagram(made, names)
        ok(simple.set_option(Socket, names.level, CLASS[names], 0xB9))
        send(Socket, names.far)
        near, _ = connection(made, names, near=[(CLASS[names], 0xB9)])
        ok(simple.send(near, b"data"))
        made.run()

        assert [traffic_class(packet) for packet in sent(made.near_wire)] == [0xB9]
        # Whether a segment is capable of ECN is for TCP to say (RFC 3168 6.1).
        assert {traffic_class(packet) for packet in sent(made.near_wire, 6)} <= {0xB8, 0xBA}


# Fragments and path MTU


@pytest.mark.parametrize("Flags", [L, C, D, S])
@families
def test_streams_have_dont_fragment_and_datagrams_do_not(lab: Lab, names: Names, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags, AddressFamily=names.family)
    assert ok(simple.get_option(Socket, names.level, DONT_FRAGMENT[names])) == int(Flags != D)
    for value in (0, 5):
        ok(simple.set_option(Socket, names.level, DONT_FRAGMENT[names], value))
        assert ok(simple.get_option(Socket, names.level, DONT_FRAGMENT[names])) == int(value != 0)


@families
def test_what_must_not_be_cut_is_refused(lab: Lab, names: Names) -> None:
    Socket, most = datagram(lab, names), 1500 - names.header - 8
    assert send(Socket, names.far, most).status == STATUS_SUCCESS
    lab.run()
    [packet] = sent(lab.near_wire)
    assert names is V6 or not packet.flags.DF
    lab.near_wire.frames.clear()
    assert send(Socket, names.far, most + 1).status == STATUS_SUCCESS
    lab.run()
    assert len(sent(lab.near_wire, None)) > 1
    ok(simple.set_option(Socket, names.level, DONT_FRAGMENT[names], 1))
    lab.near_wire.frames.clear()

    assert send(Socket, names.far, most + 1).completions == [(STATUS_INVALID_BUFFER_SIZE, 0)]
    assert send(Socket, names.far, most).status == STATUS_SUCCESS
    lab.run()
    [packet] = sent(lab.near_wire)
    assert names is V6 or packet.flags.DF


@pytest.mark.parametrize(
    ("state", "size", "pieces", "is_df"),
    [
        (IP_PMTUDISC_NOT_SET, 1300, [True, True], False),
        (IP_PMTUDISC_DO, 1300, None, True),
        (IP_PMTUDISC_DO, 1200, [False], True),
        (IP_PMTUDISC_DONT, 1300, [False], False),
        (IP_PMTUDISC_DONT, 1600, [True, True], False),
        (IP_PMTUDISC_PROBE, 1300, [False], True),
        (IP_PMTUDISC_PROBE, 1600, None, True),
    ],
)
@families
def test_discovery_decides_what_is_cut(
    lab: Lab, names: Names, state: int, size: int, pieces: list[bool] | None, is_df: bool
) -> None:
    """Of packets of `size` bytes, where a router has told that the path takes 1280 of the 1500 of the link.

    `pieces` tells of each packet that leaves whether it is a fragment; nothing leaves without it."""
    Socket = datagram(lab, names)
    send(Socket, names.far)
    lab.run()
    tell_too_big(lab, names, 9000, PORT, 1280)
    lab.near_wire.frames.clear()
    ok(simple.set_option(Socket, names.level, DISCOVER[names], state))
    assert ok(simple.get_option(Socket, names.level, DISCOVER[names])) == state
    request = send(Socket, names.far, size - names.header - 8)
    lab.run()

    packets = [packet for packet in sent(lab.near_wire, None) if packet.version == 4 or packet.nh in (17, 44)]
    if pieces is None:
        assert (request.status, packets) == (STATUS_INVALID_BUFFER_SIZE, [])
    elif names is V4:
        assert [bool(packet.flags.MF or packet.frag) for packet in packets] == pieces
        assert {bool(packet.flags.DF) for packet in packets} == {is_df}
    else:
        assert [packet.nh == 44 for packet in packets] == pieces


@families
def test_there_are_four_states_of_discovery(lab: Lab, names: Names) -> None:
    Socket = datagram(lab, names)
    assert ok(simple.get_option(Socket, names.level, DISCOVER[names])) == IP_PMTUDISC_NOT_SET
    assert simple.set_option(Socket, names.level, DISCOVER[names], 4)[0] == STATUS_INVALID_PARAMETER


@families
def test_a_discovery_that_is_set_outdoes_dont_fragment(lab: Lab, names: Names) -> None:
    Socket = datagram(lab, names)
    ok(simple.set_option(Socket, names.level, DONT_FRAGMENT[names], 1))
    ok(simple.set_option(Socket, names.level, DISCOVER[names], IP_PMTUDISC_DONT))

    assert send(Socket, names.far, 1600).status == STATUS_SUCCESS


@pytest.mark.parametrize("state", [IP_PMTUDISC_NOT_SET, IP_PMTUDISC_DO, IP_PMTUDISC_DONT, IP_PMTUDISC_PROBE])
def test_a_stream_without_discovery_lets_routers_cut(lab: Lab, state: int) -> None:
    near, _ = connection(lab, V4, near=[(IP_MTU_DISCOVER, state)])
    ok(simple.send(near, bytes(3000)))
    lab.run()

    is_df = state in (IP_PMTUDISC_NOT_SET, IP_PMTUDISC_DO)
    assert {bool(packet.flags.DF) for packet in sent(lab.near_wire, 6)} == {is_df}
    assert not any(packet.flags.MF or packet.frag for packet in sent(lab.near_wire, 6))


@pytest.mark.parametrize(
    ("state", "most"), [(IP_PMTUDISC_DO, 1500), (IP_PMTUDISC_DONT, 1280), (IP_PMTUDISC_PROBE, 1280)]
)
def test_over_ipv6_it_sends_what_every_link_carries(lab: Lab, state: int, most: int) -> None:
    near, _ = connection(lab, V6, near=[(IPV6_MTU_DISCOVER, state)])
    ok(simple.send(near, bytes(5000)))
    lab.run()

    assert max(len(packet) for packet in sent(lab.near_wire, 6)) == most


@families
def test_no_datagram_is_larger_than_the_mtu_of_the_program(lab: Lab, names: Names) -> None:
    Socket = datagram(lab, names)
    assert ok(simple.get_option(Socket, names.level, USER_MTU[names])) == IP_UNSPECIFIED_USER_MTU
    ok(simple.set_option(Socket, names.level, USER_MTU[names], 1300))
    send(Socket, names.far, 1300 - names.header - 8)
    send(Socket, names.far, 1300 - names.header - 7)
    lab.run()
    packets = [packet for packet in sent(lab.near_wire, None) if packet.version == 4 or packet.nh in (17, 44)]
    assert len(packets) == 3
    assert all(len(packet) <= 1300 for packet in packets)

    ok(simple.set_option(Socket, names.level, DONT_FRAGMENT[names], 1))
    assert send(Socket, names.far, 1300 - names.header - 7).status == STATUS_INVALID_BUFFER_SIZE
    ok(simple.set_option(Socket, names.level, USER_MTU[names], IP_UNSPECIFIED_USER_MTU))
    assert send(Socket, names.far, 1500 - names.header - 8).status == STATUS_SUCCESS


@families
@pytest.mark.parametrize("is_late", [False, True])
def test_no_segment_is_larger_either(lab: Lab, names: Names, is_late: bool) -> None:
    near, far = connection(lab, names, near=[] if is_late else [(USER_MTU[names], 1290)])
    if is_late:
        ok(simple.set_option(near, names.level, USER_MTU[names], 1290))
    ok(simple.send(near, bytes(5000)))
    lab.run()

    assert max(len(packet) for packet in sent(lab.near_wire, 6)) == 1290
    assert len(ok(simple.receive(far, 5000))) == 5000


@families
def test_a_mtu_that_no_link_has_is_refused(lab: Lab, names: Names) -> None:
    Socket, least = datagram(lab, names), 68 if names is V4 else 1280
    for value in (0, least - 1):
        assert simple.set_option(Socket, names.level, USER_MTU[names], value)[0] == STATUS_INVALID_PARAMETER
    ok(simple.set_option(Socket, names.level, USER_MTU[names], least))
    assert ok(simple.get_option(Socket, names.level, USER_MTU[names])) == least


def fix(Socket: WSK_SOCKET, address: Any) -> None:
    arguments = (WskIoctl, SIO_WSK_SET_REMOTE_ADDRESS, 0, address.SIZE, address, 0, None, None)
    ok(simple.call(Socket.Dispatch.WskControlSocket, Socket, *arguments))


@families
def test_the_mtu_of_the_path_is_told_to_who_has_a_peer(lab: Lab, names: Names) -> None:
    Socket = datagram(lab, names)
    assert simple.get_option(Socket, names.level, MTU[names])[0] == STATUS_INVALID_DEVICE_STATE
    fix(Socket, simple.address(names.far, PORT))
    assert ok(simple.get_option(Socket, names.level, MTU[names])) == 1500
    tell_too_big(lab, names, 9000, PORT, 1300)
    assert ok(simple.get_option(Socket, names.level, MTU[names])) == 1300
    assert simple.set_option(Socket, names.level, MTU[names], 1300)[0] == STATUS_NOT_SUPPORTED

    near, _ = connection(lab, names)
    assert ok(simple.get_option(near, names.level, MTU[names])) == 1300
    for Flags in (C, L):
        unconnected = lab.socket(lab.near, Flags, AddressFamily=names.family)
        assert simple.get_option(unconnected, names.level, MTU[names])[0] == STATUS_INVALID_DEVICE_STATE


# IP_OPTIONS

RECORD_ROUTE = bytes((7, 7, 4, 0, 0, 0, 0))
ROUTER_ALERT = bytes((148, 4, 0, 0))


def set_octets(Socket: WSK_SOCKET, octets: bytes | None) -> int:
    arguments = (WskSetOption, IP_OPTIONS, IPPROTO_IP, len(octets or b""), octets, 0, None, None)
    Status: int = simple.call(Socket.Dispatch.WskControlSocket, Socket, *arguments)[0]
    return Status


def get_octets(Socket: WSK_SOCKET, size: int, memory: Any) -> tuple[int, Any]:
    arguments = (WskGetOption, IP_OPTIONS, IPPROTO_IP, 0, None, size, memory, None)
    request = start(Socket.Dispatch.WskControlSocket, Socket, *arguments)
    return request.status, request.information


def header_options(packet: Any) -> bytes:
    return bytes(packet)[20 : packet.ihl * 4]


def test_options_stand_in_every_header_and_some_in_every_fragment(lab: Lab) -> None:
    Socket = datagram(lab, V4)
    assert set_octets(Socket, RECORD_ROUTE + ROUTER_ALERT) == STATUS_SUCCESS
    whole = RECORD_ROUTE + ROUTER_ALERT + b"\0"
    far = lab.datagram(lab.far, PORT)
    send(Socket, FAR)
    send(Socket, FAR, 1600)
    lab.run()
    packets = sent(lab.near_wire)

    assert [header_options(packet) for packet in packets] == [whole, whole, ROUTER_ALERT]
    assert all(len(packet) <= 1500 for packet in packets)
    assert [len(ok(simple.receive_from(far, 2000))[0]) for _ in range(2)] == [4, 1600]
    memory = bytearray(12)
    assert get_octets(Socket, 12, memory) == (STATUS_SUCCESS, 12)
    assert memory == whole
    assert get_octets(Socket, 11, memory)[0] == STATUS_BUFFER_OVERFLOW


def test_new_options_replace_the_old_and_none_removes_them(lab: Lab) -> None:
    Socket = datagram(lab, V4)
    for octets in (None, RECORD_ROUTE, ROUTER_ALERT, None):
        assert set_octets(Socket, octets) == STATUS_SUCCESS
        send(Socket, FAR)
        lab.run()

    seen = [header_options(packet) for packet in sent(lab.near_wire)]
    assert seen == [b"", RECORD_ROUTE + b"\0", ROUTER_ALERT, b""]
    assert get_octets(Socket, 0, None) == (STATUS_SUCCESS, 0)


@pytest.mark.parametrize("octets", [bytes(41), b"\x94\x05\0\0", b"\x83\x07\4\xc0\0\2\1", b"\x89\x07\4\xc0\0\2\1"])
def test_options_that_lie_and_source_routes_are_refused(lab: Lab, octets: bytes) -> None:
    Socket = datagram(lab, V4)
    assert set_octets(Socket, octets) == STATUS_INVALID_PARAMETER
    assert get_octets(Socket, 40, bytearray(40)) == (STATUS_SUCCESS, 0)


def test_options_take_their_room_from_the_largest_datagram(lab: Lab) -> None:
    Socket = datagram(lab, V4)
    set_octets(Socket, ROUTER_ALERT)
    assert send(Socket, FAR, 65504).completions == [(STATUS_INVALID_BUFFER_SIZE, 0)]
    assert send(Socket, FAR, 65503).status == STATUS_SUCCESS


# Who has them


@pytest.mark.rule("D-17")
@pytest.mark.parametrize("option", [IPV6_HOPOPTS, IPV6_RTHDR, IPV6_RECVRTHDR, IPV6_NRT_INTERFACE])
def test_what_no_page_describes_is_not_supported(lab: Lab, option: int) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=AF_INET6)
    assert simple.set_option(Socket, IPPROTO_IPV6, option, 1)[0] == STATUS_NOT_SUPPORTED
    assert simple.get_option(Socket, IPPROTO_IPV6, option)[0] == STATUS_NOT_SUPPORTED


@pytest.mark.rule("D-17")
@pytest.mark.parametrize("Flags", [L, C, D, S, B])
@pytest.mark.parametrize("family", [AF_INET, AF_INET6])
@families
@pytest.mark.parametrize("options", [HOPS, CLASS, DONT_FRAGMENT, DISCOVER, USER_MTU])
def test_sockets_of_the_family_have_them(
    lab: Lab, Flags: int, family: int, names: Names, options: dict[Names, int]
) -> None:
    Socket = lab.socket(lab.near, Flags, AddressFamily=family)
    is_there = family == names.family
    expected = STATUS_SUCCESS if is_there else STATUS_INVALID_PARAMETER

    assert simple.get_option(Socket, names.level, options[names])[0] == expected
    for InputSize, Input in ((0, None), (1, b"\1"), (8, bytes(8))):
        arguments = (WskSetOption, options[names], names.level, InputSize, Input, 0, None, None)
        assert simple.call(Socket.Dispatch.WskControlSocket, Socket, *arguments)[0] == STATUS_INVALID_PARAMETER


@pytest.mark.rule("D-17")
@pytest.mark.parametrize("Flags", [L, C, S, B])
def test_only_datagrams_have_options_in_their_header(lab: Lab, Flags: int) -> None:
    assert set_octets(lab.socket(lab.near, Flags), ROUTER_ALERT) == STATUS_INVALID_PARAMETER
