"""The way out of both halves of a session: actions, messages that wait for credit or a buffer, and events."""

from __future__ import annotations

from collections import deque

from wsknet.san.switch.session.actions import Action, Conceal, Event, Send
from wsknet.san.switch.session.credits import Credits
from wsknet.san.switch.session.messages import Kind, header
from wsknet.types import Buffer


class Outbox:
    def __init__(self, credits_: Credits, slots: int) -> None:
        self.actions: deque[Action] = deque()
        self.events: deque[Event] = deque()
        self.in_flight = 0
        """Messages that the provider is not done with."""
        self.is_ending = False
        """Nobody may come by later to ask whether a message went out: each is awaited."""
        self._credits = credits_
        self._slots = slots
        self._control: deque[tuple[Kind, int, int, Buffer]] = deque()

    @property
    def is_idle(self) -> bool:
        return not (self.in_flight or self._control)

    @property
    def has_slot(self) -> bool:
        return self.in_flight < self._slots

    @property
    def takes_data(self) -> bool:
        """A message with data may go out now.  Control messages need fewer credits, and so have gone before."""
        return self.has_slot and self._credits.allows_data

    def control(self, kind: Kind, flags: int = 0, a: int = 0, payload: Buffer = b"") -> None:
        """Send it as soon as there are a credit and a buffer; in the order of the calls."""
        self._control.append((kind, flags, a, payload))

    def flush(self) -> None:
        while self._control and self.has_slot and self._credits.allows_control:
            kind, flags, a, payload = self._control.popleft()
            self.send(kind, flags, a, 0, payload)
        if self._credits.is_update_due and self.has_slot:
            self.send(Kind.CREDIT)

    def send(self, kind: Kind, flags: int = 0, a: int = 0, b: int = 0, payload: Buffer = b"") -> None:
        """Credit and buffer are there."""
        self._send(kind, flags, self._credits.spend(), a, b, payload)

    def open(self, kind: Kind, flags: int, a: int, b: int, payload: Buffer) -> None:
        """The first message of the side that begins: it needs no credit."""
        self._send(kind, flags, self._credits.announce(), a, b, payload)

    def _send(self, kind: Kind, flags: int, new_buffers: int, a: int, b: int, payload: Buffer) -> None:
        self.in_flight += 1
        head = header(kind, flags, new_buffers, len(payload), a, b)
        self.actions.append(Send(head, payload, self.is_ending or not self.has_slot))

    def tell(self, event: Event) -> None:
        """Once is enough for what only says that something has changed."""
        if event or not self.events or type(self.events[-1]) is not type(event):
            self.events.append(event)

    def drop(self) -> None:
        """Forget what has not begun."""
        self._control.clear()
        self.actions = deque(action for action in self.actions if isinstance(action, Conceal))
