"""What TCP and UDP endpoints have in common: an owner to be told, and what it has not been told yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net.path import needs_zone, this_host
from wsknet.net.well_known import is_of_one_link
from wsknet.net.wording import address_text
from wsknet.types import Address, Endpoint, Instant, LocalName, family_of, is_unspecified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsknet.net.layer import IpLayer

QUEUE_OVERHEAD = 256
"""Bytes charged for each queued datagram beside its own, so that empty ones cannot fill the memory."""


class Ready:
    """Bits of readiness.  Plain integers: they are set for every segment, and an `IntFlag` costs a microsecond."""

    READABLE = 0x01
    """Data or a datagram waits, or a datagram socket has an error to report."""
    SENT = 0x02
    """Lent bytes have been acknowledged; `acknowledged` has moved."""
    CONNECTED = 0x04
    ACCEPTABLE = 0x08
    """A listener has a connection to accept."""
    PEER_FINISHED = 0x10
    """The peer's FIN has arrived and all data before it: after `readable` bytes comes the end."""
    FINISHED = 0x20
    """Our FIN has been acknowledged."""
    FAILED = 0x40
    """The connection is no more; `error` says why."""
    URGENT = 0x200
    """The peer calls what it sends urgent; `urgent_to` says up to where."""
    REQUESTED = 0x80
    """A conditional listener has a connection request to judge."""
    REQUEST_ABORTED = 0x100
    """A request that was shown to the owner of a conditional listener has come to nothing."""


ROUTING_DECIDES: Mapping[int, int] = {4: 0, 16: 0}
"""By address length: the interface a socket sends through (IP_UNICAST_IF, IPV6_UNICAST_IF), 0 if it names none."""


class PacketInfo(NamedTuple):
    """What one datagram alone asks for (RFC 3542 6; IN_PKTINFO and IN6_PKTINFO of Winsock)."""

    address: Address | None = None
    """Its source; `None`: as for every other datagram."""
    if_index: int = 0
    """The interface that it leaves through, groups included; 0: as for every other."""
    traffic_class: int | None = None
    """TOS of IPv4, ECN bits included; `None`: as for every other."""
    message_size: int | None = None
    """Of UDP: it is cut into datagrams of so many bytes (UDP_SEND_MSG_SIZE), 0: it is one; `None`: as the others."""


class Owner(Protocol):
    """The face's object behind an endpoint."""

    def on_ready(self, readiness: int, now: Instant) -> None:
        """Called by the pump, with the driver lock held.  May call the endpoint; must not run user code."""


class TransportEndpoint:
    """`owner` is set by the face that opened the endpoint and cleared when it is closed."""

    __slots__ = ("error", "owner", "readiness")

    def __init__(self, owner: Owner | None = None) -> None:
        self.owner = owner
        self.readiness = 0
        """Bits not yet handed out by `Stack.next_event`."""
        self.error: ErrorKind | None = None


def zone_towards(local: LocalName, remote: Endpoint) -> int:
    """The zone with which to ask for the path from `local` to `remote`; 0 if neither tells a link.

    Raises `LocalError` INVALID_ARGUMENT if `local` does not cover the family of `remote`, `NetError` NO_ROUTE if the
    two are on different links: the same link-local address may be ours, and somebody else's, on both.
    """
    if not local.cover.includes(family_of(remote.address)):
        raise LocalError(ErrorKind.INVALID_ARGUMENT, "the local name does not cover this family")
    zone = remote.zone if needs_zone(remote.address) else 0
    if zone and local.zone and zone != local.zone:
        raise NetError(ErrorKind.NO_ROUTE, f"bound on interface {local.zone}, the destination is on {zone}")
    return zone or local.zone


def peer_zone(ip: IpLayer, local: LocalName, remote: Endpoint) -> int:
    """`zone_towards` for connect, which raises `LocalError` INVALID_ARGUMENT, too, where the zone has to be told."""
    zone = zone_towards(local, remote)
    if not zone and ip.config.behaviour.link_local_needs_zone and is_of_one_link(remote.address):
        raise LocalError(ErrorKind.INVALID_ARGUMENT, f"{address_text(remote.address)} needs its interface")
    return zone


def meant(ip: IpLayer, local: LocalName, to: Endpoint) -> Endpoint:
    """The destination behind port 0 or an unspecified address, if it is one (BIND-39, 66).

    Raises `NetError` NOT_LOCAL, or what `Behaviour.port_zero_error` says.
    """
    behaviour = ip.config.behaviour
    if to.port == 0:
        raise NetError(behaviour.port_zero_error, "port 0 cannot be a destination")
    if not is_unspecified(to.address):
        return to
    if not behaviour.unspecified_means_this_host:
        raise NetError(ErrorKind.NOT_LOCAL, "the unspecified address is no destination")
    return Endpoint(this_host(ip.tables, to.address, local.address), to.port)


class Event(NamedTuple):
    """One turn of `Stack.next_event`: everything that became true of `endpoint` since the last."""

    endpoint: TransportEndpoint
    readiness: int
