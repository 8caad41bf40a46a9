"""The sending half: small data in DATA messages, large data by RDMA (page "Using session protocol").

A write above the threshold, and too large for one message, becomes LARGE.  Where the peer can read, the rest of the
memory is exposed before and the peer answers DONE; where it cannot, it answers TARGET, and the rest is written there,
followed by our DONE, as often as it takes.  One LARGE at a time; what is written after it waits behind it.
"""

from __future__ import annotations

from collections import deque

from wsknet.san.switch.session.actions import Conceal, Expose, Role, Writable, Write
from wsknet.san.switch.session.faults import Fault
from wsknet.san.switch.session.messages import URGENT, WRITTEN, Kind, Message
from wsknet.san.switch.session.outbox import Outbox
from wsknet.san.switch.session.settings import DESCRIPTOR_LIMIT, Agreement

_ANY_SIZE = 0xFFFF_FFFF
"""More than a WSABUF holds."""


class _Piece:
    """One write."""

    __slots__ = ("data", "is_urgent", "rest", "uses_messages")

    def __init__(self, data: memoryview, *, is_urgent: bool) -> None:
        self.data = data
        self.rest = data
        self.is_urgent = is_urgent
        self.uses_messages = is_urgent
        """Whatever its size: urgent data travels in control messages ("Sending urgent data on a SAN")."""


class _Large:
    """The transfer under way."""

    __slots__ = ("descriptor", "is_announced", "piece", "rest", "target", "target_rest", "writing")

    def __init__(self, piece: _Piece, first: int) -> None:
        self.piece = piece
        self.rest = piece.data[first:]
        """What RDMA carries, and not yet has."""
        self.descriptor: bytes | None = None
        """Of `rest`, for a peer that reads."""
        self.is_announced = False
        self.target: bytes | None = None
        """Memory of a peer that cannot read."""
        self.target_rest = 0
        self.writing = 0
        """Bytes of the RDMA write under way."""


class Sending:
    def __init__(self, outbox: Outbox, limit: int) -> None:
        self.limit = limit
        self.copied = 0
        """Bytes that wait in memory of ours."""
        self.is_finishing = False
        self.is_finished = False
        """FIN is on its way: nothing follows."""
        self._outbox = outbox
        self._agreement: Agreement | None = None
        self._queue: deque[_Piece] = deque()
        self._large: _Large | None = None
        self._is_room_wanted = False

    @property
    def is_empty(self) -> bool:
        return not self._queue and self._large is None

    @property
    def unsent(self) -> int:
        """Bytes that are in no message, and that the peer has not fetched."""
        large = 0 if self._large is None else len(self._large.piece.data)
        return large + sum(len(piece.rest) for piece in self._queue)

    def open(self, agreement: Agreement) -> None:
        self._agreement = agreement

    @property
    def room(self) -> int:
        """Bytes that may be copied.  With SO_SNDBUF of 0 nothing waits behind anything else, and so one write of any
        size is taken at a time, as by the TCP/IP provider."""
        if not self.limit and not self.copied:
            return _ANY_SIZE
        return max(self.limit - self.copied, 0)

    def write(self, data: memoryview, is_urgent: bool) -> int:
        """Copy as much as there is room for."""
        taken = bytes(data[: self.room])
        if len(taken) < len(data):
            self._is_room_wanted = True
        if taken:
            self.copied += len(taken)
            is_urgent = is_urgent and len(taken) == len(data)
            self._queue.append(_Piece(memoryview(taken), is_urgent=is_urgent))
        return len(taken)

    def advance(self) -> None:
        while self._outbox.takes_data and self._agreement is not None:
            large = self._large
            if large is not None:
                if not large.is_announced and large.descriptor is not None:
                    self._announce(large, self._agreement)
                return
            if not self._queue:
                break
            if self._is_large(self._queue[0], self._agreement):
                self._begin_large(self._queue.popleft(), self._agreement)
            else:
                self._send_small(self._agreement)
        if self.is_finishing and not self.is_finished and self.is_empty:
            self.is_finished = True
            self._outbox.is_ending = True
            self._outbox.control(Kind.FIN)

    # Small data

    def _is_large(self, piece: _Piece, agreement: Agreement) -> bool:
        return not piece.uses_messages and len(piece.data) > max(agreement.threshold, agreement.capacity)

    def _send_small(self, agreement: Agreement) -> None:
        """As many writes as one message holds; one that is urgent is the last of it, and the mark stands at its end."""
        queue = self._queue
        room = agreement.capacity
        parts: list[memoryview] = []
        completed: list[_Piece] = []
        flags = 0
        while queue and not flags:
            piece = queue[0]
            if parts and (not room or self._is_large(piece, agreement)):
                break
            part, piece.rest = piece.rest[:room], piece.rest[room:]
            parts.append(part)
            room -= len(part)
            if piece.rest:
                break
            completed.append(queue.popleft())
            flags = URGENT if piece.is_urgent else 0
        payload = parts[0] if len(parts) == 1 else b"".join(parts)
        if len(payload):
            self._outbox.send(Kind.DATA, flags, payload=payload)
        for piece in completed:
            self._complete(piece)

    def _complete(self, piece: _Piece) -> None:
        self.copied -= len(piece.data)
        if self._is_room_wanted and self.room:
            self._is_room_wanted = False
            self._outbox.tell(Writable())

    # Large data

    def _begin_large(self, piece: _Piece, agreement: Agreement) -> None:
        first = agreement.capacity - (DESCRIPTOR_LIMIT if agreement.peer_can_read else 0)
        large = self._large = _Large(piece, first)
        if agreement.peer_can_read:
            self._outbox.actions.append(Expose(large.rest, Role.SOURCE))
        else:
            self._announce(large, agreement)

    def exposed(self, descriptor: bytes | None) -> None:
        """The answer to `Expose`; `None`: the memory cannot be registered."""
        large = self._large
        assert large is not None
        if descriptor is not None:
            large.descriptor = descriptor
            return
        self._large = None
        large.piece.uses_messages = True  # its bytes have been accepted, so that no error can be told any more
        self._queue.appendleft(large.piece)

    def _announce(self, large: _Large, agreement: Agreement) -> None:
        data = large.piece.data
        first = data[: len(data) - len(large.rest)]
        descriptor = large.descriptor or b""
        large.is_announced = True
        payload = b"".join((descriptor, first))
        self._outbox.send(Kind.LARGE, a=len(data), b=len(descriptor), payload=payload)

    def target(self, message: Message) -> Fault | None:
        large = self._large
        if large is None or not large.is_announced or large.descriptor is not None or large.target is not None:
            return Fault.UNEXPECTED_TARGET
        if not 0 < message.a <= len(large.rest) or not 0 < len(message.payload) <= DESCRIPTOR_LIMIT:
            return Fault.BAD_TARGET
        large.target = bytes(message.payload)
        large.target_rest = message.a
        self._write_on(large, 0)
        return None

    def _write_on(self, large: _Large, offset: int) -> None:
        assert self._agreement is not None
        assert large.target is not None
        large.writing = min(large.target_rest, self._agreement.max_rdma)
        self._outbox.actions.append(Write(large.rest[: large.writing], large.target, offset))
        large.target_rest -= large.writing

    def has_written(self, action: Write) -> None:
        large = self._large
        assert large is not None
        large.rest = large.rest[large.writing :]
        if large.target_rest:
            self._write_on(large, action.offset + large.writing)
            return
        large.target = None
        self._outbox.control(Kind.DONE, WRITTEN)
        if not large.rest:
            self._complete_large(large)

    def done(self) -> Fault | None:
        """The peer has read."""
        large = self._large
        if large is None or not large.is_announced or large.descriptor is None:
            return Fault.UNEXPECTED_DONE
        self._outbox.actions.append(Conceal(large.descriptor))
        self._complete_large(large)
        return None

    def _complete_large(self, large: _Large) -> None:
        self._large = None
        self._complete(large.piece)

    def drop(self) -> None:
        """Nothing more goes out."""
        large = self._large
        if large is not None and large.descriptor is not None:
            self._outbox.actions.append(Conceal(large.descriptor))
        self._large = None
        self._queue.clear()
        self._is_room_wanted = False
