"""A stack reduced to what a pump asks of one."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, cast

from wsknet.drivers.pump import Pump
from wsknet.transport.endpoint import Event, TransportEndpoint
from wsknet.types import Buffers, IfIndex, Instant

if TYPE_CHECKING:
    from wsknet.devices.base import Entry, Receiver
    from wsknet.drivers.base import Driver
    from wsknet.stack import Stack

CARD = IfIndex(2)


class StandIn:
    """Keeps what it receives; `alarm` and `outgoing` are what the test says the stack wants."""

    def __init__(self) -> None:
        self.received: list[tuple[Instant, bytes]] = []
        self.polled: list[Instant] = []
        self.alarm: Instant | None = None
        self.outgoing: list[tuple[IfIndex, Buffers, str | None]] = []
        self.events: list[Event] = []
        self.settled = 0
        self.on_receive: Callable[[bytes, Instant], None] = lambda frame, now: None
        self.on_poll: Callable[[Instant], None] = lambda now: None
        self.ip = self

    def receive(self, if_index: IfIndex, frame: bytes, now: Instant) -> None:
        assert if_index == CARD
        self.received.append((now, frame))
        self.on_receive(frame, now)

    def poll(self, now: Instant) -> None:
        self.polled.append(now)
        self.on_poll(now)
        if self.alarm is not None and self.alarm <= now:
            self.alarm = None

    def send(self, frame: bytes, comment: str | None = None) -> None:
        self.outgoing.append((CARD, (frame[:14], memoryview(frame)[14:]), comment))

    def deliver_looped(self, now: Instant) -> bool:
        return False

    def take_frames(self) -> list[tuple[IfIndex, Buffers, str | None]]:
        frames, self.outgoing = self.outgoing, []
        return frames

    def next_event(self) -> Event | None:
        return self.events.pop(0) if self.events else None

    def next_deadline(self) -> Instant | None:
        self.settled += 1
        return self.alarm


def pump_of(stack: StandIn, driver: Driver) -> Pump:
    return Pump(cast("Stack", stack), driver, nullcontext)


def set_alarm(pump: Pump, stack: StandIn, deadline: int | None) -> None:
    with pump:
        stack.alarm = None if deadline is None else Instant(deadline)


def answer_with(stack: StandIn, change: Callable[[bytes], bytes]) -> None:
    """Let the stack send `change(frame)` for every frame."""
    stack.on_receive = lambda frame, now: stack.send(change(frame))


class CountingOwner:
    """Owns an endpoint; posts one completion for every turn of readiness."""

    def __init__(self, pump: Pump, complete: Callable[[int], None]) -> None:
        self.endpoint = TransportEndpoint(self)
        self._pump = pump
        self._complete = complete

    def on_ready(self, readiness: int, now: Instant) -> None:
        self._pump.completions.post(self._complete, readiness)


class SocketDevice:
    """One end of a socket pair as a network card; `far` is the wire."""

    def __init__(self, batch: int = 64) -> None:
        self.name = "card"
        self._batch = batch
        self.far, self._near = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._near.setblocking(False)
        self._receiver: Receiver | None = None
        self.batches = 0

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        self._receiver = receiver

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        self._near.send(b"".join(frame))

    def fileno(self) -> int:
        return self._near.fileno()

    def on_readable(self, now: Instant) -> None:
        assert self._receiver is not None
        self.batches += 1
        for _ in range(self._batch):
            try:
                frame = self._near.recv(2048)
            except BlockingIOError:
                return
            if not frame:
                raise OSError("the card is gone")
            self._receiver(frame, now)

    def close(self) -> None:
        self._near.close()
        self.far.close()
