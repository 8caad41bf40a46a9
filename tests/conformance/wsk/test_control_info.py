"""Control information of datagrams, and the options that ask for it (wsk.md 4.14 to 4.16, 5.5; BIND-4)."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.support.wsk_lab import BROADCAST, FAR, FAR6, NEAR, NEAR6, PORT, Lab, Request, ok, start
from wsknet.text import parse_address as A
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    CMSGHDR,
    IN6_PKTINFO,
    IN_ADDR,
    IN_PKTINFO,
    IP_ADD_IFLIST,
    IP_DEL_IFLIST,
    IP_ECN,
    IP_GET_IFLIST,
    IP_HOPLIMIT,
    IP_IFLIST,
    IP_PKTINFO,
    IP_RECEIVE_BROADCAST,
    IP_RECVDSTADDR,
    IP_RECVERR,
    IP_RECVIF,
    IP_RECVTOS,
    IP_TOS,
    IP_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_UDP,
    IPV6_ADD_IFLIST,
    IPV6_DEL_IFLIST,
    IPV6_ECN,
    IPV6_GET_IFLIST,
    IPV6_HOPLIMIT,
    IPV6_IFLIST,
    IPV6_PKTINFO,
    IPV6_RECVDSTADDR,
    IPV6_RECVIF,
    IPV6_RECVTCLASS,
    IPV6_TCLASS,
    IPV6_V6ONLY,
    MSG_CTRUNC,
    MSG_TRUNC,
    SIO_UDP_CONNRESET,
    SO_BROADCAST,
    SO_DONTROUTE,
    SOCKADDR_STORAGE,
    SOL_SOCKET,
    STATUS_BUFFER_OVERFLOW,
    STATUS_CANCELLED,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_NETWORK_UNREACHABLE,
    STATUS_NOT_SUPPORTED,
    STATUS_PORT_UNREACHABLE,
    STATUS_SUCCESS,
    UDP_SEND_MSG_SIZE,
    WSA_CMSG_DATA,
    WSA_CMSG_FIRSTHDR,
    WSA_CMSG_LEN,
    WSA_CMSG_NXTHDR,
    WSA_CMSG_SPACE,
    WSABUF,
    WSAMSG,
    WSK_BUF_LIST,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SOCKET,
    WskGetOption,
    WskIoctl,
    simple,
    sizeof,
)

L, C, D, S, B = (
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_FLAG_BASIC_SOCKET,
)


class Names(NamedTuple):
    family: int
    level: int
    wildcard: str
    near: str
    far: str
    second: str
    """Another address of the far host on the same link."""
    packet_info: int
    info: Any
    """The structure of the option."""


V4 = Names(AF_INET, IPPROTO_IP, "0.0.0.0", NEAR, FAR, "192.0.2.77", IP_PKTINFO, IN_PKTINFO)
V6 = Names(AF_INET6, IPPROTO_IPV6, "::", NEAR6, FAR6, "2001:db8::77", IPV6_PKTINFO, IN6_PKTINFO)
families = pytest.mark.parametrize("names", [V4, V6], ids=["IPv4", "IPv6"])

Message = tuple[int, int, bytes]
"""Level, type and data."""


def number(value: int) -> bytes:
    return value.to_bytes(4, "little")


def control(*messages: Message) -> bytes:
    """The memory of these messages."""
    octets = b""
    for level, kind, data in messages:
        head = bytes(CMSGHDR(WSA_CMSG_LEN(len(data)), level, kind))
        octets += (head + data).ljust(WSA_CMSG_SPACE(len(data)), b"\0")
    return octets


def messages_in(ControlInfo: Any, length: int) -> list[Message]:
    found = []
    msg = WSAMSG(Control=WSABUF(length, ControlInfo))
    header = WSA_CMSG_FIRSTHDR(msg)
    while header is not None:
        found.append((header.cmsg_level, header.cmsg_type, bytes(WSA_CMSG_DATA(header))))
        header = WSA_CMSG_NXTHDR(msg, header)
    return found


class Received(NamedTuple):
    request: Request
    data: bytes
    messages: list[Message]
    length: int
    flags: int
    source: str


def receive(Socket: WSK_SOCKET, room: int = 256, size: int = 100) -> Received:
    """WskReceiveFrom of a datagram that waits."""
    memory, source = bytearray(size), SOCKADDR_STORAGE()
    length, flags, ControlInfo = [room], [0], bytearray(room)
    arguments = (simple.buffer(memory), 0, source, length, ControlInfo, flags)
    request = start(Socket.Dispatch.WskReceiveFrom, Socket, *arguments)
    found = messages_in(ControlInfo, length[0])
    sender = simple.host_and_port(source)[0]
    return Received(request, bytes(memory[: request.information]), found, length[0], flags[0], sender)


def send(Socket: WSK_SOCKET, to: str, ControlInfo: Any = None, length: int | None = None) -> Request:
    size = length if length is not None else len(bytes(ControlInfo)) if ControlInfo is not None else 0
    address = simple.address(to, PORT)
    return start(Socket.Dispatch.WskSendTo, Socket, simple.buffer(b"data"), 0, address, size, ControlInfo)


def sockets(lab: Lab, names: Names) -> tuple[WSK_SOCKET, WSK_SOCKET]:
    """One of each host, with two addresses on the far one."""
    lab.far_interface.add_address(f"{names.second}/{24 if names is V4 else 64}")
    near = lab.datagram(lab.near, 0, names.wildcard, AddressFamily=names.family)
    return near, lab.datagram(lab.far, PORT, names.wildcard, AddressFamily=names.family)


def dual(lab: Lab, *options: tuple[int, int]) -> WSK_SOCKET:
    """Of the far host."""
    Socket = lab.socket(lab.far, D, AddressFamily=AF_INET6)
    ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    for level, option in options:
        ok(simple.set_option(Socket, level, option, 1))
    ok(simple.bind(Socket, simple.address("::", PORT)))
    return Socket


# Layout


@pytest.mark.parametrize(
    ("length", "whole", "space"), [(0, 16, 16), (1, 17, 24), (4, 20, 24), (8, 24, 24), (20, 36, 40)]
)
def test_messages_are_laid_out_as_on_x64(length: int, whole: int, space: int) -> None:
    assert (WSA_CMSG_LEN(length), WSA_CMSG_SPACE(length)) == (whole, space)


@pytest.mark.parametrize(
    ("structure", "size", "raw"),
    [
        (CMSGHDR(), 16, "00" * 16),
        (CMSGHDR(36, 41, 19), 16, "2400000000000000 29000000 13000000"),
        (IN_PKTINFO(A(NEAR), 258), 8, "c0000201 02010000"),
        (IN_PKTINFO(IN_ADDR(A(NEAR)), 1), 8, "c0000201 01000000"),
        (IN6_PKTINFO(A(NEAR6), 2), 20, "20010db8000000000000000000000001 02000000"),
    ],
)
def test_structures_have_the_layout_of_c(structure: Any, size: int, raw: str) -> None:
    assert bytes(structure) == bytes.fromhex(raw)
    assert sizeof(structure) == size
    assert bytes(type(structure).cast(bytes(structure))) == bytes(structure)


def test_a_header_is_seen_in_the_memory_that_it_stands_in() -> None:
    memory = bytearray(48)
    header = CMSGHDR.cast(memory, 8)
    header.cmsg_len, header.cmsg_level, header.cmsg_type = WSA_CMSG_LEN(4), IPPROTO_IP, IP_TOS
    WSA_CMSG_DATA(header)[:] = number(7)

    assert memory == bytes(8) + control((IPPROTO_IP, IP_TOS, number(7))) + bytes(16)
    assert messages_in(header, 24) == [(IPPROTO_IP, IP_TOS, number(7))]
    with pytest.raises(ValueError, match="no CMSGHDR at byte 40 of 48"):
        CMSGHDR.cast(memory, 40)


def test_a_message_without_data_may_be_the_last() -> None:
    rows = [(IPPROTO_IP, IP_TOS, number(7)), (IPPROTO_IP, IP_ECN, b"")]
    memory = control(*rows)
    assert messages_in(memory, len(memory)) == rows


def test_the_header_after_null_is_the_first() -> None:
    memory = control((IPPROTO_IP, IP_TOS, number(7)))
    header = WSA_CMSG_NXTHDR(WSAMSG(Control=WSABUF(len(memory), memory)), None)
    assert header is not None
    assert (header.cmsg_level, header.cmsg_type) == (IPPROTO_IP, IP_TOS)


def test_walking_ends_where_a_length_leads_nowhere() -> None:
    for length in (0, 15, 1 << 63, (1 << 64) - 1):
        memory = bytes(CMSGHDR(length, 0, 0)) + control((IPPROTO_IP, IP_TOS, number(7)))
        assert len(messages_in(memory, len(memory))) == 1
    assert messages_in(None, 0) == messages_in(bytes(15), 15) == []


# Receiving


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


# Sending


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


# Options without control information


@pytest.mark.rule("BIND-4.8")
def test_broadcasts_are_received_unless_they_are_blocked(lab: Lab) -> None:
    near, far = sockets(lab, V4)
    ok(simple.set_option(near, SOL_SOCKET, SO_BROADCAST, 1))
    assert ok(simple.get_option(far, IPPROTO_IP, IP_RECEIVE_BROADCAST)) == 1
    for takes_them in (1, 0, 1):
        ok(simple.set_option(far, IPPROTO_IP, IP_RECEIVE_BROADCAST, takes_them))
        assert ok(simple.get_option(far, IPPROTO_IP, IP_RECEIVE_BROADCAST)) == takes_them
        send(near, BROADCAST)
        Status = simple.receive_from(far, seconds=0.5)[0]
        assert Status == (STATUS_SUCCESS if takes_them else STATUS_CANCELLED)


LISTS = [
    (V4, IP_IFLIST, IP_ADD_IFLIST, IP_DEL_IFLIST, IP_GET_IFLIST),
    (V6, IPV6_IFLIST, IPV6_ADD_IFLIST, IPV6_DEL_IFLIST, IPV6_GET_IFLIST),
]
lists = pytest.mark.parametrize(("names", "switch", "add", "delete", "get"), LISTS, ids=["IPv4", "IPv6"])


@pytest.mark.rule("BIND-4.7")
@lists
def test_a_list_of_interfaces_begins_empty_and_then_nothing_is_received(
    lab: Lab, names: Names, switch: int, add: int, delete: int, get: int
) -> None:
    near, far = sockets(lab, names)
    index, level = lab.far_interface.index, names.level

    def is_heard() -> bool:
        send(near, names.far)
        Status: int = simple.receive_from(far, seconds=0.5)[0]
        return Status == STATUS_SUCCESS

    assert ok(simple.get_option(far, level, switch)) == 0
    ok(simple.set_option(far, level, switch, 1))
    assert not is_heard()
    ok(simple.set_option(far, level, add, index))
    assert is_heard()
    ok(simple.set_option(far, level, delete, index))
    assert not is_heard()
    ok(simple.set_option(far, level, switch, 0))
    assert is_heard()


def read_list(Socket: WSK_SOCKET, level: int, get: int, size: int, output: Any) -> tuple[int, Any]:
    [result] = start(
        Socket.Dispatch.WskControlSocket, Socket, WskGetOption, get, level, 0, None, size, output, None
    ).completions  # fmt: skip
    return result


@pytest.mark.rule("BIND-4.7")
@lists
def test_the_list_is_read_while_it_is_on(lab: Lab, names: Names, switch: int, add: int, delete: int, get: int) -> None:
    Socket, level = lab.socket(lab.near, D, AddressFamily=names.family), names.level
    assert read_list(Socket, level, get, 8, bytearray(8))[0] == STATUS_INVALID_DEVICE_STATE
    ok(simple.set_option(Socket, level, switch, 1))
    assert read_list(Socket, level, get, 0, None) == (STATUS_SUCCESS, 0)
    for index in (2, 1, 2):
        ok(simple.set_option(Socket, level, add, index))
    memory, numbers = bytearray(8), [9]
    assert read_list(Socket, level, get, 8, memory) == (STATUS_SUCCESS, 8)
    assert read_list(Socket, level, get, 8, numbers) == (STATUS_SUCCESS, 8)
    assert (bytes(memory), numbers) == (number(2) + number(1), [2, 1])

    assert read_list(Socket, level, get, 4, bytearray(4)) == (STATUS_BUFFER_OVERFLOW, 0)
    assert read_list(Socket, level, get, 8, None) == (STATUS_INVALID_PARAMETER, 0)
    for option, value in ((add, 9), (delete, 9), (add, 0)):
        assert simple.set_option(Socket, level, option, value)[0] == STATUS_INVALID_ADDRESS_COMPONENT
    for option in (add, delete):
        assert simple.get_option(Socket, level, option)[0] == STATUS_NOT_SUPPORTED
    assert simple.set_option(Socket, level, get, 1)[0] == STATUS_NOT_SUPPORTED


@pytest.mark.rule("BIND-4.7")
def test_a_dual_stack_socket_has_a_list_for_each_family(lab: Lab) -> None:
    far = dual(lab, (IPPROTO_IP, IP_IFLIST))
    for names, expected in ((V4, STATUS_CANCELLED), (V6, STATUS_SUCCESS)):
        send(lab.datagram(lab.near, 0, names.wildcard, AddressFamily=names.family), names.far)
        assert simple.receive_from(far, seconds=0.5)[0] == expected


@pytest.mark.rule("BIND-4.9")
@pytest.mark.parametrize("Flags", [L, C, D, S])
def test_the_routing_table_is_used_whatever_is_said(lab: Lab, Flags: int) -> None:
    Socket = lab.bound(lab.near, Flags)
    lab.near.route("0.0.0.0/0", via=FAR)
    ok(simple.set_option(Socket, SOL_SOCKET, SO_DONTROUTE, 5))
    assert ok(simple.get_option(Socket, SOL_SOCKET, SO_DONTROUTE)) == 1
    if Flags == D:
        assert send(Socket, "8.8.8.8").status == STATUS_SUCCESS
        lab.run()
        assert lab.near_wire.udp_payloads() == [b"data"]


def set_connection_reset(Socket: WSK_SOCKET, InputSize: int, Input: Any) -> Request:
    arguments = (WskIoctl, SIO_UDP_CONNRESET, 0, InputSize, Input, 0, None, None)
    return start(Socket.Dispatch.WskControlSocket, Socket, *arguments)


@pytest.mark.rule("BIND-65")
@families
@pytest.mark.parametrize("is_bound", [False, True])
def test_an_unreachable_port_is_not_told_when_that_is_off(lab: Lab, names: Names, is_bound: bool) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=names.family)
    if not is_bound:
        assert set_connection_reset(Socket, 4, bytearray(4)).completions == [(STATUS_SUCCESS, 0)]
    ok(simple.bind(Socket, simple.address(names.wildcard, 0)))
    if is_bound:
        send(Socket, names.far)
        lab.run()
        assert set_connection_reset(Socket, 4, [0]).completions == [(STATUS_SUCCESS, 0)]
    send(Socket, names.far)
    assert simple.receive_from(Socket, seconds=0.5)[0] == STATUS_CANCELLED

    set_connection_reset(Socket, 4, [1])
    send(Socket, names.far)
    lab.run()
    assert simple.receive_from(Socket, seconds=0.5)[0] == STATUS_PORT_UNREACHABLE
    assert simple.receive_from(Socket, seconds=0.5)[0] == STATUS_CANCELLED


def test_it_is_a_boolean_of_datagram_sockets(lab: Lab) -> None:
    for size, Input in ((0, None), (1, b"\0"), (4, None)):
        assert set_connection_reset(lab.socket(lab.near, D), size, Input).status == STATUS_INVALID_PARAMETER
    for Flags in (L, C, S, B):
        assert set_connection_reset(lab.socket(lab.near, Flags), 4, [0]).status == STATUS_INVALID_PARAMETER
