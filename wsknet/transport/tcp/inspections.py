"""Connection requests that wait for a decision: conditional accept.  Read WSK-9.7 before editing.

Nothing is answered before the decision (R-170), and of a request only its SYN is kept.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from wsknet.timers import Timer
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.seq import MASK
from wsknet.types import SECOND, Endpoint, Instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.timers import Timers
    from wsknet.transport.tcp.seq import Position
    from wsknet.wire import tcp

_PATIENCE = 180 * SECOND
"""A peer that has not repeated its SYN for so long has given up: RFC 1122 4.2.3.5 asks it to try for three minutes."""


class Verdict(Enum):
    ACCEPT = "the handshake goes on"
    REJECT = "the peer is told, by a reset"
    """As the listening host of Winsock does for CF_REJECT."""
    DROP = "the peer hears nothing"


class Request(NamedTuple):
    """A SYN that a listener may answer."""

    local: Endpoint
    """As dialled."""
    remote: Endpoint
    syn: tcp.Segment
    """Without data, which its sender repeats, unless Fast Open may take it."""
    above: Position | None = None
    """Our initial sequence number is to lie behind this: what is left of the connection before."""


class Inspection(NamedTuple):
    """What the owner of a listener is asked to judge."""

    id: int
    """Never given twice on one host; 64 bits.  The upper half is the number of the listener."""
    local: Endpoint
    remote: Endpoint


class Inspections:
    """Those of one listener, the conditional one with `number`.  `notify` is called with bits of `Ready`.

    A request keeps its place, which `len` counts, until it is decided, or its owner has heard that it was aborted: so
    peers cannot make the lists grow beyond what the listener admits.
    """

    def __init__(self, number: int, timers: Timers, notify: Callable[[int], None]) -> None:
        self._notify = notify
        self._last_id = number << 32
        self._pending: dict[int, tuple[Request, Instant]] = {}
        """With the time at which they expire; the one that expires first is first."""
        self._ids: dict[tuple[Endpoint, Endpoint], int] = {}
        self._unseen: dict[int, None] = {}
        self._aborted: dict[int, None] = {}
        self._timer = Timer(timers, self._expire)

    def __len__(self) -> int:
        return len(self._pending) + len(self._aborted)

    # From the peer

    def repeat(self, request: Request, now: Instant) -> bool:
        """Whether the ends of `request` wait already; the answer then will be one to this SYN."""
        found = self._ids.get((request.local, request.remote))
        if found is None:
            return False
        del self._pending[found]  # to the end of the queue
        self._keep(found, request, now)
        return True

    def add(self, request: Request, now: Instant) -> None:
        self._last_id += 1
        self._ids[request.local, request.remote] = self._last_id
        self._unseen[self._last_id] = None
        self._keep(self._last_id, request, now)
        self._notify(Ready.REQUESTED)

    def _keep(self, inspection: int, request: Request, now: Instant) -> None:
        deadline = Instant(now + _PATIENCE)
        self._pending[inspection] = request, deadline
        self._timer.arm_by(deadline)

    def reset(self, local: Endpoint, remote: Endpoint, seq: int) -> bool:
        """A RST; whether it is the next segment of a peer that waits, whose request is withdrawn by it."""
        found = self._ids.get((local, remote))
        if found is None or seq != self._pending[found][0].syn.seq + 1 & MASK:
            return False
        self._withdraw(found)
        return True

    def _expire(self, now: Instant) -> None:
        for inspection, (_, deadline) in list(self._pending.items()):
            if deadline > now:
                self._timer.arm(deadline)
                break
            self._withdraw(inspection)

    def _withdraw(self, inspection: int) -> None:
        is_unseen = inspection in self._unseen
        self.take(inspection)
        if not is_unseen:
            self.abort(inspection)

    def abort(self, inspection: int) -> None:
        """A request that was shown has come to nothing, decided or not."""
        self._aborted[inspection] = None
        self._notify(Ready.REQUEST_ABORTED)

    # From the owner

    def next(self) -> Inspection | None:
        """The request that has waited longest without being shown."""
        for inspection in self._unseen:
            del self._unseen[inspection]
            request = self._pending[inspection][0]
            return Inspection(inspection, request.local, request.remote)
        return None

    def next_aborted(self) -> int | None:
        """The `Inspection.id` of a request that was shown, and is no more: the peer took it back or fell silent, or it
        was accepted and the handshake came to nothing."""
        for inspection in self._aborted:
            del self._aborted[inspection]
            return inspection
        return None

    def shown(self) -> list[int]:
        """The requests that the owner has seen and not decided, or has not heard to be aborted."""
        return [*(inspection for inspection in self._pending if inspection not in self._unseen), *self._aborted]

    def disown(self, inspection: int) -> None:
        """The owner refuses the request, and so does not want to hear that it was aborted."""
        self._aborted.pop(inspection, None)

    def take(self, inspection: int) -> Request | None:
        """Forget the request, which is decided; `None` if it is not there."""
        found = self._pending.pop(inspection, None)
        if found is None:
            return None
        request = found[0]
        del self._ids[request.local, request.remote]
        self._unseen.pop(inspection, None)
        if not self._pending:
            self._timer.cancel()
        return request

    def clear(self) -> list[Request]:
        """Forget everything; the requests that were waiting."""
        waiting = [request for request, _ in self._pending.values()]
        for table in (self._pending, self._ids, self._unseen, self._aborted):
            table.clear()
        self._timer.cancel()
        return waiting
