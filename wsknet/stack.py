"""One emulated host's protocol stack: wiring only.

Sans-IO.  In come frames, calls, changes and time; out come frames, events and the next deadline.  After any call drain
`take_frames` and `next_event` and ask for `next_deadline`: `drivers.pump.Pump` does that for everybody.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from wsknet.net.layer import IpLayer
from wsknet.timers import Timers
from wsknet.trace import Decision, Trace
from wsknet.transport.demux import Demux
from wsknet.transport.echo import EchoProtocol
from wsknet.transport.endpoint import Event, TransportEndpoint
from wsknet.transport.lost_addresses import LostAddresses
from wsknet.transport.ports import PortTable
from wsknet.transport.queries import Answer, Deciders, Query, decide, question
from wsknet.transport.raw.protocol import RawProtocols
from wsknet.transport.tcp.protocol import TcpProtocol
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.transport.udp.protocol import UdpProtocol
from wsknet.transport.view import View, snapshot
from wsknet.types import Buffers, FrameMeta, IfIndex, Instant, Proto

if TYPE_CHECKING:
    from random import Random

    from wsknet.config import StackConfig
    from wsknet.net.changes import Change
    from wsknet.net.messages.codec import Codec


class Stack:
    """`codec` turns control messages into bytes and back; `rng` is the only source of randomness."""

    def __init__(self, config: StackConfig, codec: Codec, rng: Random) -> None:
        self.config = config
        self.trace = Trace()
        self.timers = Timers()
        self.ip = IpLayer(config, codec, self.timers, self.trace, rng)
        behaviour = config.behaviour
        self.udp = UdpProtocol(
            self.ip,
            PortTable(Proto.UDP, behaviour, rng, config.ports),
            Demux[UdpEndpoint](behaviour.demux_tie, rng),
            config.udp,
            self.trace,
            self.notify,
        )
        self.tcp = TcpProtocol(
            self.ip,
            PortTable(Proto.TCP, behaviour, rng, config.ports),
            Demux(behaviour.demux_tie, rng),
            self.timers,
            rng,
            config,
            self.trace,
            self.notify,
        )
        self.echo = EchoProtocol(self.ip, config.udp.receive_buffer, self.notify)
        self.raw = RawProtocols(self.ip, config.udp.receive_buffer, self.notify)
        self.ip.protocols[Proto.UDP] = self.udp
        self.ip.protocols[Proto.TCP] = self.tcp
        self.ip.icmp.echo = self.echo
        self._ready: deque[TransportEndpoint] = deque()
        self.ip.watchers.append(LostAddresses(self.ip, self.tcp, self.udp, self.raw).hear)

    def receive(self, if_index: IfIndex, frame: bytes, now: Instant, meta: FrameMeta | None = None) -> None:
        """A frame arrived; `meta` of `None` says that it is plain, as it was on the wire.

        Never raises: the frame is delivered, answered or dropped with a reason in `trace.drops`.
        """
        self.ip.receive(if_index, frame, now, meta)

    def poll(self, now: Instant) -> None:
        """Fire the timers that are due."""
        self.timers.fire(now)
        self.ip.deliver_looped(now)

    def apply(self, change: Change, now: Instant) -> None:
        """An interface, address, route or link changed.  `ValueError` for a change that names what is not there."""
        self.ip.apply(change, now)

    def take_frames(self) -> list[tuple[IfIndex, Buffers, str | None]]:
        """What has to leave, in order: interface, buffers, comment for captures."""
        frames = self.ip.frames
        if frames:
            self.ip.frames = []
        return frames

    def next_event(self) -> Event | None:
        if not self._ready:
            return None
        endpoint = self._ready.popleft()
        readiness, endpoint.readiness = endpoint.readiness, 0
        return Event(endpoint, readiness)

    def next_deadline(self) -> Instant | None:
        """When `poll` has something to do; `None` if only a frame or a call can change anything."""
        return self.timers.next_deadline()

    def notify(self, endpoint: TransportEndpoint, readiness: int) -> None:
        """Queue `endpoint` for `next_event`, once; what becomes ready meanwhile is added to its bits."""
        if not endpoint.readiness:
            self._ready.append(endpoint)
        endpoint.readiness |= readiness

    def view(self) -> View:
        """Every table as it is now; `wsknet.inspect.tables` turns it into text."""
        return snapshot(self.ip, self.tcp, self.udp, self.raw, self.trace)

    def resolve(self, query: Query) -> Answer:
        """What would happen, without explaining."""
        return decide(Deciders(self.ip, self.tcp, self.udp), query, None)

    def explain(self, query: Query) -> tuple[Answer, Decision]:
        """The same answer, with every candidate and the rule that decided."""
        why = Decision(question(query))
        return decide(Deciders(self.ip, self.tcp, self.udp), query, why), why
