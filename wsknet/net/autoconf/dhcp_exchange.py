"""What a DHCP client says, and when it says it again: RFC 2131 4.1, 4.3.2, 4.4.5 and table 5, RFC 2132 9.14."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wsknet.net.messages.dhcp import DhcpKind, DhcpMessage
from wsknet.types import SECOND, Address, Duration, Instant, Mac

if TYPE_CHECKING:
    from random import Random

    from wsknet.config import DhcpConfig
    from wsknet.net.autoconf.lease import Lease

PARAMETERS = (1, 121, 3, 6, 15, 26, 51, 54, 58, 59)
"""Options asked for: mask, classless routes (before the routers, RFC 3442), routers, name servers, domain, MTU, and
those of the lease itself."""

_ETHERNET = b"\x01"
"""Hardware type before the MAC in a client identifier."""

_MAX_SECONDS = 0xFFFF


@dataclass(slots=True)
class Exchange:
    """Messages with one transaction number, and what has been heard."""

    transaction: int
    mac: Mac
    config: DhcpConfig
    began: Instant
    asked_at: Instant
    """When the request was sent that a lease counts from."""
    attempts: int = 0
    """Messages of the present kind."""
    seconds: int = 0
    """The `secs` field of the latest discover."""
    address: Address = bytes(4)
    """Offered, by `server`."""
    server: Address = bytes(4)

    def discover(self, now: Instant) -> DhcpMessage:
        self.seconds = self._elapsed(now)
        return self._question(DhcpKind.DISCOVER, self.seconds)

    def take_offer(self, offer: Lease, now: Instant) -> None:
        """The requests that follow are counted anew."""
        self.address, self.server = offer.address, offer.server
        self.attempts, self.asked_at = 0, now

    def request_offer(self) -> DhcpMessage:
        """With the `secs` of the discover (3.1 (3))."""
        message = self._question(DhcpKind.REQUEST, self.seconds)
        return replace(message, requested=self.address, server=self.server)

    def request_again(self, lease: Lease, now: Instant) -> DhcpMessage:
        """Is the lease of before still good?"""
        return replace(self._question(DhcpKind.REQUEST, self._elapsed(now)), requested=lease.address)

    def extend(self, lease: Lease, now: Instant) -> DhcpMessage:
        """The answer can be sent to the address, which is in use, and counts from this very request (4.4.5)."""
        self.asked_at = now
        message = self._question(DhcpKind.REQUEST, self._elapsed(now))
        return replace(message, client_address=lease.address, is_broadcast=False)

    def decline(self, lease: Lease) -> DhcpMessage:
        message = self._message(DhcpKind.DECLINE)
        return replace(message, requested=lease.address, server=lease.server, text="address in use")

    def release(self, lease: Lease) -> DhcpMessage:
        return replace(self._message(DhcpKind.RELEASE), client_address=lease.address, server=lease.server)

    def interval(self, rng: Random) -> Duration:
        """To the next attempt: doubled each time, with jitter (4.1)."""
        config = self.config
        middle = min(config.retransmit << self.attempts - 1, config.max_retransmit)
        return middle + int((2 * rng.random() - 1) * config.jitter)

    def interval_until(self, end: Instant | None, now: Instant) -> Duration:
        """The same for a lease that runs: half of the time left, but not too often (4.4.5)."""
        least = self.config.min_renewal_interval
        return least if end is None else max(least, (end - now) // 2)

    def _elapsed(self, now: Instant) -> int:
        return min((now - self.began) // SECOND, _MAX_SECONDS)

    def _question(self, kind: DhcpKind, seconds: int) -> DhcpMessage:
        return replace(
            self._message(kind),
            seconds=seconds,
            is_broadcast=self.config.broadcast_replies,
            host_name=self.config.host_name,
            parameters=PARAMETERS,
        )

    def _message(self, kind: DhcpKind) -> DhcpMessage:
        """What every message has; a decline or release has little more."""
        return DhcpMessage(kind, self.transaction, self.mac, client_id=_ETHERNET + self.mac)
