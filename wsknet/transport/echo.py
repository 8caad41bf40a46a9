"""Echo requests and what becomes of them: RFC 792, RFC 1122 3.2.2.6, RFC 4443 4.  Answering others is `net.icmp`'s."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net.messages.icmp import EchoMessage, IcmpErrorKind
from wsknet.net.packet import MAX_PAYLOAD
from wsknet.trace import DropReason
from wsknet.transport.endpoint import QUEUE_OVERHEAD, Owner, Ready, TransportEndpoint
from wsknet.transport.flow_label import FlowLabels
from wsknet.types import ICMP, Address, Family, IfIndex, Instant, Proto, family_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.net.handler import Undelivered
    from wsknet.net.layer import IpLayer
    from wsknet.net.packet import Packet

HEADER_LENGTH = 8
"""Bytes of an echo message before its data."""
MAX_DATA = {4: MAX_PAYLOAD[Family.IPV4] - HEADER_LENGTH, 16: MAX_PAYLOAD[Family.IPV6] - HEADER_LENGTH}
"""Bytes of one request, by address length."""
MAX_ENDPOINTS = 4096
"""Of one host: so few that a random identifier is free at the first or second try."""
MAX_REMEMBERED = 1024
"""Requests of one endpoint about which an error is believed, the latest; more than can wait for an answer at once."""

_IDENTIFIERS = 1 << 16


class EchoReply(NamedTuple):
    source: Address
    zone: int
    """The interface if `source` or `destination` is link-local, else 0."""
    destination: Address
    sequence: int
    data: bytes
    hop_limit: int
    """What was left of it."""
    traffic_class: int
    if_index: IfIndex


class EchoFailure(NamedTuple):
    """A request did not arrive."""

    kind: IcmpErrorKind
    reporter: Address | None
    """Who said so; `None` for our own link: the neighbour did not answer."""
    destination: Address
    sequence: int
    mtu: int
    """That of PACKET_TOO_BIG, else 0."""
    code: int
    """See `net.handler.Undelivered`."""


EchoResult: TypeAlias = EchoReply | EchoFailure


class EchoProtocol:
    """Echo requests of one host; `net.handler.EchoReceiver`."""

    def __init__(self, ip: IpLayer, receive_buffer: int, notify: Callable[[TransportEndpoint, int], None]) -> None:
        """`receive_buffer` is that of each endpoint."""
        self.ip = ip
        self.receive_buffer = receive_buffer
        self.notify = notify
        self.flow_labels = FlowLabels(Proto.ICMPV6, ip.rng, ip.config.behaviour.flow_labels)
        self._endpoints: dict[int, EchoEndpoint] = {}

    def open(self, owner: Owner | None = None) -> EchoEndpoint:
        """An endpoint with an identifier of its own.  Raises `NetError` NO_BUFFERS beyond MAX_ENDPOINTS."""
        if len(self._endpoints) >= MAX_ENDPOINTS:
            raise NetError(ErrorKind.NO_BUFFERS, f"{MAX_ENDPOINTS} endpoints send echo requests already")
        identifier = self.ip.rng.randrange(_IDENTIFIERS)
        while identifier in self._endpoints:
            identifier = (identifier + 1) % _IDENTIFIERS
        endpoint = self._endpoints[identifier] = EchoEndpoint(self, identifier, owner)
        return endpoint

    def release(self, identifier: int) -> None:
        self._endpoints.pop(identifier, None)

    def reply(self, packet: Packet, message: EchoMessage, now: Instant) -> bool:
        endpoint = self._endpoints.get(message.identifier)
        if endpoint is None:
            return False
        reply = EchoReply(
            packet.source,
            packet.zone,
            packet.destination,
            message.sequence,
            message.data,
            packet.hop_limit,
            packet.traffic_class,
            packet.interface.index,
        )
        endpoint.deliver(reply, len(message.data))
        return True

    def error(self, undelivered: Undelivered, now: Instant) -> bool:
        quoted, destination = undelivered.quoted, undelivered.destination
        sequence = int.from_bytes(quoted[6:8], "big")
        endpoint = self._endpoints.get(int.from_bytes(quoted[4:6], "big"))
        if endpoint is None or not endpoint.has_sent(destination, sequence):
            self.ip.trace.drop(DropReason.ICMP_NO_ENDPOINT, quoted)
            return False
        kind, reporter, mtu, code = undelivered.kind, undelivered.reporter, undelivered.mtu, undelivered.code
        endpoint.deliver(EchoFailure(kind, reporter, destination, sequence, mtu, code), 0)
        return True


class EchoEndpoint(TransportEndpoint):
    """Sends requests anywhere, of both families; what comes back waits for `receive`."""

    __slots__ = ("_protocol", "_queue", "_queued", "_sent", "identifier", "is_closed", "receive_buffer")

    def __init__(self, protocol: EchoProtocol, identifier: int, owner: Owner | None) -> None:
        super().__init__(owner)
        self._protocol = protocol
        self._queue: deque[tuple[EchoResult, int]] = deque()
        self._queued = 0
        self._sent: dict[tuple[Address, int], None] = {}
        self.identifier = identifier
        self.is_closed = False
        self.receive_buffer = protocol.receive_buffer
        """Bytes, QUEUE_OVERHEAD per reply or failure included."""

    def send(
        self,
        destination: Address,
        sequence: int,
        data: bytes,
        now: Instant,
        *,
        source: Address | None = None,
        zone: int = 0,
        hop_limit: int | None = None,
        may_fragment: bool = True,
        traffic_class: int = 0,
    ) -> None:
        """Send one request; the lowest 16 bits of `sequence` are in it.  `source` and `zone` as in `IpLayer.path`.

        Raises `LocalError` INVALID_STATE when closed, `NetError` NO_ROUTE, NOT_LOCAL (a source that is not ours, an
        unspecified destination), MESSAGE_TOO_LONG beyond MAX_DATA, or beyond the path MTU unless it `may_fragment`.
        """
        if self.is_closed:
            raise LocalError(ErrorKind.INVALID_STATE, "the endpoint is closed")
        if len(data) > MAX_DATA[len(destination)]:
            raise NetError(ErrorKind.MESSAGE_TOO_LONG, f"{len(data)} bytes do not fit into one echo request")
        ip = self._protocol.ip
        path = ip.path(destination, source, zone)
        family = family_of(destination)
        sequence &= 0xFFFF
        request = EchoMessage(False, self.identifier, sequence, data)
        payload = ip.codec.encode_icmp(family, path.source, destination, request)
        self._remember(destination, sequence)  # first: a neighbour known not to answer is reported at once
        ip.send(
            path,
            ICMP[family],
            b"",
            (payload,),
            now,
            hop_limit=hop_limit,
            traffic_class=traffic_class,
            flow_label=self._protocol.flow_labels[path.source, 0, destination, 0],
            may_fragment=may_fragment,
        )

    def has_sent(self, destination: Address, sequence: int) -> bool:
        """Whether a request of the last MAX_REMEMBERED went there: errors about others are forged or late."""
        return (destination, sequence) in self._sent

    def receive(self) -> EchoResult | None:
        if not self._queue:
            return None
        result, charge = self._queue.popleft()
        self._queued -= charge
        return result

    def deliver(self, result: EchoResult, length: int) -> None:
        charge = length + QUEUE_OVERHEAD
        if self._queued + charge > self.receive_buffer:
            self._protocol.ip.trace.drop(DropReason.ECHO_BUFFER_FULL)
            return
        self._queued += charge
        self._queue.append((result, charge))
        self._protocol.notify(self, Ready.READABLE)

    def close(self) -> None:
        """Give everything back.  Legal more than once."""
        if self.is_closed:
            return
        self.is_closed = True
        self.owner = None
        self._queue.clear()
        self._queued = 0
        self._sent.clear()
        self._protocol.release(self.identifier)

    def _remember(self, destination: Address, sequence: int) -> None:
        if len(self._sent) >= MAX_REMEMBERED:
            del self._sent[next(iter(self._sent))]
        self._sent[destination, sequence] = None
