"""The receiving half: what arrives in messages, and what is fetched or asked for by RDMA."""

from __future__ import annotations

from wsknet.san.switch.session.actions import Conceal, Expose, Finished, Read, Readable, Role
from wsknet.san.switch.session.faults import Fault
from wsknet.san.switch.session.messages import URGENT, Kind, Message
from wsknet.san.switch.session.outbox import Outbox
from wsknet.san.switch.session.settings import DESCRIPTOR_LIMIT, Agreement, Settings
from wsknet.san.switch.session.stream import Stream


class _Large:
    """What the peer announced: fetched part by part, as the application makes room."""

    __slots__ = ("descriptor", "is_busy", "offset", "part", "rest", "target")

    def __init__(self, rest: int, descriptor: bytes | None) -> None:
        self.rest = rest
        self.descriptor = descriptor
        """Of the peer's memory; `None`: we cannot read, the peer writes."""
        self.offset = 0
        """Of the next part in the peer's memory."""
        self.part = bytearray()
        self.is_busy = False
        """A part is under way."""
        self.target: bytes | None = None
        """Of `part`, while the peer may write to it."""


class Receiving:
    def __init__(self, outbox: Outbox, settings: Settings) -> None:
        self.stream = Stream()
        self.limit = settings.receive_limit
        self.is_finished = False
        """The peer has sent FIN."""
        self._outbox = outbox
        self._settings = settings
        self._agreement: Agreement | None = None
        self._large: _Large | None = None

    @property
    def is_full(self) -> bool:
        return self.stream.readable > self.limit

    @property
    def is_idle(self) -> bool:
        """Nothing has arrived, or is arriving, that the application has not read."""
        return self._large is None and not self.stream.readable

    def open(self, agreement: Agreement) -> None:
        self._agreement = agreement

    def data(self, message: Message) -> Fault | None:
        fault = self._refusal()
        if fault is None:
            self._append(bytes(message.payload), bool(message.flags & URGENT))
        return fault

    def _refusal(self) -> Fault | None:
        if self.is_finished:
            return Fault.AFTER_FIN
        return Fault.DURING_LARGE if self._large is not None else None

    def _append(self, data: bytes | bytearray, is_urgent: bool = False) -> None:
        self.stream.append(data, is_urgent=is_urgent)
        self._outbox.tell(Readable())

    def finish(self) -> Fault | None:
        fault = self._refusal()
        if fault is None:
            self.is_finished = True
            self._outbox.tell(Finished())
        return fault

    def large(self, message: Message) -> Fault | None:
        fault = self._refusal()
        if fault is not None:
            return fault
        first = message.payload[message.b :]
        is_described = 0 < message.b <= min(DESCRIPTOR_LIMIT, len(message.payload))
        if message.a <= len(first) or (not is_described if self._settings.can_read else message.b):
            return Fault.BAD_LARGE
        descriptor = bytes(message.payload[: message.b]) if is_described else None
        self._append(bytes(first))
        self._large = _Large(message.a - len(first), descriptor)
        return None

    def advance(self) -> None:
        """Begin with the next part of what is announced, when half of what may wait is free, or all of it fits.

        Parts smaller than a message would cost more than they bring, however little may wait.
        """
        large = self._large
        if large is None or large.is_busy:
            return
        limit = max(self.limit, self._settings.buffer_size)
        room = limit - self.stream.readable
        if room < min(large.rest, limit // 2):
            return
        assert self._agreement is not None
        large.is_busy = True
        size = min(large.rest, room)
        if large.descriptor is None:
            large.part = bytearray(size)
            self._outbox.actions.append(Expose(memoryview(large.part), Role.TARGET))
        else:
            large.part = bytearray(min(size, self._agreement.max_rdma))
            self._outbox.actions.append(Read(memoryview(large.part), large.descriptor, large.offset))

    def exposed(self, descriptor: bytes) -> None:
        large = self._large
        assert large is not None
        large.target = descriptor
        self._outbox.control(Kind.TARGET, a=len(large.part), payload=descriptor)

    def has_read(self) -> None:
        large = self._large
        assert large is not None
        if self._take_part(large):
            self._outbox.control(Kind.DONE)

    def done(self) -> Fault | None:
        """The peer has written."""
        large = self._large
        if large is None or large.target is None:
            return Fault.UNEXPECTED_DONE
        self._outbox.actions.append(Conceal(large.target))
        large.target = None
        self._take_part(large)
        return None

    def _take_part(self, large: _Large) -> bool:
        """Whether it was the last one."""
        large.is_busy = False
        large.offset += len(large.part)
        large.rest -= len(large.part)
        if not large.rest:
            self._large = None
        self._append(large.part)
        return not large.rest

    def drop(self) -> None:
        """Nothing more comes in; what has arrived stays readable."""
        if self._large is not None and self._large.target is not None:
            self._outbox.actions.append(Conceal(self._large.target))
        self._large = None
