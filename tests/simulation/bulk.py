"""A long stream over a link that loses, in virtual time, between two hosts."""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

from wsknet.behaviour import LINUX, WINDOWS
from wsknet.devices.impair import Impairment
from wsknet.host import Network
from wsknet.text import parse_address
from wsknet.transport.endpoint import Ready
from wsknet.types import MILLISECOND, Cover, Endpoint, Family, LocalName

if TYPE_CHECKING:
    from wsknet.transport.tcp.endpoint import TcpEndpoint
    from wsknet.types import Instant

_CIDRS = {Family.IPV4: ("192.0.2.1/24", "192.0.2.2/24"), Family.IPV6: ("2001:db8::1/64", "2001:db8::2/64")}
_PIECE = 1 << 16
_LENT = 1 << 21


class _Source:
    def __init__(self, size: int, rng: Random) -> None:
        self.digest = sha256()
        self.is_done = False
        self.error = ""
        self._left = size
        self._rng = rng
        self.endpoint: TcpEndpoint | None = None

    def on_ready(self, readiness: int, now: Instant) -> None:
        endpoint = self.endpoint
        assert endpoint is not None
        if readiness & Ready.FAILED:
            self.error = str(endpoint.error)
            return
        while self._left and endpoint.unacknowledged < _LENT:
            piece = self._rng.randbytes(min(_PIECE, self._left))
            self._left -= len(piece)
            self.digest.update(piece)
            endpoint.send(piece, now)
            if not self._left:
                endpoint.finish(now)
        if readiness & Ready.FINISHED:
            self.is_done = True


class _Sink:
    """Listens, accepts one, and reads all of it."""

    def __init__(self) -> None:
        self.digest = sha256()
        self.count = 0
        self.is_done = False
        self.error = ""
        self.listener: TcpEndpoint | None = None
        self.endpoint: TcpEndpoint | None = None

    def on_ready(self, readiness: int, now: Instant) -> None:
        if self.endpoint is None:
            assert self.listener is not None
            self.endpoint = self.listener.accept(now)
            assert self.endpoint is not None
            self.endpoint.owner = self
        elif readiness & Ready.FAILED:
            self.error = str(self.endpoint.error)
        data = self.endpoint.receive(1 << 30, now)
        self.count += len(data)
        self.digest.update(data)
        if self.endpoint.peer_finished and not self.is_done and not self.error:
            self.is_done = True
            self.endpoint.finish(now)


class Bulk:
    """`size` bytes from one host to the other over a round trip of 20 ms, losing `loss` of the frames each way."""

    def __init__(self, family: Family, size: int, loss: float, seed: int) -> None:
        self.network = Network(seed)
        hosts = [self.network.host("a", LINUX), self.network.host("b", WINDOWS)]
        cards = [host.interface("eth0", _CIDRS[family][side]) for side, host in enumerate(hosts)]
        self.network.link(*cards, impairment=Impairment(delay=10 * MILLISECOND, loss=loss, rate=100_000_000))
        cover = Cover(family.value)
        self.source = _Source(size, Random(f"bulk {seed}"))
        self.sink = _Sink()
        with hosts[1].pump as now:
            self.sink.listener = hosts[1].stack.tcp.open(cover, self.sink)
            self.sink.listener.bind(LocalName(cover, None, 7), now)
            self.sink.listener.listen(now)
        with hosts[0].pump as now:
            self.source.endpoint = hosts[0].stack.tcp.open(cover, self.source)
            self.source.endpoint.bind(LocalName(cover, None, 0), now)
            there = parse_address(_CIDRS[family][1].partition("/")[0])
            self.source.endpoint.connect(Endpoint(there, 7), now)

    def run(self, seconds: float) -> bool:
        """Whether both ended in order within `seconds` of virtual time."""
        source, sink = self.source, self.sink
        with self.network:
            self.network.run_until(
                lambda: bool((source.is_done and sink.is_done) or source.error or sink.error), seconds
            )
        return source.is_done and sink.is_done
