"""What the routers of one link have told: RFC 4861 6.3.4, RFC 4191 3.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.autoconf.learned import AdvertisedRoutes, Target
from wsknet.net.autoconf.link_local_ipv6 import Ipv6LinkLocal
from wsknet.net.autoconf.slaac import Slaac
from wsknet.net.autoconf.solicitation import Solicitor
from wsknet.net.interface import MIN_MTU
from wsknet.net.messages.neighbours import Preference
from wsknet.types import MILLISECOND, Family, Instant, is_link_local, is_multicast

if TYPE_CHECKING:
    from wsknet.net.autoconf.identifiers import Identifiers
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.net.messages.neighbours import PrefixInformation, RouteInformation, RouterAdvertisement
    from wsknet.types import Address

_ANYWHERE = bytes(16)
_MAX_REACHABLE = 3_600_000
"""Milliseconds; a router may not tell more (RFC 4861 6.2.1, AdvReachableTime)."""
_MIN_REACHABLE = 100
_MIN_RETRANSMIT = 10
"""Milliseconds, both as Linux has them (ndisc_router_discovery): less would make us flood the link with questions."""
_MAX_RETRANSMIT = 60_000
"""Milliseconds; more would leave a neighbour that is gone in use for minutes."""


class FollowedLink:
    """From the moment an interface begins to follow routers until `forget`."""

    def __init__(self, ip: IpLayer, interface: Interface, identifiers: Identifiers, now: Instant) -> None:
        config = ip.config.routers
        self._ip = ip
        self._interface = interface
        self._routers = AdvertisedRoutes(ip, interface, config.max_routers)
        self._routes = AdvertisedRoutes(ip, interface, config.max_routes)
        self._prefixes = AdvertisedRoutes(ip, interface, config.max_prefixes)
        self._slaac = Slaac(ip, interface, identifiers)
        self._reachable = 0
        """Milliseconds, as last told; a new random value is drawn only when it changes."""
        self._solicitor = Solicitor(ip, interface, now)
        Ipv6LinkLocal(ip, interface, identifiers).provide(now)

    def advertised(self, router: Address, news: RouterAdvertisement, now: Instant) -> bool:
        """Take in what `router` says.  False: there was no room for part of it."""
        if news.lifetime:
            self._solicitor.heard()
        self._take_parameters(news)
        self._take_neighbour(router, news, now)
        has_room = self._take_default(router, news, now)
        for route in news.routes:
            has_room &= self._take_route(router, route, now)
        for prefix in news.prefixes:
            has_room &= self._take_prefix(prefix, now)
            has_room &= self._slaac.advertised(router, prefix, now)
        return has_room

    def drop_router(self, router: Address, now: Instant) -> None:
        """It forwards no more."""
        self._routers.drop_via(router, now)
        self._routes.drop_via(router, now)
        self._slaac.drop_router(router)

    def forget(self, now: Instant) -> None:
        self._solicitor.stop()
        for learned in (self._routers, self._routes, self._prefixes, self._slaac):
            learned.clear(now)
        self._interface.advertised_mtu = 0
        self._interface.hop_limit = 0
        neighbours, usual = self._interface.neighbours, self._ip.config.neighbours
        neighbours.retransmit = usual.retransmit
        if self._reachable:
            neighbours.spread_reachable(usual.reachable)
        self._ip.forget_paths()

    def _take_parameters(self, news: RouterAdvertisement) -> None:
        interface = self._interface
        mtu = news.mtu if MIN_MTU[Family.IPV6] <= news.mtu <= interface.mtu else interface.advertised_mtu
        lowest = max(self._ip.config.routers.min_hop_limit, 1)  # 0: the router does not say
        hop_limit = news.hop_limit if news.hop_limit >= lowest else interface.hop_limit
        if (mtu, hop_limit) != (interface.advertised_mtu, interface.hop_limit):
            interface.advertised_mtu, interface.hop_limit = mtu, hop_limit
            self._ip.forget_paths()
        if news.reachable not in (0, self._reachable) and news.reachable <= _MAX_REACHABLE:
            self._reachable = news.reachable
            interface.neighbours.spread_reachable(max(news.reachable, _MIN_REACHABLE) * MILLISECOND)
        if 0 < news.retransmit <= _MAX_RETRANSMIT:
            interface.neighbours.retransmit = max(news.retransmit, _MIN_RETRANSMIT) * MILLISECOND

    def _take_neighbour(self, router: Address, news: RouterAdvertisement, now: Instant) -> None:
        neighbours = self._interface.neighbours
        if news.source_mac is not None:
            neighbours.learn(router, news.source_mac, now)
        entry = neighbours.get(router)
        if entry is not None:
            entry.is_router = True

    def _take_default(self, router: Address, news: RouterAdvertisement, now: Instant) -> bool:
        """An advertised route to everywhere counts for more than the header (RFC 4191 3.1)."""
        preference, lifetime = news.preference, news.lifetime
        for route in news.routes:
            if not route.prefix_length:
                preference, lifetime = route.preference, route.lifetime
        return self._routers.advertised(Target(_ANYWHERE, 0, router), self._metric(preference), lifetime, now)

    def _take_route(self, router: Address, route: RouteInformation, now: Instant) -> bool:
        if not route.prefix_length or is_link_local(route.prefix) or is_multicast(route.prefix):
            return True
        target = Target(route.prefix, route.prefix_length, router)
        return self._routes.advertised(target, self._metric(route.preference), route.lifetime, now)

    def _take_prefix(self, prefix: PrefixInformation, now: Instant) -> bool:
        if not prefix.is_on_link or is_link_local(prefix.prefix) or is_multicast(prefix.prefix):
            return True  # RFC 4861 6.3.4: without the flag nothing is said, neither yes nor no
        metric = self._ip.config.behaviour.connected_metric
        return self._prefixes.advertised(Target(prefix.prefix, prefix.prefix_length, None), metric, prefix.valid, now)

    def _metric(self, preference: Preference) -> int:
        return self._ip.config.behaviour.advertised_metrics[Preference.HIGH - preference]
