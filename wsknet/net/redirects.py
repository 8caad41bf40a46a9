"""Redirects from routers: RFC 1122 3.2.2.2 and 3.3.1.2, RFC 4861 8.1 and 8.3.

Whoever can send one decides where packets go, so it must come from the router that is in use for the destination, and
lead to a neighbour.  What it says becomes a host route with an end.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from wsknet.errors import NetError
from wsknet.net.autoconf.learned import Target, install, withdraw
from wsknet.net.changes import RouteOrigin
from wsknet.net.interface import is_in_prefix
from wsknet.net.nd import ND_HOP_LIMIT
from wsknet.net.packet import Cast
from wsknet.net.path import resolve
from wsknet.net.routes import network_of
from wsknet.timers import Timer
from wsknet.trace import DropReason
from wsknet.types import Family, IfIndex, Instant, is_link_local, is_multicast

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.net.messages.neighbours import Redirect
    from wsknet.net.packet import Packet
    from wsknet.types import Address


class Detour:
    """One destination that is reached through another neighbour than the routes would have it."""

    __slots__ = ("interface", "target", "timer")

    def __init__(self, interface: Interface, target: Target, timer: Timer) -> None:
        self.interface = interface
        self.target = target
        self.timer = timer

    def leads_through(self, interface: Interface, address: Address) -> bool:
        return interface is self.interface and address == (self.target.next_hop or self.target.prefix)


class Redirects:
    """Of the whole host, at most `RedirectConfig.max_routes`, the oldest first."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._tables = ip.tables
        self._trace = ip.trace
        self._config = ip.config.redirects
        self._detours: dict[tuple[IfIndex, Address], Detour] = {}

    def received(self, packet: Packet, message: Redirect, now: Instant) -> None:
        if packet.family is Family.IPV6 and packet.hop_limit != ND_HOP_LIMIT:
            self._trace.drop(DropReason.ND_BAD_HOP_LIMIT, packet.raw)
        elif not self._is_accepted(packet, message):
            self._trace.drop(DropReason.REDIRECT_REFUSED, packet.raw)
        else:
            self._learn_neighbour(packet.interface, message, now)
            self._divert(packet.interface, message, now)

    def drop_via(self, interface: Interface, gateway: Address, now: Instant) -> None:
        """`gateway` does not answer, or is no router any more."""
        for key in [key for key, detour in self._detours.items() if detour.leads_through(interface, gateway)]:
            self._end(key, now)

    def adjust(self, interface: Interface, now: Instant) -> None:
        """The link or the settings of `interface` have changed: a router decides for itself, a link may be another."""
        if not interface.is_up or interface.forwarding:
            for key in [key for key, detour in self._detours.items() if detour.interface is interface]:
                self._end(key, now)

    def _is_accepted(self, packet: Packet, message: Redirect) -> bool:
        if packet.interface.forwarding:
            return False
        if packet.family is Family.IPV4:
            is_allowed = self._ip.config.behaviour.accepts_ipv4_redirects
            # Sent to whoever sent what is quoted; another address there is a forger's guess.
            is_allowed &= message.quoted[12:16] == packet.destination
            is_allowed &= _is_on_ipv4_subnet(packet.interface, message.gateway)
        else:
            is_allowed = message.gateway == message.destination or is_link_local(message.gateway)
        is_ours = self._tables.find_local(message.gateway, packet.interface.index) is not None
        return is_allowed and not is_ours and self._is_from_first_hop(packet, message)

    def _is_from_first_hop(self, packet: Packet, message: Redirect) -> bool:
        """A destination that is on the link, a group or none at all has no such hop; nor has a group a path of ours."""
        destination = message.destination
        for route in self._tables.routes.matching(destination):
            if route.prefix_length == len(destination) * 8 and route.origin is not RouteOrigin.REDIRECT:
                return False  # RFC 1122 3.3.1.2: who gave a route for this very host meant it
        try:
            path = resolve(self._tables, destination, packet.destination, packet.interface.index)
        except NetError:
            return False
        is_by_router = path.next_hop == packet.source != destination
        return is_by_router and path.interface is packet.interface and message.gateway != packet.source

    def _learn_neighbour(self, interface: Interface, message: Redirect, now: Instant) -> None:
        neighbours = interface.neighbours
        if message.gateway_mac is not None:
            neighbours.learn(message.gateway, message.gateway_mac, now)
        entry = neighbours.get(message.gateway)
        if entry is not None and message.gateway != message.destination and len(message.gateway) == 16:
            entry.is_router = True

    def _divert(self, interface: Interface, message: Redirect, now: Instant) -> None:
        destination = message.destination
        key = (interface.index, destination)
        if key in self._detours:
            self._end(key, now)
        elif len(self._detours) >= self._config.max_routes:
            self._end(next(iter(self._detours)), now)
        next_hop = None if message.gateway == destination else message.gateway
        target = Target(destination, len(destination) * 8, next_hop)
        detour = self._detours[key] = Detour(interface, target, Timer(self._ip.timers, partial(self._end, key)))
        detour.timer.arm(Instant(now + self._config.lifetime))
        install(self._ip, interface, target, RouteOrigin.REDIRECT, now)

    def _end(self, key: tuple[IfIndex, Address], now: Instant) -> None:
        detour = self._detours.pop(key)
        detour.timer.cancel()
        withdraw(self._ip, detour.interface, detour.target, RouteOrigin.REDIRECT, now)


def _is_on_ipv4_subnet(interface: Interface, gateway: Address) -> bool:
    """Whether `gateway` is the address of a neighbour: not that of a subnet itself, nor its broadcast address."""
    if is_link_local(gateway) or is_multicast(gateway) or interface.accepts.get(gateway) is Cast.BROADCAST:
        return False
    for entry in interface.addresses_of(Family.IPV4):
        length = entry.prefix_length
        if is_in_prefix(gateway, entry.address, length):
            return length >= 31 or gateway != network_of(gateway, length)
    return False
