"""The frames in which SAN NICs talk to each other, one after the other in the stream of a TCP connection.

[design] Every frame begins with 16 bytes in network order: magic ``SD``, version 1 (u8), kind (u8), flags (u16) and
reserved (u16), both 0, length of what follows (u32), tag (u32).  A frame of a fixed size is read as a whole; of those
that carry data the head is read, and the data goes from the stream to where it belongs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import ClassVar, NamedTuple, TypeAlias

from wsknet.types import Buffer, Buffers, Endpoint

MAGIC = b"SD"
VERSION = 1
DESCRIPTOR_SIZE = 16
"""Bytes of what names RDMA memory to the peer."""
LARGEST_MESSAGE = 1 << 20
"""Bytes in a MESSAGE, and [design] far above SO_MAX_MSG_SIZE: what does not fit its receive is refused there."""
LARGEST_TRANSFER = 1 << 30
"""Bytes in a WRITE, asked for by a READ, or in a DATA: the same for SO_MAX_RDMA_SIZE."""

_HEADER = Struct("!2sBBHHII")
_REQUEST = Struct("!4sH4sH")
_WRITE = Struct("!16sQ")
_READ = Struct("!16sQI")
_ERROR = Struct("!I")

HEADER_SIZE = _HEADER.size
LONGEST_HEAD = HEADER_SIZE + _READ.size


class Kind(IntEnum):
    REQUEST = 1
    ACCEPT = 2
    REJECT = 3
    MESSAGE = 4
    WRITE = 5
    READ = 6
    DATA = 7
    ERROR = 8
    CLOSE = 9


class RejectReason(IntEnum):
    """Why a request was not accepted; a number that is none of these is taken for NO_RESOURCES."""

    NO_LISTENER = 1
    REFUSED = 2
    """The backlog is full, or the condition function said CF_REJECT."""
    TCPIP_ONLY = 3
    """Somebody listens there, but through TCP/IP alone."""
    NO_RESOURCES = 4


class AccessFault(IntEnum):
    """What is wrong with a WRITE or a READ; a number that is none of these is taken for DENIED."""

    DENIED = 1
    """The descriptor is none of this connection's, any more or at all, or it was registered for the other access."""
    OUT_OF_BOUNDS = 2


class BadFrame(Exception):
    """The stream holds what no SAN NIC sends here: one sentence about it."""


@dataclass(frozen=True)
class Request:
    """Who asks whom: the names of the two companions.  First frame of each connection."""

    source: Endpoint
    destination: Endpoint
    kind: ClassVar = Kind.REQUEST


@dataclass(frozen=True)
class Accept:
    """The connection is established."""

    kind: ClassVar = Kind.ACCEPT


@dataclass(frozen=True)
class Reject:
    reason: RejectReason
    kind: ClassVar = Kind.REJECT


@dataclass(frozen=True)
class Message:
    """One WSPSend, for one posted WSPRecv."""

    payload: Buffers = ()
    kind: ClassVar = Kind.MESSAGE


@dataclass(frozen=True)
class Write:
    """WSPRdmaWrite: to be placed at `offset` of the memory that `descriptor` names."""

    descriptor: bytes
    offset: int
    payload: Buffers = ()
    kind: ClassVar = Kind.WRITE


@dataclass(frozen=True)
class Read:
    """WSPRdmaRead: `length` bytes from `offset` on, as a DATA with the same tag."""

    tag: int
    descriptor: bytes
    offset: int
    length: int
    kind: ClassVar = Kind.READ


@dataclass(frozen=True)
class Data:
    tag: int
    payload: Buffers = ()
    kind: ClassVar = Kind.DATA


@dataclass(frozen=True)
class Error:
    """The sender does not do what the peer asked for, a READ with `tag` or (0) a WRITE, and ends the connection."""

    tag: int
    fault: AccessFault
    kind: ClassVar = Kind.ERROR


@dataclass(frozen=True)
class Close:
    """WSPCloseSocket of the sender."""

    kind: ClassVar = Kind.CLOSE


Frame: TypeAlias = Request | Accept | Reject | Message | Write | Read | Data | Error | Close


class Head(NamedTuple):
    """A frame up to its data."""

    frame: Frame
    """Complete but for the payload."""
    size: int
    """Bytes of the stream that it took."""
    length: int
    """Bytes of data behind it."""


def encode(frame: Frame) -> Buffers:
    """The head, and the buffers of the payload as they are."""
    tag, fixed, payload = 0, b"", ()  # type: tuple[int, bytes, Buffers]
    if isinstance(frame, Request):
        source, destination = frame.source, frame.destination
        fixed = _REQUEST.pack(source.address, source.port, destination.address, destination.port)
    elif isinstance(frame, Reject):
        tag = frame.reason
    elif isinstance(frame, Message):
        payload = frame.payload
    elif isinstance(frame, Write):
        fixed, payload = _WRITE.pack(frame.descriptor, frame.offset), frame.payload
    elif isinstance(frame, Read):
        tag, fixed = frame.tag, _READ.pack(frame.descriptor, frame.offset, frame.length)
    elif isinstance(frame, Data):
        tag, payload = frame.tag, frame.payload
    elif isinstance(frame, Error):
        tag, fixed = frame.tag, _ERROR.pack(frame.fault)
    length = len(fixed) + sum(map(len, payload))
    return _HEADER.pack(MAGIC, VERSION, frame.kind, 0, 0, length, tag) + fixed, *payload


_FIXED = {Kind.REQUEST: _REQUEST, Kind.WRITE: _WRITE, Kind.READ: _READ, Kind.ERROR: _ERROR}
"""What stands between header and data; of the other kinds nothing."""
_NOTHING = Struct("")
_LARGEST = {Kind.MESSAGE: LARGEST_MESSAGE, Kind.WRITE: LARGEST_TRANSFER, Kind.DATA: LARGEST_TRANSFER}
"""Bytes of data; the other kinds carry none."""


def parse(stream: Buffer) -> Head | None:
    """The head of the frame that `stream` begins with; `None` as long as it is not there as a whole.

    `LONGEST_HEAD` bytes are enough for every frame.  Raises `BadFrame`.
    """
    if len(stream) < HEADER_SIZE:
        return None
    magic, version, number, flags, reserved, length, tag = _HEADER.unpack_from(stream)
    if magic != MAGIC or version != VERSION or flags or reserved:
        raise BadFrame("no frame of a SAN NIC, or one of another version")
    try:
        kind = Kind(number)
    except ValueError:
        raise BadFrame(f"kind {number} does not exist") from None
    fixed = _FIXED.get(kind, _NOTHING)
    if not fixed.size <= length <= fixed.size + _LARGEST.get(kind, 0):
        raise BadFrame(f"{kind.name} with {length} bytes")
    if len(stream) < HEADER_SIZE + fixed.size:
        return None
    frame = _BUILDERS[kind](tag, *fixed.unpack_from(stream, HEADER_SIZE))
    return Head(frame, HEADER_SIZE + fixed.size, length - fixed.size)


def _request(_tag: int, address: bytes, port: int, to_address: bytes, to_port: int) -> Frame:
    return Request(Endpoint(address, port), Endpoint(to_address, to_port))


def _reject(tag: int) -> Frame:
    try:
        return Reject(RejectReason(tag))
    except ValueError:
        return Reject(RejectReason.NO_RESOURCES)


def _write(_tag: int, descriptor: bytes, offset: int) -> Frame:
    return Write(descriptor, offset)


def _read(tag: int, descriptor: bytes, offset: int, length: int) -> Frame:
    if length > LARGEST_TRANSFER:
        raise BadFrame(f"READ of {length} bytes")
    return Read(tag, descriptor, offset, length)


def _error(tag: int, fault: int) -> Frame:
    try:
        return Error(tag, AccessFault(fault))
    except ValueError:
        return Error(tag, AccessFault.DENIED)


_BUILDERS: dict[Kind, Callable[..., Frame]] = {
    Kind.REQUEST: _request,
    Kind.ACCEPT: lambda _tag: Accept(),
    Kind.REJECT: _reject,
    Kind.MESSAGE: lambda _tag: Message(),
    Kind.WRITE: _write,
    Kind.READ: _read,
    Kind.DATA: Data,
    Kind.ERROR: _error,
    Kind.CLOSE: lambda _tag: Close(),
}
"""Called with the tag and the fields of `_FIXED`."""
