"""Datagrams between the two hosts of `wsk_lab`: to a socket of the far one, or to a group."""

from __future__ import annotations

from typing import Any

from tests.support.wsk_lab import FAR, PORT, Request, ok, start
from wsknet.text import parse_address
from wsknet.wsk import (
    IP_ADD_MEMBERSHIP,
    IPPROTO_IP,
    NTSTATUS,
    SOCKADDR,
    SOCKADDR_IN,
    WSK_SOCKET,
    WskIoctl,
    WskSetOption,
    ip_mreq,
    simple,
)

TO_FAR = simple.address(FAR, PORT)
GROUP = "239.1.2.3"
TO_GROUP = simple.address(GROUP, PORT)


def receive_from(Socket: WSK_SOCKET, length: int = 100) -> tuple[Request, bytearray, SOCKADDR_IN, list[int], list[int]]:
    memory, source, control, flags = bytearray(length), SOCKADDR_IN(), [99], [99]
    arguments = (simple.buffer(memory), 0, source, control, None, flags)
    return start(Socket.Dispatch.WskReceiveFrom, Socket, *arguments), memory, source, control, flags


def send_to(Socket: WSK_SOCKET, data: bytes, to: SOCKADDR | None, Flags: int = 0, Control: Any = None) -> Request:
    length = len(Control) if Control is not None else 0
    return start(Socket.Dispatch.WskSendTo, Socket, simple.buffer(data), Flags, to, length, Control)


def fix(Socket: WSK_SOCKET, code: int, address: SOCKADDR | None) -> NTSTATUS:
    """SIO_WSK_SET_REMOTE_ADDRESS or SIO_WSK_SET_SENDTO_ADDRESS; no address takes it back."""
    size = 0 if address is None else address.SIZE
    arguments = (Socket, WskIoctl, code, 12345, size, address, 0, None, None)
    return simple.call(Socket.Dispatch.WskControlSocket, *arguments)[0]


def name_of(Socket: WSK_SOCKET) -> tuple[str, int]:
    return simple.host_and_port(ok(simple.local_address(Socket)))


def join(Socket: WSK_SOCKET) -> None:
    membership = ip_mreq(parse_address(GROUP), bytes(4))
    arguments = (WskSetOption, IP_ADD_MEMBERSHIP, IPPROTO_IP, membership.SIZE, membership, 0, None, None)
    ok(simple.call(Socket.Dispatch.WskControlSocket, Socket, *arguments))
