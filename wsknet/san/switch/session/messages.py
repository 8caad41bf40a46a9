"""The control messages of the session protocol: a header of 16 bytes in network order, and a payload.

The pages say what travels and leave the format open ("Using session protocol"); this one is ours:

    kind (1) . flags (1) . credits (2) . length of the payload (4) . a (4) . b (4)

`credits` counts the receive buffers posted since the latest message; `a` and `b` depend on the kind.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from wsknet.san.switch.session.faults import Fault
from wsknet.types import Buffer

VERSION = 1
HEADER = Struct("!BBHIII")
HEADER_SIZE = HEADER.size
HELLO_PAYLOAD = Struct("!II")
HELLO_LIMIT = 256
"""Bytes of a session negotiation message (SAN-6.6.3, "Accepting connection requests": 256)."""
MOST_CREDITS = 0xFFFF
"""What the field holds."""


class Kind(IntEnum):
    HELLO = 1
    """The first of each side.  a: bytes of each posted buffer; b: RDMA threshold; payload: version (4), most bytes of
    an RDMA transfer (4)."""
    DATA = 2
    LARGE = 3
    """a: bytes in all; b: length of the descriptor with which the payload begins, 0 without; then the first part."""
    TARGET = 4
    """a: bytes that may be written; payload: the descriptor."""
    DONE = 5
    CREDIT = 6
    FIN = 7
    STOP = 8
    ABORT = 9
    """a: an `AbortReason`."""


class AbortReason(IntEnum):
    CLOSED = 0
    PROTOCOL = 1
    UNWANTED_DATA = 2


CAN_READ = 1
"""Of HELLO: the sender's provider has WSPRdmaRead."""
URGENT = 1
"""Of DATA: its last byte ends urgent data."""
WRITTEN = 1
"""Of DONE: from the sender of the LARGE, who has written; without it, from the receiver, who has read."""

_FLAGS = {Kind.HELLO: CAN_READ, Kind.DATA: URGENT, Kind.DONE: WRITTEN}


class Message(NamedTuple):
    kind: Kind
    flags: int
    credits: int
    a: int
    b: int
    payload: memoryview


def header(kind: Kind, flags: int, new_buffers: int, length: int, a: int, b: int) -> bytes:
    return HEADER.pack(kind, flags, new_buffers, length, a, b)


def parse(raw: Buffer) -> Message | Fault:
    """`raw` is one message as it arrived; the payload is a view of it."""
    view = memoryview(raw)
    if len(view) < HEADER_SIZE:
        return Fault.SHORT_HEADER
    number, flags, new_buffers, length, a, b = HEADER.unpack_from(view)
    if length != len(view) - HEADER_SIZE:
        return Fault.LENGTH_MISMATCH
    try:
        kind = Kind(number)
    except ValueError:
        return Fault.UNKNOWN_KIND
    if flags & ~_FLAGS.get(kind, 0):
        return Fault.UNKNOWN_FLAGS
    return Message(kind, flags, new_buffers, a, b, view[HEADER_SIZE:])
