"""The IP layer of one host, as transports and `stack.py` see it.  Wiring; what happens is in the other files.

Frame in: `input` -> `ProtocolHandler.input`.  Packet out: `path` -> `send` -> `output` -> `neighbours` -> `frames`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import NetError
from wsknet.net import changes
from wsknet.net.arp import Arp
from wsknet.net.autoconf.advertising import Advertising
from wsknet.net.autoconf.dhcp import DhcpClients
from wsknet.net.autoconf.duplicates import Duplicates
from wsknet.net.autoconf.link_local_ipv4 import Ipv4LinkLocal
from wsknet.net.autoconf.routers import RouterDiscovery
from wsknet.net.binding import bindable
from wsknet.net.destination import order_destinations
from wsknet.net.forwarding import Forwarding
from wsknet.net.handler import ProtocolHandler
from wsknet.net.icmp import Icmp
from wsknet.net.input import Input
from wsknet.net.links import Links
from wsknet.net.multicast.groups import Groups
from wsknet.net.nd import NeighbourDiscovery
from wsknet.net.neighbours import NeighbourState, NeighbourTable
from wsknet.net.output import Output
from wsknet.net.path import needs_zone, resolve, summary
from wsknet.net.pmtu import PathMtus
from wsknet.net.reassembly import Reassembly
from wsknet.net.redirects import Redirects
from wsknet.net.suspects import Suspects
from wsknet.net.tables import Tables
from wsknet.net.wording import address_text
from wsknet.trace import Decision, DropReason
from wsknet.types import Address, Buffers, IfIndex, Instant, Proto

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from wsknet.config import StackConfig
    from wsknet.net.interface import Interface
    from wsknet.net.messages.codec import Codec
    from wsknet.net.packet import Packet, Path
    from wsknet.net.routes import RouteTable
    from wsknet.timers import Timers
    from wsknet.trace import Trace

__all__ = ["IpLayer", "ProtocolHandler"]

MAX_PATHS = 4096
"""Cached answers.  A wildcard socket's every destination is one, and so is every address that a flood pretends."""

_REACHABLE = NeighbourState.REACHABLE

_LINK_LOST = (changes.LinkDown, changes.InterfaceRemoved)
_OF_LINKS = (changes.InterfaceAdded, changes.InterfaceChanged, changes.LinkUp, *_LINK_LOST)
_OF_ADDRESSES = (changes.AddressAdded, changes.AddressRemoved)


class IpLayer:
    def __init__(self, config: StackConfig, codec: Codec, timers: Timers, trace: Trace, rng: Random) -> None:
        self.config = config
        self.codec = codec
        self.trace = trace
        self.rng = rng
        self.timers = timers
        self.protocols: dict[int, ProtocolHandler] = {}
        """By protocol number.  ICMP is there; the stack adds its transports."""
        self.watchers: list[Callable[[changes.News, Instant], None]] = []
        """Told of every change after it was made, those that the layer makes by itself included.  The driver lock is
        held: they may take a note and wake somebody, no more."""
        self.annotate = False
        """Explain each new path in the comment of its first frame."""
        self._paths: dict[tuple[Address, Address | None, int, int], Path] = {}
        self.tables = Tables(config.behaviour, self._new_neighbours)
        self.tables.autoconfiguration = config.autoconfiguration
        self.tables.policy_table = config.policy_table
        self.interfaces = self.tables.interfaces
        self.output = Output(self)
        self.duplicates = Duplicates(self)
        self.arp = Arp(self)
        self.discovery = NeighbourDiscovery(self)
        self.suspects = Suspects(self)
        self.routers = RouterDiscovery(self)
        self.advertising = Advertising(self)
        self.redirects = Redirects(self)
        self.groups = Groups(self)
        self.dhcp = DhcpClients(self)
        self.link_local = Ipv4LinkLocal(self)
        self.path_mtus = PathMtus(self)
        self.icmp = Icmp(self)
        self.forwarding = Forwarding(self)
        self.reassembly = Reassembly(self)
        self.input = Input(self)
        self._followers = (
            self.reassembly,
            self.duplicates,
            self.groups,
            self.redirects,
            self.suspects,
            self.routers,
            self.advertising,
            self.dhcp,
            self.link_local,
        )
        self.protocols[Proto.ICMP] = self.icmp
        self.protocols[Proto.IGMP] = self.groups
        self.protocols[Proto.ICMPV6] = self.icmp
        # For every packet, so the bound methods themselves and no call in between; described where they stand.
        self.receive = self.input.receive
        self.send = self.output.send

    @property
    def frames(self) -> list[tuple[IfIndex, Buffers, str | None]]:
        """What has to leave, in order: interface, buffers, comment for captures.  The caller puts an empty list."""
        return self.output.frames

    @frames.setter
    def frames(self, frames: list[tuple[IfIndex, Buffers, str | None]]) -> None:
        self.output.frames = frames

    @property
    def generation(self) -> int:
        """Raised by every change of the tables; a path of an older generation may be wrong."""
        return self.tables.generation

    @property
    def routes(self) -> RouteTable:
        return self.tables.routes

    def apply(self, change: changes.Change, now: Instant) -> None:
        """`ValueError`, with one line for people, if the change is impossible; nothing has changed then.

        What it makes necessary begins: duplicate detection, soliciting routers, DHCP, membership reports.
        """
        if isinstance(change, changes.AddressAdded) and self.duplicates.must_check(change):
            self.duplicates.claim(change, None, now)
        else:
            if isinstance(change, changes.AddressAdded):
                self.duplicates.overrule(change)
            self.change(change, now)
        self.input.deliver_looped(now)

    def change(self, change: changes.Change, now: Instant) -> None:
        """`apply` for the layer's own parts, which have checked what must be checked."""
        if isinstance(change, changes.AutoconfigurationChanged):
            self.tables.apply(change)
            self.forget_paths()
            for each in list(self.interfaces.values()):
                self._adjust(each, now)
            self.tell(change, now)
            return
        interface = self.interfaces.get(change.if_index)
        self.tables.apply(change)
        self.forget_paths()
        if isinstance(change, _LINK_LOST) and interface is not None:
            interface.neighbours.flush(now)
        if isinstance(change, _OF_LINKS):
            self._adjust(interface or self.interfaces[change.if_index], now)
        elif isinstance(change, changes.AddressRemoved):
            self.duplicates.forget(change.if_index, change.address)
        if interface is not None and isinstance(change, _OF_ADDRESSES):
            self.groups.follow_addresses(interface, now)
            self.dhcp.address_changed(change.if_index, change.address, now)
            self.link_local.adjust(interface, now)
        if isinstance(change, changes.InterfaceRemoved) and interface is not None:
            for address in (*interface.addresses, *interface.unassigned):
                self.tell(changes.AddressRemoved(change.if_index, address), now)
        self.tell(change, now)

    def tell(self, news: changes.News, now: Instant) -> None:
        for watcher in self.watchers:
            watcher(news, now)

    def _adjust(self, interface: Interface, now: Instant) -> None:
        if not interface.is_loopback:
            for follower in self._followers:
                follower.adjust(interface, now)

    def forget_paths(self) -> None:
        """Cached answers are wrong from here on, and so is every `Path` that somebody holds."""
        self.tables.generation += 1
        self._paths.clear()

    def path(
        self,
        destination: Address,
        source: Address | None = None,
        zone: int = 0,
        why: Decision | None = None,
        interface: int = 0,
    ) -> Path:
        """How a packet would get to `destination`; see `path.resolve` for the arguments and errors.

        Asked with `why` it is decided anew and explained there; else the answer may be an earlier one.
        """
        if why is not None:
            return resolve(self.tables, destination, source, zone, why, interface)
        key = (destination, source, zone, interface)
        known = self._paths.get(key)
        if known is not None:
            return known
        if self.annotate:
            why = Decision(f"path to {address_text(destination, zone if needs_zone(destination) else 0)}")
        path = resolve(self.tables, destination, source, zone, why, interface)
        if why is not None:
            path.comment = summary(why)
        if len(self._paths) >= MAX_PATHS:
            del self._paths[next(iter(self._paths))]
        self._paths[key] = path
        return path

    def order_destinations(
        self, destinations: Sequence[Address], zone: int = 0, why: Decision | None = None
    ) -> list[Address]:
        """The addresses of a peer in the order in which to try them; see `destination.order_destinations`."""
        return order_destinations(self.tables, destinations, zone, why)

    def confirm(self, path: Path, now: Instant) -> None:
        """The peer has acknowledged something new, so the next hop of `path` is alive (RFC 4861 7.3.1)."""
        neighbour = path.neighbour
        if neighbour is not None:
            table = path.interface.neighbours
            if neighbour.state is _REACHABLE:
                neighbour.fresh_until = Instant(now + table.reachable)
            else:
                table.confirm(neighbour, now)

    def doubt(self, path: Path, now: Instant) -> None:
        """The peer has not answered for a while: the next hop of `path` may be dead (RFC 1122 3.3.1.4)."""
        if path.neighbour is not None:
            path.interface.neighbours.doubt(path.neighbour, now)

    def deliver_looped(self, now: Instant) -> bool:
        """Hand up what was sent to our own addresses, until nothing is left.  False: there was nothing.

        `receive` and `apply` end with it; whoever calls endpoints or fires timers calls it afterwards.
        """
        return self.input.deliver_looped(now)

    def bindable(
        self, address: Address, zone: int = 0, why: Decision | None = None, is_stream: bool = False
    ) -> int:  # fmt: skip
        """The zone with which `address` may be bound; see `binding.bindable`."""
        return bindable(self.tables, address, zone, why, is_stream)

    def is_local(self, address: Address, if_index: IfIndex | None = None) -> bool:
        """Whether a packet to `address` ends here: on any interface, or on one; interfaces that are down have none."""
        return self.tables.find_local(address, if_index or 0) is not None

    def reply(
        self,
        destination: Address,
        source: Address,
        zone: int,
        protocol: int,
        payload: bytes,
        now: Instant,
        hop_limit: int | None = None,
        traffic_class: int = 0,
    ) -> None:
        """Send a message of the layer itself; without a route it is dropped and counted."""
        try:
            path = self.path(destination, source, zone)
            self.send(path, protocol, b"", (payload,), now, hop_limit, traffic_class)
        except NetError:
            self.trace.drop(DropReason.NO_ROUTE, payload)

    def refuse(self, packet: Packet, now: Instant) -> None:
        """Nobody takes the protocol of `packet`."""
        self.input.refuse(packet, now)

    def _new_neighbours(self, interface: Interface) -> NeighbourTable:
        return NeighbourTable(interface, self.config.neighbours, self.timers, self.rng, Links(self))
