"""Datagram sockets, raw ones among them: what arrives is one datagram that was sent, whole but for the buffer."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, ClassVar

from tests.support.wsk_machine.addresses import PORTS, local_address, remote_address
from tests.support.wsk_machine.calls import Call, Memory
from tests.support.wsk_machine.control_info import (
    NOTHING,
    Message,
    Sent,
    check,
    choose,
    messages_in,
    set_hops,
    want,
)
from tests.support.wsk_machine.groups import GROUPS, Memberships, change_memberships
from tests.support.wsk_machine.options import option_moves
from tests.support.wsk_machine.sock import BOUND, BUSY, CREATED, Move, Sock, callback, content_of
from tests.support.wsk_machine.streams import PATTERN
from wsknet.types import is_multicast
from wsknet.wsk import (
    AF_INET,
    CMSGHDR,
    MSG_CTRUNC,
    MSG_MCAST,
    MSG_TRUNC,
    SIO_WSK_SET_REMOTE_ADDRESS,
    SIO_WSK_SET_SENDTO_ADDRESS,
    SOCKADDR_STORAGE,
    STATUS_DATA_NOT_ACCEPTED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_BUF_LIST,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_EVENT_RECEIVE_FROM,
    WskIoctl,
    simple,
)

SIZES = (4, 5, 100, 1400, 1472, 3000)
ROOM = (0, 24, 64, 256)
"""For control information: of no message, of one, of some, of all."""
USUAL_HOPS = 128
HEAD = 4
"""Bytes by which a datagram is known."""


class Datagrams(Sock):
    EVENTS: ClassVar[int] = WSK_EVENT_RECEIVE_FROM
    IS_RAW: ClassVar[bool] = False

    def __init__(self, party: Any, family: int, seed: int) -> None:
        super().__init__(party, family, seed)
        self.receives: list[Call] = []
        self.seen: dict[bytes, None] = {}
        """In the order of arrival."""
        self.wanted: frozenset[int] = frozenset()
        """Options that ask for control messages."""
        self.wanted_changes = 0
        self.hops = {False: USUAL_HOPS, True: 1}
        """By whether it is to a group."""
        self.memberships = Memberships()
        self.refused: dict[bytes, None] = {}
        """Datagrams that the event has refused: they come again."""
        self.is_unsure = False
        """A buffer was too small to tell which datagram it was that it had."""
        self.has_refused = False
        """A static event that has refused is called for what comes later."""
        self.fixed: dict[int, bool] = {}
        """Whether each of the two IOCTLs has given it an address."""
        self.changing = 0

    # What it may do

    def moves(self) -> list[Move]:
        if self.state == CREATED:
            return [self.bind, self.bind, self.bind, option_moves(self), self.ask_for_more]
        if self.state != BOUND:
            return [option_moves(self)]
        return [self.send, self.send, self.send, self.send_messages, self.receive, self.receive, self.enable,
                self.enable, self.disable, self.release, self.fix_address, self.ask_for_more, self.ask_local,
                self.change_memberships, option_moves(self)]  # fmt: skip

    def may_enable(self) -> int:
        return self.EVENTS if self.state == BOUND else 0

    def bind(self, dice: Random, port: int | None = None) -> None:
        self.state = BUSY
        ports = (0,) if self.IS_RAW else (0, *PORTS) if port is None else (port,)
        address = local_address(self.party.host.name, self.family, dice, ports)
        if self.call("WskBind", address, 0, then=self._bound) is None:
            self.state = CREATED

    def _bound(self, call: Call) -> None:
        self.state = BOUND if call.is_success else CREATED
        self.react()

    def ask_local(self, dice: Random) -> None:
        self.call("WskGetLocalAddress", SOCKADDR_STORAGE())

    def ask_for_more(self, dice: Random) -> None:
        dice.choice((want, want, want, set_hops))(self, dice)

    def change_memberships(self, dice: Random) -> None:
        change_memberships(self, dice)

    def to(self, dice: Random) -> Any:
        if not self.IS_RAW and dice.random() < 0.15:
            return simple.address(dice.choice(GROUPS[self.family]), dice.choice(PORTS))
        return remote_address(self.party.host.name, self.family, dice, (0,) if self.IS_RAW else PORTS)

    def fix_address(self, dice: Random) -> None:
        if self.changing:
            return
        code = dice.choice((SIO_WSK_SET_REMOTE_ADDRESS, SIO_WSK_SET_SENDTO_ADDRESS))
        target = remote_address(self.party.host.name, self.family, dice, (0,) if self.IS_RAW else PORTS)
        target = target if dice.random() < 0.6 else None
        size = 0 if target is None else len(bytes(target))
        self.fixed[code] = False
        self.changing += 1

        def then(call: Call) -> None:
            self.changing -= 1
            self.fixed[code] = call.is_success and target is not None

        if self.call("WskControlSocket", WskIoctl, code, 0, size, target, 0, None, None, then=then) is None:
            self.changing -= 1

    # Sending

    def outgoing(self, dice: Random) -> bytes:
        head = len(self.world.sent).to_bytes(HEAD, "big")
        size = dice.choice(SIZES)
        data = head + PATTERN[size : 2 * size - HEAD]
        self.world.sent[head] = Sent(data, self.world.tick(), None, 0, 0)
        return data

    def send(self, dice: Random) -> None:
        memory = self.memory(self.outgoing(dice), dice)
        if memory is not None:
            self._send("WskSendTo", memory.buffer, [memory], dice)

    def send_messages(self, dice: Random) -> None:
        lent: list[Memory] = []
        head: WSK_BUF_LIST | None = None
        for _ in range(dice.randint(1, 3)):
            memory = self.memory(self.outgoing(dice), dice)
            if memory is not None:
                lent.append(memory)
                head = WSK_BUF_LIST(head, memory.buffer)
        if head is not None:
            self._send("WskSendMessages", head, lent, dice)

    def _send(self, name: str, buffer: Any, lent: list[Memory], dice: Random) -> None:
        size = sum(memory.size for memory in lent)
        to = None if any(self.fixed.values()) and dice.random() < 0.7 else self.to(dice)
        info = NOTHING if self.IS_RAW else choose(self, to, dice)
        self._note(lent, to, info.traffic_class)

        def then(call: Call) -> None:
            if call.is_success and call.Information != size:
                self.fail(f"sent {call.Information} of {size} bytes")
            if info.status is not None:
                self.require(call, info.status)
            self.react()

        control = info.octets or None
        self.call(name, buffer, 0, to, len(info.octets), control, then=then, memory=tuple(lent))

    def _note(self, lent: list[Memory], to: Any, traffic_class: int) -> None:
        """How these datagrams have to arrive."""
        raw = bytes(to) if to is not None else b""
        address = None if to is None else raw[4:8] if self.family == AF_INET else raw[8:24]
        hops = self.hops[address is not None and is_multicast(address)]
        for memory in lent:
            head = memory.content[:HEAD]
            if head in self.world.sent and not self.IS_RAW:
                data = self.world.sent[head].data
                self.world.sent[head] = Sent(data, self.world.tick(), address, traffic_class, hops)

    # Receiving

    def receive(self, dice: Random) -> None:
        size = dice.choice((0, 10, 1500, 4000))
        memory = self.memory(bytes(size), dice)
        if memory is None:
            return
        source = SOCKADDR_STORAGE() if dice.random() < 0.7 else None
        room = dice.choice(ROOM)
        control = bytearray(room)
        length, flags = ([room], [0]) if dice.random() < 0.7 else (None, None)
        changes = self.wanted_changes

        def then(call: Call) -> None:
            if call.is_success and length is not None and flags is not None:
                if not 0 <= length[0] <= room:
                    self.fail(f"{length[0]} bytes of control information")
                is_sure = changes == self.wanted_changes and not flags[0] & MSG_CTRUNC
                self._told(memory.content, messages_in(control, length[0]), flags[0], is_sure)
            self._received(call, memory, size, flags)

        out = (source, length, CMSGHDR.cast(control) if room and length is not None else None, flags)
        call = self.call("WskReceiveFrom", memory.buffer, 0, *out, then=then, memory=(memory,))
        if call is not None and not call.is_done:
            self.receives.append(call)

    def _received(self, call: Call, memory: Memory, size: int, flags: list[int] | None) -> None:
        if call.is_success:
            if self.receives and call in self.receives and self.receives[0] is not call:
                self.fail("a receive has overtaken another")
            if call.Information > size:
                self.fail(f"{call.Information} bytes in a buffer of {size}")
            data = memory.content[: call.Information]
            is_cut = bool(flags[0] & MSG_TRUNC) if flags is not None else call.Information == size
            self.arrived(data, is_cut)
        if call in self.receives:
            self.receives.remove(call)
        self.react()

    def arrived(self, data: bytes, is_cut: bool) -> None:
        if self.IS_RAW:
            return
        sent = self.world.sent.get(data[:HEAD])
        if len(data) < HEAD and is_cut:
            self.is_unsure = True
            return
        if sent is None or (sent.data[: len(data)] if is_cut else sent.data) != data:
            self.fail(f"a datagram of {len(data)} bytes that nobody has sent")
        elif sent.to is not None and is_multicast(sent.to) and not self.memberships.hears(sent.to, sent.moment):
            self.fail("a datagram to a group that it has not joined, or has left")
        if data[:HEAD] in self.seen:
            self.fail("a datagram twice")
        self.seen[data[:HEAD]] = None

    def _told(self, data: bytes, messages: list[Message], flags: int, is_sure: bool) -> None:
        """What has come with a datagram."""
        if self.IS_RAW:
            return
        sent = self.world.sent.get(data[:HEAD])
        check(self, messages, self.wanted if is_sure else None, sent)
        if sent is not None and sent.to is not None and bool(flags & MSG_MCAST) != is_multicast(sent.to):
            self.fail(f"flags 0x{flags:X} for {sent}")

    def indicated(self, Flags: int, indication: Any) -> Any:
        if indication is None:
            self.is_broken = True
            return STATUS_SUCCESS
        batch = [(element, content_of(element.Buffer)) for element in _elements(indication)]
        for element, data in batch:
            told = messages_in(element.ControlInfo, element.ControlInfoLength)
            self._told(data, told, Flags, is_sure=self.is_steady)
        self.react()
        choice = 1 if self.world.is_ending else self.dice.random()
        self.has_refused = False
        if choice < 0.2 and not self.is_closing:
            self.has_refused = True
            self.refused.update((data[:HEAD], None) for _, data in batch)
            self.enabled &= self.party.static_events
            return STATUS_DATA_NOT_ACCEPTED
        for _, data in batch:
            self.arrived(data, is_cut=False)
        if choice < 0.5 and not self.is_closing:
            for element, data in batch:
                self.retain(element, data)
            return STATUS_PENDING
        return STATUS_SUCCESS


class Raw(Datagrams):
    IS_RAW: ClassVar[bool] = True

    def send(self, dice: Random) -> None:
        memory = self.memory(bytes(dice.choice((0, 8, 100))), dice)
        if memory is not None:
            self._send("WskSendTo", memory.buffer, [memory], dice)

    def change_memberships(self, dice: Random) -> None:
        """Its datagrams tell nothing of who has sent them."""


def _elements(indication: Any) -> Iterator[Any]:
    while indication is not None:
        yield indication
        indication = indication.Next


@callback(WSK_EVENT_RECEIVE_FROM, 1)
def _receive_from_event(sock: Datagrams, *arguments: Any) -> Any:
    return sock.indicated(*arguments)


DATAGRAM_EVENTS = WSK_CLIENT_DATAGRAM_DISPATCH(_receive_from_event)
