"""Router discovery of a host: RFC 4861 6.3 and 7.2.5, RFC 4862 5.5, RFC 4191."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.autoconf.followed import FollowedLink
from wsknet.net.autoconf.identifiers import Identifiers
from wsknet.net.nd import ND_HOP_LIMIT
from wsknet.trace import DropReason
from wsknet.types import IfIndex, is_link_local

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.net.messages.neighbours import RouterAdvertisement
    from wsknet.net.packet import Packet
    from wsknet.types import Address, Instant


class RouterDiscovery:
    """Which interfaces follow routers."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._trace = ip.trace
        self._identifiers = Identifiers(ip.rng, ip.config.slaac.secret)
        self._links: dict[IfIndex, FollowedLink] = {}

    def received(self, packet: Packet, message: RouterAdvertisement, now: Instant) -> None:
        """`message` has passed the codec; hop limit and source are checked here."""
        link = self._links.get(packet.interface.index)
        if packet.hop_limit != ND_HOP_LIMIT:
            self._trace.drop(DropReason.ND_BAD_HOP_LIMIT, packet.raw)
        elif not is_link_local(packet.source):
            self._trace.drop(DropReason.ND_MALFORMED, packet.raw)
        elif link is None:
            self._trace.drop(DropReason.ROUTERS_NOT_ASKED, packet.raw)
        elif not link.advertised(packet.source, message, now):
            self._trace.drop(DropReason.ROUTER_NEWS_FULL, packet.raw)

    def no_longer_router(self, interface: Interface, address: Address, now: Instant) -> None:
        """A neighbour advertises itself as a host (RFC 4861 7.2.5)."""
        link = self._links.get(interface.index)
        if link is not None:
            link.drop_router(address, now)
            self._ip.redirects.drop_via(interface, address, now)

    def adjust(self, interface: Interface, now: Instant) -> None:
        """The link or the settings of `interface` have changed: start what should run, stop what should not."""
        index = interface.index
        if _is_to_follow(interface):
            if index not in self._links:
                self._links[index] = FollowedLink(self._ip, interface, self._identifiers, now)
        elif index in self._links:
            self._links.pop(index).forget(now)


def _is_to_follow(interface: Interface) -> bool:
    wishes = interface.auto.router_discovery and not interface.forwarding
    return wishes and interface.is_up and interface.carries_ipv6
