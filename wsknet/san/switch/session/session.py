"""One session: two halves, the credits between them, and how it begins and ends.

The owner calls the methods, then carries out `next_action` until there is none, then tells `next_event` until there
is none.  Nothing here calls out, so every method may be called at any time between two others, whatever they caused.
"""

from __future__ import annotations

from enum import Enum

from wsknet.san.numbers import (
    NO_ERROR,
    WSA_OPERATION_ABORTED,
    WSAECONNABORTED,
    WSAECONNRESET,
    WSAENOBUFS,
)  # fmt: skip
from wsknet.san.switch.session.actions import (
    Action,
    Conceal,
    Event,
    Expose,
    Failed,
    Flushed,
    Opened,
    Read,
    Role,
    Write,
)
from wsknet.san.switch.session.credits import Credits
from wsknet.san.switch.session.faults import Fault
from wsknet.san.switch.session.messages import CAN_READ, WRITTEN, AbortReason, Kind, Message, parse
from wsknet.san.switch.session.outbox import Outbox
from wsknet.san.switch.session.receiving import Receiving
from wsknet.san.switch.session.sending import Sending
from wsknet.san.switch.session.settings import Settings, agree
from wsknet.san.switch.session.stream import Stream
from wsknet.types import Buffer


class State(Enum):
    NEGOTIATING = "HELLO of the peer has not come"
    OPEN = "data may flow"
    ENDED = "nothing moves any more"


LEGAL = {
    State.NEGOTIATING: (State.OPEN, State.ENDED),
    State.OPEN: (State.ENDED,),
    State.ENDED: (),
}


class Session:
    """`is_initiator`: the side that has connected.  It negotiates first ("Accepting connection requests")."""

    def __init__(self, settings: Settings, *, is_initiator: bool) -> None:
        self.settings = settings
        self.state = State.NEGOTIATING
        self.error = NO_ERROR
        """Why nothing moves any more, a WSAE number.  Where both, or the peer, have closed in order no `Failed` tells
        of it."""
        self.fault: Fault | None = None
        """What was wrong with a message of the peer, if that ended it."""
        self.is_deaf = False
        """Receiving is shut down."""
        self.is_peer_deaf = False
        self.is_closing = False
        self._is_initiator = is_initiator
        self._is_flushed = False
        self._was_left = False
        """The peer has closed in order, and nothing of ours went there since."""
        self._credits = Credits(settings.posted)
        self._outbox = Outbox(self._credits, settings.slots)
        self._sending = Sending(self._outbox, settings.send_limit)
        self._receiving = Receiving(self._outbox, settings)

    # What to carry out, and what to tell

    def next_action(self) -> Action | None:
        return self._outbox.actions.popleft() if self._outbox.actions else None

    @property
    def has_events(self) -> bool:
        return bool(self._outbox.events)

    def next_event(self) -> Event | None:
        return self._outbox.events.popleft() if self._outbox.events else None

    @property
    def is_drained(self) -> bool:
        """After `close`: the connection below may be closed."""
        if self.state is State.ENDED:
            return True
        return self.is_closing and self._sending.is_finished and self._outbox.is_idle

    # The application

    @property
    def stream(self) -> Stream:
        """To be read; afterwards comes `consumed`."""
        return self._receiving.stream

    @property
    def is_peer_finished(self) -> bool:
        """After what is readable comes the end of the stream."""
        return self._receiving.is_finished

    @property
    def unsent(self) -> int:
        """Bytes written that are in no message yet, and that the peer has not fetched."""
        return self._sending.unsent

    @property
    def _is_mute(self) -> bool:
        return self.state is State.ENDED or self._sending.is_finishing

    def resize(self, send_limit: int | None, receive_limit: int | None) -> None:
        """SO_SNDBUF and SO_RCVBUF of the application; what waits already stays."""
        if send_limit is not None:
            self._sending.limit = send_limit
        if receive_limit is not None:
            self._receiving.limit = receive_limit
        self.consumed()

    def start(self) -> None:
        """The receive buffers are posted."""
        if self._is_initiator and self.state is not State.ENDED:
            self._outbox.open(*self._hello())

    def write(self, data: Buffer, *, is_urgent: bool = False) -> int:
        """Copy as much as there is room for, and say how much.  `Writable` follows if that was not all."""
        if self._was_left and len(data):
            self._find_nobody()
            return len(data)
        if self._is_mute:
            return 0
        count = self._sending.write(memoryview(data).cast("B"), is_urgent)
        self._advance()
        return count

    def _find_nobody(self) -> None:
        """Data for a peer that has closed in order is taken, and then there is a reset: as TCP finds out."""
        self._was_left = False
        self._outbox.tell(Failed(WSAECONNRESET))

    def consumed(self) -> None:
        """Some of `stream` has been read."""
        if not self._receiving.is_full:
            self._credits.release()
        self._advance()

    def finish(self) -> None:
        """Shut down sending: FIN after all data."""
        self._sending.is_finishing = True
        if self._was_left:
            self._flushed()
        self._advance()

    def stop(self) -> None:
        """Shut down receiving.  What waits unread, or comes later, resets the connection (Winsock's shutdown)."""
        if self.is_deaf:
            return
        self.is_deaf = True
        if self.state is State.ENDED:
            self.stream.clear()
        elif not self._receiving.is_idle:
            self._refuse_data()
        elif not self.is_peer_finished:
            self._outbox.control(Kind.STOP)
            self._advance()

    def close(self) -> None:
        """Send what there is, and FIN, and receive nothing more.  Data that nobody has read resets the connection
        (RFC 2525 2.17)."""
        if self.is_closing:
            return
        self.is_closing = True
        self._outbox.is_ending = True
        self.stop()
        self.finish()

    def close_at_once(self) -> None:
        """Without sending what there is: the peer finds a reset."""
        self.is_closing = True
        self.abort()

    def abort(self, reason: AbortReason = AbortReason.CLOSED) -> None:
        """Send nothing more, and tell the peer why, if there is a credit for it."""
        if self.state is State.ENDED:
            return
        self._end(WSA_OPERATION_ABORTED)
        self.stream.clear()
        self._send_abort(reason)

    # The connection below

    def receive(self, raw: Buffer) -> None:
        """A message has come, and its buffer is posted again when this returns to the owner."""
        if self.state is State.ENDED:
            return
        message = parse(raw)
        fault = message if isinstance(message, Fault) else self._take(message)
        if fault is not None:
            self.fault = fault
            self._fail(WSAECONNABORTED)
            self._send_abort(AbortReason.PROTOCOL)
        self._advance()

    def message_sent(self) -> None:
        """The provider is done with the oldest `Send`."""
        self._outbox.in_flight -= 1
        self._advance()
        if self._sending.is_finished and self._outbox.is_idle:
            self._flushed()

    def _flushed(self) -> None:
        if not self._is_flushed:
            self._is_flushed = True
            self._outbox.tell(Flushed())

    def exposed(self, action: Expose, descriptor: bytes | None) -> None:
        """`None`: it cannot be done."""
        if self.state is State.ENDED:
            if descriptor is not None:
                self._outbox.actions.append(Conceal(descriptor))
        elif action.role is Role.SOURCE:
            self._sending.exposed(descriptor)
        elif descriptor is not None:
            self._receiving.exposed(descriptor)
        else:
            self._fail(WSAENOBUFS)
            self._send_abort(AbortReason.CLOSED)
        self._advance()

    def has_read(self, action: Read) -> None:
        if self.state is not State.ENDED:
            self._receiving.has_read()
        self._advance()

    def has_written(self, action: Write) -> None:
        if self.state is not State.ENDED:
            self._sending.has_written(action)
        self._advance()

    def broken(self, error: int) -> None:
        """The connection is gone.  Not an error for one whose peer had said that it would close."""
        has_left = self.is_peer_finished and (self.is_peer_deaf or self._sending.is_finished)
        if self.state is State.ENDED:
            return
        if (has_left or self.is_closing) and self._sending.is_empty:
            self._end(WSAECONNRESET)
            self._was_left = not self.is_closing
            if self._sending.is_finishing:
                self._flushed()
        else:
            self._fail(error)

    # Inside

    def _hello(self) -> tuple[Kind, int, int, int, bytes]:
        settings = self.settings
        flags = CAN_READ if settings.can_read else 0
        return Kind.HELLO, flags, settings.buffer_size, settings.hello_threshold, settings.hello_payload

    def _take(self, message: Message) -> Fault | None:
        kind = message.kind
        if self.state is State.NEGOTIATING:
            return self._negotiate(message) if kind is Kind.HELLO else Fault.HELLO_EXPECTED
        if kind is Kind.HELLO:
            return Fault.SECOND_HELLO
        if not self._credits.arrived(message.credits):
            return Fault.CREDIT_OVERFLOW
        if not self._credits.was_allowed:
            return Fault.NO_CREDIT
        fault = self._dispatch(message)
        has_data = kind in (Kind.DATA, Kind.LARGE)
        self._credits.reposted(is_held=has_data and self._receiving.is_full, is_for_use=kind is not Kind.CREDIT)
        return fault

    def _negotiate(self, hello: Message) -> Fault | None:
        agreement = agree(self.settings, hello)
        if isinstance(agreement, Fault):
            return agreement
        self._credits.open(agreement.peer_buffers)
        self._enter(State.OPEN)
        self._outbox.tell(Opened())
        self._sending.open(agreement)
        self._receiving.open(agreement)
        if self._is_initiator:
            self._credits.arrived(0)
            self._credits.reposted(is_held=False, is_for_use=True)
        else:
            self._outbox.send(*self._hello())
        return None

    def _dispatch(self, message: Message) -> Fault | None:
        fault: Fault | None = None
        match message.kind:
            case Kind.DATA | Kind.LARGE if self.is_deaf:
                self._refuse_data()
            case Kind.DATA:
                fault = self._receiving.data(message)
            case Kind.LARGE:
                fault = self._receiving.large(message)
            case Kind.TARGET:
                fault = self._sending.target(message)
            case Kind.DONE if message.flags & WRITTEN:
                fault = self._receiving.done()
            case Kind.DONE:
                fault = self._sending.done()
            case Kind.FIN:
                fault = self._receiving.finish()
            case Kind.STOP:
                self.is_peer_deaf = True  # and no more: what comes all the same it answers with a reset, as TCP does
            case Kind.ABORT:
                self._fail(WSAECONNRESET)
        return fault

    def _refuse_data(self) -> None:
        self.stream.clear()
        if self.is_closing:
            self._end(WSA_OPERATION_ABORTED)
        else:
            self._fail(WSAECONNABORTED)
        self._send_abort(AbortReason.UNWANTED_DATA)

    def _advance(self) -> None:
        if self.state is State.ENDED:
            return
        if self.state is State.OPEN:
            self._receiving.advance()
            self._outbox.flush()
            self._sending.advance()
            self._outbox.flush()

    def _fail(self, error: int) -> None:
        self._end(error)
        self._outbox.tell(Failed(error))

    def _end(self, error: int) -> None:
        self._enter(State.ENDED)
        self.error = error
        self._outbox.drop()
        self._receiving.drop()
        self._sending.drop()

    def _enter(self, state: State) -> None:
        assert state in LEGAL[self.state], (self.state, state)
        self.state = state

    def _send_abort(self, reason: AbortReason) -> None:
        if self._credits.available > 0 and self._outbox.has_slot:
            self._outbox.is_ending = True
            self._outbox.send(Kind.ABORT, a=reason)
