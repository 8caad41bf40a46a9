"""The passive side: RFC 9293 3.10.7.2 (LISTEN), RFC 1122 4.2.2.18, RFC 4987 (what a flood of SYNs may cost)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from wsknet.errors import NetError
from wsknet.net.site import is_same_site
from wsknet.tcp_policy import OddOpening
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp import half_open
from wsknet.transport.tcp.connection import Connection
from wsknet.transport.tcp.inspections import Inspections, Request, Verdict
from wsknet.transport.tcp.naming import ends, name_of
from wsknet.transport.tcp.opening import open_from_cookie, open_passively
from wsknet.transport.tcp.segments import refuse, refuse_syn
from wsknet.transport.tcp.seq import is_before, wrap
from wsknet.transport.tcp.syn_cookies import MAX_AGE
from wsknet.types import Instant
from wsknet.wire import tcp

if TYPE_CHECKING:
    from wsknet.net.packet import Packet
    from wsknet.transport.tcp.endpoint import TcpEndpoint
    from wsknet.transport.tcp.protocol import TcpProtocol


class Listener:
    """Connections on their way to `accept`: half open in the SYN queue, then established in the accept queue.

    Each queue holds `backlog` connections, so a peer cannot make the host remember more than that.

    - SYN queue full: the SYN is answered by a cookie and forgotten (RFC 4987 3.6), or dropped where there are none.
    - Accept queue full: SYNs are refused or dropped.  The last acknowledgement of a handshake is dropped; the
      connection stays half open, so that what the peer repeats, or our SYN-ACK, repeated, brings another.

    Half-open connections go away by themselves when the SYN-ACK has been repeated in vain.
    """

    __slots__ = ("_cookies_until", "_half_open", "_protocol", "_waiting", "backlog", "endpoint", "inspections")

    pseudo: int | None = None

    def __init__(self, protocol: TcpProtocol, endpoint: TcpEndpoint, backlog: int) -> None:
        self._protocol = protocol
        self._half_open: dict[Connection, None] = {}
        self._waiting: deque[Connection] = deque()
        self._cookies_until = Instant(0)
        """While an acknowledgement may be that of a cookie."""
        self.endpoint = endpoint
        self.backlog = backlog
        self.inspections: Inspections | None = None
        """Requests that wait for `decide`, with conditional accept.  They have their places in the SYN queue."""
        if endpoint.is_conditional:
            protocol.conditional_listeners += 1
            number = protocol.conditional_listeners
            self.inspections = Inspections(number, protocol.timers, lambda ready: protocol.notify(endpoint, ready))

    @property
    def is_ready(self) -> bool:
        return bool(self._waiting)

    @property
    def is_full(self) -> bool:
        """No more connections may be established."""
        return len(self._waiting) >= self.backlog

    @property
    def has_room(self) -> bool:
        """A SYN would be kept."""
        return not self.is_full and not self._is_syn_queue_full

    @property
    def _is_syn_queue_full(self) -> bool:
        pending = 0 if self.inspections is None else len(self.inspections)
        return len(self._half_open) + pending >= self.backlog

    # Segments

    def arrive(self, packet: Packet, seq: int, ack: int, offset_flags: int, window: int, now: Instant) -> None:
        segment = tcp.parse(packet.payload)
        if not isinstance(segment, tcp.Segment):
            self._protocol.trace.drop(segment, packet.raw)
            return
        flags = segment.flags
        trace = self._protocol.trace
        if flags & tcp.RST:
            local, remote = ends(packet, segment.destination_port, segment.source_port)
            if self.inspections is None or not self.inspections.reset(local, remote, seq):
                trace.drop(DropReason.TCP_BAD_RESET, packet.raw)
        elif flags & tcp.ACK:
            if flags & tcp.SYN or now >= self._cookies_until:
                trace.drop(DropReason.TCP_NO_ENDPOINT, packet.raw)
                refuse(self._protocol, packet, segment, now)
            else:
                self._take_cookie(packet, segment, now)
        elif flags & tcp.SYN and (not flags & tcp.FIN or self._protocol.policy.syn_fin is OddOpening.ACCEPTED):
            self.answer_syn(packet, segment, now)
        else:
            trace.drop(DropReason.TCP_BAD_FLAGS, packet.raw)
            policy = self._protocol.policy
            is_reset = policy.syn_fin is OddOpening.RESET if flags & tcp.SYN else policy.listener_resets_without_flags
            if is_reset:
                refuse(self._protocol, packet, segment, now)

    def answer_syn(self, packet: Packet, segment: tcp.Segment, now: Instant, above: int | None = None) -> None:
        """Start a connection.  Our initial sequence number will lie behind `above`.

        Data in the SYN is not kept, but with Fast Open; its sender repeats it.
        """
        protocol, inspections = self._protocol, self.inspections
        request = Request(*ends(packet, segment.destination_port, segment.source_port), segment, above)
        if not self.endpoint.fast_open or inspections is not None:
            segment.payload = b""
        if self.endpoint.is_restricted and not is_same_site(packet):
            protocol.trace.drop(DropReason.TCP_NO_ENDPOINT, packet.raw)
            refuse_syn(protocol, request.local, request.remote, segment, now)  # as if nobody listened
            return
        if inspections is not None and inspections.repeat(request, now):
            return
        if self.is_full:
            protocol.trace.drop(DropReason.TCP_BACKLOG_FULL, packet.raw)
            if protocol.policy.refuses_beyond_backlog:
                refuse_syn(protocol, request.local, request.remote, segment, now)
        elif not self._is_syn_queue_full:
            if inspections is None:
                self._start(request, now, packet.raw)
            else:
                inspections.add(request, now)
        elif inspections is None and protocol.policy.syn_cookies:
            self._cookies_until = Instant(now + MAX_AGE)
            half_open.send_cookie(protocol, self.endpoint, request, now)
        else:
            protocol.trace.drop(DropReason.TCP_SYN_QUEUE_FULL, packet.raw)

    def _take_cookie(self, packet: Packet, segment: tcp.Segment, now: Instant) -> None:
        """The acknowledgement of a SYN-ACK that was a cookie: go on as if the connection had been half open."""
        protocol = self._protocol
        request = half_open.request_of_cookie(protocol, self.endpoint, packet, segment, now)
        if request is None:
            protocol.trace.drop(DropReason.TCP_BAD_COOKIE, packet.raw)
            refuse(protocol, packet, segment, now)
        elif self.is_full:
            protocol.trace.drop(DropReason.TCP_BACKLOG_FULL, packet.raw)
        elif (connection := self._spawn(request, wrap(segment.ack - 1), packet.raw)) is not None:
            open_from_cookie(connection, request.syn, self, now)
            offset_flags = int.from_bytes(packet.payload[12:14], "big")
            connection.arrive(packet, segment.seq, segment.ack, offset_flags, segment.window, now)

    def _start(self, request: Request, now: Instant, raw: bytes = b"") -> Connection | None:
        """Answer with a SYN-ACK; `None` if that cannot be."""
        iss = self._protocol.initial_sequence(request.local, request.remote, now)
        if request.above is not None and not is_before(request.above, iss):
            iss = wrap(request.above)
        connection = self._spawn(request, iss, raw)
        if connection is not None:
            open_passively(connection, request.syn, self, now)
        return connection

    def _spawn(self, request: Request, iss: int, raw: bytes) -> Connection | None:
        protocol = self._protocol
        local, remote = request.local, request.remote
        try:
            through = self.endpoint.unicast_interfaces[len(remote.address)]
            path = protocol.ip.path(remote.address, local.address, remote.zone or local.zone, None, through)
        except NetError:
            protocol.trace.drop(DropReason.NO_ROUTE, raw)
            return None
        name = name_of(*local)
        child = self.endpoint.spawn(name)
        connection = Connection(protocol, child, name, remote, path, iss)
        child.connection = connection
        self._half_open[connection] = None
        return connection

    # Connections

    def established(self, connection: Connection) -> None:
        del self._half_open[connection]
        self._waiting.append(connection)
        self._protocol.notify(self.endpoint, Ready.ACCEPTABLE)

    def forget(self, connection: Connection, now: Instant) -> None:
        """The connection has come to nothing before anybody accepted it."""
        if connection in self._half_open:
            del self._half_open[connection]
            if self.inspections is not None and connection.endpoint.inspection is not None:
                self.inspections.abort(connection.endpoint.inspection)
        else:
            self._waiting.remove(connection)
        connection.listener = None
        connection.endpoint.close(now)

    def take(self) -> Connection | None:
        """The connection that has waited longest."""
        if not self._waiting:
            return None
        connection = self._waiting.popleft()
        connection.listener = None
        return connection

    def decide(self, inspection: int, verdict: Verdict, now: Instant) -> bool:
        """What becomes of a request that was shown; False if it is none, or none any more (R-181).

        An accepted one may yet come to nothing, and is then told by `Inspections.next_aborted`; one that is refused is
        not told there, even if it was aborted before.
        """
        assert self.inspections is not None
        request = self.inspections.take(inspection)
        if request is None:
            if verdict is not Verdict.ACCEPT:
                self.inspections.disown(inspection)
            return False
        if verdict is Verdict.ACCEPT:
            is_taken = self._protocol.demux.has_exact(request.local, request.remote)  # by a connect of ours meanwhile
            connection = None if is_taken else self._start(request, now)
            if connection is None:
                self.inspections.abort(inspection)
            else:
                connection.endpoint.inspection = inspection
        elif verdict is Verdict.REJECT:
            refuse_syn(self._protocol, request.local, request.remote, request.syn, now)
        return True

    def requests_underway(self) -> list[int]:
        """The `Inspection.id` of each request that was shown, and is neither refused nor established; those of which
        `Inspections.next_aborted` is yet to tell, too."""
        shown = [] if self.inspections is None else self.inspections.shown()
        half_open = (connection.endpoint.inspection for connection in self._half_open)
        return [*shown, *(inspection for inspection in half_open if inspection is not None)]

    def close(self, now: Instant) -> None:
        """Nobody will accept what is on its way: it is reset."""
        for connection in [*self._half_open, *self._waiting]:
            connection.listener = None
            connection.endpoint.close(now)
        self._half_open.clear()
        self._waiting.clear()
        if self.inspections is not None:
            for request in self.inspections.clear():
                refuse_syn(self._protocol, request.local, request.remote, request.syn, now)
