"""What captures say about the frames between SAN NICs: each native frame, and the control message inside it.

A frame may share its segment with others, or go on over many: its comment stands at the segment that completes its
head, and again wherever that is sent once more.  A capture of what a receiver has got may have gaps: what stands behind
one is told when the gap is filled.  If it never is, frames are told again from where they can be told apart, and how
much is missing before that.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from wsknet.net.wording import address_text
from wsknet.san.provider import native
from wsknet.san.switch.session.describe import describe_message

if TYPE_CHECKING:
    from wsknet.host import HostInterface
    from wsknet.types import Endpoint

_ETHERNET = 14
_IPV4 = b"\x08\x00"
_TCP = 6
_SYN = 0x02
_MASK = 0xFFFF_FFFF
_HALF = 1 << 31
"""Of the sequence numbers: less is ahead, more is behind."""
_MESSAGE_HEAD = 16
"""Bytes of a control message that tell what it is."""
_REMEMBERED = 512
"""Comments of one direction that a retransmission finds again."""
_FLOWS = 1_024
_MOST_WAITING = 64
"""Segments of one direction that wait for one that was not captured, or comes later."""

_REASONS = {
    native.RejectReason.NO_LISTENER: "nobody listens there",
    native.RejectReason.REFUSED: "refused: the backlog is full, or the condition function said no",
    native.RejectReason.TCPIP_ONLY: "somebody listens there, but through TCP/IP alone",
    native.RejectReason.NO_RESOURCES: "no resources",
}
_FAULTS = {native.AccessFault.DENIED: "access denied", native.AccessFault.OUT_OF_BOUNDS: "out of bounds"}


class _Segment(NamedTuple):
    flow: tuple[bytes, bytes]
    """Both addresses, both ports."""
    sequence: int
    flags: int
    payload: bytes


class _Flow:
    """One direction of a connection.

    Segments behind a gap wait for what is missing.  When too many do it is taken for lost: then the next segment that
    begins with the head of a frame is where the stream is followed again.
    """

    def __init__(self, sequence: int) -> None:
        self._next = sequence
        """Of the first byte that was not seen yet."""
        self._skip = 0
        """Bytes of data until the next frame begins."""
        self._head = b""
        self._told: deque[tuple[int, str]] = deque(maxlen=_REMEMBERED)
        """The sequence number of the last byte of each head, and what it says."""
        self._fresh = 0
        """How many of these, the last, the latest segment has completed."""
        self._waiting: dict[int, bytes] = {}
        """Segments behind a gap, by their sequence numbers."""
        self._lost_at: int | None = None
        """Sequence number from which on nobody knows where frames begin, while it is so."""
        self._is_guess = False
        """Some bytes are missing, and what was read since has begun with what looked like the head of a frame."""
        self._is_over = False
        """There is something else than frames in it."""

    def feed(self, sequence: int, payload: bytes) -> list[str]:
        self._fresh = 0
        if not self._is_over:
            self._keep(sequence, payload)
            self._advance()
        known = len(self._told) - self._fresh
        told = enumerate(self._told)
        return [text for index, (at, text) in told if index >= known or _distance(sequence, at) < len(payload)]

    def _keep(self, sequence: int, payload: bytes) -> None:
        if len(payload) > len(self._waiting.get(sequence, b"")):
            self._waiting[sequence] = payload

    def _advance(self) -> None:
        """Read what can be read."""
        waiting = self._waiting
        while waiting and not self._is_over:
            sequence = min(waiting, key=lambda each: _distance(self._next - _HALF, each))
            gap = _distance(self._next, sequence)
            if gap >= _HALF:  # it begins before
                self._keep(self._next, waiting.pop(sequence)[2 * _HALF - gap :])
            elif self._lost_at is not None:
                self._find_again(sequence)
            elif gap <= self._skip:  # all that is missing is data
                self._skip -= gap
                self._next = sequence
                self._read(waiting.pop(sequence))
            elif len(waiting) > _MOST_WAITING:
                self._lose(self._next)
            else:
                return

    def _lose(self, at: int) -> None:
        self._lost_at = at
        self._head = b""
        self._skip = 0

    def _find_again(self, sequence: int) -> None:
        assert self._lost_at is not None
        segment = self._waiting[sequence]
        if _begins_with_head(segment):
            lost = _distance(self._lost_at, sequence)
            self._lost_at = None
            self._is_guess = True
            self._next = sequence
            self._tell(sequence, f"SAN: {lost} bytes before this are missing, or cannot be told apart")
        else:
            del self._waiting[sequence]
            self._next = (sequence + len(segment)) & _MASK

    def _read(self, fresh: bytes) -> None:
        at = 0
        while at < len(fresh):
            passed = min(self._skip, len(fresh) - at)
            at += passed
            self._skip -= passed
            taken = min(native.LONGEST_HEAD + _MESSAGE_HEAD - len(self._head), len(fresh) - at)
            if self._skip or not taken:
                break
            at += self._frame(self._head + fresh[at : at + taken], len(self._head), at)
            if self._is_over or self._lost_at is not None:
                break
        self._next = (self._next + len(fresh)) & _MASK

    def _frame(self, stream: bytes, known: int, at: int) -> int:
        """How many bytes behind the `known` first ones were used."""
        try:
            head = native.parse(stream)
        except native.BadFrame as error:
            if self._is_guess:
                self._lose(self._next + at - known)
            else:
                self._is_over = True
                self._waiting.clear()
                self._tell(self._next + at, f"SAN: {error}")
            return 0
        looked_into = min(head.length, _MESSAGE_HEAD) if head and isinstance(head.frame, native.Message) else 0
        if head is None or len(stream) < head.size + looked_into:
            self._head = stream
            return len(stream) - known
        used = head.size + looked_into
        self._head = b""
        self._skip = head.length - looked_into
        self._tell(self._next + at + used - known - 1, _text(head, stream[head.size : used]))
        return used - known

    def _tell(self, at: int, text: str) -> None:
        self._told.append((at & _MASK, text))
        self._fresh += 1


def _distance(start: int, end: int) -> int:
    """Bytes from one sequence number to the other, forwards."""
    return (end - start) & _MASK


def _begins_with_head(segment: bytes) -> bool:
    try:
        return native.parse(segment) is not None
    except native.BadFrame:
        return False


def _name(end: Endpoint) -> str:
    return f"{address_text(end.address)}:{end.port}"


def _text(head: native.Head, inside: bytes) -> str:
    frame, length = head.frame, head.length
    match frame:
        case native.Request():
            text = f": {_name(frame.source)} asks {_name(frame.destination)}"
        case native.Reject():
            text = f": {_REASONS[frame.reason]}"
        case native.Message():
            text = f" of {length} bytes: {describe_message(inside)}"
        case native.Write():
            text = f": {length} bytes into the peer's memory from offset {frame.offset}"
        case native.Read():
            text = f" {frame.tag}: asks for {frame.length} bytes from offset {frame.offset}"
        case native.Data():
            text = f" {frame.tag}: {length} bytes"
        case native.Error():
            text = f": {_FAULTS[frame.fault]}; the connection ends"
        case _:
            text = ""
    return f"SAN {frame.kind.name}{text}"


class NativeComments:
    """A `Describer` for one interface: it follows what passes to and from `native_port`."""

    def __init__(self, native_port: int) -> None:
        self.native_port = native_port
        self._port = native_port.to_bytes(2, "big")
        self._flows: dict[tuple[bytes, bytes], _Flow] = {}

    def __call__(self, frame: bytes) -> str:
        segment = self._segment(frame)
        if segment is None:
            return ""
        if segment.flags & _SYN:
            self._flows.pop(segment.flow, None)
            if len(self._flows) >= _FLOWS:
                del self._flows[next(iter(self._flows))]
            self._flows[segment.flow] = _Flow((segment.sequence + 1) & 0xFFFFFFFF)
            return "SAN: a connection between NICs begins" if segment.flags == _SYN else ""
        flow = self._flows.get(segment.flow)
        return "; ".join(flow.feed(segment.sequence, segment.payload)) if flow and segment.payload else ""

    def _segment(self, frame: bytes) -> _Segment | None:
        if frame[12:14] != _IPV4 or len(frame) < _ETHERNET + 40 or frame[_ETHERNET + 9] != _TCP:
            return None
        if int.from_bytes(frame[_ETHERNET + 6 : _ETHERNET + 8], "big") & 0x3FFF:
            return None  # a fragment: SAN NICs send none
        start = _ETHERNET + 4 * (frame[_ETHERNET] & 15)
        end = _ETHERNET + int.from_bytes(frame[_ETHERNET + 2 : _ETHERNET + 4], "big")
        ports = frame[start : start + 4]
        if self._port not in (ports[:2], ports[2:]) or end > len(frame) or end < start + 20:
            return None
        sequence = int.from_bytes(frame[start + 4 : start + 8], "big")
        payload = frame[start + 4 * (frame[start + 12] >> 4) : end]
        return _Segment((frame[_ETHERNET + 12 : _ETHERNET + 20], ports), sequence, frame[start + 13], payload)


def comment_on(interface: HostInterface, native_port: int) -> None:
    """Have captures of `interface` say what its native frames are; once is enough."""
    known = {each.native_port for each in interface.describers if isinstance(each, NativeComments)}
    if native_port not in known:
        interface.describers.append(NativeComments(native_port))
