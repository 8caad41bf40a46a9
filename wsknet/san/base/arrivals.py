"""Connections of a listening socket that wait for WSPAccept, whichever way they came."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from wsknet.san.base.tcp_stream import TcpStream
from wsknet.transport.tcp.inspections import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.host import Host
    from wsknet.san.base.settings import Settings
    from wsknet.san.base.stream import Stream
    from wsknet.transport.tcp.endpoint import TcpEndpoint
    from wsknet.types import Endpoint, Instant


@dataclass
class Arrival:
    """Who asks whom."""

    local: Endpoint
    remote: Endpoint
    stream: Stream | None = None
    """`None`: it is a request that TCP has not answered yet (SO_CONDITIONAL_ACCEPT)."""
    inspection: int = 0
    """The number of such a request."""
    is_judged: bool = False
    """The condition function has accepted it, before TCP was allowed to answer."""


class Question(Protocol):
    """A request that came another way, and of which nothing is known before it is answered (SO_CONDITIONAL_ACCEPT)."""

    def answer(self, condition: Callable[[Endpoint, Endpoint], int]) -> int | None:
        """Do as `condition` says of the peer's name and ours, and tell what that was; `None` if nobody asks any more.

        A connection that is accepted is offered later.  No lock is held.
        """


class Arrivals:
    def __init__(self, host: Host, endpoint: TcpEndpoint, settings: Settings) -> None:
        self._host = host
        self._endpoint = endpoint
        self._settings = settings
        self._deferred: deque[Arrival] = deque()
        """They have been shown, and are shown again before all others."""
        self._offered: deque[Arrival] = deque()
        self._questions: deque[Question] = deque()
        self.expected = 0
        """Connections that are about to be offered, and need room."""

    def offer(self, stream: Stream, *, is_judged: bool) -> None:
        self._offered.append(Arrival(stream.local, stream.remote, stream, is_judged=is_judged))

    def show(self, question: Question) -> None:
        if question not in self._questions:
            self._questions.append(question)

    def put_back(self, question: Question) -> None:
        """It was deferred."""
        if question not in self._questions:
            self._questions.appendleft(question)

    def withdraw(self, question: Question) -> None:
        if question in self._questions:
            self._questions.remove(question)

    @property
    def has_room(self) -> bool:
        listener = self._endpoint.listener
        assert listener is not None
        return self._alive + len(self._deferred) + self.expected < listener.backlog

    @property
    def _alive(self) -> int:
        """Of those offered; one that the peer has reset is forgotten, as TCP does with its own."""
        return sum(each.stream is not None and each.stream.error is None for each in self._offered)

    def defer(self, arrival: Arrival) -> None:
        self._deferred.appendleft(arrival)

    @property
    def is_any(self) -> bool:
        listener = self._endpoint.listener
        assert listener is not None
        return bool(self._deferred or self._alive or self._questions or listener.is_ready)

    def hear_requests(self) -> None:
        """Take over what the listener has to tell of requests."""
        listener = self._endpoint.listener
        inspections = None if listener is None else listener.inspections
        if inspections is None:
            return
        while (request := inspections.next()) is not None:
            self._deferred.append(Arrival(request.local, request.remote, inspection=request.id))
        while (aborted := inspections.next_aborted()) is not None:
            self._deferred = deque(each for each in self._deferred if each.inspection != aborted)

    def next(self, now: Instant) -> Arrival | Question | None:
        """The one that has waited longest; those that TCP has established come before those that it has not."""
        if self._deferred and self._deferred[0].stream is not None:
            return self._deferred.popleft()
        endpoint = self._endpoint.accept(now)
        if endpoint is not None:
            stream = TcpStream(self._host, endpoint, self._settings)
            return Arrival(stream.local, stream.remote, stream, is_judged=endpoint.inspection is not None)
        while self._offered:
            offered = self._offered.popleft()
            assert offered.stream is not None
            if offered.stream.error is None:
                return offered
            offered.stream.close(now, is_abortive=True)
        if self._deferred:
            return self._deferred.popleft()
        return self._questions.popleft() if self._questions else None

    def answer(self, arrival: Arrival, verdict: Verdict, now: Instant) -> bool:
        """Let TCP answer a request; False if the peer has taken it back."""
        listener = self._endpoint.listener
        return listener is not None and listener.decide(arrival.inspection, verdict, now)

    def close(self, now: Instant) -> None:
        """Reset those that the listener does not know of."""
        for arrival in (*self._deferred, *self._offered):
            if arrival.stream is not None:
                arrival.stream.close(now, is_abortive=True)
        self._deferred.clear()
        self._offered.clear()
        self._questions.clear()
