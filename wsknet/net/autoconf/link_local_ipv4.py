"""IPv4 link-local addresses: RFC 3927, `IPAutoconfigurationEnabled` (SAN-4.3), KB 931550.

Probing, announcing, defending and the limit on conflicts are those of any address (`duplicates`); here it is decided
whether there is to be one, and which.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from wsknet.net.changes import AddressAdded, AddressOrigin, AddressRemoved
from wsknet.types import Address, Family, IfIndex, Instant, Mac, is_link_local

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer

PREFIX_LENGTH = 16

FIRST = int.from_bytes(bytes((169, 254, 1, 0)), "big")
COUNT = 254 * 256
"""Addresses from 169.254.1.0 to 169.254.254.255: the first and last 256 of the block are reserved (2.1)."""


def candidate(mac: Mac, attempt: int) -> Address:
    """2.1: always the same sequence on one interface, so that it gets the same address again, and spread over hosts."""
    digest = sha256(mac + attempt.to_bytes(4, "big")).digest()
    return (FIRST + int.from_bytes(digest[:8], "big") % COUNT).to_bytes(4, "big")


class Ipv4LinkLocal:
    """`AddressOwner` of all addresses it has chosen.

    There is none while the interface has another IPv4 address that is ours, given by hand or leased (1.9, 2.11).
    """

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._chosen: dict[IfIndex, Address] = {}
        """Where there is to be an address: the one that is claimed or held."""
        self._attempts: dict[IfIndex, int] = {}
        """Addresses found in use by others; kept, so that a good one is the first choice the next time."""

    def adjust(self, interface: Interface, now: Instant) -> None:
        """The link, the settings or the addresses of `interface` or its DHCP client have changed: start or stop.

        An address that is there stays while the link is down; a new one waits for the link.
        """
        index = interface.index
        if self._ip.interfaces.get(index) is not interface:
            self._chosen.pop(index, None)
            self._attempts.pop(index, None)
        elif not self._is_wanted(interface):
            self._give_up(interface, now)
        elif index not in self._chosen and interface.is_up:
            self._choose(interface, now)

    def is_in_use(self, interface: Interface) -> bool:
        return self._chosen.get(interface.index) in interface.addresses

    def assigned(self, interface: Interface, address: Address, now: Instant) -> None: ...

    def lost(self, interface: Interface, address: Address, holder: Mac, now: Instant) -> None:
        """2.2.1 and 2.5 (b): another one."""
        index = interface.index
        if self._chosen.get(index) == address:
            self._attempts[index] = self._attempts.get(index, 0) + 1
            self._choose(interface, now)

    def _is_wanted(self, interface: Interface) -> bool:
        auto = interface.auto
        if auto.dhcp:
            is_enabled = self._ip.tables.autoconfiguration if auto.link_local_ipv4 is None else auto.link_local_ipv4
            is_wanted = is_enabled and self._ip.dhcp.is_unanswered(interface.index)
        else:
            is_wanted = auto.link_local_ipv4 is True
        return is_wanted and all(is_link_local(entry.address) for entry in interface.addresses_of(Family.IPV4))

    def _choose(self, interface: Interface, now: Instant) -> None:
        index = interface.index
        address = self._chosen[index] = candidate(interface.mac, self._attempts.get(index, 0))
        change = AddressAdded(index, address, PREFIX_LENGTH, origin=AddressOrigin.LINK_LOCAL)
        self._ip.duplicates.claim(change, self, now)

    def _give_up(self, interface: Interface, now: Instant) -> None:
        address = self._chosen.pop(interface.index, None)
        if address is None:
            return
        entry = interface.find(address)
        if entry is not None and entry.origin is AddressOrigin.LINK_LOCAL:
            self._ip.change(AddressRemoved(interface.index, address), now)
