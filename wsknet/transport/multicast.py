"""Multicast as one datagram socket sees it: which groups it hears and how it sends to them.

Read RFC 1112 6 and 7, RFC 3678 4 and 5 (errors, source filters), RFC 3493 5.2 (options of IPv6) before editing.
What the host as a whole listens to follows from it, see `net.multicast.groups`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from wsknet.behaviour import LoopSide
from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net.multicast.filters import EVERYBODY, NOBODY, SourceFilter
from wsknet.net.multicast.groups import EVERYBODYS_GROUPS
from wsknet.net.wording import address_text
from wsknet.types import Address, Cover, IfIndex, Instant, family_of, is_multicast, is_unspecified

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.net.packet import Packet
    from wsknet.transport.datagram import DatagramEndpoint

MAX_MEMBERSHIPS = 256
"""Groups per socket.  Linux allows 20 (igmp_max_memberships), FreeBSD 4095."""
MAX_SOURCES = 128
"""Sources per group and socket.  Linux allows 10 (igmp_max_msf), FreeBSD 128 (in_mcast_maxsocksrc)."""

_Key = tuple["Interface", Address]
E = TypeVar("E", bound="DatagramEndpoint")


class Joined(Generic[E]):
    """Which sockets of one kind have joined what: for those that are bound to an address of their own."""

    def __init__(self, ip: IpLayer) -> None:
        self.ip = ip
        behaviour = ip.config.behaviour
        self.is_for_all = behaviour.multicast_to_all
        self.loops_at_receiver = behaviour.multicast_loop_at is LoopSide.RECEIVER
        self._hears_when_bound = behaviour.unicast_name_hears_groups
        self._members: dict[_Key, dict[E, None]] = {}

    def require_interface(self, if_index: IfIndex) -> IfIndex:
        """Raises `NetError` NOT_LOCAL if there is no such interface."""
        if if_index not in self.ip.interfaces:
            raise NetError(ErrorKind.NOT_LOCAL, f"no interface {if_index}")
        return if_index

    def interface_with(self, address: Address) -> IfIndex:
        """The interface named by one of its addresses.  Raises `NetError` NOT_LOCAL."""
        owner = self.ip.tables.owner(address)
        if owner is None:
            raise NetError(ErrorKind.NOT_LOCAL, f"no interface has {address_text(address)}")
        return owner.index

    def add(self, key: _Key, endpoint: E) -> None:
        self._members.setdefault(key, {})[endpoint] = None

    def discard(self, key: _Key, endpoint: E) -> None:
        members = self._members[key]
        del members[endpoint]
        if not members:
            del self._members[key]

    def members(self, packet: Packet, port: int, source_port: int) -> list[E]:
        """Sockets on `port` whose name is an address of ours and that joined the group of `packet` where it came in."""
        if not self._hears_when_bound:
            return []
        joined = self._members.get((packet.interface, packet.destination), {})
        return [endpoint for endpoint in joined if _is_for(endpoint, packet, port, source_port)]


def _is_for(endpoint: DatagramEndpoint, packet: Packet, port: int, source_port: int) -> bool:
    local, remote = endpoint.local, endpoint.remote
    if local is None or local.address is None or local.port != port:
        return False
    if remote is None:
        return True
    is_from = remote.address == packet.source and remote.port == source_port
    return is_from and remote.zone in (0, packet.interface.index)


class SocketGroups:
    """The memberships and multicast options of one socket."""

    __slots__ = ("_endpoint", "_filters", "_joined", "hop_limit", "if_index", "loops")

    def __init__(self, endpoint: DatagramEndpoint, joined: Joined[Any]) -> None:
        self._endpoint = endpoint
        self._joined = joined
        self._filters: dict[_Key, SourceFilter] = {}
        self.hop_limit = 1
        """Of what is sent to groups (RFC 1112 6.1); 0 keeps it on this host."""
        self.if_index: IfIndex | None = None
        """Where it leaves if the destination tells no zone; `None`: routing decides."""
        self.loops = True
        """What this host sends to a group is heard here too.  Whose word counts, the sender's or that of each receiver,
        is a matter of behaviour (`multicast_loop_at`)."""

    @property
    def is_looped(self) -> bool:
        """Whether what this socket sends may be heard on this host."""
        return self.loops or self._joined.loops_at_receiver

    def hears(self, packet: Packet) -> bool:
        """Whether a multicast packet for this socket's name is delivered to it.

        The groups of every host are heard without joining: Winsock says nothing of them, and there is nothing to join.
        """
        if not self.loops and self._joined.loops_at_receiver and self._joined.ip.is_local(packet.source):
            return False  # a packet with an address of ours was not on a wire
        wanted = self._filters.get((packet.interface, packet.destination))
        if wanted is not None:
            return wanted.admits(packet.source)
        return self._joined.is_for_all or packet.destination in EVERYBODYS_GROUPS

    def filter_of(self, group: Address, if_index: IfIndex | None) -> SourceFilter:
        """Raises `NetError` NOT_LOCAL if the group is not joined there."""
        return self._filters[self._find(group, if_index)]

    def join(self, group: Address, if_index: IfIndex | None, now: Instant, source: Address | None = None) -> None:
        """Hear what is sent to `group` on an interface, by everybody or by one more `source`.

        `None` for the interface: the one by which a packet to the group would leave (RFC 1112 6.1).  Raises
        `LocalError` INVALID_ARGUMENT (no group, a family that the socket does not cover, a source where everybody is
        heard), `NetError` IN_USE (joined already), NOT_LOCAL (no such interface, this source already), NO_BUFFERS, or
        `Behaviour.join_without_route_error`.
        """
        self._check_group(group)
        key = (self._interface(group, if_index), group)
        wanted = self._filters.get(key)
        if source is None:
            if wanted is not None:
                raise NetError(ErrorKind.IN_USE, f"{address_text(group)} is joined already")
            self._set(key, EVERYBODY, now)
            return
        _check_source(group, source)
        if wanted is None:
            wanted = NOBODY
        _require_mode(wanted, is_exclude=False)
        if source in wanted.sources:
            raise NetError(ErrorKind.NOT_LOCAL, f"{address_text(source)} is heard already")
        self._set(key, SourceFilter(False, wanted.sources | {source}), now)

    def leave(self, group: Address, if_index: IfIndex | None, now: Instant, source: Address | None = None) -> None:
        """Undo `join`; without a source whatever was joined.  `None` for the interface: the first where it was joined.

        Raises `LocalError` INVALID_ARGUMENT, `NetError` NOT_LOCAL (not joined, or not with this source).
        """
        self._check_group(group)
        key = self._find(group, if_index)
        if source is None:
            self._set(key, NOBODY, now)
            return
        wanted = self._filters[key]
        _require_mode(wanted, is_exclude=False)
        self._set(key, SourceFilter(False, _without(wanted.sources, source)), now)

    def block(self, group: Address, source: Address, if_index: IfIndex | None, now: Instant) -> None:
        """Hear `source` no more.  Errors as those of `leave`; NOT_LOCAL also if it is blocked already."""
        self._check_group(group)
        _check_source(group, source)
        key = self._find(group, if_index)
        wanted = self._filters[key]
        _require_mode(wanted, is_exclude=True)
        if source in wanted.sources:
            raise NetError(ErrorKind.NOT_LOCAL, f"{address_text(source)} is blocked already")
        self._set(key, SourceFilter(True, wanted.sources | {source}), now)

    def unblock(self, group: Address, source: Address, if_index: IfIndex | None, now: Instant) -> None:
        self._check_group(group)
        key = self._find(group, if_index)
        wanted = self._filters[key]
        _require_mode(wanted, is_exclude=True)
        self._set(key, SourceFilter(True, _without(wanted.sources, source)), now)

    def set_filter(self, group: Address, if_index: IfIndex | None, wanted: SourceFilter, now: Instant) -> None:
        """Join, change or (nobody is wanted) leave at a stroke (RFC 3376 2).  Errors as those of `join`."""
        self._check_group(group)
        for source in wanted.sources:
            _check_source(group, source)
        if wanted == NOBODY:
            self._set(self._find(group, if_index), wanted, now)
        else:
            self._set((self._interface(group, if_index), group), wanted, now)

    def close(self, now: Instant) -> None:
        for key in list(self._filters):
            self._set(key, NOBODY, now)

    def _set(self, key: _Key, wanted: SourceFilter, now: Instant) -> None:
        interface, group = key
        ip = self._joined.ip
        if key not in self._filters and len(self._filters) >= MAX_MEMBERSHIPS:
            raise NetError(ErrorKind.NO_BUFFERS, f"{MAX_MEMBERSHIPS} groups are joined already")
        if len(wanted.sources) > MAX_SOURCES:
            raise NetError(ErrorKind.NO_BUFFERS, f"more than {MAX_SOURCES} sources")
        if ip.interfaces.get(interface.index) is interface:  # else its memberships went with it
            ip.groups.listen(interface, group, self, wanted, now)
        if wanted == NOBODY:
            del self._filters[key]
            self._joined.discard(key, self._endpoint)
        else:
            self._filters[key] = wanted
            self._joined.add(key, self._endpoint)

    def _check_group(self, group: Address) -> None:
        if not is_multicast(group):
            raise LocalError(ErrorKind.INVALID_ARGUMENT, f"{address_text(group)} is no multicast group")
        cover: Cover = self._endpoint.cover
        if not cover.includes(family_of(group)):
            raise LocalError(ErrorKind.INVALID_ARGUMENT, "the socket does not cover the family of the group")

    def _find(self, group: Address, if_index: IfIndex | None) -> _Key:
        found = [key for key in self._filters if key[1] == group and if_index in (None, key[0].index)]
        if not found:
            raise NetError(ErrorKind.NOT_LOCAL, f"{address_text(group)} is not joined there")
        # One that was removed may have left its number to another.
        interfaces = self._joined.ip.interfaces
        return next((key for key in found if interfaces.get(key[0].index) is key[0]), found[0])

    def _interface(self, group: Address, if_index: IfIndex | None) -> Interface:
        ip = self._joined.ip
        if if_index is not None:
            return ip.interfaces[self._joined.require_interface(if_index)]
        try:
            return ip.path(group).interface
        except NetError as error:
            kind = ip.config.behaviour.join_without_route_error
            raise NetError(kind, f"no interface leads to {address_text(group)}") from error


def _check_source(group: Address, source: Address) -> None:
    if len(source) != len(group) or is_multicast(source) or is_unspecified(source):
        raise LocalError(ErrorKind.INVALID_ARGUMENT, f"{address_text(source)} cannot be a source")


def _require_mode(wanted: SourceFilter, is_exclude: bool) -> None:
    """RFC 3678 4.1.3: sources cannot be named as wanted and as unwanted at a time."""
    if wanted.is_exclude is not is_exclude:
        heard = "everybody but some" if wanted.is_exclude else "named sources only"
        raise LocalError(ErrorKind.INVALID_ARGUMENT, f"the group was joined for {heard}")


def _without(sources: frozenset[Address], source: Address) -> frozenset[Address]:
    if source not in sources:
        raise NetError(ErrorKind.NOT_LOCAL, f"{address_text(source)} is not in the list")
    return sources - {source}
