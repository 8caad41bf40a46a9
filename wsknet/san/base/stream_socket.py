"""SOCK_STREAM: from connect or listen to close, over whatever `Stream` carries the bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wsknet.san.base import stream_data
from wsknet.san.base.arrivals import Arrivals
from wsknet.san.base.sockets import Socket
from wsknet.san.base.tcp_stream import TcpStream
from wsknet.san.base.urgent import UrgentReader
from wsknet.san.calls import WinsockError
from wsknet.san.numbers import (
    ERRORS,
    FD_ACCEPT,
    FD_ADDRESS_LIST_CHANGE,
    FD_CLOSE,
    FD_CONNECT,
    FD_OOB,
    FD_READ,
    FD_WRITE,
    SOCK_STREAM,
    SOMAXCONN,
    WSAEALREADY,
    WSAEINVAL,
    WSAEISCONN,
    WSAENOTCONN,
    WSAENOTSOCK,
)
from wsknet.transport.endpoint import Ready
from wsknet.types import Cover, Endpoint, Instant

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.san.base.operations import Attempt
    from wsknet.san.base.stream import Stream
    from wsknet.transport.tcp.endpoint import TcpEndpoint

MAX_BACKLOG = 65_535
MIN_HINTED = 200
"""SOMAXCONN_HINT(b) is -b, and stands for b within these two (listen function)."""


class StreamSocket(Socket):
    type = SOCK_STREAM
    endpoint: TcpEndpoint

    def __init__(self, host: Host, account: str, is_overlapped: bool) -> None:
        super().__init__(host, account, is_overlapped)
        self.endpoint = host.stack.tcp.open(Cover.IPV4, self)
        self.stream: Stream | None = None
        """Set from the moment on in which it is connected, and to the end."""
        self.reader: UrgentReader | None = None
        self.arrivals: Arrivals | None = None
        """Set while it listens."""
        self.is_connecting = False
        self.connecting_from: Endpoint | None = None
        """Our name, of a connect that goes another way than TCP."""
        self.connected_at = Instant(0)
        self.connect_error = 0
        """Of the latest attempt."""
        self.error = 0
        """SO_ERROR."""
        self.has_peer_our_end = False
        """Everything was acknowledged, the end included."""
        self._is_connect_news = False
        """FD_CONNECT is yet to be told."""
        self._may_send = False
        """Nothing was turned away for want of room since there was some."""

    # Connecting

    def start_connecting(self) -> None:
        """Raises `WinsockError` WSAENOTSOCK (closed meanwhile), WSAEINVAL (it listens), WSAEISCONN or WSAEALREADY."""
        if not self.descriptors:
            raise WinsockError(WSAENOTSOCK)
        if self.arrivals is not None:
            raise WinsockError(WSAEINVAL)
        if self.stream is not None:
            raise WinsockError(WSAEISCONN)
        if self.is_connecting:
            raise WinsockError(WSAEALREADY)
        self.is_connecting = True
        self.connect_error = 0
        self._is_connect_news = False
        self.events.enable(FD_CONNECT | FD_WRITE)

    def connected(self, stream: Stream, now: Instant) -> None:
        """What WSPConnect has asked for has come about."""
        self._is_connect_news = self.settings.is_nonblocking
        self.is_connecting = False
        self._attach(stream, now)
        self.settle(now)

    def connect_failed(self, code: int, now: Instant) -> None:
        """It has not; another attempt may be made."""
        self.is_connecting = False
        self._is_connect_news = self.settings.is_nonblocking
        self.connect_error = code
        if self.settings.is_nonblocking:
            self.error = code
        self.settle(now)

    def _attach(self, stream: Stream, now: Instant) -> None:
        self.stream = stream
        stream.owner = self
        self.reader = UrgentReader(stream, self.settings)
        self.connected_at = now
        self._may_send = True

    @property
    def live(self) -> Stream:
        """Raises `WinsockError` WSAENOTCONN."""
        if self.stream is None:
            raise WinsockError(WSAENOTCONN)
        return self.stream

    # Listening

    def listen(self, backlog: int, now: Instant) -> None:
        """Again: no effect (listen function).  Raises `WinsockError` WSAEINVAL or WSAEISCONN, `NetError`."""
        if self.stream is not None:
            raise WinsockError(WSAEISCONN)
        if not self.is_bound or self.is_connecting:
            raise WinsockError(WSAEINVAL)
        if self.arrivals is None:
            self.endpoint.is_conditional = self.settings.is_accept_conditional
            limit: int | None = min(backlog, MAX_BACKLOG)
            if backlog == SOMAXCONN:
                limit = None
            elif backlog < 0:
                limit = min(max(-backlog, MIN_HINTED), MAX_BACKLOG)
            self.endpoint.listen(now, limit)
            self.arrivals = Arrivals(self.host, self.endpoint, self.settings)

    @property
    def may_offer(self) -> bool:
        """The backlog has room for `offer`."""
        return self.arrivals is not None and self.arrivals.has_room

    def offer(self, stream: Stream, now: Instant, *, is_judged: bool = False) -> None:
        """A connection for this listening socket that did not come through TCP/IP."""
        assert self.arrivals is not None
        self.arrivals.offer(stream, is_judged=is_judged)
        self.settle(now)

    def accepted(self, stream: Stream, now: Instant) -> StreamSocket:
        """A socket for `stream` with the properties of this one, network events included."""
        child = StreamSocket(self.host, self.account, self.is_overlapped)
        child.settings = replace(self.settings)
        if isinstance(stream, TcpStream):
            child.endpoint.close(now)
            child.endpoint = stream.endpoint
            stream.settings = child.settings
        else:
            child.endpoint.inherit(self.endpoint)
        child.events.select(self.events.event, self.events.mask)
        child._attach(stream, now)
        child.settle(now)
        return child

    # Names

    @property
    def is_bound(self) -> bool:
        return self.stream is not None or super().is_bound

    def name(self) -> Endpoint:
        if self.stream is not None:
            return self.stream.local
        connecting_from = self.connecting_from or self.endpoint.local_endpoint
        if self.is_connecting and connecting_from is not None:
            return connecting_from
        return super().name()

    def peer(self) -> Endpoint:
        if self.live.error is not None:
            raise WinsockError(WSAENOTCONN)
        return self.live.remote

    # Events

    def on_ready(self, readiness: int, now: Instant) -> None:
        """From the endpoint while it connects or listens, from the stream afterwards."""
        if self.is_connecting and readiness & Ready.CONNECTED:
            self.connected(TcpStream(self.host, self.endpoint, self.settings), now)
        elif self.is_connecting and readiness & Ready.FAILED and self.endpoint.error is not None:
            self.connect_failed(ERRORS[self.endpoint.error], now)
        else:
            self._may_send |= bool(readiness & Ready.SENT)
            self.has_peer_our_end |= bool(readiness & Ready.FINISHED)
            if readiness & Ready.FAILED and self.stream is not None and self.stream.error is not None:
                self.error = ERRORS[self.stream.error]
            self.settle(now)

    def settle(self, now: Instant) -> None:
        if self.arrivals is not None:
            self.arrivals.hear_requests()
        super().settle(now)

    def advance(self, now: Instant) -> None:
        stream = self.stream
        if stream is None or stream.error is not None:
            return
        assert self.reader is not None
        self.reader.skip(now)
        if self.is_send_shut and not self.queues[FD_WRITE]:
            stream.finish(now)

    def told(self, events: int) -> None:
        super().told(events)
        if events & FD_CONNECT:
            self._is_connect_news = False

    def conditions(self) -> dict[int, int]:
        found: dict[int, int] = {}
        if self.has_address_list_changed:
            found[FD_ADDRESS_LIST_CHANGE] = 0
        if self._is_connect_news:
            found[FD_CONNECT] = self.connect_error
        if self.arrivals is not None and self.arrivals.is_any:
            found[FD_ACCEPT] = 0
        stream = self.stream
        if stream is None:
            return found
        assert self.reader is not None
        if not self.is_receive_shut:
            if self.reader.ordinary:
                found[FD_READ] = 0
            if self.reader.has_byte:
                found[FD_OOB] = 0
        if stream.error is not None:
            found[FD_CLOSE] = ERRORS[stream.error]
        elif stream.peer_finished and not stream.readable:
            found[FD_CLOSE] = 0
        if self._may_send and stream.error is None and not self.is_send_shut and not self.queues[FD_WRITE]:
            found[FD_WRITE] = 0
        return found

    # Data

    def sending(self, data: list[memoryview], flags: int, to: Endpoint | None, *, may_wait: bool) -> Attempt:
        return stream_data.sending(self, data, flags, may_wait=may_wait)

    def receiving(
        self, views: list[memoryview], flags: int, source: list[Endpoint] | None, *, may_wait: bool
    ) -> Attempt:
        return stream_data.receiving(self, views, flags, may_wait=may_wait)

    def turned_away(self) -> None:
        """There was no room; the stream will tell."""
        self._may_send = False

    @property
    def readable(self) -> int:
        return 0 if self.reader is None else self.reader.ordinary

    def shut(self, is_receive: bool, is_send: bool, now: Instant) -> None:
        stream = self.live
        if stream.error is not None:
            raise WinsockError(ERRORS[stream.error])
        self.is_send_shut |= is_send
        if is_receive and not self.is_receive_shut:
            self.is_receive_shut = True
            stream.refuse(now)
        self.settle(now)

    def release(self, now: Instant, *, is_abortive: bool) -> None:
        self.cancel()
        self.events.select(None, 0)
        if self.arrivals is not None:
            self.arrivals.close(now)
            self.arrivals = None
        if self.stream is not None:
            self.stream.close(now, is_abortive=is_abortive)
        if not isinstance(self.stream, TcpStream):
            self.endpoint.close(now)
