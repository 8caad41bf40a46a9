"""Names of sockets for the kernel: sockaddr_in and sockaddr_in6 of ip(7) and ipv6(7), as programs hand them over.

Python's own sockets take only addresses of their family; what the kernel says to others is part of a comparison.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct

from wsknet import text
from wsknet.machine.kernel_host import KernelHost
from wsknet.scenario.addresses import format_name, parse_name
from wsknet.scenario.world import Failed
from wsknet.types import is_link_local

_libc = ctypes.CDLL(None, use_errno=True)
UNSPECIFIED = struct.pack("=H14x", socket.AF_UNSPEC)


def pack(host: KernelHost, words: str) -> bytes:
    try:
        named = parse_name(words)
    except ValueError as error:
        raise Failed("fault", str(error)) from None
    if len(named.address) == 4:
        return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", named.port, named.address)
    zone = index_of(host, named.zone)
    header = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI16s", named.port, 0, named.address)
    return header + struct.pack("=I", zone)


def index_of(host: KernelHost, interface: str) -> int:
    """By name, or a number as it is; 0 for none."""
    if interface in ("", "False"):
        return 0
    if interface.isdecimal():
        return int(interface)
    try:
        return host.index(interface)
    except KeyError:
        raise Failed("not-local", f"there is no interface {interface}") from None


def interface_name(host: KernelHost, index: int) -> str:
    return host.names.get(index, str(index))


def shown(host: KernelHost, name: tuple[str, int] | tuple[str, int, int, int]) -> str:
    """What `getsockname` and its like answer, as scenarios write it."""
    address = text.parse_address(name[0].partition("%")[0])
    scope = name[3] if len(name) == 4 else 0
    zone = interface_name(host, scope) if scope and is_link_local(address) else ""
    return format_name(address, name[1], zone)


def bind(sock: socket.socket, name: bytes) -> None:
    _check(_libc.bind(sock.fileno(), name, len(name)))


def connect(sock: socket.socket, name: bytes) -> None:
    _check(_libc.connect(sock.fileno(), name, len(name)))


def sendto(sock: socket.socket, data: bytes, name: bytes) -> None:
    _check(_libc.sendto(sock.fileno(), data, len(data), 0, name or None, len(name)))


def _check(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
