"""Route, source, next hop and MTU for one destination: the single answer that everybody asks for.

Read BIND-3 and BIND-4, RFC 1122 3.3.1 and 3.3.4, RFC 4007 before editing.  `resolve` decides; given a
`Decision` it records what it considered on the way.  There is no second function that only explains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, NetError
from wsknet.net.changes import RouteOrigin
from wsknet.net.packet import Path
from wsknet.net.pmtu import MIN_PATH_MTU
from wsknet.net.source import choose_source
from wsknet.net.tables import LIMITED_BROADCAST
from wsknet.net.withheld import withheld
from wsknet.net.wording import address_text, prefix_text
from wsknet.trace import Decision
from wsknet.types import (
    LOOPBACK_INDEX,
    Address,
    Family,
    family_of,
    is_link_local,
    is_loopback,
    is_multicast,
    is_unspecified,
)

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.routes import Route
    from wsknet.net.tables import Tables

METRICS = "The Cable Guy, September 2007"
STRONG_HOST = "RFC 1122 3.3.4.2, strong host send"


def needs_zone(destination: Address) -> bool:
    """Whether the interface is part of what `destination` means (RFC 4007 6; IPv4 alike)."""
    return is_link_local(destination) or is_multicast(destination) or destination == LIMITED_BROADCAST


def resolve(
    tables: Tables, destination: Address, source: Address | None = None, zone: int = 0, why: Decision | None = None
) -> Path:
    """`source` is what the program bound, `None` for the wildcard.

    `zone` tells the interface of a link-local source, and that of a destination for which `needs_zone`; elsewhere it
    means nothing.  Raises `NetError` NO_ROUTE, or NOT_LOCAL if `source` is not ours or the destination no address.
    """
    if is_unspecified(destination):
        raise _failure(
            why, ErrorKind.NOT_LOCAL, "the unspecified address is no destination", "Winsock: WSAEADDRNOTAVAIL"
        )
    owner = None
    if source is not None:
        owner = tables.owner(source, zone if is_link_local(source) else 0)
        if owner is None:
            detail, reference = withheld(tables, source, zone if is_link_local(source) else 0) or (
                f"{address_text(source)} is not our address", "Winsock: WSAEADDRNOTAVAIL",
            )  # fmt: skip
            raise _failure(why, ErrorKind.NOT_LOCAL, detail, reference)
    scope = 0
    if needs_zone(destination):
        scope = zone or (owner.index if owner is not None and not owner.is_loopback else 0)
    local = tables.find_local(destination, scope)
    if local is not None:
        return _to_ourselves(tables, local, owner, source, destination, why)
    if is_loopback(destination):
        raise _failure(why, ErrorKind.NO_ROUTE, "not an address of the loopback interface", "RFC 1122 3.2.1.3 (g)")
    if owner is not None and owner.is_loopback and source is not None and is_loopback(source):
        raise _failure(why, ErrorKind.NO_ROUTE, "loopback addresses stay inside the host", "RFC 1122 3.2.1.3 (g)")
    return _to_link(tables, owner, source, destination, scope, why)


def route_for_others(tables: Tables, destination: Address, why: Decision | None = None) -> Route | None:
    """The route by which a packet that is not ours is passed on (RFC 1812 5.2.4.3): any interface, no source rules."""
    return _choose_route(tables, destination, None, 0, why)


def link_mtu(interface: Interface, route: Route, family: Family) -> int:
    """Largest packet that the first link of `route` carries."""
    return min(interface.mtu_for(family), route.mtu or interface.mtu)


def summary(why: Decision) -> str:
    """One line for the comment of a captured frame."""
    rules = "; ".join(f"{part.question}: {part.answer} ({part.rule})" for part in why.parts)
    return f"{why.question}: {why.answer}. {rules}" if rules else f"{why.question}: {why.answer} ({why.rule})"


def _to_ourselves(
    tables: Tables,
    local: Interface,
    owner: Interface | None,
    source: Address | None,
    destination: Address,
    why: Decision | None,
) -> Path:
    """The destination is our own address: nothing on any wire, and the host model has no say (BIND-36)."""
    loopback = tables.interfaces[LOOPBACK_INDEX]
    if owner is not None and owner is not loopback and is_loopback(destination) and not owner.weak_send:
        raise _failure(
            why,
            ErrorKind.NOT_LOCAL,
            f"loopback cannot be reached from an address of {owner.name} (strong host send)",
            "RFC 1122 3.2.1.3 (g)",
        )
    if why is not None:
        why.consider(f"{address_text(destination)} local on {local.name}", "chosen: our own address", is_winner=True)
    if source is None:
        part = _part(why, "source")
        source = choose_source(tables, local, destination, destination, part)
        if source is None:
            raise _failure(why, ErrorKind.NO_ROUTE, f"{local.name} has no usable address", METRICS)
    if why is not None:
        answer = f"looped inside the host, from {address_text(source)}"
        why.conclude(answer, "the destination is our own address", "KB 969029 rule 1, RFC 6724 rule 1")
    path = _path(tables, local, source, destination, destination, loopback.mtu, is_local=True)
    if owner is not None and is_link_local(source):
        path.zone = owner.index  # where it can be answered, which need not be where the destination is
    return path


def _to_link(
    tables: Tables,
    owner: Interface | None,
    source: Address | None,
    destination: Address,
    scope: int,
    why: Decision | None,
) -> Path:
    only = None
    if owner is not None and (_is_strong(owner) or (source is not None and is_link_local(source))):
        only = owner
    route = _choose_route(tables, destination, only, scope, _part(why, "route"))
    if route is None:
        detail = f"no route to {address_text(destination)}"
        if only is not None:
            detail += f" on {_as_owner(only)}"
        raise _failure(why, ErrorKind.NO_ROUTE, detail, _owner_rule(only) if only else METRICS)
    interface = tables.interfaces[route.if_index]
    next_hop = route.next_hop or destination
    part = _part(why, "source")
    if source is not None:
        if part is not None:
            part.conclude(address_text(source), "bound by the program", STRONG_HOST)
    else:
        source = choose_source(tables, interface, destination, next_hop, part)
        if source is None:
            detail = f"{interface.name} has no address to send from"
            raise _failure(why, ErrorKind.NO_ROUTE, detail, METRICS)
    if why is not None:
        via = f" via {address_text(route.next_hop)}" if route.next_hop else ""
        rule = why.parts[0].rule
        why.conclude(f"{interface.name}{via} from {address_text(source)}", rule, why.parts[0].reference)
    mtu = link_mtu(interface, route, family_of(destination))
    path = _path(tables, interface, source, destination, next_hop, mtu, is_broadcast=route.is_broadcast)
    if path.mtu < interface.mtu:
        _explain_mtu(path, mtu, route, _part(why, "MTU"))
    return path


def _explain_mtu(path: Path, link: int, route: Route, why: Decision | None) -> None:
    """`link` is what the link and the route allow."""
    if why is None:
        return
    if path.mtu < link:
        reason, reference = "a packet was too big on the way", "RFC 1191, RFC 8201"
    elif route.mtu == path.mtu:
        reason, reference = "the route has it", "ip-route(8): mtu"
    elif path.family is Family.IPV6:
        reason, reference = "a router advertised it", "RFC 4861 6.3.4"
    else:
        reason, reference = "the DHCP server told it", "RFC 2132 5.1"
    why.conclude(f"{path.mtu} instead of {path.interface.mtu}", reason, reference)


def _path(
    tables: Tables,
    interface: Interface,
    source: Address,
    destination: Address,
    next_hop: Address,
    mtu: int,
    is_local: bool = False,
    is_broadcast: bool = False,
) -> Path:
    zone = interface.index if is_link_local(source) or is_link_local(destination) else 0
    told = tables.path_mtus.get((destination, zone), mtu)
    least = MIN_PATH_MTU[len(destination)]
    path = Path(
        interface,
        family_of(destination),
        source,
        destination,
        next_hop,
        min(mtu, max(told, least)),
        tables.generation,
        is_local,
        is_broadcast,
        zone,
        _hop_limit(tables, interface, destination),
    )
    if told < min(mtu, least):
        path.room = 0  # routers have to cut: whatever leaves is a fragment, or may become one
    return path


def _hop_limit(tables: Tables, interface: Interface, destination: Address) -> int:
    if is_multicast(destination):
        return 1  # RFC 1112 6.1, RFC 3493 5.2
    return (interface.hop_limit if len(destination) == 16 else 0) or tables.behaviour.hop_limit


def _is_strong(owner: Interface) -> bool:
    """The strong host model is for hosts that are not routers (RFC 1122 3.3.4.2)."""
    return not (owner.weak_send or owner.forwarding)


def _as_owner(only: Interface) -> str:
    rule = "strong host send" if _is_strong(only) else "a link-local address stays on its link"
    return f"{only.name}, which owns the bound address ({rule})"


def _owner_rule(only: Interface) -> str:
    return STRONG_HOST if _is_strong(only) else "RFC 4007 6, RFC 3927 2.6.2"


def _choose_route(
    tables: Tables, destination: Address, only: Interface | None, scope: int, why: Decision | None
) -> Route | None:
    """Longest prefix, then the lowest sum of route and interface metric, then first added.

    A router that did not answer when last asked is used only where no other is left (RFC 4191 3.2, RFC 1122 3.3.1.5).
    """
    usable: list[Route] = []
    suspects: list[Route] = []
    rejected: list[tuple[Route, str]] = []
    for route in tables.routes.matching(destination):
        if usable and route.prefix_length < usable[0].prefix_length:
            if why is None:
                break
            rejected.append((route, f"its prefix is shorter than /{usable[0].prefix_length}"))
            continue
        objection = _objection(tables, route, destination, only, scope)
        if objection is None and (route.if_index, route.next_hop) in tables.suspects:
            suspects.append(route)
        elif objection is None:
            usable.append(route)
        elif why is not None:
            rejected.append((route, objection))
    if suspects and not usable:
        longest = suspects[0].prefix_length
        usable = [route for route in suspects if route.prefix_length == longest]
        suspects = [route for route in suspects if route.prefix_length < longest]
    if why is not None:
        rejected += [(route, "its router did not answer when last asked") for route in suspects]
    best = min(usable, key=lambda route: _total(tables, route)) if usable else None
    if why is not None:
        _explain_route(tables, best, usable, rejected, why)
    return best


def _objection(
    tables: Tables, route: Route, destination: Address, only: Interface | None, scope: int
) -> str | None:  # fmt: skip
    """Why a route that contains the destination cannot be used."""
    interface = tables.interfaces[route.if_index]
    if not interface.is_up:
        return f"{interface.name} is down"
    if interface.is_loopback:
        return "loopback reaches our own addresses only"
    if only is not None and interface is not only:
        return f"not on {_as_owner(only)}"
    if scope and interface.index != scope:
        return f"not on interface {scope}, where the destination is meant"
    if route.next_hop is not None and is_link_local(destination):
        return "link-local destinations are never sent to a router (RFC 3927 2.6.2, RFC 4291 2.5.6)"
    return None


def _total(tables: Tables, route: Route) -> int:
    return route.metric + tables.interfaces[route.if_index].metric


def _explain_route(
    tables: Tables, best: Route | None, usable: list[Route], rejected: list[tuple[Route, str]], why: Decision
) -> None:
    if best is None:
        rule = "no usable route" if rejected else "no route contains the destination"
        why.conclude("none", rule, METRICS)
    else:
        total = _total(tables, best)
        rivals = [route for route in usable if route is not best]
        if any(_total(tables, route) == total for route in rivals):
            rule = "equal prefix and metric: first added"
        elif rivals:
            rule = "lowest sum of route and interface metric"
        elif any(route.prefix_length < best.prefix_length for route, _ in rejected):
            rule = "longest prefix"
        else:
            rule = "only usable route"
        why.consider(_route_text(tables, best), f"chosen: {rule}", is_winner=True)
        for route in rivals:
            sum_ = _total(tables, route)
            verdict = "added later" if sum_ == total else f"metric {sum_} is above {total}"
            why.consider(_route_text(tables, route), verdict)
        why.conclude(_route_text(tables, best), rule, METRICS)
    for route, verdict in rejected:
        why.consider(_route_text(tables, route), verdict)


def _route_text(tables: Tables, route: Route) -> str:
    interface = tables.interfaces[route.if_index]
    via = f" via {address_text(route.next_hop)}" if route.next_hop else " on-link"
    prefix = prefix_text(route.prefix, route.prefix_length)
    origin = "" if route.origin is RouteOrigin.MANUAL else f", given {route.origin.value}"
    return f"{prefix}{via} on {interface.name}, metric {route.metric}+{interface.metric}{origin}"


def _part(why: Decision | None, question: str) -> Decision | None:
    if why is None:
        return None
    part = Decision(question)
    why.parts.append(part)
    return part


def _failure(why: Decision | None, kind: ErrorKind, detail: str, reference: str) -> NetError:
    if why is not None:
        why.conclude(kind.value, detail, reference)
    return NetError(kind, detail)
