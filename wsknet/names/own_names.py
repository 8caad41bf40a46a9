"""What a host knows of itself without asking anybody: its name, its addresses, and what belongs to every host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.names.results import Target
from wsknet.names.spelling import folded
from wsknet.types import Address, Family, family_of, is_link_local, is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsknet.stack import Stack

LOOPBACK = {Family.IPV4: bytes((127, 0, 0, 1)), Family.IPV6: bytes(15) + b"\x01"}

_LOOPBACK_NAMES = ("localhost", "loopback")


class OwnNames:
    def __init__(self, name: str, stack: Stack) -> None:
        self.name = name
        self.domain = ""
        """The primary DNS suffix, part of the full name of the host."""
        self._stack = stack

    @property
    def full_name(self) -> str:
        return f"{self.name}.{self.domain}" if self.domain else self.name

    def qualified(self, name: str) -> str:
        """`name`, if it is ours, as it is in full."""
        return self.full_name if folded(name) == folded(self.name) else name.removesuffix(".")

    def targets(self, name: str) -> list[Target]:
        """The addresses behind `name` if it is ours.  IPv6 first, as the system gives them."""
        key = folded(name)
        if key in _LOOPBACK_NAMES or key.endswith(".localhost"):  # RFC 6761 6.3
            return [Target(LOOPBACK[Family.IPV6]), Target(LOOPBACK[Family.IPV4])]
        if key in (folded(self.name), folded(self.full_name)):
            found = list(self._own())
            return found or [Target(LOOPBACK[Family.IPV6]), Target(LOOPBACK[Family.IPV4])]
        return []

    def name_of(self, address: Address, zone: int) -> str | None:
        """The full name of the host for every address of its own, those of the loopback interface too."""
        if is_loopback(address):
            return self.full_name
        is_own = any(target.address == address and zone in (0, target.zone) for target in self._own())
        return self.full_name if is_own else None

    def families(self) -> tuple[Family, ...]:
        """Those of which the host has an address that others beyond its links can reach (AI_ADDRCONFIG)."""
        found = {family_of(target.address) for target in self._own() if not is_link_local(target.address)}
        return tuple(family for family in Family if family in found)

    def _own(self) -> Iterator[Target]:
        for index, interface in self._stack.ip.interfaces.items():
            for address in interface.addresses:
                if not is_loopback(address):
                    yield Target(address, index if is_link_local(address) else 0)
