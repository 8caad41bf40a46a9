"""Control information of a datagram that is sent: its source and interface (wsk.md 4.14, 5.5; BIND-4, BIND-5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_categories import D
from tests.support.wsk_control_info import V4, Message, Names, control, dual, families, number, receive, send, sockets
from tests.support.wsk_lab import BROADCAST, FAR, FAR6, NEAR, Lab, ok, start
from wsknet.text import parse_address as A
from wsknet.wsk import (
    AF_INET6,
    CMSGHDR,
    IN6_PKTINFO,
    IN_PKTINFO,
    IP_ECN,
    IP_PKTINFO,
    IP_RECVERR,
    IP_TOS,
    IP_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_UDP,
    IPV6_PKTINFO,
    IPV6_V6ONLY,
    SOCKADDR_STORAGE,
    STATUS_CANCELLED,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_PARAMETER,
    STATUS_NETWORK_UNREACHABLE,
    STATUS_NOT_SUPPORTED,
    STATUS_SUCCESS,
    UDP_SEND_MSG_SIZE,
    WSK_BUF_LIST,
    simple,
)


@pytest.mark.rule("BIND-5", "BIND-4.5")
@families
def test_an_answer_comes_from_the_address_that_was_dialled(lab: Lab, names: Names) -> None:
    near, far = sockets(lab, names)
    ok(simple.set_option(far, names.level, names.packet_info, 1))
    for to in (names.far, names.second):
        send(near, to)
        lab.run()
        length, ControlInfo, source = [64], bytearray(64), SOCKADDR_STORAGE()
        start(far.Dispatch.WskReceiveFrom, far, simple.buffer(bytearray(9)), 0, source, length, ControlInfo, None)
        back = bytearray(bytes(source)[: 16 if names is V4 else 28])
        answer = (simple.buffer(b"answer"), 0, back, length[0], ControlInfo)
        assert start(far.Dispatch.WskSendTo, far, *answer).status == STATUS_SUCCESS
        lab.run()
        assert receive(near).source == to


@pytest.mark.rule("BIND-5", "R-264")
@families
@pytest.mark.parametrize("kind", ["memory", "header", "list"])
def test_the_source_may_be_given_in_several_ways(lab: Lab, names: Names, kind: str) -> None:
    near, far = sockets(lab, names)
    octets = control((names.level, names.packet_info, bytes(names.info(A(names.second), 0))))
    ControlInfo: Any = CMSGHDR.cast(bytearray(8) + octets, 8) if kind == "header" else octets
    port = simple.host_and_port(ok(simple.local_address(near)))[1]
    to = simple.address(names.near, port)
    if kind == "list":
        messages = WSK_BUF_LIST(WSK_BUF_LIST(None, simple.buffer(b"data")), simple.buffer(b"data"))
        arguments: tuple[Any, ...] = (far.Dispatch.WskSendMessages, far, messages, 0, to, len(octets), ControlInfo)
    else:
        arguments = (far.Dispatch.WskSendTo, far, simple.buffer(b"data"), 0, to, len(octets), ControlInfo)
    assert start(*arguments).status == STATUS_SUCCESS
    lab.run()

    assert [receive(near).source for _ in range(1 + (kind == "list"))] == [names.second] * (1 + (kind == "list"))


@pytest.mark.rule("BIND-5")
@pytest.mark.parametrize("to", [f"::ffff:{FAR}", FAR6])
def test_a_dual_stack_socket_gives_the_source_by_the_structure_of_the_destination(lab: Lab, to: str) -> None:
    lab.near_interface.add_address("192.0.2.33/24")
    lab.near_interface.add_address("2001:db8::33/64")
    near = lab.socket(lab.near, D, AddressFamily=AF_INET6)
    ok(simple.set_option(near, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    ok(simple.bind(near, simple.address("::", 0)))
    far = dual(lab)
    both = control(
        (IPPROTO_IP, IP_PKTINFO, bytes(IN_PKTINFO(A("192.0.2.33"), 0))),
        (IPPROTO_IPV6, IPV6_PKTINFO, bytes(IN6_PKTINFO(A("2001:db8::33"), 0))),
    )
    assert send(near, to, both).status == STATUS_SUCCESS
    lab.run()

    assert receive(far).source == ("::ffff:192.0.2.33" if "." in to else "2001:db8::33")


def info(address: str = "0.0.0.0", index: int = 0) -> Message:
    return (IPPROTO_IP, IP_PKTINFO, bytes(IN_PKTINFO(A(address), index)))


@pytest.mark.rule("BIND-4.5")
@pytest.mark.parametrize(
    ("messages", "Status"),
    [
        ([info()], STATUS_SUCCESS),
        ([info(NEAR, 2)], STATUS_SUCCESS),
        ([info(FAR)], STATUS_INVALID_ADDRESS_COMPONENT),
        ([info(BROADCAST)], STATUS_INVALID_ADDRESS_COMPONENT),
        ([info("127.0.0.1")], STATUS_NETWORK_UNREACHABLE),
        ([info(index=1)], STATUS_NETWORK_UNREACHABLE),
        ([info(index=0xFFFFFFFF)], STATUS_NETWORK_UNREACHABLE),
        ([(IPPROTO_IP, IP_PKTINFO, bytes(7))], STATUS_INVALID_PARAMETER),
        ([(IPPROTO_IP, IP_PKTINFO, bytes(20))], STATUS_INVALID_PARAMETER),
        ([(IPPROTO_IP, IP_TOS, number(0xFF))], STATUS_SUCCESS),
        ([(IPPROTO_IP, IP_TOS, number(0x100))], STATUS_INVALID_PARAMETER),
        ([(IPPROTO_IP, IP_TOS, b"\1")], STATUS_INVALID_PARAMETER),
        ([(IPPROTO_IP, IP_ECN, number(3))], STATUS_SUCCESS),
        ([(IPPROTO_IP, IP_ECN, number(4))], STATUS_INVALID_PARAMETER),
        ([(IPPROTO_UDP, UDP_SEND_MSG_SIZE, number(512))], STATUS_SUCCESS),
        ([(IPPROTO_UDP, UDP_SEND_MSG_SIZE, b"\1")], STATUS_INVALID_PARAMETER),
        ([(IPPROTO_IP, IP_TTL, number(9))], STATUS_NOT_SUPPORTED),
        ([(IPPROTO_IP, IP_RECVERR, bytes(12))], STATUS_NOT_SUPPORTED),
        ([info(NEAR), (IPPROTO_IP, 99, b"")], STATUS_NOT_SUPPORTED),
        ([(IPPROTO_IP, 99, b"")], STATUS_NOT_SUPPORTED),
    ],
)
def test_what_a_datagram_can_be_sent_with(lab: Lab, messages: list[Message], Status: int) -> None:
    near, far = sockets(lab, V4)
    assert send(near, FAR, control(*messages)).completions == [(Status, 4 if Status == STATUS_SUCCESS else 0)]
    lab.run()

    assert simple.receive_from(far, seconds=0.1)[0] == (
        STATUS_SUCCESS if Status == STATUS_SUCCESS else STATUS_CANCELLED
    )


@pytest.mark.rule("R-263")
@pytest.mark.parametrize(
    ("ControlInfo", "length"),
    [
        (bytes(15), 15),
        (bytes(16), 16),
        (control(info()), 100),
        (control(info()), 23),
        (control(info()) + bytes(16), None),
        (bytes(CMSGHDR(15, 0, 19)) + bytes(8), None),
        (bytes(CMSGHDR(1 << 63, 0, 19)) + bytes(8), None),
        (control(info()), 0),
        ("text", 4),
        (7, 4),
        (None, 24),
    ],
)
def test_memory_that_is_no_row_of_messages_is_refused(lab: Lab, ControlInfo: Any, length: int | None) -> None:
    near, _ = sockets(lab, V4)

    assert send(near, FAR, ControlInfo, length).completions == [(STATUS_INVALID_PARAMETER, 0)]
    assert send(near, FAR).status == STATUS_SUCCESS


@pytest.mark.rule("BIND-4.5")
@families
def test_a_datagram_can_have_an_interface_of_its_own(lab: Lab, names: Names) -> None:
    near2, far2 = ("198.51.100.1", "198.51.100.2") if names is V4 else ("2001:db8:2::1", "2001:db8:2::2")
    length = 24 if names is V4 else 64
    cards = lab.near.interface("eth1", f"{near2}/{length}"), lab.far.interface("eth1", f"{far2}/{length}")
    lab.network.link(*cards)
    near, far = sockets(lab, names)
    nothing = bytes(len(A(names.near)))
    through = [control((names.level, names.packet_info, bytes(names.info(nothing, index)))) for index in (2, 3)]
    assert send(near, far2, through[1]).status == STATUS_SUCCESS
    lab.run()
    assert receive(far).source == near2

    assert send(near, far2, through[0]).status == STATUS_NETWORK_UNREACHABLE
    assert send(near, names.far, through[1]).status == STATUS_NETWORK_UNREACHABLE
    assert send(near, names.far, through[0]).status == STATUS_SUCCESS
