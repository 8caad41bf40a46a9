"""Control information of received datagrams, and the options that ask for it (wsk.md 4.15, 4.16, 5.5; BIND-4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_categories import B, C, D, L, S
from tests.support.wsk_control_info import (
    V4,
    V6,
    Message,
    Names,
    control,
    dual,
    families,
    messages_in,
    number,
    receive,
    send,
    sockets,
)
from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, PORT, Lab, ok, start
from wsknet.text import parse_address as A
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    CMSGHDR,
    IN_PKTINFO,
    IP_ECN,
    IP_HOPLIMIT,
    IP_IFLIST,
    IP_PKTINFO,
    IP_RECEIVE_BROADCAST,
    IP_RECVDSTADDR,
    IP_RECVIF,
    IP_RECVTOS,
    IP_TOS,
    IP_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_ECN,
    IPV6_HOPLIMIT,
    IPV6_IFLIST,
    IPV6_PKTINFO,
    IPV6_RECVDSTADDR,
    IPV6_RECVIF,
    IPV6_RECVTCLASS,
    IPV6_TCLASS,
    MSG_CTRUNC,
    MSG_TRUNC,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    WSA_CMSG_SPACE,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_EVENT_RECEIVE_FROM,
    simple,
)


@pytest.mark.rule("R-290", "BIND-4.5")
@families
def test_packet_info_tells_which_address_was_dialled_and_where(lab: Lab, names: Names) -> None:
    near, far = sockets(lab, names)
    ok(simple.set_option(far, names.level, names.packet_info, 1))
    for to in (names.far, names.second):
        send(near, to)
        lab.run()
        got = receive(far)
        info = names.info(A(to), lab.far_interface.index)
        assert got.messages == [(names.level, names.packet_info, bytes(info))]
        assert (got.request.status, got.data, got.flags) == (STATUS_SUCCESS, b"data", 0)
        assert got.length == WSA_CMSG_SPACE(names.info.SIZE)


@pytest.mark.rule("R-271", "BIND-4.5")
@families
def test_it_is_off_until_it_is_asked_for_and_then_read_back(lab: Lab, names: Names) -> None:
    near, far = sockets(lab, names)
    for is_on in (0, 1, 0):
        if is_on or ok(simple.get_option(far, names.level, names.packet_info)):
            ok(simple.set_option(far, names.level, names.packet_info, is_on * 77))
        assert ok(simple.get_option(far, names.level, names.packet_info)) == is_on
        send(near, names.far)
        lab.run()
        assert len(receive(far).messages) == is_on


IPV4_OPTIONS = [
    (IPPROTO_IP, IP_HOPLIMIT, IP_TTL, number(128)),
    (IPPROTO_IP, IP_RECVIF, IP_RECVIF, number(2)),
    (IPPROTO_IP, IP_RECVDSTADDR, IP_RECVDSTADDR, A(FAR)),
    (IPPROTO_IP, IP_RECVTOS, IP_TOS, number(0xB9)),
    (IPPROTO_IP, IP_ECN, IP_ECN, number(1)),
]
IPV6_OPTIONS = [
    (IPPROTO_IPV6, IPV6_HOPLIMIT, IPV6_HOPLIMIT, number(128)),
    (IPPROTO_IPV6, IPV6_RECVIF, IPV6_RECVIF, number(2)),
    (IPPROTO_IPV6, IPV6_RECVDSTADDR, IPV6_RECVDSTADDR, A(FAR6)),
    (IPPROTO_IPV6, IPV6_RECVTCLASS, IPV6_TCLASS, number(0xB9)),
    (IPPROTO_IPV6, IPV6_ECN, IPV6_ECN, number(1)),
]


@pytest.mark.rule("BIND-4.6")
@pytest.mark.parametrize(("level", "option", "kind", "data"), IPV4_OPTIONS + IPV6_OPTIONS)
def test_each_option_asks_for_a_message_of_its_own(lab: Lab, level: int, option: int, kind: int, data: bytes) -> None:
    names = V4 if level == IPPROTO_IP else V6
    near, far = sockets(lab, names)
    ok(simple.set_option(far, level, option, 1))
    send(near, names.far, control((level, IP_TOS if names is V4 else IPV6_TCLASS, number(0xB9))))
    lab.run()

    assert receive(far).messages == [(level, kind, data)]


@families
def test_several_messages_stand_in_a_row(lab: Lab, names: Names) -> None:
    near, far = sockets(lab, names)
    rows = IPV4_OPTIONS if names is V4 else IPV6_OPTIONS
    for level, option, *_ in rows:
        ok(simple.set_option(far, level, option, 1))
    send(near, names.far)
    lab.run()
    got = receive(far)

    assert [kind for _, kind, _ in got.messages] == [kind for _, _, kind, _ in rows]
    assert got.length == sum(WSA_CMSG_SPACE(len(data)) for *_, data in rows)


@pytest.mark.rule("R-268", "BIND-4.5")
@families
@pytest.mark.parametrize("room", [0, 15, 23, 24])
def test_what_does_not_fit_is_left_out_and_the_data_is_kept(lab: Lab, names: Names, room: int) -> None:
    near, far = sockets(lab, names)
    ok(simple.set_option(far, names.level, names.packet_info, 1))
    ok(simple.set_option(far, names.level, IP_RECVIF if names is V4 else IPV6_RECVIF, 1))
    send(near, names.far)
    lab.run()
    got = receive(far, room)

    fits = room >= WSA_CMSG_SPACE(names.info.SIZE)
    assert (got.request.status, got.data, got.flags) == (STATUS_SUCCESS, b"data", MSG_CTRUNC)
    assert got.length == (WSA_CMSG_SPACE(names.info.SIZE) if fits else 0)
    assert len(got.messages) == fits


@pytest.mark.rule("R-268")
def test_data_and_control_information_can_both_be_cut_off(lab: Lab) -> None:
    near, far = sockets(lab, V4)
    ok(simple.set_option(far, IPPROTO_IP, IP_PKTINFO, 1))
    send(near, FAR)
    lab.run()
    got = receive(far, 4, 2)

    assert (got.data, got.flags) == (b"da", MSG_CTRUNC | MSG_TRUNC)


@pytest.mark.rule("R-268", "R-272", "D-22")
@pytest.mark.parametrize(
    ("ControlLength", "ControlInfo", "flag", "expected"),
    [
        (None, bytearray(64), 0, None),
        (None, None, 0, None),
        ([64], None, MSG_CTRUNC, [0]),
        ([64], bytearray(8), MSG_CTRUNC, [0]),
        ([64], bytes(64), MSG_CTRUNC, [0]),
        ([64], memoryview(bytearray(64)), 0, [24]),
        ([64], CMSGHDR.cast(bytearray(80), 16), 0, [24]),
        ([64], CMSGHDR.cast(bytearray(40), 24), MSG_CTRUNC, [0]),
    ],
)
def test_the_memory_for_it_is_what_there_is(
    lab: Lab, ControlLength: list[int] | None, ControlInfo: Any, flag: int, expected: list[int] | None
) -> None:
    ControlLength = None if ControlLength is None else list(ControlLength)
    near, far = sockets(lab, V4)
    ok(simple.set_option(far, IPPROTO_IP, IP_PKTINFO, 1))
    send(near, FAR)
    lab.run()
    flags = [99]
    arguments = (simple.buffer(bytearray(9)), 0, None, ControlLength, ControlInfo, flags)
    request = start(far.Dispatch.WskReceiveFrom, far, *arguments)

    assert (request.status, request.information) == (STATUS_SUCCESS, 4)
    assert (ControlLength, flags) == (expected, [flag])


@pytest.mark.rule("R-274", "R-290")
def test_a_receive_that_waited_gets_it_too(lab: Lab) -> None:
    near, far = sockets(lab, V4)
    ok(simple.set_option(far, IPPROTO_IP, IP_PKTINFO, 1))
    length, ControlInfo = [64], bytearray(64)
    arguments = (simple.buffer(bytearray(9)), 0, None, length, ControlInfo, None)
    request = start(far.Dispatch.WskReceiveFrom, far, *arguments)
    send(near, FAR)
    lab.run()

    assert request.status == STATUS_SUCCESS
    assert messages_in(ControlInfo, length[0]) == [(IPPROTO_IP, IP_PKTINFO, bytes(IN_PKTINFO(A(FAR), 2)))]


@pytest.mark.rule("R-277", "R-290")
@families
def test_indications_carry_it(lab: Lab, names: Names) -> None:
    seen: list[tuple[Any, list[Message], int]] = []

    def receive_from_event(SocketContext: Any, Flags: int, element: Any) -> int:
        while element is not None:
            found = messages_in(element.ControlInfo, element.ControlInfoLength)
            seen.append((element.ControlInfo, found, element.ControlInfoLength))
            element = element.Next
        return STATUS_SUCCESS

    dispatch = WSK_CLIENT_DATAGRAM_DISPATCH(receive_from_event)
    near = lab.datagram(lab.near, 0, names.wildcard, AddressFamily=names.family)
    far = lab.datagram(lab.far, PORT, names.wildcard, AddressFamily=names.family, Dispatch=dispatch)
    assert simple.control_events(far, WSK_EVENT_RECEIVE_FROM) == STATUS_SUCCESS
    for is_on in (1, 0):
        ok(simple.set_option(far, names.level, names.packet_info, is_on))
        send(near, names.far)
        lab.run()
    (header, found, length), nothing = seen

    assert isinstance(header, CMSGHDR)
    assert found == [(names.level, names.packet_info, bytes(names.info(A(names.far), lab.far_interface.index)))]
    assert length == WSA_CMSG_SPACE(names.info.SIZE)
    assert nothing == (None, [], 0)


# Dual stack


@pytest.mark.rule("BIND-5", "BIND-4.5")
@pytest.mark.parametrize("has_ipv4", [False, True])
@pytest.mark.parametrize("has_ipv6", [False, True])
def test_a_dual_stack_socket_needs_the_options_of_both_levels(lab: Lab, has_ipv4: bool, has_ipv6: bool) -> None:
    options = [(IPPROTO_IP, IP_PKTINFO)] * has_ipv4 + [(IPPROTO_IPV6, IPV6_PKTINFO)] * has_ipv6
    far = dual(lab, *options)
    index = lab.far_interface.index
    for names, is_on in ((V4, has_ipv4), (V6, has_ipv6)):
        send(lab.datagram(lab.near, 0, names.wildcard, AddressFamily=names.family), names.far)
        lab.run()
        got = receive(far)
        info = bytes(names.info(A(names.far), index))
        assert got.messages == ([(names.level, names.packet_info, info)] if is_on else [])
        assert got.source == (f"::ffff:{NEAR}" if names is V4 else NEAR6)


@pytest.mark.parametrize("Flags", [L, C, D, S, B])
@pytest.mark.parametrize("family", [AF_INET, AF_INET6])
@pytest.mark.parametrize(
    ("level", "option"),
    [
        (IPPROTO_IP, IP_PKTINFO),
        (IPPROTO_IP, IP_RECVIF),
        (IPPROTO_IP, IP_IFLIST),
        (IPPROTO_IP, IP_RECEIVE_BROADCAST),
        (IPPROTO_IPV6, IPV6_PKTINFO),
        (IPPROTO_IPV6, IPV6_RECVIF),
        (IPPROTO_IPV6, IPV6_IFLIST),
    ],
)
def test_datagram_sockets_of_the_level_have_these_options(
    lab: Lab, Flags: int, family: int, level: int, option: int
) -> None:
    Socket = lab.socket(lab.near, Flags, AddressFamily=family)
    is_there = Flags == D and (level == IPPROTO_IP) == (family == AF_INET)
    expected = STATUS_SUCCESS if is_there else STATUS_INVALID_PARAMETER

    assert simple.set_option(Socket, level, option, 1)[0] == expected
    assert simple.get_option(Socket, level, option)[0] == expected
