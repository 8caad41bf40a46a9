"""The options of scenarios as socket(7), ip(7) and ipv6(7) have them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from wsknet.machine.kernel_host import KernelHost
from wsknet.scenario.faces.kernel_address import index_of
from wsknet.scenario.world import Failed

# Not in Python's socket module: linux/in.h, linux/in6.h.
IP_PKTINFO = 8
IP_BIND_ADDRESS_NO_PORT = 24
IP_UNICAST_IF = 50
IPV6_UNICAST_IF = 76

Value = bool | int | str


def set_option(host: KernelHost, sock: socket.socket, name: str, value: Value) -> None:
    setter = _SETTERS.get(name)
    if setter is None:
        raise Failed("no-such-option", f"the kernel has no {name}")
    setter(host, sock, value)


def _flag(level: int, option: int) -> Callable[[KernelHost, socket.socket, Value], None]:
    def set_it(host: KernelHost, sock: socket.socket, value: Value) -> None:
        sock.setsockopt(level, option, int(bool(value)))

    return set_it


def _by_family(four: int, six: int) -> Callable[[KernelHost, socket.socket, Value], None]:
    def set_it(host: KernelHost, sock: socket.socket, value: Value) -> None:
        level, option = _choose(sock, four, six)
        sock.setsockopt(level, option, int(bool(value)))

    return set_it


def _choose(sock: socket.socket, four: int, six: int) -> tuple[int, int]:
    return (socket.IPPROTO_IP, four) if sock.family == socket.AF_INET else (socket.IPPROTO_IPV6, six)


def _unicast_interface(host: KernelHost, sock: socket.socket, value: Value) -> None:
    # In network order, as on Windows, for both families here (ip(7)); a dual-stack socket has one of each.
    index = struct.pack("!I", index_of(host, str(value)))
    level, option = _choose(sock, IP_UNICAST_IF, IPV6_UNICAST_IF)
    sock.setsockopt(level, option, index)
    if sock.family == socket.AF_INET6 and not sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
        sock.setsockopt(socket.IPPROTO_IP, IP_UNICAST_IF, index)


def _multicast_interface(host: KernelHost, sock: socket.socket, value: Value) -> None:
    index = index_of(host, str(value))
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", bytes(4), bytes(4), index))
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)


def _device(host: KernelHost, sock: socket.socket, value: Value) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, str(value).encode() if value else b"")


_SETTERS: dict[str, Callable[[KernelHost, socket.socket, Value], None]] = {
    "reuse": _flag(socket.SOL_SOCKET, socket.SO_REUSEADDR),
    "broadcast": _flag(socket.SOL_SOCKET, socket.SO_BROADCAST),
    "dont-route": _flag(socket.SOL_SOCKET, socket.SO_DONTROUTE),
    "v6only": _flag(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY),
    "reuse-unicastport": _flag(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT),
    "multicast-loop": _by_family(socket.IP_MULTICAST_LOOP, socket.IPV6_MULTICAST_LOOP),
    "packet-info": _by_family(IP_PKTINFO, socket.IPV6_RECVPKTINFO),
    "unicast-if": _unicast_interface,
    "multicast-if": _multicast_interface,
    "bind-to-device": _device,
}
