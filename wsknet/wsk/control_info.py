"""Control information of datagrams: a row of messages, each a CMSGHDR and its data (ws2def.h, ws2ipdef.h; WSK-5.5).

As on x64, headers and data begin at multiples of 8.  A dual-stack socket has the options of both levels, and what came
or goes over IPv4 has messages of IPPROTO_IP alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import Struct
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from wsknet.errors import ErrorKind, LocalError
from wsknet.transport.endpoint import PacketInfo
from wsknet.types import is_unspecified
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
from wsknet.wsk.steering_options import require_level
from wsknet.wsk.structures import IN6_PKTINFO, IN_PKTINFO

if TYPE_CHECKING:
    from collections.abc import Collection

    from wsknet.transport.udp.endpoint import Datagram
    from wsknet.wsk.structures import WSAMSG

__all__ = [
    "CMSGHDR", "CMSG_FIRSTHDR", "CMSG_LEN", "CMSG_NXTHDR", "CMSG_SPACE", "WSACMSGHDR", "WSA_CMSG_DATA",
    "WSA_CMSG_FIRSTHDR", "WSA_CMSG_LEN", "WSA_CMSG_NXTHDR", "WSA_CMSG_SPACE",
]  # fmt: skip

ALIGNMENT = 8
ECN = 0x03
"""The bits of a traffic class that RFC 3168 took."""

_header = Struct("<Qii")


class CMSGHDR:
    """The header of one message, seen in the memory that the messages stand in."""

    __slots__ = ("_at", "_memory")
    SIZE: ClassVar[int] = _header.size

    def __init__(self, cmsg_len: int = 0, cmsg_level: int = 0, cmsg_type: int = 0) -> None:
        self._memory = memoryview(bytearray(_header.pack(cmsg_len, cmsg_level, cmsg_type)))
        self._at = 0

    @classmethod
    def cast(cls, memory: bytes | bytearray | memoryview, at: int = 0) -> CMSGHDR:
        """The C cast: what stands in `memory` from its byte `at` on, which must be a whole header."""
        view = memoryview(memory).cast("B")
        if not 0 <= at <= len(view) - cls.SIZE:
            raise ValueError(f"no CMSGHDR at byte {at} of {len(view)}")
        header = cls.__new__(cls)
        header._memory, header._at = view, at
        return header

    @property
    def cmsg_len(self) -> int:
        """Header and data, without what is left free behind them."""
        return self._fields()[0]

    @cmsg_len.setter
    def cmsg_len(self, value: int) -> None:
        self._store(value, self.cmsg_level, self.cmsg_type)

    @property
    def cmsg_level(self) -> int:
        return self._fields()[1]

    @cmsg_level.setter
    def cmsg_level(self, value: int) -> None:
        self._store(self.cmsg_len, value, self.cmsg_type)

    @property
    def cmsg_type(self) -> int:
        return self._fields()[2]

    @cmsg_type.setter
    def cmsg_type(self, value: int) -> None:
        self._store(self.cmsg_len, self.cmsg_level, value)

    def _fields(self) -> tuple[int, int, int]:
        length, level, kind = _header.unpack_from(self._memory, self._at)
        return length, level, kind

    def _store(self, *fields: int) -> None:
        _header.pack_into(self._memory, self._at, *fields)

    def __bytes__(self) -> bytes:
        """From this header to the end of the memory."""
        return bytes(self._memory[self._at :])


WSACMSGHDR = CMSGHDR


def _aligned(length: int) -> int:
    return length + ALIGNMENT - 1 & -ALIGNMENT


def WSA_CMSG_LEN(length: int) -> int:
    """What `cmsg_len` is for `length` bytes of data."""
    return _aligned(CMSGHDR.SIZE) + length


def WSA_CMSG_SPACE(length: int) -> int:
    """Bytes that a message with `length` bytes of data takes."""
    return _aligned(CMSGHDR.SIZE + _aligned(length))


def WSA_CMSG_DATA(cmsg: CMSGHDR) -> memoryview:
    """The data, as much of it as `cmsg_len` tells and the memory holds."""
    return cmsg._memory[cmsg._at + CMSGHDR.SIZE : cmsg._at + max(cmsg.cmsg_len, CMSGHDR.SIZE)]


def WSA_CMSG_FIRSTHDR(msg: WSAMSG) -> CMSGHDR | None:
    """NULL if `Control` has no room for a header."""
    control = msg.Control.buf
    if control is None or msg.Control.len < CMSGHDR.SIZE:
        return None
    return control if isinstance(control, CMSGHDR) else CMSGHDR.cast(control)


def WSA_CMSG_NXTHDR(msg: WSAMSG, cmsg: CMSGHDR | None) -> CMSGHDR | None:
    """The header behind `cmsg`, the first for NULL.  NULL after the last, and where `cmsg_len` leads nowhere."""
    if cmsg is None:
        return WSA_CMSG_FIRSTHDR(msg)
    start = msg.Control.buf._at if isinstance(msg.Control.buf, CMSGHDR) else 0
    following = cmsg._at + _aligned(cmsg.cmsg_len)
    end = min(start + msg.Control.len, len(cmsg._memory))
    if cmsg.cmsg_len < CMSGHDR.SIZE or following + CMSGHDR.SIZE > end:
        return None
    return CMSGHDR.cast(cmsg._memory, following)


CMSG_FIRSTHDR, CMSG_NXTHDR = WSA_CMSG_FIRSTHDR, WSA_CMSG_NXTHDR
CMSG_LEN, CMSG_SPACE = WSA_CMSG_LEN, WSA_CMSG_SPACE


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


def is_item(socket: Any, Level: int, ControlCode: int) -> bool:
    """Whether this is one of `ITEMS`.  Raises `LocalError` INVALID_ARGUMENT where the socket has no such level."""
    if (Level, ControlCode) not in ITEMS:
        return False
    require_level(socket, Level, is_for_datagrams=True)
    return True


def set_item(socket: Any, Level: int, ControlCode: int, is_on: bool) -> None:
    """Counts for what is received from then on, and for what waits in the queue."""
    wanted: set[tuple[int, int]] = socket.options.receiving.control_info
    if is_on:
        wanted.add((Level, ControlCode))
    else:
        wanted.discard((Level, ControlCode))


def messages_of(datagram: Datagram, wanted: Collection[tuple[int, int]]) -> list[bytes]:
    """The messages of a datagram for a socket with the options `wanted`, each as long as the space it takes."""
    messages = []
    length = len(datagram.destination)
    for key, item in ITEMS.items():
        if item.address_length == length and key in wanted:
            data = item.value(datagram)
            message = _header.pack(WSA_CMSG_LEN(len(data)), key[0], item.type) + data
            messages.append(message.ljust(WSA_CMSG_SPACE(len(data)), b"\0"))
    return messages


def store(messages: list[bytes], ControlInfo: Any, room: int) -> tuple[int, bool]:
    """Fill the memory behind ControlInfo, of which `room` bytes may be used: bytes filled, and whether all have fitted.

    What does not fit whole is left out.
    """
    if isinstance(ControlInfo, CMSGHDR):
        memory = ControlInfo._memory[ControlInfo._at :]
    else:
        memory = memoryview(ControlInfo if isinstance(ControlInfo, bytearray | memoryview) else b"").cast("B")
    room = min(room, len(memory)) if not memory.readonly else 0
    filled = 0
    for message in messages:
        if filled + len(message) > room:
            return filled, False
        memory[filled : filled + len(message)] = message
        filled += len(message)
    return filled, True


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
    for message_level, kind, data in _messages_in(ControlInfo, ControlInfoLength):
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


def _messages_in(ControlInfo: Any, length: int) -> Iterator[tuple[int, int, bytes]]:
    """Level, type and data of each message."""
    if not isinstance(ControlInfo, CMSGHDR | bytes | bytearray | memoryview):
        raise LocalError(ErrorKind.INVALID_ARGUMENT, "ControlInfo is memory or a CMSGHDR in it")
    octets = bytes(ControlInfo)
    if not CMSGHDR.SIZE <= length <= len(octets):
        raise LocalError(ErrorKind.INVALID_ARGUMENT, f"ControlInfoLength is {length}, there are {len(octets)} bytes")
    at = 0
    while at + CMSGHDR.SIZE <= length:
        size, level, kind = _header.unpack_from(octets, at)
        if not CMSGHDR.SIZE <= size <= length - at:
            raise LocalError(ErrorKind.INVALID_ARGUMENT, f"a control message cannot have {size} bytes")
        yield level, kind, octets[at + CMSGHDR.SIZE : at + size]
        at += _aligned(size)
