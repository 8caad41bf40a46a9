"""Rows of control messages at their edges: where walking ends, what is filled, and memory that is no such row."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import FAR, NEAR, PORT, Lab, Request, ok, start
from wsknet.wsk import (
    AF_INET6,
    CMSGHDR,
    IN6_PKTINFO,
    IN_PKTINFO,
    IP_ECN,
    IP_HOPLIMIT,
    IP_OPTIONS,
    IP_PKTINFO,
    IP_TOS,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_UDP,
    IPV6_PKTINFO,
    IPV6_RTHDR,
    MSG_CTRUNC,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_SUCCESS,
    UDP_RECV_MAX_COALESCED_SIZE,
    WSA_CMSG_FIRSTHDR,
    WSA_CMSG_LEN,
    WSA_CMSG_NXTHDR,
    WSA_CMSG_SPACE,
    WSABUF,
    WSAMSG,
    WSK_SOCKET,
    simple,
)


def row(*messages: tuple[int, bytes]) -> bytes:
    """Of IPPROTO_IP."""
    octets = b""
    for kind, data in messages:
        head = bytes(CMSGHDR(WSA_CMSG_LEN(len(data)), IPPROTO_IP, kind))
        octets += (head + data).ljust(WSA_CMSG_SPACE(len(data)), b"\0")
    return octets


def types(ControlInfo: Any, length: int) -> list[int]:
    found = []
    msg = WSAMSG(Control=WSABUF(length, ControlInfo))
    header = WSA_CMSG_FIRSTHDR(msg)
    while header is not None:
        found.append(header.cmsg_type)
        header = WSA_CMSG_NXTHDR(msg, header)
    return found


def receive(Socket: WSK_SOCKET, length: Any, ControlInfo: Any, flags: Any = None) -> Request:
    arguments = (simple.buffer(bytearray(100)), 0, None, length, ControlInfo, flags)
    return start(Socket.Dispatch.WskReceiveFrom, Socket, *arguments)


def send(Socket: WSK_SOCKET, ControlInfo: bytes, to: Any = None) -> Request:
    arguments = (simple.buffer(b"data"), 0, to or simple.address(FAR, PORT), len(ControlInfo), ControlInfo)
    return start(Socket.Dispatch.WskSendTo, Socket, *arguments)


def with_hop_limit(lab: Lab) -> WSK_SOCKET:
    """A socket of the near host that asks for it, where a datagram waits."""
    Socket = lab.datagram(lab.near, PORT)
    ok(simple.set_option(Socket, IPPROTO_IP, IP_HOPLIMIT, 1))
    sender = lab.datagram(lab.far)
    ok(simple.call(sender.Dispatch.WskSendTo, sender, simple.buffer(b"x"), 0, simple.address(NEAR, PORT), 0, None))
    lab.run(0.1)
    return Socket


# Walking


def test_headers_without_data_follow_each_other() -> None:
    assert types(row((7, b"")), 16) == [7]
    assert types(row((7, b""), (8, b""), (9, b"")), 48) == [7, 8, 9]


def test_what_lies_behind_the_length_is_no_message() -> None:
    memory = row((7, bytes(8)), (8, bytes(8)))
    assert types(memory, 48) == [7, 8]
    assert types(memory, 24 + 15) == [7]
    assert types(memory, 15) == []


def test_a_row_may_begin_in_the_midst_of_memory() -> None:
    memory = row((7, bytes(8)), (8, bytes(8)), (9, bytes(8)))

    assert types(CMSGHDR.cast(memory, 24), 48) == [8, 9]
    assert types(CMSGHDR.cast(memory, 24), 24) == [8]


# Receiving


def test_zeros_stand_behind_a_message_up_to_the_next(lab: Lab) -> None:
    memory, length = bytearray(b"\xff" * 64), [64]
    assert receive(with_hop_limit(lab), length, memory).status == STATUS_SUCCESS

    assert length == [24]
    assert memory[20:] == bytes(4) + b"\xff" * 40


@pytest.mark.parametrize(("room", "filled"), [(256, 24), (24, 24), (23, 0)])
def test_the_length_may_be_told_in_memory(lab: Lab, room: int, filled: int) -> None:
    length = bytearray(room.to_bytes(4, "little"))
    assert receive(with_hop_limit(lab), length, bytearray(256)).status == STATUS_SUCCESS

    assert int.from_bytes(length, "little") == filled


@pytest.mark.parametrize("memory", [memoryview(bytes(64)), bytes(64), None])
def test_into_what_cannot_be_written_no_message_fits(lab: Lab, memory: Any) -> None:
    length, flags = [64], [0]
    assert receive(with_hop_limit(lab), length, memory, flags).status == STATUS_SUCCESS

    assert length == [0]
    assert flags[0] & MSG_CTRUNC


def test_nothing_tells_a_size_once_datagrams_are_not_put_together_any_more(lab: Lab) -> None:
    Socket = lab.datagram(lab.near, PORT)
    sender = lab.datagram(lab.far)
    for size in (1000, 0):
        ok(simple.set_option(Socket, IPPROTO_UDP, UDP_RECV_MAX_COALESCED_SIZE, size))
        for _ in range(2):
            to = simple.address(NEAR, PORT)
            ok(simple.call(sender.Dispatch.WskSendTo, sender, simple.buffer(b"same"), 0, to, 0, None))
        lab.run(0.1)
        length = [64]
        assert receive(Socket, length, bytearray(64)).information == (8 if size else 4)
        assert length == [24 if size else 0]


# Sending


@pytest.mark.rule("R-263")
@pytest.mark.parametrize("size", [25, 40, 48])
def test_no_message_is_longer_than_the_rest_of_the_memory(lab: Lab, size: int) -> None:
    info = bytes(IN_PKTINFO(bytes(4), 2))
    first, last = row((IP_PKTINFO, info)), bytes(CMSGHDR(size, IPPROTO_IP, IP_PKTINFO)) + info

    assert send(lab.datagram(lab.near), first + last).completions == [(STATUS_INVALID_PARAMETER, 0)]


def test_congestion_bits_come_on_top_of_the_type_of_service_beside_them(lab: Lab) -> None:
    Socket = lab.datagram(lab.near)
    numbers = (IP_TOS, (0xB8).to_bytes(4, "little")), (IP_ECN, (1).to_bytes(4, "little"))
    for messages in (numbers, numbers[::-1]):
        assert send(Socket, row(*messages)).status == STATUS_SUCCESS
        lab.run(0.1)
        assert [frame[15] for frame in lab.near_wire.frames if frame[12:14] == b"\x08\0"][-1] == 0xB9


def test_a_message_that_names_no_interface_leaves_it_to_the_destination(lab: Lab) -> None:
    lab.far_interface.add_address("fe80::88/64")
    lab.run(2)
    Socket = lab.datagram(lab.near, 0, "::", AddressFamily=AF_INET6)
    to = simple.address("fe80::88", PORT, lab.near_interface.index)
    head = bytes(CMSGHDR(WSA_CMSG_LEN(20), IPPROTO_IPV6, IPV6_PKTINFO))

    assert send(Socket, head + bytes(IN6_PKTINFO()) + bytes(4), to).status == STATUS_SUCCESS


@pytest.mark.parametrize("data", [b"", bytes(4)])
def test_an_empty_row_of_ip_options_asks_for_none(lab: Lab, data: bytes) -> None:
    status = STATUS_NOT_SUPPORTED if data else STATUS_SUCCESS
    messages = row((IP_PKTINFO, bytes(IN_PKTINFO())), (IP_OPTIONS, data))

    assert send(lab.datagram(lab.near), messages).completions == [(status, 0 if data else 4)]


def test_what_follows_an_empty_row_of_ip_options_counts(lab: Lab) -> None:
    messages = row((IP_OPTIONS, b""), (IP_TOS, (0xB8).to_bytes(4, "little")))

    assert send(lab.datagram(lab.near), messages).status == STATUS_SUCCESS
    lab.run(0.1)
    assert [frame[15] for frame in lab.near_wire.frames if frame[12:14] == b"\x08\0"] == [0xB8]


def test_an_empty_routing_header_is_none(lab: Lab) -> None:
    lab.far_interface.add_address("fe80::88/64")
    lab.run(2)
    to = simple.address("fe80::88", PORT, lab.near_interface.index)
    head = bytes(CMSGHDR(WSA_CMSG_LEN(0), IPPROTO_IPV6, IPV6_RTHDR))

    assert send(lab.datagram(lab.near, 0, "::", AddressFamily=AF_INET6), head, to).status == STATUS_SUCCESS
    lab.run(0.1)
    sent = [frame for frame in lab.near_wire.frames if frame[12:14] == b"\x86\xdd" and frame.endswith(b"data")]
    assert [frame[20] for frame in sent] == [IPPROTO_UDP]
