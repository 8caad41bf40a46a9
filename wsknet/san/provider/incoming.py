"""A connection that a NIC of another host has opened, until somebody accepts what it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, LocalError
from wsknet.san.provider.channel import Channel
from wsknet.san.provider.native import Accept, RejectReason, Request
from wsknet.types import SECOND, Endpoint, Instant

if TYPE_CHECKING:
    from wsknet.san.provider.proxy import Proxy
    from wsknet.san.provider.sockets import SanSocket
    from wsknet.transport.tcp.endpoint import TcpEndpoint

NOBODY = Endpoint(bytes(4), 0)


class Incoming:
    """The sink of its channel.  One that does not say in `SanPolicy.connect_seconds` what it wants is reset."""

    def __init__(self, proxy: Proxy, endpoint: TcpEndpoint, now: Instant) -> None:
        self._proxy = proxy
        self._ends = endpoint.remote, endpoint.local_endpoint
        self.channel = Channel(proxy.host, endpoint, self)
        self.source = NOBODY
        self.destination = NOBODY
        self.listener: SanSocket | None = None
        """Who has it in his queue, or had it last."""
        self.is_over = False
        """The peer has given up, or was refused."""
        limit = Instant(now + proxy.policy.connect_seconds * SECOND)
        self._cancel = proxy.host.driver.call_at(limit, self._expire)
        proxy.knocking[self] = None

    def _end_knocking(self) -> None:
        self._cancel()
        self._proxy.knocking.pop(self, None)

    def request(self, frame: Request, now: Instant) -> None:
        self._end_knocking()
        self.source, self.destination = frame.source, frame.destination
        remote, local = self._ends
        names = (frame.source.address, frame.destination.address)
        is_honest = remote is not None and local is not None and names == (remote.address, local.address)
        if is_honest and frame.source.port and frame.destination.port:
            self._proxy.offer(self, now)
        else:
            self.is_over = True
            self.channel.abort(now)

    def accept(self, socket: SanSocket, now: Instant) -> None:
        """It is the connection of `socket` from now on."""
        self.channel.sink = socket
        self.channel.send(Accept(), now)
        socket.establish(self.channel, now)

    def reject(self, reason: RejectReason, now: Instant) -> None:
        self.is_over = True
        self.channel.reject(reason, now)

    def turn_away(self, now: Instant) -> None:
        """Before it has said what it wants."""
        self._end_knocking()
        self.is_over = True
        self.channel.abort(now)

    def broken(self, error: ErrorKind | None, now: Instant) -> None:
        self._end_knocking()
        self.is_over = True
        if self.listener is not None and self.listener.listening is not None:
            self.listener.listening.remove(self)

    def accepted(self, now: Instant) -> None:
        raise LocalError(ErrorKind.INVALID_STATE, "ACCEPT from a NIC that asks")

    def rejected(self, reason: RejectReason, now: Instant) -> None:
        raise LocalError(ErrorKind.INVALID_STATE, "REJECT from a NIC that asks")

    def _expire(self) -> None:
        with self._proxy.host.pump as now:
            self.turn_away(now)
