"""IP_RECVERR and IPV6_RECVERR, and the longer packet information: more of what datagrams bring (wsk.md 5.5)."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6ParamProblem, ICMPv6TimeExceeded, IPv6

from tests.support.wsk_control_info import messages_in
from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, PORT, Lab, Request, ok, start
from tests.support.wsk_packets import V4, V6, Names, inject, tell_too_big
from wsknet.text import parse_address as A
from wsknet.wsk import (
    AF_INET6,
    CMSGHDR,
    IN6_PKTINFO,
    IN6_PKTINFO_EX,
    IN_PKTINFO,
    IN_PKTINFO_EX,
    IN_RECVERR,
    IP_ECN,
    IP_HOPLIMIT,
    IP_ORIGINAL_ARRIVAL_IF,
    IP_PKTINFO,
    IP_PKTINFO_EX,
    IP_RECVERR,
    IP_RECVTOS,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_ECN,
    IPV6_HOPLIMIT,
    IPV6_PKTINFO,
    IPV6_PKTINFO_EX,
    IPV6_RECVERR,
    IPV6_RECVTCLASS,
    IPV6_V6ONLY,
    SOCKADDR_IN6,
    SOCKADDR_STORAGE,
    STATUS_CANCELLED,
    STATUS_NETWORK_UNREACHABLE,
    STATUS_PENDING,
    STATUS_PORT_UNREACHABLE,
    STATUS_SUCCESS,
    WSA_CMSG_LEN,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_SOCKET,
    htons,
    simple,
    sizeof,
)

families = pytest.mark.parametrize("names", [V4, V6], ids=["IPv4", "IPv6"])
RECVERR = {V4: IP_RECVERR, V6: IPV6_RECVERR}
NOBODY = 7777
"""A port that nobody has."""


class Received(NamedTuple):
    request: Request
    messages: list[tuple[int, int, bytes]]
    source: tuple[str, int]
    length: int


def receive(Socket: WSK_SOCKET) -> Received:
    length, ControlInfo, source = [256], bytearray(256), SOCKADDR_STORAGE()
    arguments = (simple.buffer(bytearray(100)), 0, source, length, ControlInfo, None)
    request = start(Socket.Dispatch.WskReceiveFrom, Socket, *arguments)
    if not request.is_done:
        return Received(request, [], ("", 0), 0)
    return Received(request, messages_in(ControlInfo, length[0]), simple.host_and_port(source), request.information)


def datagram(lab: Lab, names: Names, *options: int, **more: Any) -> WSK_SOCKET:
    Socket = lab.datagram(lab.near, 9000, names.wildcard, AddressFamily=names.family, **more)
    for option in options:
        ok(simple.set_option(Socket, names.level, option, 1))
    return Socket


def send(Socket: WSK_SOCKET, to: str, port: int) -> None:
    ok(simple.call(Socket.Dispatch.WskSendTo, Socket, simple.buffer(b"x"), 0, simple.address(to, port), 0, None))


def unreachable(names: Names) -> bytes:
    return bytes(IN_RECVERR(IPPROTO_ICMP, 0, 3, 3) if names is V4 else IN_RECVERR(IPPROTO_ICMPV6, 0, 1, 4))


def test_structures_have_the_layout_of_c() -> None:
    assert (sizeof(IN_RECVERR), sizeof(IN_PKTINFO_EX), sizeof(IN6_PKTINFO_EX)) == (12, 12, 24)
    assert bytes(IN_RECVERR(58, 1280, 2, 1)) == bytes.fromhex("3a000000 00050000 0201 0000")
    assert bytes(IN_PKTINFO_EX(IN_PKTINFO(A(NEAR), 2), 3)) == bytes.fromhex("c0000201 02000000 03000000")
    for structure in (IN_RECVERR(1, 2, 3, 4), IN_PKTINFO_EX(IN_PKTINFO(A(NEAR), 2), 3),
                      IN6_PKTINFO_EX(IN6_PKTINFO(A(NEAR6), 2), 3)):  # fmt: skip
        assert bytes(type(structure).cast(bytes(structure))) == bytes(structure)


# Errors


@families
def test_an_error_is_received_like_a_datagram_from_whom_it_is_about(lab: Lab, names: Names) -> None:
    Socket = datagram(lab, names, RECVERR[names])
    assert ok(simple.get_option(Socket, names.level, RECVERR[names])) == 1
    send(Socket, names.far, NOBODY)
    lab.run()
    got = receive(Socket)

    assert (got.request.completions, got.source) == ([(STATUS_SUCCESS, 0)], (names.far, NOBODY))
    assert got.messages == [(names.level, RECVERR[names], unreachable(names))]
    assert receive(Socket).request.returned == STATUS_PENDING  # it is not told again as a status


@families
def test_without_the_option_it_is_a_status(lab: Lab, names: Names) -> None:
    Socket = datagram(lab, names, RECVERR[names])
    ok(simple.set_option(Socket, names.level, RECVERR[names], 0))
    send(Socket, names.far, NOBODY)
    lab.run()

    assert receive(Socket).request.status == STATUS_PORT_UNREACHABLE


@families
def test_a_receive_that_waits_gets_it(lab: Lab, names: Names) -> None:
    Socket = datagram(lab, names, RECVERR[names])
    length, ControlInfo = [64], bytearray(64)
    arguments = (simple.buffer(bytearray(9)), 0, None, length, ControlInfo, None)
    request = start(Socket.Dispatch.WskReceiveFrom, Socket, *arguments)
    send(Socket, names.far, NOBODY)
    lab.run()

    assert request.completions == [(STATUS_SUCCESS, 0)]
    assert messages_in(ControlInfo, length[0]) == [(names.level, RECVERR[names], unreachable(names))]


@families
def test_the_event_gets_it_between_datagrams(lab: Lab, names: Names) -> None:
    seen = []

    def receive_from_event(SocketContext: Any, Flags: int, element: Any) -> int:
        while element is not None:
            seen.append((element.Buffer.Length, messages_in(element.ControlInfo, element.ControlInfoLength)))
            element = element.Next
        return STATUS_SUCCESS

    Socket = datagram(lab, names, RECVERR[names], Dispatch=WSK_CLIENT_DATAGRAM_DISPATCH(receive_from_event))
    far = lab.datagram(lab.far, PORT, names.wildcard, AddressFamily=names.family)
    for step in ("data", "error", "data"):
        if step == "data":
            send(far, names.near, 9000)
        else:
            send(Socket, names.far, NOBODY)
        lab.run()
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)

    assert seen == [(1, []), (0, [(names.level, RECVERR[names], unreachable(names))]), (1, [])]


@families
def test_a_report_has_no_fields_of_a_header(lab: Lab, names: Names) -> None:
    """The socket's own address and where it is, but neither hop limit nor traffic class."""
    more = (IP_PKTINFO, IP_HOPLIMIT, IP_RECVTOS, IP_ECN) if names is V4 else (
        IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_RECVTCLASS, IPV6_ECN)  # fmt: skip
    Socket = datagram(lab, names, RECVERR[names], *more)
    send(Socket, names.far, NOBODY)
    lab.run()
    info = (IN_PKTINFO if names is V4 else IN6_PKTINFO)(A(names.near), lab.near_interface.index)

    assert receive(Socket).messages == [
        (names.level, more[0], bytes(info)),
        (names.level, RECVERR[names], unreachable(names)),
    ]


@families
def test_a_packet_too_big_tells_the_mtu_to_sockets_without_a_peer_too(lab: Lab, names: Names) -> None:
    Socket = datagram(lab, names, RECVERR[names])
    tell_too_big(lab, names, 9000, PORT, 1300)
    report = IN_RECVERR(IPPROTO_ICMP, 1300, 3, 4) if names is V4 else IN_RECVERR(IPPROTO_ICMPV6, 1300, 2, 0)

    assert receive(Socket).messages == [(names.level, RECVERR[names], bytes(report))]


ERRORS4 = [(3, code) for code in range(16)] + [(11, 0), (11, 1), (12, 0), (4, 0)]
ERRORS6 = [(1, code) for code in range(8)] + [(3, 0), (3, 1), (4, 0), (4, 1), (4, 2), (100, 0)]


@pytest.mark.parametrize(
    ("names", "kind", "code"), [(V4, *error) for error in ERRORS4] + [(V6, *error) for error in ERRORS6]
)
def test_every_kind_of_error_makes_a_report(lab: Lab, names: Names, kind: int, code: int) -> None:
    """Type and code are the router's where they are told apart at all."""
    Socket = datagram(lab, names, RECVERR[names])
    quoted = UDP(sport=9000, dport=PORT, len=9, chksum=1) / b"x"
    if names is V4:
        inject(lab, IP(src=FAR, dst=NEAR) / ICMP(type=kind, code=code) / IP(src=NEAR, dst=FAR, len=29) / quoted)
    else:
        about = IPv6(src=NEAR6, dst=FAR6, plen=9) / quoted
        message = {1: ICMPv6DestUnreach, 3: ICMPv6TimeExceeded, 4: ICMPv6ParamProblem}.get(kind, ICMPv6DestUnreach)
        inject(lab, IPv6(src=FAR6, dst=NEAR6) / message(type=kind, code=code) / about)
    got = receive(Socket)
    if not got.request.is_done:
        assert (names, kind) == (V4, 4)  # source quench: RFC 6633 has it ignored
        return
    [(_, _, data)] = got.messages
    report = IN_RECVERR.cast(data)

    assert report.protocol == (IPPROTO_ICMP if names is V4 else IPPROTO_ICMPV6)
    exact = {V4: [(3, 0), (3, 1), (3, 2), (3, 3), (3, 13), (11, 0), (11, 1), (12, 0)],
             V6: [(1, 0), (1, 1), (1, 3), (1, 4), (3, 0), (3, 1), (4, 0), (4, 1)]}[names]  # fmt: skip
    if (kind, code) in exact:
        assert (report.type, report.code) == (kind, code)
    else:
        assert report.type in (kind, 0)


def test_a_dual_stack_socket_asks_for_each_family(lab: Lab) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET, AddressFamily=AF_INET6)
    ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    ok(simple.set_option(Socket, IPPROTO_IP, IP_RECVERR, 1))
    ok(simple.bind(Socket, simple.address("::", 9000)))
    send(Socket, FAR6, NOBODY)
    lab.run()
    assert receive(Socket).request.status == STATUS_PORT_UNREACHABLE
    send(Socket, f"::ffff:{FAR}", NOBODY)
    lab.run()
    got = receive(Socket)

    assert got.messages == [(IPPROTO_IP, IP_RECVERR, unreachable(V4))]
    assert got.source == (f"::ffff:{FAR}", NOBODY)


# The longer packet information


@families
def test_packet_information_with_its_scope(lab: Lab, names: Names) -> None:
    option = IP_PKTINFO_EX if names is V4 else IPV6_PKTINFO_EX
    Socket = datagram(lab, names, option, IP_ORIGINAL_ARRIVAL_IF)
    far = lab.datagram(lab.far, PORT, names.wildcard, AddressFamily=names.family)
    send(far, names.near, 9000)
    lab.run()
    index = lab.near_interface.index
    info: Any = IN_PKTINFO_EX(IN_PKTINFO(A(NEAR), index)) if names is V4 else IN6_PKTINFO_EX(
        IN6_PKTINFO(A(NEAR6), index))  # fmt: skip

    assert receive(Socket).messages == [
        (names.level, IP_ORIGINAL_ARRIVAL_IF, index.to_bytes(4, "little")),
        (names.level, option, bytes(info)),
    ]


def test_the_scope_of_a_link_local_address_is_its_interface(lab: Lab) -> None:
    Socket = datagram(lab, V6, IPV6_PKTINFO_EX)
    far = lab.datagram(lab.far, PORT, "::", AddressFamily=AF_INET6)
    ours = "fe80::77"
    lab.near_interface.add_address(f"{ours}/64")
    lab.far_interface.add_address("fe80::88/64")
    lab.run(2)
    to = SOCKADDR_IN6(sin6_port=htons(9000), sin6_addr=A(ours), sin6_scope_id=lab.far_interface.index)
    ok(simple.call(far.Dispatch.WskSendTo, far, simple.buffer(b"x"), 0, to, 0, None))
    lab.run()
    index = lab.near_interface.index

    assert receive(Socket).messages == [
        (IPPROTO_IPV6, IPV6_PKTINFO_EX, bytes(IN6_PKTINFO_EX(IN6_PKTINFO(A(ours), index), index)))
    ]


@families
def test_what_was_received_can_be_given_back_to_answer(lab: Lab, names: Names) -> None:
    """From the address that was dialled, as with the shorter one."""
    second = "192.0.2.33" if names is V4 else "2001:db8::33"
    lab.near_interface.add_address(f"{second}/{24 if names is V4 else 64}")
    Socket = datagram(lab, names, IP_PKTINFO_EX if names is V4 else IPV6_PKTINFO_EX)
    far = lab.datagram(lab.far, PORT, names.wildcard, AddressFamily=names.family)
    send(far, second, 9000)
    lab.run()
    length, ControlInfo = [64], bytearray(64)
    start(Socket.Dispatch.WskReceiveFrom, Socket, simple.buffer(bytearray(9)), 0, None, length, ControlInfo, None)
    to = simple.address(names.far, PORT)
    ok(simple.call(Socket.Dispatch.WskSendTo, Socket, simple.buffer(b"y"), 0, to, length[0], ControlInfo))

    Status, got = simple.receive_from(far, seconds=0.5)
    assert Status != STATUS_CANCELLED
    assert simple.host_and_port(got[1])[0] == second


def test_the_scope_is_the_interface_where_that_is_not_told(lab: Lab) -> None:
    Socket = datagram(lab, V4)
    to = simple.address(FAR, PORT)
    for info, expected in (((0, 1), STATUS_NETWORK_UNREACHABLE), ((0, 2), STATUS_SUCCESS), ((2, 1), STATUS_SUCCESS)):
        data = bytes(IN_PKTINFO_EX(IN_PKTINFO(bytes(4), info[0]), info[1]))
        Control = bytes(CMSGHDR(WSA_CMSG_LEN(12), IPPROTO_IP, IP_PKTINFO_EX)) + data.ljust(16, b"\0")
        arguments = (Socket.Dispatch.WskSendTo, Socket, simple.buffer(b"y"), 0, to, len(Control), Control)
        assert start(*arguments).status == expected
