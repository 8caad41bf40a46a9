"""SOCK_DGRAM over a `UdpEndpoint`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.base.arguments import scatter
from wsknet.san.base.operations import Outcome
from wsknet.san.base.sockets import Socket
from wsknet.san.calls import WinsockError
from wsknet.san.numbers import (
    ERRORS,
    FD_ADDRESS_LIST_CHANGE,
    FD_READ,
    FD_WRITE,
    MSG_DONTROUTE,
    MSG_PARTIAL,
    MSG_PEEK,
    SOCK_DGRAM,
    WSAEDESTADDRREQ,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOTCONN,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
)
from wsknet.san.sockaddr import ANY
from wsknet.types import Cover, Endpoint, Instant

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.san.base.operations import Attempt
    from wsknet.transport.udp.endpoint import UdpEndpoint


class DatagramSocket(Socket):
    type = SOCK_DGRAM
    endpoint: UdpEndpoint

    def __init__(self, host: Host, account: str, is_overlapped: bool) -> None:
        super().__init__(host, account, is_overlapped)
        self.endpoint = host.stack.udp.open(Cover.IPV4, self)
        self._is_disconnected = False
        """The peer was taken back, and WSPRecv needs one again (connect function)."""

    def connect(self, remote: Endpoint, now: Instant) -> None:
        """Fix the peer; one with the address 0.0.0.0 takes that back.  What waits from before is dropped when the peer
        is another.  Raises `NetError`."""
        self.bind_implicitly(now)
        endpoint = self.endpoint
        if remote.address == ANY:
            self._is_disconnected |= endpoint.remote is not None
            endpoint.connect(None, now)
            return
        before = endpoint.remote
        endpoint.connect(remote, now)
        self._is_disconnected = False
        if before != endpoint.remote:
            endpoint.take(endpoint.readable)
        self.settle(now)

    def peer(self) -> Endpoint:
        if self.endpoint.remote is None:
            raise WinsockError(WSAENOTCONN)
        return self.endpoint.remote

    def conditions(self) -> dict[int, int]:
        found: dict[int, int] = {}
        if self.has_address_list_changed:
            found[FD_ADDRESS_LIST_CHANGE] = 0
        if self.is_bound and not self.is_receive_shut and (self.endpoint.readable or self.endpoint.error is not None):
            found[FD_READ] = 0
        if self.is_bound and not self.is_send_shut:
            found[FD_WRITE] = 0
        return found

    def sending(self, data: list[memoryview], flags: int, to: Endpoint | None, *, may_wait: bool) -> Attempt:
        if flags & ~MSG_DONTROUTE:
            raise WinsockError(WSAEOPNOTSUPP)
        datagram = b"".join(data)

        def attempt(now: Instant) -> Outcome | None:
            if self.is_send_shut:
                raise WinsockError(WSAESHUTDOWN)
            if to is not None:
                self.bind_implicitly(now)
            elif self.endpoint.remote is None:
                raise WinsockError(WSAENOTCONN)
            self.endpoint.send((datagram,), to, now)
            return Outcome(len(datagram))

        return attempt

    def receiving(
        self, views: list[memoryview], flags: int, source: list[Endpoint] | None, *, may_wait: bool
    ) -> Attempt:
        if flags & ~(MSG_PEEK | MSG_PARTIAL):
            raise WinsockError(WSAEOPNOTSUPP)

        def attempt(now: Instant) -> Outcome | None:
            if not self.is_bound:
                raise WinsockError(WSAEINVAL)
            if self.is_receive_shut:
                raise WinsockError(WSAESHUTDOWN)
            if source is None and self._is_disconnected:
                raise WinsockError(WSAENOTCONN)
            error = self.endpoint.take_error()
            if error is not None:
                raise WinsockError(ERRORS[error])
            return self._receive(views, source, is_peek=bool(flags & MSG_PEEK))

        return attempt

    def _receive(self, views: list[memoryview], source: list[Endpoint] | None, *, is_peek: bool) -> Outcome | None:
        """One datagram; what does not fit is lost, and WSAEMSGSIZE tells so."""
        waiting = self.endpoint.peek()[:1] if is_peek else [self.endpoint.receive()]
        datagram = waiting[0] if waiting else None
        if datagram is None:
            return None
        if source is not None:
            source.append(datagram.source)
        count = scatter(datagram.data, views)
        return Outcome(count, error=0 if count == len(datagram.data) else WSAEMSGSIZE)

    @property
    def readable(self) -> int:
        return sum(len(datagram.data) for datagram in self.endpoint.peek())

    def shut(self, is_receive: bool, is_send: bool, now: Instant) -> None:
        self.is_receive_shut |= is_receive
        self.is_send_shut |= is_send
        self.settle(now)

    def release(self, now: Instant, *, is_abortive: bool) -> None:
        self.cancel()
        self.events.select(None, 0)
        self.endpoint.close(now)


def destination_of(socket: Socket, to: Endpoint | None) -> Endpoint | None:
    """Where WSPSendTo sends to: a stream has but one peer, whatever it is given.  WSAEDESTADDRREQ."""
    if not isinstance(socket, DatagramSocket):
        return None
    if to is None and socket.endpoint.remote is None:
        raise WinsockError(WSAEDESTADDRREQ)
    return to
