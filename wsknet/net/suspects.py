"""Next hops that do not answer, of either family: RFC 4861 6.3.6, RFC 4191 3.2 and 3.5, RFC 1122 3.3.1.4.

Whoever is suspected is avoided where there is another way, and tried again as long as a route leads through it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from wsknet.timers import Timer
from wsknet.types import Instant

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.types import Address, IfIndex


class Suspects:
    """Keeps `Tables.suspects`: gateways of the route table, so it is as bounded as that."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._suspects = ip.tables.suspects
        self._timers: dict[tuple[IfIndex, Address], Timer] = {}

    def failed(self, interface: Interface, address: Address, now: Instant) -> None:
        if len(address) == 4 and not self._ip.config.behaviour.detects_dead_gateways:
            return
        if not self._is_gateway(interface.index, address):
            return
        suspect = (interface.index, address)
        if suspect not in self._timers:
            self._timers[suspect] = Timer(self._ip.timers, partial(self._try_again, suspect))
            self._suspects[suspect] = None
            self._ip.forget_paths()
        self._timers[suspect].arm(Instant(now + self._ip.config.routers.suspect_interval))

    def answered(self, if_index: IfIndex, address: Address) -> None:
        timer = self._timers.pop((if_index, address), None)
        if timer is not None:
            timer.cancel()
            del self._suspects[if_index, address]
            self._ip.forget_paths()

    def adjust(self, interface: Interface, now: Instant) -> None:
        """The link or the settings of `interface` have changed: nothing is known of the neighbours on the next link."""
        if not interface.is_up:
            for if_index, address in list(self._timers):
                if if_index == interface.index:
                    self.answered(if_index, address)

    def _try_again(self, suspect: tuple[IfIndex, Address], now: Instant) -> None:
        if not self._is_gateway(*suspect):
            self.answered(*suspect)
            return
        self._timers[suspect].arm(Instant(now + self._ip.config.routers.suspect_interval))
        self._ip.interfaces[suspect[0]].neighbours.use(suspect[1], None, now)

    def _is_gateway(self, if_index: IfIndex, address: Address) -> bool:
        return any(route.next_hop == address and route.if_index == if_index for route in self._ip.routes)
