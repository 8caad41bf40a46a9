"""Whether a socket may have an address as its own, or as a filter of what it hears (BIND-1.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net.routes import broadcast_of
from wsknet.net.well_known import LIMITED_BROADCAST, is_of_one_link
from wsknet.net.withheld import withheld
from wsknet.net.wording import address_text
from wsknet.types import Address, is_link_local, is_multicast

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.tables import Tables
    from wsknet.trace import Decision

_BIND = "bind function (winsock2.h)"
_ZONE = "ipv6(7): sin6_scope_id"
_FOREIGN = "ip(7): ip_nonlocal_bind, IP_FREEBIND"
_STREAM = "Linux net/ipv6/af_inet6.c, inet6_bind"
_FILTER = "ip(7): Address format"


def bindable(tables: Tables, address: Address, zone: int, why: Decision | None, is_stream: bool = False) -> int:
    """The zone with which `address` may be bound: for a link-local address that of its interface, else 0.

    Zone 0 stands for whichever interface has it (BIND-1.4, C9) unless `Behaviour.link_local_needs_zone`.  A group is
    heard wherever it was joined, so its zone is not kept.  Raises `NetError` NOT_LOCAL, `LocalError` INVALID_ARGUMENT.
    The wildcard needs no permission and is not asked for.
    """
    behaviour = tables.behaviour
    scope = zone if is_link_local(address) else 0
    owner = tables.owner(address, scope)
    name = address_text(address, scope)
    if not zone and behaviour.link_local_needs_zone and is_of_one_link(address) and _may_be_bound(tables, address):
        detail = f"{name} may be on any link: its interface must be given"
        raise _refusal(LocalError(ErrorKind.INVALID_ARGUMENT, detail), _ZONE, why)
    if owner is not None and (owner.is_up or behaviour.binds_down_addresses):
        effective = owner.index if is_link_local(address) else 0
        _grant(why, address_text(address, effective), f"an address of {owner.name}", _BIND)
        return effective
    if behaviour.binds_foreign_addresses and not is_multicast(address):
        _grant(why, name, "addresses of other hosts may be bound", _FOREIGN)
        return scope
    if owner is not None:
        detail = f"{owner.name}, which has {name}, is down"
        raise _refusal(NetError(ErrorKind.NOT_LOCAL, detail), _BIND, why)
    if is_filter(tables, address):
        if is_stream and len(address) == 16:  # over IPv4 TCP may have such a name, and hears nobody
            raise _refusal(LocalError(ErrorKind.INVALID_ARGUMENT, f"{name} is a group: not for TCP"), _STREAM, why)
        _grant(why, name, "no address of a host: a filter of what is heard", _FILTER)
        return 0
    detail, reference = withheld(tables, address, scope) or (f"{name} is not an address of this host", _BIND)
    raise _refusal(NetError(ErrorKind.NOT_LOCAL, detail), reference, why)


def is_filter(tables: Tables, address: Address) -> bool:
    """Whether a socket may be bound to `address` without having it: then it hears what is sent there and nothing else,
    and what it sends gets a source as from the wildcard."""
    behaviour = tables.behaviour
    if is_multicast(address):
        return behaviour.binds_group_addresses
    if len(address) != 4 or not behaviour.binds_broadcast_addresses:
        return False
    return address == LIMITED_BROADCAST or any(_has_broadcast(each, address) for each in tables.interfaces.values())


def _has_broadcast(interface: Interface, address: Address) -> bool:
    return any(
        broadcast_of(entry.address, entry.prefix_length) == address
        for entry in interface.addresses.values()
        if len(entry.address) == 4 and entry.prefix_length < 31  # RFC 3021
    )


def _may_be_bound(tables: Tables, address: Address) -> bool:
    return not is_multicast(address) or tables.behaviour.binds_group_addresses


def _grant(why: Decision | None, answer: str, rule: str, reference: str) -> None:
    if why is not None:
        why.conclude(answer, rule, reference)


def _refusal(error: NetError, reference: str, why: Decision | None) -> NetError:
    if why is not None:
        why.conclude(error.kind.value, error.detail, reference)
    return error
