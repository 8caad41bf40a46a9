"""Routes that came from outside: each has an end, and none touches what somebody gave by hand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from wsknet.net.autoconf.lifetimes import arm, end_of
from wsknet.net.changes import RouteAdded, RouteOrigin, RouteRemoved
from wsknet.timers import Timer

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.types import Address, Instant


class Target(NamedTuple):
    """Where a route of one interface leads."""

    prefix: Address
    prefix_length: int
    next_hop: Address | None
    """`None`: the link itself."""


def install(
    ip: IpLayer, interface: Interface, target: Target, origin: RouteOrigin, now: Instant, metric: int = 0
) -> None:
    """Put a route into the table unless it is there, or one by hand or with an address stands in its place."""
    prefix, length, next_hop = target
    present = ip.routes.get(prefix, length, interface.index, next_hop)
    if present is not None:
        is_other = present.is_automatic or present.origin is not origin
        if is_other or present.metric == metric:
            return
    ip.change(RouteAdded(prefix, length, interface.index, next_hop, metric, origin=origin), now)


def withdraw(ip: IpLayer, interface: Interface, target: Target, origin: RouteOrigin, now: Instant) -> None:
    """Take a route out if it is still the one that was installed."""
    prefix, length, next_hop = target
    present = ip.routes.get(prefix, length, interface.index, next_hop)
    if present is not None and present.origin is origin and not present.is_automatic:
        ip.change(RouteRemoved(prefix, length, interface.index, next_hop), now)


class AdvertisedRoutes:
    """One kind of route that the routers of one interface advertise, at most `limit`.

    Who is here stays until his lifetime is over.  To let the newest in instead would let a forger push out the router
    in use, with any number of others that do not exist.
    """

    def __init__(self, ip: IpLayer, interface: Interface, limit: int) -> None:
        self._ip = ip
        self._interface = interface
        self._limit = limit
        self._timers: dict[Target, Timer] = {}

    def advertised(self, target: Target, metric: int, seconds: int, now: Instant) -> bool:
        """Keep a route for so long; 0 ends it.  False: there is no room."""
        if not seconds:
            self.drop(target, now)
            return True
        timer = self._timers.get(target)
        if timer is None:
            if len(self._timers) >= self._limit:
                return False
            timer = self._timers[target] = Timer(self._ip.timers, partial(self.drop, target))
        arm(timer, end_of(seconds, now))
        install(self._ip, self._interface, target, RouteOrigin.ROUTER, now, metric)
        return True

    def drop(self, target: Target, now: Instant) -> None:
        timer = self._timers.pop(target, None)
        if timer is None:
            return
        timer.cancel()
        withdraw(self._ip, self._interface, target, RouteOrigin.ROUTER, now)
        if target.next_hop is not None and not target.prefix_length:
            self._ip.redirects.drop_via(self._interface, target.next_hop, now)  # RFC 4861 6.3.5

    def drop_via(self, next_hop: Address, now: Instant) -> None:
        for target in [target for target in self._timers if target.next_hop == next_hop]:
            self.drop(target, now)

    def clear(self, now: Instant) -> None:
        for target in list(self._timers):
            self.drop(target, now)
