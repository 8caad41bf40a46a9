"""A socket as a random program knows it: what it may call, and what may call it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from tests.support.wsk_machine.calls import Call, Memory, allocate
from wsknet.wsk import (
    DISPATCH_LEVEL,
    SO_WSK_EVENT_CALLBACK,
    SOL_SOCKET,
    STATUS_EVENT_PENDING,
    STATUS_SUCCESS,
    WSK_EVENT_DISABLE,
    KeGetCurrentIrql,
    WskSetOption,
)
from wsknet.wsk.structures import NPI_WSK_INTERFACE_ID, WSK_EVENT_CALLBACK_CONTROL

if TYPE_CHECKING:
    from tests.support.wsk_machine.party import Party

Move = Callable[[Random], object]

CREATED, BUSY, BOUND, LISTENING, CONNECTED = range(5)


class Sock:
    EVENTS: ClassVar[int] = 0
    NEVER_DISABLED: ClassVar[int] = 0

    def __init__(self, party: Party, family: int, seed: int) -> None:
        self.party = party
        self.world = party.world
        self.family = family
        self.dice = Random(seed)
        """What callbacks and completion routines decide by."""
        self.number = party.made
        party.made += 1
        self.handle: Any = None
        self.state = CREATED
        self.is_closing = False
        self.enabled = party.static_events & self.EVENTS
        self.running = 0
        self.retained: list[tuple[Any, bytes]] = []
        self.is_broken = False
        """The model does not know what may still be said of it."""
        self.redirection: tuple[bytes, bytes | None] | None = None
        """Records and context."""
        self._changes = party.changes

    @property
    def name(self) -> str:
        return f"{type(self).__name__}{self.number}"

    @property
    def is_steady(self) -> bool:
        """Alive, and the tables of its host are today what they were when it came to be."""
        return not self.is_broken and self.party.is_whole and self.party.changes == self._changes

    @property
    def is_connected(self) -> bool:
        return self.state == CONNECTED

    @property
    def functions(self) -> Any:
        return self.handle.Dispatch

    def fail(self, what: str) -> None:
        self.world.fail(f"{self.party.host.name}: {self.name}: {what}")

    def require(self, call: Call, expected: int) -> None:
        if self.is_steady and call.Status != expected:
            self.fail(f"{call.name}: {call.Status.name}, not 0x{expected & 0xFFFFFFFF:08X}")

    def call(self, name: str, *arguments: Any, **how: Any) -> Call | None:
        function = getattr(self.functions, name)
        shown = ", ".join(str(each) for each in arguments if isinstance(each, int))
        return self.party.call(f"{self.name}.{name}({shown})", function, self.handle, *arguments, owner=self, **how)

    def memory(self, content: bytes, dice: Random) -> Memory | None:
        return allocate(content, dice.choice((1, 1, 2, 3)), dice.choice((0, 0, 5)))

    # What it may do

    def moves(self) -> list[Move]:
        """Legal now."""
        return []

    def move(self, dice: Random) -> None:
        if not self.is_closing:
            moves = self.moves()
            if moves:
                dice.choice(moves)(dice)

    def react(self) -> None:
        """From inside a callback or routine, perhaps."""
        if self.dice.random() < 0.4 and self.world.may_act():
            if self.dice.random() < 0.1:
                self.close(self.dice)
            elif self.running and self.dice.random() < 0.2:
                self.disable(self.dice)
            else:
                self.move(self.dice)

    def close(self, dice: Random) -> None:
        if self.is_closing or self.handle is None:
            return
        self.release_all(dice)
        self.is_closing = True
        if self.call("WskCloseSocket", then=self._closed) is None:
            self.is_closing = False

    def _closed(self, call: Call) -> None:
        if call.Status != STATUS_SUCCESS or call.Information != 0:
            self.fail(f"closed with {call.Status.name}, {call.Information}")
        if self.running:
            self.fail("closed while a callback runs")
        for other in self.party.pending:
            if other.name.startswith(f"{self.name}."):
                self.fail(f"closed while {other.name} is pending")
        self.party.sockets.remove(self)

    # Events

    def may_enable(self) -> int:
        """The events that may be enabled in the present state."""
        return 0

    def enable(self, dice: Random, events: int | None = None) -> None:
        allowed = self.may_enable() & ~self.party.static_events
        events = allowed & dice.getrandbits(32) or allowed if events is None else events & allowed
        if events:
            self.enabled |= events
            self._control_event(events, None if dice.random() < 0.6 else _nothing)

    def disable(self, dice: Random) -> None:
        allowed = self.enabled & ~self.party.static_events & ~self.NEVER_DISABLED & self.may_enable()
        events = [1 << bit for bit in range(16) if allowed >> bit & 1]
        if not events:
            return
        event = dice.choice(events)
        self.enabled &= ~event

        def done(call: Call) -> None:
            if call.is_success and self.running & event:
                self.fail("disabled while the callback runs")
            if not call.is_success:
                self.is_broken = True

        self._control_event(event | WSK_EVENT_DISABLE, None if dice.random() < 0.4 else done)

    def _control_event(self, mask: int, then: Callable[[Call], object] | None) -> None:
        Control = WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, mask)
        arguments = (WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, Control.SIZE, Control, 0, None, None)
        if then is not None:
            if self.call("WskControlSocket", *arguments, then=then) is None:
                self.is_broken = True
            return
        self.party.log(f"{self.name}: events 0x{mask:X}")
        status = self.functions.WskControlSocket(self.handle, *arguments, None)
        is_running = mask & WSK_EVENT_DISABLE and self.running & mask
        if status == STATUS_SUCCESS:
            if is_running:
                self.fail("disabled at once while the callback runs")
        elif status != STATUS_EVENT_PENDING:
            self.is_broken = True

    def called_back(self, event: int, body: Callable[..., Any], arguments: tuple[Any, ...], is_dead: bool) -> Any:
        what = f"callback 0x{event:X}"
        if KeGetCurrentIrql() != DISPATCH_LEVEL:
            self.fail(f"{what} at IRQL {KeGetCurrentIrql()}")
        if self.is_closing:
            self.fail(f"{what} after WskCloseSocket")
        if event < 1 << 32 and not self.enabled & event and not self.is_broken and not is_dead:
            self.fail(f"{what}, which is disabled")
        if self.running & event:
            self.fail(f"{what} while the last one runs")
        self.running |= event
        self.party.log(f"{self.name}: {what}")
        try:
            with self.world.inside():
                return body(self, *arguments)
        finally:
            self.running &= ~event

    # Retained data

    def retain(self, indication: Any, content: bytes) -> None:
        self.retained.append((indication, content))

    def release(self, dice: Random) -> None:
        """Some of it, in any order, and chained anew."""
        if not self.retained:
            return
        dice.shuffle(self.retained)
        count = dice.randint(1, len(self.retained))
        taken, self.retained = self.retained[:count], self.retained[count:]
        for (element, content), (following, _) in zip(taken, [*taken[1:], (None, b"")], strict=True):
            if content_of(element.Buffer) != content:
                self.fail("data has changed while it was retained")
            element.Next = following
        status = self.functions.WskRelease(self.handle, taken[0][0])
        if status != STATUS_SUCCESS:
            self.fail(f"WskRelease: {status.name}")

    def release_all(self, dice: Random) -> None:
        while self.retained:
            self.release(dice)


def _nothing(call: Call) -> None:
    """An IRP for a request that needs none."""


def content_of(Buffer: Any) -> bytes:
    """What a WSK_BUF of an indication describes."""
    found = b""
    Mdl = Buffer.Mdl
    while Mdl is not None:
        found += bytes(Mdl.MappedSystemVa)
        Mdl = Mdl.Next
    return found[Buffer.Offset : Buffer.Offset + Buffer.Length]


def callback(event: int, dead_at: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A client's function for `event`; NULL for its argument `dead_at` (-1: none) says that the socket is dead."""

    def decorate(body: Callable[..., Any]) -> Callable[..., Any]:
        def routine(SocketContext: Sock, *arguments: Any) -> Any:
            is_dead = dead_at >= 0 and arguments[dead_at] is None
            return SocketContext.called_back(event, body, arguments, is_dead)

        return routine

    return decorate
