"""Whether a socket may have an address of this host as its own (BIND-1.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, NetError
from wsknet.net.withheld import withheld
from wsknet.net.wording import address_text
from wsknet.types import Address, is_link_local

if TYPE_CHECKING:
    from wsknet.net.tables import Tables
    from wsknet.trace import Decision

_REFERENCE = "bind function (winsock2.h)"


def bindable(tables: Tables, address: Address, zone: int, why: Decision | None) -> int:
    """The zone with which `address` may be bound: for a link-local address that of its interface, else 0.

    Zone 0 stands for whichever interface has it (BIND-1.4, C9).  Raises `NetError` NOT_LOCAL.  The wildcard needs no
    permission and is not asked for.
    """
    scope = zone if is_link_local(address) else 0
    owner = tables.owner(address, scope)
    name = address_text(address, scope)
    if owner is None:
        detail, reference = withheld(tables, address, scope) or (f"{name} is not an address of this host", _REFERENCE)
    elif not owner.is_up and not tables.behaviour.binds_down_addresses:
        detail, reference = f"{owner.name}, which has {name}, is down", _REFERENCE
    else:
        effective = owner.index if is_link_local(address) else 0
        if why is not None:
            why.conclude(address_text(address, effective), f"an address of {owner.name}", _REFERENCE)
        return effective
    if why is not None:
        why.conclude(ErrorKind.NOT_LOCAL.value, detail, reference)
    raise NetError(ErrorKind.NOT_LOCAL, detail)
