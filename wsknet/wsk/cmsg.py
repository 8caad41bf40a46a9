"""Control messages in memory: a row of them, each a CMSGHDR and its data, and the macros that walk it (ws2def.h).

As on x64, headers and data begin at multiples of 8.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import TYPE_CHECKING, Any, ClassVar

from wsknet.errors import ErrorKind, LocalError

if TYPE_CHECKING:
    from wsknet.wsk.structures import WSAMSG

__all__ = [
    "CMSGHDR", "CMSG_FIRSTHDR", "CMSG_LEN", "CMSG_NXTHDR", "CMSG_SPACE", "WSACMSGHDR", "WSA_CMSGDATA_ALIGN",
    "WSA_CMSGHDR_ALIGN", "WSA_CMSG_DATA", "WSA_CMSG_FIRSTHDR", "WSA_CMSG_LEN", "WSA_CMSG_NXTHDR", "WSA_CMSG_SPACE",
]  # fmt: skip

ALIGNMENT = 8

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


WSA_CMSGHDR_ALIGN = WSA_CMSGDATA_ALIGN = _aligned


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


# What the sockets do with them


def message(level: int, kind: int, data: bytes) -> bytes:
    """As long as the space it takes."""
    header = _header.pack(WSA_CMSG_LEN(len(data)), level, kind)
    return (header + data).ljust(WSA_CMSG_SPACE(len(data)), b"\0")


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


def messages_in(ControlInfo: Any, length: int) -> Iterator[tuple[int, int, bytes]]:
    """Level, type and data of each message.  Raises `LocalError` INVALID_ARGUMENT for what is no row of messages."""
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
