"""The hosts file of an emulated host: ``%SystemRoot%\\System32\\drivers\\etc\\hosts``, hosts(5)."""

from __future__ import annotations

from wsknet import text
from wsknet.names.spelling import folded
from wsknet.types import Address


class HostsFile:
    """Names and addresses that need no server.  What is added later never replaces what was there."""

    def __init__(self) -> None:
        self._addresses: dict[str, dict[Address, None]] = {}
        self._canonical: dict[str, str] = {}
        self._names: dict[Address, str] = {}

    def add(self, name: str, *addresses: str, aliases: tuple[str, ...] = ()) -> None:
        """``add("server.lab", "192.0.2.2", "2001:db8::2", aliases=("server",))``.

        `ValueError` for what is no address, and for no name.
        """
        if not addresses:
            raise ValueError(f"{name} has no address: give one or more")
        octets = [text.parse_address(address) for address in addresses]
        for each in (name, *aliases):
            key = folded(each)
            if not key:
                raise ValueError(f"{each!r} is no name of a host")
            self._canonical.setdefault(key, name)
            self._addresses.setdefault(key, {}).update(dict.fromkeys(octets))
        for address in octets:
            self._names.setdefault(address, name)

    def read(self, lines: str) -> None:
        """Add the lines of a hosts file: an address, its name, more names; what follows a # is for people.

        `ValueError` names the line that cannot be read; those before it have been added.
        """
        for number, line in enumerate(lines.splitlines(), 1):
            address, *names = line.partition("#")[0].split() or ("",)
            if not address:
                continue
            if not names:
                raise ValueError(f"line {number} of the hosts file: {address} has no name behind it")
            try:
                self.add(names[0], address, aliases=tuple(names[1:]))
            except ValueError as error:
                raise ValueError(f"line {number} of the hosts file: {error}") from None

    def remove(self, name: str) -> None:
        """Forget `name`; without effect if it is not there.  An alias stays."""
        key = folded(name)
        self._canonical.pop(key, None)
        for address in self._addresses.pop(key, ()):
            if folded(self._names.get(address, "")) == key:
                del self._names[address]

    def addresses(self, name: str) -> list[Address]:
        """In the order in which they were added."""
        return list(self._addresses.get(folded(name), ()))

    def canonical(self, name: str) -> str:
        """The first name of the line with `name`."""
        return self._canonical.get(folded(name), name)

    def name_of(self, address: Address) -> str | None:
        return self._names.get(address)
