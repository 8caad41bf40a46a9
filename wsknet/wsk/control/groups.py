"""Options of datagram sockets for multicast (ws2ipdef.h; RFC 3678 4.1 and 8.3, RFC 3493 5.2).

A dual-stack socket has one set of values for both families, and joins IPv4 groups by the options of IPPROTO_IP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.transport.multicast import SocketGroups
from wsknet.types import IfIndex
from wsknet.wsk.constants import (
    AF_INET,
    AF_INET6,
    IP_ADD_MEMBERSHIP,
    IP_ADD_SOURCE_MEMBERSHIP,
    IP_BLOCK_SOURCE,
    IP_DROP_MEMBERSHIP,
    IP_DROP_SOURCE_MEMBERSHIP,
    IP_MULTICAST_IF,
    IP_MULTICAST_LOOP,
    IP_MULTICAST_TTL,
    IP_UNBLOCK_SOURCE,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_ADD_MEMBERSHIP,
    IPV6_DROP_MEMBERSHIP,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_IF,
    IPV6_MULTICAST_LOOP,
    MCAST_BLOCK_SOURCE,
    MCAST_JOIN_GROUP,
    MCAST_JOIN_SOURCE_GROUP,
    MCAST_LEAVE_GROUP,
    MCAST_LEAVE_SOURCE_GROUP,
    MCAST_UNBLOCK_SOURCE,
)
from wsknet.wsk.control.option import DATAGRAM, Option, apply_to_endpoint, number, of_level
from wsknet.wsk.ip_structures import STORAGE_SIZE, group_req, group_source_req
from wsknet.wsk.structures import ip_mreq, ip_mreq_source, ipv6_mreq

if TYPE_CHECKING:
    from wsknet.transport.multicast import Joined
    from wsknet.types import Instant
    from wsknet.wsk.sockets.datagram import DatagramSocket

_GROUP_AT = 8
"""Where the first address begins in `group_req` and `group_source_req`."""
MAX_HOPS = 255
DEFAULT_HOPS = 0xFFFFFFFF
"""-1 of IPV6_MULTICAST_HOPS: the value of the system, which is 1 (RFC 3493 5.2)."""


def _set_value(socket: DatagramSocket, Level: int, attribute: str, value: int) -> None:
    """`value` is the ULONG as C reads it.  Errors: `LocalError` INVALID_ARGUMENT, `NetError` NOT_LOCAL."""
    options = socket.options
    if attribute == "multicast_loop":
        options.multicast_loop = int(value != 0)
    elif attribute == "multicast_hops":
        if value == DEFAULT_HOPS and Level == IPPROTO_IPV6:
            value = 1
        if not 0 <= value <= MAX_HOPS:
            raise LocalError(ErrorKind.INVALID_ARGUMENT, f"hops are 0 to {MAX_HOPS}")
        options.multicast_hops = value
    else:
        joined = socket.host.stack.udp.joined
        if Level == IPPROTO_IPV6:
            index = IfIndex(value) if value else None
        else:
            index = _interface(joined, value.to_bytes(4, "little"))
        options.multicast_index = 0 if index is None else joined.require_interface(index)
        options.multicast_if = value


def _value(Level: int, attribute: str) -> Option:
    def set_value(socket: DatagramSocket, value: int, now: Instant) -> None:
        _set_value(socket, Level, attribute, value)
        apply_to_endpoint(socket)

    def get_value(socket: DatagramSocket) -> int:
        value: int = getattr(socket.options, attribute)
        return value

    return number(of_level(Level, DATAGRAM), set_value, get_value)


def _membership(Level: int, change: MembershipChange) -> Option:
    def set_membership(socket: DatagramSocket, InputSize: int, InputBuffer: Any, now: Instant) -> None:
        if socket.endpoint is None:
            raise LocalError(ErrorKind.INVALID_STATE, "bind first")
        change(socket, InputSize, InputBuffer, now)

    return Option(of_level(Level, DATAGRAM), set_membership)


def _interface(joined: Joined[Any], octets: bytes) -> IfIndex | None:
    """An IPv4 address that stands for its interface, or 0.x.x.x with the number of one (IP_MULTICAST_IF)."""
    if octets[0]:
        return joined.interface_with(octets)
    return IfIndex(int.from_bytes(octets, "big")) or None


def _octets(structure: Any, InputSize: int, InputBuffer: Any) -> bytes:
    """A structure behind a pointer: an object with the C name, or its bytes."""
    if InputSize != structure.SIZE or InputBuffer is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    if not isinstance(InputBuffer, (structure, bytes, bytearray, memoryview)):
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    octets = bytes(InputBuffer)[:InputSize]
    if len(octets) != InputSize:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    return octets


MembershipChange = Callable[["DatagramSocket", int, Any, "Instant"], None]
_OfGroup = Callable[[SocketGroups, bytes, "IfIndex | None", "Instant"], None]
_OfSource = Callable[[SocketGroups, bytes, bytes, "IfIndex | None", "Instant"], None]


def _of_group(change: _OfGroup) -> MembershipChange:
    def perform(socket: DatagramSocket, InputSize: int, InputBuffer: Any, now: Instant) -> None:
        octets = _octets(ip_mreq, InputSize, InputBuffer)
        index = _interface(socket.host.stack.udp.joined, octets[4:])
        change(socket.endpoint.multicast, octets[:4], index, now)

    return perform


def _of_group6(change: _OfGroup) -> MembershipChange:
    def perform(socket: DatagramSocket, InputSize: int, InputBuffer: Any, now: Instant) -> None:
        octets = _octets(ipv6_mreq, InputSize, InputBuffer)
        index = IfIndex(int.from_bytes(octets[16:], "little")) or None
        change(socket.endpoint.multicast, octets[:16], index, now)

    return perform


def _of_source(change: _OfSource) -> MembershipChange:
    def perform(socket: DatagramSocket, InputSize: int, InputBuffer: Any, now: Instant) -> None:
        octets = _octets(ip_mreq_source, InputSize, InputBuffer)
        index = _interface(socket.host.stack.udp.joined, octets[8:])
        change(socket.endpoint.multicast, octets[:4], octets[4:8], index, now)

    return perform


def _of_group_request(Level: int, change: _OfGroup) -> MembershipChange:
    def perform(socket: DatagramSocket, InputSize: int, InputBuffer: Any, now: Instant) -> None:
        octets = _octets(group_req, InputSize, InputBuffer)
        group = _address(Level, octets[_GROUP_AT:])
        change(socket.endpoint.multicast, group, _index(octets), now)

    return perform


def _of_source_request(Level: int, change: _OfSource) -> MembershipChange:
    def perform(socket: DatagramSocket, InputSize: int, InputBuffer: Any, now: Instant) -> None:
        octets = _octets(group_source_req, InputSize, InputBuffer)
        group = _address(Level, octets[_GROUP_AT:])
        source = _address(Level, octets[_GROUP_AT + STORAGE_SIZE :])
        change(socket.endpoint.multicast, group, source, _index(octets), now)

    return perform


def _index(request: bytes) -> IfIndex | None:
    return IfIndex(int.from_bytes(request[:4], "little")) or None


def _address(Level: int, sockaddr: bytes) -> bytes:
    """Of a SOCKADDR_STORAGE, whose family is that of the level; its port means nothing."""
    family, begin, length = (AF_INET, 4, 4) if Level == IPPROTO_IP else (AF_INET6, 8, 16)
    if int.from_bytes(sockaddr[:2], "little") != family:
        raise LocalError(ErrorKind.INVALID_ARGUMENT, "an address of another family")
    return sockaddr[begin : begin + length]


def _join_source(groups: SocketGroups, group: bytes, source: bytes, index: IfIndex | None, now: Instant) -> None:
    groups.join(group, index, now, source)


def _leave_source(groups: SocketGroups, group: bytes, source: bytes, index: IfIndex | None, now: Instant) -> None:
    groups.leave(group, index, now, source)


_VALUES = {
    (IPPROTO_IP, IP_MULTICAST_IF): "multicast_if",
    (IPPROTO_IP, IP_MULTICAST_TTL): "multicast_hops",
    (IPPROTO_IP, IP_MULTICAST_LOOP): "multicast_loop",
    (IPPROTO_IPV6, IPV6_MULTICAST_IF): "multicast_if",
    (IPPROTO_IPV6, IPV6_MULTICAST_HOPS): "multicast_hops",
    (IPPROTO_IPV6, IPV6_MULTICAST_LOOP): "multicast_loop",
}

_MEMBERSHIPS = {
    (IPPROTO_IP, IP_ADD_MEMBERSHIP): _of_group(SocketGroups.join),
    (IPPROTO_IP, IP_DROP_MEMBERSHIP): _of_group(SocketGroups.leave),
    (IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP): _of_source(_join_source),
    (IPPROTO_IP, IP_DROP_SOURCE_MEMBERSHIP): _of_source(_leave_source),
    (IPPROTO_IP, IP_BLOCK_SOURCE): _of_source(SocketGroups.block),
    (IPPROTO_IP, IP_UNBLOCK_SOURCE): _of_source(SocketGroups.unblock),
    (IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP): _of_group6(SocketGroups.join),
    (IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP): _of_group6(SocketGroups.leave),
}

for _level in (IPPROTO_IP, IPPROTO_IPV6):
    _MEMBERSHIPS |= {
        (_level, MCAST_JOIN_GROUP): _of_group_request(_level, SocketGroups.join),
        (_level, MCAST_LEAVE_GROUP): _of_group_request(_level, SocketGroups.leave),
        (_level, MCAST_JOIN_SOURCE_GROUP): _of_source_request(_level, _join_source),
        (_level, MCAST_LEAVE_SOURCE_GROUP): _of_source_request(_level, _leave_source),
        (_level, MCAST_BLOCK_SOURCE): _of_source_request(_level, SocketGroups.block),
        (_level, MCAST_UNBLOCK_SOURCE): _of_source_request(_level, SocketGroups.unblock),
    }

TABLE = {key: _value(key[0], attribute) for key, attribute in _VALUES.items()} | {
    key: _membership(key[0], change) for key, change in _MEMBERSHIPS.items()
}
