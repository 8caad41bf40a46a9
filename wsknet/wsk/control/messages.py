"""Control information of datagrams, as the messages of `cmsg`: what they bring, and what they are sent with (WSK-5.5).

A dual-stack socket has the options of both levels, and what came or goes over IPv4 has messages of IPPROTO_IP alone
(ws2ipdef.h).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from wsknet.errors import ErrorKind, LocalError
from wsknet.net.path import needs_zone
from wsknet.net.well_known import LIMITED_BROADCAST
from wsknet.transport.endpoint import PacketInfo
from wsknet.types import is_unspecified
from wsknet.wsk.cmsg import message, messages_in
from wsknet.wsk.constants import (
    IP_ECN,
    IP_HOPLIMIT,
    IP_OPTIONS,
    IP_ORIGINAL_ARRIVAL_IF,
    IP_PKTINFO,
    IP_PKTINFO_EX,
    IP_RECVDSTADDR,
    IP_RECVERR,
    IP_RECVIF,
    IP_RECVTOS,
    IP_TOS,
    IP_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_UDP,
    IPV6_ECN,
    IPV6_HOPLIMIT,
    IPV6_PKTINFO,
    IPV6_PKTINFO_EX,
    IPV6_RECVDSTADDR,
    IPV6_RECVERR,
    IPV6_RECVIF,
    IPV6_RECVTCLASS,
    IPV6_RTHDR,
    IPV6_TCLASS,
    UDP_COALESCED_INFO,
    UDP_SEND_MSG_SIZE,
)
from wsknet.wsk.control.option import DATAGRAM, Option, apply_to_endpoint, number, of_level
from wsknet.wsk.ip_structures import IN6_PKTINFO_EX, IN_PKTINFO_EX, IN_RECVERR
from wsknet.wsk.structures import IN6_PKTINFO, IN_PKTINFO

if TYPE_CHECKING:
    from collections.abc import Collection

    from wsknet.transport.datagram import Datagram
    from wsknet.types import Instant

ECN = 0x03
"""The bits of a traffic class that RFC 3168 took."""


# What datagrams bring


class Item(NamedTuple):
    """A message that an option asks for."""

    address_length: int
    """Of the datagrams that have it; 0: of all."""
    type: int
    value: Callable[[Datagram], bytes | None]
    """`None`: this one has none."""


def _int(value: int) -> bytes:
    return value.to_bytes(4, "little")


def _packet_info(datagram: Datagram) -> bytes:
    return datagram.destination + _int(datagram.if_index)


def _packet_info_ex(datagram: Datagram) -> bytes:
    address = datagram.destination
    has_zone = needs_zone(address) and address != LIMITED_BROADCAST
    return _packet_info(datagram) + _int(datagram.if_index if has_zone else 0)


def _hop_limit(datagram: Datagram) -> bytes | None:
    """An error report has no header of its own, as with the traffic class."""
    return None if datagram.report else _int(datagram.hop_limit)


def _interface(datagram: Datagram) -> bytes:
    return _int(datagram.if_index)


def _destination(datagram: Datagram) -> bytes:
    return datagram.destination


def _traffic_class(datagram: Datagram) -> bytes | None:
    return None if datagram.report else _int(datagram.traffic_class)


def _ecn(datagram: Datagram) -> bytes | None:
    return None if datagram.report else _int(datagram.traffic_class & ECN)


def _error(datagram: Datagram) -> bytes | None:
    report = datagram.report
    return None if report is None else bytes(IN_RECVERR(report.protocol, report.mtu, report.type, report.code))


def _message_size(datagram: Datagram) -> bytes | None:
    return _int(datagram.message_size) if datagram.message_size else None


ITEMS = {
    (IPPROTO_IP, IP_PKTINFO): Item(4, IP_PKTINFO, _packet_info),
    (IPPROTO_IP, IP_HOPLIMIT): Item(4, IP_TTL, _hop_limit),
    (IPPROTO_IP, IP_RECVIF): Item(4, IP_RECVIF, _interface),
    (IPPROTO_IP, IP_RECVDSTADDR): Item(4, IP_RECVDSTADDR, _destination),
    (IPPROTO_IP, IP_RECVTOS): Item(4, IP_TOS, _traffic_class),
    (IPPROTO_IP, IP_ECN): Item(4, IP_ECN, _ecn),
    (IPPROTO_IP, IP_ORIGINAL_ARRIVAL_IF): Item(4, IP_ORIGINAL_ARRIVAL_IF, _interface),
    (IPPROTO_IP, IP_PKTINFO_EX): Item(4, IP_PKTINFO_EX, _packet_info_ex),
    (IPPROTO_IP, IP_RECVERR): Item(4, IP_RECVERR, _error),
    (IPPROTO_IPV6, IPV6_PKTINFO): Item(16, IPV6_PKTINFO, _packet_info),
    (IPPROTO_IPV6, IPV6_HOPLIMIT): Item(16, IPV6_HOPLIMIT, _hop_limit),
    (IPPROTO_IPV6, IPV6_RECVIF): Item(16, IPV6_RECVIF, _interface),
    (IPPROTO_IPV6, IPV6_RECVDSTADDR): Item(16, IPV6_RECVDSTADDR, _destination),
    (IPPROTO_IPV6, IPV6_RECVTCLASS): Item(16, IPV6_TCLASS, _traffic_class),
    (IPPROTO_IPV6, IPV6_ECN): Item(16, IPV6_ECN, _ecn),
    (IPPROTO_IPV6, IP_ORIGINAL_ARRIVAL_IF): Item(16, IP_ORIGINAL_ARRIVAL_IF, _interface),
    (IPPROTO_IPV6, IPV6_PKTINFO_EX): Item(16, IPV6_PKTINFO_EX, _packet_info_ex),
    (IPPROTO_IPV6, IPV6_RECVERR): Item(16, IPV6_RECVERR, _error),
    (IPPROTO_UDP, UDP_COALESCED_INFO): Item(0, UDP_COALESCED_INFO, _message_size),
}
"""By level and option; the last comes with UDP_RECV_MAX_COALESCED_SIZE.  Messages come in this order.

There are no tunnels here, so the original interface of arrival is the interface of arrival.
"""
_REPORTS = {(IPPROTO_IP, IP_RECVERR): 4, (IPPROTO_IPV6, IPV6_RECVERR): 16}
"""Options that ask for ICMP errors, and the address lengths of these."""


def lengths_of_reports(wanted: Collection[tuple[int, int]]) -> tuple[int, ...]:
    """As `DatagramEndpoint.reports_errors`."""
    return tuple(length for key, length in _REPORTS.items() if key in wanted)


def _wanted(key: tuple[int, int]) -> Option:
    """Counts for what is received from then on, and for what waits in the queue."""

    def set_value(socket: Any, value: int, now: Instant) -> None:
        receiving = socket.options.receiving
        receiving.control_info = receiving.control_info | {key} if value else receiving.control_info - {key}
        if key in _REPORTS:
            apply_to_endpoint(socket)

    return number(
        of_level(key[0], DATAGRAM), set_value, lambda socket: int(key in socket.options.receiving.control_info)
    )


TABLE = {key: _wanted(key) for key in ITEMS if key[0] != IPPROTO_UDP}


def messages_of(datagram: Datagram, wanted: Collection[tuple[int, int]]) -> list[bytes]:
    """The messages of a datagram for a socket with the options `wanted`, each as long as the space it takes."""
    messages = []
    length = len(datagram.destination)
    for key, item in ITEMS.items():
        if item.address_length in (0, length) and key in wanted:
            value = item.value(datagram)
            if value is not None:
                messages.append(message(key[0], item.type, value))
    return messages


# What datagrams are sent with

_INT = 4
_SIZES = {
    (IPPROTO_IP, IP_PKTINFO): IN_PKTINFO.SIZE,
    (IPPROTO_IP, IP_PKTINFO_EX): IN_PKTINFO_EX.SIZE,
    (IPPROTO_IP, IP_TOS): _INT,
    (IPPROTO_IP, IP_ECN): _INT,
    (IPPROTO_IPV6, IPV6_PKTINFO): IN6_PKTINFO.SIZE,
    (IPPROTO_IPV6, IPV6_PKTINFO_EX): IN6_PKTINFO_EX.SIZE,
    (IPPROTO_IPV6, IPV6_TCLASS): _INT,
    (IPPROTO_IPV6, IPV6_ECN): _INT,
    (IPPROTO_UDP, UDP_SEND_MSG_SIZE): _INT,
}
"""Bytes of data, by level and type."""
_NOTHING = {(IPPROTO_IP, IP_OPTIONS), (IPPROTO_IPV6, IPV6_RTHDR)}
"""Legal without data, as drivers pad a row of messages with them: no option, and no routing header."""
_PACKET_INFO = {IP_PKTINFO, IPV6_PKTINFO}
_PACKET_INFO_EX = {IP_PKTINFO_EX, IPV6_PKTINFO_EX}
_ECN_TYPES = {IP_ECN, IPV6_ECN}


def packet_info(ControlInfo: Any, ControlInfoLength: int, level: int, usual_class: int) -> PacketInfo:
    """What ControlInfo says of a datagram whose destination is of `level`; messages of the other level do not count.

    `usual_class` is the traffic class that it else has.  Raises `LocalError` INVALID_ARGUMENT (memory that is no row of
    messages, numbers out of range) or NOT_SUPPORTED (a message without meaning here).
    """
    source, if_index, message_size = None, 0, None
    traffic_class: int | None = None
    ecn: int | None = None
    for message_level, kind, data in messages_in(ControlInfo, ControlInfoLength):
        if not data and (message_level, kind) in _NOTHING:
            continue
        _check(message_level, kind, data)
        if message_level == IPPROTO_UDP:
            message_size = int.from_bytes(data, "little")
        elif message_level != level:
            continue
        elif kind in _PACKET_INFO | _PACKET_INFO_EX:
            source, if_index = _source_and_interface(kind, data)
        elif kind in _ECN_TYPES:
            ecn = _bits(kind, data, ECN)
        else:
            traffic_class = _bits(kind, data, 0xFF)
    if source is not None and is_unspecified(source):
        source = None
    if ecn is not None:
        traffic_class = (usual_class if traffic_class is None else traffic_class) & ~ECN | ecn
    return PacketInfo(source, if_index, traffic_class, message_size)


def _check(level: int, kind: int, data: bytes) -> None:
    size = _SIZES.get((level, kind))
    if size is None:
        raise LocalError(ErrorKind.NOT_SUPPORTED, f"no control message {kind} of level {level}")
    if len(data) != size:
        raise LocalError(ErrorKind.INVALID_ARGUMENT, f"control message {kind} has {len(data)} bytes, not {size}")


def _source_and_interface(kind: int, data: bytes) -> tuple[bytes, int]:
    """The scope of the longer structure is the interface where that is not told."""
    scope = 0
    if kind in _PACKET_INFO_EX:
        data, scope = data[:-_INT], int.from_bytes(data[-_INT:], "little")
    return data[:-_INT], int.from_bytes(data[-_INT:], "little") or scope


def _bits(kind: int, data: bytes, most: int) -> int:
    number = int.from_bytes(data, "little")
    if number > most:
        raise LocalError(ErrorKind.INVALID_ARGUMENT, f"control message {kind} cannot be {number}")
    return number
