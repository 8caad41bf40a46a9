"""Conditional accept: WskInspectEvent, WskInspectComplete and WskAbortEvent of one listening socket.

Read WSK-4.7, 4.22 and 9.7 before editing.  The core keeps the requests; here is what the application has been told of
them.  What the sources leave open is decided so:

* A request that is refused is answered by a reset (`REFUSAL`).
* What WskInspectEvent returns beside the three actions refuses the request.
* The first decision counts: WskInspectComplete may come before WskInspectEvent has returned, from inside it or from
  another thread, and what the event then returns has no effect.
* The table of a stream socket has no WskInspectComplete, so WskInspectPend cannot be taken back there: the request is
  refused, and WskAbortEvent says so.
* WskAbortEvent does not follow WskInspectReject, not even where the peer was faster (C-14).
* A listening socket that dies drops its requests: WskAbortEvent tells each, then WskInspectEvent gets its NULL.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from wsknet.transport.tcp.inspections import Inspection, Verdict
from wsknet.wsk.constants import WskInspectAccept, WskInspectPend, WskInspectReject
from wsknet.wsk.requests import Forbidden, call_back
from wsknet.wsk.sockaddr import sockaddr_of
from wsknet.wsk.status import STATUS_INVALID_PARAMETER
from wsknet.wsk.structures import WSK_INSPECT_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.transport.tcp.listener import Listener
    from wsknet.types import Instant
    from wsknet.wsk.sockets.listening import AcceptingSocket

INSPECTING: Final = 1 << 32
"""Among `Socket.busy`: one of the two callbacks is due or running.  No EventMask, a ULONG, can name it."""

REFUSAL: Final = Verdict.REJECT
"""What the peer of a request hears that WskInspectReject drops.  The documentation says "dropped" and no more.  A reset
makes the port look closed, and the peer need not wait; `Verdict.DROP` would be silence.  Not observed on Windows."""

DECISIONS_KEPT: Final = 1024
"""Of so many decided requests it is known that a second WskInspectComplete is one.  For older ones, as for aborted
requests, that succeeds without effect.  A number of ours: it bounds the memory."""


def inspect_id(number: int) -> WSK_INSPECT_ID:
    """`Inspection.id` as an application sees it."""
    return WSK_INSPECT_ID(number >> 32, number & 0xFFFF_FFFF)


class Inspector:
    """Of a socket with SO_CONDITIONAL_ACCEPT, from the moment it listens.

    Its callbacks cannot be disabled (R-169).  One is queued or running at a time, so none overtakes another; what it is
    about is looked up when its turn has come, so that nothing is told that is no longer true.
    """

    __slots__ = ("_abort_event", "_decided", "_first", "_inspect_event", "_is_dead", "_last_shown", "_lost",
                 "_socket", "_undecided")  # fmt: skip

    def __init__(self, socket: AcceptingSocket) -> None:
        self._socket = socket
        dispatch = socket.listen_dispatch
        self._inspect_event: Callable[..., Any] = dispatch.WskInspectEvent
        self._abort_event: Callable[..., Any] = dispatch.WskAbortEvent
        self._first, self._last_shown = 1, 0
        """The range of the requests that were shown."""
        self._undecided: dict[int, None] = {}
        """Shown, and neither decided nor told to be aborted.  The core bounds them (D-25)."""
        self._decided: dict[int, None] = {}
        """The latest, oldest first."""
        self._lost: deque[int] = deque()
        """Of which WskAbortEvent is to tell, without the core knowing of them."""
        self._is_dead = False
        """The NULL that says so is still due."""

    @property
    def _listener(self) -> Listener | None:
        """`None` when the socket is dead or closed."""
        listener: Listener | None = self._socket.endpoint.listener
        return listener

    def advance(self) -> None:
        """There may be something to tell.  Driver lock held."""
        socket = self._socket
        if not socket.busy & INSPECTING and not socket.is_closing:
            socket.busy |= INSPECTING
            socket.completions.post(self._run)

    def die(self) -> None:
        """The listening socket is of no use any more; its endpoint is still there.  Driver lock held."""
        if self._listener is not None:
            self._lost.extend(self._listener.requests_underway())
        self._is_dead = True
        self.advance()

    def complete(self, InspectID: Any, Action: int, now: Instant) -> None:
        """WskInspectComplete.  Raises `Forbidden` for a request that waits for no decision (D-08), but not for one that
        was aborted meanwhile (R-181)."""
        if Action not in (WskInspectAccept, WskInspectReject):
            what = f"the Action is {Action}: WskInspectComplete takes WskInspectAccept or WskInspectReject"
            raise Forbidden(STATUS_INVALID_PARAMETER, "R-177", what)
        number = InspectID.Key << 32 | InspectID.SerialNumber if isinstance(InspectID, WSK_INSPECT_ID) else 0
        if number in self._undecided:
            self._decide(number, Action, now)
        elif number in self._decided or not self._first <= number <= self._last_shown:
            raise Forbidden(
                STATUS_INVALID_PARAMETER, "R-178", "the InspectID names no request that waits for a decision"
            )

    def _decide(self, number: int, Action: int, now: Instant) -> None:
        del self._undecided[number]
        self._decided[number] = None
        if len(self._decided) > DECISIONS_KEPT:
            del self._decided[next(iter(self._decided))]
        if self._listener is not None:
            self._listener.decide(number, Verdict.ACCEPT if Action == WskInspectAccept else REFUSAL, now)
        elif Action == WskInspectReject and number in self._lost:
            self._lost.remove(number)

    # Calls, as completions: no lock held

    def _run(self) -> None:
        with self._socket.pump:
            call = self._next_call()
            if call is None:
                self._socket.end_callback(INSPECTING)
                return
        function, argument = call
        try:
            function(argument)
        finally:
            with self._socket.pump:
                self._socket.completions.post(self._run)

    def _next_call(self) -> tuple[Callable[[Any], None], Any] | None:
        """Aborts first: they make room for further requests.  Driver lock held."""
        if self._socket.is_closing:
            return None
        if self._lost:
            return self._abort, self._forget(self._lost.popleft())
        inspections = None if self._listener is None else self._listener.inspections
        if inspections is not None:
            aborted = inspections.next_aborted()
            if aborted is not None:
                return self._abort, self._forget(aborted)
            inspection = inspections.next()
            if inspection is not None:
                if not self._last_shown:
                    self._first = inspection.id
                self._last_shown = inspection.id
                self._undecided[inspection.id] = None
                return self._inspect, inspection
        if self._is_dead:
            self._is_dead = False
            return self._tell_dead, None
        return None

    def _forget(self, number: int) -> int:
        self._undecided.pop(number, None)
        return number

    def _inspect(self, inspection: Inspection) -> None:
        socket = self._socket
        local, remote = (sockaddr_of(socket.family, end) for end in (inspection.local, inspection.remote))
        InspectID = inspect_id(inspection.id)
        action: Any = WskInspectReject  # should it raise
        try:
            action = call_back(self._inspect_event, socket.SocketContext, local, remote, InspectID)
        finally:
            # They were lent for the call: whoever has kept them does not find what was there.
            local._raw[:], remote._raw[:] = bytes(len(local._raw)), bytes(len(remote._raw))
            InspectID.Key = InspectID.SerialNumber = 0
            with socket.pump as now:
                self._inspected(inspection.id, action, now)

    def _inspected(self, number: int, action: Any, now: Instant) -> None:
        """Apply what WskInspectEvent returned."""
        if number not in self._undecided or (action == WskInspectPend and self._socket.CAN_PEND):
            return
        self._decide(number, WskInspectAccept if action == WskInspectAccept else WskInspectReject, now)
        if action == WskInspectPend:
            self._lost.append(number)

    def _abort(self, number: int) -> None:
        InspectID = inspect_id(number)
        try:
            call_back(self._abort_event, self._socket.SocketContext, InspectID)
        finally:
            InspectID.Key = InspectID.SerialNumber = 0

    def _tell_dead(self, nothing: None) -> None:
        call_back(self._inspect_event, self._socket.SocketContext, None, None, nothing)
