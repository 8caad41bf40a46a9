"""One SAN connection: frames in both directions over the TCP connection between two NICs.

What arrives is looked at in the receive buffer of TCP, and data goes from there to its memory.  What has no place yet
stays there, and frames behind it with it: so TCP holds the sender back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind
from wsknet.san.provider.farewell import Farewell, Rejected
from wsknet.san.provider.native import (
    LONGEST_HEAD,
    Accept,
    BadFrame,
    Close,
    Data,
    Error,
    Frame,
    Head,
    Message,
    Read,
    Reject,
    RejectReason,
    Request,
    Write,
    encode,
    parse,
)
from wsknet.san.provider.sinks import Refused
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.state import State

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.san.provider.sinks import DataSink, Sink
    from wsknet.transport.tcp.endpoint import TcpEndpoint
    from wsknet.types import Instant

COPIED = 1_024
"""Bytes: smaller payloads share a buffer, and so a segment, with their head.  Larger ones are lent as they are."""


class _Phase(Enum):
    FRESH = auto()
    """An acceptor waits for the REQUEST."""
    REQUESTING = auto()
    """Our REQUEST is on its way or with the peer."""
    REQUESTED = auto()
    """The peer waits for our answer."""
    ESTABLISHED = auto()
    OVER = auto()
    """We have said our last word, or none can be said any more."""


_OPEN = frozenset({State.ESTABLISHED, State.CLOSE_WAIT})
"""TCP can still send."""
_AFTER_SENDING = {Request: _Phase.REQUESTING, Accept: _Phase.ESTABLISHED}


class Channel:
    """Owns `endpoint`, which has a connection or is about to get one.  Driver lock held in every call.

    What is sent before the TCP connection is there waits for it.
    """

    def __init__(self, host: Host, endpoint: TcpEndpoint, sink: Sink) -> None:
        self.host = host
        self._endpoint = endpoint
        self.sink = sink
        """May be replaced."""
        self._data: DataSink | None = None
        self._phase = _Phase.FRESH
        self._sent: deque[tuple[int, Callable[[Instant], None]]] = deque()
        """Stream offsets at which frames end, and who wants to know that the peer has everything up to there."""
        self._lent_to = 0
        """Stream offset up to which the memory of others may be lent to TCP."""
        self._incoming: deque[memoryview] = deque()
        """What the data that is arriving has yet to fill."""
        self._landed: Callable[[Instant], None] | None = None
        self._is_working = False
        self._has_no_place = False
        """The frame that is next has to wait."""
        endpoint.owner = self

    # What the owner of the connection does

    def send(self, frame: Frame, now: Instant, done: Callable[[Instant], None] | None = None) -> None:
        """The payload is lent until `done` is called: the peer's TCP has all of it.

        Without effect, and without `done`, when the connection is over.  `LocalError` before connect.
        """
        if self._phase is _Phase.OVER or self._endpoint.error is not None:
            return
        self._phase = _AFTER_SENDING.get(type(frame), self._phase)
        end = self._write(frame, now)
        if done is not None:
            self._sent.append((end, done))

    def start_data(self, data: DataSink, now: Instant) -> None:
        """From now on frames with data are taken, beginning with those that wait already."""
        self._data = data
        self._work(now)

    def resume(self, now: Instant) -> None:
        """What had no place may have one."""
        self._work(now)

    def reject(self, reason: RejectReason, now: Instant) -> None:
        """Answer the REQUEST with no.  Nothing is told any more."""
        farewell = self._end(Reject(reason), now)
        if farewell is not None:
            Rejected.of(self.host).keep(farewell, now)

    def close(self, now: Instant) -> None:
        """CLOSE, and FIN.  Nothing is told any more, and no memory is in use any more.

        Memory that is lent when this is called cannot be waited for: then the connection is reset instead.
        """
        self._end(Close(), now)

    def abort(self, now: Instant) -> None:
        """Reset the connection.  Nothing is told any more, and no memory is in use any more."""
        if self._phase is not _Phase.OVER:
            self._forget()
            self._endpoint.close(now)

    # What TCP tells

    def on_ready(self, readiness: int, now: Instant) -> None:
        if readiness & Ready.SENT:
            self._tell_sent(now)
        self._work(now)

    def _tell_sent(self, now: Instant) -> None:
        acknowledged = self._endpoint.acknowledged
        while self._sent and self._sent[0][0] <= acknowledged:
            self._sent.popleft()[1](now)

    # Arriving frames

    def _work(self, now: Instant) -> None:
        """Take frames for as long as there is one and a place for it, and see whether more can come."""
        if self._is_working:
            return  # whoever takes a frame asks for more of them: the loop is below us on the stack
        self._is_working = True
        self._has_no_place = False
        try:
            while self._phase is not _Phase.OVER and self._step(now):
                pass
        except Refused as refused:
            self._end(refused.frame, now)
            self.sink.broken(ErrorKind.ABORTED, now)
        except BadFrame:
            self.abort(now)
            self.sink.broken(ErrorKind.ABORTED, now)
        finally:
            self._is_working = False
        if self._phase is not _Phase.OVER:
            self._look_for_end(now)

    def _look_for_end(self, now: Instant) -> None:
        """TCP has come to its end, and the peer did not say CLOSE."""
        endpoint = self._endpoint
        if endpoint.error is not None:
            self._break(endpoint.error, now)
        elif endpoint.peer_finished and not self._has_no_place:
            self._break(ErrorKind.RESET, now)

    def _step(self, now: Instant) -> bool:
        if self._landed is not None:
            return self._fill(now)
        head = parse(self._endpoint.peek(LONGEST_HEAD))
        return head is not None and self._take(head, now)

    def _fill(self, now: Instant) -> bool:
        """Put data where it belongs; False as long as some is missing."""
        incoming = self._incoming
        while incoming:
            view = incoming[0]
            count = self._endpoint.receive_into(view, now)
            if count < len(view):
                incoming[0] = view[count:]
                return False
            incoming.popleft()
        landed, self._landed = self._landed, None
        assert landed is not None
        landed(now)
        return True

    def _take(self, head: Head, now: Instant) -> bool:
        """False: it has to wait."""
        frame = head.frame
        if self._phase is _Phase.ESTABLISHED and isinstance(frame, Message | Write | Data | Read):
            return self._take_data(frame, head, now)
        self._endpoint.consume(head.size, now)
        if isinstance(frame, Close):
            self._break(None, now)
        elif isinstance(frame, Request) and self._phase is _Phase.FRESH:
            self._phase = _Phase.REQUESTED
            self.sink.request(frame, now)
        elif isinstance(frame, Accept) and self._phase is _Phase.REQUESTING:
            self._phase = _Phase.ESTABLISHED
            self.sink.accepted(now)
        elif isinstance(frame, Reject) and self._phase is _Phase.REQUESTING:
            self._end(None, now)
            self.sink.rejected(frame.reason, now)
        elif isinstance(frame, Error) and self._phase is _Phase.ESTABLISHED:
            self._break(ErrorKind.RESET, now)
        else:
            raise BadFrame(f"{frame.kind.name} out of order")
        return True

    def _take_data(self, frame: Message | Write | Data | Read, head: Head, now: Instant) -> bool:
        if isinstance(frame, Read) and self._data is not None:
            self._endpoint.consume(head.size, now)
            self._data.read(frame, now)
            return True
        landing = None if self._data is None or isinstance(frame, Read) else self._data.land(frame, head.length, now)
        if landing is None:
            self._has_no_place = True
            return False
        self._endpoint.consume(head.size, now)
        self._incoming.extend(view for view in landing.views if len(view))
        self._landed = landing.done
        return True

    # Sending

    def _write(self, frame: Frame, now: Instant) -> int:
        head, *payload = encode(frame)
        if sum(map(len, payload)) <= COPIED:
            return self._endpoint.send(b"".join((head, *payload)), now, no_delay=True)
        end = self._endpoint.send(head, now)
        for buffer in payload:
            end = self._endpoint.send(buffer, now, no_delay=buffer is payload[-1])
        self._lent_to = end
        return end

    # The end

    def _break(self, error: ErrorKind | None, now: Instant) -> None:
        """The other side, or the network, has ended it."""
        self._end(None, now)
        self.sink.broken(error, now)

    def _end(self, last: Frame | None, now: Instant) -> Farewell | None:
        """Say `last`, and FIN, where that is possible; else reset."""
        if self._phase is _Phase.OVER:
            return None
        endpoint = self._endpoint
        if endpoint.state not in _OPEN or endpoint.acknowledged < self._lent_to:
            self.abort(now)
            return None
        self._forget()
        if last is not None:
            self._write(last, now)
        return Farewell(self.host, endpoint, now)

    def _forget(self) -> None:
        """Nobody's memory is touched any more, and nobody told."""
        self._phase = _Phase.OVER
        self._sent.clear()
        self._incoming.clear()
        self._landed = None
