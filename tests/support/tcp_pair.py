"""Two stacks back to back in virtual time, over a link that loses, duplicates and reorders."""

from __future__ import annotations

from heapq import heappop, heappush
from random import Random

from wsknet.behaviour import LINUX, Behaviour
from wsknet.config import InterfaceConfig, StackConfig, TcpConfig
from wsknet.control.codec import ScapyCodec
from wsknet.net import changes
from wsknet.stack import Stack
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.seq import Seq
from wsknet.types import MILLISECOND, SECOND, Cover, Duration, Endpoint, Family, IfIndex, Instant, LocalName, Proto

IF_INDEX = IfIndex(2)
PORT = 7
_TURN = MILLISECOND
"""How long an application takes before it looks again."""
_MOST_LENT = 100_000
_ADDRESSES = {
    Family.IPV4: (bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))),
    Family.IPV6: (b"\x20\x01\x0d\xb8" + bytes(11) + b"\1", b"\x20\x01\x0d\xb8" + bytes(11) + b"\2"),
}


class LossyPair:
    """`loss` and `duplication` are probabilities per TCP segment, `jitter` is added to `delay` evenly.

    ARP and neighbour discovery always get through, so that it is TCP that is tested.
    """

    def __init__(
        self,
        rng: Random,
        family: Family,
        loss: float = 0.0,
        duplication: float = 0.0,
        delay: Duration = 0,
        jitter: Duration = 0,
        buffer: int = 1 << 20,
        behaviour: Behaviour = LINUX,
        mtu: int = 1500,
    ) -> None:
        self.now = Instant(SECOND)
        self.family = family
        self.lost = 0
        self._rng = rng
        self._loss = loss
        self._duplication = duplication
        self._delay = delay
        self._jitter = jitter
        self._order = 0
        self._flying: list[tuple[int, int, int, bytes]] = []
        config = StackConfig(behaviour=behaviour, tcp=TcpConfig(receive_buffer=buffer))
        codec = ScapyCodec()
        self.stacks = [Stack(config, codec, Random(side)) for side in (0, 1)]
        for side, stack in enumerate(self.stacks):
            stack.tcp.initial_sequence = lambda local, remote, now: Seq(0xFFFFFF00)
            interface = InterfaceConfig(f"if{side}", bytes((2, 0, 0, 0, 0, side + 1)), mtu)
            stack.apply(changes.InterfaceAdded(IF_INDEX, interface), self.now)
            for a_family, addresses in _ADDRESSES.items():
                prefix_length = 24 if a_family is Family.IPV4 else 64
                stack.apply(changes.AddressAdded(IF_INDEX, addresses[side], prefix_length), self.now)

    def connect(self) -> tuple[TcpEndpoint, TcpEndpoint]:
        """A connection from the first stack to the second; time passes until it exists."""
        cover = Cover(self.family.value)
        listener = self.stacks[1].tcp.open(cover)
        listener.bind(LocalName(cover, None, PORT), self.now)
        listener.listen(self.now)
        client = self.stacks[0].tcp.open(cover)
        client.bind(LocalName(cover, None, 0), self.now)
        client.connect(Endpoint(_ADDRESSES[self.family][1], PORT), self.now)
        server = None
        while server is None:
            assert self.step(), f"no connection: {client.state}, {client.error}"
            server = listener.accept(self.now)
        listener.close(self.now)
        return client, server

    def step(self, alarm: Instant | None = None) -> bool:
        """Let time go on to whatever comes next, `alarm` at the latest; False if nothing ever will happen."""
        self.settle()
        times = [deadline for stack in self.stacks if (deadline := stack.next_deadline()) is not None]
        if self._flying:
            times.append(Instant(self._flying[0][0]))
        if alarm is not None:
            times.append(alarm)
        if not times:
            return False
        self.now = Instant(max(self.now, min(times)))
        while self._flying and self._flying[0][0] <= self.now:
            _, _, side, frame = heappop(self._flying)
            self.stacks[side].receive(IF_INDEX, frame, self.now)
        for stack in self.stacks:
            stack.poll(self.now)
        self.settle()
        return True

    def settle(self) -> None:
        for side, stack in enumerate(self.stacks):
            while stack.next_event() is not None:
                pass
            for _, frame, _ in stack.take_frames():
                self._transmit(b"".join(frame), 1 - side)

    def _transmit(self, frame: bytes, side: int) -> None:
        rng = self._rng
        is_tcp = frame[23 if frame[12:14] == b"\x08\x00" else 20] == Proto.TCP and frame[12:14] != b"\x08\x06"
        if is_tcp and rng.random() < self._loss:
            self.lost += 1
            return
        copies = 2 if is_tcp and rng.random() < self._duplication else 1
        for _ in range(copies):
            at = self.now + self._delay + (rng.randrange(self._jitter) if self._jitter and is_tcp else 0)
            self._order += 1
            heappush(self._flying, (at, self._order, side, frame))


class Conversation:
    """Both sides send a stream in pieces, read in pieces, and finish in their own time."""

    def __init__(self, pair: LossyPair, rng: Random, ends: tuple[TcpEndpoint, TcpEndpoint], data: list[bytes]) -> None:
        self._pair = pair
        self._rng = rng
        self._ends = ends
        self._data = data
        self._sent = [0, 0]
        self.received = [bytearray(), bytearray()]

    def run(self, limit: Duration) -> None:
        """Until both have everything and the end of it; fails when `limit` of virtual time was not enough."""
        end = self._pair.now + limit
        while True:
            is_busy = [self._act(side) for side in (0, 1)]
            if all(endpoint.peer_finished and not endpoint.readable for endpoint in self._ends):
                return
            alarm = Instant(self._pair.now + _TURN) if any(is_busy) else None
            assert self._pair.step(alarm), "nothing more will ever happen"
            assert self._pair.now < end, "too slow"
            for endpoint in self._ends:
                assert endpoint.error is None

    def _act(self, side: int) -> bool:
        """One turn of an application; whether it will have something to do even if nothing happens."""
        rng, now, endpoint, data = self._rng, self._pair.now, self._ends[side], self._data[side]
        if self._sent[side] < len(data) and endpoint.unacknowledged < _MOST_LENT:
            size = rng.choice((1, 10, 500, 1460, 5000, 50_000))
            piece = bytearray(data[self._sent[side] : self._sent[side] + size])
            self._sent[side] += len(piece)
            endpoint.send(piece, now, no_delay=rng.random() < 0.2)
            if self._sent[side] >= len(data):
                endpoint.finish(now)
        elif not data and not self._sent[side]:
            self._sent[side] = 1
            endpoint.finish(now)
        if endpoint.readable and rng.random() < 0.7:
            self.received[side] += endpoint.receive(rng.choice((1, 100, 3000, 1 << 20)), now)
        return endpoint.readable > 0 or (self._sent[side] < len(data) and endpoint.unacknowledged < _MOST_LENT)
