"""The link-local address of an interface that nobody gave one: RFC 4862 5.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.autoconf.identifiers import LENGTH, PREFIX_LENGTH
from wsknet.net.changes import AddressAdded, AddressOrigin, AddressRemoved
from wsknet.types import Address, Instant, Mac, is_link_local

if TYPE_CHECKING:
    from wsknet.net.autoconf.identifiers import Identifiers
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer

_PREFIX = b"\xfe\x80" + bytes(14)


class Ipv6LinkLocal:
    """An `AddressOwner`.  The address stays when router discovery ends: it says nothing of any router."""

    def __init__(self, ip: IpLayer, interface: Interface, identifiers: Identifiers) -> None:
        self._ip = ip
        self._interface = interface
        self._identifiers = identifiers
        self._duplicates = 0

    def provide(self, now: Instant) -> None:
        here = self._interface
        if any(len(address) == 16 and is_link_local(address) for address in (*here.addresses, *here.unassigned)):
            return
        address = _PREFIX[:-LENGTH] + self._identifiers.lasting(here, _PREFIX, self._duplicates)
        change = AddressAdded(here.index, address, PREFIX_LENGTH, origin=AddressOrigin.LINK_LOCAL)
        self._ip.duplicates.claim(change, self, now)

    def assigned(self, interface: Interface, address: Address, now: Instant) -> None:
        """Nothing waits for it: solicitations before it are sent without an address."""

    def lost(self, interface: Interface, address: Address, holder: Mac, now: Instant) -> None:
        """As in `Slaac.lost`."""
        self._duplicates += 1
        is_other_possible = interface.auto.stable_identifiers
        if is_other_possible and self._duplicates <= self._ip.config.slaac.identifier_retries:
            self._ip.change(AddressRemoved(interface.index, address), now)
            self.provide(now)
