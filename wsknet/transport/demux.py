"""Registrations: who gets this packet?  Five dict look-ups in falling precision, never a scan.

Read BIND-1.7 before editing.  Whether the destination is ours at all was decided by IP (level 0).  The order is
the same in all systems that tell theirs; of Windows it is known for TCP, and nothing says that UDP has another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from wsknet.behaviour import DemuxTie
from wsknet.types import Address, Cover, Endpoint, LocalName, is_link_local

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

    from wsknet.trace import Decision

T = TypeVar("T")

_Key = tuple[Address | None, int, Address | Cover, int, int]
"""Local address and port, remote address and port, zone.  Where any peer may send, what the name covers stands for the
address of the peer: a wildcard has no address to tell it by."""

LEVELS = ("exact", "any local address, this peer", "this address, any peer", "wildcard", "dual-stack wildcard")
"""A dual-stack ``::`` is one level more general than the wildcard of one family (BIND-1.2.14)."""
_REFERENCE = "BSD sockets: the most specific match"


class Demux(Generic[T]):
    """The registrations of one protocol."""

    def __init__(self, tie: DemuxTie, rng: Random) -> None:
        self._tie = tie
        self._rng = rng
        self._registered: dict[_Key, list[T]] = {}
        self._devices: dict[T, int] = {}
        """The interface of those that hear no other (SO_BINDTODEVICE)."""

    def insert(self, name: LocalName, remote: Endpoint | None, endpoint: T, device: int = 0) -> None:
        """Let `endpoint` receive what is sent to `name`, from `remote` and on interface `device` only if given."""
        self._registered.setdefault(_key(name, remote), []).append(endpoint)
        if device:
            self._devices[endpoint] = device

    def remove(self, name: LocalName, remote: Endpoint | None, endpoint: T) -> None:
        """Undo an `insert` with the same arguments."""
        self._devices.pop(endpoint, None)
        key = _key(name, remote)
        sharers = self._registered[key]
        sharers.remove(endpoint)
        if not sharers:
            del self._registered[key]

    def has_exact(self, local: Endpoint, remote: Endpoint) -> bool:
        key = (local.address, local.port, remote.address, remote.port, local.zone or remote.zone)
        return key in self._registered

    def find(
        self,
        local: Address,
        local_port: int,
        remote: Address,
        remote_port: int,
        zone: int,
        why: Decision | None = None,
        device: int = 0,
    ) -> T | None:
        """The one endpoint for a unicast packet to `local` from `remote`; `None` if there is none.

        `device` is the interface that it arrived on, 0 if that does not matter.
        """
        if why is None and not self._devices:
            # The data path: almost every packet belongs to a connection, and one look-up finds it.
            connected = self._registered.get((local, local_port, remote, remote_port, zone))
            if connected is not None and len(connected) == 1:
                return connected[0]
        get, devices = self._registered.get, self._devices
        for level, key in enumerate(_keys(local, local_port, remote, remote_port, zone)):
            sharers: Sequence[T] = get(key) or ()
            if devices:
                sharers = self._best(sharers, device)
            if why is not None:
                why.consider(LEVELS[level], f"{len(sharers)} registered" if sharers else "nobody", bool(sharers))
            if sharers:
                if why is not None:
                    why.conclude(LEVELS[level], "the most precise registration wins", _REFERENCE)
                return self._pick(sharers)
        if why is not None:
            why.conclude("nobody", "no registration matches", _REFERENCE)
        return None

    def find_all(
        self,
        local: Address,
        local_port: int,
        remote: Address,
        remote_port: int,
        zone: int,
        also: Iterable[Address] = (),
        device: int = 0,
    ) -> list[T]:
        """Every endpoint that gets a copy of a broadcast or multicast packet (BIND-1.7).

        `also` are our addresses whose names are meant, too.
        """
        found: list[T] = []
        for key in _keys(local, local_port, remote, remote_port, zone):
            found += self._registered.get(key, ())
        for address in also:
            # A packet that has no link-local address itself tells no zone, and yet is on the link of our address.
            link = zone or (device if is_link_local(address) else 0)
            exact, _, specific, _, _ = _keys(address, local_port, remote, remote_port, link)
            found += self._registered.get(exact, ())
            found += self._registered.get(specific, ())
        return [endpoint for endpoint in found if self.hears(endpoint, device)] if self._devices else found

    def hears(self, endpoint: T, device: int) -> bool:
        """Whether it is no endpoint of another device; every one is, if `device` is 0."""
        return not device or self._devices.get(endpoint, device) == device

    def _best(self, sharers: Sequence[T], device: int) -> Sequence[T]:
        """Of one level: those of the device, if there are any, before those of all devices."""
        heard = [endpoint for endpoint in sharers if self.hears(endpoint, device)]
        return [endpoint for endpoint in heard if endpoint in self._devices] or heard

    def _pick(self, sharers: Sequence[T]) -> T:
        if len(sharers) == 1 or self._tie is DemuxTie.FIRST:
            return sharers[0]
        return sharers[-1] if self._tie is DemuxTie.LAST else self._rng.choice(sharers)


_COVERS = {4: Cover.IPV4, 16: Cover.IPV6}
"""By address length."""
_DUAL = Cover.DUAL


def _keys(local: Address, local_port: int, remote: Address, remote_port: int, zone: int) -> tuple[_Key, ...]:
    """Where those are registered who may get a packet, in the order of `LEVELS`."""
    cover = _COVERS[len(local)]
    local_zone = zone and (zone if is_link_local(local) else 0)
    remote_zone = zone and (zone if is_link_local(remote) else 0)
    return (
        (local, local_port, remote, remote_port, zone),
        (None, local_port, remote, remote_port, remote_zone),
        (local, local_port, cover, 0, local_zone),
        (None, local_port, cover, 0, 0),
        (None, local_port, _DUAL, 0, 0),
    )


def _key(name: LocalName, remote: Endpoint | None) -> _Key:
    if remote is not None:
        return (name.address, name.port, remote.address, remote.port, name.zone or remote.zone)
    return (name.address, name.port, name.cover, 0, name.zone)
