"""The switch's table: which provider serves which local IP subnet (SAN-6.1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from wsknet.text import same_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wsknet.types import Address

P = TypeVar("P")


class Subnet(NamedTuple, Generic[P]):
    address: Address
    """Of the NIC."""
    prefix_length: int
    provider: P

    def holds(self, address: Address) -> bool:
        return len(address) == len(self.address) and same_prefix(self.address, address, self.prefix_length)


class Subnets(Generic[P]):
    """Made anew whenever TCP/IP has told that addresses have changed."""

    def __init__(
        self,
        told: Iterable[tuple[P, Iterable[Address]]],
        prefix_lengths: Mapping[Address, int],
        down: Iterable[tuple[Address, int]] = (),
    ) -> None:
        """`told` are the addresses of each provider's NICs, `prefix_lengths` what TCP/IP knows of these.

        An address that TCP/IP does not have (any more) is no NIC address: it has no companion socket.  `down` are
        addresses of NICs that are down, with their prefix lengths: they carry nothing.
        """
        self.down = list(down)
        by_provider = list(told)
        self.has_providers = bool(by_provider)
        self._subnets = [
            Subnet(address, prefix_lengths[address], provider)
            for provider, addresses in by_provider
            for address in addresses
            if address in prefix_lengths
        ]

    def __iter__(self) -> Iterator[Subnet[P]]:
        return iter(self._subnets)

    def towards(self, destination: Address) -> list[Subnet[P]]:
        """Those that hold `destination`, the longest prefix first, then in the order of the providers."""
        found = [subnet for subnet in self._subnets if subnet.holds(destination)]
        return sorted(found, key=lambda subnet: -subnet.prefix_length)

    def is_down_towards(self, destination: Address) -> bool:
        return any(Subnet(*each, None).holds(destination) for each in self.down)
