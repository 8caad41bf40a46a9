"""Control information of datagrams between the hosts of `wsk_lab`: rows of messages, made and read."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.support.wsk_categories import D
from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, PORT, Lab, Request, ok, start
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    CMSGHDR,
    IN6_PKTINFO,
    IN_PKTINFO,
    IP_PKTINFO,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_PKTINFO,
    IPV6_V6ONLY,
    SOCKADDR_STORAGE,
    WSA_CMSG_DATA,
    WSA_CMSG_FIRSTHDR,
    WSA_CMSG_LEN,
    WSA_CMSG_NXTHDR,
    WSA_CMSG_SPACE,
    WSABUF,
    WSAMSG,
    WSK_SOCKET,
    simple,
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
