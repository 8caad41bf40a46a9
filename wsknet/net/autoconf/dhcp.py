"""The DHCP client: RFC 2131 4.4."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.types import Instant


class DhcpClients:
    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip

    def takes(self, interface: Interface, payload: bytes, now: Instant) -> bool:
        """Whether a UDP datagram was for the client of `interface`; if so it has been taken.

        `payload` starts at the UDP header.  Asked before the destination is looked at: a lease is told to an address
        that is not ours yet.
        """
        return False

    def adjust(self, interface: Interface, now: Instant) -> None:
        """The link or the settings of `interface` have changed: start what should run, stop what should not."""
