"""Membership in multicast groups: RFC 3376 and RFC 3810 3 and 4."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wsknet.net.handler import Undelivered
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.net.messages import GroupMessage
    from wsknet.net.packet import Packet
    from wsknet.types import Address, Instant


class SourceFilter(NamedTuple):
    """Whose packets are wanted (RFC 3376 2): those of `sources` only, or everybody's but theirs."""

    is_exclude: bool = True
    sources: frozenset[Address] = frozenset()

    def admits(self, source: Address) -> bool:
        return (source in self.sources) is not self.is_exclude


class Groups:
    """The handler of IGMP, and of MLD by way of ICMPv6."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip

    def listen(
        self, interface: Interface, group: Address, member: object, wanted: SourceFilter | None, now: Instant
    ) -> None:
        """What `member` (a socket, by identity) wants to hear of `group` on `interface`; `None`: nothing any more."""

    def admits(self, interface: Interface, group: Address, source: Address) -> bool:
        """Whether any member on `interface` wants what `source` sends to `group`; asked for every multicast packet.

        True for groups that nobody joined: those that every host belongs to.
        """
        return True

    def received(self, packet: Packet, message: GroupMessage, now: Instant) -> None:
        """A query or report."""

    def input(self, packet: Packet, now: Instant) -> None:
        """IGMP."""

    def icmp_error(self, error: Undelivered, now: Instant) -> bool:
        return False

    def adjust(self, interface: Interface, now: Instant) -> None:
        """The link or the settings of `interface` have changed: start what should run, stop what should not."""
