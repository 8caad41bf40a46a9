"""Duplicate addresses: RFC 4862 5.4 and RFC 4429 for IPv6, RFC 5227 for IPv4.

A claimed address is probed before it is used; `defence` looks after it afterwards.  What RFCs leave open:

- The group of an IPv6 address is joined at once and reported by `groups`; only the first question is delayed.
- Every claim of an interface whose link has been down is checked again, unused meanwhile: it may be another link.
- A duplicate stays in the tables with its holder, so that people see it.  One given by hand is checked again when the
  link comes back; one that was found automatically is forgotten then, since its owner may have chosen another.
- A duplicate link-local address made from the MAC leaves the other IPv6 addresses of the interface alone.  RFC 4862
  5.4.5 would disable them all (SHOULD); one host that answers for our link-local address should not do that to us.
- Own probes that a link returns are known by their MAC, so no nonce (RFC 7527) is needed.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from wsknet.net.autoconf.claims import AddressOwner, Claim, ConflictLimit, Schedule, Stage, change_of
from wsknet.net.autoconf.defence import Defence
from wsknet.net.changes import AddressAdded, AddressRefused, AddressRemoved
from wsknet.net.interface import AddressState, InterfaceAddress
from wsknet.timers import Timer
from wsknet.types import Address, IfIndex, Instant, Mac

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer

__all__ = ["AddressOwner", "Duplicates"]

MAX_LOST = 16
"""Duplicates of automatic owners kept per interface: a peer that answers for whatever we choose makes one each time."""


class Duplicates:
    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._tables = ip.tables
        self._config = ip.config.duplicates
        self._schedule = Schedule(self._config, ip.rng)
        self._limit = ConflictLimit(self._config)
        self._defence = Defence(ip)
        self._claims: dict[tuple[IfIndex, Address], Claim] = {}
        self._down: dict[IfIndex, None] = {}
        """Interfaces whose link was down when last looked at."""

    def must_check(self, change: AddressAdded) -> bool:
        """Whether an address given by hand is to be claimed first."""
        interface = self._tables.interfaces.get(change.if_index)
        if interface is None or interface.is_loopback or not interface.auto.duplicate_detection:
            return False
        return change.address not in interface.addresses

    def claim(self, change: AddressAdded, owner: AddressOwner | None, now: Instant) -> None:
        """Check whether anybody has the address, then apply `change`.  `owner` hears how it ends.

        For an address that is being checked, or is ours, the attributes and the owner are replaced.  Raises
        `ValueError` as `Tables.apply` does.
        """
        interface = self._tables.interface_for(change)
        key = (change.if_index, change.address)
        claim = self._claims.get(key)
        if claim is None:
            claim = Claim(interface, change, owner, Timer(self._ip.timers, partial(self._due, key)))
            self._claims[key] = claim
        claim.change, claim.owner = change, owner
        if change.address in interface.addresses:
            self._replace(claim, now)
        elif claim.stage is Stage.PROBING:
            self._withhold(claim, AddressState.TENTATIVE)
        else:
            self._start(claim, now)

    def heard(self, interface: Interface, address: Address, mac: Mac, now: Instant, is_probe: bool) -> None:
        """Another host used `address`, ours or wished for, or (`is_probe`) wishes for it too.

        Messages of our own that come back are not for this.
        """
        claim = self._claims.get((interface.index, address))
        if claim is not None and claim.stage is Stage.PROBING:
            self._lose(claim, mac, now)
        elif address in interface.addresses and not is_probe:
            self._tables.note_holder(interface, address, mac)
            if len(address) == 4 and not self._defence.holds(interface, address, now) and claim is not None:
                self._lose(claim, mac, now)

    def overrule(self, change: AddressAdded) -> None:
        """An address is given by hand, unchecked: what an automatic owner is finding out of it counts no more."""
        interface = self._tables.interfaces.get(change.if_index)
        if interface is not None and change.address in interface.unassigned:
            self.forget(change.if_index, change.address)

    def forget(self, if_index: IfIndex, address: Address) -> None:
        """The address has been taken away."""
        claim = self._claims.pop((if_index, address), None)
        if claim is not None:
            claim.timer.cancel()
        self._defence.forget(if_index, address)

    def adjust(self, interface: Interface, now: Instant) -> None:
        """The link or the settings of `interface` have changed: start what should run, stop what should not."""
        index = interface.index
        if self._tables.interfaces.get(index) is not interface:
            self._remove(index)
        elif not interface.is_up:
            self._down[index] = None
            for claim in self._claims_of(index):
                claim.timer.cancel()
        elif index in self._down:
            del self._down[index]
            self._limit.forget(index)
            for claim in self._claims_of(index):
                self._check_again(claim, now)

    def _claims_of(self, index: IfIndex) -> list[Claim]:
        return [claim for claim in self._claims.values() if claim.change.if_index == index]

    def _remove(self, index: IfIndex) -> None:
        for claim in self._claims_of(index):
            claim.timer.cancel()
            del self._claims[index, claim.address]
        self._defence.forget_interface(index)
        self._limit.forget(index)
        self._down.pop(index, None)

    def _check_again(self, claim: Claim, now: Instant) -> None:
        if claim.stage is Stage.LOST and claim.owner is not None:
            self._ip.change(AddressRemoved(claim.change.if_index, claim.address), now)
            return
        self._defence.forget(claim.change.if_index, claim.address)
        entry = claim.interface.addresses.get(claim.address)
        if entry is not None:
            claim.change = change_of(claim.interface, entry)
        self._start(claim, now)

    def _start(self, claim: Claim, now: Instant) -> None:
        interface = claim.interface
        claim.sent = 0
        if not interface.is_up:
            claim.stage = Stage.WAITING
            self._withhold(claim, AddressState.TENTATIVE)
            return
        claim.stage = Stage.PROBING
        if not self._schedule.probes(claim):
            self._succeed(claim, now)
            return
        if claim.is_optimistic:
            self._ip.change(claim.change, now)
            self._tables.set_state(interface, claim.address, AddressState.OPTIMISTIC)
            self._ip.forget_paths()
        else:
            self._withhold(claim, AddressState.TENTATIVE)
            self._ip.groups.follow_addresses(interface, now)
        start = self._limit.start(interface.index, now) if claim.is_ipv4 else now
        claim.timer.arm(Instant(start + self._schedule.first_delay(claim)))

    def _due(self, key: tuple[IfIndex, Address], now: Instant) -> None:
        claim = self._claims[key]
        if claim.stage is Stage.HELD:
            self._announce(claim, now)
        elif claim.sent < self._schedule.probes(claim):
            claim.sent += 1
            comment = f"duplicate address detection, probe {claim.sent} of {self._schedule.probes(claim)}"
            if claim.is_ipv4:
                self._ip.arp.probe(claim.interface, claim.address, comment)
            else:
                self._ip.discovery.probe(claim.interface, claim.address, comment)
            claim.timer.arm(Instant(now + self._schedule.next_delay(claim)))
        else:
            self._succeed(claim, now)

    def _succeed(self, claim: Claim, now: Instant) -> None:
        claim.stage = Stage.HELD
        claim.sent = 0
        interface, address = claim.interface, claim.address
        known = interface.addresses.get(address)
        if known is None:
            self._ip.change(claim.change, now)
        elif known.state is AddressState.OPTIMISTIC:
            self._tables.set_state(interface, address, InterfaceAddress.of(claim.change).state)
            self._ip.forget_paths()
            self._ip.tell(claim.change, now)  # it has been there, but not among those that are preferred
        if claim.is_ipv4:
            self._limit.succeeded(interface.index)
            self._announce(claim, now)
        if claim.owner is not None:
            claim.owner.assigned(interface, address, now)

    def _announce(self, claim: Claim, now: Instant) -> None:
        """RFC 5227 2.3: old entries for the address in others' tables are put right."""
        if claim.sent >= self._config.announcements:
            return
        claim.sent += 1
        comment = f"announcement {claim.sent} of {self._config.announcements}: the address is ours"
        self._ip.arp.announce(claim.interface, claim.address, comment)
        if claim.sent < self._config.announcements:
            claim.timer.arm(Instant(now + self._config.announce_interval))

    def _replace(self, claim: Claim, now: Instant) -> None:
        """New attributes for an address that is ours already."""
        self._ip.change(claim.change, now)
        if claim.stage is Stage.PROBING:
            self._tables.set_state(claim.interface, claim.address, AddressState.OPTIMISTIC)
            self._ip.forget_paths()
            return
        claim.stage = Stage.HELD
        if claim.owner is not None:
            claim.owner.assigned(claim.interface, claim.address, now)

    def _lose(self, claim: Claim, holder: Mac, now: Instant) -> None:
        claim.timer.cancel()
        claim.stage = Stage.LOST
        interface, address = claim.interface, claim.address
        self._defence.forget(interface.index, address)
        if claim.is_ipv4:
            self._limit.lost(interface.index)
        self._withhold(claim, AddressState.DUPLICATE, holder)
        self._make_room(interface, now)
        self._ip.tell(AddressRefused(interface.index, address, holder), now)
        if claim.owner is not None:
            claim.owner.lost(interface, address, holder, now)

    def _make_room(self, interface: Interface, now: Instant) -> None:
        claims = self._claims_of(interface.index)
        lost = [claim for claim in claims if claim.stage is Stage.LOST and claim.owner is not None]
        for claim in lost[:-MAX_LOST]:
            self._ip.change(AddressRemoved(interface.index, claim.address), now)

    def _withhold(self, claim: Claim, state: AddressState, holder: Mac | None = None) -> None:
        self._tables.withhold(claim.interface, InterfaceAddress.of(claim.change, state, holder))
        self._ip.forget_paths()
