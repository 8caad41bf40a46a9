"""Options that raw sockets alone have: who makes the IP header, and where a checksum is (WSK-5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.constants import (
    IP_HDRINCL,
    IPPROTO_ICMPV6,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_CHECKSUM,
    IPV6_HDRINCL,
    SOCK_RAW,
)
from wsknet.wsk.control.option import DATAGRAM, Belongs, Option, apply_to_endpoint, number, of_level

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.sockets.raw import RawSocket

_NONE = 0xFFFFFFFF
"""-1 as the int that IPV6_CHECKSUM takes: no checksum."""


def _of_raw(Level: int) -> Belongs:
    belongs = of_level(Level, DATAGRAM)
    return lambda socket: socket.socket_type == SOCK_RAW and belongs(socket)


def _header_included(Level: int) -> Option:
    def set_value(socket: RawSocket, value: int, now: Instant) -> None:
        socket.has_header = bool(value)
        apply_to_endpoint(socket)

    return number(_of_raw(Level), set_value, lambda socket: int(socket.has_header))


def _set_checksum(socket: RawSocket, value: int, now: Instant) -> None:
    """RFC 3542 3.1: an odd offset is an error, and so is any for ICMPv6, whose checksum is always computed."""
    if socket.protocol == IPPROTO_ICMPV6 or (value != _NONE and (value & 1 or value > 0xFFFF)):
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    socket.checksum_offset = None if value == _NONE else value
    apply_to_endpoint(socket)


def _checksum(socket: Any) -> int:
    return _NONE if socket.checksum_offset is None else int(socket.checksum_offset)


TABLE = {
    (IPPROTO_IP, IP_HDRINCL): _header_included(IPPROTO_IP),
    (IPPROTO_IPV6, IPV6_HDRINCL): _header_included(IPPROTO_IPV6),
    (IPPROTO_IPV6, IPV6_CHECKSUM): number(_of_raw(IPPROTO_IPV6), _set_checksum, _checksum),
}
