"""Datagram sockets, raw ones among them: what arrives is one datagram that was sent, whole but for the buffer."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, ClassVar

from tests.support.wsk_machine.addresses import PORTS, local_address, remote_address
from tests.support.wsk_machine.calls import Call, Memory
from tests.support.wsk_machine.options import option_moves
from tests.support.wsk_machine.sock import BOUND, BUSY, CREATED, Move, Sock, callback, content_of
from tests.support.wsk_machine.streams import PATTERN
from wsknet.wsk import (
    AF_INET,
    CMSGHDR,
    IP_PKTINFO,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_PKTINFO,
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
    WskSetOption,
)

SIZES = (4, 5, 100, 1400, 1472, 3000)
CONTROL_ROOM = 128


class Datagrams(Sock):
    EVENTS: ClassVar[int] = WSK_EVENT_RECEIVE_FROM
    IS_RAW: ClassVar[bool] = False

    def __init__(self, party: Any, family: int, seed: int) -> None:
        super().__init__(party, family, seed)
        self.receives: list[Call] = []
        self.seen: set[bytes] = set()
        self.fixed: dict[int, bool] = {}
        """Whether each of the two IOCTLs has given it an address."""
        self.changing = 0

    # What it may do

    def moves(self) -> list[Move]:
        if self.state == CREATED:
            return [self.bind, self.bind, self.bind, option_moves(self), self.want_info]
        if self.state != BOUND:
            return [option_moves(self)]
        return [self.send, self.send, self.send, self.send_messages, self.receive, self.receive, self.enable,
                self.enable, self.disable, self.release, self.fix_address, self.want_info, self.ask_local,
                option_moves(self)]  # fmt: skip

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

    def want_info(self, dice: Random) -> None:
        Level, Option = (IPPROTO_IP, IP_PKTINFO) if self.family == AF_INET else (IPPROTO_IPV6, IPV6_PKTINFO)
        self.call("WskControlSocket", WskSetOption, Option, Level, 4, [dice.choice((0, 1))], 0, None, None)

    def to(self, dice: Random) -> Any:
        return remote_address(self.party.host.name, self.family, dice, (0,) if self.IS_RAW else PORTS)

    def fix_address(self, dice: Random) -> None:
        if self.changing:
            return
        code = dice.choice((SIO_WSK_SET_REMOTE_ADDRESS, SIO_WSK_SET_SENDTO_ADDRESS))
        target = self.to(dice) if dice.random() < 0.6 else None
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
        head = len(self.world.sent).to_bytes(4, "big")
        size = dice.choice(SIZES)
        self.world.sent[head] = head + PATTERN[size : 2 * size - 4]
        return self.world.sent[head]

    def send(self, dice: Random) -> None:
        data = self.outgoing(dice)
        memory = self.memory(data, dice)
        if memory is not None:
            self._send("WskSendTo", memory.buffer, [memory], len(data), dice)

    def send_messages(self, dice: Random) -> None:
        lent: list[Memory] = []
        head: WSK_BUF_LIST | None = None
        for _ in range(dice.randint(1, 3)):
            memory = self.memory(self.outgoing(dice), dice)
            if memory is not None:
                lent.append(memory)
                head = WSK_BUF_LIST(head, memory.buffer)
        if head is not None:
            self._send("WskSendMessages", head, lent, sum(memory.size for memory in lent), dice)

    def _send(self, name: str, buffer: Any, lent: list[Memory], size: int, dice: Random) -> None:
        def then(call: Call) -> None:
            if call.is_success and call.Information != size:
                self.fail(f"sent {call.Information} of {size} bytes")
            self.react()

        to = None if any(self.fixed.values()) and dice.random() < 0.7 else self.to(dice)
        self.call(name, buffer, 0, to, 0, None, then=then, memory=tuple(lent))

    # Receiving

    def receive(self, dice: Random) -> None:
        size = dice.choice((0, 10, 1500, 4000))
        memory = self.memory(bytes(size), dice)
        if memory is None:
            return
        source = SOCKADDR_STORAGE() if dice.random() < 0.7 else None
        control = bytearray(CONTROL_ROOM)
        length, flags = ([CONTROL_ROOM], [0]) if dice.random() < 0.5 else (None, None)

        def then(call: Call) -> None:
            self._received(call, memory, size, flags)
            if call.is_success and length is not None and not 0 <= length[0] <= CONTROL_ROOM:
                self.fail(f"{length[0]} bytes of control information")

        out = (source, length, CMSGHDR.cast(control) if length is not None else None, flags)
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
        whole = self.world.sent.get(data[:4])
        if len(data) < 4 and is_cut:
            return
        if whole is None or (whole[: len(data)] if is_cut else whole) != data:
            self.fail(f"a datagram of {len(data)} bytes that nobody has sent")
        if data[:4] in self.seen:
            self.fail("a datagram twice")
        self.seen.add(data[:4])

    def indicated(self, Flags: int, indication: Any) -> Any:
        if indication is None:
            self.is_broken = True
            return STATUS_SUCCESS
        batch = [(element, content_of(element.Buffer)) for element in _elements(indication)]
        self.react()
        choice = self.dice.random()
        if choice < 0.2 and not self.is_closing:
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
            self._send("WskSendTo", memory.buffer, [memory], memory.size, dice)

    def to(self, dice: Random) -> Any:
        return remote_address(self.party.host.name, self.family, dice, (0,))


def _elements(indication: Any) -> Iterator[Any]:
    while indication is not None:
        yield indication
        indication = indication.Next


@callback(WSK_EVENT_RECEIVE_FROM, 1)
def _receive_from_event(sock: Datagrams, *arguments: Any) -> Any:
    return sock.indicated(*arguments)


DATAGRAM_EVENTS = WSK_CLIENT_DATAGRAM_DISPATCH(_receive_from_event)
