"""A connection of the host's TCP as a `Stream`, and what is left of it when the socket is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from wsknet.san.base.settings import SEND_BUFFER
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.state import State
from wsknet.types import SECOND, Endpoint, Instant

if TYPE_CHECKING:
    from wsknet.errors import ErrorKind
    from wsknet.host import Host
    from wsknet.san.base.settings import Settings
    from wsknet.transport.endpoint import Owner
    from wsknet.transport.tcp.endpoint import TcpEndpoint
    from wsknet.types import Buffer

FIN_WAIT_2_DELAY = 240 * SECOND
"""How long a closed socket waits for the FIN of its peer: TcpFinWait2Delay of Windows, 0xF0 seconds; from memory."""

_CAN_FINISH = (State.ESTABLISHED, State.CLOSE_WAIT)
_FINISHED = (State.CLOSED, State.TIME_WAIT)
_LAST = (State.LAST_ACK, State.CLOSING)


class TcpStream:
    """Owns the connected `endpoint`.  After `close` it goes on by itself until both sides have finished."""

    def __init__(self, host: Host, endpoint: TcpEndpoint, settings: Settings) -> None:
        self.endpoint = endpoint
        self.owner: Owner | None = None
        self._host = host
        self.settings = settings
        self._total = 0
        """Bytes received by the application."""
        self._is_refused = False
        self._is_closed = False
        self._cancel_deadline: Callable[[], None] | None = None
        local, remote = endpoint.local_endpoint, endpoint.remote
        assert local is not None
        assert remote is not None
        self.local: Endpoint = local
        self.remote: Endpoint = remote
        endpoint.owner = self

    @property
    def error(self) -> ErrorKind | None:
        return self.endpoint.error

    @property
    def readable(self) -> int:
        return self.endpoint.readable

    @property
    def peer_finished(self) -> bool:
        return self.endpoint.peer_finished

    @property
    def unsent(self) -> int:
        return self.endpoint.unacknowledged

    @property
    def urgent(self) -> int | None:
        end = self.endpoint.urgent_to
        return None if end is None or end <= self._total else end - self._total

    def on_ready(self, readiness: int, now: Instant) -> None:
        if self.owner is None:
            if self._is_closed:  # and not one that nobody has accepted yet
                self._end(now)
            return
        if self._is_refused and self.endpoint.readable:
            self.endpoint.abort(now)
            readiness |= Ready.FAILED
        self.owner.on_ready(readiness, now)

    def send(self, data: Buffer, now: Instant, *, is_urgent: bool = False) -> int:
        count = min(self._room(len(data)), len(data))
        if count:
            self.endpoint.send(bytes(data[:count]), now, is_urgent=is_urgent)
        return count

    def _room(self, wanted: int) -> int:
        """SO_SNDBUF of 0 has nothing wait here but what TCP is about to send."""
        limit = self.settings.send_buffer
        if limit is None:
            limit = max(SEND_BUFFER, self.endpoint.ideal_send_backlog)
        waiting = self.endpoint.unacknowledged
        return wanted if not limit and not waiting else max(limit - waiting, 0)

    def receive_into(self, buffer: memoryview, now: Instant) -> int:
        count = self.endpoint.receive_into(buffer, now)
        self._total += count
        return count

    def peek(self, limit: int) -> bytes:
        return self.endpoint.peek(limit)

    def finish(self, now: Instant) -> None:
        if self.endpoint.state in _CAN_FINISH:
            self.endpoint.finish(now)

    def refuse(self, now: Instant) -> None:
        """A connection with data that nobody will read is reset, now or when it comes (shutdown function)."""
        self._is_refused = True
        if self.endpoint.readable:
            self.endpoint.abort(now)

    def close(self, now: Instant, *, is_abortive: bool) -> None:
        self.owner = None
        self._is_closed = True
        if is_abortive:
            self.endpoint.close(now)
            return
        if not self.endpoint.readable:  # else there is a reset, and no end before it
            self.finish(now)
        self._end(now)

    def _end(self, now: Instant) -> None:
        """Close the endpoint once nothing is left to do.  What the peer still sends, nobody will read: a reset."""
        endpoint = self.endpoint
        state = endpoint.state
        is_over = state in _FINISHED or (state in _LAST and not endpoint.unacknowledged)
        if is_over or endpoint.error is not None or endpoint.readable:
            if self._cancel_deadline is not None:
                self._cancel_deadline()
            endpoint.close(now)
        elif state is State.FIN_WAIT_2 and self._cancel_deadline is None:
            at = Instant(now + FIN_WAIT_2_DELAY)
            self._cancel_deadline = self._host.driver.call_at(at, self._give_up)

    def _give_up(self) -> None:
        with self._host.pump as now:
            self.endpoint.close(now)
