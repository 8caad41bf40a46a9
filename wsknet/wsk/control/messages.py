"""Control information of datagrams, as the messages of `cmsg`: what they bring, and what they are sent with (WSK-5.5).

A dual-stack socket has the options of both levels, and what came or goes over IPv4 has messages of IPPROTO_IP alone
(ws2ipdef.h).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from wsknet.errors import ErrorKind, LocalError
from wsknet.transport.endpoint import PacketInfo
from wsknet.types import is_unspecified
from wsknet.wsk.cmsg import message, messages_in
from wsknet.wsk.constants import (
    IP_ECN,
    IP_HOPLIMIT,
    IP_PKTINFO,
    IP_RECVDSTADDR,
    IP_RECVIF,
    IP_RECVTOS,
    IP_TOS,
    IP_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_ECN,
    IPV6_HOPLIMIT,
    IPV6_PKTINFO,
    IPV6_RECVDSTADDR,
    IPV6_RECVIF,
    IPV6_RECVTCLASS,
    IPV6_TCLASS,
)
from wsknet.wsk.control.option import DATAGRAM, Option, number, of_level
from wsknet.wsk.structures import IN6_PKTINFO, IN_PKTINFO

if TYPE_CHECKING:
    from collections.abc import Collection

    from wsknet.transport.udp.endpoint import Datagram
    from wsknet.types import Instant

ECN = 0x03
"""The bits of a traffic class that RFC 3168 took."""


# What datagrams bring


class Item(NamedTuple):
    """A message that an option asks for."""

    address_length: int
    """Of the datagrams that have it."""
    type: int
    value: Callable[[Datagram], bytes]


def _int(value: int) -> bytes:
    return value.to_bytes(4, "little")


def _packet_info(datagram: Datagram) -> bytes:
    return datagram.destination + _int(datagram.if_index)


def _hop_limit(datagram: Datagram) -> bytes:
    return _int(datagram.hop_limit)


def _interface(datagram: Datagram) -> bytes:
    return _int(datagram.if_index)


def _destination(datagram: Datagram) -> bytes:
    return datagram.destination


def _traffic_class(datagram: Datagram) -> bytes:
    return _int(datagram.traffic_class)


def _ecn(datagram: Datagram) -> bytes:
    return _int(datagram.traffic_class & ECN)


ITEMS = {
    (IPPROTO_IP, IP_PKTINFO): Item(4, IP_PKTINFO, _packet_info),
    (IPPROTO_IP, IP_HOPLIMIT): Item(4, IP_TTL, _hop_limit),
    (IPPROTO_IP, IP_RECVIF): Item(4, IP_RECVIF, _interface),
    (IPPROTO_IP, IP_RECVDSTADDR): Item(4, IP_RECVDSTADDR, _destination),
    (IPPROTO_IP, IP_RECVTOS): Item(4, IP_TOS, _traffic_class),
    (IPPROTO_IP, IP_ECN): Item(4, IP_ECN, _ecn),
    (IPPROTO_IPV6, IPV6_PKTINFO): Item(16, IPV6_PKTINFO, _packet_info),
    (IPPROTO_IPV6, IPV6_HOPLIMIT): Item(16, IPV6_HOPLIMIT, _hop_limit),
    (IPPROTO_IPV6, IPV6_RECVIF): Item(16, IPV6_RECVIF, _interface),
    (IPPROTO_IPV6, IPV6_RECVDSTADDR): Item(16, IPV6_RECVDSTADDR, _destination),
    (IPPROTO_IPV6, IPV6_RECVTCLASS): Item(16, IPV6_TCLASS, _traffic_class),
    (IPPROTO_IPV6, IPV6_ECN): Item(16, IPV6_ECN, _ecn),
}
"""By level and option.  Messages come in this order."""


def _wanted(key: tuple[int, int]) -> Option:
    """Counts for what is received from then on, and for what waits in the queue."""

    def set_value(socket: Any, value: int, now: Instant) -> None:
        wanted: set[tuple[int, int]] = socket.options.receiving.control_info
        if value:
            wanted.add(key)
        else:
            wanted.discard(key)

    return number(
        of_level(key[0], DATAGRAM), set_value, lambda socket: int(key in socket.options.receiving.control_info)
    )


TABLE = {key: _wanted(key) for key in ITEMS}


def messages_of(datagram: Datagram, wanted: Collection[tuple[int, int]]) -> list[bytes]:
    """The messages of a datagram for a socket with the options `wanted`, each as long as the space it takes."""
    messages = []
    length = len(datagram.destination)
    for key, item in ITEMS.items():
        if item.address_length == length and key in wanted:
            messages.append(message(key[0], item.type, item.value(datagram)))
    return messages


# What datagrams are sent with

_INT = 4
_SIZES = {
    (IPPROTO_IP, IP_PKTINFO): IN_PKTINFO.SIZE,
    (IPPROTO_IP, IP_TOS): _INT,
    (IPPROTO_IP, IP_ECN): _INT,
    (IPPROTO_IPV6, IPV6_PKTINFO): IN6_PKTINFO.SIZE,
    (IPPROTO_IPV6, IPV6_TCLASS): _INT,
    (IPPROTO_IPV6, IPV6_ECN): _INT,
}
"""Bytes of data, by level and type."""
_PACKET_INFO = {IP_PKTINFO, IPV6_PKTINFO}
_ECN_TYPES = {IP_ECN, IPV6_ECN}


def packet_info(ControlInfo: Any, ControlInfoLength: int, level: int) -> PacketInfo:
    """What ControlInfo says of a datagram whose destination is of `level`; messages of the other level do not count.

    Raises `LocalError` INVALID_ARGUMENT (memory that is no row of messages, numbers out of range) or NOT_SUPPORTED (a
    message without meaning here).
    """
    source, if_index, traffic_class, ecn = None, 0, 0, 0
    for message_level, kind, data in messages_in(ControlInfo, ControlInfoLength):
        size = _SIZES.get((message_level, kind))
        if size is None:
            raise LocalError(ErrorKind.NOT_SUPPORTED, f"no control message {kind} of level {message_level}")
        if len(data) != size:
            raise LocalError(ErrorKind.INVALID_ARGUMENT, f"control message {kind} has {len(data)} bytes, not {size}")
        if message_level != level:
            continue
        if kind in _PACKET_INFO:
            source, if_index = data[:-_INT], int.from_bytes(data[-_INT:], "little")
            continue
        number = int.from_bytes(data, "little")
        if number > (ECN if kind in _ECN_TYPES else 0xFF):
            raise LocalError(ErrorKind.INVALID_ARGUMENT, f"control message {kind} cannot be {number}")
        if kind in _ECN_TYPES:
            ecn = number
        else:
            traffic_class = number
    if source is not None and is_unspecified(source):
        source = None
    return PacketInfo(source, if_index, traffic_class | ecn)
