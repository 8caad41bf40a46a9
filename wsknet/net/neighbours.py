"""Neighbours on one link: from next hop to MAC address.  Read RFC 4861 7.2, 7.3, appendix C and RFC 826.

One state machine serves both families: ARP differs in the message, not in what is known.  What is asked and sent goes
through `LinkActions`, so nothing here knows a packet format.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from wsknet.timers import Timer
from wsknet.trace import DropReason
from wsknet.types import Address, Instant, Mac
from wsknet.wire.ethernet import ETHERTYPE_IPV4, ETHERTYPE_IPV6, header

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from wsknet.config import NeighbourConfig
    from wsknet.net.interface import Interface
    from wsknet.timers import Timers


class NeighbourState(Enum):
    """RFC 4861 7.3.2.  REACHABLE decays to STALE by the clock alone: ask `Neighbour.state_at`."""

    INCOMPLETE = "being resolved"
    REACHABLE = "confirmed a short while ago"
    STALE = "known, not confirmed"
    DELAY = "used while stale, waiting for a confirmation from above"
    PROBE = "being asked whether it is still there"
    GONE = "no longer in the table"


# Members bound once: reading one through its class costs three times as much.
_INCOMPLETE = NeighbourState.INCOMPLETE
_REACHABLE = NeighbourState.REACHABLE
_STALE = NeighbourState.STALE
_DELAY = NeighbourState.DELAY
_PROBE = NeighbourState.PROBE
_GONE = NeighbourState.GONE

_FOREVER = Instant(1 << 63)
_NEVER = Instant(-1)


class Pending(NamedTuple):
    """A packet, or the fragments of one, that waits for a MAC address.  Copied: lent memory may change."""

    packets: tuple[bytes, ...]
    transport_offset: int
    protocol: int
    source: Address
    destination: Address
    zone: int
    comment: str | None


class LinkActions(Protocol):
    """What the state machine makes the host do."""

    def solicit(
        self, interface: Interface, target: Address, mac: Mac | None, preferred: Address | None, now: Instant
    ) -> None:
        """Ask who has `target`: its owner at `mac` if given, else everybody.  `preferred`: see `source_towards`."""

    def release(self, interface: Interface, link_header: bytes, pending: Pending) -> None:
        """Send what waited."""

    def discard(self, interface: Interface, pending: Pending, reason: DropReason, now: Instant) -> None:
        """Drop what waited; tell its sender if the neighbour failed."""

    def failed(self, interface: Interface, address: Address, now: Instant) -> None:
        """A neighbour did not answer, however often it was asked."""

    def answered(self, interface: Interface, address: Address, now: Instant) -> None:
        """A neighbour is there that had failed before."""


class Neighbour:
    """One next hop.  Packets may be sent with `link_header` as long as ``now < fresh_until``, else ask the table."""

    __slots__ = ("address", "fresh_until", "is_router", "is_used", "link_header", "mac", "pending", "preferred",
                 "solicitations", "state", "timer")  # fmt: skip

    def __init__(self, address: Address, state: NeighbourState, timer: Timer) -> None:
        self.address = address
        self.state = state
        self.mac: Mac | None = None
        self.link_header = b""
        self.fresh_until = _NEVER
        self.is_used = False
        """Since the table last looked for an entry to give up."""
        self.is_router = False
        self.pending: deque[Pending] = deque()
        self.preferred: Address | None = None
        """Source of the latest packet that needed this neighbour."""
        self.solicitations = 0
        self.timer = timer

    def state_at(self, now: Instant) -> NeighbourState:
        return _STALE if self.state is _REACHABLE and now >= self.fresh_until else self.state


class NeighbourTable:
    """The neighbours of one interface, both families, at most `NeighbourConfig.max_entries`."""

    def __init__(
        self, interface: Interface, config: NeighbourConfig, timers: Timers, rng: Random, actions: LinkActions
    ) -> None:
        self._interface = interface
        self._config = config
        self._timers = timers
        self._actions = actions
        self._entries: dict[Address, Neighbour] = {}
        self.reachable = int(config.reachable * (0.5 + rng.random()))
        """Nanoseconds a confirmation lasts (RFC 4861 6.3.2: spread, so that hosts do not probe in step)."""

    def __iter__(self) -> Iterator[Neighbour]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, address: Address) -> Neighbour | None:
        return self._entries.get(address)

    def use(self, address: Address, preferred: Address | None, now: Instant) -> Neighbour:
        """The neighbour for a packet that is to be sent now; resolution starts if it has no MAC yet."""
        entry = self._entries.get(address)
        if entry is None:
            entry = self._create(address, _INCOMPLETE, now)
            entry.preferred = preferred
            self._ask(entry, now)
        elif entry.state_at(now) is _STALE:
            entry.state = _DELAY
            entry.fresh_until = _FOREVER  # until the timer or a confirmation says otherwise
            entry.timer.arm(Instant(now + self._config.delay_first_probe))
        entry.preferred = preferred
        entry.is_used = True
        return entry

    def enqueue(self, entry: Neighbour, pending: Pending, now: Instant) -> None:
        """Keep a packet until the neighbour answers; the newest are worth most (RFC 4861 7.2.2)."""
        if len(entry.pending) >= self._config.queue_packets:
            self._actions.discard(self._interface, entry.pending.popleft(), DropReason.NEIGHBOUR_QUEUE_FULL, now)
        entry.pending.append(pending)

    def learn(self, address: Address, mac: Mac, now: Instant) -> None:
        """A question from the neighbour named its MAC (RFC 4861 7.2.3): known, but no proof that it hears us."""
        entry = self._entries.get(address)
        if entry is None:
            entry = self._create(address, _STALE, now)
        elif entry.mac == mac:
            return
        self._set_mac(entry, mac)
        self._set_stale(entry)
        self._release(entry)

    def advertise(
        self, address: Address, mac: Mac | None, is_solicited: bool, is_override: bool, now: Instant
    ) -> Neighbour | None:
        """An answer, or news that nobody asked for (RFC 4861 7.2.5).  `None`: no packet ever needed this neighbour."""
        entry = self._entries.get(address)
        if entry is None:
            return None
        if entry.state is _INCOMPLETE:
            if mac is None:
                return entry
            self._set_mac(entry, mac)
            if is_solicited:
                self._set_reachable(entry, now)
            else:
                self._set_stale(entry)
            self._release(entry)
            return entry
        is_other_mac = mac is not None and mac != entry.mac
        if is_other_mac and not is_override:
            if entry.state is _REACHABLE:
                self._set_stale(entry)
            return entry
        if is_other_mac and mac is not None:
            self._set_mac(entry, mac)
        if is_solicited:
            self._set_reachable(entry, now)
        elif is_other_mac:
            self._set_stale(entry)
        return entry

    def confirm(self, entry: Neighbour, now: Instant) -> None:
        """Something sent to the neighbour has arrived (RFC 4861 7.3.1)."""
        if entry.state is not _INCOMPLETE and entry.state is not _GONE:
            self._set_reachable(entry, now)

    def flush(self, now: Instant) -> None:
        """Forget everybody: the link is gone."""
        for entry in list(self._entries.values()):
            self._remove(entry, DropReason.INTERFACE_DOWN, now)

    def _create(self, address: Address, state: NeighbourState, now: Instant) -> Neighbour:
        if len(self._entries) >= self._config.max_entries:
            self._give_one_up(now)
        entry = Neighbour(address, state, Timer(self._timers, _unset))
        entry.timer.expired = partial(self._expired, entry)
        self._entries[address] = entry
        return entry

    def _give_one_up(self, now: Instant) -> None:
        """Remove the entry unused for longest, near enough: each one in use gets a second chance.

        Entries that strangers' questions made and no packet ever used go first, so a flood of those cannot push out
        the neighbours we talk to.
        """
        entries = self._entries
        while True:
            entry = next(iter(entries.values()))
            if not entry.is_used:
                self._remove(entry, DropReason.NEIGHBOUR_QUEUE_FULL, now)
                return
            entry.is_used = False
            del entries[entry.address]
            entries[entry.address] = entry

    def _remove(self, entry: Neighbour, reason: DropReason, now: Instant) -> None:
        del self._entries[entry.address]
        entry.state = _GONE
        entry.fresh_until = _NEVER
        entry.timer.cancel()
        pending, entry.pending = entry.pending, deque()
        for packet in pending:
            self._actions.discard(self._interface, packet, reason, now)

    def _expired(self, entry: Neighbour, now: Instant) -> None:
        if entry.state is _DELAY:
            entry.state = _PROBE
            entry.solicitations = 0
        if entry.solicitations < self._config.max_solicitations:
            self._ask(entry, now)
        else:
            self._remove(entry, DropReason.NEIGHBOUR_FAILED, now)

    def _ask(self, entry: Neighbour, now: Instant) -> None:
        entry.solicitations += 1
        entry.timer.arm(Instant(now + self._config.retransmit))
        self._actions.solicit(self._interface, entry.address, entry.mac, entry.preferred, now)

    def _set_mac(self, entry: Neighbour, mac: Mac) -> None:
        entry.mac = mac
        ethertype = ETHERTYPE_IPV4 if len(entry.address) == 4 else ETHERTYPE_IPV6
        entry.link_header = header(mac, self._interface.mac, ethertype)

    def _set_reachable(self, entry: Neighbour, now: Instant) -> None:
        entry.state = _REACHABLE
        entry.fresh_until = Instant(now + self.reachable)
        entry.timer.cancel()

    def _set_stale(self, entry: Neighbour) -> None:
        entry.state = _STALE
        entry.fresh_until = _NEVER
        entry.timer.cancel()

    def _release(self, entry: Neighbour) -> None:
        pending, entry.pending = entry.pending, deque()
        for packet in pending:
            self._actions.release(self._interface, entry.link_header, packet)


def _unset(_now: Instant) -> None:
    """Replaced before the timer is armed."""
