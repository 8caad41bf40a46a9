"""A connection over a SAN as a `Stream`: what an application's socket has in the place of TCP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, NetError
from wsknet.san.base.settings import SEND_BUFFER
from wsknet.san.numbers import ERRORS, NO_ERROR, WSAECONNABORTED, WSAECONNRESET, WSAENOBUFS, WSAETIMEDOUT
from wsknet.transport.endpoint import Ready

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.san.base.settings import Settings
    from wsknet.san.switch.carrier import Carrier
    from wsknet.transport.endpoint import Owner
    from wsknet.types import Buffer, Endpoint, Instant

KINDS = {
    WSAECONNRESET: ErrorKind.RESET,
    WSAECONNABORTED: ErrorKind.ABORTED,
    WSAETIMEDOUT: ErrorKind.TIMED_OUT,
    WSAENOBUFS: ErrorKind.NO_BUFFERS,
}
"""Back from numbers; any other failure of a connection is an abort, as a broken transport is to TCP/IP."""


class SanStream:
    """`negotiated` is called once: with 0 when the two sessions know each other, else with the error that came before.
    The owner hears of data only after that."""

    def __init__(
        self,
        local: Endpoint,
        remote: Endpoint,
        negotiated: Callable[[int, Instant], None],
        closed: Callable[[SanStream], None],
    ) -> None:
        """`closed`: nobody wants it any more; what was written may still be on its way."""
        self.local = local
        self.remote = remote
        self.owner: Owner | None = None
        self.error: ErrorKind | None = None
        self.carrier: Carrier
        """Set by whoever makes both; its sink is `sink`."""
        self.sink = _Sink(self, negotiated)
        self._closed = closed
        self.cancel_deadline: Callable[[], None] | None = None
        """Of the negotiation; likewise."""

    @property
    def readable(self) -> int:
        return self.carrier.readable

    @property
    def peer_finished(self) -> bool:
        return self.carrier.is_peer_finished

    @property
    def unsent(self) -> int:
        return self.carrier.unsent

    @property
    def urgent(self) -> int | None:
        return self.carrier.urgent

    def send(self, data: Buffer, now: Instant, *, is_urgent: bool = False) -> int:
        """Raises `NetError` where the peer has closed, which as with TCP shows in the answer to data."""
        count = self.carrier.write(data, is_urgent=is_urgent)
        if not count and data and self.carrier.error:
            self.error = KINDS.get(self.carrier.error, ErrorKind.ABORTED)
            raise NetError(self.error)
        return count

    def receive_into(self, buffer: memoryview, now: Instant) -> int:
        return self.carrier.read_into(buffer)

    def peek(self, limit: int) -> bytes:
        memory = bytearray(min(limit, self.carrier.readable))
        self.carrier.peek_into(memoryview(memory))
        return bytes(memory)

    def finish(self, now: Instant) -> None:
        self.carrier.finish()

    def resize(self, sizes: Settings) -> None:
        self.carrier.resize(*limits_of(sizes))

    def refuse(self, now: Instant) -> None:
        self.carrier.stop()

    def expire(self, now: Instant) -> None:
        """The peer has not negotiated in time."""
        self.sink.end_negotiation(WSAETIMEDOUT, now)

    def close(self, now: Instant, *, is_abortive: bool) -> None:
        self.owner = None
        self._closed(self)
        self.sink.forget()
        if is_abortive:
            self.carrier.abort()
        else:
            self.carrier.close()


def limits_of(sizes: Settings) -> tuple[int, int]:
    """Bytes that may wait in each direction, sending first.  [design] What was not set is as SO_SNDBUF is then."""
    send, receive = sizes.send_buffer, sizes.receive_buffer
    return SEND_BUFFER if send is None else send, SEND_BUFFER if receive is None else receive


class _Sink:
    """What the carrier has to tell, in the words that the owner of an endpoint knows."""

    def __init__(self, stream: SanStream, negotiated: Callable[[int, Instant], None]) -> None:
        self._stream = stream
        self._negotiated: Callable[[int, Instant], None] | None = negotiated

    def end_negotiation(self, error: int, now: Instant) -> bool:
        """False if it was over."""
        negotiated = self._negotiated
        self.forget()
        if negotiated is not None:
            negotiated(error, now)
        return negotiated is not None

    def forget(self) -> None:
        """Nobody is told of the negotiation any more."""
        self._negotiated = None
        if self._stream.cancel_deadline is not None:
            self._stream.cancel_deadline()
            self._stream.cancel_deadline = None

    def opened(self, now: Instant) -> None:
        self.end_negotiation(NO_ERROR, now)

    def readable(self, now: Instant) -> None:
        self._tell(Ready.READABLE | (Ready.URGENT if self._stream.urgent is not None else 0), now)

    def writable(self, now: Instant) -> None:
        self._tell(Ready.SENT, now)

    def finished(self, now: Instant) -> None:
        self._tell(Ready.PEER_FINISHED, now)

    def flushed(self, now: Instant) -> None:
        self._tell(Ready.FINISHED, now)

    def failed(self, error: int, now: Instant) -> None:
        kind = self._stream.error = KINDS.get(error, ErrorKind.ABORTED)
        if not self.end_negotiation(ERRORS[kind], now):
            self._tell(Ready.FAILED, now)

    def closed(self, now: Instant) -> None:
        """The companion is no more; the socket has let go of it before."""

    def _tell(self, readiness: int, now: Instant) -> None:
        if self._stream.owner is not None:
            self._stream.owner.on_ready(readiness, now)
