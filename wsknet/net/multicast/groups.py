"""Membership in multicast groups on all interfaces: RFC 1112 7, RFC 3376, RFC 3810.

What is sent when is in `interface_groups`; here are the ways in, and what the data path asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, NetError
from wsknet.net.messages.groups import GroupQuery, OldGroupReport
from wsknet.net.multicast.filters import EVERYBODY, NOBODY, SourceFilter
from wsknet.net.multicast.interface_groups import OWN, InterfaceGroups
from wsknet.net.multicast.reports import Igmp, Mld
from wsknet.net.well_known import ALL_HOSTS, ALL_NODES, solicited_node
from wsknet.trace import DropReason
from wsknet.types import Address, Family, IfIndex, Instant, family_of, is_link_local, is_unspecified
from wsknet.wire.ipv6_extensions import has_router_alert

if TYPE_CHECKING:
    from wsknet.net.handler import Undelivered
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.net.messages.groups import GroupMessage
    from wsknet.net.packet import Packet

__all__ = ["EVERYBODYS_GROUPS", "MAX_GROUPS", "Groups", "SourceFilter"]

MAX_GROUPS = 1024
"""Per interface.  Each is a record in every answer to a general query: over IPv4 these fill 6 packets of 1500 bytes.
Linux allows 20 per socket (igmp_max_memberships)."""

_HOP_LIMIT = 1
EVERYBODYS_GROUPS = (ALL_HOSTS, ALL_NODES)
"""Every host is a member on every link (RFC 1112 4, RFC 4291 2.8): nobody has to join, and a filter has no effect."""


class Groups:
    """The handler of IGMP, and of MLD by way of ICMPv6."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._trace = ip.trace
        self._igmp, self._mld = Igmp(ip), Mld(ip)
        self._by_interface: dict[tuple[IfIndex, Family], InterfaceGroups] = {}
        self._filters: dict[tuple[IfIndex, Address], SourceFilter] = {}
        """Of the groups that somebody joined and that not every host belongs to."""

    def listen(
        self, interface: Interface, group: Address, member: object, wanted: SourceFilter | None, now: Instant
    ) -> None:
        """What `member` (a socket, by identity) wants to hear of `group` on `interface`; `None`: nothing any more.

        Raises `NetError` NO_BUFFERS for one group more than MAX_GROUPS.
        """
        if wanted == NOBODY:
            wanted = None
        if wanted is not None and group not in interface.groups and len(interface.groups) >= MAX_GROUPS:
            raise NetError(ErrorKind.NO_BUFFERS, f"{interface.name} is in {MAX_GROUPS} groups already")
        groups = self._groups(interface, family_of(group))
        groups.set_member(group, member, wanted, now)
        self._update_filter(interface, groups, group)

    def admits(self, interface: Interface, group: Address, source: Address) -> bool:
        """Whether any member on `interface` wants what `source` sends to `group`; asked for every multicast datagram.

        True for groups that nobody joined: those that every host belongs to.  Queries are about `group` in packets to
        `group`, and routers are in nobody's filter: not to be asked for IGMP and ICMPv6.
        """
        wanted = self._filters.get((interface.index, group))
        return wanted is None or wanted.admits(source)

    def received(self, packet: Packet, message: GroupMessage, now: Instant) -> None:
        """A query or report."""
        groups = self._groups(packet.interface, packet.family)
        is_ours = False
        if isinstance(message, GroupQuery) and _is_from_router(packet):
            is_ours = groups.query(message, now)
        elif isinstance(message, OldGroupReport) and _is_from_link(packet):
            is_ours = groups.heard_report(message.group)
        if not is_ours:
            self._trace.drop(DropReason.GROUP_IGNORED, packet.raw)

    def input(self, packet: Packet, now: Instant) -> None:
        """IGMP."""
        if packet.family is not Family.IPV4:
            self._ip.refuse(packet, now)
            return
        message = self._ip.codec.decode_igmp(packet.payload)
        if isinstance(message, DropReason):
            self._trace.drop(message, packet.raw)
        else:
            self.received(packet, message, now)

    def icmp_error(self, error: Undelivered, now: Instant) -> bool:
        return False

    def adjust(self, interface: Interface, now: Instant) -> None:
        """The link or the settings of `interface` have changed: start what should run, stop what should not."""
        for family in Family:
            self._groups(interface, family).adjust(now)
        if self._ip.interfaces.get(interface.index) is not interface:
            for family in Family:
                del self._by_interface[interface.index, family]
            for key in [key for key in self._filters if key[0] == interface.index]:
                del self._filters[key]

    def follow_addresses(self, interface: Interface, now: Instant) -> None:
        """Be in the solicited-node groups of the addresses there are, those being checked included, and in no others.

        Called after every change of them: a group is joined before the first question in it (RFC 4862 5.4.2).
        """
        groups = self._groups(interface, Family.IPV6)
        needed = {
            solicited_node(address): None
            for address in (*interface.addresses, *interface.unassigned)
            if len(address) == 16
        }
        present = dict.fromkeys(groups.groups_of(OWN))
        for group in (*needed, *present):
            if (group in needed) is not (group in present):
                groups.set_member(group, OWN, EVERYBODY if group in needed else None, now)
                self._update_filter(interface, groups, group)

    def _update_filter(self, interface: Interface, groups: InterfaceGroups, group: Address) -> None:
        """Let the MAC filter and `admits` follow the members of `group`."""
        key = (interface.index, group)
        is_joined = groups.members(group) not in ((), (OWN,))
        if is_joined and group not in EVERYBODYS_GROUPS:
            self._filters[key] = groups.wanted(group)
        else:
            self._filters.pop(key, None)
        if is_joined is (group in interface.groups):
            return
        if is_joined:
            interface.groups[group] = None
        else:
            del interface.groups[group]
        self._ip.tables.rebuild()
        self._ip.forget_paths()

    def _groups(self, interface: Interface, family: Family) -> InterfaceGroups:
        key = (interface.index, family)
        groups = self._by_interface.get(key)
        if groups is None:
            sender = self._igmp if family is Family.IPV4 else self._mld
            groups = self._by_interface[key] = InterfaceGroups(self._ip, interface, sender)
        return groups


def _is_from_link(packet: Packet) -> bool:
    """Whether a report comes from a host of this link, which may have no address yet (RFC 2236 2, RFC 2710 3).

    The group is one that routers forward: without this anybody in the world could silence us.
    """
    if packet.hop_limit != _HOP_LIMIT:
        return False
    return packet.family is Family.IPV4 or is_link_local(packet.source) or is_unspecified(packet.source)


def _is_from_router(packet: Packet) -> bool:
    """Whether a query comes from a router of this link.

    RFC 3810 6.2 asks for all of it.  RFC 3376 4 makes senders use a TTL of 1 and the Router Alert option, but asks no
    host to check; version 1 had no option, and switches that query leave it out.
    """
    if packet.hop_limit != _HOP_LIMIT:
        return False
    return packet.family is Family.IPV4 or (is_link_local(packet.source) and has_router_alert(packet.raw))
