"""Two sessions and a wire between them that keeps the order of messages and nothing else: each step is chosen."""

from __future__ import annotations

from collections import deque

from wsknet.san.numbers import WSAECONNRESET
from wsknet.san.switch.session import (
    Action,
    Conceal,
    Event,
    Expose,
    Failed,
    Finished,
    Read,
    Readable,
    Send,
    Session,
    Settings,
    Writable,
    Write,
)  # fmt: skip
from wsknet.san.switch.session.actions import Role
from wsknet.san.switch.session.messages import HELLO_LIMIT, Kind
from wsknet.san.switch.session.session import State


class Side:
    """A session, what its switch would do for it, and an application that notes what it is told."""

    def __init__(self, settings: Settings, *, is_initiator: bool) -> None:
        self.session = Session(settings, is_initiator=is_initiator)
        self.peer: Side = self
        self.inbox: deque[bytes] = deque()
        """Messages on their way to this side."""
        self.unfinished: deque[Action] = deque()
        """Operations that the provider has not completed."""
        self.completed_sends = 0
        """Messages whose completion nobody has asked for yet."""
        self.exposed: dict[bytes, tuple[memoryview, Role]] = {}
        self.exposures = 0
        self.refused_exposures = 0
        """How many of the next ones fail."""
        self.received = bytearray()
        self.events: list[Event] = []
        self.sent: list[Kind] = []
        self.violations: list[str] = []

    def settle(self) -> None:
        """Carry out what can be done at once, and note what is told."""
        while (action := self.session.next_action()) is not None:
            self.carry_out(action)
        while (event := self.session.next_event()) is not None:
            self.events.append(event)

    def carry_out(self, action: Action) -> None:
        match action:
            case Send():
                self._send(action)
            case Expose():
                self._expose(action)
            case Conceal():
                if self.exposed.pop(action.descriptor, None) is None:
                    self.violations.append("concealed what is not exposed")
            case Read() | Write():
                if len(action.memory) > self.session.settings.max_rdma:
                    self.violations.append("more than the provider takes")
                self.unfinished.append(action)

    def _send(self, action: Send) -> None:
        kind = Kind(action.header[0])
        self.sent.append(kind)
        message = action.header + bytes(action.payload)
        self.unfinished.append(action)
        if sum(isinstance(unfinished, Send) for unfinished in self.unfinished) > self.session.settings.slots:
            self.violations.append("more messages than buffers")
        self.peer.inbox.append(message)
        if len(self.peer.inbox) > self.peer.session.settings.posted:
            self.violations.append("more messages than the peer has posted buffers")
        if len(message) > (HELLO_LIMIT if kind is Kind.HELLO else self.peer.session.settings.buffer_size):
            self.violations.append(f"{kind.name} of {len(message)} bytes")

    def _expose(self, action: Expose) -> None:
        if self.refused_exposures:
            self.refused_exposures -= 1
            self.session.exposed(action, None)
            return
        self.exposures += 1
        descriptor = self.exposures.to_bytes(16, "big")
        self.exposed[descriptor] = (action.memory, action.role)
        self.session.exposed(action, descriptor)

    # Steps

    def deliver(self) -> bool:
        """The next message arrives."""
        if not self.inbox:
            return False
        self.session.receive(self.inbox.popleft())
        self.settle()
        return True

    def complete(self) -> bool:
        """The provider is done with the oldest operation."""
        if not self.unfinished:
            return False
        action = self.unfinished.popleft()
        if isinstance(action, Read | Write):
            self._transfer(action)
        else:
            self.completed_sends += 1
            if isinstance(action, Send) and not action.is_awaited:
                return True
            while self.completed_sends:
                self.completed_sends -= 1
                self.session.message_sent()
        self.settle()
        return True

    def _transfer(self, action: Read | Write) -> None:
        memory, role = self.peer.exposed.get(action.descriptor, (memoryview(b""), None))
        part = memory[action.offset : action.offset + len(action.memory)]
        if self.peer.session.state is State.ENDED:
            self.session.broken(WSAECONNRESET)
        elif role is not (Role.SOURCE if isinstance(action, Read) else Role.TARGET) or len(part) != len(action.memory):
            self.violations.append(f"no such memory of the peer: {action}")
        elif isinstance(action, Read):
            action.memory[:] = part
            self.session.has_read(action)
        else:
            part[:] = action.memory
            self.session.has_written(action)

    def read(self, limit: int) -> bool:
        stream = self.session.stream
        memory = bytearray(min(limit, stream.readable))
        count = stream.copy_to(memoryview(memory))
        stream.consume(count)
        self.received += memory
        self.session.consumed()
        self.settle()
        return count > 0

    # What it was told

    @property
    def errors(self) -> list[int]:
        return [event.error for event in self.events if isinstance(event, Failed)]

    @property
    def has_eof(self) -> bool:
        return any(isinstance(event, Finished) for event in self.events)

    def was_told(self, kind: type[Readable] | type[Writable]) -> bool:
        return any(isinstance(event, kind) for event in self.events)


class Wire:
    """Two sides, joined.  The first has connected."""

    def __init__(self, settings: Settings, other: Settings | None = None) -> None:
        self.sides = Side(settings, is_initiator=True), Side(other or settings, is_initiator=False)
        self.a, self.b = self.sides
        self.a.peer, self.b.peer = self.b, self.a
        for side in self.sides:
            side.session.start()
            side.settle()

    def step(self) -> bool:
        """Everything that can happen below the applications, once; whether anything did."""
        return any([side.deliver() for side in self.sides] + [side.complete() for side in self.sides])

    def run(self) -> None:
        """Until nothing moves below the applications."""
        for _ in range(20_000):
            if not self.step():
                return
        raise AssertionError("they never stop")

    def exchange(self) -> None:
        """Until nothing moves, with applications that read all that comes."""
        for _ in range(20_000):
            if not any([self.step()] + [side.read(1 << 20) for side in self.sides]):
                return
        raise AssertionError("they never stop")

    @property
    def violations(self) -> list[str]:
        faults = [str(side.session.fault) for side in self.sides if side.session.fault is not None]
        return [*self.a.violations, *self.b.violations, *faults]
