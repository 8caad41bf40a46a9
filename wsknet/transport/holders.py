"""Who holds which port, found without looking at those who cannot be in the way.

A proxy binds one port on tens of thousands of addresses, and a bind beside them concerns the wildcards and one address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from enum import Enum
from heapq import merge
from operator import itemgetter
from typing import TypeVar

from wsknet.transport.port_choice import PortChoice
from wsknet.transport.sharing import Holder
from wsknet.types import Address, Cover, Family, LocalName, family_of

KeyT = TypeVar("KeyT")


class Claim(Enum):
    """What a reservation keeps others from."""

    NAME = "name"
    """A bind to a name that overlaps, as the sharing table says."""
    CONNECTION = "connection"
    """The same, unless both allow reuse, whatever the table says: a connection without its listener, or TIME-WAIT."""
    NUMBER = "number"
    """Only the port as a dynamic one: a connection where it keeps nobody from binding."""


class Reservation:
    """Proof that `name` may be used.  `users` counts those who share it, such as connections from one port."""

    __slots__ = ("choice", "claim", "holder", "is_listening", "users")

    def __init__(
        self, holder: Holder, claim: Claim = Claim.NAME, choice: PortChoice = PortChoice.ORDINARY
    ) -> None:  # fmt: skip
        self.holder = holder
        self.users = 1
        self.claim = claim
        self.is_listening = False
        self.choice = choice
        """How the port was chosen, if SCALABLE or AT_CONNECT: others who ask for the same may get it, too."""

    @property
    def name(self) -> LocalName:
        return self.holder.name


_Bucket = dict[Reservation, int]
"""Reservations and their places in the order of all, which a bucket keeps."""


class Holders:
    """The reservations of one protocol, indexed by port and name.  All iteration is in the order of reservation."""

    def __init__(self) -> None:
        self._all: _Bucket = {}
        self._wildcards: dict[tuple[int, Cover], _Bucket] = {}
        self._specific: dict[tuple[int, Cover], _Bucket] = {}
        self._exact: dict[tuple[int, Address, int], _Bucket] = {}
        self._count: dict[int, int] = {}
        self._not_scalable: dict[int, int] = {}
        """Of `_count`, those that keep the port from being chosen again for other addresses."""
        self._not_at_connect: dict[int, int] = {}
        """Of `_count`, those that keep the port from being chosen again for other peers."""
        self._serial = 0

    def add(self, reservation: Reservation) -> None:
        self._serial += 1
        cover, address, port, zone = reservation.name
        if reservation.claim is Claim.NAME:
            self._all[reservation] = self._serial
        if reservation.claim is Claim.NUMBER:
            pass
        elif address is None:
            self._wildcards.setdefault((port, cover), {})[reservation] = self._serial
        else:
            self._specific.setdefault((port, cover), {})[reservation] = self._serial
            self._exact.setdefault((port, address, zone), {})[reservation] = self._serial
        self._count[port] = self._count.get(port, 0) + 1
        if reservation.choice is not PortChoice.SCALABLE:
            self._not_scalable[port] = self._not_scalable.get(port, 0) + 1
        if reservation.choice is not PortChoice.AT_CONNECT:
            self._not_at_connect[port] = self._not_at_connect.get(port, 0) + 1

    def remove(self, reservation: Reservation) -> None:
        cover, address, port, zone = reservation.name
        if reservation.claim is Claim.NAME:
            del self._all[reservation]
        if reservation.claim is Claim.NUMBER:
            pass
        elif address is None:
            _discard(self._wildcards, (port, cover), reservation)
        else:
            _discard(self._specific, (port, cover), reservation)
            _discard(self._exact, (port, address, zone), reservation)
        _count_down(self._count, port)
        if reservation.choice is not PortChoice.SCALABLE:
            _count_down(self._not_scalable, port)
        if reservation.choice is not PortChoice.AT_CONNECT:
            _count_down(self._not_at_connect, port)

    def overlapping(self, name: LocalName) -> Iterator[Reservation]:
        """Those of the port of `name` that `sharing.overlaps` can say yes to."""
        cover, address, port, zone = name
        covers = [other for other in Cover if any(other.includes(family) for family in cover.families)]
        buckets = [self._wildcards.get((port, other)) for other in covers]
        if address is None:
            buckets += [self._specific.get((port, other)) for other in covers]
        else:
            buckets.append(self._exact.get((port, address, zone)))
        return _in_order(bucket.items() for bucket in buckets if bucket)

    def at(self, port: int) -> Iterator[Reservation]:
        """All who hold a name with `port`."""
        buckets = [kind.get((port, cover)) for kind in (self._wildcards, self._specific) for cover in Cover]
        return _in_order(bucket.items() for bucket in buckets if bucket)

    def is_held(self, address: Address, port: int, zone: int, device: int = 0) -> bool:
        """As `PortTable.is_held`."""
        cover = Cover.IPV4 if family_of(address) is Family.IPV4 else Cover.IPV6
        exact, wildcards = self._exact.get, self._wildcards.get
        buckets = exact((port, address, zone)), exact((port, address, 0)), wildcards((port, cover))
        return any(_is_for(bucket, device) for bucket in (*buckets, wildcards((port, Cover.DUAL))) if bucket)

    def has_exact(self, name: LocalName) -> bool:
        """Whether somebody holds the port of `name` with just this address, which is not the wildcard."""
        return name.address is not None and (name.port, name.address, name.zone) in self._exact

    @property
    def ports(self) -> Set[int]:
        """Those that somebody holds."""
        return self._count.keys()

    def is_free(self, port: int) -> bool:
        return port not in self._count

    def is_scalable(self, port: int) -> bool:
        """Whether all who hold `port`, if any, let it be chosen again for other addresses."""
        return port not in self._not_scalable

    def is_open(self, port: int) -> bool:
        """Whether all who hold `port`, if any, let it be chosen again for other peers."""
        return port not in self._not_at_connect

    def __iter__(self) -> Iterator[Reservation]:
        """What was bound, by port, those of one port in the order of reservation."""
        return iter(sorted(self._all, key=lambda reservation: reservation.name.port))


def _in_order(items: Iterable[Iterable[tuple[Reservation, int]]]) -> Iterator[Reservation]:
    return (reservation for reservation, _ in merge(*items, key=itemgetter(1)))


def _is_for(bucket: _Bucket, device: int) -> bool:
    return not device or any(reservation.holder.device in (0, device) for reservation in bucket)


def _discard(buckets: dict[KeyT, _Bucket], key: KeyT, reservation: Reservation) -> None:
    bucket = buckets[key]
    del bucket[reservation]
    if not bucket:
        del buckets[key]


def _count_down(counts: dict[int, int], port: int) -> None:
    counts[port] -= 1
    if not counts[port]:
        del counts[port]
