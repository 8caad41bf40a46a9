"""What is left of a channel after its last word: a TCP connection that has to come to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.types import SECOND, Instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.host import Host
    from wsknet.transport.tcp.endpoint import TcpEndpoint

LINGER = 20 * SECOND
"""[design] How long the peer has for closing its side, too; then it is reset."""
MOST_REJECTED = 256
"""[design] Rejected peers of a host that have not closed their side yet; with one more the oldest of them is reset.  A
NIC closes it with the REJECT in hand, so this harms nobody but who opens connections for their own sake."""


class Farewell:
    """Sends the FIN, and owns `endpoint` from now on.  Driver lock held."""

    def __init__(self, host: Host, endpoint: TcpEndpoint, now: Instant) -> None:
        self.ended: Callable[[Farewell], None] | None = None
        """Told when it is over, by whoever keeps it; set after this."""
        self._host = host
        self._endpoint = endpoint
        self._cancel = host.driver.call_at(Instant(now + LINGER), self._give_up)
        endpoint.owner = self
        endpoint.finish(now)
        self.on_ready(0, now)

    @property
    def is_over(self) -> bool:
        return self._endpoint.is_closed

    def on_ready(self, readiness: int, now: Instant) -> None:
        """What the peer still says is of no interest, but that it has everything and says no more."""
        endpoint = self._endpoint
        endpoint.consume(endpoint.readable, now)
        if endpoint.error is not None or (endpoint.peer_finished and not endpoint.unacknowledged):
            self.end(now)

    def end(self, now: Instant) -> None:
        """A peer that has not closed its side yet is reset."""
        if self.is_over:
            return  # the timer had expired already, and waited for the lock
        self._cancel()
        self._endpoint.close(now)
        if self.ended is not None:
            self.ended(self)

    def _give_up(self) -> None:
        with self._host.pump as now:
            self.end(now)


class Rejected:
    """Of one host, in order of age.  Driver lock held."""

    def __init__(self) -> None:
        self._farewells: dict[Farewell, None] = {}

    @classmethod
    def of(cls, host: Host) -> Rejected:
        found: Rejected = host.faces.setdefault(cls, cls())
        return found

    def keep(self, farewell: Farewell, now: Instant) -> None:
        if farewell.is_over:
            return
        if len(self._farewells) >= MOST_REJECTED:
            next(iter(self._farewells)).end(now)
        self._farewells[farewell] = None
        farewell.ended = self._farewells.pop
