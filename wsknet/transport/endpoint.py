"""What TCP and UDP endpoints have in common: an owner to be told, and what it has not been told yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net.path import needs_zone
from wsknet.types import Endpoint, Instant, LocalName, family_of

if TYPE_CHECKING:
    from collections.abc import Mapping

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


ROUTING_DECIDES: Mapping[int, int] = {4: 0, 16: 0}
"""By address length: the interface a socket sends through (IP_UNICAST_IF, IPV6_UNICAST_IF), 0 if it names none."""


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


class Event(NamedTuple):
    """One turn of `Stack.next_event`: everything that became true of `endpoint` since the last."""

    endpoint: TransportEndpoint
    readiness: int
