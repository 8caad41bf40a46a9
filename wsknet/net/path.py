"""Route, source, next hop and MTU for one destination: the single answer that everybody asks for.

Read BIND-3 and BIND-4, RFC 1122 3.3.1 and 3.3.4, RFC 4007 before editing.  `resolve` decides; given a
`Decision` it records what it considered on the way.  There is no second function that only explains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.behaviour import LostSource
from wsknet.errors import ErrorKind, NetError
from wsknet.net.binding import is_filter
from wsknet.net.packet import Path
from wsknet.net.pmtu import MIN_PATH_MTU
from wsknet.net.route_choice import choose_route, owner_text, pinned_text
from wsknet.net.routes import Route
from wsknet.net.source import choose_source, source_of_route
from wsknet.net.well_known import LIMITED_BROADCAST
from wsknet.net.withheld import withheld
from wsknet.net.wording import address_text
from wsknet.trace import Decision
from wsknet.types import (
    LOOPBACK_INDEX,
    Address,
    Family,
    IfIndex,
    family_of,
    is_link_local,
    is_loopback,
    is_multicast,
    is_unspecified,
)

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.tables import Tables

_OF_LOOPBACK = {4: bytes((127, 0, 0, 1)), 16: bytes(15) + b"\x01"}
STRONG_HOST = "RFC 1122 3.3.4.2, strong host send"
GROUPS_OF_LINUX = "Linux net/ipv4/route.c, ip_route_output_key_hash_rcu"
UNICAST_IF = {4: "IPPROTO_IP Socket Options, IP_UNICAST_IF", 16: "IPPROTO_IPV6 Socket Options, IPV6_UNICAST_IF"}
"""By address length."""


def needs_zone(destination: Address) -> bool:
    """Whether the interface is part of what `destination` means (RFC 4007 6; IPv4 alike)."""
    return is_link_local(destination) or is_multicast(destination) or destination == LIMITED_BROADCAST


def this_host(tables: Tables, unspecified: Address, source: Address | None) -> Address:
    """Which of our addresses the unspecified one stands for, as a destination of who is bound to `source`.

    That is ``::1``, and over IPv4 the source itself if it is bound (ip_route_output_key_hash_rcu, ip6_dst_lookup_tail).
    """
    if len(unspecified) == 4 and source is not None and len(source) == 4 and tables.owner(source) is not None:
        return source
    return _OF_LOOPBACK[len(unspecified)]


def resolve(
    tables: Tables,
    destination: Address,
    source: Address | None = None,
    zone: int = 0,
    why: Decision | None = None,
    interface: int = 0,
) -> Path:
    """`source` is what the program bound, `None` for the wildcard.

    `zone` tells the interface of a link-local source, and that of a destination for which `needs_zone`; elsewhere it
    means nothing.  `interface` is the one that the program sends through (IP_UNICAST_IF, IPV6_UNICAST_IF), 0 if routing
    decides; for groups and our own addresses it does not count.  The unspecified destination is `this_host`, if
    anything.  Raises `NetError` NO_ROUTE, NOT_LOCAL if `source` is not ours or the destination no address, or what
    `Behaviour` says instead.
    """
    if interface and is_multicast(destination):
        interface = 0  # that is what IP_MULTICAST_IF is for
    if is_unspecified(destination):
        if not tables.behaviour.unspecified_means_this_host:
            detail = "the unspecified address is no destination"
            raise _failure(why, ErrorKind.NOT_LOCAL, detail, "Winsock: WSAEADDRNOTAVAIL")
        destination = this_host(tables, destination, source)
    owner = None
    if source is not None:
        owner = tables.owner(source, zone if is_link_local(source) else 0)
        if owner is None and is_filter(tables, source):
            source = None
        elif owner is None and not _is_sent_without_owner(tables, source, zone):
            detail, reference = withheld(tables, source, zone if is_link_local(source) else 0) or (
                f"{address_text(source)} is not our address", "Winsock: WSAEADDRNOTAVAIL",
            )  # fmt: skip
            is_unreachable = _lost_source(tables, source) is LostSource.NO_ROUTE
            kind = ErrorKind.NO_ROUTE if is_unreachable else ErrorKind.NOT_LOCAL
            raise _failure(why, kind, detail, reference)
    scope = 0
    if needs_zone(destination) and (not is_link_local(destination) or _is_confined(tables, destination)):
        scope = zone or interface or (owner.index if owner is not None and not owner.is_loopback else 0)
    local = tables.find_local(destination, scope)
    if local is not None:
        path = _to_ourselves(tables, local, owner, source, destination, why)
    else:
        path = _to_link(tables, owner, source, destination, scope, why, interface)
    path.pinned = interface
    return path


def _lost_source(tables: Tables, source: Address) -> LostSource:
    behaviour = tables.behaviour
    return behaviour.lost_ipv4_source if len(source) == 4 else behaviour.lost_ipv6_source


def _is_sent_without_owner(tables: Tables, source: Address, zone: int) -> bool:
    """An address that is being checked, or another host's, is never a source (RFC 4862 5.4, RFC 5227 2.1.1)."""
    if _lost_source(tables, source) is not LostSource.SENT:
        return False
    return withheld(tables, source, zone if is_link_local(source) else 0) is None


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
    is_foreign = owner is not None and owner is not loopback and is_loopback(destination)
    if owner is not None and is_foreign and not tables.behaviour.loopback_takes_any_source:
        detail = f"loopback cannot be reached from an address of {owner.name}"
        raise _failure(why, ErrorKind.NOT_LOCAL, detail, "RFC 1122 3.2.1.3 (g)")
    if why is not None:
        why.consider(f"{address_text(destination)} local on {local.name}", "chosen: our own address", is_winner=True)
    if source is None:
        part = _part(why, "source")
        source = choose_source(tables, local, destination, destination, part)
        if source is None:
            raise _failure(
                why, ErrorKind.NO_ROUTE, f"{local.name} has no usable address", tables.behaviour.route_reference
            )
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
    pinned: int,
) -> Path:
    if is_loopback(destination):
        raise _failure(why, ErrorKind.NO_ROUTE, "not an address of the loopback interface", "RFC 1122 3.2.1.3 (g)")
    if owner is not None and owner.is_loopback and source is not None and is_loopback(source):
        # Linux lets ::1 out; RFC 4291 2.5.3 has no such packet, and nobody could answer it.
        kind = tables.behaviour.loopback_source_error if len(source) == 4 else ErrorKind.NO_ROUTE
        raise _failure(why, kind, "loopback addresses stay inside the host", "RFC 1122 3.2.1.3 (g)")
    only = None
    if owner is not None and source is not None and (owner.is_strong or _is_confined(tables, source)):
        only = owner
    choose = choose_route if tables.behaviour.ipv4_group_routes else _choose_without_group_routes
    route = choose(tables, destination, only, scope, _part(why, "route"), pinned)
    if route is None:
        raise _no_route(tables, only, destination, why, pinned)
    interface = tables.interfaces[route.if_index]
    next_hop = route.next_hop or destination
    part = _part(why, "source")
    if source is not None:
        if part is not None:
            part.conclude(address_text(source), "bound by the program", _host_rule(owner))
    else:
        source = None if route.preferred_source is None else source_of_route(tables, interface, route, part)
        if source is None:
            source = choose_source(tables, interface, destination, next_hop, part)
        if source is None:
            detail = f"{interface.name} has no address to send from"
            raise _failure(why, ErrorKind.NO_ROUTE, detail, tables.behaviour.route_reference)
    if why is not None:
        via = f" via {address_text(route.next_hop)}" if route.next_hop else ""
        rule = why.parts[0].rule
        why.conclude(f"{interface.name}{via} from {address_text(source)}", rule, why.parts[0].reference)
    mtu = link_mtu(interface, route, family_of(destination))
    path = _path(tables, interface, source, destination, next_hop, mtu, is_broadcast=route.is_broadcast)
    if path.mtu < interface.mtu:
        _explain_mtu(path, mtu, route, _part(why, "MTU"))
    return path


def _is_confined(tables: Tables, address: Address) -> bool:
    """Whether packets from or to this address stay on its link, on weak hosts too."""
    return is_link_local(address) and (len(address) == 16 or tables.behaviour.confines_ipv4_link_local)


def _choose_without_group_routes(
    tables: Tables, destination: Address, only: Interface | None, scope: int, why: Decision | None, pinned: int
) -> Route | None:
    """`choose_route` where IPv4 addresses bring no routes to groups: a link that is given is used without any."""
    is_broadcast = destination == LIMITED_BROADCAST
    if len(destination) == 16 or not (is_broadcast or is_multicast(destination)):
        return choose_route(tables, destination, only, scope, why, pinned)
    interface = tables.interfaces.get(IfIndex(scope))
    if interface is not None and interface.is_up and not interface.is_loopback and only in (None, interface):
        if why is not None:
            why.conclude(f"on-link on {interface.name}", "the interface is given", GROUPS_OF_LINUX)
        return Route(destination, 32, interface.index, is_broadcast=is_broadcast)
    route = choose_route(tables, destination, only, scope, why, pinned)
    return None if route is None else route._replace(next_hop=None, is_broadcast=is_broadcast)


def _no_route(
    tables: Tables, only: Interface | None, destination: Address, why: Decision | None, pinned: int
) -> NetError:
    """`only` is the interface that the source confines us to."""
    if pinned and only is not None and pinned != only.index:
        # BIND-33: no page tells which of the two counts, and a strong host has no way that satisfies both.
        detail = f"sends through {pinned_text(tables, pinned, destination)}, but only from {owner_text(only)}"
        return _failure(why, ErrorKind.NO_ROUTE, f"the program {detail}", _owner_rule(only))
    detail, reference = f"no route to {address_text(destination)}", tables.behaviour.route_reference
    if pinned:
        detail += f" on {pinned_text(tables, pinned, destination)}"
        reference = UNICAST_IF[len(destination)]
    elif only is not None:
        detail += f" on {owner_text(only)}"
        reference = _owner_rule(only)
    return _failure(why, ErrorKind.NO_ROUTE, detail, reference)


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
    least = MIN_PATH_MTU[family_of(destination)]
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


def _host_rule(owner: Interface | None) -> str:
    return STRONG_HOST if owner is not None and owner.is_strong else "RFC 1122 3.3.4.2, weak host send"


def _owner_rule(only: Interface) -> str:
    return STRONG_HOST if only.is_strong else "RFC 4007 6, RFC 3927 2.6.2"


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
