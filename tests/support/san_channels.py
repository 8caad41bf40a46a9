"""Two ends of a SAN connection over the TCP of two hosts, below the functions of a provider; or one, and raw bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.tcp_pair import Pair
from wsknet.behaviour import WINDOWS
from wsknet.errors import ErrorKind
from wsknet.san.numbers import MEM_READWRITE
from wsknet.san.provider.channel import Channel
from wsknet.san.provider.memory import Memory
from wsknet.san.provider.native import Accept, RejectReason, Request
from wsknet.san.provider.transfers import Transfers
from wsknet.san.structures import WSABUFEX, WSAOVERLAPPED
from wsknet.text import parse_address
from wsknet.types import MILLISECOND, Endpoint, Family, Instant

if TYPE_CHECKING:
    from wsknet.san.provider.memory import Hold

SOURCE = Endpoint(parse_address("192.0.2.1"), 4000)
DESTINATION = Endpoint(parse_address("192.0.2.2"), 80)
REQUEST = Request(SOURCE, DESTINATION)


class End:
    """Sink of a channel, and the socket of its transfers."""

    def __init__(self, pair: Pair, side: int) -> None:
        self.host = pair.hosts[side]
        self.endpoint = pair.ends[side]
        self.channel = Channel(self.host, self.endpoint, self)
        self.memory = Memory()
        self.transfers: Transfers | None = None
        self.told: list[object] = []
        """By the channel: the kind and what came with it."""
        self.completed: list[tuple[WSAOVERLAPPED, int, int]] = []

    def request(self, frame: Request, now: Instant) -> None:
        self.told.append(frame)

    def accepted(self, now: Instant) -> None:
        self.told.append("accepted")

    def rejected(self, reason: RejectReason, now: Instant) -> None:
        self.told.append(reason)

    def broken(self, error: ErrorKind | None, now: Instant) -> None:
        self.told.append(("broken", error))
        if self.transfers is not None:
            self.transfers.fail_all(10054, now)

    def complete(self, overlapped: WSAOVERLAPPED, error: int, count: int) -> None:
        overlapped.Internal, overlapped.InternalHigh = error, count
        self.completed.append((overlapped, error, count))

    @property
    def results(self) -> list[tuple[int, int]]:
        """Error and count of each completion, in order."""
        return [(error, count) for _, error, count in self.completed]

    def start(self) -> Transfers:
        with self.host.pump as now:
            self.transfers = Transfers(self, self.channel, self.memory)
            self.channel.start_data(self.transfers, now)
        return self.transfers

    def hold(self, *buffers: bytes | bytearray | memoryview, access: int) -> Hold:
        """Registered for everything, held for `access`."""
        found = []
        for buffer in buffers:
            flags = access if memoryview(buffer).readonly else MEM_READWRITE
            found.append(WSABUFEX(buffer, self.memory.register(self, buffer, len(buffer), flags).number))
        return self.memory.hold(found, len(found), access)


class Channels:
    """The first end asks, the second accepts."""

    def __init__(self) -> None:
        self.pair = Pair(Family.IPV4, WINDOWS, MILLISECOND)
        self.ends = [End(self.pair, side) for side in (0, 1)]

    def run(self, milliseconds: int = 1_000) -> None:
        self.pair.network.driver.run_for(milliseconds * MILLISECOND)

    def connect(self) -> tuple[Transfers, Transfers]:
        asking, accepting = self.ends
        with asking.host.pump as now:
            asking.channel.send(REQUEST, now)
        self.run()
        with accepting.host.pump as now:
            accepting.channel.send(Accept(), now)
        self.run()
        assert asking.told == ["accepted"]
        transfers = asking.start(), accepting.start()
        asking.told.clear()
        accepting.told.clear()
        return transfers


class RawPeer:
    """The first host speaks raw TCP to a channel of the second."""

    def __init__(self) -> None:
        self.pair = Pair(Family.IPV4, WINDOWS, MILLISECOND)
        self.end = End(self.pair, 1)
        self.endpoint = self.pair.ends[0]

    def run(self, milliseconds: int = 1_000) -> None:
        self.pair.network.driver.run_for(milliseconds * MILLISECOND)

    def write(self, *buffers: bytes | bytearray | memoryview) -> None:
        self.pair.send(0, b"".join(buffers))
        self.run()

    def read(self) -> bytes:
        with self.pair.hosts[0].pump as now:
            return self.endpoint.receive(1 << 20, now)

    def finish(self) -> None:
        with self.pair.hosts[0].pump as now:
            self.endpoint.finish(now)
        self.run()

    def establish(self) -> Transfers:
        from wsknet.san.provider.native import encode

        self.write(*encode(REQUEST))
        with self.end.host.pump as now:
            self.end.channel.send(Accept(), now)
        self.run()
        self.read()
        self.end.told.clear()
        return self.end.start()
