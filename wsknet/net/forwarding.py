"""Passing on packets for others: RFC 1812 5, RFC 8200, RFC 4861 8.2."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsknet.net.layer import IpLayer
    from wsknet.net.packet import Packet
    from wsknet.types import Instant


class Forwarding:
    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip

    def forward(self, packet: Packet, now: Instant) -> None:
        """`packet` is whole or a fragment, its header checked, unicast in a frame for us, and not for us."""
