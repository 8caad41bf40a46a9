"""Connections: what was sent arrives in order, none lost, none twice, until the connection ends."""

from __future__ import annotations

from random import Random
from typing import Any, ClassVar

from tests.support.wsk_machine.addresses import host_and_port, local_address, remote_address
from tests.support.wsk_machine.calls import Call, Memory
from tests.support.wsk_machine.connection_ioctls import ioctl_moves
from tests.support.wsk_machine.options import option_moves
from tests.support.wsk_machine.sock import BOUND, BUSY, CONNECTED, CREATED, Move, Sock, callback, content_of
from wsknet.wsk import (
    SIO_WSK_SET_TCP_SILENT_MODE,
    SO_RCVBUF,
    SOCKADDR_STORAGE,
    SOL_SOCKET,
    STATUS_DATA_NOT_ACCEPTED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_SEND_BACKLOG,
    WSK_FLAG_ABORTIVE,
    WSK_FLAG_DRAIN,
    WSK_FLAG_NODELAY,
    WSK_FLAG_WAITALL,
    WskIoctl,
    WskSetOption,
)

MOST_SENT = 200_000
PATTERN = Random(1).randbytes(MOST_SENT + 70_000)
"""What is sent is a piece of it: the place of every byte shows."""
SIZES = (0, 1, 100, 100, 1500, 3000, 20000)


class Stream(Sock):
    EVENTS: ClassVar[int] = WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT | WSK_EVENT_SEND_BACKLOG

    def __init__(self, party: Any, family: int, seed: int) -> None:
        super().__init__(party, family, seed)
        self.is_accepted = False
        self.port = 0
        """Of the listener."""
        self.peer_name: tuple[str, int] | None = None
        """Host and port of who connected, on the side that accepted."""
        self.sent = 0
        self.received = 0
        self.sends: list[Call] = []
        self.receives: list[Call] = []
        self.keen: list[Call] = []
        """Those that take any byte."""
        self.is_armed = True
        self.is_drained = False
        """WSK_FLAG_DRAIN has thrown bytes away."""
        self.is_finishing = False
        self.has_said_end = False
        """WskDisconnect, and not an abortive one."""
        self.own_name: tuple[str, int] | None = None
        self.is_lent = False
        """Something may be unacknowledged of which no request tells."""
        self.has_ended: int | None = None
        """Bytes that had been received when the peer had finished."""
        self.is_silent = False
        self.records = b""
        """SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS."""
        self.target: Any = None
        """Where it connects as soon as it is bound."""

    # What it may do

    @property
    def is_live(self) -> bool:
        return self.state == CONNECTED and not (self.is_closing or self.is_silent or self.is_broken)

    @property
    def waits_for_any(self) -> bool:
        """The first of the pending receives takes any byte."""
        return bool(self.receives) and self.receives[0] in self.keen

    def moves(self) -> list[Move]:
        if self.is_silent:
            return [self.close]
        options = option_moves(self)
        if self.state == CREATED:
            return [self.bind, self.bind, self.bind, options, self.control]
        if self.state == BOUND:
            return [self.connect, self.connect, self.connect, self.connect_ex, self.ask_local, options, self.control]
        if self.state != CONNECTED:
            return [self.ask_local, options]
        moves: list[Move] = [self.receive] * 3 + [self.enable] * 2
        moves += [
            self.disable,
            self.release,
            self.ask_local,
            self.ask_remote,
            options,
            self.disconnect,
            self.control,
            self.control,
        ]
        if not self.is_finishing:
            moves += [self.send] * 5
            if not (self.sends or self.is_lent):
                moves.append(self.fall_silent)
        return moves

    def control(self, dice: Random) -> None:
        ioctl_moves(self, dice)

    def may_enable(self) -> int:
        return Stream.EVENTS if self.state == CONNECTED else 0

    def bind(self, dice: Random) -> None:
        self.state = BUSY
        address = local_address(self.party.host.name, self.family, dice, (0, 0, 0, 5000, 5001))
        if self.call("WskBind", address, 0, then=self._bound) is None:
            self.state = CREATED

    def _bound(self, call: Call) -> None:
        self.state = BOUND if call.is_success else CREATED
        if self.target is not None and call.is_success and not self.is_closing:
            self.dice.choice((self.connect, self.connect_ex))(self.dice)
        self.react()

    def remote(self, dice: Random) -> Any:
        target, self.target = self.target, None
        return remote_address(self.party.host.name, self.family, dice) if target is None else target

    def connect(self, dice: Random) -> None:
        address = self.remote(dice)
        self.begin(address)
        if self.call("WskConnect", address, 0, then=self._connected) is None:
            self.state = BOUND

    def connect_ex(self, dice: Random) -> None:
        address = self.remote(dice)
        self.begin(address)
        size = dice.choice((1, 500, 5000))
        memory = self.memory(self.outgoing(size), dice)
        if memory is None:
            self.state = BOUND
            return

        def then(call: Call) -> None:
            if call.is_success:
                self.sent += size
                self.is_lent = True
            self._connected(call)

        if self.call("WskConnectEx", address, memory.buffer, 0, then=then, memory=(memory,)) is None:
            self.state = BOUND

    def begin(self, remote: Any) -> None:
        self.state = BUSY
        raw = bytes(remote)
        self.port = raw[2] << 8 | raw[3]
        self.sent = self.received = 0

    def _connected(self, call: Call) -> None:
        if not call.is_success:
            self.state = BOUND
            return
        self.state = CONNECTED
        self.tell_name()
        self.react()

    def tell_name(self) -> None:
        """So that the other side finds it."""
        found = SOCKADDR_STORAGE()

        def then(call: Call) -> None:
            if call.is_success:
                name = host_and_port(self.party.host.name, found)
                self.own_name = self.party.host.name, name[1]
                self.world.connected.setdefault(self.own_name, []).append(self)

        if not self.is_closing:
            self.call("WskGetLocalAddress", found, then=then)

    def accepted(self, handle: Any, local: Any, remote: Any) -> None:
        """It comes from a listener."""
        self.handle = handle
        self.state = CONNECTED
        self.is_accepted = True
        raw = bytes(local)
        self.port = raw[2] << 8 | raw[3]
        self.peer_name = host_and_port(self.party.host.name, remote)
        self.world.accepted.setdefault(self.peer_name, []).append(self)
        self.party.sockets.append(self)

    def ask_local(self, dice: Random) -> None:
        self.call("WskGetLocalAddress", SOCKADDR_STORAGE())

    def ask_remote(self, dice: Random) -> None:
        self.call("WskGetRemoteAddress", SOCKADDR_STORAGE())

    # Sending

    def _piece(self, is_from_accepted: bool, at: int, size: int) -> bytes:
        salt = self.port * 13 + 997 * is_from_accepted
        return PATTERN[salt + at : salt + at + size]

    def outgoing(self, size: int) -> bytes:
        return self._piece(self.is_accepted, self.sent, size)

    def send(self, dice: Random) -> None:
        size = min(dice.choice(SIZES), MOST_SENT - self.sent)
        memory = self.memory(self.outgoing(size), dice)
        if memory is None:
            return
        is_cancelled = dice.random() < 0.02
        before = self.sent
        if not is_cancelled:
            self.sent += size
        call = self.call(
            "WskSend", memory.buffer, dice.choice((0, 0, WSK_FLAG_NODELAY)), then=lambda call: self._sent(call, size),
            memory=(memory,), is_cancelled=is_cancelled,
        )  # fmt: skip
        if call is None:
            self.sent = before
        elif not call.is_done:
            self.sends.append(call)

    def _sent(self, call: Call, size: int) -> None:
        if call.is_success:
            if call.Information != size:
                self.fail(f"sent {call.Information} of {size} bytes")
            if self.sends and self.sends[0] is not call and call in self.sends:
                self.fail("a send has overtaken another")
        elif not (call.is_cancelled and size == 0):
            self.is_broken = True
        if call in self.sends:
            self.sends.remove(call)
        self.react()

    def disconnect(self, dice: Random) -> None:
        is_abortive = dice.random() < 0.2
        if self.is_finishing and not is_abortive:
            return
        if is_abortive:
            self.is_broken = self.is_finishing = True
            self.call("WskDisconnect", None, WSK_FLAG_ABORTIVE)
            return
        size = min(dice.choice((0, 0, 1, 800)), MOST_SENT - self.sent)
        memory = self.memory(self.outgoing(size), dice) if size else None
        if size and memory is None:
            return
        self.sent += size
        self.is_finishing = self.has_said_end = True
        buffer, lent = (memory.buffer, (memory,)) if memory is not None else (None, ())
        if self.call("WskDisconnect", buffer, 0, then=self._disconnected, memory=lent) is None:
            self.is_finishing = False
            self.sent -= size

    def _disconnected(self, call: Call) -> None:
        if not call.is_success:
            self.is_broken = True
        self.react()

    def fall_silent(self, dice: Random) -> None:
        if dice.random() < 0.2:
            self.is_silent = self.is_broken = True
            self.call("WskControlSocket", WskIoctl, SIO_WSK_SET_TCP_SILENT_MODE, 0, 0, None, 0, None, None)

    # Receiving

    def receive(self, dice: Random, size: int | None = None, flags: int | None = None) -> None:
        size = dice.choice(SIZES) if size is None else size
        if flags is None:
            flags = dice.choice((0, 0, 0, 0, WSK_FLAG_WAITALL, WSK_FLAG_DRAIN if dice.random() < 0.1 else 0))
        if flags & WSK_FLAG_DRAIN:
            size = 0
            self.is_drained = True
        memory = self.memory(bytes(size), dice)
        if memory is None:
            return

        def then(call: Call) -> None:
            self._received(call, memory, size, flags)

        call = self.call("WskReceive", memory.buffer, flags, then=then, memory=(memory,))
        if call is not None and not call.is_done:
            self.receives.append(call)
            if size and not flags:
                self.keen.append(call)
            if flags == WSK_FLAG_WAITALL and size > 1000 and dice.random() < 0.5:
                self.call("WskControlSocket", WskSetOption, SO_RCVBUF, SOL_SOCKET, 4, [1000], 0, None, None)

    def _received(self, call: Call, memory: Memory, size: int, flags: int) -> None:
        self.is_armed = True
        if call.is_success:
            if self.receives and self.receives[0] is not call and call in self.receives and not call.is_cancelled:
                self.fail("a receive has overtaken another")
            if call.Information > size:
                self.fail(f"{call.Information} bytes in a buffer of {size}")
            self.take(memory.content[: call.Information])
            is_short = call.Information < size if flags & WSK_FLAG_WAITALL else size and not call.Information
            if (is_short or flags & WSK_FLAG_DRAIN) and not call.is_cancelled:
                self.ended()
        elif not call.is_cancelled:
            self.is_broken = True
        if call in self.receives:
            self.receives.remove(call)
        self.react()

    def take(self, data: bytes) -> None:
        if not self.is_drained and data != self._piece(not self.is_accepted, self.received, len(data)):
            self.fail(f"{len(data)} bytes are not what was sent at {self.received}")
        if data and self.has_ended is not None:
            self.fail("data after the end")
        self.received += len(data)

    @property
    def peer(self) -> Stream | None:
        """The other end, if the model is sure."""
        if self.is_accepted:
            found = self.world.connected.get(self.peer_name, []) if self.peer_name is not None else []
        else:
            found = self.world.accepted.get(self.own_name, []) if self.own_name is not None else []
        return found[0] if len(found) == 1 else None

    def ended(self) -> None:
        if self.peer is not None and not self.peer.has_said_end:
            self.fail(f"is told of a graceful end, of which {self.peer.name} knows nothing")
        if self.has_ended is None:
            self.has_ended = self.received

    def indicated(self, Flags: int, indication: Any, length: int, accepted: list[int]) -> Any:
        if indication is None:
            self.is_broken = True
            return STATUS_SUCCESS
        if not self.is_armed:
            self.fail("an indication before WskReceive has taken the rest of the last")
        data = content_of(indication.Buffer)
        if len(data) != length or accepted != [length] or not length:
            self.fail(f"BytesIndicated {length}, BytesAccepted {accepted} for {len(data)} bytes")
        self.react()
        choice = 0 if self.world.is_ending else self.dice.random()
        if self.is_closing or choice < 0.4:
            taken, status = length, STATUS_SUCCESS
        elif choice < 0.6:
            taken, status = self.dice.randrange(length), STATUS_SUCCESS
        elif choice < 0.7:
            taken, status = 0, STATUS_DATA_NOT_ACCEPTED
        else:
            taken, status = length, STATUS_PENDING
            self.retain(indication, data)
        if status == STATUS_SUCCESS and taken < length:
            accepted[0] = taken
        if taken < length:
            self.is_armed = False
            if self.is_live and self.dice.random() < 0.3 and self.world.may_act():
                self.receive(self.dice)
        self.take(data[:taken])
        return status

    def told_of_end(self, Flags: int) -> Any:
        if Flags & WSK_FLAG_ABORTIVE:
            self.is_broken = True
        else:
            self.ended()
        self.react()
        return STATUS_SUCCESS

    def told_of_backlog(self, size: int) -> Any:
        if size <= 0:
            self.fail(f"an ideal backlog of {size}")
        self.react()
        return STATUS_SUCCESS

    # The end

    def read_on(self) -> None:
        """Take all that comes, and finish."""
        if self.state != CONNECTED or self.is_closing or self.is_silent:
            return
        self.world.left_inside = 0

        def then(call: Call) -> None:
            if call.is_success and call.Information:
                again()

        def again() -> None:
            memory = self.memory(bytes(40_000), Random(0))
            if memory is None or self.is_closing:
                return

            def done(call: Call) -> None:
                self._received(call, memory, 40_000, 0)
                then(call)

            call = self.call("WskReceive", WSK_BUF(memory.buffer.Mdl, memory.offset, memory.size), 0, then=done,
                             memory=(memory,))  # fmt: skip
            if call is not None and not call.is_done:
                self.receives.append(call)

        again()
        if not self.is_finishing:
            self.is_finishing = self.has_said_end = True
            self.call("WskDisconnect", None, 0, then=self._disconnected)


@callback(WSK_EVENT_RECEIVE, 1)
def _receive_event(stream: Stream, *arguments: Any) -> Any:
    return stream.indicated(*arguments)


@callback(WSK_EVENT_DISCONNECT, -1)
def _disconnect_event(stream: Stream, Flags: int) -> Any:
    return stream.told_of_end(Flags)


@callback(WSK_EVENT_SEND_BACKLOG, -1)
def _send_backlog_event(stream: Stream, size: int) -> Any:
    return stream.told_of_backlog(size)


CONNECTION_EVENTS = WSK_CLIENT_CONNECTION_DISPATCH(_receive_event, _disconnect_event, _send_backlog_event)
