"""A connection between two hosts in virtual time, and somebody who listens on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.behaviour import Behaviour
from wsknet.devices.base import Device
from wsknet.devices.impair import Impairment
from wsknet.devices.wire import Wire
from wsknet.host import Network
from wsknet.text import parse_address
from wsknet.types import Cover, Duration, Endpoint, Family, IfIndex, Instant, LocalName

if TYPE_CHECKING:
    from wsknet.devices.base import Entry, Receiver
    from wsknet.transport.tcp.endpoint import TcpEndpoint
    from wsknet.types import Buffers

IF_INDEX = IfIndex(2)
PORT = 7
_CIDRS = {Family.IPV4: ("192.0.2.1/24", "192.0.2.2/24"), Family.IPV6: ("2001:db8::1/64", "2001:db8::2/64")}


class Pair:
    """The first host connects to the second."""

    def __init__(self, family: Family, behaviour: Behaviour, delay: Duration) -> None:
        self.family = family
        self.transmitted = 0
        """Frames of both."""
        self.latest = [b"", b""]
        """The latest frame to each side."""
        self.network = Network(1)
        self.hosts = [self.network.host(name, behaviour) for name in ("a", "b")]
        wire = Wire(self.network.driver, self.network.hosts["a"].rng, impairment=Impairment(delay=delay))
        for side, (host, end) in enumerate(zip(self.hosts, wire.ends, strict=True)):
            host.interface("eth0", _CIDRS[family][side]).plug(_Tap(end, self, 1 - side))
        self.ends = self._connect()

    @property
    def now(self) -> Instant:
        return self.network.driver.now()

    def _connect(self) -> tuple[TcpEndpoint, TcpEndpoint]:
        cover = Cover(self.family.value)
        one, other = self.hosts
        listener = other.stack.tcp.open(cover)
        with other.pump as now:
            listener.bind(LocalName(cover, None, PORT), now)
            listener.listen(now)
        client = one.stack.tcp.open(cover)
        with one.pump as now:
            client.bind(LocalName(cover, None, 0), now)
            client.connect(Endpoint(parse_address(_CIDRS[self.family][1].partition("/")[0]), PORT), now)
        self.network.driver.run()
        with other.pump as now:
            server = listener.accept(now)
            listener.close(now)
        assert server is not None
        return client, server

    def send(self, side: int, data: bytes) -> None:
        with self.hosts[side].pump as now:
            self.ends[side].send(data, now, no_delay=True)

    def deliver(self, side: int, frame: bytes) -> None:
        """`frame` arrives, whoever sent it."""
        with self.hosts[side].pump as now:
            self.hosts[side].stack.receive(IF_INDEX, frame, now)


class _Tap:
    """A `Device` that notes what it sends to `to`."""

    def __init__(self, device: Device, pair: Pair, to: int) -> None:
        self.name = device.name
        self._device = device
        self._pair = pair
        self._to = to

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        self._device.attach(receiver, entry)

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        self._pair.transmitted += 1
        self._pair.latest[self._to] = b"".join(frame)
        self._device.transmit(frame, now, comment)

    def close(self) -> None:
        self._device.close()
