"""The TCP header: RFC 9293 3.1."""

from __future__ import annotations

from struct import Struct

from wsknet.trace import DropReason
from wsknet.types import Buffers
from wsknet.wire import tcp_options
from wsknet.wire.checksum import buffers_sum, ones_sum
from wsknet.wire.tcp_options import NO_OPTIONS, Options

HEADER_LENGTH = 20
"""Without options."""

FIN = 0x01
SYN = 0x02
RST = 0x04
PSH = 0x08
ACK = 0x10
URG = 0x20
ECE = 0x40
CWR = 0x80

_LAYOUT = Struct("!HHIIHHHH")
_unpack = _LAYOUT.unpack_from
_pack = _LAYOUT.pack


class Segment:
    """One received segment.  The receiver may trim it in place."""

    __slots__ = ("ack", "destination_port", "flags", "options", "payload", "seq", "source_port", "urgent", "window")

    def __init__(
        self,
        source_port: int,
        destination_port: int,
        seq: int,
        ack: int,
        flags: int,
        window: int,
        payload: bytes = b"",
        options: Options = NO_OPTIONS,
        urgent: int = 0,
    ) -> None:
        self.source_port = source_port
        self.destination_port = destination_port
        self.seq = seq
        self.ack = ack
        self.flags = flags
        self.window = window
        """As on the wire, not yet scaled."""
        self.payload = payload
        self.options = options
        self.urgent = urgent
        """The urgent pointer; means nothing unless URG is set."""


def parse(payload: bytes) -> Segment | DropReason:
    """`payload` is that of the IP packet.  The checksum is not looked at."""
    length = len(payload)
    if length < HEADER_LENGTH:
        return DropReason.TCP_TRUNCATED
    source_port, destination_port, seq, ack, offset_flags, window, _, urgent = _unpack(payload)
    offset = offset_flags >> 12
    if offset == 5:
        return Segment(
            source_port, destination_port, seq, ack, offset_flags & 0xFF, window, payload[20:], NO_OPTIONS, urgent
        )
    offset *= 4
    if not HEADER_LENGTH <= offset <= length:
        return DropReason.TCP_BAD_OFFSET
    options = tcp_options.parse(payload[HEADER_LENGTH:offset])
    if options is None:
        return DropReason.TCP_BAD_OPTIONS
    return Segment(
        source_port, destination_port, seq, ack, offset_flags & 0xFF, window, payload[offset:], options, urgent
    )


def build(
    source_port: int,
    destination_port: int,
    seq: int,
    ack: int,
    flags: int,
    window: int,
    options: bytes = b"",
    urgent: int = 0,
    checksum: int = 0,
) -> bytes:
    """The header; `options` is padded to a multiple of 4 bytes, as `tcp_options.build` leaves it."""
    offset_flags = (HEADER_LENGTH + len(options)) << 10 | flags
    header = _pack(source_port, destination_port, seq, ack, offset_flags, window, checksum, urgent)
    return header + options if options else header


def build_checked(
    pseudo: int,
    source_port: int,
    destination_port: int,
    seq: int,
    ack: int,
    flags: int,
    window: int,
    options: bytes = b"",
    payload: Buffers = (),
    urgent: int = 0,
) -> bytes:
    """The header with its checksum under `checksum.pseudo_sum`, for `payload` to follow it."""
    header_length = HEADER_LENGTH + len(options)
    offset_flags = header_length << 10 | flags
    total = pseudo + header_length + source_port + destination_port + seq + ack + offset_flags + window + urgent
    if options:
        total += int.from_bytes(options, "big")
    if len(payload) == 1:  # nearly every segment with data: one view of the sender's memory
        data = payload[0]
        total += ones_sum(data) + len(data)
    elif payload:
        total += buffers_sum(payload) + sum(map(len, payload))
    header = _pack(source_port, destination_port, seq, ack, offset_flags, window, -total % 0xFFFF, urgent)
    return header + options if options else header
