"""Path MTUs as ICMP tells them: RFC 1191, RFC 8201."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsknet.net.handler import Undelivered
    from wsknet.net.layer import IpLayer
    from wsknet.types import Instant


class PathMtus:
    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip

    def learn(self, error: Undelivered, now: Instant) -> None:
        """A PACKET_TOO_BIG that an endpoint believes."""
