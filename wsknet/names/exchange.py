"""A `Lookup` on the host's own endpoints: RFC 1035 4.2, RFC 7766 8 (length before each message of a stream)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import NetError
from wsknet.timers import Timer
from wsknet.transport.endpoint import Ready
from wsknet.transport.ports import PortChoice
from wsknet.types import Cover, LocalName, family_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.names.lookup import Lookup
    from wsknet.names.results import Records
    from wsknet.stack import Stack
    from wsknet.types import Endpoint, Instant

LENGTH_BYTES = 2


class Exchange:
    """Carries out what a `Lookup` wants.  Every method runs with the driver lock held, `done` too."""

    def __init__(self, stack: Stack, lookup: Lookup, done: Callable[[Records, Instant], None]) -> None:
        self._stack = stack
        self._lookup = lookup
        self._done = done
        self._datagrams: dict[Endpoint, _Datagrams] = {}
        self._streams: dict[Endpoint, _Stream] = {}
        self._timer = Timer(stack.timers, self._expired)
        self._is_over = False

    def start(self, now: Instant) -> None:
        self._lookup.start(now)
        self._carry_on(now)

    def cancel(self, now: Instant) -> None:
        """`done` is not called any more."""
        self._is_over = True
        self._timer.cancel()
        for datagrams in self._datagrams.values():
            datagrams.endpoint.close(now)
        for stream in self._streams.values():
            stream.endpoint.close(now)

    def received(self, server: Endpoint, data: bytes, now: Instant, *, is_stream: bool = False) -> None:
        if is_stream:
            self._streams.pop(server).endpoint.close(now)
        reason = self._lookup.receive(server, data, now, is_stream=is_stream)
        if reason is not None:
            self._stack.trace.drop(reason, data)
            if is_stream:
                self._lookup.fail(server, now)
        self._carry_on(now)

    def failed(self, server: Endpoint, now: Instant) -> None:
        self._lookup.fail(server, now)
        self._carry_on(now)

    def _expired(self, now: Instant) -> None:
        self._lookup.expire(now)
        self._carry_on(now)

    def _carry_on(self, now: Instant) -> None:
        """Do what the lookup wants done, and tell what came of it."""
        lookup = self._lookup
        while lookup.actions:
            server, query, is_stream = lookup.actions.popleft()
            try:
                if is_stream:
                    self._open_stream(server, query, now)
                else:
                    self._send(server, query, now)
            except NetError:
                lookup.fail(server, now)
        if lookup.result is not None:
            if not self._is_over:
                self.cancel(now)
                self._done(lookup.result, now)
        elif lookup.deadline is not None:
            self._timer.arm(lookup.deadline)

    def _send(self, server: Endpoint, query: bytes, now: Instant) -> None:
        """Each server has a socket with a port of its own (RFC 5452 9.2), connected: nobody else is heard."""
        datagrams = self._datagrams.get(server)
        if datagrams is None:
            datagrams = _Datagrams(self, self._stack, server)
            try:
                datagrams.open(now)
            except NetError:
                datagrams.endpoint.close(now)
                raise
            self._datagrams[server] = datagrams
        datagrams.endpoint.send((query,), None, now)

    def _open_stream(self, server: Endpoint, query: bytes, now: Instant) -> None:
        before = self._streams.pop(server, None)
        if before is not None:
            before.endpoint.close(now)
        stream = self._streams[server] = _Stream(self, self._stack, server)
        stream.open(query, now)


def _any_name(server: Endpoint) -> LocalName:
    return LocalName(Cover(family_of(server.address).value), None, 0)


class _Datagrams:
    """`Owner` of the UDP endpoint towards one server."""

    def __init__(self, exchange: Exchange, stack: Stack, server: Endpoint) -> None:
        self._exchange = exchange
        self._server = server
        self.endpoint = stack.udp.open(_any_name(server).cover, self)

    def open(self, now: Instant) -> None:
        self.endpoint.bind(_any_name(self._server), now)
        self.endpoint.connect(self._server, now)

    def on_ready(self, readiness: int, now: Instant) -> None:
        while (datagram := self.endpoint.receive()) is not None:
            self._exchange.received(self._server, bytes(datagram.data), now)
        if self.endpoint.take_error() is not None:
            self._exchange.failed(self._server, now)


class _Stream:
    """`Owner` of a TCP connection to one server, for one message each way."""

    def __init__(self, exchange: Exchange, stack: Stack, server: Endpoint) -> None:
        self._exchange = exchange
        self._server = server
        self._data = b""
        self.endpoint = stack.tcp.open(_any_name(server).cover, self)

    def open(self, query: bytes, now: Instant) -> None:
        self.endpoint.bind(_any_name(self._server), now, choice=PortChoice.AT_CONNECT)
        self.endpoint.connect(self._server, now)
        self.endpoint.send(len(query).to_bytes(LENGTH_BYTES, "big") + query, now)

    def on_ready(self, readiness: int, now: Instant) -> None:
        if readiness & Ready.READABLE:
            self._data += self.endpoint.receive(self.endpoint.readable, now)
            end = LENGTH_BYTES + int.from_bytes(self._data[:LENGTH_BYTES], "big")
            if len(self._data) >= max(end, LENGTH_BYTES):
                message, self._data = self._data[LENGTH_BYTES:end], self._data[end:]
                self._exchange.received(self._server, message, now, is_stream=True)
                return
        if readiness & (Ready.PEER_FINISHED | Ready.FAILED):
            self._exchange.failed(self._server, now)
