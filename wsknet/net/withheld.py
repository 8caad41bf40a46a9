"""Why an address that somebody wants on this host is not ours to use, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsknet.net.interface import AddressState
from wsknet.net.wording import address_text

if TYPE_CHECKING:
    from wsknet.net.tables import Tables
    from wsknet.types import Address


class Withheld(NamedTuple):
    detail: str
    reference: str


def withheld(tables: Tables, address: Address, zone: int = 0) -> Withheld | None:
    """`None`: the address is not among those being checked or found to be another's; on interface `zone` if given."""
    reference = "RFC 5227 2.1" if len(address) == 4 else "RFC 4862 5.4"
    for interface in tables.interfaces.values():
        entry = interface.unassigned.get(address)
        if entry is None or (zone and interface.index != zone):
            continue
        name = address_text(address, zone)
        if entry.state is AddressState.DUPLICATE:
            holder = f" by {entry.holder.hex(':')}" if entry.holder is not None else ""
            return Withheld(f"{name} is in use{holder} on {interface.name}: not ours to use", reference)
        if not interface.is_up:
            return Withheld(f"{name} is checked for duplicates once {interface.name} is up", reference)
        return Withheld(f"{name} is still being checked for duplicates on {interface.name}", reference)
    return None
