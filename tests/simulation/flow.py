"""One direction of a connection, as somebody sees it who stands beside the sender's card."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from wsknet.types import Instant, Proto
from wsknet.wire import tcp

if TYPE_CHECKING:
    from wsknet.types import Endpoint

FlowKey: TypeAlias = tuple[int, int, int]
"""Length of the addresses, source port, destination port."""
NO_FLOW: FlowKey = (0, 0, 0)
"""Of everything but TCP."""
_MASK = 0xFFFFFFFF
_HALF = 1 << 31
_OFFSET = 0x1FFF
"""Of a fragment of IPv4."""


class Flow:
    def __init__(self) -> None:
        self.losses: list[tuple[Instant, str]] = []
        """Frames that did not arrive as they were sent, and what became of them."""
        self.resets: list[Instant] = []
        self.repeated = 0
        """Segments with data that begin before the end of what was sent already."""
        self.syn: int | None = None
        """The number of the SYN."""
        self.scale: int | None = None
        """What the SYN offered."""
        self._top: int | None = None
        self._raw: tuple[int, int] | None = None
        """Acknowledgement and window field of the latest segment."""

    def sent(self, frame: bytes, now: Instant) -> None:
        header, length = header_of(frame)
        flags = header[13]
        seq, ack = int.from_bytes(header[4:8], "big"), int.from_bytes(header[8:12], "big")
        if flags & tcp.RST:
            self.resets.append(now)
            return
        if flags & tcp.SYN:
            segment = tcp.parse(header[: header[12] >> 4 << 2])
            assert isinstance(segment, tcp.Segment)
            self.syn, self.scale, self._raw = seq, segment.options.window_scale, None
            self._top = seq + 1 & _MASK
            return
        self._raw = ack, int.from_bytes(header[14:16], "big")
        if length and self._top is not None:
            self.repeated += _is_before(seq, self._top)
            end = seq + length & _MASK
            if _is_before(self._top, end):
                self._top = end

    def window_left(self, other: Flow, received: int) -> int | None:
        """Of what the latest segment promised, after `received` bytes of the `other` direction; `None` if unknown."""
        if self._raw is None or other.syn is None or self.syn is None:
            return None
        shift = self.scale if self.scale is not None and other.scale is not None else 0
        ack, window = self._raw
        left = ack + (window << shift) - (other.syn + 1 + received) & _MASK
        return left if left < _HALF else 0


def _is_before(one: int, other: int) -> bool:
    return one != other and (other - one & _MASK) < _HALF


def flow_of(frame: bytes) -> FlowKey:
    if frame[12:14] == b"\x08\x00" and frame[23] == Proto.TCP and not int.from_bytes(frame[20:22], "big") & _OFFSET:
        length, start = 4, 14 + 4 * (frame[14] & 15)
    elif frame[12:14] == b"\x86\xdd" and frame[20] == Proto.TCP:
        length, start = 16, 54
    else:
        return NO_FLOW
    return length, int.from_bytes(frame[start : start + 2], "big"), int.from_bytes(frame[start + 2 : start + 4], "big")


def key_between(local: Endpoint, remote: Endpoint) -> FlowKey:
    return len(local.address), local.port, remote.port


def header_of(frame: bytes) -> tuple[bytes, int]:
    """Of a TCP segment: its header, perhaps with data behind it, and how much data it has."""
    if frame[12] == 8:
        start, end = 14 + 4 * (frame[14] & 15), 14 + int.from_bytes(frame[16:18], "big")
    else:
        start, end = 54, 54 + int.from_bytes(frame[18:20], "big")
    header = frame[start : start + 60]
    return header, end - start - (header[12] >> 4 << 2)
