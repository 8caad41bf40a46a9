"""Which of the routes that contain a destination a packet takes.

Read BIND-3 and BIND-4, RFC 1122 3.3.1, RFC 1812 5.2.4.3, RFC 4191 3.2.  Where it comes from is `source`'s choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.changes import RouteOrigin
from wsknet.net.wording import address_text, prefix_text
from wsknet.types import Address, IfIndex, is_link_local

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.routes import Route
    from wsknet.net.tables import Tables
    from wsknet.trace import Decision


def choose_route(
    tables: Tables, destination: Address, only: Interface | None, scope: int, why: Decision | None, pinned: int = 0
) -> Route | None:
    """Longest prefix, then the lowest sum of route and interface metric, then first added: of equal sums Microsoft says
    nothing.

    `only` is the interface of the source, `scope` that of the destination, `pinned` the one the program demands.
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
        objection = _objection(tables, route, destination, only, scope, pinned)
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


def route_for_others(tables: Tables, destination: Address, why: Decision | None = None) -> Route | None:
    """The route by which a packet that is not ours is passed on (RFC 1812 5.2.4.3): any interface, no source rules."""
    return choose_route(tables, destination, None, 0, why)


def owner_text(only: Interface) -> str:
    rule = "strong host send" if only.is_strong else "a link-local address stays on its link"
    return f"{only.name}, which owns the bound address ({rule})"


def pinned_text(tables: Tables, pinned: int, destination: Address) -> str:
    interface = tables.interfaces.get(IfIndex(pinned))
    name = interface.name if interface is not None else f"interface {pinned}, which is gone"
    return f"{name} ({'IP_UNICAST_IF' if len(destination) == 4 else 'IPV6_UNICAST_IF'})"


def _objection(
    tables: Tables, route: Route, destination: Address, only: Interface | None, scope: int, pinned: int
) -> str | None:  # fmt: skip
    """Why a route that contains the destination cannot be used."""
    interface = tables.interfaces[route.if_index]
    if interface.is_loopback or not interface.is_up:
        return "loopback reaches our own addresses only" if interface.is_up else f"{interface.name} is down"
    if only is not None and interface is not only:
        return f"not on {owner_text(only)}"
    if pinned and interface.index != pinned:
        return f"the program sends through {pinned_text(tables, pinned, destination)}"
    if scope and interface.index != scope:
        return f"not on interface {scope}, where the destination is meant"
    is_routed = len(destination) == 4 and not tables.behaviour.confines_ipv4_link_local
    if route.next_hop is not None and is_link_local(destination) and not is_routed:
        return "link-local destinations are never sent to a router (RFC 3927 2.6.2, RFC 4291 2.5.6)"
    return None


def _total(tables: Tables, route: Route) -> int:
    return route.metric + tables.interfaces[route.if_index].metric


def _explain_route(
    tables: Tables, best: Route | None, usable: list[Route], rejected: list[tuple[Route, str]], why: Decision
) -> None:
    if best is None:
        rule = "no usable route" if rejected else "no route contains the destination"
        why.conclude("none", rule, tables.behaviour.route_reference)
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
        why.conclude(_route_text(tables, best), rule, tables.behaviour.route_reference)
    for route, verdict in rejected:
        why.consider(_route_text(tables, route), verdict)


def _route_text(tables: Tables, route: Route) -> str:
    interface = tables.interfaces[route.if_index]
    via = f" via {address_text(route.next_hop)}" if route.next_hop else " on-link"
    prefix = prefix_text(route.prefix, route.prefix_length)
    origin = "" if route.origin is RouteOrigin.MANUAL else f", given {route.origin.value}"
    return f"{prefix}{via} on {interface.name}, metric {route.metric}+{interface.metric}{origin}"
