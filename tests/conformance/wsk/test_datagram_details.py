"""Fine points of datagram sockets: what their out parameters hold, lists of messages, and their end by force."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_datagrams import TO_FAR
from tests.support.wsk_lab import FAR, NEAR, PORT, Lab, Request, ok, start
from tests.support.wsk_notifications import await_addresses
from tests.support.wsk_packets import V4, V6, Names, sent, traffic_class
from wsknet.wsk import (
    AF_INET6,
    CMSGHDR,
    IP_PKTINFO,
    IP_TOS,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_TCLASS,
    IPV6_V6ONLY,
    MSG_CTRUNC,
    MSG_TRUNC,
    SIO_WSK_SET_REMOTE_ADDRESS,
    SIO_WSK_SET_SENDTO_ADDRESS,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    WSA_CMSG_LEN,
    WSK_BUF_LIST,
    WSK_DATAGRAM_INDICATION,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    BugCheck,
    WskIoctl,
    faults_of,
    simple,
    verify,
)

families = pytest.mark.parametrize("names", [V4, V6], ids=["IPv4", "IPv6"])
INFO = 24
"""Bytes of a message with an in_pktinfo: header, address and interface."""


def receive(Socket: Any, *out: Any, size: int = 4) -> Request:
    """`out`: RemoteAddress, ControlLength, ControlInfo and ControlFlags."""
    return start(Socket.Dispatch.WskReceiveFrom, Socket, simple.buffer(bytearray(size)), 0, *out)


def fix(Socket: Any, code: int, host: str, port: int = PORT) -> Request:
    address = simple.address(host, port)
    arguments = (WskIoctl, code, 0, address.SIZE, address, 0, None, None)
    return start(Socket.Dispatch.WskControlSocket, Socket, *arguments)


# Receiving


@pytest.mark.parametrize("size", [4, 2])
@pytest.mark.parametrize("room", [INFO, INFO - 1, 200])
def test_flags_tell_whether_data_and_messages_have_fitted(lab: Lab, size: int, room: int) -> None:
    near, far = lab.datagram(lab.near), lab.datagram(lab.far, PORT)
    ok(simple.set_option(far, IPPROTO_IP, IP_PKTINFO, 1))
    ok(simple.send_to(near, b"data", TO_FAR))
    lab.run()
    length, flags, ControlInfo = [room], [0], bytearray(room)
    request = receive(far, None, length, ControlInfo, flags, size=size)

    assert request.information == size
    assert flags == [(MSG_TRUNC if size < 4 else 0) | (MSG_CTRUNC if room < INFO else 0)]
    if room >= INFO:
        head = bytes(CMSGHDR(WSA_CMSG_LEN(8), IPPROTO_IP, IP_PKTINFO))
        assert length == [INFO]
        assert ControlInfo[:20] == head + bytes([192, 0, 2, 2])


@pytest.mark.parametrize(
    ("out", "rule"),
    [
        ((bytearray(15), None, None, None), "R-352"),
        ((None, [], None, None), "D-19"),
        ((None, None, None, ["no number"]), "D-19"),
    ],
)
def test_out_parameters_that_hold_nothing_are_found_at_the_call(lab: Lab, out: tuple[Any, ...], rule: str) -> None:
    Socket = lab.datagram(lab.near)
    with pytest.raises(BugCheck) as stop:
        receive(Socket, *out)

    assert stop.value.rule == rule


@pytest.mark.rule("D-05")
def test_nothing_of_a_receive_is_left_in_its_irp(lab: Lab) -> None:
    """Information of the WskConnect that is made with it next is 0, as of every other."""
    lab.listener()
    near, far = lab.datagram(lab.near, 9000), lab.datagram(lab.far)
    ok(simple.send_to(far, b"data", simple.address(NEAR, 9000)))
    lab.run()
    request = receive(near, None, None, None, None)
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    request.start(Socket.Dispatch.WskConnect, Socket, TO_FAR, 0)
    lab.run()

    assert request.completions == [(STATUS_SUCCESS, 4), (STATUS_SUCCESS, 0)]


# Sending


@families
@pytest.mark.rule("R-264", "BIND-4.6")
def test_the_control_messages_of_a_list_are_those_of_each(lab: Lab, names: Names) -> None:
    near = lab.datagram(lab.near, 9000, names.wildcard, AddressFamily=names.family)
    kind = IP_TOS if names is V4 else IPV6_TCLASS
    ControlInfo = bytes(CMSGHDR(WSA_CMSG_LEN(4), names.level, kind)) + (0x20).to_bytes(4, "little") + bytes(4)
    messages = WSK_BUF_LIST(WSK_BUF_LIST(None, simple.buffer(b"second")), simple.buffer(b"one"))
    to = simple.address(names.far, PORT)
    request = start(near.Dispatch.WskSendMessages, near, messages, 0, to, len(ControlInfo), ControlInfo)
    lab.run()

    assert request.completions == [(STATUS_SUCCESS, 9)]
    assert [traffic_class(packet) for packet in sent(lab.near_wire)] == [0x20, 0x20]


@pytest.mark.rule("D-02", "R-263")
@pytest.mark.parametrize(("Flags", "length", "ControlInfo"), [(1, 0, None), (0, 24, None), (0, 0, bytes(24))])
def test_a_list_is_refused_for_what_refuses_one(lab: Lab, Flags: int, length: int, ControlInfo: Any) -> None:
    near = lab.datagram(lab.near)
    messages = WSK_BUF_LIST(None, simple.buffer(b"one"))
    request = start(near.Dispatch.WskSendMessages, near, messages, Flags, TO_FAR, length, ControlInfo)

    assert request.status == STATUS_INVALID_PARAMETER


def test_a_list_of_something_else_is_found_at_the_call(lab: Lab) -> None:
    """It has the members by which it could be taken for one."""
    near = lab.datagram(lab.near)
    with pytest.raises(BugCheck) as stop:
        near.Dispatch.WskSendMessages(
            near, WSK_DATAGRAM_INDICATION(None, simple.buffer(b"one")), 0, TO_FAR, 0, None, Request().Irp
        )

    assert stop.value.rule == "D-19"


# Fixed addresses


@pytest.mark.rule("R-287", "R-288")
@pytest.mark.parametrize("code", [SIO_WSK_SET_REMOTE_ADDRESS, SIO_WSK_SET_SENDTO_ADDRESS])
def test_an_address_that_is_fixed_too_early_names_the_rule(lab: Lab, code: int) -> None:
    verify(lab.near)
    Socket = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET)
    with pytest.raises(BugCheck) as stop:
        fix(Socket, code, FAR)

    assert (stop.value.code, stop.value.rule) == (0xC4, "R-288")


@pytest.mark.parametrize("code", [SIO_WSK_SET_REMOTE_ADDRESS, SIO_WSK_SET_SENDTO_ADDRESS])
@pytest.mark.parametrize("is_dual", [True, False])
def test_an_ipv4_address_is_fixed_where_the_socket_is_dual(lab: Lab, code: int, is_dual: bool) -> None:
    far = lab.datagram(lab.far, PORT)
    near = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET, AddressFamily=AF_INET6)
    ok(simple.set_option(near, IPPROTO_IPV6, IPV6_V6ONLY, int(not is_dual)))
    ok(simple.bind(near, simple.address("::", 0)))
    status = fix(near, code, f"::ffff:{FAR}").status
    assert (status == STATUS_SUCCESS) == is_dual
    if is_dual:
        ok(simple.send_to(near, b"mapped"))
        assert ok(simple.receive_from(far))[0] == b"mapped"


# The end


@pytest.mark.rule("D-23")
@pytest.mark.parametrize("is_bound", [True, False])
def test_a_dead_socket_answers_whoever_waits_for_news(lab: Lab, is_bound: bool) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET)
    if is_bound:
        ok(simple.bind(Socket, simple.address("0.0.0.0", 9000)))
    request = await_addresses(Socket)
    faults_of(lab.near).kill(Socket)

    assert request.completions == [(STATUS_FILE_FORCED_CLOSED, 0)]
    assert lab.datagram(lab.near, 9000) is not None  # the port is free again


@families
def test_a_dead_socket_leaves_its_groups_at_once(lab: Lab, names: Names) -> None:
    Socket = lab.datagram(lab.near, 9000, names.wildcard, AddressFamily=names.family)
    ok(simple.join_group(Socket, "239.1.2.3" if names is V4 else "ff05::1:3"))
    lab.run(30)
    lab.near_wire.frames.clear()
    faults_of(lab.near).kill(Socket)
    lab.run()

    protocol = 2 if names is V4 else None
    assert sent(lab.near_wire, protocol)
