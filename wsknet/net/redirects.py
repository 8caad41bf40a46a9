"""Redirects from routers: RFC 1122 3.2.2.2, RFC 4861 8.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsknet.net.layer import IpLayer
    from wsknet.net.messages import Redirect
    from wsknet.net.packet import Packet
    from wsknet.types import Instant


class Redirects:
    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip

    def received(self, packet: Packet, message: Redirect, now: Instant) -> None: ...
