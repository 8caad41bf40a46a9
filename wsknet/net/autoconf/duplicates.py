"""Duplicate addresses: RFC 4862 5.4 and RFC 4429 for IPv6, RFC 5227 for IPv4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from wsknet.net import changes

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.types import Address, IfIndex, Instant, Mac


class AddressOwner(Protocol):
    """Who claimed an address."""

    def assigned(self, interface: Interface, address: Address, now: Instant) -> None:
        """Nobody else has it; it is ours from now on."""

    def lost(self, interface: Interface, address: Address, holder: Mac, now: Instant) -> None:
        """Another host has it: found before it was ours, or could not be defended later."""


class Duplicates:
    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip

    def must_check(self, change: changes.AddressAdded) -> bool:
        """Whether an address given by hand is to be claimed first."""
        return False

    def claim(self, change: changes.AddressAdded, owner: AddressOwner | None, now: Instant) -> None:
        """Check whether anybody has the address, then apply `change`.  `owner` hears how it ends."""

    def heard(self, interface: Interface, address: Address, mac: Mac, is_probe: bool, now: Instant) -> None:
        """Another host used `address`, ours or wished for, or (`is_probe`) wishes for it too."""

    def forget(self, if_index: IfIndex, address: Address) -> None:
        """The address has been taken away."""

    def adjust(self, interface: Interface, now: Instant) -> None:
        """The link or the settings of `interface` have changed: start what should run, stop what should not."""
