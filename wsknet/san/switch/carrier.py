"""Carries one connection of an application over a connected companion socket: a session on a SAN provider's functions.

How to use it.  `Carrier(host, provider, s, sink, settings, is_initiator=...)` once WSPConnect or WSPAccept of the
companion `s` has succeeded, then `start()`.  Every method and property is used with the driver lock held (inside
``with host.pump``): it changes the session and nothing else.  The calls to the provider, which want the lock for
themselves, follow as a completion of the host; so nothing of the provider runs inside a method, and `close` may be
called anywhere.

The switch hands on each WPUCompleteOverlappedRequest of a carrier's socket to `completed`: as all up-calls it comes as
a completion, with no lock held.

The sink is told with the lock held, as the owner of an endpoint is, and may call the carrier:

    opened(now)             the session is negotiated; first, unless it fails before
    readable(now)           more bytes have come, urgent or not (`urgent`)
    writable(now)           `write` had not taken all, and now there is room
    finished(now)           after `readable` bytes comes the end of the stream
    flushed(now)            after `finish`: all data and the end of our stream are with the peer
    failed(error, now)      a WSAE number, once; nothing moves any more, what is readable stays so
    closed(now)             the companion socket is closed

After `close` or `abort` only `closed` is told.

What to answer to a receive: the readable bytes; else the end of the stream if `is_peer_finished`; else `error`.  To a
send: `error` if there is one, which there also is, with no `failed`, after a peer that has closed in order.

    write(data, is_urgent=False) -> int       copies what it has room for; 0 also if nothing can be sent
    read_into(view) -> int, peek_into(view) -> int, consume(count), readable
    finish(), stop()                          SD_SEND, SD_RECEIVE: unread or later data resets the connection
    close(), abort()                          in order, once what was written is sent (see `CLOSE_DELAY`); or at once
    resize(send_limit, receive_limit)         SO_SNDBUF and SO_RCVBUF

Sends are polled with WSPGetOverlappedResult where a later chance to ask is certain; everything else is notified.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from wsknet.san.base.tcp_stream import FIN_WAIT_2_DELAY
from wsknet.san.numbers import WSAENOBUFS
from wsknet.san.structures import WSABUFEX, WSAOVERLAPPED
from wsknet.san.switch.regions import Region
from wsknet.san.switch.san_socket import Provider, SanSocket
from wsknet.san.switch.session import (
    Action,
    Conceal,
    Event,
    Expose,
    Failed,
    Finished,
    Flushed,
    Opened,
    Read,
    Readable,
    Send,
    Session,
    Settings,
    Writable,
    Write,
)
from wsknet.types import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.host import Host
    from wsknet.types import Buffer

NOTIFY = 0
POLL = 1
"""The low bit of hEvent (SAN-6.6.1)."""
CLOSE_DELAY = FIN_WAIT_2_DELAY
"""[design] How long a closed connection waits for a peer that takes nothing: as long as one of TCP/IP waits for the FIN
of its peer.  A peer that fetches one piece by RDMA for longer than this counts as one that takes nothing."""


class Sink(Protocol):
    """See above."""

    def opened(self, now: Instant) -> None: ...
    def readable(self, now: Instant) -> None: ...
    def writable(self, now: Instant) -> None: ...
    def finished(self, now: Instant) -> None: ...
    def flushed(self, now: Instant) -> None: ...
    def failed(self, error: int, now: Instant) -> None: ...
    def closed(self, now: Instant) -> None: ...


class Carrier:
    def __init__(
        self, host: Host, provider: Provider, s: int, sink: Sink, settings: Settings, *, is_initiator: bool
    ) -> None:
        """`settings`: see `san_socket.settings_for`."""
        self.sink = sink
        self.is_closed = False
        self._host = host
        self._socket = SanSocket(provider, s)
        self._session = Session(settings, is_initiator=is_initiator)
        self._sending = Region(settings.slots, settings.buffer_size)
        self._receiving = Region(settings.posted, settings.buffer_size)
        self._sends: deque[tuple[WSAOVERLAPPED, int]] = deque()
        """Oldest first, with their buffers."""
        self._receives: dict[WSAOVERLAPPED, int] = {}
        self._transfers: dict[WSAOVERLAPPED, tuple[Read | Write, int]] = {}
        """RDMA under way, with the handle of its local memory."""
        self._concealing: list[bytes] = []
        """Descriptors that the provider has not let go of yet."""
        self._is_begun = False
        self._is_turn_posted = False
        self._moved_at = Instant(0)
        """When an operation was over last, or it was closed."""
        self._cancel_wait: Callable[[], None] | None = None

    # The application's side

    @property
    def error(self) -> int:
        return self._session.error

    @property
    def readable(self) -> int:
        return self._session.stream.readable

    @property
    def urgent(self) -> int | None:
        """How many of the bytes that wait the peer calls urgent, the last of which is the urgent byte; or `None`."""
        stream = self._session.stream
        return None if stream.urgent_to is None else stream.urgent_to - stream.consumed

    @property
    def is_peer_finished(self) -> bool:
        return self._session.is_peer_finished

    @property
    def unsent(self) -> int:
        """Bytes written that are in no message yet, and that the peer has not fetched."""
        return self._session.unsent

    def start(self) -> None:
        """Register and post the message buffers, and negotiate."""
        self._wake()

    def write(self, data: Buffer, *, is_urgent: bool = False) -> int:
        count = self._session.write(data, is_urgent=is_urgent)
        self._wake()
        return count

    def peek_into(self, memory: memoryview) -> int:
        return self._session.stream.copy_to(memory)

    def read_into(self, memory: memoryview) -> int:
        count = self.peek_into(memory)
        self.consume(count)
        return count

    def consume(self, count: int) -> None:
        """At most what is readable."""
        self._session.stream.consume(count)
        self._session.consumed()
        self._wake()

    def finish(self) -> None:
        self._session.finish()
        self._wake()

    def stop(self) -> None:
        self._session.stop()
        self._wake()

    def close(self) -> None:
        self._session.close()
        if self._cancel_wait is None and not self.is_closed:
            self._moved_at = self._host.driver.now()
            self._wait_for_peer()
        self._wake()

    def _wait_for_peer(self) -> None:
        self._cancel_wait = self._host.driver.call_at(Instant(self._moved_at + CLOSE_DELAY), self._look_at_peer)

    def _look_at_peer(self) -> None:
        with self._host.pump as now:
            if now < self._moved_at + CLOSE_DELAY:
                self._wait_for_peer()
            else:
                self.abort()

    def abort(self) -> None:
        self._session.close_at_once()
        self._wake()

    def resize(self, send_limit: int | None, receive_limit: int | None) -> None:
        self._session.resize(send_limit, receive_limit)
        self._wake()

    def _wake(self) -> None:
        if not self._is_turn_posted and not self.is_closed:
            self._is_turn_posted = True
            self._host.pump.completions.post(self._turn)

    # The provider's side: no lock held, and never two of these at a time

    def completed(self, overlapped: WSAOVERLAPPED, error: int, count: int) -> None:
        """An operation of this carrier's socket is over.  It wakes a turn rather than being one: many come in a row."""
        session = self._session
        with self._host.driver.lock:
            self._moved_at = self._host.driver.now()
            number = self._receives.pop(overlapped, None)
            transfer = self._transfers.pop(overlapped, None)
            if error:
                session.broken(error)
            elif number is not None:
                session.receive(self._receiving.view(number, count))
            elif transfer is not None and isinstance(transfer[0], Read):
                session.has_read(transfer[0])
            elif transfer is not None and isinstance(transfer[0], Write):
                session.has_written(transfer[0])
            if number is not None:
                self._receiving.give_back(number)
            self._wake()
        if transfer is not None and not self.is_closed:
            self._socket.deregister(transfer[1])

    def _turn(self) -> None:
        """Do for the session what it wants done, and tell what it has to tell."""
        with self._host.driver.lock:
            self._is_turn_posted = False
        if self.is_closed:
            return
        if not self._is_begun and not self._session.error:
            self._begin()
        self._post_receives()
        self._poll_sends()
        self._concealing = [descriptor for descriptor in self._concealing if not self._socket.conceal(descriptor)]
        while (action := self._next_action()) is not None:
            self._carry_out(action)
        if self._session.has_events:
            with self._host.pump as now:
                while (event := self._session.next_event()) is not None:
                    self._tell(event, now)
        if self._session.is_closing and self._session.is_drained:
            self._end()

    def _begin(self) -> None:
        self._is_begun = True
        self._sending.handle = self._socket.register(self._sending.memory, is_written=False)
        self._receiving.handle = self._socket.register(self._receiving.memory, is_written=True)
        if not (self._sending.handle and self._receiving.handle):
            self._break(WSAENOBUFS)
            return
        with self._host.driver.lock:
            self._session.start()

    def _next_action(self) -> Action | None:
        with self._host.driver.lock:
            return self._session.next_action()

    def _carry_out(self, action: Action) -> None:
        match action:
            case Send():
                self._send(action)
            case Expose():
                descriptor = self._socket.expose(action.memory, action.role)
                with self._host.driver.lock:
                    self._session.exposed(action, descriptor)
            case Conceal() if not self._socket.conceal(action.descriptor):
                self._concealing.append(action.descriptor)
            case Read() | Write():
                self._transfer(action)

    def _post_receives(self) -> None:
        """All buffers that are free: what has come in is consumed at once."""
        while self._receiving.handle and not self._session.error:
            number = self._receiving.take()
            if number is None:
                return
            overlapped = WSAOVERLAPPED(NOTIFY)
            self._receives[overlapped] = number
            error = self._socket.receive(self._receiving.buffer(number), overlapped)
            if error:
                del self._receives[overlapped]
                self._receiving.give_back(number)
                self._break(error)

    def _send(self, action: Send) -> None:
        number = self._sending.take()
        assert number is not None, "the session counts its buffers"
        length = self._sending.fill(number, action.header, action.payload)
        overlapped = WSAOVERLAPPED(NOTIFY if action.is_awaited else POLL)
        self._sends.append((overlapped, number))
        error = self._socket.send(self._sending.buffer(number, length), overlapped)
        if error:
            self._sends.pop()
            self._sending.give_back(number)
            self._break(error)

    def _poll_sends(self) -> None:
        """Also of those that were notified: sends are over in order."""
        while self._sends:
            overlapped, number = self._sends[0]
            error = self._socket.result(overlapped)
            if error is None:
                return
            self._sends.popleft()
            self._sending.give_back(number)
            if error:
                self._break(error)
            else:
                with self._host.driver.lock:
                    self._session.message_sent()

    def _transfer(self, action: Read | Write) -> None:
        is_read = isinstance(action, Read)
        socket = self._socket
        handle = socket.register(action.memory, is_written=is_read)
        overlapped = WSAOVERLAPPED(NOTIFY)
        self._transfers[overlapped] = action, handle
        begin = socket.read if is_read else socket.write
        error = begin(WSABUFEX(action.memory, handle), action.descriptor, action.offset, overlapped)
        if error:
            del self._transfers[overlapped]
            if handle:
                socket.deregister(handle)
            self._break(error)

    def _break(self, error: int) -> None:
        with self._host.driver.lock:
            self._session.broken(error)

    def _tell(self, event: Event, now: Instant) -> None:
        if self._session.is_closing:
            return
        match event:
            case Opened():
                self.sink.opened(now)
            case Readable():
                self.sink.readable(now)
            case Writable():
                self.sink.writable(now)
            case Finished():
                self.sink.finished(now)
            case Flushed():
                self.sink.flushed(now)
            case Failed():
                self.sink.failed(event.error, now)

    def _end(self) -> None:
        """Release what no operation uses, and close; the provider releases the rest ("Using registered memory")."""
        self.is_closed = True
        if self._cancel_wait is not None:
            self._cancel_wait()
        for region in (self._sending, self._receiving):
            if region.handle and not region.is_in_use:
                self._socket.deregister(region.handle)
        self._socket.close()
        with self._host.pump as now:
            self.sink.closed(now)
