"""What is left of a channel after its last word: a TCP connection that has to come to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.types import SECOND, Instant

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.transport.tcp.endpoint import TcpEndpoint

LINGER = 20 * SECOND
"""[design] How long the peer has for closing its side, too; then it is reset."""


class Farewell:
    """Sends the FIN, and owns `endpoint` from now on.  Driver lock held."""

    def __init__(self, host: Host, endpoint: TcpEndpoint, now: Instant) -> None:
        self._host = host
        self._endpoint = endpoint
        self._cancel = host.driver.call_at(Instant(now + LINGER), self._give_up)
        endpoint.owner = self
        endpoint.finish(now)
        self.on_ready(0, now)

    def on_ready(self, readiness: int, now: Instant) -> None:
        """What the peer still says is of no interest, but that it has everything and says no more."""
        endpoint = self._endpoint
        endpoint.consume(endpoint.readable, now)
        if endpoint.error is not None or (endpoint.peer_finished and not endpoint.unacknowledged):
            self._cancel()
            endpoint.close(now)

    def _give_up(self) -> None:
        with self._host.pump as now:
            self._endpoint.close(now)
