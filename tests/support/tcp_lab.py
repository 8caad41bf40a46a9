"""One stack on one interface in virtual time, with a scripted peer at the other end of the link.

lab = TcpLab()
endpoint = lab.connected()                  # handshake done, from our side
lab.peer.send(seq=1, ack=1, data=b"abc")    # flags "A" unless given
lab.clock.advance(ms(40))
lab.peer.expect(seq=1, ack=4)
lab.peer.expect_nothing(until=ms(1000))
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tests.support.tcp_peer import IF_INDEX, OUR_ADDRESS, OUR_ISS, OUR_MAC, OUR_PORT, PEER_ADDRESS, Peer
from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.config import InterfaceConfig, StackConfig, TcpConfig
from wsknet.control.codec import ScapyCodec
from wsknet.net import changes
from wsknet.stack import Stack
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.seq import Seq
from wsknet.transport.tcp.state import State
from wsknet.types import SECOND, Address, Cover, Duration, Family, Instant, LocalName
from wsknet.wire import ipv6


class Recorder:
    """An owner that keeps what it was told."""

    def __init__(self) -> None:
        self.readiness = 0
        self.history: list[int] = []

    def on_ready(self, readiness: int, now: Instant) -> None:
        self.readiness |= readiness
        self.history.append(readiness)

    def take(self) -> int:
        """Everything told since the last call."""
        readiness, self.readiness = self.readiness, 0
        return readiness


class Clock:
    """Virtual time that stops at each deadline of the stack."""

    def __init__(self, lab: TcpLab) -> None:
        self._lab = lab
        self.now = Instant(10 * SECOND)

    def advance(self, duration: Duration, until_sent: bool = False) -> None:
        """Let time pass.  With `until_sent` only to the moment at which a segment leaves, if one does."""
        end = self.now + duration
        while True:
            self._lab.settle()
            if until_sent and self._lab.peer.segments:
                return
            deadline = self._lab.stack.next_deadline()
            if deadline is None or deadline > end:
                break
            self.now = Instant(max(self.now, deadline))
            self._lab.stack.poll(self.now)
        self.now = Instant(end)


class TcpLab:
    """One stack with one interface, `family` chosen for the conversation."""

    def __init__(
        self,
        family: Family = Family.IPV4,
        behaviour: Behaviour = WINDOWS,
        tcp_config: TcpConfig | None = None,
        mtu: int = 1500,
        is_neighbour_silent: bool = False,
    ) -> None:
        self.family = family
        config = StackConfig(behaviour=behaviour, tcp=tcp_config or TcpConfig())
        self.codec = ScapyCodec()
        self.stack = Stack(config, self.codec, Random(1))
        self.stack.tcp.initial_sequence = lambda local, remote, now: Seq(OUR_ISS)
        self.clock = Clock(self)
        self.peer = Peer(self)
        self.is_neighbour_silent = is_neighbour_silent
        """Nobody answers ARP or neighbour solicitations."""
        self._add_interface(mtu)
        self.owners: dict[TcpEndpoint, Recorder] = {}

    def _add_interface(self, mtu: int) -> None:
        self.stack.apply(changes.InterfaceAdded(IF_INDEX, InterfaceConfig("eth0", OUR_MAC, mtu)), self.clock.now)
        for family, length, prefix_length in ((Family.IPV4, 4, 24), (Family.IPV6, 16, 64)):
            if family is Family.IPV6 and mtu < ipv6.MIN_MTU:
                continue
            for change in (
                changes.AddressAdded(IF_INDEX, OUR_ADDRESS[family], prefix_length),
                changes.RouteAdded(bytes(length), 0, IF_INDEX, PEER_ADDRESS[family], 256),
            ):
                self.stack.apply(change, self.clock.now)

    @property
    def now(self) -> Instant:
        return self.clock.now

    def settle(self) -> None:
        """What a pump does: events to their owners, frames to the link."""
        while True:
            event = self.stack.next_event()
            while event is not None:
                if event.endpoint.owner is not None:
                    event.endpoint.owner.on_ready(event.readiness, self.now)
                event = self.stack.next_event()
            if self.stack.ip.deliver_looped(self.now):
                continue
            frames = self.stack.take_frames()
            if not frames:
                return
            for _, frame, _ in frames:
                self.peer.hear(b"".join(frame))

    def receive(self, frame: bytes) -> None:
        self.stack.receive(IF_INDEX, frame, self.now)
        self.settle()

    # Endpoints in a given state

    def open(self) -> TcpEndpoint:
        recorder = Recorder()
        endpoint = self.stack.tcp.open(Cover(self.family.value), recorder)
        self.owners[endpoint] = recorder
        return endpoint

    def bound(self, port: int = OUR_PORT, address: Address | None = None) -> TcpEndpoint:
        endpoint = self.open()
        endpoint.bind(LocalName(Cover(self.family.value), address, port), self.now)
        return endpoint

    def connecting(self, port: int = OUR_PORT) -> TcpEndpoint:
        """SYN-SENT; the SYN is still to be expected."""
        endpoint = self.bound(port)
        endpoint.connect(self.peer.endpoint, self.now)
        self.settle()
        return endpoint

    def connected(
        self, window: int = 65535, mss: int | None = 1460, scale: int | None = None, sack: bool = False
    ) -> TcpEndpoint:
        """ESTABLISHED by our connect; nothing left to expect."""
        endpoint = self.connecting()
        self.peer.expect(flags="S", seq=0)
        self.peer.send(flags="SA", seq=0, ack=1, window=window, mss=mss, scale=scale, sack_permitted=sack)
        self.peer.expect(flags="A", seq=1, ack=1)
        assert self.told(endpoint) == Ready.CONNECTED
        return endpoint

    def listening(self, port: int = OUR_PORT, backlog: int | None = None) -> TcpEndpoint:
        endpoint = self.bound(port)
        endpoint.listen(self.now, backlog)
        return endpoint

    def accepted(self, window: int = 65535, mss: int | None = 1460) -> TcpEndpoint:
        """ESTABLISHED by the peer's SYN; nothing left to expect."""
        listener = self.listening()
        self.peer.send(flags="S", seq=0, window=window, mss=mss)
        self.peer.expect(flags="SA", seq=0, ack=1)
        self.peer.send(seq=1, ack=1, window=window)
        return self.accept(listener)

    def accept(self, listener: TcpEndpoint) -> TcpEndpoint:
        endpoint = listener.accept(self.now)
        assert endpoint is not None
        endpoint.owner = self.owners[endpoint] = Recorder()
        self.settle()
        return endpoint

    def told(self, endpoint: TcpEndpoint) -> int:
        """Bits of `Ready` that the owner of `endpoint` has heard since the last call."""
        self.settle()
        return self.owners[endpoint].take()

    def state(self, endpoint: TcpEndpoint) -> State:
        """A function, so that mypy does not take the state for settled once it was asserted."""
        return endpoint.state

    def send(self, endpoint: TcpEndpoint, data: bytes, no_delay: bool = False) -> int:
        end = endpoint.send(data, self.now, no_delay)
        self.settle()
        return end

    def receive_all(self, endpoint: TcpEndpoint) -> bytes:
        data = endpoint.receive(1 << 30, self.now)
        self.settle()
        return data

    def finish(self, endpoint: TcpEndpoint) -> None:
        endpoint.finish(self.now)
        self.settle()

    def abort(self, endpoint: TcpEndpoint) -> None:
        endpoint.abort(self.now)
        self.settle()

    def close(self, endpoint: TcpEndpoint) -> None:
        endpoint.close(self.now)
        self.settle()


def with_tcp(behaviour: Behaviour, **changes_: object) -> Behaviour:
    """The same behaviour with other numbers in its `tcp` policy."""
    return replace(behaviour, tcp=replace(behaviour.tcp, **changes_))  # type: ignore[arg-type]
