"""When IPv4 without a DHCP server gets a link-local address: KB 931550, `DhcpConfig.link_local_after`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.timers import Timer
from wsknet.types import Instant

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer


class Patience:
    """Of one client, through all its searches until there is a lease.  `Ipv4LinkLocal` hears if it ends or is back."""

    def __init__(self, ip: IpLayer, interface: Interface) -> None:
        self._ip = ip
        self._interface = interface
        self._timer = Timer(ip.timers, self._end)
        self.is_over = False

    def begin(self, now: Instant) -> None:
        """A server is being looked for, perhaps not for the first time."""
        if not self.is_over and not self._timer.is_armed:
            self._timer.arm(Instant(now + self._ip.config.dhcp.link_local_after))

    def stop(self) -> None:
        """No server is being looked for; whether there was one for long enough stays."""
        self._timer.cancel()

    def restore(self, now: Instant) -> None:
        self.is_over = False
        self._ip.link_local.adjust(self._interface, now)

    def _end(self, now: Instant) -> None:
        self.is_over = True
        self._ip.link_local.adjust(self._interface, now)
