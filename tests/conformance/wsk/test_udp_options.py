"""Options of IPPROTO_UDP: checksums, messages cut on the way out and put together on the way in (wsk.md 5.5)."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import UDP

from tests.support.wsk_control_info import control, messages_in, number
from tests.support.wsk_lab import FAR, PORT, Lab, Request, ok, start
from tests.support.wsk_packets import V4, V6, Names, sent, tell_too_big
from wsknet.wsk import (
    AF_INET6,
    IP_DONTFRAGMENT,
    IP_PKTINFO,
    IP_RECVTOS,
    IP_TOS,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_UDP,
    IPV6_V6ONLY,
    STATUS_DATA_NOT_ACCEPTED,
    STATUS_INVALID_BUFFER_SIZE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_SUCCESS,
    UDP_CHECKSUM_COVERAGE,
    UDP_COALESCED_INFO,
    UDP_NOCHECKSUM,
    UDP_RECV_MAX_COALESCED_SIZE,
    UDP_SEND_MSG_SIZE,
    WSK_BUF_LIST,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SOCKET,
    simple,
)

D = WSK_FLAG_DATAGRAM_SOCKET
families = pytest.mark.parametrize("names", [V4, V6], ids=["IPv4", "IPv6"])
OPTIONS = [UDP_NOCHECKSUM, UDP_CHECKSUM_COVERAGE, UDP_SEND_MSG_SIZE, UDP_RECV_MAX_COALESCED_SIZE]


def pair(lab: Lab, names: Names) -> tuple[WSK_SOCKET, WSK_SOCKET]:
    near = lab.datagram(lab.near, 9000, names.wildcard, AddressFamily=names.family)
    return near, lab.datagram(lab.far, PORT, names.wildcard, AddressFamily=names.family)


def set_udp(Socket: WSK_SOCKET, option: int, value: int) -> int:
    Status: int = simple.set_option(Socket, IPPROTO_UDP, option, value)[0]
    return Status


def get_udp(Socket: WSK_SOCKET, option: int) -> int:
    value: int = ok(simple.get_option(Socket, IPPROTO_UDP, option))
    return value


def send(Socket: WSK_SOCKET, to: str, data: bytes, Control: bytes | None = None) -> Request:
    arguments = (simple.buffer(data), 0, simple.address(to, PORT), len(Control or b""), Control)
    return start(Socket.Dispatch.WskSendTo, Socket, *arguments)


def sizes_sent(lab: Lab) -> list[int]:
    return [packet[UDP].len - 8 for packet in sent(lab.near_wire)]


# Checksums


@pytest.mark.parametrize(
    ("option", "value", "has_checksum"),
    [
        (UDP_NOCHECKSUM, 1, False),
        (UDP_NOCHECKSUM, 0, True),
        (UDP_CHECKSUM_COVERAGE, 1, True),
        (UDP_CHECKSUM_COVERAGE, 0, False),
    ],
)
def test_two_options_say_whether_there_is_a_checksum(lab: Lab, option: int, value: int, has_checksum: bool) -> None:
    near, far = pair(lab, V4)
    assert (get_udp(near, UDP_NOCHECKSUM), get_udp(near, UDP_CHECKSUM_COVERAGE)) == (0, 1)
    assert set_udp(near, option, value) == STATUS_SUCCESS
    assert (get_udp(near, UDP_NOCHECKSUM), get_udp(near, UDP_CHECKSUM_COVERAGE)) == (not has_checksum, has_checksum)
    send(near, FAR, b"data")
    lab.run()

    [packet] = sent(lab.near_wire)
    assert (packet[UDP].chksum != 0) == has_checksum
    assert ok(simple.receive_from(far))[0] == b"data"


@pytest.mark.parametrize("v6only", [0, 1])
def test_ipv6_cannot_do_without(lab: Lab, v6only: int) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=AF_INET6)
    ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY, v6only))
    assert set_udp(Socket, UDP_NOCHECKSUM, 1) == STATUS_NOT_SUPPORTED
    assert set_udp(Socket, UDP_CHECKSUM_COVERAGE, 0) == STATUS_NOT_SUPPORTED
    assert set_udp(Socket, UDP_NOCHECKSUM, 0) == set_udp(Socket, UDP_CHECKSUM_COVERAGE, 1) == STATUS_SUCCESS
    assert (get_udp(Socket, UDP_NOCHECKSUM), get_udp(Socket, UDP_CHECKSUM_COVERAGE)) == (0, 1)


# UDP_SEND_MSG_SIZE


@families
@pytest.mark.parametrize("by", ["option", "message"])
def test_one_send_is_cut_into_messages_of_a_size(lab: Lab, names: Names, by: str) -> None:
    near, far = pair(lab, names)
    data = bytes(range(256)) * 10
    Control = control((IPPROTO_UDP, UDP_SEND_MSG_SIZE, number(1000))) if by == "message" else None
    if by == "option":
        assert set_udp(near, UDP_SEND_MSG_SIZE, 1000) == STATUS_SUCCESS
        assert get_udp(near, UDP_SEND_MSG_SIZE) == 1000
    assert send(near, names.far, data, Control).completions == [(STATUS_SUCCESS, 2560)]
    lab.run()

    assert sizes_sent(lab) == [1000, 1000, 560]
    assert b"".join(ok(simple.receive_from(far, 2000))[0] for _ in range(3)) == data


@families
def test_the_message_beats_the_option_for_one_send(lab: Lab, names: Names) -> None:
    near, _ = pair(lab, names)
    set_udp(near, UDP_SEND_MSG_SIZE, 100)
    send(near, names.far, bytes(200), control((IPPROTO_UDP, UDP_SEND_MSG_SIZE, number(0))))
    send(near, names.far, bytes(200), control((IPPROTO_UDP, UDP_SEND_MSG_SIZE, number(150))))
    send(near, names.far, bytes(200), control((names.level, 50, number(1))))
    lab.run()

    assert sizes_sent(lab) == [200, 150, 50, 100, 100]


@pytest.mark.rule("R-264", "R-265")
@families
def test_each_element_of_a_list_is_cut_for_itself(lab: Lab, names: Names) -> None:
    near, _ = pair(lab, names)
    set_udp(near, UDP_SEND_MSG_SIZE, 100)
    third = WSK_BUF_LIST(None, simple.buffer(b""))
    messages = WSK_BUF_LIST(WSK_BUF_LIST(third, simple.buffer(bytes(100))), simple.buffer(bytes(101)))
    to = simple.address(names.far, PORT)
    request = start(near.Dispatch.WskSendMessages, near, messages, 0, to, 0, None)
    lab.run()

    assert request.completions == [(STATUS_SUCCESS, 201)]
    assert sizes_sent(lab) == [100, 1, 100, 0]


@families
def test_messages_that_are_cut_have_to_fit_the_path(lab: Lab, names: Names) -> None:
    """Else the send fails; that the option may be set all the same, the page says."""
    near, _ = pair(lab, names)
    room = 1500 - names.header - 8
    assert set_udp(near, UDP_SEND_MSG_SIZE, room + 1) == STATUS_SUCCESS
    assert send(near, names.far, bytes(3000)).completions == [(STATUS_INVALID_BUFFER_SIZE, 0)]
    assert send(near, names.far, bytes(room + 1)).status == STATUS_SUCCESS  # one datagram, in fragments as ever
    set_udp(near, UDP_SEND_MSG_SIZE, room)
    assert send(near, names.far, bytes(3000)).status == STATUS_SUCCESS
    lab.run()
    tell_too_big(lab, names, 9000, PORT, 1400)

    assert send(near, names.far, bytes(3000)).status == STATUS_INVALID_BUFFER_SIZE


@families
def test_one_send_cuts_so_many_bytes_at_most(lab: Lab, names: Names) -> None:
    near, _ = pair(lab, names)
    set_udp(near, UDP_SEND_MSG_SIZE, 1400)
    assert send(near, names.far, bytes(65536)).completions == [(STATUS_INVALID_BUFFER_SIZE, 0)]
    assert send(near, names.far, bytes(65535)).completions == [(STATUS_SUCCESS, 65535)]


# UDP_RECV_MAX_COALESCED_SIZE


def receive(Socket: WSK_SOCKET) -> tuple[bytes, list[tuple[int, int, bytes]]]:
    memory, length, ControlInfo = bytearray(9000), [128], bytearray(128)
    arguments = (simple.buffer(memory), 0, None, length, ControlInfo, None)
    request = start(Socket.Dispatch.WskReceiveFrom, Socket, *arguments)
    return bytes(memory[: request.information]), messages_in(ControlInfo, length[0])


def info(size: int) -> list[tuple[int, int, bytes]]:
    return [(IPPROTO_UDP, UDP_COALESCED_INFO, size.to_bytes(4, "little"))]


@families
@pytest.mark.parametrize(
    ("sizes", "limit", "expected"),
    [
        ([100, 100, 40], 1000, [(240, 100)]),
        ([100, 100, 40, 100], 1000, [(240, 100), (100, 0)]),
        ([100, 101], 1000, [(100, 0), (101, 0)]),
        ([100, 100, 100], 299, [(200, 100), (100, 0)]),
        ([100, 100, 100], 300, [(300, 100)]),
        ([100, 100], 50, [(100, 0), (100, 0)]),
        ([100, 0, 100], 1000, [(100, 0), (0, 0), (100, 0)]),
        ([100, 100], 0, [(100, 0), (100, 0)]),
        ([100], 1000, [(100, 0)]),
    ],
)
def test_datagrams_of_one_flow_are_received_together(
    lab: Lab, names: Names, sizes: list[int], limit: int, expected: list[tuple[int, int]]
) -> None:
    """Equal sizes but for the last, in no more bytes than were allowed; a message tells the size."""
    near, far = pair(lab, names)
    assert set_udp(far, UDP_RECV_MAX_COALESCED_SIZE, limit) == STATUS_SUCCESS
    assert get_udp(far, UDP_RECV_MAX_COALESCED_SIZE) == limit
    sent_data = [bytes([number]) * size for number, size in enumerate(sizes)]
    for data in sent_data:
        send(near, names.far, data)
        lab.run(0.01)
    got = [receive(far) for _ in expected]

    assert [(len(data), messages) for data, messages in got] == [
        (size, info(each) if each else []) for size, each in expected
    ]
    assert b"".join(data for data, _ in got) == b"".join(sent_data)
    assert simple.receive_from(far, seconds=0.1)[0] != STATUS_SUCCESS


def test_only_what_is_alike_goes_together(lab: Lab) -> None:
    """Ports, destinations and traffic classes tell flows apart."""
    lab.far_interface.add_address("192.0.2.77/24")
    near, far = pair(lab, V4)
    other = lab.datagram(lab.near)
    set_udp(far, UDP_RECV_MAX_COALESCED_SIZE, 1000)
    for option in (IP_PKTINFO, IP_RECVTOS):
        ok(simple.set_option(far, IPPROTO_IP, option, 1))
    marked = control((IPPROTO_IP, IP_TOS, number(8)))
    for Socket, to, Control in (
        (near, FAR, None), (near, FAR, None), (other, FAR, None), (near, FAR, None), (near, "192.0.2.77", None),
        (near, "192.0.2.77", marked), (near, "192.0.2.77", marked),
    ):  # fmt: skip
        send(Socket, to, bytes(10), Control)
        lab.run(0.01)
    got = [receive(far) for _ in range(5)]

    assert [len(data) for data, _ in got] == [20, 10, 10, 10, 20]
    assert [len(messages) for _, messages in got] == [3, 2, 2, 2, 3]


class Receiver:
    """A WskReceiveFromEvent: sizes and messages of the elements of each list."""

    def __init__(self) -> None:
        self.lists: list[list[tuple[int, Any]]] = []
        self.answers: list[int] = []
        self.inside: Any = None
        self.dispatch = WSK_CLIENT_DATAGRAM_DISPATCH(self.receive_from_event)

    def receive_from_event(self, SocketContext: Any, Flags: int, element: Any) -> int:
        elements = []
        while element is not None:
            elements.append((element.Buffer.Length, messages_in(element.ControlInfo, element.ControlInfoLength)))
            element = element.Next
        self.lists.append(elements)
        if self.inside is not None:
            self.inside()
        return self.answers.pop(0) if self.answers else STATUS_SUCCESS


@pytest.mark.rule("R-276", "R-278")
@families
def test_they_are_indicated_together(lab: Lab, names: Names) -> None:
    receiver = Receiver()
    near, _ = pair(lab, names)
    far = lab.datagram(lab.far, PORT + 1, names.wildcard, AddressFamily=names.family, Dispatch=receiver.dispatch)
    set_udp(far, UDP_RECV_MAX_COALESCED_SIZE, 1000)
    for size in (10, 10, 4, 7):
        arguments = (simple.buffer(bytes(size)), 0, simple.address(names.far, PORT + 1), 0, None)
        start(near.Dispatch.WskSendTo, near, *arguments)
        lab.run(0.01)
    simple.control_events(far, WSK_EVENT_RECEIVE_FROM)

    assert receiver.lists == [[(24, info(10)), (7, [])]]
    assert simple.receive_from(far, seconds=0.1)[0] != STATUS_SUCCESS


@pytest.mark.rule("R-280", "R-281")
def test_what_comes_during_an_indication_is_indicated_afterwards(lab: Lab) -> None:
    """Although it would have fitted; and what is refused comes again, with what has come since."""
    receiver = Receiver()
    near = lab.datagram(lab.near)
    far = lab.datagram(lab.far, PORT, Dispatch=receiver.dispatch)
    set_udp(far, UDP_RECV_MAX_COALESCED_SIZE, 1000)

    def more() -> None:
        send(near, FAR, bytes(10))
        lab.run(0.01)

    for _ in range(2):
        more()
    receiver.inside = lambda: more() if len(receiver.lists) == 1 else None
    simple.control_events(far, WSK_EVENT_RECEIVE_FROM)
    lab.run(0.01)
    assert receiver.lists == [[(20, info(10))], [(10, [])]]

    receiver.inside, receiver.answers = None, [STATUS_DATA_NOT_ACCEPTED]
    for _ in range(2):
        more()
    simple.control_events(far, WSK_EVENT_RECEIVE_FROM)
    assert receiver.lists[2:] == [[(10, [])], [(20, info(10))]]


# Who has them


@pytest.mark.rule("D-17")
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("Flags", [WSK_FLAG_LISTEN_SOCKET, WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_STREAM_SOCKET])
def test_only_datagram_sockets_have_them(lab: Lab, option: int, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags)
    assert set_udp(Socket, option, 1) == STATUS_INVALID_PARAMETER
    assert simple.get_option(Socket, IPPROTO_UDP, option)[0] == STATUS_INVALID_PARAMETER


@families
@pytest.mark.parametrize("is_bound", [False, True])
def test_they_may_be_set_before_or_after_bind(lab: Lab, names: Names, is_bound: bool) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=names.family)
    for step in ("bind", "set") if is_bound else ("set", "bind"):
        if step == "bind":
            ok(simple.bind(Socket, simple.address(names.wildcard, 9000)))
        else:
            assert set_udp(Socket, UDP_SEND_MSG_SIZE, 3) == STATUS_SUCCESS
    send(Socket, names.far, bytes(7))
    lab.run()

    assert sizes_sent(lab) == [3, 3, 1]
    assert {packet.src for packet in sent(lab.near_wire)} == {names.near}


def test_messages_that_are_cut_keep_to_dont_fragment(lab: Lab) -> None:
    near, _ = pair(lab, V4)
    ok(simple.set_option(near, IPPROTO_IP, IP_DONTFRAGMENT, 1))
    set_udp(near, UDP_SEND_MSG_SIZE, 1000)
    send(near, FAR, bytes(1500))
    lab.run()

    assert [bool(packet.flags.DF) for packet in sent(lab.near_wire)] == [True, True]
