"""Defending an IPv4 address that is ours already: RFC 5227 2.4.

IPv6 has no such thing: who claims our address there is noted, and that is all (RFC 4862 5.4 ends with the assignment).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.changes import AddressOrigin
from wsknet.types import Address, IfIndex, Instant

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer


class Defence:
    """An address given by hand, checked or not, is never given up (2.4 (c)): a person wants it here, and whoever says
    otherwise twice could take it away at will.  One found automatically is, at the second conflict within
    `defend_interval` (2.4 (b)): there are others.
    """

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._interval = ip.config.duplicates.defend_interval
        self._latest: dict[tuple[IfIndex, Address], Instant] = {}
        """When an address was defended last; only addresses of ours are in it."""

    def holds(self, interface: Interface, address: Address, now: Instant) -> bool:
        """Another host has used an address of ours: defend it, if that is not too often.  False: give it up."""
        key = (interface.index, address)
        latest = self._latest.get(key)
        if latest is not None and now - latest < self._interval:
            return interface.addresses[address].origin is AddressOrigin.MANUAL
        self._latest[key] = now
        self._ip.arp.announce(interface, address, "another host uses this address: defended")
        return True

    def forget(self, if_index: IfIndex, address: Address) -> None:
        self._latest.pop((if_index, address), None)

    def forget_interface(self, if_index: IfIndex) -> None:
        for key in [key for key in self._latest if key[0] == if_index]:
            del self._latest[key]
