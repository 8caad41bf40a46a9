"""What the faces use: one TCP socket, from bind to close.  RFC 9293 3.9.1; BIND-2 (deferred assignment)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.transport.endpoint import Owner, Ready
from wsknet.transport.ports import ANYONE, PortChoice, Reservation
from wsknet.transport.sharing import Holder, Sharing
from wsknet.transport.tcp.backlog import SendBacklog
from wsknet.transport.tcp.connection import Connection
from wsknet.transport.tcp.info import ConnectionInfo, info_of
from wsknet.transport.tcp.listener import Listener
from wsknet.transport.tcp.naming import dial, name_of
from wsknet.transport.tcp.opening import open_actively
from wsknet.transport.tcp.options import TcpOptions
from wsknet.transport.tcp.silence import Silence
from wsknet.transport.tcp.state import CONNECTING, RECEIVING, State
from wsknet.types import Cover, Endpoint, Instant, LocalName, is_link_local

if TYPE_CHECKING:
    from wsknet.config import PortRange
    from wsknet.net.handler import Undelivered
    from wsknet.transport.sharing import Security
    from wsknet.transport.tcp.protocol import TcpProtocol
    from wsknet.types import Buffer


class TcpEndpoint(TcpOptions):
    """Unbound, bound, listening, or with a connection.  Illegal calls raise `LocalError` and change nothing.

    Bits of `Ready` that a connection can set: CONNECTED, READABLE, SENT (a whole lent buffer was acknowledged), URGENT,
    PEER_FINISHED, FINISHED, FAILED; of a listener: ACCEPTABLE, and with conditional accept REQUESTED, REQUEST_ABORTED.
    """

    __slots__ = ("_backlog", "_deferred", "_protocol", "_reservation", "cover", "icmp_error", "inspection", "is_closed",
                 "is_conditional", "listener", "local")  # fmt: skip

    def __init__(self, protocol: TcpProtocol, cover: Cover, owner: Owner | None) -> None:
        super().__init__(protocol, owner)
        self._protocol = protocol
        self._reservation: Reservation | None = None
        self.is_closed = False
        self._backlog: SendBacklog | None = None
        """Made when somebody asks."""
        self.icmp_error: Undelivered | None = None
        """What ended the latest connect, with `TcpSettings.fails_on_icmp_error`."""
        self._deferred: Holder | None = None
        """What bind was given, if the port was left to connect."""
        self.cover = cover
        self.local: LocalName | None = None
        """What bind was given, with the port it chose; for an accepted endpoint what the peer dialled."""
        self.listener: Listener | None = None
        self.is_conditional = False
        """No peer is answered before `Listener.decide` says so.  Counts from the next `listen` on."""
        self.inspection: int | None = None
        """`Inspection.id` of the request that this connection was made of."""

    # Names and state

    @property
    def local_endpoint(self) -> Endpoint | None:
        """Address and port in use: known from `connect` or `accept` on, `None` before."""
        return None if self.connection is None else self.connection.local

    @property
    def remote(self) -> Endpoint | None:
        return None if self.connection is None else self.connection.remote

    @property
    def state(self) -> State:
        connection = self.connection
        if connection is None:
            return State.LISTEN if self.listener is not None else State.CLOSED
        if connection.remains is not None and connection.remains.is_over:
            return State.CLOSED
        return connection.state

    @property
    def device(self) -> int:
        """The one interface that is heard, 0 for all."""
        return 0 if self._reservation is None else self._reservation.holder.device

    # Opening

    def bind(
        self,
        name: LocalName,
        now: Instant,
        sharing: Sharing = Sharing.DEFAULT,
        security: Security = ANYONE,
        *,
        choice: PortChoice = PortChoice.ORDINARY,
        block: PortRange | None = None,
        device: int = 0,
    ) -> None:
        """Reserve `name`; port 0 asks for a dynamic one, or one of `block`.  Of the wildcard only the port is settled.
        With `device` what is received, SYNs too, comes from this interface only.

        With AT_CONNECT port 0 stays 0 until connect or listen.  To the wildcard, that is the implicit bind of a connect
        without a bind.

        Raises `LocalError` INVALID_STATE when already bound, INVALID_ARGUMENT for a `block` that is not there,
        `NetError` NOT_LOCAL, IN_USE, DENIED or NO_PORTS.
        """
        if self.local is not None or self.is_closed:
            raise LocalError(ErrorKind.INVALID_STATE, "already bound or closed")
        if name.address is not None:
            name = name._replace(zone=self._protocol.ip.bindable(name.address, name.zone, is_stream=True))
        if choice is PortChoice.AT_CONNECT and not name.port and block is None:
            self._deferred = Holder(name, sharing, security, device)
            self.local = name
        else:
            self._take(self._protocol.ports.reserve(name, sharing, security, device, choice=choice, block=block))
        self._protocol.bound[self] = None

    def connect(self, remote: Endpoint, now: Instant, data: Buffer = b"") -> None:
        """Resolve the path now, with it the source address, and send a SYN.  CONNECTED or FAILED follows.

        `data` is sent, and lent, as by `send`; with `fast_open` in the SYN itself if the peer has given us a cookie.

        Raises `LocalError` INVALID_STATE (not bound, listening, connecting or connected), INVALID_ARGUMENT (a family
        that the name does not cover), `NetError` NOT_LOCAL (`remote` cannot be a peer), NO_ROUTE, IN_USE (the 4-tuple
        exists, perhaps in TIME-WAIT), NO_PORTS (AT_CONNECT).  After these, and after a FAILED attempt, the endpoint is
        as bound as before: without an address if it has the wildcard, without a port if bind chose none, and free to
        connect elsewhere.
        """
        local = self.local
        if local is None or self.listener is not None or self.connection is not None:
            raise LocalError(ErrorKind.INVALID_STATE, "bind first, and connect once")
        protocol = self._protocol
        remote, path = dial(protocol.ip, local, remote, self.unicast_interfaces)
        ours = Endpoint(path.source, local.port, path.zone if is_link_local(path.source) else 0)
        name = name_of(*ours)
        if remote == ours and not protocol.ip.config.behaviour.connects_to_itself:
            raise NetError(ErrorKind.REFUSED, "nobody listens there but the socket itself")
        if not local.port:
            name = self._choose_port(name, remote)
        elif protocol.demux.has_exact(ours, remote):
            raise NetError(ErrorKind.IN_USE, "a connection between these two ends exists")
        self.error = self.icmp_error = None
        iss = protocol.initial_sequence(ours._replace(port=name.port), remote, now)
        self.connection = Connection(protocol, self, name, remote, path, iss)
        self.connection.sender.queue.append(data)
        open_actively(self.connection, now)

    def _choose_port(self, name: LocalName, remote: Endpoint) -> LocalName:
        """`name` with a port from which `remote` has no connection yet."""
        assert self._deferred is not None
        assert name.address is not None
        address, zone, demux = name.address, name.zone, self._protocol.demux
        may_be_itself = self._protocol.ip.config.behaviour.connects_to_itself

        def is_taken(port: int) -> bool:
            local = Endpoint(address, port, zone)
            return demux.has_exact(local, remote) or (local == remote and not may_be_itself)

        reservation = self._protocol.ports.reserve_for_peer(self._deferred._replace(name=name), is_taken)
        self._reservation = reservation
        self.local = self._deferred.name._replace(port=reservation.name.port)
        return reservation.name

    def _take(self, reservation: Reservation) -> None:
        self._reservation = reservation
        self.local = reservation.name

    def listen(self, now: Instant, backlog: int | None = None) -> None:
        """Let peers connect.  As many as `backlog` wait for `accept`, as many again may be half open; of 0 and
        less it is 1.

        Raises `LocalError` INVALID_STATE, `NetError` IN_USE (somebody listens on a name that overlaps, where only one
        may) or NO_PORTS (the port was left to this moment).
        """
        if self.local is None or self.listener is not None or self.connection is not None:
            raise LocalError(ErrorKind.INVALID_STATE, "bind first, and listen once")
        if self._deferred is not None:
            self._take(self._protocol.ports.reserve(*self._deferred))
            self._deferred = None
        if self._reservation is not None:
            self._protocol.ports.listen(self._reservation)
        limit = self._protocol.config.accept_backlog if backlog is None else max(backlog, 1)
        self.listener = Listener(self._protocol, self, limit)
        self._protocol.demux.insert(self.local, None, self.listener, self.device)

    def accept(self, now: Instant) -> TcpEndpoint | None:
        """The connection that has waited longest, `None` if none has.

        What it has become meanwhile (readable, finished by the peer) is told by its first event.
        """
        if self.listener is None:
            raise LocalError(ErrorKind.INVALID_STATE, "not listening")
        connection = self.listener.take()
        if connection is None:
            return None
        if self.listener.is_ready:
            self._protocol.notify(self, Ready.ACCEPTABLE)
        ready = Ready.READABLE if connection.receiver.buffer else 0
        if connection.endpoint.peer_finished:
            ready |= Ready.PEER_FINISHED
        if ready:
            connection.notify(ready)
        return connection.endpoint

    def spawn(self, name: LocalName) -> TcpEndpoint:
        """The endpoint of a connection to this listener.  It inherits the options."""
        child = TcpEndpoint(self._protocol, self.cover, None)
        child.local = name
        if self._reservation is not None:
            child._reservation = self._protocol.ports.reserve_accepted(self._reservation, name)
        child.inherit(self)
        return child

    # Sending

    def send(self, data: Buffer, now: Instant, no_delay: bool = False, is_urgent: bool = False) -> int:
        """Lend `data` until `acknowledged` has reached the returned stream offset (then SENT), or the end.

        `no_delay` sends it and all before it at once; `is_urgent` tells the peer that it should hurry (RFC 9293 3.8.5).
        Data given while connecting waits for the connection.

        Raises `LocalError` INVALID_STATE (not connected, or finished) or INVALID_ARGUMENT (not contiguous); `NetError`
        with the reason if the connection has failed or was aborted.
        """
        connection = self._live()
        sender = connection.sender
        if sender.fin_at is not None or connection.has_to_finish:
            raise LocalError(ErrorKind.INVALID_STATE, "no data may follow finish")
        queue = sender.queue
        queue.append(data)
        if no_delay:
            sender.no_delay_to = queue.end
        if is_urgent:
            sender.segments.urgent_to = queue.end
        if connection.state not in CONNECTING or connection.is_early:
            sender.output(now)
        return queue.end - sender.iss - 1

    @property
    def acknowledged(self) -> int:
        """Stream offset up to which the peer has everything."""
        return 0 if self.connection is None else self.connection.sender.offset

    @property
    def unacknowledged(self) -> int:
        """Bytes lent: sent and not acknowledged, or not sent yet."""
        if self.connection is None:
            return 0
        sender = self.connection.sender
        return max(sender.queue.end - max(sender.una, sender.iss + 1), 0)

    @property
    def ideal_send_backlog(self) -> int:
        """Bytes to keep lent so that the path is never idle, see `backlog`.  `acknowledged` moves whenever it may."""
        if self._backlog is None:
            self._backlog = SendBacklog()
        if self.connection is None:
            return self._backlog.value
        sender = self.connection.sender
        return self._backlog.look(min(sender.congestion.window, sender.max_window))

    @property
    def segment_size(self) -> int | None:
        """Bytes of data in a full segment; `None` without a connection."""
        return None if self.connection is None else self.connection.sender.mss

    def info(self, now: Instant) -> ConnectionInfo | None:
        return None if self.connection is None else info_of(self.connection, now)

    # Receiving

    @property
    def readable(self) -> int:
        """Bytes waiting.  They stay readable after the peer has finished or reset the connection, until close."""
        return 0 if self.connection is None else len(self.connection.receiver.buffer)

    @property
    def peer_finished(self) -> bool:
        """After `readable` bytes comes the end of the stream."""
        if self.connection is None:
            return False
        receiver = self.connection.receiver
        return receiver.fin_at is not None and receiver.nxt > receiver.fin_at

    @property
    def urgent_to(self) -> int | None:
        """Stream offset at which what the peer calls urgent ends; `None` if all of that has been consumed.  Urgent data
        comes in its place in the stream (RFC 6093 6)."""
        if self.connection is None:
            return None
        receiver = self.connection.receiver
        offset = receiver.urgent_to - receiver.irs - 1
        return offset if offset > receiver.consumed else None

    @property
    def pushed(self) -> bool:
        """What is readable holds the end of a segment with PSH."""
        return self.connection is not None and self.connection.receiver.is_pushed

    def receive_into(self, buffer: memoryview, now: Instant) -> int:
        """Consume up to ``len(buffer)`` bytes; how many there were."""
        connection = self.connection
        if connection is None:
            return 0
        count = connection.receiver.copy_into(buffer)
        self._freed(connection, now)
        return count

    def receive(self, limit: int, now: Instant) -> bytes:
        """Consume up to `limit` bytes; empty if there are none."""
        data = self.peek(limit)
        self.consume(len(data), now)
        return data

    def peek(self, limit: int) -> bytes:
        """What `receive` would return, without consuming it."""
        return b"" if self.connection is None else self.connection.receiver.peek(limit)

    def consume(self, count: int, now: Instant) -> None:
        """Forget the first `count` readable bytes, so that the peer may send as many more."""
        connection = self.connection
        if count > self.readable:
            raise LocalError(ErrorKind.INVALID_ARGUMENT, "more than is readable")
        if connection is not None:
            connection.receiver.consume(count)
            self._freed(connection, now)

    def _freed(self, connection: Connection, now: Instant) -> None:
        if connection.receiver.is_update_due() and connection.state in RECEIVING:
            connection.send_ack(now)

    # Ending

    def finish(self, now: Instant) -> None:
        """FIN after all data; FINISHED tells that the peer has it.  Receiving goes on.  Again: no effect.

        Raises `LocalError` INVALID_STATE while not connected, `NetError` as `send`.
        """
        connection = self._live()
        if connection.is_connecting:
            raise LocalError(ErrorKind.INVALID_STATE, "not connected")
        if connection.sender.fin_at is None:
            connection.finish(now)

    def abort(self, now: Instant) -> None:
        """End the connection at once, with a reset where RFC 9293 3.10.5 asks for one; lent memory is given back.

        Nothing is notified; later operations find ABORTED.  An attempt to connect is taken back: the endpoint is as
        bound as it was before.  Without effect when there is no connection.
        """
        connection = self.connection
        if connection is None or connection.state in (State.CLOSED, State.TIME_WAIT):
            return
        was_connecting = connection.is_connecting
        connection.abort(now)
        connection.receiver.clear()
        self.error = ErrorKind.ABORTED
        if was_connecting:
            self._unconnect()

    def fall_silent(self) -> None:
        """From now on the connection sends nothing, not even a reset when it is closed, and drops what it receives.

        Lent memory is given back.  Nothing but `close` does anything any more.  Raises `LocalError` INVALID_STATE (not
        connected) or NOT_SUPPORTED (both ends are on this host), `NetError` as `send`.
        """
        connection = self._live()
        if connection.is_connecting:
            raise LocalError(ErrorKind.INVALID_STATE, "not connected")
        if connection.segments.path.is_local:
            raise LocalError(ErrorKind.NOT_SUPPORTED, "no silent mode on loopback")
        connection.fall_silent()

    def close(self, now: Instant) -> None:
        """Give everything back.  Legal in every state, more than once; the owner hears nothing more.

        A connection is aborted unless both sides have finished; if of ours only the FIN is not yet acknowledged, that
        is still seen to, and the port stays reserved for so long.  A listener resets what was not accepted.
        """
        if self.is_closed:
            return
        self.is_closed = True
        self.owner = None
        if self.listener is not None and self.local is not None:
            self._protocol.demux.remove(self.local, None, self.listener)
            self.listener.close(now)
            self.listener = None
            if self._reservation is not None:
                self._protocol.ports.end_listening(self._reservation)
        connection = self.connection
        if connection is not None:
            if connection.state in (State.CLOSING, State.LAST_ACK) and not self.unacknowledged:
                connection.receiver.clear()
                return
            self.abort(now)
            connection.receiver.clear()
            if isinstance(connection.remains, Silence):
                connection.remains.end()
        self._release()

    def connection_failed(self, error: ErrorKind, was_connecting: bool) -> None:
        """The connection is no more.  A failed attempt to connect leaves the endpoint as bound as it was before."""
        self.error = error
        if was_connecting:
            self._unconnect()
        self._protocol.notify(self, Ready.FAILED)

    def _unconnect(self) -> None:
        self.connection = None
        if self._deferred is not None and self._reservation is not None:
            self._protocol.ports.release(self._reservation)
            self._reservation = None
            self.local = self._deferred.name

    def fail(self, error: ErrorKind) -> None:
        """The endpoint, which has no connection, is of no use any more."""
        self.error = error
        self._protocol.notify(self, Ready.FAILED)

    def connection_ended(self) -> None:
        """Its names are free again, or in the care of TIME-WAIT."""
        if self.is_closed:
            self._release()

    def time_wait_reservation(self, name: LocalName) -> Reservation | None:
        """What TIME-WAIT of the connection is to hold, if anything.  Before `connection_ended`."""
        if self._reservation is None:
            return None
        return self._protocol.ports.reserve_time_wait(self._reservation, name)

    def _release(self) -> None:
        if self._reservation is not None:
            self._protocol.ports.release(self._reservation)
        self._reservation = self._deferred = self.local = None
        self._protocol.bound.pop(self, None)

    def _live(self) -> Connection:
        connection = self.connection
        if connection is None:
            raise LocalError(ErrorKind.INVALID_STATE, "not connected")
        if connection.state is State.CLOSED or connection.state is State.TIME_WAIT:
            if self.error is not None:
                raise NetError(self.error)
            raise LocalError(ErrorKind.INVALID_STATE, "the connection has ended")
        return connection
