"""Sockets that accept: by request and by event, with and without inspection."""

from __future__ import annotations

from random import Random
from typing import Any, ClassVar

from tests.support.wsk_machine.addresses import PORTS, local_address
from tests.support.wsk_machine.calls import Call
from tests.support.wsk_machine.connection_ioctls import be_redirected
from tests.support.wsk_machine.options import option_moves
from tests.support.wsk_machine.sock import BOUND, BUSY, CREATED, LISTENING, Move, Sock, callback
from tests.support.wsk_machine.streams import CONNECTION_EVENTS, Stream
from wsknet.wsk import (
    SO_CONDITIONAL_ACCEPT,
    SOCKADDR_STORAGE,
    SOL_SOCKET,
    STATUS_REQUEST_NOT_ACCEPTED,
    STATUS_SUCCESS,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_CLIENT_STREAM_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_INSPECT_ID,
    WskInspectAccept,
    WskInspectPend,
    WskInspectReject,
    WskSetOption,
)

INSPECTION = 1 << 32
"""Stands for the two callbacks that nobody enables."""
INHERITED = Stream.EVENTS


class Listener(Sock):
    EVENTS: ClassVar[int] = WSK_EVENT_ACCEPT | INHERITED
    NEVER_DISABLED: ClassVar[int] = INHERITED

    def __init__(self, party: Any, family: int, seed: int) -> None:
        super().__init__(party, family, seed)
        self.accepts: list[Call] = []
        self.undecided: list[WSK_INSPECT_ID] = []
        self.is_conditional = False
        self.children = 0
        """Connections that it was given."""

    def moves(self) -> list[Move]:
        if self.state == CREATED:
            return [
                self.listen_at,
                self.listen_at,
                self.listen_at,
                self.inspect,
                self.be_redirected,
                option_moves(self),
            ]
        moves = [option_moves(self), self.ask_local]
        if self.state == LISTENING:
            moves += [self.accept] * 3 + [self.enable] * 3 + [self.disable]
            if self.undecided:
                moves += [self.decide] * 5
        return moves

    def may_enable(self) -> int:
        return self.EVENTS if self.state == LISTENING else 0

    def listen_at(self, dice: Random, port: int | None = None) -> None:
        self.state = BUSY
        ports = PORTS if port is None else (port,)
        address = local_address(self.party.host.name, self.family, dice, ports)
        if self.call("WskBind", address, 0, then=self._listens) is None:
            self.state = CREATED

    def _listens(self, call: Call) -> None:
        self.state = LISTENING if call.is_success else CREATED
        self.react()

    def inspect(self, dice: Random) -> None:
        self.is_conditional = True
        value = [dice.choice((1, 1, 0))]
        self.call("WskControlSocket", WskSetOption, SO_CONDITIONAL_ACCEPT, SOL_SOCKET, 4, value, 0, None, None)

    def be_redirected(self, dice: Random) -> None:
        """And so all that it will accept."""
        be_redirected(self, dice)

    def ask_local(self, dice: Random) -> None:
        self.call("WskGetLocalAddress", SOCKADDR_STORAGE())

    def accept(self, dice: Random) -> None:
        local, remote = SOCKADDR_STORAGE(), SOCKADDR_STORAGE()
        child = Stream(self.party, self.family, dice.getrandbits(32))

        def then(call: Call) -> None:
            if call.is_success:
                if self.accepts and call in self.accepts and self.accepts[0] is not call:
                    self.fail("an accept has overtaken another")
                self.children += 1
                child.redirection = self.redirection
                child.accepted(call.Information, local, remote)
                child.react()
            if call in self.accepts:
                self.accepts.remove(call)
            self.react()

        call = self.call("WskAccept", 0, child, CONNECTION_EVENTS, local, remote, then=then)
        if call is not None and not call.is_done:
            self.accepts.append(call)

    def decide(self, dice: Random) -> None:
        InspectID = self.undecided.pop(dice.randrange(len(self.undecided)))
        self.call("WskInspectComplete", InspectID, dice.choice((WskInspectAccept, WskInspectAccept, WskInspectReject)))

    # Callbacks

    def offered(self, Flags: int, local: Any, remote: Any, handle: Any, context: list[Any], table: list[Any]) -> Any:
        if handle is None:
            self.is_broken = True
            return STATUS_REQUEST_NOT_ACCEPTED
        self.react()
        self.children += 1
        choice = 1 if self.world.is_ending else self.dice.random()
        if choice < 0.15:
            return STATUS_REQUEST_NOT_ACCEPTED
        child = Stream(self.party, self.family, self.dice.getrandbits(32))
        context[0], table[0] = child, CONNECTION_EVENTS
        child.redirection = self.redirection
        child.accepted(handle, local, remote)
        if choice < 0.25:
            child.close(self.dice)
        elif choice < 0.6:
            child.react()
        child.enabled |= self.enabled & INHERITED
        return STATUS_SUCCESS

    def inspected(self, local: Any, remote: Any, InspectID: Any) -> Any:
        if InspectID is None:
            self.is_broken = True
            return WskInspectReject
        copy = WSK_INSPECT_ID(InspectID.Key, InspectID.SerialNumber)
        choice = self.dice.random()
        if choice < 0.4:
            return WskInspectAccept
        if choice < 0.5:
            return WskInspectReject
        self.undecided.append(copy)
        self.react()
        return WskInspectPend

    def aborted(self, InspectID: Any) -> Any:
        key = InspectID.Key, InspectID.SerialNumber
        self.undecided = [each for each in self.undecided if (each.Key, each.SerialNumber) != key]
        self.react()
        return STATUS_SUCCESS


class Both(Listener, Stream):
    """A stream socket: one of the two, once it is bound."""

    NEVER_DISABLED: ClassVar[int] = 0

    def __init__(self, party: Any, family: int, seed: int) -> None:
        super().__init__(party, family, seed)
        self.is_listener = self.dice.random() < 0.5

    @property
    def role(self) -> type[Sock]:
        return Listener if self.is_listener else Stream

    def moves(self) -> list[Move]:
        if self.state == BOUND and self.is_listener:
            return [self.listen, self.listen, self.ask_local, option_moves(self)]
        if self.state == LISTENING:
            self.undecided.clear()
        return self.role.moves(self)

    def may_enable(self) -> int:
        return self.role.may_enable(self)

    def listen_at(self, dice: Random, port: int | None = None) -> None:
        self.state = BUSY
        ports = PORTS if port is None else (port,)
        address = local_address(self.party.host.name, self.family, dice, ports)
        if self.call("WskBind", address, 0, then=self._bound) is None:
            self.state = CREATED

    def _bound(self, call: Call) -> None:
        super()._bound(call)
        if call.is_success and self.is_listener and self.state == BOUND and not self.is_closing:
            self.listen(self.dice)

    def listen(self, dice: Random) -> None:
        self.state = BUSY
        if self.call("WskListen", then=self._listens) is None:
            self.state = BOUND

    def _listens(self, call: Call) -> None:
        self.state = LISTENING if call.is_success else BOUND
        self.react()

    def disable(self, dice: Random) -> None:
        self.NEVER_DISABLED = INHERITED if self.is_listener else 0  # type: ignore[misc]
        super().disable(dice)


@callback(WSK_EVENT_ACCEPT, 3)
def _accept_event(listener: Listener, *arguments: Any) -> Any:
    return listener.offered(*arguments)


@callback(INSPECTION, 2)
def _inspect_event(listener: Listener, *arguments: Any) -> Any:
    return listener.inspected(*arguments)


@callback(INSPECTION, -1)
def _abort_event(listener: Listener, InspectID: Any) -> Any:
    return listener.aborted(InspectID)


LISTEN_EVENTS = WSK_CLIENT_LISTEN_DISPATCH(_accept_event, _inspect_event, _abort_event)
STREAM_EVENTS = WSK_CLIENT_STREAM_DISPATCH(LISTEN_EVENTS, CONNECTION_EVENTS)
