"""Raw sockets on the two hosts of `wsk_lab`."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.l2 import Ether

from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, Lab, ok, start
from wsknet.host import Host
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IP_HDRINCL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_HDRINCL,
    SIO_WSK_SET_REMOTE_ADDRESS,
    SOCK_RAW,
    STATUS_CANCELLED,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_SOCKET,
    IoCancelIrp,
    WskIoctl,
    simple,
)

WHERE = {AF_INET: (NEAR, FAR, "0.0.0.0"), AF_INET6: (NEAR6, FAR6, "::")}
families = pytest.mark.parametrize("family", [AF_INET, AF_INET6], ids=["IPv4", "IPv6"])
PROTOCOL = 253
"""For experiments (RFC 3692): no stack has a handler for it."""


def opened(
    lab: Lab, host: Host, family: int, protocol: int, *arguments: Any, flags: int = WSK_FLAG_DATAGRAM_SOCKET
) -> Any:
    provider = lab.application(host).provider
    made = arguments or (None, None)
    return simple.call(
        provider.Dispatch.WskSocket, provider.Client, family, SOCK_RAW, protocol, flags, *made, None, None, None
    )


def raw(lab: Lab, host: Host, family: int, protocol: int = PROTOCOL, address: str = "", *arguments: Any) -> WSK_SOCKET:
    Socket: WSK_SOCKET = ok(opened(lab, host, family, protocol, *arguments))
    ok(simple.bind(Socket, simple.address(address or WHERE[family][2], 0)))
    return Socket


def body(family: int, data: bytes) -> bytes:
    """What a datagram brings beside the IPv4 header."""
    return data[(data[0] & 0xF) * 4 :] if family == AF_INET else data


def waiting(Socket: WSK_SOCKET) -> list[bytes]:
    """What may be received now."""
    found: list[bytes] = []
    while True:
        memory = bytearray(65536)
        request = start(Socket.Dispatch.WskReceiveFrom, Socket, simple.buffer(memory), 0, None, None, None, None)
        if not request.is_done:
            IoCancelIrp(request.Irp)
            assert request.status == STATUS_CANCELLED
            return found
        found.append(bytes(memory[: request.information]))


def to(host: str) -> Any:
    return simple.address(host, 0)


def set_remote(Socket: WSK_SOCKET, address: Any) -> Any:
    octets = b"" if address is None else bytes(address)
    arguments = (WskIoctl, SIO_WSK_SET_REMOTE_ADDRESS, 0, len(octets), octets or None, 0, None, None)
    return simple.call(Socket.Dispatch.WskControlSocket, Socket, *arguments)


def with_header(lab: Lab, family: int, protocol: int = PROTOCOL) -> WSK_SOCKET:
    Socket = raw(lab, lab.near, family, protocol)
    option = (IPPROTO_IP, IP_HDRINCL) if family == AF_INET else (IPPROTO_IPV6, IPV6_HDRINCL)
    assert ok(simple.get_option(Socket, *option)) == 0
    ok(simple.set_option(Socket, *option, 1))
    assert ok(simple.get_option(Socket, *option)) == 1
    return Socket


def sent(lab: Lab) -> list[Any]:
    """IP packets that the near host has put on the wire."""
    frames = [Ether(frame) for frame in lab.near_wire.frames]
    return [frame.payload for frame in frames if frame.type in (0x0800, 0x86DD) and not frame.haslayer("ICMPv6ND_NS")]
