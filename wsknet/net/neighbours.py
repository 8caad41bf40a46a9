"""Neighbours on one link: from next hop to MAC address.  Read RFC 4861 7.2, 7.3, appendix C and RFC 826.

One state machine serves both families: ARP differs in the message, not in what is known.  What is asked and sent goes
through `LinkActions`, so nothing here knows a packet format.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from wsknet.net.neighbour import ASK_FIRST, Belief, LinkActions, Neighbour, NeighbourState, Pending
from wsknet.timers import Timer
from wsknet.trace import DropReason
from wsknet.types import Address, Duration, Instant, Mac
from wsknet.wire.ethernet import ETHERTYPE_IPV4, ETHERTYPE_IPV6, header

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from wsknet.config import NeighbourConfig
    from wsknet.net.interface import Interface
    from wsknet.timers import Timers

__all__ = ["Belief", "LinkActions", "Neighbour", "NeighbourState", "NeighbourTable", "Pending"]

# Members bound once: reading one through its class costs three times as much.
_INCOMPLETE = NeighbourState.INCOMPLETE
_REACHABLE = NeighbourState.REACHABLE
_STALE = NeighbourState.STALE
_DELAY = NeighbourState.DELAY
_PROBE = NeighbourState.PROBE
_GONE = NeighbourState.GONE

_FOREVER = Instant(1 << 63)

_UNRESOLVED_SHARE = 4
"""A fourth of the table: more neighbours being resolved than that make room for each other, whoever is asked for."""

MAX_LATE = 64
"""Neighbours that have failed and whose answer is still believed, for links slower than all questions take: the next
packet then finds the answer.  No more addresses than a host has peers on such a link."""


class NeighbourTable:
    """The neighbours of one interface, both families, at most `NeighbourConfig.max_entries`."""

    def __init__(
        self, interface: Interface, config: NeighbourConfig, timers: Timers, rng: Random, actions: LinkActions
    ) -> None:
        self._interface = interface
        self._config = config
        self._timers = timers
        self._rng = rng
        self._actions = actions
        self._entries: dict[Address, Neighbour] = {}
        self._unresolved: dict[Address, None] = {}
        """Those that are INCOMPLETE."""
        self._strangers: dict[Address, None] = {}
        """Those that only asked for us: no packet has needed them."""
        self._late: dict[Address, None] = {}
        self._queued = 0
        """Bytes waiting for all neighbours."""
        self.retransmit = config.retransmit
        """Nanoseconds between two questions; a router may say otherwise (RFC 4861 6.3.4)."""
        self.reachable = config.reachable
        """Nanoseconds a confirmation lasts."""
        self.spread_reachable(config.reachable)

    def __iter__(self) -> Iterator[Neighbour]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, address: Address) -> Neighbour | None:
        return self._entries.get(address)

    def spread_reachable(self, base: Duration) -> None:
        """Set `reachable` to half to one and a half of `base`, so that hosts do not probe in step (RFC 4861 6.3.2)."""
        self.reachable = int(base * (0.5 + self._rng.random()))

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
        self._strangers.pop(address, None)
        entry.preferred = preferred
        entry.is_used = True
        return entry

    def enqueue(self, entry: Neighbour, pending: Pending, now: Instant) -> None:
        """Keep a packet until the neighbour answers; the newest are worth most (RFC 4861 7.2.2)."""
        config, queue, size = self._config, entry.pending, pending.size
        while queue and (len(queue) >= config.queue_packets or entry.queued + size > config.queue_bytes):
            self._drop_oldest(entry, now)
        if self._queued + size > config.queue_bytes_of_all:
            self._actions.discard(self._interface, pending, DropReason.NEIGHBOUR_QUEUE_FULL, now)
            return
        queue.append(pending)
        entry.queued += size
        self._queued += size

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

    def advertised(
        self, address: Address, mac: Mac | None, is_solicited: bool, is_override: bool, now: Instant
    ) -> Belief:
        """An answer, or news that nobody asked for (RFC 4861 7.2.5)."""
        entry = self._entries.get(address)
        if entry is None:
            if not self.is_late(address) or mac is None:
                return Belief.UNWANTED
            entry = self._create(address, _INCOMPLETE, now)
        if entry.state is _INCOMPLETE:
            if mac is None:
                return Belief.REFUSED
            self._set_mac(entry, mac)
            if is_solicited:
                self._set_reachable(entry, now)
            else:
                self._set_stale(entry)
            self._release(entry)
            return Belief.BELIEVED
        is_other_mac = mac is not None and mac != entry.mac
        if is_other_mac and not is_override:
            if entry.state is _REACHABLE:
                self._set_stale(entry)
            return Belief.REFUSED
        if is_other_mac and mac is not None:
            self._set_mac(entry, mac)
        if is_solicited:
            self._set_reachable(entry, now)
        elif is_other_mac:
            self._set_stale(entry)
        return Belief.BELIEVED

    def is_late(self, address: Address) -> bool:
        """Whether the neighbour was given up, but may still answer."""
        return address in self._late

    def confirm(self, entry: Neighbour, now: Instant) -> None:
        """Something sent to the neighbour has arrived (RFC 4861 7.3.1)."""
        if entry.state is not _INCOMPLETE and entry.state is not _GONE:
            self._set_reachable(entry, now)

    def doubt(self, entry: Neighbour, now: Instant) -> None:
        """Nothing comes back from beyond the neighbour: ask whether it is there still (RFC 1122 3.3.1.4)."""
        if entry.state in (_REACHABLE, _STALE, _DELAY):
            entry.state = _PROBE
            entry.fresh_until = _FOREVER
            entry.solicitations = 0
            self._ask(entry, now)

    def flush(self, now: Instant) -> None:
        """Forget everybody: the link is gone."""
        self._late.clear()
        for entry in list(self._entries.values()):
            self._remove(entry, DropReason.INTERFACE_DOWN, now)

    def _create(self, address: Address, state: NeighbourState, now: Instant) -> Neighbour:
        if len(self._entries) >= self._config.max_entries:
            self._remove(self._least_useful(), DropReason.NEIGHBOUR_QUEUE_FULL, now)
        self._late.pop(address, None)
        entry = Neighbour(address, state, Timer(self._timers, _unset))
        entry.timer.expired = partial(self._expired, entry)
        self._entries[address] = entry
        pool = self._unresolved if state is _INCOMPLETE else self._strangers
        pool[address] = None
        return entry

    def _least_useful(self) -> Neighbour:
        """The entry to give up: of a stranger, else of a long row of unresolved ones, else one unused for long.

        So neither questions from pretended senders nor a scan of the subnet push out the neighbours we talk to.
        """
        entries = self._entries
        if self._strangers:
            return entries[next(iter(self._strangers))]
        if len(self._unresolved) * _UNRESOLVED_SHARE > len(entries):
            return entries[next(iter(self._unresolved))]
        while True:  # the oldest, but each one in use gets a second chance
            entry = next(iter(entries.values()))
            if not entry.is_used:
                return entry
            entry.is_used = False
            del entries[entry.address]
            entries[entry.address] = entry

    def _remove(self, entry: Neighbour, reason: DropReason, now: Instant) -> None:
        del self._entries[entry.address]
        self._unresolved.pop(entry.address, None)
        self._strangers.pop(entry.address, None)
        entry.state = _GONE
        entry.fresh_until = ASK_FIRST
        entry.timer.cancel()
        entry.timer.expired = _unset  # ends the cycle, so that what a flood made is freed at once
        for packet in self._take_pending(entry):
            self._actions.discard(self._interface, packet, reason, now)

    def _expired(self, entry: Neighbour, now: Instant) -> None:
        if entry.state is _DELAY:
            entry.state = _PROBE
            entry.solicitations = 0
        if entry.solicitations < self._config.max_solicitations:
            self._ask(entry, now)
        else:
            self._fail(entry, now)

    def _ask(self, entry: Neighbour, now: Instant) -> None:
        entry.solicitations += 1
        entry.timer.arm(Instant(now + self.retransmit))
        self._actions.solicit(self._interface, entry.address, entry.mac, entry.preferred, now)

    def _fail(self, entry: Neighbour, now: Instant) -> None:
        address = entry.address
        if len(self._late) >= MAX_LATE:
            del self._late[next(iter(self._late))]
        self._late[address] = None
        # Before the senders hear of it: what they send next should go another way.
        self._actions.failed(self._interface, address, now)
        self._remove(entry, DropReason.NEIGHBOUR_FAILED, now)

    def _set_mac(self, entry: Neighbour, mac: Mac) -> None:
        entry.mac = mac
        ethertype = ETHERTYPE_IPV4 if len(entry.address) == 4 else ETHERTYPE_IPV6
        entry.link_header = header(mac, self._interface.mac, ethertype)
        self._unresolved.pop(entry.address, None)

    def _set_reachable(self, entry: Neighbour, now: Instant) -> None:
        if entry.state is not _REACHABLE:
            self._actions.answered(self._interface, entry.address, now)
        entry.state = _REACHABLE
        entry.fresh_until = Instant(now + self.reachable)
        entry.timer.cancel()

    def _set_stale(self, entry: Neighbour) -> None:
        entry.state = _STALE
        entry.fresh_until = ASK_FIRST
        entry.timer.cancel()

    def _release(self, entry: Neighbour) -> None:
        for packet in self._take_pending(entry):
            self._actions.release(self._interface, entry.link_header, packet)

    def _drop_oldest(self, entry: Neighbour, now: Instant) -> None:
        oldest = entry.pending.popleft()
        entry.queued -= oldest.size
        self._queued -= oldest.size
        self._actions.discard(self._interface, oldest, DropReason.NEIGHBOUR_QUEUE_FULL, now)

    def _take_pending(self, entry: Neighbour) -> deque[Pending]:
        pending, entry.pending = entry.pending, deque()
        self._queued -= entry.queued
        entry.queued = 0
        return pending


def _unset(_now: Instant) -> None:
    """Not while the timer is armed."""
