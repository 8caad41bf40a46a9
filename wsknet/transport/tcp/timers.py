"""The timers of one connection: RFC 9293 3.8.1, 3.8.4, 3.8.6; RFC 1122 4.2.3.2, 4.2.3.6."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.timers import Timer

if TYPE_CHECKING:
    from wsknet.timers import Expired, Timers
    from wsknet.types import Instant


class ConnectionTimers:
    """Retransmission and persist timer are never armed both."""

    __slots__ = ("_timers", "delayed_ack", "keep_alive", "persist", "retransmit")

    def __init__(self, timers: Timers, retransmit: Expired, persist: Expired, delayed_ack: Expired) -> None:
        self._timers = timers
        self.retransmit = Timer(timers, retransmit)
        self.persist = Timer(timers, persist)
        self.delayed_ack = Timer(timers, delayed_ack)
        self.keep_alive: Timer | None = None
        """Made when keep-alive is switched on; few connections ever need one."""

    def start_keep_alive(self, expired: Expired, deadline: Instant) -> None:
        if self.keep_alive is None:
            self.keep_alive = Timer(self._timers, expired)
        self.keep_alive.arm(deadline)

    def stop(self) -> None:
        """Nothing expires any more.  The heap may hold the timers for a while yet, but not the connection."""
        for timer in (self.retransmit, self.persist, self.delayed_ack, self.keep_alive):
            if timer is not None:
                timer.cancel()
                timer.expired = _nothing


def _nothing(now: Instant) -> None:
    """Never called: a stopped timer is not armed."""
