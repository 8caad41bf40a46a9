"""Hosts that open, fail and close connections for as long as one likes, and what memory that takes."""

from __future__ import annotations

import gc
import tracemalloc
from random import Random
from typing import TYPE_CHECKING

from wsknet.behaviour import BSD, LINUX, WINDOWS
from wsknet.devices.impair import Impairment
from wsknet.errors import NetError
from wsknet.host import Host, Network
from wsknet.tcp_policy import KeepAlive
from wsknet.text import parse_address
from wsknet.transport.endpoint import Ready
from wsknet.transport.flow_label import MAX_FLOWS
from wsknet.transport.ports import PortChoice
from wsknet.types import MILLISECOND, SECOND, Address, Cover, Endpoint, Family, Instant, LocalName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsknet.transport.tcp.endpoint import TcpEndpoint

WARM_UP = 150 * SECOND
"""Longer than the longest TIME-WAIT, 120 s: from then on as many leave it as enter."""
_SERVICE, _NOBODY = 7, 9
_SETS = (WINDOWS, LINUX, BSD)
_NETS = {Family.IPV4: "192.0.2.{}", Family.IPV6: "2001:db8::{}"}
_GHOST = 99
"""Nobody has this address: whoever connects to it waits in vain."""
_KEEP_ALIVE = KeepAlive(idle=20 * SECOND)
_BLOCK = b"x" * 4000


class _Party:
    """One end of a connection that answers what it is asked, and then leaves as `manner` says."""

    def __init__(self, soak: Soak, endpoint: TcpEndpoint, manner: str, size: int) -> None:
        self._soak = soak
        self._endpoint = endpoint
        self._manner = manner
        self._left = size
        self._is_finished = False
        endpoint.owner = self
        endpoint.keep_alive_settings = _KEEP_ALIVE
        endpoint.keep_alive = True

    def on_ready(self, readiness: int, now: Instant) -> None:
        endpoint = self._endpoint
        if readiness & Ready.FAILED:
            self._soak.failed += 1
            endpoint.close(now)
            return
        endpoint.receive(1 << 20, now)
        if self._manner == "abort" and not self._left:
            self._soak.aborted += 1
            endpoint.close(now)
            return
        while self._left and endpoint.unacknowledged < len(_BLOCK):
            piece = _BLOCK[: self._left]
            self._left -= len(piece)
            endpoint.send(piece, now)
        if not self._left and not self._is_finished and self._manner != "abort":
            self._is_finished = True
            endpoint.finish(now)
        if self._is_finished and endpoint.peer_finished and not endpoint.unacknowledged:
            self._soak.closed += 1
            endpoint.close(now)


class Soak:
    """`hosts` machines on one hub that loses a little; `per_second` attempts to connect in all."""

    def __init__(self, seed: int = 1, hosts: int = 4, per_second: int = 5) -> None:
        tracemalloc.start()  # first of all: what replaces something that was not counted would look like growth
        self.network = Network(seed)
        self.opened = self.closed = self.failed = self.aborted = self.refused = 0
        self._rng = Random(f"soak {seed}")
        self._pause = SECOND // per_second
        self._is_over = False
        self._hosts = [self.network.host(f"h{number}", _SETS[number % 3]) for number in range(hosts)]
        cards = [
            host.interface("eth0", f"192.0.2.{number + 1}/24", f"2001:db8::{number + 1}/64")
            for number, host in enumerate(self._hosts)
        ]
        self.network.link(*cards, impairment=Impairment(delay=5 * MILLISECOND, loss=0.01))
        for host in self._hosts:
            _fill_labels(host)
        self._listeners = [(host, listener) for host in self._hosts for listener in self._listen(host)]

    def _listen(self, host: Host) -> Iterator[TcpEndpoint]:
        for cover in (Cover.IPV4, Cover.IPV6):
            with host.pump as now:
                listener = host.stack.tcp.open(cover)
                listener.owner = _Acceptor(self, listener)
                listener.bind(LocalName(cover, None, _SERVICE), now)
                listener.listen(now)
            yield listener

    def party(self, endpoint: TcpEndpoint) -> _Party:
        manner = self._rng.choice(("finish", "finish", "finish", "abort"))
        return _Party(self, endpoint, manner, self._rng.choice((0, 1, 500, 20_000)))

    def _open(self) -> None:
        if self._is_over:
            return
        rng, driver = self._rng, self.network.driver
        driver.call_at(Instant(driver.now() + rng.randrange(2 * self._pause)), self._open)
        number = rng.randrange(len(self._hosts))
        other = (number + rng.randrange(1, len(self._hosts))) % len(self._hosts)
        family = rng.choice(tuple(Family))
        to, port = (_GHOST, _SERVICE) if rng.random() < 0.03 else (other + 1, _SERVICE)
        port = _NOBODY if rng.random() < 0.05 else port
        self._connect(self._hosts[number], family, parse_address(_NETS[family].format(to)), port)

    def _connect(self, host: Host, family: Family, address: Address, port: int) -> None:
        self.opened += 1
        cover = Cover(family.value)
        with host.pump as now:
            endpoint = host.stack.tcp.open(cover)
            endpoint.bind(LocalName(cover, None, 0), now, choice=PortChoice.AT_CONNECT)
            self.party(endpoint)
            try:
                endpoint.connect(Endpoint(address, port), now)
            except NetError:
                self.refused += 1
                endpoint.close(now)

    def run(self, duration: int, samples: int) -> list[int]:
        """Memory in bytes at `samples` instants evenly over `duration`, after `WARM_UP`.  Ends with nothing open."""
        driver = self.network.driver
        driver.call_at(Instant(driver.now()), self._open)
        try:
            driver.run_for(WARM_UP)
            found = []
            for _ in range(samples):
                driver.run_for(duration // samples)
                gc.collect()
                found.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
        self._is_over = True
        driver.run_for(1200 * SECOND)
        for host, listener in self._listeners:
            with host.pump as now:
                listener.close(now)
        return found

    def remains(self) -> list[str]:
        """What is left in any table."""
        found = []
        for host in self._hosts:
            view = host.stack.view()
            found += [f"{host.name}: {each}" for each in (*view.connections, *view.tcp_ports, *host.stack.tcp.bound)]
        return found


def _fill_labels(host: Host) -> None:
    """The labels of flows that are over are kept, `MAX_FLOWS` of them: it shall not look as if memory grew."""
    for number in range(MAX_FLOWS):
        host.stack.tcp.flow_labels[bytes(16), number, bytes(16), 0]


class _Acceptor:
    def __init__(self, soak: Soak, listener: TcpEndpoint) -> None:
        self._soak = soak
        self._listener = listener

    def on_ready(self, readiness: int, now: Instant) -> None:
        while (endpoint := self._listener.accept(now)) is not None:
            self._soak.party(endpoint).on_ready(0, now)
